"""Alerts over HTTP."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core import alerts, shop
from db.models import Alert, LedgerFault
from db.session import reading, transaction
from tests import makers

ALERTS = "/api/v1/alerts"


@pytest.fixture
def low(client):
    """A product that is low, one that is out, and one that has enough; ids of the first two."""
    now = datetime.now(UTC)
    with transaction() as session:
        some = makers.a_product(session, 4, reorder_threshold=10, sku="LOW-1", name="Bolts")
        none = makers.a_product(session, 0, reorder_threshold=10, sku="OUT-1")
        makers.a_product(session, 40, reorder_threshold=10)
        alerts.raise_all(session, now, shop.today(shop.get(session), now))
    return client, str(some.uid), str(none.uid)


def test_alerts_are_listed_with_their_product_and_found_by_filter(low, as_role):
    client, some, none = low
    headers = as_role("viewer")
    found = client.get(ALERTS, headers=headers)
    assert found.headers["x-total-count"] == "2"
    by_product = {alert["product_id"]: alert for alert in found.json()}
    assert set(by_product) == {some, none}
    alert = by_product[some]
    assert (alert["product_sku"], alert["alert_type"], alert["status"]) == ("LOW-1", "low_stock", "active")
    assert (alert["severity"], by_product[none]["severity"]) == ("warning", "critical")
    assert "LOW-1" in alert["message"]
    assert alert["created_at"].endswith("Z")
    for query, ids in (
        ("status=active", {some, none}),
        ("status=resolved", set()),
        ("alert_type=low_stock&severity=critical", {none}),
        ("alert_type=predicted_depletion", set()),
        (f"product_id={some}", {some}),
        ("skip=2", set()),
    ):
        assert {
            one["product_id"] for one in client.get(f"{ALERTS}?{query}", headers=headers).json()
        } == ids, query
    for query in ("status=open", "alert_type=x", "severity=bad", "state=active", "product_id=7"):
        assert client.get(f"{ALERTS}?{query}", headers=headers).status_code == 422, query
    assert client.get(f"{ALERTS}?product_id={uuid.uuid4()}", headers=headers).status_code == 404


def test_the_warehouse_acknowledges_and_the_manager_resolves(low, as_role):
    client, some, _ = low
    address = (
        f"{ALERTS}/{client.get(ALERTS + '?product_id=' + some, headers=as_role('viewer')).json()[0]['id']}"
    )
    assert client.post(f"{address}/acknowledge", headers=as_role("viewer")).status_code == 403
    seen = client.post(f"{address}/acknowledge", headers=as_role("user"))
    assert (seen.status_code, seen.json()["status"]) == (200, "acknowledged")
    assert seen.json()["acknowledged_by"].startswith("User")
    assert client.post(f"{address}/resolve", headers=as_role("user")).status_code == 403
    closed = client.post(f"{address}/resolve", headers=as_role("manager"))
    assert (closed.status_code, closed.json()["status"]) == (200, "resolved")
    assert client.post(f"{address}/resolve", headers=as_role("manager")).status_code == 200
    late = client.post(f"{address}/acknowledge", headers=as_role("user"))
    assert (late.status_code, late.json()["type"]) == (400, "RuleBroken")


def test_an_alert_that_nobody_has_is_404(client, as_role):
    for verb in ("acknowledge", "resolve"):
        answer = client.post(f"{ALERTS}/{uuid.uuid4()}/{verb}", headers=as_role("manager"))
        assert answer.status_code == 404
        assert client.post(f"{ALERTS}/settings/{verb}", headers=as_role("manager")).status_code == 422


def test_a_broken_ledger_is_an_alert_without_a_product(client, as_role):
    now, manager = datetime.now(UTC), as_role("manager")
    with transaction() as session:
        session.add(LedgerFault(rule="orphans", message="Posting 9 has no movements.", figures={}))
        session.flush()
        alerts.raise_all(session, now, now.date())
    (alert,) = client.get(f"{ALERTS}?alert_type=ledger", headers=manager).json()
    assert (alert["product_id"], alert["product_sku"], alert["product_name"]) == (None, None, None)
    assert (alert["message"], alert["severity"]) == ("Posting 9 has no movements", "critical")
    assert client.get(f"{ALERTS}?alert_type=anomaly", headers=manager).json() == []
    for verb, status in (("acknowledge", "acknowledged"), ("resolve", "resolved")):
        answer = client.post(f"{ALERTS}/{alert['id']}/{verb}", headers=manager)
        assert (answer.status_code, answer.json()["status"]) == (200, status)


def test_settings_change_only_what_is_given(client, as_role):
    address, manager = f"{ALERTS}/settings", as_role("manager")
    before = client.get(address, headers=as_role("viewer")).json()
    assert before == {
        "alert_threshold_days": 14,
        "low_stock_enabled": True,
        "predicted_depletion_enabled": True,
        "anomaly_enabled": True,
    }
    wanted = {"low_stock_enabled": False, "anomaly_enabled": False}
    changed = client.put(address, json=wanted, headers=manager)
    assert changed.json() == before | wanted
    for wrong in (
        {"alert_threshold_days": 0},
        {"alert_threshold_days": 121},
        {"alert_threshold_days": 14.0},
        {"alert_threshold_days": "14"},
        {"low_stock_enabled": 1},
        {"low_stock_enabled": None},
        {"enabled": True},
    ):
        assert client.put(address, json=wrong, headers=manager).status_code == 422, wrong
    assert client.put(address, json={}, headers=as_role("user")).status_code == 403
    assert client.get(address, headers=manager).json() == changed.json()
    with reading() as session:
        assert session.scalars(select(Alert)).all() == []
