"""Bodies and answers of vendors and of what they ask."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from api import schemas
from api.schemas import Amount, Answer, Body, Day, Flag, Id, Moment, OwnId, Share, example, line, whole
from core import product_fields
from core.buying import offer_fields, vendor_fields
from core.buying.offer_rows import Offer, Steps
from core.buying.vendor_records import Record

CURRENCY_CHARACTERS = 3

Name = line(vendor_fields.NAME_CHARACTERS, 1)
Line = line(vendor_fields.NAME_CHARACTERS)
Email = line(vendor_fields.EMAIL_CHARACTERS)
Phone = line(vendor_fields.PHONE_CHARACTERS)
Address = schemas.text(vendor_fields.ADDRESS_CHARACTERS)
Note = schemas.text(vendor_fields.NOTE_CHARACTERS)
Currency = line(CURRENCY_CHARACTERS, CURRENCY_CHARACTERS)
VendorSku = line(offer_fields.VENDOR_SKU_CHARACTERS)
LeadTime = whole(0, product_fields.MOST_LEAD_TIME_DAYS)
Weekdays = Annotated[list[whole(1, 7)], Field(max_length=len(vendor_fields.WEEKDAYS))]


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    return Decimal(value)


Rate = Annotated[
    Decimal,
    BeforeValidator(_number),
    # Only of answers: of what came in, 1E+999999 would be written out.
    PlainSerializer(lambda value: int(value) if value == int(value) else float(value), when_used="json"),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
"""What one unit of a currency costs in the shop's, with at most 8 decimals."""


# -- Vendors -------------------------------------------------------------------------------------------------


class Shutdown(Answer):
    """Days on which a vendor neither takes orders nor sends anything, both included."""

    starts_on: Day
    ends_on: Day


class Vendor(Answer):
    """A vendor with its terms, in its own `currency`; null where nobody entered it.

    `order_weekdays`: 1 Monday .. 7 Sunday, null for any day. The measured figures are of the newest
    deliveries, counted from sending the order; null where nothing was delivered yet.
    """

    id: OwnId
    name: str
    contact_name: str | None
    contact_email: str | None
    contact_phone: str | None
    address: str | None
    note: str | None
    currency: str
    exchange_rate: Rate
    lead_time_days: int | None
    order_minimum: Amount | None
    free_freight_from: Amount | None
    freight_cost: Amount | None
    order_cost: Amount | None
    order_weekdays: list[int] | None
    shutdowns: list[Shutdown]
    deliveries: int
    median_lead_time_days: Share | None
    p90_lead_time_days: Share | None
    on_time_share: Share | None
    is_active: bool
    created_at: Moment
    updated_at: Moment


class NewVendor(Body):
    """Its currency is the shop's where none is given; another one needs its exchange rate."""

    name: Name
    contact_name: Line | None = None
    contact_email: Email | None = None
    contact_phone: Phone | None = None
    address: Address | None = None
    note: Note | None = None
    currency: Currency | None = None
    exchange_rate: Rate = vendor_fields.OWN_RATE
    lead_time_days: LeadTime | None = None
    order_minimum: Amount | None = None
    free_freight_from: Amount | None = None
    freight_cost: Amount | None = None
    order_cost: Amount | None = None
    order_weekdays: Weekdays | None = None

    model_config = example(
        name="Acme Supplies", contact_email="sales@acme.example", contact_phone="+1-555-0100",
        address="123 Main St, City, State 12345", lead_time_days=7, order_minimum=250, freight_cost=12.5,
    )  # fmt: skip


class VendorChange(Body):
    """Only the given fields change; null clears one that may be empty."""

    name: Name = ""
    contact_name: Line | None = None
    contact_email: Email | None = None
    contact_phone: Phone | None = None
    address: Address | None = None
    note: Note | None = None
    currency: Currency = ""
    exchange_rate: Rate = vendor_fields.OWN_RATE
    lead_time_days: LeadTime | None = None
    order_minimum: Amount | None = None
    free_freight_from: Amount | None = None
    freight_cost: Amount | None = None
    order_cost: Amount | None = None
    order_weekdays: Weekdays | None = None
    is_active: Flag = True

    model_config = example(contact_phone="+1-555-0101", order_minimum=300)


SAID_AS = {"contact_email": "email", "contact_phone": "phone"}
"""The fields that the API calls otherwise than the shop does."""


