"""Alerts over HTTP."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core import alerts, shop
from core.alert_channels import Channels
from db.models import Alert, AuditLine, LedgerFault
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
        "notify_emails": [],
        "notify_webhook": None,
        "notify_severity": "critical",
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


def test_who_is_told_is_kept_and_nobody_reads_the_webhooks_token_again(client, as_role):
    address, manager = f"{ALERTS}/settings", as_role("manager")
    client.app.state.settings = replace(
        client.app.state.settings, channels=Channels(webhook_hosts=("hooks.shop.example", "ops.example:8443"))
    )
    token = "https://hooks.shop.example/services/T0/secret-of-ours?key=secret-of-ours"
    told = {"notify_emails": ["a@shop.example", "b@shop.example"], "notify_severity": "warning"}
    answer = client.put(address, json=told | {"notify_webhook": token}, headers=manager)
    assert answer.status_code == 200
    kept = answer.json()
    assert kept["notify_webhook"].startswith("https://hooks.shop.example/")
    assert {name: kept[name] for name in told} == told
    # The answer may be sent back as it is, also by somebody who never saw the rest of the webhook.
    assert client.put(address, json=kept | {"notify_severity": "info"}, headers=manager).status_code == 200
    with reading() as session:
        assert alerts.settings(session).notify_webhook == token
        lines = session.scalars(select(AuditLine).where(AuditLine.subject_type == "alert settings")).all()
    noted = [(line.before, line.after) for line in lines]
    assert len(noted) == 2
    assert noted[0][1] | {"notify_webhook": ""} == told | {"notify_webhook": ""}
    assert "hooks.shop.example" in noted[0][1]["notify_webhook"]
    assert noted[1] == ({"notify_severity": "warning"}, {"notify_severity": "info"})
    seen = client.get(address, headers=as_role("viewer"))
    assert (seen.json()["notify_webhook"], seen.json()["notify_emails"]) == (
        "hooks.shop.example",
        told["notify_emails"],
    )
    assert not any("secret-of-ours" in said for said in (answer.text, seen.text, str(noted)))
    assert client.put(address, json=told, headers=as_role("user")).status_code == 403
    # Another token at the same host shows as a change in the audit, though neither shows.
    client.put(address, json={"notify_webhook": token.replace("of-ours", "of-today")}, headers=manager)
    with reading() as session:
        line = session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line.before["notify_webhook"] != line.after["notify_webhook"]
    assert "of-" not in str((line.before, line.after))
    nobody = {"notify_emails": [], "notify_webhook": None}
    assert client.put(address, json=nobody, headers=manager).json() == kept | nobody | {
        "notify_severity": "info"
    }


def test_whom_one_cannot_tell_is_refused_in_a_sentence_and_nothing_is_kept(client, as_role):
    address, manager = f"{ALERTS}/settings", as_role("manager")
    client.app.state.settings = replace(
        client.app.state.settings, channels=Channels(webhook_hosts=("hooks.shop.example",))
    )
    before = client.get(address, headers=manager).json()
    for wrong, word in (
        ({"notify_emails": ["nobody"]}, "'nobody' is not an e-mail address"),
        ({"notify_emails": ["a@b.example, c@d.example"]}, "not an e-mail address"),
        ({"notify_emails": ["a@b.example\nBcc: c@d.example"]}, "notify_emails"),
        ({"notify_emails": [f"a{n}@shop.example" for n in range(21)]}, "at most 20"),
        ({"notify_emails": None}, "notify_emails"),
        ({"notify_emails": "a@b.example"}, "notify_emails"),
        ({"notify_webhook": "http://hooks.shop.example/x"}, "https://"),
        ({"notify_webhook": "https://10.0.0.1/x"}, "WEBHOOK_HOSTS"),
        ({"notify_webhook": "https://hooks.shop.example.evil.example/x"}, "WEBHOOK_HOSTS"),
        ({"notify_webhook": "https://hooks.shop.example:8443/x"}, "WEBHOOK_HOSTS"),
        ({"notify_webhook": "https://me:secret@hooks.shop.example/x"}, "https://"),
        ({"notify_webhook": "https://hooks.shop.example/x#y"}, "https://"),
        ({"notify_webhook": "https://hooks.shop.example/…"}, "https://"),
        ({"notify_webhook": "https://hooks.shop.example/" + "x" * 500}, "at most 500"),
        ({"notify_webhook": ""}, "notify_webhook"),
        ({"notify_severity": "fatal"}, "notify_severity"),
        ({"notify_severity": None}, "notify_severity"),
        ({"low_stock_enabled": False, "notify_emails": ["x"]}, "not an e-mail address"),
    ):
        refused = client.put(address, json=wrong, headers=manager)
        assert refused.status_code == 422, wrong
        assert word in refused.json()["detail"], refused.json()
    assert client.get(address, headers=manager).json() == before
