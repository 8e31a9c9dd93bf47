"""When the stock runs out: first passage of cumulative demand over what is there and what arrives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-6  # far below the ledger's fourth decimal, above the rounding of a sum of floats
RATE_DAYS = 28
PERCENTILES = (10, 25, 50, 75, 90)

Receipts = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class RunOut:
    """The answer for one product. Days are 1-based, day 1 is the day after the forecast's last day of data.

    `p10`/`p50`/`p90`: in 10, 50, 90 % of the futures the stock is used up by the end of that day; 0 when
    there is nothing on hand, None beyond the horizon. Chances lie in 0..1 and only grow with the days.
    """

    p10: int | None
    p50: int | None
    p90: int | None
    chance_7: float
    chance_14: float
    chance_30: float
    chance_before_replenishment: float  # used up before an order placed today arrives
    expected_lost: float  # units asked for and not there until that order arrives
    daily_rate: float  # expected demand per day over the next 28 days
    days_of_cover: float | None  # stock on hand over the daily rate; None when nothing is expected to sell
    horizon_days: int

    @property
    def is_out(self) -> bool:
        return self.p90 == 0


def first_passage(cumulative: np.ndarray, available: np.ndarray | float) -> np.ndarray:
    """First day (1-based) on which cumulative demand reaches what is available; days + 1 when it never does.

    `cumulative` (..., days), `available` broadcasts to it (a number, or the stock with receipts by day).
    """
    reached = cumulative >= np.asarray(available) - TOLERANCE
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1, cumulative.shape[-1] + 1)


def available_by_day(stock: float, receipts: Receipts, horizon_days: int) -> np.ndarray:
    """Stock plus all that has arrived, by day (days,). A receipt can be sold on the day it arrives.

    A receipt of day 0 or earlier (overdue, expected any moment) counts from day 1; one beyond the horizon
    not at all. Raises ValueError on negative quantities.
    """
    if stock < 0:
        raise ValueError(f"Stock on hand cannot be negative, it is {stock}.")
    arriving = np.zeros(horizon_days)
    for day, quantity in receipts:
        if quantity < 0:
            raise ValueError(f"A receipt cannot be negative, the one of day {day} is {quantity}.")
        if day <= horizon_days:
            arriving[max(int(day), 1) - 1] += quantity
    return stock + np.cumsum(arriving)


def run_out(cumulative: np.ndarray, stock: float, receipts: Receipts = (), *, lead_time_days: int) -> RunOut:
    """The run-out of one product from its cumulative demand paths (paths, days).

    An order placed today arrives on the morning after `lead_time_days` days, so those days are at risk.
    A chance over more days than the horizon speaks of the horizon only. Lost units follow from the paths by
    the reflection of a store that cannot go below zero: the largest excess of demand over supply so far.
    """
    return run_outs(cumulative[None], [stock], [receipts], lead_times_days=[lead_time_days])[0]


def run_outs(
    cumulative: np.ndarray,
    stocks: Sequence[float],
    receipts: Sequence[Receipts] | None = None,
    *,
    lead_times_days: Sequence[int],
) -> list[RunOut]:
    """Run-outs of many products: cumulative demand (products, paths, days), the rest one per product."""
    horizon = cumulative.shape[2]
    stocks = np.asarray(stocks, float)
    arrivals = receipts if receipts is not None else [()] * len(stocks)
    available = np.array(
        [available_by_day(stock, due, horizon) for stock, due in zip(stocks, arrivals, strict=True)]
    ).reshape(len(stocks), 1, horizon)
    days = np.where(stocks[:, None] > 0, first_passage(cumulative, available), 0)
    quantiles = np.quantile(days, (0.1, 0.5, 0.9), axis=1, method="inverted_cdf").T.astype(int)
    leads = np.clip(np.asarray(lead_times_days, int), 0, horizon)
    by_7, by_14, by_30 = (np.mean(days <= min(limit, horizon), axis=1) for limit in (7, 14, 30))
    before = np.mean(days <= leads[:, None], axis=1)
    lost = expected_lost(cumulative, available, leads)
    rate_days = min(RATE_DAYS, horizon)
    rates = cumulative[:, :, rate_days - 1].mean(axis=1) / rate_days
    return [
        RunOut(
            *(int(day) if day <= horizon else None for day in quantiles[row]),
            chance_7=float(by_7[row]),
            chance_14=float(by_14[row]),
            chance_30=float(by_30[row]),
            chance_before_replenishment=float(before[row]),
            expected_lost=float(lost[row]),
            daily_rate=float(rates[row]),
            days_of_cover=float(stocks[row] / rates[row]) if rates[row] > 0 else None,
            horizon_days=horizon,
        )
        for row in range(len(stocks))
    ]


def expected_lost(cumulative: np.ndarray, available: np.ndarray, leads: np.ndarray) -> np.ndarray:
    """Mean units of unmet demand within the first `leads` days, shape (products,)."""
    longest = int(leads.max(initial=0))  # the days after it are most of the horizon
    excess = np.maximum(cumulative[:, :, :longest] - available[:, :, :longest], 0.0)
    excess *= np.arange(longest) < leads[:, None, None]
    return excess.max(axis=2, initial=0.0).mean(axis=1)


def stock_left(cumulative: np.ndarray, stock: float, receipts: Receipts = ()) -> np.ndarray:
    """Stock at the end of each day (paths, days) of one product, from its demand paths.

    Whoever finds the shelf empty does not come back: demand of a day without stock is lost, so a receipt
    fills an empty shelf from zero and does not first pay off what was asked for before it came.
    """
    available = available_by_day(stock, receipts, cumulative.shape[1])
    short = np.maximum(cumulative - available, 0.0)
    lost = np.maximum.accumulate(short, axis=1)
    return np.maximum(available - cumulative + lost, 0.0)


def fan(cumulative: np.ndarray, decimals: int = 2) -> dict[str, list[float]]:
    """Quantiles over the paths for every day, `{"p10": [...], ..., "p90": [...]}`, rounded.

    For a chart: a run-out day must come from the paths (`run_out`), never from crossing these lines with
    other lines.
    """
    ordered = np.sort(cumulative, axis=0)  # once; np.percentile takes five times as long to find the same
    last = len(ordered) - 1
    lines = {}
    for percentile in PERCENTILES:
        below = last * percentile // 100
        share = last * percentile / 100 - below
        line = ordered[below] + (ordered[min(below + 1, last)] - ordered[below]) * share
        lines[f"p{percentile}"] = np.round(line, decimals).tolist()
    return lines
