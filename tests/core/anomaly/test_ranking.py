"""Who is shown within what a day can hold."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.anomaly import ranking
from core.anomaly.ranking import Odd, choose


def test_the_likeliest_take_their_places_and_the_dearest_the_places_kept_for_money():
    found = [Odd(0.9, 1), Odd(0.2, 10_000), Odd(0.5, 2), Odd(0.3, 3), Odd(0.06, 50_000), Odd(0.01, 10**9)]
    assert choose(found, [], 4, 2).raised == {0: "likely", 2: "likely", 4: "money", 1: "money"}


def test_a_quiet_day_stays_quiet():
    assert choose([Odd(0.09, 0.5), Odd(0.04, 10**6)], [], 10, 0).raised == {}
    assert choose([Odd(0.04, 10**6)], [], 10, 3).raised == {}
    assert choose([Odd(0.9, 10**6)], [], 0, 0).raised == {}


def test_a_clearly_stronger_one_drives_out_the_weakest_that_nobody_decided():
    day = [Odd(0.5, 1, "likely"), Odd(0.3, 1, "likely", is_open=False), Odd(0.4, 1, "likely")]
    chosen = choose([Odd(0.9, 1), Odd(0.6, 1), Odd(0.41, 1)], day, 3, 0)
    assert (chosen.raised, chosen.dropped) == ({0: "likely"}, (2,))
    assert choose([Odd(0.45, 1)], day, 3, 0).raised == {}
    decided = [Odd(0.11, 1, "likely", is_open=False)]
    assert choose([Odd(0.99, 1)], decided, 1, 0).raised == {}


def test_money_is_held_against_money():
    day = [Odd(0.5, 100, "money"), Odd(0.9, 1_000, "money")]
    assert choose([Odd(0.09, 2_000)], day, 2, 2).dropped == (0,)
    assert choose([Odd(0.09, 1_000)], day, 2, 2).raised == {}


def test_a_smaller_budget_drives_nobody_out():
    day = [Odd(0.5, 1, "likely"), Odd(0.4, 1, "likely")]
    chosen = choose([Odd(0.45, 1)], day, 1, 0)
    assert (chosen.raised, chosen.dropped) == ({}, ())


odds = st.builds(Odd, st.floats(0, 1), st.floats(0, 1e9))
earlier = st.builds(
    Odd, st.floats(0, 1), st.floats(0, 1e9), st.sampled_from(["likely", "money"]), st.booleans()
)


@settings(deadline=None, max_examples=150)
@given(st.lists(odds, max_size=12), st.lists(earlier, max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_the_budget_is_never_passed_and_nobody_undecided_goes_for_nothing(found, day, budget, of_money):
    of_money = min(of_money, budget)
    chosen = choose(found, day, budget, of_money)
    for listed, places in (("likely", budget - of_money), ("money", of_money)):
        before = sum(odd.listed == listed for odd in day)
        raised = sum(told == listed for told in chosen.raised.values())
        gone = sum(day[n].listed == listed for n in chosen.dropped)
        assert before + raised - gone <= max(places, before)
    assert all(day[n].is_open for n in chosen.dropped)
    assert len(set(chosen.dropped)) == len(chosen.dropped) <= len(chosen.raised)


def test_a_dismissal_as_real_is_a_third_and_a_repair_half_as_much_again():
    assert ranking.shifted(0.75, ranking.taught(0, 1)) == pytest.approx(0.5)
    assert ranking.shifted(0.5, ranking.taught(1, 0)) == pytest.approx(0.6)
    assert ranking.taught(0, 100) == -ranking.MOST_TAUGHT
    assert ranking.shifted(1.0, -5.0) == 1.0


def test_the_measured_rate_moves_all_chances_the_more_is_decided():
    assert ranking.measured(0, []) == 0
    assert ranking.measured(5, [0.5] * 10) == pytest.approx(0)
    few, many = ranking.measured(0, [0.5] * 5), ranking.measured(0, [0.5] * 50)
    assert few == pytest.approx(-math.log(1.5))
    assert many == pytest.approx(-ranking.MOST_SHIFT)
    assert ranking.measured(200, [0.02] * 200) == ranking.MOST_SHIFT
