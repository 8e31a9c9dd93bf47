"""Where a product runs out: one row for each of its warehouses."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import streamlit as st

from core import predictions
from dashboard import tables, ui
from dashboard.looks import ProductPage
from db.session import reading


def draw(page: ProductPage, today: date) -> None:
    """A small table; nothing where the product lies in one warehouse only: the page has said it already."""
    codes = {level.warehouse_id: level.code for level in page.detail.levels}
    if len(codes) < 2 or not page.detail.product.is_active:
        return
    with reading() as session:
        rows = predictions.by_warehouse(session, page.detail.product.id, today)
    write = ui.formats()
    shown = [row for row in rows if row["warehouse_id"] in codes]
    if len(shown) < 2:
        return
    frame = pd.DataFrame(
        {
            "Warehouse": [codes[row["warehouse_id"]] for row in shown],
            "On hand": [write.quantity(row["on_hand"]) for row in shown],
            "Runs out": [tables.run_out(SimpleNamespace(**row), today) for row in shown],
            "Late": [write.share(row["chance_before_replenishment"]) for row in shown],
        }
    )
    st.subheader("By warehouse", anchor=False)
    columns = {
        "Warehouse": st.column_config.TextColumn("Warehouse", width=96),
        "On hand": st.column_config.TextColumn("On hand", width=76, alignment="right"),
        "Runs out": st.column_config.TextColumn("Runs out", width=106),
        "Late": st.column_config.TextColumn(
            "Late", width=76, alignment="right",
            help="The chance that it runs out there before an order placed today arrives.",
        ),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, height="content", column_config=columns, key="places")
