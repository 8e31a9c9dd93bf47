"""The lines of a purchase order: how much of what is asked for, at which price, for which warehouse."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import auth, inputs, posting, predictions
from core.auth import Actor
from core.buying import decisions, offer_fields, order_state
from core.errors import BadInput, NotFound, RuleBroken
from core.posting import plain
from core.reorder import quantities
from core.reorder.quantities import Step
from db import queries
from db.models import Product, PurchaseOrder, PurchaseOrderLine, Vendor, Warehouse

MOST_LINES = 500
NOTE_CHARACTERS = 300
VENDOR_SKU_CHARACTERS = 100
# Further away it is a slip of the keyboard: no forecast reaches there.
MOST_DAYS_AHEAD = 730
FIELDS = ("quantity", "unit_price", "warehouse_id", "expected_on", "vendor_sku", "note")
OF_SENT = {"expected_on", "note"}  # what may still change once the vendor has the order


@dataclass(frozen=True)
class Quote:
    """What a vendor asks for a product: the offer that counts, prices in the vendor's currency."""

    offer_id: int
    vendor_sku: str | None
    lead_time_days: int
    minimum: Decimal | None
    multiple: Decimal | None
    steps: tuple[Step, ...]
    valid_until: date | None

    def price(self, quantity: Decimal) -> Decimal | None:
        """The unit price at a quantity. Below the first step it is that of the first: the vendor may say no,
        and the order warns about it."""
        price = quantities.price_at(quantity, self.steps)
        return self.steps[0][1] if price is None and self.steps else price


def quotes(session: Session, vendor_id: int, product_ids: Sequence[int], today: date) -> dict[int, Quote]:
    """What a vendor asks for these products on a day, by product; one it does not offer is missing."""
    rows = queries.rows(
        session, "offers_of_vendor", vendor_id=vendor_id, product_ids=list(product_ids), today=today
    )
    return {
        row["product_id"]: Quote(
            row["offer_id"], row["vendor_sku"], row["lead_time_days"], row["minimum_order_quantity"],
            row["order_multiple"], tuple(zip(row["quantities"], row["prices"], strict=True)),
            row["valid_until"],
        )
        for row in rows
    }  # fmt: skip


def of(session: Session, order_id: int) -> list[PurchaseOrderLine]:
    """The lines of an order in the order in which they were added."""
    question = select(PurchaseOrderLine).where(PurchaseOrderLine.order_id == order_id)
    return list(session.scalars(question.order_by(PurchaseOrderLine.id)))


# -- Verbs ---------------------------------------------------------------------------------------------------


def add(
    session: Session,
    actor: Actor,
    order_uid: uuid.UUID | str,
    *,
    product_id: int,
    warehouse_id: int,
    quantity: Decimal | int | str,
    today: date,
    unit_price: Decimal | int | str | None = None,
    expected_on: date | None = None,
    note: str | None = None,
) -> PurchaseOrderLine:
    """Ask for one more product in a draft, at the price of the offer that counts unless one is given.

    Refuses a product and warehouse that the order has already, one that is not in use, and, without a price,
    one that the vendor does not offer.
    """
    auth.must(actor, "buy")
    order = order_state.locked(session, order_uid)
    line = {"product_id": product_id, "warehouse_id": warehouse_id, "quantity": quantity,
            "unit_price": unit_price, "expected_on": expected_on, "note": note}  # fmt: skip
    (added,) = put(session, order, [line], today)
    order_state.note(session, actor, "added a line", order, after=_said(session, added))
    return added


def put(
    session: Session, order: PurchaseOrder, wanted: Sequence[Mapping[str, Any]], today: date
) -> list[PurchaseOrderLine]:
    """Write lines into a draft that is locked or new; see `add` for their fields. Leaves no audit line."""
    order_state.must_be(order, "draft", what="its lines stand. Order what else is needed anew.")
    there = order_state.lines(session, order)
    if len(there) + len(wanted) > MOST_LINES:
        raise RuleBroken(f"An order has at most {MOST_LINES} lines: make another order for the rest.")
    taken = {(line.product_id, line.warehouse_id) for line in there}
    asked = [_values(_known(line), today) for line in wanted]
    vendor = session.get_one(Vendor, order.vendor_id)
    offered = quotes(session, vendor.id, [values["product_id"] for values in asked], today)
    added = []
    for values in asked:
        product, place = _product(session, values["product_id"]), _place(session, values["warehouse_id"])
        if (product.id, place.id) in taken:
            raise RuleBroken(
                f"{product.sku} for {place.code} is on {order.number} already: change its quantity."
            )
        taken.add((product.id, place.id))
        line = PurchaseOrderLine(order_id=order.id, **values)
        _price(order, vendor, product, line, offered.get(product.id))
        offer_fields.check_in_shop_money(line.unit_price, order.exchange_rate)
        added.append(line)
    session.add_all(added)
    session.flush()
    return added


