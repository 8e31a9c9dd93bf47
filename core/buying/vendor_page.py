"""One vendor as its page shows it: what it offers by product, what is on its way, how it delivered."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from core.buying import offers, vendor_records, vendor_shutdowns, vendors
from core.buying.offers import Offer
from core.buying.vendor_records import Delivery, Record
from db import queries
from db.models import Product, Vendor, VendorShutdown


@dataclass(frozen=True)
class Offered:
    """What the vendor asks for a product today."""

    offer: Offer
    product_uid: uuid.UUID
    sku: str
    name: str
    unit_of_measure: str


@dataclass(frozen=True)
class VendorPage:
    """Everything the page of one vendor shows, seen in one moment.

    `orders`: see db/queries/vendor_orders.sql;
    `deliveries` are those behind the record."""

    vendor: Vendor
    offered: tuple[Offered, ...]
    orders: tuple[RowMapping, ...]
    record: Record
    deliveries: tuple[Delivery, ...]
    shutdowns: tuple[VendorShutdown, ...]


def of(session: Session, vendor_uid: uuid.UUID | str, today: date) -> VendorPage:
    """The page of the vendor with this public id. Refuses an unknown or malformed id."""
    vendor = vendors.by_uid(session, vendor_uid)
    return VendorPage(
        vendor,
        tuple(_offered(session, vendor.id, today)),
        tuple(queries.rows(session, "vendor_orders", vendor_id=vendor.id, today=today)),
        vendor_records.of(session, [vendor.id], today)[vendor.id],
        tuple(vendor_records.recent(session, vendor.id, today)),
        tuple(vendor_shutdowns.ahead(session, [vendor.id], today)),
    )


def preferred_of(session: Session, product_id: int) -> tuple[int | None, str | None]:
    """Id and name of the vendor that a product is bought from by choice; nothing where nobody chose one."""
    found = session.execute(
        select(Vendor.id, Vendor.name)
        .join(Product, Product.preferred_vendor_id == Vendor.id)
        .where(Product.id == product_id)
    ).first()
    return (found.id, found.name) if found else (None, None)


def _offered(session: Session, vendor_id: int, today: date) -> list[Offered]:
    found = offers.of_vendor(session, vendor_id, today)
    columns = Product.id, Product.uid, Product.sku, Product.name, Product.unit_of_measure
    named: dict[int, tuple[Any, ...]] = {
        row.id: tuple(row)[1:]
        for row in session.execute(select(*columns).where(Product.id.in_([one.product_id for one in found])))
    }
    return [Offered(one, *named[one.product_id]) for one in found]
