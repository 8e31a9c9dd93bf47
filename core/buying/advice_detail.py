"""One line of the advice in full: the receipt of its quantity, the vendors compared, and what changed."""

import uuid
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs
from core.buying import advice_looks
from core.buying.advice_shapes import Change, Detail, Line, Term
from core.errors import NotFound
from core.reorder import receipts
from db.models import Advice, AdviceRun, Vendor, VendorOffer


def line(session: Session, advice_uid: uuid.UUID | str, today: date) -> Detail:
    """One line with its receipt. Refuses one that is unknown, or of advice that is not shown any more."""
    rows = advice_looks.rows(session, today, advice_uid=inputs.uid(advice_uid, "a line of advice"))
    if not rows:
        raise NotFound(advice_looks.GONE)
    return _detail(session, rows[0], today)


def of_product(session: Session, product_id: int, today: date) -> list[Detail]:
    """What is advised of one product, a row for each warehouse in which it lies or sells."""
    rows = advice_looks.rows(session, today, product_ids=[inputs.small_id(product_id, "product")])
    return [_detail(session, row, today) for row in rows]


def _detail(session: Session, row: Any, today: date) -> Detail:
    shown = advice_looks.line(row, today)
    terms = receipts.read(row["terms"])
    before = _before(session, shown)
    changed = receipts.changed(receipts.read(before.terms), terms) if before is not None else []
    return Detail(
        line=shown,
        terms=[Term(*term) for term in advice_looks.terms(terms, shown)],
        vendors=_compared(session, row),
        changed=[Change(one.name, one.change, one.words) for one in changed],
        before_quantity=before.quantity if before is not None else None,
        before_at=before.made_at if before is not None else None,
    )


def _before(session: Session, shown: Line) -> Any:
    """What the last run of an earlier day said of the same product and warehouse, else the run before."""
    return session.execute(
        select(Advice.terms, Advice.quantity, AdviceRun.made_at)
        .join(AdviceRun, AdviceRun.id == Advice.run_id)
        .where(
            ~AdviceRun.is_current,
            Advice.product_id == shown.product_id,
            Advice.warehouse_id == shown.warehouse_id,
        )
        .order_by(AdviceRun.as_of, AdviceRun.id)
        .limit(1)
    ).first()


def _compared(session: Session, row: Any) -> list[dict[str, Any]]:
    """The vendors that the run compared, by name."""
    kept = row["vendors"]
    names = select(Vendor.id, Vendor.uid, Vendor.name).where(
        Vendor.id.in_([one["vendor_id"] for one in kept])
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
