"""Arithmetic: the distinct texts of a column, and what is said about lines: skipped, error, note."""

import unicodedata

import numpy as np
import pandas as pd

from core.inputs import shown

TEXT_CHARACTERS = 300

RULES = {
    "non_product_code": "not a product: postage, fee, discount, voucher or correction by hand",
    "zero_quantity": "quantity is zero",
    "negative_price": "price is below zero: a correction of the books, not of the stock",
    "write_off": "stock written off without a price: not a sale",
    "zero_price": "given away or corrected without a price: not a sale",
    "already_imported": "was imported before",
}

ISSUE_COLUMNS = ["line_number", "kind", "rule", "field", "value", "message"]


class Texts:
    """One column of a file as its distinct texts, without spaces around them."""

    def __init__(self, column: pd.Series):
        self.places, distinct = pd.factorize(column.fillna(""))
        self.distinct = [str(text).strip() for text in distinct]

    def spread(self, values: list | np.ndarray, dtype: object = None) -> np.ndarray:
        """One value for each distinct text -> one value for each line."""
        return np.asarray(values, dtype=dtype)[self.places]

    def cleaned(self) -> np.ndarray:
        return self.spread([clean(text) for text in self.distinct], object)

    def at(self, line: int) -> str:
        return self.distinct[self.places[line]]


class Issues:
    """Collects what is wrong with which line; a line is settled by the first thing said about it."""

    def __init__(self, line_numbers: np.ndarray):
        self.line_numbers = line_numbers
        self._parts: list[pd.DataFrame] = []
        self.settled = np.zeros(len(line_numbers), bool)

    def skip(self, lines: np.ndarray, rule: str, field_name: str, texts: Texts) -> None:
        self._add("skipped", lines, rule, field_name, texts, RULES[rule])

    def error(
        self, lines: np.ndarray, rule: str, field_name: str | None, texts: Texts | None, message: str
    ) -> None:
        self._add("error", lines, rule, field_name, texts, message)

    def _add(self, kind, lines, rule, field_name, texts, message) -> None:
        places = np.flatnonzero(lines & ~self.settled)
        if len(places):
            self.settled[places] = True
            values = [shown(texts.at(place), TEXT_CHARACTERS) for place in places] if texts else None
            self._parts.append(
                issue_frame(self.line_numbers[places], kind, rule, field_name, values, message)
            )

    def frame(self) -> pd.DataFrame:
        if not self._parts:
            return pd.DataFrame(columns=ISSUE_COLUMNS)
        return pd.concat(self._parts).sort_values("line_number", kind="stable", ignore_index=True)


def issue_frame(line_numbers, kind, rule, field_name, values, message) -> pd.DataFrame:
    """Issues of one kind about several lines."""
    said = {"kind": kind, "rule": rule, "field": field_name, "value": values, "message": message}
    return pd.DataFrame({"line_number": line_numbers} | said, columns=ISSUE_COLUMNS)


def clean(text: str, most: int = TEXT_CHARACTERS) -> str:
    """NFC, without characters that nobody sees, single spaces; cut at `most` characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c for c in text if unicodedata.category(c) != "Cf")
        text = "".join(c for c in text if c == " " or unicodedata.category(c)[0] != "C")
    return " ".join(text.split())[:most]
