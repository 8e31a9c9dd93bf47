"""Work that the clock or a person asked for, and who is there to do it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment, moment_now


class JobRun(Base):
    """One run of one job for one slot of the timetable (or for a person who asked for it now).

    `subject` is what the run is about where a job is asked for many things: the uid of an import, say.

    A worker claims a queued run, which gives it a lease and a new `fence`; whoever writes later must name
    that fence, so a worker that was thought dead cannot write after its successor. A run whose lease ended is
    queued again, a few times at most.
    """

    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "slot"),
        CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'abandoned')", name="state"
        ),
        # A second click on Run now finds the first one's run.
        Index("uq_job_run_asked", "job", text("coalesce(subject, '')"), unique=True,
              postgresql_where=text("requested_by IS NOT NULL AND state IN ('queued', 'running')")),
        Index("ix_job_run_open", "state", "id", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_job_run_job_id", "job", "id"),
    )  # fmt: skip

    id: Mapped[big_id]
    job: Mapped[str]
    slot: Mapped[moment]
    subject: Mapped[str | None]
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    worker: Mapped[str | None]
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    queued_at: Mapped[moment_now]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    done: Mapped[int | None]
    total: Mapped[int | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    message: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class JobLine(Base):
    """A line of the log of a run."""

    __tablename__ = "job_line"

    id: Mapped[big_id]
    job_run_id: Mapped[int] = mapped_column(ForeignKey("job_run.id", ondelete="CASCADE"), index=True)
    at: Mapped[moment_now]
    level: Mapped[str]
    message: Mapped[str]


class Worker(Base):
    """A scheduler process and when it was last seen alive."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[moment_now]
    seen_at: Mapped[moment_now]
