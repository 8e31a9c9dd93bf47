"""From the public id that came in to the small one that is used inside, or to the row, locked."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core import inputs
from core.errors import NotFound
from db import queries
from db.models import Base, Product, Warehouse

Model = TypeVar("Model", bound=Base)


def product(session: Session, uid: uuid.UUID) -> int:
    """The inner id of a product. Refuses an unknown one."""
    found = session.scalar(select(Product.id).where(Product.uid == uid))
    if found is None:
        raise _no_product(uid)
    return found


def named_products(session: Session, ids: Collection[int]) -> dict[int, tuple[uuid.UUID, str]]:
    """The way back: public id and SKU of products, by inner id."""
    rows = session.execute(select(Product.id, Product.uid, Product.sku).where(Product.id.in_(ids)))
    return {number: (public, sku) for number, public, sku in rows}


def warehouse(session: Session, uid: uuid.UUID | None) -> int:
    """The inner id of a warehouse; of the default one when none is named. Refuses an unknown one."""
    is_it = Warehouse.uid == uid if uid is not None else Warehouse.is_default
    found = session.scalar(select(Warehouse.id).where(is_it))
    if found is None:
        raise _no_warehouse(uid)
    return found


@dataclass(frozen=True)
class Shelves:
    """Products and warehouses that were looked up together, by public id: rows with id, code (SKU) and name.

    The warehouse None is the default one.
    """

    products: dict[uuid.UUID, Row]
    warehouses: dict[uuid.UUID | None, Row]

    def product(self, uid: uuid.UUID) -> Row:
        """Refuses like `uids.product`."""
        if uid not in self.products:
            raise _no_product(uid)
        return self.products[uid]

    def warehouse(self, uid: uuid.UUID | None) -> Row:
        """Refuses like `uids.warehouse`."""
        if uid not in self.warehouses:
            raise _no_warehouse(uid)
        return self.warehouses[uid]


def shelves(
    session: Session, product_uids: Collection[uuid.UUID], warehouse_uids: Collection[uuid.UUID | None]
) -> Shelves:
    """Those of these products and warehouses that exist, and the default warehouse."""
    found = Shelves({}, {})
    asked = {
        "product_uids": [str(uid) for uid in product_uids],
        "warehouse_uids": [str(uid) for uid in warehouse_uids if uid is not None],
    }
    for row in session.execute(queries.sql("shelves"), asked):
        (found.warehouses if row.is_warehouse else found.products)[row.uid] = row
        if row.is_default:
            found.warehouses[None] = row
    return found


def _no_product(uid: uuid.UUID) -> NotFound:
    return NotFound(f"There is no product {uid}.")


def _no_warehouse(uid: uuid.UUID | None) -> NotFound:
    if uid is None:
        return NotFound("The shop has no warehouse yet: create one first.")
    return NotFound(f"There is no warehouse {uid}.")


def locked(session: Session, model: type[Model], uid: uuid.UUID | str, what: str, missing: str) -> Model:
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
