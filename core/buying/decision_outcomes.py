"""What came of decisions once their cover period is over, and what the advice would have given instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import demand, posting, predictions
from core.buying import buying_settings, supply
from core.reorder import hindsight
from core.reorder.hindsight import Course
from db.models import Decision, OrderReceipt, Product, PurchaseOrder, PurchaseOrderLine

AT_ONCE = 100  # decisions a step: each asks for its product's days


@dataclass(frozen=True)
class _Delivered:
    """What came of a line: when it was sent, what was asked for, and what arrived by day."""

    quantity: Decimal
    is_cancelled: bool
    days: tuple[tuple[date, Decimal], ...]


def settle(session: Session, today: date, last_day: date | None = None, most: int = AT_ONCE) -> int:
    """Work out what came of up to `most` decisions whose period is over by `last_day`; answers how many.

    `last_day` is the last one whose sales are in the books (None: yesterday). What is a draft still waits.
    The same day again changes nothing.
    """
    last_day = last_day or today - timedelta(days=1)
    question = (
        select(Decision, Product)
        .join(Product, Product.id == Decision.product_id)
        .outerjoin(PurchaseOrderLine, PurchaseOrderLine.id == Decision.order_line_id)
        .outerjoin(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(
            Decision.closed_on.is_(None), Decision.covers_until <= last_day,
            or_(Decision.order_line_id.is_(None), PurchaseOrder.state != "draft"),
        )
        .order_by(Decision.covers_until, Decision.id)
        .limit(most)
        .with_for_update(of=Decision, skip_locked=True)
    )  # fmt: skip
    found = session.execute(question).all()
    delivered = _delivered(session, [decision.order_line_id for decision, _ in found])
    settings, groups = buying_settings.get(session), supply.groups(session)
    for decision, product in found:
        places = groups.get(decision.warehouse_id, (decision.warehouse_id,))
        days = demand.stock_path(
            session, decision.product_id, decision.decided_on, decision.covers_until, warehouse_ids=places
        )
        came = delivered.get(decision.order_line_id)
        decision.outcome = _outcome(decision, product, _dense(days, decision), came, settings)
        decision.closed_on = today
    session.flush()
    return len(found)


def _delivered(session: Session, line_ids: Sequence[int | None]) -> dict[int | None, _Delivered]:
    ids = [number for number in line_ids if number is not None]
    lines = session.execute(
        select(PurchaseOrderLine.id, PurchaseOrderLine.quantity, PurchaseOrder.state)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(PurchaseOrderLine.id.in_(ids))
    ).all()
    arrived: dict[int, list[tuple[date, Decimal]]] = {}
    for line_id, day, quantity in session.execute(
        select(OrderReceipt.line_id, OrderReceipt.received_on, OrderReceipt.quantity)
        .where(OrderReceipt.line_id.in_(ids), OrderReceipt.undone_at.is_(None))
        .order_by(OrderReceipt.received_on, OrderReceipt.id)
    ):
        arrived.setdefault(line_id, []).append((day, quantity))
    return {
        line_id: _Delivered(quantity, state == "cancelled", tuple(arrived.get(line_id, ())))
        for line_id, quantity, state in lines
    }


def _dense(days: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Every day from the decision to the end of its period; before a product's first movement all is 0."""
    calendar = pd.date_range(decision.decided_on, decision.covers_until).date
    whole = days.set_index("day").reindex(calendar)
    whole["in_stock"] = whole.in_stock.astype("boolean").fillna(False).to_numpy(bool)
    return whole.fillna(0.0)


# -- One decision --------------------------------------------------------------------------------------------