def change(
    session: Session, actor: Actor, line_uid: uuid.UUID | str, now: datetime, today: date, **fields: Any
) -> PurchaseOrderLine:
    """Change quantity, unit_price, warehouse_id, expected_on, vendor_sku or note; only the given fields.

    A price that was the offer's follows the quantity; one that somebody entered stays, until a price of None
    brings back the offer's. Once the order was sent only the day (an announced delay) and the note change.
    """
    auth.must(actor, "buy")
    order, line = _locked(session, line_uid)
    values = _values(fields, today)
    if order.state != "draft":
        order_state.must_be(order, *order_state.AWAITED, what="its lines stand.")
        if values.keys() - OF_SENT:
            raise RuleBroken(
                f"{order.number} {order_state.WORDS[order.state]}: only the day and the note of a line can "
                "change. Give up what will not come."
            )
        if "expected_on" in values and values["expected_on"] is None:
            raise BadInput("Expected on: enter the day; what was ordered is counted from it.")
    before = _said(session, line)
    _apply(session, order, line, values, today)
    after = _said(session, line)
    if before != after:
        session.flush()
        decisions.follow(session, [line.id])
        order_state.note(session, actor, "changed a line", order, before, after)
        if order.state != "draft":
            predictions.refresh(session, order_state.follow(session, order, actor, today, now), today)
    return line


def remove(session: Session, actor: Actor, line_uid: uuid.UUID | str) -> None:
    """Take a line off a draft."""
    auth.must(actor, "buy")
    order, line = _locked(session, line_uid)
    order_state.must_be(order, "draft", what="its lines stand. Give up what will not come.")
    before = _said(session, line)
    decisions.withdraw(session, [line.id])
    session.delete(line)
    session.flush()
    order_state.note(session, actor, "removed a line", order, before)


def replace(
    session: Session,
    actor: Actor,
    order_uid: uuid.UUID | str,
    wanted: Sequence[Mapping[str, Any]],
    today: date,
) -> list[PurchaseOrderLine]:
    """Give a draft these lines instead of those it has; see `add` for their fields."""
    auth.must(actor, "buy")
    order = order_state.locked(session, order_uid)
    order_state.must_be(order, "draft", what="its lines stand. Give up what will not come.")
    there = order_state.lines(session, order)
    before = [_said(session, line) for line in there]
    decided = decisions.let_go(session, [line.id for line in there])
    for line in there:
        session.delete(line)
    session.flush()
    added = put(session, order, wanted, today)
    decisions.take_up(session, decided, added)
    after = [_said(session, line) for line in added]
    if before != after:
        order_state.note(session, actor, "replaced the lines", order, {"lines": before}, {"lines": after})
    return added


# -- What is checked -----------------------------------------------------------------------------------------


def _locked(session: Session, line_uid: uuid.UUID | str) -> tuple[PurchaseOrder, PurchaseOrderLine]:
    """A line and its order, which is locked first: whoever changes a line holds its order."""
    wanted = PurchaseOrderLine.uid == inputs.uid(line_uid, "a line of an order")
    line_id = session.scalar(select(PurchaseOrderLine.id).where(wanted))
    if line_id is not None:
        order = order_state.locked_with(session, line_id)
        line = session.scalar(
            select(PurchaseOrderLine).where(wanted).execution_options(populate_existing=True)
        )
        if line is not None:
            return order, line
    raise NotFound("There is no such line; it may have been removed.")


def _known(line: Mapping[str, Any]) -> dict[str, Any]:
    """A new line's fields, all of them."""
    missing = {"product_id", "warehouse_id", "quantity"} - line.keys()
    if missing:
        raise TypeError(f"missing: {', '.join(sorted(missing))}")
    return {"unit_price": None, **line}


