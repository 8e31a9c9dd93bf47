"""The chance to run out before an arrival, and pieces lost, against a day by day count."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecast.depletion import run_out
from core.reorder.calendars import Arrival
from core.reorder.outlook import outlook

TODAY = date(2026, 11, 21)
DAYS = 40


def drawn(seed: int, most: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    daily = rng.integers(0, most + 1, (12, DAYS)) * (rng.random((12, DAYS)) < rng.random())
    return np.cumsum(daily.astype(float), axis=1)


paths_of = st.builds(drawn, st.integers(0, 2**32), st.integers(0, 6))
receipts_of = st.lists(st.tuples(st.integers(1, DAYS + 5), st.integers(0, 40)), max_size=3)
stocks = st.integers(0, 80)
leads = st.integers(0, DAYS - 1)


def in_days(*days: int) -> Arrival:
    """An order that arrives after one of these, all as likely."""
    known = sorted(set(days))
    weights = tuple(days.count(day) / len(days) for day in known)
    middle = TODAY + timedelta(days=known[len(known) // 2])
    return Arrival(TODAY, middle, middle, tuple(known), weights)


def lost_by_hand(cumulative, stock, receipts, arriving, until) -> float:
    """Day by day: what arrives can be sold that day, and whoever finds nothing goes."""
    lost = 0.0
    for path in np.diff(cumulative, axis=1, prepend=0.0):
        there = float(stock)
        for day in range(1, min(until, DAYS) + 1):
            there += sum(much for on, much in receipts if max(on, 1) == day)
            there += sum(much for after, much in arriving if after + 1 == day)
            sold = min(path[day - 1], there)
            lost += path[day - 1] - sold
            there -= sold
    return lost / len(cumulative)


@settings(deadline=None, max_examples=60)
@given(paths_of, stocks, receipts_of, leads, st.integers(0, 50), st.integers(1, 20))
def test_lost_pieces_are_those_of_a_count_day_by_day(cumulative, stock, receipts, lead, quantity, cover):
    seen = outlook(cumulative, stock, receipts)
    expected = lost_by_hand(cumulative, stock, receipts, [(lead, quantity)], lead + cover)
    assert seen.lost(in_days(lead), quantity, cover) == pytest.approx(expected, abs=1e-4)
    alone = lost_by_hand(cumulative, stock, receipts, [], lead)
    assert float(seen.lost_before(lead).mean()) == pytest.approx(alone, abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(paths_of, stocks, receipts_of, leads, st.integers(0, 20), st.integers(0, 30), st.integers(0, 30))
def test_so_are_those_with_two_orders(cumulative, stock, receipts, lead, later, first, second):
    seen = outlook(cumulative, stock, receipts)
    arriving = [(lead, first), (lead + later, second)]
    until = lead + later + 7
    expected = lost_by_hand(cumulative, stock, receipts, arriving, until)
    assert seen.lost_with_two(*arriving, until) == pytest.approx(expected, abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(paths_of, stocks, receipts_of, leads)
def test_the_chance_is_that_of_the_run_out(cumulative, stock, receipts, lead):
    known = run_out(cumulative, stock, receipts, lead_time_days=lead)
    seen = outlook(cumulative, stock, receipts).chance(in_days(lead))
    assert seen == pytest.approx(known.chance_before_replenishment)


@settings(deadline=None, max_examples=40)
@given(paths_of, stocks, leads, leads)
def test_uncertain_arrivals_are_the_mean_of_certain_ones(cumulative, stock, one, other):
    seen = outlook(cumulative, stock)
    for question in (lambda when: seen.chance(when), lambda when: seen.lost(when, 10, 7)):
        single = (question(in_days(one)) + question(in_days(other))) / 2
        assert question(in_days(one, other)) == pytest.approx(single, abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(paths_of, stocks, leads, st.integers(1, 20))
def test_later_arrivals_are_never_safer_and_more_never_loses_more(cumulative, stock, lead, more):
    seen = outlook(cumulative, stock)
    assert seen.chance(in_days(lead + more)) >= seen.chance(in_days(lead))
    assert seen.lost(in_days(lead), 5 + more, 7) <= seen.lost(in_days(lead), 5, 7) + 1e-9


def test_an_arrival_beyond_the_horizon_speaks_of_the_horizon():
    cumulative = np.cumsum(np.ones((4, DAYS)), axis=1)
    seen = outlook(cumulative, 30)
    assert seen.chance(in_days(300)) == 1
    assert seen.lost(in_days(300), 50, 7) == DAYS - 30
    assert outlook(cumulative, 300).chance(in_days(300)) == 0


def test_an_empty_shelf_is_out_at_once():
    assert outlook(np.zeros((4, DAYS)), 0).chance(in_days(0)) == 1
