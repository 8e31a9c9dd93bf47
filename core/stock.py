"""The ledger: add, remove, adjust, count, transfer and reverse, and what happened so far.

Every verb books through `post_stock` in the database, which alone may write the ledger. Each takes an
optional idempotency `key`: the same key with the same request finds the first answer again.
"""

import hashlib
import io
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import pandas as pd
from sqlalchemy import Integer, LargeBinary, Text, bindparam, exists, select, text
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased

from core import auth
from core.auth import Actor
from core.errors import (
    AlreadyReversed,
    BadInput,
    BulkRefused,
    InsufficientStock,
    KeyReused,
    NotFound,
    RuleBroken,
    RunoutError,
)
from db import queries
from db.models import Movement, Posting, PostingLine, Product, Reason, Warehouse

QUANTITY_STEP = Decimal("0.0001")
QUANTITY_LIMIT = Decimal("100000000000")  # 15 significant digits, four of them decimals
PRICE_LIMIT = Decimal("10000000000")
# Somebody's clock may be a little ahead of ours.
FUTURE_TOLERANCE = timedelta(minutes=5)
# A return without a receipt is held to be of a sale this many days back at most.
RETURN_WINDOW_DAYS = 14

_POST = text("SELECT post_stock(:actor, :kind, :key, :hash, :lines)").bindparams(
    bindparam("actor", type_=Integer),
    bindparam("kind", type_=Text),
    bindparam("key", type_=Text),
    bindparam("hash", type_=LargeBinary),
    bindparam("lines", type_=JSONB),
)
_POST_LINES = text("SELECT post_stock_lines(:actor, :kind, :key, :hash, :batch)").bindparams(
    bindparam("actor", type_=Integer),
    bindparam("kind", type_=Text),
    bindparam("key", type_=Text),
    bindparam("hash", type_=LargeBinary),
    bindparam("batch", type_=UuidType),
)


@dataclass(frozen=True)
class BookedLine:
    """One movement as it was booked: signed change, on hand before and after."""

    movement_id: int
    product_id: int
    warehouse_id: int
    change: Decimal
    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class Booked:
    """One posting; `replayed` when its key had been booked before and nothing happened this time."""

    posting_id: int
    lines: tuple[BookedLine, ...]
    replayed: bool


def add(
    session: Session,
    actor: Actor,
    product_id: int,
    warehouse_id: int,
    quantity: Decimal | int | str,
    *,
    reason_code: str = "receipt",
    key: str | None = None,
    **about,
) -> Booked:
    """Put stock on the shelf.

    `about`: reason, unit_price, occurred_at, reference_type, reference_id, customer.

    A customer return (`reason_code="return"`) lowers the demand of the sale it equals within 14 days.
    """
    line = _line(product_id, warehouse_id, "in", reason_code, _positive(quantity), about)
    if reason_code == "return":
        line["returns_id"] = _sale_returned(session, line)
    return _post(session, actor, "add", [line], key)


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
    line = _line(product_id, warehouse_id, "out", reason_code, -_positive(quantity), about)
    return _post(session, actor, "remove", [line], key)


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
    change = exact(change, "Change")
    if change == 0:
        raise BadInput("A change of 0 changes nothing: enter how many pieces more or less.")
    if reason_code is None:
        reason_code = "issue" if change < 0 else "receipt"
    kind = {"issue": "out", "sale": "out", "receipt": "in", "return": "in"}.get(reason_code, "adjust")
    if (kind == "out" and change > 0) or (kind == "in" and change < 0):
        raise BadInput(f"'{reason_code}' cannot {'add' if change > 0 else 'take away'} stock.")
    line = _line(product_id, warehouse_id, kind, reason_code, change, about)
    if reason_code == "return":
        line["returns_id"] = _sale_returned(session, line)
    return _post(session, actor, "adjust", [line], key)


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
    counted = exact(counted, "Counted")
    if counted < 0:
        raise BadInput("Counted stock cannot be below zero.")
    line = _line(product_id, warehouse_id, "adjust", "count", None, about) | {"counted": str(counted)}
    booked = _post(session, actor, "count", [line], key)
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
    moved = _positive(quantity)
    out = _line(product_id, from_warehouse_id, "transfer", "transfer", -moved, about) | {
        "counterpart_line": 1
    }
    into = _line(product_id, to_warehouse_id, "transfer", "transfer", moved, about) | {"counterpart_line": 0}
    return _post(session, actor, "transfer", [out, into], key)


