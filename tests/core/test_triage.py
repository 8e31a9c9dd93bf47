"""One definition of the five statuses."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import triage
from core.forecast.depletion import RunOut
from db.models import STATUSES

TODAY = date(2026, 3, 2)
CALM = RunOut(
    p10=40, p50=50, p90=60, chance_7=0, chance_14=0, chance_30=0, chance_before_replenishment=0,
    expected_lost=0, daily_rate=2, days_of_cover=50, horizon_days=120,
)  # fmt: skip


def status(run_out=CALM, on_hand=100, lead_time_days=10, sold_before=True):
    return triage.judge(run_out, Decimal(on_hand), lead_time_days, TODAY, sold_before=sold_before).status


def test_covered_is_fine():
    assert status() == "fine"


def test_nothing_on_hand_is_out_only_when_people_want_it():
    empty = replace(CALM, p10=0, p50=0, p90=0)
    assert status(empty, on_hand=0) == "out"
    assert status(replace(empty, daily_rate=0.5 / 90), on_hand=0) == "fine"


def test_even_odds_that_an_order_comes_too_late_is_late():
    assert status(replace(CALM, p10=5, chance_before_replenishment=0.5)) == "late"
    assert status(replace(CALM, p10=5, chance_before_replenishment=0.49)) == "order_now"


def test_order_now_when_the_last_day_to_order_is_within_a_week():
    assert status(replace(CALM, p10=18)) == "order_now"  # day 18 is 17 days away, less 10 to deliver
    assert status(replace(CALM, p10=19)) == "fine"


def test_what_nine_of_ten_futures_cannot_use_is_excess():
    assert status(replace(CALM, p10=None, p50=None, p90=None)) == "excess"


@pytest.mark.parametrize(
    ("on_hand", "sold_before", "expected"), [(5, True, "unknown"), (0, True, "out"), (0, False, "unknown")]
)
def test_without_a_forecast_only_an_empty_shelf_says_something(on_hand, sold_before, expected):
    assert status(None, on_hand, sold_before=sold_before) == expected


def test_day_one_is_today_and_the_order_date_leaves_time_to_deliver():
    verdict = triage.judge(replace(CALM, p10=1, p50=3, p90=None), Decimal(4), 10, TODAY, sold_before=True)
    assert (verdict.p10_on, verdict.p50_on, verdict.p90_on) == (TODAY, TODAY + timedelta(days=2), None)
    assert verdict.order_by_on == TODAY - timedelta(days=10)


@given(
    days=st.lists(st.one_of(st.none(), st.integers(1, 120)), min_size=3, max_size=3),
    chance=st.floats(0, 1),
    rate=st.floats(0, 1e6),
    on_hand=st.integers(0, 10**6),
    lead=st.integers(0, 365),
)
def test_every_product_has_exactly_one_status_with_a_meaning(days, chance, rate, on_hand, lead):
    run_out = replace(
        CALM, p10=days[0], p50=days[1], p90=days[2], chance_before_replenishment=chance, daily_rate=rate
    )
    found = status(run_out, on_hand, lead)
    assert found in STATUSES
    assert triage.MEANING[found]
