"""Receiving by list: a row for each line that is awaited, with a field that begins with 0."""

from decimal import Decimal
from typing import Any

import streamlit as st

from core import posting
from core.buying.order_looks import Line
from core.errors import RuleBroken, RunoutError
from core.posting import plain
from dashboard import counting, editing, order_words, pickers, ui

LINES_PER_PAGE = 25


def draw(mine: dict[str, Any], lines: list[Line]) -> None:
    """The rows, and a button for when everything came."""
    st.button(
        "All of it arrived", key="all_arrived", icon=":material/done_all:", on_click=_all, args=(mine, lines)
    )
    first = (min(pickers.page(), max(1, -(-len(lines) // LINES_PER_PAGE))) - 1) * LINES_PER_PAGE
    with st.container(key="order-rows", gap="xsmall"):
        for line in lines[first : first + LINES_PER_PAGE]:
            _draw_row(mine, line)
    pickers.page_links(len(lines), LINES_PER_PAGE)


def _draw_row(mine: dict[str, Any], line: Line) -> None:
    uid, write = str(line.uid), ui.formats()
    key = f"arrived_{uid}_{mine['form']}"
    now = float(counting.counted(mine, line))
    # The field shows what is counted, whoever counted it.
    if st.session_state.get(key) != now:
        st.session_state[key] = now
    with st.container(key=f"order-row-{uid}"):
        name, field, all_ = st.columns([5, 1.6, 1.4], vertical_alignment="center")
        with name:
            unit = ui.unit_md(line.unit_of_measure, line.open)
            st.markdown(
                f"{order_words.product(line)}  \n"
                f"{ui.safe_md(write.quantity(line.open))}{unit} :gray[open of "
                f"{ui.safe_md(write.quantity(line.quantity))}]{counting.over(mine, line)}"
            )
        with field:
            st.number_input(
                f"Arrived of {line.sku}", value=None, step=1.0, format="%.12g", key=key, placeholder="0",
                label_visibility="collapsed", on_change=_typed, args=(mine, line, key),
            )  # fmt: skip
        with all_:
            st.button("All", key=f"all-{uid}", width="stretch", on_click=_all, args=(mine, [line]),
                      help=f"{write.quantity(line.open)} arrived.")  # fmt: skip
    if refused := mine.get("wrong", {}).get(uid):
        ui.refused(refused)


def _typed(mine: dict[str, Any], line: Line, key: str) -> None:
    """Count what was typed. What cannot be is said beside it, and what was counted before stands."""
    uid, given = str(line.uid), editing.number(st.session_state.get(key))
    wrong = mine.setdefault("wrong", {})
    wrong.pop(uid, None)
    mine.pop("answer", None)
    try:
        counting.put(mine, uid, _checked(line, given))
    except RunoutError as refusal:
        wrong[uid] = refusal.sentence


def _checked(line: Line, given: str | None) -> Decimal:
    quantity = posting.exact(given or "0", f"{line.sku}, arrived")
    if quantity < 0:
        raise RuleBroken(f"{line.sku}, arrived: {plain(quantity)} is below zero. Enter how many came.")
    order_words.refuse_parts(line.sku, line.unit_of_measure, given)
    return quantity


def _all(mine: dict[str, Any], lines: list[Line]) -> None:
    for line in lines:
        counting.put(mine, str(line.uid), line.open)
        mine.get("wrong", {}).pop(str(line.uid), None)
    mine.pop("answer", None)
