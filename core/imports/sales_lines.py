"""Arithmetic: the table of a file -> sales and returns to book, lines skipped by a named rule, errors.

Quantities and prices are integers of ten-thousandths (`table_dialect.SCALE`). Every step works on the
distinct texts of a column, so half a million lines take seconds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from core.errors import BadInput
from core.imports import import_fields, table_dialect
from core.imports.table_dialect import PRICE_MOST, QUANTITY_MOST, SCALE
from core.imports.table_files import CELLS, LINE, TableFile
from core.imports.table_text import ISSUE_COLUMNS, TEXT_CHARACTERS, Issues, Texts, clean, issue_frame
from core.inputs import shown

CODE_CHARACTERS = 100
EARLIEST = np.datetime64("1970-01-01", "us")

# What shops book beside their goods: postage, fees, discounts, vouchers, corrections by hand.
NON_PRODUCT_LIST = (
    "post postage dot dotcom c2 carriage shipping freight delivery m manual d discount s samples b pads "
    "adjust adjust2 adjustment cruk amazonfee fee fees bank_charges voucher tax vat tip deposit rounding "
    "surcharge commission insurance test test001 test002 porto versand rabatt gutschein"
)
NON_PRODUCT_CODES = frozenset([*NON_PRODUCT_LIST.split(), "bank charges"])
NON_PRODUCT_PATTERN = re.compile(r"^gift[ _-]", re.IGNORECASE)
# Letters alone name a fee rather than a product where nearly every other code has a digit.
DIGIT_SHARE = 0.95


@dataclass(frozen=True)
class Choices:
    """What the user settled about a file; None and empty mean: find out.

    `columns` (field -> header) is all there is to say about columns unless `guess_columns`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    guess_columns: bool = True
    decimal: str | None = None
    date_format: str | None = None
    non_product_codes: frozenset[str] = frozenset()
    product_codes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lines:
    """A file understood.

    `frame`: the sales and returns, in the order of the file: line_number, document, code (one spelling),
    occurrence (n-th of its code in its document), change (ten-thousandths, below zero for a sale), moment,
    is_utc, unit_price (ten-thousandths, -1 where there is none), customer, warehouse (code or "").
    `issues`: skipped lines, errors and notes, `ISSUE_COLUMNS`. `names`: code -> commonest description.
    """

    frame: pd.DataFrame
    issues: pd.DataFrame
    names: dict[str, str]
    columns: dict[str, str]
    facts: dict[str, str]


def understand(file: TableFile, choices: Choices, latest: datetime) -> Lines:
    """Sort the lines of a file into sales, returns, skipped ones and errors.

    Args:
        latest: no sale is later than this; local time of the warehouse, without zone.

    Raises:
        BadInput: a column, the numbers or the dates of the file are not settled; names the option to use.
    """
    if choices.guess_columns:
        columns = column_map(file.headers, choices.columns)
    else:
        columns = import_fields.settled("sales", choices.columns, file.headers)
    raw = file.frame
    issues = Issues(raw[LINE].to_numpy())
    texts = {name: Texts(raw[header]) for name, header in columns.items()}

    codes, spelled = _codes(texts["code"], issues)
    document = texts["document"] if "document" in texts else texts["moment"]
    frame = pd.DataFrame(
        {
            "line_number": raw[LINE].to_numpy(),
            "document": document.cleaned(),
            "code": codes,
            "customer": texts["customer"].cleaned() if "customer" in texts else "",
            "warehouse": texts["warehouse"].cleaned() if "warehouse" in texts else "",
        }
    )
    frame["occurrence"] = frame.groupby(["document", "code"], sort=False).cumcount() + 1

    issues.skip(_non_products(codes, choices), "non_product_code", "code", texts["code"])
    _too_long(issues, texts)
    issues.error(
        raw[CELLS].to_numpy() > len(file.headers),
        "cells",
        None,
        None,
        "more cells than the header has columns",
    )
    if file.facts["format"] != "xlsx":
        issues.error(
            _cut_off(raw[CELLS].to_numpy(), len(file.headers)),
            "cut_off",
            None,
            None,
            "cells are missing: is the file cut off?",
        )
    issues.error(codes == "", "empty", "code", texts["code"], "there is no product code")

    said = texts["quantity"].distinct + (texts["unit_price"].distinct if "unit_price" in texts else [])
    mark = table_dialect.decimal_mark(said, choices.decimal)
    quantity = _quantity(texts["quantity"], mark, issues)
    price = _price(texts.get("unit_price"), mark, issues, len(raw))
    order = table_dialect.date_order(texts["moment"].distinct, choices.date_format)
    moment, is_utc = _moments(texts["moment"], order, latest, issues)

    quantity = np.where(_cancelled(frame["document"]) & (quantity > 0), -quantity, quantity)
    frame = frame.assign(change=-quantity, unit_price=price, moment=moment, is_utc=is_utc)
    issues.skip(quantity == 0, "zero_quantity", "quantity", texts["quantity"])
    if "unit_price" in texts:
        issues.skip(price < -1, "negative_price", "unit_price", texts["unit_price"])
        issues.skip((price == 0) & (quantity < 0), "write_off", "unit_price", texts["unit_price"])
        issues.skip(price == 0, "zero_price", "unit_price", texts["unit_price"])
    kept = frame[~issues.settled].reset_index(drop=True)
    if kept["change"].abs().astype(float).sum() > 10**14 * SCALE:
        raise BadInput("The quantities of this file add up to more than 100,000,000,000,000 pieces.")
    names = _names(texts.get("description"), codes, ~issues.settled & (quantity > 0))
    facts = file.facts | {"decimal": mark, "dates": order}
    return Lines(kept, pd.concat([issues.frame(), spelled], ignore_index=True), names, columns, facts)


