"""From the public id that came in to the small one that is used inside, or to the row, locked."""

import uuid
from collections.abc import Collection
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs
from core.errors import NotFound
from db.models import Base, Product, Warehouse

Row = TypeVar("Row", bound=Base)


def product(session: Session, uid: uuid.UUID) -> int:
    """The inner id of a product. Refuses an unknown one."""
    found = session.scalar(select(Product.id).where(Product.uid == uid))
    if found is None:
        raise NotFound(f"There is no product {uid}.")
    return found


def named_products(session: Session, ids: Collection[int]) -> dict[int, tuple[uuid.UUID, str]]:
    """The way back: public id and SKU of products, by inner id."""
    rows = session.execute(select(Product.id, Product.uid, Product.sku).where(Product.id.in_(ids)))
    return {number: (public, sku) for number, public, sku in rows}


def warehouse(session: Session, uid: uuid.UUID | None) -> int:
    """The inner id of a warehouse; of the default one when none is named. Refuses an unknown one."""
    is_it = Warehouse.uid == uid if uid is not None else Warehouse.is_default
    found = session.scalar(select(Warehouse.id).where(is_it))
    if found is None and uid is None:
        raise NotFound("The shop has no warehouse yet: create one first.")
    if found is None:
        raise NotFound(f"There is no warehouse {uid}.")
    return found


def locked(session: Session, model: type[Row], uid: uuid.UUID | str, what: str, missing: str) -> Row:
    """The row as it is now; who else wants to change it waits.

    Refuses what cannot be an id of `what` ("an event"), and an unknown one with the sentence `missing`.
    """
    found = session.scalar(
        select(model)
        .where(model.uid == inputs.uid(uid, what))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(missing)
    return found
