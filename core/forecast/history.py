"""What a forecaster sees: daily demand per product on one calendar, and what one product's days tell."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

MAX_DECIMALS = 4  # the ledger keeps quantities as numeric(18,4)
BULK_SIZES = 5.0  # a day of more than so many mean sizes is drawn as so many; 5 to 8 are as good, 3 is not


@dataclass(frozen=True)
class Series:
    """One product's daily demand from its first day to the last day of the history (age 0 = that last day).

    `demand` and `in_stock` have the shape (days,). On a day without stock the demand is a lower bound.
    """

    unique_id: str
    demand: np.ndarray
    in_stock: np.ndarray
    end_weekday: int  # 0 = Monday, weekday of the last day
    until: pd.Timestamp | None = None  # the last day itself, for members that know a calendar

    @property
    def days(self) -> int:
        return len(self.demand)

    @cached_property
    def decimals(self) -> int:
        """Decimals in which this product is sold (0 to 4): forecasts are rounded to the same grain."""
        return decimals_of(self.demand)

    @cached_property
    def usable(self) -> np.ndarray:
        """Days that show demand as it was. A product never in stock has only its sales to go by."""
        return self.in_stock if self.in_stock.any() else np.ones(self.days, bool)

    @cached_property
    def age(self) -> np.ndarray:
        return np.arange(self.days - 1, -1, -1)

    @cached_property
    def weekday(self) -> np.ndarray:
        return (self.end_weekday - self.age) % 7

    @cached_property
    def without_bulk(self) -> "Series":
        """The same with days of bulk at five mean sizes: how large the largest order was says little about
        the next one, and each draw would repeat it in full."""
        sold = self.demand > 0
        if not sold.any():
            return self
        return replace(self, demand=np.minimum(self.demand, BULK_SIZES * self.demand[sold].mean()))

    def recency(self, half_life_days: float) -> np.ndarray:
        """Exponential weights (days,), 1 for the last day; days without stock weigh nothing."""
        return 0.5 ** (self.age / half_life_days) * self.usable

    def level(self, half_life_days: float) -> float:
        """Recency-weighted mean demand per day in stock."""
        weights = self.recency(half_life_days)
        return float(weights @ self.demand / weights.sum())

    def rng(self, seed: int, stream: str) -> np.random.Generator:
        """Randomness that belongs to this product alone, whatever else is trained in the same call."""
        digest = hashlib.blake2b(f"{self.unique_id}\x00{stream}".encode(), digest_size=8).digest()
        return np.random.default_rng([seed, int.from_bytes(digest, "little")])


@dataclass(frozen=True)
class History:
    """Dense daily demand of many products, all ending on the same day.

    `demand` (products, days) is NaN before a product's first day; `in_stock` has the same shape.
    """

    ids: tuple[str, ...]
    demand: np.ndarray
    in_stock: np.ndarray
    until: pd.Timestamp

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def first(self) -> np.ndarray:
        """Column of each product's first day, shape (products,)."""
        return np.isfinite(self.demand).argmax(axis=1)

    def series(self, row: int) -> Series:
        start = self.first[row]
        return Series(
            self.ids[row],
            self.demand[row, start:],
            self.in_stock[row, start:],
            self.until.weekday(),
            self.until,
        )

    def __iter__(self) -> Iterator[Series]:
        return (self.series(row) for row in range(len(self)))

    def take(self, rows: slice | np.ndarray) -> "History":
        """The history of some of the products."""
        ids = tuple(np.array(self.ids, dtype=object)[rows])
        return History(ids, self.demand[rows], self.in_stock[rows], self.until)

    def chunks(self, size: int) -> Iterator["History"]:
        """The same products a few at a time, so that their paths fit in memory."""
        return (self.take(slice(start, start + size)) for start in range(0, len(self), size))

    def before(self, last_day: pd.Timestamp) -> "History":
        """What was known at the end of `last_day`; products that did not exist yet are left out."""
        columns = self.demand.shape[1] - (self.until - pd.Timestamp(last_day)).days
        if columns < 1:
            raise ValueError(f"The history begins after {pd.Timestamp(last_day):%Y-%m-%d}.")
        known = replace(
            self,
            demand=self.demand[:, :columns],
            in_stock=self.in_stock[:, :columns],
            until=pd.Timestamp(last_day),
        )
        return known.take(np.flatnonzero(np.isfinite(known.demand[:, -1])))


def from_frame(frame: pd.DataFrame, until: pd.Timestamp | None = None) -> History:
    """Frame `unique_id, ds, y` (optional `in_stock`), every day or only days with sales, to a History.

    A product lives from its first row to `until` (the last day of the frame when not given; hand it in when
    training only some products, so that the end does not depend on which). Absent days are days in stock
    without demand, rows of the same day are added, rows after `until` are not seen.
    Raises ValueError on negative or missing demand and on an empty frame.
    """
    days = pd.to_datetime(frame["ds"]).dt.tz_localize(None).dt.normalize()
    last = pd.Timestamp(until).normalize() if until is not None else days.max()
    seen = (days <= last).to_numpy()
    days, frame = days[seen], frame[seen]
    if frame.empty:
        raise ValueError("There is no demand to learn from: the frame has no row up to its last day.")
    quantity = frame["y"].to_numpy(float)
    if not np.isfinite(quantity).all() or (quantity < 0).any():
        raise ValueError("Demand must be a number of at least 0 on every day; use net demand per day.")
    codes, ids = pd.factorize(frame["unique_id"].astype(str), sort=True)
    column = (days - days.min()).dt.days.to_numpy()
    shape = (len(ids), (last - days.min()).days + 1)
    demand, in_stock = np.zeros(shape), np.ones(shape, bool)
    np.add.at(demand, (codes, column), quantity)
    if "in_stock" in frame:
        np.logical_and.at(in_stock, (codes, column), frame["in_stock"].to_numpy(bool))
    first = np.full(len(ids), shape[1])
    np.minimum.at(first, codes, column)
    demand[np.arange(shape[1]) < first[:, None]] = np.nan
    return History(tuple(ids), demand, in_stock, last)


def decimals_of(quantities: np.ndarray) -> int:
    """Fewest decimals (0 to 4) that write all the quantities; 4 when none does."""
    for decimals in range(MAX_DECIMALS):
        scaled = quantities * 10.0**decimals
        if np.allclose(scaled, np.rint(scaled), rtol=1e-13, atol=1e-5):
            return decimals
    return MAX_DECIMALS


def demand_class(demand: np.ndarray, in_stock: np.ndarray | None = None, open_share: float = 1.0) -> str:
    """smooth, erratic, intermittent or lumpy; "sparse" with fewer than two days of demand.

    Cut at an interval between demands of 1.32 and a squared variation of sizes of 0.49 (Syntetos, Boylan &
    Croston 2005, JORS 56, 495-503). Days without stock do not count; `open_share` is the share of calendar
    days on which the shop sells, so that a closed Sunday does not make every product intermittent.
    """
    shown = demand if in_stock is None else demand[in_stock | (demand > 0)]
    sizes = shown[shown > 0]
    if len(sizes) < 2:
        return "sparse"
    interval = len(shown) / len(sizes) * open_share
    variation = (sizes.std() / sizes.mean()) ** 2
    if interval < 1.32:
        return "smooth" if variation < 0.49 else "erratic"
    return "intermittent" if variation < 0.49 else "lumpy"
