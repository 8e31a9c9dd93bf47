"""Arithmetic: what happened besides the sales: which return undoes which sale, and when stock came.

Quantities are integers of ten-thousandths, days are day numbers. A `pair` is a product in a warehouse.
"""

import numpy as np
import pandas as pd

from core.imports.table_dialect import SCALE

RETURN_WINDOW = np.timedelta64(14, "D")
A_MONDAY = 4  # 5 January 1970
TRAILING_WEEKS = 8
COVER_WEEKS = 3
OPENING_DAYS = 21

OPENING = "Opening stock"
WEEKLY = "Weekly order: 21 days of the demand known by then"
TOP_UP = "Order for a sale larger than the stock"
NOTHING = pd.DataFrame(
    {"pair": np.array([], np.int64), "day": np.array([], np.int64), "quantity": np.array([], np.int64)}
).assign(why=pd.Series([], dtype=object))


def match_returns(lines: pd.DataFrame) -> np.ndarray:
    """For each line the place of the sale that it takes back, -1 for sales and unmatched returns.

    A return takes back the latest sale not taken back yet with equal pair, customer and quantity, at most
    14 days before it.

    Args:
        lines: pair, customer, change (below zero for a sale) and at (datetime64).
    """
    partner = np.full(len(lines), -1, np.int64)
    key = lines.groupby(["pair", "customer", lines["change"].abs()], sort=False).ngroup().to_numpy()
    is_return = lines["change"].to_numpy() > 0
    places = np.flatnonzero(np.isin(key, key[is_return]))
    at = lines["at"].to_numpy()
    # At one moment the sale comes first: a till may write both with the same minute.
    places = places[np.lexsort((places, is_return[places], at[places]))]
    open_sales: dict[int, list[int]] = {}
    for place in places:
        waiting = open_sales.setdefault(key[place], [])
        if not is_return[place]:
            waiting.append(place)
        elif waiting and at[place] - at[waiting[-1]] <= RETURN_WINDOW:
            partner[place] = waiting.pop()
    return partner


def reconstruct(lines: pd.DataFrame) -> pd.DataFrame:
    """Opening stock and receipts that let every line happen, by a stated policy.

    The first day finds the demand of the first 21 days on the shelf, and one piece. Every Monday from the
    third on each product is ordered up to three weeks of the demand known by then: the median of the last
    eight weeks, or the mean of the last two where that is less. So one bulk order does not fill the shelf,
    and what goes out of season is not bought any more. Where a day would leave less than one piece, what is
    missing and the same three weeks come in the morning of that day. So stock never ends: sales alone do not
    tell when the shop had none.

    Args:
        lines: pair (0..n-1), day, change; in the order in which they happened. Undone sales and their
            returns are left out by the caller.

    Returns pair, day, quantity, why; every receipt belongs to the start of its day.
    """
    if lines.empty:
        return NOTHING
    days = _by_day(lines)
    pairs = int(lines["pair"].max()) + 1
    opening = _opening(days, pairs)
    stock = np.zeros(pairs, np.int64)
    target = np.zeros(pairs, np.int64)
    this_week = np.zeros(pairs, np.int64)
    weeks = np.zeros((pairs, TRAILING_WEEKS), np.int64)
    weeks_known = np.full(pairs, -1)  # -1: not begun
    booked: list[tuple[np.ndarray, int, np.ndarray, str]] = []

    def receive(which: np.ndarray, day: int, quantity: np.ndarray, why: str) -> None:
        which, quantity = which[quantity > 0], quantity[quantity > 0]
        stock[which] += quantity
        if len(which):
            booked.append((which, day, quantity, why))

    groups = {int(day): group for day, group in days.groupby("day")}
    first, last = min(groups), max(groups)
    mondays = range(first + 1 + (A_MONDAY - first - 1) % 7, last + 1, 7)
    for day in sorted(groups.keys() | set(mondays)):
        if day in mondays:
            begun = weeks_known >= 0
            weeks = np.roll(weeks, 1, axis=1)
            weeks[:, 0] = this_week
            this_week[:] = 0
            weeks_known[begun] = np.minimum(weeks_known[begun] + 1, TRAILING_WEEKS)
            target = _target(weeks, weeks_known)
            due = np.flatnonzero(begun & (stock < target))
            receive(due, day, _whole(target[due] - stock[due]), WEEKLY)
        if day in groups:
            group = groups[day]
            who, need = group["pair"].to_numpy(), group["need"].to_numpy()
            new = weeks_known[who] < 0
            weeks_known[who[new]] = 0
            receive(who[new], day, opening[who[new]], OPENING)
            short = (need > 0) & (stock[who] - need < SCALE)
            wanted = need[short] + np.maximum(target[who[short]], SCALE) - stock[who[short]]
            receive(who[short], day, _whole(wanted), TOP_UP)
            stock[who] -= group["net"].to_numpy()
            this_week[who] += group["sold"].to_numpy()
    parts = [pd.DataFrame({"pair": w, "day": d, "quantity": q, "why": y}) for w, d, q, y in booked]
    return pd.concat([NOTHING, *parts], ignore_index=True) if parts else NOTHING


def cover(pair: np.ndarray, change: np.ndarray, level: np.ndarray, *, correct: bool) -> np.ndarray:
    """How much is missing before each line, in the order in which the lines happen.

    With `correct` the missing quantity is taken as found (booked before the line), else the line is left out.

    Args:
        level: on hand for each pair before the first line.
    """
    stock = [int(quantity) for quantity in level]
    missing = np.zeros(len(pair), np.int64)
    for place, (which, signed) in enumerate(zip(pair.tolist(), change.tolist(), strict=True)):
        after = stock[which] + signed
        if after >= 0:
            stock[which] = after
            continue
        missing[place] = -after
        if correct:
            stock[which] = 0
    return missing


def _by_day(lines: pd.DataFrame) -> pd.DataFrame:
    """For each pair and day: net quantity out, gross quantity sold, and the most that was out at a time."""
    out = -lines["change"]
    grouped = pd.DataFrame(
        {"pair": lines["pair"], "day": lines["day"], "net": out, "sold": out.clip(lower=0)}, copy=True
    )
    grouped["need"] = grouped.groupby(["pair", "day"], sort=False)["net"].cumsum().clip(lower=0)
    return grouped.groupby(["pair", "day"], as_index=False).agg(
        net=("net", "sum"), sold=("sold", "sum"), need=("need", "max")
    )


def _opening(days: pd.DataFrame, pairs: int) -> np.ndarray:
    """Demand of each pair's first days and one piece; nothing where nothing was sold in them."""
    begins = days.groupby("pair")["day"].transform("min")
    early = days[days["day"] < begins + OPENING_DAYS]
    sold = np.zeros(pairs, np.int64)
    sums = early.groupby("pair")["sold"].sum()
    sold[sums.index] = sums.to_numpy()
    return np.where(sold > 0, _whole(sold) + SCALE, 0)


def _target(weeks: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Three weeks of the demand known: whole pieces, at least one; one while the opening stock lasts."""
    count = np.maximum(known, 1)
    largest_first = np.sort(weeks, axis=1)[:, ::-1]
    median = largest_first[np.arange(len(weeks)), count // 2]
    rate = np.minimum(median, weeks[:, :2].sum(axis=1) // 2)
    return np.where(known < OPENING_DAYS // 7, SCALE, np.maximum(_whole(COVER_WEEKS * rate), SCALE))


def _whole(quantity: np.ndarray) -> np.ndarray:
    """Rounded up to whole pieces."""
    return -(-quantity // SCALE) * SCALE
