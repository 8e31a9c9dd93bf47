"""What was promised and not kept is asked for on top, as far as the record is to be believed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import promise
from core.reorder.promise import Kept

shares = st.floats(0, 1)
records = st.lists(st.tuples(shares, st.floats(0, 1e6), shares)).map(
    lambda runs: [Kept(promised, lines, lines * share) for promised, lines, share in runs]
)


def test_without_a_record_what_is_wanted_is_asked_for():
    found = promise.corrected(0.95)
    assert (found.ask, found.weight, found.lines) == (0.95, 0, 0)
    assert promise.corrected(0.95, [Kept(0.9, 0, 0)]).ask == 0.95  # a run in which nobody came


def test_a_promise_that_was_kept_is_not_corrected():
    found = promise.corrected(0.95, [Kept(0.9, 500, 450)] * 9)
    assert found.ask == pytest.approx(0.95)
    assert found.happened == pytest.approx(found.promised)


def test_half_as_many_are_asked_to_be_lost_when_twice_as_many_were_as_far_as_is_believed():
    long = promise.corrected(0.9, [Kept(0.95, 1e9, 0.9e9)])
    assert long.ask == pytest.approx(0.95, abs=1e-4)
    short = promise.corrected(0.9, [Kept(0.95, 100, 90)])
    assert 0.9 < short.ask < 0.91


def test_one_bad_or_quiet_time_is_not_believed_without_limit():
    assert promise.corrected(0.9, [Kept(0.99, 1e9, 0)]).ask == pytest.approx(0.95)
    assert promise.corrected(0.9, [Kept(0.5, 1e9, 1e9)]).ask == pytest.approx(0.85)


@settings(deadline=None)
@given(shares, shares, records)
def test_whoever_wants_more_asks_for_more_and_never_for_more_than_all(one, other, record):
    less, more = (promise.corrected(target, record).ask for target in sorted((one, other)))
    assert 0 <= less <= more + 1e-12 <= 1 + 1e-12


@settings(deadline=None)
@given(st.floats(0.5, 0.999), st.floats(1, 1e6), shares, shares)
def test_worse_service_never_makes_it_ask_for_less(target, lines, one, other):
    worse, better = (
        promise.corrected(target, [Kept(target, lines, lines * share)]).ask for share in sorted((one, other))
    )
    assert worse >= better - 1e-12


@pytest.mark.parametrize(
    ("target", "record"),
    [
        (1.1, []),
        (float("nan"), []),
        (0.9, [Kept(0.9, 5, 6)]),
        (0.9, [Kept(2, 5, 4)]),
        (0.9, [Kept(0.9, -1, -2)]),
    ],
    ids=["over", "no number", "more than came", "promise", "less than none"],
)
def test_what_cannot_be_is_refused(target, record):
    with pytest.raises(ValueError, match=r"share from 0 to 1|impossible"):
        promise.corrected(target, record)
