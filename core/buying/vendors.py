"""From whom the shop buys: making, changing and closing vendors, and whom a product is bought from."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete as erase
from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, auth, catalogue, inputs, predictions, shop
from core.auth import Actor
from core.buying import offer_fields, vendor_fields
from core.errors import BadInput, NotFound, RuleBroken
from db import queries
from db.models import PriceStep, Product, PurchaseOrder, Vendor, VendorOffer, VendorShutdown

OPEN_STATES = ("draft", "sent", "partly_received")
MOST_NAMED = 5  # things a refusal lists by name
LIMIT = 100
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('vendors', 3))")


@dataclass(frozen=True)
class Closing:
    """What closing a vendor would do: orders that keep it open (numbers), how many products prefer it, and
    how many nobody else offers."""

    open_orders: tuple[str, ...]
    preferred_by: int
    only_vendor_of: int


# -- Looks ---------------------------------------------------------------------------------------------------


def listing(
    session: Session,
    *,
    search: str | None = None,
    only_active: bool = True,
    limit: int = LIMIT,
    offset: int = 0,
) -> tuple[list[Vendor], int]:
    """Vendors by name whose name, contact, e-mail or phone holds the words, and how many there are in all."""
    about = [Vendor.is_active] if only_active else []
    if (words := queries.like(inputs.text(search or "", "Search", 200))) is not None:
        columns = (Vendor.name, Vendor.contact_name, Vendor.email, Vendor.phone)
        about.append(or_(*(column.ilike(words) for column in columns)))
    total = session.scalar(select(func.count()).select_from(Vendor).where(*about))
    question = select(Vendor).where(*about).order_by(func.lower(Vendor.name), Vendor.id)
    return list(session.scalars(question.limit(limit).offset(offset))), total


def by_uid(session: Session, uid: uuid.UUID | str) -> Vendor:
    """The vendor with this public id. Refuses an unknown or malformed id."""
    found = session.scalar(select(Vendor).where(Vendor.uid == inputs.uid(uid, "a vendor")))
    if found is None:
        raise NotFound("There is no such vendor.")
    return found


def closing(session: Session, vendor_id: int, today: date) -> Closing:
    """What `deactivate` would do, to be said before it is done."""
    vendor_id = inputs.small_id(vendor_id, "vendor")
    (row,) = queries.rows(session, "vendor_closing", vendor_id=vendor_id, today=today)
    return Closing(_open_orders(session, vendor_id), row["preferred_by"], row["only_vendor_of"])


# -- Vendors -------------------------------------------------------------------------------------------------


def create(session: Session, actor: Actor, *, name: str, currency: str | None = None, **about: Any) -> Vendor:
    """Add a vendor. Without a currency it is the shop's; another one needs its exchange_rate.

    Args:
        about: contact_name, email, phone, address, note, exchange_rate, lead_time_days, order_minimum,
            free_freight_from, freight_cost, order_cost, order_weekdays (1 Monday .. 7 Sunday).

    Refuses a name that another vendor has, whatever its case.
    """
    auth.must(actor, "buy")
    own = shop.get(session).currency
    values = vendor_fields.checked({"name": name, "currency": currency or own} | about)
    _settle_rate(values, values["currency"], None, own)
    session.execute(_ONE_AT_A_TIME)
    _refuse_known_name(session, values["name"], None)
    vendor = Vendor(**values)
    session.add(vendor)
    session.flush()
    session.refresh(vendor)
    audit.note(session, actor.id, "created", "vendor", vendor.uid, after=vendor_fields.said(values))
    return vendor


def change(session: Session, actor: Actor, vendor_id: int, **fields: Any) -> Vendor:
    """Change what is known about a vendor: only the given fields, None clears one.

    What is the same already is no change and leaves no trace. Refuses another currency once there are offers
    or orders: their money would mean something else.
    """
    auth.must(actor, "buy")
    values = vendor_fields.checked(fields)
    vendor = locked(session, vendor_id)
    own = shop.get(session).currency
    if "currency" in values or "exchange_rate" in values:
        _settle_rate(values, values.get("currency", vendor.currency), vendor, own)
    changed = {name: value for name, value in values.items() if getattr(vendor, name) != value}
    if not changed:
        return vendor
    if "name" in changed:
        _refuse_known_name(session, changed["name"], vendor.id)
    if "currency" in changed:
        _refuse_priced(session, vendor)
    if "exchange_rate" in changed:
        _check_prices(session, vendor, changed["exchange_rate"])
    before = {name: getattr(vendor, name) for name in changed}
    for name, value in changed.items():
        setattr(vendor, name, value)
    vendor.updated_at = datetime.now(UTC)
    session.flush()
    audit.note(
        session, actor.id, "changed", "vendor", vendor.uid,
        before=vendor_fields.said(before), after=vendor_fields.said(changed),
    )  # fmt: skip
    return vendor


def deactivate(session: Session, actor: Actor, vendor_id: int) -> Vendor:
    """Buy from a vendor no more; prices and orders stay to be read. Twice is once.

    Its offers do not count until it is reactivated, also where a product prefers it. Refuses while orders are
    open, by their numbers.
    """
    auth.must(actor, "buy")
    vendor = locked(session, vendor_id)
    if vendor.is_active:
        _refuse_open_orders(session, vendor)
        _switch(session, actor, vendor, is_active=False)
    return vendor


def reactivate(session: Session, actor: Actor, vendor_id: int) -> Vendor:
    """Buy from a vendor again: its offers count as they stood."""
    auth.must(actor, "buy")
    vendor = locked(session, vendor_id)
    if not vendor.is_active:
        _switch(session, actor, vendor, is_active=True)
    return vendor


def delete(session: Session, actor: Actor, vendor_id: int) -> str:
    """Erase a vendor that nothing refers to; one with offers or orders is deactivated.

    Answers "erased" or "deactivated". Refuses like `deactivate`.
    """
    auth.must(actor, "delete catalogue")
    vendor = locked(session, vendor_id)
    _refuse_open_orders(session, vendor)
    uid = vendor.uid
    said = vendor_fields.said({name: getattr(vendor, name) for name in vendor_fields.FIELDS})
    try:
        # The foreign keys know better than any list here what refers to a vendor.
        with session.begin_nested():
            session.execute(erase(VendorShutdown).where(VendorShutdown.vendor_id == vendor.id))
            session.execute(erase(Vendor).where(Vendor.id == vendor.id))
    except IntegrityError:
        if vendor.is_active:
            _switch(session, actor, vendor, is_active=False)
        return "deactivated"
    session.expunge(vendor)
    audit.note(session, actor.id, "deleted", "vendor", uid, before=said)
    return "erased"


def prefer(session: Session, actor: Actor, product_id: int, vendor_id: int | None, today: date) -> Product:
    """Buy a product from this vendor whatever others ask, or (None) from whom it is best.

    Refuses a vendor that is not active or does not offer the product.
    """
    auth.must(actor, "buy")
    product = catalogue.locked(session, product_id)
    if product.preferred_vendor_id == vendor_id:
        return product
    before = session.get(Vendor, product.preferred_vendor_id) if product.preferred_vendor_id else None
    after = _offering(session, product, vendor_id) if vendor_id is not None else None
    product.preferred_vendor_id = after and after.id
    product.updated_at = datetime.now(UTC)
    session.flush()
    audit.note(
        session, actor.id, "chose vendor", "product", product.uid,
        before={"preferred_vendor": before and before.name}, after={"preferred_vendor": after and after.name},
    )  # fmt: skip
    predictions.refresh(session, [product.id], today)
    return product


# -- What is checked -----------------------------------------------------------------------------------------


def active(session: Session, vendor_id: int) -> Vendor:
    """The vendor as it is now. Refuses one that is not active, by its name."""
    vendor = session.get(Vendor, inputs.small_id(vendor_id, "vendor"), populate_existing=True)
    if vendor is None:
        raise NotFound(f"There is no vendor {vendor_id}.")
    if not vendor.is_active:
        raise RuleBroken(f"{vendor.name} is deactivated: reactivate it first.")
    return vendor


def _offering(session: Session, product: Product, vendor_id: int) -> Vendor:
    vendor = active(session, vendor_id)
    offers_it = exists().where(
        VendorOffer.vendor_id == vendor.id,
        VendorOffer.product_id == product.id,
        VendorOffer.withdrawn_at.is_(None),
    )
    if not session.scalar(select(offers_it)):
        raise RuleBroken(f"{vendor.name} does not offer {product.sku}: enter its price first.")
    return vendor


def _settle_rate(values: dict[str, Any], currency: str, vendor: Vendor | None, own: str) -> None:
    """The exchange rate that goes with a currency: 1 for the shop's own, else it has to be said."""
    if currency == own:
        if values.setdefault("exchange_rate", vendor_fields.OWN_RATE) != vendor_fields.OWN_RATE:
            raise BadInput(f"Exchange rate: {own} is the shop's own currency, so it is 1.")
    elif "exchange_rate" not in values and (vendor is None or vendor.currency != currency):
        raise BadInput(f"Exchange rate: say what 1 {currency} costs in {own}.")


