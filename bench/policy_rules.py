"""Plain ordering rules, as shops and other programs use them, each with one knob that is swept."""

import numpy as np
from scipy.stats import nbinom

from bench.policy_score import BELOW, REVIEW_DAYS, Levels, World

# fmt: off
COVERS = np.array([
    0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05, 1.2, 1.35, 1.5, 1.7, 1.9, 2.1, 2.4, 2.7, 3.1, 3.6, 4.2, 5, 6, 7.5,
    9.5, 12, 16, 22,
])
SAFETIES = np.array([
    -1.5, -1, -0.7, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.65, 1.9, 2.1, 2.33, 2.6, 2.9, 3.3, 3.8,
    4.5, 5.5, 7, 9,
])
QUANTILES = np.array([
    0.15, 0.25, 0.35, 0.45, 0.55, 0.64, 0.72, 0.78, 0.84, 0.88, 0.91, 0.935, 0.95, 0.965, 0.977, 0.985, 0.99,
    0.994, 0.997, 0.9985,
])
# fmt: on
BEYOND_QUANTILES = np.array([1.25, 1.6, 2.1, 3, 4.5, 7, 12])
MIN_MAX_DAYS = 14  # a min/max rule orders at least so much at a time
MEAN_HALF_LIFE_DAYS, VARIANCE_HALF_LIFE_DAYS = 28, 56


def rules(world: World, rotation: int) -> dict[str, Levels]:
    """Levels of the plain rules, one knob each.

    fixed_min: a minimum set once from the mean of all history, up to twice of it. minmax28, cover28: days of
    cover at the mean of 28 days, the first at least 14 days at a time. normal28, normal84: normal safety
    stock. nb_ewma: negative binomial around an exponentially smoothed mean.
    """
    mean_lead, variation = world.lead_means(rotation), world.lead_variations
    span = (mean_lead + float(REVIEW_DAYS))[:, None]
    lead_variance = ((variation * mean_lead)[:, None]) ** 2
    begin = _recent(world, world.reviews[0], world.demand.shape[1])[0]
    out: dict[str, Levels] = {
        "fixed_min": [(2 * COVERS * begin * span, COVERS * begin * span)] * len(world.reviews)
    }
    for name in ("minmax28", "cover28", "normal28", "normal84", "nb_ewma"):
        out[name] = []
    for day in world.reviews:
        mean28, deviation28 = _recent(world, day, 28)
        mean84, deviation84 = _recent(world, day, 84)
        cover = mean28 * COVERS * span
        out["minmax28"].append((mean28 * (COVERS * span + MIN_MAX_DAYS), cover))
        out["cover28"].append((cover, cover))
        for name, mean, deviation in (("normal28", mean28, deviation28), ("normal84", mean84, deviation84)):
            level = mean * span + np.sqrt(deviation**2 * span + mean**2 * lead_variance) * SAFETIES
            out[name].append((level, level))
        out["nb_ewma"].append(_smoothed(world, day, span, lead_variance))
    return out


def _recent(world: World, day: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the last days of each product (products, 1)."""
    window = world.demand[:, max(day + 1 - days, 0) : day + 1]
    column = np.arange(max(day + 1 - days, 0), day + 1)
    lived = column >= world.first[:, None]
    count = lived.sum(axis=1, keepdims=True)
    mean = (window * lived).sum(axis=1, keepdims=True) / count
    spread = (((window - mean) ** 2) * lived).sum(axis=1, keepdims=True) / (count - 1)
    return mean, np.sqrt(spread)


def _smoothed(
    world: World, day: int, span: np.ndarray, lead_variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    past = world.demand[:, : day + 1]
    age = np.arange(day, -1, -1)
    lived = np.arange(day + 1) >= world.first[:, None]

    def smooth(values: np.ndarray, half_life: float) -> np.ndarray:
        weights = 0.5 ** (age / half_life) * lived
        return (weights * values).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)

    mean = smooth(past, MEAN_HALF_LIFE_DAYS)
    long = smooth(past, VARIANCE_HALF_LIFE_DAYS)
    variance = smooth((past - long) ** 2, VARIANCE_HALF_LIFE_DAYS)
    expected = np.maximum(mean * span, 1e-6)
    spread = np.maximum(variance * span + mean**2 * lead_variance, expected * 1.02)
    level = nbinom.ppf(QUANTILES, expected**2 / (spread - expected), expected / spread)
    level = np.concatenate([level, level[:, -3:-2] * BEYOND_QUANTILES], axis=1)
    return level, level - BELOW
