"""Run-out days as first passage: hand-made cases, and the laws that hold for all paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from core.forecast.depletion import (
    PERCENTILES,
    available_by_day,
    fan,
    first_passage,
    run_out,
    run_outs,
    stock_left,
)

HORIZON = 40
daily_paths = npst.arrays(
    float, (9, HORIZON), elements=st.integers(0, 20).map(float) | st.integers(0, 300).map(lambda q: q / 100)
)
receipts_of = st.lists(st.tuples(st.integers(1, HORIZON + 5), st.integers(0, 60)), max_size=4)
stocks = st.integers(0, 400)


def steady(rate: float, days: int = 60, paths: int = 4) -> np.ndarray:
    return np.cumsum(np.full((paths, days), rate), axis=1)


def day(value: int | None) -> float:
    return np.inf if value is None else value


def test_constant_demand_runs_out_after_stock_over_rate():
    answer = run_out(steady(5), 20, lead_time_days=7)
    assert (answer.p10, answer.p50, answer.p90) == (4, 4, 4)
    assert answer.daily_rate == 5
    assert answer.days_of_cover == 4
    assert run_out(steady(5), 21, lead_time_days=7).p50 == 5


def test_fractions_that_add_up_to_the_stock_use_it_up():
    assert run_out(steady(0.1), 0.3, lead_time_days=1).p50 == 3


def test_nothing_on_hand_is_out_at_once():
    answer = run_out(steady(2), 0, [(3, 100)], lead_time_days=7)
    assert (answer.p10, answer.p50, answer.p90) == (0, 0, 0)
    assert answer.is_out
    assert answer.chance_7 == answer.chance_before_replenishment == 1
    assert answer.expected_lost == 4  # days 1 and 2; the receipt can be sold on the day it arrives


def test_no_demand_never_runs_out():
    answer = run_out(steady(0), 1, lead_time_days=30)
    assert (answer.p10, answer.p50, answer.p90) == (None, None, None)
    assert answer.chance_30 == answer.expected_lost == answer.daily_rate == 0
    assert answer.days_of_cover is None


def test_a_receipt_before_the_run_out_moves_it_and_one_after_it_does_not():
    assert run_out(steady(5), 20, [(4, 10)], lead_time_days=7).p50 == 6
    assert run_out(steady(5), 20, [(5, 10)], lead_time_days=7).p50 == 4


def test_an_overdue_receipt_is_expected_on_the_first_day():
    assert run_out(steady(5), 5, [(-3, 10)], lead_time_days=7).p50 == 3


def test_quantiles_and_chances_come_from_the_paths():
    rates = np.array([1, 2, 5, 10], float)  # 20 pieces last 20, 10, 4 and 2 days
    paths = np.cumsum(np.repeat(rates[:, None], 60, axis=1), axis=1)
    answer = run_out(paths, 20, lead_time_days=4)
    assert (answer.p10, answer.p50, answer.p90) == (2, 4, 20)
    assert (answer.chance_7, answer.chance_14, answer.chance_30) == (0.5, 0.75, 1.0)
    assert answer.chance_before_replenishment == 0.5
    assert answer.expected_lost == (40 - 20) / 4  # only the fastest path asks for more within four days
    assert answer.daily_rate == 4.5


def test_lost_units_do_not_come_back_with_a_later_receipt():
    # 10 a day on 15 pieces: 5 lost on day 2, 10 on day 3, then 40 arrive and suffice.
    answer = run_out(steady(10, paths=1), 15, [(4, 40)], lead_time_days=7)
    assert answer.expected_lost == 15


def test_negative_stock_and_receipts_are_refused():
    with pytest.raises(ValueError, match="negative"):
        run_out(steady(1), -1, lead_time_days=7)
    with pytest.raises(ValueError, match="negative"):
        run_out(steady(1), 1, [(2, -5)], lead_time_days=7)


@given(daily_paths, stocks, stocks, receipts_of)
@settings(max_examples=60, deadline=None)
def test_more_stock_never_runs_out_earlier(daily, stock, more, receipts):
    paths = np.cumsum(daily, axis=1)
    low = run_out(paths, stock, receipts, lead_time_days=9)
    high = run_out(paths, stock + more, receipts, lead_time_days=9)
    for name in ("p10", "p50", "p90"):
        assert day(getattr(high, name)) >= day(getattr(low, name))
    assert high.chance_before_replenishment <= low.chance_before_replenishment
    assert high.expected_lost <= low.expected_lost + 1e-9


@given(daily_paths, stocks, receipts_of, receipts_of)
@settings(max_examples=60, deadline=None)
def test_more_receipts_never_run_out_earlier(daily, stock, receipts, more):
    paths = np.cumsum(daily, axis=1)
    few = run_out(paths, stock, receipts, lead_time_days=9)
    many = run_out(paths, stock, receipts + more, lead_time_days=9)
    for name in ("p10", "p50", "p90"):
        assert day(getattr(many, name)) >= day(getattr(few, name))
    assert many.expected_lost <= few.expected_lost + 1e-9


@given(daily_paths, stocks, receipts_of, st.integers(0, HORIZON))
@settings(max_examples=60, deadline=None)
def test_chances_grow_with_the_days_and_quantiles_with_the_level(daily, stock, receipts, lead):
    paths = np.cumsum(daily, axis=1)
    answer = run_out(paths, stock, receipts, lead_time_days=lead)
    assert 0 <= answer.chance_7 <= answer.chance_14 <= answer.chance_30 <= 1
    assert day(answer.p10) <= day(answer.p50) <= day(answer.p90)
    longer = run_out(paths, stock, receipts, lead_time_days=lead + 1)
    assert longer.chance_before_replenishment >= answer.chance_before_replenishment
    assert longer.expected_lost >= answer.expected_lost


@given(daily_paths, st.integers(1, 400), receipts_of, st.integers(0, HORIZON))
@settings(max_examples=60, deadline=None)
def test_lost_units_are_those_of_a_shelf_walked_day_by_day(daily, stock, receipts, lead):
    lost = 0.0
    for path in daily:
        on_hand = float(stock)
        for number, asked in enumerate(path[:lead], start=1):
            on_hand += sum(quantity for arrives, quantity in receipts if arrives == number)
            lost += max(0.0, asked - on_hand)
            on_hand = max(0.0, on_hand - asked)
    answer = run_out(np.cumsum(daily, axis=1), stock, receipts, lead_time_days=lead)
    assert answer.expected_lost == pytest.approx(lost / len(daily), abs=1e-6)


@given(
    npst.arrays(float, (3, 5, HORIZON), elements=st.integers(0, 9).map(float)),
    st.lists(stocks, min_size=3, max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_many_products_at_once_get_what_each_gets_alone(daily, on_hand):
    paths, due, leads = np.cumsum(daily, axis=2), [[(2, 5)], [], [(9, 1), (3, 2)]], [3, 0, 14]
    together = run_outs(paths, on_hand, due, lead_times_days=leads)
    for row, answer in enumerate(together):
        assert answer == run_out(paths[row], on_hand[row], due[row], lead_time_days=leads[row])


def test_no_products_give_no_answers():
    assert run_outs(np.empty((0, 5, 30)), [], lead_times_days=[]) == []


def test_first_passage_counts_days_from_one_and_ends_after_the_horizon():
    paths = np.array([[0, 3, 5], [5, 5, 5], [0, 0, 4.0]])
    assert first_passage(paths, 5).tolist() == [2 + 1, 1, 4]


def test_the_fan_holds_five_rising_lines_in_order():
    paths = np.cumsum(np.random.default_rng(1).poisson(2, (200, 30)), axis=1)
    lines = fan(paths)
    assert list(lines) == ["p10", "p25", "p50", "p75", "p90"]
    table = np.array(list(lines.values()))
    assert table.shape == (5, 30)
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()


def test_stock_left_steps_up_when_a_receipt_arrives_and_starts_from_an_empty_shelf():
    # 10 a day on 15 pieces: empty on days 2 and 3, and what was asked for then does not eat the 40 of day 4.
    left = stock_left(steady(10, days=6, paths=1), 15, [(4, 40)])
    assert left.tolist() == [[5, 0, 0, 30, 20, 10]]
    assert stock_left(steady(10, days=3, paths=1), 0, [(-2, 25)]).tolist() == [[15, 5, 0]]


@given(daily_paths, stocks, receipts_of)
@settings(deadline=None, max_examples=60)
def test_stock_left_is_that_of_a_shelf_walked_through_day_by_day(daily, stock, receipts):
    cumulative = np.cumsum(daily, axis=1)
    left = stock_left(cumulative, stock, receipts)
    arriving = np.diff(available_by_day(stock, receipts, HORIZON), prepend=stock)
    shelf = np.full(len(daily), float(stock))
    for day_, (asked, arrives) in enumerate(zip(daily.T, arriving, strict=True)):
        shelf = np.maximum(shelf + arrives - asked, 0.0)
        np.testing.assert_allclose(left[:, day_], shelf, atol=1e-6)


def test_the_lines_of_a_fan_are_the_percentiles_of_the_paths():
    for paths in (1, 2, 3, 11, 200):
        drawn = np.cumsum(np.random.default_rng(paths).poisson(2.0, (paths, 9)), axis=1)
        for percentile, line in zip(PERCENTILES, fan(drawn, decimals=6).values(), strict=True):
            assert np.allclose(line, np.percentile(drawn, percentile, axis=0), atol=1e-6)
