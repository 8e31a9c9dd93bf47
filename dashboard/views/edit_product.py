"""The form of one product: its fields, barcodes and thresholds, and the end of its life."""

import streamlit as st

from core import auth, products, thresholds
from core.errors import RunoutError
from core.products import Detail
from dashboard import editing, product_codes, product_form, retiring, signin, ui
from db.session import reading


def draw_new() -> None:
    ui.title("Add product", "SKU and name are enough to begin with; the rest can follow.")
    mine = editing.desk("product new")
    product_form.draw_fields(mine, None)
    product_form.draw_first_stock(mine)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Add product", type="primary", key="create", on_click=product_form.create, args=(mine,))
        st.page_link("views/products.py", label="All products", icon=":material/arrow_back:")
    editing.draw_answer(mine, key="product")


def draw(detail: Detail, low: dict) -> None:
    product = detail.product
    with ui.title_line(f"Edit {ui.safe_md(product.name)}"):
        st.page_link(
            "views/product.py", label="Open the product", icon=":material/package_2:",
            query_params={"id": str(product.uid)},
        )  # fmt: skip
    if not product.is_active:
        st.markdown(":gray-badge[Not sold any more]")
    mine = editing.desk(f"product {product.uid}")
    product_form.draw_fields(mine, product)
    product_form.draw_thresholds(mine, detail, low)
    st.button(
        "Save", type="primary", key="save", on_click=product_form.save,
        args=(mine, product, low, [level.warehouse_id for level in detail.levels]),
    )  # fmt: skip
    editing.draw_answer(mine, key="product")
    product_codes.draw(detail)
    st.subheader("Take it off the lists" if product.is_active else "Sell it again", anchor=False)
    retiring.draw(editing.desk(f"retiring {product.uid}"), retiring.of_product(product), person)


person = signin.require()
auth.must(person, "edit catalogue")
gone = editing.desk("product gone")
if "id" not in st.query_params:
    if "answer" in gone:
        editing.draw_answer(gone, key="gone")
    draw_new()
else:
    gone.pop("answer", None)
    try:
        with reading() as session:
            found = products.by_uid(session, st.query_params["id"])
            low = thresholds.of_product(session, found.product.id)
    except RunoutError as refusal:
        ui.title("Edit product")
        ui.refused(refusal.sentence)
        st.page_link("views/products.py", label="See all products", icon=":material/arrow_forward:")
    else:
        draw(found, low)
