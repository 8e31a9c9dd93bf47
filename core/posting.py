"""How a booking reaches the ledger: quantities checked, posting functions called, refusals put in words."""

import hashlib
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import partial
from typing import Any

import pandas as pd
from sqlalchemy import Integer, LargeBinary, Row, Text, TextClause, bindparam, exists, select, text
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from core import alert_watch, auth, inputs
from core.auth import Actor
from core.errors import (
    AlreadyReturned,
    AlreadyReversed,
    BadInput,
    BulkRefused,
    InsufficientStock,
    KeyReused,
    NotFound,
    RuleBroken,
    RunoutError,
)
from db.models import Posting, PostingLine, Product, Warehouse

Named = Callable[[int, int], tuple[str, str]]

QUANTITY_STEP = Decimal("0.0001")
QUANTITY_LIMIT = Decimal("100000000000")  # 15 significant digits, four of them decimals
PRICE_LIMIT = Decimal("10000000000")
# Somebody's clock may be a little ahead of ours.
FUTURE_TOLERANCE = timedelta(minutes=5)
# One entry long before all others would make every day since then a day of history.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_CHARACTERS = {"reason": 2_000, "reference_type": 100, "reference_id": 300, "customer": 300}
OUT_OF_RANGE = "22003"
NAMES_NOTHING = "23503"
# The thresholds come with the answer: a statement of their own would make a booking half as slow again.
_PARAMETERS = (
    bindparam("actor", type_=Integer),
    bindparam("kind", type_=Text),
    bindparam("key", type_=Text),
    bindparam("hash", type_=LargeBinary),
    bindparam("lines", type_=JSONB),
)
_POST = text(
    "WITH booked AS MATERIALIZED (SELECT post_stock(:actor, :kind, :key, :hash, :lines) AS answer)"
    " SELECT answer, thresholds_of(answer) FROM booked"
).bindparams(*_PARAMETERS)
# For a machine: which key it came with is written down in the same statement, once and not at a retry.
_POST_BY_KEY = text(
    "WITH booked AS MATERIALIZED (SELECT post_stock(:actor, :kind, :key, :hash, :lines) AS answer),"
    " marked AS (INSERT INTO key_posting (posting_id, api_key_id)"
    " SELECT (answer ->> 'posting_id')::bigint, :api_key FROM booked"
    " WHERE answer ? 'posting_id' AND NOT answer ? 'replayed')"
    " SELECT answer, thresholds_of(answer) FROM booked"
).bindparams(*_PARAMETERS, bindparam("api_key", type_=Integer))
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


def exact(value: Decimal | int | str, what: str) -> Decimal:
    """The value as a quantity of at most 4 decimals and 15 digits; refuses anything else by name."""
    try:
        number = Decimal(value) if not isinstance(value, float) else Decimal(repr(value))
    except (InvalidOperation, TypeError, ValueError):
        raise BadInput(f"{what}: '{inputs.shown(value)}' is not a number.") from None
    if not number.is_finite() or abs(number) >= QUANTITY_LIMIT:
        raise BadInput(
            f"{what}: {inputs.shown(value)} is not a quantity Runout can keep (at most 15 digits)."
        )
    rounded = number.quantize(QUANTITY_STEP, rounding=ROUND_HALF_EVEN)
    if rounded != number:
        raise BadInput(f"{what}: {inputs.shown(value)} has more than 4 decimals.")
    return rounded


def positive(quantity: Decimal | int | str) -> Decimal:
    number = exact(quantity, "Quantity")
    if number <= 0:
        raise BadInput(f"Quantity: {quantity} is not above zero.")
    return number


