"""The ledger: add, remove, adjust, count, transfer and reverse, and what happened so far.

Every verb books through `post_stock` in the database, which alone may write the ledger. Each takes an
optional idempotency `key`: the same key with the same request finds the first answer again.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session, aliased

from core import auth, inputs, posting
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from core.posting import Booked
from db import queries
from db.models import Movement, OrderReceipt, Reason

# A return without a receipt is held to be of a sale this many days back at most.
RETURN_WINDOW_DAYS = 14
MOST_ROWS = 50_000
SEARCH_CHARACTERS = 200
_ONE_RETURN_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('return ' || :product, 2))")


def add(
    session: Session,
    actor: Actor,
    product_id: int,
    warehouse_id: int,
    quantity: Decimal | int | str,
    *,
    reason_code: str = "receipt",
    key: str | None = None,
    request: dict | None = None,
    **about,
) -> Booked:
    """Put stock on the shelf.

    `about`: reason, unit_price, occurred_at, reference_type, reference_id, customer. `request` is what was
    asked for, where that is more than this booking: a retry with the key must ask for the same.

    A customer return (`reason_code="return"`) lowers the demand of the sale it equals within 14 days.
    """
    line = posting.line(product_id, warehouse_id, "in", reason_code, posting.positive(quantity), about)
    if reason_code == "return":
        line["returns_id"] = sale_returned(session, line)
    return posting.post(session, actor, "add", [line], key, request=request)


def remove(
    session: Session,
    actor: Actor,
    product_id: int,
    warehouse_id: int,
    quantity: Decimal | int | str,
    *,
    reason_code: str = "issue",
    key: str | None = None,
    **about,
) -> Booked:
    """Take stock off the shelf. Refuses to go below zero, with the figures."""
    line = posting.line(product_id, warehouse_id, "out", reason_code, -posting.positive(quantity), about)
    return posting.post(session, actor, "remove", [line], key)


def adjust(
    session: Session,
    actor: Actor,
    product_id: int,
    warehouse_id: int,
    change: Decimal | int | str,
    *,
    reason_code: str | None = None,
    key: str | None = None,
    **about,
) -> Booked:
    """Change stock by a signed amount. Without a reason code minus is an issue (demand), plus a receipt."""
    line = adjustment(product_id, warehouse_id, change, reason_code, about)
    if line["reason_code"] == "return":
        line["returns_id"] = sale_returned(session, line)
    return posting.post(session, actor, "adjust", [line], key)


def adjustment(
    product_id: int, warehouse_id: int, change: Decimal | int | str, reason_code: str | None, about: dict
) -> dict:
    """The line that `adjust` books, for a return without its sale. Refuses what can be no adjustment."""
    change = posting.exact(change, "Change")
    if change == 0:
        raise BadInput("A change of 0 changes nothing: enter how many pieces more or less.")
    if reason_code is None:
        reason_code = "issue" if change < 0 else "receipt"
    kind = {"issue": "out", "sale": "out", "receipt": "in", "return": "in"}.get(reason_code, "adjust")
    if (kind == "out" and change > 0) or (kind == "in" and change < 0):
        raise BadInput(f"'{reason_code}' cannot {'add' if change > 0 else 'take away'} stock.")
    return posting.line(product_id, warehouse_id, kind, reason_code, change, about)


def set_to(
    session: Session,
    actor: Actor,
    product_id: int,
    warehouse_id: int,
    counted: Decimal | int | str,
    *,
    key: str | None = None,
    **about,
) -> Booked | None:
    """Book the difference between what was counted and what is on hand; None when there is none.

    The difference is found under the lock that books it, so a sale in between is not counted away.
    """
    counted = posting.exact(counted, "Counted")
    if counted < 0:
        raise BadInput("Counted stock cannot be below zero.")
    line = posting.line(product_id, warehouse_id, "adjust", "count", None, about) | {"counted": str(counted)}
    booked = posting.post(session, actor, "count", [line], key)
    return booked if booked.lines else None


def transfer(
    session: Session,
    actor: Actor,
    product_id: int,
    from_warehouse_id: int,
    to_warehouse_id: int,
    quantity: Decimal | int | str,
    *,
    key: str | None = None,
    **about,
) -> Booked:
    """Move stock between two warehouses: both legs are booked, or neither."""
    if from_warehouse_id == to_warehouse_id:
        raise BadInput("A transfer needs two different warehouses.")
    moved = posting.positive(quantity)
    out = posting.line(product_id, from_warehouse_id, "transfer", "transfer", -moved, about) | {
        "counterpart_line": 1
    }
    into = posting.line(product_id, to_warehouse_id, "transfer", "transfer", moved, about) | {
        "counterpart_line": 0
    }
    return posting.post(session, actor, "transfer", [out, into], key)


def reverse(
    session: Session, actor: Actor, movement_id: int, *, reason: str | None = None, key: str | None = None
) -> Booked:
    """Answer a movement with its opposite, once; both legs of a transfer. It corrects the day it names.

    Refuses when the stock has meanwhile left the shelf, with the figures, and what a purchase order counts as
    received: `order_receipts.undo` takes that back on the order as well (`corrections.undo` knows the way).
    """
    auth.must(actor, "move stock")
    first = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if first is None:
        raise NotFound(f"There is no movement {movement_id}.")
    if first.reverses_id is not None:
        raise RuleBroken(f"Movement {movement_id} is itself a reversal: book a new entry instead.")
    refuse_of_order(session, first)
    originals = [first]
    if first.counterpart_id is not None:
        originals.append(session.get_one(Movement, first.counterpart_id))
    lines = []
    for place, original in enumerate(originals):
        about = {
            "reason": reason,
            "unit_price": original.unit_price,
            "reference_type": original.reference_type,
            "reference_id": original.reference_id,
            "customer": original.customer,
        }
        line = posting.line(
            original.product_id,
            original.warehouse_id,
            original.type,
            original.reason_code,
            -original.change,
            about,
        )
        line["reverses_id"] = original.id
        if len(originals) == 2:
            line["counterpart_line"] = 1 - place
        lines.append(line)
    return posting.post(session, actor, "reverse", lines, key)


def refuse_of_order(session: Session, movement: Movement) -> None:
    """Refuse a movement that a purchase order counts as received: the order would go on counting it."""
    counted = exists().where(OrderReceipt.movement_id == movement.id, OrderReceipt.undone_at.is_(None))
    if session.scalar(select(counted)):
        raise RuleBroken(
            f"Movement {movement.id} received {movement.reference_id}: undo it there, so that what was "
            "ordered is on its way again."
        )


def post_lines(
    session: Session, actor: Actor, kind: str, lines: pd.DataFrame, key: str, source_hash: bytes
) -> dict:
    """Book many movements as one posting: all of them, or none.

    Args:
        lines: one row per movement in booking order, columns named as in `posting_line` (product_id,
            warehouse_id, type, reason_code, change ... ; `line_no` 0..n-1 is filled in when missing).
        key, source_hash: the same key with the same hash finds the first answer again.

    Returns the answer: posting_id, lines_booked, and `replayed` when nothing happened this time.

    Raises:
        BulkRefused: with the first 100 refused lines.
    """
    return posting.post_lines(session, actor, kind, lines, key, source_hash)


def history(
    session: Session,
    *,
    product_id: int | None = None,
    warehouse_id: int | None = None,
    kind: str | None = None,
    reason_code: str | None = None,
    person_id: int | None = None,
    api_key_id: int | None = None,
    since: date | None = None,
    until: date | None = None,
    text_like: str | None = None,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
) -> pd.DataFrame:
    """Movements, newest first; with `after_id` the ones that follow it, still newest first.

    Columns as in `db/queries/movements.sql`. With `api_key_id` only what was booked with that key; `since`
    and `until` are business days, both inclusive; `text_like` is looked for in SKU, name, reference, note
    and customer.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} movements.")
    small = ((product_id, "product"), (warehouse_id, "warehouse"), (person_id, "person"), (api_key_id, "key"))
    for value, what in small:
        inputs.small_id(value or 0, what)
    for cursor in (before_id, after_id):
        inputs.big_id(cursor or 0, "movement")
    if text_like is not None:
        text_like = inputs.text(text_like, "Search", SEARCH_CHARACTERS)
    params = {
        "product_id": product_id,
        "warehouse_id": warehouse_id,
        "kind": kind and inputs.text(kind, "Type", 100),
        "reason_code": reason_code and inputs.text(reason_code, "Reason code", 100),
        "person_id": person_id,
        "api_key_id": api_key_id,
        "since": since,
        "until": until,
        "text_like": queries.like(text_like),
        "before_id": before_id,
        "after_id": after_id,
        "limit": limit,
    }
    question = "movements" if after_id is None else "movements_after"
    return queries.frame(session, question, **params)


