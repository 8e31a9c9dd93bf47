"""The product's own weeks, drawn again: a weekly block bootstrap that prefers recent weeks."""

from dataclasses import dataclass

import numpy as np

from core.forecast.history import Series
from core.forecast.pace import STEADY, Pace

HALF_LIVES_DAYS = (7.0, 21.0, 56.0, 160.0)
LEVEL_NOISE = 0.2
MAX_WEEKS = 60
FEWEST_USABLE_DAYS = 4  # a week with fewer days in stock says too little to be drawn whole


@dataclass(frozen=True)
class BlockBootstrap:
    """Whole weeks keep the weekday pattern, closed days and bursts within a week as they were.

    An equal mix over four half-lives spreads the belief about how fast demand changes, and the shop's pace
    brings each memory to today's level; a level factor of 20 % per path stands for change that no week has
    shown yet. The settings are a plateau: do not tune them. The idea is that of non-parametric time series
    sampling (Amazon Forecast NPTS), on whole weeks.
    """

    pace: Pace = STEADY
    name: str = "blocks"

    def draw(self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
        """Daily demand (paths, days) of one product."""
        series = series.without_bulk
        if series.days < 7:  # not one whole week: its days are all there is
            return rng.choice(series.demand, (n_paths, horizon_days))
        weeks = min(series.days // 7, MAX_WEEKS)
        span = 7 * weeks
        age_weeks = np.arange(weeks - 1, -1, -1)
        usable = series.usable[-span:].reshape(weeks, 7)
        whole = usable.sum(axis=1) >= FEWEST_USABLE_DAYS
        if not whole.any():
            whole = usable.any(axis=1) | ~usable.any()
        blocks_per_path = -(-horizon_days // 7)
        paths = []
        for part, half_life in zip(shares(n_paths, len(HALF_LIVES_DAYS)), HALF_LIVES_DAYS, strict=True):
            weights = 0.5 ** (age_weeks * 7 / half_life) * whole
            block = fill_censored(series, half_life, rng)[-span:].reshape(weeks, 7)
            picked = pick(weights, (part, blocks_per_path), rng)
            days = block[picked].reshape(part, 7 * blocks_per_path)[:, :horizon_days]
            paths.append(days * self.pace.over(half_life))
        noise = level_noise(weekly_totals=series.demand[-span:].reshape(weeks, 7)[whole].sum(axis=1))
        factors = rng.gamma(1 / noise**2, noise**2, n_paths) if noise > 0 else np.ones(n_paths)
        return np.concatenate(paths) * factors[:, None]


def shares(total: int, parts: int) -> list[int]:
    """`total` split as evenly as whole numbers allow, larger parts first."""
    return [total // parts + (part < total % parts) for part in range(parts)]


def pick(weights: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Indices drawn in proportion to the weights."""
    reach = np.cumsum(weights)
    index = np.searchsorted(reach, rng.random(shape) * reach[-1], side="right")
    return np.minimum(index, np.flatnonzero(weights)[-1])


def level_noise(weekly_totals: np.ndarray) -> float:
    """Relative spread of the level: 20 %, less for a product whose weeks vary less than that."""
    if len(weekly_totals) < 2:
        return LEVEL_NOISE
    mean = weekly_totals.mean()
    noise = min(LEVEL_NOISE, weekly_totals.std() / mean) if mean > 0 else 0.0
    return float(noise) if noise > 1e-3 else 0.0


def fill_censored(series: Series, half_life_days: float, rng: np.random.Generator) -> np.ndarray:
    """Demand with days out of stock replaced by a draw from days in stock of the same weekday, recent first.

    What was sold on such a day is a lower bound and stays one. Without a usable day of that weekday any
    usable day serves.
    """
    if series.usable.all():
        return series.demand
    filled = series.demand.copy()
    weights = 0.5 ** (series.age / max(half_life_days, 21.0)) * series.usable
    for weekday in range(7):
        hidden = np.flatnonzero(~series.usable & (series.weekday == weekday))
        same = weights * (series.weekday == weekday)
        if hidden.size:
            drawn = series.demand[pick(same if same.any() else weights, hidden.shape, rng)]
            filled[hidden] = np.maximum(filled[hidden], drawn)
    return filled
