"""Mean demand of the coming days by the classic methods of statsforecast (Nixtla)."""

from collections.abc import Callable

import numpy as np

from core.forecast.blocks import fill_censored
from core.forecast.history import Series

WEEK = 7
LEAST_DAYS_FOR_WEEKS = 3 * WEEK  # fewer show no weekday pattern
TSB_WEIGHT = 0.1  # of the newest day, for size and for chance: the usual default for daily demand
FILL_HALF_LIFE_DAYS = 56.0


def shown(series: Series) -> np.ndarray:
    """Demand with days without stock filled in from days in stock of the same weekday (days,).

    The same for the same product: these methods have no doubt about a hidden day.
    """
    return fill_censored(series, FILL_HALF_LIFE_DAYS, series.rng(0, "filled"))


def tsb(series: Series, horizon_days: int) -> np.ndarray:
    """Chance and size smoothed apart, both on every day (Teunter, Syntetos & Babai 2011)."""
    from statsforecast.models import TSB

    return _mean(TSB(alpha_d=TSB_WEIGHT, alpha_p=TSB_WEIGHT), series, horizon_days)


def adida(series: Series, horizon_days: int) -> np.ndarray:
    """Smoothed in buckets as long as the usual gap between sales (Nikolopoulos et al. 2011)."""
    from statsforecast.models import ADIDA

    return _mean(ADIDA(), series, horizon_days)


def imapa(series: Series, horizon_days: int) -> np.ndarray:
    """The mean of such buckets of several lengths (Petropoulos & Kourentzes 2015)."""
    from statsforecast.models import IMAPA

    return _mean(IMAPA(), series, horizon_days)


def croston(series: Series, horizon_days: int) -> np.ndarray:
    """Size over interval with its bias removed (Syntetos & Boylan 2005); never for dead stock."""
    from statsforecast.models import CrostonSBA

    return _mean(CrostonSBA(), series, horizon_days)


def theta(series: Series, horizon_days: int) -> np.ndarray:
    """The dynamic optimised theta method (Fiorucci et al. 2016)."""
    from statsforecast.models import DynamicOptimizedTheta

    return _mean(DynamicOptimizedTheta(season_length=_season(series)), series, horizon_days)


def ets(series: Series, horizon_days: int) -> np.ndarray:
    """Exponential smoothing, its form chosen by AICc (Hyndman & Khandakar 2008)."""
    from statsforecast.models import AutoETS

    return _mean(AutoETS(season_length=_season(series)), series, horizon_days)


METHODS: dict[str, Callable[[Series, int], np.ndarray]] = {
    "tsb": tsb,
    "adida": adida,
    "imapa": imapa,
    "croston": croston,
    "theta": theta,
    "ets": ets,
}


def _mean(model, series: Series, horizon_days: int) -> np.ndarray:
    return model.forecast(y=shown(series), h=horizon_days)["mean"]


def _season(series: Series) -> int:
    return WEEK if series.days >= LEAST_DAYS_FOR_WEEKS else 1
