"""What happened next to products that looked like this one: a frozen library of past windows."""

import io
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np

from core.forecast.blocks import HALF_LIVES_DAYS, fill_censored, pick
from core.forecast.history import History, Series
from core.forecast.pace import STEADY, Pace, closed_days, pace_of, without
from core.forecast.season import NO_SEASON, Season, season_of

PAST_DAYS = 56
FUTURE_DAYS = 56
STORED_DAYS = FUTURE_DAYS + 7  # up to six days are skipped so that weekdays agree
FILL_HALF_LIFE_DAYS = 28.0
NEIGHBOURS = 120
MAX_WINDOWS = 20_000
FEWEST_PRODUCTS = 30
FEWEST_WINDOWS = 1_000
# Of the features of `look_of`: weeks of the shape, levels against the level, and four traits.
WEIGHTS = np.array([0.35] * 8 + [1.0, 1.0] + [1.5, 0.7, 2.0, 1.0])


@dataclass(frozen=True)
class Library:
    """What all products know together, frozen: training a few products with it equals training all.

    `looks` (windows, features) describe the eight weeks before a cut; `futures` (windows, 63) are the days
    after it in units of the level before it; `end_weekday` is the weekday of every cut (0 = Monday). `closed`
    are the days on which the shop was closed (datetime64[D]); `pace` is how fast it sells now, `season` what
    comes.
    """

    looks: np.ndarray
    futures: np.ndarray
    end_weekday: int
    products: int
    closed: np.ndarray = field(default_factory=lambda: np.empty(0, "datetime64[D]"))
    pace: Pace = STEADY
    season: Season = NO_SEASON

    @property
    def is_enough(self) -> bool:
        return self.products >= FEWEST_PRODUCTS and len(self.looks) >= FEWEST_WINDOWS

    @cached_property
    def scale(self) -> np.ndarray:
        """What each feature is multiplied with, so that a distance adds like with like."""
        return (WEIGHTS / np.maximum(self.looks.std(axis=0), 1e-6)).astype(np.float32)

    @cached_property
    def scaled(self) -> np.ndarray:
        return self.looks * self.scale

    def distances(self, look: np.ndarray) -> np.ndarray:
        """How unlike each window is (windows,). No matrix product: no bit may depend on companions."""
        apart = self.scaled - look.astype(np.float32) * self.scale
        return np.sqrt(np.einsum("ij,ij->i", apart, apart))

    def dump(self) -> bytes:
        """The library as bytes, to be kept with a version; `load` gives it back exactly."""
        target = io.BytesIO()
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        parts |= {"pace": np.array(self.pace.factors), "season": np.array(self.season.factors)}
        parts["season_from"] = np.array(self.season.first, "datetime64[D]")  # not a time when there is none
        np.savez_compressed(target, **parts)
        return target.getvalue()

    @staticmethod
    def load(data: bytes) -> "Library":
        """The library of these bytes; one from before a part of it existed is without that part."""
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            end_weekday, products = int(kept["end_weekday"]), int(kept["products"])
            known = Library(kept["looks"], kept["futures"], end_weekday, products)
            if "pace" in kept and len(kept["pace"]) == len(STEADY.factors):
                pace = Pace(tuple(kept["pace"].tolist()))
                known = replace(known, pace=pace, closed=kept["closed"])
            if "season" in kept and len(kept["season"]):
                known = replace(known, season=Season(kept["season_from"][()], tuple(kept["season"].tolist())))
            return known


