"""What came of a range: each outcome, its edges, and that honest ranges hold as often as they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecast import outcomes
from core.forecast.depletion import run_outs
from core.forecast.outcomes import HIDDEN, LESS, LOST, MORE, NEVER, NO_DELIVERY, STATES, WHY, Promises, Seen


def came_of(
    demand, *, on_hand=10.0, due=None, p10=3, p90=6, until=30, receipts=None, other=None, opening=None,
    days=None,
):  # fmt: skip
    """(state, day it was used up, why) of one range; what is not given did not happen."""
    length = len(demand)

    def line(values):
        return np.array([values if values is not None else np.zeros(length)], float)

    judged = outcomes.judge(
        Promises(np.array([on_hand]), line(due), np.array([p10]), np.array([p90]), np.array([until])),
        Seen(
            np.array([on_hand if opening is None else opening]), line(demand), line(receipts), line(other),
            np.array([length if days is None else days]),
        ),
    )  # fmt: skip
    return STATES[judged.state[0]], int(judged.used_up[0]), int(judged.why[0])


@pytest.mark.parametrize(
    ("used_up_on", "state"),
    [(1, "early"), (2, "early"), (3, "inside"), (4, "inside"), (6, "inside"), (7, "late")],
)
def test_both_ends_of_the_range_belong_to_it(used_up_on, state):
    demand = np.zeros(8)
    demand[used_up_on - 1] = 10
    assert came_of(demand) == (state, used_up_on if state != "late" else 0, 0)


@pytest.mark.parametrize(("days", "state"), [(2, "open"), (5, "open"), (6, "late"), (8, "late")])
def test_it_is_late_as_soon_as_its_last_day_is_over_and_open_before(days, state):
    assert came_of([1] * 8, days=days)[0] == state


def test_a_day_that_is_not_over_does_not_count():
    assert came_of([0, 0, 10, 0], days=2) == ("open", 0, 0)
    assert came_of([0, 0, 10, 0], days=3) == ("inside", 3, 0)
    assert came_of([10, 0], days=0) == ("open", 0, 0)


@pytest.mark.parametrize(
    ("demand", "state", "used_up"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0], "early", 1),
        ([0, 0, 0, 0, 0, 0, 10, 0], "inside", 7),
        ([1, 1, 1, 1, 1, 1, 1, 1], "inside", 0),
    ],
)
def test_a_range_without_an_end_holds_unless_the_stock_is_used_up_before_it(demand, state, used_up):
    assert came_of(demand, p90=NEVER, until=8) == (state, used_up, 0)
    if state == "inside" and not used_up:
        assert came_of(demand, p90=NEVER, until=9) == ("open", 0, 0)


def test_what_was_due_is_used_up_too():
    due, came = [0, 5, 0, 0, 0, 0], [0, 5, 0, 0, 0, 0]
    assert came_of([5, 5, 4, 0, 0, 1], due=due, receipts=came) == ("inside", 6, 0)
    # On its first day a delivery counts; before it does not.
    assert came_of([10, 0, 0, 0, 0, 0], due=due, receipts=came) == ("early", 1, 0)


def test_a_delivery_nobody_promised_does_not_put_the_day_off():
    assert came_of([4, 4, 4, 0], receipts=[0, 50, 0, 0]) == ("inside", 3, 0)


def test_a_delivery_that_did_not_come_makes_it_void_once_the_shelf_is_empty():
    due = [0, 20, 0, 0, 0, 0]
    assert came_of([5, 5, 0, 0, 0, 0], due=due) == ("void", 0, NO_DELIVERY)
    # It came late: what was asked for in between was not seen.
    assert came_of([5, 5, 0, 9, 9, 2], due=due, receipts=[0, 0, 0, 20, 0, 0]) == ("void", 0, NO_DELIVERY)
    # The shelf was never empty, but what was promised on could not be used up: it could be late, or nothing.
    assert came_of([1, 1, 1, 1, 1, 1], due=due) == ("void", 0, NO_DELIVERY)
    assert came_of([1, 1, 1, 1, 1, 1], due=due, p90=NEVER, until=6) == ("void", 0, NO_DELIVERY)
    # Something else came instead.
    assert came_of([1, 1, 1, 1, 1, 1], due=due, receipts=[0, 0, 20, 0, 0, 0]) == ("late", 0, 0)
    # It did not come, and before its day the stock was used up all the same.
    assert came_of([5, 5, 0, 0], due=[0, 0, 0, 20]) == ("early", 2, 0)


def test_a_delivery_that_is_a_little_short_changes_nothing():
    due, came = [0, 90, 0, 0, 0, 0], [0, 86, 0, 0, 0, 0]
    assert came_of([5, 20, 30, 41, 0, 0], due=due, receipts=came) == ("inside", 4, 0)


def test_lost_stock_makes_it_void_when_it_emptied_the_shelf():
    assert came_of([1, 1, 1, 0, 0, 0], other=[0, -7, 0, 0, 0, 0]) == ("void", 0, LOST)
    # Found again two days later, before it mattered.
    assert came_of([1, 1, 1, 3, 4, 0], other=[0, -5, 0, 5, 0, 0]) == ("inside", 5, 0)
    # Not emptied by it, but of ten promised no more than three could be used up.
    assert came_of([1, 0, 0, 0, 0, 1], other=[0, -7, 0, 0, 0, 0]) == ("void", 0, LOST)
    # Lost, and filled up again: the demand was seen, and did or did not use up what was promised.
    refilled = {"other": [0, -7, 0, 0, 0, 0], "receipts": [0, 0, 50, 0, 0, 0]}
    assert came_of([1, 1, 1, 1, 1, 1], **refilled) == ("late", 0, 0)
    assert came_of([1, 1, 4, 4, 0, 0], **refilled) == ("inside", 4, 0)


@pytest.mark.parametrize(("lost", "state"), [(0, "inside"), (5, "inside"), (6, "void")])
def test_shrinkage_of_a_twentieth_counts_as_use(lost, state):
    demand, other = [40, 30, 30 - lost, 0, 0, 0], [0, -lost, 0, 0, 0, 0]
    assert came_of(demand, other=other, on_hand=100)[0] == state


def test_more_on_the_shelf_than_was_booked_makes_it_void():
    assert came_of([1, 1, 1], opening=11) == ("void", 0, MORE)
    assert came_of([5, 5, 5], opening=10.5) == ("early", 2, 0)


def test_less_on_the_shelf_than_was_booked_makes_it_void_too():
    assert came_of([3, 3, 0, 0], opening=6) == ("void", 0, LESS)
    assert came_of([1, 1, 1, 1, 1, 1], opening=7) == ("void", 0, LESS)
    assert came_of([5, 4.5, 0, 0], opening=9.5) == ("early", 2, 0)


def test_small_reasons_that_add_up_hide_demand():
    # Four hundredths less on the shelf, and four hundredths broken.
    demand, other = [40, 52, 0, 0, 0, 0], [0, -4, 0, 0, 0, 0]
    assert came_of(demand, other=other, on_hand=100, opening=96)[0] == "void"
    assert came_of([40, 56, 0, 0, 0, 0], on_hand=100, opening=96, p10=2) == ("inside", 2, 0)


def test_a_shop_that_loses_stock_is_not_told_that_its_ranges_come_too_early():
    """Where a tenth of the stock goes missing a range can only be late: counted, all would look so."""
    rng, number, horizon = np.random.default_rng(3), 4000, 40
    demand = rng.poisson(rng.gamma(6.0, 0.6, (number, 1)), (number, horizon)).astype(float)
    (said,) = run_outs(np.cumsum(demand, axis=1)[None], [30.0], lead_times_days=[7])
    ranges = Promises(
        np.full(number, 30.0), np.zeros((number, horizon)), np.full(number, said.p10),
        np.full(number, said.p90), np.full(number, horizon),
    )  # fmt: skip

    def late_of_judged(loss: float) -> float:
        other = np.zeros((number, horizon))
        other[::2, 1] = -loss
        shelf = np.minimum.accumulate(
            30.0 + np.cumsum(other, axis=1), axis=1
        )  # it sells no more than lay there
        sold = np.diff(np.minimum(np.cumsum(demand, axis=1), shelf), axis=1, prepend=0)
        seen = Seen(ranges.on_hand, sold, np.zeros_like(sold), other, np.full(number, horizon))
        state = outcomes.judge(ranges, seen).state
        return np.mean(state[state != outcomes.VOID] == outcomes.LATE)

    assert late_of_judged(3.0) == pytest.approx(late_of_judged(0.0), abs=0.01)


def test_an_empty_shelf_after_the_end_hides_nothing_any_more():
    due = [0, 0, 0, 9, 0, 0, 0, 0]
    assert came_of([5, 0, 0, 0, 0, 0, 14, 0], p10=2, p90=6, due=due, receipts=due)[0] == "late"


def test_returns_take_demand_back():
    assert came_of([4, 4, -2, 0, 0, 0], other=[0, 0, 0, 0, 0, 0])[0] == "late"
    # Taken back on the day of the sale, on the shelf again on the day of the return.
    assert came_of([4, 3, 0, 3, 0, 0], other=[0, -1, 1, 0, 0, 0]) == ("inside", 4, 0)


def test_every_reason_has_its_sentence():
    assert all(WHY[key].endswith(".") for key in (NO_DELIVERY, LOST, HIDDEN, MORE, LESS))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.floats(0.1, 30),
    cover=st.integers(3, 60),
    sells=st.floats(0.1, 1.0),
    spread=st.floats(0.2, 5.0),
    delivered=st.booleans(),
)
def test_ranges_out_of_the_true_distribution_hold_in_eight_of_ten_cases(
    seed, rate, cover, sells, spread, delivered
):
    """Demand that follows the very paths: at least 80 %, and 10 % at most on either side but for ties."""
    rng, horizon, futures = np.random.default_rng(seed), 120, 4000
    sizes = rng.gamma(spread, rate / spread, (futures, horizon)) + 0.01
    running = np.cumsum(np.where(rng.random((futures, horizon)) < sells, sizes, 0.0), axis=1)
    paths, truth = running[: futures // 2], running[futures // 2 :]
    stock, receipt = max(cover * rate * sells, 1.0), cover * rate * sells / 2
    due = [(cover // 2 + 1, receipt)] if delivered else []
    (said,) = run_outs(paths[None], [stock], [due], lead_times_days=[7])
    if said.p10 is None:
        return
    number = len(truth)
    arriving = np.zeros((number, horizon))
    for day, quantity in due:
        arriving[:, day - 1] = quantity
    # The shelf is never empty: what is used up is delivered anew, so that all demand is seen.
    judged = outcomes.judge(
        Promises(
            np.full(number, stock), arriving, np.full(number, said.p10),
            np.full(number, said.p90 if said.p90 is not None else NEVER), np.full(number, horizon),
        ),
        Seen(
            np.full(number, stock), np.diff(truth, axis=1, prepend=0), arriving + truth[:, -1:],
            np.zeros((number, horizon)), np.full(number, horizon),
        ),
    )  # fmt: skip
    share = {state: np.mean(judged.state == place) for place, state in enumerate(STATES)}
    doubt = 0.03  # of two samples of 2,000
    assert share["open"] == share["void"] == 0
    assert share["inside"] >= 0.8 - doubt
    assert share["early"] <= 0.1 + doubt
    assert share["late"] <= 0.1 + doubt