def fields(wanted: NewVendor | VendorChange) -> dict[str, Any]:
    """The given fields, as the shop calls them."""
    given = wanted.model_dump(exclude_unset=True)
    return {SAID_AS.get(name, name): value for name, value in given.items()}


def vendor(row: Any, record: Record, shutdowns: tuple[tuple[date, date], ...]) -> dict[str, Any]:
    """The answer about a vendor."""
    named = {
        name: getattr(row, SAID_AS.get(name, name)) for name in Vendor.model_fields if name in _OF_THE_ROW
    }
    return named | {
        "uid": row.uid,
        "shutdowns": [{"starts_on": first, "ends_on": last} for first, last in shutdowns],
        "deliveries": record.deliveries,
        "median_lead_time_days": record.median_days,
        "p90_lead_time_days": record.p90_days,
        "on_time_share": record.on_time_share,
    }


_OF_THE_ROW = frozenset([*NewVendor.model_fields, "is_active", "created_at", "updated_at"])


# -- Prices --------------------------------------------------------------------------------------------------


class PriceBreak(Body):
    """The unit price from so many pieces on."""

    minimum_quantity: Amount
    unit_price: Amount


class OfferedStep(Answer):
    """The unit price from so many pieces on, in the vendor's currency."""

    minimum_quantity: Amount
    unit_price: Amount


class Price(Answer):
    """What a vendor asks for a product from `valid_from` on, in the vendor's `currency`.

    `unit_price` is that of the first of the `price_steps`. One past its `valid_until` (`is_expired`) counts
    until a newer one comes.
    """

    id: Id
    vendor_id: Id
    product_id: Id
    sku: str
    vendor_sku: str | None
    currency: str
    unit_price: Amount
    price_steps: list[OfferedStep]
    lead_time_days: int
    minimum_order_quantity: Amount | None
    order_multiple: Amount | None
    valid_from: Day
    valid_until: Day | None
    is_expired: bool
    is_preferred: bool


class _Terms(Body):
    unit_price: Amount | None = None
    price_steps: list[PriceBreak] = Field(default_factory=list, max_length=offer_fields.MOST_STEPS)
    lead_time_days: LeadTime | None = None
    minimum_order_quantity: Amount | None = None
    order_multiple: Amount | None = None
    vendor_sku: VendorSku | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None

    def steps(self) -> list[tuple[Decimal, Decimal]]:
        """The prices as they were given: `unit_price` holds from the first piece on."""
        first = [] if self.unit_price is None else [(Decimal(1), self.unit_price)]
        return first + [(step.minimum_quantity, step.unit_price) for step in self.price_steps]


class NewPrice(_Terms):
    """`unit_price` holds from one piece on, `price_steps` from more (or instead of it, where the vendor sells
    nothing less). The lead time is the vendor's usual one where none is given, the first day today."""

    product_id: Id

    model_config = example(
        product_id="3f0d1c57-6c1c-4f3a-9d7e-0d5a7c1b2e11", unit_price=12.99, lead_time_days=7,
        minimum_order_quantity=10, price_steps=[{"minimum_quantity": 100, "unit_price": 11.49}],
    )  # fmt: skip

    @model_validator(mode="after")
    def _has_a_price(self) -> "NewPrice":
        if not self.steps():
            raise ValueError("unit_price or price_steps is needed")
        return self


class PriceChange(_Terms):
    """What changes from `valid_from` (today) on. A price replaces all steps; terms that are not given stay as
    they are, but for `valid_until`."""

    model_config = example(unit_price=13.49, valid_until="2027-06-30")


def price(offer: Offer, product: tuple[Id, str]) -> dict[str, Any]:
    """The answer about an offer; `product` is the id and SKU of its product."""
    product_uid, sku = product
    same = ("vendor_sku", "lead_time_days", "minimum_order_quantity", "order_multiple", "valid_from",
            "valid_until", "is_expired", "is_preferred")  # fmt: skip
    return {name: getattr(offer, name) for name in same} | {
        "id": offer.uid,
        "vendor_id": offer.vendor.uid,
        "product_id": product_uid,
        "sku": sku,
        "currency": offer.vendor.currency,
        "unit_price": offer.steps[0][1],
        "price_steps": _steps(offer.steps),
    }


def _steps(steps: Steps) -> list[Mapping[str, Decimal]]:
    return [{"minimum_quantity": least, "unit_price": price} for least, price in steps]
