"""What an order comes to: goods, freight, the way to the vendor's limits, when it arrives, what looks odd."""

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import shop
from core.buying import order_lines, order_state, vendor_records
from core.buying.order_lines import Quote
from core.posting import plain
from core.reorder import calendars, quantities
from db.models import Product, PurchaseOrder, PurchaseOrderLine, Vendor, VendorShutdown, Warehouse

MONEY = Decimal("0.0001")
_WIDE = Context(prec=60)  # the largest quantity times the largest price and rate has more digits than usual


@dataclass(frozen=True)
class Hint:
    """What a buyer should know before sending; of one line, or of the order (`line_uid` None)."""

    line_uid: uuid.UUID | None
    sentence: str


@dataclass(frozen=True)
class Facts:
    """What an order comes to, in the vendor's currency but for `in_shop_currency`.

    Attributes:
        freight: as entered, else what the vendor's terms ask for these goods; None when nobody knows.
        missing_to_minimum: how much is missing to the order minimum, 0 when it is reached; None without one.
        missing_to_free_freight: likewise to where freight is free.
        sends_on: the next day on which the vendor takes an order (of one that was sent: that day).
        arrives_on: when the last line is expected; None without lines.
        quotes: what the vendor asks now, by product; empty once the order was sent.
    """

    goods: Decimal
    freight: Decimal | None
    total: Decimal
    in_shop_currency: Decimal
    order_minimum: Decimal | None
    missing_to_minimum: Decimal | None
    free_freight_from: Decimal | None
    missing_to_free_freight: Decimal | None
    sends_on: date
    arrives_on: date | None
    hints: tuple[Hint, ...]
    quotes: dict[int, Quote]


def of(session: Session, order: PurchaseOrder, today: date) -> Facts:
    """The facts of an order; hints only while it is a draft, when something can be done about them."""
    ordered = order_lines.of(session, order.id)
    vendor = session.get_one(Vendor, order.vendor_id)
    is_draft = order.state == "draft"
    worth = goods(ordered)
    carriage = freight(session, order, ordered)
    total = worth + (carriage or 0)
    if is_draft:
        asked = order_lines.quotes(session, vendor.id, [line.product_id for line in ordered], today)
        days = expected_days(session, order, ordered, today)
    else:
        asked, days = {}, {line.id: line.expected_on for line in ordered if line.expected_on}
    return Facts(
        goods=worth,
        freight=carriage,
        total=total,
        in_shop_currency=in_shop_currency(order, total),
        order_minimum=vendor.order_minimum,
        missing_to_minimum=_missing(vendor.order_minimum, worth),
        free_freight_from=vendor.free_freight_from,
        missing_to_free_freight=_missing(vendor.free_freight_from, worth),
        sends_on=order.sent_on or _sends_on(session, vendor, today),
        arrives_on=max(days.values(), default=None),
        hints=tuple(_hints(session, order, vendor, ordered, asked, today)) if is_draft else (),
        quotes=asked,
    )


def goods(ordered: Sequence[PurchaseOrderLine]) -> Decimal:
    """What the lines cost, in the vendor's currency."""
    return sum((worth(line) for line in ordered), Decimal(0))


def worth(line: PurchaseOrderLine) -> Decimal:
    """What a line costs, in the vendor's currency."""
    return (line.quantity * line.unit_price).quantize(MONEY, context=_WIDE)


def in_shop_currency(order: PurchaseOrder, amount: Decimal) -> Decimal:
    """An amount of the order's money in the shop's, to 4 decimals."""
    return (amount * order.exchange_rate).quantize(MONEY, context=_WIDE)


def freight(session: Session, order: PurchaseOrder, ordered: Sequence[PurchaseOrderLine]) -> Decimal | None:
    """What the order travels for: as entered, else by the vendor's terms; None when they do not say."""
    if order.freight is not None:
        return order.freight
    vendor = session.get_one(Vendor, order.vendor_id)
    if vendor.free_freight_from is not None and goods(ordered) >= vendor.free_freight_from:
        return Decimal(0)
    return vendor.freight_cost


def expected_days(
    session: Session, order: PurchaseOrder, ordered: Sequence[PurchaseOrderLine], today: date
) -> dict[int, date]:
    """When each line of a draft arrives if it is sent today, by the line's id.

    Its own day, else the order's, where they do not lie in the past; else what follows from the lead time of
    the offer (else the vendor's, the product's, the shop's), order weekdays and shutdowns.
    """
    vendor = session.get_one(Vendor, order.vendor_id)
    asked = order_lines.quotes(session, vendor.id, [line.product_id for line in ordered], today)
    shutdowns = _shutdowns(session, vendor)
    sends_on = calendars.send_on(today, vendor.order_weekdays, shutdowns)
    usual = shop.get(session).default_lead_time_days
    days = {}
    for line in ordered:
        if entered := _entered(order, line, today):
            days[line.id] = entered
            continue
        product = session.get_one(Product, line.product_id)
        quote = asked.get(line.product_id)
        known = (quote.lead_time_days if quote else None, vendor.lead_time_days, product.lead_time_days)
        lead_days = next((lead for lead in known if lead is not None), usual)
        days[line.id] = calendars.arrives_on(sends_on, lead_days, shutdowns)
    return days


