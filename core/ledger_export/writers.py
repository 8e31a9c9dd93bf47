"""From parts of the ledger to pieces of a file, one writer for each format."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from core.ledger_export import lines
from core.ledger_export.columns import Columns
from core.ledger_export.names import Names
from core.ledger_export.outlet import Outlet
from core.ledger_export.rows import Rows

if TYPE_CHECKING:
    import pyarrow as pa

Writer = Callable[[Names, Iterable[Rows]], Iterator[bytes]]

LINES_AT_ONCE = 16_384
"""Rows whose text is in memory at once: 7 MB, and as much again while it is put together."""
ROW_GROUP = 65_536
"""Rows of a group in Parquet: twice as many make the file a hundredth smaller and take 15 MB more."""


def csv(names: Names, parts: Iterable[Rows]) -> Iterator[bytes]:
    """A head, then a line for each movement."""
    return _text(lines.CSV, names, parts)


def ndjson(names: Names, parts: Iterable[Rows]) -> Iterator[bytes]:
    """A JSON object and a line feed for each movement."""
    return _text(lines.NDJSON, names, parts)


def arrow(names: Names, parts: Iterable[Rows]) -> Iterator[bytes]:
    """An IPC stream: the schema, the dictionaries, a batch for each part."""
    import pyarrow as pa

    columns, outlet = Columns(names), Outlet()
    with pa.ipc.new_stream(pa.PythonFile(outlet, "w"), columns.schema) as writer:
        yield outlet.taken()
        for rows in parts:
            writer.write_batch(columns.batch(rows))
            yield outlet.taken()
    yield outlet.taken()


def parquet(names: Names, parts: Iterable[Rows]) -> Iterator[bytes]:
    """A file whose groups of rows are written one after the other; its index comes last."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns, outlet = Columns(names), Outlet()
    words = [field.name for field in columns.schema if pa.types.is_dictionary(field.type)]
    with pq.ParquetWriter(
        outlet,
        columns.schema,
        compression="zstd",
        use_dictionary=words,
        store_decimal_as_integer=True,
        # What readers skip groups by; the least and the greatest word of a group cost a third of all time.
        write_statistics=["transaction_id", "created_at", "recorded_at"],
    ) as writer:
        for batches in _grouped(columns, parts):
            writer.write_table(pa.Table.from_batches(batches, columns.schema), row_group_size=ROW_GROUP)
            yield outlet.taken()
    yield outlet.taken()


def _text(form: lines.Form, names: Names, parts: Iterable[Rows]) -> Iterator[bytes]:
    written = lines.Lines(form, names)
    yield form.first_line.encode()
    for rows in parts:
        for start in range(0, len(rows), LINES_AT_ONCE):
            yield written.text(rows.only(slice(start, start + LINES_AT_ONCE)))


def _grouped(columns: Columns, parts: Iterable[Rows]) -> Iterator[list["pa.RecordBatch"]]:
    """Batches that make a group of rows together; the last group is smaller."""
    batches, count = [], 0
    for rows in parts:
        batches.append(columns.batch(rows))
        count += len(rows)
        if count >= ROW_GROUP:
            yield batches
            batches, count = [], 0
    if count:
        yield batches
