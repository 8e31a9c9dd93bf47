"""What happened to the stock: the ledger, filtered, newest first."""

import pandas as pd
import streamlit as st

from dashboard import ledger, looks, pickers, signin, ui

MOST_ROWS = 50_000
PAGE = pickers.ROWS_PER_PAGE
NAMES = {
    "movement_id": "Movement", "occurred_at": "Happened (UTC)", "recorded_at": "Booked (UTC)", "day": "Day",
    "sku": "SKU", "product_name": "Product", "warehouse_code": "Warehouse", "type": "Type",
    "reason_label": "Reason", "change": "Change", "stock_before": "Before", "stock_after": "After",
    "unit_price": "Unit price", "total": "Total", "reason": "Note", "reference_type": "Reference type",
    "reference_id": "Reference", "customer": "Customer", "person": "Booked by", "reverses_id": "Reverses",
    "reversed_by_id": "Reversed by",
}  # fmt: skip


def page_of(filters: dict) -> tuple[pd.DataFrame, bool, bool]:
    """The page that the address asks for, and whether there are newer and older ones."""
    before, after = pickers.number_in_address("before"), pickers.number_in_address("after")
    if after is not None:
        found = looks.movements(**filters, after_id=after, limit=PAGE + 1)
        has_newer, found = len(found) > PAGE, found.tail(PAGE)
        return found.reset_index(drop=True), has_newer, True
    found = looks.movements(**filters, before_id=before, limit=PAGE + 1)
    return found.head(PAGE), before is not None, len(found) > PAGE


def turn(word: str, movement_id: int) -> None:
    pickers.restart()
    pickers.remember(word, movement_id)


def draw_turning(found: pd.DataFrame, has_newer: bool, has_older: bool) -> None:
    if not has_newer and not has_older:
        return
    with st.container(horizontal=True):
        st.button(
            "Newer", key="newer", icon=":material/chevron_left:", disabled=not has_newer, on_click=turn,
            args=("after", int(found.movement_id.iloc[0])),
        )  # fmt: skip
        st.button(
            "Older", key="older", icon=":material/chevron_right:", icon_position="right",
            disabled=not has_older, on_click=turn, args=("before", int(found.movement_id.iloc[-1])),
        )  # fmt: skip


def for_download() -> pd.DataFrame:
    found = looks.movements(**filters, limit=MOST_ROWS)[list(NAMES)]
    for name in ("occurred_at", "recorded_at"):
        found[name] = [at.strftime("%Y-%m-%d %H:%M:%S") for at in found[name]]
    return found.rename(columns=NAMES)


def nothing() -> None:
    if st.query_params.to_dict():
        ui.empty(
            "No movement fits these filters.",
            "Take one away, or choose a longer period.",
            button="Clear the filters",
            on_click=st.query_params.clear,
        )
    else:
        ui.empty(
            "Nothing has moved yet.",
            "Every receipt, sale, count and correction will be listed here.",
            button="Open the products",
            page="views/products.py",
        )


person = signin.require()
today = looks.today()
ui.title("Movements", "The ledger: every change of stock, who booked it and why. Entries are never changed.")
with st.container(key="filters"):
    row = iter(st.columns([2, 1, 1, 1, 1, 1] if pickers.has_choice_of_warehouse() else [2, 1, 1, 1, 1]))
    with next(row):
        text = pickers.words("Search", "q", "Product, reference, note")
    with next(row):
        since = pickers.period(today)
    with next(row):
        kind = pickers.choice("Type", "type", ledger.KIND, "All types")
    with next(row):
        reason = pickers.choice("Reason", "reason", looks.reasons(), "All reasons")
    with next(row):
        booked_by = pickers.person()
    with next(row, st.container()):
        place = pickers.warehouse()
filters = {
    "text_like": text,
    "since": since,
    "warehouse_id": place.id if place else None,
    "kind": kind,
    "reason_code": reason,
    "person_id": booked_by,
}
found, has_newer, has_older = page_of(filters)
if len(found):
    first, last = found.movement_id.iloc[0], found.movement_id.iloc[-1]
    with ui.heading(f":gray[Movements {last} to {first}]"):
        ui.download(
            "Download",
            for_download,
            f"runout-movements-{today:%Y-%m-%d}.csv",
            key="download",
            help_=f"The newest {ui.formats().number(MOST_ROWS)} of them at most.",
        )
    ledger.table(found, person, key=f"movements_{first}", with_product=True)
    draw_turning(found, has_newer, has_older)
    ui.freshness_line(today)
else:
    nothing()
