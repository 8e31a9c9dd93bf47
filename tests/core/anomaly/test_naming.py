"""Names of clusters: plain words, and no two the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.anomaly.lines import FLOWS, NEVER, NOBODY, Lines, Shelf
from core.anomaly.naming import cluster_names

MONDAY = 1_700_438_400.0  # 2023-11-20T00:00:00Z
DAY, HOUR = 86_400.0, 3600.0
SHELF = Shelf(place_codes={0: "MAIN", 1: "WH-B"})


def lines(rows) -> Lines:
    """Lines of (product, place, flow, change, price, at, customer), in that order."""
    rows = list(rows)
    product, place, flow, change, price, at, customer = map(np.array, zip(*rows, strict=True))
    nobody = np.full(len(rows), NOBODY, np.int32)
    return Lines(
        np.arange(len(rows)), product.astype(np.int32), place.astype(np.int32),
        np.array([FLOWS.index(name) for name in flow], np.int8), change.astype(np.float64),
        price.astype(np.float64), at.astype(np.float64), customer.astype(np.int32), nobody, nobody,
        np.full(len(rows), np.nan), np.full(len(rows), NEVER),
    )  # fmt: skip


def sales(n, *, hour=10.0, size=-3, place=0, customer=NOBODY):
    return [(at % 5, place, "out", size, 2.0, MONDAY + at * 0.4 * DAY // DAY * DAY + hour * HOUR, customer)
            for at in range(n)]  # fmt: skip


def named(*clusters):
    rows = [row for cluster in clusters for row in cluster]
    numbers = np.repeat(np.arange(len(clusters)), [len(cluster) for cluster in clusters])
    return cluster_names(lines(rows), numbers, SHELF)


def test_deliveries_and_sales_are_called_what_they_are():
    weekly = [(week % 2, 1, "in", 48 if week % 3 else 6, 1.0, MONDAY + week // 2 * 7 * DAY + 9 * HOUR, NOBODY)
              for week in range(40)]  # fmt: skip
    assert named(sales(60), weekly) == ["sales from MAIN", "weekly deliveries to WH-B"]


def test_size_is_that_of_the_product_not_a_number_of_pieces():
    usual = [(0, 0, "out", -100, 1.0, MONDAY, NOBODY)] * 9 + [(1, 0, "out", -2, 1.0, MONDAY, NOBODY)] * 9
    large = [(0, 0, "out", -300, 1.0, MONDAY, NOBODY), (1, 0, "out", -6, 1.0, MONDAY, NOBODY)]
    small = [(0, 0, "out", -10, 1.0, MONDAY, NOBODY)]
    assert [name.split()[:2] for name in named(usual, large, small)[1:]] == [
        ["large", "sales"],
        ["very", "small"],
    ]


@pytest.mark.parametrize(
    ("hour", "said"), [(12.5, "around noon"), (9.0, "in the morning"), (23.5, "at night"), (1.0, "at night")]
)
def test_the_time_of_day_is_said_when_it_tells_two_apart(hour, said):
    first, second = named(sales(40, hour=16.0), sales(20, hour=hour))
    assert said in second
    assert said not in first


def test_customers_are_said_when_they_tell_two_apart():
    first, second = named(sales(40), sales(40, customer=4))
    assert "without a customer" in first
    assert "to known customers" in second


def test_clusters_that_are_alike_in_everything_still_differ_in_name():
    found = named(*[sales(20)] * 4)
    assert len(set(found)) == 4


def test_of_two_that_are_told_apart_none_has_a_name_that_fits_both():
    first, second = named(sales(40, hour=9.0), sales(40, hour=16.0))
    assert not first.startswith(second)
    assert not second.startswith(first)


def test_what_has_no_customers_anyway_is_not_said_to_have_none():
    deliveries = [(0, 0, "in", 5, 1.0, MONDAY + n * DAY, NOBODY) for n in range(30)]
    assert "customer" not in named(sales(40, customer=4), deliveries)[1]


def test_a_number_that_no_line_has_is_named_too_and_no_line_has_no_names():
    found = cluster_names(lines(sales(4)), np.array([2, 2, 2, 2]), SHELF)
    assert len(set(found)) == 3
    assert found[2].startswith("sales")
    assert len(set(cluster_names(lines(sales(4)), np.array([2, 2, 2, 2]), SHELF, many=5))) == 5
    assert cluster_names(lines(sales(1)).take(np.array([], int)), np.array([], np.int16), SHELF) == []


ROWS = st.tuples(
    st.integers(0, 3), st.integers(0, 2), st.sampled_from(FLOWS),
    st.floats(-1e12, 1e12).filter(bool), st.just(np.nan) | st.floats(0, 1e9),
    st.floats(0, 4e9), st.integers(-1, 2), st.integers(0, 5),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(ROWS, min_size=1, max_size=25))
def test_any_lines_in_any_clusters_have_different_names_in_plain_words(rows):
    numbers = np.array([row[-1] for row in rows])
    found = cluster_names(lines(row[:-1] for row in rows), numbers, SHELF)
    assert len(found) == numbers.max() + 1
    assert len(set(found)) == len(found)
    for name in found:
        assert name == name.strip()
        assert "nan" not in name
        assert "  " not in name