def _outcome(
    decision: Decision, product: Product, days: pd.DataFrame, came: _Delivered | None, settings: Any
) -> dict[str, Any]:
    first = (decision.covers_from - decision.decided_on).days
    is_empty = ~days.in_stock.to_numpy(bool)
    was = Course(days.closing.to_numpy(float), days.lost.to_numpy(float), is_empty)
    wanted = days.demand.to_numpy(float) + was.lost
    rate = float(wanted[first:].mean())
    arrived = _by_day(came.days if came else (), decision.decided_on, len(days))
    is_cancelled = came is not None and came.is_cancelled and not came.days
    outcome = {
        "days": len(days) - first,
        "demand": _units(days.demand.to_numpy(float)[first:].sum()),
        "ordered": posting.plain(came.quantity) if came else "0",
        "delivered": _units(arrived.sum()),
        "delivered_on": came.days[0][0].isoformat() if came and arrived.sum() else None,
        "is_cancelled": is_cancelled,
        **_facts(was.since(first), decision.covers_from),
        "left_money": None if decision.unit_cost is None else _money(_left(was) * float(decision.unit_cost)),
        "advice": None,
        "saved": None,
    }
    if is_cancelled or not decision.forecast.get("has_advice"):
        return outcome
    change = _advised(decision, came, arrived) - arrived
    would = was
    if np.abs(change).max() > 0:
        net = days.receipts.to_numpy(float) - days.demand.to_numpy(float) + days.other.to_numpy(float)
        flows = days.receipts.to_numpy(float) + days.other.to_numpy(float)
        would = hindsight.relive(float(was.closing[0] - net[0]), wanted, flows + change)
    return outcome | {
        "advice": _facts(would.since(first), decision.covers_from),
        "saved": _saved(decision, product, (was.since(first), would.since(first)), rate, arrived, settings),
    }


def _advised(decision: Decision, came: _Delivered | None, arrived: np.ndarray) -> np.ndarray:
    """What the advice would have brought, by day: from the same vendor as he delivered, the same share on the
    same days; from another one, or where nothing was ordered, on the day he was to come."""
    advised = float(decision.advised)
    if came is not None and decision.advised_vendor_id in (None, decision.chosen_vendor_id):
        return arrived * (advised / float(came.quantity))
    said = decision.forecast.get("arrives_on") if came is not None else None
    arrives_on = date.fromisoformat(said) if said else decision.covers_from
    return _by_day([(arrives_on, decision.advised)], decision.decided_on, len(arrived))


def _saved(
    decision: Decision, product: Product, courses: tuple[Course, Course], rate: float, arrived: np.ndarray,
    settings: Any,
) -> str | None:  # fmt: skip
    """Money the decision saved against the advice, below 0 where it cost more; None without a cost."""
    unit_cost = decision.unit_cost if decision.unit_cost is not None else product.unit_cost
    if unit_cost is None:
        return None
    prices = hindsight.prices(
        float(unit_cost),
        None if product.unit_price is None else float(product.unit_price),
        holding_percent=float(settings.holding_percent),
        shortage_percent=None if settings.shortage_percent is None else float(settings.shortage_percent),
        most_days=settings.most_cover_days,
    )
    was, would = (hindsight.cost(course, rate, prices) for course in courses)
    advised_cost = decision.forecast.get("unit_cost")
    cheaper = float(Decimal(advised_cost) - unit_cost) if advised_cost and decision.chosen else 0.0
    return _money(would - was + cheaper * float(arrived.sum()))


def _facts(course: Course, starts_on: date) -> dict[str, Any]:
    empty = np.flatnonzero(course.is_empty)
    return {
        "days_without": len(empty),
        "out_on": (starts_on + timedelta(days=int(empty[0]))).isoformat() if len(empty) else None,
        "lost": _units(course.lost.sum()),
        "left": _units(_left(course)),
    }


def _left(course: Course) -> float:
    return float(course.closing[-1])


def _by_day(deliveries: Sequence[tuple[date, Decimal]], start: date, length: int) -> np.ndarray:
    """Deliveries on their days; what came after the last one is not in it."""
    by_day = np.zeros(length)
    for day, quantity in deliveries:
        number = max((day - start).days, 0)
        if number < length:
            by_day[number] += float(quantity)
    return by_day


def _units(value: float) -> str:
    return posting.plain(predictions.rounded(float(value), 2))


def _money(value: float) -> str:
    return posting.plain(predictions.rounded(value, 2))
