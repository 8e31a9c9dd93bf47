"""Questions put to forecasters about the past: what was known on one day, and what came after it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.forecast import outliers
from core.forecast.depletion import first_passage
from core.forecast.history import History
from core.forecast.models import CHUNK_PRODUCTS, Forecaster, mean_of_last_days

COVERS = (5, 10, 20)  # stocks tried, in days of the last 28 days' mean demand
MIN_HISTORY_DAYS = 56
WEEK = 7


@dataclass(frozen=True)
class Exam:
    """What was known of some products at the end of `origin`, and the demand (products, days) that came.

    `known` is what was there to see, `learned` what forecasters see of it (one-off outliers limited).
    """

    origin: pd.Timestamp
    known: History
    learned: History
    came: np.ndarray
    covers: tuple[float, ...] = COVERS

    def __len__(self) -> int:
        return len(self.known)

    @property
    def horizon_days(self) -> int:
        return self.came.shape[1]

    def take(self, rows: slice | np.ndarray) -> "Exam":
        """The same question about some of the products."""
        return Exam(self.origin, self.known.take(rows), self.learned.take(rows), self.came[rows], self.covers)

    def chunks(self, size: int) -> Iterator["Exam"]:
        return (self.take(slice(start, start + size)) for start in range(0, len(self), size))

    def means(self) -> np.ndarray:
        """Mean demand of the last 28 days, shape (products,)."""
        return np.array([mean_of_last_days(series) for series in self.known])

    def stocks(self) -> np.ndarray:
        """The stocks that are asked about, at least one piece, shape (products, covers)."""
        return np.maximum(1.0, np.ceil(np.outer(self.means(), self.covers) - 1e-9))

    def actual(self) -> np.ndarray:
        """Day on which each stock ran out, horizon + 1 when it did not, shape (products, covers)."""
        return first_passage(np.cumsum(self.came, axis=1)[:, None, :], self.stocks()[:, :, None])

    def scales(self) -> np.ndarray:
        """Mean error in units of "as a week ago" over the known days (products,); NaN without any."""
        return np.array([_week_ago_error(series.demand, series.usable) for series in self.known])


@dataclass(frozen=True)
class Answers:
    """What a forecaster said: chance that each stock has run out by the end of day 0, 1 .. horizon.

    `reached` (products, covers, horizon + 1) and `error` (products,), the mean absolute error in units of the
    expected demand of a day, are NaN where it failed; `failed` says why, by product.
    """

    reached: np.ndarray
    error: np.ndarray
    failed: dict[str, str]
    seconds: float


def set_exam(
    history: History,
    origin: pd.Timestamp,
    horizon_days: int,
    covers: Sequence[float] = COVERS,
    known: History | None = None,
    learned: History | None = None,
) -> Exam:
    """The exam of one origin, about every product that can be judged.

    These have 56 days of life and a sale in the last 28 days, and their next `horizon_days` days are known
    and were in stock (days without stock hide when the stock would have run out).
    `known` and `learned` (the same products) spare the work of cutting the history, see `Exam`; with them the
    history need say only what happened.
    Raises ValueError when the history ends within the horizon.
    """
    known = known if known is not None else history.before(origin)
    learned = learned if learned is not None else outliers.limit(known)[0]
    start = known.demand.shape[1]
    if start + horizon_days > history.demand.shape[1]:
        raise ValueError(f"After {origin:%Y-%m-%d} fewer than {horizon_days} days are known.")
    row_of = {unique_id: row for row, unique_id in enumerate(history.ids)}
    future = slice(start, start + horizon_days)
    judged = [
        row
        for row, series in enumerate(known)
        if series.days >= MIN_HISTORY_DAYS
        and series.demand[-28:].sum() > 0
        and history.in_stock[row_of[series.unique_id], future].all()
    ]
    rows = np.array(judged, int)
    asked = known.take(rows)
    came = history.demand[[row_of[unique_id] for unique_id in asked.ids], future]
    came = came.reshape(len(asked), horizon_days)
    return Exam(pd.Timestamp(origin), asked, learned.take(rows), came, tuple(covers))


def origins(history: History, horizon_days: int, most: int) -> list[pd.Timestamp]:
    """Up to `most` origins, oldest first, whose futures do not overlap; none in too short a history."""
    days = history.demand.shape[1]
    fitting = (days - MIN_HISTORY_DAYS) // horizon_days
    return [
        history.until - pd.Timedelta(days=horizon_days * back)
        for back in range(min(fitting, most), 0, -1)
    ]  # fmt: skip


def sit(exam: Exam, forecaster: Forecaster, n_paths: int, seed: int) -> Answers:
    """The answers of one forecaster; a product on which it fails is its own failure only."""
    stocks = exam.stocks()
    reached = np.full((*stocks.shape, exam.horizon_days + 1), np.nan)
    error = np.full(len(exam), np.nan)
    failed: dict[str, str] = {}
    started = time.perf_counter()
    for start in range(0, len(exam), CHUNK_PRODUCTS):
        part = exam.learned.take(slice(start, start + CHUNK_PRODUCTS))
        for row, drawn in enumerate(_drawn(forecaster, part, exam.horizon_days, n_paths, seed), start):
            if isinstance(drawn, Exception):
                failed[exam.known.ids[row]] = f"{type(drawn).__name__}: {drawn}"[:200]
                continue
            running = np.cumsum(drawn, axis=1)
            reached[row] = [shares_by_day(first_passage(running, stock), exam.horizon_days)
                            for stock in stocks[row]]  # fmt: skip
            error[row] = np.abs(drawn.mean(axis=0) - exam.came[row]).mean()
    return Answers(reached, error, failed, time.perf_counter() - started)


def _drawn(
    forecaster: Forecaster, part: History, horizon_days: int, n_paths: int, seed: int
) -> Iterator[np.ndarray | Exception]:
    """Paths product by product; all at once when nothing goes wrong."""
    try:
        yield from forecaster.paths(part, horizon_days, n_paths, seed)
        return
    except Exception:  # find out which of the products it was
        pass
    for row in range(len(part)):
        try:
            (paths,) = forecaster.paths(part.take(slice(row, row + 1)), horizon_days, n_paths, seed)
        except Exception as trouble:
            yield trouble
        else:
            yield paths


def shares_by_day(days: np.ndarray, horizon_days: int) -> np.ndarray:
    """Share of sampled run-out days (paths,) that came by the end of day 0, 1 .. horizon."""
    found = np.bincount(np.minimum(days, horizon_days + 1), minlength=horizon_days + 2)
    return np.cumsum(found)[: horizon_days + 1] / len(days)


def _week_ago_error(demand: np.ndarray, usable: np.ndarray) -> float:
    both = usable[WEEK:] & usable[:-WEEK]
    return float(np.abs(demand[WEEK:] - demand[:-WEEK])[both].mean()) if both.any() else float("nan")
