"""Findings as people read them: the list to work through, one and its evidence, how many, how often right."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd
from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from core import inputs
from core.doctor import finding_rows
from core.doctor.finding_raising import RIGHT, WRONG
from core.doctor.finding_rows import Row
from core.doctor.findings import IS_SETTLED_ELSEWHERE, KINDS, LISTS, MISSING, STATES
from core.errors import BadInput, NotFound
from db import queries
from db.models import AnomalyModel, Finding, Movement, MovementScore, Product, Warehouse

MOST_ROWS = 1_000
MOST_SKIPPED = 2**31
SEARCH_CHARACTERS = 200
EVIDENCE_LINES = 120
MAP_POINTS = 4_000
LAST = 50
_IS_OPEN = (Finding.state == "open") & not_(IS_SETTLED_ELSEWHERE)
SORTS: dict[str, ColumnElement] = {
    "money_at_risk": Finding.money_at_risk,
    "score": Finding.score,
    "found_on": Finding.found_on,
    "decided_at": Finding.decided_at,
}


@dataclass(frozen=True)
class Counts:
    """Findings by state, the open ones also by list; `money_open` is what is at risk in them."""

    open: int
    open_likely: int
    open_money: int
    money_open: Decimal
    accepted: int
    dismissed: int
    lapsed: int


@dataclass(frozen=True)
class Precision:
    """Of the last decided findings: errors (repaired here or elsewhere), and movements that were real.

    Those dismissed for another reason say nothing and are left out. `share` None: none was decided yet.
    `by_kind`: (right, decided) of each kind.
    """

    decided: int
    right: int
    wrong: int
    share: float | None
    by_kind: dict[str, tuple[int, int]]


def listing(
    session: Session,
    *,
    states: Sequence[str] | None = ("open",),
    listed: str | None = None,
    kind: str | None = None,
    product_uid: uuid.UUID | None = None,
    warehouse_uid: uuid.UUID | None = None,
    text: str | None = None,
    since: date | None = None,
    until: date | None = None,
    sort: str = "money_at_risk",
    descending: bool = True,
    limit: int = 100,
    skip: int = 0,
) -> tuple[list[Row], int]:
    """One page of findings and how many match in all.

    `states` None: all. One whose movement was reversed or corrected elsewhere counts as lapsed at once.
    `since` and `until` are the days they were found for, both inclusive; `text` is looked for in SKU, name,
    customer and reference.
    """
    if not 1 <= limit <= MOST_ROWS or not 0 <= skip <= MOST_SKIPPED:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} findings and starts at 0 or later.")
    if sort not in SORTS:
        raise BadInput(f"'{inputs.shown(sort)}' is nothing to sort by; it can be {', '.join(SORTS)}.")
    wanted: list[ColumnElement[bool]] = []
    if states is not None:
        wanted.append(_is_in(_checked(states, STATES, "state")))
    if listed is not None:
        wanted.append(Finding.listed.in_(_checked([listed], LISTS, "list")))
    if kind is not None:
        wanted.append(Finding.kind.in_(_checked([kind], KINDS, "kind of error")))
    if product_uid is not None:
        wanted.append(Product.uid == product_uid)
    if warehouse_uid is not None:
        wanted.append(Warehouse.uid == warehouse_uid)
    if since is not None:
        wanted.append(Finding.found_on >= since)
    if until is not None:
        wanted.append(Finding.found_on <= until)
    if text is not None and (like := queries.like(inputs.text(text, "Search", SEARCH_CHARACTERS))):
        columns = (Product.sku, Product.name, Movement.customer, Movement.reference_id)
        wanted.append(or_(*(column.ilike(like) for column in columns)))
    counted = finding_rows.joined(select(func.count())).where(*wanted)
    order = SORTS[sort].desc().nulls_last() if descending else SORTS[sort].asc().nulls_last()
    page = finding_rows.question(wanted).order_by(order, Finding.id.desc()).limit(limit).offset(skip)
    return finding_rows.rows(session, page), session.scalar(counted) or 0


def one(session: Session, finding_uid: uuid.UUID | str) -> Row:
    """One finding."""
    found = finding_rows.rows(
        session, finding_rows.question([Finding.uid == inputs.uid(finding_uid, "a finding")])
    )
    if not found:
        raise NotFound(MISSING)
    return found[0]


def counts(session: Session) -> Counts:
    """How many findings there are of each state; what was settled elsewhere counts as lapsed."""
    row = session.execute(
        select(
            func.count().filter(_IS_OPEN),
            func.count().filter(_IS_OPEN, Finding.listed == "likely"),
            func.count().filter(_IS_OPEN, Finding.listed == "money"),
            func.coalesce(func.sum(Finding.money_at_risk).filter(_IS_OPEN), 0),
            func.count().filter(Finding.state == "accepted"),
            func.count().filter(Finding.state == "dismissed"),
            func.count().filter(or_(Finding.state == "lapsed", IS_SETTLED_ELSEWHERE)),
        )
    ).one()
    return Counts(*row[:3], Decimal(row[3]), *row[4:])


def precision(session: Session, last: int = LAST) -> Precision:
    """How many of the last decided findings were errors."""
    decided = (
        select(Finding.kind, RIGHT.label("is_right"))
        .where(or_(RIGHT, WRONG))
        .order_by(Finding.decided_at.desc(), Finding.id.desc())
        .limit(last)
    )
    by_kind: dict[str, tuple[int, int]] = {}
    for kind, is_right in session.execute(decided):
        right, of = by_kind.get(kind, (0, 0))
        by_kind[kind] = (right + bool(is_right), of + 1)
    right, of = (sum(pair[n] for pair in by_kind.values()) for n in (0, 1))
    return Precision(of, right, of - right, right / of if of else None, by_kind)


# -- Pictures -----------------------------------------------------------------------------------------------


def evidence(session: Session, finding_uid: uuid.UUID | str) -> pd.DataFrame:
    """The product's lines of the same kind up to this movement, the oldest first.

    Columns: movement_id, occurred_at, day, change, unit_price, warehouse_code, customer, is_it, is_void (it
    was reversed or corrected).
    """
    movement_id = session.scalar(
        select(Finding.movement_id).where(Finding.uid == inputs.uid(finding_uid, "a finding"))
    )
    if movement_id is None:
        raise NotFound(MISSING)
    return evidence_of(session, movement_id)


def evidence_of(session: Session, movement_id: int, most: int = EVIDENCE_LINES) -> pd.DataFrame:
    """The same for a movement, whether it has a finding or not."""
    it = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if it is None:
        raise NotFound(f"There is no movement {movement_id}.")
    undone = aliased(Movement)
    question = (
        select(
            Movement.id.label("movement_id"), Movement.occurred_at, Movement.day, Movement.change,
            Movement.unit_price, Warehouse.code.label("warehouse_code"), Movement.customer,
            (Movement.id == it.id).label("is_it"), undone.id.is_not(None).label("is_void"),
        )
        .join(Warehouse, Warehouse.id == Movement.warehouse_id)
        .outerjoin(undone, undone.reverses_id == Movement.id)
        .where(
            Movement.product_id == it.product_id, Movement.id <= it.id, Movement.reverses_id.is_(None),
            Movement.reason_code == it.reason_code,
        )
        .order_by(Movement.id.desc())
        .limit(most)
    )  # fmt: skip
    answer = session.execute(question)
    return pd.DataFrame(answer.fetchall()[::-1], columns=list(answer.keys()))


def map_points(session: Session, most: int = MAP_POINTS) -> pd.DataFrame:
    """The newest movements on the map of the newest model that placed any, and all odd ones among them.

    Columns: movement_id, x, y, cluster_id, score, is_anomaly, kind, sku, change, occurred_at.
    """
    model = select(MovementScore.model_id).order_by(MovementScore.movement_id.desc()).limit(1)
    question = (
        select(
            MovementScore.movement_id, MovementScore.x, MovementScore.y, MovementScore.cluster_id,
            MovementScore.score, MovementScore.is_anomaly, MovementScore.kind, Product.sku, Movement.change,
            Movement.occurred_at,
        )
        .join(Movement, Movement.id == MovementScore.movement_id)
        .join(Product, Product.id == Movement.product_id)
        .where(MovementScore.model_id == model.scalar_subquery())
        .order_by(MovementScore.movement_id.desc())
        .limit(most)
    )  # fmt: skip
    answer = session.execute(question)
    return pd.DataFrame(answer.fetchall(), columns=list(answer.keys()))


def cluster_names(session: Session) -> dict[int, str]:
    """What the clusters of the map are called."""
    model = select(MovementScore.model_id).order_by(MovementScore.movement_id.desc()).limit(1)
    manifest = session.scalar(select(AnomalyModel.manifest).where(AnomalyModel.id == model.scalar_subquery()))
    return dict(enumerate((manifest or {}).get("clusters", ())))


# -- What is checked ----------------------------------------------------------------------------------------


def _checked(values: Sequence[str], known: Sequence[str], what: str) -> Sequence[str]:
    wrong = next((value for value in values if value not in known), None)
    if wrong is not None:
        raise BadInput(f"'{inputs.shown(wrong)}' is not a {what}; they are {', '.join(known)}.")
    return values


def _is_in(states: Sequence[str]) -> ColumnElement[bool]:
    """In one of these states, where what was settled elsewhere counts as lapsed."""
    others = [state for state in states if state != "open"]
    parts: list[ColumnElement[bool]] = [Finding.state.in_(others)]
    if "open" in states:
        parts.append(and_(Finding.state == "open", not_(IS_SETTLED_ELSEWHERE)))
    if "lapsed" in states:
        parts.append(IS_SETTLED_ELSEWHERE)
    return or_(*parts)
