"""Marks along the ledger, so that whoever wants row five million need not walk past all before it.

The ledger only grows, so the place of a movement holds for ever: the id of every thousandth is kept, up to
the horizon (core/cursors.py). Without marks all answers are the same, and slower.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import cursors
from db import queries
from db.models import LedgerMark

STEP = 1000
AT_ONCE = 100 * STEP
"""So many movements are walked in one transaction: a tenth of a second."""
PATIENCE = timedelta(seconds=3)
"""Five million movements without a mark get theirs within the first requests, none of which waits long."""

_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('ledger marks', 0))")


@dataclass(frozen=True)
class Place:
    """Where a page lies: `before` movements lie before it, the last of them is `after_id` (0: none).

    `after_id` is None where the page begins behind the end; `last_id` is its last movement. `total` counts
    all that are told, `unmarked` those that no mark counts yet.
    """

    total: int
    unmarked: int
    before: int
    after_id: int | None
    last_id: int


def place(session: Session, horizon: int, *, after_id: int = 0, offset: int = 0, limit: int = 1) -> Place:
    """Where `limit` movements lie, `offset` behind `after_id`, in a ledger that is told up to `horizon`."""
    asked = {"horizon": horizon, "after_id": after_id, "offset": offset, "limit": limit}
    (row,) = queries.rows(session, "ledger_place", **asked)
    return Place(**row)


def before_moment(session: Session, moment: datetime) -> int:
    """A movement up to which all were booked before `moment`, as late a one as is marked; else 0."""
    found = session.scalar(
        select(LedgerMark.movement_id)
        .where(LedgerMark.last_recorded_at < moment)
        .order_by(LedgerMark.place.desc())
        .limit(1)
    )
    return found or 0


def extend(session: Session) -> bool:
    """Set the next marks, at most `AT_ONCE / STEP`; whether more can be set now. Needs READ COMMITTED.

    Nothing happens while somebody else does it: who asks for marks does without some of them.
    """
    if not session.scalar(_ALONE):
        return False
    found = queries.rows(
        session, "add_ledger_marks", last_id=cursors.horizon(session), step=STEP, most=AT_ONCE
    )
    return len(found) == AT_ONCE // STEP


def catch_up(transact: Callable[[Callable[[Session], bool]], bool]) -> None:
    """Set all marks that can be set, each piece in a transaction of its own; stop after `PATIENCE`."""
    ends = monotonic() + PATIENCE.total_seconds()
    while transact(extend) and monotonic() < ends:
        pass
