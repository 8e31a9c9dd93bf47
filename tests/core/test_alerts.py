"""Alerts raised, changed, slept over and resolved: by bookings, by the hourly watch, by people."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import alerts, shop, stock
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import Alert, AuditLine, RunOut, WarehouseThreshold
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()


def open_of(session, product, kind="low_stock"):
    """The open alert of a product, None without one."""
    found = [
        alert
        for alert in alerts.listing(session, state=None, type=kind, product_id=product.id, today=TODAY)[0]
        if alert.state != "resolved"
    ]
    assert len(found) <= 1
    return found[0] if found else None


def take(session, product, quantity, warehouse=None):
    place = warehouse or the_warehouse(session)
    return stock.remove(session, an_actor(session), product.id, place.id, quantity)


def bring(session, product, quantity, warehouse=None):
    place = warehouse or the_warehouse(session)
    return stock.add(session, an_actor(session), product.id, place.id, quantity)


def test_a_booking_that_crosses_the_threshold_raises_the_alert_at_once(session):
    product = a_product(session, 30, reorder_threshold=20)
    assert open_of(session, product) is None
    take(session, product, 10)
    raised = open_of(session, product)
    assert (raised.severity, raised.state) == ("info", "active")
    assert raised.message == f"{product.sku}: 20 on hand, at or below the threshold of 20"
    take(session, product, 12)
    assert open_of(session, product).severity == "warning"
    take(session, product, 8)
    assert (open_of(session, product).severity, open_of(session, product).uid) == ("critical", raised.uid)
    bring(session, product, 40)
    assert open_of(session, product) is None
    over = alerts.by_uid(session, raised.uid)
    assert (over.state, over.resolved_by) == ("resolved", None)
    assert over.resolved_because == "40 on hand again, above the threshold of 20"
