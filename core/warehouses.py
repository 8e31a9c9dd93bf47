"""Places stock can lie."""

from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, auth, inputs
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from db.models import Warehouse

CODE_CHARACTERS = 40
NAME_CHARACTERS = 200


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


def create(
    session: Session, actor: Actor, *, code: str, name: str, time_zone: str, location: str | None = None
) -> Warehouse:
    """Add a warehouse; the first one becomes the default. Refuses a known code or an unknown time zone."""
    auth.must(actor, "edit catalogue")
    code = inputs.text(code, "Code of the warehouse", CODE_CHARACTERS)
    name = inputs.text(name, "Name of the warehouse", NAME_CHARACTERS) or code
    location = location and inputs.text(location, "Location of the warehouse", NAME_CHARACTERS)
    if not code:
        raise BadInput(f"A warehouse needs a code of 1 to {CODE_CHARACTERS} characters.")
    if time_zone not in available_timezones():
        raise BadInput(
            f"'{inputs.shown(time_zone)}' is not a time zone such as {ZoneInfo('Europe/Berlin').key}."
        )
    is_first = session.scalar(select(Warehouse.id).limit(1)) is None
    # Whoever names a warehouse need not know how its code is spelled: two that differ by case would be one.
    if session.scalar(select(Warehouse.id).where(func.lower(Warehouse.code) == code.lower())):
        raise RuleBroken(f"There is a warehouse '{code}' already.")
    warehouse = Warehouse(code=code, name=name, location=location, time_zone=time_zone, is_default=is_first)
    try:
        with session.begin_nested():
            session.add(warehouse)
    except IntegrityError as clash:
        raise RuleBroken(f"There is a warehouse '{code}' already.") from clash
    said = {"name": name, "location": location, "time_zone": time_zone}
    audit.note(session, actor.id, "created", "warehouse", code, after=said)
    return warehouse
