"""Trend, weekdays, season and holidays of one product as Prophet sees them: pictures, not the forecast."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from core.forecast import prophet_member
from core.forecast.history import Series
from core.forecast.prophet_member import YEARLY_DAYS

LEAST_DAYS = 56
LEAST_DEMAND_DAYS = 10
SHOWN_DAYS = 730
AHEAD_DAYS = 56
STEP_DAYS = 7
DOUBTS = 300  # possible trends behind the band
BAND = (0.1, 0.9)
SEED = 20
MOST_WEEKS = 52
MOST_HOLIDAYS = 8
LEAST_EFFECT = 0.05  # a holiday that changes demand by less is none
A_WEEK = pd.date_range("2001-01-01", periods=7)  # a Monday first


@dataclass(frozen=True)
class Pattern:
    """What Prophet saw up to `as_of`: `parts` as in `demand_pattern`, or the `reason` why there are none.

    `trend`: `[day, low, middle, high]` in units per day, a point a week, eight weeks beyond `as_of`; low and
    high hold 8 of 10 trends that go on as restlessly as the past. `weekday`: demand of each weekday over the
    week's mean, Monday first (1.4: 40 % above), and `weekday_range` where 8 of 10 draws of other weeks from
    the same past would put it, so that chance is not taken for a habit. `yearly`: `[day, factor]` over one
    calendar year, null below two years. `holidays`: `[name, effect]` (0.3: 30 % more on these days), null
    below two years or without a country. `days`: days of history behind it.
    """

    as_of: date
    parts: dict[str, Any] | None
    reason: str | None


def draw(series: Series, country: str | None = None) -> Pattern:
    """The pattern of one product; the same for the same days."""
    reason = why_not(series)
    as_of = series.until.date()
    if reason is not None:
        return Pattern(as_of, None, reason)
    past = prophet_member.table(series)
    model = prophet_member.fitted(past, country=country, multiplicative=True)
    weekday = _factors(model, A_WEEK, "weekly")
    return Pattern(
        as_of,
        {
            "days": series.days,
            "trend": _trend(model, series),
            "weekday": weekday,
            "weekday_range": _weekday_range(series, weekday),
            "yearly": _yearly(model, series.until) if series.days >= YEARLY_DAYS else None,
            "holidays": _holidays(model, past) if model.train_holiday_names is not None else None,
        },
        None,
    )


def why_not(series: Series) -> str | None:
    """Why there is no pattern to see yet, as the start of a sentence; None when there is."""
    sold = int((series.demand > 0).sum())
    if series.days < LEAST_DAYS:
        return f"{series.days} of {LEAST_DAYS} days of history"
    if sold < LEAST_DEMAND_DAYS:
        return f"{sold} of {LEAST_DEMAND_DAYS} days with demand"
    return None


def _trend(model: Any, series: Series) -> list[list[Any]]:
    weeks = min(series.days, SHOWN_DAYS) // STEP_DAYS
    seen = pd.date_range(end=series.until, periods=weeks, freq=f"{STEP_DAYS}D")
    ahead = pd.date_range(series.until, periods=AHEAD_DAYS + 1)[1:]
    past = np.maximum(prophet_member.parts_of(model, seen)["trend"].to_numpy(float), 0.0)
    middle = prophet_member.parts_of(model, ahead)["trend"].to_numpy(float)
    doubt = prophet_member.trend_doubt(model, ahead, DOUBTS, series.rng(SEED, "pattern"))
    low, high = np.quantile(np.maximum(middle + doubt, 0.0), BAND, axis=0)
    middle = np.maximum(middle, 0.0)
    points = [[_day(day), *[_round(value)] * 3] for day, value in zip(seen, past, strict=True)]
    for place in range(STEP_DAYS - 1, AHEAD_DAYS, STEP_DAYS):
        edges = min(low[place], middle[place]), middle[place], max(high[place], middle[place])
        points.append([_day(ahead[place]), *(_round(value) for value in edges)])
    return points


def _factors(model: Any, days: pd.DatetimeIndex, part: str) -> list[float]:
    """1 plus the share that the part adds on each day; at least 0, since nobody brings goods back."""
    return [_round(max(1 + value, 0.0)) for value in prophet_member.parts_of(model, days)[part]]


def _weekday_range(series: Series, weekday: list[float]) -> list[list[float]]:
    """The 80 % range of each weekday's factor [low, high], by drawing whole weeks of the last year again."""
    weeks = min(series.days // 7, MOST_WEEKS)
    demand = series.demand[-7 * weeks :].reshape(weeks, 7)
    seen = series.usable[-7 * weeks :].reshape(weeks, 7)
    drawn = series.rng(SEED, "weekdays").integers(0, weeks, (DOUBTS, weeks))
    units = np.where(seen, demand, 0.0)[drawn].sum(axis=1)
    means = units / np.maximum(seen[drawn].sum(axis=1), 1)
    factors = means / np.maximum(means.mean(axis=1, keepdims=True), 1e-9)
    order = np.argsort(series.weekday[-7 * weeks :][:7])  # Monday first
    low, high = np.quantile(factors, BAND, axis=0)[:, order]
    return [
        [_round(min(edges[0], factor)), _round(max(edges[1], factor))]
        for *edges, factor in zip(low, high, weekday, strict=True)
    ]


def _yearly(model: Any, until: pd.Timestamp) -> list[list[Any]]:
    days = pd.date_range(f"{until.year}-01-01", f"{until.year}-12-31", freq=f"{STEP_DAYS}D")
    return [[_day(day), factor] for day, factor in zip(days, _factors(model, days, "yearly"), strict=True)]


def _holidays(model: Any, past: pd.DataFrame) -> list[list[Any]]:
    """The holidays that matter, the strongest first, with their mean effect over the years."""
    told = prophet_member.parts_of(model, pd.DatetimeIndex(past["ds"]))
    found = []
    for name in model.train_holiday_names:
        effects = told[name][told[name] != 0] if name in told else ()
        if len(effects) and abs(effects.mean()) >= LEAST_EFFECT:
            found.append([str(name), _round(max(float(effects.mean()), -1.0))])
    return sorted(found, key=lambda one: -abs(one[1]))[:MOST_HOLIDAYS]


def _day(day: pd.Timestamp) -> str:
    return day.date().isoformat()


def _round(value: float) -> float:
    return round(float(value), 4)
