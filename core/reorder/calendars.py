"""On which day an order can leave, and when it arrives: order weekdays and shutdowns of vendors.

The rule of a shutdown: nothing is taken and nothing is sent. So an order waits until it is over, and one that
is on its way to us waits too: days of a shutdown after sending are added to the lead time. That is on the
safe side for goods that have left already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

Shutdown = tuple[date, date]
"""First and last day, both included."""

# How many deliveries the quoted lead time counts as, beside measured ones: after two it weighs half.
QUOTE_COUNTS_AS = 2
LATE_SHARE = 0.9  # the slow end of arrivals that is shown, as that of measured lead times
MIDDLE = 0.5
SLACK = 1e-9  # of a share: what floats lose when weights are added up
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Arrival:
    """When an order sent at the next chance arrives.

    `days` from today (0: today) ascending, and their `weights`, which add up to 1: each measured lead time,
    and the quoted one as if it had been measured twice. `on` is the middle one, `late_on` the ninth of ten;
    `lead_days` the middle lead time itself, without waiting for an order day or a shutdown.
    """

    sent_on: date
    on: date
    late_on: date
    days: tuple[int, ...]
    weights: tuple[float, ...]
    lead_days: int = 0


def send_on(day: date, weekdays: Sequence[int] | None = None, shutdowns: Sequence[Shutdown] = ()) -> date:
    """The first day from `day` on that is one of the weekdays (1 Monday .. 7 Sunday; none: any day) and no
    shutdown."""
    closed = _merged(tuple(shutdowns))
    while True:
        end = next((last for first, last in closed if first <= day <= last), None)
        if end is not None:
            day = end + _DAY
        elif weekdays and day.isoweekday() not in weekdays:
            day += _DAY
        else:
            return day


def arrives_on(sent_on: date, lead_days: int, shutdowns: Sequence[Shutdown] = ()) -> date:
    """When what is sent arrives: after the lead time, not counting days of a shutdown after sending."""
    arrival = sent_on + timedelta(days=lead_days)
    for first, last in _merged(tuple(shutdowns)):
        start = max(first, sent_on + _DAY)
        if start <= arrival and start <= last:
            arrival += last - start + _DAY
    return arrival


def send_by(
    needed_on: date,
    lead_days: int,
    weekdays: Sequence[int] | None,
    shutdowns: Sequence[Shutdown],
    today: date,
) -> date | None:
    """The last day on which an order that is to arrive by `needed_on` can be sent; None when it is too late.

    Before a shutdown this is earlier than the lead time alone says.
    """
    day = needed_on - timedelta(days=lead_days)
    while day >= today:
        if send_on(day, weekdays, shutdowns) == day and arrives_on(day, lead_days, shutdowns) <= needed_on:
            return day
        day -= _DAY
    return None


def days_ahead(
    needed_on: date,
    lead_days: int,
    weekdays: Sequence[int] | None,
    shutdowns: Sequence[Shutdown],
    today: date,
) -> int:
    """How many days earlier than usual an order must leave because of a shutdown; 0 where none is in the way.

    When it is too late even today, the days from today count.
    """
    usual = send_by(needed_on, lead_days, weekdays, (), today)
    if usual is None:
        return 0
    ahead = send_by(needed_on, lead_days, weekdays, shutdowns, today)
    return (usual - (ahead or today)).days


@lru_cache(maxsize=4096)  # the products of one vendor ask the same
def arrival(
    today: date,
    quoted_days: int,
    measured_days: tuple[int, ...] = (),
    weekdays: tuple[int, ...] | None = None,
    shutdowns: tuple[Shutdown, ...] = (),
) -> Arrival:
    """When an order sent at the next chance arrives, by the quoted lead time and those that were measured."""
    sent_on = send_on(today, weekdays, shutdowns)
    total = QUOTE_COUNTS_AS + len(measured_days)
    weight_of: dict[int, float] = {}
    for lead, count in [(quoted_days, QUOTE_COUNTS_AS), *((lead, 1) for lead in measured_days)]:
        days = (arrives_on(sent_on, lead, shutdowns) - today).days
        weight_of[days] = weight_of.get(days, 0.0) + count / total
    days = tuple(sorted(weight_of))
    weights = tuple(weight_of[day] for day in days)
    return Arrival(
        sent_on, today + timedelta(days=_at(days, weights, MIDDLE)),
        today + timedelta(days=_at(days, weights, LATE_SHARE)), days, weights,
        _middle(quoted_days, measured_days),
    )  # fmt: skip


def _middle(quoted_days: int, measured_days: tuple[int, ...]) -> int:
    known = sorted([quoted_days] * QUOTE_COUNTS_AS + list(measured_days))
    return known[(len(known) - 1) // 2]


def _at(days: tuple[int, ...], weights: tuple[float, ...], share: float) -> int:
    """The first day by which at least this share has arrived."""
    so_far = 0.0
    for day, weight in zip(days, weights, strict=True):
        so_far += weight
        if so_far >= share - SLACK:
            return day
    return days[-1]


@lru_cache(maxsize=1024)
def _merged(shutdowns: tuple[Shutdown, ...]) -> tuple[Shutdown, ...]:
    """In order, and overlapping or adjoining ones as one."""
    merged: list[Shutdown] = []
    for first, last in sorted(shutdowns):
        if merged and first <= merged[-1][1] + _DAY:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)
