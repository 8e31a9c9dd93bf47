"""Days on which a vendor neither takes orders nor sends anything."""

import uuid
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, auth, product_fields, uids
from core.auth import Actor
from core.buying import vendor_fields, vendors
from core.errors import BadInput, RuleBroken
from db.models import Vendor, VendorShutdown

MOST_AHEAD = 100  # of one vendor, that are not over yet
MOST_DAYS = 366
FURTHEST = timedelta(days=3 * 366)


def ahead(session: Session, vendor_ids: Collection[int], today: date) -> list[VendorShutdown]:
    """When these vendors are closed, as far as it is not over, the next first."""
    question = select(VendorShutdown).where(
        VendorShutdown.vendor_id.in_(vendor_ids), VendorShutdown.ends_on >= today
    )
    return list(session.scalars(question.order_by(VendorShutdown.starts_on, VendorShutdown.id)))


def add(
    session: Session,
    actor: Actor,
    vendor_id: int,
    *,
    starts_on: date,
    ends_on: date,
    note: str | None = None,
    today: date,
) -> VendorShutdown:
    """Note down days on which the vendor neither takes orders nor sends anything, both ends included.

    The same days again are the same shutdown. Refuses days that are over, turned round or too far away.
    """
    auth.must(actor, "buy")
    words = product_fields.words("Note", vendor_fields.NOTE_CHARACTERS)(note)
    _check_days(starts_on, ends_on, today)
    vendor = vendors.locked(session, vendor_id)
    known = ahead(session, [vendor.id], today)
    for row in known:
        if (row.starts_on, row.ends_on, row.note) == (starts_on, ends_on, words):
            return row
    if len(known) >= MOST_AHEAD:
        raise RuleBroken(f"{vendor.name} has {MOST_AHEAD} shutdowns ahead: remove one first.")
    row = VendorShutdown(vendor_id=vendor.id, starts_on=starts_on, ends_on=ends_on, note=words)
    session.add(row)
    session.flush()
    session.refresh(row, ["uid"])
    audit.note(session, actor.id, "added shutdown", "vendor", vendor.uid, after=_said(row))
    return row


def remove(session: Session, actor: Actor, shutdown_uid: uuid.UUID | str) -> None:
    """The vendor is open on these days after all."""
    auth.must(actor, "buy")
    row = uids.locked(session, VendorShutdown, shutdown_uid, "a shutdown", "There is no such shutdown.")
    vendor = session.get_one(Vendor, row.vendor_id)
    session.delete(row)
    session.flush()
    audit.note(session, actor.id, "removed shutdown", "vendor", vendor.uid, before=_said(row))


def _check_days(starts_on: date, ends_on: date, today: date) -> None:
    if ends_on < starts_on:
        raise BadInput(f"Closed until: {ends_on} lies before the first day, {starts_on}.")
    if ends_on < today:
        raise BadInput(f"Closed until: {ends_on} is over already.")
    if (ends_on - starts_on).days >= MOST_DAYS:
        raise BadInput("Closed until: more than a year; deactivate a vendor that is closed for so long.")
    if ends_on > today + FURTHEST:
        raise BadInput(f"Closed until: {ends_on} lies more than three years ahead.")


def _said(row: VendorShutdown) -> dict[str, Any]:
    return {"from": row.starts_on.isoformat(), "until": row.ends_on.isoformat(), "note": row.note}
