"""The ledger as flat rows for machine learning: every movement once, in booking order, page by page."""

import hashlib
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import cursors, inputs, ledger_marks, warehouses
from core.errors import BadInput
from core.ledger_export import lines, names, rows
from core.ledger_export.copying import Copier
from core.ledger_export.selection import Selection
from db import queries

MOST_ROWS = 100_000
MOST_OFFSET = 2**62
# A row that is changed gets a later xmin: no change of a name, of a code or of what there is escapes.
_NAMES = text(
    "SELECT (SELECT (count(*), sum(xmin::text::bigint)) FROM product)::text"
    " || (SELECT (count(*), sum(xmin::text::bigint)) FROM warehouse)::text"
)


@dataclass(frozen=True)
class Page:
    """Rows as JSON objects, one a line; how many the whole selection has; whether more follow.

    `unmarked`: so many movements had to be counted because no mark counts them yet (core/ledger_marks.py).
    """

    rows: bytes
    total_count: int
    has_more: bool
    unmarked: int = 0


def choose(
    session: Session,
    *,
    since: date | None = None,
    until: date | None = None,
    warehouse: str | None = None,
    category: str | None = None,
    after_id: int = 0,
    updated_since: datetime | None = None,
) -> Selection:
    """The movements these words mean, up to the horizon of this moment: a row keeps its place for ever.

    Movements that an earlier one could still overtake are not told yet, so whoever goes on from the last id,
    or the last offset, misses nothing. Refuses a warehouse that is no id and no code. Needs READ COMMITTED.
    """
    return Selection(
        since=since,
        until=until,
        warehouse_id=None if warehouse is None else _warehouse(session, warehouse),
        category=category,
        after_id=inputs.big_id(after_id, "movement"),
        updated_since=updated_since,
        last_id=cursors.horizon(session),
    )


def _warehouse(session: Session, named: str) -> int:
    try:
        return warehouses.by_uid(session, uuid.UUID(named)).id
    except ValueError:
        return warehouses.by_code(session, named).id


def edition(session: Session, selection: Selection, *form: object) -> str:
    """A word that is another one when the same question would be answered in other words.

    `form` is what else the answer depends on. Ask before the rows are read: what changes in between belongs
    to the next edition.
    """
    said = (sorted(asdict(selection).items()), form, session.scalar(_NAMES))
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def shortened(session: Session, selection: Selection) -> Selection:
    """The same movements, without looking at those that were all booked before `updated_since`."""
    if selection.updated_since is None:
        return selection
    marked = ledger_marks.before_moment(session, selection.updated_since)
    return replace(selection, after_id=max(selection.after_id, marked))


def page(session: Session, selection: Selection, *, offset: int = 0, limit: int = 10_000) -> Page:
    """One page of a selection that `choose` made, `offset` rows behind its `after_id`.

    `total_count` is that of all its rows, those up to `after_id` included.
    """
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= MOST_OFFSET:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} rows and starts at 0 or later.")
    is_whole = selection == Selection(after_id=selection.after_id, last_id=selection.last_id)
    return (_of_all if is_whole else _of_some)(session, selection, offset, limit)


def _of_all(session: Session, selection: Selection, offset: int, limit: int) -> Page:
    place = ledger_marks.place(
        session, selection.last_id or 0, after_id=selection.after_id, offset=offset, limit=limit
    )
    told = _told(session, selection, place.after_id, place.last_id)
    return Page(told, place.total, place.before + limit < place.total, place.unmarked)


def _of_some(session: Session, selection: Selection, offset: int, limit: int) -> Page:
    since = selection.updated_since
    asked = asdict(selection) | {
        "horizon": selection.last_id,
        "marked_id": 0 if since is None else ledger_marks.before_moment(session, since),
    }
    (part,) = queries.rows(session, "ledger_part", **asked, offset=offset, limit=limit)
    told = _told(session, selection, part["after_id"], part["last_id"])
    return Page(told, part["total"], part["more"])


def _told(session: Session, selection: Selection, after_id: int | None, last_id: int) -> bytes:
    """The rows of a page whose ends are known, as the streams write them; None begins behind the end."""
    copier, told = Copier(session), []
    while after_id is not None and after_id < last_id:
        some, after_id = rows.read(copier, selection, last_id, after_id=after_id, limit=rows.AT_ONCE)
        called = names.read(copier, selection.category, np.unique(some.product_id))
        told.append(lines.Lines(lines.NDJSON, called).text(some))
    return b"".join(told)
