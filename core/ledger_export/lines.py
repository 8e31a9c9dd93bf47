"""Movements as lines of text: CSV for programs, and a JSON object a line.

A line is put together from few pieces: what a product is called is written once for each product, and only
numbers and moments once for each movement.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ledger_export import columns, lettering
from core.ledger_export.names import Names
from core.ledger_export.rows import NO_PRICE, Rows

if TYPE_CHECKING:
    import pyarrow as pa

# Digits behind the point, and how many of them are written at once (a table of a thousand or ten thousand).
QUANTITY, MONEY, TOTAL, SECONDS = (4, 4), (4, 4), (8, 4), (6, 3)


@dataclass(frozen=True)
class Form:
    """How one kind of text is written.

    Args:
        heads: what stands before the value of each column.
        end: what stands behind a row.
        null: a value that is not there.
        special: a pattern of texts that cannot be written as they are.
        quoted: such a text, written.
        quote: what stands around all others.
    """

    first_line: str
    heads: tuple[str, ...]
    end: str
    null: str
    special: str
    quote: str

    def quoted(self, text: str) -> str:
        """A text with special characters."""
        return json.dumps(text, ensure_ascii=False) if self.quote else '"' + text.replace('"', '""') + '"'


CSV = Form(
    first_line=",".join(columns.NAMES) + "\n",
    heads=("", *[","] * (len(columns.NAMES) - 1)),
    end="\n",
    null="",
    special='^$|[",\r\n]',
    quote="",
)
"""RFC 4180 with a line feed at the end of a line. A null is empty, an empty text is "".

Names are told as they are, also one that a spreadsheet would take for a formula: programs read this. The
file for people guards them (core/datasets).
"""

NDJSON = Form(
    first_line="",
    heads=tuple(f'{"," if n else "{"}"{name}":' for n, name in enumerate(columns.NAMES)),
    end="}\n",
    null="null",
    special=r'["\\\x00-\x1f]',
    quote='"',
)
"""The rows of the JSON page (core/ml_export.py), one a line."""


class Lines:
    """Text out of rows; all share the names written beforehand."""

    def __init__(self, form: Form, names: Names) -> None:
        self._form, self._names = form, names
        self._items = self._fragments(names.items.table, 1)
        places = self._fragments(names.warehouses.table, 4)
        self._shelves = _joined([_repeated(places, len(columns.TYPES)), self._types(len(places))])

    def text(self, rows: Rows) -> bytes:
        """One line for each row."""
        import pyarrow as pa

        item = self._names.items.places(rows.product_id)
        warehouse = self._names.warehouses.places(rows.warehouse_id)
        shelf = warehouse * len(columns.TYPES) + columns.LETTERS[rows.letter]
        head = self._form.heads
        lines = _joined(
            [
                head[0],
                pa.array(rows.id).cast(pa.string()),
                self._items.take(pa.array(item)),
                self._shelves.take(pa.array(shelf)),
                head[7],
                *lettering.number(rows.change, *QUANTITY),
                head[8],
                *self._money(rows),
                head[10] + self._form.quote,
                lettering.moment(rows.occurred_at),
                self._form.quote + head[11] + self._form.quote,
                lettering.moment(rows.recorded_at),
                self._form.quote + head[12],
                *lettering.number(rows.occurred_at, *SECONDS),
                self._form.end,
            ]
        )
        return _bytes(lines)

    def _fragments(self, named: "pa.Table", first: int) -> "pa.Array":
        """The values of each row with what stands before them; the first is column `first` of the export."""
        pieces: list[Any] = []
        for place, column in enumerate(named.columns, start=first):
            pieces += [self._form.heads[place], _written(column.combine_chunks(), self._form)]
        return _joined(pieces)

    def _types(self, times: int) -> "pa.Array":
        import pyarrow as pa

        one = [f"{self._form.heads[6]}{self._form.quote}{kind}{self._form.quote}" for kind in columns.TYPES]
        return pa.array(one * times, pa.string())

    def _money(self, rows: Rows) -> list[Any]:
        """Price, the head of the total, and the total."""
        import pyarrow as pa
        import pyarrow.compute as pc

        missing = rows.unit_price == NO_PRICE
        totals = columns.totals(rows)
        price = lettering.number(np.maximum(rows.unit_price, 0), *MONEY)
        if totals is not None:
            total = lettering.number(totals, *TOTAL)
        else:
            exact = rows.change.astype(object) * np.maximum(rows.unit_price, 0)
            total = [lettering.long_number(exact, TOTAL[0])]
        if missing.any():
            absent = pa.array(missing)
            price[0] = pc.if_else(absent, self._form.null, price[0])
            total[0] = pc.if_else(absent, self._form.null, total[0])
        return [*price, self._form.heads[9], *total]


def _written(texts: "pa.Array", form: Form) -> "pa.Array":
    """Each text as the form writes it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    written = pc.binary_join_element_wise(form.quote, texts, form.quote, "")
    special = pc.match_substring_regex(texts, form.special).fill_null(False)
    if pc.any(special).as_py():
        replaced = pa.array([form.quoted(text) for text in texts.filter(special).to_pylist()], pa.string())
        written = pc.replace_with_mask(written, special, replaced)
    return written.fill_null(form.null)


def _repeated(texts: "pa.Array", times: int) -> "pa.Array":
    import pyarrow as pa

    return texts.take(pa.array(np.repeat(np.arange(len(texts)), times)))


def _joined(pieces: list[Any]) -> "pa.Array":
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*pieces, "")


def _bytes(texts: "pa.Array") -> bytes:
    """The texts one behind the other: Arrow keeps them in that way."""
    if not len(texts):
        return b""
    _valid, ends, content = texts.buffers()
    place = np.frombuffer(ends, dtype=np.int32, offset=texts.offset * 4, count=len(texts) + 1)
    return content[int(place[0]) : int(place[-1])].to_pybytes()
