"""Rolling-origin scores of run-out distributions: how good were the dates we would have given?"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from core.forecast import outliers
from core.forecast.exams import COVERS, Answers, Exam, set_exam, shares_by_day, sit
from core.forecast.history import History
from core.forecast.models import Forecaster

LEVELS = (0.1, 0.5, 0.9)
SOON_DAYS = 14
MEANS = ["crps", "crps_naive", "pinball", "covered", "bias", "brier_14", "mase", "mase_naive"]
"""Scores of a task, averaged over tasks. In days, but for `covered` (0 or 1), `brier_14`, and the MASEs."""
COLUMNS = ["unique_id", "origin", "cover", "stock", "actual", "p10", "p50", "p90", *MEANS]


def crps_days(days: np.ndarray, actual: int, horizon_days: int) -> float:
    """Continuous ranked probability score, in days, of sampled run-out days (paths,).

    The sum over days of (F(d) - 1{actual <= d})^2, everything beyond the horizon counted as horizon + 1. A
    single date scores its absolute error (Gneiting & Raftery 2007, JASA 102, 359-378).
    """
    return float(crps(shares_by_day(days, horizon_days), np.array(actual)))


def crps(reached: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """The same of many: `reached` (..., horizon + 1) chances to have run out by each day, `actual` (...)."""
    happened = np.arange(reached.shape[-1]) >= actual[..., None]
    return ((reached - happened) ** 2).sum(axis=-1)


def quantiles(reached: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """First day by which the chance is at least each level (levels, ...); horizon + 1 when it never is."""
    there = [reached >= level - 1e-9 for level in levels]
    beyond = reached.shape[-1]
    return np.array([np.where(by.any(axis=-1), by.argmax(axis=-1), beyond) for by in there])


def pinball(quantiles: np.ndarray, levels: Sequence[float], actual: float) -> float:
    """Mean quantile loss in days of run-out days at the given levels (both of the same length)."""
    miss = actual - np.asarray(quantiles, float)
    level = np.asarray(levels, float).reshape(-1, *[1] * (miss.ndim - 1))
    found = np.maximum(level * miss, (level - 1) * miss).mean(axis=0)
    return float(found) if miss.ndim == 1 else found


def naive_day(stock: float, mean_demand: float, horizon_days: int) -> int:
    """Run-out day of the rule stock / 28-day mean, horizon + 1 at the most."""
    if mean_demand <= 0:
        return horizon_days + 1
    return int(min(np.ceil(stock / mean_demand - 1e-9), horizon_days + 1))


def naive_days(exam: Exam) -> np.ndarray:
    """The day of that rule for every stock of an exam (products, covers)."""
    stocks = exam.stocks()
    days = [naive_day(stock, mean, exam.horizon_days)
            for mean, row in zip(exam.means(), stocks, strict=True) for stock in row]  # fmt: skip
    return np.array(days, int).reshape(stocks.shape)


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
    """One row per product, origin and cover that can be judged (`exams.set_exam`), with its scores.

    `make` is given what was known at each origin and nothing later, one-off outliers limited as in training,
    so a library of analogs is built anew.
    Columns: COLUMNS. A product on which the forecaster fails is left out.
    """
    tables = []
    for origin in (pd.Timestamp(origin) for origin in origins):
        known = history.before(origin)
        learned, _ = outliers.limit(known)
        exam = set_exam(history, origin, horizon_days, covers, known, learned)
        if len(exam):
            tables.append(marks(exam, sit(exam, make(learned), n_paths, seed)))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def marks(exam: Exam, answers: Answers) -> pd.DataFrame:
    """The scored answers of one forecaster to one exam, one row per product and cover.

    `bias` is the most likely day minus the actual one, both at most horizon + 1: above 0 promised too long.
    `brier_14` is the squared error of the chance to run out within 14 days. `mase` is the mean absolute error
    of the expected demand of a day over that of "as a week ago" within the known days (Hyndman & Koehler
    2006, IJF 22, 679-688); NaN when the past never changed. `mase_naive` is that of the 28-day mean.
    """
    actual, stocks, means = exam.actual(), exam.stocks(), exam.means()
    days = quantiles(answers.reached, LEVELS)
    naive = naive_days(exam)
    soon = answers.reached[..., min(SOON_DAYS, exam.horizon_days)]
    scales = exam.scales()
    scales = np.where(scales > 0, scales, np.nan)
    naive_error = np.abs(exam.came - means[:, None]).mean(axis=1)
    per_task = {
        "stock": stocks,
        "actual": actual,
        **dict(zip(("p10", "p50", "p90"), days, strict=True)),
        "crps": crps(answers.reached, actual),
        "crps_naive": np.abs(naive - actual).astype(float),
        "pinball": pinball(days, LEVELS, actual),
        "covered": (days[0] <= actual) & (actual <= days[-1]),
        "bias": (days[1] - actual).astype(float),
        "brier_14": (soon - (actual <= SOON_DAYS)) ** 2,
        "mase": np.broadcast_to((answers.error / scales)[:, None], stocks.shape),
        "mase_naive": np.broadcast_to((naive_error / scales)[:, None], stocks.shape),
    }
    table = pd.DataFrame({name: np.ravel(values) for name, values in per_task.items()})
    table["unique_id"] = np.repeat(np.array(exam.known.ids, dtype=object), len(exam.covers))
    table["cover"] = np.tile(exam.covers, len(exam))
    table["origin"] = exam.origin
    return table.loc[table["crps"].notna(), COLUMNS].reset_index(drop=True)


def by_product(scores: pd.DataFrame) -> pd.DataFrame:
    """Per product (index unique_id): tasks, mean scores, coverage (and `inside`, of how many), skill.

    Skill is the share of the naive rule's error that is gone; NaN when that rule was always right.
    """
    return _summed(scores.groupby("unique_id"))


def of_shop(scores: pd.DataFrame) -> pd.Series:
    """The same figures for all tasks together; NaN when there was nothing to judge."""
    return _summed(scores.groupby(np.zeros(len(scores), int))).reindex([0]).iloc[0]


def _summed(groups: DataFrameGroupBy) -> pd.DataFrame:
    mean = groups[MEANS].mean().rename(columns={"covered": "coverage"})
    naive = mean["crps_naive"].to_numpy(float)
    skill = np.divide(naive - mean["crps"], naive, out=np.full(len(mean), np.nan), where=naive > 0)
    return mean.assign(skill=skill, inside=groups["covered"].sum(), tasks=groups.size())
