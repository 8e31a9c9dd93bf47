"""From histories to forecasts ready to be kept: who is eligible, what is drawn, and why.

A training is cut into batches of products. `draw` makes the drafts of one batch, in whatever process and on
whatever machine: what comes out depends on the batch and on what is frozen, on nothing else.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from core.forecast import events, outliers, reasons
from core.forecast.analogs import Library
from core.forecast.depletion import RATE_DAYS, fan
from core.forecast.history import History, Series, demand_class
from core.forecast.models import Pool, in_chunks
from core.forecast.packing import encode

HORIZON_DAYS = 120
PATHS = 200
SEED = 20
MIN_HISTORY_DAYS = 30
MIN_DEMAND_DAYS = 2

T = TypeVar("T")
Scores = Mapping[str, Mapping[str, Any]]
Factors = Mapping[str, np.ndarray]


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
    scores: Mapping[str, Any] | None = None
    limited: list[list[Any]] | None = None
    would_help: str | None = None


@dataclass(frozen=True)
class Frozen:
    """What the shop knows together, frozen by the weekly training; every worker gets it once.

    `library` is `Library.dump()` as an array, which joblib maps into the workers' memory instead of sending
    it with each batch. Two with the same `key` are the same.
    """

    key: str
    admitted: tuple[str, ...] | None
    library: np.ndarray | None = field(compare=False, repr=False)

    @classmethod
    def of(cls, library: bytes | None, admitted: Sequence[str] | None = None) -> "Frozen":
        key = hashlib.blake2b(library or b"", digest_size=16).hexdigest()
        names = tuple(admitted) if admitted is not None else None
        return cls(key, names, np.frombuffer(library, np.uint8) if library else None)

    def pool(self) -> Pool:
        """The default forecaster with this knowledge; unpacked once per process."""
        return _pool(self)


@lru_cache(maxsize=1)
def _pool(frozen: Frozen) -> Pool:
    library = Library.load(frozen.library.tobytes()) if frozen.library is not None else None
    return pool_of(library, frozen.admitted)


def pool_of(library: Library | None, admitted: Sequence[str] | None = None) -> Pool:
    """The pool with the members that the shop's own back-test admitted; the fixed line-up without one."""
    return Pool(library) if admitted is None else Pool(library, admitted=tuple(admitted))


class OtherEngine(Exception):
    """A worker runs other code than the training: its forecasts would be others."""


@cache
def engine_version() -> str:
    """A fingerprint of the code that draws: the same on two machines means the same forecasts."""
    told = hashlib.blake2b(f"{version('numpy')} {version('scipy')}".encode(), digest_size=8)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        told.update(path.read_bytes())
    return told.hexdigest()


def same_engine(wanted: str, work: Callable[..., T], *arguments: Any) -> T:
    """The answer of `work(*arguments)` on another machine; refuses where `engine_version` is another."""
    if engine_version() != wanted:
        raise OtherEngine("This worker has another version of Runout, NumPy or SciPy than the training.")
    return work(*arguments)


@dataclass(frozen=True)
class Batch:
    """Some products of a training: their histories as a whole, and per warehouse where there are several.

    By unique_id: `scores` to keep with the forecasts, and `coming`, what known events do to the days ahead.
    `silent` are products whose history is empty.
    """

    products: int
    histories: tuple[History, ...]
    scores: Scores
    coming: Factors
    silent: tuple[str, ...]


def batches(
    products: Sequence[int], histories: Sequence[History | None], scores: Scores, coming: Factors, size: int
) -> list[Batch]:
    """Products, `size` at a time, with their rows of each of the histories (None: it is empty)."""
    found = [history for history in histories if history is not None]
    rows: list[dict[str, list[int]]] = []
    for history in found:
        rows_of: dict[str, list[int]] = {}
        for row, unique_id in enumerate(history.ids):
            rows_of.setdefault(unique_id.partition(":")[0], []).append(row)
        rows.append(rows_of)
    made = []
    for start in range(0, len(products), size):
        names = [str(product) for product in products[start : start + size]]
        parts = [
            history.take(np.array([row for name in names for row in rows_of.get(name, ())], int))
            for history, rows_of in zip(found, rows, strict=True)
        ]
        made.append(
            Batch(
                len(names),
                tuple(part for part in parts if len(part)),
                {name: scores[name] for name in names if name in scores},
                {one: coming[one] for part in parts for one in part.ids if one in coming},
                tuple(name for name in names if not any(name in rows_of for rows_of in rows)),
            )
        )
    return made


