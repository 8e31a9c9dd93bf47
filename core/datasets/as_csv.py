"""A table as CSV for people: UTF-8 with the mark that spreadsheets need, and no cell that is a formula."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.datasets.formulas import marked
from core.datasets.table_types import Column, Row, plain

if TYPE_CHECKING:
    import pyarrow

MARK = "\ufeff"
# With it the library quotes a cell that holds half of it.
LINE_END = "\r\n"
MOMENT = "%Y-%m-%d %H:%M:%S"
PIECE_ROWS = 2_000


def write(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """The table in pieces of some thousand rows, the header first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=LINE_END)
    text.write(MARK)
    writer.writerow([marked(column.header) for column in columns])
    cells = [_CELL.get(column.kind, str) for column in columns]
    for number, row in enumerate(rows, 1):
        writer.writerow(
            ["" if value is None else cell(value) for cell, value in zip(cells, row, strict=True)]
        )
        if number % PIECE_ROWS == 0:
            yield _taken(text)
    yield _taken(text)


def write_batches(columns: Sequence[Column], batches: Iterable["pyarrow.RecordBatch"]) -> Iterator[bytes]:
    """The same for millions of rows, whose columns come as Arrow arrays: a piece for each batch.

    Arrow ends its lines with a line feed, so the header does too.
    """
    yield b"".join(write(columns, ())).replace(LINE_END.encode(), b"\n")
    for batch in batches:
        yield _lines(columns, batch)


def _lines(columns: Sequence[Column], batch: "pyarrow.RecordBatch") -> bytes:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    cells = [_in_words(column.kind, array) for column, array in zip(columns, batch.columns, strict=True)]
    table = pa.table(cells, names=[str(place) for place in range(len(cells))])
    piece = pa.BufferOutputStream()
    arrow_csv.write_csv(table, piece, arrow_csv.WriteOptions(include_header=False, quoting_style="needed"))
    return piece.getvalue().to_pybytes()


def _in_words(kind: str, array: "pyarrow.Array") -> "pyarrow.Array":
    """A column as its cells are written."""
    import pyarrow as pa
    from pyarrow import compute as pc

    if kind == "text":
        array = _marked(array)
        return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array
    if kind in ("quantity", "money"):
        words = pc.cast(array, pa.string())
        # Zeros behind the point only: 12.5, 100.
        return pc.utf8_rtrim(pc.replace_substring_regex(words, r"(\.\d*?)0+$", r"\1"), ".")
    if kind == "moment":  # of whole seconds: Arrow would write their parts too
        seconds = pc.floor_temporal(array, unit="second").cast(pa.timestamp("s", "UTC"))
        return pc.strftime(seconds, MOMENT)
    return array


def _marked(array: "pyarrow.Array") -> "pyarrow.Array":
    """Text in which nothing is a formula; of a dictionary only its few values are looked at."""
    import pyarrow as pa

    if isinstance(array, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(array.indices, _marked(array.dictionary))
    texts = [None if text is None else marked(text) for text in array.to_pylist()]
    return pa.array(texts, pa.string())


def moment(at: datetime) -> str:
    """As spreadsheets read a time; the header says that it is UTC."""
    return f"{at:{MOMENT}}"


_CELL: dict[str, Callable[[Any], str]] = {
    "text": marked,
    "quantity": plain,
    "money": plain,
    "yes": lambda yes: "yes" if yes else "no",
    "moment": moment,
}


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode("utf-8", "replace")
    text.seek(0)
    text.truncate()
    return piece
