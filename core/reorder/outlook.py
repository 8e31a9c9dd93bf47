"""What the arrival of an order means for one product: the chance to run out before it, and pieces lost.

Both are read off demand paths. These are uncapped, so bulk orders count in a chance.
"""

from dataclasses import dataclass, field

import numpy as np

from core.forecast.depletion import TOLERANCE, Receipts, available_by_day
from core.reorder.calendars import Arrival


@dataclass(frozen=True)
class Outlook:
    """All arrays have a row for each n = 0 .. days, today being the first day: until the end of the n-th.

    `short` (days, paths): demand so far less all that was there so far; above 0 pieces are missing.
    `gone_by` (days + 1,): the share of paths that have used up the stock. `worst` (days + 1, paths): the most
    that was missing until then, at least 0: as many pieces are lost.

    Days come first and differences are float32: a bulk run makes one of these for each of 10,000 products.
    """

    short: np.ndarray
    gone_by: np.ndarray
    worst: np.ndarray
    _ahead: dict[int, np.ndarray] = field(default_factory=dict, repr=False)  # by days, as far as asked for

    @property
    def days(self) -> int:
        return len(self.short)

    def chance(self, arrival: Arrival) -> float:
        """The chance, 0..1, to run out before an order could arrive; of the horizon if that ends before."""
        return float(self.gone_by[self._rows(arrival)] @ np.array(arrival.weights))

    def lost(self, arrival: Arrival, quantity: float, cover_days: int) -> float:
        """Pieces lost on average, with this order, until the one after it could arrive, `cover_days` later.

        Whoever finds the shelf empty does not come back: what was lost before the arrival needs none of the
        quantity. What arrives in n days can be sold from the n + 1-th day on, as in `depletion.run_out`.
        """
        rows = self._rows(arrival)
        lost = np.maximum(self.worst[rows], self._most_ahead(cover_days)[rows] - quantity)
        return float(np.array(arrival.weights) @ lost.mean(axis=1))

    def lost_before(self, day: int) -> np.ndarray:
        """Pieces lost until something arrives in so many days, in each path."""
        return self.worst[min(day, self.days)]

    def lost_with_two(self, first: tuple[int, float], second: tuple[int, float], until: int) -> float:
        """Pieces lost on average until so many days from now, with two orders: (days from now, pieces), the
        first not after the second."""
        lost, there = self.lost_before(first[0]), 0.0
        for (day, quantity), end in ((first, second[0]), (second, until)):
            there += quantity
            part = self.short[day:end]
            if len(part):
                lost = np.maximum(lost, part.max(axis=0) - there)
        return float(lost.mean())

    def _most_ahead(self, cover_days: int) -> np.ndarray:
        """(days + 1, paths): the most that is missing in so many days after the n-th."""
        if cover_days not in self._ahead:
            self._ahead[cover_days] = _most_ahead(self.short, cover_days)
        return self._ahead[cover_days]

    def _rows(self, arrival: Arrival) -> np.ndarray:
        return np.minimum(arrival.days, self.days)


def outlook(cumulative: np.ndarray, stock: float, receipts: Receipts = ()) -> Outlook:
    """From cumulative demand paths (paths, days) of today and later, the stock and what is on its way:
    (day, pieces) as in `depletion`, day 1 being today."""
    paths, days = cumulative.shape
    available = available_by_day(stock, receipts, days)
    short = np.empty((days, paths), np.float32)
    np.subtract(cumulative.T, available[:, None], out=short, casting="same_kind")
    worst = np.zeros((days + 1, paths), np.float32)
    np.maximum.accumulate(short, axis=0, out=worst[1:])
    gone_by = np.ones(days + 1)
    if stock > 0:
        gone_by[0] = 0.0
        gone_by[1:] = np.count_nonzero(worst[1:] >= -TOLERANCE, axis=1) / paths
    np.maximum(worst, 0.0, out=worst)
    return Outlook(short, gone_by, worst)


def _most_ahead(short: np.ndarray, window: int) -> np.ndarray:
    """Maximum over the next `window` days, for each day and after the last; doubled, not day by day."""
    days, paths = short.shape
    ahead = np.full((days + 1, paths), -np.inf, np.float32)
    ahead[:-1] = short
    reach = 1
    while reach < min(window, days):
        step = min(reach, window - reach)
        np.maximum(ahead[:-step], ahead[step:], out=ahead[:-step])
        reach += step
    return ahead
