"""From the public id that came in to the small one that is used inside."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from db.models import Product, Warehouse


def product(session: Session, uid: uuid.UUID) -> int:
    """The inner id of a product. Refuses an unknown one."""
    found = session.scalar(select(Product.id).where(Product.uid == uid))
    if found is None:
        raise NotFound(f"There is no product {uid}.")
    return found


def warehouse(session: Session, uid: uuid.UUID | None) -> int:
    """The inner id of a warehouse; of the default one when none is named. Refuses an unknown one."""
    is_it = Warehouse.uid == uid if uid is not None else Warehouse.is_default
    found = session.scalar(select(Warehouse.id).where(is_it))
    if found is None and uid is None:
        raise NotFound("The shop has no warehouse yet: create one first.")
    if found is None:
        raise NotFound(f"There is no warehouse {uid}.")
    return found
