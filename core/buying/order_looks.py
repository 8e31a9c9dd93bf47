"""A purchase order as people look at it: its lines, what arrived, what was done to it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import inputs, shop
from core.buying import order_facts, order_state
from core.buying.order_facts import Facts
from core.buying.order_lines import Quote
from core.errors import NotFound
from db.models import (
    AuditLine,
    Movement,
    OrderReceipt,
    Person,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    Vendor,
    Warehouse,
)


@dataclass(frozen=True)
class Line:
    """A line of an order with the names people know it by.

    `open`: still to come (0 unless the order is awaited); `over`: came beyond what was ordered. `quote`: what
    the vendor asks now; only of a draft, None when it offers none.
    """

    id: int
    uid: uuid.UUID
    product_id: int
    product_uid: uuid.UUID
    sku: str
    name: str
    unit_of_measure: str
    is_active: bool
    warehouse_id: int
    warehouse_uid: uuid.UUID
    warehouse_code: str
    vendor_sku: str | None
    quantity: Decimal
    unit_price: Decimal
    value: Decimal
    expected_on: date | None
    promised_on: date | None
    received: Decimal
    given_up: Decimal
    open: Decimal
    over: Decimal
    late_days: int
    note: str | None
    quote: Quote | None


@dataclass(frozen=True)
class Receipt:
    """A part that arrived; `undone_at` set: it never was."""

    movement_id: int
    posting_id: int
    line_uid: uuid.UUID
    sku: str
    warehouse_code: str
    quantity: Decimal
    received_on: date
    received_by: str
    received_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True)
class Happening:
    """One thing somebody did to the order."""

    at: datetime
    person: str | None
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class Detail:
    """An order and all that belongs to it. `late_days`: of its latest open line, 0 when none is late;
    `warehouses`: where it is delivered."""

    order: PurchaseOrder
    vendor: Vendor
    created_by: str
    sent_by: str | None
    cancelled_by: str | None
    lines: tuple[Line, ...]
    receipts: tuple[Receipt, ...]
    history: tuple[Happening, ...]
    facts: Facts
    late_days: int
    warehouses: tuple[Warehouse, ...]
    shop_name: str
    shop_currency: str


@dataclass(frozen=True)
class OpenLine:
    """A line of which something is still to come. `expected_on` moves with what the vendor announces."""

    order_uid: uuid.UUID
    number: str
    vendor: str
    line_uid: uuid.UUID
    warehouse_id: int
    warehouse_code: str
    quantity: Decimal
    received: Decimal
    open: Decimal
    promised_on: date | None
    expected_on: date | None


# -- One order -----------------------------------------------------------------------------------------------


def by_uid(session: Session, order_uid: uuid.UUID | str, today: date) -> Detail:
    """The order with this public id. Refuses an unknown or malformed id."""
    wanted = inputs.uid(order_uid, "a purchase order")
    order = session.scalar(select(PurchaseOrder).where(PurchaseOrder.uid == wanted))
    if order is None:
        raise NotFound("There is no such purchase order; it may have been another shop's link.")
    return detail(session, order, today)


def detail(session: Session, order: PurchaseOrder, today: date) -> Detail:
    """All that belongs to an order."""
    facts, ours = order_facts.of(session, order, today), shop.get(session)
    lines = tuple(_lines(session, order, facts, today))
    ids = {order.created_by, order.sent_by, order.cancelled_by} - {None}
    people = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    names = {row.id: row.name for row in people}
    return Detail(
        order=order,
        vendor=session.get_one(Vendor, order.vendor_id),
        created_by=names[order.created_by],
        sent_by=names.get(order.sent_by) if order.sent_by else None,
        cancelled_by=names.get(order.cancelled_by) if order.cancelled_by else None,
        lines=lines,
        receipts=tuple(receipts(session, order)),
        history=tuple(history(session, order)),
        facts=facts,
        late_days=max((line.late_days for line in lines), default=0),
        warehouses=tuple(_places(session, lines)),
        shop_name=ours.name,
        shop_currency=ours.currency,
    )


def _lines(session: Session, order: PurchaseOrder, facts: Facts, today: date) -> list[Line]:
    question = (
        select(PurchaseOrderLine, Product, Warehouse)
        .join(Product, Product.id == PurchaseOrderLine.product_id)
        .join(Warehouse, Warehouse.id == PurchaseOrderLine.warehouse_id)
        .where(PurchaseOrderLine.order_id == order.id)
        .order_by(PurchaseOrderLine.id)
    )
    return [
        _line(order, line, product, place, facts, today) for line, product, place in session.execute(question)
    ]


def _line(
    order: PurchaseOrder,
    line: PurchaseOrderLine,
    product: Product,
    place: Warehouse,
    facts: Facts,
    today: date,
) -> Line:
    coming = order_state.open_of(line) if order.state in order_state.AWAITED else order_state.NOTHING
    is_late = coming > 0 and line.expected_on is not None and line.expected_on < today
    return Line(
        line.id, line.uid, product.id, product.uid, product.sku, product.name, product.unit_of_measure,
        product.is_active, place.id, place.uid, place.code, line.vendor_sku, line.quantity, line.unit_price,
        order_facts.worth(line), line.expected_on, line.promised_on, line.received, line.given_up, coming,
        max(line.received - line.quantity, order_state.NOTHING),
        (today - line.expected_on).days if is_late and line.expected_on else 0, line.note,
        facts.quotes.get(product.id),
    )  # fmt: skip


def open_lines(session: Session, product_id: int, warehouse_id: int | None = None) -> tuple[OpenLine, ...]:
    """What is still to come of a product (to one warehouse, where it is named), the oldest promise first."""
    line = PurchaseOrderLine
    question = (
        select(line, PurchaseOrder.uid, PurchaseOrder.number, Vendor.name, Warehouse.code)
        .join(PurchaseOrder, PurchaseOrder.id == line.order_id)
        .join(Vendor, Vendor.id == PurchaseOrder.vendor_id)
        .join(Warehouse, Warehouse.id == line.warehouse_id)
        .where(
            line.product_id == inputs.small_id(product_id, "product"),
            PurchaseOrder.state.in_(order_state.AWAITED),
            line.quantity > line.received + line.given_up,
        )
        .order_by(func.coalesce(line.promised_on, line.expected_on), line.id)
    )
    if warehouse_id is not None:
        question = question.where(line.warehouse_id == inputs.small_id(warehouse_id, "warehouse"))
    return tuple(
        OpenLine(
            order_uid, number, vendor, row.uid, row.warehouse_id, code, row.quantity, row.received,
            order_state.open_of(row), row.promised_on, row.expected_on,
        )
        for row, order_uid, number, vendor, code in session.execute(
            question.execution_options(populate_existing=True)
        )
    )  # fmt: skip


def _places(session: Session, lines: Sequence[Line]) -> list[Warehouse]:
    """Where an order is delivered, by code."""
    ids = {line.warehouse_id for line in lines}
    return list(session.scalars(select(Warehouse).where(Warehouse.id.in_(ids)).order_by(Warehouse.code)))


def receipts(session: Session, order: PurchaseOrder) -> list[Receipt]:
    """What arrived of an order, the latest first; parts that were undone stay in the list."""
    question = (
        select(
            OrderReceipt, PurchaseOrderLine.uid, Product.sku, Warehouse.code, Person.name, Movement.posting_id
        )
        .join(PurchaseOrderLine, PurchaseOrderLine.id == OrderReceipt.line_id)
        .join(Product, Product.id == PurchaseOrderLine.product_id)
        .join(Warehouse, Warehouse.id == PurchaseOrderLine.warehouse_id)
        .join(Person, Person.id == OrderReceipt.received_by)
        .join(Movement, Movement.id == OrderReceipt.movement_id)
        .where(PurchaseOrderLine.order_id == order.id)
        .order_by(OrderReceipt.received_at.desc(), OrderReceipt.id.desc())
    )
    return [
        Receipt(
            row.movement_id, posting_id, line_uid, sku, code, row.quantity, row.received_on, person,
            row.received_at, row.undone_at,
        )
        for row, line_uid, sku, code, person, posting_id in session.execute(question)
    ]  # fmt: skip


def history(session: Session, order: PurchaseOrder) -> list[Happening]:
    """What was done to an order, the latest first."""
    question = (
        select(AuditLine, Person.name)
        .outerjoin(Person, Person.id == AuditLine.actor_id)
        .where(AuditLine.subject_type == order_state.SUBJECT, AuditLine.subject_id == str(order.uid))
        .order_by(AuditLine.id.desc())
    )
    return [
        Happening(line.at, person, line.action, line.before, line.after)
        for line, person in session.execute(question)
    ]
