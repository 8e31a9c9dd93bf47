"""Rows of features as they arrive at the scoring process: JSON, CSV or .npy, each strictly read."""

import io
import json
import tokenize
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

MOST_BYTES = 6_000_000  # what every SageMaker endpoint lets through
MOST_ROWS = 100_000
# What numpy lets through of Python's parser, which reads the header.
UNREADABLE = (ValueError, EOFError, SyntaxError, TypeError, MemoryError, RecursionError, tokenize.TokenError)
CELL_TYPES = (int, float, type(None))


class WrongRows(Exception):
    """Rows that cannot be scored; the sentence says which and why."""


def of_json(body: bytes, width: int, version: str) -> np.ndarray:
    """`{"feature_version": ..., "instances": [[...], ...]}`; null is a value that is not known."""
    try:
        asked = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise WrongRows("The body is not JSON (a value that is not known is null, not NaN).") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("instances"), list):
        raise WrongRows('The body is {"feature_version": "...", "instances": [[...], ...]}.')
    if asked.get("feature_version") != version:
        raise WrongRows(
            f"These features have the version {_shown(asked.get('feature_version'))}, this model was trained "
            f"on {version}: train it again, or ask the model of that version."
        )
    rows = asked["instances"]
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            had = len(row) if isinstance(row, list) else "no list of"
            raise WrongRows(f"Row {number} has {had} values, not {width}.")
        if not all(type(cell) in CELL_TYPES for cell in row):
            raise WrongRows(f"Row {number} holds something else than numbers and null.")
    try:
        return _sane(np.array(rows, np.float64).reshape(len(rows), width))
    except OverflowError:
        raise WrongRows("A number is too large.") from None


def of_csv(body: bytes, width: int, _version: str) -> np.ndarray:
    """Lines of numbers without a header; an empty cell is a value that is not known."""
    try:
        lines = [line for line in body.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise WrongRows("The lines hold something else than numbers.") from None
    rows = np.empty((len(lines), width))
    for number, line in enumerate(lines):
        cells = line.split(",")
        if len(cells) != width:
            raise WrongRows(f"Row {number} has {len(cells)} values, not {width}.")
        try:
            rows[number] = [float(cell) if cell.strip() else np.nan for cell in cells]
        except ValueError:
            raise WrongRows(f"Row {number} holds something else than numbers (no header, please).") from None
    return _sane(rows)


def of_npy(body: bytes, width: int, _version: str) -> np.ndarray:
    """An array of float32 or float64 as `numpy.save` writes it; nan is a value that is not known."""
    stream = io.BytesIO(body)
    try:
        major, _minor = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(stream)
    except UNREADABLE:
        raise WrongRows("The body is no .npy file.") from None
    if dtype not in (np.float32, np.float64) or is_fortran or len(shape) != 2 or shape[1] != width:
        raise WrongRows(f"The array has the shape {shape} of {dtype}, not (rows, {width}) of float32.")
    # The header may claim any number of rows: what counts is what came.
    rest = body[stream.tell() :]
    if len(rest) != shape[0] * width * dtype.itemsize:
        raise WrongRows("The array is not as long as its header says.")
    return _sane(np.frombuffer(rest, dtype).reshape(-1, width))


READERS: dict[str, Callable[[bytes, int, str], np.ndarray]] = {
    "application/json": of_json,
    "text/csv": of_csv,
    "application/x-npy": of_npy,
}


def _sane(rows: np.ndarray) -> np.ndarray:
    if len(rows) > MOST_ROWS:
        raise WrongRows(f"A request holds at most {MOST_ROWS:,} rows.")
    with np.errstate(over="ignore"):
        narrow = rows.astype(np.float32)
    if np.isinf(narrow).any():
        raise WrongRows("A number is too large.")
    return np.nan_to_num(narrow, copy=False, nan=0.0)  # as core/anomaly/features.py has what nobody knows


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _shown(given: Any) -> str:
    return f"'{given[:80]}'" if isinstance(given, str) else "none"
