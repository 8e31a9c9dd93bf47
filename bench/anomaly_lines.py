"""Invoice lines of a shop, read for the search for odd movements.

A file has `InvoiceNo, StockCode, Quantity` (signed: below zero is a return), `InvoiceDate, UnitPrice,
CustomerID` in booking order; other columns do not matter. That an invoice begins with C is never looked at.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.anomaly.lines import FLOWS, NEVER, NOBODY, Lines, Shelf
from core.imports.sales_lines import DIGIT_SHARE, NON_PRODUCT_CODES, NON_PRODUCT_PATTERN

COLUMNS = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
RETAIL_CODE = r"\d{5}[A-Za-z]{0,2}"
"""What names goods in online_retail.csv.gz; the rest is postage, fees, vouchers and corrections."""


@dataclass(frozen=True)
class Stream:
    """The movements among the lines of a file.

    `rows`: place in the file of each movement. `start`: place in `lines` of the first one that is not older
    than the cut; what is booked before it may be learned from. `later`: those that are to be scored.
    """

    lines: Lines
    shelf: Shelf
    rows: np.ndarray
    start: int
    later: np.ndarray


def read(path: Path) -> pd.DataFrame:
    """The file as text, as it stands.

    Raises:
        ValueError: it cannot be read or lacks a column; says which.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, EOFError, UnicodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as trouble:
        raise ValueError(f"{path} could not be read: {trouble}.") from trouble
    missing = [column for column in COLUMNS if column not in frame]
    if missing:
        raise ValueError(f"{path.name} has no column {missing[0]}; it needs {', '.join(COLUMNS)}.")
    return frame[list(COLUMNS)]


def goods(path: Path) -> pd.DataFrame:
    """Sales and returns of goods to measure on: without fees, strange codes and lines at no price.

    Raises:
        ValueError: it cannot be read; says where.
    """
    frame = read(path)
    codes = frame["StockCode"].str.strip()
    is_retail = codes.str.fullmatch(RETAIL_CODE).to_numpy(bool)
    of_goods = is_retail if is_retail.mean() >= DIGIT_SHARE else ~_are_fees(codes)
    return frame[of_goods & (_numbers(frame, "UnitPrice") > 0)].reset_index(drop=True)


def rows_from(frame: pd.DataFrame, cut: pd.Timestamp) -> np.ndarray:
    """Places in the frame of every line of the cut or later, fees and all."""
    return np.flatnonzero(_moments(frame) >= cut.timestamp())


def stream(frame: pd.DataFrame, cut: pd.Timestamp) -> Stream:
    """The lines of a frame as movements; fees and lines of no quantity are none.

    Raises:
        ValueError: a quantity, price or date that cannot be read; names its line.
    """
    quantity = _numbers(frame, "Quantity")
    if np.isnan(quantity).any():
        raise ValueError(_unreadable(frame, "Quantity", np.isnan(quantity)))
    price = _numbers(frame, "UnitPrice")
    at = _moments(frame)
    rows = np.flatnonzero((quantity != 0) & ~_are_fees(frame["StockCode"]))
    quantity, price, at = quantity[rows], price[rows], at[rows]
    of = {column: frame[column].iloc[rows].str.strip() for column in ("StockCode", "InvoiceNo", "CustomerID")}
    product, codes = pd.factorize(of["StockCode"])
    is_later = at >= cut.timestamp()
    start = int(is_later.argmax()) if is_later.any() else len(rows)
    lines = Lines(
        id=rows.astype(np.int64),
        product=product.astype(np.int32),
        place=np.zeros(len(rows), np.int32),
        flow=np.where(quantity > 0, FLOWS.index("out"), FLOWS.index("back")).astype(np.int8),
        change=-quantity,
        price=np.where(price > 0, price, np.nan),
        at=at,
        customer=_who(of["CustomerID"]),
        document=_who(of["InvoiceNo"]),
        person=np.full(len(rows), NOBODY, np.int32),
        before=np.full(len(rows), np.nan),
        void_from=np.full(len(rows), NEVER),
    )
    known = int(product[:start].max(initial=-1)) + 1
    shelf = Shelf(near=_known_of(near(codes), known), codes=dict(enumerate(codes)), place_codes={0: "shop"})
    return Stream(lines, shelf, rows, start, np.flatnonzero(is_later))


