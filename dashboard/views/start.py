"""An empty shop: three steps from nothing to the first run-out dates, each ticked when it is done."""

from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from core import auth, warehouses
from core.auth import Actor
from core.errors import RunoutError
from dashboard import looks, signin, ui, waiting
from db.session import transact


def is_needed(fresh: dict[str, Any]) -> bool:
    """Whether there is nothing to show yet: no products, no movements, or no forecast of any."""
    return not fresh["products"] or not fresh["has_movements"] or fresh["trained_at"] is None


def show(fresh: dict[str, Any], person: Actor) -> None:
    """The steps for whoever may take them; for the others what is missing."""
    if not (auth.may(person, "import") and auth.may(person, "edit catalogue")):
        _wait(fresh)
        return
    has_place, has_stock = bool(looks.places()), bool(fresh["products"] and fresh["has_movements"])
    st.markdown("Three steps to your first run-out dates.")
    with st.container(border=True, key="step-1"):
        _head(1, "A warehouse", is_done=has_place)
        if has_place:
            st.markdown(f":gray[{ui.safe_md(', '.join(place.name for place in looks.places()))}]")
        else:
            _warehouse_form()
    with st.container(border=True, key="step-2"):
        _head(2, "Products and stock", is_done=has_stock)
        _stock(fresh, has_place=has_place, has_stock=has_stock)
    with st.container(border=True, key="step-3"):
        _head(3, "First run-out dates", is_done=False)
        if has_stock:
            waiting.train(
                "A product needs 30 days of history and two days with sales. Past sales bring that along; "
                "with opening stock alone, dates come when it has sold for 30 days.",
                key="train",
                about="start",
            )
        else:
            st.markdown(":gray[With past sales at once; with opening stock alone after 30 days of sales.]")


def _wait(fresh: dict[str, Any]) -> None:
    if not fresh["products"]:
        ui.empty("This shop has no products yet.", "A manager can bring in products and sales.")
    elif not fresh["has_movements"]:
        ui.empty(
            "Nothing has moved yet, so there is nothing to forecast.",
            "A manager can bring in stock or past sales; single bookings are made on a product's page.",
            button="Open the products",
            page="views/products.py",
        )
    else:
        ui.empty(
            "No forecast has been trained yet.",
            "A manager can train now; otherwise it happens at night.",
            button="Open the products",
            page="views/products.py",
        )


def _head(number: int, words: str, *, is_done: bool) -> None:
    mark = ":green[:material/check_circle:]" if is_done else f":gray[{number}]"
    st.markdown(f"{mark} &nbsp; **{words}**{' :gray[done]' if is_done else ''}")


# -- The warehouse -------------------------------------------------------------------------------------------


def _warehouse_form() -> None:
    zones = sorted(available_timezones())
    here = next((zone for zone in (st.context.timezone, looks.the_shop().time_zone) if zone in zones), "UTC")
    with st.form("first_warehouse", border=False), st.grid(3, min_column_width=200):
        st.text_input("Code", value="MAIN", max_chars=warehouses.CODE_CHARACTERS, key="first_code",
                      help="Short, as it stands in files and lists.")  # fmt: skip
        st.text_input("Name", value="Main warehouse", max_chars=warehouses.NAME_CHARACTERS, key="first_name")
        st.selectbox("Time zone", zones, index=zones.index(here), key="first_zone",
                     help="Its days begin and end here.")  # fmt: skip
        st.form_submit_button("Create the warehouse", on_click=_create_warehouse)
    if refused := _mine().get("refused"):
        ui.refused(refused)


def _mine() -> dict[str, Any]:
    return st.session_state.setdefault("start", {})


def _create_warehouse() -> None:
    mine, typed = _mine(), st.session_state
    fields = {"code": typed["first_code"], "name": typed["first_name"], "time_zone": typed["first_zone"]}
    mine.pop("refused", None)
    try:
        person = signin.require()
        transact(lambda session: warehouses.create(session, person, **fields).id)
    except RunoutError as refusal:
        mine["refused"] = refusal.sentence
    except Exception as error:
        mine["refused"] = ui.trouble(error)
    looks.places.clear()


# -- Products and stock --------------------------------------------------------------------------------------


def _stock(fresh: dict[str, Any], *, has_place: bool, has_stock: bool) -> None:
    write = ui.formats()
    if has_stock:
        noun = "product" if fresh["products"] == 1 else "products"
        st.markdown(f":gray[{write.number(fresh['products'])} {noun} in, and stock has moved.]")
    elif fresh["products"]:
        noun = "product is" if fresh["products"] == 1 else "products are"
        st.markdown(f"{write.number(fresh['products'])} {noun} in. What lies on the shelves is missing.")
    if not has_place:
        st.markdown(":gray[After the warehouse.]")
        return
    if not fresh["products"]:
        st.markdown("Past sales are the shortest way: products, stock and forecasts are made from them.")
    with st.container(horizontal=True):
        if not has_stock:
            _link("Bring in past sales", "sales", "upload_file")
            _link("Bring in opening stock", "stock", "inventory")
        if not fresh["products"]:
            _link("Bring in a product list", "products", "list")
            st.page_link("views/edit_product.py", label="Add a product by hand", icon=":material/add:")
        elif not has_stock:
            st.page_link("views/products.py", label="Open the products", icon=":material/inventory_2:")


def _link(label: str, kind: str, icon: str) -> None:
    st.page_link("views/imports.py", label=label, icon=f":material/{icon}:", query_params={"kind": kind})