def _check_prices(session: Session, vendor: Vendor, rate: Decimal) -> None:
    """Refuse a rate at which a price of the vendor is more than can be kept."""
    of_vendor = select(VendorOffer.id).where(VendorOffer.vendor_id == vendor.id)
    dearest = session.scalar(select(func.max(PriceStep.unit_price)).where(PriceStep.offer_id.in_(of_vendor)))
    if dearest is not None:
        offer_fields.check_in_shop_money(dearest, rate)


def _refuse_known_name(session: Session, name: str, vendor_id: int | None) -> None:
    question = select(Vendor).where(func.lower(Vendor.name) == name.lower())
    other = session.scalar(question.where(Vendor.id != vendor_id) if vendor_id else question)
    if other is not None:
        mark = "" if other.is_active else " (it is deactivated: reactivate it)"
        raise RuleBroken(f"There is a vendor '{inputs.shown(other.name)}' already{mark}.")


def _refuse_priced(session: Session, vendor: Vendor) -> None:
    has = or_(
        exists().where(VendorOffer.vendor_id == vendor.id),
        exists().where(PurchaseOrder.vendor_id == vendor.id),
    )
    if session.scalar(select(has)):
        raise RuleBroken(
            f"{vendor.name} has prices or orders in {vendor.currency}: its currency stays. "
            "Make a new vendor for another one."
        )


