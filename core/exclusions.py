"""Demand that says nothing about the future: days of a product, or one sale, left out with a reason."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core import audit, auth, catalogue, inputs, posting, uids
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from db.models import DemandExclusion, Forecast, Movement, Person, Product

REASON_CHARACTERS = 300
MOST_DAYS = 366  # more than a year left out is no odd stretch but another history
MOST_OPEN = 200  # of one product


@dataclass(frozen=True)
class Left:
    """An exclusion as people read it: of days, or of one sale of `quantity` on `starts_on`."""

    uid: uuid.UUID
    starts_on: date
    ends_on: date
    movement_id: int | None
    quantity: Decimal | None
    reason: str
    who: str
    at: datetime
    undone_by: str | None
    undone_at: datetime | None


@dataclass(frozen=True)
class Sale:
    """A sale that can be left out."""

    movement_id: int
    on: date
    quantity: Decimal
    customer: str | None
    reference: str | None


def of_product(session: Session, product_id: int, *, with_undone: bool = False) -> list[Left]:
    """What is left out of a product's demand, the latest day first."""
    undoer = aliased(Person)
    question = (
        select(DemandExclusion, Movement.demand_day, Movement.change, Person.name, undoer.name)
        .join(Person, Person.id == DemandExclusion.created_by)
        .outerjoin(undoer, undoer.id == DemandExclusion.undone_by)
        .outerjoin(Movement, Movement.id == DemandExclusion.movement_id)
        .where(DemandExclusion.product_id == inputs.small_id(product_id, "product"))
    )
    if not with_undone:
        question = question.where(DemandExclusion.undone_at.is_(None))
    found = [
        Left(
            out.uid, out.starts_on or day, out.ends_on or day, out.movement_id,
            -change if change is not None else None, out.reason, who, out.created_at, undone_by,
            out.undone_at,
        )
        for out, day, change, who, undone_by in session.execute(question)
    ]  # fmt: skip
    return sorted(found, key=lambda left: (left.starts_on, left.at), reverse=True)


def sales(session: Session, product_id: int, since: date, most: int = 100) -> list[Sale]:
    """The largest sales of a product since a day that are not left out, the largest first."""
    out = select(DemandExclusion.movement_id).where(
        DemandExclusion.undone_at.is_(None), DemandExclusion.movement_id.is_not(None)
    )
    undone = aliased(Movement)
    question = (
        select(Movement)
        .outerjoin(undone, undone.reverses_id == Movement.id)
        .where(
            Movement.product_id == inputs.small_id(product_id, "product"),
            Movement.demand_day >= since,
            Movement.change < 0,
            Movement.reverses_id.is_(None),
            undone.id.is_(None),
            Movement.id.not_in(out),
        )
        .order_by(Movement.change, Movement.id.desc())
        .limit(most)
    )
    return [
        Sale(sale.id, sale.demand_day, -sale.change, sale.customer, sale.reference_id)
        for sale in session.scalars(question)
    ]


def limited(session: Session, product_id: int) -> list[tuple[date, float, float]]:
    """Days that the product's forecast held to be one-off: (day, demand, how much of it was learned from)."""
    kept = session.scalar(
        select(Forecast.limited).where(
            Forecast.product_id == inputs.small_id(product_id, "product"),
            Forecast.warehouse_id.is_(None),
            Forecast.is_current,
        )
    )
    return [(date.fromisoformat(day), demand, counted) for day, demand, counted in kept or ()]


