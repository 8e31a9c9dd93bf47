"""What happened to the stock: the ledger, filtered, newest first."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import leafing, ledger, looks, pickers, saving, signin, ui

MOST_ROWS = 50_000
NAMES = {
    "movement_id": "Movement", "occurred_at": "Happened (UTC)", "recorded_at": "Booked (UTC)", "day": "Day",
    "sku": "SKU", "product_name": "Product", "warehouse_code": "Warehouse", "type": "Type",
    "reason_label": "Reason", "change": "Change", "stock_before": "Before", "stock_after": "After",
    "unit_price": "Unit price", "total": "Total", "reason": "Note", "reference_type": "Reference type",
    "reference_id": "Reference", "customer": "Customer", "person": "Booked by", "reverses_id": "Reverses",
    "reversed_by_id": "Reversed by",
}  # fmt: skip


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
        booked_by = pickers.booked_by()
    with next(row, st.container()):
        place = pickers.warehouse()
filters = {
    "text_like": text,
    "since": since,
    "warehouse_id": place.id if place else None,
    "kind": kind,
    "reason_code": reason,
    **booked_by,
}
found, has_newer, has_older = leafing.page(partial(looks.movements, **filters))
if len(found):
    first, last = found.movement_id.iloc[0], found.movement_id.iloc[-1]
    with ui.heading(f":gray[Movements {last} to {first}]"):
        saving.table(
            "Download",
            for_download,
            f"runout-movements-{today:%Y-%m-%d}.csv",
            key="download",
            help_=f"The newest {ui.formats().number(MOST_ROWS)} of them at most.",
        )
    ledger.table(found, person, key=f"movements_{first}", with_product=True)
    leafing.draw(int(found.movement_id.iloc[0]), int(found.movement_id.iloc[-1]), has_newer, has_older)
    ui.freshness_line(today)
else:
    nothing()
