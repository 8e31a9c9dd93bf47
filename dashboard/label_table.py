"""What is to be labelled, a row for each code, with copies that can be changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.labels import label_choices
from core.labels.designs import Label

ROW_HEIGHT = 44  # a thumb's width
HEADER_HEIGHT = 36
ROWS_IN_SIGHT = 10


@dataclass(frozen=True)
class Row:
    """One label: `usual` copies unless somebody typed another number; `about`: more columns, by name."""

    label: Label
    name: str
    usual: int
    about: tuple[tuple[str, str], ...] = ()
    product_uid: str | None = None


def draw(mine: dict[str, Any], rows: Sequence[Row]) -> list[tuple[Label, int]]:
    """The table; answers each label with its copies. What was typed stays when another list is searched."""
    key = f"labels_{mine['form']}_{hash(tuple((row.label.code, row.usual) for row in rows))}"
    typed = mine.setdefault("copies", {})
    # The editor keeps what was typed into it by itself: what it begins with may not change under it.
    if mine.get("table") != key:
        mine["table"], mine["begin"] = key, [typed.get(row.label.code, row.usual) for row in rows]
    edited = st.data_editor(
        _frame(rows, mine["begin"]),
        key=key, hide_index=True, row_height=ROW_HEIGHT, disabled=_fixed(rows),
        height=HEADER_HEIGHT + ROW_HEIGHT * min(len(rows), ROWS_IN_SIGHT), column_config=_config(),
    )  # fmt: skip
    copies = [int(number) for number in edited["Copies"].fillna(0)]
    _keep(mine, rows, copies)
    return [(row.label, number) for row, number in zip(rows, copies, strict=True)]


def of_other_lists(mine: dict[str, Any], rows: Sequence[Row]) -> dict[str, tuple[str, int]]:
    """Copies that were typed for products of other lists: code -> (product, copies)."""
    here = {row.label.code for row in rows}
    products = mine.get("products", {})
    return {
        code: (products[code], number)
        for code, number in mine.get("copies", {}).items()
        if number and code not in here and code in products
    }


def forget(mine: dict[str, Any]) -> None:
    """Every label has its usual copies again."""
    for word in ("copies", "products", "table", "begin"):
        mine.pop(word, None)


def _keep(mine: dict[str, Any], rows: Sequence[Row], copies: Sequence[int]) -> None:
    products = mine.setdefault("products", {})
    for row, number in zip(rows, copies, strict=True):
        code = row.label.code
        if number == row.usual:
            mine["copies"].pop(code, None)
        else:
            mine["copies"][code] = number
            if row.product_uid:
                products[code] = row.product_uid


def _frame(rows: Sequence[Row], copies: Sequence[int]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {
        "Label": [row.name for row in rows],
        "Copies": list(copies),
        "Code": [row.label.code for row in rows],
    }
    for name in _more(rows):
        columns[name] = [dict(row.about).get(name, "") for row in rows]
    return pd.DataFrame(columns)


def _more(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name, _ in row.about))


def _fixed(rows: Sequence[Row]) -> list[str]:
    return ["Label", "Code", *_more(rows)]


def _config() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "Label": text("Label", width=210),
        "Copies": st.column_config.NumberColumn(
            "Copies", width=76, min_value=0, max_value=label_choices.MOST_COPIES, step=1,
            help="How many labels of it. Change the number; 0 prints none.",
        ),
        "Code": text("Code", width=140, help="What the label holds. 'sku:' stands for the SKU, where the "
                                             "product has no code of its own."),
        "SKU": text("SKU", width=100),
        "Pieces": text("Pieces", width=80, alignment="right", help="How many pieces a scan of it means."),
        "On hand": text("On hand", width=84, alignment="right"),
        "Arrived": text("Arrived", width=84, alignment="right"),
    }  # fmt: skip
