"""What people know better about the weeks to come, worked into demand paths."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

WEEK_DAYS = 7
# A promotion may multiply a week. What goes beyond is an order that somebody knows of: it comes in every
# future. Multiplied instead, a week that hardly sells would put all of it into one future of a hundred.
MOST_FACTOR = 4.0
SEED = 7  # of the order in which futures get the last piece


@dataclass(frozen=True)
class Edit:
    """What somebody said of the demand of one week, which begins on a Monday.

    `adds` units to what is computed (below 0 takes away); `replaces` it altogether, and wins. Both speak of
    the days from `since_on` to Sunday: said before the week began, of the whole week.
    """

    week_on: date
    adds: float | None
    replaces: float | None
    since_on: date


@dataclass(frozen=True)
class Week:
    """A week of a forecast, as far as its days are still to come and within the horizon.

    `days` are places in the paths, the first day of the paths being 0. `computed` is the mean demand of these
    days, `result` the one after the edit: the paths times `factor`, and `extra` units more in every path,
    spread over the days that sell (`sells`, one for each of `days`).
    """

    week_on: date
    days: slice
    computed: float
    result: float
    factor: float
    extra: float
    sells: tuple[bool, ...]

    @property
    def is_edited(self) -> bool:
        return self.factor != 1.0 or self.extra > 0


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def weeks(cumulative: np.ndarray, today: date, edits: Sequence[Edit], number: int) -> list[Week]:
    """This week and the ones after it, `number` in all or as many as the paths reach, with the edits.

    Args:
        cumulative: demand paths of the whole product (paths, days), day 0 being today.
        edits: at most one a week; those of other weeks do not matter.
    """
    mean = np.diff(cumulative.mean(axis=0), prepend=0.0)
    by_weekday = _weekday_shape(mean, today)
    said = {edit.week_on: edit for edit in edits}
    found = []
    for n in range(number):
        week_on = monday(today) + timedelta(days=n * WEEK_DAYS)
        start = max((week_on - today).days, 0)
        stop = min((week_on - today).days + WEEK_DAYS, len(mean))
        if start >= stop:
            break
        found.append(_week(week_on, slice(start, stop), mean, by_weekday, said.get(week_on), today))
    return found


def applied(cumulative: np.ndarray, changed: Sequence[Week], share: float = 1.0) -> np.ndarray:
    """The paths with the edits of these weeks; the very same ones when none of the weeks is edited.

    Args:
        share: the part of `extra` that falls on these paths (a warehouse's; its factor is that of the whole).

    Scaled paths are not rounded to whole pieces. Pieces of `extra` are as whole as the paths'.
    """
    changed = [week for week in changed if week.is_edited]
    if not changed:
        return cumulative
    daily = np.diff(cumulative, axis=1, prepend=0.0)
    grain = 1.0 if np.array_equal(cumulative, np.rint(cumulative)) else None
    for week in changed:
        daily[:, week.days] *= week.factor
        if week.extra > 0 and share > 0:
            daily[:, week.days] += _spread(week.extra * share, np.array(week.sells), len(daily), grain)
    return np.cumsum(daily, axis=1)


def _week(
    week_on: date, days: slice, mean: np.ndarray, by_weekday: np.ndarray, edit: Edit | None, today: date
) -> Week:
    computed = float(mean[days].sum())
    weekdays = [(today + timedelta(days=n)).weekday() for n in range(days.start, days.stop)]
    open_days = by_weekday[weekdays] > 0
    sells = tuple(bool(day) for day in (open_days if open_days.any() else ~open_days))
    result = computed
    if edit is not None:
        part = _part(edit, weekdays, by_weekday)
        if edit.replaces is not None:
            result = edit.replaces * part
        elif edit.adds is not None:
            result = max(computed + edit.adds * part, 0.0)
    factor = min(result / computed, MOST_FACTOR) if computed > 0 and result != computed else 1.0
    extra = max(result - computed * factor, 0.0) if factor in (1.0, MOST_FACTOR) else 0.0
    return Week(week_on, days, computed, result, factor, extra, sells)


def _part(edit: Edit, weekdays: list[int], by_weekday: np.ndarray) -> float:
    """Which part of what was said falls on these weekdays: a week that has begun has shown the rest of it."""
    spoken = range(max((edit.since_on - edit.week_on).days, 0), WEEK_DAYS)
    weights = by_weekday if by_weekday[list(spoken)].sum() > 0 else np.ones(WEEK_DAYS)
    all_of_it = weights[list(spoken)].sum()
    return float(weights[[day for day in weekdays if day in spoken]].sum() / all_of_it)


def _weekday_shape(mean: np.ndarray, today: date) -> np.ndarray:
    """Mean demand by weekday (Monday first) over the whole weeks of the paths; ones when nothing sells."""
    whole = len(mean) // WEEK_DAYS * WEEK_DAYS or len(mean)
    weekdays = (today.weekday() + np.arange(whole)) % WEEK_DAYS
    shape = np.bincount(weekdays, weights=mean[:whole], minlength=WEEK_DAYS)
    return shape if shape.sum() > 0 else np.ones(WEEK_DAYS)


def _spread(extra: float, sells: np.ndarray, paths: int, grain: float | None) -> np.ndarray:
    """Units by path and day (paths, days) that sum to `extra` in each path, evenly over the days that sell.

    With a `grain` they come in whole pieces: the paths take turns in getting the next one early, and their
    mean is `extra` still.
    """
    so_far = extra * np.cumsum(sells) / sells.sum()
    whole = np.tile(so_far, (paths, 1))
    if grain is not None:
        turns = (np.random.default_rng(SEED).permutation(paths) + 0.5) / paths
        whole = np.floor(so_far / grain + turns[:, None] + 1e-9) * grain
    return np.diff(whole, axis=1, prepend=0.0)
