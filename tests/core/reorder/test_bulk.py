"""Bulk orders that the levels do not prepare for are named, with their size and how often they come."""

import numpy as np
import pytest

from core.reorder import bulk


def paths(daily):
    return np.cumsum(np.array(daily, float), axis=-1)[None]


def test_a_day_of_many_times_the_usual_size_above_the_level_is_named():
    daily = np.zeros((50, 73))
    daily[:, ::5] = 2  # 15 days of two pieces
    daily[:10, 3] = 60
    (found,) = bulk.one_offs(paths(daily), np.array([20.0]))
    assert found.size_from == 20
    assert found.a_year == pytest.approx(10 / (50 * 73) * 365)
    assert found.typical == 60
    assert found.share_of_units == pytest.approx(600 / (50 * 15 * 2 + 600))


def test_what_the_level_holds_and_what_is_usual_is_no_bulk():
    daily = np.zeros((50, 73))
    daily[:, ::5] = 2
    daily[:10, 3] = 60
    assert bulk.one_offs(paths(daily), np.array([60.0])) == [None]
    assert bulk.one_offs(paths(np.full((9, 9), 7)), np.array([0.0])) == [None]  # not stocked, yet not bulk
    assert bulk.one_offs(paths(np.zeros((9, 9))), np.array([0.0])) == [None]


def test_a_larger_level_never_leaves_more_out():
    daily = np.random.default_rng(2).negative_binomial(0.1, 0.01, (200, 60))
    asked = [bulk.one_offs(paths(daily), np.array([level]))[0] for level in (0.0, 50.0, 100.0, 150.0, 1e9)]
    yearly = [one.a_year if one else 0.0 for one in asked]
    assert yearly == sorted(yearly, reverse=True)
    assert yearly[0] > yearly[-1] == 0


def test_past_days_of_bulk_are_found_oldest_first():
    assert bulk.seen(np.array([0, 30, 2, 20, 21]), 20).tolist() == [1, 4]