def build_library(history: History, seed: int = 0) -> Library:
    """Season, pace and closed days of the shop; windows of every product at weekly cuts, at most 20,000."""
    closed = closed_days(history)
    season = season_of(history)  # works holidays belong to it
    history = without(history, closed)
    pace = pace_of(history)
    looks, futures, products = [], [], 0
    cut_weekday = (history.until.weekday() - STORED_DAYS) % 7
    per_product = max(2, -(-MAX_WINDOWS // max(len(history), 1)))
    for series in history:
        rng = series.rng(seed, "library")
        cuts = np.arange(series.days - STORED_DAYS, PAST_DAYS - 1, -7)
        if len(cuts) > per_product:
            cuts = np.sort(rng.choice(cuts, per_product, replace=False))
        windows = [window_at(series, cut, rng) for cut in cuts]
        windows = [window for window in windows if window is not None]
        products += bool(windows)
        looks += [look for look, _ in windows]
        futures += [future for _, future in windows]
    keep = np.arange(len(looks))
    if len(looks) > MAX_WINDOWS:
        keep = np.sort(np.random.default_rng(seed).choice(len(looks), MAX_WINDOWS, replace=False))
    if not looks:
        looks, futures = np.empty((0, 0)), np.empty((0, STORED_DAYS))
    looks, futures = np.array(looks, np.float32)[keep], np.array(futures, np.float32)[keep]
    return Library(looks, futures, cut_weekday, products, closed, pace, season)


def window_at(series: Series, cut: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Look and future of one cut, or None when stock-outs hide a quarter of it or nothing had ever sold."""
    near = slice(cut - PAST_DAYS, cut + STORED_DAYS)
    if series.usable[near].mean() < 0.75:
        return None
    past = Series(series.unique_id, series.demand[:cut], series.usable[:cut], 0)
    level = level_of(past)
    if level <= 0:
        return None
    future = fill_censored(series, FILL_HALF_LIFE_DAYS, rng)[cut : cut + STORED_DAYS]
    return look_of(past, level), future / level


def level_of(past: Series) -> float:
    """Demand per day by the same spread of memories as the blocks; above 0 once anything was sold."""
    return float(np.mean([past.level(half_life) for half_life in HALF_LIVES_DAYS]))


def look_of(past: Series, level: float) -> np.ndarray:
    """Features of the last eight weeks: shape against the level, how often, how uneven, how long ago."""
    recent = past.demand[-PAST_DAYS:]
    weeks = np.sqrt(recent.reshape(-1, 7).sum(axis=1) / (7 * level))
    sold = past.demand > 0
    sizes = past.demand[sold][-20:]
    often = sold[-PAST_DAYS:].mean()
    quiet_days = past.days - 1 - np.flatnonzero(sold)[-1]
    ratios = [np.sqrt(past.level(half_life) / level) for half_life in (7.0, 84.0)]
    traits = [2 * np.sqrt(often), sizes.std() / sizes.mean(), np.log1p(quiet_days), np.log(level)]
    return np.array([*weeks, *ratios, *traits])


@dataclass(frozen=True)
class Analogs:
    """Futures of the nearest windows in the library, scaled to this product's level."""

    library: Library
    name: str = "analogs"

    def draw(self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator) -> np.ndarray:
        """Daily demand (paths, days) of one product.

        Beyond the 56 days of a window its own weeks are drawn again, so that a path that turned out high
        stays high: a level change persists.
        """
        level = level_of(series)
        if level <= 0 or series.days < PAST_DAYS:
            return np.zeros((n_paths, horizon_days))
        distance = self.library.distances(look_of(series, level))
        count = min(NEIGHBOURS, len(distance))
        near = np.sort(np.argpartition(distance, count - 1)[:count])
        weights = 1 / (0.5 + distance[near] / max(distance[near].mean(), 1e-9))
        picked = near[pick(weights, (n_paths,), rng)]
        skip = (series.end_weekday - self.library.end_weekday) % 7
        days = self.library.futures[picked, skip : skip + FUTURE_DAYS].astype(float)
        more = -(-(horizon_days - FUTURE_DAYS) // 7)
        if more > 0:
            weeks = days.reshape(n_paths, -1, 7)
            again = rng.integers(0, weeks.shape[1], (n_paths, more))
            later = np.take_along_axis(weeks, again[:, :, None], axis=1).reshape(n_paths, -1)
            days = np.concatenate([days, later], axis=1)
        return days[:, :horizon_days] * level
