"""What people change of a week reaches the paths: the mean is the target, and nothing else moves."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from core.forecast.depletion import run_out
from core.forecast.edits import MOST_FACTOR, Edit, applied, monday, weeks

MONDAY = date(2026, 6, 1)
WEDNESDAY = MONDAY + timedelta(days=2)
NEXT = MONDAY + timedelta(days=7)
DAYS = 40
paths_of = npst.arrays(float, (12, DAYS), elements=st.integers(0, 9).map(float)).map(
    lambda daily: np.cumsum(daily, axis=1)
)
targets = st.none() | st.integers(0, 4000).map(lambda hundredths: hundredths / 100)
changes = st.none() | st.integers(-3000, 3000).map(lambda hundredths: hundredths / 100)
said = st.builds(
    Edit,
    st.integers(0, 5).map(lambda n: MONDAY + timedelta(days=7 * n)),
    changes,
    targets,
    st.just(MONDAY - timedelta(days=30)),
)
many = st.lists(said, max_size=6, unique_by=lambda edit: edit.week_on)


def steady(per_day: float, paths: int = 20, days: int = DAYS) -> np.ndarray:
    return np.cumsum(np.full((paths, days), float(per_day)), axis=1)


def edit(week_on=NEXT, adds=None, replaces=None, since_on=None) -> Edit:
    return Edit(week_on, adds, replaces, since_on or MONDAY - timedelta(days=7))


def by_week(cumulative: np.ndarray, today: date) -> list[float]:
    """Mean demand of each week that the paths reach."""
    daily = np.diff(cumulative.mean(axis=0), prepend=0.0)
    return [float(daily[week.days].sum()) for week in weeks(cumulative, today, (), 99)]


def edited(cumulative, today, *edits):
    return applied(cumulative, weeks(cumulative, today, edits, 99))


def test_the_mean_of_a_replaced_week_is_the_target_and_the_other_weeks_stay():
    assert by_week(edited(steady(3), MONDAY, edit(replaces=42)), MONDAY)[:3] == pytest.approx([21, 42, 21])


def test_added_units_come_on_top_and_what_is_taken_away_ends_at_nothing():
    for adds, becomes in ((9, 30), (-6, 15), (-50, 0)):
        found = edited(steady(3), MONDAY, edit(adds=adds))
        assert by_week(found, MONDAY)[1] == pytest.approx(becomes)
        assert (np.diff(found, axis=1) >= 0).all()


def test_replacing_wins_over_adding():
    assert by_week(edited(steady(3), MONDAY, edit(adds=100, replaces=7)), MONDAY)[1] == pytest.approx(7)


def test_a_week_keeps_its_uncertainty_when_it_is_multiplied():
    rates = np.repeat([[1.0], [2.0], [3.0]], DAYS, axis=1)
    found = edited(np.cumsum(rates, axis=1), MONDAY, edit(replaces=28))  # computed: 14
    assert np.diff(found[:, 6:14:7], axis=1).ravel() == pytest.approx([14, 28, 42])


def test_units_nobody_computed_come_on_the_days_that_sell_in_whole_pieces():
    closed_on_sundays = np.ones((10, DAYS)) * [(n % 7 != 6) for n in range(DAYS)]
    closed_on_sundays[:, 7:14] = 0  # and nothing at all next week
    cumulative = np.cumsum(closed_on_sundays, axis=1)
    found = edited(cumulative, MONDAY, edit(replaces=9))
    daily = np.diff(found, axis=1, prepend=0.0)
    assert (daily[:, 13] == 0).all()
    assert np.array_equal(daily, np.rint(daily))
    assert daily[:, 7:14].sum(axis=1).tolist() == [9] * 10
    assert daily[:, 7:13].mean(axis=0) == pytest.approx([1.5] * 6, abs=0.11)


def test_a_part_of_a_piece_is_a_piece_in_that_part_of_the_futures():
    found = edited(np.zeros((200, DAYS)), MONDAY, edit(replaces=0.25))
    assert found[:, 13].mean() == pytest.approx(0.25, abs=0.005)
    assert set(found[:, 13]) == {0, 1}


def test_a_big_order_in_a_week_that_hardly_sells_comes_in_every_future():
    daily = np.zeros((100, DAYS))
    daily[0, 8] = 1  # one piece in one future of a hundred
    found = edited(np.cumsum(daily, axis=1), MONDAY, edit(replaces=10))
    of_week = found[:, 13] - found[:, 6]
    assert of_week.mean() == pytest.approx(10, abs=0.01)
    assert of_week.min() >= 9
    assert of_week.max() <= 10 + MOST_FACTOR


def test_of_a_week_that_has_begun_only_the_days_to_come_count():
    computed = steady(3)  # today is Wednesday: 15 until Sunday, of 21
    (this, *_) = weeks(computed, WEDNESDAY, [edit(MONDAY, replaces=42)], 12)
    assert (this.week_on, this.days, this.computed) == (MONDAY, slice(0, 5), 15)
    assert this.result == pytest.approx(42 * 5 / 7)  # said before the week: of all its seven days
    (this, *_) = weeks(computed, WEDNESDAY, [edit(MONDAY, replaces=42, since_on=WEDNESDAY)], 12)
    assert this.result == pytest.approx(42)  # said today: of the days that are left
    (this, *_) = weeks(steady(3), MONDAY + timedelta(days=6), [edit(MONDAY, adds=10, since_on=WEDNESDAY)], 12)
    assert this.result == pytest.approx(3 + 10 / 5)


def test_weeks_reach_as_far_as_the_paths():
    found = weeks(steady(1, days=10), WEDNESDAY, [edit(replaces=70)], 12)
    assert [week.days for week in found] == [slice(0, 5), slice(5, 10)]
    assert found[1].result == pytest.approx(70 * 5 / 7)
    assert weeks(steady(1, days=1)[:, :0], WEDNESDAY, [edit(replaces=70)], 12) == []


def test_warehouses_share_what_nobody_computed_and_have_the_factor_of_the_whole():
    planned = weeks(steady(3), MONDAY, [edit(replaces=3 * 7 * 6)], 12)  # six times: four, and the rest spread
    found = applied(steady(1), planned, share=1 / 3)
    assert by_week(found, MONDAY)[1] == pytest.approx(42)
    assert by_week(found, MONDAY)[0] == 7


@settings(deadline=None)
@given(paths_of, st.integers(0, 6))
def test_without_an_edit_the_paths_are_the_very_same(cumulative, day):
    today = MONDAY + timedelta(days=day)
    assert edited(cumulative, today) is cumulative
    past = edit(monday(today) - timedelta(days=7), replaces=5)
    assert edited(cumulative, today, past) is cumulative


@settings(deadline=None)
@given(paths_of, st.integers(0, 6), many)
def test_every_edited_week_has_the_mean_that_is_shown_and_no_other_week_moves(cumulative, day, edits):
    today = MONDAY + timedelta(days=day)
    planned = weeks(cumulative, today, edits, 99)
    found = applied(cumulative, planned)
    assert (np.diff(found, axis=1, prepend=0.0) >= -1e-9).all()
    # Paths take turns with the last piece: the mean is as exact as their number allows.
    assert by_week(found, today) == pytest.approx(
        [week.result for week in planned], abs=0.5 / len(found) + 1e-6
    )


@settings(deadline=None)
@given(paths_of, targets, targets, st.integers(1, 300))
def test_a_higher_target_never_runs_out_later(cumulative, one, other, stock):
    low, high = sorted(target or 0.0 for target in (one, other))
    days = [
        run_out(edited(cumulative, MONDAY, edit(replaces=target)), stock, lead_time_days=7)
        for target in (low, high)
    ]
    for name in ("p10", "p50", "p90"):
        less, more = (getattr(found, name) or DAYS + 1 for found in days)
        assert more <= less
