"""Stock on its way, entered by hand: how much arrives where and when. Run-outs count it while it is open.

What is open of a purchase order is on its way too, and is received here like any other; its order alone
changes it.
"""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, auth, inputs, posting, predictions, shop, stock, uids
from core.auth import Actor
from core.buying import order_receipts
from core.errors import BadInput, NotFound, RuleBroken
from core.posting import Booked
from db.models import (
    ExpectedReceipt,
    Movement,
    Posting,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    Warehouse,
)

NOTE_CHARACTERS = 300
# Further away it is a slip of the keyboard: no forecast reaches there.
MOST_DAYS_AHEAD = 730
MOST_OPEN = 50  # of one product
REFERENCE = "expected receipt"


def open_of(session: Session, product_id: int) -> list[ExpectedReceipt]:
    """What is on its way of a product, the next to arrive first."""
    question = select(ExpectedReceipt).where(
        ExpectedReceipt.product_id == inputs.small_id(product_id, "product"),
        ExpectedReceipt.closed_at.is_(None),
    )
    return list(session.scalars(question.order_by(ExpectedReceipt.expected_on, ExpectedReceipt.id)))


def add(
    session: Session,
    actor: Actor,
    product_id: int,
    warehouse_id: int,
    quantity: Decimal | int | str,
    expected_on: date,
    *,
    note: str | None = None,
    today: date,
) -> ExpectedReceipt:
    """Note down stock on its way, and work out the run-out anew."""
    auth.must(actor, "edit catalogue")
    values = _values(
        {"warehouse_id": warehouse_id, "quantity": quantity, "expected_on": expected_on, "note": note}, today
    )
    product = session.get(Product, inputs.small_id(product_id, "product"))
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    if not product.is_active:
        raise RuleBroken(f"{product.sku} is deactivated: reactivate it before stock comes in.")
    _check_place(session, values["warehouse_id"])
    if len(open_of(session, product.id)) >= MOST_OPEN:
        raise RuleBroken(
            f"{product.sku} has {MOST_OPEN} deliveries on their way: receive or cancel one first."
        )
    receipt = ExpectedReceipt(product_id=product.id, created_by=actor.id, **values)
    session.add(receipt)
    session.flush()
    _note(session, actor, "added stock on its way", receipt, None, _said(session, receipt))
    predictions.refresh(session, [product.id], today)
    return receipt


def change(
    session: Session, actor: Actor, receipt_uid: uuid.UUID | str, today: date, **fields: Any
) -> ExpectedReceipt:
    """Change warehouse_id, quantity, expected_on or note of open stock on its way; only the given fields."""
    auth.must(actor, "edit catalogue")
    values = _values(fields, today)
    receipt = _open(session, receipt_uid)
    changed = {name: value for name, value in values.items() if getattr(receipt, name) != value}
    if not changed:
        return receipt
    if "warehouse_id" in changed:
        _check_place(session, changed["warehouse_id"])
    before = _said(session, receipt)
    for name, value in changed.items():
        setattr(receipt, name, value)
    session.flush()
    _note(session, actor, "changed stock on its way", receipt, before, _said(session, receipt))
    predictions.refresh(session, [receipt.product_id], today)
    return receipt


def cancel(session: Session, actor: Actor, receipt_uid: uuid.UUID | str, today: date) -> ExpectedReceipt:
    """It does not come after all."""
    auth.must(actor, "edit catalogue")
    receipt = _open(session, receipt_uid)
    receipt.closed_at, receipt.closed_because = datetime.now(UTC), "cancelled"
    session.flush()
    _note(session, actor, "cancelled stock on its way", receipt, _said(session, receipt), None)
    predictions.refresh(session, [receipt.product_id], today)
    return receipt


