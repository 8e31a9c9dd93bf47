"""Slips of the last weeks: lines of the demo's ledger as somebody typed them, not as they happened."""

from datetime import date

import numpy as np
import pandas as pd

# Kind and how many days ago, so that one is fresh every morning and the others are still to be seen.
SLIPS = (("price", 3), ("ten", 5), ("twice", 6), ("swapped", 9), ("price", 12), ("ten", 17))
SEARCHED_DAYS = 4  # before the day that is asked for: Sundays and quiet days have no fitting line
LEAST_TEN, LEAST_TWICE = 4, 2  # pieces: ten times one is what many people buy
LEAST_LEFT = 10  # pieces that the shelf keeps after the slip, or the story of its product would change


def made(lines: pd.DataFrame, today: date, told: set[str], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ledger with the slips in it, and where they are: kind, line (row), was (quantity or price).

    Only sales without a return change, of products that no story is `told` about, and only where the shelf
    still holds what the slip takes away, on every day until `today`.
    """
    lines, rng = lines.copy(), np.random.default_rng(seed)
    done: list[tuple[str, int, float]] = []
    for kind, days_ago in SLIPS:
        mistyped = lines.sku.iloc[[row for _, row, _ in done]]
        able = _able(lines, today, days_ago, told | set(mistyped))
        for row in able.iloc[rng.permutation(len(able))].sort_values("age", kind="stable").index:
            if (slip := SLIP_OF[kind](lines, able.index, int(row))) is not None:
                row, was, changes = slip
                for name, value in changes.items():
                    lines.loc[row, name] = value
                done.append((kind, row, was))
                break
    return lines, pd.DataFrame(done, columns=["kind", "line", "was"])


def _able(lines: pd.DataFrame, today: date, days_ago: int, taken: set[str]) -> pd.DataFrame:
    """Sales of about that day that may have been mistyped, with their age in days."""
    age = lines.day.map(lambda day: (today - day).days)
    is_near = age.between(days_ago, days_ago + SEARCHED_DAYS) & (lines.reason_code == "sale")
    returned = set(lines.returns_line.dropna().astype(int))
    return lines.assign(age=age)[is_near & ~lines.sku.isin(taken) & ~lines.index.isin(returned)]


# Each answers the row, what was true and the changes; None when the line is not one for such a slip.
Slip = tuple[int, float, dict] | None


def _price(lines: pd.DataFrame, _able: pd.Index, row: int) -> Slip:
    true = float(lines.unit_price[row])
    return row, true, {"unit_price": round(true * 10, 2)}


def _twice(lines: pd.DataFrame, able: pd.Index, row: int) -> Slip:
    """The line after it on the same paper is forgotten, and this one stands there again."""
    line, after = lines.loc[row], row + 1
    if after not in able or lines.reference_id[after] != line.reference_id or lines.sku[after] == line.sku:
        return None
    if -line.change < LEAST_TWICE or _left(lines, row) < LEAST_LEFT - line.change:
        return None
    return after, float(-lines.change[after]), {name: line[name] for name in ("sku", "change", "unit_price")}


def _ten(lines: pd.DataFrame, _able: pd.Index, row: int) -> Slip:
    true = -int(lines.change[row])
    return _quantity(lines, row, true * 10) if true >= LEAST_TEN else None


def _swapped(lines: pd.DataFrame, _able: pd.Index, row: int) -> Slip:
    true = -int(lines.change[row])
    wrong = int(str(true)[::-1])
    return _quantity(lines, row, wrong) if wrong > true else None


def _quantity(lines: pd.DataFrame, row: int, wrong: int) -> Slip:
    true = -int(lines.change[row])
    enough = _left(lines, row) >= wrong - true + LEAST_LEFT
    return (row, float(true), {"change": -wrong}) if enough else None


def _left(lines: pd.DataFrame, row: int) -> int:
    """The least that the line's shelf held from it on."""
    line = lines.loc[row]
    shelf = lines[(lines.sku == line.sku) & (lines.warehouse == line.warehouse)].change.cumsum()
    return int(shelf[shelf.index >= row].min())


SLIP_OF = {"price": _price, "ten": _ten, "twice": _twice, "swapped": _swapped}
