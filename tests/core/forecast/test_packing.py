"""Stored paths come back as they were, in a few kilobytes, or are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from core.forecast.packing import decode, encode

shapes = st.tuples(st.integers(0, 8), st.integers(1, 20))


@given(st.integers(0, 4), st.data())
@settings(max_examples=150, deadline=None)
def test_paths_with_up_to_four_decimals_come_back(decimals, data):
    largest = data.draw(st.sampled_from([1, 300, 70_000, 5_000_000_000]))
    whole = data.draw(npst.arrays(np.int64, data.draw(shapes), elements=st.integers(0, largest)))
    paths = np.cumsum(whole, axis=1) / 10.0**decimals
    again = decode(encode(paths))
    assert again.shape == paths.shape
    assert np.allclose(again, paths, rtol=1e-12, atol=1e-9)
    assert np.array_equal(decode(encode(again)), again)


def test_sums_of_floats_come_back_without_their_dust():
    paths = np.cumsum(np.full((2, 30), 0.1), axis=1)
    assert np.array_equal(decode(encode(paths)), np.tile(np.arange(1, 31) / 10, (2, 1)))


def test_a_fourth_decimal_is_not_taken_for_dust():
    assert decode(encode(np.array([[0.0001, 7.0002]]))).tolist() == [[0.0001, 7.0002]]


def test_more_decimals_than_the_ledger_keeps_are_rounded():
    assert decode(encode(np.array([[1 / 3, 2 / 3]]))).tolist() == [[0.3333, 0.6667]]


def test_huge_quantities_give_up_decimals_before_they_overflow():
    paths = np.array([[0.0625, 9e13 + 0.0625]])
    assert np.allclose(decode(encode(paths)), paths, rtol=0, atol=0.01)


def test_200_paths_over_120_days_take_a_few_kilobytes():
    paths = np.cumsum(np.random.default_rng(1).poisson(3, (200, 120)), axis=1)
    assert len(encode(paths)) < 12_000


@pytest.mark.parametrize("bad", [[[-1.0, 2]], [[3.0, 2]], [[np.nan, 1]], [[1e17, 1e17]], [1.0, 2.0]])
def test_what_is_not_cumulative_demand_is_refused(bad):
    with pytest.raises(ValueError, match=r"Paths to store|too large"):
        encode(np.array(bad))


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:0], lambda d: b"xx" + d[2:], lambda d: d[:2] + b"\x63" + d[3:], lambda d: d[:-5]]
)
def test_bytes_from_elsewhere_are_refused(spoil):
    with pytest.raises(ValueError, match=r"[Ss]tored demand paths"):
        decode(spoil(encode(np.array([[1.0, 2], [3, 4]]))))


def test_what_no_column_of_quantities_can_hold_is_refused():
    assert decode(encode(np.array([[9e13]])))[0, 0] == 9e13
    with pytest.raises(ValueError, match="too large"):
        encode(np.array([[1e14]]))
