"""A single day far above all others counts as the second largest, and is said; what came twice is regular."""

import numpy as np
import pandas as pd

from core.forecast import outliers
from core.forecast.history import History

UNTIL = pd.Timestamp("2026-05-31")


def a_history(*rows):
    demand = np.array(rows, float)
    ids = tuple(str(n) for n in range(len(rows)))
    return History(ids, demand, np.ones(demand.shape, bool), UNTIL)


def usual(**odd):
    """40 days of 0 to 4; `usual(day_7=500)` sets a day."""
    row = np.tile([0, 2, 3, 4, 1], 8).astype(float)
    for name, quantity in odd.items():
        row[int(name.removeprefix("day_"))] = quantity
    return row


def test_a_slip_of_the_keyboard_counts_as_the_second_largest_day_and_is_reported():
    before = a_history(usual(day_7=400), usual())
    history, limited = outliers.limit(before)
    assert limited == {"0": [["2026-04-29", 400.0, 4.0]]}
    assert history.demand[0, 7] == 4
    assert before.demand[0, 7] == 400
    assert (history.demand[1] == usual()).all()
    assert (np.delete(history.demand[0], 7) == np.delete(usual(), 7)).all()


def test_a_large_order_that_came_twice_and_one_that_is_not_far_above_stay():
    before = a_history(usual(day_7=400, day_30=90), usual(day_7=39))
    history, limited = outliers.limit(before)
    assert limited == {}
    assert history is before


def test_a_product_of_few_sales_is_not_judged():
    few = np.zeros(40)
    few[::6] = 1
    few[3] = 100
    assert outliers.limit(a_history(few))[1] == {}
    assert outliers.limit(a_history([1, 90, 1]))[1] == {}


def test_days_before_a_product_was_there_stay_unknown_and_each_product_is_judged_alone():
    young = usual(day_30=900)
    young[:10] = np.nan
    history, limited = outliers.limit(a_history(usual(day_7=400), young))
    assert {*limited} == {"0", "1"}
    assert np.isnan(history.demand[1, :10]).all()
    assert outliers.limit(a_history(usual(day_7=400)))[1] == {"0": limited["0"]}
