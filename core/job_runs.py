"""Runs of jobs: asked for by the clock or a person, claimed by one worker, finished once.

Moments are arguments: a worker's clock and a test's clock are treated alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from core import audit, auth
from core.auth import Actor
from core.errors import NotFound, RuleBroken
from db.models import JobRun, Worker

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 3
CHANNEL = "job_run"
HEARTBEAT_STALE = timedelta(minutes=2)
KEPT_FOR = timedelta(days=90)
TRAININGS = ("train", "refresh")


class Superseded(RuleBroken):
    """The run was given to somebody else, or cancelled: whatever was worked out must not be written."""


@dataclass(frozen=True)
class Claim:
    """A run that is ours until its lease ends; `fence` proves it at every write."""

    run_id: int
    job: str
    slot: datetime
    fence: int
    subject: str | None = None


def enqueue(session: Session, job: str, slot: datetime) -> bool:
    """Ask for the run of a slot; answers whether it was new. Any number of schedulers may ask."""
    new = session.execute(
        insert(JobRun).values(job=job, slot=slot).on_conflict_do_nothing().returning(JobRun.id)
    ).scalar()
    if new is not None:
        _wake(session)
    return new is not None


def note_done(session: Session, job: str, slot: datetime, now: datetime) -> None:
    """A slot's work was done by hand: whoever catches up later need not do it again."""
    session.execute(
        insert(JobRun)
        .values(job=job, slot=slot, state="done", started_at=now, finished_at=now)
        .on_conflict_do_nothing()
    )


def request(
    session: Session,
    actor: Actor,
    job: str,
    now: datetime,
    *,
    subject: str | None = None,
    right: str = "train",
) -> int:
    """Ask for a run now. A second click finds the run that waits or works already.

    `subject` says what the run is about where a job is asked for many things (an import's uid), `right` what
    the actor needs.
    """
    auth.must(actor, right)
    while True:
        new = session.execute(
            insert(JobRun)
            .values(job=job, slot=now, subject=subject, requested_by=actor.id)
            .on_conflict_do_nothing()
            .returning(JobRun.id)
        ).scalar()
        if new is not None:
            audit.note(session, actor.id, "asked for", "job", job)
            _wake(session)
            return new
        known = _open_run(session, job, subject)
        if known is not None:
            return known
        # The one in the way has ended between the two statements, or has this very slot.
        now += timedelta(microseconds=1)


def is_open(session: Session, job: str) -> bool:
    """Whether a run of the job waits or works: pages say so where its result is still to come."""
    return _open_run(session, job, None) is not None


def _open_run(session: Session, job: str, subject: str | None) -> int | None:
    return session.scalars(
        select(JobRun.id)
        .where(
            JobRun.job == job,
            JobRun.subject.is_not_distinct_from(subject),
            JobRun.state.in_(("queued", "running")),
        )
        .order_by(JobRun.id.desc())
        .limit(1)
    ).one_or_none()


def cancel(session: Session, actor: Actor, run_id: int, now: datetime) -> None:
    """Take back a queued run, or ask the worker of a running one to stop at its next step.

    Who may train may cancel trainings; any other run is the admins'.
    """
    auth.must(actor, "train")
    run = session.get(JobRun, run_id, with_for_update=True)
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    if run.job not in TRAININGS:
        auth.must(actor, "see jobs")
    if run.state == "queued":
        run.state, run.finished_at, run.message = "cancelled", now, f"Cancelled by {actor.name}."
    elif run.state == "running":
        run.cancel_requested = True
    else:
        raise RuleBroken(f"Run {run_id} of {run.job} is {run.state}: there is nothing to cancel.")
    audit.note(session, actor.id, "cancelled", "job", run.job, after={"run": run_id})


