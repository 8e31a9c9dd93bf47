"""Places stock can lie: what lies where, and the form of each."""

import pandas as pd
import streamlit as st

from core import auth, warehouses
from core.errors import RunoutError
from dashboard import editing, grid, pickers, retiring, signin, ui, warehouse_form
from db.session import reading

NARROW = {"Warehouse": 160, "Value": 96, "State": 90}


def state(place) -> str:
    if not place.is_active:
        return "Not in use"
    return "Default" if place.is_default else "In use"


def draw_list(places: list, figures: dict) -> None:
    """All warehouses with what lies there; a click opens the form of one."""
    write = ui.formats()
    lying = [figures.get(place.id, warehouses.NOTHING) for place in places]
    frame = pd.DataFrame(
        {
            "Warehouse": [
                f"{place.code} · {place.name}" if place.name != place.code else place.code for place in places
            ],
            "Location": [place.location or "" for place in places],
            "Products": [write.number(one.products) for one in lying],
            "Units": [write.quantity(one.units) for one in lying],
            "Value": [write.money(one.value) for one in lying],
            "Time zone": [place.time_zone for place in places],
            "State": [state(place) for place in places],
        }
    )
    # A new name after each click takes back the mark, or the click would count at every run.
    turn = st.session_state.setdefault("warehouses_turn", 0)
    grey = [not place.is_active for place in places]
    row, _ = grid.draw(frame, NARROW, config(), key=f"warehouses_{turn}", grey=grey)
    if row is not None:
        st.session_state["warehouses_turn"] = turn + 1
        pickers.remember("id", places[row].uid)
        st.rerun()


def config() -> dict:
    def text(name: str, width: int, alignment: str = "left", help_: str | None = None):
        return st.column_config.TextColumn(name, width=width, alignment=alignment, help=help_)

    return {
        "Warehouse": text("Warehouse", 240),
        "Location": text("Location", 200),
        "Products": text("Products", 90, "right", "Products of which something lies there."),
        "Units": text("Units", 100, "right", "All quantities together, each in its own unit."),
        "Value": text("Value", 110, "right", "What lies there at its cost, or at its price without one."),
        "Time zone": text("Time zone", 150),
        "State": text("State", 100),
    }


def draw_form(place, key: str) -> None:
    st.subheader(f"Warehouse {ui.safe_md(place.code)}" if place else "New warehouse", anchor=False)
    warehouse_form.draw(editing.desk(f"warehouse {key}"), place)
    if place is not None:
        st.page_link(
            "views/labels.py", label="Label", icon=":material/label:",
            query_params={"what": "places", "warehouse": str(place.uid)},
        )  # fmt: skip
        retiring.draw(editing.desk(f"retiring {key}"), retiring.of_warehouse(place), person)


def open_new() -> None:
    editing.desk("warehouse gone").pop("answer", None)
    st.query_params["id"] = warehouse_form.NEW


person = signin.require()
auth.must(person, "edit catalogue")
with reading() as session:
    listed, lies = warehouses.listing(session, only_active=False), warehouses.figures(session)
with ui.title_line("Warehouses", "Places stock can lie. The default is meant wherever none is named."):
    st.button("Add warehouse", icon=":material/add:", key="add_warehouse", on_click=open_new)
if listed:
    draw_list(listed, lies)
elif "id" not in st.query_params:
    ui.empty("There is no warehouse yet.", "The first one becomes the default.",
             button="Add warehouse", on_click=open_new)  # fmt: skip
editing.draw_answer(editing.desk("warehouse gone"), key="gone")
wanted = st.query_params.get("id")
if wanted == warehouse_form.NEW:
    draw_form(None, warehouse_form.NEW)
elif wanted is not None:
    try:
        with reading() as session:
            chosen = warehouses.by_uid(session, wanted)
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
    else:
        draw_form(chosen, str(chosen.uid))
