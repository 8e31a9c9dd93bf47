"""Offers by the ten thousand: read whole, and written in a few statements."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from core.imports.price_offers import TERMS, Known, Pair
from db import queries
from db.models import Barcode, Product, Vendor

CHUNK = 10_000
_OFFERS = text("""
    INSERT INTO vendor_offer (vendor_id, product_id, vendor_sku, lead_time_days, minimum_order_quantity,
                              order_multiple, valid_from, valid_until, import_id, created_by)
    SELECT n.*, :import_id, :actor_id
    FROM unnest(
        CAST(:vendor_id AS integer[]), CAST(:product_id AS integer[]), CAST(:vendor_sku AS text[]),
        CAST(:lead_time_days AS smallint[]), CAST(:minimum_order_quantity AS numeric[]),
        CAST(:order_multiple AS numeric[]), CAST(:valid_from AS date[]), CAST(:valid_until AS date[])
    ) AS n
    RETURNING id, vendor_id, product_id, valid_from
""")
_STEPS = text("""
    INSERT INTO price_step (offer_id, minimum_quantity, unit_price)
    SELECT * FROM unnest(CAST(:offer_id AS integer[]), CAST(:minimum_quantity AS numeric[]),
                         CAST(:unit_price AS numeric[]))
""")


def vendors(session: Session) -> list[Vendor]:
    """All vendors, those that are not active among them."""
    return list(session.scalars(select(Vendor).order_by(Vendor.id)))


def products(session: Session) -> list[RowMapping]:
    """All products: id, sku, name, is_active."""
    columns = Product.id, Product.sku, Product.name, Product.is_active
    return list(session.execute(select(*columns).order_by(Product.id)).mappings())


def barcodes(session: Session) -> list[tuple[str, int]]:
    """Whose each barcode of one piece is; the price of a pack is not that of its pieces."""
    question = select(Barcode.code, Barcode.product_id).where(Barcode.pack_factor == 1)
    return [(code, product_id) for code, product_id in session.execute(question)]


def known(session: Session, vendor_ids: Collection[int]) -> dict[Pair, list[Known]]:
    """What these vendors ask, asked or are going to ask, by vendor and product, ascending by first day."""
    found: dict[Pair, list[Known]] = {}
    for row in queries.rows(session, "offers_known", vendor_ids=list(vendor_ids)):
        steps = tuple(zip(row["minimum_quantities"], row["unit_prices"], strict=True))
        offer = Known(row["valid_from"], steps, {name: row[name] for name in TERMS})
        found.setdefault((row["vendor_id"], row["product_id"]), []).append(offer)
    return found


def insert(
    session: Session, offers: Sequence[tuple[Pair, Known]], *, import_id: int | None, actor_id: int
) -> None:
    """Write offers, of which no two are of one vendor, product and day, with their steps."""
    for start in range(0, len(offers), CHUNK):
        chunk = offers[start : start + CHUNK]
        columns: dict[str, list] = {
            "vendor_id": [pair[0] for pair, _ in chunk],
            "product_id": [pair[1] for pair, _ in chunk],
            "valid_from": [offer.valid_from for _, offer in chunk],
        } | {name: [offer.terms[name] for _, offer in chunk] for name in TERMS}
        made = session.execute(_OFFERS, columns | {"import_id": import_id, "actor_id": actor_id})
        ids = {(vendor, product, day): offer_id for offer_id, vendor, product, day in made}
        _insert_steps(session, chunk, ids)


def _insert_steps(session: Session, offers: Sequence[tuple[Pair, Known]], ids: Mapping[tuple, int]) -> None:
    rows = [
        (ids[(*pair, offer.valid_from)], least, price)
        for pair, offer in offers
        for least, price in offer.steps
    ]
    names: tuple[str, ...] = ("offer_id", "minimum_quantity", "unit_price")
    columns: dict[str, Any] = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    session.execute(_STEPS, columns)
