"""Prices of a vendor that rose lately or are going to, what costs most first."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.buying import price_history
from core.buying.price_history import Rise
from dashboard import grid, pickers, ui, vendor_words
from db.session import reading

MOST = 20
NARROW = {"Product": 150, "Change": 86, "Costs": 110}


def draw(vendor: Any, today: date) -> None:
    """Folded away; nothing where no price rose."""
    with reading() as session:
        found = price_history.rises(session, today, vendor_id=vendor.id, limit=MOST)
    if not found:
        return
    several = f"The {MOST} prices" if len(found) == MOST else "Prices"
    words = f"{several} that rose and cost most" if len(found) > 1 else "A price that rose"
    with st.expander(words, icon=":material/trending_up:"):
        _draw_table(found)


def _draw_table(found: list[Rise]) -> None:
    write = ui.formats()
    frame = pd.DataFrame(
        {
            "Product": [one.product for one in found],
            "Before": [vendor_words.price(one.price_before, one.currency) for one in found],
            "Now": [vendor_words.price(one.price, one.currency) for one in found],
            "Change": ["" if one.percent is None else f"{write.change(one.percent)} %" for one in found],
            "Since": [f"{'from ' if one.is_upcoming else ''}{write.day(one.valid_from)}" for one in found],
            "Costs": ["" if one.costs is None else write.money(one.costs) for one in found],
            "SKU": [one.sku for one in found],
        }
    )
    config = {
        "Product": _column(270),
        "Before": _column(110, "right"),
        "Now": _column(110, "right"),
        "Change": _column(90, "right"),
        "Since": _column(130),
        "Costs": _column(130, "right", "What the rise makes of the demand expected over the next 90 days."),
        "SKU": _column(110),
    }
    turn = st.session_state.setdefault("rises_turn", 0)
    row, _ = grid.draw(frame, NARROW, config, key=f"rises_{turn}_{hash(tuple(o.offer_uid for o in found))}")
    if row is not None:
        st.session_state["rises_turn"] = turn + 1
        pickers.remember("product", found[row].product_uid)
        st.rerun()


def _column(width: int, alignment: str = "left", help_: str | None = None) -> Any:
    return st.column_config.TextColumn(width=width, alignment=alignment, help=help_)
