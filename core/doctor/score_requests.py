"""What a program wants scored, by ids of the ledger or as rows of its own, and what it is told of each.

Looked up piece by piece, each in a transaction of its own, so that memory stays small; judged at the end,
with none open, because a SageMaker endpoint may be asked. Nothing is kept.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import auth, shop, uids
from core.anomaly import looking
from core.anomaly.lines import FLOW_OF_REASON, Lines
from core.anomaly.looking import Looked
from core.auth import Actor
from core.doctor import ledger_lines, model_store, scoring
from core.doctor.endpoint_settings import EndpointSettings
from core.doctor.ledger_lines import MOST_ASKED, PIECE, Sheet, Typed
from core.doctor.model_store import Loaded
from core.doctor.scoring import Scored
from core.errors import BadInput, NotFound
from db.models import Movement, Product, Warehouse

Reading = Callable[[], AbstractContextManager[Session]]
"""Opens a transaction that only looks."""

NAMED = 5  # a refusal names so many unknown ids
DECIMALS = 4
REASONS = tuple(FLOW_OF_REASON)
# What a row of the export is when nothing else is said: the sign decides.
_REASON_OF = {
    ("out", False): "issue", ("out", True): "return", ("in", True): "receipt", ("in", False): "vendor_return",
    ("adjust", True): "correction", ("adjust", False): "correction",
    ("transfer", True): "transfer", ("transfer", False): "transfer",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A movement that need not be in the ledger, with the columns of the ML export: `quantity` is signed.

    A product or warehouse is named by its id, or by SKU or code when the id is unknown; no warehouse means
    the default one.
    """

    transaction_type: str
    quantity: Decimal
    transaction_id: int | None = None
    item_id: uuid.UUID | None = None
    item_sku: str | None = None
    warehouse_id: uuid.UUID | None = None
    warehouse_code: str | None = None
    unit_price: Decimal | None = None
    created_at: datetime | None = None
    reason_code: str | None = None
    customer: str | None = None
    reference_type: str | None = None
    reference_id: str | None = None


@dataclass(frozen=True)
class Repair:
    """What would put a movement right. `old` and `new`: signed quantities, prices, SKUs or warehouse codes;
    `new` is None for a movement that should not be there (`field` "whole")."""

    field: str
    old: Decimal | str | None
    new: Decimal | str | None


@dataclass(frozen=True)
class Told:
    """What is told of one movement; `kind` and `repair` only of an anomaly.

    No score: there is no model yet, or nothing to judge (opening stock, a reversal).
    """

    transaction_id: int | None
    anomaly_score: float | None = None
    cluster_id: int | None = None
    is_anomaly: bool | None = None
    kind: str | None = None
    repair: Repair | None = None


@dataclass(frozen=True)
class Outcome:
    """What is told of all of them, in the order asked; `model` is None before the first training.

    `why_local`: why the shop's own model judged although an endpoint was named.
    """

    results: list[Told]
    model: Loaded | None = None
    judged_by: str | None = None
    why_local: str | None = None


def of_ids(
    reading: Reading,
    actor: Actor,
    ids: Sequence[int],
    now: datetime,
    endpoint: EndpointSettings | None = None,
) -> Outcome:
    """Movements of the ledger, each judged by what stood before it. Refuses unknown ids, naming the first."""
    auth.must(actor, "edit catalogue")
    _must_fit(ids)
    with reading() as session:
        _refuse_unknown(session, ids)
        model = model_store.current(session)
    if model is None:
        return Outcome([Told(number) for number in ids])
    return _look(reading, model, sorted(set(ids)), (), now).outcome(ids, ids, endpoint)


def of_rows(
    reading: Reading,
    actor: Actor,
    rows: Sequence[Row],
    now: datetime,
    endpoint: EndpointSettings | None = None,
) -> Outcome:
    """Rows judged as if they were booked now, one after the other, behind all that is booked.

    A row that is a movement of the ledger (its id, product, warehouse and quantity) is judged as that
    movement. A product or warehouse that the shop does not have is judged by what is usual in the shop.
    """
    auth.must(actor, "edit catalogue")
    _must_fit(rows)
    ids = [row.transaction_id for row in rows]
    with reading() as session:
        model = model_store.current(session)
        entries = _entries(session, rows)
        booked = _booked(session, ids)
    if model is None:
        return Outcome([Told(number) for number in ids])
    typed, keys = [], []
    for number, entry in zip(ids, entries, strict=True):
        if booked.get(number) == (entry.product_id, entry.warehouse_id, entry.change):
            keys.append(number)
        else:
            typed.append(entry)
            keys.append(-len(typed))
    known = sorted({key for key in keys if key > 0})
    return _look(reading, model, known, typed, now).outcome(keys, ids, endpoint)


def _look(
    reading: Reading, model: Loaded, booked: Sequence[int], typed: Sequence[Typed], now: datetime
) -> "_Seen":
    """Looks movements of the ledger up, and rows that are in none, each piece in a transaction of its own."""
    seen = _Seen(model)
    for start in range(0, len(booked), PIECE):
        with reading() as session:
            today = shop.today(shop.get(session), now)
            sheet = ledger_lines.of_ids(session, booked[start : start + PIECE], today)
        seen.add(sheet)
    for start in range(0, len(typed), PIECE):
        with reading() as session:
            sheet = ledger_lines.typed(session, typed, now, piece=slice(start, start + PIECE))
        seen.add(sheet)
    return seen


