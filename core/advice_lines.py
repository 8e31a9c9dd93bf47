"""What buyers see of the advice: vendors with what is to be ordered of them, lines, and why each number."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs, vendor_terms
from core.advice_head import curve, head, quantities, what_if_goal
from core.advice_shapes import Change, Detail, Head, Line, Page, Point, Term, Vendor
from core.errors import BadInput, NotFound
from core.reorder import calendars, receipts
from core.vendor_terms import VendorTerms
from db import queries
from db.models import Advice, AdviceRun, VendorOffer
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
    "quantities",
    "what_if_goal",
]  # as those who show it know

HORIZON_DAYS = 0
"""Only what is to be ordered today; a longer horizon adds what is to be ordered within so many days."""
SORTS = ("urgency", "value", "lost", "sku", "name", "vendor")
NO_VENDOR = "none"
"""In place of a vendor's uid: the lines that nobody offers."""
KINDS = ("order", "transfer")
SNOOZE_RISE = 0.15
"""A snoozed line comes back when its chance to run out is 15 points higher."""
SHUTDOWN_AHEAD = timedelta(days=60)
LATER = "needed later"
GONE = "This advice is not shown any more: newer advice was made meanwhile. Load the page again."
PROBLEMS = ("out", "late", "order_now")
ZERO, MONEY = Decimal(0), Decimal("0.0001")
NOT_KEPT = ("id", "total_count", "place", "sorting_value", "exchange_rate", "made_at", "terms", "vendors",
            "vendor_id", "computed_vendor_id", "chosen_vendor_id", "chosen_by", "offer_id",
            "from_warehouse_id", "is_asked_for", "computed_unit_cost", "chosen_at")  # fmt: skip


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
        sort: one of SORTS; "urgency" is by `needed_on`, `order_by_on`, then the chance to run out.
        limit: None is all.
    """
    if sort not in SORTS:
        raise BadInput(f"Sort: '{inputs.shown(sort)}' is none of {', '.join(SORTS)}.")
    if action is not None and action not in KINDS:
        raise BadInput(f"Action: '{inputs.shown(action)}' is none of {', '.join(KINDS)}.")
    is_nobody = vendor_uid == NO_VENDOR
    asked = inputs.uid(vendor_uid, "a vendor") if vendor_uid is not None and not is_nobody else None
    rows = _rows(
        session, today, until=today + timedelta(days=horizon_days), vendor_uid=asked, no_vendor=is_nobody,
        only_open=not include_snoozed, kind=action, text_like=queries.like(search), sort=sort, most=limit,
        offset=offset,
    )  # fmt: skip
    return Page([_line(row, today) for row in rows], rows[0]["total_count"] if rows else 0)


def of_places(session: Session, today: date, places: Sequence[tuple[int, int]]) -> list[Line]:
    """The lines of these products and warehouses that are in the advice, whatever they say, in that order."""
    rows = _rows(session, today, product_ids=sorted({product_id for product_id, _ in places}))
    found = {(row["product_id"], row["warehouse_id"]): _line(row, today) for row in rows}
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
        raise NotFound(GONE)
    return found.product_id, found.warehouse_id


# -- One line ------------------------------------------------------------------------------------------------


def line(session: Session, advice_uid: uuid.UUID | str, today: date) -> Detail:
    """One line with its receipt. Refuses one that is unknown, or of advice that is not shown any more."""
    rows = _rows(session, today, advice_uid=inputs.uid(advice_uid, "a line of advice"))
    if not rows:
        raise NotFound(GONE)
    return _detail(session, rows[0], today)


def of_product(session: Session, product_id: int, today: date) -> list[Detail]:
    """What is advised of one product, a row for each warehouse in which it lies or sells."""
    rows = _rows(session, today, product_ids=[inputs.small_id(product_id, "product")])
    return [_detail(session, row, today) for row in rows]


def _detail(session: Session, row: Any, today: date) -> Detail:
    shown = _line(row, today)
    terms = receipts.read(row["terms"])
    before = _before(session, shown)
    changed = receipts.changed(receipts.read(before.terms), terms) if before is not None else []
    return Detail(
        line=shown,
        terms=[Term(*term) for term in _terms(terms, shown)],
        vendors=_compared(session, row),
        changed=[Change(one.name, one.change, one.words) for one in changed],
        before_quantity=before.quantity if before is not None else None,
        before_at=before.made_at if before is not None else None,
    )


def _terms(terms: list[receipts.Term], shown: Line) -> list[receipts.Term]:
    """The receipt of what would be ordered: later needs and the buyer's own number are lines of it."""
    computed = receipts.total(terms)
    if not computed and not shown.is_due and shown.next_quantity:
        missing = "what will be missing by then, in what may be ordered"
        terms = [*terms, receipts.Term(LATER, shown.next_quantity, missing)]
    return receipts.with_edit(terms, shown.quantity) if shown.is_edited else terms


def _before(session: Session, shown: Line) -> Any:
    """What the run before said of the same product and warehouse."""
    return session.execute(
        select(Advice.terms, Advice.quantity, AdviceRun.made_at)
        .join(AdviceRun, AdviceRun.id == Advice.run_id)
        .where(
            ~AdviceRun.is_current,
            Advice.product_id == shown.product_id,
            Advice.warehouse_id == shown.warehouse_id,
        )
        .order_by(AdviceRun.id.desc())
        .limit(1)
    ).first()


def _compared(session: Session, row: Any) -> list[dict[str, Any]]:
    """The vendors that the run compared, by name."""
    kept = row["vendors"]
    names = select(VendorRow.id, VendorRow.uid, VendorRow.name).where(
        VendorRow.id.in_([one["vendor_id"] for one in kept])
    )
    vendors = {vendor_id: (uid, name) for vendor_id, uid, name in session.execute(names)}
    terms = {
        offer.id: offer
        for offer in session.scalars(
            select(VendorOffer).where(VendorOffer.id.in_([one["offer_id"] for one in kept]))
        )
    }
    found = []
    for one in kept:
        offer = terms[one["offer_id"]]
        uid, name = vendors[one["vendor_id"]]
        about = {
            "vendor_uid": str(uid),
            "name": name,
            "minimum": offer.minimum_order_quantity,
            "multiple": offer.order_multiple,
            "is_expired": offer.valid_until is not None and offer.valid_until < row["made_at"].date(),
        }
        found.append({key: value for key, value in one.items() if not key.endswith("_id")} | about)
    return found


# -- From rows -----------------------------------------------------------------------------------------------


def _rows(session: Session, today: date, **asked: Any) -> list[Any]:
    nothing = {
        "until": None, "advice_uid": None, "product_ids": None, "vendor_uid": None, "no_vendor": False,
        "kind": None, "only_open": False, "text_like": None, "sort": "urgency", "most": None, "offset": 0,
    }  # fmt: skip
    return queries.rows(session, "advice_lines", today=today, rise=SNOOZE_RISE, **nothing | asked)


def _line(row: Any, today: date) -> Line:
    values = {name: value for name, value in row.items() if name not in NOT_KEPT}
    cost = row["unit_cost"].quantize(MONEY) if row["unit_cost"] is not None else None
    value = (
        (row["quantity"] * cost).quantize(MONEY) if cost is not None and row["action"] == "order" else ZERO
    )
    return Line(
        **values | {"unit_cost": cost},
        value=value,
        is_due=row["is_asked_for"] or (row["needed_on"] is not None and row["needed_on"] <= today),
        edited_at=row["chosen_at"] if row["is_edited"] else None,
    )


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
