"""What a table to take along is made of: its columns, their kinds, and what was asked of it."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["text", "whole", "quantity", "money", "number", "share", "yes", "day", "moment"]
"""quantity and money: exact, four decimals; number: any other; share: 0 to 1; moment: UTC."""

Row = Sequence[Any]
"""One value for each column, of the column's kind (`value`); None where there is none."""

PLACES = Decimal("0.0001")
SHARE_DIGITS = 6


@dataclass(frozen=True)
class Column:
    """A column: its name for programs, its header for people, what its values are.

    `source` finds its value in what a table is made of: a key or an attribute (None: the name) or a function.
    """

    name: str
    header: str
    kind: Kind = "text"
    source: str | Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Filters:
    """Which rows: days are in the shop's time zone and both inclusive; None is all."""

    since: date | None = None
    until: date | None = None
    warehouse_id: int | None = None
    category: str | None = None


def value(kind: Kind, given: Any) -> Any:
    """A value as its kind is kept: str, int, Decimal, float, bool, date, or datetime in UTC; None for none.

    What a frame puts in the place of nothing (NaN, NaT) is none as well.
    """
    if given is None or given != given:
        return None
    match kind:
        case "text":
            return str(given)
        case "whole":
            return int(given)
        case "quantity" | "money":
            return _exact(given)
        case "number":
            return float(given) if math.isfinite(given) else None
        case "share":
            return round(float(given), SHARE_DIGITS) if math.isfinite(given) else None
        case "yes":
            return bool(given)
        case "day":
            return given.date() if isinstance(given, datetime) else given
        case "moment":
            return given.astimezone(UTC)


def rows(columns: Sequence[Column], items: Iterable[Any]) -> Iterator[Row]:
    """A row for each item: a mapping, or anything with attributes."""
    readers = [(column.kind, _reader(column)) for column in columns]
    for item in items:
        yield [value(kind, read(item)) for kind, read in readers]


def _reader(column: Column) -> Callable[[Any], Any]:
    if callable(column.source):
        return column.source
    name = column.source or column.name
    return lambda item: item[name] if isinstance(item, Mapping) else getattr(item, name)


def _exact(given: Any) -> Decimal | None:
    exact = given if isinstance(given, Decimal) else Decimal(str(given))
    return exact.quantize(PLACES) if exact.is_finite() else None


def plain(number: Decimal) -> str:
    """The shortest way to write it without an exponent: 12.5, 100."""
    said = f"{number:f}"
    return (said.rstrip("0").rstrip(".") if "." in said else said) or "0"
