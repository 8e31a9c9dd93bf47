"""What buyers see of the advice: vendors with what is to be ordered of them, lines, and why each number."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs
from core.buying import advice_looks, vendor_terms
from core.buying.advice_detail import line, of_product
from core.buying.advice_head import curve, head, quantities, what_if_goal
from core.buying.advice_shapes import Change, Detail, Head, Line, Page, Point, Term, Vendor
from core.buying.vendor_terms import VendorTerms
from core.errors import BadInput, NotFound
from core.reorder import calendars, receipts
from db import queries
from db.models import Advice
from db.models import Vendor as VendorRow

__all__ = [
    "Change",
    "Detail",
    "Head",
    "Line",
    "Page",
    "Point",
    "Term",
    "Vendor",
    "curve",
    "head",
    "line",
    "of_product",
    "quantities",
    "what_if_goal",
]  # as those who show it know

HORIZON_DAYS = 0
"""Only what is to be ordered today; a longer horizon adds what is to be ordered within so many days."""
SORTS = ("urgency", "value", "lost", "sku", "name", "vendor")
NO_VENDOR = "none"
"""In place of a vendor's uid: the lines that nobody offers."""
KINDS = ("order", "transfer")
SHUTDOWN_AHEAD = timedelta(days=60)
PROBLEMS = ("out", "late", "order_now")
ZERO, MONEY = Decimal(0), Decimal("0.0001")


# -- Lines ---------------------------------------------------------------------------------------------------


def vendors_summary(session: Session, today: date, horizon_days: int = HORIZON_DAYS) -> list[Vendor]:
    """Vendors of whom something is to be ordered within the horizon, the most lost money first; the lines
    that nobody offers last."""
    found = lines(session, today, horizon_days=horizon_days, include_snoozed=True, action="order", limit=None)
    return vendors_of(session, found.rows, today)


def vendors_of(session: Session, rows: Sequence[Line], today: date) -> list[Vendor]:
    """The vendors of these lines, as `vendors_summary` has them, for who has looked at the lines already."""
    by_vendor: dict[uuid.UUID | None, list[Line]] = {}
    for row in rows:
        if row.action == "order":
            by_vendor.setdefault(row.vendor_uid, []).append(row)
    asked = [uid for uid in by_vendor if uid is not None]
    ids = session.scalars(select(VendorRow.id).where(VendorRow.uid.in_(asked))).all()
    terms = {one.uid: one for one in vendor_terms.of(session, ids, today).values()}
    found = [_vendor(terms.get(uid), rows, today) for uid, rows in by_vendor.items()]
    return sorted(found, key=lambda one: (one.uid is None, one.lines == 0, -one.lost_money, one.name or ""))


def lines(
    session: Session,
    today: date,
    *,
    vendor_uid: uuid.UUID | str | None = None,
    horizon_days: int = HORIZON_DAYS,
    include_snoozed: bool = False,
    action: str | None = None,
    search: str | None = None,
    sort: str = "urgency",
    limit: int | None = 100,
    offset: int = 0,
) -> Page:
    """Lines to be ordered or moved within the horizon.

    Args:
        vendor_uid: only this vendor's (as it would be ordered: an edited vendor counts), or NO_VENDOR.
        horizon_days: how far ahead; what a buyer asked for by hand is within any horizon.
        include_snoozed: also those that are snoozed, in a draft, or ordered since.
        action: "order" or "transfer"; None is both.
        search: words in SKU or name.
        sort: one of SORTS; "urgency" is out, late, order now, each with the most lost money first, then the
            others by the day they are needed.
        limit: None is all.
    """
    rows = _found(
        session, today, vendor_uid, horizon_days, only_open=not include_snoozed, kind=action,
        text_like=queries.like(search), sort=sort, most=limit, offset=offset, with_receipts=False,
    )  # fmt: skip
    return Page([advice_looks.line(row, today) for row in rows], rows[0]["total_count"] if rows else 0)


