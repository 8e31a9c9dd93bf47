"""One edit of a product as programs send it: its fields, its barcode, its total stock, whether it is sold."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import auth, barcodes, catalogue, posting, product_fields, totals
from core.auth import Actor
from db.models import Barcode


def edit(
    session: Session,
    actor: Actor,
    product_id: int,
    today: date,
    *,
    current_stock: Decimal | None = None,
    barcode: str | None = None,
    is_active: bool | None = None,
    key: str | None = None,
    **fields: Any,
) -> None:
    """Change all that is given, or nothing.

    Args:
        current_stock: the total that lies in all warehouses; the difference is booked in the default one.
        barcode: is shown from now on; the product keeps its other codes.
        key: with a stock, a retry with the key changes nothing a second time.
        fields: as in `catalogue.change`.
    """
    auth.must(actor, "edit catalogue")
    # Before its stock, in every edit: two wait for each other, never in a circle.
    catalogue.locked(session, product_id)
    if is_active and not posting.is_known(session, actor, key):
        catalogue.reactivate(session, actor, product_id, today)  # first: only then may stock come in
    if current_stock is not None:
        asked = {"barcode": barcode, "is_active": is_active, **product_fields.said(fields)}
        booked = totals.set_total(
            session, actor, product_id, current_stock, reason="Stock set", key=key, request={"edit": asked}
        )
        if booked.replayed:
            return
    catalogue.change(session, actor, product_id, today, **fields)
    if barcode is not None:
        _show_barcode(session, actor, product_id, barcode)
    if is_active is False:
        catalogue.deactivate(session, actor, product_id)


def _show_barcode(session: Session, actor: Actor, product_id: int, code: str) -> None:
    """Make a code the newest of a product, which is the one that is shown."""
    code = barcodes.normal(code)
    newest = session.scalar(
        select(Barcode.code).where(Barcode.product_id == product_id).order_by(Barcode.id.desc()).limit(1)
    )
    if newest == code:
        return
    is_its_own = session.scalar(
        select(Barcode.id).where(Barcode.product_id == product_id, Barcode.code == code)
    )
    if is_its_own:
        catalogue.remove_barcode(session, actor, product_id, code)
    catalogue.add_barcode(session, actor, product_id, code)
