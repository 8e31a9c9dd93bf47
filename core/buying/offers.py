"""What vendors ask for products: offers with price steps, added and withdrawn, never overwritten."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit, auth, inputs, predictions, uids
from core.auth import Actor
from core.buying import offer_fields, offer_rows, vendors
from core.buying.offer_rows import Offer, Steps
from core.errors import BadInput, NotFound, RuleBroken
from db import queries
from db.models import PriceStep, Product, Vendor, VendorOffer

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('offer ' || :pair, 3))")


# -- Looks ---------------------------------------------------------------------------------------------------


def current(session: Session, product_ids: Sequence[int] | None, today: date) -> list[Offer]:
    """The offer of each active vendor that counts today for these products (None: for all), by product.

    A few questions, however many products.
    """
    return offer_rows.read(session, today, product_ids=None if product_ids is None else list(product_ids))


def of_vendor(session: Session, vendor_id: int, today: date) -> list[Offer]:
    """What a vendor asks today, by product; nothing while it is deactivated."""
    return offer_rows.read(session, today, vendor_id=vendor_id)


def upcoming(
    session: Session, product_ids: Sequence[int] | None, today: date, *, vendor_id: int | None = None
) -> list[Offer]:
    """Offers that hold from a later day on, of these products (None: all), by product and day."""
    asked = None if product_ids is None else list(product_ids)
    return offer_rows.read(session, today, product_ids=asked, vendor_id=vendor_id, upcoming=True)


def by_uid(session: Session, uid: uuid.UUID | str) -> VendorOffer:
    """The offer with this public id, withdrawn or not. Refuses an unknown or malformed id."""
    found = session.scalar(select(VendorOffer).where(VendorOffer.uid == inputs.uid(uid, "an offer")))
    if found is None:
        raise NotFound("There is no such offer.")
    return found


# -- Verbs ---------------------------------------------------------------------------------------------------


def add(
    session: Session,
    actor: Actor,
    vendor_id: int,
    product_id: int,
    *,
    steps: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    lead_time_days: int | None = None,
    minimum_order_quantity: Decimal | int | str | None = None,
    order_multiple: Decimal | int | str | None = None,
    vendor_sku: str | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    today: date,
) -> VendorOffer:
    """Write down what a vendor asks from a day on (today unless said); nothing earlier is overwritten.

    Args:
        steps: unit price, in the vendor's currency, by the quantity from which it holds.
        lead_time_days: the vendor's usual one where it is not given.

    A correction is another offer with the same valid_from: the newer one counts. What counts on that day
    already is no news and leaves no trace. Refuses a deactivated vendor or product, and steps, quantities or
    days that cannot be meant.
    """
    auth.must(actor, "buy")
    since = offer_fields.valid_from(valid_from or today, today)
    prices = offer_fields.steps(steps)
    values = {
        "lead_time_days": offer_fields.lead_time(lead_time_days),
        "minimum_order_quantity": offer_fields.minimum(minimum_order_quantity),
        "order_multiple": offer_fields.multiple(order_multiple),
        "vendor_sku": offer_fields.vendor_sku(vendor_sku),
        "valid_from": since,
        "valid_until": offer_fields.valid_until(valid_until, since),
    }
    vendor, product = vendors.active(session, vendor_id), _sold(session, product_id)
    offer_fields.check_in_shop_money(max(price for _, price in prices), vendor.exchange_rate)
    if values["lead_time_days"] is None:
        values["lead_time_days"] = _usual_lead_time(vendor)
    _alone(session, vendor.id, product.id)
    known = _counts_on(session, vendor.id, product.id, since)
    if known is not None and _is_same(session, known, values, prices):
        return known
    before = _lead_time(session, product.id, today)
    offer = VendorOffer(vendor_id=vendor.id, product_id=product.id, created_by=actor.id, **values)
    session.add(offer)
    session.flush()
    session.add_all(PriceStep(offer_id=offer.id, minimum_quantity=q, unit_price=p) for q, p in prices)
    session.flush()
    session.refresh(offer)
    told = {"product": product.sku} | offer_fields.said(values, prices)
    audit.note(session, actor.id, "added price", "vendor", vendor.uid, after=told)
    _follow(session, product.id, before, today)
    return offer


def withdraw(session: Session, actor: Actor, vendor_id: int, product_id: int, today: date) -> list[uuid.UUID]:
    """The vendor offers the product no more: none of its offers counts, those to come among them.

    Answers the uids of what was withdrawn, for `restore`. Refuses where nothing is offered.
    """
    auth.must(actor, "buy")
    vendor, product = _named(session, vendor_id, product_id)
    _alone(session, vendor.id, product.id)
    question = select(VendorOffer).where(
        VendorOffer.vendor_id == vendor.id,
        VendorOffer.product_id == product.id,
        VendorOffer.withdrawn_at.is_(None),
    )
    rows = list(session.scalars(question.order_by(VendorOffer.id).execution_options(populate_existing=True)))
    if not rows:
        raise NotFound(f"{vendor.name} does not offer {product.sku}.")
    _switch(session, actor, rows, today, is_withdrawn=True)
    return [row.uid for row in rows]


def take_back(session: Session, actor: Actor, offer_uid: uuid.UUID | str, today: date) -> VendorOffer:
    """One offer was a mistake: it never counts, the one before it does. Twice is once."""
    auth.must(actor, "buy")
    offer = uids.locked(session, VendorOffer, offer_uid, "an offer", "There is no such offer.")
    if offer.withdrawn_at is None:
        _switch(session, actor, [offer], today, is_withdrawn=True)
    return offer


def restore(session: Session, actor: Actor, offer_uids: Iterable[uuid.UUID | str], today: date) -> None:
    """Offers of one vendor and product that were withdrawn count again. Twice is once."""
    auth.must(actor, "buy")
    missing = "There is no such offer."
    rows = [uids.locked(session, VendorOffer, uid, "an offer", missing) for uid in offer_uids]
    rows = [row for row in rows if row.withdrawn_at is not None]
    if len({(row.vendor_id, row.product_id) for row in rows}) > 1:
        raise BadInput("Restore the offers of one vendor for one product at a time.")
    if rows:
        _switch(session, actor, rows, today, is_withdrawn=False)


# -- What is checked -----------------------------------------------------------------------------------------


def _sold(session: Session, product_id: int) -> Product:
    product = session.get(Product, inputs.small_id(product_id, "product"), populate_existing=True)
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    if not product.is_active:
        raise RuleBroken(f"{product.sku} is deactivated: reactivate it before it is bought.")
    return product


def _named(session: Session, vendor_id: int, product_id: int) -> tuple[Vendor, Product]:
    vendor = session.get(Vendor, inputs.small_id(vendor_id, "vendor"))
    product = session.get(Product, inputs.small_id(product_id, "product"))
    if vendor is None or product is None:
        what, number = ("vendor", vendor_id) if vendor is None else ("product", product_id)
        raise NotFound(f"There is no {what} {number}.")
    return vendor, product


def _usual_lead_time(vendor: Vendor) -> int:
    if vendor.lead_time_days is None:
        raise BadInput(
            f"Lead time: enter the days from order to arrival, for {vendor.name} has no usual lead time."
        )
    return vendor.lead_time_days


def _alone(session: Session, vendor_id: int, product_id: int) -> None:
    """Two that say the same of one product wait for each other: the second finds the first one's offer."""
    session.execute(_ONE_AT_A_TIME, {"pair": f"{vendor_id} {product_id}"})


