"""Taking back what somebody said about an alert: it is active again, as if nobody had spoken."""

import uuid

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import alerts, audit, auth
from core.alerts import Shown
from core.auth import Actor
from core.errors import RuleBroken
from db.models import Alert

FRESH = {
    "acknowledged_by": None,
    "acknowledged_at": None,
    "snoozed_until": None,
    "snoozed_chance": None,
    "resolved_by": None,
    "resolved_at": None,
    "resolved_because": None,
    "is_quiet": False,
}
NEWER = "A newer alert of this kind is open: that one counts now."


def take_back(session: Session, actor: Actor, uid: uuid.UUID | str) -> Shown:
    """Make an acknowledged, snoozed or by hand resolved alert active again; an active one stays as it is.

    Refuses an alert that resolved by itself, or whose condition cleared since somebody resolved it, and one
    whose product has another open alert of its type by now.
    """
    shown = alerts.by_uid(session, uid)
    auth.must(actor, "acknowledge alerts" if shown.state == "acknowledged" else "manage alerts")
    alert = session.scalars(
        select(Alert)
        .where(Alert.uid == shown.uid)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if alert.state == "active":
        return shown
    if alert.state == "resolved":
        _must_be_quiet(session, alert)
    before = {"state": alert.state}
    try:
        with session.begin_nested():
            alert.state = "active"
            for name, value in FRESH.items():
                setattr(alert, name, value)
    except IntegrityError as clash:  # a watch has raised a worse one since we looked
        raise RuleBroken(NEWER) from clash
    audit.note(session, actor.id, "took back", "alert", alert.uid, before=before, after={"state": "active"})
    return alerts.by_uid(session, alert.uid)


def _must_be_quiet(session: Session, alert: Alert) -> None:
    if not alert.is_quiet:
        raise RuleBroken("This alert is over: what it warned of has cleared since, so it stays resolved.")
    other = select(Alert.id).where(
        Alert.product_id.is_not_distinct_from(alert.product_id),
        Alert.type == alert.type,
        Alert.state != "resolved",
    )
    if session.scalar(other) is not None:
        raise RuleBroken(NEWER)
