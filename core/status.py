"""How the system is: what works, how fresh it is, and how much there is of everything."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import alerts, job_runs
from db import queries, roles, server
from db.models import JobRun, ModelRun, Product, Warehouse
from db.session import is_embedded

LEAST_FREE_BYTES = 200 * 2**20
# The weekly training plus a day in which somebody may mend it.
MODELS_STALE = timedelta(days=8)
_HERE = text("SELECT version_num FROM alembic_version")


@dataclass(frozen=True)
class Part:
    """One part of the system; `state` is ok, stale (works, but nothing new comes), missing or failed."""

    state: str
    detail: str
    age_seconds: int | None = None

    @property
    def is_ok(self) -> bool:
        return self.state == "ok"


# -- What must be right to answer at all ---------------------------------------------------------------------


def tables(session: Session) -> Part:
    """Whether the database answers, and has the tables this code needs."""
    if session.scalar(_HERE) != _needed():
        return Part("failed", "The database is not at the revision this version needs: migrate.")
    return Part("ok", "The database answers.")


def disk() -> Part:
    """Whether there is room to write: for the database where it is ours, for files and logs everywhere."""
    place = server.home() if is_embedded() else Path.cwd()
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        return Part("failed", f"Only {free // 2**20} MB of disk are free.")
    return Part("ok", "There is room on the disk.")


@cache
def _needed() -> str:
    return roles.head()


# -- What people should know ---------------------------------------------------------------------------------


def scheduler(session: Session, now: datetime) -> Part:
    """Whether the clock runs: alerts, training and checks come from there."""
    seen_at = job_runs.scheduler_seen_at(session)
    if seen_at is None:
        return Part("missing", "No scheduler has run yet.")
    age = now - seen_at
    if age > job_runs.HEARTBEAT_STALE:
        return Part("stale", "The scheduler has fallen silent.", _seconds(age))
    return Part("ok", "The scheduler is there.", _seconds(age))


def models(session: Session, now: datetime) -> Part:
    """How old the forecasts are that everybody sees."""
    trained_at = session.scalar(select(func.max(ModelRun.finished_at)).where(ModelRun.state == "published"))
    if trained_at is None:
        return Part("missing", "Nothing is trained yet.")
    age = now - trained_at
    if age > MODELS_STALE:
        return Part("stale", "The last training is more than a week old.", _seconds(age))
    return Part("ok", "Forecasts are trained.", _seconds(age))


def counts(session: Session, now: datetime) -> dict[str, Any]:
    """How much there is: products by status, warehouses, open alerts, job runs of the last day."""
    day_ago = now - timedelta(days=1)
    jobs = session.execute(
        select(JobRun.state, func.count()).where(JobRun.queued_at > day_ago).group_by(JobRun.state)
    )
    open_alerts: dict[str, int] = {}
    for (_, severity), number in alerts.counts(session).items():
        open_alerts[severity] = open_alerts.get(severity, 0) + number
    tiles = queries.rows(session, "status_tiles", warehouse_id=None)
    return {
        "products": _count(session, Product),
        "warehouses": _count(session, Warehouse),
        "products_by_status": {row["status"]: row["products"] for row in tiles},
        "open_alerts_by_severity": open_alerts,
        "job_runs_of_last_day_by_state": dict(jobs.all()),
    }


def _count(session: Session, table: type[Product] | type[Warehouse]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(table.is_active))


def _seconds(age: timedelta) -> int:
    return max(int(age.total_seconds()), 0)
