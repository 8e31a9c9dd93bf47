"""The whole ledger as a table to take along: millions of rows, streamed as programs pull them."""

import io
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import cursors
from core.datasets import as_csv
from core.datasets.table_types import Column, Filters, Row
from core.datasets.tables import CATEGORY, PERIOD, WAREHOUSE, Table
from core.datasets.writing import Form
from db.models import Movement, Product

if TYPE_CHECKING:
    import pyarrow


def written(form: Form, filters: Filters) -> Iterator[bytes]:
    """The movements as a file; a snapshot of its own, which ends with the last piece or when it is closed."""
    from core.ledger_export import streams
    from core.ledger_export.selection import Selection

    selection = Selection(
        since=filters.since,
        until=filters.until,
        warehouse_id=filters.warehouse_id,
        category=filters.category,
    )
    if form.name == "parquet":
        yield from streams.stream(selection, "parquet")
        return
    pieces = streams.stream(selection, "arrow")
    try:
        if form.name == "csv":
            yield from as_csv.write_batches(LEDGER.columns, _batches(pieces))
        else:
            yield from form.write(LEDGER.columns, _rows(pieces))
    finally:
        pieces.close()


def count(session: Session, filters: Filters, _day: date) -> int:
    """How many movements the file will have."""
    wanted = [Movement.id <= cursors.horizon(session)]
    if filters.since is not None:
        wanted.append(Movement.day >= filters.since)
    if filters.until is not None:
        wanted.append(Movement.day <= filters.until)
    if filters.warehouse_id is not None:
        wanted.append(Movement.warehouse_id == filters.warehouse_id)
    if filters.category is not None:
        of_category = select(Product.id).where(Product.category == filters.category)
        wanted.append(Movement.product_id.in_(of_category))
    return session.scalar(select(func.count()).select_from(Movement).where(*wanted)) or 0


def _nothing(_session: Session, _filters: Filters, _day: date) -> Iterator[Row]:
    """The ledger is streamed by `written`; it has no rows to be read in a session of others."""
    return iter(())


LEDGER = Table(
    "ledger",
    "Every movement",
    "One row for each change of stock, in the columns that programs get.",
    (
        Column("transaction_id", "transaction_id", "whole"),
        Column("item_id", "item_id"),
        Column("item_sku", "item_sku"),
        Column("item_category", "item_category"),
        Column("warehouse_id", "warehouse_id"),
        Column("warehouse_code", "warehouse_code"),
        Column("transaction_type", "transaction_type"),
        Column("quantity", "quantity", "quantity"),
        Column("unit_price", "unit_price", "money"),
        Column("total_amount", "total_amount", "money"),
        Column("created_at", "created_at", "moment"),
        Column("recorded_at", "recorded_at", "moment"),
        Column("created_at_ts", "created_at_ts", "number"),
    ),
    _nothing,
    count,
    frozenset({PERIOD, WAREHOUSE, CATEGORY}),
)


def _rows(pieces: Iterator[bytes]) -> Iterator[Row]:
    for batch in _batches(pieces):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _batches(pieces: Iterator[bytes]) -> Iterator["pyarrow.RecordBatch"]:
    """What the stream holds, one batch after the other."""
    import pyarrow as pa

    with pa.ipc.open_stream(io.BufferedReader(_Pieces(pieces))) as found:
        yield from found


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        taken = self._left[: len(room)]
        room[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)
