"""When an order leaves and arrives: order weekdays, shutdowns, and measured lead times beside the quoted."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import calendars

SATURDAY = date(2026, 11, 21)
MONDAY = date(2026, 11, 23)
CLOSED = ((date(2026, 12, 21), date(2027, 1, 3)),)

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
weekdays = st.none() | st.sets(st.integers(1, 7), min_size=1, max_size=7).map(lambda s: tuple(sorted(s)))
shutdowns = st.lists(
    st.tuples(days, st.integers(0, 30)).map(lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))),
    max_size=3,
).map(tuple)
leads = st.integers(0, 60)


def is_closed(day, closed):
    return any(first <= day <= last for first, last in closed)


@pytest.mark.parametrize(
    ("day", "on", "closed", "expected"),
    [
        (SATURDAY, None, (), SATURDAY),
        (SATURDAY, (1,), (), MONDAY),
        (MONDAY, (1,), (), MONDAY),
        (date(2026, 12, 22), None, CLOSED, date(2027, 1, 4)),
        (date(2026, 12, 22), (5,), CLOSED, date(2027, 1, 8)),
        (MONDAY, (1,), ((MONDAY, MONDAY),), date(2026, 11, 30)),
    ],
)
def test_leaves_on_the_next_order_day_that_is_no_shutdown(day, on, closed, expected):
    assert calendars.send_on(day, on, closed) == expected


def test_days_of_a_shutdown_after_sending_are_added():
    assert calendars.arrives_on(date(2026, 12, 18), 7, ()) == date(2026, 12, 25)
    assert calendars.arrives_on(date(2026, 12, 18), 7, CLOSED) == date(2027, 1, 8)
    # What arrives before it is not touched, and neither is what leaves after it.
    assert calendars.arrives_on(date(2026, 12, 10), 7, CLOSED) == date(2026, 12, 17)
    assert calendars.arrives_on(date(2027, 1, 4), 7, CLOSED) == date(2027, 1, 11)


def test_overlapping_shutdowns_count_once():
    twice = (*CLOSED, (date(2026, 12, 24), date(2027, 1, 1)))
    assert calendars.arrives_on(date(2026, 12, 18), 7, twice) == date(2027, 1, 8)


@settings(deadline=None)
@given(days, leads, shutdowns)
def test_exactly_the_lead_time_is_left_of_the_days_that_are_open(sent_on, lead, closed):
    arrives = calendars.arrives_on(sent_on, lead, closed)
    between = [sent_on + timedelta(days=n + 1) for n in range((arrives - sent_on).days)]
    assert sum(not is_closed(day, closed) for day in between) == lead


@settings(deadline=None)
@given(days, weekdays, shutdowns)
def test_nothing_leaves_on_a_closed_day(day, on, closed):
    sent = calendars.send_on(day, on, closed)
    assert sent >= day
    assert not is_closed(sent, closed)
    assert on is None or sent.isoweekday() in on


@settings(deadline=None, max_examples=50)
@given(days, st.integers(0, 90), leads, weekdays, shutdowns)
def test_the_last_day_to_send_arrives_in_time_and_a_later_one_does_not(today, until, lead, on, closed):
    needed = today + timedelta(days=until)
    last = calendars.send_by(needed, lead, on, closed, today)
    later = today if last is None else last + timedelta(days=1)
    while later <= needed:
        sent = calendars.send_on(later, on, closed)
        assert calendars.arrives_on(sent, lead, closed) > needed
        later += timedelta(days=1)
    if last is not None:
        assert calendars.send_on(last, on, closed) == last
        assert calendars.arrives_on(last, lead, closed) <= needed


def test_orders_ahead_of_a_shutdown():
    today, needed = date(2026, 11, 21), date(2027, 1, 5)
    assert calendars.send_by(needed, 7, None, (), today) == date(2026, 12, 29)
    assert calendars.send_by(needed, 7, None, CLOSED, today) == date(2026, 12, 15)
    assert calendars.days_ahead(needed, 7, None, CLOSED, today) == 14
    assert calendars.days_ahead(needed, 7, None, (), today) == 0
    assert calendars.send_by(date(2026, 11, 25), 7, None, (), today) is None
    assert calendars.days_ahead(date(2026, 11, 25), 7, None, CLOSED, today) == 0


def test_too_late_because_of_a_shutdown_counts_from_today():
    today = date(2026, 12, 23)
    assert calendars.days_ahead(date(2026, 12, 31), 7, None, CLOSED, today) == 1


def test_without_deliveries_the_quoted_lead_time_is_all_there_is():
    arrival = calendars.arrival(SATURDAY, 7, (), (1,))
    assert (arrival.sent_on, arrival.on, arrival.late_on) == (MONDAY, date(2026, 11, 30), date(2026, 11, 30))
    assert (arrival.days, arrival.weights) == ((9,), (1.0,))


def test_measured_lead_times_outweigh_the_quoted_one():
    arrival = calendars.arrival(SATURDAY, 7, (12,) * 8)
    assert arrival.on == SATURDAY + timedelta(days=12)
    assert dict(zip(arrival.days, arrival.weights, strict=True)) == pytest.approx({7: 0.2, 12: 0.8})
    slow_end = calendars.arrival(SATURDAY, 7, (7,) * 7 + (30, 40))
    assert (slow_end.on, slow_end.late_on) == (SATURDAY + timedelta(7), SATURDAY + timedelta(30))


@settings(deadline=None)
@given(days, leads, st.lists(leads, max_size=8).map(tuple), weekdays, shutdowns)
def test_weights_are_shares_and_days_ascend(today, quoted, measured, on, closed):
    arrival = calendars.arrival(today, quoted, measured, on, closed)
    assert sum(arrival.weights) == pytest.approx(1)
    assert calendars.arrives_on(arrival.sent_on, arrival.lead_days, closed) == arrival.on
    assert list(arrival.days) == sorted(set(arrival.days))
    assert arrival.sent_on <= arrival.on <= arrival.late_on
