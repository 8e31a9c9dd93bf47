"""A pasted list before and while it is booked: what each line means, and each line booked once.

A row is a plain dictionary, kept in the session:

    line, code, key   number in the list, code, key of its scan (made when it was checked, so that a second
                      press books nothing twice)
    state             "wrong" (`said` tells why), "with" (counted together with an earlier line), "right",
                      and once it was tried "booked" (`scan` is its uid), "refused" or "undone"; "trouble"
                      when nobody knows whether it was booked: tried again with its key, it is so once
    stuck             why it could not be taken back
    name, sku         of the product it means
    pieces            as text; before, after: stock in the warehouse, as text
    order             number of the order it is received against, order_line_uid that line, over: how much
                      more than ordered, as text
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import order_looks
from core.buying.order_looks import OpenLine
from core.errors import BadInput, NotFound, RuleBroken, RunoutError
from core.posting import plain
from core.scanning import resolver, scans
from core.scanning.resolver import Resolved
from core.scanning.scan_booking import Request
from dashboard import order_words, ui
from dashboard.scan_lines import Line
from db.session import transact

NOTHING, ONE = Decimal(0), Decimal(1)
RECEIPT = "receipt"  # the reason of what vendors deliver
NO_PRODUCT = {"place": "This is a place, not a product.", "command": "This is a command, not a product."}


@dataclass(frozen=True)
class Plan:
    """What is done with every line of a list. Nothing when looking up; that may be in the whole shop."""

    mode: str
    warehouse_id: int | None
    to_warehouse_id: int | None = None
    reason_code: str | None = None
    against_orders: bool = True
    by_piece: bool = False  # a pack counts as one


@dataclass
class _Shelf:
    """What earlier lines leave to later ones: stock and open lines of orders by product id, and for a count
    the row that has a product's sum. `known` keeps what a code means, for a list has many of the same."""

    stock: dict[int, Decimal] = field(default_factory=dict)
    orders: dict[int, tuple[OpenLine, ...]] = field(default_factory=dict)
    left: dict[uuid.UUID, Decimal] = field(default_factory=dict)
    counted: dict[int, dict[str, Any]] = field(default_factory=dict)
    known: dict[str, Resolved | str] = field(default_factory=dict)


# -- Before --------------------------------------------------------------------------------------------------


def check(session: Session, person: Actor, lines: Iterable[Line], plan: Plan) -> list[dict[str, Any]]:
    """What each line would do, in their order: the stock that earlier lines take is gone for later ones."""
    shelf, rows = _Shelf(), []
    for line in lines:
        row = {"line": line.number, "code": line.code, "key": str(uuid.uuid4()), "state": "right"}
        rows.append(row)
        try:
            _work_out(session, person, line, plan, shelf, row)
        except RunoutError as refusal:
            row |= {"state": "wrong", "said": refusal.sentence}
    return rows


def _work_out(
    session: Session, person: Actor, line: Line, plan: Plan, shelf: _Shelf, row: dict[str, Any]
) -> None:
    """Fill in what a line means; refuses what cannot be booked, as far as one can see now."""
    if line.wrong:
        raise BadInput(line.wrong)
    found = _meant(session, person, line.code, shelf)
    product, pieces = found.product.product, line.times * (ONE if plan.by_piece else found.pieces)
    row |= {"name": product.name, "sku": product.sku, "pieces": plain(pieces)}
    here = {level.warehouse_id: level.quantity for level in found.product.levels}
    if plan.mode == "look_up":
        lies = found.product.on_hand if plan.warehouse_id is None else here.get(plan.warehouse_id, NOTHING)
        row["after"] = plain(lies)
        return
    if not product.is_active:
        raise RuleBroken(f"{product.sku} is not sold any more.")
    order_words.refuse_parts(product.sku, product.unit_of_measure, plain(pieces))
    before = shelf.stock.get(product.id, here.get(plan.warehouse_id, NOTHING))
    if plan.mode == "count":
        _count(row, product.id, pieces, before, shelf)
        return
    if pieces == 0:
        raise BadInput(f"{product.sku}: a quantity of 0 moves nothing.")
    if plan.mode != "in" and pieces > before:
        raise RuleBroken(f"{product.sku}: {plain(pieces)} asked for, {plain(before)} on hand by then.")
    after = shelf.stock[product.id] = before + pieces if plan.mode == "in" else before - pieces
    row |= {"before": plain(before), "after": plain(after)}
    if plan.mode == "in" and plan.reason_code == RECEIPT and plan.against_orders:
        row |= _of_order(session, product.id, pieces, plan, shelf)


