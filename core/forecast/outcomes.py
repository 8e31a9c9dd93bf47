"""What became of run-out ranges: the promise of one day against the demand that came.

A range speaks of the stock of its morning and of what was then on its way. So does its outcome: it is used up
on the first day on which the demand since then reaches both together, whatever else was delivered meanwhile.
The shelf itself is asked for one thing only, whether it hid demand.
"""

from dataclasses import dataclass

import numpy as np

from core.forecast.depletion import TOLERANCE

STATES = ("open", "inside", "early", "late", "void")
OPEN, INSIDE, EARLY, LATE, VOID = range(len(STATES))
# What goes missing, or turns up, of a stock without changing what can be said about its demand.
SHRINKAGE = 0.05
NEVER = np.iinfo(np.int32).max

NO_DELIVERY, LOST, HIDDEN, MISCOUNTED = 1, 2, 3, 4
WHY = {
    NO_DELIVERY: "A delivery that was due did not come, and the shelf was empty.",
    LOST: "Stock was lost, counted or taken away, and the shelf was empty.",
    HIDDEN: "The shelf was empty before its stock was used up by the books.",
    MISCOUNTED: "There was more on the shelf that morning than was booked by then.",
}


@dataclass(frozen=True)
class Promises:
    """Ranges as they were issued, arrays of one row each. Days are numbers: 1 is the day of issue.

    `p90` is NEVER where the range has no end; `until` is the forecast's last day. `due` (ranges, days) is
    what was expected by day, what was overdue on day 1.
    """

    on_hand: np.ndarray
    due: np.ndarray
    p10: np.ndarray
    p90: np.ndarray
    until: np.ndarray


@dataclass(frozen=True)
class Seen:
    """What was booked since, as the books say it now: (ranges, days), day 1 first.

    `opening` is the stock on the evening before day 1; `days` is how many days of each row are over and
    known, later columns are not looked at. `other` is what changed the stock and was neither demand nor a
    delivery: counts, losses, returns of earlier sales; transfers between warehouses are 0 in sum.
    """

    opening: np.ndarray
    demand: np.ndarray
    receipts: np.ndarray
    other: np.ndarray
    days: np.ndarray


@dataclass(frozen=True)
class Outcomes:
    """One row a range: place in STATES, the day on which it was used up (0: not), and a key of WHY or 0."""

    state: np.ndarray
    used_up: np.ndarray
    why: np.ndarray


def judge(promises: Promises, seen: Seen) -> Outcomes:
    """What became of each range by its last known day.

    Inside: used up from p10 to p90, both included; without p90 also when it is not used up by `until`. Early:
    used up before p10. Late: not used up by the end of p90. Void, so that nothing is said: the shelf was
    empty before that (a due delivery did not come, stock was lost, or the books were wrong) and hid demand,
    or the morning's stock turned out to be larger than the books said. Shrinkage of up to 5 % counts as use.
    Stock that is lost from a shelf that stays filled hides nothing: then the demand decides.
    """
    columns = np.arange(1, seen.demand.shape[1] + 1)
    known = columns <= seen.days[:, None]
    there = promises.on_hand[:, None] + np.cumsum(promises.due, axis=1)
    used = np.cumsum(seen.demand, axis=1)
    came = np.cumsum(seen.receipts, axis=1)
    left = seen.opening[:, None] + came - used + np.cumsum(seen.other, axis=1)

    used_up = _first((used >= there - TOLERANCE) & known)
    empty = _first((left <= TOLERANCE) & known)
    # An empty shelf hides nothing once the demand has reached the stock.
    hidden = np.where(empty < used_up, empty, NEVER)
    on_that_day = np.arange(len(hidden)), np.minimum(hidden, seen.demand.shape[1]) - 1
    missing = (there - used - left)[on_that_day]  # of what was promised on
    is_shrinkage = missing <= SHRINKAGE * there[on_that_day] + TOLERANCE
    used_up = np.where(is_shrinkage, np.minimum(used_up, hidden), used_up)
    hidden = np.where(is_shrinkage, NEVER, hidden)

    last = np.where(promises.p90 == NEVER, promises.until, promises.p90)
    over = seen.days >= last
    was_miscounted = seen.opening > promises.on_hand * (1 + SHRINKAGE) + TOLERANCE
    state = np.select(
        [was_miscounted | (hidden <= last), used_up < promises.p10, used_up <= last, over],
        [VOID, EARLY, INSIDE, np.where(promises.p90 == NEVER, INSIDE, LATE)],
        OPEN,
    )
    undelivered = (np.cumsum(promises.due, axis=1) - came)[on_that_day] > TOLERANCE
    was_lost = -np.cumsum(seen.other, axis=1)[on_that_day] > TOLERANCE
    why = np.select(
        [state != VOID, was_miscounted, undelivered, was_lost], [0, MISCOUNTED, NO_DELIVERY, LOST], HIDDEN
    )
    was_used = ((state == INSIDE) | (state == EARLY)) & (used_up <= last)
    return Outcomes(state, np.where(was_used, used_up, 0), why)


def _first(happened: np.ndarray) -> np.ndarray:
    """The first day of each row on which it happened, NEVER when it did not."""
    return np.where(happened.any(axis=1), happened.argmax(axis=1) + 1, NEVER)
