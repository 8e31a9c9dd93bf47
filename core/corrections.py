"""What was booked wrongly: corrected, taken back, or explained by a note beside it.

The ledger only grows, so a correction is a reversal of the movement and a new entry in its place, booked as
one posting; a note stands beside the movement and leaves it as it was written.
"""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core import audit, auth, expected, inputs, posting, stock
from core.auth import Actor
from core.buying import order_receipts
from core.errors import AlreadyReversed, BadInput, InsufficientStock, NotFound, RuleBroken
from core.posting import Booked
from db.models import Movement, MovementNote, Product, Replacement, Warehouse

NOTED = ("notes", "reference_type", "reference_id")


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
    legs = legs_of(session, movement_id)
    price = legs[0].unit_price if unit_price is None else posting.exact(unit_price, "Unit price")
    if _changes(legs, quantity) == [leg.change for leg in legs] and price == legs[0].unit_price:
        if quantity is not None or unit_price is not None:
            _refuse_reversed(session, movement_id)
        annotate(session, actor, movement_id, **words)
        return movement_id
    correct(session, actor, movement_id, quantity=quantity, unit_price=unit_price, key=key, **words)
    new_id = replacement_of(session, movement_id)
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
    others are given. Both legs of a transfer are corrected. See `replacement_of` for the new entry's id.

    Args:
        quantity: as it is entered for the type: above zero for in, out and transfer, signed for adjust.
        key: a retry with the key finds the same answer.

    Refuses a reversal, a movement that was reversed or corrected before, a sale that came back, what a
    purchase order counts as received, and a correction for which there is too little on hand, with figures.
    """
    auth.must(actor, "edit catalogue")
    legs = legs_of(session, movement_id)
    stock.refuse_of_order(session, legs[0])
    request = {
        "movement_id": movement_id,
        "quantity": None if quantity is None else posting.plain(posting.exact(quantity, "Quantity")),
        "unit_price": None if unit_price is None else posting.plain(posting.exact(unit_price, "Unit price")),
    } | {
        name: value
        for name, value in zip(NOTED, (notes, reference_type, reference_id), strict=True)
        if value is not None
    }
    shown = newest_notes(session, legs[0].id)
    about = {
        "reason": notes if notes is not None else shown["notes"],
        "reference_type": reference_type if reference_type is not None else shown["reference_type"],
        "reference_id": reference_id if reference_id is not None else shown["reference_id"],
        "unit_price": legs[0].unit_price if unit_price is None else unit_price,
    }
    lines, new_places = _correction(legs, _changes(legs, quantity), about)
    try:
        booked = posting.post(session, actor, "correct", lines, key, request=request)
    except InsufficientStock as refusal:
        raise too_little(session, refusal, lines) from refusal
    if not booked.replayed:
        for leg, place in zip(legs, new_places, strict=True):
            session.add(Replacement(movement_id=booked.lines[place].movement_id, replaces_id=leg.id))
        session.flush()
        audit.note(
            session, actor.id, "corrected", "movement", movement_id,
            before=_said(legs[0].change, legs[0].unit_price),
            after=_said(booked.lines[new_places[0]].change, lines[new_places[0]].get("unit_price")),
        )  # fmt: skip
    return booked


def replacement_of(session: Session, movement_id: int) -> int | None:
    """The movement that was booked in place of this one."""
    return session.scalar(select(Replacement.movement_id).where(Replacement.replaces_id == movement_id))


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


def legs_of(session: Session, movement_id: int) -> list[Movement]:
    """The movement and, for a transfer, its other leg; the one that takes stock away comes first.

    Refuses a reversal.
    """
    first = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if first is None:
        raise NotFound(f"There is no movement {movement_id}.")
    if first.reverses_id is not None:
        raise RuleBroken(f"Movement {movement_id} is itself a reversal: book a new entry instead.")
    if first.counterpart_id is None:
        return [first]
    return sorted((first, session.get_one(Movement, first.counterpart_id)), key=lambda leg: leg.change)


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


def _correction(
    legs: list[Movement], changes: list[Decimal], about: dict
) -> tuple[list[dict], tuple[int, ...]]:
    """The lines of a correction, and at which places the new entries stand in them.

    What adds comes before what takes away, so that stock does not dip below zero in between: 100 received,
    80 of them sold, corrected to 90 is 10 less, not first 100 less.
    """
    old = [
        posting.line(
            leg.product_id, leg.warehouse_id, leg.type, leg.reason_code, -leg.change,
            {"reason": "Corrected", "unit_price": leg.unit_price, "reference_type": leg.reference_type,
             "reference_id": leg.reference_id, "customer": leg.customer},
        ) | {"reverses_id": leg.id}
        for leg in legs
    ]  # fmt: skip
    new = [
        posting.line(
            leg.product_id, leg.warehouse_id, leg.type, leg.reason_code, change,
            about | {"customer": leg.customer, "occurred_at": leg.occurred_at},
        )
        for leg, change in zip(legs, changes, strict=True)
    ]  # fmt: skip
    if len(legs) == 2:
        old[0]["counterpart_line"], old[1]["counterpart_line"] = 3, 0
        new[0]["counterpart_line"], new[1]["counterpart_line"] = 1, 2
        return [old[0], new[1], new[0], old[1]], (2, 1)
    (leg,) = legs
    if leg.returns_id is not None:
        # A sale comes back once: its first return must be gone before it is returned anew.
        new[0]["returns_id"] = leg.returns_id
        return [*old, *new], (1,)
    if leg.change > 0 and changes[0] > 0:
        return [*new, *old], (0,)
    return [*old, *new], (1,)


def too_little(session: Session, refusal: InsufficientStock, lines: list[dict]) -> InsufficientStock:
    """The refusal with what the correction as a whole would take away, not one of its lines."""
    first = refusal.facts["refused"][0]
    level = (first["product_id"], first["warehouse_id"])
    before = [line for line in lines[: first["line"]] if _level(line) == level]
    added = sum((Decimal(line["change"]) for line in before), Decimal(0))
    after = [line for line in lines[first["line"] :] if _level(line) == level]
    on_hand = Decimal(first["on_hand"]) - added
    less = -added - sum((Decimal(line["change"]) for line in after), Decimal(0))
    sku = session.scalar(select(Product.sku).where(Product.id == first["product_id"]))
    code = session.scalar(select(Warehouse.code).where(Warehouse.id == first["warehouse_id"]))
    figures = f"{posting.plain(less)} less asked for, {posting.plain(on_hand)} on hand in {code}"
    if less <= on_hand:  # a return: it is taken back before it is booked anew
        figures = f"{posting.plain(first['asked'])} asked for, {posting.plain(on_hand)} on hand in {code}"
    return InsufficientStock(f"{sku}: {figures}.", refused=refusal.facts["refused"])


def _level(line: dict) -> tuple[int, int]:
    return line["product_id"], line["warehouse_id"]


def _said(change: Decimal, unit_price: Decimal | str | None) -> dict[str, str | None]:
    return {
        "change": posting.plain(change),
        "unit_price": None if unit_price is None else posting.plain(unit_price),
    }


# -- Notes ---------------------------------------------------------------------------------------------------


def annotate(
    session: Session,
    actor: Actor,
    movement_id: int,
    *,
    notes: str | None = None,
    reference_type: str | None = None,
    reference_id: str | None = None,
) -> None:
    """Write words beside a movement: what is given is shown from now on, an empty text clears it.

    The movement stays as it was written. The other leg of a transfer gets the same words. Words that are
    shown already leave no trace.
    """
    auth.must(actor, "edit catalogue")
    words = {
        name: inputs.text(value, name.replace("_", " ").capitalize(), posting.TEXT_CHARACTERS[kept])
        for name, kept, value in (
            ("notes", "reason", notes),
            ("reference_type", "reference_type", reference_type),
            ("reference_id", "reference_id", reference_id),
        )
        if value is not None
    }
    movement = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if movement is None:
        raise NotFound(f"There is no movement {movement_id}.")
    shown = newest_notes(session, movement.id)
    changed = {name: value for name, value in words.items() if value != (shown[name] or "")}
    if not changed:
        return
    for leg_id in filter(None, (movement.id, movement.counterpart_id)):
        session.add(MovementNote(movement_id=leg_id, actor_id=actor.id, **changed))
    session.flush()
    before = {name: shown[name] for name in changed}
    audit.note(session, actor.id, "annotated", "movement", movement.id, before=before, after=changed)


def newest_notes(session: Session, movement_id: int) -> dict[str, str | None]:
    """Notes and reference of a movement as they are shown: the newest that somebody added, else its own."""
    row = session.execute(
        select(*(shown(name).label(name) for name in NOTED)).where(Movement.id == movement_id)
    ).one()
    return dict(row._mapping)


def shown(name: str) -> ColumnElement[str | None]:
    """The column of `notes`, `reference_type` or `reference_id` as it is shown; null when empty."""
    own = Movement.reason if name == "notes" else getattr(Movement, name)
    added = (
        select(getattr(MovementNote, name))
        .where(MovementNote.movement_id == Movement.id, getattr(MovementNote, name).is_not(None))
        .order_by(MovementNote.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.nullif(func.coalesce(added, own), "")
