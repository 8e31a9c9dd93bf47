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
LINE_END = "\r\n"
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
    """The same for millions of rows, whose columns come as Arrow arrays: a piece for each batch."""
    yield from write(columns, ())
    for batch in batches:
        yield _lines(columns, batch)


def _lines(columns: Sequence[Column], batch: "pyarrow.RecordBatch") -> bytes:
    import polars as pl

    cells = []
    for column, array in zip(columns, batch.columns, strict=True):
        if column.kind == "text":
            array = _marked(array)
        cell = pl.Series(column.name, array)
        match column.kind:
            case "quantity" | "money":
                cell = cell.cast(pl.String)
                # Zeros behind the point only: 12.5, 100.
                cell = cell.str.replace(r"(\.\d*?)0+$", "$1").str.strip_suffix(".")
            case "moment":
                cell = cell.dt.strftime("%Y-%m-%d %H:%M:%S")
        cells.append(cell)
    return pl.DataFrame(cells).write_csv(include_header=False, line_terminator=LINE_END).encode()


def _marked(array: "pyarrow.Array") -> "pyarrow.Array":
    """Text in which nothing is a formula; of a dictionary only its few values are looked at."""
    import pyarrow as pa

    if isinstance(array, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(array.indices, _marked(array.dictionary))
    texts = [None if text is None else marked(text) for text in array.to_pylist()]
    return pa.array(texts, pa.string())


def moment(at: datetime) -> str:
    """As spreadsheets read a time; the header says that it is UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


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
