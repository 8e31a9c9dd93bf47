"""What became of a scan, as its person is told: what moved, what is left, whether that is low."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core import alert_rules
from core.buying import order_receipts, order_state
from core.posting import plain
from core.scanning.resolver import Resolved
from db.models import (
    Movement,
    OrderReceipt,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    Scan,
    StockLevel,
    Warehouse,
    WarehouseThreshold,
)


@dataclass(frozen=True)
class Taken:
    """What a scan did to the shop.

    Attributes:
        scan: its row, with uid, outcome, quantity in pieces, pack factor, lot, serial and expiry.
        resolved: what its code means now; None after an undo.
        replayed: nothing happened this time; this is the answer of the first time.
        change, before, after: of what was booked, in its warehouse; after an undo, of the reversal. Without a
            booking there is no change, and both are what lies there now (in all warehouses where none is
            named).
        to_before, to_after: of a transfer, where it went.
        on_hand: in all warehouses now.
        reorder_threshold: that of the warehouse (`threshold_of` "warehouse"), else of the shop ("shop").
        is_low: the warehouse, or the shop, is at or below its threshold now.
        order_left: how many pieces of the order's line are still to come.
        can_undo: something was booked, and nobody took it back.
        said: the answer as a sentence.
    """

    scan: Scan
    resolved: Resolved | None
    replayed: bool
    product_uid: uuid.UUID | None = None
    sku: str | None = None
    name: str | None = None
    unit: str | None = None
    change: Decimal | None = None
    before: Decimal | None = None
    after: Decimal | None = None
    warehouse_code: str | None = None
    to_warehouse_code: str | None = None
    to_before: Decimal | None = None
    to_after: Decimal | None = None
    reason_code: str | None = None
    on_hand: Decimal | None = None
    reorder_threshold: Decimal | None = None
    threshold_of: str | None = None
    is_low: bool = False
    order_uid: uuid.UUID | None = None
    order_number: str | None = None
    order_line_uid: uuid.UUID | None = None
    order_left: Decimal | None = None
    can_undo: bool = False
    said: str | None = None

    @property
    def booked(self) -> bool:
        return self.scan.outcome == "booked"


def of(session: Session, scan: Scan, resolved: Resolved | None = None, *, replayed: bool = False) -> Taken:
    """The answer to a scan; its sentence is the one it was given when it was written down."""
    legs = movements(session, scan.posting_id)
    facts = _about(session, scan) | _steps(legs)
    if legs:
        facts["reason_code"] = legs[0].reason_code
        facts["can_undo"] = scan.undone_at is None and not _reversals(session, legs)
        facts |= _order(session, legs[0])
    return Taken(scan, resolved, replayed, **(facts | {"said": scan.said or _sentence(scan, facts)}))


def of_undo(session: Session, scan: Scan, *, replayed: bool = False) -> Taken:
    """The answer to a scan that was taken back."""
    legs = movements(session, scan.posting_id)
    facts = _about(session, scan) | _steps(_reversals(session, legs)) | _order(session, legs[0])
    return Taken(scan, None, replayed, **(facts | {"said": f"Taken back. {_sentence(scan, facts)}"}))


def movements(session: Session, posting_id: int | None) -> list[Movement]:
    """What a scan booked; of a transfer first the leg that takes away."""
    if posting_id is None:
        return []
    question = select(Movement).where(Movement.posting_id == posting_id).order_by(Movement.change)
    return list(session.scalars(question))


def _reversals(session: Session, legs: Sequence[Movement]) -> list[Movement]:
    """What took the legs back, in their order."""
    question = select(Movement).where(Movement.reverses_id.in_([leg.id for leg in legs]))
    return sorted(session.scalars(question), key=lambda back: -back.change)


def _steps(legs: Sequence[Movement]) -> dict[str, Any]:
    """The figures of what was booked."""
    if not legs:
        return {}
    facts = {"change": legs[0].change, "before": legs[0].stock_before, "after": legs[0].stock_after}
    if len(legs) > 1:
        facts |= {"to_before": legs[1].stock_before, "to_after": legs[1].stock_after}
    return facts


def _about(session: Session, scan: Scan) -> dict[str, Any]:
    """Names, what lies where now, and the threshold that holds there."""
    facts: dict[str, Any] = {}
    for key, place_id in (("warehouse_code", scan.warehouse_id), ("to_warehouse_code", scan.to_warehouse_id)):
        facts[key] = session.get_one(Warehouse, place_id).code if place_id is not None else None
    if scan.product_id is None:
        return facts
    product = session.get_one(Product, scan.product_id)
    facts |= {
        "product_uid": product.uid, "sku": product.sku, "name": product.name,
        "unit": product.unit_of_measure,
    }  # fmt: skip
    rows = select(StockLevel.warehouse_id, StockLevel.quantity).where(StockLevel.product_id == product.id)
    lies = dict(session.execute(rows).all())
    on_hand = sum(lies.values(), Decimal(0))
    here = on_hand if scan.warehouse_id is None else lies.get(scan.warehouse_id, Decimal(0))
    if scan.mode == "count" and scan.outcome == "found" and scan.quantity is not None:
        here = scan.quantity  # so many lay there when it was counted
    return (
        facts
        | {"on_hand": on_hand, "before": here, "after": here}
        | _threshold(session, product, scan.warehouse_id, here, on_hand)
    )


def _threshold(
    session: Session, product: Product, warehouse_id: int | None, here: Decimal, on_hand: Decimal
) -> dict[str, Any]:
    of_place = select(WarehouseThreshold.reorder_threshold).where(
        WarehouseThreshold.product_id == product.id, WarehouseThreshold.warehouse_id == warehouse_id
    )
    threshold, held_against, name = session.scalar(of_place), here, "warehouse"
    if threshold is None:
        threshold, held_against, name = product.reorder_threshold, on_hand, "shop"
    if threshold is None:
        return {}
    is_low = alert_rules.severity_of_stock(held_against, threshold) is not None
    return {"reorder_threshold": threshold, "threshold_of": name, "is_low": is_low}


def _order(session: Session, movement: Movement) -> dict[str, Any]:
    """The order that the movement received, and what of its line is still to come."""
    if movement.reference_type != order_receipts.REFERENCE:
        return {}
    question = (
        select(PurchaseOrder, PurchaseOrderLine)
        .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .where(
            exists().where(
                OrderReceipt.line_id == PurchaseOrderLine.id, OrderReceipt.movement_id == movement.id
            )
        )
        .execution_options(populate_existing=True)
    )
    order, line = session.execute(question).one()
    left = order_state.open_of(line) if order.state in order_state.AWAITED else order_state.NOTHING
    return {
        "order_uid": order.uid, "order_number": order.number, "order_line_uid": line.uid, "order_left": left,
    }  # fmt: skip


def _sentence(scan: Scan, facts: dict[str, Any]) -> str | None:
    """What was done, with the figures."""
    if scan.product_id is None:
        return None
    what, here = f"{facts['sku']} {facts['name']}", facts["warehouse_code"]
    before, after = plain(facts["before"]), plain(facts["after"])
    if scan.outcome == "linked":
        return f"{what}: {scan.code} means {plain(scan.pack_factor or 1)} of it now."
    if "change" not in facts:
        if scan.mode == "count" and scan.quantity is not None:
            return f"{what}: {after} counted in {here}, as in the books."
        return f"{what}: {after} in {here}." if here else f"{what}: {after} in all warehouses."
    said = f"{what}: {before} → {after} in {here}"
    if "to_after" in facts:
        said += f", {plain(facts['to_before'])} → {plain(facts['to_after'])} in {facts['to_warehouse_code']}"
    if "order_number" in facts:
        said += f"; {plain(facts['order_left'])} of {facts['order_number']} still to come"
    return f"{said}."
