"""Alerts raised, changed, slept over and resolved: by bookings, by the watches, by people."""

import logging
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import alert_rules, alert_watch, alerts, auth, catalogue, stock
from core.alert_channels import Channels
from core.errors import BadInput, InsufficientStock, NotAllowed, NotFound, RuleBroken
from db.models import Alert, AuditLine, Product, RunOut, Shop, WarehouseThreshold
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()
LOW, SOON = "low_stock", "predicted_depletion"


def open_of(session, product, kind=LOW):
    """The open alert of a product, None without one."""
    found, _ = alerts.listing(session, state=None, type=kind, product_id=product.id, today=date.min)
    found = [alert for alert in found if alert.state != "resolved"]
    assert len(found) <= 1
    return found[0] if found else None


def take(session, product, quantity, place=None):
    place = place or the_warehouse(session)
    return stock.remove(session, auth.system_actor(session), product.id, place.id, quantity)


def bring(session, product, quantity, place=None):
    place = place or the_warehouse(session)
    return stock.add(session, auth.system_actor(session), product.id, place.id, quantity)


def foresee(session, product, days, **about):
    """Keep a run-out that many days ahead, as the tick would."""
    day = None if days is None else TODAY + timedelta(days=days)
    values = {
        "as_of": TODAY, "on_hand": 20, "status": "order_now", "p10_on": day, "p50_on": day, "p90_on": day,
        "chance_before_replenishment": 0.2, "lead_time_days": 7, "daily_rate": 2, "money_at_risk": 50,
    } | about  # fmt: skip
    session.execute(sa.delete(RunOut).where(RunOut.product_id == product.id))
    session.add(RunOut(product_id=product.id, **values))
    session.flush()


def watch(session, today=TODAY):
    return alerts.raise_all(session, NOW, today)


def put_right(session, today=TODAY):
    return alerts.auto_resolve(session, NOW, today)


def a_low_product(session, left=10, threshold=20, **about):
    """A product that a booking has just taken below its threshold."""
    product = a_product(session, threshold + 10, reorder_threshold=threshold, **about)
    take(session, product, threshold + 10 - left)
    return product


# -- At once, by a booking -----------------------------------------------------------------------------------


def test_a_booking_that_crosses_the_threshold_raises_one_alert_which_follows_the_stock(session):
    product = a_product(session, 30, reorder_threshold=20)
    assert open_of(session, product) is None
    take(session, product, 10)
    raised = open_of(session, product)
    assert (raised.severity, raised.state) == ("info", "active")
    assert raised.message == f"{product.sku}: 20 on hand, at or below the threshold of 20"
    assert raised.figures["on_hand"] == "20"
    take(session, product, 12)
    assert (open_of(session, product).severity, open_of(session, product).uid) == ("warning", raised.uid)
    take(session, product, 8)
    assert (open_of(session, product).severity, open_of(session, product).uid) == ("critical", raised.uid)
    assert open_of(session, product).changed_at > raised.changed_at


def test_stock_above_the_threshold_again_resolves_it_at_once_and_says_why(session):
    product = a_low_product(session, left=0)
    uid = open_of(session, product).uid
    bring(session, product, 40)
    over = alerts.by_uid(session, uid)
    assert (over.state, over.resolved_by) == ("resolved", None)
    assert over.resolved_because == "40 on hand again, above the threshold of 20"
    take(session, product, 30)
    assert open_of(session, product).uid != uid


def test_less_severe_is_written_without_a_word(session):
    product = a_low_product(session, left=0)
    before = open_of(session, product)
    bring(session, product, 15)
    after = open_of(session, product)
    assert (after.uid, after.severity, after.changed_at) == (before.uid, "info", before.changed_at)
    assert "15 on hand" in after.message


def test_a_warehouse_has_its_own_threshold(session):
    product, there = a_product(session, 50), a_warehouse(session, "BER")
    bring(session, product, 5, there)
    session.add(WarehouseThreshold(product_id=product.id, warehouse_id=there.id, reorder_threshold=4))
    session.flush()
    take(session, product, 2, there)
    assert open_of(session, product).message == f"{product.sku}: 3 in BER, threshold 4"
    stock.transfer(session, auth.system_actor(session), product.id, the_warehouse(session).id, there.id, 10)
    assert open_of(session, product) is None


def test_a_transfer_within_the_shop_crosses_no_threshold_of_the_shop(session):
    product, there = a_product(session, 21, reorder_threshold=20), a_warehouse(session)
    stock.transfer(session, auth.system_actor(session), product.id, the_warehouse(session).id, there.id, 20)
    assert open_of(session, product) is None


