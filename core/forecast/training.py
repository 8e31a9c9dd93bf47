"""From histories to forecasts ready to be kept: who is eligible, what is drawn, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.forecast import backtest
from core.forecast.depletion import RATE_DAYS, fan
from core.forecast.history import History, Series, demand_class
from core.forecast.models import Pool, in_chunks
from core.forecast.packing import encode

HORIZON_DAYS = 120
PATHS = 200
SEED = 20
MIN_HISTORY_DAYS = 30
MIN_DEMAND_DAYS = 2
BACKTEST_DAYS = 56


@dataclass(frozen=True)
class Draft:
    """One forecast before it is kept; fields as in `forecast` (state ok, too_short or failed)."""

    unique_id: str
    state: str
    reason: str
    history_days: int
    demand_days: int
    method: str | None = None
    demand_class: str | None = None
    daily_rate: float | None = None
    paths: bytes | None = None
    fan: dict[str, list[float]] | None = None
    scores: dict[str, Any] | None = None


def drafts(history: History, pool: Pool, scores: pd.DataFrame | None = None) -> Iterator[Draft]:
    """A draft for every product of the history, in its order; one product's trouble stops no other.

    Args:
        scores: back-test scores by unique_id (`backtest.by_product`), kept with the forecast.
    """
    eligible = np.array([_why_not(series) is None for series in history], bool)
    for row in np.flatnonzero(~eligible):
        series = history.series(row)
        yield Draft(
            series.unique_id, "too_short", _why_not(series), history_days(series), demand_days(series)
        )
    asked = history.take(np.flatnonzero(eligible))
    series_of = {series.unique_id: series for series in asked}
    drawn = in_chunks(pool, asked, HORIZON_DAYS, PATHS, SEED)
    try:
        for unique_id, daily in drawn:
            yield _kept(series_of.pop(unique_id), pool, daily, scores)
    except Exception:  # a chunk failed: find out which of its products did
        for row in [history.ids.index(unique_id) for unique_id in series_of]:
            yield _alone(history.take(np.array([row])), pool, scores)


def _alone(history: History, pool: Pool, scores: pd.DataFrame | None) -> Draft:
    (series,) = history
    try:
        daily = pool.paths(history, HORIZON_DAYS, PATHS, SEED)[0]
    except Exception as trouble:
        return _failed(series, trouble)
    return _kept(series, pool, daily, scores)


def _kept(series: Series, pool: Pool, daily: np.ndarray, scores: pd.DataFrame | None) -> Draft:
    try:
        return _draft(series, pool, daily, scores)
    except Exception as trouble:
        return _failed(series, trouble)


def _failed(series: Series, trouble: Exception) -> Draft:
    """Whatever went wrong, it is written down with the product."""
    reason = f"{type(trouble).__name__}: {trouble}"[:500]
    return Draft(series.unique_id, "failed", reason, history_days(series), demand_days(series))


def _draft(series: Series, pool: Pool, daily: np.ndarray, scores: pd.DataFrame | None) -> Draft:
    cumulative = np.cumsum(daily, axis=1)
    members = [member.name for member in pool.line_up(series)]
    days, sold = history_days(series), demand_days(series)
    return Draft(
        unique_id=series.unique_id,
        state="ok",
        reason=f"{' + '.join(members)} on {days} days of history, {sold} of them with demand",
        history_days=days,
        demand_days=sold,
        method=pool.name,
        demand_class=demand_class(series.demand, series.in_stock),
        daily_rate=float(daily[:, :RATE_DAYS].mean()),
        paths=encode(np.round(cumulative, 4)),
        fan=fan(cumulative),
        scores=_scores_of(scores, series.unique_id),
    )


def history_days(series: Series) -> int:
    """Calendar days from the first movement to today, the day after the history's last."""
    return series.days + 1


def demand_days(series: Series) -> int:
    return int((series.demand > 0).sum())


def _why_not(series: Series) -> str | None:
    return why_not(history_days(series), demand_days(series))


def why_not(days: int, sold: int) -> str | None:
    """Why a product with so many days of history and with demand cannot be forecast yet; None when it can."""
    if days < MIN_HISTORY_DAYS:
        return f"{days} of {MIN_HISTORY_DAYS} days of history"
    if sold < MIN_DEMAND_DAYS:
        return f"{sold} of {MIN_DEMAND_DAYS} days with demand"
    return None


def back_test(history: History, make_pool, most: int | None = None) -> pd.DataFrame:
    """Scores of run-outs given 56 days before the end, one row per task; empty when the history is too short.

    Args:
        most: judge at most this many products, evenly picked, to bound the time.
    """
    origin = history.until - pd.Timedelta(days=BACKTEST_DAYS)
    if history.demand.shape[1] < BACKTEST_DAYS + backtest.MIN_HISTORY_DAYS:
        return pd.DataFrame(columns=["unique_id", *backtest.SCORES])
    if most is not None and len(history) > most:
        history = history.take(np.linspace(0, len(history) - 1, most).astype(int))
    return backtest.score(make_pool, history, [origin], horizon_days=BACKTEST_DAYS, n_paths=100)


def _scores_of(scores: pd.DataFrame | None, unique_id: str) -> dict[str, float] | None:
    if scores is None or unique_id not in scores.index:
        return None
    found = scores.loc[unique_id]
    return {name: round(float(value), 4) for name, value in found.items() if np.isfinite(float(value))}
