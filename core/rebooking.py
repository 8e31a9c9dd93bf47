"""How a movement is booked anew: as it was meant, as it was before, or once more.

A correction is a reversal and a new entry in its place, booked as one posting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, auth, expected, inputs, movement_notes, posting, stock
from core.auth import Actor
from core.errors import AlreadyReversed, BadInput, InsufficientStock, NotFound, RuleBroken
from core.posting import Booked
from db.models import Movement, OrderReceipt, Product, Replacement, Warehouse

NO_WORDS: Mapping[str, str] = {}
OPPOSITE = {"in": "out", "out": "in"}
OPPOSITE_REASON = {"sale": "return", "return": "sale", "issue": "receipt", "receipt": "issue"}


@dataclass(frozen=True)
class Entry:
    """What is booked in the place of a movement: moment, customer, reference and notes stay."""

    product_id: int
    warehouse_id: int
    type: str
    reason_code: str
    change: Decimal
    unit_price: Decimal | None
    returns_id: int | None

    @classmethod
    def of(cls, movement: Movement) -> "Entry":
        return cls(
            movement.product_id, movement.warehouse_id, movement.type, movement.reason_code,
            movement.change, movement.unit_price, movement.returns_id,
        )  # fmt: skip


def rebook(
    session: Session,
    actor: Actor,
    movement_id: int,
    *,
    change: Decimal | int | str | None = None,
    unit_price: Decimal | int | str | None = None,
    product_id: int | None = None,
    warehouse_id: int | None = None,
    key: str | None = None,
) -> Booked:
    """Book a movement anew and reverse the old one: with another signed change, price, product or warehouse.

    One that turns round becomes its opposite: a sale a return, a receipt an issue. Of a transfer the other
    leg turns with it and is of the same product; a warehouse is that of the named leg. A retry with the key
    finds the same answer.

    Refuses what `corrections.correct` refuses, and an unknown product or warehouse.
    """
    auth.must(actor, "edit catalogue")
    legs = legs_of(session, movement_id)
    asked = _asked(change, unit_price, product_id, warehouse_id)
    entries = [_changed(leg, asked, is_named=leg.id == movement_id) for leg in legs]
    if entries == [Entry.of(leg) for leg in legs]:
        raise BadInput(f"Movement {movement_id} is that already: nothing would change.")
    request = {"movement_id": movement_id} | {name: str(value) for name, value in asked.items()}
    return book(session, actor, legs, entries, key, request)


def put_back(session: Session, actor: Actor, movement_id: int, *, key: str | None = None) -> Booked:
    """Book a replacement anew with the figures of the movement that it replaced: a correction is undone.

    Refuses a movement that replaced none, and one that was reversed or corrected itself.
    """
    auth.must(actor, "edit catalogue")
    legs = legs_of(session, movement_id)
    entries = []
    for leg in legs:
        before = select(Replacement.replaces_id).where(Replacement.movement_id == leg.id)
        original = session.get(Movement, session.scalar(before) or 0)
        if original is None:
            raise RuleBroken(f"Movement {movement_id} stands in the place of no other.")
        entries.append(Entry.of(original))
    return book(session, actor, legs, entries, key, {"put_back": movement_id})


def book_again(session: Session, actor: Actor, movement_id: int, *, key: str | None = None) -> Booked:
    """Book a movement once more that was taken back: with all its figures, in its place.

    Refuses one that stands or was booked anew already, and what arrived of an order or was on its way: that
    is received there.
    """
    auth.must(actor, "edit catalogue")
    legs = legs_of(session, movement_id)
    if not posting.is_known(session, actor, key):
        _refuse_standing(session, legs)
    lines = _new_lines(session, legs, [Entry.of(leg) for leg in legs])
    if len(lines) == 2:
        lines[0]["counterpart_line"], lines[1]["counterpart_line"] = 1, 0
    booked = posting.post(session, actor, "correct", lines, key, request={"book_again": movement_id})
    if not booked.replayed:
        _replaced(session, legs, booked, range(len(legs)))
        audit.note(
            session, actor.id, "booked again", "movement", movement_id,
            after={"movement": booked.lines[0].movement_id},
        )  # fmt: skip
    return booked


def replacement_of(session: Session, movement_id: int) -> int | None:
    """The movement that was booked in place of this one."""
    return session.scalar(select(Replacement.movement_id).where(Replacement.replaces_id == movement_id))


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


# -- How -----------------------------------------------------------------------------------------------------


def _asked(change: Any, unit_price: Any, product_id: int | None, warehouse_id: int | None) -> dict[str, Any]:
    """What is to be another, as far as it was given."""
    asked = {
        "change": None if change is None else posting.exact(change, "Change"),
        "unit_price": None if unit_price is None else posting.exact(unit_price, "Unit price"),
        "product_id": None if product_id is None else inputs.small_id(product_id, "product"),
        "warehouse_id": None if warehouse_id is None else inputs.small_id(warehouse_id, "warehouse"),
    }
    if asked["change"] == 0:
        raise BadInput("A correction to 0 leaves nothing: take the entry back instead.")
    return {name: value for name, value in asked.items() if value is not None}


def _changed(leg: Movement, asked: dict[str, Any], *, is_named: bool) -> Entry:
    """The entry in the place of a leg."""
    entry, other = Entry.of(leg), dict(asked)
    if not is_named:
        other.pop("warehouse_id", None)
        if "change" in other:
            other["change"] = -other["change"]
    entry = replace(entry, **other)
    if (entry.change > 0) != (leg.change > 0) and entry.type in OPPOSITE:
        reason = OPPOSITE_REASON.get(entry.reason_code, entry.reason_code)
        entry = replace(entry, type=OPPOSITE[entry.type], reason_code=reason, returns_id=None)
    if (entry.product_id, entry.warehouse_id) != (leg.product_id, leg.warehouse_id):
        entry = replace(entry, returns_id=None)  # a return goes where its sale left from
    return entry


def book(
    session: Session,
    actor: Actor,
    legs: list[Movement],
    entries: list[Entry],
    key: str | None,
    request: dict[str, Any],
    *,
    words: Mapping[str, str] = NO_WORDS,
) -> Booked:
    """Reverse the legs and book the entries in their places, as one posting.

    `words` (notes, reference_type, reference_id) stand in the place of those that were shown so far.
    """
    stock.refuse_of_order(session, legs[0])
    old = [
        posting.line(
            leg.product_id, leg.warehouse_id, leg.type, leg.reason_code, -leg.change,
            {"reason": "Corrected", "unit_price": leg.unit_price, "reference_type": leg.reference_type,
             "reference_id": leg.reference_id, "customer": leg.customer},
        ) | {"reverses_id": leg.id}
        for leg in legs
    ]  # fmt: skip
    new = _new_lines(session, legs, entries, words)
    lines, places = _in_order(old, new)
    try:
        booked = posting.post(session, actor, "correct", lines, key, request=request)
    except InsufficientStock as refusal:
        raise _too_little(session, refusal, lines) from refusal
    if not booked.replayed:
        _replaced(session, legs, booked, places)
        audit.note(
            session, actor.id, "corrected", "movement", legs[0].id,
            before=_said(session, Entry.of(legs[0])), after=_said(session, entries[0]),
        )  # fmt: skip
    return booked


def _new_lines(
    session: Session, legs: list[Movement], entries: list[Entry], words: Mapping[str, str] = NO_WORDS
) -> list[dict]:
    """The new entries as the ledger takes them."""
    shown = movement_notes.newest(session, legs[0].id) | words
    lines = []
    for leg, entry in zip(legs, entries, strict=True):
        about = {
            "reason": shown["notes"], "reference_type": shown["reference_type"],
            "reference_id": shown["reference_id"], "unit_price": entry.unit_price,
            "customer": leg.customer, "occurred_at": leg.occurred_at,
        }  # fmt: skip
        line = posting.line(
            entry.product_id, entry.warehouse_id, entry.type, entry.reason_code, entry.change, about
        )
        sale = entry.returns_id
        if sale is None and entry.reason_code == "return" and entry.type == "in":
            sale = stock.sale_returned(session, line, but=leg.id)
        lines.append(line if sale is None else line | {"returns_id": sale})
    return lines


def _in_order(old: list[dict], new: list[dict]) -> tuple[list[dict], list[int]]:
    """All lines, and where the new ones stand among them.

    What adds comes before what takes away, so that stock does not dip below zero in between. But a sale comes
    back once: its first return must be gone before it is returned anew.
    """
    returns = any("returns_id" in line for line in new)
    lines = [*old, *new] if returns else sorted([*old, *new], key=lambda line: Decimal(line["change"]) < 0)
    place_of = {id(line): place for place, line in enumerate(lines)}
    for pair in (old, new):
        if len(pair) == 2:
            pair[0]["counterpart_line"] = place_of[id(pair[1])]
            pair[1]["counterpart_line"] = place_of[id(pair[0])]
    return lines, [place_of[id(line)] for line in new]


def _too_little(session: Session, refusal: InsufficientStock, lines: list[dict]) -> InsufficientStock:
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


def _replaced(session: Session, legs: list[Movement], booked: Booked, places: Any) -> None:
    for leg, place in zip(legs, places, strict=True):
        session.add(Replacement(movement_id=booked.lines[place].movement_id, replaces_id=leg.id))
    session.flush()


def _refuse_standing(session: Session, legs: list[Movement]) -> None:
    first = legs[0]
    if session.scalar(select(Movement.id).where(Movement.reverses_id == first.id)) is None:
        raise RuleBroken(f"Movement {first.id} stands: it was not taken back.")
    if replacement_of(session, first.id) is not None:
        raise AlreadyReversed(f"Movement {first.id} was booked anew before.")
    is_of_order = session.scalar(select(OrderReceipt.id).where(OrderReceipt.movement_id == first.id).limit(1))
    if is_of_order is not None or first.reference_type == expected.REFERENCE:
        what = first.reference_id if is_of_order is not None else "what is on its way"
        raise RuleBroken(f"Movement {first.id} received {what}, which is awaited again: receive it there.")


def _said(session: Session, entry: Entry) -> dict[str, str | None]:
    product, place = session.get(Product, entry.product_id), session.get(Warehouse, entry.warehouse_id)
    if product is None or place is None:
        raise NotFound("The product or warehouse was deleted at this moment.")
    return {
        "product": product.sku,
        "warehouse": place.code,
        "change": posting.plain(entry.change),
        "unit_price": None if entry.unit_price is None else posting.plain(entry.unit_price),
    }