class _Seen:
    """What was looked at, piece by piece: the figures are kept, the lines around them are let go."""

    def __init__(self, model: Loaded) -> None:
        self.model = model
        self.looked: list[Looked] = []
        self.lines: list[Lines] = []
        self.codes: dict[int, str] = {}
        self.place_codes: dict[int, str] = {}

    def add(self, sheet: Sheet) -> None:
        self.looked.append(self.model.detector.look(sheet.lines, sheet.targets, sheet.shelf))
        self.lines.append(sheet.lines.take(sheet.targets))
        self.codes |= sheet.shelf.codes
        self.place_codes |= sheet.shelf.place_codes

    def outcome(
        self, keys: Sequence[int], ids: Sequence[int | None], endpoint: EndpointSettings | None
    ) -> Outcome:
        """Judges all of it at once; `keys` are the ids that the lines have, `ids` those that are told."""
        lines = [(part, place) for part in self.lines for place in range(len(part))]
        known = [int(part.id[place]) for part, place in lines]
        answer = scoring.answer(self.model, looking.joined(self.looked), known, endpoint)
        told = {
            scored.transaction_id: (scored.chance, scored.cluster, scored.is_anomaly)
            + ((scored.kind, self._repair(*line, scored)) if scored.is_anomaly else ())
            for scored, line in zip(answer.results, lines, strict=True)
        }
        results = [Told(number, *told.get(key, ())) for key, number in zip(keys, ids, strict=True)]
        return Outcome(results, self.model, answer.judged_by, answer.why_local)

    def _repair(self, lines: Lines, place: int, scored: Scored) -> Repair | None:
        """The repair in words and exact figures; None when none is known."""
        change, value = _exact(lines.change[place]), scored.value
        if scored.field == "whole":
            return Repair("whole", change, None)
        if scored.field == "none" or value is None:
            return None
        if scored.field == "price":
            return Repair("price", _exact(lines.price[place]), _exact(value))
        if scored.field in ("quantity", "sign"):
            return Repair(scored.field, change, _exact(value))
        words, old = (
            (self.codes, lines.product) if scored.field == "product" else (self.place_codes, lines.place)
        )
        return Repair(scored.field, words.get(int(old[place])), words.get(int(value)))


def _must_fit(asked: Sequence[Any]) -> None:
    if not asked:
        raise BadInput("Name at least one transaction.")
    if len(asked) > MOST_ASKED:
        raise BadInput(f"{len(asked):,} transactions are too many: at most {MOST_ASKED:,} at once.")


def _refuse_unknown(session: Session, ids: Sequence[int]) -> None:
    wanted = list(dict.fromkeys(ids))
    there = set(session.scalars(select(Movement.id).where(Movement.id.in_(wanted))))
    unknown = [number for number in wanted if number not in there]
    if unknown:
        named, more = ", ".join(str(number) for number in unknown[:NAMED]), len(unknown) - NAMED
        rest = f" and {more:,} more" if more > 0 else ""
        raise NotFound(f"There is no transaction {named}{rest}.")


def _booked(session: Session, ids: Sequence[int | None]) -> dict[int | None, tuple[int, int, Decimal]]:
    """Product, warehouse and change of the movements among these ids."""
    wanted = {number for number in ids if number is not None}
    columns = (Movement.id, Movement.product_id, Movement.warehouse_id, Movement.change)
    rows = session.execute(select(*columns).where(Movement.id.in_(wanted)))
    return {number: (product, place, change) for number, product, place, change in rows}


def _entries(session: Session, rows: Sequence[Row]) -> list[Typed]:
    """The rows with what the shop knows of the products and warehouses they name."""
    product = _lookup(session, Product, Product.sku, [(row.item_id, row.item_sku) for row in rows])
    named = [(row.warehouse_id, row.warehouse_code) for row in rows]
    warehouse = _lookup(session, Warehouse, Warehouse.code, named)
    default = uids.warehouse(session, None)
    return [
        Typed(
            product_id=product(row.item_id, row.item_sku),
            warehouse_id=default if place == (None, None) else warehouse(*place),
            change=row.quantity,
            reason_code=row.reason_code or _REASON_OF[row.transaction_type, row.quantity > 0],
            unit_price=row.unit_price,
            occurred_at=row.created_at,
            customer=row.customer,
            reference_type=row.reference_type,
            reference_id=row.reference_id,
            product_key=_key(row.item_id, row.item_sku),
            place_key=_key(*place),
        )
        for row, place in zip(rows, named, strict=True)
    ]


def _exact(value: float) -> Decimal | None:
    return round(Decimal(repr(float(value))), DECIMALS) if np.isfinite(value) else None


def _key(uid: uuid.UUID | None, code: str | None) -> str:
    """Which strangers are the same."""
    return (code or str(uid)).strip().lower()


def _lookup(
    session: Session, model: Any, code: Any, named: Collection[tuple[uuid.UUID | None, str | None]]
) -> Callable[[uuid.UUID | None, str | None], int | None]:
    """Finds the inner id of what is named by public id, or by code in any case; None: unknown."""
    wanted = {uid for uid, _ in named if uid is not None}
    codes = {given.strip().lower() for _, given in named if given is not None}
    question = select(model.id, model.uid, code).where(
        or_(model.uid.in_(wanted), func.lower(code).in_(codes))
    )
    rows = session.execute(question.order_by(model.id.desc())).all()
    by_uid = {uid: number for number, uid, _ in rows}
    by_code = {said.lower(): number for number, _, said in rows} | {said: number for number, _, said in rows}

    def find(uid: uuid.UUID | None, given: str | None) -> int | None:
        if uid is not None and uid in by_uid:
            return by_uid[uid]
        return None if given is None else by_code.get(given.strip(), by_code.get(given.strip().lower()))

    return find