def line(
    product_id: int, warehouse_id: int, kind: str, reason_code: str, change: Decimal | None, about: dict
) -> dict:
    """One line as the posting function reads it; refuses impossible moments, prices and texts."""
    unknown = about.keys() - TEXT_CHARACTERS.keys() - {"unit_price", "occurred_at"}
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    line = {
        "product_id": inputs.small_id(product_id, "product"),
        "warehouse_id": inputs.small_id(warehouse_id, "warehouse"),
        "type": kind,
        "reason_code": inputs.text(reason_code, "Reason code", 100),
        "change": str(change) if change is not None else None,
    }
    for name, value in about.items():
        if value is not None and name in TEXT_CHARACTERS:
            value = inputs.text(str(value), name.replace("_", " ").capitalize(), TEXT_CHARACTERS[name])
        if value is not None and value != "":
            line[name] = value
    price = line.get("unit_price")
    if price is not None:
        price = exact(price, "Unit price")
        if not 0 <= price < PRICE_LIMIT:
            raise BadInput(f"Unit price: {price} is not between 0 and {PRICE_LIMIT:,}.")
        line["unit_price"] = str(price)
    happened = line.get("occurred_at")
    if happened is not None:
        if happened.tzinfo is None:
            raise BadInput(f"{happened:%Y-%m-%d %H:%M} needs a time zone to be a moment.")
        if happened < EARLIEST:
            raise BadInput(f"{happened.date()} lies before 1970.")
        if happened > datetime.now(UTC) + FUTURE_TOLERANCE:
            raise BadInput(f"{happened:%Y-%m-%d %H:%M} UTC lies in the future.")
        line["occurred_at"] = happened.isoformat()
    return line


def post(
    session: Session,
    actor: Actor,
    kind: str,
    lines: list[dict],
    key: str | None,
    *,
    request: dict | None = None,
) -> Booked:
    """Hand the lines to the posting function and turn its answer into a `Booked` or a refusal.

    `request` is what was asked for, where the lines also depend on what the shop looks like by now: a retry
    of the same request is known by it.
    """
    asked_for = asked(actor, kind, lines, key, request=request)
    statement = _POST
    if actor.api_key_id is not None:
        statement, asked_for["api_key"] = _POST_BY_KEY, actor.api_key_id
    answer, thresholds = _answer(session, statement, asked_for)
    done = booked(answer, lines, partial(_named, session))
    if thresholds:
        alert_watch.after_booking(session, done.lines, thresholds)
    return done


def asked(
    actor: Actor, kind: str, lines: list[dict], key: str | None, *, request: dict | None = None
) -> dict[str, Any]:
    """What the posting function is asked: actor, kind, key, hash (of the request) and lines.

    Refuses whoever may not move stock, and a key that cannot be kept. Without a key one is made up.
    """
    auth.must(actor, "move stock")
    if key is not None and not (1 <= len(key) <= 255 and inputs.can_be_kept(key)):
        raise BadInput("An idempotency key has 1 to 255 characters, without NUL.")
    # Without the sale that a return was matched to: a retry finds that sale answered already.
    told = [{name: value for name, value in line.items() if name != "returns_id"} for line in lines]
    said = json.dumps([kind, request if request is not None else told], sort_keys=True, default=str)
    return {
        "actor": actor.id,
        "kind": kind,
        "key": key or uuid.uuid4().hex,
        "hash": hashlib.sha256(said.encode()).digest(),
        "lines": lines,
    }


