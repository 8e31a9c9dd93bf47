"""One line for each thing somebody did, written in the same transaction as the thing itself."""

from contextvars import ContextVar
from typing import Any

from sqlalchemy.orm import Session

from db.models import AuditLine

# Set by whoever opens the door (a request of the API, a run of a page, a run of a job): audit lines and log
# lines of one request carry the same id.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def note(
    session: Session,
    actor_id: int | None,
    action: str,
    subject_type: str,
    subject_id: object,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write down who did what to which thing; `before` and `after` hold JSON values, never secrets."""
    session.add(
        AuditLine(
            actor_id=actor_id,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            request_id=request_id.get(),
            before=before,
            after=after,
        )
    )
