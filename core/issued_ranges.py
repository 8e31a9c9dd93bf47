"""Run-out ranges as they were promised, one a product and day at most, and what became of them.

A range is issued in the morning of a business day, when it says something else than the one before or a week
has passed. Each night those that are open are held against what was booked since (`core.forecast.outcomes`
says how), up to the last day whose sales are in the books: where a file of them comes in once a week, the
days since the last one are not days without demand. While a range is open, what is booked late counts, with
its own day; once it is closed it stays as it was decided. Only the shop's own bookings of days since the
issue are looked at, so a history that is imported later decides nothing: where it changes the stock of that
morning, the range is void.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import RowMapping, delete, exists, select, text
from sqlalchemy.orm import Session

from core import shop
from core.forecast import outcomes
from core.forecast.outcomes import NEVER, STATES, WHY, Promises, Seen
from core.forecast.training import HORIZON_DAYS
from db import queries
from db.models import IssuedRange, Product, StockDay, Warehouse

AGAIN_DAYS = 7  # what still holds is said again after a week, so that steady products are judged too
KEPT_DAYS = 400  # a year, and the same season of the year before
BOOKED_WITHIN_DAYS = 35  # sales that come in by the month are there by then; after it nothing was sold
CHUNK_PRODUCTS = 100  # of up to 120 open ranges each, with 120 days: about 100 MB
NOT_SOLD = "Not sold any more."
_CLOSE = text(
    "UPDATE issued_range AS r SET state = n.state, ran_out_on = n.ran_out_on, why = n.why,"
    " closed_on = n.closed_on"
    " FROM jsonb_populate_recordset(CAST(NULL AS issued_range), CAST(:rows AS jsonb)) AS n"
    " WHERE r.id = n.id AND r.state = 'open'"
)


@dataclass(frozen=True)
class _Days:
    """What was booked for some products, (products, days) from `since` on; the last column is empty.

    `morning` is the stock on the evening before each day, as the books say it now.
    """

    since: int  # ordinal of the first day
    row_of: dict[int, int]
    demand: np.ndarray
    receipts: np.ndarray
    other: np.ndarray
    morning: np.ndarray


# -- Promised ------------------------------------------------------------------------------------------------


def issue(session: Session, today: date) -> int:
    """Keep today's ranges of the whole shop that say something new; answers how many. Again: none.

    They are those of `run_out`, as far as these are of today: refresh the stale ones first. A product that is
    out, or that will hardly run out within the forecast's days, is promised nothing.
    """
    issued = queries.rows(
        session, "issue_ranges", today=today, horizon_days=HORIZON_DAYS, again_days=AGAIN_DAYS
    )
    return len(issued)


def is_issued(session: Session, today: date) -> bool:
    """Whether today's ranges are out already."""
    return session.scalar(select(exists().where(IssuedRange.issued_on == today)))


def forget_old(session: Session, today: date, most: int = 5000) -> int:
    """Delete up to `most` decided ranges that nobody counts any more; answers how many there were."""
    old = (
        select(IssuedRange.id)
        .where(IssuedRange.issued_on < today - timedelta(days=KEPT_DAYS), IssuedRange.state != "open")
        .limit(most)
    )
    return session.execute(delete(IssuedRange).where(IssuedRange.id.in_(old))).rowcount


# -- Held against what happened ------------------------------------------------------------------------------


def last_known_day(session: Session, now: datetime) -> date:
    """The last business day that is over in the shop and each of its warehouses, and whose sales are booked.

    They are not there yet for the days after the newest one with any sale in the shop, for 35 days at most.
    """
    zones = set(session.scalars(select(Warehouse.time_zone).where(Warehouse.is_active)))
    days = [now.astimezone(ZoneInfo(zone)).date() for zone in zones]
    over = min([*days, shop.today(shop.get(session), now)]) - timedelta(days=1)
    sold = session.scalar(
        select(StockDay.day)
        .where(StockDay.demand > 0, StockDay.day > over - timedelta(days=BOOKED_WITHIN_DAYS))
        .order_by(StockDay.day.desc())
        .limit(1)
    )
    return min(over, sold or over - timedelta(days=BOOKED_WITHIN_DAYS))


def open_products(session: Session) -> list[int]:
    """Ids of the products with ranges that are not decided."""
    question = select(IssuedRange.product_id).where(IssuedRange.state == "open").distinct()
    return list(session.scalars(question.order_by(IssuedRange.product_id)))


