"""Vendors as comparison and advice need them: what they ask beside prices, and when they are closed."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.buying import vendor_shutdowns
from db.models import Vendor


@dataclass(frozen=True)
class VendorTerms:
    """A vendor as comparison and advice need it. Money is in `currency`, one unit of which costs
    `exchange_rate` of the shop's; money that nobody entered is None. `order_weekdays` empty: any day.
    `shutdowns`: (first day, last day), those that are not over yet, the next first."""

    id: int
    uid: uuid.UUID
    name: str
    email: str | None
    currency: str
    exchange_rate: Decimal
    lead_time_days: int | None
    order_minimum: Decimal | None
    free_freight_from: Decimal | None
    freight_cost: Decimal | None
    order_cost: Decimal | None
    order_weekdays: tuple[int, ...]
    shutdowns: tuple[tuple[date, date], ...]
    is_active: bool


def of(session: Session, vendor_ids: Collection[int], today: date) -> dict[int, VendorTerms]:
    """The terms of these vendors, by id; two questions however many."""
    closed: dict[int, list[tuple[date, date]]] = {}
    for row in vendor_shutdowns.ahead(session, vendor_ids, today):
        closed.setdefault(row.vendor_id, []).append((row.starts_on, row.ends_on))
    rows = session.scalars(select(Vendor).where(Vendor.id.in_(vendor_ids)))
    return {row.id: _terms(row, tuple(closed.get(row.id, ()))) for row in rows}


def _terms(vendor: Vendor, closed: tuple[tuple[date, date], ...]) -> VendorTerms:
    same = ("id", "uid", "name", "email", "currency", "exchange_rate", "lead_time_days", "order_minimum",
            "free_freight_from", "freight_cost", "order_cost", "is_active")  # fmt: skip
    about = {name: getattr(vendor, name) for name in same}
    return VendorTerms(**about, order_weekdays=tuple(vendor.order_weekdays or ()), shutdowns=closed)
