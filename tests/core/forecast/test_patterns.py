"""Trend, weekdays and season are found where they are, and not where chance played them."""

import json

import numpy as np
import pandas as pd
import pytest

from core.forecast import patterns, prophet_member
from tests.core.forecast.shops import SUNDAY, a_history

WEEK = np.array([1, 1.4, 1, 1, 1, 0.6, 0])  # ends on a Sunday, closed on Sundays


@pytest.fixture(scope="module")
def three_years():
    """More each year, most in December, Tuesdays strong, Sundays closed."""
    days = pd.date_range(end=SUNDAY, periods=3 * 364)
    rate = 6 * np.linspace(1, 2, len(days)) * np.tile(WEEK, 3 * 52) * np.where(days.month == 12, 1.6, 1)
    (series,) = a_history(np.random.default_rng(1).poisson(rate))
    return series


@pytest.fixture(scope="module")
def drawn(three_years):
    return patterns.draw(three_years, "GB")


def test_weekdays_come_monday_first_as_shares_of_the_weeks_mean(drawn):
    expected = WEEK / WEEK.mean()
    assert drawn.parts["weekday"] == pytest.approx(expected, abs=0.08)
    for (low, high), share in zip(drawn.parts["weekday_range"], drawn.parts["weekday"], strict=True):
        assert low <= share <= high
        assert high - low < 0.25
    assert drawn.parts["weekday"][6] < 0.05


def test_the_trend_is_in_units_per_day_and_its_future_has_a_range(drawn, three_years):
    trend = drawn.parts["trend"]
    days = [row[0] for row in trend]
    assert days == sorted(days)
    assert drawn.as_of.isoformat() in days
    assert pd.Timestamp(days[-1]) == three_years.until + pd.Timedelta(days=56)
    now = next(row for row in trend if row[0] == drawn.as_of.isoformat())
    assert now[2] == pytest.approx(12 * WEEK.mean(), rel=0.15)
    assert all(low <= middle <= high for _, low, middle, high in trend)
    assert trend[-1][1] < trend[-1][3]
    assert trend[0][2] < now[2]


def test_the_season_is_a_calendar_year_and_highest_in_december(drawn):
    best = max(drawn.parts["yearly"], key=lambda row: row[1])
    assert best[0][5:7] == "12"
    assert best[1] > 1.3
    assert len({day[:4] for day, _ in drawn.parts["yearly"]}) == 1


def test_it_can_be_kept_as_json(drawn):
    assert json.loads(json.dumps(drawn.parts, allow_nan=False)) == drawn.parts


def test_below_two_years_there_is_no_season_and_the_same_days_give_the_same_picture():
    demand = np.random.default_rng(2).poisson(3, 120)
    (series,) = a_history(demand)
    drawn = patterns.draw(series, "GB")
    assert drawn.parts["yearly"] is None
    assert drawn.parts["holidays"] is None
    assert drawn == patterns.draw(series, "GB")
    clear = [low > 1 or high < 1 for low, high in drawn.parts["weekday_range"]]
    assert sum(clear) <= 3  # there is no weekday in it: two of ten stand out by chance


def test_too_little_history_gives_a_reason_in_place_of_pictures():
    (young,) = a_history(np.ones(55))
    assert patterns.draw(young).reason == "55 of 56 days of history"
    (rare,) = a_history(np.r_[np.ones(9), np.zeros(100)])
    assert patterns.draw(rare).reason == "9 of 10 days with demand"
    assert patterns.draw(rare).parts is None


def test_only_countries_whose_holidays_are_known_are_asked_for():
    assert prophet_member.supported("GB") == "GB"
    assert prophet_member.supported("ZZ") is None
    assert prophet_member.supported(None) is None
