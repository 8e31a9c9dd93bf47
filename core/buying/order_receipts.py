"""What arrives of purchase orders: booked in parts and taken back.

A delivery is one posting of all its lines, in the transaction that changes the order. What arrives is booked
into the warehouse for which the line was ordered; what stands elsewhere is transferred from there.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import auth, inputs, posting, predictions, shop, stock
from core.auth import Actor
from core.buying import order_facts, order_state
from core.errors import BadInput, NotFound, RuleBroken
from core.posting import Booked, plain
from db.models import Movement, OrderReceipt, Product, PurchaseOrder, PurchaseOrderLine

REFERENCE = "purchase order"  # what movements refer to, with the order's number
Arrived = Mapping[uuid.UUID | str, Decimal | int | str | None]


def receive(
    session: Session,
    actor: Actor,
    order_uid: uuid.UUID | str,
    lines: Arrived | None = None,
    *,
    key: str,
    now: datetime,
    although_complete: bool = False,
    note: str | None = None,
) -> Booked:
    """Book what arrived: one posting of all lines, each into the warehouse for which it was ordered.

    Args:
        lines: how much of which line (by its uid); None for a line: all that is open of it; a 0 did not
            arrive. Without lines all that is open arrived.
        key: the same key with the same request finds the first answer again.
        although_complete: also book more of a line of which nothing was open any more.
        note: what the movements say about the goods, a lot for one.

    Less than ordered leaves the rest open; more is booked as it came. Refuses a line that is complete
    (somebody else may have booked the same delivery), an order that is not awaited, and by name
    a product or warehouse that is not in use any more.
    """
    auth.must(actor, "move stock")
    order = order_state.locked(session, order_uid)
    asked = _asked(lines)
    said = None if asked is None else {str(uid): n if n is None else plain(n) for uid, n in asked.items()}
    request = {"order": str(order.uid), "lines": said}
    if posting.is_known(session, actor, key):
        return posting.post(session, actor, "receive", [], key, request=request)
    arrived = _arrived(session, order, asked, although_complete=although_complete)
    order_state.refuse_closed_places(session, [line for line, _ in arrived])
    movements = [_movement(order, line, quantity, note) for line, quantity in arrived]
    booked = posting.post(session, actor, "receive", movements, key, request=request)
    today = shop.today(shop.get(session), now)
    moved = {(line.product_id, line.warehouse_id): line.movement_id for line in booked.lines}
    for line, quantity in arrived:
        line.received += quantity
        # What came after all was not given up.
        line.given_up = min(line.given_up, max(line.quantity - line.received, order_state.NOTHING))
        session.add(
            OrderReceipt(
                line_id=line.id, movement_id=moved[line.product_id, line.warehouse_id], quantity=quantity,
                received_on=today, received_by=actor.id, received_at=now,
            )
        )  # fmt: skip
    told = [[_sku(session, line), plain(quantity)] for line, quantity in arrived]
    products = {line.product_id for line, _ in arrived}
    _settle(session, actor, "received", order, products, now, {"arrived": told, "posting": booked.posting_id})
    return booked


def undo(
    session: Session,
    actor: Actor,
    movement_id: int,
    *,
    now: datetime,
    key: str | None = None,
    reason: str | None = None,
) -> Booked:
    """Reverse the movement of a line that arrived, which is on its way again. A second click changes nothing.

    Refuses when the stock has meanwhile left the shelf, with the figures.
    """
    auth.must(actor, "move stock")
    line_id = session.scalar(
        select(OrderReceipt.line_id).where(OrderReceipt.movement_id == inputs.big_id(movement_id, "movement"))
    )
    if line_id is None:
        raise NotFound(f"Movement {movement_id} did not receive a purchase order.")
    order = order_state.locked_with(session, line_id)
    (booked,) = _take_back(session, actor, order, [movement_id], now, key=key, reason=reason)
    return booked


def undo_booking(session: Session, actor: Actor, posting_id: int, *, now: datetime) -> list[Booked]:
    """Take back a whole delivery: `undo` for each of its movements that counts still.

    Refuses a posting that received no order, and all of it when one line's stock has left the shelf.
    """
    auth.must(actor, "move stock")
    of_posting = Movement.posting_id == inputs.big_id(posting_id, "posting")
    question = (
        select(OrderReceipt.line_id)
        .join(Movement, Movement.id == OrderReceipt.movement_id)
        .where(of_posting)
        .limit(1)
    )
    line_id = session.scalar(question)
    if line_id is None:
        raise NotFound(f"Posting {posting_id} did not receive a purchase order.")
    order = order_state.locked_with(session, line_id)
    counted = (
        select(Movement.id)
        .join(OrderReceipt, OrderReceipt.movement_id == Movement.id)
        .where(of_posting, OrderReceipt.undone_at.is_(None))
        # In the order in which all bookings lock what lies where.
        .order_by(Movement.product_id, Movement.warehouse_id)
    )
    return _take_back(session, actor, order, list(session.scalars(counted)), now)


def _take_back(
    session: Session,
    actor: Actor,
    order: PurchaseOrder,
    movement_ids: list[int],
    now: datetime,
    *,
    key: str | None = None,
    reason: str | None = None,
) -> list[Booked]:
    """Reverse these movements of a locked order, and open again what they had received."""
    question = select(OrderReceipt).where(OrderReceipt.movement_id.in_(movement_ids))
    found = session.scalars(question.execution_options(populate_existing=True))
    receipts = {receipt.movement_id: receipt for receipt in found}
    counted = [receipt for receipt in receipts.values() if receipt.undone_at is None]
    with session.begin_nested():
        for receipt in counted:
            receipt.undone_at = now
        session.flush()  # a movement that an order still counts is not reversed
        answers = [
            stock.reverse(session, actor, movement_id, key=key or f"undo:{movement_id}", reason=reason)
            for movement_id in movement_ids
        ]
    lines = {line.id: line for line in order_state.lines(session, order)}
    told, products = [], set()
    for receipt in counted:
        line = lines[receipt.line_id]
        line.received -= receipt.quantity
        products.add(line.product_id)
        told.append([_sku(session, line), plain(receipt.quantity)])
    if counted:
        _settle(session, actor, "took back a receipt", order, products, now, {"arrived": told})
    return answers


def is_of_order(session: Session, movement_id: int) -> bool:
    """Whether a movement received a purchase order, and was not taken back."""
    counted = select(OrderReceipt.id).where(
        OrderReceipt.movement_id == inputs.big_id(movement_id, "movement"), OrderReceipt.undone_at.is_(None)
    )
    return session.scalar(counted) is not None


# -- What they share -----------------------------------------------------------------------------------------


def _asked(lines: Arrived | None) -> dict[uuid.UUID, Decimal | None] | None:
    """How much of which line as it was asked for, without what did not arrive; None: all that is open."""
    if lines is None:
        return None
    asked = {}
    for uid, given in lines.items():
        quantity = None if given is None else posting.exact(given, "Arrived")
        if quantity is not None and quantity < 0:
            raise BadInput(f"Arrived: {plain(quantity)} is below zero.")
        if quantity != 0:
            asked[inputs.uid(uid, "a line of an order")] = quantity
    if not asked:
        raise BadInput("Nothing arrived: enter how many pieces came.")
    return asked


def _arrived(
    session: Session,
    order: PurchaseOrder,
    asked: dict[uuid.UUID, Decimal | None] | None,
    *,
    although_complete: bool,
) -> list[tuple[PurchaseOrderLine, Decimal]]:
    """The lines that arrived, with how much of each."""
    states = (*order_state.AWAITED, "received") if although_complete else order_state.AWAITED
    order_state.must_be(order, *states, what="nothing of it is awaited.")
    there = {line.uid: line for line in order_state.lines(session, order)}
    if asked is None:
        asked = {uid: None for uid, line in there.items() if order_state.open_of(line) > 0}
    arrived = []
    for uid, given in asked.items():
        line = there.get(uid)
        if line is None:
            raise NotFound(f"{order.number} has no such line.")
        left = order_state.open_of(line)
        if left == 0 and (given is None or not although_complete):
            raise RuleBroken(
                f"{_sku(session, line)}: {plain(line.received)} of {plain(line.quantity)} were received "
                "before; nothing of it is open."
            )
        arrived.append((line, left if given is None else given))
    return arrived


def _movement(
    order: PurchaseOrder, line: PurchaseOrderLine, quantity: Decimal, note: str | None
) -> dict[str, Any]:
    """A line as the ledger takes it, at its price in the shop's currency."""
    about = {
        "unit_price": order_facts.in_shop_currency(order, line.unit_price),
        "reference_type": REFERENCE,
        "reference_id": order.number,
        "reason": note,
    }
    return posting.line(line.product_id, line.warehouse_id, "in", "receipt", quantity, about)


def _settle(
    session: Session,
    actor: Actor,
    action: str,
    order: PurchaseOrder,
    moved: set[int],
    now: datetime,
    after: dict[str, Any],
) -> None:
    """State, stock on its way, audit and run-outs, after stock of some products arrived or was taken back."""
    session.flush()
    today = shop.today(shop.get(session), now)
    touched = moved.union(order_state.follow(session, order, actor, today, now))
    order_state.note(session, actor, action, order, after=after | {"state": order.state})
    predictions.refresh(session, sorted(touched), today)


def _sku(session: Session, line: PurchaseOrderLine) -> str:
    return session.scalars(select(Product.sku).where(Product.id == line.product_id)).one()
