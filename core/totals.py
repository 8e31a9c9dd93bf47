"""The stock of a product as one number: what is entered is the total, what is booked is the difference."""

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import posting, warehouses
from core.auth import Actor
from core.errors import BadInput, InsufficientStock
from core.posting import Booked
from db.models import Product, StockLevel, Warehouse


def set_total(
    session: Session,
    actor: Actor,
    product_id: int,
    total: Decimal | int | str,
    *,
    reason: str | None = None,
    key: str | None = None,
    request: dict | None = None,
) -> Booked:
    """Book the difference between `total` and what is on hand of a product, in the default warehouse.

    The difference is found under the locks of all its levels. Without one the answer has no lines. Refuses,
    with the figures per warehouse, when the default warehouse would go below zero.

    `request`: what else was asked for together with this; a retry with the key must ask for the same.
    """
    total = posting.exact(total, "Stock")
    if total < 0:
        raise BadInput("Stock cannot be below zero.")
    place = warehouses.default(session)
    line = posting.line(product_id, place.id, "adjust", "count", None, {"reason": reason})
    line["total"] = str(total)
    said = {"product_id": product_id, "total": posting.plain(total), "reason": reason} | (request or {})
    try:
        return posting.post(session, actor, "set total", [line], key, request=said)
    except InsufficientStock as refusal:
        raise _too_much_elsewhere(session, product_id, total, place.code) from refusal


def _too_much_elsewhere(
    session: Session, product_id: int, total: Decimal, default_code: str
) -> InsufficientStock:
    rows = session.execute(
        select(Warehouse.code, StockLevel.quantity)
        .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
        .where(StockLevel.product_id == product_id)
        .order_by(Warehouse.is_default.desc(), Warehouse.code)
    ).all()
    sku = session.scalar(select(Product.sku).where(Product.id == product_id))
    lies = ", ".join(f"{posting.plain(quantity)} in {code}" for code, quantity in rows)
    return InsufficientStock(
        f"{sku}: {posting.plain(total)} in all asked for, but on hand are {lies}, and only {default_code}"
        " would be adjusted: adjust or transfer the others first."
    )
