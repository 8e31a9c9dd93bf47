"""What was scanned, by whom and where, and what of it can still be taken back."""

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


def recent(session: Session, *, person_id: int, limit: int = LAST) -> pd.DataFrame:
    """The last scans of a person, newest first, with what can still be taken back; columns of `history`."""
    return history(session, person_id=person_id, limit=limit)


def history(
    session: Session,
    *,
    person_id: int | None = None,
    warehouse_id: int | None = None,
    product_id: int | None = None,
    mode: str | None = None,
    outcome: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
) -> pd.DataFrame:
    """Scans, newest first; with `after_id` the ones that follow it, still newest first.

    Columns of `db/queries/scan_history.sql`: scan_id (the cursor), scan_uid, scanned_at, person, source,
    mode, code, outcome, said, names of product and warehouses, quantity (pieces), pack_factor, lot, serial,
    expires_on, change, stock_before, stock_after, reason_code, reference_type, reference_id, undone_at,
    is_reversed (taken back elsewhere) and can_undo. What a scan has no value for is None.

    Args:
        warehouse_id: also finds what was transferred there.
        since, until: moments, the latter not included.
        text: looked for in SKU, name of the product and code.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} scans.")
    wanted = _wanted(
        person_id=person_id, warehouse_id=warehouse_id, product_id=product_id, mode=mode, outcome=outcome,
        source=source, since=since, until=until, text=text,
    )  # fmt: skip
    if before_id is not None:
        wanted.append(Scan.id < inputs.big_id(before_id, "scan"))
    if after_id is not None:
        wanted.append(Scan.id > inputs.big_id(after_id, "scan"))
    order = Scan.id.desc() if after_id is None else Scan.id.asc()
    ids = session.scalars(select(Scan.id).where(*wanted).order_by(order).limit(limit)).all()
    return queries.frame(session, "scan_history", scan_ids=list(ids))


def count(session: Session, **filters: Any) -> int:
    """How many scans fit these filters, as in `history`."""
    return session.scalar(select(func.count()).select_from(Scan).where(*_wanted(**filters))) or 0


def _wanted(
    *,
    person_id: int | None = None,
    warehouse_id: int | None = None,
    product_id: int | None = None,
    mode: str | None = None,
    outcome: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for column, word, known in (
        (Scan.mode, mode, SCAN_MODES),
        (Scan.outcome, outcome, SCAN_OUTCOMES),
        (Scan.source, source, SCAN_SOURCES),
    ):
        if word is not None and word not in known:
            raise BadInput(
                f"'{inputs.shown(word)}' is no {column.key} of scans; they are {', '.join(known)}."
            )
        if word is not None:
            wanted.append(column == word)
    if person_id is not None:
        wanted.append(Scan.person_id == inputs.small_id(person_id, "person"))
    if product_id is not None:
        wanted.append(Scan.product_id == inputs.small_id(product_id, "product"))
    if warehouse_id is not None:
        place_id = inputs.small_id(warehouse_id, "warehouse")
        wanted.append(or_(Scan.warehouse_id == place_id, Scan.to_warehouse_id == place_id))
    if since is not None:
        wanted.append(Scan.scanned_at >= since)
    if until is not None:
        wanted.append(Scan.scanned_at < until)
    if pattern := queries.like(inputs.text(text or "", "Search", SEARCH_CHARACTERS)):
        named = select(Product.id).where(or_(Product.sku.ilike(pattern), Product.name.ilike(pattern)))
        wanted.append(or_(Scan.code.ilike(pattern), Scan.product_id.in_(named)))
    return wanted