def with_receipts(
    session: Session,
    today: date,
    *,
    vendor_uid: uuid.UUID | str | None = None,
    horizon_days: int = HORIZON_DAYS,
    include_snoozed: bool = False,
    action: str | None = None,
    search: str | None = None,
    sort: str = "urgency",
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[tuple[Line, list[Term]]], int]:
    """The same lines as `lines`, each with the terms of its receipt, and how many there are in all."""
    rows = _found(
        session, today, vendor_uid, horizon_days, only_open=not include_snoozed, kind=action,
        text_like=queries.like(search), sort=sort, most=limit, offset=offset,
    )  # fmt: skip
    found = []
    for row in rows:
        shown = advice_looks.line(row, today)
        terms = advice_looks.terms(receipts.read(row["terms"]), shown)
        found.append((shown, [Term(*term) for term in terms]))
    return found, rows[0]["total_count"] if rows else 0


def _found(
    session: Session, today: date, vendor_uid: uuid.UUID | str | None, horizon_days: int, **asked: Any
) -> list[Any]:
    """Rows within the horizon. Refuses a sort or an action that it does not know."""
    if asked["sort"] not in SORTS:
        raise BadInput(f"Sort: '{inputs.shown(asked['sort'])}' is none of {', '.join(SORTS)}.")
    if asked["kind"] is not None and asked["kind"] not in KINDS:
        raise BadInput(f"Action: '{inputs.shown(asked['kind'])}' is none of {', '.join(KINDS)}.")
    is_nobody = vendor_uid == NO_VENDOR
    vendor = inputs.uid(vendor_uid, "a vendor") if vendor_uid is not None and not is_nobody else None
    until = today + timedelta(days=horizon_days)
    return advice_looks.rows(session, today, until=until, vendor_uid=vendor, no_vendor=is_nobody, **asked)


def of_places(session: Session, today: date, places: Sequence[tuple[int, int]]) -> list[Line]:
    """The lines of these products and warehouses that are in the advice, whatever they say, in that order."""
    asked = sorted({product_id for product_id, _ in places})
    rows = advice_looks.rows(session, today, product_ids=asked, with_receipts=False)
    found = {(row["product_id"], row["warehouse_id"]): advice_looks.line(row, today) for row in rows}
    return [found[place] for place in places if place in found]


def place_of(session: Session, advice_uid: uuid.UUID | str) -> tuple[int, int]:
    """The product and warehouse that a line is about; one of the advice before is known too.

    Refuses an unknown one: a page that shows advice for long enough sees newer advice made twice.
    """
    found = session.execute(
        select(Advice.product_id, Advice.warehouse_id).where(
            Advice.uid == inputs.uid(advice_uid, "a line of advice")
        )
    ).first()
    if found is None:
        raise NotFound(advice_looks.GONE)
    return found.product_id, found.warehouse_id


# -- Vendors -------------------------------------------------------------------------------------------------


def _vendor(terms: VendorTerms | None, rows: list[Line], today: date) -> Vendor:
    is_open = [row for row in rows if row.state == "open" and row.quantity > 0]
    value = sum((row.value for row in is_open), ZERO)
    days = [row.order_by_on for row in is_open if row.order_by_on is not None]
    minimum = _in_shop(terms, "order_minimum")
    free = _in_shop(terms, "free_freight_from")
    weekdays = terms.order_weekdays or None if terms is not None else None
    soon = [one for one in terms.shutdowns if one[0] <= today + SHUTDOWN_AHEAD] if terms is not None else []
    return Vendor(
        uid=terms and terms.uid,
        name=terms and terms.name,
        currency=terms and terms.currency,
        lines=len(is_open),
        value=value,
        problems=sum(row.status in PROBLEMS for row in is_open),
        lost_money=sum((row.lost_money for row in is_open), ZERO),
        snoozed=sum(row.state == "snoozed" for row in rows),
        in_draft=sum(row.state in ("in draft", "ordered") for row in rows),
        order_by_on=min(days, default=None),
        send_on=calendars.send_on(today, weekdays, terms.shutdowns) if terms is not None else None,
        order_minimum=minimum,
        to_minimum=max(minimum - value, ZERO) if minimum is not None else None,
        free_freight_from=free,
        to_free_freight=max(free - value, ZERO) if free is not None else None,
        freight=_in_shop(terms, "freight_cost"),
        order_cost=_in_shop(terms, "order_cost"),
        shutdown=soon[0] if soon else None,
    )


def _in_shop(terms: VendorTerms | None, name: str) -> Decimal | None:
    """A vendor's money in the shop's currency."""
    amount = getattr(terms, name) if terms is not None else None
    return None if amount is None else (amount * terms.exchange_rate).quantize(MONEY)
