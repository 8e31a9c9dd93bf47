"""Tables in two widths: every column where there is room, three on a phone; and what was clicked."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

ROW_HEIGHT = 37
TOUCH_HEIGHT = 44
GREY = "color: #98A2B3"


def draw(
    frame: pd.DataFrame,
    narrow: Mapping[str, int],
    config: Mapping[str, Any],
    *,
    key: str,
    by_column: bool = False,
    grey: Sequence[bool] | None = None,
) -> tuple[int | None, str | None]:
    """The table, and what was clicked: (place of the row, None), or (None, name of the column).

    The server does not know how wide the screen is, so both are sent and a rule in style.py shows one.

    Args:
        narrow: the columns of the phone and their widths in pixels, at most 356 together.
        config: column configuration by name.
        by_column: whether a click on a header counts; it replaces the browser's own ordering of one page.
        grey: rows to be drawn in grey.
    """
    slim = {name: {**config[name], "width": width} for name, width in narrow.items()}
    for shape, columns, about in (("wide", list(frame), config), ("narrow", list(narrow), slim)):
        with st.container(key=f"{shape}-{key}"):
            event = st.dataframe(
                _styled(frame[columns], grey),
                hide_index=True,
                height="content",
                row_height=ROW_HEIGHT if shape == "wide" else TOUCH_HEIGHT,
                column_config={name: about[name] for name in columns},
                on_select="rerun",
                selection_mode=["single-cell", "single-column"] if by_column else "single-cell",
                key=f"{key}_{shape}",
            )
        if by_column and event.selection.columns:
            return None, event.selection.columns[0]
        if event.selection.cells and event.selection.cells[0][0] < len(frame):
            return event.selection.cells[0][0], None
    return None, None


def _styled(frame: pd.DataFrame, grey: Sequence[bool] | None) -> Any:
    if not grey or not any(grey):
        return frame
    return frame.style.apply(lambda _: [GREY if is_grey else "" for is_grey in grey], axis=0)
