"""How a scan reaches the ledger: each mode by the verb that people use for it, under the scan's own key."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs, posting, predictions, shop, stock
from core.auth import Actor
from core.buying import order_receipts
from core.errors import BadInput, NotFound, RuleBroken
from core.posting import Booked
from core.scanning.reading import Reading
from core.scanning.resolver import Resolved
from db.models import Product, PurchaseOrder, PurchaseOrderLine, Warehouse

REFERENCE = "scan"  # what movements refer to, with the code
REFERENCE_CHARACTERS = 100
# Why stock comes and goes by scan, the usual reason first.
REASONS = {
    "in": ("receipt", "return", "correction"),
    "out": ("issue", "sale", "damage", "loss", "vendor_return", "correction"),
}
BOOKING = ("in", "out", "transfer", "count")


@dataclass(frozen=True)
class Request:
    """One code that somebody read, and what is to be done with it.

    Args:
        key: made where the code was read; the same person's same key is the same scan.
        mode: look_up, in, out, transfer, count or link.
        source: camera, photo, wedge, typed, list or http.
        warehouse_id: where; the default warehouse when something is booked without one, all when looking up.
        quantity: in pieces; without it what the code stands for. Transfers and counts need it. When linking:
            how many pieces a scan of the code means from now on.
        reason_code: of in and out, one of REASONS; the first when there is none.
        order_line_uid: in: the line of a purchase order that this is a part of.
        product_id: what an ambiguous code means, or which product to link.

    What a mode has no use for is not looked at.
    """

    key: uuid.UUID
    mode: str
    code: str
    source: str
    symbology: str | None = None
    warehouse_id: int | None = None
    to_warehouse_id: int | None = None
    quantity: Decimal | int | str | None = None
    reason_code: str | None = None
    order_line_uid: uuid.UUID | str | None = None
    product_id: int | None = None


def book(
    session: Session,
    actor: Actor,
    request: Request,
    resolved: Resolved,
    place: Warehouse,
    to_place: Warehouse | None,
    *,
    now: datetime,
) -> tuple[Decimal, Booked | None]:
    """Book what a scan of a product means: how many pieces, and the booking; None for a count that fits.

    Refuses like the verbs it calls, a quantity that is missing, and a reason that does not go with the mode.
    """
    product = resolved.product.product
    quantity = _quantity(request, resolved)
    about = {
        "key": f"scan:{request.key}",
        "reason": note(resolved.reading),
        "reference_type": REFERENCE,
        "reference_id": _reference(resolved.reading),
    }
    booked: Booked | None
    if request.mode == "transfer":
        if to_place is None:
            raise BadInput(f"{product.sku}: choose the warehouse it goes to.")
        booked = stock.transfer(session, actor, product.id, place.id, to_place.id, quantity, **about)
    elif request.mode == "count":
        booked = stock.set_to(session, actor, product.id, place.id, quantity, **about)
    elif request.mode == "in" and request.order_line_uid is not None:
        booked = _receive(session, actor, request, product, place, quantity, about, now)
    else:
        change = quantity if request.mode == "in" else -quantity
        about["reason_code"] = _reason(request)
        booked = stock.adjust(session, actor, product.id, place.id, change, **about)
    if booked is not None:
        refresh(session, product.id, now)
    return quantity, booked


def refresh(session: Session, product_id: int, now: datetime) -> None:
    """The run-out with the stock of now."""
    predictions.refresh(session, [product_id], shop.today(shop.get(session), now))


def note(reading: Reading) -> str | None:
    """What a code says of the piece in hand, for the movement: "Lot A7, expires 2027-03-31"."""
    said = (
        reading.lot and f"lot {reading.lot}",
        reading.serial and f"serial {reading.serial}",
        reading.expires_on and f"expires {reading.expires_on}",
    )
    words = ", ".join(part for part in said if part)
    return words[:1].upper() + words[1:] or None


def _reference(reading: Reading) -> str:
    """The code under which the product is known, so that a search for it finds the movement too."""
    return inputs.shown(reading.code or reading.text, REFERENCE_CHARACTERS)


def _quantity(request: Request, resolved: Resolved) -> Decimal:
    if request.quantity is not None:
        counted = posting.exact(request.quantity, "Quantity")
        if request.mode == "count":
            return counted
        return posting.positive(counted)
    if request.mode == "count":
        # What one scan stands for is not what lies there: a count of 1 by mistake would empty the shelf.
        raise BadInput(f"{resolved.product.product.sku}: enter how many were counted.")
    if request.mode == "transfer":
        raise BadInput(f"{resolved.product.product.sku}: enter how many are moved.")
    return resolved.pieces


def _reason(request: Request) -> str:
    reasons = REASONS[request.mode]
    chosen = request.reason_code or reasons[0]
    if chosen not in reasons:
        raise BadInput(
            f"Reason: '{inputs.shown(chosen)}' does not go with a scan {request.mode}; "
            f"it may be {', '.join(reasons)}."
        )
    return chosen


def _receive(
    session: Session,
    actor: Actor,
    request: Request,
    product: Product,
    place: Warehouse,
    quantity: Decimal,
    about: dict[str, str | None],
    now: datetime,
) -> Booked:
    """Receive a part of an order's line, which must be of this product and for this place."""
    line_uid = inputs.uid(request.order_line_uid or "", "a line of an order")
    question = (
        select(PurchaseOrder.uid, PurchaseOrder.number, PurchaseOrderLine.product_id, Warehouse.id,
               Warehouse.code)
        .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .join(Warehouse, Warehouse.id == PurchaseOrderLine.warehouse_id)
        .where(PurchaseOrderLine.uid == line_uid)
    )  # fmt: skip
    found = session.execute(question).first()
    if found is None:
        raise NotFound("There is no such line of a purchase order; it may have been removed.")
    order_uid, number, product_id, place_id, place_code = found
    if product_id != product.id:
        raise RuleBroken(f"{product.sku} {inputs.shown(product.name)} is not on that line of {number}.")
    if place_id != place.id:
        raise RuleBroken(
            f"{product.sku} of {number} was ordered for {place_code}: receive it there, then transfer it."
        )
    return order_receipts.receive(
        session, actor, order_uid, {line_uid: quantity}, key=about["key"], now=now, note=about["reason"]
    )
