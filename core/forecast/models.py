"""The one interface of all forecasters, history in and sample paths out, and the default pool."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from core.forecast.analogs import PAST_DAYS, Analogs, Library, build_library
from core.forecast.blocks import BlockBootstrap, shares
from core.forecast.contenders import fit_for, is_dormant
from core.forecast.history import History, Series
from core.forecast.occurrence import OccurrenceSize
from core.forecast.pace import STEADY, Seen, without
from core.forecast.waking import Waking, begin_paused

SHORT_HISTORY_DAYS = 28
CHUNK_PRODUCTS = 50
DEFAULT = ("blocks", "occurrence", "analogs")
"""The members of the pool unless the shop's own back-test says otherwise (`core.forecast.leaderboard`)."""


class Forecaster(Protocol):
    """A model of demand.

    `paths` returns daily demand (products, paths, days), never negative, day 1 being the day after
    `history.until`, in the grain in which the product is sold. It is the same for the same seed, whichever
    products share the call and in whatever order.
    """

    name: str

    def paths(self, history: History, horizon_days: int, n_paths: int, seed: int) -> np.ndarray: ...


class Member(Protocol):
    """A way to draw one product's future; `Single` makes a Forecaster of it."""

    @property
    def name(self) -> str: ...

    def draw(
        self, series: Series, horizon_days: int, n_paths: int, rng: np.random.Generator
    ) -> np.ndarray: ...


LineUp = Callable[[Series], tuple[Member, ...]]


@dataclass(frozen=True)
class NaiveRule:
    """The rule everybody uses: mean demand of the last 28 days, every day the same, without doubt."""

    name: str = "naive"

    def paths(self, history: History, horizon_days: int, n_paths: int, seed: int) -> np.ndarray:  # noqa: ARG002
        rates = np.array([mean_of_last_days(series) for series in history])
        return np.broadcast_to(rates[:, None, None], (len(history), n_paths, horizon_days)).copy()


@dataclass(frozen=True)
class Single:
    """One member as a Forecaster of its own, for comparison."""

    member: Member

    @property
    def name(self) -> str:
        return self.member.name

    def paths(self, history: History, horizon_days: int, n_paths: int, seed: int) -> np.ndarray:
        return _stack(history, horizon_days, n_paths, seed, lambda _: (self.member,))


@dataclass(frozen=True)
class Pool:
    """Equal shares of paths from blocks, occurrence and analogs.

    No member is picked per product: choosing by each product's own back-test did worse than equal shares, and
    fitted weights did no better. With fewer than 30 products or 1,000 windows in the library the analogs stay
    out. A product without a sale in 28 days in stock is drawn by `Waking` alone, whoever is admitted: when a
    pause ends is another question. With less than 28 days of history only occurrence and size are drawn.
    `admitted` names the members that take part where they can; `country` (two letters) is that of the public
    holidays that some of them know.
    """

    library: Library | None = None
    admitted: tuple[str, ...] = DEFAULT
    country: str | None = None
    name: str = "pool"
    _waking: Waking = field(default_factory=Waking, repr=False)

    def line_up(self, series: Series) -> tuple[Member, ...]:
        """The members used for this product."""
        series = self._open_days(series)
        pace = self.library.pace if self.library is not None else STEADY
        blocks, occurrence = BlockBootstrap(pace), OccurrenceSize(pace)
        if series.days < SHORT_HISTORY_DAYS:
            return (occurrence,)
        if is_dormant(series):
            return (self._waking,)
        own: list[Member] = [blocks, occurrence]
        if self._knows_others_like(series):
            own.append(Analogs(self.library))
        guests = fit_for(tuple(name for name in self.admitted if name not in DEFAULT), series, self.country)
        return (*(one for one in own if one.name in self.admitted), *guests) or (occurrence,)

    def _knows_others_like(self, series: Series) -> bool:
        return self.library is not None and self.library.is_enough and series.days >= PAST_DAYS

    def paths(self, history: History, horizon_days: int, n_paths: int, seed: int) -> np.ndarray:
        history = self._open_days(history)
        season = self._season(history.until, horizon_days)
        drawn = _stack(history, horizon_days, n_paths, seed, self.line_up, season)
        for row, series in enumerate(history):
            if series.days >= SHORT_HISTORY_DAYS and not is_dormant(series):
                drawn[row] = begin_paused(series, drawn[row], series.rng(seed, "pause"))
        return drawn

    def _season(self, until: pd.Timestamp, horizon_days: int) -> np.ndarray | None:
        if self.library is None:
            return None
        return self.library.season.ahead(np.datetime64(until, "D"), horizon_days)

    def _open_days(self, seen: Seen) -> Seen:
        """The same without the days on which the shop was closed: they say nothing about demand."""
        return seen if self.library is None else without(seen, self.library.closed)


def pool_for(history: History) -> Pool:
    """The default forecaster with a library built from this history."""
    return Pool(build_library(history))


def in_chunks(
    forecaster: Forecaster, history: History, horizon_days: int, n_paths: int, seed: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Product by product (unique_id, daily paths (paths, days)), with memory for 50 products at a time."""
    for chunk in history.chunks(CHUNK_PRODUCTS):
        yield from zip(chunk.ids, forecaster.paths(chunk, horizon_days, n_paths, seed), strict=True)


def mean_of_last_days(series: Series, days: int = 28) -> float:
    """Mean demand per day over the last `days` days, of which only those in stock count.

    A product out of stock all that time is judged by its last `days` days in stock.
    """
    recent = series.usable[-days:]
    if recent.any():
        return float(series.demand[-days:][recent].mean())
    return float(series.demand[series.usable][-days:].mean())


def _stack(
    history: History,
    horizon_days: int,
    n_paths: int,
    seed: int,
    line_up: LineUp,
    season: np.ndarray | None = None,
) -> np.ndarray:
    out = np.empty((len(history), n_paths, horizon_days))
    for row, series in enumerate(history):
        out[row] = mix(series, line_up(series), horizon_days, n_paths, seed, season)
    return out


def mix(
    series: Series,
    members: tuple[Member, ...],
    horizon_days: int,
    n_paths: int,
    seed: int,
    season: np.ndarray | None = None,
) -> np.ndarray:
    """Daily demand (paths, days), equal shares of the members, shuffled so that any first half is fair.

    `season` (days,) multiplies the demand of each day.
    """
    parts = [
        member.draw(series, horizon_days, part, series.rng(seed, member.name))
        for member, part in zip(members, shares(n_paths, len(members)), strict=True)
    ]
    paths = np.concatenate(parts)
    paths = to_grain(paths if season is None else paths * season, series.decimals)
    return paths[series.rng(seed, "order").permutation(n_paths)]


def to_grain(paths: np.ndarray, decimals: int) -> np.ndarray:
    """Paths rounded to whole pieces (or the product's decimals) so that each day's running total is right."""
    unit = 10.0**decimals
    running = np.rint(np.cumsum(paths, axis=1) * unit)
    return np.diff(running, axis=1, prepend=0.0) / unit