def test_a_booking_in_bulk_looks_at_all_its_products_once(session):
    low = [a_product(session, 30, reorder_threshold=20) for _ in range(3)]
    none = [a_product(session, 30), a_product(session, 30, reorder_threshold=2)]
    lines = pd.DataFrame({"product_id": [product.id for product in low + none]}).assign(
        warehouse_id=the_warehouse(session).id, type="out", reason_code="sale", change=-25
    )
    stock.post_lines(session, auth.system_actor(session), "import", lines, "once", b"")
    assert [open_of(session, product).severity for product in low] == ["warning"] * 3
    assert [open_of(session, product) for product in none] == [None, None]


def test_what_is_refused_or_booked_before_raises_nothing(session):
    product, place = a_product(session, 30, reorder_threshold=20), the_warehouse(session)
    with pytest.raises(InsufficientStock):
        take(session, product, 31)
    actor = auth.system_actor(session)
    stock.remove(session, actor, product.id, place.id, 15, key="once")
    alerts.resolve(session, actor, open_of(session, product).uid, NOW)
    session.execute(sa.update(Alert).values(is_quiet=False))
    stock.remove(session, actor, product.id, place.id, 15, key="once")
    assert open_of(session, product) is None


def test_trouble_with_an_alert_is_logged_and_undoes_no_booking(session, monkeypatch, caplog):
    product = a_product(session, 30, reorder_threshold=20)

    def breaks(*_):
        session.execute(sa.text("SELECT 1 / 0"))

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(alert_watch, "_look_at", breaks)
        booked = take(session, product, 15)
    assert booked.lines[0].after == 15
    assert "could not be looked at" in caplog.text
    assert open_of(session, product) is None
    assert session.scalar(sa.text("SELECT current_setting('lock_timeout')")) == "5s"
    assert watch(session)["raised"] == 1


# -- By the watches ------------------------------------------------------------------------------------------


def test_the_hourly_watch_raises_what_no_booking_told(session):
    product = a_product(session, 10, reorder_threshold=None)
    product.reorder_threshold = 20
    foresee(session, product, 5)
    assert watch(session) == {"raised": 2, "changed": 0, "woken": 0, "quiet": 0}
    soon = open_of(session, product, SOON)
    assert (soon.severity, soon.chance, soon.money_at_risk) == ("warning", 0.2, 50)
    assert "an order placed today arrives" in soon.message
    assert open_of(session, product).money_at_risk == 50
    assert watch(session) == {"raised": 0, "changed": 0, "woken": 0, "quiet": 0}


def test_a_prediction_that_gets_worse_changes_its_alert_and_one_that_passes_is_resolved(session):
    product = a_product(session, 20)
    foresee(session, product, 12)
    watch(session)
    first = open_of(session, product, SOON)
    foresee(session, product, 6, status="late", chance_before_replenishment=0.7, money_at_risk=90)
    assert watch(session)["changed"] == 1
    worse = open_of(session, product, SOON)
    assert (worse.uid, worse.severity, worse.chance, worse.money_at_risk) == (first.uid, "critical", 0.7, 90)
    foresee(session, product, 100)
    assert watch(session)["changed"] == 0
    assert put_right(session) == {"resolved": 1, "cleared": 0, "woken": 0}
    assert "more than 14 days away" in alerts.by_uid(session, first.uid).resolved_because


def test_what_is_no_longer_active_is_resolved_with_its_reason(session):
    gone, rare = a_low_product(session), a_low_product(session)
    uids = [open_of(session, product).uid for product in (gone, rare)]
    gone.is_active = False
    foresee(session, rare, None, status="fine", daily_rate=Decimal("0.001"))
    assert put_right(session)["resolved"] == 1
    assert alerts.by_uid(session, uids[0]).resolved_because == "The product is no longer active"
    assert alerts.by_uid(session, uids[1]).state == "active"
    assert watch(session)["raised"] == 0


