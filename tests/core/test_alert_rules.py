"""When a product needs an alert, what it says, and what becomes of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import alert_rules as rules
from core.alert_rules import Asleep, Facts, Finding, Place
from db.models import ALERT_TYPES, SEVERITIES

TODAY = date(2026, 11, 21)


def facts(**about) -> Facts:
    return Facts(**{"product_id": 1, "sku": "WDG-001", "is_active": True, "on_hand": Decimal(4)} | about)


def foreseen(days: int | None, **about) -> Facts:
    """A product that most likely runs out in so many days, give or take two."""
    p10, p50, p90 = (None if days is None else TODAY + timedelta(days=days + n) for n in (-2, 0, 3))
    known = {"status": "order_now", "chance": 0.1, "lead_time_days": 10, "daily_rate": Decimal("2.1")}
    return facts(**{"p10_on": p10, "p50_on": p50, "p90_on": p90} | known | about)


def finding(severity: str = "warning", **about) -> Finding:
    return Finding(severity, "", {}, **about)


def test_the_words_are_those_of_the_database():
    assert tuple(rules.RANK) == SEVERITIES
    assert (rules.LOW_STOCK, rules.PREDICTED, rules.ANOMALY, rules.LEDGER) == ALERT_TYPES


@pytest.mark.parametrize(
    ("on_hand", "severity"),
    [("20.0001", None), ("20", "info"), ("10.0001", "info"), ("10", "warning"), ("0.0001", "warning"),
     ("0", "critical")],
)  # fmt: skip
def test_severity_follows_from_the_share_of_the_threshold(on_hand, severity):
    assert rules.severity_of_stock(Decimal(on_hand), Decimal(20)) == severity


def test_a_threshold_of_nothing_speaks_when_there_is_nothing():
    assert rules.severity_of_stock(Decimal(1), Decimal(0)) is None
    assert rules.severity_of_stock(Decimal(0), Decimal(0)) == "critical"


def test_the_message_carries_the_numbers_and_the_figures_are_json():
    found = rules.low_stock(facts(threshold=Decimal("20.0000"), daily_rate=Decimal("2.1000")))
    assert found.severity == "warning"
    assert found.message == "WDG-001: 4 on hand, at or below the threshold of 20; sells about 2.1 a day"
    assert found.figures == {"on_hand": "4", "threshold": "20", "daily_rate": "2.1", "places": []}


def test_rare_sales_are_said_per_month():
    assert rules.low_stock(facts(threshold=Decimal(9), daily_rate=Decimal("0.04"))).message.endswith(
        "about 1.2 a month"
    )


def test_the_worst_warehouses_are_named_and_the_others_counted():
    places = tuple(Place(code, Decimal(n), Decimal(10)) for n, code in enumerate("EDCBA"))
    found = rules.low_stock(
        facts(on_hand=Decimal(100), places=(*places, Place("FULL", Decimal(90), Decimal(10))))
    )
    assert found.severity == "critical"
    assert found.message == (
        "WDG-001: 0 in E, threshold 10; 1 in D, threshold 10; 2 in C, threshold 10; and 2 more warehouses"
    )
    assert [place["code"] for place in found.figures["places"]] == list("EDCBA")


def test_a_threshold_that_somebody_set_counts_for_spare_parts_too():
    spare = facts(on_hand=Decimal(0), threshold=Decimal(5), status="fine", daily_rate=Decimal("0.01"))
    assert rules.low_stock(spare).severity == "critical"


def test_a_late_product_is_news_long_before_its_day_is_near():
    late = foreseen(20, status="late", lead_time_days=30)
    assert rules.predicted(late, TODAY, 14).severity == "critical"
    assert rules.predicted(foreseen(20, status="order_now", lead_time_days=10), TODAY, 14) is None


def test_no_threshold_or_an_inactive_product_is_no_news():
    assert rules.low_stock(facts(on_hand=Decimal(0))) is None
    assert rules.low_stock(facts(on_hand=Decimal(0), threshold=Decimal(5), is_active=False)) is None
    assert rules.low_stock(facts(on_hand=Decimal(0), threshold=Decimal(5), status="unknown")) is not None
    assert rules.predicted(foreseen(None, status="fine", on_hand=Decimal(0)), TODAY, 14) is None
    assert rules.predicted(foreseen(3, is_active=False), TODAY, 14) is None


@pytest.mark.parametrize(("days", "severity"), [(15, None), (14, "info"), (8, "info"), (7, "warning")])
def test_a_run_out_is_news_within_the_days_of_the_settings(days, severity):
    found = rules.predicted(foreseen(days), TODAY, 14)
    assert (found and found.severity) == severity


def test_it_is_critical_when_an_order_would_come_too_late():
    assert rules.predicted(foreseen(14, status="late"), TODAY, 14).severity == "critical"
    assert rules.predicted(foreseen(14, chance=0.5), TODAY, 14).severity == "critical"
    assert rules.predicted(foreseen(0, status="out", on_hand=Decimal(0)), TODAY, 14).severity == "critical"


def test_the_prediction_says_when_and_whether_an_order_helps():
    found = rules.predicted(foreseen(5), TODAY, 14)
    assert found.message == (
        "WDG-001: runs out 24–29 Nov, most likely 26 Nov; an order placed today arrives 1 Dec"
    )
    assert (found.figures["p50_on"], found.figures["arrives_on"]) == ("2026-11-26", "2026-12-01")
    out = rules.predicted(foreseen(0, status="out", on_hand=Decimal(0)), TODAY, 14)
    assert out.message.startswith("WDG-001: nothing on hand; about 2.1 a day would sell; an order")
    assert "runs out 26 Nov or later, most likely 28 Nov" in (
        rules.predicted(foreseen(7, p90_on=None), TODAY, 14).message
    )
    assert "runs out 29 Nov – 4 Dec, most likely 1 Dec" in rules.predicted(foreseen(10), TODAY, 14).message
    sure = rules.predicted(foreseen(5, p10_on=date(2026, 11, 26), p90_on=date(2026, 11, 26)), TODAY, 14)
    assert "runs out most likely 26 Nov" in sure.message


def test_a_run_out_of_a_moment_ago_does_not_say_nothing_is_there_when_something_came():
    assert rules.predicted(foreseen(0, status="out", on_hand=Decimal(40)), TODAY, 14) is None
    assert rules.why_not_predicted(foreseen(0, status="out", on_hand=Decimal(40)), 14) == "40 on hand again"


def test_what_is_over_says_why():
    low, seen = rules.why_not_low, rules.why_not_predicted
    assert (
        low(facts(on_hand=Decimal(40), threshold=Decimal(20)))
        == "40 on hand again, above the threshold of 20"
    )
    assert (
        low(facts(places=(Place("BER", Decimal(9), Decimal(5)),)))
        == "9 in BER again, above its threshold of 5"
    )
    assert low(facts()) == "The product has no threshold any more"
    assert (
        low(facts(is_active=False)) == seen(facts(is_active=False), 14) == "The product is no longer active"
    )
    assert "one piece" in seen(facts(daily_rate=Decimal(0)), 14)
    assert seen(foreseen(40), 14) == "Most likely runs out 31 Dec, more than 14 days away"
    assert seen(foreseen(None), 14) == "4 on hand, more than the forecast expects to sell"
    assert seen(facts(), 14) == "There is no forecast any more"


# -- What becomes of an alert --------------------------------------------------------------------------------

NEVER, YESTERDAY, TOMORROW = None, TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "was", "until", "then", "is_now", "chance", "becomes"),
    [
        ("active", "info", NEVER, None, "critical", 0.9, "active"),
        ("acknowledged", "info", NEVER, None, "info", 0.9, "acknowledged"),
        ("acknowledged", "info", NEVER, None, "warning", 0.1, "active"),
        ("acknowledged", "critical", NEVER, None, "info", 0.1, "acknowledged"),
        ("snoozed", "info", TOMORROW, None, "critical", 1.0, "snoozed"),
        ("snoozed", "info", TODAY, None, "info", 0.1, "active"),
        ("snoozed", "info", YESTERDAY, None, "info", 0.1, "active"),
        ("snoozed", "info", NEVER, 0.4, "info", 0.54, "snoozed"),
        ("snoozed", "info", NEVER, 0.4, "info", 0.55, "active"),
        ("snoozed", "info", NEVER, 0.1, "info", 0.25, "active"),
        ("snoozed", "info", NEVER, 0.4, "warning", 0.1, "active"),
        ("snoozed", "info", TOMORROW, 0.4, "info", 0.6, "active"),
        ("snoozed", "info", TOMORROW, 0.4, "warning", 0.4, "active"),
        ("snoozed", "critical", NEVER, 0.95, "critical", 0.99, "snoozed"),
        ("snoozed", "critical", NEVER, 0.95, "critical", 1.0, "active"),
        ("snoozed", "critical", NEVER, 1.0, "critical", 1.0, "snoozed"),
        ("snoozed", "critical", NEVER, 0.0, "critical", None, "snoozed"),
    ],
)
def test_alerts_wake_when_they_should(state, was, until, then, is_now, chance, becomes):
    found = finding(is_now, chance=chance)
    is_news = rules.is_news(found, was, {})
    assert rules.next_state(state, Asleep(until, then), found, TODAY, is_news=is_news) == becomes


def test_a_part_that_came_since_the_alert_spoke_is_news_and_an_older_one_is_not():
    spoke = datetime(2026, 11, 20, 12, tzinfo=UTC)
    said = {"news_at": spoke.isoformat()}
    assert rules.is_news(finding(news_at=spoke + timedelta(microseconds=1)), "warning", said)
    assert not rules.is_news(finding(news_at=spoke), "warning", said)
    assert rules.is_news(finding("critical", news_at=spoke - timedelta(days=1)), "warning", said)


quantities = st.decimals(min_value=0, max_value=10**6, places=4)


@given(quantities, quantities, quantities)
def test_less_stock_is_never_less_severe_and_crossing_is_the_same_both_ways(one, other, threshold):
    few, many = sorted((one, other))
    rank = {None: -1, **rules.RANK}
    of_few, of_many = (rules.severity_of_stock(stock, threshold) for stock in (few, many))
    assert rank[of_few] >= rank[of_many]
    assert rules.crosses(few, many, threshold) == rules.crosses(many, few, threshold)


@given(st.dates(TODAY, TODAY + timedelta(days=200)), st.integers(1, 120), st.floats(0, 1))
def test_every_prediction_within_the_days_is_news_and_no_other(day, days, chance):
    found = rules.predicted(foreseen(0, p10_on=day, p50_on=day, p90_on=day, chance=chance), TODAY, days)
    assert (found is not None) == ((day - TODAY).days <= days)
