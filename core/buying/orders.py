"""Purchase orders: drafted, sent, changed, given up and cancelled. Nothing is sent by itself.

What is open of an order that was sent is stock on its way (`order_state.py`), so every forecast counts it.
Lines are changed in `order_lines.py`, received in `order_receipts.py`, looked at in `order_looks.py`.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core import auth, inputs, predictions, shop
from core.auth import Actor
from core.buying import advice_choices, order_facts, order_lines, order_mail, order_state
from core.errors import BadInput, NotFound, RuleBroken
from core.posting import plain
from db.models import OrderYear, Product, PurchaseOrder, PurchaseOrderLine, Vendor

NOTE_CHARACTERS = 2_000
REFERENCE_CHARACTERS = 100
FIELDS = {"expected_on", "freight", "vendor_reference", "note"}


def draft(
    session: Session,
    actor: Actor,
    vendor_id: int,
    lines: Sequence[Mapping[str, Any]],
    today: date,
    *,
    note: str | None = None,
) -> PurchaseOrder:
    """Make a draft with the next number of the year; see `order_lines.add` for the fields of a line.

    A draft may be empty, and its lines for several warehouses. Whoever else makes one waits until this
    transaction ends, so one that is rolled back leaves no gap. A draft counts in no forecast.
    """
    auth.must(actor, "buy")
    said = inputs.text(note or "", "Note", NOTE_CHARACTERS) or None
    vendor = session.get(Vendor, inputs.small_id(vendor_id, "vendor"))
    if vendor is None:
        raise NotFound(f"There is no vendor {vendor_id}.")
    if not vendor.is_active:
        raise RuleBroken(f"{vendor.name} is deactivated: reactivate the vendor, or order elsewhere.")
    order = PurchaseOrder(
        number=_next_number(session, today.year), vendor_id=vendor.id, state="draft",
        currency=vendor.currency, exchange_rate=vendor.exchange_rate, note=said, created_by=actor.id,
    )  # fmt: skip
    session.add(order)
    session.flush()
    session.refresh(order)
    added = order_lines.put(session, order, lines, today)
    order_state.note(
        session, actor, "created", order,
        after={"number": order.number, "vendor": vendor.name, "lines": len(added), "note": said},
    )  # fmt: skip
    return order


def _next_number(session: Session, year: int) -> str:
    """The row of the year is locked until the transaction ends: no number is missing or given twice."""
    first = upsert(OrderYear).values(year=year, last_number=1)
    taken = first.on_conflict_do_update(
        index_elements=["year"], set_={"last_number": OrderYear.last_number + 1}
    )
    return f"PO-{year}-{session.scalars(taken.returning(OrderYear.last_number)).one():04}"


def change(
    session: Session, actor: Actor, order_uid: uuid.UUID | str, now: datetime, **fields: Any
) -> PurchaseOrder:
    """Change expected_on, freight, vendor_reference or note; only the given fields, None clears one.

    Once the order was sent, another day counts for all its open lines (the vendor announced a delay), and the
    freight stands. Refuses any change of an order that was received or cancelled, but for note and reference.
    """
    auth.must(actor, "buy")
    today = shop.today(shop.get(session), now)
    values = _values(fields, today)
    order = order_state.locked(session, order_uid)
    changed = {name: value for name, value in values.items() if getattr(order, name) != value}
    if not changed:
        return order
    if "freight" in changed:
        order_state.must_be(order, "draft", what="its freight stands.")
    if "expected_on" in changed:
        order_state.must_be(order, "draft", *order_state.AWAITED, what="nothing of it is on its way.")
        if changed["expected_on"] is None and order.state != "draft":
            raise BadInput("Expected on: enter the day; what was ordered is counted from it.")
    before = {name: getattr(order, name) for name in changed}
    for name, value in changed.items():
        setattr(order, name, value)
    if "expected_on" in changed and order.state in order_state.AWAITED:
        for line in order_state.lines(session, order):
            if order_state.open_of(line) > 0:
                line.expected_on = order.expected_on
        predictions.refresh(session, order_state.follow(session, order, actor, today, now), today)
    session.flush()
    order_state.note(session, actor, "changed", order, _said(before), _said(changed))
    return order


def send(
    session: Session,
    actor: Actor,
    order_uid: uuid.UUID | str,
    now: datetime,
    *,
    mailed_to: str | None = None,
) -> PurchaseOrder:
    """Mark a draft as sent: from now on it is on its way, and the run-outs of its products count it.

    Lines without a day of their own get the order's, else the one that follows from the lead time: what the
    vendor quotes is promised, what it was measured at is expected where that is later. Freight
    and days stand as they are at this moment. `mailed_to` notes where somebody mailed it by hand;
    `order_mail.send_mail` mails one that was sent.

    Refuses the second click, an order without lines, and a vendor, product or warehouse that is not in use
    any more, by name.
    """
    auth.must(actor, "buy")
    order = order_state.locked(session, order_uid)
    order_state.must_be(order, "draft", what="it is sent once.")
    ordered = order_state.lines(session, order)
    if not ordered:
        raise RuleBroken(f"{order.number} has no lines: add what is to be ordered first.")
    order_state.refuse_closed(session, order, ordered)
    today = shop.today(shop.get(session), now)
    promised = order_facts.expected_days(session, order, ordered, today)
    days = order_facts.likely_days(session, order, ordered, promised, today)
    for line in ordered:
        line.expected_on, line.promised_on = days[line.id], promised[line.id]
    order.expected_on = max(days.values())
    order.freight = order_facts.freight(session, order, ordered)
    order.state, order.sent_by, order.sent_at, order.sent_on = "sent", actor.id, now, today
    order.mailed_to = order_mail.address(mailed_to) if mailed_to else None
    # What was chosen about advice on these is ordered now, also where the order was written by hand.
    advice_choices.forget(session, [(line.product_id, line.warehouse_id) for line in ordered])
    products = order_state.follow(session, order, actor, today, now)
    after = {
        "expected_on": order.expected_on.isoformat(),
        "lines": len(ordered),
        "mailed_to": order.mailed_to,
    }
    order_state.note(session, actor, "sent", order, after=after)
    predictions.refresh(session, products, today)
    return order


def unsend(session: Session, actor: Actor, order_uid: uuid.UUID | str, now: datetime) -> PurchaseOrder:
    """Take back the click on Send: a draft again, and nothing on its way.

    Refuses once something of it was received or given up, or Runout mailed it: the vendor has it, cancel it.
    """
    auth.must(actor, "buy")
    order = order_state.locked(session, order_uid)
    order_state.must_be(order, "sent", what="only one that was just sent becomes a draft again.")
    if order.mailed_at or order.mailing_at:
        raise RuleBroken(f"{order.number} was mailed to the vendor: cancel it, and tell them.")
    ordered = order_state.lines(session, order)
    if any(line.given_up for line in ordered):
        raise RuleBroken(f"Some of {order.number} was given up: cancel it instead.")
    _forget_computed(session, order, ordered)
    order.state, order.mailed_to = "draft", None
    order.sent_by = order.sent_at = order.sent_on = None
    _settle(session, actor, "took back sending", order, now)
    return order


def _forget_computed(session: Session, order: PurchaseOrder, ordered: Sequence[PurchaseOrderLine]) -> None:
    """Take away days and freight that only stood there because the order was sent: they are worked out anew
    with the next sending. What differs from that was entered, and stays."""
    kept = {line.id: line.expected_on for line in ordered}
    carriage, order.freight, order.expected_on = order.freight, None, None
    for line in ordered:
        line.expected_on = line.promised_on = None
    promised = order_facts.expected_days(session, order, ordered, order.sent_on)
    days = order_facts.likely_days(session, order, ordered, promised, order.sent_on)
    for line in ordered:
        if kept[line.id] != days[line.id]:
            line.expected_on = kept[line.id]
    if carriage != order_facts.freight(session, order, ordered):
        order.freight = carriage


def cancel(
    session: Session, actor: Actor, order_uid: uuid.UUID | str, now: datetime, *, because: str | None = None
) -> PurchaseOrder:
    """It is not wanted, or does not come, after all. Of one received in part the rest is given up."""
    auth.must(actor, "buy")
    why = inputs.text(because or "", "Reason", NOTE_CHARACTERS) or None
    order = order_state.locked(session, order_uid)
    if order.state == "partly_received":
        return give_up(session, actor, order.uid, now, because=because)
    order_state.must_be(order, "draft", "sent", what="there is nothing to cancel.")
    before = {"state": order.state}
    order.state, order.cancelled_by, order.cancelled_at = "cancelled", actor.id, now
    order.cancelled_because = why
    _settle(session, actor, "cancelled", order, now, before, {"because": why})
    return order


def give_up(
    session: Session,
    actor: Actor,
    order_uid: uuid.UUID | str,
    now: datetime,
    *,
    lines: Sequence[uuid.UUID | str] | None = None,
    because: str | None = None,
) -> PurchaseOrder:
    """What is open of these lines (of all without any named) will not come; what arrived stays as it is.

    When nothing is open any more the order is received, or cancelled when nothing of it ever arrived.
    """
    auth.must(actor, "buy")
    why = inputs.text(because or "", "Reason", NOTE_CHARACTERS) or None
    order = order_state.locked(session, order_uid)
    order_state.must_be(order, *order_state.AWAITED, what="nothing of it is on its way.")
    given_up = {}
    for line in _chosen(session, order, lines):
        rest = order_state.open_of(line)
        if rest > 0:
            line.given_up += rest
            given_up[_name(session, line)] = plain(rest)
    if not given_up:
        raise RuleBroken(f"Nothing of that is on its way any more: {order.number} stays as it is.")
    _settle(session, actor, "gave up", order, now, None, {"rest": given_up, "because": why})
    if order.state == "cancelled":
        order.cancelled_because = why
        session.flush()
    return order


def reopen(
    session: Session,
    actor: Actor,
    order_uid: uuid.UUID | str,
    now: datetime,
    *,
    lines: Sequence[uuid.UUID | str] | None = None,
) -> PurchaseOrder:
    """It comes after all: take back a cancellation, or what was given up of these lines (of all of them)."""
    auth.must(actor, "buy")
    order = order_state.locked(session, order_uid)
    chosen = [line for line in _chosen(session, order, lines) if line.given_up > 0]
    if order.state != "cancelled" and not chosen:
        raise RuleBroken(f"Nothing of {order.number} was cancelled or given up.")
    before = {"state": order.state}
    for line in chosen:
        line.given_up = order_state.NOTHING
    if order.state == "cancelled":
        order.state = "draft" if order.sent_on is None else "sent"
        order.cancelled_by = order.cancelled_at = order.cancelled_because = None
    if order.sent_on is not None:
        open_ones = [line for line in order_state.lines(session, order) if order_state.open_of(line) > 0]
        order_state.refuse_closed_places(session, open_ones)
    _settle(session, actor, "reopened", order, now, before, {"state": order.state})
    return order


# -- What they share -----------------------------------------------------------------------------------------


def _settle(
    session: Session,
    actor: Actor,
    action: str,
    order: PurchaseOrder,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """State, stock on its way, audit and run-outs, after a verb changed an order or its lines."""
    today = shop.today(shop.get(session), now)
    session.flush()
    products = order_state.follow(session, order, actor, today, now)
    order_state.note(session, actor, action, order, before, after)
    predictions.refresh(session, products, today)


def _chosen(
    session: Session, order: PurchaseOrder, uids: Sequence[uuid.UUID | str] | None
) -> list[PurchaseOrderLine]:
    """These lines of an order, or all of them. Refuses one of another order."""
    ordered = order_state.lines(session, order)
    if uids is None:
        return ordered
    wanted = {inputs.uid(uid, "a line of an order") for uid in uids}
    if wanted - {line.uid for line in ordered}:
        raise NotFound(f"{order.number} has no such line.")
    return [line for line in ordered if line.uid in wanted]


def _name(session: Session, line: PurchaseOrderLine) -> str:
    return session.scalars(select(Product.sku).where(Product.id == line.product_id)).one()


def _values(fields: dict[str, Any], today: date) -> dict[str, Any]:
    """The fields as they are kept. An unknown one is a TypeError."""
    unknown = fields.keys() - FIELDS
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    values = dict(fields)
    for name, what, most in (
        ("note", "Note", NOTE_CHARACTERS),
        ("vendor_reference", "Vendor's reference", REFERENCE_CHARACTERS),
    ):
        if name in fields:
            values[name] = inputs.text(fields[name] or "", what, most) or None
    if fields.get("freight") is not None:
        values["freight"] = order_lines.money(fields["freight"], "Freight")
    if fields.get("expected_on") is not None:
        order_lines.check_day(fields["expected_on"], today)
    return values


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else str(value) for name, value in values.items()}
