"""What buyers make of the advice before they order: another quantity or vendor, or not now."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core import audit, auth, posting, shop
from core.auth import Actor
from core.buying import advice_lines, advice_looks, order_lines, vendors
from core.buying.advice_lines import Line
from core.errors import BadInput, NotFound, RuleBroken
from core.reorder import quantities
from core.reorder.quantities import Terms
from db.models import AdviceChoice, Product

SNOOZE_POINTS = advice_looks.SNOOZE_RISE
"""A snoozed line comes back when its chance to run out is 15 points higher."""
MOST_SNOOZE_DAYS = 365
FIELDS = ("quantity", "vendor_id", "computed", "snoozed_until", "snoozed_chance")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('advice choice ' || :place, 0))")


@dataclass(frozen=True)
class Choice:
    """What was chosen before a change, to take the change back with `restore`. Plain values."""

    quantity: Decimal | None = None
    vendor_id: int | None = None
    computed: Decimal | None = None
    snoozed_until: date | None = None
    snoozed_chance: float | None = None


NONE = Choice()


def edit(
    session: Session,
    actor: Actor,
    advice_uid: uuid.UUID | str,
    now: datetime,
    *,
    quantity: Decimal | int | str | None = None,
    vendor_uid: uuid.UUID | str | None = None,
    is_asked_for: bool = False,
) -> Choice:
    """Order another quantity (0: nothing), or of another vendor, than computed. What is not given stays.

    It survives new advice, which shows what it computes beside it, until it is ordered or reset. What is
    computed anyway is no edit, unless it `is_asked_for`: ordered now although it is needed later. With
    another vendor and no quantity, the quantity is rounded to what that one sells. Answers what was chosen
    before. Refuses a vendor who does not offer the product, a quantity that the vendor does not sell, and a
    line that is in a draft.
    """
    auth.must(actor, "buy")
    line, before = _locked(session, advice_uid, now)
    if line.state in ("in draft", "ordered"):
        raise RuleBroken(f"{line.sku} is on {line.order_number} already: change it there.")
    today = shop.today(shop.get(session), now)
    vendor_id, terms = _vendor(session, line, vendor_uid, today)
    if quantity is None:
        wanted = quantities.orderable(line.quantity, terms)
    else:
        wanted = posting.exact(quantity, "Quantity")
        if line.action == "transfer":
            _check_transfer(line, wanted)
        else:
            _check(wanted, terms)
    after = Choice(wanted, vendor_id, line.computed_quantity, before.snoozed_until, before.snoozed_chance)
    if vendor_id is None and wanted == _computed(line) and not is_asked_for:
        after = _without_edit(before)
    _keep(session, actor, line, before, after, now)
    return before


def reset(session: Session, actor: Actor, advice_uid: uuid.UUID | str, now: datetime) -> Choice:
    """Take what is computed after all; a snooze stays. Answers what was chosen before."""
    auth.must(actor, "buy")
    line, before = _locked(session, advice_uid, now)
    _keep(session, actor, line, before, _without_edit(before), now)
    return before


def can_wait_for_risk(chance: float | None) -> bool:
    """Whether the chance to run out can still rise by 15 points."""
    return chance is not None and chance + SNOOZE_POINTS <= 1


def snooze(
    session: Session,
    actor: Actor,
    advice_uid: uuid.UUID | str,
    now: datetime,
    *,
    until: date | None = None,
) -> Choice:
    """Leave the line out until a day, or, without one, until its chance to run out rose by 15 points.

    Either way it comes back when the chance rose. Answers what was chosen before. Refuses a day that is not
    ahead, or over a year away, and no day where the chance is too high to rise by so much.
    """
    auth.must(actor, "buy")
    line, before = _locked(session, advice_uid, now)
    if until is not None:
        ahead = (until - shop.today(shop.get(session), now)).days
        if not 1 <= ahead <= MOST_SNOOZE_DAYS:
            where = "not ahead" if ahead < 1 else "more than a year ahead"
            raise BadInput(f"Snooze until: {until} is {where}. Enter the day on which it comes back.")
    elif not can_wait_for_risk(line.chance):
        risk = "unknown" if line.chance is None else f"{line.chance:.0%}"
        raise BadInput(
            f"Snooze: the chance of {line.sku} to run out is {risk} and cannot rise by 15 points, so it "
            "would never come back. Choose a day."
        )
    after = Choice(before.quantity, before.vendor_id, before.computed, until, line.chance or 0.0)
    _keep(session, actor, line, before, after, now)
    return before


def wake(session: Session, actor: Actor, advice_uid: uuid.UUID | str, now: datetime) -> Choice:
    """End a snooze. Answers what was chosen before."""
    auth.must(actor, "buy")
    line, before = _locked(session, advice_uid, now)
    _keep(session, actor, line, before, Choice(before.quantity, before.vendor_id, before.computed), now)
    return before


def restore(
    session: Session, actor: Actor, advice_uid: uuid.UUID | str, choice: Choice, now: datetime
) -> Choice:
    """Choose again what was chosen before one of these verbs, which answered it."""
    auth.must(actor, "buy")
    line, before = _locked(session, advice_uid, now)
    _keep(session, actor, line, before, choice, now)
    return before


def forget(session: Session, places: list[tuple[int, int]]) -> None:
    """What was chosen of these products and warehouses was ordered: the next advice begins anew."""
    for product_id, warehouse_id in sorted(places):  # in one order: two who do it wait for each other
        session.execute(delete(AdviceChoice).where(*_is(product_id, warehouse_id)))


# -- What is checked -----------------------------------------------------------------------------------------


def _vendor(
    session: Session, line: Line, vendor_uid: uuid.UUID | str | None, today: date
) -> tuple[int | None, Terms]:
    """The vendor that was chosen (None: the computed one), and the terms that count."""
    if line.action == "transfer":
        if vendor_uid is not None:
            raise RuleBroken(f"{line.sku} comes from {line.from_warehouse}: a transfer has no vendor.")
        return None, Terms()
    uid = vendor_uid if vendor_uid is not None else line.vendor_uid
    if uid is None:
        return None, Terms(decimals=_decimals(line))
    vendor = vendors.by_uid(session, uid)
    quote = order_lines.quotes(session, vendor.id, [line.product_id], today).get(line.product_id)
    if quote is None or not vendor.is_active:
        raise RuleBroken(f"{vendor.name} does not offer {line.sku}: add an offer, or choose another vendor.")
    terms = quantities.terms(quote.minimum, quote.multiple, quote.steps, decimals=_decimals(line))
    return (None if vendor.uid == line.computed_vendor_uid else vendor.id), terms


def _check(wanted: Decimal, terms: Terms) -> None:
    if wanted < 0:
        raise BadInput(f"Quantity: {posting.plain(wanted)} is below zero.")
    fitting = quantities.orderable(wanted, terms)
    if fitting == wanted:
        return
    said, would = posting.plain(wanted), posting.plain(fitting)
    if terms.multiple is not None and wanted % terms.multiple:
        multiple = posting.plain(terms.multiple)
        raise BadInput(f"Quantity: {said} is not a multiple of {multiple}: {would} would be.")
    if wanted < terms.least:
        raise BadInput(f"Quantity: {said} is less than the vendor sells: at least {would}.")
    raise BadInput(f"Quantity: {said} is not sold in such parts: {would} would be.")


def _check_transfer(line: Line, wanted: Decimal) -> None:
    if not 0 <= wanted <= line.computed_quantity:
        most = posting.plain(line.computed_quantity)
        raise BadInput(
            f"Quantity: {posting.plain(wanted)} is not between 0 and {most}, which {line.from_warehouse} "
            "can spare."
        )


def _decimals(line: Line) -> int:
    """Those in which the product is counted, as far as its figures show."""
    numbers = (line.level, line.on_hand, line.computed_quantity, line.next_quantity)
    return max(max(-number.normalize().as_tuple().exponent, 0) for number in numbers)


def _computed(line: Line) -> Decimal:
    return line.computed_quantity if line.computed_quantity > 0 else line.next_quantity


# -- What is kept --------------------------------------------------------------------------------------------


def _locked(session: Session, advice_uid: uuid.UUID | str, now: datetime) -> tuple[Line, Choice]:
    """The line as it is shown now, and what was chosen; who else chooses about it waits."""
    product_id, warehouse_id = advice_lines.place_of(session, advice_uid)
    session.execute(_ONE_AT_A_TIME, {"place": f"{product_id} {warehouse_id}"})
    today = shop.today(shop.get(session), now)
    found = advice_lines.of_places(session, today, [(product_id, warehouse_id)])
    if not found:
        raise NotFound(advice_looks.GONE)
    kept = session.execute(
        select(*(getattr(AdviceChoice, name) for name in FIELDS)).where(*_is(product_id, warehouse_id))
    ).first()
    return found[0], Choice(**kept._mapping) if kept is not None else NONE


def _without_edit(before: Choice) -> Choice:
    return Choice(snoozed_until=before.snoozed_until, snoozed_chance=before.snoozed_chance)


def _keep(session: Session, actor: Actor, line: Line, before: Choice, after: Choice, now: datetime) -> None:
    if after == before:
        return
    if after == NONE:
        session.execute(delete(AdviceChoice).where(*_is(line.product_id, line.warehouse_id)))
    else:
        values = vars(after) | {"chosen_by": actor.id, "chosen_at": now}
        place = {"product_id": line.product_id, "warehouse_id": line.warehouse_id}
        session.execute(
            upsert(AdviceChoice.__table__)
            .values(place | values)
            .on_conflict_do_update(index_elements=list(place), set_=values)
        )
    uid = session.scalar(select(Product.uid).where(Product.id == line.product_id))
    audit.note(
        session, actor.id, "chose about advice", "product", uid, before=said(before), after=said(after)
    )


def said(choice: Choice) -> dict[str, Any]:
    """A choice as the audit keeps it."""
    given = {name: value for name, value in vars(choice).items() if value is not None}
    return {
        name: posting.plain(value) if isinstance(value, Decimal)
        else value.isoformat() if isinstance(value, date) else value
        for name, value in given.items()
    }  # fmt: skip


def _is(product_id: int, warehouse_id: int) -> tuple[Any, Any]:
    return AdviceChoice.product_id == product_id, AdviceChoice.warehouse_id == warehouse_id
