"""Movements as Arrow columns: names as dictionaries, quantities and money as exact decimals."""

from typing import TYPE_CHECKING

import numpy as np

from core.ledger_export.names import Names
from core.ledger_export.rows import NO_PRICE, Rows

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = (
    "transaction_id", "item_id", "item_sku", "item_category", "warehouse_id", "warehouse_code",
    "transaction_type", "quantity", "unit_price", "total_amount", "created_at", "recorded_at",
    "created_at_ts",
)  # fmt: skip
"""The columns of every format, and of the JSON page, in their order."""
TYPES = ("in", "out", "adjust", "transfer")
MICROSECONDS = 1_000_000
WHOLE = 2**63
"""A total that reaches it does not fit into 64 bits."""
# Digits in all and behind the point, as in the database; a product of two has the digits of both.
QUANTITY, MONEY, TOTAL = (18, 4), (14, 4), (32, 8)

LETTERS = np.zeros(256, dtype=np.int8)
LETTERS[[ord(kind[0]) for kind in TYPES]] = np.arange(len(TYPES))


def totals(rows: Rows) -> np.ndarray | None:
    """Quantity times price in units of 10**-8, 0 where there is no price; None where 64 bits are too few."""
    if not len(rows):
        return rows.change
    most = float(np.abs(rows.change).max()) * float(rows.unit_price.max())
    if most >= WHOLE / 2:
        return None
    return rows.change * np.maximum(rows.unit_price, 0)


def schema() -> "pa.Schema":
    """The columns of Arrow and Parquet."""
    import pyarrow as pa

    name = pa.dictionary(pa.int32(), pa.string())
    moment = pa.timestamp("us", "UTC")
    kinds = {
        "transaction_id": pa.int64(),
        "item_category": name,
        "transaction_type": pa.dictionary(pa.int8(), pa.string()),
        "quantity": pa.decimal128(*QUANTITY),
        "unit_price": pa.decimal128(*MONEY),
        "total_amount": pa.decimal128(*TOTAL),
        "created_at": moment,
        "recorded_at": moment,
        "created_at_ts": pa.float64(),
    }
    may_be_null = {"item_category", "unit_price", "total_amount"}
    return pa.schema(
        [pa.field(column, kinds.get(column, name), nullable=column in may_be_null) for column in NAMES]
    )


class Columns:
    """Record batches of `schema()` out of rows; all share the same dictionaries."""

    def __init__(self, names: Names) -> None:
        import pyarrow as pa

        self.schema = schema()
        self._names = names
        self._items, self._warehouses = names.items.table, names.warehouses.table
        coded = self._items.column("category").combine_chunks().dictionary_encode()
        self._categories = coded.dictionary
        self._category_of = coded.indices.fill_null(-1).to_numpy()
        self._types = pa.array(TYPES)

    def batch(self, rows: Rows) -> "pa.RecordBatch":
        """The rows, one for one."""
        import pyarrow as pa

        item = self._names.items.places(rows.product_id)
        warehouse = self._names.warehouses.places(rows.warehouse_id)
        has_no_price = rows.unit_price == NO_PRICE
        missing = has_no_price if has_no_price.any() else None
        # In the order of NAMES.
        arrays = [
            pa.array(rows.id),
            _named(item, self._items.column("uid")),
            _named(item, self._items.column("sku")),
            self._category(item),
            _named(warehouse, self._warehouses.column("uid")),
            _named(warehouse, self._warehouses.column("code")),
            pa.DictionaryArray.from_arrays(pa.array(LETTERS[rows.letter]), self._types),
            _decimals(rows.change, QUANTITY),
            _decimals(rows.unit_price, MONEY, missing),
            self._total(rows, missing),
            _moments(rows.occurred_at),
            _moments(rows.recorded_at),
            pa.array(rows.occurred_at / MICROSECONDS),
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _category(self, item: np.ndarray) -> "pa.Array":
        import pyarrow as pa

        code = self._category_of[item]
        return pa.DictionaryArray.from_arrays(pa.array(code, mask=code < 0), self._categories)

    def _total(self, rows: Rows, missing: np.ndarray | None) -> "pa.Array":
        import pyarrow as pa
        import pyarrow.compute as pc

        total = totals(rows)
        if total is not None:
            return _decimals(total, TOTAL, missing)
        product = pc.multiply(_decimals(rows.change, QUANTITY), _decimals(rows.unit_price, MONEY, missing))
        return product.cast(pa.decimal128(*TOTAL))


def _named(places: np.ndarray, names: "pa.ChunkedArray") -> "pa.Array":
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(places), names.combine_chunks(), safe=False)


def _moments(microseconds: np.ndarray) -> "pa.Array":
    import pyarrow as pa

    return pa.array(microseconds).view(pa.timestamp("us", "UTC"))


def _decimals(scaled: np.ndarray, digits: tuple[int, int], missing: np.ndarray | None = None) -> "pa.Array":
    """Whole numbers of the last digit's unit as 128-bit decimals; null where `missing`."""
    import pyarrow as pa

    wide = np.empty((len(scaled), 2), dtype=np.int64)
    wide[:, 0] = scaled
    wide[:, 1] = scaled >> 63
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.decimal128(*digits), len(scaled), [valid, pa.py_buffer(wide)])
