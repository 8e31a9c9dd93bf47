"""A table that can be taken along: what it is, who may, what it is filtered by, where it comes from.

Each is made by the function that a page shows it with, so that file and screen say the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.datasets.table_types import Column, Filters

PERIOD, WAREHOUSE, CATEGORY = "period", "warehouse", "category"


@dataclass(frozen=True)
class Table:
    """`items` yields what the columns read, `count` says how many there are; both want the day of today."""

    name: str
    title: str
    what: str
    columns: tuple[Column, ...]
    items: Callable[[Session, Filters, date], Iterable[Any]]
    count: Callable[[Session, Filters, date], int]
    filters: frozenset[str] = field(default_factory=frozenset)
    right: str = "read"


def pages(look: Callable[[int], Sequence[Any]], most: int) -> Iterator[Any]:
    """All of a list that is looked at in pages of `most` from an offset on."""
    offset = 0
    while True:
        page = look(offset)
        yield from page
        if len(page) < most:
            return
        offset += most


def said(code: str | None) -> str | None:
    """A code of ours as people read it: order now."""
    return code and code.replace("_", " ")
