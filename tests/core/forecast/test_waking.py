"""Products that have gone quiet: how long still, and what then."""

import numpy as np
import pytest

from core.forecast.models import Single
from core.forecast.waking import Waking, begin_paused, chance_of_pause, pauses
from tests.core.forecast.shops import a_history

HORIZON, PATHS = 56, 4000


def first_days(demand, in_stock=None):
    """Day of the first sale of every path, horizon + 1 when there is none."""
    (drawn,) = Single(Waking()).paths(a_history(demand, in_stock), HORIZON, PATHS, seed=1)
    return np.where(drawn.any(axis=1), (drawn > 0).argmax(axis=1) + 1, HORIZON + 1)


def quiet_since(days, before=200, level=3.0):
    return np.concatenate([np.full(before, level), np.zeros(days)])


def test_pauses_of_four_weeks_and_more_are_counted_and_the_one_of_today_is_added():
    sold = np.zeros(200, bool)
    sold[[0, 10, 50, 79, 100, 157]] = True  # quiet days in between: 9, 39, 28, 20, 56; then 42
    ended, longer, quiet = pauses(sold)
    assert (ended, quiet) == (3, 42)
    assert longer == pytest.approx(np.log(np.array([40, 29, 57, 43]) / 28).sum())
    assert pauses(sold[:101]) == (2, pytest.approx(np.log(40 / 28) + np.log(29 / 28)), 0)


def test_the_longer_a_product_has_been_quiet_the_longer_it_stays_so():
    waking_within = [np.mean(first_days(quiet_since(days)) <= HORIZON) for days in (28, 60, 120, 300)]
    assert (np.diff(waking_within) < 0).all()
    assert waking_within[0] == pytest.approx(0.6, abs=0.1)
    assert waking_within[3] < 0.15


def test_a_product_that_always_came_back_is_expected_sooner():
    sells_every_fifth_week = np.tile(np.r_[2.0, np.zeros(34)], 9)
    never_paused = quiet_since(34, before=281, level=2.0)
    assert np.median(first_days(sells_every_fifth_week)) < 0.7 * np.median(first_days(never_paused))


def test_after_the_pause_its_past_weeks_come_again_and_nothing_else():
    demand = np.zeros(150)
    demand[[20, 21, 23]] = 7, 4, 5
    demand[60] = 9
    (drawn,) = Single(Waking()).paths(a_history(demand), HORIZON, 500, seed=1)
    assert set(np.unique(drawn)) == {0, 4, 5, 7, 9}
    after = {tuple(path[path > 0]) for path in drawn}
    assert (7, 4, 5) in after
    assert (9,) in after


def test_days_without_stock_are_no_quiet_days():
    in_stock = np.ones(300, bool)
    in_stock[-70:] = False
    empty_shelf = first_days(quiet_since(100), in_stock)
    assert np.mean(empty_shelf <= HORIZON) > np.mean(first_days(quiet_since(100)) <= HORIZON) + 0.1


def test_a_closed_weekday_wakes_nobody():
    demand = np.tile([1.0, 2, 1, 3, 1, 2, 0], 40)  # ends on a Sunday, and Sundays are closed
    demand[-35:] = 0
    days = first_days(demand)
    assert np.mean(days[days <= HORIZON] % 7 == 0) < 0.03


@pytest.mark.parametrize("demand", [[5.0], [0.0, 3.0], np.r_[1.0, np.zeros(400)]], ids=["one", "two", "long"])
def test_one_sale_is_enough_for_an_answer_and_none_is_nothing(demand):
    (drawn,) = Single(Waking()).paths(a_history(demand), 30, 50, seed=1)
    assert np.isfinite(drawn).all()
    assert Single(Waking()).paths(a_history(np.zeros(90)), 30, 10, seed=1).sum() == 0


def chance_after(quiet_days, rate):
    demand = np.random.default_rng(1).poisson(rate, 200).astype(float)
    demand[-1] = 1
    (series,) = a_history(np.concatenate([demand, np.zeros(quiet_days)]))
    return chance_of_pause(series)


def test_a_fast_product_is_held_to_pause_within_days_and_a_slow_one_within_weeks():
    assert chance_after(0, 3) == 0
    assert chance_after(1, 3) < 0.05
    assert chance_after(10, 3) > 0.7
    assert chance_after(10, 0.1) < 0.05
    assert chance_after(27, 0.1) < 0.3
    assert (np.diff([chance_after(days, 1) for days in range(1, 20)]) > 0).all()


def test_days_without_stock_and_closed_weekdays_are_no_sign_of_a_pause():
    demand = np.concatenate([np.full(100, 3.0), np.zeros(14)])
    in_stock = np.ones(114, bool)
    in_stock[-14:] = False
    (empty,) = a_history(demand, in_stock)
    assert chance_of_pause(empty) == 0
    (sunday,) = a_history(np.tile([2.0, 1, 1, 3, 1, 1, 0], 30))
    assert chance_of_pause(sunday) < 0.01


def test_paths_that_begin_paused_sell_nothing_until_they_wake_and_then_as_before():
    (series,) = a_history(np.concatenate([np.full(100, 3.0), np.zeros(14)]))
    paths = np.full((2000, HORIZON), 3.0)
    begun = begin_paused(series, paths, np.random.default_rng(1))
    late = begun[:, 0] == 0
    assert late.mean() == pytest.approx(chance_of_pause(series), abs=0.1)
    assert (begun[~late] == 3).all()
    assert (np.diff(begun, axis=1) >= 0).all()
    assert begin_paused(*a_history(np.full(50, 3.0)), paths, np.random.default_rng(1)) is paths


def test_of_a_product_that_never_sold_nothing_is_said():
    (never,) = a_history(np.zeros(60))
    assert chance_of_pause(never) == 0