def reopen(session: Session, actor: Actor, receipt_uid: uuid.UUID | str, today: date) -> ExpectedReceipt:
    """Take back a cancellation: it comes after all."""
    auth.must(actor, "edit catalogue")
    receipt = _locked(session, receipt_uid)
    _refuse_ordered(session, receipt)
    if receipt.closed_because == "received":
        raise RuleBroken("This delivery was received: undo that instead.")
    if receipt.closed_at is not None:
        receipt.closed_at = receipt.closed_because = None
        session.flush()
        _note(session, actor, "reopened stock on its way", receipt, None, _said(session, receipt))
        predictions.refresh(session, [receipt.product_id], today)
    return receipt


def receive(
    session: Session,
    actor: Actor,
    receipt_uid: uuid.UUID | str,
    *,
    key: str,
    quantity: Decimal | int | str | None = None,
    now: datetime,
) -> Booked:
    """Book what arrived as a receipt and close it; less than expected leaves the rest open.

    Without a quantity all of it arrived; more than expected is booked as it came. The same key finds the
    first answer again. What was ordered is received on its order.
    """
    auth.must(actor, "move stock")
    if (ordered := _ordered(session, receipt_uid)) is not None:
        order_uid, line_uid = ordered
        return order_receipts.receive(session, actor, order_uid, {line_uid: quantity}, key=key, now=now)
    receipt = _locked(session, receipt_uid)
    arrived = posting.positive(quantity) if quantity is not None else receipt.quantity
    earlier = _booked_before(session, actor, key)
    if earlier is not None and quantity is None:
        arrived = earlier
    if earlier is None and receipt.closed_at is not None:
        raise RuleBroken(f"This delivery was {receipt.closed_because} before.")
    booked = stock.add(
        session, actor, receipt.product_id, receipt.warehouse_id, arrived,
        key=key, reason=receipt.note, reference_type=REFERENCE, reference_id=str(receipt.uid),
    )  # fmt: skip
    if booked.replayed:
        return booked
    before = _said(session, receipt)
    if arrived < receipt.quantity:
        receipt.quantity -= arrived
    else:
        receipt.closed_at, receipt.closed_because = now, "received"
    session.flush()
    after = {"received": posting.plain(arrived), "movement": booked.lines[0].movement_id}
    _note(session, actor, "received stock on its way", receipt, before, after)
    predictions.refresh(session, [receipt.product_id], _today(session, now))
    return booked


def undo_receive(
    session: Session, actor: Actor, movement_id: int, *, now: datetime, key: str | None = None
) -> Booked:
    """Reverse the movement of a delivery, which is on its way again. The second click changes nothing."""
    auth.must(actor, "move stock")
    movement = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if movement is not None and movement.reference_type == order_receipts.REFERENCE:
        return order_receipts.undo(session, actor, movement_id, now=now, key=key)
    if movement is None or movement.reference_type != REFERENCE:
        raise NotFound(f"Movement {movement_id} is not the receipt of stock on its way.")
    receipt = _locked(session, movement.reference_id)
    booked = stock.reverse(session, actor, movement_id, key=key or f"undo:{movement_id}")
    if booked.replayed:
        return booked
    if receipt.closed_at is None:
        receipt.quantity += movement.change
    else:
        # Of more than was expected, what was expected. An earlier part came in full: it was less.
        if _closed_it(session, receipt, movement):
            receipt.quantity = min(receipt.quantity, movement.change)
        else:
            receipt.quantity = movement.change
        receipt.closed_at = receipt.closed_because = None
    session.flush()
    _note(session, actor, "reopened stock on its way", receipt, None, _said(session, receipt))
    predictions.refresh(session, [receipt.product_id], _today(session, now))
    return booked


# -- What is checked -----------------------------------------------------------------------------------------


