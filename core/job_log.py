"""The log of a run of a job: its last lines, kept with the run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.logs import without_secrets
from db.models import JobLine

MOST_LINES = 500
LONGEST_LINE = 2000
CUT = "\n...\n"


@dataclass(frozen=True)
class Line:
    """One line: when it was said, how serious it is (INFO, WARNING, ERROR), and what was said."""

    at: datetime
    level: str
    message: str


def fitting(message: str) -> str:
    """The message as it can be kept: without secrets, and in its middle shortened to 2,000 characters.

    A traceback says at its end what went wrong.
    """
    # PostgreSQL keeps neither NUL nor half a character.
    text = without_secrets(message).replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if len(text) <= LONGEST_LINE:
        return text
    head = LONGEST_LINE // 4
    return text[:head] + CUT + text[-(LONGEST_LINE - head - len(CUT)) :]


def write(session: Session, run_id: int, lines: Iterable[Line]) -> None:
    """Add lines to the log of a run; the oldest go when there are more than 500."""
    rows = [
        {"job_run_id": run_id, "at": line.at, "level": line.level, "message": fitting(line.message)}
        for line in lines
    ]
    if not rows:
        return
    session.execute(insert(JobLine), rows)
    newest = (
        select(JobLine.id)
        .where(JobLine.job_run_id == run_id)
        .order_by(JobLine.id.desc())
        .offset(MOST_LINES)
        .limit(1)
        .scalar_subquery()
    )
    session.execute(delete(JobLine).where(JobLine.job_run_id == run_id, JobLine.id <= newest))


def read(session: Session, actor: Actor, run_id: int) -> list[Line]:
    """What a run has said, oldest first."""
    auth.must(actor, "see jobs")
    found = session.execute(
        select(JobLine.at, JobLine.level, JobLine.message)
        .where(JobLine.job_run_id == run_id)
        .order_by(JobLine.id)
    )
    return [Line(*row) for row in found]


def last_said(session: Session, actor: Actor, run_ids: Iterable[int]) -> dict[int, datetime]:
    """When each of these runs last said something; runs that never did are left out."""
    auth.must(actor, "see jobs")
    found = session.execute(
        select(JobLine.job_run_id, func.max(JobLine.at))
        .where(JobLine.job_run_id.in_(list(run_ids)))
        .group_by(JobLine.job_run_id)
    )
    return dict(found.all())
