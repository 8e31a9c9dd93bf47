"""Products and categories of which more is asked than of the rest of the shop: "never out"."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from core import audit, auth, catalogue, inputs, job_runs, uids
from core.auth import Actor
from core.buying import buying_settings
from core.errors import BadInput, NotFound
from db.models import Person, Product, ServiceRule

CATEGORY_CHARACTERS = 200
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('service rules', 0))")


@dataclass(frozen=True)
class Rule:
    """Of a product or of a category at least `service_percent` of order lines are to be served."""

    uid: uuid.UUID
    product_uid: uuid.UUID | None
    sku: str | None
    name: str | None
    category: str | None
    service_percent: Decimal
    set_by: str
    set_at: datetime


def listing(session: Session) -> list[Rule]:
    """All rules: categories by name, then products by SKU."""
    found = session.execute(
        select(ServiceRule, Product.uid, Product.sku, Product.name, Person.name)
        .outerjoin(Product, Product.id == ServiceRule.product_id)
        .join(Person, Person.id == ServiceRule.set_by)
        .order_by(ServiceRule.category.asc().nulls_last(), Product.sku)
        .execution_options(populate_existing=True)
    )
    return [_rule(*row) for row in found]


def of_product(session: Session, product_id: int) -> Rule | None:
    """The product's own rule, without that of its category."""
    found = session.execute(
        select(ServiceRule, Product.uid, Product.sku, Product.name, Person.name)
        .join(Product, Product.id == ServiceRule.product_id)
        .join(Person, Person.id == ServiceRule.set_by)
        .where(ServiceRule.product_id == inputs.small_id(product_id, "product"))
        .execution_options(populate_existing=True)
    ).first()
    return _rule(*found) if found else None


def put(
    session: Session,
    actor: Actor,
    now: datetime,
    service_percent: Decimal | int | str,
    *,
    product_id: int | None = None,
    category: str | None = None,
) -> uuid.UUID:
    """Ask at least so much of a product or of a category, in the place of what was asked before.

    Asks for new advice, and answers the rule's uid. Refuses a category of which there is no product.
    """
    auth.must(actor, "buy")
    if (product_id is None) == (category is None):
        raise TypeError("a rule is about a product or a category")
    wanted = buying_settings.number("service_percent", service_percent)
    session.execute(_ONE_AT_A_TIME)
    if product_id is not None:
        catalogue.locked(session, product_id)
        is_it = ServiceRule.product_id == product_id
    else:
        category = _known_category(session, category)
        is_it = ServiceRule.category == category
    row = session.scalar(select(ServiceRule).where(is_it).with_for_update())
    before = row.service_percent if row else None
    if row is None:
        row = ServiceRule(product_id=product_id, category=category, service_percent=wanted, set_by=actor.id)
        session.add(row)
    elif before == wanted:
        return row.uid
    row.service_percent, row.set_by, row.set_at = wanted, actor.id, now
    session.flush()
    session.refresh(row)
    _note(session, actor, "asked for service", row, before, wanted)
    job_runs.enqueue(session, buying_settings.JOB, now)
    return row.uid


def remove(session: Session, actor: Actor, uid: uuid.UUID | str, now: datetime) -> None:
    """Ask no more of it than of the rest of the shop, and ask for new advice."""
    auth.must(actor, "buy")
    row = uids.locked(session, ServiceRule, uid, "a service goal", "There is no such service goal any more.")
    _note(session, actor, "asked for no special service", row, row.service_percent, None)
    session.delete(row)
    session.flush()
    job_runs.enqueue(session, buying_settings.JOB, now)


def floors(session: Session, product_ids: Sequence[int] | None = None) -> dict[int, Decimal]:
    """What is asked of products at least, in percent; a product's own rule wins over its category's."""
    question = select(Product.id, ServiceRule.product_id, ServiceRule.service_percent).join(
        ServiceRule,
        (ServiceRule.product_id == Product.id) | (ServiceRule.category == Product.category),
    )
    if product_ids is not None:
        question = question.where(Product.id.in_(list(product_ids)))
    asked: dict[int, Decimal] = {}
    own: set[int] = set()
    for product_id, about, percent in session.execute(question):
        if about is not None:
            own.add(product_id)
        elif product_id in own:
            continue
        asked[product_id] = percent
    return asked


def _known_category(session: Session, category: str) -> str:
    category = inputs.text(category, "Category", CATEGORY_CHARACTERS)
    if not category:
        raise BadInput("Category: say which one.")
    if not session.scalar(select(exists().where(Product.category == category))):
        raise NotFound(f"There is no product of the category '{inputs.shown(category)}'.")
    return category


def _rule(row: ServiceRule, product_uid: Any, sku: str | None, name: str | None, set_by: str) -> Rule:
    return Rule(row.uid, product_uid, sku, name, row.category, row.service_percent, set_by, row.set_at)


def _note(
    session: Session,
    actor: Actor,
    action: str,
    row: ServiceRule,
    before: Decimal | None,
    after: Decimal | None,
) -> None:
    kept = [{"service_percent": buying_settings.said(value)} if value is not None else None
            for value in (before, after)]  # fmt: skip
    if row.product_id is not None:
        subject = ("product", session.scalar(select(Product.uid).where(Product.id == row.product_id)))
    else:
        subject = ("category", row.category)
    audit.note(session, actor.id, action, *subject, before=kept[0], after=kept[1])
