"""What the state of a purchase order follows from, and the stock on its way that stands for what is open.

Every verb of orders locks the order first, then changes its lines, then calls `follow`: so two of them wait
for each other, and what is open of a sent line always is one open `expected_receipt`.
"""

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, uids
from core.auth import Actor
from core.errors import RuleBroken
from db.models import ExpectedReceipt, Product, PurchaseOrder, PurchaseOrderLine, Vendor, Warehouse

SUBJECT = "purchase order"  # of audit lines
AWAITED = ("sent", "partly_received")
NOTHING = Decimal(0)
# In the middle of a sentence.
WORDS = {
    "draft": "is a draft",
    "sent": "was sent",
    "partly_received": "was received in part",
    "received": "was received",
    "cancelled": "was cancelled",
}


def locked(session: Session, order_uid: uuid.UUID | str) -> PurchaseOrder:
    """The order as it is now; who else changes or receives it waits."""
    missing = "There is no such purchase order; it may have been another shop's link."
    return uids.locked(session, PurchaseOrder, order_uid, "a purchase order", missing)


def locked_with(session: Session, line_id: int) -> PurchaseOrder:
    """The order of a line, locked like `locked`."""
    of_line = select(PurchaseOrderLine.order_id).where(PurchaseOrderLine.id == line_id)
    uid = session.scalars(select(PurchaseOrder.uid).where(PurchaseOrder.id.in_(of_line))).one()
    return locked(session, uid)


def lines(session: Session, order: PurchaseOrder) -> list[PurchaseOrderLine]:
    """The lines as they are now, in the order in which they were added."""
    question = select(PurchaseOrderLine).where(PurchaseOrderLine.order_id == order.id)
    return list(
        session.scalars(question.order_by(PurchaseOrderLine.id).execution_options(populate_existing=True))
    )


def open_of(line: PurchaseOrderLine) -> Decimal:
    """How much of a line is still to come, as long as its order is awaited."""
    return max(line.quantity - line.received - line.given_up, NOTHING)


def must_be(order: PurchaseOrder, *states: str, what: str) -> None:
    """Refuse an order in another state; `what` says what to do about it."""
    if order.state not in states:
        raise RuleBroken(f"{order.number} {WORDS[order.state]}: {what}")


def refuse_closed(session: Session, order: PurchaseOrder, ordered: Iterable[PurchaseOrderLine]) -> None:
    """Refuse when the vendor, or a product or warehouse of these lines, is not in use any more.

    Nobody closes them until this transaction ends: they are locked against that, in one order.
    """
    ordered = list(ordered)
    held = {"read": True}
    vendor = session.get_one(Vendor, order.vendor_id, with_for_update=held, populate_existing=True)
    if not vendor.is_active:
        raise RuleBroken(f"{vendor.name} is deactivated: reactivate the vendor, or order elsewhere.")
    refuse_closed_places(session, ordered)


def refuse_closed_places(session: Session, ordered: Iterable[PurchaseOrderLine]) -> None:
    """Like `refuse_closed`, but for the vendor: what was sent may still arrive from one that was closed."""
    ordered = list(ordered)
    for model, ids in (
        (Product, {line.product_id for line in ordered}),
        (Warehouse, {line.warehouse_id for line in ordered}),
    ):
        question = select(model).where(model.id.in_(ids)).order_by(model.id)
        question = question.with_for_update(read=True).execution_options(populate_existing=True)
        for row in session.scalars(question):
            if not row.is_active and isinstance(row, Product):
                raise RuleBroken(f"{row.sku} is deactivated: reactivate it before stock comes in.")
            if not row.is_active:
                raise RuleBroken(f"Warehouse {row.code} is not in use any more: choose another.")


def follow(session: Session, order: PurchaseOrder, actor: Actor, today: date, now: datetime) -> list[int]:
    """Let the state follow from the lines, and keep what is open of them as stock on its way.

    Answers the products of which something else is on its way now: their run-outs are to be worked out anew.
    """
    ordered = lines(session, order)
    if order.state in (*AWAITED, "received"):
        came = any(line.received > 0 for line in ordered)
        if any(open_of(line) > 0 for line in ordered):
            order.state, order.received_on = ("partly_received" if came else "sent"), None
        elif came:
            order.state, order.received_on = "received", order.received_on or today
        else:
            order.state, order.cancelled_by, order.cancelled_at = "cancelled", actor.id, now
    kept = _kept(session, ordered)
    moved = set()
    for line in ordered:
        coming = open_of(line) if order.state in AWAITED else NOTHING
        if _keep_in_step(session, order, line, kept.get(line.id), coming, actor, now):
            moved.add(line.product_id)
    session.flush()
    return sorted(moved)


def _kept(session: Session, ordered: list[PurchaseOrderLine]) -> dict[int, ExpectedReceipt]:
    """The one row of stock on its way of each line, open or closed."""
    question = (
        select(ExpectedReceipt)
        .where(ExpectedReceipt.order_line_id.in_([line.id for line in ordered]))
        .order_by(ExpectedReceipt.id)
        .execution_options(populate_existing=True)
    )
    return {row.order_line_id: row for row in session.scalars(question) if row.order_line_id is not None}


def _keep_in_step(
    session: Session,
    order: PurchaseOrder,
    line: PurchaseOrderLine,
    row: ExpectedReceipt | None,
    coming: Decimal,
    actor: Actor,
    now: datetime,
) -> bool:
    """Whether something else is on its way than before."""
    if coming <= 0:
        if row is None or row.closed_at is not None:
            return False
        row.closed_at = now
        row.closed_because = "received" if line.received >= line.quantity else "cancelled"
        return True
    values = {
        "product_id": line.product_id,
        "warehouse_id": line.warehouse_id,
        "quantity": coming,
        "expected_on": line.expected_on,
        "note": order.number,
        "closed_at": None,
        "closed_because": None,
    }
    if row is None:
        session.add(ExpectedReceipt(order_line_id=line.id, created_by=order.sent_by or actor.id, **values))
        return True
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def note(
    session: Session,
    actor: Actor,
    action: str,
    order: PurchaseOrder,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """An audit line about the order."""
    audit.note(session, actor.id, action, SUBJECT, order.uid, before=before, after=after)
