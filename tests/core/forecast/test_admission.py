"""Who is let into the pool: only what is clearly better on the shop's own past, whatever luck says."""

import numpy as np
import pytest

from core.forecast import admission
from core.forecast.admission import Ballot, decide

DAYS, PATHS = 30, 100
DEFAULT = ("a", "b", "c")


def chances(at, spread, n, rng):
    """Shares of sampled run-out days around `at` (tasks,) that came by each day."""
    days = np.clip(np.rint(at[:, None] + spread * rng.standard_normal((len(at), n))), 1, DAYS + 1)
    return (days[:, :, None] <= np.arange(DAYS + 1)).mean(axis=1)


def a_ballot(products=200, *, seed=1, **off):
    """Truth 15 ± 4 days and three honest members; others are off by so many days."""
    rng = np.random.default_rng(seed)
    place = np.full(2 * products, 15.0) + rng.normal(0, 3, 2 * products)
    actual = np.clip(np.rint(place + 4 * rng.standard_normal(len(place))), 1, DAYS + 1).astype(int)
    blurred = {name: place + rng.normal(0, 3, len(place)) for name in DEFAULT}
    told = {name: chances(at, 4, PATHS, rng) for name, at in blurred.items()}
    told |= {name: chances(place + by, 4, PATHS, rng) for name, by in off.items()}
    return Ballot(told, actual, np.repeat(np.arange(products), 2), PATHS)


def test_the_fixed_line_up_stands_when_nobody_is_better():
    decision = decide(a_ballot(late=15), DEFAULT, ("late",))
    assert decision.line_up == DEFAULT
    assert decision.changes["late"].gain < 0
    assert set(decision.changes) == {*DEFAULT, "late"}


def test_who_makes_the_pool_clearly_better_is_let_in():
    decision = decide(a_ballot(sharp=0), DEFAULT, ("sharp",))
    assert decision.line_up == (*DEFAULT, "sharp")
    assert decision.changes["sharp"].is_clear


def test_few_products_change_nothing():
    decision = decide(a_ballot(29, sharp=0), DEFAULT, ("sharp",))
    assert decision.line_up == DEFAULT
    assert not decision.changes["sharp"].is_clear


def test_more_paths_alone_are_no_merit():
    """A copy of the pool drawn once more adds futures, which an unfair score would take for skill."""
    gains = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        place = np.full(300, 15.0)
        actual = np.clip(np.rint(place + 4 * rng.standard_normal(300)), 1, DAYS + 1).astype(int)
        told = {name: chances(place, 4, 10, rng) for name in ("a", "twin")}
        ballot = Ballot(told, actual, np.arange(300), 10)
        gains.append(ballot.change(("a",), ("a", "twin"), "twin").gain)
    assert np.mean(gains) == pytest.approx(0, abs=3 * np.std(gains) / np.sqrt(20))


def test_a_default_member_goes_only_when_the_pool_is_clearly_better_without_it():
    ballot = a_ballot(off=12, worse=14)
    decision = decide(ballot, ("a", "off", "worse"), ())
    assert decision.line_up == ("a", "off")  # one at a time, the worst first
    assert decide(ballot, ("a", "worse"), ()).line_up == ("a", "worse")  # two are the least
    assert decide(ballot, DEFAULT, ()).line_up == DEFAULT


def test_at_most_two_are_let_in_and_the_second_is_asked_with_the_first():
    decision = decide(a_ballot(sharp=0, sharper=0, sharpest=0), DEFAULT, ("sharp", "sharper", "sharpest"))
    assert len(decision.line_up) <= 5
    assert decision.line_up[:3] == DEFAULT


def test_a_member_that_took_part_in_some_tasks_is_judged_on_these():
    ballot = a_ballot(sharp=0)
    ballot.reached["sharp"][100:] = np.nan
    assert ballot.change(DEFAULT, (*DEFAULT, "sharp"), "sharp").products == 50
    ballot.reached["sharp"][:] = np.nan
    assert ballot.change(DEFAULT, (*DEFAULT, "sharp"), "sharp") == admission.Change(0.0, 0.0, 0)


def test_the_difference_to_another_method_comes_with_its_error_over_products():
    mine, other = np.array([2.0, 2, 6, 6]), np.array([1.0, 1, 5, 5])
    worse, error = admission.against(mine, other, np.array([0, 0, 1, 1]))
    assert (worse, error) == (pytest.approx(1 / 3), 0)
    assert admission.against(mine, np.zeros(4), np.arange(4)) is None


def test_a_sure_but_tiny_gain_changes_nothing():
    assert admission.Change(0.009, 0.001, 300).is_sure
    assert not admission.Change(0.009, 0.001, 300).is_clear
    assert admission.Change(0.011, 0.001, 300).is_clear
    assert not admission.Change(0.011, 0.006, 300).is_clear
