"""How vendors kept their word: days from sending an order to its arrival, and how often it came in time."""

import math
import statistics
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from db import queries

LOOKS_BACK = timedelta(days=2 * 365)
"""What was longer ago says little about the vendor of today."""
NEWEST = 50  # deliveries that count at most, for the same reason
LEAST_OF_PRODUCT = 5
"""So many deliveries of one product of a vendor say more than those of everything it sells."""
LATE_TAIL = 0.9


@dataclass(frozen=True)
class Record:
    """What was measured of a vendor, or of one product of it (`is_of_product`).

    A delivery is what arrived of one order on one day. `lead_days`: from sending the order to each of the
    newest deliveries, oldest first; `median_days` and `p90_days` (nine of ten came within) follow from them.
    `on_time_share`: deliveries of which no line came after the day it was promised for, among those that were
    promised for a day; an order of which a promised part is still missing today counts as late
    (`overdue` of them). None where nothing was measured.
    """

    deliveries: int
    median_days: float | None
    p90_days: float | None
    on_time_share: float | None
    lead_days: tuple[int, ...]
    overdue: int = 0
    is_of_product: bool = False


NOTHING = Record(0, None, None, None, ())


@dataclass(frozen=True)
class Delivery:
    """One of the deliveries behind a record; `late_days` below zero came early, None was promised for no day.

    With `received_on` None a promised part is still missing today.
    """

    order_uid: uuid.UUID
    number: str
    sent_on: date
    promised_on: date | None
    received_on: date | None
    days: int
    late_days: int | None
    lines: int


def of(session: Session, vendor_ids: Collection[int], today: date) -> dict[int, Record]:
    """The record of each of these vendors; NOTHING of one that delivered nothing yet."""
    found = dict.fromkeys(vendor_ids, NOTHING)
    for vendor_id, rows in _by(_rows(session, vendor_ids, today), "vendor_id").items():
        found[vendor_id] = _record(rows)
    return found


def of_products(
    session: Session, vendor_ids: Collection[int], today: date, product_ids: Sequence[int] | None = None
) -> dict[tuple[int, int], Record]:
    """Records by (vendor, product), where there were at least five deliveries."""
    rows = _rows(session, vendor_ids, today, product_ids, by_product=True)
    records = {pair: _record(those, is_of_product=True) for pair, those in _by_pair(rows).items()}
    return {pair: record for pair, record in records.items() if record.deliveries >= LEAST_OF_PRODUCT}


def recent(session: Session, vendor_id: int, today: date, product_id: int | None = None) -> list[Delivery]:
    """The deliveries behind a record, what is missing first, then the newest."""
    products = None if product_id is None else [product_id]
    rows = _rows(session, [vendor_id], today, products, by_product=product_id is not None)
    return [
        Delivery(
            row["order_uid"], row["number"], row["sent_on"], row["promised_on"], row["received_on"],
            row["days"], row["late_days"], row["lines"],
        )
        for row in rows
    ]  # fmt: skip


def _rows(
    session: Session,
    vendor_ids: Collection[int],
    today: date,
    product_ids: Sequence[int] | None = None,
    *,
    by_product: bool = False,
) -> list[RowMapping]:
    return queries.rows(
        session, "deliveries", vendor_ids=list(vendor_ids), today=today, since=today - LOOKS_BACK,
        product_ids=None if product_ids is None else list(product_ids), by_product=by_product, most=NEWEST,
    )  # fmt: skip


def _by(rows: Sequence[RowMapping], name: str) -> dict[int, list[RowMapping]]:
    found: dict[int, list[RowMapping]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row)
    return found


def _by_pair(rows: Sequence[RowMapping]) -> dict[tuple[int, int], list[RowMapping]]:
    found: dict[tuple[int, int], list[RowMapping]] = {}
    for row in rows:
        found.setdefault((row["vendor_id"], row["product_id"]), []).append(row)
    return found


def _record(rows: Sequence[RowMapping], *, is_of_product: bool = False) -> Record:
    """From rows of one vendor or pair, the newest first."""
    days = tuple(row["days"] for row in reversed(rows) if row["received_on"] is not None)
    promised = [row["late_days"] > 0 for row in rows if row["late_days"] is not None]
    return Record(
        deliveries=len(days),
        median_days=float(statistics.median(days)) if days else None,
        p90_days=float(sorted(days)[math.ceil(LATE_TAIL * len(days)) - 1]) if days else None,
        on_time_share=1 - sum(promised) / len(promised) if promised else None,
        lead_days=days,
        overdue=sum(row["received_on"] is None for row in rows),
        is_of_product=is_of_product,
    )
