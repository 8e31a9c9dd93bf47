"""Which warehouse gets its stock from which: vendors deliver to one, and it supplies others by transfer."""

from collections.abc import Mapping

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from core import audit, auth, inputs
from core.auth import Actor
from core.errors import NotFound, RuleBroken
from db.models import Warehouse

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('warehouses', 3))")


def groups(session: Session) -> Mapping[int, tuple[int, ...]]:
    """The warehouses in use that one buys for together: by the one that vendors deliver to, itself first.

    A warehouse whose supplier is used no more stands alone.
    """
    places = session.scalars(select(Warehouse).where(Warehouse.is_active).order_by(Warehouse.id))
    suppliers = {place.id: place.supplied_by_id for place in places}
    roots = [place for place, supplier in suppliers.items() if supplier not in suppliers]
    return {root: (root, *(p for p, supplier in suppliers.items() if supplier == root)) for root in roots}


def change(session: Session, actor: Actor, warehouse_id: int, supplier_id: int | None) -> Warehouse:
    """Let a warehouse be supplied by another one, or (None) by vendors.

    Refuses a chain: one that supplies others buys from vendors itself.
    """
    auth.must(actor, "edit catalogue")
    session.execute(_ONE_AT_A_TIME)
    place = _in_use(session, warehouse_id)
    if place.supplied_by_id == supplier_id:
        return place
    before = session.get(Warehouse, place.supplied_by_id) if place.supplied_by_id else None
    supplier = _in_use(session, supplier_id) if supplier_id is not None else None
    if supplier is not None:
        _refuse_chain(session, place, supplier)
    place.supplied_by_id = supplier and supplier.id
    session.flush()
    audit.note(
        session, actor.id, "changed", "warehouse", place.uid,
        before={"supplied_by": before and before.code}, after={"supplied_by": supplier and supplier.code},
    )  # fmt: skip
    return place


def _refuse_chain(session: Session, place: Warehouse, supplier: Warehouse) -> None:
    if supplier.id == place.id:
        raise RuleBroken(f"{place.code} cannot supply itself: choose another warehouse.")
    if supplier.supplied_by_id is not None:
        raise RuleBroken(f"{supplier.code} is supplied by another warehouse itself: choose that one.")
    if session.scalar(select(exists().where(Warehouse.supplied_by_id == place.id))):
        raise RuleBroken(f"{place.code} supplies other warehouses: it must buy from vendors itself.")


def _in_use(session: Session, warehouse_id: int) -> Warehouse:
    place = session.get(Warehouse, inputs.small_id(warehouse_id, "warehouse"), populate_existing=True)
    if place is None:
        raise NotFound(f"There is no warehouse {warehouse_id}.")
    if not place.is_active:
        raise RuleBroken(f"{place.code} is not in use: reactivate it first.")
    return place
