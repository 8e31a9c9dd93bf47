"""Known events: how much they change demand, learned from earlier ones, and what that does to the futures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.forecast.history import Series
from core.forecast.lost import usual

# Demand counts in orders (units over the mean size of a day with demand): screws and sofas weigh alike.
PRIOR_ORDERS = 10.0
"""Usual orders without any effect that a first event is weighed against: ten orders seen where ten are usual
mean 1.0, thirty mean 2.0, and two that became four mean 1.17 rather than twice as much."""
PRODUCT_PRIOR_ORDERS = 20.0
"""Orders of the common effect that one product's own days are weighed against."""
DUST = 1e-6
MOST_FACTOR = 101.0  # +10,000 %, as much as can be stated


@dataclass(frozen=True)
class Seen:
    """One product on the days of earlier events: what was asked for and what is usual there, in units.

    `size` is its mean demand on a usual day with demand, 0 when it never had one.
    """

    asked: float
    usual: float
    size: float

    @property
    def orders(self) -> tuple[float, float]:
        """What was asked for and what is usual, as orders."""
        return (self.asked / self.size, self.usual / self.size) if self.size > 0 else (0.0, 0.0)


def common_factor(seen: Sequence[Seen]) -> float:
    """What earlier events of one name did to all their products together, shrunk towards nothing.

    (orders asked for + 10) / (orders usual + 10); without anything seen 1.
    """
    asked = sum(one.orders[0] for one in seen)
    expected = sum(one.orders[1] for one in seen)
    return _bounded((asked + PRIOR_ORDERS) / (expected + PRIOR_ORDERS))


def own_factor(seen: Seen, common: float) -> float:
    """What they did to one product: its own orders, weighed against 20 usual orders of the common effect."""
    asked, expected = seen.orders
    return _bounded((asked + PRODUCT_PRIOR_ORDERS * common) / (expected + PRODUCT_PRIOR_ORDERS))


def look_at(demand: np.ndarray, seen: np.ndarray, end_weekday: int, days: np.ndarray) -> Seen:
    """One product on the days of events (places in `demand`) beside what is usual there.

    `seen` marks its days of regular demand, see `core.forecast.lost`.
    """
    sold = demand[seen & (demand > 0)]
    return Seen(
        asked=float(np.maximum(demand[days], 0.0).sum()),
        usual=float(usual(demand, seen, end_weekday, days).sum()),
        size=float(sold.mean()) if sold.size else 0.0,
    )


def _bounded(factor: float) -> float:
    return float(min(factor, MOST_FACTOR))


def of_shop(factor: float, share: float) -> float:
    """What an event in one warehouse does to the demand of all, of which the warehouse has that share."""
    return 1.0 + share * (factor - 1.0)


def apply(daily: np.ndarray, series: Series, factors: np.ndarray | None, seed: int) -> np.ndarray:
    """The futures (paths, days) with the events that are coming: each day times its factor.

    They stay in the grain in which the product is sold: a path's running total is rounded at a height of its
    own, so that the mean is exactly the factor's and days without an event stay as they were drawn. Random
    for the product alone, whatever else is trained. Without factors the paths come back as they are.
    """
    if factors is None:
        return daily
    unit = 10.0**series.decimals
    # Not at the very ends: a sum of floats that should be whole is whole up to a little dust.
    height = series.rng(seed, "events").uniform(DUST, 1.0 - DUST, (len(daily), 1))
    running = np.floor(np.cumsum(daily * factors[: daily.shape[1]], axis=1) * unit + height)
    return np.diff(running, axis=1, prepend=0.0) / unit
