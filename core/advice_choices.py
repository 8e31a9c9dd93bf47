"""What buyers make of the advice before they order: another quantity or vendor, or not now."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.auth import Actor

SNOOZE_POINTS = 0.15
"""A line snoozed until the risk rises comes back when its chance to run out is 15 points higher."""
MOST_SNOOZE_DAYS = 365


def edit(
    session: Session,
    actor: Actor,
    advice_uid: uuid.UUID | str,
    now: datetime,
    *,
    quantity: Decimal | int | str | None = None,
    vendor_uid: uuid.UUID | str | None = None,
) -> None:
    """Order another quantity (0: nothing), or of another vendor, than computed. What is not given stays.

    It survives new advice, which shows what it computes beside it, until it is ordered or reset. Refuses a
    vendor who does not offer the product, and a quantity that the vendor does not deliver.
    """
    raise NotImplementedError


def reset(session: Session, actor: Actor, advice_uid: uuid.UUID | str, now: datetime) -> None:
    """Take what is computed after all; a snooze stays."""
    raise NotImplementedError


def snooze(
    session: Session,
    actor: Actor,
    advice_uid: uuid.UUID | str,
    now: datetime,
    *,
    until: date | None = None,
) -> None:
    """Leave the line out until a day, or, without one, until its chance to run out rose by 15 points.

    Either way it comes back when the chance rose. Refuses a day that is not ahead, or over a year away.
    """
    raise NotImplementedError


def wake(session: Session, actor: Actor, advice_uid: uuid.UUID | str, now: datetime) -> None:
    """End a snooze."""
    raise NotImplementedError
