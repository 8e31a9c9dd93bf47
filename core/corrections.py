"""What was booked wrongly: corrected, taken back, or explained by a note beside it.

The ledger only grows, so a correction is a reversal of the movement and a new entry in its place, booked as
one posting; a note stands beside the movement and leaves it as it was written.
"""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, auth, expected, inputs, movement_notes, posting, rebooking, stock
from core.auth import Actor
from core.buying import order_receipts
from core.errors import AlreadyReversed, BadInput, NotFound
from core.posting import Booked
from core.rebooking import Entry
from db.models import Movement


def amend(
    session: Session,
    actor: Actor,
    movement_id: int,
    *,
    quantity: Decimal | int | str | None = None,
    unit_price: Decimal | int | str | None = None,
    key: str | None = None,
    **words: str | None,
) -> int:
    """Correct a movement, or only annotate it when quantity and price are what they were.

    `words`: notes, reference_type, reference_id. Answers the id of the movement that counts now: the
    replacement, or the same one.

    Refuses figures for a movement that was reversed or corrected before, also those it had: they count no
    more.
    """
    auth.must(actor, "edit catalogue")
    legs = rebooking.legs_of(session, movement_id)
    price = legs[0].unit_price if unit_price is None else posting.exact(unit_price, "Unit price")
    if _changes(legs, quantity) == [leg.change for leg in legs] and price == legs[0].unit_price:
        if quantity is not None or unit_price is not None:
            _refuse_reversed(session, movement_id)
        movement_notes.annotate(session, actor, movement_id, **words)
        return movement_id
    correct(session, actor, movement_id, quantity=quantity, unit_price=unit_price, key=key, **words)
    new_id = rebooking.replacement_of(session, movement_id)
    if new_id is None:
        raise NotFound(f"Movement {movement_id} was not replaced.")
    return new_id


# -- Correcting ----------------------------------------------------------------------------------------------


def correct(
    session: Session,
    actor: Actor,
    movement_id: int,
    *,
    quantity: Decimal | int | str | None = None,
    unit_price: Decimal | int | str | None = None,
    notes: str | None = None,
    reference_type: str | None = None,
    reference_id: str | None = None,
    key: str | None = None,
) -> Booked:
    """Book a movement anew with another quantity or price, and reverse the old one: both or neither.

    The new entry keeps moment, reason, customer, and the reference and notes that were shown so far, unless
    others are given. Both legs of a transfer are corrected. `rebooking.replacement_of` tells the new entry.

    Args:
        quantity: as it is entered for the type: above zero for in, out and transfer, signed for adjust.
        key: a retry with the key finds the same answer.

    Refuses a reversal, a movement that was reversed or corrected before, a sale that came back, what a
    purchase order counts as received, and a correction for which there is too little on hand, with figures.
    """
    auth.must(actor, "edit catalogue")
    legs = rebooking.legs_of(session, movement_id)
    given = zip(movement_notes.NOTED, (notes, reference_type, reference_id), strict=True)
    words = {name: value for name, value in given if value is not None}
    price = None if unit_price is None else posting.exact(unit_price, "Unit price")
    request = {
        "movement_id": movement_id,
        "quantity": None if quantity is None else posting.plain(posting.exact(quantity, "Quantity")),
        "unit_price": None if price is None else posting.plain(price),
    } | words
    entries = [
        replace(Entry.of(leg), change=change, unit_price=leg.unit_price if price is None else price)
        for leg, change in zip(legs, _changes(legs, quantity), strict=True)
    ]
    return rebooking.book(session, actor, legs, entries, key, request, words=words)


def undo(
    session: Session, actor: Actor, movement_id: int, *, now: datetime, key: str | None = None
) -> Booked:
    """Reverse a movement, and take back what it did to an order or to stock on its way: that comes again.

    The second click (or the same `key`) finds the first one's answer. Refuses like `stock.reverse`.
    """
    auth.must(actor, "move stock")
    movement = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if movement is not None and movement.reverses_id is None:
        if order_receipts.is_of_order(session, movement_id):
            return order_receipts.undo(session, actor, movement_id, now=now, key=key)
        if movement.reference_type == expected.REFERENCE:
            return expected.undo_receive(session, actor, movement_id, now=now, key=key)
    return stock.reverse(session, actor, movement_id, key=key or f"undo:{movement_id}")


def take_back(session: Session, actor: Actor, movement_id: int, *, key: str | None = None) -> Booked:
    """Delete an entry the way a ledger does: reverse it, both legs of a transfer; it stays readable.

    What a purchase order counted as received is open there again. Refuses the second time (AlreadyReversed).
    """
    auth.must(actor, "delete catalogue")
    if order_receipts.is_of_order(session, movement_id):
        booked = order_receipts.undo(
            session, actor, movement_id, now=datetime.now(UTC), key=key or uuid.uuid4().hex, reason="Deleted"
        )
    else:
        booked = stock.reverse(session, actor, movement_id, reason="Deleted", key=key)
    if not booked.replayed:
        audit.note(session, actor.id, "reversed", "movement", movement_id)
    return booked


def _refuse_reversed(session: Session, movement_id: int) -> None:
    if session.scalar(select(Movement.id).where(Movement.reverses_id == movement_id)) is not None:
        raise AlreadyReversed(f"Movement {movement_id} was reversed before.")


def _changes(legs: list[Movement], quantity: Decimal | int | str | None) -> list[Decimal]:
    """The signed changes of the new entries."""
    if quantity is None:
        return [leg.change for leg in legs]
    if legs[0].type == "adjust":
        change = posting.exact(quantity, "Quantity")
        if change == 0:
            raise BadInput("A correction to 0 leaves nothing: delete the entry instead.")
        return [change]
    amount = posting.positive(quantity)
    if len(legs) == 2:
        return [-amount, amount]
    return [amount if legs[0].type == "in" else -amount]