def leave_out_days(
    session: Session,
    actor: Actor,
    product_id: int,
    starts_on: date,
    ends_on: date | None = None,
    *,
    reason: str,
    today: date,
) -> DemandExclusion:
    """Forecast as if nobody had looked on these days. Refuses days to come, and days that are out already."""
    auth.must(actor, "edit forecast")
    ends_on = ends_on or starts_on
    if ends_on < starts_on:
        raise BadInput(f"Until: {ends_on} lies before {starts_on}. Enter the last day that is left out.")
    if ends_on > today:
        raise BadInput(f"Until: {ends_on} has not come yet. Days up to {today} can be left out.")
    if (ends_on - starts_on).days >= MOST_DAYS:
        raise BadInput(f"{starts_on} to {ends_on} are more than {MOST_DAYS} days. Leave out fewer at once.")
    why = _reason(reason)
    product = _product(session, product_id)
    for earlier in of_product(session, product.id):
        if earlier.movement_id is None and earlier.starts_on <= ends_on and starts_on <= earlier.ends_on:
            raise RuleBroken(
                f"{product.sku}: {earlier.starts_on} to {earlier.ends_on} is left out already. "
                "Undo that first, or leave out other days."
            )
    out = DemandExclusion(
        product_id=product.id, starts_on=starts_on, ends_on=ends_on, reason=why, created_by=actor.id
    )
    return _keep(session, actor, product, out)


def leave_out_sale(
    session: Session, actor: Actor, product_id: int, movement_id: int, *, reason: str
) -> DemandExclusion:
    """Take one sale out of its day's demand; the stock stays as it is.

    Refuses a movement that is no demand of this product, that was reversed, or that is out already.
    """
    auth.must(actor, "edit forecast")
    why = _reason(reason)
    product = _product(session, product_id)
    sale = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if sale is None or sale.product_id != product.id:
        raise NotFound(f"There is no movement {inputs.shown(movement_id)} of {product.sku}.")
    if sale.demand_day is None or sale.change >= 0 or sale.reverses_id is not None:
        raise RuleBroken(f"Movement {sale.id} is no sale: only what customers took can be left out.")
    if session.scalar(select(Movement.id).where(Movement.reverses_id == sale.id)) is not None:
        raise RuleBroken(f"Movement {sale.id} was reversed, so it is no demand any more.")
    if any(earlier.movement_id == sale.id for earlier in of_product(session, product.id)):
        raise RuleBroken(f"{product.sku}: movement {sale.id} is left out already.")
    out = DemandExclusion(product_id=product.id, movement_id=sale.id, reason=why, created_by=actor.id)
    return _keep(session, actor, product, out)


def undo(session: Session, actor: Actor, exclusion_uid: uuid.UUID | str) -> DemandExclusion:
    """Let the demand count again. A second click changes nothing."""
    auth.must(actor, "edit forecast")
    out = _locked(session, exclusion_uid)
    if out.undone_at is None:
        out.undone_by, out.undone_at = actor.id, datetime.now(UTC)
        session.flush()
        product = session.get_one(Product, out.product_id)
        said = _said(session, out)
        audit.note(session, actor.id, "counted demand again", "product", product.uid, before=said)
    return out


# -- What is checked -----------------------------------------------------------------------------------------


def _keep(session: Session, actor: Actor, product: Product, out: DemandExclusion) -> DemandExclusion:
    session.add(out)
    session.flush()
    session.refresh(out)
    audit.note(session, actor.id, "left demand out", "product", product.uid, after=_said(session, out))
    return out


def _reason(given: str) -> str:
    why = inputs.text(given or "", "Reason", REASON_CHARACTERS)
    if not why:
        raise BadInput("Reason: say why this demand will not come again.")
    return why


def _product(session: Session, product_id: int) -> Product:
    """The product, locked: two people cannot leave out the same days."""
    product = catalogue.locked(session, product_id)
    if len(of_product(session, product.id)) >= MOST_OPEN:
        raise RuleBroken(f"{product.sku}: {MOST_OPEN} times demand is left out already. Undo some first.")
    return product


def _locked(session: Session, exclusion_uid: uuid.UUID | str) -> DemandExclusion:
    return uids.locked(
        session, DemandExclusion, exclusion_uid, "demand left out", "No such demand is left out."
    )


def _said(session: Session, out: DemandExclusion) -> dict[str, Any]:
    if out.movement_id is None:
        return {"from": out.starts_on.isoformat(), "until": out.ends_on.isoformat(), "reason": out.reason}
    sale = session.get_one(Movement, out.movement_id)
    return {
        "movement": sale.id,
        "on": sale.demand_day.isoformat(),
        "quantity": posting.plain(-sale.change),
        "reason": out.reason,
    }
