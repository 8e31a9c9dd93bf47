"""The shipped engine behind one call, frames in and frames out, so that anybody's data can judge it."""

from numbers import Integral, Real

import numpy as np
import pandas as pd

from core.forecast import models
from core.forecast.depletion import first_passage
from core.forecast.history import History, from_frame

N_PATHS = 500  # stored forecasts keep 200; here nothing is kept, and finer quantiles cost only time
SEED = 7
SOON_DAYS = 14


def predict(history: pd.DataFrame, stock: pd.DataFrame, horizon: int, levels: list[float]) -> pd.DataFrame:
    """Quantiles of the run-out day of every asked stock, and the chance to run out within 14 days.

    The library of analogs is built from all of `history`, as the weekly training does; days are 1 for the day
    after its last day, and `horizon + 1` means "not within the horizon". Same input, same answer; neither the
    order of rows nor other columns matter.

    Args:
        history: unique_id, ds, y: demand per product and day up to the day of the question, every day or only
            days with sales; optionally in_stock. A product lives from its first row on.
        stock: unique_id, k, S: `S` units on hand; `k` is handed back and tells two stocks of a product apart.
        horizon: days to look ahead.
        levels: quantile levels between 0 and 1, in any order.

    Returns:
        unique_id, k, p14 and one column `q{level}` per level, a row per row of `stock`, in its order.

    Raises:
        ValueError: a column is missing, a number cannot be one, or a stock is of a product without history.
    """
    _check(history, stock, horizon, levels)
    past = from_frame(history)
    wanted = stock[["unique_id", "k"]].assign(unique_id=stock["unique_id"].astype(str)).reset_index(drop=True)
    on_hand = stock["S"].to_numpy(float)
    rows_of = wanted.groupby("unique_id").indices
    unknown = sorted(set(rows_of) - set(past.ids))
    if unknown:
        raise ValueError(f"{unknown[0]} has stock but no row in the history; {len(unknown)} such products.")
    days = _first_days(past, rows_of, on_hand, horizon)
    quantiles = np.quantile(days, levels, axis=1, method="inverted_cdf")
    answers = {f"q{level}": quantile for level, quantile in zip(levels, quantiles, strict=True)}
    return wanted.assign(p14=np.mean(days <= SOON_DAYS, axis=1), **answers)


def _first_days(past: History, rows_of: dict, on_hand: np.ndarray, horizon: int) -> np.ndarray:
    """Day of run-out by row of stock and path (rows, paths)."""
    days = np.empty((len(on_hand), N_PATHS), int)
    asked = past.take(np.flatnonzero(np.isin(past.ids, list(rows_of))))
    for unique_id, daily in models.in_chunks(models.pool_for(past), asked, horizon, N_PATHS, SEED):
        running = np.cumsum(daily, axis=1)
        for row in rows_of[unique_id]:
            days[row] = first_passage(running, on_hand[row]) if on_hand[row] > 0 else 0
    return days


def _check(history: pd.DataFrame, stock: pd.DataFrame, horizon: int, levels: list[float]) -> None:
    for name, frame, columns in (
        ("history", history, ("unique_id", "ds", "y")),
        ("stock", stock, ("unique_id", "k", "S")),
    ):
        missing = [column for column in columns if column not in frame]
        if missing:
            raise ValueError(f"The {name} has no column {missing[0]}; it needs {', '.join(columns)}.")
        if frame[list(columns)].isna().any(axis=None):
            raise ValueError(f"The {name} has empty cells in {', '.join(columns)}; leave such rows out.")
    if pd.to_datetime(history["ds"], errors="coerce").isna().any():
        raise ValueError("The history has days (ds) that are no dates.")
    for name, numbers in (("Demand (y)", history["y"]), ("Stock on hand (S)", stock["S"])):
        values = pd.to_numeric(numbers, errors="coerce").to_numpy(float)
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(f"{name} must be a number of at least 0 in every row.")
    if not isinstance(horizon, Integral) or horizon < 1:
        raise ValueError(f"The horizon must be a whole number of days of at least 1, it is {horizon}.")
    if not len(levels) or not all(isinstance(level, Real) and 0 <= level <= 1 for level in levels):
        raise ValueError("Levels must be one or more numbers between 0 and 1.")
