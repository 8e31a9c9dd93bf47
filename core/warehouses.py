"""Places stock can lie."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import delete as erase
from sqlalchemy import exists, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, auth, inputs
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from core.posting import plain
from db.models import ExpectedReceipt, Movement, Product, Scan, StockLevel, Warehouse, WarehouseThreshold

CODE_CHARACTERS = 40
NAME_CHARACTERS = 200
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('warehouses', 3))")


def listing(session: Session, *, only_active: bool = True) -> list[Warehouse]:
    """All warehouses, the default one first, then by code."""
    question = select(Warehouse).order_by(Warehouse.is_default.desc(), Warehouse.code)
    if only_active:
        question = question.where(Warehouse.is_active)
    return list(session.scalars(question))


def default(session: Session) -> Warehouse:
    """The warehouse that is meant where none is named. Refuses when the shop has none."""
    found = session.scalar(select(Warehouse).where(Warehouse.is_default))
    if found is None:
        raise NotFound("The shop has no warehouse yet: create one first.")
    return found


def by_code(session: Session, code: str) -> Warehouse:
    """The warehouse with this code, whatever the case."""
    for warehouse in listing(session, only_active=False):
        if warehouse.code.lower() == code.strip().lower():
            return warehouse
    raise NotFound(f"There is no warehouse '{inputs.shown(code)}'.")


def by_uid(session: Session, uid: uuid.UUID | str) -> Warehouse:
    """The warehouse with this public id. Refuses an unknown or malformed id."""
    wanted = inputs.uid(uid, "a warehouse")
    found = session.scalar(select(Warehouse).where(Warehouse.uid == wanted))
    if found is None:
        raise NotFound("There is no such warehouse; it may have been another shop's link.")
    return found


@dataclass(frozen=True)
class Figures:
    """What lies in one warehouse: products with stock, units, and their value at cost (else at price)."""

    products: int
    units: Decimal
    value: Decimal


NOTHING = Figures(0, Decimal(0), Decimal(0))


def figures(session: Session) -> dict[int, Figures]:
    """What lies where, by id of the warehouse; one without stock is missing."""
    worth = func.coalesce(Product.unit_cost, Product.unit_price, 0)
    rows = session.execute(
        select(
            StockLevel.warehouse_id,
            func.count(),
            func.sum(StockLevel.quantity),
            func.sum(StockLevel.quantity * worth),
        )
        .join(Product, Product.id == StockLevel.product_id)
        .where(StockLevel.quantity > 0)
        .group_by(StockLevel.warehouse_id)
    )
    return {place: Figures(count, units, value) for place, count, units, value in rows}


def create(
    session: Session, actor: Actor, *, code: str, name: str, time_zone: str, location: str | None = None
) -> Warehouse:
    """Add a warehouse; the first one becomes the default. Refuses a known code or an unknown time zone."""
    auth.must(actor, "edit catalogue")
    values = _values({"code": code, "name": name or code, "time_zone": time_zone, "location": location})
    session.execute(_ONE_AT_A_TIME)
    _refuse_known_code(session, values["code"], None)
    is_first = session.scalar(select(Warehouse.id).limit(1)) is None
    warehouse = Warehouse(**values, is_default=is_first)
    session.add(warehouse)
    session.flush()
    audit.note(session, actor.id, "created", "warehouse", warehouse.uid, after=values)
    return warehouse


def change(session: Session, actor: Actor, warehouse_id: int, **fields: Any) -> Warehouse:
    """Change code, name, location or time_zone; only the given fields, None clears the location.

    Refuses another time zone once something moved there: each movement was booked on its day in the old one,
    and the days of sales would no longer be those of the ledger.
    """
    auth.must(actor, "edit catalogue")
    values = _values(fields)
    warehouse = _locked(session, warehouse_id)
    changed = {name: value for name, value in values.items() if getattr(warehouse, name) != value}
    if not changed:
        return warehouse
    if "code" in changed:
        _refuse_known_code(session, changed["code"], warehouse.id)
    if "time_zone" in changed and _has_moved(session, warehouse):
        raise RuleBroken(
            f"{warehouse.code} has movements, booked on the days of {warehouse.time_zone}: "
            "its time zone stays. Make a new warehouse for another one."
        )
    before = {name: getattr(warehouse, name) for name in changed}
    for name, value in changed.items():
        setattr(warehouse, name, value)
    session.flush()
    audit.note(session, actor.id, "changed", "warehouse", warehouse.uid, before=before, after=changed)
    return warehouse


def make_default(session: Session, actor: Actor, warehouse_id: int) -> Warehouse:
    """Mean this warehouse wherever none is named."""
    auth.must(actor, "edit catalogue")
    warehouse = _locked(session, warehouse_id)
    if not warehouse.is_active:
        raise RuleBroken(f"{warehouse.code} is not in use: reactivate it first.")
    if warehouse.is_default:
        return warehouse
    before = session.scalar(select(Warehouse).where(Warehouse.is_default))
    if before is not None:
        before.is_default = False
        session.flush()  # there is never more than one
    warehouse.is_default = True
    session.flush()
    audit.note(
        session, actor.id, "made default", "warehouse", warehouse.uid,
        before={"default": before and before.code}, after={"default": warehouse.code},
    )  # fmt: skip
    return warehouse


def deactivate(session: Session, actor: Actor, warehouse_id: int) -> Warehouse:
    """Use a warehouse no more; what happened there stays. Twice is once.

    Refuses while it is the default, while stock lies there, or while some is on its way there.
    """
    auth.must(actor, "edit catalogue")
    warehouse = _locked(session, warehouse_id, still=True)
    if warehouse.is_active:
        _refuse_in_use(session, warehouse)
        _switch(session, actor, warehouse, is_active=False)
    return warehouse


def reactivate(session: Session, actor: Actor, warehouse_id: int) -> Warehouse:
    """Use a warehouse again."""
    auth.must(actor, "edit catalogue")
    warehouse = _locked(session, warehouse_id)
    if not warehouse.is_active:
        _switch(session, actor, warehouse, is_active=True)
    return warehouse


def delete(session: Session, actor: Actor, warehouse_id: int) -> str:
    """Erase a warehouse that nothing ever referred to; one with a history is deactivated.

    Scans that booked nothing stay without their place. Answers "erased" or "deactivated". Refuses like
    `deactivate`.
    """
    auth.must(actor, "delete catalogue")
    warehouse = _locked(session, warehouse_id, still=True)
    _refuse_in_use(session, warehouse)
    uid, said = warehouse.uid, {name: getattr(warehouse, name) for name in FIELDS}
    try:
        with session.begin_nested():
            session.execute(erase(WarehouseThreshold).where(WarehouseThreshold.warehouse_id == warehouse_id))
            for place in (Scan.warehouse_id, Scan.to_warehouse_id):
                session.execute(update(Scan).where(place == warehouse_id).values({place.key: None}))
            session.execute(erase(Warehouse).where(Warehouse.id == warehouse_id))
    except IntegrityError:
        if warehouse.is_active:
            _switch(session, actor, warehouse, is_active=False)
        return "deactivated"
    audit.note(session, actor.id, "deleted", "warehouse", uid, before=said)
    return "erased"


# -- What is checked -----------------------------------------------------------------------------------------


def _refuse_in_use(session: Session, warehouse: Warehouse) -> None:
    if warehouse.is_default:
        raise RuleBroken(f"{warehouse.code} is the default warehouse: make another one the default first.")
    if supplied := session.scalars(
        select(Warehouse.code).where(Warehouse.supplied_by_id == warehouse.id, Warehouse.is_active)
    ).first():
        raise RuleBroken(f"{warehouse.code} supplies {supplied}: let that get its stock elsewhere first.")
    lying = figures(session).get(warehouse.id, NOTHING)
    if lying.products:
        noun = "product" if lying.products == 1 else "products"
        raise RuleBroken(
            f"{plain(lying.units)} units of {lying.products:,} {noun} lie in {warehouse.code}: "
            "transfer them or count them out first."
        )
    coming = session.scalar(
        select(func.count())
        .select_from(ExpectedReceipt)
        .where(ExpectedReceipt.warehouse_id == warehouse.id, ExpectedReceipt.closed_at.is_(None))
    )
    if coming:
        noun = "delivery is" if coming == 1 else "deliveries are"
        raise RuleBroken(f"{coming} {noun} on the way to {warehouse.code}: receive or cancel them first.")


def _switch(session: Session, actor: Actor, warehouse: Warehouse, *, is_active: bool) -> None:
    warehouse.is_active = is_active
    session.flush()
    action = "reactivated" if is_active else "deactivated"
    audit.note(
        session, actor.id, action, "warehouse", warehouse.uid,
        before={"is_active": not is_active}, after={"is_active": is_active},
    )  # fmt: skip


def _locked(session: Session, warehouse_id: int, *, still: bool = False) -> Warehouse:
    """The warehouse as it is now. Changes of warehouses wait for each other: there is one default.

    With `still` they also wait for bookings and deliveries that name it and are not committed yet, an import
    of minutes for one: what they bring must be seen.
    """
    session.execute(_ONE_AT_A_TIME)
    question = select(Warehouse).where(Warehouse.id == inputs.small_id(warehouse_id, "warehouse"))
    if still:
        question = question.with_for_update()
    warehouse = session.scalar(question.execution_options(populate_existing=True))
    if warehouse is None:
        raise NotFound(f"There is no warehouse {warehouse_id}.")
    return warehouse


def _has_moved(session: Session, warehouse: Warehouse) -> bool:
    return bool(session.scalar(select(exists().where(Movement.warehouse_id == warehouse.id))))


def _refuse_known_code(session: Session, code: str, warehouse_id: int | None) -> None:
    # Whoever names a warehouse need not know how its code is spelled: two that differ by case would be one.
    question = select(Warehouse.id).where(func.lower(Warehouse.code) == code.lower())
    if session.scalar(question.where(Warehouse.id != warehouse_id) if warehouse_id else question):
        raise RuleBroken(f"There is a warehouse '{code}' already.")


def _code(value: Any) -> str:
    code = inputs.text(value or "", "Code of the warehouse", CODE_CHARACTERS)
    if not code or not code.isprintable():
        raise BadInput(f"A warehouse needs a code of 1 to {CODE_CHARACTERS} characters, on one line.")
    return code


def _name(value: Any) -> str:
    name = inputs.text(value or "", "Name of the warehouse", NAME_CHARACTERS)
    if not name:
        raise BadInput(f"A warehouse needs a name of 1 to {NAME_CHARACTERS} characters.")
    return name


def _location(value: Any) -> str | None:
    return inputs.text(value or "", "Location of the warehouse", NAME_CHARACTERS) or None


def _time_zone(value: Any) -> str:
    if value not in available_timezones():
        raise BadInput(f"'{inputs.shown(value)}' is not a time zone such as {ZoneInfo('Europe/Berlin').key}.")
    return value


FIELDS: dict[str, Callable[[Any], Any]] = {
    "code": _code,
    "name": _name,
    "location": _location,
    "time_zone": _time_zone,
}


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are kept. An unknown one is a TypeError."""
    unknown = fields.keys() - FIELDS.keys()
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    return {name: FIELDS[name](value) for name, value in fields.items()}
