"""The decision journal: what buyers make of the advice, kept with the forecast of that moment.

What nobody writes down is found by `decision_watch`. What came of a decision is worked out when its cover
period is over (`decision_outcomes`); what all of them came to is in `decision_tally`. The cover period runs
from the day the order was to arrive until the day before the next one could.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core import auth, posting
from core.auth import Actor
from core.buying import buying_settings, decision_periods, vendor_terms
from db.models import (
    Advice,
    Decision,
    PurchaseOrder,
    PurchaseOrderLine,
)

CHUNK_PRODUCTS = 100  # whose paths are held at once


@dataclass(frozen=True)
class Made:
    """One decision to write down: the advice it answers (None: there was none), the line of the draft, and
    what was chosen in its place or confirmed."""

    advice: Advice | None
    line: PurchaseOrderLine
    quantity: Decimal
    vendor_id: int


def note(
    session: Session,
    actor: Actor,
    advice: Advice | None,
    order_line: PurchaseOrderLine,
    chosen_quantity: Decimal,
    chosen_vendor_id: int,
    today: date,
) -> Decision:
    """Write down one decision of `actor`; see `note_all`, which many lines should use."""
    (kept,) = note_all(session, actor, [Made(advice, order_line, chosen_quantity, chosen_vendor_id)], today)
    return kept


def note_all(session: Session, actor: Actor, made: Sequence[Made], today: date) -> list[Decision]:
    """Write down what `actor` orders, in the transaction that makes the draft; the lines are flushed.

    Taken is the advised quantity from the advised vendor, edited another one, own what no advice asked for.
    A period that nobody had ordered for until now ends where this order is to arrive.
    """
    auth.must(actor, "buy")
    orders = _orders(session, [one.line for one in made])
    rows = []
    for one in made:
        about = {"kind": _kind(one.advice, one.quantity, one.vendor_id), "decided_by": actor.id}
        about |= {"chosen": one.quantity, "chosen_vendor_id": one.vendor_id}
        rows.append(row_of(one.advice, today) | about | of_line(one.line, orders[one.line.order_id]))
        rows[-1]["covers_from"] = rows[-1]["covers_from"] or (one.advice and one.advice.arrives_on)
    kept = keep(session, rows, today)
    for decision in kept:
        _end_ignored(session, decision)
    return kept


def withdraw(session: Session, order_line_ids: Sequence[int]) -> int:
    """Forget the decisions behind these lines: the draft was cancelled or the line taken out before it was
    sent, so nothing was decided. Call it before the lines are deleted. Answers how many there were."""
    gone = delete(Decision).where(Decision.order_line_id.in_(list(order_line_ids)))
    return session.execute(gone).rowcount


def let_go(session: Session, order_line_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """The decisions behind lines that are about to be replaced, by product and warehouse: for `take_up`."""
    kept = session.scalars(select(Decision).where(Decision.order_line_id.in_(list(order_line_ids)))).all()
    for one in kept:
        one.order_line_id = None
    session.flush()
    return {(one.product_id, one.warehouse_id): one.id for one in kept}


def take_up(
    session: Session, waiting: Mapping[tuple[int, int], int], lines: Sequence[PurchaseOrderLine]
) -> None:
    """The lines that came in the place of others have their decisions; those without a line are forgotten."""
    left = dict(waiting)
    for line in lines:
        decision_id = left.pop((line.product_id, line.warehouse_id), None)
        if decision_id is not None:
            session.get_one(Decision, decision_id).order_line_id = line.id
    session.flush()
    session.execute(delete(Decision).where(Decision.id.in_(left.values())))
    follow(session, [line.id for line in lines])


def follow(session: Session, order_line_ids: Sequence[int] | None = None) -> int:
    """Let open decisions say what their lines ask for by now (None: all of them).

    A draft may be changed until it is sent, and what was taken is edited then, or the other way round. One
    that was sent later than it was written counts from that day on. Those of drafts that were cancelled are
    forgotten. Answers how many changed.
    """
    some = True if order_line_ids is None else Decision.order_line_id.in_(list(order_line_ids))
    is_line = (Decision.order_line_id == PurchaseOrderLine.id) & Decision.closed_on.is_(None) & some
    of_order = PurchaseOrderLine.order_id == PurchaseOrder.id
    never_sent = (PurchaseOrder.state == "cancelled") & PurchaseOrder.sent_on.is_(None)
    gone = session.execute(
        delete(Decision)
        .where(is_line, of_order, never_sent)
        .execution_options(synchronize_session=False)
    ).rowcount  # fmt: skip
    changed = session.scalars(
        update(Decision)
        .where(is_line, Decision.chosen != PurchaseOrderLine.quantity)
        .values(chosen=PurchaseOrderLine.quantity)
        .returning(Decision.id)
        .execution_options(synchronize_session=False)
    ).all()
    later = PurchaseOrder.sent_on - Decision.decided_on
    session.execute(
        update(Decision)
        .where(is_line, of_order, PurchaseOrder.sent_on > Decision.decided_on)
        .values(
            decided_on=PurchaseOrder.sent_on,
            covers_from=Decision.covers_from + later,
            covers_until=Decision.covers_until + later,
        )
        .execution_options(synchronize_session=False)
    )
    for kept in session.scalars(
        select(Decision)
        .where(Decision.id.in_(changed), Decision.kind.in_(("taken", "edited")))
        .execution_options(populate_existing=True)
    ):
        same_vendor = kept.advised_vendor_id in (kept.chosen_vendor_id, None)
        is_taken = kept.chosen == kept.advised and same_vendor
        kept.kind = "taken" if is_taken else "edited"
    session.flush()
    return gone + len(changed)


# -- What is written -----------------------------------------------------------------------------------------


def _end_ignored(session: Session, decision: Decision) -> None:
    """The period that was ignored ends before the order that comes after all; one that had not begun never
    was."""
    ignored = (
        (Decision.product_id == decision.product_id)
        & (Decision.warehouse_id == decision.warehouse_id)
        & (Decision.kind == "ignored")
        & Decision.closed_on.is_(None)
        & (Decision.covers_until >= decision.covers_from)
    )
    session.execute(delete(Decision).where(ignored, Decision.covers_from >= decision.covers_from))
    last = decision.covers_from - timedelta(days=1)
    session.execute(update(Decision).where(ignored).values(covers_until=last))


def _kind(advice: Advice | None, quantity: Decimal, vendor_id: int) -> str:
    advised = _advised(advice)
    if not advised:
        return "own"
    return "taken" if quantity == advised and advice.vendor_id in (vendor_id, None) else "edited"


def _advised(advice: Advice | None) -> Decimal:
    """What the advice asks to order: now, or (ahead of its day) then."""
    if advice is None or advice.action == "transfer":
        return Decimal(0)
    return advice.quantity if advice.action == "order" else advice.next_quantity


def row_of(advice: Advice | None, decided_on: date) -> dict[str, Any]:
    """What every decision has, from the advice it answers. The period and its forecast come later."""
    row = {"decided_on": decided_on, "decided_by": None, "order_line_id": None, "chosen_vendor_id": None}
    row |= {"advised": Decimal(0), "advised_vendor_id": None, "forecast": {"has_advice": False}}
    if advice is None:
        return row
    if advised := _advised(advice):
        row |= {"advised": advised, "advised_vendor_id": advice.vendor_id}
    row["forecast"] = {
        "has_advice": True,
        "rate": _plain(advice.daily_rate),
        "chance": advice.chance,
        "on_hand": posting.plain(advice.on_hand),
        "due": posting.plain(advice.due),
        "order_by_on": advice.order_by_on and advice.order_by_on.isoformat(),
        "arrives_on": advice.arrives_on and advice.arrives_on.isoformat(),
        "unit_cost": _plain(advice.unit_cost),
    }
    return row | {"product_id": advice.product_id, "warehouse_id": advice.warehouse_id}


def of_line(line: PurchaseOrderLine, order: PurchaseOrder) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "warehouse_id": line.warehouse_id,
        "order_line_id": line.id,
        "unit_cost": (line.unit_price * order.exchange_rate).quantize(posting.QUANTITY_STEP),
        "covers_from": line.expected_on or order.expected_on,
    }


def keep(session: Session, rows: Sequence[dict[str, Any]], today: date) -> list[Decision]:
    """Keep the rows, each with its cover period and the demand that was expected of it.

    An order of which nobody knows when it arrives takes the product's usual lead time.
    """
    review_days = buying_settings.get(session).review_days
    sources = {row["chosen_vendor_id"] or row["advised_vendor_id"] for row in rows} - {None}
    terms = vendor_terms.of(session, sources, today)
    kept = []
    for start in range(0, len(rows), CHUNK_PRODUCTS):
        chunk = rows[start : start + CHUNK_PRODUCTS]
        expected = decision_periods.Expected(session, {row["product_id"] for row in chunk}, today)
        for row in chunk:
            usual = row["decided_on"] + timedelta(days=expected.lead_time_days(row["product_id"]))
            row["covers_from"] = max(row["covers_from"] or usual, row["decided_on"])
            vendor = terms.get(row["chosen_vendor_id"] or row["advised_vendor_id"])
            days = decision_periods.cover_days(vendor, row["decided_on"], review_days)
            row["covers_until"] = row["covers_from"] + timedelta(days=days - 1)
            row["forecast"] = expected.of(row) | row["forecast"]
            kept.append(Decision(**row))
    session.add_all(kept)
    session.flush()
    return kept


def _orders(session: Session, lines: Sequence[PurchaseOrderLine]) -> dict[int, PurchaseOrder]:
    ids = {line.order_id for line in lines}
    return {one.id: one for one in session.scalars(select(PurchaseOrder).where(PurchaseOrder.id.in_(ids)))}


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else posting.plain(number)