def column_map(headers: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Which header holds which field. `given` (field -> header) wins over what the headers say themselves.

    Raises:
        BadInput: a field or header that does not exist, one header for two fields, or a required field
            (code, quantity, moment) that no header is known for.
    """
    found: dict[str, str] = {}
    by_name = {header.casefold(): header for header in headers}
    for name, header in given.items():
        if name not in import_fields.names("sales"):
            raise BadInput(
                f"--map: '{name}' is not a field. Fields are {', '.join(import_fields.names('sales'))}."
            )
        if header.strip().casefold() not in by_name:
            raise BadInput(f"--map {name}: the file has no column '{header}'. It has {_listed(headers)}.")
        found[name] = by_name[header.strip().casefold()]
    if len(set(found.values())) < len(found):
        raise BadInput("--map: one column cannot hold two fields.")
    found = import_fields.guess("sales", headers, found)
    missing = [
        each.name for each in import_fields.FIELDS["sales"] if each.required and each.name not in found
    ]
    if missing:
        raise BadInput(
            f"No column is known to hold the {' and the '.join(missing)}. The file has {_listed(headers)}; "
            f"say for example --map {missing[0]}={headers[0]!r}."
        )
    return found


def _listed(headers: Sequence[str]) -> str:
    return ", ".join(f"'{header}'" for header in headers[:20]) + (" ..." if len(headers) > 20 else "")


def _codes(texts: Texts, issues: Issues) -> tuple[np.ndarray, pd.DataFrame]:
    """Each line's code in the commonest spelling, and a note where there were several."""
    cleaned = [clean(text) for text in texts.distinct]
    used = np.bincount(texts.places, minlength=len(cleaned))
    first = np.full(len(cleaned), -1)
    places, at = np.unique(texts.places, return_index=True)
    first[places] = at
    spellings: dict[str, dict[str, int]] = {}
    for code, times in zip(cleaned, used, strict=True):
        counts = spellings.setdefault(code.casefold(), {})
        counts[code] = counts.get(code, 0) + int(times)
    chosen = {folded: max(counts, key=counts.__getitem__) for folded, counts in spellings.items()}
    one = [chosen[code.casefold()] for code in cleaned]
    notes = [
        (first[place], text, f"taken as '{one[place]}', of which it differs by case or unseen characters")
        for place, text in enumerate(texts.distinct)
        if one[place] != text
    ]
    frame = pd.DataFrame(columns=ISSUE_COLUMNS)
    if notes:
        where, values, messages = zip(*notes, strict=True)
        numbers = issues.line_numbers[list(where)]
        values = [shown(value, TEXT_CHARACTERS) for value in values]
        frame = issue_frame(numbers, "note", "spelling", "code", values, list(messages))
    return texts.spread(one, object), frame


def _non_products(codes: np.ndarray, choices: Choices) -> np.ndarray:
    """Lines whose code is on the list, looks like a voucher, or has no digit where codes have digits."""
    places, distinct = pd.factorize(codes)
    with_digit = [any(c.isdigit() for c in code) for code in distinct]
    digits_rule = np.mean(with_digit) >= DIGIT_SHARE if len(distinct) else False
    named = NON_PRODUCT_CODES | {code.casefold() for code in choices.non_product_codes}
    kept = {code.casefold() for code in choices.product_codes}
    found = [
        bool(code)
        and code.casefold() not in kept
        and (
            code.casefold() in named
            or bool(NON_PRODUCT_PATTERN.match(code))
            or (digits_rule and not has_digit)
        )
        for code, has_digit in zip(distinct, with_digit, strict=True)
    ]
    return np.asarray(found, bool)[places]


def _cut_off(cells: np.ndarray, columns: int) -> np.ndarray:
    """The last line, when it has fewer cells than every other one."""
    found = np.zeros(len(cells), bool)
    found[-1] = len(cells) > 1 and cells[-1] < min(columns, cells[:-1].min())
    return found


def _too_long(issues: Issues, texts: dict[str, Texts]) -> None:
    for name, most in (
        ("code", CODE_CHARACTERS),
        ("document", TEXT_CHARACTERS),
        ("customer", TEXT_CHARACTERS),
    ):
        if name in texts:
            long = texts[name].spread([len(text) > most for text in texts[name].distinct], bool)
            issues.error(long, "too_long", name, texts[name], f"more than {most} characters")


def _quantity(texts: Texts, mark: str, issues: Issues) -> np.ndarray:
    read = [table_dialect.number(text, mark) for text in texts.distinct]
    empty = texts.spread([not text for text in texts.distinct], bool)
    issues.error(empty, "empty", "quantity", texts, "there is no quantity")
    wrong = texts.spread([value is None for value in read], bool)
    issues.error(wrong, "not_a_number", "quantity", texts, "not a number with at most 4 decimals")
    large = texts.spread([abs(value or 0) > QUANTITY_MOST * SCALE for value in read], bool)
    issues.error(large, "too_large", "quantity", texts, f"more than {QUANTITY_MOST:,} pieces")
    fits = [value if value is not None and abs(value) <= QUANTITY_MOST * SCALE else 0 for value in read]
    return texts.spread(fits, np.int64)


def _price(texts: Texts | None, mark: str, issues: Issues, lines: int) -> np.ndarray:
    """Price in ten-thousandths; -1 where there is none, -2 below zero."""
    if texts is None:
        return np.full(lines, -1, np.int64)
    read = [table_dialect.number(text, mark, round_off=True) if text else -1 for text in texts.distinct]
    wrong = texts.spread([value is None for value in read], bool)
    issues.error(wrong, "not_a_number", "unit_price", texts, "not a number")
    large = texts.spread([(value or 0) > PRICE_MOST * SCALE for value in read], bool)
    issues.error(large, "too_large", "unit_price", texts, f"more than {PRICE_MOST:,}")
    fits = [
        -1 if value is None or value > PRICE_MOST * SCALE else -2 if value < 0 and text else value
        for value, text in zip(read, texts.distinct, strict=True)
    ]
    return texts.spread(fits, np.int64)


def _moments(texts: Texts, order: str, latest: datetime, issues: Issues) -> tuple[np.ndarray, np.ndarray]:
    at, is_utc = table_dialect.moments(texts.distinct, order)
    empty = texts.spread([not text for text in texts.distinct], bool)
    issues.error(empty, "empty", "moment", texts, "there is no date")
    issues.error(texts.spread(np.isnat(at)), "not_a_date", "moment", texts, f"not a date ({order})")
    early, late = texts.spread(at < EARLIEST), texts.spread(at > np.datetime64(latest, "us"))
    issues.error(early, "too_early", "moment", texts, "before 1970")
    issues.error(late, "in_the_future", "moment", texts, f"in the future (now is {latest:%Y-%m-%d %H:%M})")
    return texts.spread(at), texts.spread(is_utc)


def _cancelled(documents: pd.Series) -> np.ndarray:
    """Lines of cancellations: a C before the number, where most documents have none."""
    places, distinct = pd.factorize(documents)
    marked = np.asarray([bool(re.match(r"^[Cc]\d+$", document)) for document in distinct], bool)
    if not len(distinct) or marked.mean() > 0.5:
        return np.zeros(len(documents), bool)
    return marked[places]


def _names(texts: Texts | None, codes: np.ndarray, sold: np.ndarray) -> dict[str, str]:
    """The description that most sold lines of a code carry."""
    if texts is None:
        return {}
    said = pd.DataFrame({"code": codes[sold], "name": texts.cleaned()[sold]})
    counts = said[said["name"] != ""].groupby(["code", "name"], sort=False).size()
    best = counts.sort_values(ascending=False, kind="stable").reset_index().drop_duplicates("code")
    return dict(zip(best["code"], best["name"], strict=True))