def _meant(session: Session, person: Actor, code: str, shelf: _Shelf) -> Resolved:
    """The product of a code; refuses what is none."""
    if code not in shelf.known:
        try:
            found = resolver.resolve(session, person, code)
        except RunoutError as refusal:
            shelf.known[code] = refusal.sentence
        else:
            why_not = NO_PRODUCT.get(found.kind) or found.reason or "Not known."
            shelf.known[code] = found if found.kind == "product" else why_not
    known = shelf.known[code]
    if isinstance(known, str):
        raise NotFound(known)
    return known


def _count(row: dict[str, Any], product_id: int, pieces: Decimal, before: Decimal, shelf: _Shelf) -> None:
    """What is counted on several lines lies there together: the first line books the sum."""
    first = shelf.counted.setdefault(product_id, row)
    if first is row:
        row |= {"before": plain(before), "after": plain(pieces)}
    else:
        first["pieces"] = first["after"] = plain(Decimal(first["pieces"]) + pieces)
        row |= {"state": "with", "said": f"Counted together with line {first['line']}."}


def _of_order(
    session: Session, product_id: int, pieces: Decimal, plan: Plan, shelf: _Shelf
) -> dict[str, Any]:
    """The oldest order that still expects some of it; one line of the list goes against one order."""
    if product_id not in shelf.orders:
        shelf.orders[product_id] = order_looks.open_lines(session, product_id, plan.warehouse_id)
    for line in shelf.orders[product_id]:
        left = shelf.left.get(line.line_uid, line.open)
        if left > 0:
            shelf.left[line.line_uid] = left - pieces
            over = {"over": plain(pieces - left)} if pieces > left else {}
            return {"order": line.number, "order_line_uid": str(line.line_uid)} | over
    return {}


# -- Booking -------------------------------------------------------------------------------------------------


def book(person: Actor, row: dict[str, Any], plan: Plan, now: datetime) -> None:
    """Book one line in its own transaction, under its own key; a refusal is written down as well."""
    request = Request(
        key=uuid.UUID(row["key"]), mode=plan.mode, code=row["code"], source="list",
        warehouse_id=plan.warehouse_id, to_warehouse_id=plan.to_warehouse_id, quantity=row["pieces"],
        reason_code=plan.reason_code, order_line_uid=row.get("order_line_uid"),
    )  # fmt: skip
    try:
        taken = transact(lambda session: scans.take(session, person, request, now=now))
        # The same key after a refusal finds the refusal.
        state = "refused" if taken.scan.outcome == "refused" else "booked"
        row |= {"state": state, "said": taken.said, "scan": str(taken.scan.uid), "can_undo": taken.can_undo}
        row |= {"before": _text(taken.before), "after": _text(taken.after)}
    except RunoutError as refusal:
        sentence = refusal.sentence
        row |= {"state": "refused", "said": sentence}
        transact(lambda session: scans.note_refused(session, person, request, sentence))
    except Exception as error:
        row |= {"state": "trouble", "said": ui.trouble(error)}


def undo(person: Actor, row: dict[str, Any], now: datetime) -> None:
    """Take one booked line back; what cannot be taken back says why and stands."""
    try:
        taken = transact(lambda session: scans.undo(session, person, row["scan"], now=now))
        row |= {"state": "undone", "can_undo": False}
        row.pop("stuck", None)
        row |= {"before": _text(taken.before), "after": _text(taken.after)}
    except RunoutError as refusal:
        row |= {"stuck": refusal.sentence, "can_undo": False}
    except Exception as error:
        row["stuck"] = ui.trouble(error)


def _text(quantity: Decimal | None) -> str | None:
    return None if quantity is None else plain(quantity)
