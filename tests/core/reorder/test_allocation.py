"""Which level every product gets: the best for the money, whatever the shop looks like."""

from itertools import pairwise
from itertools import product as every

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.reorder import allocation, levels
from core.reorder.allocation import Budget, Cost, Service

ROUNDING = 1e-9
shares = st.floats(0, 1)
shops = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 5))


def a_shop(seed, products=4, paths=15):
    """Curves and prices of a few products, slow and fast, cheap and dear."""
    chance = np.random.default_rng(seed)
    level = chance.gamma(0.5, 2, (products, 1, 1))
    daily = chance.poisson(level, (products, paths, 14)) * chance.integers(1, 9, (products, 1, 1))
    curves = levels.curves(np.cumsum(daily, axis=2).astype(float), chance.integers(0, 8, products), 5)
    return curves, chance.lognormal(1, 1.5, products)


def few(curves, columns=(0, 20, 45, 63)):
    """The same with a handful of levels, so that every choice can be tried."""
    columns = list(columns)
    return levels.Curves(
        *(getattr(curves, name)[:, columns] for name in ("levels", "lost_lines", "lost_units", "on_hand")),
        curves.lines, curves.units, curves.is_short,
    )  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(shops, shares)
def test_no_other_choice_serves_more_for_as_little_money(shop, share):
    curves, prices = a_shop(*shop)
    curves = few(curves)
    chosen = allocation.allocate(curves, prices, Service(share))
    assert chosen.service >= share - ROUNDING
    rows = np.arange(len(curves))
    for index in every(range(curves.levels.shape[1]), repeat=len(curves)):
        if curves.on_hand[rows, index] @ prices <= chosen.stock:
            assert curves.lost_lines[rows, index].sum() >= chosen.lost_lines - ROUNDING


@settings(deadline=None, max_examples=40)
@given(shops, shares, shares)
def test_more_service_never_orders_less_of_anything(shop, one, other):
    front = allocation.frontier(*a_shop(*shop))
    less, more = (allocation.choose(front, Service(share)) for share in sorted((one, other)))
    assert (less.levels <= more.levels).all()
    assert less.stock <= more.stock
    assert less.rate >= more.rate


@settings(deadline=None, max_examples=40)
@given(shops, shares, shares)
def test_a_larger_budget_never_orders_less_and_none_is_exceeded(shop, one, other):
    curves, prices = a_shop(*shop)
    most = float(curves.on_hand[:, -1] @ prices)
    front = allocation.frontier(curves, prices)
    less, more = (allocation.choose(front, Budget(share * most)) for share in sorted((one, other)))
    assert (less.levels <= more.levels).all()
    assert less.stock <= min(one, other) * most * (1 + ROUNDING)
    assert less.is_met
    assert more.is_met
    assert allocation.choose(front, Budget(0)).stock == 0


@settings(deadline=None, max_examples=80)
@example((0, 1), 0.015625, 0.015625, 0)  # the floor lies inside the step with which the goal is reached
@given(shops, shares, shares, st.integers(0, 100))
def test_never_out_never_lowers_the_product_itself_and_is_kept(shop, share, floor, which):
    curves, prices = a_shop(*shop)
    product = which % len(curves)
    floors = np.zeros(len(curves))
    floors[product] = floor
    without = allocation.allocate(curves, prices, Service(share))
    within = allocation.allocate(curves, prices, Service(share), floors)
    assert within.levels[product] >= without.levels[product]
    assert within.own_service[product] >= floor - ROUNDING
    assert within.service >= share - ROUNDING


def test_floors_come_before_the_budget_and_it_is_said_that_they_cost_more():
    curves, prices = a_shop(3)
    floors = np.full(len(curves), 0.99)
    chosen = allocation.allocate(curves, prices, Budget(1e-6), floors)
    assert not chosen.is_met
    assert (chosen.own_service >= 0.99 - ROUNDING).all()
    assert allocation.allocate(curves, prices, Budget(1e9), floors).is_met


@settings(deadline=None, max_examples=30)
@given(shops, shares, st.data())
def test_the_order_of_the_products_does_not_matter(shop, share, data):
    curves, prices = a_shop(*shop)
    order = np.array(data.draw(st.permutations(range(len(curves)))))
    straight = allocation.allocate(curves, prices, Service(share))
    turned = allocation.allocate(curves.take(order), prices[order], Service(share))
    assert np.array_equal(straight.levels[order], turned.levels)


