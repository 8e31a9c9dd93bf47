"""What is to be told about alerts, and what came of telling it: one message an alert and target.

At least once: whoever sends a message takes it first, so that nobody else sends it at the same time, and
notes afterwards what came of it. One who dies in between leaves it to be sent again, with the same id.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, func, or_, select, text, update
from sqlalchemy.orm import Session

from core import inputs
from db.models import ALERT_TARGETS, SEVERITIES, Alert, AlertMessage, AlertSettings, Product

# After the first, second, ... attempt that failed; after the last one nobody tries again.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
MOST_ATTEMPTS = len(PAUSES) + 1
# Longer than one sending lasts, every time-out of it together: then whoever took it has died.
SENDING_LASTS = timedelta(minutes=15)
PROBLEM_CHARACTERS = 300
_QUEUE = text(
    """
    INSERT INTO alert_message (alert_id, target, severity, next_try_at, created_at)
    SELECT alert.id, target.name, alert.severity, CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM alert_settings AS chosen
    CROSS JOIN LATERAL (
        SELECT 'email' AS name WHERE cardinality(chosen.notify_emails) > 0
        UNION ALL
        SELECT 'webhook' WHERE chosen.notify_webhook IS NOT NULL
    ) AS target
    JOIN alert ON alert.state = 'active' AND alert.changed_at > chosen.notify_since
    WHERE array_position(CAST(:severities AS text[]), alert.severity)
          >= array_position(CAST(:severities AS text[]), chosen.notify_severity)
    ON CONFLICT (alert_id, target, severity) DO NOTHING
    """
)


@dataclass(frozen=True)
class Message:
    """A message that is being sent: the alert as it is now. `uid` stays the same for every attempt."""

    id: int
    uid: uuid.UUID
    alert_uid: uuid.UUID
    type: str
    severity: str
    message: str
    raised_at: datetime
    product_uid: uuid.UUID | None
    sku: str | None
    product_name: str | None


@dataclass(frozen=True)
class Told:
    """How a target fares: `sent_at` of the last message that arrived (None: none ever did), how many wait.

    `problem` says why the newest attempt failed when nothing arrived since, `failing_since` since when the
    oldest message that failed so waits or was given up; both None where all is well.
    """

    sent_at: datetime | None
    waiting: int
    failing_since: datetime | None
    problem: str | None


def queue(session: Session, now: datetime) -> int:
    """Write down whom to tell of which alerts; answers how many messages are new.

    Told is what is active, severe enough, and raised, woken or worse since somebody last was added. What
    waits of alerts that are over, seen, or of another severity by now, or for a target that is no more, is
    forgotten.
    """
    raise NotImplementedError


def take(session: Session, target: str, now: datetime, most: int) -> list[Message]:
    """The messages that are due, oldest first; until they are noted nobody else takes them."""
    raise NotImplementedError


def sent(session: Session, ids: Sequence[int], now: datetime, problem: str | None = None) -> None:
    """Note that these messages arrived; `problem`: what went wrong with a part of it."""
    raise NotImplementedError


def failed(session: Session, ids: Sequence[int], now: datetime, problem: str) -> int:
    """Note that these did not arrive: they come again after a pause, or are given up; answers how many were."""
    raise NotImplementedError


def state(session: Session) -> dict[str, Told]:
    """How "email" and "webhook" fare."""
    raise NotImplementedError
