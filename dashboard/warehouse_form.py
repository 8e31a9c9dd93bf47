"""The form of a warehouse: its fields as they are typed, and what saving them did."""

from functools import partial
from typing import Any
from zoneinfo import available_timezones

import streamlit as st
from sqlalchemy.orm import Session

from core import warehouses
from core.auth import Actor
from core.buying import supply
from dashboard import editing, looks, pickers, ui
from dashboard.editing import Answer
from db.session import reading

LABELS = {"code": "Code", "name": "Name", "location": "Location", "time_zone": "Time zone"}
NEW = "new"


def draw(mine: dict[str, Any], place: Any | None) -> None:
    """The fields; they hold what is kept, or nothing for a new warehouse."""
    form, zones = mine["form"], sorted(available_timezones())
    kept = place.time_zone if place else looks.the_shop().time_zone
    code, name, location, zone = st.columns([1, 1.6, 1.6, 1.4])
    code.text_input("Code", value=place.code if place else "", key=f"code_{form}", placeholder="WH-B")
    name.text_input("Name", value=place.name if place else "", key=f"name_{form}")
    location.text_input(
        "Location", value=(place.location or "") if place else "", key=f"location_{form}",
        placeholder="none",
    )  # fmt: skip
    zone.selectbox(
        "Time zone", zones, index=zones.index(kept) if kept in zones else None, key=f"time_zone_{form}",
        help="Decides which day a movement belongs to; it stays once something moved there.",
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Save" if place else "Add warehouse", type="primary", key="save_warehouse", on_click=_save,
            args=(mine, place),
        )  # fmt: skip
        if place is not None and place.is_active and not place.is_default:
            work = partial(_make_default, warehouse_id=place.id)
            st.button("Make it the default", key="default", on_click=editing.write, args=(mine, work))
        st.button("Close", key="close_warehouse", on_click=_close)
    if place is not None and place.is_active:
        _draw_supplier(mine, place)
    editing.draw_answer(mine, key="warehouse")


def _draw_supplier(mine: dict[str, Any], place: Any) -> None:
    """From where it gets its stock: saved when it is chosen."""
    with reading() as session:
        others = [one for one in warehouses.listing(session) if one.id != place.id]
    codes = {None: "Vendors"} | {one.id: f"{one.code} · {one.name}" for one in others}
    if len(codes) == 1:
        return
    key = f"supplier_{mine['form']}_{place.supplied_by_id}"
    known = list(codes)
    st.selectbox(
        "Gets its stock from", known, format_func=codes.__getitem__, key=key, width=320,
        index=known.index(place.supplied_by_id) if place.supplied_by_id in codes else 0,
        help="Advice orders for both together, to be delivered there, and moves what is needed here.",
        on_change=_supply, args=(mine, place, key),
    )  # fmt: skip


def _supply(mine: dict[str, Any], place: Any, key: str) -> None:
    work = partial(_change_supplier, warehouse_id=place.id, supplier_id=st.session_state[key])
    editing.write(mine, work)


def _change_supplier(
    session: Session, person: Actor, *, warehouse_id: int, supplier_id: int | None
) -> Answer:
    listed = {one.id: one for one in warehouses.listing(session, only_active=False)}
    before = listed[warehouse_id].supplied_by_id if warehouse_id in listed else None
    place = supply.change(session, person, warehouse_id, supplier_id)

    def named(number: int | None) -> str:
        return listed[number].code if number in listed else "vendors"

    back = partial(_change_supplier, warehouse_id=warehouse_id, supplier_id=before)
    told = editing.changed("Stock comes from", named(before), named(place.supplied_by_id))
    return Answer(told, back)


def _close() -> None:
    st.query_params.pop("id", None)


def _save(mine: dict[str, Any], place: Any | None) -> None:
    """Add the warehouse of the form, or keep what is another than before."""
    said = {name: st.session_state.get(f"{name}_{mine['form']}") or "" for name in LABELS}
    if place is None:
        answer = editing.write(mine, partial(_create, said=said))
        if answer is not None:
            editing.desk("warehouse gone")["answer"] = mine.pop("answer")
            pickers.remember("id", None)
    else:
        news = {name: value for name, value in said.items() if value != (getattr(place, name) or "")}
        answer = editing.write(mine, partial(_change, warehouse_id=place.id, fields=news))
    if answer is not None:
        editing.renew(mine)


def _create(session: Session, person: Actor, *, said: dict[str, str]) -> Answer:
    place = warehouses.create(session, person, **said)
    is_default = ", the default" if place.is_default else ""
    return Answer(f"Warehouse **{ui.safe_md(place.code)}** is there{is_default}.")


def _change(session: Session, person: Actor, *, warehouse_id: int, fields: dict[str, Any]) -> Answer:
    if not fields:
        return Answer("Nothing was changed.")
    found = next(one for one in warehouses.listing(session, only_active=False) if one.id == warehouse_id)
    before = {name: getattr(found, name) for name in fields}
    place = warehouses.change(session, person, warehouse_id, **fields)
    told = [
        editing.changed(LABELS[name], before[name] or "none", getattr(place, name) or "none")
        for name in fields
    ]
    return Answer(", ".join(told), partial(_change, warehouse_id=warehouse_id, fields=before))


def _make_default(session: Session, person: Actor, *, warehouse_id: int) -> Answer:
    before = warehouses.default(session)
    place = warehouses.make_default(session, person, warehouse_id)
    return Answer(
        editing.changed("Default", before.code, place.code), partial(_make_default, warehouse_id=before.id)
    )