def reasons(session: Session, *, by_hand: bool = True) -> dict[str, str]:
    """Reason codes and their labels: those a person may choose by hand, or all."""
    rows = session.execute(select(Reason.code, Reason.label).order_by(Reason.label))
    never = ("reconstructed", "transfer", "opening") if by_hand else ()
    return {code: label for code, label in rows if code not in never}


def sale_returned(session: Session, line: dict, *, but: int | None = None) -> int | None:
    """The sale that a return without a receipt equals: same place, quantity, customer; 14 days at most.

    Not the movement `but`, in whose place the return is booked.
    """
    # Two returns at once would find the same sale, and the second be refused instead of finding another.
    session.execute(_ONE_RETURN_AT_A_TIME, {"product": line["product_id"]})
    happened = line.get("occurred_at")
    moment = datetime.fromisoformat(happened) if happened else datetime.now(UTC)
    answer, undone = aliased(Movement), aliased(Movement)
    is_answered = exists().where(
        (answer.returns_id == Movement.id) | (answer.reverses_id == Movement.id),
        ~exists().where(undone.reverses_id == answer.id),
    )
    earlier = (
        select(Movement.id)
        .where(
            Movement.product_id == line["product_id"],
            Movement.warehouse_id == line["warehouse_id"],
            Movement.change == -Decimal(line["change"]),
            Movement.demand_day.is_not(None),
            Movement.reverses_id.is_(None),
            Movement.id.is_distinct_from(but),
            Movement.occurred_at.between(moment - timedelta(days=RETURN_WINDOW_DAYS), moment),
            ~is_answered,
        )
        .order_by(Movement.occurred_at.desc())
        .limit(1)
    )
    if line.get("customer"):
        earlier = earlier.where(Movement.customer == line["customer"])
    return session.scalar(earlier)
