"""What a monitoring asks of the shop, in one look: jobs, trainings, forecasts, stock, alerts, the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import alerts, forecast_report, job_runs, ledger_words, shop, timetable
from core.forecast_report import Totals
from db import queries
from db.models import (
    SEVERITIES,
    STATUSES,
    AnomalyModel,
    JobRun,
    LedgerFault,
    LedgerMark,
    ModelRun,
    Movement,
    Product,
    Warehouse,
)

JOBS = tuple(task.job for task in (*timetable.TASKS, *timetable.ERRANDS))
RECENT = timedelta(days=1)
# More movements than this behind the last mark are not counted one by one: the marks are made when somebody
# pulls the ledger, and until then the statistics of PostgreSQL know well enough.
MOST_COUNTED = 50_000
_ESTIMATE = text("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'movement'::regclass")


@dataclass(frozen=True)
class Queue:
    """Runs that wait for a worker, and for how many seconds the oldest has."""

    waiting: int
    oldest_seconds: float


@dataclass(frozen=True)
class Job:
    """One job: when it last worked and for how many seconds (None: never), and its runs of the last day."""

    job: str
    done_at: datetime | None
    seconds: float | None
    runs_by_state: Mapping[str, int]


@dataclass(frozen=True)
class Training:
    """The newest published training of the whole shop: when, how long it took, and of how many products."""

    finished_at: datetime
    seconds: float
    trained: int
    too_short: int
    failed: int


@dataclass(frozen=True)
class Figures:
    """The shop in figures. Counts of a closed set of words name each of them, 0 included.

    `products` and `warehouses` are the active ones; `products_by_status` those that have a run-out.
    """

    scheduler_seen_at: datetime | None
    queue: Queue
    jobs: tuple[Job, ...]
    forecasts_trained_at: datetime | None
    training: Training | None
    ranges: Totals
    odd_model_trained_at: datetime | None
    products: int
    warehouses: int
    products_by_status: Mapping[str, int]
    open_alerts_by_severity: Mapping[str, int]
    ledger_faults_by_rule: Mapping[str, int]
    ledger_rows: int

    def runs_by_state(self) -> dict[str, int]:
        """How the runs of the last day stand, all jobs together."""
        found: dict[str, int] = {}
        for job in self.jobs:
            for state, number in job.runs_by_state.items():
                found[state] = found.get(state, 0) + number
        return found


def look(session: Session, now: datetime) -> Figures:
    """All figures. Some milliseconds, whatever the size of the ledger; wants one snapshot and a time-out."""
    trained_at = session.scalar(select(func.max(ModelRun.finished_at)).where(ModelRun.state == "published"))
    return Figures(
        scheduler_seen_at=job_runs.scheduler_seen_at(session),
        queue=_queue(session, now),
        jobs=_jobs(session, now),
        forecasts_trained_at=trained_at,
        training=_training(session),
        ranges=forecast_report.totals(session, shop.today(shop.get(session), now)),
        odd_model_trained_at=session.scalar(
            select(func.max(AnomalyModel.finished_at)).where(AnomalyModel.state == "published")
        ),
        products=_active(session, Product),
        warehouses=_active(session, Warehouse),
        products_by_status=products_by_status(session),
        open_alerts_by_severity=open_alerts(session),
        ledger_faults_by_rule=_faults(session),
        ledger_rows=ledger_rows(session),
    )


def products_by_status(session: Session) -> dict[str, int]:
    """Active products by what their run-out says, every status named."""
    found = {
        row["status"]: row["products"] for row in queries.rows(session, "status_tiles", warehouse_id=None)
    }
    return {status: found.get(status, 0) for status in STATUSES}


def open_alerts(session: Session) -> dict[str, int]:
    """Alerts that are not resolved by severity, every severity named."""
    found = dict.fromkeys(SEVERITIES, 0)
    for (_, severity), number in alerts.counts(session).items():
        found[severity] += number
    return found


def ledger_rows(session: Session) -> int:
    """How many movements there are: exact near the last mark, what PostgreSQL estimates far behind it."""
    place, movement_id = session.execute(
        select(LedgerMark.place, LedgerMark.movement_id).order_by(LedgerMark.place.desc()).limit(1)
    ).one_or_none() or (0, 0)
    behind = select(Movement.id).where(Movement.id > movement_id).limit(MOST_COUNTED).subquery()
    counted = session.scalar(select(func.count()).select_from(behind))
    if counted < MOST_COUNTED:
        return place + counted
    return max(session.scalar(_ESTIMATE), place + counted)


def _active(session: Session, table: type[Product] | type[Warehouse]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(table.is_active))


def _queue(session: Session, now: datetime) -> Queue:
    waiting, since = session.execute(
        select(func.count(), func.min(JobRun.queued_at)).where(JobRun.state == "queued")
    ).one()
    return Queue(waiting, max((now - since).total_seconds(), 0.0) if since else 0.0)


def _jobs(session: Session, now: datetime) -> tuple[Job, ...]:
    found = queries.rows(session, "job_figures", jobs=list(JOBS), since=now - RECENT)
    return tuple(Job(row["job"], row["done_at"], row["seconds"], row["states"]) for row in found)


def _training(session: Session) -> Training | None:
    """Of the whole shop: a training of what moved has no report, and takes as long as there was to do."""
    found: Any = session.execute(
        select(
            ModelRun.started_at, ModelRun.finished_at, ModelRun.trained, ModelRun.too_short, ModelRun.failed
        )
        .where(ModelRun.state == "published", ModelRun.report.is_not(None))
        .order_by(ModelRun.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    seconds = (found.finished_at - found.started_at).total_seconds()
    return Training(found.finished_at, seconds, found.trained, found.too_short, found.failed)


def _faults(session: Session) -> dict[str, int]:
    found = session.execute(
        select(LedgerFault.rule, func.count()).where(LedgerFault.gone_at.is_(None)).group_by(LedgerFault.rule)
    )
    return dict.fromkeys(ledger_words.RULES, 0) | dict(found.all())