@settings(deadline=None, max_examples=40)
@given(shops, st.floats(0, 100), st.floats(1, 10), st.floats(0, 2))
def test_a_dearer_shortage_never_orders_less_and_dearer_holding_never_more(shop, shortage, times, holding):
    curves, prices = a_shop(*shop)

    def chosen(of_shortage, of_holding):
        goal = Cost(of_holding, np.full(len(curves), of_shortage))
        return allocation.allocate(curves, prices, goal).levels

    usual = chosen(shortage, holding)
    assert (chosen(shortage * times, holding) >= usual).all()
    assert (chosen(shortage, holding * times) <= usual).all()


def test_each_product_pays_for_itself_when_the_goal_is_cost():
    curves, prices = a_shop(5)
    both = allocation.allocate(curves, prices, Cost(0.2, np.full(4, 3.0)))
    one = allocation.allocate(curves.take(slice(0, 1)), prices[:1], Cost(0.2, np.full(1, 3.0)))
    assert both.levels[0] == one.levels[0]
    assert (allocation.allocate(curves, prices, Cost(0.2, np.zeros(4))).levels == 0).all()


@pytest.mark.parametrize("price", [np.nan, 0.0, -1.0, np.inf], ids=["unknown", "free", "negative", "endless"])
def test_a_product_without_a_price_counts_like_the_middle_one_and_stays_bounded(price):
    curves, _ = a_shop(7, 3)
    known = np.array([2.0, 5.0, 50.0])
    prices = np.array([2.0, price, 8.0])
    assert allocation.known_prices(curves, prices).tolist() == [2, 5, 8]
    assert allocation.known_prices(curves, np.full(3, price)).tolist() == [1, 1, 1]
    all_of_it = allocation.allocate(curves, prices, Service(1))
    assert (all_of_it.levels <= curves.levels[:, -1]).all()
    assert np.isfinite(all_of_it.stock)
    middle = np.where(np.isfinite(prices) & (prices > 0), prices, known)
    assert np.array_equal(
        allocation.allocate(curves, prices, Service(0.8)).levels,
        allocation.allocate(curves, middle, Service(0.8)).levels,
    )


def test_where_nothing_is_asked_for_everything_is_served_by_nothing():
    curves = levels.curves(np.zeros((2, 5, 9)), [1, 1], 3)
    chosen = allocation.allocate(curves, np.ones(2), Service(0.99))
    assert (chosen.service, chosen.stock, chosen.levels.tolist()) == (1, 0, [0, 0])
    assert chosen.own_service.tolist() == [1, 1]


@settings(deadline=None, max_examples=20)
@given(shops)
def test_the_curve_of_the_shop_rises_from_nothing_to_all(shop):
    curves, prices = a_shop(*shop)
    points = allocation.curve(allocation.frontier(curves, prices), np.full(len(curves), 2.0))
    assert 1 <= len(points) <= allocation.POINTS
    assert points[0].stock == 0
    assert points[-1].service == pytest.approx(1)
    assert points[-1].lost_money == pytest.approx(0, abs=1e-6)
    for before, after in pairwise(points):
        assert before.service < after.service
        assert before.stock < after.stock
        assert before.lost_lines > after.lost_lines
        assert before.lost_money >= after.lost_money - ROUNDING


@pytest.mark.parametrize(
    ("goal", "floors", "sentence"),
    [
        (Service(1.5), None, "from 0 to 1, not 1.5"),
        (Service(np.nan), None, "from 0 to 1"),
        (Budget(-1), None, "at least 0, it is -1"),
        (Cost(-0.1, np.ones(4)), None, "at least 0 a year"),
        (Cost(0.1, np.ones(3)), None, "one number per product"),
        (Cost(0.1, np.array([1, 1, 1, np.nan])), None, "at least 0"),
        (Service(0.9), np.full(4, 1.1), "from 0 to 1"),
        (Service(0.9), np.zeros(2), "one per product"),
    ],
    ids=["over", "no number", "debt", "gain", "too few", "unknown", "floor over", "floors missing"],
)
def test_goals_that_make_no_sense_are_refused(goal, floors, sentence):
    curves, prices = a_shop(1)
    with pytest.raises(ValueError, match=sentence):
        allocation.allocate(curves, prices, goal, floors)


def test_prices_are_one_per_product():
    curves, prices = a_shop(1)
    with pytest.raises(ValueError, match="4 products and 3 prices"):
        allocation.allocate(curves, prices[:3], Service(0.9))