def together(histories: Sequence[History]) -> History | None:
    """Histories of different products that end on the same day as one; None when there are none."""
    if not histories:
        return None
    days = max(history.demand.shape[1] for history in histories)

    def padded(table: np.ndarray, missing: float | bool) -> np.ndarray:
        return np.pad(table, ((0, 0), (days - table.shape[1], 0)), constant_values=missing)

    return History(
        tuple(unique_id for history in histories for unique_id in history.ids),
        np.concatenate([padded(history.demand, np.nan) for history in histories]),
        np.concatenate([padded(history.in_stock, True) for history in histories]),
        histories[0].until,
    )


def draw(batch: Batch, frozen: Frozen) -> list[Draft]:
    """The drafts of a batch; one product's trouble stops no other."""
    made = [Draft(unique_id, "too_short", "nothing has moved yet", 0, 0) for unique_id in batch.silent]
    for history in batch.histories:
        made += drafts(history, frozen.pool(), batch.scores, batch.coming)
    return made


def drafts(
    history: History, pool: Pool, scores: Scores | None = None, coming: Factors | None = None
) -> Iterator[Draft]:
    """A draft for every product of the history; one product's trouble stops no other.

    Args:
        scores: back-test scores by unique_id, kept with the forecast.
        coming: what known events do to the demand of each coming day, by unique_id.
    """
    why_not_yet = [_why_not(series) for series in history]
    for row, why in enumerate(why_not_yet):
        if why is not None:
            series = history.series(row)
            yield Draft(series.unique_id, "too_short", why, history_days(series), demand_days(series))
    asked, limited = outliers.limit(history.take(np.flatnonzero([why is None for why in why_not_yet])))
    about = _About(pool, scores or {}, coming or {}, limited)
    left = {series.unique_id: (row, series) for row, series in enumerate(asked)}
    try:
        for unique_id, daily in in_chunks(pool, asked, HORIZON_DAYS, PATHS, SEED):
            yield _kept(left.pop(unique_id)[1], daily, about)
    except Exception:  # a chunk failed: find out which of its products did
        for row, _ in left.values():
            yield _alone(asked.take(np.array([row])), about)


@dataclass(frozen=True)
class _About:
    """What a draft needs beside the drawn paths; `limited` is what outliers were counted as."""

    pool: Pool
    scores: Scores
    coming: Factors
    limited: Mapping[str, list[list[Any]]]


def _alone(history: History, about: _About) -> Draft:
    (series,) = history
    try:
        daily = about.pool.paths(history, HORIZON_DAYS, PATHS, SEED)[0]
    except Exception as trouble:
        return _failed(series, trouble)
    return _kept(series, daily, about)


def _kept(series: Series, daily: np.ndarray, about: _About) -> Draft:
    try:
        return _draft(series, daily, about)
    except Exception as trouble:
        return _failed(series, trouble)


def _failed(series: Series, trouble: Exception) -> Draft:
    """Whatever went wrong, it is written down with the product."""
    reason = f"{type(trouble).__name__}: {trouble}"[:500]
    return Draft(series.unique_id, "failed", reason, history_days(series), demand_days(series))


def _draft(series: Series, daily: np.ndarray, about: _About) -> Draft:
    daily = events.apply(daily, series, about.coming.get(series.unique_id), SEED)
    cumulative = np.cumsum(daily, axis=1)
    members = [member.name for member in about.pool.line_up(series)]
    days = history_days(series)
    return Draft(
        unique_id=series.unique_id,
        state="ok",
        reason=reasons.reason(series, members, days),
        history_days=days,
        demand_days=demand_days(series),
        method=about.pool.name,
        demand_class=demand_class(series.demand, series.in_stock),
        daily_rate=float(daily[:, :RATE_DAYS].mean()),
        paths=encode(np.round(cumulative, 4)),
        fan=fan(cumulative),
        scores=about.scores.get(series.unique_id),
        limited=about.limited.get(series.unique_id),
        would_help=reasons.would_help(series, members, days),
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


def scores_of(by_product: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The rows of `backtest.by_product` as they are kept with the forecasts."""
    return {str(unique_id): plain(found) for unique_id, found in by_product.iterrows()}


def plain(scores: pd.Series) -> dict[str, float]:
    """Scores as numbers for JSON: rounded, and without what could not be computed."""
    found = {name: float(value) for name, value in scores.items()}
    return {name: round(value, 4) for name, value in found.items() if np.isfinite(value)}
