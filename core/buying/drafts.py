"""From advice to draft orders, one for each vendor and never sent from here, and to booked transfers."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import audit, auth, inputs, job_runs, posting, shop
from core.auth import Actor
from core.buying import (
    advice_choices,
    advice_lines,
    buying_settings,
    decisions,
    order_lines,
    order_state,
    orders,
)
from core.buying.advice_lines import Line
from core.buying.decisions import Made
from core.errors import BadInput, RuleBroken
from db.models import Advice, AuditLine, PurchaseOrder, PurchaseOrderLine, Vendor, Warehouse

KEY_CHARACTERS = 200
CENT = Decimal("0.01")
SUBJECT, DRAFTED = "draft orders", "drafted"
MOST_MOVES = 500  # in one posting
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('drafts', 0))")
LEFT_OUT = {
    "in draft": "it is on {order} already",
    "ordered": "it was ordered with {order} since",
    "snoozed": "it is snoozed",
}


@dataclass(frozen=True)
class Drafted:
    """A draft order that was made, or had been by the same press. `value` is what its lines cost, in the
    vendor's `currency`."""

    order_uid: uuid.UUID
    number: str
    vendor: str
    lines: int
    value: Decimal
    currency: str


@dataclass(frozen=True)
class Outcome:
    """What came of it. `left_out`: [(sku, why)] of lines that were asked for and not drafted: in a draft or
    ordered already, nothing to order, no vendor, snoozed."""

    drafts: tuple[Drafted, ...]
    left_out: tuple[tuple[str, str], ...]
    replayed: bool


def create(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    key: str,
    advice_uids: Sequence[uuid.UUID | str] | None = None,
    vendor_uids: Sequence[uuid.UUID | str] | None = None,
    horizon_days: int = 0,
) -> Outcome:
    """Draft one order for each vendor from the lines named, or from all lines of the vendors named; more than
    one where an order cannot hold all of them.

    Takes each line as it would be ordered (`advice_lines.lines`), notes the decision, and forgets what was
    chosen. Nothing is sent. The same `key` again changes nothing and answers the same drafts; two people at
    once wait for each other, and a line that is in an open draft is not drafted twice. Refuses when nothing
    is left to draft.
    """
    auth.must(actor, "buy")
    _check_key(key)
    session.execute(_ONE_AT_A_TIME)
    earlier = _drafted_before(session, actor, key)
    if earlier is not None:
        return earlier
    today = shop.today(shop.get(session), now)
    asked = _asked(session, today, advice_uids, vendor_uids, horizon_days)
    wanted, left_out = _sorted_out(asked)
    if not wanted:
        why = f" {left_out[0][0]}: {left_out[0][1]}." if left_out else ""
        raise RuleBroken(f"Nothing is left to draft.{why}")
    made = [_draft(session, actor, lines, today) for lines in _orders(wanted)]
    advice_choices.forget(session, [(line.product_id, line.warehouse_id) for line in wanted])
    drafts = tuple(_said(session, order) for order in made)
    audit.note(
        session, actor.id, DRAFTED, SUBJECT, key,
        after={"orders": [str(order.uid) for order in made], "left_out": [list(one) for one in left_out]},
    )  # fmt: skip
    session.flush()
    return Outcome(drafts, tuple(left_out), replayed=False)


def move(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    key: str,
    advice_uids: Sequence[uuid.UUID | str],
) -> int:
    """Book the transfers that these lines advise, all or none, and answer how many lines moved.

    Needs the right to move stock. Refuses a line that is no transfer, or whose stock moved since it was
    advised. The same key again books nothing.
    """
    auth.must(actor, "move stock")
    _check_key(key)
    if not 1 <= len(advice_uids) <= MOST_MOVES:
        raise BadInput(f"{len(advice_uids)} lines: 1 to {MOST_MOVES} are moved at once.")
    session.execute(_ONE_AT_A_TIME)
    if posting.is_known(session, actor, key):
        return 0
    today = shop.today(shop.get(session), now)
    places = [advice_lines.place_of(session, uid) for uid in dict.fromkeys(advice_uids)]
    found = [line for line in advice_lines.of_places(session, today, places) if line.quantity > 0]
    if not found:
        raise RuleBroken("Nothing is left to move: newer advice was made meanwhile.")
    moves = []
    for line in found:
        if line.action != "transfer":
            raise RuleBroken(f"{line.sku} for {line.warehouse} is to be ordered, not moved.")
        if line.has_moved:
            raise RuleBroken(f"The stock of {line.sku} in {line.warehouse} moved since this was advised.")
        moves += _legs(session, line, len(moves))
    posting.post(session, actor, "transfer", moves, key)
    advice_choices.forget(session, places)
    job_runs.enqueue(session, buying_settings.JOB, now)
    return len(found)


# -- What is asked for ---------------------------------------------------------------------------------------


