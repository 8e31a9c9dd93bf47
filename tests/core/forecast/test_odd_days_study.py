"""A synthetic study: with stock-outs, promotions, predecessors and slips in the past the true mean is found.

A shop of 60 products with known means (0.3 to 8 a day, weekday pattern, Poisson); the engine's local members
draw the next 56 days. What counts is the expected demand of the shop over its true one. Found with three
seeds: stock-outs on 30 % of days 0.98 to 0.99 (naive 0.69 to 0.72), promotions 0.97 to 1.00 (naive 1.26 to
1.28), slips left out 0.98 to 0.99 and limited 1.00 to 1.02 (naive 2.3 to 2.4).
"""

import numpy as np
import pandas as pd
import pytest

from core.forecast import events, lost, outliers
from core.forecast.history import History
from core.forecast.models import Pool

SEED = 11
PRODUCTS, DAYS, AHEAD = 60, 210, 56
WEEK = np.array([1.0, 1.0, 1.0, 1.1, 1.4, 1.5, 0.0])  # closed on Sundays
UNTIL = pd.Timestamp("2026-05-31")  # a Sunday
TOLERANCE = 0.04  # of 60 products with 210 days each: about three standard errors and the pool's own bias


@pytest.fixture(scope="module")
def shop():
    """Means by product, and demand as it would be seen with nothing in its way (products, days)."""
    rng = np.random.default_rng(SEED)
    means = np.exp(rng.uniform(np.log(0.3), np.log(8), PRODUCTS))
    weekday = (UNTIL.weekday() - np.arange(DAYS - 1, -1, -1)) % 7
    demand = rng.poisson(means[:, None] * WEEK[weekday] / WEEK.mean()).astype(float)
    return means, demand, rng


def recovered(means, demand, in_stock=None, factors=None):
    """Expected demand of the coming days over the true one, all products together."""
    ids = tuple(f"{row:03d}" for row in range(len(demand)))
    shown = np.ones(demand.shape, bool) if in_stock is None else in_stock
    history = History(ids, demand, shown, UNTIL)
    drawn = Pool().paths(history, AHEAD, 100, SEED)
    if factors is not None:
        drawn = np.array(
            [events.apply(paths, series, factors, SEED)
             for paths, series in zip(drawn, history, strict=True)]
        )  # fmt: skip
    return drawn.mean(axis=(1, 2)).sum() / means.sum()


def test_the_study_itself_is_fair(shop):
    means, demand, _ = shop
    assert recovered(means, demand) == pytest.approx(1, abs=TOLERANCE)


def test_with_stock_outs_on_30_percent_of_days_the_mean_comes_back(shop):
    means, demand, rng = shop
    in_stock = np.ones(demand.shape, bool)
    for row in in_stock:  # gaps of a week, anywhere
        for start in rng.integers(0, DAYS - 7, 10):
            row[start : start + 7] = False
    assert 0.25 < 1 - in_stock.mean() < 0.35
    sold = np.where(in_stock, demand, 0)
    assert recovered(means, sold, in_stock) == pytest.approx(1, abs=TOLERANCE)
    assert recovered(means, sold) < 0.8  # days without stock taken for days without demand


def test_what_the_empty_shelves_lost_is_estimated_within_a_tenth(shop):
    means, demand, rng = shop
    in_stock = rng.random(demand.shape) > 0.3
    sold = np.where(in_stock, demand, 0)
    estimated = [
        lost.lost(row, shown, shown, UNTIL.weekday()).sum() for row, shown in zip(sold, in_stock, strict=True)
    ]
    assert sum(estimated) == pytest.approx(demand[~in_stock].sum(), rel=0.1)
    assert means.size


def test_promotions_of_the_past_neither_raise_the_mean_nor_are_they_forgotten_when_one_comes(shop):
    means, demand, rng = shop
    promoted = np.zeros(DAYS, bool)
    for start in (40, 110, 180):
        promoted[start : start + 14] = True
    raised = demand + np.where(promoted, rng.poisson(means[:, None] * 1.5 * np.ones(DAYS)), 0)
    raised[:, demand.sum(axis=0) == 0] = 0  # still closed on Sundays
    seen = np.broadcast_to(~promoted, demand.shape)
    masked = np.where(seen, raised, 0)
    assert recovered(means, masked, seen) == pytest.approx(1, abs=TOLERANCE)
    assert recovered(means, raised) > 1.2  # promotions taken for usual demand
    days = np.flatnonzero(promoted)
    looked = [events.look_at(row, seen[0], UNTIL.weekday(), days) for row in raised]
    true = raised[:, days].sum() / demand[:, days].sum()
    learned = events.common_factor(looked)
    assert learned == pytest.approx(true, rel=0.07)
    coming = np.ones(AHEAD)
    coming[:14] = learned
    of_all_days = (AHEAD - 14 + 14 * true) / AHEAD
    assert recovered(means, masked, seen, coming) == pytest.approx(of_all_days, rel=TOLERANCE + 0.02)


def test_a_successor_with_the_history_of_the_one_it_replaces_is_known_from_its_first_week(shop):
    means, demand, _ = shop
    first_days = np.where(np.arange(DAYS) < DAYS - 10, np.nan, demand)
    with_history = recovered(means, demand)
    errors = [_error(means, history) for history in (demand, first_days)]
    assert with_history == pytest.approx(1, abs=TOLERANCE)
    assert errors[0] < 0.15
    assert errors[1] > 1.4 * errors[0]  # what ten days alone can say


def _error(means, demand):
    """Mean relative error of the products' expected demand."""
    ids = tuple(f"{row:03d}" for row in range(len(demand)))
    history = History(ids, demand, np.ones(demand.shape, bool), UNTIL)
    drawn = Pool().paths(history, AHEAD, 100, SEED)
    return float((np.abs(drawn.mean(axis=(1, 2)) - means) / means).mean())


def test_a_slip_of_a_hundred_times_is_limited_or_left_out_and_the_mean_comes_back(shop):
    means, demand, _ = shop
    slipped = demand.copy()
    where = DAYS - 20 - np.arange(PRODUCTS) % 7
    rows = np.arange(PRODUCTS)
    slipped[rows, where] = 100 * np.maximum(demand[rows, where], np.ceil(means))
    ids = tuple(f"{row:03d}" for row in rows)
    limited, told = outliers.limit(History(ids, slipped, np.ones(demand.shape, bool), UNTIL))
    assert len(told) == PRODUCTS  # each said
    seen = np.ones(demand.shape, bool)
    seen[rows, where] = False
    assert recovered(means, np.where(seen, slipped, 0), seen) == pytest.approx(1, abs=TOLERANCE)
    assert recovered(means, limited.demand) == pytest.approx(1, abs=2 * TOLERANCE)
    believed = slipped[:, -AHEAD:].mean(axis=1) / means
    assert believed.mean() > 1.5  # what a plain mean takes for demand
    assert recovered(means, slipped) < 1.25  # the pool itself draws bulk as a few mean sizes
