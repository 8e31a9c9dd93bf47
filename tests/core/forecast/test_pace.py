"""What all products of a shop say together: its pace, and the days on which it was closed."""

import io

import numpy as np
import pytest

from core.forecast.analogs import Library, build_library
from core.forecast.models import Pool, pool_for
from core.forecast.pace import MEMORIES_DAYS, STEADY, WIDEST, closed_days, pace_of, without
from tests.core.forecast.shops import a_history

DAYS = 200


def demand_of(products: int, growth: np.ndarray | float = 1.0, mean: float = 4.0) -> np.ndarray:
    return np.random.default_rng(3).poisson(mean * np.broadcast_to(growth, (products, DAYS))).astype(float)


def closed_from(demand: np.ndarray, day: int, days: int) -> np.ndarray:
    demand = demand.copy()
    demand[:, day : day + days] = 0
    return demand


def test_a_steady_shop_has_a_pace_of_about_one():
    pace = pace_of(a_history(demand_of(60)))
    assert pace.factors == pytest.approx((1.0,) * len(MEMORIES_DAYS), abs=0.03)


def test_a_rise_that_all_products_share_is_taken_over_by_the_longer_memories_most():
    growth = np.where(np.arange(DAYS) >= DAYS - 30, 1.5, 1.0)
    pace = pace_of(a_history(demand_of(60, growth)))
    assert 1.02 < pace.over(21.0) < pace.over(56.0) < pace.over(160.0) < 1.5


def test_one_product_or_a_bulk_order_does_not_make_the_pace_of_a_shop():
    growth = np.where(np.arange(DAYS) >= DAYS - 30, 3.0, 1.0)
    assert pace_of(a_history(demand_of(1, growth))) == STEADY
    assert pace_of(a_history(demand_of(9, growth))) == STEADY
    demand = demand_of(60)
    demand[0, -3] = 1e6
    assert pace_of(a_history(demand)).over(160.0) == pytest.approx(1.0, abs=0.05)


def test_products_that_contradict_each_other_leave_the_pace_near_one():
    rising = np.where(np.arange(DAYS) >= DAYS - 30, 6.0, 1.0)
    falling = np.where(np.arange(DAYS) >= DAYS - 30, 0.1, 1.0)
    mixed = np.concatenate([demand_of(6, rising), demand_of(6, falling)])
    agreed = np.concatenate([demand_of(6, rising), demand_of(6, rising)])
    assert pace_of(a_history(mixed)).over(160.0) - 1 < 0.5 * (pace_of(a_history(agreed)).over(160.0) - 1)


def test_a_pace_stays_between_half_and_double_whatever_was_measured():
    growth = np.where(np.arange(DAYS) >= DAYS - 20, 50.0, 1.0)
    assert max(pace_of(a_history(demand_of(80, growth))).factors) <= WIDEST
    assert min(pace_of(a_history(demand_of(80, 51 - growth))).factors) >= 1 / WIDEST


@pytest.mark.parametrize("demand", [np.zeros((5, 90)), np.full((5, 10), 3.0), np.full((5, 90), np.inf * 0)])
def test_a_shop_that_sold_nothing_or_is_too_young_has_no_pace(demand):
    assert pace_of(a_history(np.nan_to_num(demand))) == STEADY


def test_the_order_of_products_changes_neither_pace_nor_closed_days():
    shop = a_history(closed_from(demand_of(40), 50, 9))
    turned = shop.take(np.arange(40)[::-1])
    assert pace_of(turned).factors == pytest.approx(pace_of(shop).factors, rel=1e-12)
    assert np.array_equal(closed_days(turned), closed_days(shop))


def test_works_holidays_are_closed_days_and_single_holidays_and_weekly_rest_are_not():
    demand = demand_of(20) * (np.arange(DAYS) % 7 != 0)
    shop = a_history(closed_from(closed_from(demand, 60, 10), 120, 1))
    first = np.datetime64(shop.until, "D") - (DAYS - 1)
    closed = (closed_days(shop) - first).astype(int)
    assert closed.tolist() == [day for day in range(60, 70) if day % 7]


def test_a_shop_that_sells_few_products_a_day_has_no_closed_days():
    rare = closed_from(demand_of(20, mean=0.05), 60, 12)
    assert closed_days(a_history(rare)).size == 0
    assert closed_days(a_history(np.zeros((3, 40)))).size == 0


def test_a_closed_fortnight_does_not_lower_the_forecast():
    demand = demand_of(40)
    as_usual = pool_for(a_history(demand)).paths(a_history(demand[:3]), 28, 200, 1).mean()
    shut = a_history(closed_from(demand, DAYS - 21, 14))
    pool = pool_for(shut)
    assert pool.paths(shut.take(slice(0, 3)), 28, 200, 1).mean() == pytest.approx(as_usual, rel=0.05)
    believed = Pool().paths(shut.take(slice(0, 3)), 28, 200, 1).mean()
    assert believed < 0.85 * as_usual


def test_a_product_that_did_not_exist_then_or_has_no_calendar_is_left_as_it_is():
    shop = a_history(closed_from(demand_of(40), 10, 9))
    closed = closed_days(shop)
    young = a_history(demand_of(1)[:, -60:])
    assert without(young, closed) is young
    assert without(shop, np.empty(0, "datetime64[D]")) is shop
    assert not without(shop.series(0), closed).in_stock[10:19].any()
    assert shop.in_stock.all()


def test_pace_and_closed_days_are_kept_with_the_library_and_an_older_library_is_without():
    growth = np.where(np.arange(DAYS) >= DAYS - 30, 1.5, 1.0)
    library = build_library(a_history(closed_from(demand_of(40, growth), 50, 9)))
    again = Library.load(library.dump())
    assert again.pace == library.pace != STEADY
    assert np.array_equal(again.closed, library.closed)
    old = io.BytesIO()
    np.savez_compressed(
        old, looks=library.looks, futures=library.futures, end_weekday=library.end_weekday, products=40
    )
    older = Library.load(old.getvalue())
    assert older.pace == STEADY
    assert older.closed.size == 0
    assert older.is_enough == library.is_enough
