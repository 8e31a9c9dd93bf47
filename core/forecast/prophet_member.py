"""Prophet as one forecaster among others: its mean and the doubt of its trend, with counts around them.

Prophet's own draws are normal and go below zero, which no floor repairs; so only its mean is floored.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.forecast.contenders import counts
from core.forecast.history import Series

YEARLY_DAYS = 730  # two years: from one alone a season cannot be told from chance
WEEKLY_DAYS = 14
A_MONDAY = pd.Timestamp("2001-01-01")  # for a series without dates, whose weekdays still count
SEED = 1
LEAST_DAYS = 2


@dataclass(frozen=True)
class ProphetMember:
    """Prophet with its shipped trend, weekdays, and yearly season and holidays where there are two years."""

    country: str | None = None
    name: str = "prophet"

    def draw(self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
        """Daily demand (paths, days) of one product."""
        if not (series.demand > 0).any():
            return np.zeros((n_paths, horizon_days))
        past = table(series)
        model = fitted(past, country=self.country)
        days = pd.date_range(past["ds"].iloc[-1], periods=horizon_days + 1)[1:]
        mean = parts_of(model, days)["yhat"].to_numpy(float)
        if not np.isfinite(mean).all():
            raise ValueError(f"Prophet found no mean for {series.unique_id}.")
        mean = mean + trend_doubt(model, days, n_paths, rng)
        return counts(series, np.maximum(mean, 0.0), n_paths, rng)


def table(series: Series) -> pd.DataFrame:
    """Frame `ds, y` as Prophet reads it; days without stock are gaps, which it can do with."""
    until = series.until if series.until is not None else A_MONDAY + pd.Timedelta(days=series.end_weekday)
    y = np.where(series.usable, series.demand, np.nan)
    return pd.DataFrame({"ds": pd.date_range(end=until, periods=series.days), "y": y})


def fitted(past: pd.DataFrame, *, country: str | None = None, multiplicative: bool = False) -> Any:
    """A Prophet model of one product's days; the same for the same days.

    Args:
        past: `ds, y`, one row a day, NaN where demand was not seen.
        country: two letters; its public holidays count where there are two years. An unknown one has none.
        multiplicative: whether weekday and season are shares of the level instead of units.
    """
    from prophet import Prophet

    days = len(past)
    with _quiet():
        model = Prophet(
            weekly_seasonality=days >= WEEKLY_DAYS,
            yearly_seasonality=days >= YEARLY_DAYS,
            daily_seasonality=False,
            seasonality_mode="multiplicative" if multiplicative else "additive",
            uncertainty_samples=0,  # its draws come from one random state for the whole process
        )
        if days >= YEARLY_DAYS and (country := supported(country)):
            model.add_country_holidays(country_name=country)
        model.fit(past, seed=SEED)
    return model


def supported(country: str | None) -> str | None:
    """The country when its public holidays are known, else None."""
    if country is None:
        return None
    import holidays

    return country if country in holidays.list_supported_countries() else None


def parts_of(model: Any, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Prophet's mean of these days and what it is made of, one row a day: yhat, trend, weekly, yearly ..."""
    with _quiet():
        return model.predict(pd.DataFrame({"ds": days}))


def trend_doubt(model: Any, days: pd.DatetimeIndex, n_paths: int, rng: np.random.Generator) -> np.ndarray:
    """How far the trend may leave its straight line on coming days (paths, days), in units per day.

    As often and as sharply as it turned in the past it may turn again: turns come at the rate of the
    past's possible ones, sizes are Laplace with the mean of its own (Taylor & Letham 2018, section 3.1.4).
    """
    turns = np.asarray(model.params["delta"], float).reshape(-1)
    ahead = ((days - model.start) / model.t_scale).to_numpy(float)  # the past is 0..1
    chance = min(len(turns) * (ahead[-1] - 1.0) / len(days), 1.0)  # of a turn on one day
    happens = rng.random((n_paths, len(days))) < chance
    sizes = rng.laplace(0.0, np.abs(turns).mean() + 1e-8, happens.shape)
    slope = np.cumsum(happens * sizes, axis=1)
    step = (ahead[-1] - 1.0) / len(days)
    return np.cumsum(slope, axis=1) * step * float(model.y_scale)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without two lines that cmdstanpy logs for each product, and what pandas thinks of Prophet's code."""
    speaker = logging.getLogger("cmdstanpy")
    before = speaker.disabled
    speaker.disabled = True  # its level is set anew when it is first imported
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        speaker.disabled = before