def score(
    session: Session, today: date, last_day: date, product_ids: Sequence[int] | None = None
) -> dict[str, int]:
    """Decide the open ranges of these products (None: of all) by what was booked until `last_day`.

    Answers how many were closed as inside, early, late and void. The same day again changes nothing.
    """
    ids = open_products(session) if product_ids is None else list(product_ids)
    counts = dict.fromkeys(("inside", "early", "late", "void"), 0)
    for start in range(0, len(ids), CHUNK_PRODUCTS):
        for row in _decided(session, ids[start : start + CHUNK_PRODUCTS], today, last_day):
            counts[row["state"]] += 1
    return counts


def _decided(session: Session, ids: list[int], today: date, last_day: date) -> list[dict[str, Any]]:
    """Close what is decided of some products, and answer the rows as they were written."""
    columns = (
        IssuedRange.id, IssuedRange.product_id, IssuedRange.issued_on, IssuedRange.on_hand, IssuedRange.due,
        IssuedRange.p10_on, IssuedRange.p90_on, IssuedRange.until, Product.is_active,
    )  # fmt: skip
    found = session.execute(
        select(*columns)
        .join(Product, Product.id == IssuedRange.product_id)
        .where(
            IssuedRange.state == "open", IssuedRange.product_id.in_(ids), IssuedRange.issued_on <= last_day
        )
    ).all()
    if not found:
        return []
    since = min(row.issued_on for row in found)
    days = _days(queries.rows(session, "days_since_issue", product_ids=ids), since, last_day)
    judged = outcomes.judge(*_questions(found, days))
    rows = []
    for row, state, used_up, why in zip(found, judged.state, judged.used_up, judged.why, strict=True):
        reason = WHY.get(int(why))
        if state == outcomes.OPEN:
            if row.is_active:
                continue
            state, reason = outcomes.VOID, NOT_SOLD
        ran_out_on = row.issued_on + timedelta(days=int(used_up) - 1) if used_up else None
        rows.append(
            {
                "id": row.id,
                "state": STATES[state],
                "ran_out_on": ran_out_on and ran_out_on.isoformat(),
                "why": reason,
                "closed_on": today.isoformat(),
            }
        )
    if rows:
        session.execute(_CLOSE, {"rows": json.dumps(rows)})
    return rows


def _days(booked: Sequence[RowMapping], since: date, last_day: date) -> _Days:
    """The bookings as dense days; what was booked for later days only says what the morning's stock was."""
    first, length = since.toordinal(), (last_day - since).days + 1
    row_of: dict[int, int] = {}
    for line in booked:
        row_of.setdefault(line["product_id"], len(row_of))
    demand, receipts, other = (np.zeros((len(row_of), length + 1)) for _ in range(3))
    stock_now, later = np.zeros(len(row_of)), np.zeros(len(row_of))
    for line in booked:
        row = row_of[line["product_id"]]
        stock_now[row] = line["on_hand"]
        if line["day"] is None:
            continue
        column = line["day"].toordinal() - first
        if column >= length:
            later[row] += line["receipts"] - line["demand"] + line["other"]
        elif column >= 0:
            demand[row, column] = line["demand"]
            receipts[row, column] = line["receipts"]
            other[row, column] = line["other"]
    net = receipts - demand + other
    from_then_on = np.cumsum(net[:, ::-1], axis=1)[:, ::-1]
    return _Days(first, row_of, demand, receipts, other, (stock_now - later)[:, None] - from_then_on)


def _questions(found: Sequence[Any], days: _Days) -> tuple[Promises, Seen]:
    """The ranges and what was booked since each of them, day 1 being its day of issue."""
    length = days.demand.shape[1] - 1
    issued = np.array([row.issued_on.toordinal() for row in found])
    product = np.array([days.row_of[row.product_id] for row in found])
    column = issued - days.since
    place = product[:, None], np.minimum(column[:, None] + np.arange(length), length)
    due = np.zeros((len(found), length))
    for line, row in enumerate(found):
        for day, quantity in row.due or ():
            number = max((date.fromisoformat(day) - row.issued_on).days, 0)
            if number < length:
                due[line, number] += float(quantity)
    promises = Promises(
        on_hand=np.array([float(row.on_hand) for row in found]),
        due=due,
        p10=_numbers([row.p10_on for row in found], issued),
        p90=_numbers([row.p90_on for row in found], issued),
        until=_numbers([row.until for row in found], issued),
    )
    seen = Seen(
        opening=days.morning[product, column],
        demand=days.demand[place],
        receipts=days.receipts[place],
        other=days.other[place],
        days=length - column,
    )
    return promises, seen


def _numbers(dates: list[date | None], issued: np.ndarray) -> np.ndarray:
    """Dates as days since the issue, which is day 1."""
    return np.array(
        [
            NEVER if day is None else day.toordinal() - first + 1
            for day, first in zip(dates, issued, strict=True)
        ]
    )
