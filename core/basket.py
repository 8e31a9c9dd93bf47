"""What else to order of a vendor now, because it is needed next and reaches a limit that pays."""

import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Extra:
    """A line to add: how much of what, needed when anyway, and what it costs. `advice_uid` is the line's.

    `quantity` is the whole quantity of the line afterwards (what it was plus what is added)."""

    advice_uid: uuid.UUID
    sku: str
    name: str
    added: Decimal
    quantity: Decimal
    value: Decimal
    needed_on: date | None
    covers_days: int | None


@dataclass(frozen=True)
class Filling:
    """What a basket filler suggests for one vendor. Money is in the shop's currency.

    `value` is the order as it stands, `filled_value` with the extras; `saves` is freight or price not paid,
    `holding` what lying longer costs, `gain` what is left of it. Empty `extras` with a `sentence` that says
    why nothing is to be added.
    """

    vendor_uid: uuid.UUID
    vendor: str
    target: str | None
    target_value: Decimal | None
    value: Decimal
    filled_value: Decimal
    extras: tuple[Extra, ...]
    saves: Decimal
    holding: Decimal
    gain: Decimal
    sentence: str


def suggest(session: Session, vendor_uid: uuid.UUID | str, today: date, *, horizon_days: int = 0) -> Filling:
    """What to add to the vendor's lines of the horizon so that its minimum or free freight is reached.

    Looks only: the lines are taken over by `advice_choices.edit` (see `take`).
    """
    raise NotImplementedError
