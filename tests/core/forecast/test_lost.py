"""What an empty shelf lost: the usual demand of its weekday, from the days on both sides."""

import numpy as np

from core.forecast import lost

SUNDAY = 6


def weeks(n, week):
    return np.tile(np.array(week, float), n)


def test_a_steady_product_loses_what_it_sells_every_day():
    demand = weeks(8, [4] * 7)
    in_stock = np.ones(56, bool)
    in_stock[20:25] = False
    demand[20:25] = 0
    found = lost.lost(demand, in_stock, in_stock, SUNDAY)
    assert np.allclose(found[20:25], 4)
    assert not found[:20].any()
    assert not found[25:].any()


def test_each_weekday_is_judged_by_its_own_days_and_a_closed_one_loses_nothing():
    demand = weeks(10, [2, 2, 2, 2, 10, 0, 0])
    in_stock = np.ones(70, bool)
    in_stock[35:42] = False
    demand[35:42] = 0
    found = lost.lost(demand, in_stock, in_stock, SUNDAY)[35:42]
    assert np.all(np.abs(found - [2, 2, 2, 2, 10, 0, 0]) < 0.6)
    assert found[5] == found[6] == 0


def test_days_near_the_gap_count_more_on_both_sides():
    demand = np.concatenate([np.full(140, 1.0), np.zeros(7), np.full(140, 9.0)])
    in_stock = demand > 0
    early, late = demand.copy(), demand.copy()
    found = lost.lost(demand, in_stock, in_stock, SUNDAY)[140:147]
    assert np.all((found > 4) & (found < 6))
    early[100:140], late[147:187] = 3.0, 1.0
    assert lost.lost(early, in_stock, in_stock, SUNDAY)[143] > found[3]
    assert lost.lost(late, in_stock, in_stock, SUNDAY)[143] < found[3]


def test_what_was_sold_on_such_a_day_is_not_lost_and_promotions_are_not_the_usual_demand():
    demand = weeks(8, [4] * 7)
    in_stock = np.ones(56, bool)
    in_stock[20] = False
    demand[20] = 3
    seen = in_stock.copy()
    demand[21:28], seen[21:28] = 400, False
    assert np.isclose(lost.lost(demand, in_stock, seen, SUNDAY)[20], 1)


def test_nothing_is_known_without_a_day_in_stock_or_half_a_year_from_one():
    none = np.zeros(30, bool)
    assert not lost.lost(np.zeros(30), none, none, SUNDAY).any()
    demand, in_stock = np.zeros(400), np.zeros(400, bool)
    demand[:50], in_stock[:50] = 2, True
    found = lost.lost(demand, in_stock, in_stock, SUNDAY)
    assert np.allclose(found[50:229], 2)
    assert not found[230:].any()
