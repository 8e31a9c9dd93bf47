"""Whether a product sells on a day (Bayes), and how much when it does (its own sizes)."""

from dataclasses import dataclass

import numpy as np

from core.forecast.blocks import HALF_LIVES_DAYS, level_noise, shares
from core.forecast.history import Series
from core.forecast.pace import STEADY, Pace

LONG_HALF_LIFE_DAYS = 160.0
SIZE_HALF_LIFE_DAYS = 42.0  # sizes are remembered at least so long: a slow product has few of them
PRIOR_DAYS = 1.0  # days seen that the long-run chance of a sale counts as; more keeps dead products alive
WEEKDAY_PRIOR_DAYS = 4.0
SAME_WEEKDAY = 7.0  # a sale on the same weekday is this many times likelier to be drawn


@dataclass(frozen=True)
class OccurrenceSize:
    """The chance of a sale has a Beta posterior that forgets; sizes are drawn from recent sales.

    Because days without a sale keep counting, a dead product fades; the classic interval method of Croston
    updates only at sales and never does (Teunter, Syntetos & Babai 2011, EJOR 214, 606-615).
    """

    pace: Pace = STEADY
    name: str = "occurrence"

    def draw(self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
        """Daily demand (paths, days) of one product."""
        series = series.without_bulk
        sold = series.demand > 0
        if not sold.any():
            return np.zeros((n_paths, horizon_days))
        seen = series.usable | sold
        by_weekday = weekday_factors(series, sold, seen)
        future_weekday = (series.end_weekday + 1 + np.arange(horizon_days)) % 7
        noise = level_noise(series.demand[series.days % 7 :].reshape(-1, 7).sum(axis=1))
        long_run = chance(series, LONG_HALF_LIFE_DAYS, sold, seen)
        paths = []
        for part, half_life in zip(shares(n_paths, len(HALF_LIVES_DAYS)), HALF_LIVES_DAYS, strict=True):
            # A memory holds at least one mean interval between sales, or a rare product is forgotten at once.
            weights = 0.5 ** (series.age / max(half_life, 1 / long_run)) * seen
            weights /= weights.max()  # what was known does not fade while the shelf is empty
            yes = weights @ sold + PRIOR_DAYS * long_run
            no = weights @ ~sold + PRIOR_DAYS * (1 - long_run)
            level = rng.beta(max(yes, 1e-9), max(no, 1e-9), (part, 1)) if no > 1e-9 else np.ones((part, 1))
            sells = rng.random((part, horizon_days)) < level * by_weekday[future_weekday]
            size_weights = 0.5 ** (series.age / max(half_life, SIZE_HALF_LIFE_DAYS)) * sold
            factor = rng.gamma(1 / noise**2, noise**2, (part, 1)) if noise > 0 else np.ones((part, 1))
            sizes = draw_sizes(series, size_weights, sells, future_weekday, rng)
            paths.append(sizes * (factor * self.pace.over(half_life)))
        return np.concatenate(paths)


def draw_sizes(
    series: Series,
    weights: np.ndarray,
    sells: np.ndarray,
    future_weekday: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Demand (paths, days), 0 where nothing `sells`, else a past sale.

    Sales of the same weekday are preferred: Saturdays buy differently.
    """
    past = np.flatnonzero(weights)
    preferred = np.where(series.weekday[past] == np.arange(7)[:, None], SAME_WEEKDAY, 1.0) * weights[past]
    reach = np.cumsum(preferred, axis=1)
    # One search for all weekdays: each has its own unit interval, in which its past sales have their shares.
    reach = (reach / reach[:, -1:] + np.arange(7)[:, None]).ravel()
    path, day = np.nonzero(sells)
    found = np.searchsorted(reach, future_weekday[day] + rng.random(len(day)), side="right")
    demand = np.zeros(sells.shape)
    demand[path, day] = series.demand[past[found % len(past)]]
    return demand


def chance(series: Series, half_life_days: float, sold: np.ndarray, seen: np.ndarray) -> float:
    """Recency-weighted share of the seen days that had a sale."""
    weights = 0.5 ** (series.age / half_life_days) * seen
    return float(weights @ sold / weights.sum())


def weekday_factors(series: Series, sold: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """How much likelier a sale is on each weekday (7,), shrunk to 1; averages about 1 over a week."""
    weights = 0.5 ** (series.age / LONG_HALF_LIFE_DAYS) * seen
    days = np.bincount(series.weekday, weights, 7)
    sales = np.bincount(series.weekday, weights * sold, 7)
    overall = sales.sum() / days.sum()
    return (sales + WEEKDAY_PRIOR_DAYS * overall) / (days + WEEKDAY_PRIOR_DAYS) / overall