def _open_orders(session: Session, vendor_id: int) -> tuple[str, ...]:
    question = select(PurchaseOrder.number).where(
        PurchaseOrder.vendor_id == vendor_id, PurchaseOrder.state.in_(OPEN_STATES)
    )
    return tuple(session.scalars(question.order_by(PurchaseOrder.id)))


def _refuse_open_orders(session: Session, vendor: Vendor) -> None:
    numbers = _open_orders(session, vendor.id)
    if numbers:
        more = f" and {len(numbers) - MOST_NAMED:,} more" if len(numbers) > MOST_NAMED else ""
        verb = "is open: receive or cancel it" if len(numbers) == 1 else "are open: receive or cancel them"
        raise RuleBroken(f"{vendor.name}: {', '.join(numbers[:MOST_NAMED])}{more} {verb} first.")


def _switch(session: Session, actor: Actor, vendor: Vendor, *, is_active: bool) -> None:
    # Run-outs whose lead time is another now are found and worked out anew by the minute's tick.
    vendor.is_active, vendor.updated_at = is_active, datetime.now(UTC)
    session.flush()
    action = "reactivated" if is_active else "deactivated"
    audit.note(
        session, actor.id, action, "vendor", vendor.uid,
        before={"is_active": not is_active}, after={"is_active": is_active},
    )  # fmt: skip


def locked(session: Session, vendor_id: int) -> Vendor:
    """The vendor as it is now. Changes of vendors wait for each other, since a name is given once."""
    session.execute(_ONE_AT_A_TIME)
    vendor = session.scalar(
        select(Vendor)
        .where(Vendor.id == inputs.small_id(vendor_id, "vendor"))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if vendor is None:
        raise NotFound(f"There is no vendor {vendor_id}.")
    return vendor
