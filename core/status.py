"""How the system is: what works, and how fresh it is."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import job_runs
from db import roles, server
from db.models import AnomalyModel, ModelRun
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
    return Part("ok", "The embedded database answers." if is_embedded() else "The database answers.")


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
    return _trained(trained_at, now, "Forecasts are trained.")


def odd_movements(session: Session, now: datetime) -> Part:
    """How old the model is that knows which movements are usual."""
    trained_at = session.scalar(
        select(func.max(AnomalyModel.finished_at)).where(AnomalyModel.state == "published")
    )
    return _trained(trained_at, now, "It is known which movements are usual.")


def _trained(trained_at: datetime | None, now: datetime, words: str) -> Part:
    if trained_at is None:
        return Part("missing", "Nothing is trained yet.")
    age = now - trained_at
    if age > MODELS_STALE:
        return Part("stale", "The last training is more than a week old.", _seconds(age))
    return Part("ok", words, _seconds(age))


def _seconds(age: timedelta) -> int:
    return max(int(age.total_seconds()), 0)
