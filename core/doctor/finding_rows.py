"""A finding with its movement, product and place, as people read it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, case, select
from sqlalchemy.orm import Session, aliased

from core.doctor import sentences
from core.doctor.cases import Repair
from core.doctor.findings import IS_SETTLED_ELSEWHERE
from db.models import Finding, Movement, MovementScore, Person, Posting, Product, Replacement, Warehouse

_STATE = case((IS_SETTLED_ELSEWHERE, "lapsed"), else_=Finding.state)


@dataclass(frozen=True)
class Row:
    """A finding with its movement, in words.

    `repair`: what is changed, as text: change (signed), unit_price, sku, warehouse_code; `repair_words` say
    it. `can_accept`: it is open and its repair is known. `replaced_by_id`: the movement that stands in its
    place now.
    """

    uid: uuid.UUID
    movement_id: int
    state: str
    listed: str
    kind: str
    field: str
    score: float
    money_at_risk: Decimal
    message: str
    evidence: dict
    found_on: date
    raised_at: datetime
    product_uid: uuid.UUID
    sku: str
    product_name: str
    unit_of_measure: str
    warehouse_uid: uuid.UUID
    warehouse_code: str
    type: str
    reason_code: str
    change: Decimal
    unit_price: Decimal | None
    occurred_at: datetime
    recorded_at: datetime
    customer: str | None
    reference_type: str | None
    reference_id: str | None
    person: str
    repair: dict[str, str]
    repair_words: str
    can_accept: bool
    decided_by: str | None
    decided_at: datetime | None
    dismissed_as: str | None
    note: str | None
    posting_id: int | None
    replaced_by_id: int | None
    cluster_id: int | None


def joined(asked: Select) -> Select:
    """With the movement, product and warehouse of each finding."""
    return (
        asked.select_from(Finding)
        .join(Movement, Movement.id == Finding.movement_id)
        .join(Product, Product.id == Finding.product_id)
        .join(Warehouse, Warehouse.id == Finding.warehouse_id)
    )


def question(wanted: Sequence[ColumnElement[bool]]) -> Select:
    """Asks for what `rows` reads."""
    who, other, place = aliased(Person), aliased(Product), aliased(Warehouse)
    ids = {name: Finding.repair[name].as_integer() for name in ("product_id", "warehouse_id")}
    return (
        joined(
            select(
                Finding, Movement, Product, Warehouse, _STATE.label("state"), Posting.recorded_at,
                Person.name.label("person"), who.name.label("decided_by"),
                Replacement.movement_id.label("replaced_by_id"), MovementScore.cluster_id,
                other.sku.label("other_sku"), place.code.label("other_code"),
            )
        )
        .join(Posting, Posting.id == Movement.posting_id)
        .join(Person, Person.id == Posting.actor_id)
        .outerjoin(who, who.id == Finding.decided_by)
        .outerjoin(Replacement, Replacement.replaces_id == Finding.movement_id)
        .outerjoin(MovementScore, MovementScore.movement_id == Finding.movement_id)
        .outerjoin(other, other.id == ids["product_id"])
        .outerjoin(place, place.id == ids["warehouse_id"])
        .where(*wanted)
    )  # fmt: skip


def rows(session: Session, asked: Select) -> list[Row]:
    """The findings that `question` asks for."""
    return [_row(found) for found in session.execute(asked)]


def _row(found: Any) -> Row:
    finding, movement, product, place = found.Finding, found.Movement, found.Product, found.Warehouse
    repair = Repair.of(finding.field, finding.repair)
    words = {
        "change": finding.repair.get("quantity"), "unit_price": finding.repair.get("unit_price"),
        "sku": found.other_sku, "warehouse_code": found.other_code,
    }  # fmt: skip
    return Row(
        **{name: getattr(finding, name) for name in (
            "uid", "movement_id", "listed", "kind", "field", "score", "money_at_risk", "message", "evidence",
            "found_on", "raised_at", "decided_at", "dismissed_as", "note", "posting_id",
        )},
        **{name: getattr(movement, name) for name in (
            "type", "reason_code", "change", "unit_price", "occurred_at", "customer", "reference_type",
            "reference_id",
        )},
        state=found.state, product_uid=product.uid, sku=product.sku, product_name=product.name,
        unit_of_measure=product.unit_of_measure, warehouse_uid=place.uid, warehouse_code=place.code,
        recorded_at=found.recorded_at, person=found.person,
        repair={name: value for name, value in words.items() if value is not None},
        repair_words=sentences.repair_words(
            movement.change, movement.unit_price, repair, found.other_sku or found.other_code
        ),
        can_accept=found.state == "open" and finding.field != "none",
        decided_by=found.decided_by, replaced_by_id=found.replaced_by_id, cluster_id=found.cluster_id,
    )  # fmt: skip
