"""What was scanned, by whom and where, and what of it can still be taken back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core import inputs
from core.errors import BadInput
from db import queries
from db.models import SCAN_MODES, SCAN_OUTCOMES, SCAN_SOURCES, Product, Scan

MOST_ROWS = 50_000
SEARCH_CHARACTERS = 200
LAST = 20  # as many as somebody may want to take back at the shelf


@dataclass(frozen=True)
class Filters:
    """Which scans: None is any.

    Attributes:
        warehouse_id: also finds what was transferred there.
        since, until: moments, the latter not included.
        text: looked for in SKU, name of the product and code.
    """

    person_id: int | None = None
    warehouse_id: int | None = None
    product_id: int | None = None
    mode: str | None = None
    outcome: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


def recent(session: Session, *, person_id: int, limit: int = LAST) -> pd.DataFrame:
    """The last scans of a person, newest first, with what can still be taken back; columns of `history`."""
    return history(session, person_id=person_id, limit=limit)


def history(
    session: Session,
    *,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
    **filters: Any,
) -> pd.DataFrame:
    """Scans, newest first; with `after_id` the ones that follow it, still newest first.

    Columns of `db/queries/scan_history.sql`: scan_id (the cursor), scan_uid, scanned_at, person, source,
    mode, code, outcome, said, names of product and warehouses, quantity (pieces), pack_factor, lot, serial,
    expires_on, change, stock_before, stock_after, reason_code, reference_type, reference_id, undone_at,
    is_reversed (taken back elsewhere) and can_undo. What a scan has no value for is None.
    `filters` are those of `Filters`.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} scans.")
    wanted = _wanted(Filters(**filters))
    if before_id is not None:
        wanted.append(Scan.id < inputs.big_id(before_id, "scan"))
    if after_id is not None:
        wanted.append(Scan.id > inputs.big_id(after_id, "scan"))
    order = Scan.id.desc() if after_id is None else Scan.id.asc()
    ids = session.scalars(select(Scan.id).where(*wanted).order_by(order).limit(limit)).all()
    return queries.frame(session, "scan_history", scan_ids=list(ids))


def count(session: Session, **filters: Any) -> int:
    """How many scans fit these filters, as in `history`."""
    return session.scalar(select(func.count()).select_from(Scan).where(*_wanted(Filters(**filters)))) or 0


def _wanted(sought: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for column, word, known in (
        (Scan.mode, sought.mode, SCAN_MODES),
        (Scan.outcome, sought.outcome, SCAN_OUTCOMES),
        (Scan.source, sought.source, SCAN_SOURCES),
    ):
        if word is not None and word not in known:
            raise BadInput(
                f"'{inputs.shown(word)}' is no {column.key} of scans; they are {', '.join(known)}."
            )
        if word is not None:
            wanted.append(column == word)
    if sought.person_id is not None:
        wanted.append(Scan.person_id == inputs.small_id(sought.person_id, "person"))
    if sought.product_id is not None:
        wanted.append(Scan.product_id == inputs.small_id(sought.product_id, "product"))
    if sought.warehouse_id is not None:
        place_id = inputs.small_id(sought.warehouse_id, "warehouse")
        wanted.append(or_(Scan.warehouse_id == place_id, Scan.to_warehouse_id == place_id))
    if sought.since is not None:
        wanted.append(Scan.scanned_at >= sought.since)
    if sought.until is not None:
        wanted.append(Scan.scanned_at < sought.until)
    if pattern := queries.like(inputs.text(sought.text or "", "Search", SEARCH_CHARACTERS)):
        named = select(Product.id).where(or_(Product.sku.ilike(pattern), Product.name.ilike(pattern)))
        wanted.append(or_(Scan.code.ilike(pattern), Scan.product_id.in_(named)))
    return wanted
