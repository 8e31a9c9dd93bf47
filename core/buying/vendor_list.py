"""All vendors beside each other: what they offer, what is on order there, and how they keep their word."""

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from core import inputs
from core.buying import price_history, vendor_records
from core.buying.vendor_records import Record
from core.errors import BadInput
from db import queries

SOON_DAYS = 7
"""An offer that ends within a week may not hold any more when it is ordered from."""
MOST_RISES = 100_000
SEARCH_CHARACTERS = 200


@dataclass(frozen=True)
class Line:
    """A vendor in the list. `on_order` is in the shop's currency; `rises`: prices that rose in the last 90
    days or are going to; `ending`: offers that end within a week."""

    id: int
    uid: uuid.UUID
    name: str
    is_active: bool
    currency: str
    contact_name: str | None
    email: str | None
    phone: str | None
    offers: int
    expired: int
    ending: int
    quoted_days: int | None
    orders: int
    drafts: int
    late: int
    on_order: Decimal
    rises: int
    record: Record


# What the list can be ordered by; what is not known comes last.
SORTS = {
    "name": lambda one: one.name.lower(),
    "offers": lambda one: one.offers,
    "on_order": lambda one: one.on_order,
    "quoted": lambda one: one.quoted_days,
    "lead": lambda one: one.record.median_days,
    "on_time": lambda one: one.record.on_time_share,
    "orders": lambda one: one.orders,
    "rises": lambda one: one.rises,
}


def listing(
    session: Session,
    today: date,
    *,
    search: str | None = None,
    only_active: bool = True,
    sort: str = "name",
    descending: bool = False,
    limit: int | None = 50,
    offset: int = 0,
) -> tuple[list[Line], int]:
    """The page of vendors and how many there are in all; `limit` None is all of them.

    A shop has hundreds of vendors, not millions, so they are put in order here.
    """
    if sort not in SORTS:
        raise BadInput(f"Order: '{inputs.shown(sort)}' is none of {', '.join(SORTS)}.")
    words = queries.like(inputs.text(search or "", "Search", SEARCH_CHARACTERS))
    rows = queries.rows(
        session, "vendor_list", today=today, soon_days=SOON_DAYS, text_like=words, only_active=only_active
    )
    records = vendor_records.of(session, [row["id"] for row in rows], today)
    rises = _rises(session, today)
    lines = [Line(**row, rises=rises[row["uid"]], record=records[row["id"]]) for row in rows]
    lines = _in_order(lines, sort, descending=descending)
    return (lines[offset : offset + limit] if limit is not None else lines), len(lines)


def _rises(session: Session, today: date) -> Counter:
    """How many prices of each vendor rose, by public id."""
    since = today - price_history.LATELY
    rows = queries.rows(
        session, "price_rises", today=today, since=since, vendor_id=None, product_id=None, most=MOST_RISES
    )
    return Counter(row["vendor_uid"] for row in rows)


def _in_order(lines: list[Line], sort: str, *, descending: bool) -> list[Line]:
    key: Any = SORTS[sort]
    known = [one for one in lines if key(one) is not None]
    unknown = [one for one in lines if key(one) is None]
    return sorted(known, key=key, reverse=descending) + unknown
