"""Decisions that nobody writes down: orders people wrote themselves, and advice that was let pass."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from core.buying import advice_looks, buying_settings, decisions
from db.models import (
    Advice,
    AdviceChoice,
    AdviceRun,
    Decision,
    JobRun,
    PurchaseOrder,
    PurchaseOrderLine,
)


def note_own(session: Session, today: date) -> int:
    """Write down the lines that were sent within the last review without a word of advice; answers how many.

    Those are orders that people wrote themselves. Again: none.
    """
    review_days = buying_settings.get(session).review_days
    question = (
        select(PurchaseOrderLine, PurchaseOrder)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(
            PurchaseOrder.sent_on > today - timedelta(days=review_days),
            PurchaseOrder.state.in_(("sent", "partly_received", "received")),
            ~exists().where(Decision.order_line_id == PurchaseOrderLine.id),
        )
        .order_by(PurchaseOrderLine.id)
    )
    rows = [
        decisions.row_of(None, order.sent_on)
        | {"kind": "own", "decided_by": order.sent_by or order.created_by, "chosen": line.quantity}
        | {"chosen_vendor_id": order.vendor_id}
        | decisions.of_line(line, order)
        for line, order in session.execute(question)
    ]
    return len(decisions.keep(session, rows, today))


def note_ignored(session: Session, today: date) -> int:
    """Write down the advice to order whose last day passed more than a review ago, and that nobody followed,
    put off or has in a draft; answers how many. While such a period is not over, none is added.

    Where there is advice for less than a review, nobody had the time to follow it.
    """
    review_days = buying_settings.get(session).review_days
    missed = today - timedelta(days=review_days)
    if not session.scalar(select(_was_advised_by(missed))):
        return 0
    question = (
        select(Advice)
        .join(AdviceRun, AdviceRun.id == Advice.run_id)
        .where(
            AdviceRun.is_current, Advice.action == "order", Advice.order_by_on < missed,
            ~_is_decided(missed), ~_is_snoozed(today), ~_is_being_ordered(),
        )
        .order_by(Advice.id)
    )  # fmt: skip
    rows = [
        decisions.row_of(advice, today)
        | {"kind": "ignored", "chosen": Decimal(0), "unit_cost": advice.unit_cost}
        | {"covers_from": advice.arrives_on}
        for advice in session.scalars(question)
    ]
    return len(decisions.keep(session, rows, today))


# -- Which are meant -----------------------------------------------------------------------------------------


def _was_advised_by(day: date) -> Any:
    """Whether the shop was advised on that day already; runs of jobs are kept longer than any review."""
    return exists().where(
        JobRun.job == buying_settings.JOB, JobRun.state == "done", cast(JobRun.finished_at, Date) <= day
    )


def _is_decided(since: date) -> Any:
    return exists().where(
        Decision.product_id == Advice.product_id,
        Decision.warehouse_id == Advice.warehouse_id,
        or_(Decision.closed_on.is_(None), Decision.decided_on > since),
    )


def _is_snoozed(today: date) -> Any:
    """Not to be seen, as on the Reorder page: neither the day nor the risk has brought it back."""
    return exists().where(
        AdviceChoice.product_id == Advice.product_id,
        AdviceChoice.warehouse_id == Advice.warehouse_id,
        or_(AdviceChoice.snoozed_until.is_not(None), AdviceChoice.snoozed_chance.is_not(None)),
        or_(AdviceChoice.snoozed_until.is_(None), AdviceChoice.snoozed_until > today),
        or_(
            AdviceChoice.snoozed_chance.is_(None),
            func.coalesce(Advice.chance, 0) < AdviceChoice.snoozed_chance + advice_looks.SNOOZE_RISE,
        ),
    )


def _is_being_ordered() -> Any:
    """In a draft, or in an order that was sent since it should have been."""
    return exists().where(
        PurchaseOrderLine.product_id == Advice.product_id,
        PurchaseOrderLine.warehouse_id == Advice.warehouse_id,
        PurchaseOrderLine.order_id == PurchaseOrder.id,
        or_(
            PurchaseOrder.state == "draft",
            PurchaseOrder.state.in_(("sent", "partly_received", "received"))
            & (PurchaseOrder.sent_on >= Advice.order_by_on),
        ),
    )