def test_settings_decide_what_is_raised_and_what_is_resolved(session):
    boss, product = an_actor(session), a_low_product(session)
    foresee(session, product, 20)
    assert watch(session)["raised"] == 0
    changed = alerts.change_settings(
        session, boss, channels=Channels(), now=NOW, alert_threshold_days=30, low_stock_enabled=False
    )
    assert changed == alerts.settings(session) == alerts.Settings(30, False, True, True, (), None, "critical")
    line = session.scalars(sa.select(AuditLine).order_by(AuditLine.id.desc()).limit(1)).one()
    assert line.before == {"alert_threshold_days": 14, "low_stock_enabled": True}
    assert watch(session)["raised"] == 1
    assert put_right(session)["resolved"] == 1
    assert open_of(session, product) is None
    alerts.change_settings(session, boss, channels=Channels(), now=NOW, predicted_depletion_enabled=False)
    assert put_right(session)["resolved"] == 1


@pytest.mark.parametrize("days", [0, -1, 121, 10**30])
def test_days_out_of_range_are_refused(session, days):
    with pytest.raises(BadInput, match="between 1 and 120"):
        alerts.change_settings(
            session, an_actor(session), channels=Channels(), now=NOW, alert_threshold_days=days
        )


def test_a_thousand_products_are_watched_in_a_few_statements(session):
    session.add_all(
        Product(sku=f"M-{n}", name=f"Many {n}", reorder_threshold=5 if n % 2 else None) for n in range(1000)
    )
    session.flush()
    asked = []
    sa.event.listen(session.connection(), "before_cursor_execute", lambda *a: asked.append(a[2]))
    assert watch(session)["raised"] == 500
    assert len(asked) < 15
    assert watch(session)["raised"] == 0
    session.execute(sa.update(Product).values(reorder_threshold=None))
    assert put_right(session)["resolved"] == 500


# -- People --------------------------------------------------------------------------------------------------


def test_acknowledging_twice_is_once_and_a_rising_severity_makes_it_active_again(session):
    person, product = an_actor(session, "user"), a_low_product(session, left=15)
    uid = open_of(session, product).uid
    seen = alerts.acknowledge(session, person, uid, NOW)
    assert (seen.state, seen.acknowledged_by, seen.acknowledged_at) == ("acknowledged", person.name, NOW)
    assert alerts.acknowledge(session, person, str(uid), NOW + timedelta(hours=1)) == seen
    lines = session.scalars(sa.select(AuditLine).where(AuditLine.subject_id == str(uid))).all()
    assert [(line.action, line.after) for line in lines] == [("acknowledged", {"state": "acknowledged"})]
    take(session, product, 1)
    assert open_of(session, product).state == "acknowledged"
    take(session, product, 10)
    again = open_of(session, product)
    assert (again.uid, again.state, again.acknowledged_by) == (uid, "active", None)


def test_a_sleeper_wakes_at_its_date(session):
    product = a_low_product(session)
    uid = open_of(session, product).uid
    until = TODAY + timedelta(days=3)
    asleep = alerts.snooze(session, an_actor(session), uid, NOW, until=until)
    assert (asleep.state, asleep.snoozed_until, asleep.snoozed_chance) == ("snoozed", until, None)
    take(session, product, 10)
    assert open_of(session, product).state == "snoozed"
    assert open_of(session, product).severity == "critical"
    assert watch(session, until - timedelta(days=1))["woken"] == 0
    assert put_right(session, until) == {"resolved": 0, "cleared": 0, "woken": 1}
    assert open_of(session, product).state == "active"


def test_a_sleeper_whose_date_has_come_counts_as_active_before_the_watch_wakes_it(session):
    product = a_low_product(session)
    until = TODAY + timedelta(days=3)
    alerts.snooze(session, an_actor(session), open_of(session, product).uid, NOW, until=until)
    assert alerts.listing(session, today=until - timedelta(days=1))[1] == 0
    assert alerts.listing(session, today=until)[0][0].state == "active"
    assert alerts.counts(session) == {("snoozed", "warning"): 1}
    assert alerts.counts(session, until) == {("active", "warning"): 1}


def test_a_sleeper_wakes_when_the_chance_has_risen_by_fifteen_points(session):
    product = a_product(session, 20)
    foresee(session, product, 6, chance_before_replenishment=0.2)
    watch(session)
    uid = open_of(session, product, SOON).uid
    asleep = alerts.snooze(session, an_actor(session), uid, NOW, until_worse=True)
    assert (asleep.snoozed_until, asleep.snoozed_chance) == (None, 0.2)
    foresee(session, product, 6, chance_before_replenishment=0.34)
    assert watch(session)["woken"] == 0
    foresee(session, product, 6, chance_before_replenishment=0.35)
    assert watch(session)["woken"] == 1
    assert open_of(session, product, SOON).snoozed_chance is None