def _values(fields: dict[str, Any], today: date) -> dict[str, Any]:
    """The fields as they are kept. An unknown one is a TypeError."""
    unknown = fields.keys() - {"warehouse_id", "quantity", "expected_on", "note"}
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    values = dict(fields)
    if "quantity" in fields:
        values["quantity"] = posting.positive(fields["quantity"])
    if "warehouse_id" in fields:
        values["warehouse_id"] = inputs.small_id(fields["warehouse_id"], "warehouse")
    if "note" in fields:
        values["note"] = inputs.text(fields["note"] or "", "Note", NOTE_CHARACTERS) or None
    if "expected_on" in fields:
        ahead = (fields["expected_on"] - today).days
        if not 0 <= ahead <= MOST_DAYS_AHEAD:
            where = "in the past" if ahead < 0 else "more than two years ahead"
            raise BadInput(
                f"Expected on: {fields['expected_on']} lies {where}. Enter the day it should arrive."
            )
    return values


def _check_place(session: Session, warehouse_id: int) -> None:
    place = session.get(Warehouse, warehouse_id)
    if place is None:
        raise NotFound(f"There is no warehouse {warehouse_id}.")
    if not place.is_active:
        raise RuleBroken(f"Warehouse {place.code} is not in use any more: choose another.")


def _locked(session: Session, receipt_uid: uuid.UUID | str) -> ExpectedReceipt:
    """The receipt as it is now; who else receives or cancels it waits."""
    return uids.locked(
        session, ExpectedReceipt, receipt_uid, "stock on its way", "There is no such stock on its way."
    )


def _open(session: Session, receipt_uid: uuid.UUID | str) -> ExpectedReceipt:
    receipt = _locked(session, receipt_uid)
    _refuse_ordered(session, receipt)
    if receipt.closed_at is not None:
        raise RuleBroken(f"This delivery was {receipt.closed_because} before.")
    return receipt


def _ordered(session: Session, receipt_uid: uuid.UUID | str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Order and line of what was ordered; None for what was noted by hand. Nothing is locked: orders are
    locked before what is on its way."""
    question = (
        select(PurchaseOrder.uid, PurchaseOrderLine.uid)
        .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .join(ExpectedReceipt, ExpectedReceipt.order_line_id == PurchaseOrderLine.id)
        .where(ExpectedReceipt.uid == inputs.uid(receipt_uid, "stock on its way"))
    )
    found = session.execute(question).first()
    return None if found is None else (found[0], found[1])


def _refuse_ordered(session: Session, receipt: ExpectedReceipt) -> None:
    if receipt.order_line_id is None:
        return
    of_line = select(PurchaseOrderLine.order_id).where(PurchaseOrderLine.id == receipt.order_line_id)
    number = session.scalar(select(PurchaseOrder.number).where(PurchaseOrder.id.in_(of_line)))
    raise RuleBroken(f"This belongs to {number}: change it there.")


def _booked_before(session: Session, actor: Actor, key: str) -> Decimal | None:
    """How much the same request booked when it came first."""
    answer = session.scalar(select(Posting.answer).where(Posting.actor_id == actor.id, Posting.key == key))
    lines = answer.get("lines") if answer else None
    return Decimal(lines[0]["change"]) if lines else None


def _closed_it(session: Session, receipt: ExpectedReceipt, movement: Movement) -> bool:
    """Whether this was the part with which a delivery was complete."""
    later = select(Movement.id).where(
        Movement.product_id == receipt.product_id,
        Movement.id > movement.id,
        Movement.reference_type == REFERENCE,
        Movement.reference_id == str(receipt.uid),
        Movement.reverses_id.is_(None),
    )
    return receipt.closed_because == "received" and session.scalar(later.limit(1)) is None


def _today(session: Session, now: datetime) -> date:
    return shop.today(shop.get(session), now)


def _said(session: Session, receipt: ExpectedReceipt) -> dict[str, Any]:
    return {
        "quantity": posting.plain(receipt.quantity),
        "expected_on": receipt.expected_on.isoformat(),
        "warehouse": session.get_one(Warehouse, receipt.warehouse_id).code,
        "note": receipt.note,
    }


def _note(
    session: Session,
    actor: Actor,
    action: str,
    receipt: ExpectedReceipt,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """An audit line about the product, where people look for it."""
    product = session.get_one(Product, receipt.product_id)
    audit.note(session, actor.id, action, "product", product.uid, before=before, after=after)
