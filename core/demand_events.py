"""Known events: promotions, closed days and the like, past and coming, that people tell the forecasts of."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from core import audit, auth, demand_days, inputs, uids
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from core.event_fields import FIELDS, NAME_CHARACTERS, checked
from db import queries
from db.models import EVENT_KINDS, DemandEvent, Person, Product, Warehouse

MOST_ROWS = 200
MOST_OFFSET = 2**31
WHENS = ("coming", "past")
SCOPE = ("product_id", "category", "warehouse_id")
# Two people who tell of the same event at once would both find that it is not there yet.
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(func.hashtextextended("events", 0)))


@dataclass(frozen=True)
class Shown:
    """An event as people read it; without sku and category it is about all products."""

    id: int
    uid: uuid.UUID
    name: str
    kind: str
    starts_on: date
    ends_on: date
    product_uid: uuid.UUID | None
    sku: str | None
    product_name: str | None
    category: str | None
    warehouse: str | None
    effect_percent: Decimal | None
    who: str
    at: datetime


# -- Looks ---------------------------------------------------------------------------------------------------


def listing(
    session: Session,
    today: date,
    *,
    text: str | None = None,
    kind: str | None = None,
    when: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Shown], int]:
    """Events that fit, and how many in all: what is on or coming first, the nearest first; then the past.

    `text` is part of the name, a SKU or a category; `when`: coming (or on), past.
    """
    if kind is not None and kind not in EVENT_KINDS:
        raise BadInput(f"'{inputs.shown(kind)}' is not a kind of event; they are {', '.join(EVENT_KINDS)}.")
    if when is not None and when not in WHENS:
        raise BadInput(f"'{inputs.shown(when)}' is no time of events; they are {', '.join(WHENS)}.")
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= MOST_OFFSET:
        raise BadInput(f"A page has 1 to {MOST_ROWS} rows and starts at 0 or later.")
    fits = _fits(text, kind, when, today)
    total = session.scalar(
        select(func.count())
        .select_from(DemandEvent)
        .outerjoin(Product, Product.id == DemandEvent.product_id)
        .where(*fits)
    )
    is_past = DemandEvent.ends_on < today
    order = (
        is_past,
        case((is_past, None), else_=DemandEvent.starts_on),
        DemandEvent.starts_on.desc(),
        DemandEvent.id,
    )
    question = _shown().where(*fits).order_by(*order).limit(limit).offset(offset)
    return [Shown(*row) for row in session.execute(question)], total or 0


def of_product(session: Session, product: Product, since: date, until: date) -> list[Shown]:
    """Events that concern a product between two days, the earliest first."""
    ids = [event.id for event in demand_days.events_between(session, since, until, product)]
    question = _shown().where(DemandEvent.id.in_(ids)).order_by(DemandEvent.starts_on, DemandEvent.id)
    return [Shown(*row) for row in session.execute(question)]


def by_uid(session: Session, event_uid: uuid.UUID | str) -> Shown:
    """The event, which stands. Refuses an unknown or malformed id, and one that was removed."""
    found = session.execute(
        _shown().where(DemandEvent.uid == inputs.uid(event_uid, "an event"), DemandEvent.removed_at.is_(None))
    ).first()
    if found is None:
        raise NotFound("There is no such event; it may have been removed.")
    return Shown(*found)


def concerned(session: Session, event_uid: uuid.UUID | str) -> list[int]:
    """Ids of the active products whose demand an event is about, removed or not."""
    event = session.scalar(select(DemandEvent).where(DemandEvent.uid == inputs.uid(event_uid, "an event")))
    if event is None:
        raise NotFound("There is no such event.")
    question = select(Product.id).where(Product.is_active).order_by(Product.id)
    if event.product_id is not None:
        question = question.where(Product.id == event.product_id)
    if event.category is not None:
        question = question.where(Product.category == event.category)
    return list(session.scalars(question))


def _fits(text: str | None, kind: str | None, when: str | None, today: date) -> list[ColumnElement[bool]]:
    fits = [DemandEvent.removed_at.is_(None)]
    pattern = queries.like(inputs.text(text or "", "Search", NAME_CHARACTERS))
    if pattern is not None:
        fits.append(
            DemandEvent.name.ilike(pattern) | DemandEvent.category.ilike(pattern) | Product.sku.ilike(pattern)
        )
    if kind is not None:
        fits.append(DemandEvent.kind == kind)
    if when is not None:
        fits.append(DemandEvent.ends_on >= today if when == "coming" else DemandEvent.ends_on < today)
    return fits


def _shown() -> Any:
    return (
        select(
            DemandEvent.id, DemandEvent.uid, DemandEvent.name, DemandEvent.kind, DemandEvent.starts_on,
            DemandEvent.ends_on, Product.uid, Product.sku, Product.name, DemandEvent.category,
            Warehouse.code, DemandEvent.effect_percent, Person.name, DemandEvent.created_at,
        )
        .join(Person, Person.id == DemandEvent.created_by)
        .outerjoin(Product, Product.id == DemandEvent.product_id)
        .outerjoin(Warehouse, Warehouse.id == DemandEvent.warehouse_id)
    )  # fmt: skip


# -- Writes --------------------------------------------------------------------------------------------------


def add(session: Session, actor: Actor, today: date, **fields: Any) -> DemandEvent:
    """Tell the forecasts of an event: name, kind, starts_on, ends_on and whom it concerns.

    Without product_id, category and warehouse_id it concerns everything. Without effect_percent the effect is
    learned from earlier events of the same name and kind; closed days have none.
    """
    auth.must(actor, "edit forecast")
    given = dict.fromkeys(FIELDS) | {"kind": "promotion"} | fields
    values = checked(session, given | {"ends_on": given["ends_on"] or given["starts_on"]}, today)
    _refuse_twice(session, values, None)
    event = DemandEvent(**values, created_by=actor.id)
    session.add(event)
    session.flush()
    session.refresh(event)
    _note(session, actor, "added an event", event, None, _said(session, event))
    return event


def change(
    session: Session, actor: Actor, event_uid: uuid.UUID | str, today: date, **fields: Any
) -> DemandEvent:
    """Change name, kind, days or effect of an event; only the given ones.

    Whom it is about stays: those it was about would keep forecasts that reckon with it.
    """
    auth.must(actor, "edit forecast")
    event = _standing(session, event_uid)
    if any(name in fields and fields[name] != getattr(event, name) for name in SCOPE):
        raise RuleBroken(f"'{event.name}' stays with those it is about: remove it and add another.")
    values = checked(session, {name: getattr(event, name) for name in FIELDS} | fields, today)
    changed = {name: value for name, value in values.items() if getattr(event, name) != value}
    if not changed:
        return event
    _refuse_twice(session, values, event.id)
    before = _said(session, event)
    for name, value in changed.items():
        setattr(event, name, value)
    event.changed_at = datetime.now(UTC)
    session.flush()
    _note(session, actor, "changed an event", event, before, _said(session, event))
    return event


def remove(session: Session, actor: Actor, event_uid: uuid.UUID | str) -> DemandEvent:
    """It has never been: its days are learned from like any other. A second click changes nothing."""
    auth.must(actor, "edit forecast")
    event = _locked(session, event_uid)
    if event.removed_at is None:
        event.removed_at = event.changed_at = datetime.now(UTC)
        session.flush()
        _note(session, actor, "removed an event", event, _said(session, event), None)
    return event


def restore(session: Session, actor: Actor, event_uid: uuid.UUID | str) -> DemandEvent:
    """Take back a removal."""
    auth.must(actor, "edit forecast")
    event = _locked(session, event_uid)
    if event.removed_at is not None:
        _refuse_twice(session, {name: getattr(event, name) for name in FIELDS}, event.id)
        event.removed_at, event.changed_at = None, datetime.now(UTC)
        session.flush()
        _note(session, actor, "restored an event", event, None, _said(session, event))
    return event


# -- What is checked -----------------------------------------------------------------------------------------


def _refuse_twice(session: Session, values: dict[str, Any], but: int | None) -> None:
    """The same event on the same days would count twice."""
    session.execute(_ONE_AT_A_TIME)
    question = select(DemandEvent).where(
        DemandEvent.removed_at.is_(None),
        func.lower(DemandEvent.name) == values["name"].lower(),
        DemandEvent.kind == values["kind"],
        DemandEvent.starts_on <= values["ends_on"],
        DemandEvent.ends_on >= values["starts_on"],
        *(getattr(DemandEvent, scope).is_not_distinct_from(values[scope])
          for scope in SCOPE),
    )  # fmt: skip
    if but is not None:
        question = question.where(DemandEvent.id != but)
    same = session.scalars(question.limit(1)).first()
    if same is not None:
        raise RuleBroken(
            f"'{same.name}' is there already from {same.starts_on} to {same.ends_on}: change that one."
        )


def _locked(session: Session, event_uid: uuid.UUID | str) -> DemandEvent:
    return uids.locked(session, DemandEvent, event_uid, "an event", "There is no such event.")


def _standing(session: Session, event_uid: uuid.UUID | str) -> DemandEvent:
    event = _locked(session, event_uid)
    if event.removed_at is not None:
        raise RuleBroken(f"'{event.name}' was removed: restore it first.")
    return event


def _said(session: Session, event: DemandEvent) -> dict[str, Any]:
    product = session.get(Product, event.product_id) if event.product_id is not None else None
    place = session.get(Warehouse, event.warehouse_id) if event.warehouse_id is not None else None
    return {
        "name": event.name,
        "kind": event.kind,
        "from": event.starts_on.isoformat(),
        "until": event.ends_on.isoformat(),
        "product": product and product.sku,
        "category": event.category,
        "warehouse": place and place.code,
        "effect_percent": f"{event.effect_percent.normalize():f}"
        if event.effect_percent is not None
        else None,
    }


def _note(
    session: Session,
    actor: Actor,
    action: str,
    event: DemandEvent,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    audit.note(session, actor.id, action, "event", event.name, before=before, after=after)
