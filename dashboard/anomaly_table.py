"""Findings as a table: one order for the whole list, a row opens its card, and the whole list as a file."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from core.doctor import finding_lists
from core.doctor.finding_rows import Row
from core.posting import plain
from dashboard import anomaly_words, grid, looks, pickers, ui
from dashboard.sorting import Sorting
from db.session import reading

MOST_ROWS = 20_000
PER_LOOK = 1000
NARROW = {"Product": 146, "Repair": 120, "At risk": 84}
SORTING = Sorting(
    {"At risk": "-money_at_risk", "Chance": "-score", "Found": "-found_on"},
    known=finding_lists.SORTS, usual="-score", usual_words="the likeliest come first",
)  # fmt: skip


def draw(found: list[Row]) -> None:
    """The table; a click on a row opens its card, one on a header orders the whole list."""
    key = f"findings_{hash(tuple(row.uid for row in found))}"
    turn = st.session_state.setdefault("findings_turn", 0)
    place, column = grid.draw(_frame(found), NARROW, _config(), key=f"{key}_{turn}", by_column=True)
    if place is None and column is None:
        return
    # A new name after each click takes back the mark.
    st.session_state["findings_turn"] = turn + 1
    if column is not None:
        SORTING.turn(column)
    else:
        pickers.remember("id", found[place].uid)
    st.rerun()


def _frame(found: list[Row]) -> pd.DataFrame:
    write, now = ui.formats(), looks.now()
    frame = pd.DataFrame(
        {
            "Product": [row.product_name for row in found],
            "Repair": [short(row) for row in found],
            "At risk": [write.money(row.money_at_risk) if row.money_at_risk else "" for row in found],
            "Chance": [write.share(row.score) for row in found],
            "What": [anomaly_words.KINDS[row.kind] for row in found],
            "Where": [row.warehouse_code for row in found],
            "Booked": [write.ago(row.recorded_at, now) for row in found],
            "By": [row.person for row in found],
            "Found": [write.day(row.found_on) for row in found],
            "State": [anomaly_words.STATES[row.state] for row in found],
            "SKU": [row.sku for row in found],
        }
    )
    # Where all of them are still to be decided, nobody needs to read so in every row.
    return frame if any(row.state != "open" for row in found) else frame.drop(columns="State")


def short(row: Row) -> str:
    """The repair in a cell: 1,200 → 100 out."""
    ends = anomaly_words.swap(row)
    return f"{ends[0]} → {ends[1]}" if ends else "not known"


def _config() -> dict[str, Any]:
    text = SORTING.text
    return {
        "Product": text("Product", 220),
        "Repair": text("Repair", 170),
        "At risk": text("At risk", 84, "right", "What the difference is worth."),
        "Chance": text("Chance", 74, "right", "How likely it is an error, as measured."),
        "What": text("What", 180),
        "Where": text("Where", 70),
        "Booked": text("Booked", 118),
        "By": text("By", 104),
        "Found": text("Found", 74),
        "State": text("State", 84),
        "SKU": text("SKU", 90),
    }


def everything(filters: dict[str, Any]) -> pd.DataFrame:
    """The whole filtered list, for a download."""
    found: list[Row] = []
    with reading(snapshot=True) as session:
        while len(found) < MOST_ROWS:
            more, _ = finding_lists.listing(session, **filters, limit=PER_LOOK, skip=len(found))
            found += more
            if len(more) < PER_LOOK:
                break
    return for_download(found)


def for_download(found: list[Row]) -> pd.DataFrame:
    """The findings as a spreadsheet wants them: plain numbers, UTC."""

    def at(moment: datetime | None) -> str:
        return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""

    return pd.DataFrame(
        {
            "Movement": [row.movement_id for row in found],
            "SKU": [row.sku for row in found],
            "Product": [row.product_name for row in found],
            "Warehouse": [row.warehouse_code for row in found],
            "Change": [plain(row.change) for row in found],
            "Unit price": ["" if row.unit_price is None else f"{row.unit_price:.4f}" for row in found],
            "Happened (UTC)": [at(row.occurred_at) for row in found],
            "Booked (UTC)": [at(row.recorded_at) for row in found],
            "Booked by": [row.person for row in found],
            "Reference": [row.reference_id or "" for row in found],
            "List": [anomaly_words.LISTS[row.listed] for row in found],
            "What": [anomaly_words.KINDS[row.kind] for row in found],
            "Chance": [round(row.score, 4) for row in found],
            "Money at risk": [f"{row.money_at_risk:.2f}" for row in found],
            "Message": [row.message for row in found],
            "Repair": [short(row) for row in found],
            "Found on": [row.found_on.isoformat() for row in found],
            "State": [anomaly_words.STATES[row.state] for row in found],
            "Decided (UTC)": [at(row.decided_at) for row in found],
            "Decided by": [row.decided_by or "" for row in found],
            "Dismissed because": [anomaly_words.REASONS.get(row.dismissed_as or "", "") for row in found],
            "Note": [row.note or "" for row in found],
        }
    )