@pytest.mark.parametrize(
    "until", [{}, {"until": TODAY}, {"until": date.min}, {"until": TODAY + timedelta(days=367)}]
)
def test_snoozing_needs_an_end_after_today_within_a_year(session, until):
    product = a_low_product(session)
    with pytest.raises(BadInput, match="Snooze until"):
        alerts.snooze(session, an_actor(session), open_of(session, product).uid, NOW, **until)


def test_the_day_of_a_snooze_is_the_day_of_the_shop(session):
    session.execute(sa.update(Shop).values(time_zone="Pacific/Kiritimati"))  # 14 hours ahead
    uid = open_of(session, a_low_product(session)).uid
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with pytest.raises(BadInput, match="after today, 2026-11-22"):
        alerts.snooze(session, an_actor(session), uid, noon, until=date(2026, 11, 22))


def test_resolved_by_hand_stays_quiet_until_it_gets_worse(session):
    boss, product = an_actor(session), a_low_product(session, left=15)
    uid = open_of(session, product).uid
    done = alerts.resolve(session, boss, uid, NOW)
    assert (done.state, done.resolved_by, done.resolved_at) == ("resolved", boss.name, NOW)
    assert alerts.resolve(session, boss, uid, NOW + timedelta(hours=1)) == done
    assert watch(session) == {"raised": 0, "changed": 0, "woken": 0, "quiet": 1}
    take(session, product, 3)
    assert open_of(session, product) is None
    take(session, product, 10)
    assert open_of(session, product).severity == "warning"
    assert not session.scalar(sa.select(Alert.is_quiet).where(Alert.uid == uid))


def test_resolved_by_hand_stays_quiet_until_it_clears(session):
    boss, product = an_actor(session), a_low_product(session)
    foresee(session, product, 5)
    watch(session)
    for kind in (LOW, SOON):
        alerts.resolve(session, boss, open_of(session, product, kind).uid, NOW)
    bring(session, product, 40)  # clears the one of the stock at once
    take(session, product, 40)
    assert open_of(session, product).severity == "warning"
    foresee(session, product, 90)
    assert put_right(session)["cleared"] == 1
    foresee(session, product, 5)
    assert watch(session)["raised"] == 1


def test_a_resolved_alert_can_neither_be_acknowledged_nor_snoozed(session):
    boss, product = an_actor(session), a_low_product(session)
    uid = open_of(session, product).uid
    alerts.resolve(session, boss, uid, NOW)
    with pytest.raises(RuleBroken, match="nothing to acknowledge"):
        alerts.acknowledge(session, boss, uid, NOW)
    with pytest.raises(RuleBroken, match="nothing to snooze"):
        alerts.snooze(session, boss, uid, NOW, until_worse=True)


def test_each_needs_its_right(session):
    uid = open_of(session, a_low_product(session)).uid
    viewer, user = an_actor(session, "viewer"), an_actor(session, "user")
    for forbidden in (
        lambda: alerts.acknowledge(session, viewer, uid, NOW),
        lambda: alerts.snooze(session, user, uid, NOW, until_worse=True),
        lambda: alerts.resolve(session, user, uid, NOW),
        lambda: alerts.change_settings(session, user, channels=Channels(), now=NOW, alert_threshold_days=9),
    ):
        with pytest.raises(NotAllowed):
            forbidden()


def test_an_unknown_or_broken_id_is_refused(session):
    boss = an_actor(session)
    for verb in (alerts.acknowledge, alerts.resolve):
        with pytest.raises(NotFound):
            verb(session, boss, uuid.uuid4(), NOW)
    for broken in ("'; DROP TABLE alert", "", str(uuid.uuid4())):
        with pytest.raises(NotFound):
            alerts.by_uid(session, broken)


# -- The list ------------------------------------------------------------------------------------------------


def test_the_list_puts_the_most_money_at_risk_first_then_severity_then_the_newest(session):
    cheap, dear = a_low_product(session, left=0), a_low_product(session, left=15)
    foresee(session, dear, None, money_at_risk=900)
    warning, newer = a_low_product(session, left=5), a_low_product(session, left=5)
    watch(session)
    found, total = alerts.listing(session, today=TODAY)
    assert [alert.sku for alert in found] == [p.sku for p in (dear, cheap, newer, warning)]
    assert total == 4
    page, total = alerts.listing(session, today=TODAY, limit=2, offset=2)
    assert ([alert.sku for alert in page], total) == ([newer.sku, warning.sku], 4)
    assert alerts.listing(session, today=TODAY, offset=100) == ([], 4)


