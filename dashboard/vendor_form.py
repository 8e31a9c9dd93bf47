"""The form of a vendor: contacts and terms as they are typed, and what saving them did."""

import calendar
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import vendor_fields, vendors
from core.posting import plain
from dashboard import editing, looks, pickers, ui, vendor_words
from dashboard.editing import Answer

NEW = "new"
TEXTS = {
    "name": "Name", "contact_name": "Contact", "email": "E-mail", "phone": "Phone", "address": "Address",
    "note": "Note",
}  # fmt: skip
NUMBERS = {
    "exchange_rate": "Exchange rate", "lead_time_days": "Lead time", "order_minimum": "Order minimum",
    "free_freight_from": "Free freight from", "freight_cost": "Freight", "order_cost": "Cost of an order",
}  # fmt: skip
LABELS = TEXTS | {"currency": "Currency"} | NUMBERS | {"order_weekdays": "Order days"}
HELP = {
    "exchange_rate": "What one unit of its currency costs in yours.",
    "lead_time_days": "What it quotes from order to arrival, where an offer says nothing else.",
    "order_minimum": "It takes no order below this value.",
    "free_freight_from": "From this value on an order travels for nothing.",
    "freight_cost": "What an order below that pays for freight.",
    "order_cost": "What placing and receiving one order costs you: people's time, the bank's fee.",
    "order_weekdays": "The days on which it takes orders; none means any day.",
}
OFTEN = ("EUR", "USD", "GBP", "CHF", "CNY", "PLN", "SEK", "DKK")


def draw(mine: dict[str, Any], vendor: Any | None) -> None:
    """The fields; they hold what is kept, or nothing for a new vendor."""
    form = mine["form"]

    def kept(name: str) -> Any:
        return getattr(vendor, name) if vendor else None

    with st.container(border=True, key="vendor-form"):
        st.text_input("Name", kept("name") or "", key=f"name_{form}")
        for column, name in zip(st.columns(3), ("contact_name", "email", "phone"), strict=True):
            column.text_input(TEXTS[name], kept(name) or "", key=f"{name}_{form}", placeholder="none")
        left, right = st.columns(2)
        left.text_area("Address", kept("address") or "", key=f"address_{form}", height=80)
        right.text_area("Note", kept("note") or "", key=f"note_{form}", height=80)
        _draw_terms(form, vendor)
        with st.container(horizontal=True):
            st.button(
                "Save" if vendor else "Add vendor", type="primary", key="save_vendor", on_click=_save,
                args=(mine, vendor),
            )  # fmt: skip
            st.button("Close", key="close_vendor", on_click=close)
    editing.draw_answer(mine, key="vendor")


def _draw_terms(form: str, vendor: Any | None) -> None:
    own = looks.the_shop().currency
    currency = vendor.currency if vendor else own
    with st.grid(3, min_column_width=190, gap="small"):
        known = list(dict.fromkeys((own, currency, *OFTEN)))
        st.selectbox(
            "Currency", known, index=known.index(currency), key=f"currency_{form}", accept_new_options=True
        )
        for name, label in NUMBERS.items():
            kept = getattr(vendor, name) if vendor else None
            unit = {"lead_time_days": "days", "exchange_rate": own}.get(name, "its currency")
            editing.number_field(
                f"{label} ({unit})", kept, key=f"{name}_{form}", help_=HELP[name],
                placeholder="1" if name == "exchange_rate" else "not set",
            )  # fmt: skip
        st.multiselect(
            "Order days", list(vendor_fields.WEEKDAYS), (vendor.order_weekdays or []) if vendor else [],
            format_func=lambda day: calendar.day_abbr[day - 1], key=f"order_weekdays_{form}",
            help=HELP["order_weekdays"], placeholder="any day",
        )  # fmt: skip


def close() -> None:
    """Back to where the form came from."""
    if st.query_params.get("id") == NEW:
        st.query_params.pop("id")
    st.query_params.pop("edit", None)


def _typed(mine: dict[str, Any]) -> dict[str, Any]:
    said = {name: st.session_state.get(f"{name}_{mine['form']}") for name in LABELS}
    return said | {name: editing.number(said[name]) for name in NUMBERS}


def _save(mine: dict[str, Any], vendor: Any | None) -> None:
    """Add the vendor of the form, or keep what is another than before."""
    said = _typed(mine)
    if vendor is None:
        made: list[str] = []

        def work(session: Session, person: Actor) -> Answer:
            editing.needed(said["name"], "Name")
            about = {name: value for name, value in said.items() if value not in (None, "", [])}
            made[:] = [str(vendors.create(session, person, **about).uid)]
            return Answer(f"**{ui.safe_md(said['name'])}** is there. Add what it offers below.")

        answer = editing.write(mine, work)
        if answer is not None:
            editing.desk(f"vendor {made[0]}")["answer"] = mine.pop("answer")
            editing.renew(mine)
            pickers.remember("id", made[0])
        return
    news = {name: value for name, value in said.items() if not _is_same(value, getattr(vendor, name))}
    olds = {name: getattr(vendor, name) for name in news}
    back = partial(_change, vendor_id=vendor.id, fields=olds, word="Undone")
    work = partial(_change, vendor_id=vendor.id, fields=news, word="Saved", undo=back)
    if editing.write(mine, work) is not None:
        editing.renew(mine)
        st.query_params.pop("edit", None)


def _is_same(value: Any, kept: Any) -> bool:
    if isinstance(kept, Decimal | int) and value is not None:
        return Decimal(value) == kept
    return (value or None) == (kept or None)


def _change(
    session: Session, person: Actor, *, vendor_id: int, fields: dict[str, Any], word: str,
    undo: editing.Work | None = None,
) -> Answer:  # fmt: skip
    if not fields:
        return Answer("Nothing was changed.")
    before = vendors.locked(session, vendor_id)
    olds = {name: getattr(before, name) for name in fields}
    after = vendors.change(session, person, vendor_id, **fields)
    told = [
        editing.changed(LABELS[name], _shown(name, olds[name]), _shown(name, getattr(after, name)))
        for name in fields
    ]
    return Answer(f"{word}: {', '.join(told)}", undo)


def _shown(name: str, value: Any) -> str:
    if name == "order_weekdays":
        return vendor_words.weekdays(value)
    if value is None:
        return "not set"
    return plain(value) if isinstance(value, Decimal) else str(value)[:60]
