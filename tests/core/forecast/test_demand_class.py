"""The four classes of demand, and what is too little to say."""

import numpy as np
import pytest

from core.forecast.history import demand_class

SIZES_ALIKE, SIZES_APART = [4, 5, 6, 5], [1, 1, 1, 30]


@pytest.mark.parametrize(
    ("sizes", "gap", "expected"),
    [
        (SIZES_ALIKE, 1, "smooth"),
        (SIZES_APART, 1, "erratic"),
        (SIZES_ALIKE, 4, "intermittent"),
        (SIZES_APART, 4, "lumpy"),
        ([5], 1, "sparse"),
        ([], 1, "sparse"),
    ],
)
def test_class_follows_gap_and_variation(sizes, gap, expected):
    demand = np.zeros(len(sizes) * gap)
    demand[::gap] = sizes
    assert demand_class(demand) == expected


def test_days_without_stock_do_not_make_a_product_intermittent():
    demand = np.array([5.0, 0, 5, 0, 5, 0, 6, 0])
    assert demand_class(demand) == "intermittent"
    assert demand_class(demand, in_stock=demand > 0) == "smooth"


def test_closed_days_do_not_make_a_product_intermittent():
    demand = np.tile([5.0, 5, 5, 5, 5, 0, 0], 8)
    assert demand_class(demand) == "intermittent"
    assert demand_class(demand, open_share=5 / 7) == "smooth"
