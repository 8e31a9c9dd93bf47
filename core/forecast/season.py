"""What the same weeks of earlier years say about the coming ones, from all products of a shop together."""

from dataclasses import dataclass

import numpy as np

from core.forecast.history import History
from core.forecast.pace import (
    ALIVE_DAYS,
    FEWEST_PRODUCTS,
    KNOWN_DAYS,
    NOW_HALF_LIFE_DAYS,
    in_own_sizes,
    level_of,
)

YEAR_DAYS = 364  # whole weeks, so that weekdays agree
MOST_YEARS = 3
AHEAD_DAYS = 140  # the horizon of the stored paths, and the days until the next weekly training
SMOOTH_DAYS = 7  # the members know the weekdays; the season is what is left
SPREAD = 0.3  # how far a season is believed to move a shop (of 1) before anything was measured
REPEATS_WITHIN = 0.15  # and how exactly a season is believed to come again
WIDEST = 4.0


@dataclass(frozen=True)
class Season:
    """How many times the demand of today's level each coming day has, because of the time of the year.

    `factors` begin with `first`, the day after the history's last. A shop of less than a year and a month has
    none. One product's last Christmas says little about its next; that of all products says much, and the
    products sold since spring only have a share in it too.
    """

    first: np.datetime64 | None = None
    factors: tuple[float, ...] = ()

    def ahead(self, until: np.datetime64, horizon_days: int) -> np.ndarray | None:
        """Factors of the days after `until` (days,), the last known one from there on; None without any."""
        if self.first is None or not self.factors:
            return None
        begin = int((until - self.first).astype(int)) + 1
        place = np.clip(begin + np.arange(horizon_days), 0, len(self.factors) - 1)
        return np.array(self.factors)[place]


NO_SEASON = Season()


def season_of(history: History) -> Season:
    """The season ahead as the mean of the years before, in logarithms, each shrunk by its own doubt."""
    days = history.demand.shape[1]
    years = [year for year in range(1, MOST_YEARS + 1) if days - YEAR_DAYS * year >= KNOWN_DAYS]
    moved = [one for one in (_moved(history, YEAR_DAYS * year) for year in years) if one is not None]
    if not moved:
        return NO_SEASON
    factors = np.clip(np.exp(np.mean(moved, axis=0)), 1 / WIDEST, WIDEST)
    return Season(np.datetime64(history.until, "D") + 1, tuple(factors.tolist()))


def _moved(history: History, back_days: int) -> np.ndarray | None:
    """Logarithms of demand in the days after the anniversary against the level then (days,), shrunken.

    Only products that sold before the anniversary and still sell are asked: one that died since would look
    like a season that fell.
    """
    cut = history.demand.shape[1] - back_days
    demand, seen = in_own_sizes(history)
    asked = demand[:, max(cut - ALIVE_DAYS, 0) : cut].any(axis=1) & demand[:, -ALIVE_DAYS:].any(axis=1)
    if asked.sum() < FEWEST_PRODUCTS:
        return None
    demand, seen = demand[asked], seen[asked]
    then = level_of(demand[:, :cut], seen[:, :cut], NOW_HALF_LIFE_DAYS)
    last = min(cut + AHEAD_DAYS, demand.shape[1])
    moved = [_log_ratio(_mean(demand, seen, day), then) for day in range(cut, last)]
    return np.append(moved, np.full(AHEAD_DAYS - len(moved), moved[-1]))


def _mean(demand: np.ndarray, seen: np.ndarray, day: int) -> np.ndarray:
    near = slice(max(day - SMOOTH_DAYS // 2, 0), day + SMOOTH_DAYS // 2 + 1)
    return demand[:, near].sum(axis=1) / np.maximum(seen[:, near].sum(axis=1), 1)


def _log_ratio(now: np.ndarray, then: np.ndarray) -> float:
    """Logarithm of the ratio of the sums, shrunk to 0 by how much the products contradict each other."""
    ratio = max(now.sum() / then.sum(), 1 / WIDEST**2)
    doubt = ((now - ratio * then) ** 2).sum() / (ratio * then.sum()) ** 2 + REPEATS_WITHIN**2
    return float(np.log(ratio) * SPREAD**2 / (SPREAD**2 + doubt))
