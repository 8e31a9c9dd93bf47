"""A click on an alert can be taken back, as long as what it warns of still holds."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import alert_undo, alerts, stock
from core.errors import NotAllowed, NotFound, RuleBroken
from db.models import Alert, AuditLine
from tests.makers import a_product, an_actor, the_warehouse

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def manager(session):
    return an_actor(session, "manager")


@pytest.fixture
def low(session, manager):
    """An alert that is raised by a booking."""
    product = a_product(session, 10, reorder_threshold=8)
    stock.remove(session, manager, product.id, the_warehouse(session).id, 5, reason_code="sale")
    (alert,), _ = alerts.listing(session, today=NOW.date())
    return alert


def speak(session, actor, how, uid):
    if how == "snooze":
        return alerts.snooze(session, actor, uid, NOW, until=NOW.date() + timedelta(days=3), until_worse=True)
    return getattr(alerts, how)(session, actor, uid, NOW)


@pytest.mark.parametrize("how", ["acknowledge", "snooze", "resolve"])
def test_what_was_said_about_an_alert_is_taken_back_and_noted(session, manager, low, how):
    speak(session, manager, how, low.uid)
    assert alert_undo.take_back(session, manager, low.uid) == low
    assert alert_undo.take_back(session, manager, low.uid) == low  # the second click of a double click
    taken = session.scalars(sa.select(AuditLine.subject_id).where(AuditLine.action == "took back")).all()
    assert taken == [str(low.uid)]


def test_whoever_may_say_it_may_take_it_back(session, manager, low):
    user, viewer = an_actor(session, "user"), an_actor(session, "viewer")
    alerts.acknowledge(session, user, low.uid, NOW)
    with pytest.raises(NotAllowed):
        alert_undo.take_back(session, viewer, low.uid)
    assert alert_undo.take_back(session, user, low.uid).state == "active"
    alerts.resolve(session, manager, low.uid, NOW)
    with pytest.raises(NotAllowed):
        alert_undo.take_back(session, user, low.uid)


def test_an_alert_that_is_over_stays_resolved(session, manager, low):
    alerts.resolve(session, manager, low.uid, NOW)
    session.execute(sa.update(Alert).values(is_quiet=False))
    with pytest.raises(RuleBroken, match="is over"):
        alert_undo.take_back(session, manager, low.uid)
    with pytest.raises(NotFound):
        alert_undo.take_back(session, manager, "nonsense")


def test_a_newer_alert_counts_more_than_one_taken_back(session, manager, low):
    alerts.resolve(session, manager, low.uid, NOW)
    product_id = session.scalar(sa.select(Alert.product_id))
    session.add(
        Alert(product_id=product_id, type="low_stock", severity="critical", message="newer", figures={})
    )
    session.flush()
    with pytest.raises(RuleBroken, match="newer alert"):
        alert_undo.take_back(session, manager, low.uid)


def test_a_newer_alert_that_came_at_the_same_moment_is_the_same_refusal(session, manager, low, monkeypatch):
    alerts.resolve(session, manager, low.uid, NOW)
    look = alert_undo._must_be_quiet

    def look_and_be_overtaken(session, alert):
        look(session, alert)
        session.execute(
            sa.insert(Alert).values(
                product_id=alert.product_id,
                type="low_stock",
                severity="critical",
                message="newer",
                figures={},
            )
        )

    monkeypatch.setattr(alert_undo, "_must_be_quiet", look_and_be_overtaken)
    with pytest.raises(RuleBroken, match="newer alert"):
        alert_undo.take_back(session, manager, low.uid)
    assert alerts.by_uid(session, low.uid).state == "resolved"