def near(codes: Sequence[str]) -> dict[int, list[int]]:
    """By place in `codes`: those with one digit changed, or two neighbouring digits swapped."""
    by_gap: dict[tuple[int, str], list[int]] = defaultdict(list)
    place_of = {code: place for place, code in enumerate(codes)}
    found: dict[int, set[int]] = defaultdict(set)
    for place, code in enumerate(codes):
        for digit in re.finditer(r"\d", code):
            by_gap[digit.start(), code[: digit.start()] + "?" + code[digit.end() :]].append(place)
        for first in range(len(code) - 1):
            if code[first : first + 2].isdigit():
                swapped = code[:first] + code[first + 1] + code[first] + code[first + 2 :]
                if swapped != code and swapped in place_of:
                    found[place].add(place_of[swapped])
    for alike in by_gap.values():
        for one in alike:
            found[one].update(other for other in alike if other != one)
    return {place: sorted(others) for place, others in found.items() if others}


def _known_of(found: dict[int, list[int]], known: int) -> dict[int, list[int]]:
    """Without products that came to be after the cut and after the product itself: nobody knew them then.

    Products are numbered in the order of their first line.
    """
    kept = {one: [other for other in others if other < max(known, one)] for one, others in found.items()}
    return {one: others for one, others in kept.items() if others}


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """The column as floats; nan where a cell is empty.

    Raises:
        ValueError: a cell is neither empty nor a number.
    """
    text = frame[column].str.strip()
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(float)
    numbers = np.where(np.isinf(numbers), np.nan, numbers)
    is_bad = np.isnan(numbers) & ~text.str.lower().isin(["", "nan"]).to_numpy()
    if is_bad.any():
        raise ValueError(_unreadable(frame, column, is_bad))
    return numbers


def _moments(frame: pd.DataFrame) -> np.ndarray:
    """Seconds since 1970; moments without a zone are read as UTC."""
    texts, places = pd.factorize(frame["InvoiceDate"])[::-1]
    moments = pd.to_datetime(pd.Series(texts, dtype=object), format="ISO8601", utc=True, errors="coerce")
    if moments.isna().any():
        raise ValueError(_unreadable(frame, "InvoiceDate", moments.isna().to_numpy()[places]))
    seconds = (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return seconds.to_numpy(float)[places]


def _unreadable(frame: pd.DataFrame, column: str, is_bad: np.ndarray) -> str:
    line = int(is_bad.argmax())
    kind = "a moment such as 2011-09-01 08:26:00" if column == "InvoiceDate" else "a number"
    more = f" ({int(is_bad.sum())} such lines)" if is_bad.sum() > 1 else ""
    return f"Line {line}, {column}: {frame[column].iloc[line]!r} is not {kind}{more}."


def _are_fees(codes: pd.Series) -> np.ndarray:
    """Postage and the like, by the rule of the imports; words count only where product codes have digits."""
    texts, places = pd.factorize(codes)[::-1]
    texts = pd.Series(texts, dtype=str).str.strip().str.lower()
    has_digit = texts.str.contains(r"\d")
    if has_digit.mean() < DIGIT_SHARE:
        return np.zeros(len(codes), bool)
    is_fee = texts.isin(NON_PRODUCT_CODES) | texts.str.match(NON_PRODUCT_PATTERN) | ~has_digit
    return is_fee.to_numpy(bool)[places]


def _who(names: pd.Series) -> np.ndarray:
    """Numbers that tell who is the same; `NOBODY` where nothing is said."""
    numbers, texts = pd.factorize(names)
    is_nobody = pd.Series(texts, dtype=str).str.lower().isin(["", "nan"]).to_numpy(bool)
    return (
        np.where(is_nobody[numbers], NOBODY, numbers).astype(np.int32)
        if len(names)
        else numbers.astype(np.int32)
    )
