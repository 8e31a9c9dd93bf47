"""What all products of a shop say together: how fast it sells now against each memory, and closed days."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from core.forecast.history import History, Series

MEMORIES_DAYS = (7.0, 21.0, 56.0, 160.0)  # half-lives that members may ask about
NOW_HALF_LIFE_DAYS = 14.0  # a whole shop is measured well over few days; one product is not
LARGEST_SIZE = 3.0  # a day counts as at most so many mean sizes, or one bulk order would be the shop's pace
ALIVE_DAYS = 56  # products with a sale within so many days have a say
KNOWN_DAYS = 28  # and so many days of history
FEWEST_PRODUCTS = 10  # fewer cannot say what is the shop's doing and what their own
PRIOR_SPREAD = 0.15  # how far a shop's pace is believed to move (of 1) before anything was measured
WIDEST = 2.0  # whatever was measured, a pace stays between half and double
LONG_CLOSURE_DAYS = 5  # longer than a long weekend: shorter closures come again several times a year
OPEN_SALES = 5.0  # products that usually sell on a weekday from which a day without any is a closed one

Seen = TypeVar("Seen", History, Series)


@dataclass(frozen=True)
class Pace:
    """How many times as much the shop sells now as on average over each memory (half-lives in days).

    A product's own memory must be long, because its sales are few; what all products share is measured over
    two weeks. Multiplying a level of long memory by the pace keeps the product's share of the shop and takes
    the shop's level of today: an autumn that all products feel is seen long before one shows it.
    """

    factors: tuple[float, ...] = (1.0,) * len(MEMORIES_DAYS)

    def over(self, half_life_days: float) -> float:
        """The factor for one of `MEMORIES_DAYS`."""
        return self.factors[MEMORIES_DAYS.index(half_life_days)]


STEADY = Pace()


def pace_of(history: History) -> Pace:
    """The pace of a shop at the end of its history, shrunk to 1 by how uncertain its products leave it.

    A product weighs with the root of its number of sales, in units of its mean size, so that neither the
    dearest nor the cheapest makes the figure. With few products, or products that contradict each other, the
    pace stays near 1; the shrinkage is that of a normal mean with a normal prior on the logarithm.
    """
    demand, seen = in_own_sizes(history)
    asked = demand[:, -ALIVE_DAYS:].any(axis=1) & (seen.sum(axis=1) >= KNOWN_DAYS)
    if asked.sum() < FEWEST_PRODUCTS:
        return STEADY
    demand, seen = demand[asked], seen[asked]
    now = level_of(demand, seen, NOW_HALF_LIFE_DAYS)
    return Pace(tuple(_ratio(now, level_of(demand, seen, memory)) for memory in MEMORIES_DAYS))


def in_own_sizes(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Demand of the days that show it, bulk limited, in weights that can be added; and which days those are.

    Both (products, days).
    """
    seen = np.isfinite(history.demand) & history.in_stock
    demand = np.where(seen, np.nan_to_num(history.demand), 0.0)
    sales = np.maximum((demand > 0).sum(axis=1), 1)
    size = demand.sum(axis=1) / sales
    weights = np.divide(1.0, size * np.sqrt(sales), out=np.zeros(len(size)), where=size > 0)
    return np.minimum(demand, LARGEST_SIZE * size[:, None]) * weights[:, None], seen


def level_of(demand: np.ndarray, seen: np.ndarray, half_life_days: float) -> np.ndarray:
    """Recency-weighted mean per seen day of each product (products,)."""
    weights = 0.5 ** (np.arange(demand.shape[1])[::-1] / half_life_days)
    return (demand @ weights) / np.maximum(seen @ weights, 1e-12)


def _ratio(now: np.ndarray, then: np.ndarray) -> float:
    """Shrunken ratio of the sums; its variance is that of a ratio estimator over products."""
    if now.sum() <= 0 or then.sum() <= 0:
        return 1.0
    ratio = now.sum() / then.sum()
    spread = np.sqrt(((now - ratio * then) ** 2).sum()) / now.sum()  # relative
    moved = np.log(ratio) * PRIOR_SPREAD**2 / (PRIOR_SPREAD**2 + spread**2)
    return float(np.clip(np.exp(moved), 1 / WIDEST, WIDEST))


def closed_days(history: History) -> np.ndarray:
    """Days of long closures, as datetime64[D], ascending: no sale at all, day after day, by a shop that has
    many on such weekdays.

    Such days say nothing about demand: works holidays are no drop. Weekdays that are always closed and single
    holidays are not among them, because they come again at their own rate. A shop that sells few products a
    day has none: there chance looks the same.
    """
    products_sold = (np.nan_to_num(history.demand) > 0).sum(axis=0)
    days = len(products_sold)
    usual = np.array([np.median(products_sold[-1 - offset :: -7]) for offset in range(min(days, 7))])
    is_open = usual[np.arange(days)[::-1] % 7] >= OPEN_SALES
    edges = np.flatnonzero(np.diff(products_sold == 0, prepend=False, append=False))
    closed = np.zeros(days, bool)
    for start, end in edges.reshape(-1, 2):
        closed[start:end] = end - start >= LONG_CLOSURE_DAYS
    first = np.datetime64(history.until, "D") - (days - 1)
    return first + np.flatnonzero(closed & is_open)


def without(seen: Seen, closed: np.ndarray) -> Seen:
    """The same with those days marked as days that show no demand, like days without stock."""
    days = seen.in_stock.shape[-1]
    if seen.until is None or not closed.size:
        return seen
    ages = (np.datetime64(seen.until, "D") - closed).astype(int)
    ages = ages[(ages >= 0) & (ages < days)]
    if not ages.size:
        return seen
    in_stock = seen.in_stock.copy()
    in_stock[..., days - 1 - ages] = False
    return replace(seen, in_stock=in_stock)
