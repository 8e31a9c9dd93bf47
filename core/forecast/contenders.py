"""Members outside the default pool: judged on the shop's own past, let in only when that says so.

Each works out the mean of the coming days and draws counts around it. Draws of a normal distribution floored
at 0 are never used: that adds demand that nobody had (AutoETS went from a CRPS of 7.6 to 10.0 days by it).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.forecast.blocks import level_noise, shares
from core.forecast.history import Series

if TYPE_CHECKING:  # the pool takes contenders in, so it imports this module
    from core.forecast.models import Member

CHEAP = ("level", "tsb", "adida", "imapa", "croston")  # a millisecond or two a product
SLOW = ("theta", "ets", "prophet")  # 10 to 150 ms a product
TITLES = {
    "level": "Level with count noise",
    "tsb": "TSB",
    "adida": "ADIDA",
    "imapa": "IMAPA",
    "croston": "Croston (SBA)",
    "theta": "Theta",
    "ets": "AutoETS",
    "prophet": "Prophet",
}
HALF_LIVES_DAYS = (7.0, 21.0, 56.0, 160.0)  # nobody knows how fast demand changes
WEEKDAY_HALF_LIFE_DAYS = 160.0
WEEKDAY_PRIOR_DAYS = 4.0  # days of average demand that each weekday starts with
DISPERSION_HALF_LIFE_DAYS = 56.0
DORMANT_DAYS = 28


class NotForThis(ValueError):
    """A member was asked about a product for which it is known to be wrong."""


@dataclass(frozen=True)
class LevelNoise:
    """An exponentially weighted level times weekday factors, with negative-binomial counts around it.

    An equal mix over the half-lives of the blocks, and their doubt about the level.
    """

    name: str = "level"

    def draw(self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
        """Daily demand (paths, days) of one product."""
        ahead = weekday_factors(series)[weekdays_ahead(series, horizon_days)]
        parts = [
            counts(series, series.level(half_life) * ahead, part, rng)
            for part, half_life in zip(shares(n_paths, len(HALF_LIVES_DAYS)), HALF_LIVES_DAYS, strict=True)
        ]
        return np.concatenate(parts)


@dataclass(frozen=True)
class MeanPath:
    """A method that gives one number for each coming day, with counts around it.

    Args:
        mean: (series, horizon_days) to expected demand per day (days,); a number below 0 counts as 0.
        on_dead_stock: False for a method that never notices that nobody buys any more.
    """

    name: str
    mean: Callable[[Series, int], np.ndarray]
    on_dead_stock: bool = True

    def draw(self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
        """Daily demand (paths, days) of one product."""
        if not self.on_dead_stock and is_dormant(series):
            raise NotForThis(f"{TITLES.get(self.name, self.name)} never notices that a product is dead.")
        if not (series.demand > 0).any():
            return np.zeros((n_paths, horizon_days))
        mean = np.asarray(self.mean(series, horizon_days), float)
        if mean.shape != (horizon_days,) or not np.isfinite(mean).all():
            raise ValueError(f"{TITLES.get(self.name, self.name)} found no mean for {series.unique_id}.")
        return counts(series, np.maximum(mean, 0.0), n_paths, rng)


def by_name(name: str, country: str | None = None) -> "Member":
    """The member of that name. `country`: two letters, whose public holidays Prophet then knows.

    Raises KeyError for a name that is nobody's.
    """
    from core.forecast import prophet_member, smoothing

    if name == "level":
        return LevelNoise()
    if name == "prophet":
        return prophet_member.ProphetMember(country=country)
    return MeanPath(name, smoothing.METHODS[name], on_dead_stock=name != "croston")


def fit_for(names: tuple[str, ...], series: Series, country: str | None = None) -> tuple["Member", ...]:
    """Members of these names that may be asked about this product: no Croston on dead stock.

    A name that was let in by an earlier version and is nobody's now takes no part.
    """
    members = (by_name(name, country) for name in names if name in TITLES)
    return tuple(one for one in members if getattr(one, "on_dead_stock", True) or not is_dormant(series))


def is_dormant(series: Series) -> bool:
    """Whether nothing was sold in the last 28 days in stock."""
    return not series.demand[series.usable][-DORMANT_DAYS:].any()


def weekdays_ahead(series: Series, horizon_days: int) -> np.ndarray:
    """Weekday (0 = Monday) of each coming day, shape (days,)."""
    return (series.end_weekday + 1 + np.arange(horizon_days)) % 7


def weekday_factors(series: Series) -> np.ndarray:
    """How much more is asked for on each weekday than on average (7,), shrunk towards 1."""
    weights = series.recency(WEEKDAY_HALF_LIFE_DAYS)
    days = np.bincount(series.weekday, weights, 7)
    units = np.bincount(series.weekday, weights * series.demand, 7)
    overall = units.sum() / days.sum()
    if overall <= 0:
        return np.ones(7)
    factors = (units + WEEKDAY_PRIOR_DAYS * overall) / (days + WEEKDAY_PRIOR_DAYS) / overall
    return factors / factors.mean()


def counts(series: Series, mean: np.ndarray, n_paths: int, rng: np.random.Generator) -> np.ndarray:
    """Demand (paths, days) around an expected demand (days,) or (paths, days).

    Whole pieces are negative-binomial (Poisson where the past varied no more than that), decimals gamma; both
    keep mean and variance. One level factor per path stands for change that nobody has seen yet.
    """
    noise = level_noise(series.demand[series.days % 7 :].reshape(-1, 7).sum(axis=1))
    factors = rng.gamma(1 / noise**2, noise**2, (n_paths, 1)) if noise > 0 else np.ones((n_paths, 1))
    expected = np.maximum(mean * factors, 1e-9)
    spread = dispersion(series)
    if series.decimals > 0:
        return rng.gamma(expected / max(spread, 1e-6), max(spread, 1e-6))
    if spread <= 1.0:
        return rng.poisson(expected).astype(float)
    return rng.negative_binomial(expected / (spread - 1), 1 / spread).astype(float)


def dispersion(series: Series) -> float:
    """Variance of a day over its mean, around the recent level and weekdays; at least 1 for whole pieces."""
    weights = series.recency(DISPERSION_HALF_LIFE_DAYS)
    expected = series.level(DISPERSION_HALF_LIFE_DAYS) * weekday_factors(series)[series.weekday]
    around = float(weights @ (series.demand - expected) ** 2)
    found = around / max(float(weights @ expected), 1e-9)
    # One part in a thousand above Poisson is Poisson, and spares a division by nearly nothing.
    return found if series.decimals > 0 else (found if found > 1.001 else 1.0)
