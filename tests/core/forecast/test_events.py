"""The futures with the events that are coming, and what earlier ones teach."""

import numpy as np
import pytest

from core.forecast import events
from core.forecast.history import Series

SUNDAY = 6


def a_series(demand=(1, 0, 2, 0, 1, 0, 3), unique_id="1"):
    demand = np.array(demand, float)
    return Series(unique_id, demand, np.ones(len(demand), bool), SUNDAY)


def some_paths(rate=0.4, paths=4000, days=20):
    return np.random.default_rng(3).poisson(rate, (paths, days)).astype(float)


def test_without_an_event_the_paths_are_the_very_same():
    daily = some_paths()
    assert events.apply(daily, a_series(), None, 1) is daily
    assert (events.apply(daily, a_series(), np.ones(20), 1) == daily).all()


@pytest.mark.parametrize("factor", [0.5, 1.38, 7.0])
def test_days_of_an_event_are_raised_by_its_factor_in_whole_pieces_and_others_stay(factor):
    daily = some_paths()
    factors = np.ones(20)
    factors[5:9] = factor
    raised = events.apply(daily, a_series(), factors, 1)
    assert (raised == np.rint(raised)).all()
    assert (raised >= 0).all()
    assert (raised[:, :5] == daily[:, :5]).all()
    assert (raised[:, 9:] == daily[:, 9:]).all()
    assert raised[:, 5:9].mean() == pytest.approx(factor * daily[:, 5:9].mean(), rel=0.03)


def test_a_closed_day_sells_nothing_and_nothing_is_caught_up_later():
    daily = some_paths(3)
    factors = np.ones(20)
    factors[4] = 0
    closed = events.apply(daily, a_series(), factors, 1)
    assert not closed[:, 4].any()
    assert (closed[:, 5:] == daily[:, 5:]).all()


def test_what_is_sold_by_the_gram_keeps_its_decimals():
    daily = some_paths() / 1000
    raised = events.apply(daily, a_series((0.125, 0.5, 1)), np.full(20, 1.5), 1)
    assert np.allclose(raised * 1000, np.rint(raised * 1000))
    assert raised.mean() == pytest.approx(1.5 * daily.mean(), rel=0.03)


def test_the_same_product_gets_the_same_and_another_its_own():
    daily, factors = some_paths(), np.full(20, 1.5)
    once = events.apply(daily, a_series(), factors, 1)
    assert (events.apply(daily, a_series(), factors, 1) == once).all()
    assert (events.apply(daily, a_series(unique_id="2"), factors, 1) != once).any()


def test_the_effect_is_shrunk_towards_none_and_a_product_towards_all():
    assert events.common_factor([]) == 1
    once = events.Seen(asked=8, usual=4, size=2)  # 4 orders where 2 are usual
    assert events.common_factor([once]) == pytest.approx(14 / 12)
    assert events.common_factor([once] * 100) == pytest.approx(410 / 210)
    never = events.Seen(asked=5, usual=0, size=0)
    assert events.common_factor([never]) == 1
    assert events.own_factor(never, 1.4) == pytest.approx(1.4)
    assert events.own_factor(once, 1.4) == pytest.approx((4 + 28) / 22)
    assert events.own_factor(events.Seen(1e9, 0, 1), 1) == events.MOST_FACTOR


def test_a_product_is_looked_at_beside_its_usual_days():
    demand = np.tile([2.0] * 7, 10)
    demand[30:33] = 10
    seen = np.ones(70, bool)
    seen[30:33] = False
    found = events.look_at(demand, seen, SUNDAY, np.array([30, 31, 32]))
    assert (found.asked, found.size) == (30, 2)
    assert found.usual == pytest.approx(6)


def test_an_event_of_one_place_acts_on_all_by_its_share():
    assert events.of_shop(0, 0.25) == 0.75
    assert events.of_shop(3, 0.5) == 2
