"""How far one may read the ledger without passing a movement that is still being written."""

from datetime import datetime

from sqlalchemy.orm import Session

from db import queries

READS_ONLY = "runout export"
"""The application name of transactions that take long and never book: no booking of theirs is waited for."""
UNSEEN_SECONDS = 10
"""A server that received BEGIN shows the transaction a moment later; a busy one makes a second of that."""


def horizon(session: Session) -> int:
    """The last movement before which no other can appear any more; 0 in an empty ledger.

    Ids are drawn before commit: a movement with a lower id can become visible after one with a higher id.
    Whoever remembers the last id seen (cursor, offset) stops here. Ask before the movements are read, in
    READ COMMITTED (each statement sees its own moment), or before the snapshot they are read from.
    """
    (row,) = queries.rows(session, "ledger_horizon")
    return row["horizon"]


def known_until(session: Session, last_id: int) -> datetime:
    """No movement behind `last_id` was or will be booked (`recorded_at`) before this moment.

    `recorded_at` is the start of the booking's transaction, which may be seen minutes later. Whoever has
    seen all movements up to `last_id` asks next time for those booked at this moment or later, and loses
    none; some come twice. Needs READ COMMITTED, and that all who book log in as this session does.
    """
    # In this order: what ends after the first statement is told by it, what ended before is seen by the next.
    asked = {"reads_only": READS_ONLY, "unseen_seconds": UNSEEN_SECONDS}
    (still_open,) = queries.rows(session, "oldest_booking", **asked)
    (behind,) = queries.rows(session, "booked_behind", last_id=last_id)
    return min(moment for moment in (still_open["began_at"], behind["recorded_at"]) if moment is not None)
