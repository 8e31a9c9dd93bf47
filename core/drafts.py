"""From advice to draft orders: one for each vendor, never sent from here."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.auth import Actor


@dataclass(frozen=True)
class Drafted:
    """A draft order that was made (or had been made by the same press before)."""

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
    """Draft one order for each vendor from the lines named, or from all lines of the vendors named.

    Takes each line as it would be ordered (`advice_lines.lines`), notes the decision, and forgets the edit.
    Nothing is sent. The same `key` again changes nothing and answers the same drafts; two people at once wait
    for each other, and a line that is in an open draft is not drafted twice. Refuses when nothing is left.
    """
    raise NotImplementedError


def move(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    key: str,
    advice_uids: Sequence[uuid.UUID | str],
) -> int:
    """Book the transfers that these lines advise, all or none, and answer how many lines moved.

    Needs the right to move stock. Refuses a line that is no transfer, or whose stock moved since. The same
    key again books nothing.
    """
    raise NotImplementedError
