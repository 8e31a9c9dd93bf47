"""How good are run-out days? Tasks from any demand, proper scores of quantiles, and two plain references."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.forecast.depletion import first_passage
from core.forecast.history import History, demand_class

LEVELS = (0.005, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5, 0.65, 0.75, 0.835, 0.9, 0.95, 0.975, 0.995)
GRID = np.arange(1, 100) / 100  # the levels over which the CRPS is integrated
M5_LEVELS = np.array([0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995])  # M5 Uncertainty's nine
MIDDLE_80 = np.array([0.1, 0.5, 0.9])
RECENT_DAYS = 28
SOON_DAYS = 14
SCORES = ["crps", "pin9", "mae", "cov80", "width80", "brier14"]
RESAMPLES = 300
# The block bootstrap that every engine has to beat: four memories, a quarter of the paths each.
REFERENCE_HALF_LIVES_DAYS = (10, 21, 42, 120)
REFERENCE_PATHS = 500
REFERENCE_WEEKS = 40


def tasks(
    history: History,
    origins: Sequence[pd.Timestamp],
    horizon: int,
    covers: Sequence[int],
    *,
    min_history: int = 56,
    dormant: bool = False,
) -> pd.DataFrame:
    """One row per origin, product and cover that can be judged.

    Columns: unique_id, origin, k (days of cover), S (units on hand: k days at the mean of the last 28 days,
    at least 1), T (the day on which S was used up, horizon + 1 when it was not), m28 and cls (demand class at
    the origin; a closed shop does not make a product intermittent).

    Args:
        dormant: judge products that sold nothing in the last 28 days too.

    Raises:
        ValueError: an origin has no demand before it or fewer than `horizon` days after it, or products may
            be younger than a week.
    """
    if min_history < 7:
        raise ValueError(f"A product needs 7 days of history to be judged, not {min_history}.")
    rows = []
    for origin in origins:
        known = history.before(origin)
        start = known.demand.shape[1]
        if start + horizon > history.demand.shape[1]:
            raise ValueError(f"After {origin:%Y-%m-%d} fewer than {horizon} days are known.")
        open_share = float((np.nansum(known.demand, axis=0) > 0).mean())
        row_of = {unique_id: row for row, unique_id in enumerate(history.ids)}
        for series in known:
            demand = series.demand
            mean = float(demand[-RECENT_DAYS:].mean())
            if series.days < min_history or demand.sum() <= 0 or (mean <= 0 and not dormant):
                continue
            future = np.cumsum(history.demand[row_of[series.unique_id], start : start + horizon])
            kind = demand_class(demand, open_share=open_share)
            for cover in covers:
                stock = max(1, int(np.ceil(cover * mean - 1e-9)))
                actual = int(first_passage(future, stock))
                rows.append((series.unique_id, origin, cover, stock, actual, mean, kind))
    return pd.DataFrame(rows, columns=["unique_id", "origin", "k", "S", "T", "m28", "cls"])


def score(
    asked: pd.DataFrame,
    levels: Sequence[float],
    quantiles: np.ndarray,
    horizon: int,
    chance_14: np.ndarray | None = None,
) -> pd.DataFrame:
    """The tasks with their scores, from quantile days (tasks, levels); NaN or infinite is "never".

    Adds crps (days), pin9 (mean pinball of M5's nine levels), mae (of the median), cov80, width80, chance_14
    and brier14. Without `chance_14` the chance to run out within 14 days is read off the quantiles.
    """
    order = np.argsort(levels)
    levels = np.asarray(levels, float)[order]
    days = np.nan_to_num(np.asarray(quantiles, float)[:, order], nan=np.inf)
    days = np.sort(np.clip(days, 0, horizon + 1), axis=1)
    actual = asked["T"].to_numpy(float)
    low, median, high = between(days, levels, MIDDLE_80).T
    chance = chance_of(days, levels, SOON_DAYS) if chance_14 is None else np.asarray(chance_14, float)
    return asked.assign(
        crps=2 * pinball(actual, between(days, levels, GRID), GRID),
        pin9=pinball(actual, between(days, levels, M5_LEVELS), M5_LEVELS),
        mae=np.abs(np.round(median) - actual),
        cov80=((actual >= np.floor(low)) & (actual <= np.ceil(high))).astype(float),
        width80=high - low,
        chance_14=chance,
        brier14=(chance - (actual <= SOON_DAYS)) ** 2,
    )


def between(days: np.ndarray, levels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Quantiles at the wanted levels, straight lines between the given ones, flat beyond them."""
    if len(levels) == 1:
        return np.repeat(days, len(wanted), axis=1)
    left = np.clip(np.searchsorted(levels, wanted, side="right") - 1, 0, len(levels) - 2)
    step = np.clip((wanted - levels[left]) / (levels[left + 1] - levels[left]), 0, 1)
    return days[:, left] + step * (days[:, left + 1] - days[:, left])


def pinball(actual: np.ndarray, days: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Mean quantile loss per task, in days."""
    miss = actual[:, None] - days
    return np.maximum(levels * miss, (levels - 1) * miss).mean(axis=1)


def chance_of(days: np.ndarray, levels: np.ndarray, limit: int) -> np.ndarray:
    """Chance to run out by day `limit`, from quantile days: the level at half past that day."""
    right = np.clip((days <= limit).sum(axis=1), 1, len(levels) - 1)
    rows = np.arange(len(days))
    gap = np.maximum(days[rows, right] - days[rows, right - 1], 1e-9)
    step = np.clip((limit + 0.5 - days[rows, right - 1]) / gap, 0, 1)
    chance = levels[right - 1] + (levels[right] - levels[right - 1]) * step
    return np.where(days[:, 0] > limit, 0.0, np.where(days[:, -1] <= limit, 1.0, chance))


def naive_rule(asked: pd.DataFrame) -> np.ndarray:
    """Quantile days (tasks, levels) of stock over the mean of 28 days: one date, no doubt."""
    days = np.ceil(asked["S"] / asked["m28"].clip(lower=1e-9) - 1e-9).to_numpy()
    return np.repeat(days[:, None], len(LEVELS), axis=1)


def block_bootstrap(asked: pd.DataFrame, history: History, horizon: int) -> np.ndarray:
    """Quantile days (tasks, levels) of whole weeks of the product drawn again, recent ones preferred."""
    chance = np.random.default_rng(0)
    out = np.empty((len(asked), len(LEVELS)))
    row_of = {unique_id: row for row, unique_id in enumerate(history.ids)}
    first = history.until - pd.Timedelta(days=history.demand.shape[1] - 1)
    places = asked.reset_index(drop=True).groupby(["unique_id", "origin"], sort=True)
    for (unique_id, origin), lines in places:
        past = history.series(row_of[unique_id]).demand
        past = past[: len(past) - (history.demand.shape[1] - 1 - (origin - first).days)]
        weeks = min(len(past) // 7, REFERENCE_WEEKS)
        week = past[len(past) - 7 * weeks :].reshape(weeks, 7)
        age_days = np.arange(weeks - 1, -1, -1) * 7
        shape = (REFERENCE_PATHS // len(REFERENCE_HALF_LIVES_DAYS), -(-horizon // 7))
        drawn = []
        for half_life in REFERENCE_HALF_LIVES_DAYS:
            weights = 0.5 ** (age_days / half_life)
            picked = chance.choice(weeks, shape, p=weights / weights.sum())
            drawn.append(week[picked].reshape(shape[0], -1)[:, :horizon])
        running = np.cumsum(np.concatenate(drawn), axis=1)
        for task, stock in zip(lines.index, lines["S"], strict=True):
            days = first_passage(running, stock)
            out[task] = np.quantile(days, LEVELS, method="inverted_cdf")
    return out


def table(scored: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One line per method; skill is against the first one, with a 95 % interval over products."""
    chance = np.random.default_rng(1)
    base = next(iter(scored.values()))
    return pd.DataFrame([_line(name, each, base, chance) for name, each in scored.items()])


def _line(name: str, scored: pd.DataFrame, base: pd.DataFrame, chance: np.random.Generator) -> dict:
    own = scored.groupby("unique_id")["crps"].sum()
    other = base.groupby("unique_id")["crps"].sum().reindex(own.index).to_numpy()
    own = own.to_numpy()
    skills = []
    for _ in range(RESAMPLES):  # products are drawn, not tasks: the tasks of one product fail together
        drawn = chance.integers(0, len(own), len(own))
        skills.append(_skill(own[drawn].sum(), other[drawn].sum()))
    low, high = np.quantile(skills, (0.025, 0.975)) if len(own) else (np.nan, np.nan)
    skill = _skill(own.sum(), other.sum())
    means = scored[SCORES].mean().to_dict()
    return {"method": name, "tasks": len(scored), **means, "skill": skill, "skill_lo": low, "skill_hi": high}


def _skill(own: float, other: float) -> float:
    return 1 - own / max(other, 1e-9)


def by_group(scored: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """Mean CRPS per value of a column and method, and the number of tasks n."""
    means = {name: each.groupby(column)["crps"].mean() for name, each in scored.items()}
    return pd.DataFrame(means).assign(n=next(iter(scored.values())).groupby(column).size())


def reliability(scored: pd.DataFrame) -> pd.DataFrame:
    """Ten rows, one a tenth of chance: what was said (mean), how often it happened, in how many tasks."""
    tenth = np.minimum((scored["chance_14"] * 10 + 1e-9).astype(int), 9)
    facts = pd.DataFrame({"said": scored["chance_14"], "happened": (scored["T"] <= SOON_DAYS).astype(float)})
    rows = facts.groupby(tenth).mean().assign(tasks=facts.groupby(tenth).size()).reindex(range(10))
    rows["tasks"] = rows["tasks"].fillna(0).astype(int)
    rows.index = pd.Index([f"{10 * n}-{10 * n + 10} %" for n in range(10)], name="chance")
    return rows
