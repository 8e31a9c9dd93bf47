"""The ledger as flat rows for machine learning: every movement once, in booking order, page by page."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import cursors, inputs
from core.errors import BadInput
from db import queries
from db.models import Movement

MOST_ROWS = 100_000
MOST_OFFSET = 2**62


@dataclass(frozen=True)
class Page:
    """Rows as JSON objects (`db/queries/ml_export.sql`), how many there are in all, whether more follow."""

    rows: list[str]
    total_count: int
    has_more: bool


def page(session: Session, *, offset: int = 0, limit: int = 10_000, after_id: int = 0) -> Page:
    """One page in order of ids, from `offset` rows behind `after_id` on; `total_count` is that of all rows.

    A row stays at its place for ever: movements that an earlier one could still overtake are not told yet.
    Whoever goes on from the last id or the last offset therefore misses nothing. Needs READ COMMITTED.
    """
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= MOST_OFFSET:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} rows and starts at 0 or later.")
    last_id = cursors.horizon(session)
    asked = {"after_id": inputs.big_id(after_id, "movement"), "last_id": last_id, "offset": offset}
    rows = [row["row"] for row in queries.rows(session, "ml_export", **asked, limit=limit + 1)]
    total = session.scalar(select(func.count()).select_from(Movement).where(Movement.id <= last_id)) or 0
    return Page(rows[:limit], total, len(rows) > limit)