def reverse(
    session: Session, actor: Actor, movement_id: int, *, reason: str | None = None, key: str | None = None
) -> Booked:
    """Answer a movement with its opposite, once; both legs of a transfer. It corrects the day it names.

    Refuses when the stock has meanwhile left the shelf, with the figures.
    """
    auth.must(actor, "move stock")
    first = session.get(Movement, movement_id)
    if first is None:
        raise NotFound(f"There is no movement {movement_id}.")
    if first.reverses_id is not None:
        raise RuleBroken(f"Movement {movement_id} is itself a reversal: book a new entry instead.")
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
        line = _line(
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
    return _post(session, actor, "reverse", lines, key)


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
    auth.must(actor, "move stock")
    batch = uuid.uuid4()
    frame = lines.copy(deep=False)
    if "line_no" not in frame:
        frame["line_no"] = range(len(frame))
    known = [c.name for c in PostingLine.__table__.columns if c.name in frame and c.name != "batch"]
    text_lines = frame[known].assign(batch=str(batch)).to_csv(index=False, header=False)
    with session.connection().connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY posting_line ({', '.join([*known, 'batch'])}) FROM STDIN WITH (FORMAT csv)",
            io.StringIO(text_lines),
        )
    answer = session.scalar(
        _POST_LINES, {"actor": actor.id, "kind": kind, "key": key, "hash": source_hash, "batch": batch}
    )
    if "refused" in answer:
        if answer["refused"][0]["code"] == "key_reused":
            raise KeyReused("This key was used before with another file.")
        first = _sentence(session, answer["refused"][0], None)
        raise BulkRefused(
            f"Nothing was booked. Line {answer['refused'][0]['line']}: {first}", answer["refused"]
        )
    return answer


def history(
    session: Session,
    *,
    product_id: int | None = None,
    warehouse_id: int | None = None,
    kind: str | None = None,
    reason_code: str | None = None,
    person_id: int | None = None,
    since: date | None = None,
    until: date | None = None,
    text_like: str | None = None,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
) -> pd.DataFrame:
    """Movements, newest first; with `after_id` the ones that follow it, still newest first.

    Columns as in `db/queries/movements.sql`. `since` and `until` are business days, both inclusive;
    `text_like` is looked for in SKU, name, reference, note and customer.
    """
    params = {
        "product_id": product_id,
        "warehouse_id": warehouse_id,
        "kind": kind,
        "reason_code": reason_code,
        "person_id": person_id,
        "since": since,
        "until": until,
        "text_like": queries.like(text_like),
        "before_id": before_id,
        "after_id": after_id,
        "limit": limit,
    }
    question = "movements" if after_id is None else "movements_after"
    return queries.frame(session, question, **params)


def reasons(session: Session) -> dict[str, str]:
    """Reason codes and their labels, those a person may choose by hand."""
    rows = session.execute(select(Reason.code, Reason.label).order_by(Reason.label))
    return {code: label for code, label in rows if code not in ("reconstructed", "transfer", "opening")}


def exact(value: Decimal | int | str, what: str) -> Decimal:
    """The value as a quantity of at most 4 decimals and 15 digits; refuses anything else by name."""
    try:
        number = Decimal(value) if not isinstance(value, float) else Decimal(repr(value))
    except (InvalidOperation, TypeError, ValueError):
        raise BadInput(f"{what}: '{value}' is not a number.") from None
    if not number.is_finite() or abs(number) >= QUANTITY_LIMIT:
        raise BadInput(f"{what}: {value} is not a quantity Runout can keep (at most 15 digits).")
    rounded = number.quantize(QUANTITY_STEP, rounding=ROUND_HALF_EVEN)
    if rounded != number:
        raise BadInput(f"{what}: {value} has more than 4 decimals.")
    return rounded


def _positive(quantity: Decimal | int | str) -> Decimal:
    number = exact(quantity, "Quantity")
    if number <= 0:
        raise BadInput(f"Quantity: {quantity} is not above zero.")
    return number


def _line(
    product_id: int, warehouse_id: int, kind: str, reason_code: str, change: Decimal | None, about: dict
) -> dict:
    """One line as the posting function reads it; refuses moments in the future and impossible prices."""
    unknown = about.keys() - {
        "reason", "unit_price", "occurred_at", "reference_type", "reference_id", "customer",
    }  # fmt: skip
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    line = {
        "product_id": product_id,
        "warehouse_id": warehouse_id,
        "type": kind,
        "reason_code": reason_code,
        "change": str(change) if change is not None else None,
    }
    for name, value in about.items():
        if value is None or value == "":
            continue
        if isinstance(value, str) and "\x00" in value:
            raise BadInput(f"{name}: a NUL character cannot be kept.")
        line[name] = value
    price = line.get("unit_price")
    if price is not None:
        price = exact(price, "Unit price")
        if not 0 <= price < PRICE_LIMIT:
            raise BadInput(f"Unit price: {price} is not between 0 and {PRICE_LIMIT:,}.")
        line["unit_price"] = str(price)
    happened = line.get("occurred_at")
    if happened is not None:
        if happened > datetime.now(UTC) + FUTURE_TOLERANCE:
            raise BadInput(f"{happened:%Y-%m-%d %H:%M} UTC lies in the future.")
        line["occurred_at"] = happened.isoformat()
    return line