def _values(fields: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The fields as they are kept. An unknown one is a TypeError."""
    unknown = fields.keys() - {"product_id", *FIELDS}
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    values = dict(fields)
    if "quantity" in fields:
        values["quantity"] = posting.positive(fields["quantity"])
    if fields.get("unit_price") is not None:
        values["unit_price"] = money(fields["unit_price"], "Unit price")
    for name, most in (("vendor_sku", VENDOR_SKU_CHARACTERS), ("note", NOTE_CHARACTERS)):
        if name in fields:
            values[name] = inputs.text(fields[name] or "", name.replace("_", " ").capitalize(), most) or None
    if fields.get("expected_on") is not None:
        check_day(fields["expected_on"], today)
    for name in ("product_id", "warehouse_id"):
        if name in fields:
            values[name] = inputs.small_id(fields[name], name.removesuffix("_id"))
    return values


def money(value: Decimal | int | str, what: str) -> Decimal:
    """An amount of money of at most 4 decimals that is not below zero. Refuses anything else by name."""
    amount = posting.exact(value, what)
    if not 0 <= amount < posting.PRICE_LIMIT:
        raise BadInput(f"{what}: {inputs.shown(value)} is not between 0 and {posting.PRICE_LIMIT:,}.")
    return amount


def check_day(day: date, today: date) -> None:
    """Refuse a day on which nothing can arrive any more, or that is a slip of the keyboard."""
    ahead = (day - today).days
    if not 0 <= ahead <= MOST_DAYS_AHEAD:
        where = "in the past" if ahead < 0 else "more than two years ahead"
        raise BadInput(f"Expected on: {day} lies {where}. Enter the day it should arrive.")


def _product(session: Session, product_id: int) -> Product:
    product = session.get(Product, product_id)
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    if not product.is_active:
        raise RuleBroken(f"{product.sku} is deactivated: reactivate it before it is ordered.")
    return product


def _place(session: Session, warehouse_id: int) -> Warehouse:
    place = session.get(Warehouse, warehouse_id)
    if place is None:
        raise NotFound(f"There is no warehouse {warehouse_id}.")
    if not place.is_active:
        raise RuleBroken(f"Warehouse {place.code} is not in use any more: choose another.")
    return place


def _price(
    order: PurchaseOrder, vendor: Vendor, product: Product, line: PurchaseOrderLine, quote: Quote | None
) -> None:
    """Give a line what the offer says; its price only where none was entered."""
    if quote is not None:
        line.offer_id, line.vendor_sku = quote.offer_id, line.vendor_sku or quote.vendor_sku
    if line.unit_price is not None:
        return
    if vendor.currency != order.currency:
        raise RuleBroken(
            f"{vendor.name} asks in {vendor.currency} now, {order.number} is in {order.currency}: "
            "enter the price, or make a new order."
        )
    price = quote.price(line.quantity) if quote else None
    if price is None:
        raise RuleBroken(f"{vendor.name} does not offer {product.sku}: enter a unit price.")
    line.unit_price = price


def _apply(
    session: Session, order: PurchaseOrder, line: PurchaseOrderLine, values: dict[str, Any], today: date
) -> None:
    """Set the values, and the price where it follows the offer."""
    if "warehouse_id" in values and values["warehouse_id"] != line.warehouse_id:
        place = _place(session, values["warehouse_id"])
        if place.id in {other.warehouse_id for other in order_state.lines(session, order)
                        if other.product_id == line.product_id}:  # fmt: skip
            raise RuleBroken(f"The product is on {order.number} for {place.code} already: change that line.")
    follows = "unit_price" in values and values["unit_price"] is None
    if follows or ("quantity" in values and "unit_price" not in values):
        vendor, product = session.get_one(Vendor, order.vendor_id), session.get_one(Product, line.product_id)
        quote = quotes(session, vendor.id, [product.id], today).get(product.id)
        if follows or (quote is not None and quote.price(line.quantity) == line.unit_price):
            priced = PurchaseOrderLine(
                quantity=values.get("quantity", line.quantity), vendor_sku=line.vendor_sku
            )
            _price(order, vendor, product, priced, quote)
            values = values | {"unit_price": priced.unit_price, "offer_id": priced.offer_id}
    if "unit_price" in values:
        offer_fields.check_in_shop_money(values["unit_price"], order.exchange_rate)
    for name, value in values.items():
        setattr(line, name, value)


def _said(session: Session, line: PurchaseOrderLine) -> dict[str, Any]:
    """A line in words for the audit."""
    return {
        "product": session.get_one(Product, line.product_id).sku,
        "warehouse": session.get_one(Warehouse, line.warehouse_id).code,
        "quantity": plain(line.quantity),
        "unit_price": plain(line.unit_price),
        "expected_on": line.expected_on.isoformat() if line.expected_on else None,
        "vendor_sku": line.vendor_sku,
        "note": line.note,
    }
