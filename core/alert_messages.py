"""What is to be told about alerts, and what came of telling it: one message an alert and target.

At least once: whoever sends a message takes it first, so that nobody else sends it at the same time, and
notes afterwards what came of it. One who dies in between leaves it to be sent again, with the same id.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.orm import Session

from core import inputs
from db.models import ALERT_TARGETS, SEVERITIES, Alert, AlertMessage, Product

# After the first, second, ... attempt that failed; after the last one nobody tries again.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
MOST_ATTEMPTS = len(PAUSES) + 1
# Longer than one sending lasts, every time-out of it together: then whoever took it has died.
SENDING_LASTS = timedelta(minutes=15)
PROBLEM_CHARACTERS = 300
# Neither waits for people or watches that change an alert at this moment: the next minute finds it.
_FORGET = text(
    """
    DELETE FROM alert_message WHERE id IN (
        SELECT said.id
        FROM alert_message AS said
        JOIN alert ON alert.id = said.alert_id
        CROSS JOIN alert_settings AS chosen
        WHERE said.state = 'waiting' AND (
            alert.state <> 'active' OR alert.severity <> said.severity
            OR array_position(CAST(:severities AS text[]), said.severity::text)
               < array_position(CAST(:severities AS text[]), chosen.notify_severity::text)
            OR said.target = 'email' AND cardinality(chosen.notify_emails) = 0
            OR said.target = 'webhook' AND chosen.notify_webhook IS NULL
        )
        ORDER BY said.id
        FOR UPDATE OF said SKIP LOCKED
    )
    """
)
_QUEUE = text(
    """
    INSERT INTO alert_message (alert_id, target, severity, state, next_try_at, created_at)
    SELECT alert.id, target.name, alert.severity, CAST(:state AS text),
           CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM alert_settings AS chosen
    JOIN unnest(CAST(:targets AS text[])) AS target (name)
      ON target.name = 'email' AND cardinality(chosen.notify_emails) > 0
      OR target.name = 'webhook' AND chosen.notify_webhook IS NOT NULL
    JOIN alert ON alert.state <> 'resolved' AND (
        CAST(:state AS text) = 'given_up'
        OR alert.state = 'active' AND alert.changed_at > chosen.notify_since
    )
    WHERE array_position(CAST(:severities AS text[]), alert.severity::text)
          >= array_position(CAST(:severities AS text[]), chosen.notify_severity::text)
      AND NOT EXISTS (
        SELECT FROM alert_message AS said
        WHERE said.alert_id = alert.id AND said.target = target.name
          AND array_position(CAST(:severities AS text[]), said.severity::text)
              >= array_position(CAST(:severities AS text[]), alert.severity::text)
      )
    ORDER BY alert.id
    FOR KEY SHARE OF alert SKIP LOCKED
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
    forgotten. That an alert got less severe is told to nobody.
    """
    session.flush()
    session.execute(_FORGET, {"severities": list(SEVERITIES)})
    return _write(session, "waiting", now)


def pass_over(session: Session, now: datetime) -> None:
    """Tell nobody of what is open now and would be told for the first time: it counts as given up.

    Whoever is at work on an alert at this moment has not committed it, so that one is told; rather that than
    lost to those who were told so far.
    """
    session.flush()
    _write(session, "given_up", now)


def _write(session: Session, state: str, now: datetime) -> int:
    about = {"severities": list(SEVERITIES), "targets": list(ALERT_TARGETS), "state": state, "now": now}
    return session.execute(_QUEUE, about).rowcount


def take(session: Session, target: str, now: datetime, most: int) -> list[Message]:
    """The messages that are due, oldest first; while they are being sent nobody else takes them."""
    due = session.scalars(
        select(AlertMessage.id)
        .join(Alert, Alert.id == AlertMessage.alert_id)
        .where(
            *_waits(target),
            AlertMessage.next_try_at <= now,
            Alert.state == "active",
            Alert.severity == AlertMessage.severity,
        )
        .order_by(AlertMessage.next_try_at, AlertMessage.id)
        .limit(most)
        .with_for_update(of=AlertMessage, skip_locked=True)
    ).all()
    if not due:
        return []
    session.execute(
        update(AlertMessage)
        .where(AlertMessage.id.in_(due))
        .values(attempts=AlertMessage.attempts + 1, tried_at=now, next_try_at=now + SENDING_LASTS)
    )
    question = (
        select(
            AlertMessage.id, AlertMessage.uid, AlertMessage.severity,
            Alert.uid.label("alert_uid"), Alert.type, Alert.message, Alert.raised_at,
            Product.uid.label("product_uid"), Product.sku, Product.name.label("product_name"),
        )
        .join(Alert, Alert.id == AlertMessage.alert_id)
        .outerjoin(Product, Product.id == Alert.product_id)
        .where(AlertMessage.id.in_(due))
        .order_by(AlertMessage.id)
    )  # fmt: skip
    return [Message(**row) for row in session.execute(question).mappings()]


def sent(session: Session, ids: Sequence[int], now: datetime, problem: str | None = None) -> None:
    """Note that these messages arrived; `problem`: what went wrong with a part of it."""
    session.execute(
        update(AlertMessage)
        .where(AlertMessage.id.in_(ids), AlertMessage.state != "sent")
        .values(state="sent", sent_at=now, problem=_short(problem))
    )


def failed(session: Session, ids: Sequence[int], now: datetime, problem: str) -> int:
    """Note that these did not arrive; answers how many of them are given up, the others come again."""
    rows = session.scalars(
        select(AlertMessage)
        .where(AlertMessage.id.in_(ids), AlertMessage.state == "waiting")
        .order_by(AlertMessage.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    given_up = 0
    for row in rows:
        row.problem = _short(problem)
        if row.attempts >= MOST_ATTEMPTS:
            row.state = "given_up"
            given_up += 1
        else:
            row.next_try_at = now + PAUSES[row.attempts - 1]
    session.flush()
    return given_up


def state(session: Session) -> dict[str, Told]:
    """How "email" and "webhook" fare."""
    return {target: _told(session, target) for target in ALERT_TARGETS}


def _told(session: Session, target: str) -> Told:
    last = session.execute(
        select(AlertMessage.sent_at, AlertMessage.problem)
        .where(AlertMessage.target == target, AlertMessage.sent_at.is_not(None))
        .order_by(AlertMessage.sent_at.desc(), AlertMessage.id.desc())
        .limit(1)
    ).one_or_none()
    sent_at = last.sent_at if last else None
    waiting = session.scalar(select(func.count()).select_from(AlertMessage).where(*_waits(target)))
    failing = and_(
        AlertMessage.target == target, AlertMessage.state != "sent", AlertMessage.problem.is_not(None)
    )
    if sent_at is not None:
        failing = and_(failing, AlertMessage.tried_at > sent_at)
    newest = session.scalar(
        select(AlertMessage.problem)
        .where(failing)
        .order_by(AlertMessage.tried_at.desc(), AlertMessage.id.desc())
        .limit(1)
    )
    if newest is None:  # what a part of the last mail met
        problem = last.problem if last else None
        return Told(sent_at, waiting, sent_at if problem else None, problem)
    since = session.scalar(select(func.min(AlertMessage.created_at)).where(failing))
    return Told(sent_at, waiting, since, newest)


def _waits(target: str) -> tuple[ColumnElement[bool], ...]:
    return AlertMessage.target == target, AlertMessage.state == "waiting"


def _short(problem: str | None) -> str | None:
    return None if problem is None else inputs.shown(problem, PROBLEM_CHARACTERS)