def _post(session: Session, actor: Actor, kind: str, lines: list[dict], key: str | None) -> Booked:
    """Hand the lines to the posting function and turn its answer into a `Booked` or a refusal."""
    auth.must(actor, "move stock")
    if key is not None and not 1 <= len(key) <= 255:
        raise BadInput("An idempotency key has 1 to 255 characters.")
    request = json.dumps([kind, lines], sort_keys=True, default=str)
    answer = session.scalar(
        _POST,
        {
            "actor": actor.id,
            "kind": kind,
            "key": key or uuid.uuid4().hex,
            "hash": hashlib.sha256(request.encode()).digest(),
            "lines": lines,
        },
    )
    if "refused" in answer:
        raise _refusal(session, answer["refused"], lines)
    booked = tuple(
        BookedLine(
            line["movement_id"],
            line["product_id"],
            line["warehouse_id"],
            Decimal(line["change"]),
            Decimal(line["before"]),
            Decimal(line["after"]),
        )
        for line in answer["lines"]
    )
    return Booked(answer["posting_id"], booked, bool(answer.get("replayed")))


def _refusal(session: Session, refused: list[dict], lines: list[dict]) -> RunoutError:
    """The error for what the posting function refused; the first refused line speaks."""
    first = refused[0]
    sentence = _sentence(session, first, lines)
    kinds: dict[str, type[RunoutError]] = {
        "insufficient_stock": InsufficientStock,
        "already_reversed": AlreadyReversed,
        "key_reused": KeyReused,
        "unknown_product": NotFound,
        "unknown_warehouse": NotFound,
        "unknown_movement": NotFound,
        "unknown_reason": BadInput,
    }
    return kinds.get(first["code"], RuleBroken)(sentence, refused=refused)


def _sentence(session: Session, refused: dict, lines: list[dict] | None) -> str:
    code = refused["code"]
    if code == "insufficient_stock":
        sku = session.scalar(select(Product.sku).where(Product.id == refused["product_id"]))
        place = session.scalar(select(Warehouse.code).where(Warehouse.id == refused["warehouse_id"]))
        return f"{sku}: {plain(refused['asked'])} asked for, {plain(refused['on_hand'])} on hand in {place}."
    if code == "already_reversed":
        which = f"Movement {refused['movement_id']}" if "movement_id" in refused else "The line"
        return f"{which} was reversed before."
    given = lines[refused["line"]] if lines else {}
    return {
        "key_reused": "This key was used before for another request.",
        "unknown_product": f"There is no product {given.get('product_id', '')}".rstrip() + ".",
        "unknown_warehouse": f"There is no warehouse {given.get('warehouse_id', '')}".rstrip() + ".",
        "unknown_reason": f"'{given.get('reason_code', '')}' is not a reason code.",
        "unknown_movement": "The movement it names does not exist.",
        "wrong_sign": "The sign does not fit the type of movement, or the change is zero.",
        "not_the_opposite": "It is not the opposite of the movement it names.",
        "broken_transfer": "A transfer needs two legs in two warehouses that cancel out.",
    }[code]


def plain(number: Decimal | str) -> str:
    """A quantity without trailing zeros: 9, 2.5."""
    return f"{Decimal(number).normalize():f}"


def _sale_returned(session: Session, line: dict) -> int | None:
    """The sale that a return without a receipt equals: same product, quantity, customer; 14 days at most."""
    happened = line.get("occurred_at")
    moment = datetime.fromisoformat(happened) if happened else datetime.now(UTC)
    earlier = (
        select(Movement.id)
        .join(Posting, Posting.id == Movement.posting_id)
        .where(
            Movement.product_id == line["product_id"],
            Movement.change == -Decimal(line["change"]),
            Movement.demand_day.is_not(None),
            Movement.reverses_id.is_(None),
            Movement.occurred_at.between(moment - timedelta(days=RETURN_WINDOW_DAYS), moment),
        )
        .order_by(Movement.occurred_at.desc())
    )
    if line.get("customer"):
        earlier = earlier.where(Movement.customer == line["customer"])
    later = aliased(Movement)
    answered = exists().where((later.returns_id == Movement.id) | (later.reverses_id == Movement.id))
    return session.scalar(earlier.where(~answered).limit(1))
