"""Which line of a purchase order a scanned code means, while what arrived is counted."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import inputs
from core.auth import Actor
from core.buying import order_state
from core.errors import NotFound, RuleBroken
from core.posting import plain
from core.scanning import resolver
from core.scanning.resolver import Resolved
from db.models import Product, PurchaseOrder, PurchaseOrderLine, Warehouse

ONE = Decimal(1)


@dataclass(frozen=True)
class Match:
    """The line that a scanned code means, and how many pieces one scan is."""

    line_uid: uuid.UUID
    product_id: int
    sku: str
    name: str
    warehouse_code: str
    pieces: Decimal
    open: Decimal


def match(
    session: Session,
    actor: Actor,
    order_uid: uuid.UUID | str,
    code: str,
    *,
    warehouse_id: int | None = None,
) -> Match:
    """The line of an order that a scanned code means, one with something open first.

    What the code may mean elsewhere in the shop does not matter where only one of it is on the order; the
    vendor's number on a line is known too. Refuses with a sentence a code that nobody knows, a product that
    is not on the order (for the warehouse, where one is named), and one of which everything was received.
    """
    wanted = inputs.uid(order_uid, "a purchase order")
    order = session.scalar(select(PurchaseOrder).where(PurchaseOrder.uid == wanted))
    if order is None:
        raise NotFound("There is no such purchase order; it may have been another shop's link.")
    order_state.must_be(order, *order_state.AWAITED, what="nothing of it is awaited.")
    found = resolver.resolve(session, actor, code)
    pieces = {candidate.id: candidate.pieces for candidate in found.candidates if found.kind == "ambiguous"}
    if found.product is not None:
        pieces[found.product.product.id] = found.pieces
    lines = _scanned(session, order, found, pieces, warehouse_id)
    for line, product, place in lines:
        if (left := order_state.open_of(line)) > 0:
            counted = pieces.get(product.id, ONE)
            return Match(line.uid, product.id, product.sku, product.name, place, counted, left)
    came, wanted_all = (sum(getattr(line, what) for line, *_ in lines) for what in ("received", "quantity"))
    raise RuleBroken(
        f"{lines[0][1].sku}: {plain(came)} of {plain(wanted_all)} on {order.number} were received before; "
        "nothing of it is open."
    )


def _scanned(
    session: Session,
    order: PurchaseOrder,
    found: Resolved,
    products: Collection[int],
    warehouse_id: int | None,
) -> list[tuple[PurchaseOrderLine, Product, str]]:
    """The lines of one product that a code means. Refuses where there is none, or are several products."""
    text = found.reading.text
    is_number = func.lower(PurchaseOrderLine.vendor_sku) == func.lower(text)
    question = (
        select(PurchaseOrderLine, Product, Warehouse.code)
        .join(Warehouse, Warehouse.id == PurchaseOrderLine.warehouse_id)
        .join(Product, Product.id == PurchaseOrderLine.product_id)
        .where(PurchaseOrderLine.order_id == order.id, or_(Product.id.in_(products), is_number))
        .order_by(PurchaseOrderLine.id)
    )
    if warehouse_id is not None:
        question = question.where(PurchaseOrderLine.warehouse_id == warehouse_id)
    rows = [tuple(row) for row in session.execute(question)]
    rows = [row for row in rows if row[1].id in products] or rows
    named = {product.id: f"{product.sku} {product.name}" for _, product, _ in rows}
    if len(named) > 1:
        raise RuleBroken(f"'{inputs.shown(text)}' may be {' or '.join(named.values())}: count it by list.")
    if rows:
        return rows
    if found.kind == "unknown":
        raise NotFound(found.reason or "")
    if found.product is not None:
        product = found.product.product
        raise RuleBroken(f"{product.sku} {product.name} is not on {order.number}.")
    raise RuleBroken(f"'{inputs.shown(text)}' is nothing that is on {order.number}.")