def booked(answer: dict[str, Any], lines: list[dict], named: Named) -> Booked:
    """What the posting function says about these lines; raises what it refused, in words.

    `named` knows the SKU of a product and the code of a warehouse: (product_id, warehouse_id).
    """
    if "refused" in answer:
        raise _refusal(answer["refused"], lines, named)
    booked_lines = tuple(
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
    return Booked(answer["posting_id"], booked_lines, bool(answer.get("replayed")))


def is_known(session: Session, actor: Actor, key: str | None) -> bool:
    """Whether something was booked under the key, so that a request with it may be a retry."""
    known = exists().where(Posting.actor_id == actor.id, Posting.key == key)
    return key is not None and bool(session.scalar(select(known)))


def _answer(session: Session, statement: TextClause, asked_for: dict) -> Row:
    try:
        return session.execute(statement, asked_for).one()
    except DataError as wrong:
        if getattr(wrong.orig, "pgcode", None) != OUT_OF_RANGE:
            raise
        raise BadInput("The stock would be larger than Runout can keep (at most 18 digits).") from wrong
    except IntegrityError as gone:
        if getattr(gone.orig, "pgcode", None) != NAMES_NOTHING:
            raise
        raise NotFound("The product or warehouse was deleted at this moment.") from gone


def _refusal(refused: list[dict], lines: list[dict], named: Named) -> RunoutError:
    """The error for what the posting function refused; the first refused line speaks.

    But first of all whether it was done before: that stock is missing for doing it again is no news.
    """
    first = next((line for line in refused if line["code"] == "already_reversed"), refused[0])
    sentence = _sentence(first, lines, named)
    kinds: dict[str, type[RunoutError]] = {
        "insufficient_stock": InsufficientStock,
        "already_reversed": AlreadyReversed,
        "already_returned": AlreadyReturned,
        "key_reused": KeyReused,
        "unknown_product": NotFound,
        "unknown_warehouse": NotFound,
        "unknown_movement": NotFound,
        "unknown_reason": BadInput,
    }
    return kinds.get(first["code"], RuleBroken)(sentence, refused=refused)


def _named(session: Session, product_id: int, warehouse_id: int) -> tuple[str, str]:
    sku = session.scalar(select(Product.sku).where(Product.id == product_id))
    return sku, session.scalar(select(Warehouse.code).where(Warehouse.id == warehouse_id))


def _sentence(refused: dict, lines: list[dict] | None, named: Named) -> str:
    code = refused["code"]
    if code == "insufficient_stock":
        sku, place = named(refused["product_id"], refused["warehouse_id"])
        return f"{sku}: {plain(refused['asked'])} asked for, {plain(refused['on_hand'])} on hand in {place}."
    if code == "already_reversed":
        which = f"Movement {refused['movement_id']}" if "movement_id" in refused else "The line"
        return f"{which} was reversed before."
    if code == "already_returned":
        which = f"Movement {refused['movement_id']}" if "movement_id" in refused else "The line"
        sold, returned = plain(refused["sold"]), plain(refused["returned"])
        return f"{which} took out {sold}, of which {returned} came back before; a sale comes back once."
    given = lines[refused["line"]] if lines else {}
    return {
        "key_reused": "This key was used before for another request.",
        "unknown_product": f"There is no product {given.get('product_id', '')}".rstrip() + ".",
        "unknown_warehouse": f"There is no warehouse {given.get('warehouse_id', '')}".rstrip() + ".",
        "inactive_product": "The product is deactivated: reactivate it before stock comes in.",
        "inactive_warehouse": "The warehouse is deactivated: reactivate it before stock comes in.",
        "unknown_reason": f"'{given.get('reason_code', '')}' is not a reason code.",
        "unknown_movement": "The movement it names does not exist.",
        "wrong_sign": "The sign does not fit the type of movement, or the change is zero.",
        "not_the_opposite": "It is not the opposite of the movement it names.",
        "broken_transfer": "A transfer needs two legs in two warehouses that cancel out.",
    }[code]


def plain(number: Decimal | str) -> str:
    """A quantity without trailing zeros: 9, 2.5."""
    return f"{Decimal(number).normalize():f}"


def post_lines(
    session: Session, actor: Actor, kind: str, lines: pd.DataFrame, key: str, source_hash: bytes
) -> dict:
    """See `stock.post_lines`."""
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
    asked_for = {"actor": actor.id, "kind": kind, "key": key, "hash": source_hash, "batch": batch}
    (answer,) = _answer(session, _POST_LINES, asked_for)
    if "refused" in answer:
        if answer["refused"][0]["code"] == "key_reused":
            raise KeyReused("This key was used before with another file.")
        first = _sentence(answer["refused"][0], None, partial(_named, session))
        raise BulkRefused(
            f"Nothing was booked. Line {answer['refused'][0]['line']}: {first}", answer["refused"]
        )
    if not answer.get("replayed"):
        alert_watch.look_at_now(session, {int(product_id) for product_id in lines["product_id"].unique()})
    return answer
