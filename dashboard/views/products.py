"""All products: what is on hand, how long it lasts, when it runs out."""

import streamlit as st

from core import auth
from dashboard import looks, pickers, signin, tables, ui
from dashboard.views import start

COLUMNS = ("Product", "Runs out", "Status", "On hand", "Cover", "90 days", "Value", "SKU", "Category")


def nothing() -> None:
    if any(word in st.query_params for word in ("q", "category", "status", "warehouse")):
        ui.empty(
            "No product fits these filters.",
            "Take one away, or search for part of a name or SKU.",
            button="Clear the filters",
            on_click=st.query_params.clear,
        )
    else:
        start.show(looks.freshness(today), person)


person = signin.require()
today = looks.today()
with ui.title_line(
    "Products", "Every active product with its stock, its expected run-out and 90 days of demand."
):
    if auth.may(person, "edit catalogue"):
        st.page_link("views/edit_product.py", label="Add product", icon=":material/add:")
with st.container(key="filters"):
    row = iter(st.columns([2.2, 1, 1, 1] if pickers.has_choice_of_warehouse() else [2.2, 1, 1]))
    with next(row):
        text = pickers.words("Search", "q", "Name, SKU or barcode")
    with next(row):
        status = pickers.status()
    with next(row):
        category = pickers.category()
    with next(row, st.container()):
        place = pickers.warehouse()
filters = {
    "text": text,
    "status": status,
    "category": category,
    "warehouse_id": place.id if place else None,
    "with_sparklines": True,
}
found, total = tables.look(today, **filters)
if total:
    with ui.heading(f"{ui.formats().number(total)} :gray[{'product' if total == 1 else 'products'}]"):
        tables.download(filters, f"runout-products-{today:%Y-%m-%d}.csv", key="download")
    tables.draw(found, COLUMNS, today, key="products")
    pickers.page_links(total)
    ui.freshness_line(today)
else:
    nothing()
