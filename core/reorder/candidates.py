"""What is compared when vendors are: who could deliver, what is needed, and what came of comparing them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from core.reorder.calendars import Arrival
from core.reorder.outlook import Outlook
from core.reorder.quantities import Choice, Holding, Terms

ZERO = Decimal(0)


class Record(Protocol):
    """How a vendor delivered so far."""

    deliveries: int
    median_days: float | None
    p90_days: float | None
    on_time_share: float | None


@dataclass(frozen=True)
class Candidate:
    """A vendor and what it asks for the product, money in the shop's currency (`in_shop_money`).

    `other_value`: what else goes to this vendor in the same order. `record`: None where nothing was measured.
    `cover_days`: how long after this order the next one arrives; None: as long as the need says.
    """

    vendor_id: int
    name: str
    terms: Terms
    arrival: Arrival
    quoted_days: int
    record: Record | None = None
    offer_id: int | None = None
    quoted_on: date | None = None
    valid_until: date | None = None
    order_minimum: Decimal | None = None
    free_freight_from: Decimal | None = None
    freight_cost: Decimal | None = None
    order_cost: Decimal | None = None
    other_value: Decimal = ZERO
    cover_days: int | None = None


@dataclass(frozen=True)
class Need:
    """What is needed, and what it costs not to have it.

    `quantity` pieces, before any vendor's terms. `review_days`: how long after this order the next one is
    sent. `shortage_cost`: what a missing piece costs, None where that is not known (see the function).
    `outlook`: None without a forecast.
    """

    today: date
    quantity: Decimal
    review_days: int
    holding: Holding
    shortage_cost: Decimal | None
    outlook: Outlook | None
    preferred_vendor_id: int | None = None


@dataclass(frozen=True)
class Costed:
    """One vendor's row. None: not known, and then `missing` says what; an unknown sum counts as none in
    `total`. Without a price there is no total.

    `quantity` is what would be ordered there, `excess` what of it is beyond the need. `chance`: to run out
    before it could deliver; `lost`: pieces lost until the order after it could arrive. `more_money` and
    `more_days`: against the best row. `below_minimum`: what the order lacks to the vendor's minimum.
    """

    candidate: Candidate
    choice: Choice
    excess: Decimal
    outlay: Decimal | None
    goods: Decimal | None
    freight: Decimal
    order_cost: Decimal
    holding: Decimal
    chance: float | None
    lost: float | None
    shortage: Decimal | None
    total: Decimal | None
    below_minimum: Decimal
    age_days: int | None
    is_expired: bool
    missing: tuple[str, ...]
    more_money: Decimal | None = None
    more_days: int = 0
    is_recommended: bool = False
    is_best: bool = False
    why: str = ""

    @property
    def vendor_id(self) -> int:
        return self.candidate.vendor_id

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def quantity(self) -> Decimal:
        return self.choice.quantity

    @property
    def unit_price(self) -> Decimal | None:
        return self.choice.unit_price

    @property
    def arrives_on(self) -> date:
        return self.candidate.arrival.on