def _asked(
    session: Session,
    today: date,
    advice_uids: Sequence[uuid.UUID | str] | None,
    vendor_uids: Sequence[uuid.UUID | str] | None,
    horizon_days: int,
) -> list[Line]:
    if (advice_uids is None) == (vendor_uids is None):
        raise TypeError("lines or vendors")
    if advice_uids is not None:
        places = [advice_lines.place_of(session, uid) for uid in dict.fromkeys(advice_uids)]
        return advice_lines.of_places(session, today, list(dict.fromkeys(places)))
    return [
        line
        for uid in dict.fromkeys(vendor_uids or ())
        for line in advice_lines.lines(
            session, today, vendor_uid=uid, horizon_days=horizon_days, action="order",
            include_snoozed=True, limit=None,
        ).rows
    ]  # fmt: skip


def _sorted_out(asked: Sequence[Line]) -> tuple[list[Line], list[tuple[str, str]]]:
    wanted, left_out = [], []
    for line in asked:
        why = None
        if line.state in LEFT_OUT:
            why = LEFT_OUT[line.state].format(order=line.order_number)
        elif line.action == "transfer":
            why = f"it comes from {line.from_warehouse}"
        elif line.quantity <= 0:
            why = "nothing is to be ordered"
        elif line.vendor_uid is None:
            why = "nobody offers it: add an offer"
        if why is None:
            wanted.append(line)
        else:
            left_out.append((line.sku, why))
    return wanted, left_out


def _orders(wanted: Sequence[Line]) -> list[list[Line]]:
    """The lines of each order: those of one vendor, as many as an order holds."""
    by_vendor: dict[uuid.UUID, list[Line]] = {}
    for line in sorted(wanted, key=lambda one: (one.vendor or "", one.sku, one.warehouse)):
        by_vendor.setdefault(line.vendor_uid, []).append(line)
    most = order_lines.MOST_LINES
    return [
        lines[start : start + most] for lines in by_vendor.values() for start in range(0, len(lines), most)
    ]


# -- What is written -----------------------------------------------------------------------------------------


def _draft(session: Session, actor: Actor, lines: Sequence[Line], today: date) -> PurchaseOrder:
    """One vendor's draft, with the decisions that are in it."""
    vendor_id = session.scalar(select(Vendor.id).where(Vendor.uid == lines[0].vendor_uid))
    order = orders.draft(
        session,
        actor,
        vendor_id,
        [
            {"product_id": line.product_id, "warehouse_id": line.warehouse_id, "quantity": line.quantity}
            for line in lines
        ],
        today,
    )
    written = {(line.product_id, line.warehouse_id): line for line in order_state.lines(session, order)}
    advice = {
        row.uid: row
        for row in session.scalars(select(Advice).where(Advice.uid.in_([line.uid for line in lines])))
    }
    made = [
        Made(advice[line.uid], written[line.product_id, line.warehouse_id], line.quantity, vendor_id)
        for line in lines
    ]
    decisions.note_all(session, actor, made, today)
    return order


def _legs(session: Session, line: Line, place: int) -> list[dict]:
    """Both movements of a transfer; each names the other by its place among all."""
    origin = session.scalar(select(Warehouse.id).where(Warehouse.code == line.from_warehouse))
    about = {"reference_type": "advice", "reference_id": str(line.uid)}
    legs = [(origin, -line.quantity, place + 1), (line.warehouse_id, line.quantity, place)]
    return [
        posting.line(line.product_id, warehouse_id, "transfer", "transfer", change, about)
        | {"counterpart_line": other}
        for warehouse_id, change, other in legs
    ]


def _said(session: Session, order: PurchaseOrder) -> Drafted:
    count, value = session.execute(
        select(func.count(), func.sum(PurchaseOrderLine.quantity * PurchaseOrderLine.unit_price)).where(
            PurchaseOrderLine.order_id == order.id
        )
    ).one()
    name = session.scalar(select(Vendor.name).where(Vendor.id == order.vendor_id))
    return Drafted(order.uid, order.number, name, count, (value or Decimal(0)).quantize(CENT), order.currency)


def _drafted_before(session: Session, actor: Actor, key: str) -> Outcome | None:
    """What the same press made before."""
    kept = session.scalar(
        select(AuditLine.after)
        .where(
            AuditLine.subject_type == SUBJECT,
            AuditLine.subject_id == key,
            AuditLine.actor_id == actor.id,
            AuditLine.action == DRAFTED,
        )
        .limit(1)
    )
    if kept is None:
        return None
    uids = [uuid.UUID(one) for one in kept["orders"]]
    found = session.scalars(
        select(PurchaseOrder).where(PurchaseOrder.uid.in_(uids)).order_by(PurchaseOrder.id)
    )
    left_out = tuple((sku, why) for sku, why in kept["left_out"])
    return Outcome(tuple(_said(session, order) for order in found), left_out, replayed=True)


def _check_key(key: str) -> None:
    if not (1 <= len(key) <= KEY_CHARACTERS and inputs.can_be_kept(key)):
        raise BadInput(f"An idempotency key has 1 to {KEY_CHARACTERS} characters, without NUL.")
