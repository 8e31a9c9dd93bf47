"""Numbers and moments as text, a whole column at a time: exact, and the shortest way to write them.

A number is counted in units of its last digit, so nothing here knows floating point.
"""

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

DAY_SECONDS = 86_400
MICROSECONDS = 1_000_000
# A moment is written as 2026-03-01T12:30:15.500000Z.
MOMENT = np.dtype(
    [
        ("day", "S10"),
        ("T", "S1"),
        ("second", "S8"),
        (".", "S1"),
        ("milli", "S3"),
        ("micro", "S3"),
        ("Z", "S1"),
    ]
)


def number(units: np.ndarray, digits: int, group: int) -> list["pa.Array"]:
    """Pieces that stand side by side: the whole part with its sign, then the decimals without idle zeros.

    Args:
        units: int64, the numbers in units of 10**-digits.
        digits: decimals, a multiple of `group`.
        group: so many of them are written at once, out of a table with 10**group entries.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    negative = units < 0
    rest = np.abs(units)
    groups: list[np.ndarray] = []
    for _ in range(digits // group):
        rest, last = np.divmod(rest, 10**group)
        groups.insert(0, last)
    whole = pa.array(np.where(negative, -rest, rest)).cast(pa.string())
    lost = negative & (rest == 0)
    if lost.any():  # the whole part of -0.5 does not know its sign
        whole = pc.if_else(pa.array(lost), "-0", whole)
    return [whole, *_decimals(groups, group)]


def _decimals(groups: list[np.ndarray], group: int) -> list["pa.Array"]:
    import pyarrow as pa

    pieces: list[pa.Array] = []
    follows = np.zeros(len(groups[0]), dtype=bool)
    for place in reversed(range(len(groups))):
        digits = groups[place]
        # Trimmed where nothing follows, with all its digits where something does.
        table = _digit_table(group, is_first=place == 0)
        pieces.insert(0, table.take(pa.array(digits + np.where(follows, 10**group, 0))))
        follows |= digits > 0
    return pieces


@functools.cache
def _digit_table(group: int, is_first: bool) -> "pa.Array":
    """Texts of 0 to 10**group - 1 as decimals: without zeros at the end, then once more with them."""
    import pyarrow as pa

    point = "." if is_first else ""
    full = [f"{value:0{group}d}" for value in range(10**group)]
    trimmed = [text.rstrip("0") for text in full]
    return pa.array([point + text if text else "" for text in trimmed] + [point + text for text in full])


def moment(microseconds: np.ndarray) -> "pa.Array":
    """ISO 8601 with microseconds and Z; `microseconds` count from 1970, years 1 to 9999."""
    import pyarrow as pa

    second, micro = np.divmod(microseconds, MICROSECONDS)
    day, second = np.divmod(second, DAY_SECONDS)
    milli, micro = np.divmod(micro, 1000)
    written = np.empty(len(microseconds), dtype=MOMENT)
    days = pa.array(day).dictionary_encode()
    names = days.dictionary.to_numpy().astype("datetime64[D]").astype("S10")
    written["day"] = names[days.indices.to_numpy()]
    written["second"] = _seconds()[second]
    written["milli"], written["micro"] = _thousand()[milli], _thousand()[micro]
    written["T"], written["."], written["Z"] = b"T", b".", b"Z"
    ends = np.arange(len(written) + 1, dtype=np.int32) * MOMENT.itemsize
    return pa.Array.from_buffers(pa.string(), len(written), [None, pa.py_buffer(ends), pa.py_buffer(written)])


@functools.cache
def _seconds() -> np.ndarray:
    return np.array([f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(DAY_SECONDS)], "S8")


@functools.cache
def _thousand() -> np.ndarray:
    return np.array([f"{value:03d}" for value in range(1000)], "S3")


def long_number(units: np.ndarray, digits: int) -> "pa.Array":
    """As `number`, of Python's integers of any length: whole texts, slowly."""
    import pyarrow as pa

    texts = []
    for value in units:
        whole, decimals = divmod(abs(value), 10**digits)
        written = f"{'-' if value < 0 else ''}{whole}.{decimals:0{digits}d}"
        texts.append(written.rstrip("0").rstrip("."))
    return pa.array(texts, pa.string())
