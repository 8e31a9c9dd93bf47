"""When a vendor is closed, and the end of buying from it: each asked about first, each with a way back."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import vendor_shutdowns, vendors
from core.buying.vendors import Closing
from dashboard import editing, looks, ui
from dashboard.editing import Answer
from dashboard.retiring import Retiring
from db.session import reading

USUAL_DAYS = 7  # how long a new shutdown lasts unless said


def draw_shutdowns(vendor: Any, shutdowns: tuple, today: date, *, may_buy: bool) -> None:
    """The days on which it takes no orders, and the form of new ones."""
    mine, write = editing.desk(f"shutdowns {vendor.uid}"), ui.formats()
    with ui.heading("Closed"):
        if may_buy and mine.get("open") != "new":
            st.button(
                "Add closed days", icon=":material/add:", key="add_shutdown", on_click=_open, args=(mine,)
            )
    if not shutdowns:
        st.markdown(":gray[No closed days are known.]")
    for row in shutdowns:
        words = write.day_from(row.starts_on, today)
        if row.ends_on != row.starts_on:
            words += f" to {write.weekday(row.ends_on)}"
        with st.container(horizontal=True, vertical_alignment="center", key=f"shutdown-{row.uid}"):
            note = f" &nbsp; :gray[{ui.safe_md(row.note)}]" if row.note else ""
            st.markdown(f"**{ui.safe_md(words)}**{note}")
            if may_buy:
                work = partial(
                    _remove, uid=row.uid, vendor_id=vendor.id, starts_on=row.starts_on, ends_on=row.ends_on,
                    note=row.note,
                )  # fmt: skip
                st.button(
                    "Remove", key=f"remove-{row.uid}", icon=":material/close:", on_click=editing.write,
                    args=(mine, work),
                )  # fmt: skip
    if may_buy and mine.get("open") == "new":
        _draw_form(mine, vendor, today)
    editing.draw_answer(mine, key="shutdown")


def _open(mine: dict[str, Any]) -> None:
    editing.renew(mine)
    mine["open"] = "new"


def _close(mine: dict[str, Any]) -> None:
    mine.pop("open", None)
    mine.pop("refused", None)


def _draw_form(mine: dict[str, Any], vendor: Any, today: date) -> None:
    form, last = mine["form"], today + vendor_shutdowns.FURTHEST
    left, middle, right = st.columns([1, 1, 2])
    days = {"min_value": today - timedelta(days=vendor_shutdowns.MOST_DAYS), "max_value": last}
    left.date_input("First day", today, key=f"closed_from_{form}", format="YYYY-MM-DD", **days)
    middle.date_input(
        "Last day",
        today + timedelta(days=USUAL_DAYS),
        key=f"closed_until_{form}",
        format="YYYY-MM-DD",
        **days,
    )
    right.text_input("Note", key=f"closed_note_{form}", placeholder="Holidays, stocktaking ...")
    with st.container(horizontal=True):
        st.button("Add", type="primary", key="save_shutdown", on_click=_save, args=(mine, vendor.id))
        st.button("Close", key="close_shutdown", on_click=_close, args=(mine,))


def _save(mine: dict[str, Any], vendor_id: int) -> None:
    form = mine["form"]
    said = {
        "starts_on": st.session_state.get(f"closed_from_{form}"),
        "ends_on": st.session_state.get(f"closed_until_{form}"),
        "note": st.session_state.get(f"closed_note_{form}") or None,
    }
    if editing.write(mine, partial(_add, vendor_id=vendor_id, **said)) is not None:
        mine.pop("open", None)


def _add(
    session: Session, person: Actor, *, vendor_id: int, starts_on: Any, ends_on: Any, note: str | None
) -> Answer:
    editing.needed(starts_on, "First day")
    editing.needed(ends_on, "Last day")
    today = looks.today()
    row = vendor_shutdowns.add(
        session, person, vendor_id, starts_on=starts_on, ends_on=ends_on, note=note, today=today
    )
    about = {"vendor_id": vendor_id, "starts_on": row.starts_on, "ends_on": row.ends_on, "note": row.note}
    words = ui.safe_md(ui.formats().span(row.starts_on, row.ends_on, today))
    return Answer(
        f"Closed **{words}**: orders wait for the day after.", partial(_remove, uid=row.uid, **about)
    )


def _remove(session: Session, person: Actor, *, uid: Any, **about: Any) -> Answer:
    vendor_shutdowns.remove(session, person, uid)
    words = ui.safe_md(ui.formats().span(about["starts_on"], about["ends_on"], looks.today()))
    return Answer(f"Open **{words}**.", partial(_add, **about))


# -- The end -------------------------------------------------------------------------------------------------


def of_vendor(vendor: Any, today: date) -> Retiring:
    """Buying from a vendor no more: its prices and orders stay to be read."""
    with reading() as session:
        closing = vendors.closing(session, vendor.id, today)
    about = {"vendor_id": vendor.id, "name": vendor.name}
    return Retiring(
        vendor.name,
        vendor.is_active,
        _question(closing),
        partial(_deactivate, **about),
        partial(_reactivate, **about),
        partial(_delete, **about),
        "vendor gone",
    )


def _question(closing: Closing) -> str:
    write = ui.formats()
    if closing.open_orders:
        numbers = ui.safe_md(", ".join(closing.open_orders[: vendors.MOST_NAMED]))
        return f"Its orders are open: {numbers}. Receive or cancel them first."
    told = "Its offers count no more. Prices and orders stay, and you can reactivate it."
    for number, words in (
        (closing.preferred_by, "bought from it by choice"), (closing.only_vendor_of, "offered by nobody else")
    ):  # fmt: skip
        if number:
            noun = "product is" if number == 1 else "products are"
            told += f"  \n**{write.number(number)} {noun} {words}.**"
    return told


def _deactivate(session: Session, person: Actor, *, vendor_id: int, name: str) -> Answer:
    vendors.deactivate(session, person, vendor_id)
    back = partial(_reactivate, vendor_id=vendor_id, name=name)
    return Answer(f"You buy from **{ui.safe_md(name)}** no more.", back)


def _reactivate(session: Session, person: Actor, *, vendor_id: int, name: str) -> Answer:
    vendors.reactivate(session, person, vendor_id)
    back = partial(_deactivate, vendor_id=vendor_id, name=name)
    return Answer(f"You buy from **{ui.safe_md(name)}** again; its offers count as they stood.", back)


def _delete(session: Session, person: Actor, *, vendor_id: int, name: str) -> Answer:
    if vendors.delete(session, person, vendor_id) == "erased":
        return Answer(f"**{ui.safe_md(name)}** is erased.")
    back = partial(_reactivate, vendor_id=vendor_id, name=name)
    return Answer(f"**{ui.safe_md(name)}** has prices or orders, so it was deactivated.", back)
