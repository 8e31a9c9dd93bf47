"""Arithmetic: the cells of a product or stock list as values, and what is wrong with which.

A cell that says nothing has the value None. Each column is understood by its distinct texts, so fifty
thousand lines take a second.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from core import product_fields
from core.errors import BadInput
from core.imports import table_dialect
from core.imports.import_fields import label
from core.imports.import_found import Said
from core.imports.table_dialect import SCALE
from core.imports.table_files import CELLS, LINE, TableFile
from core.imports.table_text import TEXT_CHARACTERS, Texts, clean
from core.inputs import shown

NUMBERS = (
    "quantity", "unit_cost", "unit_price", "reorder_threshold", "lead_time_days", "price_unit",
    "minimum_quantity", "minimum_order_quantity", "order_multiple",
)  # fmt: skip
MONEY = ("unit_cost", "unit_price")
YES = frozenset(["yes", "y", "true", "t", "1", "ja", "j", "oui", "si", "sí", "active", "aktiv", "actif", "x"])
NO = frozenset(["no", "n", "false", "f", "0", "nein", "non", "inactive", "inaktiv", "inactif"])
LONGEST = 10_000

Parse = Callable[[str], Any]


class Cells:
    """The lines of a file: numbers of the lines, and for each field that has a column its values."""

    def __init__(
        self, kind: str, file: TableFile, mapping: Mapping[str, str], decimal: str | None, said: Said
    ):
        self.lines = [int(line) for line in file.frame[LINE]]
        self.said = said
        self._kind = kind
        self._texts = {name: Texts(file.frame[header]) for name, header in mapping.items()}
        told = [text for name in NUMBERS if name in self._texts for text in self._texts[name].distinct]
        self.mark = table_dialect.decimal_mark(told, decimal)
        self.values: dict[str, np.ndarray] = {}
        self._too_many(file)

    def understand(self, name: str, parse: Parse) -> None:
        """Turn a column into values; `parse` raises BadInput with what is wrong. Without a column: None."""
        texts = self._texts.get(name)
        if texts is None:
            self.values[name] = np.full(len(self.lines), None, object)
            return
        values = np.full(len(texts.distinct), None, object)
        wrong: dict[int, str] = {}
        for place, text in enumerate(texts.distinct):
            if text:
                try:
                    values[place] = parse(text)
                except BadInput as refused:
                    wrong[place] = refused.sentence
        self.values[name] = texts.spread(values, object)
        if wrong:
            what = label(self._kind, name)
            for at in np.flatnonzero(np.isin(texts.places, list(wrong))):
                # The field is named beside the message.
                message = wrong[texts.places[at]].removeprefix(f"{what}: ")
                cell = shown(texts.at(at), TEXT_CHARACTERS)
                self.said.error(self.lines[at], "wrong", name, cell, message)

    def need(self, name: str, message: str) -> None:
        """Lines without this value are errors."""
        for at in np.flatnonzero(self.values[name] == None):  # noqa: E711 (elementwise)
            if self.lines[at] not in self.said.wrong:
                self.said.error(self.lines[at], "empty", name, None, message)

    def number(self, name: str) -> Parse:
        """Numbers as the file writes them; prices are rounded to four decimals."""
        is_money, limit = name in MONEY, product_fields.FIELDS.get(name)

        def parse(text: str) -> Any:
            read = table_dialect.number(text, self.mark, round_off=is_money)
            if read is None:
                other = "," if self.mark == "." else "."
                hint = f" The decimal mark of this file is '{self.mark}'." if other in text else ""
                decimals = "" if is_money else " with at most 4 decimals"
                raise BadInput(f"'{shown(text)}' is not a number{decimals}.{hint}")
            value = Decimal(read) / SCALE
            return limit(value) if limit else value

        return parse

    def day(self, names: Sequence[str], order: str | None) -> Parse:
        """Days as the file writes them; the order of day and month is decided by all columns `names`."""
        told = [text for name in names if name in self._texts for text in self._texts[name].distinct if text]
        order = table_dialect.date_order(told, order)

        def parse(text: str) -> date:
            at, _ = table_dialect.moments([text], order)
            if np.isnat(at[0]):
                raise BadInput(f"'{shown(text)}' is not a date ({order}).")
            return at[0].astype("datetime64[D]").item()

        return parse

    def _too_many(self, file: TableFile) -> None:
        width = len(file.headers)
        for at in np.flatnonzero(file.frame[CELLS].to_numpy() > width):
            self.said.error(
                self.lines[at], "cells", None, None, f"more cells than the {width} columns of the header"
            )


def words(name: str) -> Parse:
    """Text, tidied up, within the limits of the product's field."""
    check = product_fields.FIELDS[name]
    return lambda text: check(clean(text, LONGEST))


def yes_or_no(text: str) -> bool:
    """A word for yes or no, in a few languages."""
    word = text.casefold()
    if word in YES or word in NO:
        return word in YES
    raise BadInput(f"'{shown(text)}' is neither yes nor no.")