def _counts_on(session: Session, vendor_id: int, product_id: int, day: date) -> VendorOffer | None:
    """The offer of the pair that counts on a day, as far as is known."""
    return session.scalar(
        select(VendorOffer)
        .where(
            VendorOffer.vendor_id == vendor_id,
            VendorOffer.product_id == product_id,
            VendorOffer.withdrawn_at.is_(None),
            VendorOffer.valid_from <= day,
        )
        .order_by(VendorOffer.valid_from.desc(), VendorOffer.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _is_same(session: Session, known: VendorOffer, values: dict[str, Any], prices: Steps) -> bool:
    """Whether nothing is said that is not known; the same prices from a later day on are known already."""
    about = {name: value for name, value in values.items() if name != "valid_from"}
    return all(getattr(known, name) == value for name, value in about.items()) and (
        offer_rows.steps_of(session, known.id) == prices
    )


def _switch(
    session: Session, actor: Actor, rows: Sequence[VendorOffer], today: date, *, is_withdrawn: bool
) -> None:
    vendor, product = _named(session, rows[0].vendor_id, rows[0].product_id)
    before = _lead_time(session, product.id, today)
    for row in rows:
        row.withdrawn_at, row.withdrawn_by = (datetime.now(UTC), actor.id) if is_withdrawn else (None, None)
    session.flush()
    action = "withdrew price" if is_withdrawn else "restored price"
    said = {"product": product.sku, "from": [row.valid_from.isoformat() for row in rows]}
    sides = {"before": said} if is_withdrawn else {"after": said}
    audit.note(session, actor.id, action, "vendor", vendor.uid, **sides)
    _follow(session, product.id, before, today)


def _lead_time(session: Session, product_id: int, today: date) -> int:
    (row,) = queries.rows(session, "lead_times", product_ids=[product_id], today=today)
    return row["lead_time_days"]


def _follow(session: Session, product_id: int, before: int, today: date) -> None:
    """The run-out follows where another lead time counts now."""
    if _lead_time(session, product_id, today) != before:
        predictions.refresh(session, [product_id], today)
