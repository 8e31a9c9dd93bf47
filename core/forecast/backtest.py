"""Rolling-origin scores of run-out distributions: how good were the dates we would have given?"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from core.forecast.depletion import first_passage
from core.forecast.history import History
from core.forecast.models import Forecaster, in_chunks, mean_of_last_days

COVERS = (5, 10, 20)  # stocks tried, in days of the last 28 days' mean demand
LEVELS = (0.1, 0.5, 0.9)
MIN_HISTORY_DAYS = 56
SCORES = ["crps", "crps_naive", "pinball", "covered"]


def crps_days(days: np.ndarray, actual: int, horizon_days: int) -> float:
    """Continuous ranked probability score, in days, of sampled run-out days (paths,).

    The sum over days of (F(d) - 1{actual <= d})^2, everything beyond the horizon counted as horizon + 1. A
    single date scores its absolute error (Gneiting & Raftery 2007, JASA 102, 359-378).
    """
    counts = np.bincount(np.minimum(days, horizon_days + 1), minlength=horizon_days + 2)
    reached = np.cumsum(counts)[: horizon_days + 1] / len(days)
    happened = np.arange(horizon_days + 1) >= actual
    return float(((reached - happened) ** 2).sum())


def pinball(quantiles: np.ndarray, levels: Sequence[float], actual: float) -> float:
    """Mean quantile loss in days of run-out days at the given levels (both of the same length)."""
    miss = actual - np.asarray(quantiles, float)
    level = np.asarray(levels, float)
    return float(np.maximum(level * miss, (level - 1) * miss).mean())


def is_covered(quantiles: np.ndarray, actual: float) -> bool:
    """Whether the actual day lies within the outermost quantiles, both included."""
    return bool(quantiles[0] <= actual <= quantiles[-1])


def naive_day(stock: float, mean_demand: float, horizon_days: int) -> int:
    """Run-out day of the rule stock / 28-day mean, horizon + 1 at the most."""
    if mean_demand <= 0:
        return horizon_days + 1
    return int(min(np.ceil(stock / mean_demand - 1e-9), horizon_days + 1))


def score(
    make: Callable[[History], Forecaster],
    history: History,
    origins: Sequence[pd.Timestamp],
    *,
    horizon_days: int = 56,
    n_paths: int = 200,
    seed: int = 0,
    covers: Sequence[float] = COVERS,
) -> pd.DataFrame:
    """One row per product, origin and cover that can be judged, with its scores.

    `make` is given what was known at each origin and nothing later, so a library of analogs is built anew.
    Judged are products with 56 days of life and a sale in the last 28 days, whose next `horizon_days` days
    are known and were in stock (days without stock hide when the stock would have run out).
    Columns: unique_id, origin, cover, stock, actual, p10, p50, p90, crps, crps_naive, pinball, covered.
    """
    rows = []
    for origin in (pd.Timestamp(origin) for origin in origins):
        known = history.before(origin)
        start = known.demand.shape[1]
        if start + horizon_days > history.demand.shape[1]:
            raise ValueError(f"After {origin:%Y-%m-%d} fewer than {horizon_days} days are known.")
        row_of = {unique_id: row for row, unique_id in enumerate(history.ids)}
        future = slice(start, start + horizon_days)
        judged = [
            row
            for row, series in enumerate(known)
            if series.days >= MIN_HISTORY_DAYS
            and series.demand[-28:].sum() > 0
            and history.in_stock[row_of[series.unique_id], future].all()
        ]
        asked = known.take(np.array(judged, int))
        for series, (unique_id, paths) in zip(
            asked, in_chunks(make(known), asked, horizon_days, n_paths, seed), strict=True
        ):
            truth = np.cumsum(history.demand[row_of[unique_id], future])
            mean, running = mean_of_last_days(series), np.cumsum(paths, axis=1)
            for cover in covers:
                stock = max(1.0, float(np.ceil(cover * mean - 1e-9)))
                rows.append((unique_id, origin, cover, stock, *_judge(running, truth, stock, mean)))
    columns = ["unique_id", "origin", "cover", "stock", "actual", "p10", "p50", "p90", *SCORES]
    return pd.DataFrame(rows, columns=columns)


def _judge(running: np.ndarray, truth: np.ndarray, stock: float, mean: float) -> tuple[float, ...]:
    horizon = len(truth)
    actual, days = int(first_passage(truth, stock)), first_passage(running, stock)
    quantiles = np.quantile(days, LEVELS, method="inverted_cdf")
    return (
        actual,
        *quantiles,
        crps_days(days, actual, horizon),
        float(abs(naive_day(stock, mean, horizon) - actual)),
        pinball(quantiles, LEVELS, actual),
        is_covered(quantiles, actual),
    )


def by_product(scores: pd.DataFrame) -> pd.DataFrame:
    """Per product (index unique_id): tasks, mean scores in days, coverage, skill against the naive rule."""
    return _summed(scores.groupby("unique_id"))


def of_shop(scores: pd.DataFrame) -> pd.Series:
    """The same figures for all tasks together; NaN when there was nothing to judge."""
    return _summed(scores.groupby(np.zeros(len(scores), int))).reindex([0]).iloc[0]


def _summed(groups: DataFrameGroupBy) -> pd.DataFrame:
    mean = groups[SCORES].mean().rename(columns={"covered": "coverage"})
    naive = mean["crps_naive"].to_numpy(float)
    skill = np.divide(naive - mean["crps"], naive, out=np.full(len(mean), np.nan), where=naive > 0)
    return mean.assign(skill=skill, tasks=groups.size())
