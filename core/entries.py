"""The ledger's movements as programs read them: one, or a page of them, with public ids and newest notes."""

import functools
import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from core import cursors, inputs, movement_notes, uids
from core.errors import BadInput, NotFound
from db.models import MOVEMENT_TYPES, Movement, Person, Posting, Product, Replacement, Warehouse

MOST_ROWS = 1_000
MOST_SKIPPED = 2**31


def one(session: Session, movement_id: int, *, as_written: bool = False) -> RowMapping:
    """One movement; see `listing` for its columns.

    `as_written`: as it looked when it was booked, without later notes and reversals (a retry of the request
    that booked it gets the same answer).
    """
    found = _rows(session, [inputs.big_id(movement_id, "movement")], as_written=as_written)
    if not found:
        raise NotFound(f"There is no movement {movement_id}.")
    return found[0]


def listing(
    session: Session,
    *,
    product_uid: uuid.UUID | None = None,
    warehouse_uid: uuid.UUID | None = None,
    kind: str | None = None,
    since: date | None = None,
    until: date | None = None,
    skip: int = 0,
    limit: int = 100,
    after_id: int | None = None,
) -> tuple[list[RowMapping], int]:
    """One page of movements and how many match in all.

    Newest first; with `after_id` those that follow it, ascending, and none that an earlier one could still
    overtake. `since` and `until` are business days of the warehouse, both inclusive. A product or warehouse
    that does not exist is refused.

    Columns: id, product_uid, sku, product_name, warehouse_uid, warehouse_code, type, reason_code, change,
    stock_before, stock_after, unit_price, occurred_at, recorded_at, reason, notes, reference_type,
    reference_id, customer, person_uid, person, counterpart_id, reverses_id, reversed_by_id, replaces_id,
    replaced_by_id.
    """
    if not 1 <= limit <= MOST_ROWS or not 0 <= skip <= MOST_SKIPPED:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} movements and starts at 0 or later.")
    if kind is not None and kind not in MOVEMENT_TYPES:
        raise BadInput(f"'{inputs.shown(kind)}' is not a type; they are {', '.join(MOVEMENT_TYPES)}.")
    wanted: list[ColumnElement[bool]] = []
    if product_uid is not None:
        wanted.append(Movement.product_id == uids.product(session, product_uid))
    if warehouse_uid is not None:
        wanted.append(Movement.warehouse_id == uids.warehouse(session, warehouse_uid))
    if kind is not None:
        wanted.append(Movement.type == kind)
    if since is not None:
        wanted.append(Movement.day >= since)
    if until is not None:
        wanted.append(Movement.day <= until)
    if after_id is not None:
        inputs.big_id(after_id, "movement")
        wanted.append(Movement.id <= cursors.horizon(session))
    total = session.scalar(select(func.count()).select_from(Movement).where(*wanted)) or 0
    page = select(Movement.id).where(*wanted).offset(skip).limit(limit)
    if after_id is None:
        page = page.order_by(Movement.id.desc())
    else:
        page = page.where(Movement.id > after_id).order_by(Movement.id)
    return _rows(session, session.scalars(page).all()), total


def _rows(session: Session, ids: Sequence[int], *, as_written: bool = False) -> list[RowMapping]:
    """The movements with these ids, in this order; those that do not exist are left out."""
    if not ids:
        return []
    found = {row["id"]: row for row in session.execute(_question(as_written), {"ids": ids}).mappings()}
    if as_written:
        found = {id_: _untouched(row) for id_, row in found.items()}
    return [found[id_] for id_ in ids if id_ in found]


@functools.cache  # to put it together takes longer than to answer it
def _question(as_written: bool) -> Select:
    undone, replaced, replacing = aliased(Movement), aliased(Replacement), aliased(Replacement)
    words = {
        "notes": Movement.reason,
        "reference_type": Movement.reference_type,
        "reference_id": Movement.reference_id,
    }
    if not as_written:
        words = {name: movement_notes.shown(name) for name in words}
    return (
        select(
            Movement.id,
            Product.uid.label("product_uid"), Product.sku, Product.name.label("product_name"),
            Warehouse.uid.label("warehouse_uid"), Warehouse.code.label("warehouse_code"),
            Movement.type, Movement.reason_code, Movement.change, Movement.stock_before, Movement.stock_after,
            Movement.unit_price, Movement.occurred_at, Posting.recorded_at, Movement.reason,
            *(column.label(name) for name, column in words.items()),
            Movement.customer, Person.uid.label("person_uid"), Person.name.label("person"),
            Movement.counterpart_id, Movement.reverses_id,
            undone.id.label("reversed_by_id"),
            replacing.replaces_id,
            replaced.movement_id.label("replaced_by_id"),
        )
        .join(Posting, Posting.id == Movement.posting_id)
        .join(Person, Person.id == Posting.actor_id)
        .join(Product, Product.id == Movement.product_id)
        .join(Warehouse, Warehouse.id == Movement.warehouse_id)
        .outerjoin(undone, undone.reverses_id == Movement.id)
        .outerjoin(replacing, replacing.movement_id == Movement.id)
        .outerjoin(replaced, replaced.replaces_id == Movement.id)
        .where(Movement.id.in_(bindparam("ids", expanding=True)))
    )  # fmt: skip


def _untouched(row: RowMapping) -> dict:
    """The row without what was done to it later."""
    return {**row, "reversed_by_id": None, "replaced_by_id": None}
