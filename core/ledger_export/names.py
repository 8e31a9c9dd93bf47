"""What products and warehouses are called, as small tables in memory beside the ledger's numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.ledger_export.copying import Copier

if TYPE_CHECKING:
    import pyarrow as pa

DIRECT = 2**22
"""Up to this id a place is looked up in an array of 16 MB at most; behind it by bisection."""
WAREHOUSES_MOST = 2**24
"""The ledger's rows carry a warehouse's id in 24 bits (db/queries/export_movements.sql)."""


class Named:
    """Rows of a table by their ascending ids."""

    def __init__(self, table: "pa.Table") -> None:
        self.table = table.drop_columns("id")
        self._ids = table.column("id").to_numpy()
        self._places: np.ndarray | None = None
        if len(self._ids) and self._ids[-1] < DIRECT:
            self._places = np.zeros(self._ids[-1] + 1, dtype=np.int32)
            self._places[self._ids] = np.arange(len(self._ids), dtype=np.int32)

    def places(self, ids: np.ndarray) -> np.ndarray:
        """The row of each id (int32); every id is one of the table's."""
        if self._places is not None:
            return self._places[ids]
        return np.searchsorted(self._ids, ids).astype(np.int32)


@dataclass(frozen=True)
class Names:
    """Items have uid, sku and category (null where there is none); warehouses uid and code."""

    items: Named
    warehouses: Named


def read(copier: Copier, category: str | None, product_ids: np.ndarray | None) -> Names:
    """The names of these products (None: of all), of a category where one is given, and all warehouses."""
    few = None if product_ids is None else product_ids.tolist()
    items = Named(_table(copier.csv("export_items", category=category, product_ids=few)))
    warehouses = _table(copier.csv("export_warehouses"))
    if len(warehouses) and warehouses.column("id")[-1].as_py() >= WAREHOUSES_MOST:
        raise ValueError(
            f"A warehouse has an id of {WAREHOUSES_MOST:,} or more, which the export cannot tell."
        )
    return Names(items, Named(warehouses))


def _table(answer: memoryview) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv

    names = bytes(answer[: bytes(answer[:100]).index(b"\n")]).decode().split(",")
    kinds = {name: pa.int32() if name == "id" else pa.string() for name in names}
    options = csv.ConvertOptions(
        column_types=kinds, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    parsing = csv.ParseOptions(newlines_in_values=True)
    # A block holds the longest row; words have no limit in the database.
    reading = csv.ReadOptions(use_threads=False, block_size=max(len(answer), 1))
    return csv.read_csv(pa.py_buffer(answer), reading, parsing, options).combine_chunks()
