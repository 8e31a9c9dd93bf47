"""What buyers chose about advice, and newer advice has overtaken: it is let go, with a trace in the audit."""

from datetime import date

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.buying import advice_choices
from core.buying.advice_choices import Choice
from db.models import Advice, AdviceChoice, Product, Vendor, VendorOffer

ACTION = "let go of a choice about advice"


def let_go(session: Session, run_id: int, today: date) -> int:
    """Forget quantities and vendors that mean nothing under this advice; a snooze stays. Answers how many.

    A choice is overtaken when what it answered is needed no more (it arrived another way), when what was to
    be ordered is moved from a warehouse that cannot spare so much, when the chosen vendor does not offer the
    product any more, and when nothing is advised for the place. Kept, it would be ordered or moved with the
    rest of the page.
    """
    is_there = and_(
        Advice.run_id == run_id,
        Advice.product_id == AdviceChoice.product_id,
        Advice.warehouse_id == AdviceChoice.warehouse_id,
    )
    is_chosen = or_(AdviceChoice.quantity.is_not(None), AdviceChoice.vendor_id.is_not(None))
    found = session.execute(
        select(AdviceChoice, Product.uid)
        .join(Product, Product.id == AdviceChoice.product_id)
        .outerjoin(Advice, is_there)
        .where(is_chosen, _is_overtaken(today))
        .order_by(AdviceChoice.product_id, AdviceChoice.warehouse_id)
        .with_for_update(of=AdviceChoice)
        .execution_options(populate_existing=True)
    ).all()
    for row, product_uid in found:
        chosen = Choice(**{name: getattr(row, name) for name in advice_choices.FIELDS})
        if row.snoozed_until is None and row.snoozed_chance is None:
            session.delete(row)
        else:
            row.quantity = row.vendor_id = row.computed = None
        audit.note(session, None, ACTION, "product", product_uid, before=advice_choices.said(chosen))
    session.flush()
    return len(found)


def _is_overtaken(today: date) -> ColumnElement[bool]:
    is_moved = and_(
        Advice.action == "transfer",
        or_(AdviceChoice.vendor_id.is_not(None), AdviceChoice.quantity > Advice.quantity),
    )
    is_needed_no_more = and_(AdviceChoice.computed > 0, Advice.quantity == 0)
    offers_it = exists().where(
        Vendor.id == AdviceChoice.vendor_id,
        Vendor.is_active,
        VendorOffer.vendor_id == AdviceChoice.vendor_id,
        VendorOffer.product_id == AdviceChoice.product_id,
        VendorOffer.withdrawn_at.is_(None),
        VendorOffer.valid_from <= today,
    )
    is_offered_no_more = and_(AdviceChoice.vendor_id.is_not(None), ~offers_it)
    return or_(Advice.id.is_(None), is_moved, is_needed_no_more, is_offered_no_more)
