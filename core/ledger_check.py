"""Is the ledger what it promises to be? Stock on hand is the sum of its movements, everywhere.

The night looks (`look`) and keeps what it found (`keep`): where each broken rule is broken, until a later
night finds that place whole again. The alerts about it follow.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import alert_watch, ledger_words
from core.ledger_words import RULES
from db import queries
from db.models import JobRun, LedgerFault, Product, Warehouse

__all__ = ["JOB", "MOST_PLACES", "RULES", "Fault", "Found", "Report", "faults", "keep", "look", "report"]

JOB = "check_ledger"
# Of one rule: who has a hundred places to look at has one cause to look for.
MOST_PLACES = 100
_KEY = ("rule", "product_id", "warehouse_id", "movement_id", "posting_id")


@dataclass(frozen=True)
class Found:
    """What a check found: how often each broken rule is broken, and where; empty on a sound ledger.

    A row of `places` is one of `ledger_faults_at.sql`, at most `MOST_PLACES` of a rule.
    """

    totals: dict[str, int]
    places: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Fault:
    """One place where a rule is broken, since the night that saw it first."""

    uid: uuid.UUID
    rule: str
    message: str
    product_uid: uuid.UUID | None
    sku: str | None
    product_name: str | None
    warehouse_code: str | None
    movement_id: int | None
    posting_id: int | None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class Report:
    """What the last check said: `is_sound` is None when there was none yet.

    `totals`: how often each broken rule is broken, which may be more often than faults are listed.
    """

    checked_at: datetime | None
    is_sound: bool | None
    totals: dict[str, int]
    faults: list[Fault]


# -- Checking ------------------------------------------------------------------------------------------------


def faults(session: Session) -> dict[str, int]:
    """How often each rule of the ledger is broken, the broken ones only: {} on a sound ledger.

    Reads every movement: a job for the night.
    """
    (row,) = queries.rows(session, "ledger_faults")
    return {rule: count for rule, count in row.items() if count}


def look(session: Session) -> Found:
    """Hold every level, chain and roll-up against the movements. Wants one snapshot, and minutes.

    Only where something is broken it is asked where, so that a sound ledger is read once.
    """
    totals = faults(session)
    if not totals:
        return Found({}, ())
    return Found(totals, queries.rows(session, "ledger_faults_at", rules=list(totals), most=MOST_PLACES))


def keep(session: Session, found: Found, now: datetime, today: date) -> None:
    """Write down what is broken and what is whole again, and bring the alerts about the ledger up to date."""
    # What names a product that is missing itself is kept without it: two of those are one.
    kept = list({tuple(place[name] for name in _KEY): _row(place, now) for place in found.places}.values())
    if kept:
        fresh = insert(LedgerFault)
        session.execute(
            fresh.on_conflict_do_update(
                index_elements=_KEY,
                index_where=LedgerFault.gone_at.is_(None),
                set_={name: fresh.excluded[name] for name in ("message", "figures", "last_seen_at")},
            ),
            kept,
        )
    session.execute(
        update(LedgerFault)
        .where(LedgerFault.gone_at.is_(None), LedgerFault.last_seen_at != now)
        .values(gone_at=now)
    )
    alert_watch.look_at_ledger(session, now, today)


def _row(place: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    about = {name: place[name] for name in ("sku", "warehouse_code", "movement_id", "posting_id")}
    return {
        **{name: place[name] for name in (*_KEY, "figures")},
        "message": ledger_words.sentence(place["rule"], place["figures"], **about),
        "first_seen_at": now,
        "last_seen_at": now,
    }


# -- Looking at what was found -------------------------------------------------------------------------------


def report(session: Session) -> Report:
    """What the last finished check said, and where the ledger is broken, the gravest rule first."""
    # A check that failed for another reason than the ledger has counted nothing.
    last = session.execute(
        select(JobRun.finished_at, JobRun.result)
        .where(
            JobRun.job == JOB,
            or_(
                JobRun.state == "done",
                (JobRun.state == "failed") & (func.jsonb_typeof(JobRun.result) == "object"),
            ),
        )
        .order_by(JobRun.finished_at.desc())
        .limit(1)
    ).one_or_none()
    checked_at, totals = (last.finished_at, dict(last.result or {})) if last else (None, {})
    rows = session.execute(
        select(*_columns())
        .outerjoin(Product, Product.id == LedgerFault.product_id)
        .outerjoin(Warehouse, Warehouse.id == LedgerFault.warehouse_id)
        .where(LedgerFault.gone_at.is_(None))
    ).mappings()
    found = sorted((Fault(**row) for row in rows), key=_place)
    return Report(checked_at, None if last is None else not totals, totals, found)


def _columns() -> list[Any]:
    joined = {
        "product_uid": Product.uid,
        "sku": Product.sku,
        "product_name": Product.name,
        "warehouse_code": Warehouse.code,
    }
    return [
        joined.get(name, getattr(LedgerFault, name, None)).label(name) for name in Fault.__dataclass_fields__
    ]


def _place(fault: Fault) -> tuple[Any, ...]:
    order = list(RULES).index(fault.rule) if fault.rule in RULES else len(RULES)
    return order, fault.sku or "", fault.warehouse_code or "", fault.movement_id or 0, fault.posting_id or 0
