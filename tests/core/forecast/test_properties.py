"""What must hold for every shop, every stock and every seed."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecast import contract
from core.forecast.analogs import build_library
from core.forecast.depletion import available_by_day, first_passage, run_out
from core.forecast.models import Pool, in_chunks, pool_for
from tests.core.forecast.shops import a_history, a_shop

HORIZON = 40
LEVELS = [0.05, 0.1, 0.5, 0.9, 0.95]


@cache
def a_library():
    return build_library(a_shop(40))


@st.composite
def histories(draw, most_products=3):
    """Any shop: whole or broken quantities, young, sold out, dead and sudden products."""
    products, days = draw(st.integers(1, most_products)), draw(st.integers(1, 130))
    shape = (products, days)
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    often, size = draw(st.sampled_from([0.0, 0.02, 0.3, 1.0])), draw(st.sampled_from([1, 12, 4000]))
    demand = chance.integers(1, size + 1, shape) * (chance.random(shape) < often)
    demand = demand * draw(st.sampled_from([1.0, 0.25]))
    demand[:, days - draw(st.integers(0, days)) :] *= draw(st.sampled_from([1.0, 0.0, 7.0]))
    born = chance.integers(0, days, products) * draw(st.booleans())
    demand[np.arange(days) < born[:, None]] = np.nan
    return a_history(demand, chance.random(shape) < draw(st.sampled_from([1.0, 0.7, 0.0])))


def pools():
    return st.sampled_from([Pool(), Pool(a_library())])


def running(history, pool=None, seed=1, paths=60):
    return np.cumsum((pool or Pool()).paths(history, HORIZON, paths, seed), axis=2)


def late(day):
    return HORIZON + 1 if day is None else day


@settings(max_examples=60, deadline=None)
@given(histories(), pools(), st.integers(0, 2**31))
def test_every_path_is_a_number_of_at_least_nothing(history, pool, seed):
    drawn = pool.paths(history, HORIZON, 24, seed)
    assert np.isfinite(drawn).all()
    assert (drawn >= 0).all()


@settings(max_examples=40, deadline=None)
@given(histories(), pools(), st.floats(0, 1e5), st.floats(0, 1e5), st.integers(0, 30))
def test_more_stock_never_runs_out_earlier(history, pool, stock, more, lead_time_days):
    cumulative = running(history, pool)[0]
    less, full = (
        run_out(cumulative, units, lead_time_days=lead_time_days) for units in (stock, stock + more)
    )
    for level in ("p10", "p50", "p90"):
        assert late(getattr(full, level)) >= late(getattr(less, level))
    for chance in ("chance_7", "chance_14", "chance_30", "chance_before_replenishment", "expected_lost"):
        assert getattr(full, chance) <= getattr(less, chance) + 1e-9


RECEIPTS = st.lists(st.tuples(st.integers(-3, HORIZON + 9), st.floats(0, 500)), max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    histories(), st.floats(0, 2000), RECEIPTS, st.integers(-3, HORIZON), st.integers(0, 20), st.floats(0, 500)
)
def test_one_more_receipt_or_an_earlier_one_never_brings_the_run_out_forward(
    history, stock, due, day, sooner, quantity
):  # fmt: skip
    cumulative = running(history)[0]

    def days(receipts):
        return first_passage(cumulative, available_by_day(stock, receipts, HORIZON))

    assert (days([*due, (day, quantity)]) >= days(due)).all()
    assert (days([*due, (day - sooner, quantity)]) >= days([*due, (day, quantity)])).all()


@settings(max_examples=30, deadline=None)
@given(histories(), st.lists(st.floats(0, 1), min_size=2, max_size=6, unique=True), st.floats(0, 5000))
def test_quantiles_never_cross(history, levels, units):
    frame = frame_of(history)
    stock = pd.DataFrame({"unique_id": sorted(set(frame["unique_id"])), "k": 5, "S": units})
    answer = contract.predict(frame, stock, HORIZON, levels)
    quantiles = answer[[f"q{level}" for level in sorted(levels)]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert quantiles.min() >= 0
    assert quantiles.max() <= HORIZON + 1
    assert answer["p14"].between(0, 1).all()


def frame_of(history):
    days = pd.date_range(end=history.until, periods=history.demand.shape[1])
    wide = pd.DataFrame(history.demand.T, index=days, columns=list(history.ids))
    return wide.rename_axis("ds").reset_index().melt("ds", var_name="unique_id", value_name="y").dropna()


@pytest.mark.parametrize("library", [False, True])
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.floats(4, 400), st.integers(3, 25))
def test_demand_and_stock_times_ten_move_the_middle_day_of_a_smooth_product_by_a_day_at_most(
    library, seed, level, cover
):  # fmt: skip
    demand = np.random.default_rng(seed).poisson(level, 200)
    pool = Pool(a_library()) if library else Pool()
    days = [
        np.quantile(
            first_passage(running(a_history(demand * times), pool, paths=300), level * cover * times), 0.5
        )
        for times in (1, 10)
    ]
    assert abs(days[1] - days[0]) <= 1


@settings(max_examples=20, deadline=None)
@given(histories(most_products=5), pools(), st.randoms(use_true_random=False), st.integers(0, 2**31))
def test_order_of_products_and_number_of_calls_change_nothing(history, pool, random, seed):
    together = dict(in_chunks(pool, history, HORIZON, 16, seed))
    order = list(range(len(history)))
    random.shuffle(order)
    split = random.randint(0, len(order))
    for part in (order[:split], order[split:]):
        for unique_id, paths in in_chunks(pool, history.take(np.array(part, int)), HORIZON, 16, seed):
            assert np.array_equal(paths, together[unique_id])


def test_a_whole_shop_with_its_library_is_answered_alike_whatever_the_order_of_its_rows():
    shop = a_shop(40)
    frame = frame_of(shop)
    stock = pd.DataFrame({"unique_id": shop.ids[:8], "k": 5, "S": 20.0})
    assert pool_for(shop).library.is_enough
    first = contract.predict(frame, stock, HORIZON, LEVELS)
    assert contract.predict(frame.sample(frac=1, random_state=1), stock, HORIZON, LEVELS).equals(first)
