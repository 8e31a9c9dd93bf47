"""Tables in two widths: every column where there is room, three on a phone; and what was clicked."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import ui

ROW_HEIGHT = 37
TOUCH_HEIGHT = 60  # room for a name of two lines; wrapping starts there
GREY = {"light": "color: #667085", "dark": "color: #98A2B3"}


def draw(
    frame: pd.DataFrame,
    narrow: Mapping[str, int],
    config: Mapping[str, Any],
    *,
    key: str,
    by_column: bool = False,
    grey: Sequence[bool] | None = None,
    narrow_words: Mapping[str, tuple[Sequence[str], Sequence[str]]] | None = None,
) -> tuple[int | None, str | None]:
    """The table, and what was clicked: (place of the row, None), or (None, name of the column).

    The server does not know how wide the screen is, so both are sent and a rule in style.py shows one.

    Args:
        narrow: the columns of the phone and their widths in pixels, at most 356 together.
        config: column configuration by name.
        by_column: whether a click on a header counts; it replaces the browser's own ordering of one page.
        grey: rows to be drawn in grey.
        narrow_words: what a column holds on a phone, where pills do not fit its high rows: (words, colours).
    """
    chosen = _by_keyboard(frame, key)
    if chosen is not None:
        return chosen, None
    slim = {name: {**config[name], "width": width} for name, width in narrow.items()}
    for name in narrow_words or ():
        slim[name] = st.column_config.TextColumn(name, width=narrow[name])
    for shape, columns, about in (("wide", list(frame), config), ("narrow", list(narrow), slim)):
        with st.container(key=f"{shape}-{key}"):
            words = narrow_words if shape == "narrow" else None
            event = st.dataframe(
                _styled(frame[columns], grey, words),
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


def _by_keyboard(frame: pd.DataFrame, key: str) -> int | None:
    """A list of the rows that the Tab key brings up: the first arrow key in a table opens its first row."""
    names = [f"{first} · {second}" for first, second in zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True)]
    with st.container(key=f"keyboard-{key}"):
        return st.selectbox(
            "Open a row of the table", range(len(frame)), index=None, key=f"{key}_keyboard",
            format_func=names.__getitem__,
            label_visibility="collapsed", placeholder="Open a row of the table",
        )  # fmt: skip


def _styled(frame: pd.DataFrame, grey: Sequence[bool] | None, words: Mapping[str, Any] | None) -> Any:
    theme = "dark" if ui.is_dark() else "light"
    if words:
        frame = frame.assign(**{name: texts for name, (texts, _) in words.items()})
    drawn = frame
    for name, (_, colours) in (words or {}).items():
        drawn = frame.style.apply(lambda _, css=colours: [f"color: {one}" for one in css], subset=[name])
    if grey and any(grey):
        drawn = frame.style.apply(lambda _: [GREY[theme] if is_grey else "" for is_grey in grey], axis=0)
    return drawn
