"""One line for each thing somebody did, written in the same transaction as the thing itself."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from db.models import AuditLine

# Set by whoever opens the door (a request of the API, a run of a page, a run of a job): audit lines and log
# lines of one request carry the same id.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


@dataclass
class ByKey:
    """A request that came with an API key; `id` is the key's, once the database has been asked."""

    id: int | None = None


# Set at the API's door, filled in by the thread that looks the key up: both see the one object.
by_key: ContextVar[ByKey | None] = ContextVar("by_key", default=None)


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
    """Write down who did what to which thing; `before` and `after` hold JSON values, never secrets.

    What a machine does is its person's doing, and names the API key.
    """
    key = by_key.get()
    session.add(
        AuditLine(
            actor_id=actor_id,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            request_id=request_id.get(),
            api_key_id=key.id if key else None,
            before=before,
            after=after,
        )
    )