def test_the_list_filters_and_refuses_unknown_words(session):
    lamp, other = a_low_product(session, name="100% Lamp"), a_low_product(session, left=0)
    alerts.resolve(session, an_actor(session), open_of(session, other).uid, NOW)
    (found,), total = alerts.listing(session, text="0% l", severity="warning", type=LOW, today=TODAY)
    assert (found.product_uid, found.product_name, total) == (lamp.uid, "100% Lamp", 1)
    assert alerts.listing(session, text="_", today=TODAY)[1] == 0
    assert alerts.listing(session, state=None, today=TODAY)[1] == 2
    assert alerts.listing(session, state="resolved", severity=["critical"], today=TODAY)[1] == 1
    for wrong in ({"state": "lost"}, {"type": "lost"}, {"severity": ["info", "bad\0"]}, {"limit": 0},
                  {"limit": 1001}, {"offset": -1}, {"text": "\0"}):  # fmt: skip
        with pytest.raises(BadInput):
            alerts.listing(session, today=TODAY, **wrong)


# -- Whatever the order of events ----------------------------------------------------------------------------

EVENTS = st.one_of(
    st.tuples(st.just("move"), st.integers(-25, 25)),
    st.tuples(st.just("foresee"), st.integers(0, 30)),
    st.tuples(st.sampled_from(["watch", "put right", "acknowledge", "sleep", "doze", "resolve"]), st.just(0)),
    st.tuples(st.just("tomorrow"), st.just(1)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=25))
def test_at_most_one_alert_is_open_and_only_what_holds_stays(session, events):
    product, boss = a_product(session, 25, reorder_threshold=20), an_actor(session)
    today, on_hand, soon = TODAY, 25, None
    for event, value in events:
        opened = [a for kind in (LOW, SOON) if (a := open_of(session, product, kind))]
        if event == "move" and value and on_hand + value >= 0:
            (take if value < 0 else bring)(session, product, abs(value))
            on_hand += value
        elif event == "foresee":
            soon = value
            foresee(session, product, value, chance_before_replenishment=value / 30)
        elif event == "tomorrow":
            today += timedelta(days=1)
        elif event == "watch":
            watch(session, today)
        elif event == "put right":
            put_right(session, today)
        for alert in opened:
            if event == "acknowledge":
                alerts.acknowledge(session, boss, alert.uid, NOW)
            elif event == "sleep":
                alerts.snooze(session, boss, alert.uid, NOW, until=TODAY + timedelta(days=2))
            elif event == "doze":
                alerts.snooze(session, boss, alert.uid, NOW, until_worse=True)
            elif event == "resolve":
                alerts.resolve(session, boss, alert.uid, NOW)
    watch(session, today), put_right(session, today)
    low = alert_rules.severity_of_stock(Decimal(on_hand), Decimal(20))
    quiet = session.scalars(sa.select(Alert.type).where(Alert.product_id == product.id, Alert.is_quiet)).all()
    still_low, still_soon = open_of(session, product), open_of(session, product, SOON)
    assert (still_low is not None) == (low is not None and LOW not in quiet)
    assert still_low is None or still_low.severity == low
    away = None if soon is None else (TODAY + timedelta(days=soon) - today).days
    is_at_the_edge = away is not None and 14 < away <= 14 + alert_rules.STEADY_DAYS
    if not is_at_the_edge:  # where one that was raised stays, and none is raised
        holds = away is not None and away <= 14
        assert (still_soon is not None) == (holds and SOON not in quiet)


def test_a_product_that_is_retired_ends_all_its_alerts_at_once(session):
    product = a_product(session, 10)
    foresee(session, product, 3)
    watch(session)
    assert open_of(session, product, SOON)
    catalogue.deactivate(session, an_actor(session), product.id)
    (over,), _ = alerts.listing(session, state="resolved", product_id=product.id, today=TODAY)
    assert (over.type, over.resolved_because) == (SOON, "The product is no longer active")


def test_a_run_out_at_the_edge_of_the_threshold_is_one_alert_and_not_one_every_other_day(session):
    product = a_product(session, 20)
    for days in (14, 15, 14, 16, 14):
        foresee(session, product, days)
        put_right(session)
        watch(session)
        assert open_of(session, product, SOON)
    assert session.scalar(sa.select(sa.func.count()).select_from(Alert)) == 1
    foresee(session, product, 17)
    put_right(session)
    assert open_of(session, product, SOON) is None
    foresee(session, product, 15)
    watch(session)
    assert open_of(session, product, SOON) is None
