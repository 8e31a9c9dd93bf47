"""What became of run-out ranges: the promise of one day against the demand that came.

A range speaks of the stock of its morning and of what was then on its way. So does its outcome: it is used up
on the first day on which the demand since then reaches both together, whatever else was delivered meanwhile.
The shelf itself is asked for one thing only: whether so much could have been sold at all. Where it could not,
only one answer was left, and counting it would make ranges look better or worse than they are.
"""

from dataclasses import dataclass

import numpy as np

from core.forecast.depletion import TOLERANCE

STATES = ("open", "inside", "early", "late", "void")
OPEN, INSIDE, EARLY, LATE, VOID = range(len(STATES))
# What goes missing, or turns up, of a stock without changing what can be said about its demand.
SHRINKAGE = 0.05
NEVER = np.iinfo(np.int32).max

NO_DELIVERY, LOST, HIDDEN, MORE, LESS = 1, 2, 3, 4, 5
WHY = {
    NO_DELIVERY: "A delivery that was due did not come.",
    LOST: "Stock was lost, counted or taken away.",
    HIDDEN: "The shelf was empty before its stock was used up by the books.",
    MORE: "There was more on the shelf that morning than was booked by then.",
    LESS: "There was less on the shelf that morning than was booked by then.",
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
    used up before p10. Late: not used up by the end of p90. Void, so that nothing is said: by then so much
    could not have been sold (a due delivery did not come, or stock was lost and nothing came in its place),
    the shelf was empty before and hid demand, or the morning's stock turned out to be another than the books
    said. What goes missing or turns up of 5 % of what was promised on is no reason: shrinkage counts as use.
    """
    columns = np.arange(1, seen.demand.shape[1] + 1)
    known = columns <= seen.days[:, None]
    there = promises.on_hand[:, None] + np.cumsum(promises.due, axis=1)
    used = np.cumsum(seen.demand, axis=1)
    # What lay there until then and could be sold.
    could = seen.opening[:, None] + np.cumsum(seen.receipts + seen.other, axis=1)
    is_short = there - could > SHRINKAGE * there + TOLERANCE

    used_up = _first((used >= there - TOLERANCE) & known)
    empty = _first((could - used <= TOLERANCE) & known)
    # An empty shelf hides nothing once the demand has reached the stock, or where little is missing.
    is_first = empty < used_up
    hides = is_first & is_short[_on(empty, is_short)]
    used_up = np.where(is_first & ~hides, empty, used_up)
    hidden = np.where(hides, empty, NEVER)

    last = np.where(promises.p90 == NEVER, promises.until, promises.p90)
    over = seen.days >= last
    more = seen.opening - promises.on_hand
    was_miscounted = np.abs(more) > SHRINKAGE * promises.on_hand + TOLERANCE
    state = np.select(
        [was_miscounted | (hidden <= last), used_up < promises.p10, used_up <= last,
         over & is_short[_on(last, is_short)], over],
        [VOID, EARLY, INSIDE, VOID, np.where(promises.p90 == NEVER, INSIDE, LATE)],
        OPEN,
    )  # fmt: skip
    was_used = ((state == INSIDE) | (state == EARLY)) & (used_up <= last)
    why = np.where(
        was_miscounted, np.where(more > 0, MORE, LESS), _why(promises, seen, np.minimum(hidden, last))
    )
    return Outcomes(state, np.where(was_used, used_up, 0), np.where(state == VOID, why, 0))


def _why(promises: Promises, seen: Seen, days: np.ndarray) -> np.ndarray:
    """Why so much could not have been sold by these days (ranges,)."""
    place = _on(days, seen.demand)
    undelivered = np.cumsum(promises.due - seen.receipts, axis=1)[place] > TOLERANCE
    was_lost = -np.cumsum(seen.other, axis=1)[place] > TOLERANCE
    return np.select([undelivered, was_lost], [NO_DELIVERY, LOST], HIDDEN)


def _on(days: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of one day of each row; of one beyond the table, its last."""
    return np.arange(len(days)), np.minimum(days, table.shape[1]) - 1


def _first(happened: np.ndarray) -> np.ndarray:
    """The first day of each row on which it happened, NEVER when it did not."""
    return np.where(happened.any(axis=1), happened.argmax(axis=1) + 1, NEVER)
