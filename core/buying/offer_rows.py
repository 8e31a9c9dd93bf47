"""Offers as comparison, advice and pages read them: with their vendor's terms, steps and record."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.buying import vendor_records, vendor_terms
from core.buying.vendor_records import Record
from core.buying.vendor_terms import VendorTerms
from db import queries
from db.models import PriceStep, Product, VendorOffer

Steps = tuple[tuple[Decimal, Decimal], ...]
"""(from this quantity on, unit price), ascending."""


@dataclass(frozen=True)
class Offer:
    """What one vendor asks for one product. Prices are in the vendor's currency.

    `vendor`: its terms, shared by all its offers. `record`: how it delivered, this product where there were
    enough deliveries of it, else everything. `age_days`: since it holds, below zero for one to come.
    `is_expired`: past its `valid_until`; it counts until a newer one comes. `is_preferred`: the product is
    bought from this vendor whatever others ask.
    """

    id: int
    uid: uuid.UUID
    product_id: int
    vendor_id: int
    vendor: VendorTerms
    vendor_sku: str | None
    lead_time_days: int
    minimum_order_quantity: Decimal | None
    order_multiple: Decimal | None
    steps: Steps
    valid_from: date
    valid_until: date | None
    is_expired: bool
    age_days: int
    is_preferred: bool
    record: Record


def read(
    session: Session,
    today: date,
    *,
    product_ids: list[int] | None = None,
    vendor_id: int | None = None,
    upcoming: bool = False,
) -> list[Offer]:
    """Offers that count today, or those that are to come, in a few questions however many they are."""
    rows = queries.rows(
        session, "offers_now", today=today, product_ids=product_ids, vendor_id=vendor_id, upcoming=upcoming
    )
    asked = {row["vendor_id"] for row in rows}
    terms = vendor_terms.of(session, asked, today)
    records = vendor_records.of(session, asked, today)
    own = vendor_records.of_products(session, asked, today, product_ids)
    return [
        _offer(row, terms[row["vendor_id"]],
               own.get((row["vendor_id"], row["product_id"]), records[row["vendor_id"]]), today)
        for row in rows
    ]  # fmt: skip


_AS_KEPT = ("id", "uid", "product_id", "vendor_id", "vendor_sku", "lead_time_days", "minimum_order_quantity",
            "order_multiple", "valid_from", "valid_until", "is_preferred")  # fmt: skip


def _offer(row: Mapping[str, Any], terms: VendorTerms, record: Record, today: date) -> Offer:
    until = row["valid_until"]
    return Offer(
        **{name: row[name] for name in _AS_KEPT},
        vendor=terms,
        steps=tuple(zip(row["minimum_quantities"], row["unit_prices"], strict=True)),
        is_expired=until is not None and until < today,
        age_days=(today - row["valid_from"]).days,
        record=record,
    )


def one(session: Session, offer_id: int, today: date) -> Offer:
    """One offer as it stands, whether it counts or not."""
    row = session.get_one(VendorOffer, offer_id)
    steps = steps_of(session, row.id)
    values = {name: getattr(row, name) for name in _AS_KEPT if name != "is_preferred"}
    preferred = session.scalar(select(Product.preferred_vendor_id).where(Product.id == row.product_id))
    terms = vendor_terms.of(session, [row.vendor_id], today)[row.vendor_id]
    records = vendor_records.of_products(session, [row.vendor_id], today, [row.product_id])
    record = records.get((row.vendor_id, row.product_id))
    return _offer(
        values
        | {
            "is_preferred": preferred == row.vendor_id,
            "minimum_quantities": [least for least, _ in steps],
            "unit_prices": [price for _, price in steps],
        },
        terms,
        record or vendor_records.of(session, [row.vendor_id], today)[row.vendor_id],
        today,
    )


def steps_of(session: Session, offer_id: int) -> Steps:
    """The price steps of an offer."""
    columns = PriceStep.minimum_quantity, PriceStep.unit_price
    question = select(*columns).where(PriceStep.offer_id == offer_id).order_by(PriceStep.minimum_quantity)
    return tuple((least, price) for least, price in session.execute(question))