def likely_days(
    session: Session,
    order: PurchaseOrder,
    ordered: Sequence[PurchaseOrderLine],
    promised: Mapping[int, date],
    today: date,
) -> dict[int, date]:
    """When each line of a draft is likely to arrive if it is sent today, by the line's id.

    The promised day, or the later one on which this vendor's orders used to arrive, where enough of them were
    measured: stock that never comes in time must not be counted on in time. A day somebody entered stays.
    """
    record = vendor_records.of(session, [order.vendor_id], today).get(order.vendor_id)
    if record is None or record.median_days is None or record.deliveries < vendor_records.LEAST_OF_PRODUCT:
        return dict(promised)
    vendor = session.get_one(Vendor, order.vendor_id)
    shutdowns = _shutdowns(session, vendor)
    sends_on = calendars.send_on(today, vendor.order_weekdays, shutdowns)
    usual = calendars.arrives_on(sends_on, math.ceil(record.median_days), shutdowns)
    return {
        line.id: promised[line.id] if _entered(order, line, today) else max(promised[line.id], usual)
        for line in ordered
    }


def _entered(order: PurchaseOrder, line: PurchaseOrderLine, today: date) -> date | None:
    """The day that somebody entered for the line or the order, unless it is over."""
    days = (line.expected_on, order.expected_on)
    return next((day for day in days if day is not None and day >= today), None)


def _sends_on(session: Session, vendor: Vendor, today: date) -> date:
    return calendars.send_on(today, vendor.order_weekdays, _shutdowns(session, vendor))


def _shutdowns(session: Session, vendor: Vendor) -> list[tuple[date, date]]:
    question = select(VendorShutdown.starts_on, VendorShutdown.ends_on)
    return [(first, last) for first, last in session.execute(
        question.where(VendorShutdown.vendor_id == vendor.id))]  # fmt: skip


def _missing(limit: Decimal | None, worth: Decimal) -> Decimal | None:
    return None if limit is None else max(limit - worth, Decimal(0))


# -- Hints ---------------------------------------------------------------------------------------------------


def _hints(
    session: Session,
    order: PurchaseOrder,
    vendor: Vendor,
    ordered: Sequence[PurchaseOrderLine],
    asked: dict[int, Quote],
    today: date,
) -> list[Hint]:
    """What looks odd about a draft: warned about, never refused."""
    said = []
    if not vendor.is_active:
        said.append(Hint(None, f"{vendor.name} is deactivated."))
    short = _missing(vendor.order_minimum, goods(ordered))
    if short:
        said.append(
            Hint(None, f"{plain(short)} {order.currency} short of the order minimum of "
                       f"{plain(vendor.order_minimum or 0)} {order.currency}.")
        )  # fmt: skip
    sends_on = _sends_on(session, vendor, today)
    if sends_on != today:
        said.append(Hint(None, f"{vendor.name} takes orders on {sends_on} next."))
    for line in ordered:
        said += [Hint(line.uid, sentence) for sentence in _of_line(session, order, line, asked, today)]
    return said


def _of_line(
    session: Session, order: PurchaseOrder, line: PurchaseOrderLine, asked: dict[int, Quote], today: date
) -> list[str]:
    product, place = session.get_one(Product, line.product_id), session.get_one(Warehouse, line.warehouse_id)
    said = []
    if not product.is_active:
        said.append(f"{product.sku} is deactivated.")
    if not place.is_active:
        said.append(f"Warehouse {place.code} is not in use any more.")
    if line.expected_on is not None and line.expected_on < today:
        said.append(f"{product.sku}: the day it was expected on, {line.expected_on}, is over.")
    quote = asked.get(line.product_id)
    if quote is None:
        return [*said, f"{product.sku}: no offer of this vendor."]
    least = max(
        quote.minimum or order_state.NOTHING, quote.steps[0][0] if quote.steps else order_state.NOTHING
    )
    if line.quantity < least:
        said.append(f"{product.sku}: {plain(line.quantity)} is below the least quantity of {plain(least)}.")
    if quote.multiple and line.quantity % quote.multiple:
        more = quantities.up_to(line.quantity, quote.multiple)
        less = quantities.down_to(line.quantity, quote.multiple)
        either = f"{plain(less)} or {plain(more)}" if less else plain(more)
        said.append(f"{product.sku}: sold in multiples of {plain(quote.multiple)}: {either}.")
    price = quote.price(line.quantity)
    if price is not None and price != line.unit_price:
        said.append(
            f"{product.sku}: {plain(line.unit_price)} {order.currency} a piece on the order, "
            f"{plain(price)} in the offer."
        )
    if quote.valid_until is not None and quote.valid_until < today:
        said.append(f"{product.sku}: the offer expired on {quote.valid_until}.")
    return said
