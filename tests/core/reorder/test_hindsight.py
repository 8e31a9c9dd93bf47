"""Days lived again with other deliveries: what is lost, what is left, and what it costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import hindsight

DAYS = st.integers(1, 30)
UNITS = st.integers(0, 50)


@st.composite
def worlds(draw):
    """Stock of a morning, demand and deliveries of as many days, and more of one delivery."""
    length = draw(DAYS)
    days = st.lists(UNITS, min_size=length, max_size=length)
    more = np.zeros(length)
    more[draw(st.integers(0, length - 1))] = draw(UNITS)
    return draw(UNITS), np.array(draw(days), float), np.array(draw(days), float), more


@settings(deadline=None)
@given(worlds())
def test_nothing_appears_and_nothing_vanishes(world):
    morning, wanted, arriving, _ = world
    course = hindsight.relive(morning, wanted, arriving)
    sold = wanted - course.lost
    assert morning + arriving.sum() == pytest.approx(sold.sum() + course.closing[-1])
    assert (course.lost >= 0).all()
    assert (course.closing >= 0).all()
    assert (sold[course.is_empty] == 0).all()


@settings(deadline=None)
@given(worlds())
def test_more_is_never_out_for_longer(world):
    morning, wanted, arriving, more = world
    less, much = (
        hindsight.relive(morning, wanted, arriving),
        hindsight.relive(morning, wanted, arriving + more),
    )
    assert much.lost.sum() <= less.lost.sum()
    assert much.is_empty.sum() <= less.is_empty.sum()
    assert (much.closing >= less.closing).all()


def test_demand_of_an_empty_shelf_is_lost_and_does_not_wait():
    course = hindsight.relive(3, np.array([2.0, 2.0, 2.0, 2.0]), np.array([0.0, 0.0, 0.0, 5.0]))
    assert course.lost.tolist() == [0, 1, 2, 0]
    assert course.is_empty.tolist() == [False, False, True, False]
    assert course.closing.tolist() == [1, 0, 0, 3]


def test_stock_that_is_lost_leaves_an_empty_shelf_and_no_debt():
    course = hindsight.relive(3, np.array([0.0, 0.0]), np.array([-10.0, 2.0]))
    assert course.closing.tolist() == [0, 2]


def test_what_is_left_over_costs_until_it_is_sold_and_no_longer_than_is_bought_for():
    prices = hindsight.Prices(shortage=3.0, holding_a_day=0.01, most_days=100)
    course = hindsight.Course(np.array([10.0, 8.0]), np.array([0.0, 1.0]), np.array([False, False]))
    # Lost 1, held 18 piece-days, then 8 pieces that sell 2 a day: 4 days, half of them on average.
    assert hindsight.cost(course, 2.0, prices) == pytest.approx(3 + 0.01 * (18 + 16))
    assert hindsight.cost(course, 0.0, prices) == pytest.approx(3 + 0.01 * (18 + 800))


@pytest.mark.parametrize(
    ("price", "percent", "shortage"),
    [(5.0, None, 3.0), (5.0, 50.0, 2.5), (1.0, None, 0.0), (None, None, 0.0)],
)
def test_a_missing_piece_costs_its_margin_or_a_share_of_its_price(price, percent, shortage):
    found = hindsight.prices(2.0, price, holding_percent=36.5, shortage_percent=percent, most_days=100)
    assert found.shortage == shortage
    assert found.holding_a_day == pytest.approx(0.002)
