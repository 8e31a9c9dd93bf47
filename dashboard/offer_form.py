"""The form of an offer: what a vendor asks for a product from a day on, entered, corrected, taken back."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import products
from core.auth import Actor
from core.buying import offer_fields, offer_rows, offers, vendors
from core.buying.offers import Offer
from dashboard import editing, looks, ui, vendor_words
from dashboard.editing import Answer

LEAST_STEPS = 3  # rows for prices that a new form shows
HELP = {
    "steps": "The unit price holds from this quantity on. One row is a price without steps.",
    "lead": "From order to arrival; empty is the vendor's usual one.",
    "minimum": "The least that is sold at once.",
    "multiple": "What is sold in packs: quantities are multiples of it.",
    "until": "The last day it is promised for; empty means until it is changed.",
}


def draw(
    mine: dict[str, Any],
    offer: Offer | None,
    *,
    currency: str,
    today: date,
    vendor_id: int | None = None,
    product_id: int | None = None,
    vendors_to_choose: Mapping[int, str] | None = None,
) -> None:
    """The fields; they hold what counts today (`offer`), or nothing.

    Without a product its SKU is asked for, without a vendor one of `vendors_to_choose`.
    """
    form = mine["form"]
    with st.container(border=True, key="offer-form"):
        if product_id is None:
            st.text_input("SKU", key=f"offer_sku_{form}", placeholder="As in your catalogue")
        if vendor_id is None:
            known = dict(vendors_to_choose or {})
            st.selectbox(
                "Vendor", list(known), format_func=known.get, index=None if len(known) != 1 else 0,
                key=f"offer_vendor_{form}", placeholder="choose one",
            )  # fmt: skip
        rows = _draw_steps(form, offer, currency)
        _draw_terms(form, offer, today)
        with st.container(horizontal=True):
            st.button(
                "Save new price" if offer else "Add offer", type="primary", key="save_offer",
                on_click=_save, args=(mine, rows, vendor_id, product_id),
            )  # fmt: skip
            st.button("Close", key="close_offer", on_click=_close, args=(mine,))
    editing.draw_answer(mine, key="offer")


def _draw_steps(form: str, offer: Offer | None, currency: str) -> int:
    kept = offer.steps if offer else ()
    rows = max(LEAST_STEPS, len(kept) + 1)
    price = f"Unit price ({currency})" if currency else "Unit price"
    with st.container(key="pairs-steps"):
        for row in range(rows):
            least, each = kept[row] if row < len(kept) else ((1, None) if not row else (None, None))
            left, right = st.columns(2)
            shown = "visible" if not row else "collapsed"
            with left:
                editing.number_field(
                    "From quantity", least, key=f"offer_from_{row}_{form}", placeholder="none",
                    help_=HELP["steps"] if not row else None, label_visibility=shown,
                )  # fmt: skip
            with right:
                editing.number_field(
                    price, each, key=f"offer_price_{row}_{form}", placeholder="none", label_visibility=shown
                )
    return rows


def _draw_terms(form: str, offer: Offer | None, today: date) -> None:
    def kept(name: str) -> Any:
        return getattr(offer, name) if offer else None

    with st.grid(4, min_column_width=150, gap="small"):
        editing.number_field("Lead time (days)", kept("lead_time_days"), key=f"offer_lead_{form}",
                             help_=HELP["lead"])  # fmt: skip
        editing.number_field("Minimum order quantity", kept("minimum_order_quantity"),
                             key=f"offer_minimum_{form}", help_=HELP["minimum"])  # fmt: skip
        editing.number_field("Order multiple", kept("order_multiple"), key=f"offer_multiple_{form}",
                             help_=HELP["multiple"])  # fmt: skip
        st.text_input("Vendor's SKU", kept("vendor_sku") or "", key=f"offer_their_sku_{form}",
                      placeholder="none")  # fmt: skip
        days = {"min_value": offer_fields.EARLIEST, "format": "YYYY-MM-DD"}
        st.date_input("Valid from", today, key=f"offer_from_day_{form}",
                      max_value=today + offer_fields.FURTHEST - timedelta(days=1), **days)  # fmt: skip
        st.date_input("Valid until", None, key=f"offer_until_day_{form}", help=HELP["until"], **days)


def open_form(mine: dict[str, Any], what: str) -> None:
    editing.renew(mine)
    mine["open"] = what
    mine.pop("answer", None)
    mine.pop("refused", None)


def _close(mine: dict[str, Any]) -> None:
    mine.pop("open", None)
    mine.pop("refused", None)


def typed(form: str, rows: int) -> dict[str, Any]:
    """The form as `offers.add` takes it; numbers exactly as typed, rows that say nothing left out."""

    def field(name: str) -> Any:
        return st.session_state.get(f"offer_{name}_{form}")

    pairs = [
        (editing.number(field(f"from_{row}")), editing.number(field(f"price_{row}"))) for row in range(rows)
    ]
    return {
        "steps": [(least, price) for least, price in pairs if price is not None or (least and least != "1")],
        "lead_time_days": editing.number(field("lead")),
        "minimum_order_quantity": editing.number(field("minimum")),
        "order_multiple": editing.number(field("multiple")),
        "vendor_sku": field("their_sku") or None,
        "valid_from": field("from_day"),
        "valid_until": field("until_day"),
    }


def _save(mine: dict[str, Any], rows: int, vendor_id: int | None, product_id: int | None) -> None:
    form, today = mine["form"], looks.today()
    said = typed(form, rows)
    sku = (st.session_state.get(f"offer_sku_{form}") or "").strip()
    chosen = vendor_id if vendor_id is not None else st.session_state.get(f"offer_vendor_{form}")

    def work(session: Session, person: Actor) -> Answer:
        vendor = editing.needed(chosen, "Vendor", "choose")
        product = product_id
        if product is None:
            product = products.by_sku(session, editing.needed(sku, "SKU")).id
        return _add(session, person, vendor_id=vendor, product_id=product, said=said, today=today)

    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _add(
    session: Session, person: Actor, *, vendor_id: int, product_id: int, said: dict[str, Any], today: date
) -> Answer:
    known = [*offers.current(session, [product_id], today), *offers.upcoming(session, [product_id], today)]
    kept = offers.add(session, person, vendor_id, product_id, today=today, **said)
    if any(one.id == kept.id for one in known):
        return Answer("That is what counts already: nothing was changed.", is_idle=True)
    vendor = vendors.active(session, vendor_id)
    before = next((one.steps for one in known if one.vendor_id == vendor_id), ())
    after = offer_rows.steps_of(session, kept.id)
    told = (
        editing.changed(
            ui.safe_md(vendor.name),
            vendor_words.steps(before, vendor.currency) or "nothing",
            vendor_words.steps(after, vendor.currency),
        )
        + f", from {ui.safe_md(ui.formats().weekday(kept.valid_from))} on"
    )
    return Answer(told, partial(_take_back, offer_uid=kept.uid, today=today))


def _take_back(session: Session, person: Actor, *, offer_uid: Any, today: date) -> Answer:
    offers.take_back(session, person, offer_uid, today)
    return Answer("Undone: what counted before counts again.")


# -- Withdrawn -----------------------------------------------------------------------------------------------


def withdraw(mine: dict[str, Any], vendor_id: int, product_id: int, words: str) -> None:
    """The vendor offers the product no more."""
    work = partial(_withdraw, vendor_id=vendor_id, product_id=product_id, words=words, today=looks.today())
    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _withdraw(
    session: Session, person: Actor, *, vendor_id: int, product_id: int, words: str, today: date
) -> Answer:
    gone = offers.withdraw(session, person, vendor_id, product_id, today)
    back = partial(_restore, offer_uids=gone, words=words, today=today)
    return Answer(f"**{ui.safe_md(words)}** is offered there no more.", back)


def _restore(session: Session, person: Actor, *, offer_uids: list, words: str, today: date) -> Answer:
    offers.restore(session, person, offer_uids, today)
    return Answer(f"**{ui.safe_md(words)}** is offered there again.")
