"""Lists that only grow are leafed through by id, newest first: an offset would slide while people write."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import pickers

PAGE = pickers.ROWS_PER_PAGE


def page(look: Callable[..., Any]) -> tuple[Any, bool, bool]:
    """The page that the address asks for, and whether there are newer and older ones.

    `look(before_id=, after_id=, limit=)` finds rows, newest first, as a frame or a list; one of the two ids
    is left out.
    """
    before, after = pickers.number_in_address("before"), pickers.number_in_address("after")
    if after is not None:
        found = look(after_id=after, limit=PAGE + 1)
        shown = found[-PAGE:]
        is_frame = isinstance(shown, pd.DataFrame)
        return shown.reset_index(drop=True) if is_frame else shown, len(found) > PAGE, True
    found = look(before_id=before, limit=PAGE + 1)
    return found[:PAGE], before is not None, len(found) > PAGE


def draw(newest: int, oldest: int, has_newer: bool, has_older: bool) -> None:
    """The buttons under a page from the row `newest` to the row `oldest`; none where it is the only page."""
    if not has_newer and not has_older:
        return
    with st.container(horizontal=True):
        st.button(
            "Newer", key="newer", icon=":material/chevron_left:", disabled=not has_newer, on_click=_turn,
            args=("after", newest),
        )  # fmt: skip
        st.button(
            "Older", key="older", icon=":material/chevron_right:", icon_position="right",
            disabled=not has_older, on_click=_turn, args=("before", oldest),
        )  # fmt: skip


def _turn(word: str, row_id: int) -> None:
    pickers.restart()
    pickers.remember(word, row_id)
