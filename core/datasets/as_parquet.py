"""A table as Parquet: exact decimals, days, times in UTC; for programs, so columns have their short names."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from core.datasets.table_types import Column, Row
from core.ledger_export.outlet import Outlet

if TYPE_CHECKING:
    import pyarrow

GROUP_ROWS = 20_000


def schema(columns: Sequence[Column]) -> "pyarrow.Schema":
    """The columns as Arrow types."""
    import pyarrow as pa

    types = {
        "text": pa.string(), "whole": pa.int64(), "share": pa.float64(),
        "number": pa.float64(), "yes": pa.bool_(),
        "quantity": pa.decimal128(22, 4), "money": pa.decimal128(22, 4),
        "day": pa.date32(), "moment": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    return pa.schema([(column.name, types[column.kind]) for column in columns])


def write(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """The file, one piece for each group of rows."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    types, rows, sink = schema(columns), iter(rows), Outlet()
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), types, compression="zstd") as writer:
        while group := list(islice(rows, GROUP_ROWS)):
            arrays = [
                pa.array(column, field.type)
                for column, field in zip(zip(*group, strict=True), types, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=types))
            yield sink.taken()
    yield sink.taken()
