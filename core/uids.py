"""From the public id that came in to the small one that is used inside, or to the row, locked."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
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
    """Products and warehouses that were looked up together: inner id and SKU, inner id and code.

    The warehouse None is the default one.
    """

    products: dict[uuid.UUID, tuple[int, str]]
    warehouses: dict[uuid.UUID | None, tuple[int, str]]

    def product(self, uid: uuid.UUID) -> int:
        """Like `uids.product`."""
        if uid not in self.products:
            raise _no_product(uid)
        return self.products[uid][0]

    def warehouse(self, uid: uuid.UUID | None) -> int:
        """Like `uids.warehouse`."""
        if uid not in self.warehouses:
            raise _no_warehouse(uid)
        return self.warehouses[uid][0]

    def named(self, product_id: int, warehouse_id: int) -> tuple[str, str]:
        """SKU and code, the way back."""
        return dict(self.products.values())[product_id], dict(self.warehouses.values())[warehouse_id]


def shelves(
    session: Session, product_uids: Collection[uuid.UUID], warehouse_uids: Collection[uuid.UUID | None]
) -> Shelves:
    """Those of these products and warehouses that exist."""
    of_products = session.execute(
        select(Product.uid, Product.id, Product.sku).where(Product.uid.in_(product_uids))
    )
    is_wanted = Warehouse.uid.in_({uid for uid in warehouse_uids if uid is not None})
    if None in warehouse_uids:
        is_wanted |= Warehouse.is_default
    warehouses: dict[uuid.UUID | None, tuple[int, str]] = {}
    for uid, id_, code, is_default in session.execute(
        select(Warehouse.uid, Warehouse.id, Warehouse.code, Warehouse.is_default).where(is_wanted)
    ):
        warehouses[uid] = (id_, code)
        if is_default:
            warehouses[None] = (id_, code)
    return Shelves({uid: (id_, sku) for uid, id_, sku in of_products}, warehouses)


def _no_product(uid: uuid.UUID) -> NotFound:
    return NotFound(f"There is no product {uid}.")


def _no_warehouse(uid: uuid.UUID | None) -> NotFound:
    if uid is None:
        return NotFound("The shop has no warehouse yet: create one first.")
    return NotFound(f"There is no warehouse {uid}.")


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
