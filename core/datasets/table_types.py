"""What a table to take along is made of: its columns, their kinds, and what was asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Kind = Literal["text", "whole", "quantity", "money", "share", "yes", "day", "moment"]
"""quantity and money: exact, four decimals; share: 0 to 1; day: a date; moment: UTC."""

Row = Sequence[Any]
"""One value for each column; None where there is none."""


@dataclass(frozen=True)
class Column:
    """A column: its name for programs, its header for people, what its values are."""

    name: str
    header: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Filters:
    """Which rows: days are in the shop's time zone and both inclusive; None is all."""

    since: date | None = None
    until: date | None = None
    warehouse_id: int | None = None
    category: str | None = None
