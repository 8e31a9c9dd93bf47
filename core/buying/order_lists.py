"""Lists of purchase orders: all of them, those that are late, and what fell through where it hurts."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from core import inputs, shop
from core.buying import order_state
from core.errors import BadInput, NotFound
from core.posting import plain
from db import queries
from db.models import ORDER_STATES, PurchaseOrder, PurchaseOrderLine, Vendor, Warehouse

SORTS = ("number", "vendor", "state", "value", "lines", "sent_on", "expected_on", "late")
MOST_ROWS = 50_000
MOST_OFFSET = 2**31
SEARCH_CHARACTERS = 200
# How long an order that fell through is shown where it hurts: by then something else was ordered, or not.
SHOWN_DAYS = 14


@dataclass(frozen=True)
class Totals:
    """Of all pages of a list: orders, of them late, and what is open in the shop's currency."""

    orders: int
    late: int
    open_value: Decimal


@dataclass(frozen=True)
class Trouble:
    """Why stock that was counted on does not come, or not yet. `kind`: late, cancelled, given up.

    `sentence`: "PO-2026-0012 of 40 is 5 days late."
    """

    kind: str
    order_uid: uuid.UUID
    number: str
    quantity: Decimal
    days: int
    sentence: str


def listing(
    session: Session,
    today: date,
    *,
    text: str | None = None,
    state: str | Sequence[str] | None = None,
    vendor_uid: uuid.UUID | str | None = None,
    product_id: int | None = None,
    only_late: bool = False,
    sort: str = "number",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[RowMapping], Totals]:
    """One page of orders (columns of `db/queries/order_page.sql`), and the totals of all pages.

    `text` is looked for in number, vendor, reference, note, SKU and product; `state` is one or several.
    Refuses an unknown state or order by name. A page past the last one is empty, its totals are right.
    """
    states = [state] if isinstance(state, str) else list(state) if state is not None else None
    for name in states or []:
        if name not in ORDER_STATES:
            raise BadInput(f"'{inputs.shown(name)}' is not a state; they are {', '.join(ORDER_STATES)}.")
    if sort not in SORTS:
        raise BadInput(f"'{inputs.shown(sort)}' is not an order; they are {', '.join(SORTS)}.")
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= MOST_OFFSET:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} rows and starts at 0 or later.")
    vendor_id = None
    if vendor_uid is not None:
        wanted = inputs.uid(vendor_uid, "a vendor")
        vendor_id = session.scalar(select(Vendor.id).where(Vendor.uid == wanted))
        if vendor_id is None:
            raise NotFound("There is no such vendor; it may have been another shop's link.")
    asked = {
        "today": today,
        "text_like": queries.like(inputs.text(text or "", "Search", SEARCH_CHARACTERS)),
        "states": states,
        "vendor_id": vendor_id,
        "product_id": product_id and inputs.small_id(product_id, "product"),
        "only_late": only_late,
        "sort": sort,
        "descending": descending,
    }
    found = queries.rows(session, "order_page", **asked, limit=limit, offset=offset)
    told = found
    if not found and offset:
        told = queries.rows(session, "order_page", **asked, limit=1, offset=0)
    if not told:
        return found, Totals(0, 0, Decimal(0))
    first = told[0]
    return found, Totals(first["total_count"], first["late_count"], first["total_open_value"])


def late(session: Session, today: date, product_id: int | None = None) -> list[RowMapping]:
    """Open lines past their day, and where it hurts; columns as in `db/queries/late_lines.sql`."""
    return queries.rows(session, "late_lines", today=today, product_id=product_id)


def of_product(session: Session, product_id: int, today: date) -> list[dict[str, Any]]:
    """Orders of a product that are on their way or drafts, and those that fell through lately, newest first:
    line_id (what is on its way names it), uid, number, state, vendor, quantity, open, received, given_up,
    expected_on, late_days, warehouse."""
    question = (
        select(PurchaseOrderLine, PurchaseOrder, Vendor.name, Warehouse.code)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .join(Vendor, Vendor.id == PurchaseOrder.vendor_id)
        .join(Warehouse, Warehouse.id == PurchaseOrderLine.warehouse_id)
        .where(PurchaseOrderLine.product_id == inputs.small_id(product_id, "product"))
        .where(
            PurchaseOrder.state.in_(("draft", *order_state.AWAITED))
            | ((PurchaseOrder.state == "cancelled") & PurchaseOrder.sent_on.is_not(None)
               & (PurchaseOrder.cancelled_at >= today - timedelta(days=SHOWN_DAYS)))
        )
        .order_by(PurchaseOrder.id.desc(), PurchaseOrderLine.id)
    )  # fmt: skip
    rows = []
    for line, order, vendor, code in session.execute(question):
        coming = order_state.open_of(line) if order.state in order_state.AWAITED else order_state.NOTHING
        is_late = coming > 0 and line.expected_on is not None and line.expected_on < today
        rows.append(
            {
                "line_id": line.id, "uid": order.uid, "number": order.number, "state": order.state,
                "vendor": vendor, "quantity": line.quantity, "open": coming, "received": line.received,
                "given_up": line.given_up, "expected_on": line.expected_on,
                "late_days": (today - line.expected_on).days if is_late else 0, "warehouse": code,
            }
        )  # fmt: skip
    return rows


def trouble(session: Session, product_id: int, today: date) -> list[Trouble]:
    """Why stock of a product that was counted on does not come, or not yet: late, cancelled, given up.

    What fell through is told for 14 days, only of orders that had been sent.
    """
    told = [_late(row) for row in late(session, today, inputs.small_id(product_id, "product"))]
    since = today - timedelta(days=SHOWN_DAYS)
    question = (
        select(PurchaseOrderLine, PurchaseOrder)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(PurchaseOrderLine.product_id == product_id, PurchaseOrder.sent_on.is_not(None))
        .where(
            ((PurchaseOrder.state == "cancelled") & (PurchaseOrder.cancelled_at >= since))
            | ((PurchaseOrderLine.given_up > 0) & (PurchaseOrder.state == "received")
               & (PurchaseOrder.received_on >= since))
        )
        .order_by(PurchaseOrder.id.desc())
    )  # fmt: skip
    zone = shop.get(session)
    for line, order in session.execute(question):
        if order.state == "cancelled":
            days = (today - shop.today(zone, order.cancelled_at)).days
            said = f"{order.number} of {plain(line.quantity)} was cancelled {_ago(days)}."
            told.append(Trouble("cancelled", order.uid, order.number, line.quantity, days, said))
        else:
            days = (today - order.received_on).days
            said = (
                f"{plain(line.given_up)} of the {plain(line.quantity)} of {order.number} "
                f"were given up {_ago(days)}."
            )
            told.append(Trouble("given up", order.uid, order.number, line.given_up, days, said))
    return told


def _late(row: RowMapping) -> Trouble:
    days = row["days_late"]
    noun = "day" if days == 1 else "days"
    said = f"{row['number']} of {plain(row['open'])} is {days} {noun} late."
    return Trouble("late", row["order_uid"], row["number"], row["open"], days, said)


def _ago(days: int) -> str:
    if days <= 0:
        return "today"
    return "yesterday" if days == 1 else f"{days} days ago"
