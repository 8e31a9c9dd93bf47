"""A new purchase order: from whom, and the first product where one is given by the address."""

from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import products
from core.auth import Actor
from core.buying import offers, order_lines, order_lists, orders, vendors
from core.buying.offers import Offer
from core.errors import RunoutError
from core.products import Detail
from core.reorder.quantities import Terms
from dashboard import editing, looks, order_words, pickers, pressing, ui
from dashboard.editing import Answer
from db.session import reading

MOST_VENDORS = 1_000
MOST_DRAFTS = 20
MOST_DIGITS = 7  # of a quantity in the address
NEW_ORDER = "A new order"
ONE = Decimal(1)


def draw(today: date) -> None:
    """The form. What it makes is a draft, which opens: nothing is sent."""
    ui.title("New order", "It begins as a draft. Nothing is sent before you say so.")
    mine = editing.desk("new order")
    made = mine.pop("made", None)
    if made is not None:
        st.query_params.from_dict({"id": made})
        st.rerun()
    try:
        product = _product()
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
        product = None
    with reading() as session:
        listed, _ = vendors.listing(session, limit=MOST_VENDORS)
        offered = offers.current(session, [product.product.id], today) if product else []
    if not listed:
        ui.empty(
            "There is no vendor yet.", "An order goes to a vendor: add the first one.",
            button="Add a vendor", page="views/vendors.py",
        )  # fmt: skip
        return
    chosen = _draw_vendor(listed, offered, mine)
    if chosen is None:
        return
    place = _draw_product(product, offered, chosen, mine) if product else None
    drafts = _drafts(chosen, today)
    if drafts:
        st.selectbox(
            "Put it on", ["", *drafts], format_func=lambda uid: drafts.get(uid, NEW_ORDER),
            key=f"new_draft_{mine['form']}", width=420,
        )  # fmt: skip
    st.button(
        "Create draft", type="primary", key="create_draft", on_click=_create,
        args=(mine, mine["form"], chosen, product and _line_of(product), place, today),
    )  # fmt: skip
    editing.draw_answer(mine, key="new-order")


def _product() -> Detail | None:
    """The product that the address names."""
    wanted = st.query_params.get("product")
    if not wanted:
        return None
    with reading() as session:
        return products.by_uid(session, wanted)


def _draw_vendor(listed: list[Any], offered: list[Offer], mine: dict[str, Any]) -> Any:
    """From whom: those who offer the product first, with what they ask."""
    asked = {offer.vendor_id: offer for offer in offered}
    listed = sorted(listed, key=lambda vendor: vendor.id not in asked)
    by_id = {vendor.id: vendor for vendor in listed}
    wanted = pickers.in_address("Vendor", "vendor", {str(vendor.uid): vendor.name for vendor in listed})
    preset = next((place for place, vendor in enumerate(listed) if str(vendor.uid) == wanted), None)
    preferred = next((offer.vendor_id for offer in offered if offer.is_preferred), None)
    if preset is None and offered:
        preset = list(by_id).index(preferred or listed[0].id)

    def said(vendor_id: int) -> str:
        offer = asked.get(vendor_id)
        if offer is None or not offer.steps:
            return by_id[vendor_id].name
        price = order_words.in_currency(offer.vendor.currency).price(offer.steps[0][1])
        return f"{by_id[vendor_id].name} · {price} · {ui.formats().duration(offer.lead_time_days)}"

    chosen = st.selectbox(
        "Vendor", list(by_id), index=preset, format_func=said, key=f"new_vendor_{mine['form']}",
        placeholder="Choose a vendor", width=420,
    )  # fmt: skip
    return by_id.get(chosen)


def _draw_product(product: Detail, offered: list[Offer], vendor: Any, mine: dict[str, Any]) -> int | None:
    """How much of the product for which warehouse; answers the warehouse."""
    form, write = mine["form"], ui.formats()
    unit = ui.unit_md(product.product.unit_of_measure, product.on_hand)
    st.markdown(
        f"**{ui.safe_md(product.product.name)}** &nbsp; :gray[{ui.safe_md(product.product.sku)} · "
        f"{ui.safe_md(write.quantity(product.on_hand))}{unit} on hand]"
    )
    offer = next((offer for offer in offered if offer.vendor_id == vendor.id), None)
    left, right = st.columns(2, width=420)
    with left:
        key = f"new_quantity_{form}_{vendor.id}"
        editing.number_field("Quantity", _least(offer), key=key, placeholder="0")
    with right:
        place = _draw_place(form)
    if offer is None:
        editing.number_field(
            f"Unit price in {vendor.currency}", None, key=f"new_price_{form}_{vendor.id}", placeholder="0.00",
            width=202, help_=f"{vendor.name} has no offer for it.",
        )  # fmt: skip
    return place


def _least(offer: Offer | None) -> Decimal:
    """The quantity a form begins with: the least that the vendor sells, or what the address asks for."""
    asked = st.query_params.get("quantity", "")
    if asked.isascii() and asked.isdigit() and 0 < len(asked) <= MOST_DIGITS:
        return Decimal(asked)
    if offer is None:
        return ONE
    return Terms(offer.minimum_order_quantity, offer.order_multiple, offer.steps).least


def _draw_place(form: str) -> int | None:
    places = {place.id: place.code for place in looks.places()}
    return st.selectbox("To warehouse", list(places), format_func=places.get, key=f"new_place_{form}")


def _drafts(vendor: Any, today: date) -> dict[str, str]:
    """Drafts for this vendor that what is ordered could go onto, by their uid."""
    with reading() as session:
        found, _ = order_lists.listing(
            session, today, state="draft", vendor_uid=vendor.uid, limit=MOST_DRAFTS
        )
    return {
        str(order["uid"]): f"{order['number']} · {order_words.count(order['lines'], 'line')}, a draft"
        for order in found
    }  # fmt: skip


def _line_of(product: Detail) -> tuple[int, str, str]:
    """What the order needs to know of a product: id, SKU, unit."""
    return product.product.id, product.product.sku, product.product.unit_of_measure


def _create(
    mine: dict[str, Any],
    form: str,
    vendor: Any,
    product: tuple[int, str, str] | None,
    place: int | None,
    today: date,
) -> None:
    """Make the draft, or add to one. The second click of a double click finds the form gone."""
    draft_uid = st.session_state.get(f"new_draft_{form}") or None
    quantity = editing.number(st.session_state.get(f"new_quantity_{form}_{vendor.id}"))
    price = editing.number(st.session_state.get(f"new_price_{form}_{vendor.id}"))

    def work(session: Session, person: Actor) -> Answer:
        line = None
        if product is not None:
            product_id, sku, unit_of_measure = product
            order_words.refuse_parts(sku, unit_of_measure, quantity)
            line = {
                "product_id": product_id,
                "warehouse_id": editing.needed(place, "Warehouse", "add"),
                "quantity": editing.needed(quantity, "Quantity"),
                "unit_price": price,
            }
        if draft_uid is None:
            order = orders.draft(session, person, vendor.id, [line] if line else [], today)
            return Answer(str(order.uid))
        if line is not None:
            order_lines.add(session, person, draft_uid, today=today, **line)
        return Answer(draft_uid)

    answer = pressing.once(mine, form, work)
    if answer is not None:
        mine.pop("answer", None)
        mine["made"] = answer.words
