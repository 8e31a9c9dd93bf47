"""Products that have gone quiet: is it a pause, how long does it last, and what is sold after it?"""

from dataclasses import dataclass

import numpy as np

from core.forecast.blocks import fill_censored, pick
from core.forecast.history import Series
from core.forecast.occurrence import LONG_HALF_LIFE_DAYS, SAME_WEEKDAY, weekday_factors

PAUSE_DAYS = 28  # from so many days without a sale on it is a pause
PRIOR_PAUSES = 4.0  # pauses that the general law counts as beside the product's own
DAYS_TO_A_PAUSE = 730.0  # a product that sells falls into a pause once in about two years
RATE_HALF_LIFE_DAYS = 28.0
MOST_EVIDENCE_DAYS = 28.0  # demand is burstier than coins: more days than these prove no more
FIRST_AFTER_PAUSE = 7.0  # a sale that ended a pause is this many times likelier to be what comes


@dataclass(frozen=True)
class Waking:
    """The longer the pause so far, the longer it still lasts; after it, past weeks of selling come again.

    On each day the chance that the pause ends is alpha over the quiet days so far: of alpha 1, half of all
    pauses last as long again as they have lasted (Lindy's law, a Pareto distribution). It held for every shop
    we tried. A rate of sales does not: what sold daily and stopped is delisted, what sold rarely comes back.
    Alpha has a Gamma posterior from the product's own pauses, the current one included, with mean 1 before
    any. Days without stock are no quiet days. A chance learned from all pauses of the shop misled where its
    catalogue held only what had survived.
    """

    name: str = "waking"

    def draw(self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
        """Daily demand (paths, days) of one product."""
        sold = series.demand > 0
        if not sold.any():
            return np.zeros((n_paths, horizon_days))
        wakes = waking_days(series, horizon_days, n_paths, rng)
        starts = _starts(series, sold, wakes, horizon_days, rng)
        day = np.arange(horizon_days)
        source = starts[:, None] + day - wakes[:, None]
        known = (day >= wakes[:, None]) & (source < series.days)
        demand = fill_censored(series, LONG_HALF_LIFE_DAYS, rng)
        return np.where(known, demand[np.clip(source, 0, series.days - 1)], 0.0)


def begin_paused(series: Series, paths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same paths (paths, days), of which as many as `chance_of_pause` says sell nothing until they wake.

    A fast product that has been quiet for ten days is likelier out of the range than unlucky, long before 28
    days have passed.
    """
    paused = rng.random(len(paths)) < chance_of_pause(series)
    if not paused.any():
        return paths
    wakes = np.zeros(len(paths), int)
    wakes[paused] = waking_days(series, paths.shape[1], int(paused.sum()), rng)
    return np.where(np.arange(paths.shape[1]) < wakes[:, None], 0.0, paths)


def chance_of_pause(series: Series) -> float:
    """Chance (0..1) that the quiet days up to today are a pause and not luck.

    Luck is a chance of a sale per day with a Beta belief from the days up to the last sale; a pause can have
    begun on any quiet day. 0 when the last day seen had a sale, or nothing ever sold.
    """
    sold = series.demand > 0
    seen = series.usable | sold
    if not sold.any() or sold[seen][-1]:
        return 0.0
    last = int(np.flatnonzero(sold[seen])[-1])
    weights = 0.5 ** (np.arange(last, -1, -1) / RATE_HALF_LIFE_DAYS)
    rate = weights @ sold[seen][: last + 1] / weights.sum()
    days = min(MOST_EVIDENCE_DAYS, weights.sum())
    expected = weekday_factors(series, sold, seen)[series.weekday[seen][last + 1 :]]
    known_days = days + np.cumsum(expected) - expected
    luck = np.cumprod(1 - np.minimum(expected * rate * days / known_days, 1 - 1e-9))
    odds = (1 + luck[:-1].sum()) / DAYS_TO_A_PAUSE / max(luck[-1], 1e-12)
    return float(odds / (1 + odds))


def waking_days(series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
    """Days (0 = tomorrow) until the pause of today ends, one per path; `horizon_days` when it does not."""
    sold = series.demand > 0
    seen = series.usable | sold
    ended, longer, quiet = pauses(sold[seen])
    alpha = rng.gamma(PRIOR_PAUSES + ended, 1 / (PRIOR_PAUSES + longer), n_paths)
    by_weekday = weekday_factors(series, sold, seen)[(series.end_weekday + 1 + np.arange(horizon_days)) % 7]
    # The chance to end adds up day by day; a path wakes when it passes an exponential draw.
    reach = np.cumsum(by_weekday / (quiet + 1 + np.arange(horizon_days)))
    return np.searchsorted(reach, rng.exponential(size=n_paths) / alpha)


def pauses(sold: np.ndarray) -> tuple[int, float, int]:
    """From the days seen (True where something sold): what is known about pauses.

    Returns how many ended, the sum of log(length / PAUSE_DAYS) over all of them with the current one, and the
    quiet days up to today. Count and sum are all that a Pareto exponent can be learned from.
    """
    days = np.flatnonzero(sold)
    lengths = np.diff(days) - 1
    lengths = lengths[lengths >= PAUSE_DAYS]
    quiet = len(sold) - 1 - int(days[-1])
    longer = np.log((np.append(lengths, max(quiet, PAUSE_DAYS - 1)) + 1) / PAUSE_DAYS).sum()
    return len(lengths), float(longer), quiet


def _starts(
    series: Series, sold: np.ndarray, wakes: np.ndarray, horizon_days: int, rng: np.random.Generator
) -> np.ndarray:
    """The past day of sale (index) from which each path goes on when it wakes; 0 when it does not."""
    days = np.flatnonzero(sold)
    after_pause = np.append(True, np.diff(days) > PAUSE_DAYS)
    weights = 0.5 ** (series.age[days] / LONG_HALF_LIFE_DAYS) * np.where(after_pause, FIRST_AFTER_PAUSE, 1.0)
    starts = np.zeros(len(wakes), int)
    awake = np.flatnonzero(wakes < horizon_days)
    on = (series.end_weekday + 1 + wakes[awake]) % 7
    for weekday in range(7):
        same = awake[on == weekday]
        preferred = weights * np.where(series.weekday[days] == weekday, SAME_WEEKDAY, 1.0)
        starts[same] = days[pick(preferred, same.shape, rng)]
    return starts
