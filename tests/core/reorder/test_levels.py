"""What a level does: counted against playing every path by hand, and what holds whatever the demand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import levels

NEVER_FALLS = 1e-9

demands = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).negative_binomial(
        0.3, 0.15, (3, 20, int(np.random.default_rng(seed).integers(10, 30)))
    )
)


def cumulative(daily):
    return np.cumsum(daily, axis=2).astype(float)


def played(daily, leads, review, level, strengths):
    """Lost lines, lost units and stock per day of one product at one level, path by path and day by day."""
    lost_lines = lost_units = on_hand = 0.0
    for path, demand in enumerate(daily):
        lead = leads[path * len(leads) // len(daily)]
        for strength in strengths:
            there = max(level - strength * demand[:lead].sum(), 0.0)
            for asked in strength * demand[lead : lead + review]:
                sold = min(there, asked)
                on_hand += there - sold / 2
                lost_units += asked - sold
                lost_lines += 1 - sold / asked if asked else 0.0
                there -= sold
    return np.array([lost_lines, lost_units, on_hand]) / (len(daily) * len(strengths) * review)


@settings(deadline=None, max_examples=15)
@given(demands, st.integers(0, 4), st.integers(1, 4), st.sampled_from([0.0, 0.25]))
def test_a_level_does_what_playing_every_path_says(daily, lead, review, doubt):
    leads = np.array([[lead, lead + 2]] * 3)
    made = levels.curves(cumulative(daily), leads, review, doubt=doubt)
    strengths = np.exp(doubt * levels.STRENGTHS) if doubt else np.ones(1)
    for product in range(3):
        for column in (0, 5, 40, 63):
            level = made.levels[product, column]
            expected = played(daily[product], leads[product], review, level, strengths)
            found = [made.lost_lines, made.lost_units, made.on_hand]
            assert np.allclose([one[product, column] for one in found], expected, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(demands, st.integers(0, 9), st.integers(1, 9), st.sampled_from([1.0, 0.1, 12.0]))
def test_more_stock_never_serves_less_and_levels_are_whole_grains_up_to_the_largest_path(
    daily, lead, review, grain
):
    made = levels.curves(cumulative(daily) * grain, [lead] * 3, review, grain)
    assert (np.diff(made.levels, axis=1) >= 0).all()
    assert (np.diff(made.lost_lines, axis=1) <= NEVER_FALLS).all()
    assert (np.diff(made.lost_units, axis=1) <= NEVER_FALLS).all()
    assert (np.diff(made.on_hand, axis=1) >= -NEVER_FALLS).all()
    assert np.allclose(made.levels / grain, np.rint(made.levels / grain))
    assert (made.levels[:, 0] == 0).all()
    assert np.allclose(made.lost_lines[:, 0], made.lines)
    assert np.allclose(made.lost_lines[:, -1], 0)
    most = cumulative(daily)[:, :, -1].max(axis=1) * grain * np.exp(levels.LEVEL_DOUBT * levels.STRENGTHS[-1])
    assert (made.levels[:, -1] <= most + grain).all()


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000))
def test_neither_the_order_of_products_nor_the_split_into_calls_matters(seed):
    chance = np.random.default_rng(seed)
    daily = chance.negative_binomial(0.4, 0.1, (levels.BATCH + 3, 10, 12))
    leads = chance.integers(0, 6, (len(daily), 2))
    whole = levels.curves(cumulative(daily), leads, 3)
    order = chance.permutation(len(daily))
    shuffled = levels.curves(cumulative(daily)[order], leads[order], 3)
    parts = levels.joined(
        levels.curves(cumulative(daily)[rows], leads[rows], 3) for rows in (slice(0, 7), slice(7, None))
    )
    for name in ("levels", "lost_lines", "lost_units", "on_hand", "lines", "units", "is_short"):
        assert np.array_equal(getattr(whole.take(order), name), getattr(shuffled, name))
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_what_nobody_asks_for_needs_no_level():
    made = levels.curves(np.zeros((1, 20, 30)), [7], 7)
    assert made.levels.max() == made.lost_lines.max() == made.on_hand.max() == made.lines[0] == 0


def test_ordering_every_day_with_goods_there_the_next_morning_covers_one_day():
    made = levels.curves(cumulative(np.full((1, 20, 5), 4)), [0], 1, doubt=0)
    assert made.levels[0, -1] == 4
    assert made.lost_lines[0, -1] == 0
    assert made.on_hand[0, -1] == 2  # four in the morning, none in the evening


def test_paths_that_end_before_the_next_order_arrives_are_said_to_be_short():
    daily = np.full((2, 20, 10), 1)
    made = levels.curves(cumulative(daily), [3, 21], 7, doubt=0)
    assert made.is_short.tolist() == [False, True]
    assert made.levels[:, -1].tolist() == [10, 10]
    beyond = levels.curves(cumulative(daily), [0, 0], 30, doubt=0)
    assert beyond.is_short.all()


def test_doubt_about_the_lead_time_costs_stock():
    daily = np.random.default_rng(1).poisson(3, (1, 200, 60))
    sure = levels.curves(cumulative(daily), [levels.leads(14, 0)], 7, doubt=0)
    unsure = levels.curves(cumulative(daily), [levels.leads(14, 0.4)], 7, doubt=0)
    assert needed(unsure, 0.95) > needed(sure, 0.95) + 5


def needed(made, service):
    return made.levels[0, (made.lost_lines[0] <= (1 - service) * made.lines[0]).argmax()]


def test_lead_times_spread_around_the_quoted_one():
    assert set(levels.leads(9, 0).tolist()) == {9}
    assert set(levels.leads(0, 0.5).tolist()) == {0}
    spread = levels.leads(20, 0.3)
    assert (np.diff(spread) >= 0).all()
    assert abs(spread.mean() - 20) < 1
    assert abs(spread.std() - 6) < 1
    with pytest.raises(ValueError, match="read-only"):
        spread[0] = 1


def test_levels_are_rounded_up_to_what_can_be_held():
    rounded = levels.in_grains(np.array([6.2, 0.3, 7.0]), np.array([1.0, 0.1, 7.0]))
    assert rounded.tolist() == pytest.approx([7, 0.3, 7])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cumulative": np.zeros((2, 3))}, "at least one path and day"),
        ({"cumulative": np.zeros((1, 0, 3))}, "at least one path and day"),
        ({"leads_days": [-1]}, "at least 0 days"),
        ({"leads_days": [1, 2]}, "one row per product"),
        ({"review_days": 0}, "at least 1"),
        ({"grains": 0}, "above 0"),
        ({"doubt": -0.1}, "at least 0"),
    ],
    ids=["no paths", "none", "early", "other products", "never", "no grain", "less than sure"],
)
def test_numbers_that_make_no_sense_are_refused(change, sentence):
    given_ones = {"cumulative": np.zeros((1, 2, 3)), "leads_days": [1], "review_days": 7}
    with pytest.raises(ValueError, match=sentence):
        levels.curves(**{**given_ones, **change})