def claim(session: Session, worker: str, jobs: list[str], now: datetime) -> Claim | None:
    """Take the oldest queued run of these jobs; nobody else gets it before its lease ends."""
    run = session.scalars(
        select(JobRun)
        .where(JobRun.state == "queued", JobRun.job.in_(jobs))
        .order_by(JobRun.slot, JobRun.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if run is None:
        return None
    run.state, run.worker, run.started_at, run.lease_until = "running", worker, now, now + LEASE
    run.fence, run.attempts = run.fence + 1, run.attempts + 1
    run.done = run.total = run.message = run.result = None
    session.flush()
    return Claim(run.id, run.job, run.slot, run.fence, run.subject)


def beat(
    session: Session,
    claimed: Claim,
    now: datetime,
    done: int | None = None,
    total: int | None = None,
    stage: dict[str, Any] | None = None,
) -> None:
    """Prolong the lease and tell how far the work is; raises Superseded when the run is no longer ours.

    Work of several stages names the one that is counted, `{"stage": words, "since": moment}`; it stands in
    `result` until there is one.
    """
    values: dict[str, Any] = {"lease_until": now + LEASE}
    if done is not None:
        values |= {"done": done, "total": total}
    if stage is not None:
        values["result"] = stage
    kept = session.execute(
        update(JobRun).where(*_ours(claimed), ~JobRun.cancel_requested).values(values)
    ).rowcount
    if not kept:
        raise Superseded(f"Run {claimed.run_id} of {claimed.job} was cancelled or given to another worker.")


def finish(session: Session, claimed: Claim, now: datetime, result: dict[str, Any] | None = None) -> None:
    """Mark the run done, in the transaction of its effect: raises Superseded, which rolls both back."""
    kept = session.execute(
        update(JobRun)
        .where(*_ours(claimed))
        .values(state="done", finished_at=now, lease_until=None, result=result, message=None)
    ).rowcount
    if not kept:
        raise Superseded(f"Run {claimed.run_id} of {claimed.job} was given to another worker.")


def fail(
    session: Session, claimed: Claim, now: datetime, message: str, result: dict[str, Any] | None = None
) -> bool:
    """Write down why the run did not work; answers False, and does nothing, when it is no longer ours.

    `result`: what it counted all the same.
    """
    cancelled = session.scalar(select(JobRun.cancel_requested).where(JobRun.id == claimed.run_id))
    kept = session.execute(
        update(JobRun)
        .where(*_ours(claimed))
        .values(
            state="cancelled" if cancelled else "failed",
            finished_at=now,
            lease_until=None,
            message=message[:2000],
            **({"result": result} if result is not None else {}),
        )
    ).rowcount
    return bool(kept)


def try_again(session: Session, claimed: Claim, message: str) -> bool:
    """Queue a run anew whose work died of bad luck; answers False when it is not ours or had its attempts."""
    kept = session.execute(
        update(JobRun)
        .where(*_ours(claimed), ~JobRun.cancel_requested, JobRun.attempts < MOST_ATTEMPTS)
        .values(state="queued", lease_until=None, message=f"{message} It is tried again."[:2000])
    ).rowcount
    if kept:
        _wake(session)
    return bool(kept)


def reap(session: Session, now: datetime) -> int:
    """Queue runs anew whose worker fell silent; after three attempts they are abandoned. Answers how many."""
    dead = session.scalars(
        select(JobRun)
        .where(JobRun.state == "running", JobRun.lease_until < now)
        .with_for_update(skip_locked=True)
    ).all()
    for run in dead:
        if run.cancel_requested:
            run.state, run.finished_at = "cancelled", now
        elif run.attempts >= MOST_ATTEMPTS:
            run.state, run.finished_at = "abandoned", now
            run.message = f"Its worker fell silent {run.attempts} times."
        else:
            run.state, run.message = "queued", "Its worker fell silent; it is tried again."
            _wake(session)
        run.lease_until = None
    return len(dead)


def forget_old(session: Session, now: datetime, most: int = 5000) -> int:
    """Delete at most so many runs that ended 90 days ago, with their logs; answers how many.

    The last slot of each job stays: whoever catches up asks for it. Workers unseen for as long go too: each
    start of a scheduler is one.
    """
    session.execute(delete(Worker).where(Worker.seen_at < now - KEPT_FOR))
    newer = aliased(JobRun)
    last = (
        select(func.max(newer.slot))
        .where(newer.job == JobRun.job, newer.requested_by.is_(None))
        .correlate(JobRun)
        .scalar_subquery()
    )
    old = (
        select(JobRun.id)
        .where(JobRun.finished_at < now - KEPT_FOR, JobRun.slot.is_distinct_from(last))
        .limit(most)
    )
    return session.execute(delete(JobRun).where(JobRun.id.in_(old))).rowcount


def last_slot(session: Session, job: str) -> datetime | None:
    """The latest slot of the timetable that was asked for, however it ended."""
    return session.scalar(
        select(func.max(JobRun.slot)).where(JobRun.job == job, JobRun.requested_by.is_(None))
    )


def alive(session: Session, worker: str, now: datetime) -> None:
    """A scheduler process says that it is there."""
    session.execute(
        insert(Worker)
        .values(name=worker, started_at=now, seen_at=now)
        .on_conflict_do_update(index_elements=["name"], set_={"seen_at": now})
    )


def scheduler_seen_at(session: Session) -> datetime | None:
    """When any scheduler was last seen; None when none ever ran."""
    return session.scalar(select(func.max(Worker.seen_at)))


def by_id(session: Session, actor: Actor, run_id: int) -> JobRun:
    """One run as it stands, for whoever may ask for it."""
    auth.must(actor, "train")
    run = session.get(JobRun, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    return run


def latest(session: Session, actor: Actor, jobs: Sequence[str], most: int = 5) -> dict[str, list[JobRun]]:
    """The newest runs of each job, newest first."""
    auth.must(actor, "see jobs")
    return {
        job: list(
            session.scalars(select(JobRun).where(JobRun.job == job).order_by(JobRun.id.desc()).limit(most))
        )
        for job in jobs
    }


def _ours(claimed: Claim) -> tuple:
    return JobRun.id == claimed.run_id, JobRun.fence == claimed.fence, JobRun.state == "running"


def _wake(session: Session) -> None:
    # Delivered when the transaction commits; a worker that misses it looks every few seconds anyway.
    session.execute(text("SELECT pg_notify('job_run', '')"))
