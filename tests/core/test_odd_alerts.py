"""Alerts about odd movements, and about a ledger that is broken nowhere in particular."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import alert_odd, alert_undo, alert_watch, alerts, auth, stock
from core.alert_channels import Channels
from core.alert_odd import Odd
from core.errors import RuleBroken
from db.models import Alert, AnomalyModel, Finding, LedgerFault
from tests.makers import a_product, an_actor, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()
SAID = "1,200 out on 14 Nov is probably 12 times too much"


@pytest.fixture
def a_finding(session):
    """`a_finding(product, money=500, score=0.9)`: about a movement that is made for it."""
    model = AnomalyModel(state="published")
    session.add(model)
    session.flush()

    def make(product, money=500, score=0.9, *, hours_old=1, message=f"{SAID}."):
        place = the_warehouse(session)
        booked = stock.remove(session, auth.system_actor(session), product.id, place.id, 1)
        finding = Finding(
            movement_id=booked.lines[0].movement_id, product_id=product.id, warehouse_id=place.id,
            model_id=model.id, found_on=TODAY, listed="likely", kind="times_pack", field="quantity",
            repair={"quantity": "-100"}, score=score, money_at_risk=Decimal(money), message=message,
            evidence={}, raised_at=NOW - timedelta(hours=hours_old),
        )  # fmt: skip
        session.add(finding)
        session.flush()
        return finding

    return make


@pytest.fixture
def lamp(session):
    return a_product(session, 500, sku="LAMP")


def look(session, *products):
    alert_watch.look_at_findings(session, [product.id for product in products], NOW)


def decide(session, *findings):
    for finding in findings:
        finding.state, finding.decided_at, finding.dismissed_as = "dismissed", NOW, "real"
    session.flush()


def of(session, product, state=("active", "acknowledged", "snoozed")):
    """The alert about odd movements of the product, None without one."""
    found, _ = alerts.listing(session, state=state, type="anomaly", product_id=product.id, today=TODAY)
    assert len(found) <= 1
    return found[0] if found else None


def a_fault(session, **about):
    fault = LedgerFault(**{"rule": "orphans", "message": "Posting 9 (add) has no movements.",
                           "figures": {}, "posting_id": 9, "first_seen_at": NOW} | about)  # fmt: skip
    session.add(fault)
    session.flush()
    return fault


# -- Odd movements -------------------------------------------------------------------------------------------


def test_a_product_has_one_alert_that_says_the_gravest_and_how_many_more(session, a_finding, lamp):
    a_finding(lamp, 20, message="3 out on 2 Nov")
    a_finding(lamp, 700)
    a_finding(lamp, 900, score=0.01, message="9 in on 1 Nov")
    look(session, lamp)
    alert = of(session, lamp)
    assert alert.message == f"LAMP: {SAID}; and 2 more"
    assert (alert.severity, alert.chance, alert.money_at_risk) == ("warning", 0.9, 1620)


@pytest.mark.parametrize(
    ("chance", "money", "severity"),
    [(0.9, 2000, "critical"), (0.5, 2000, "critical"), (0.49, 2000, "warning"), (0.5, 200, "warning"),
     (0.9, 100, "info"), (0.0, 9e9, "info")],
)  # fmt: skip
def test_severity_follows_what_the_error_probably_costs(session, a_finding, lamp, chance, money, severity):
    a_finding(lamp, money, chance)
    look(session, lamp)
    assert of(session, lamp).severity == severity


def test_it_ends_by_itself_when_the_last_one_is_decided(session, a_finding, lamp):
    one, other = a_finding(lamp), a_finding(lamp, 20)
    look(session, lamp)
    decide(session, one)
    look(session, lamp)
    assert (of(session, lamp).severity, of(session, lamp).message) == ("info", f"LAMP: {SAID}")
    decide(session, other)
    look(session, lamp)
    over = of(session, lamp, "resolved")
    assert (over.resolved_by, over.resolved_because) == (None, "Every odd movement is decided")
    one.state, one.decided_at, one.dismissed_as = "open", None, None
    session.flush()
    look(session, lamp)
    assert of(session, lamp).state == "active"


def test_the_hourly_watch_finds_what_nobody_looked_at(session, a_finding, lamp):
    finding = a_finding(lamp)
    assert alerts.raise_all(session, NOW, TODAY)["raised"] == 1
    assert alerts.raise_all(session, NOW, TODAY)["raised"] == 0
    assert alerts.auto_resolve(session, NOW, TODAY)["resolved"] == 0
    decide(session, finding)
    assert alerts.auto_resolve(session, NOW, TODAY)["resolved"] == 1


def test_another_finding_is_news_to_who_acknowledged_and_to_who_sleeps_until_worse(session, a_finding, lamp):
    boss, mug = an_actor(session), a_product(session, 500)
    for product in (lamp, mug):
        a_finding(product)
    look(session, lamp, mug)
    alerts.acknowledge(session, boss, of(session, lamp).uid, NOW)
    alerts.snooze(session, boss, of(session, mug).uid, NOW, until_worse=True)
    look(session, lamp, mug)
    assert [of(session, product).state for product in (lamp, mug)] == ["acknowledged", "snoozed"]
    for product in (lamp, mug):
        a_finding(product, 1, hours_old=0)
    look(session, lamp, mug)
    assert [of(session, product).state for product in (lamp, mug)] == ["active", "active"]
    assert of(session, lamp).changed_at == NOW


def test_resolved_by_hand_it_is_quiet_about_these_and_speaks_of_the_next(session, a_finding, lamp):
    a_finding(lamp)
    look(session, lamp)
    first = of(session, lamp)
    alerts.resolve(session, an_actor(session), first.uid, NOW)
    look(session, lamp)
    assert of(session, lamp) is None
    a_finding(lamp, 1, hours_old=0)
    look(session, lamp)
    assert of(session, lamp).uid != first.uid


def test_switched_off_they_end_and_none_is_raised_but_a_broken_ledger_still_speaks(session, a_finding, lamp):
    boss = an_actor(session)
    a_finding(lamp)
    look(session, lamp)
    alerts.change_settings(session, boss, channels=Channels(), now=NOW, anomaly_enabled=False)
    a_fault(session)
    assert alerts.raise_all(session, NOW, TODAY)["raised"] == 1
    assert alerts.auto_resolve(session, NOW, TODAY)["resolved"] == 1
    assert of(session, lamp, "resolved").resolved_because == alert_odd.NOT_RAISED
    look(session, lamp)
    assert of(session, lamp) is None


def test_a_retired_product_still_has_its_odd_movements(session, a_finding, lamp):
    a_finding(lamp)
    lamp.is_active = False
    session.flush()
    look(session, lamp)
    alerts.auto_resolve(session, NOW, TODAY)
    assert of(session, lamp).state == "active"


def test_trouble_with_the_alert_undoes_no_decision(session, a_finding, lamp, monkeypatch, caplog):
    finding = a_finding(lamp)
    decide(session, finding)
    monkeypatch.setattr(alert_odd, "odd_of", lambda _: 1 / 0)
    a_finding(lamp)
    look(session, lamp)
    assert "could not be looked at" in caplog.text
    assert session.scalar(sa.select(Finding.state).where(Finding.id == finding.id)) == "dismissed"


def test_the_sku_stands_in_front_once_and_the_stop_is_the_cards():
    def said(message, sku="LAMP"):
        return alert_odd.finding(Odd("anomaly", 1, sku, 1, message, NOW)).message

    assert said("LAMP: 3 out.") == said("3 out") == "LAMP: 3 out"
    assert said("LAMPSHADES: 3 out.") == "LAMP: LAMPSHADES: 3 out"
    assert said("Posting 9 has no movements.", sku=None) == "Posting 9 has no movements"


# -- The ledger, and no product in particular ----------------------------------------------------------------


def test_an_alert_without_a_product_is_listed_counted_found_and_answered(session, lamp):
    boss, today = an_actor(session), TODAY
    a_fault(session)
    a_fault(session, posting_id=10, message="Posting 10 (add) has no movements.")
    low = Alert(product_id=lamp.id, type="low_stock", severity="critical", message="LAMP: low", figures={},
                money_at_risk=9000)  # fmt: skip
    session.add(low)
    session.flush()
    assert alerts.raise_all(session, NOW, today)["raised"] == 1
    found, total = alerts.listing(session, today=today)
    assert total == 2
    assert [alert.type for alert in found] == ["ledger", "low_stock"]  # before any money
    ledger = found[0]
    assert (ledger.sku, ledger.product_uid, ledger.product_name) == (None, None, None)
    assert ledger.message == "Posting 9 (add) has no movements; and 1 more"
    assert alerts.counts(session, today)["active", "critical"] == 2
    assert alerts.listing(session, text="posting 9", today=today)[1] == 1
    assert alerts.listing(session, text="nothing like it", today=today)[1] == 0
    assert alerts.acknowledge(session, boss, ledger.uid, NOW).state == "acknowledged"
    assert alerts.snooze(session, boss, ledger.uid, NOW, until_worse=True).state == "snoozed"
    assert alerts.resolve(session, boss, ledger.uid, NOW).state == "resolved"
    assert alert_undo.take_back(session, boss, ledger.uid).state == "active"


def test_only_one_alert_of_no_product_is_open_and_a_newer_one_counts(session):
    boss = an_actor(session)
    a_fault(session)
    alerts.raise_all(session, NOW, TODAY)
    (first,), _ = alerts.listing(session, type="ledger", today=TODAY)
    alerts.resolve(session, boss, first.uid, NOW)
    alerts.raise_all(session, NOW, TODAY)
    assert alerts.listing(session, type="ledger", today=TODAY)[1] == 0
    a_fault(session, posting_id=10, first_seen_at=NOW + timedelta(seconds=1))
    assert alerts.raise_all(session, NOW, TODAY)["raised"] == 1
    with pytest.raises(RuleBroken):
        alert_undo.take_back(session, boss, first.uid)
    session.execute(sa.update(Alert).where(Alert.uid == first.uid).values(is_quiet=True))
    with pytest.raises(RuleBroken, match="newer"):
        alert_undo.take_back(session, boss, first.uid)


def test_the_ledgers_alerts_end_when_it_is_whole_again(session, lamp):
    faults = [a_fault(session), a_fault(session, product_id=lamp.id, message="LAMP in MAIN: on hand says 1.")]
    alert_watch.look_at_ledger(session, NOW, TODAY)
    found, _ = alerts.listing(session, type="ledger", today=TODAY)
    assert {alert.message for alert in found} == {
        "LAMP in MAIN: on hand says 1",
        "Posting 9 (add) has no movements",
    }
    faults[0].gone_at = NOW
    session.flush()
    alert_watch.look_at_ledger(session, NOW, TODAY)
    (left,), _ = alerts.listing(session, type="ledger", today=TODAY)
    assert left.sku == "LAMP"
    over = alerts.by_uid(session, next(alert.uid for alert in found if alert.sku is None))
    assert over.resolved_because == "The ledger was checked and is whole again"
