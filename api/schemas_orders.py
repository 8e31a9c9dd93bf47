"""Bodies and answers about purchase orders."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from api import schemas
from api.schemas import Amount, Answer, Body, Day, Flag, Id, Moment, Number, OwnId, example, line
from core.buying import order_lines, order_mail, orders
from core.buying.order_looks import Detail
from core.errors import BadInput

State = Literal["draft", "sent", "partly_received", "received", "cancelled"]
Note = schemas.text(orders.NOTE_CHARACTERS)
LineNote = schemas.text(order_lines.NOTE_CHARACTERS)
Reference = line(orders.REFERENCE_CHARACTERS)
Address = line(order_mail.ADDRESS_CHARACTERS, 3)
Quantity = Annotated[Number, Field(gt=0)]


def _text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("must be a day like 2026-12-01")
    return value


GivenDay = Annotated[Day, BeforeValidator(_text)]
"""A day in a body: text only, for a number would be read as seconds since 1970."""


# -- Answers -------------------------------------------------------------------------------------------------


class OrderLine(Answer):
    """A product for a warehouse. `promised_on`: what was expected when the order was sent; `open`: what is
    still to come of it, while the order is sent or partly received."""

    id: OwnId
    product_id: Annotated[Id, Field(validation_alias="product_uid")]
    sku: str
    name: str
    warehouse_id: Annotated[Id, Field(validation_alias="warehouse_uid")]
    vendor_sku: str | None
    quantity: Amount
    unit_price: Amount
    value: Amount
    expected_on: Day | None
    promised_on: Day | None
    received: Amount
    given_up: Amount
    open: Amount
    late_days: int
    note: str | None


class OrderReceipt(Answer):
    """A part that arrived and the movement that booked it; with `undone_at` it was taken back."""

    movement_id: int
    line_id: Annotated[Id, Field(validation_alias="line_uid")]
    quantity: Amount
    received_on: Day
    received_by: str
    received_at: Moment
    undone_at: Moment | None


class OrderRow(Answer):
    """An order in a list. Money in its `currency`; `value` and `open_value` in the shop's."""

    id: OwnId
    number: str
    state: State
    vendor_id: Annotated[Id, Field(validation_alias="vendor_uid")]
    vendor_name: Annotated[str, Field(validation_alias="vendor")]
    currency: str
    lines: int
    open_lines: int
    goods: Amount
    value: Amount
    open_value: Amount
    expected_on: Day | None
    late_days: int
    created_at: Moment
    sent_on: Day | None
    received_on: Day | None
    mailed_to: str | None


class Order(Answer):
    """An order with its lines and what arrived. Money in its `currency`; `value` in the shop's.

    `warnings`, of a draft: what to look at before sending (minimum, multiples, price, expired offers).
    `missing_to_minimum` and `missing_to_free_freight`: 0 when reached, null without such a limit.
    """

    id: Id
    number: str
    state: State
    vendor_id: Id
    vendor_name: str
    currency: str
    goods: Amount
    freight: Amount | None
    total: Amount
    value: Amount
    missing_to_minimum: Amount | None
    missing_to_free_freight: Amount | None
    warnings: list[str]
    vendor_reference: str | None
    note: str | None
    expected_on: Day | None
    late_days: int
    created_at: Moment
    created_by: str
    sent_at: Moment | None
    sent_on: Day | None
    sent_by: str | None
    mailed_to: str | None
    mailed_at: Moment | None
    received_on: Day | None
    cancelled_at: Moment | None
    cancelled_because: str | None
    lines: list[OrderLine]
    receipts: list[OrderReceipt]


def order(detail: Detail) -> dict[str, Any]:
    """An order as it is answered."""
    row, facts = detail.order, detail.facts
    same = ("number", "state", "currency", "vendor_reference", "note", "created_at", "sent_at", "sent_on",
            "mailed_to", "mailed_at", "received_on", "cancelled_at", "cancelled_because")  # fmt: skip
    return {name: getattr(row, name) for name in same} | {
        "id": row.uid,
        "vendor_id": detail.vendor.uid,
        "vendor_name": detail.vendor.name,
        "goods": facts.goods,
        "freight": facts.freight,
        "total": facts.total,
        "value": facts.in_shop_currency,
        "missing_to_minimum": facts.missing_to_minimum,
        "missing_to_free_freight": facts.missing_to_free_freight,
        "warnings": [hint.sentence for hint in facts.hints],
        "expected_on": facts.arrives_on,
        "late_days": detail.late_days,
        "created_by": detail.created_by,
        "sent_by": detail.sent_by,
        "lines": detail.lines,
        "receipts": detail.receipts,
    }


# -- Bodies --------------------------------------------------------------------------------------------------


class NewLine(Body):
    """A product to order, for the default warehouse where none is named, at the price of the vendor's offer
    where none is given."""

    product_id: Id
    warehouse_id: Id | None = None
    quantity: Quantity
    unit_price: Amount | None = None
    expected_on: GivenDay | None = None
    note: LineNote | None = None


Lines = Annotated[list[NewLine], Field(max_length=order_lines.MOST_LINES)]
_LINE = {"product_id": "0b2f8a52-8a5c-4a53-9d59-1f0b4b2f9c11", "quantity": 24}


class NewOrder(Body):
    """A draft; nothing is sent by itself."""

    vendor_id: Id
    note: Note | None = None
    lines: Lines = Field(default_factory=list)

    model_config = example(vendor_id="6a9c2a2e-5a38-4f1b-8f0e-0f6d6d3b1c11", lines=[_LINE], note="Ramp 2")


class OrderChange(Body):
    """Only the given fields change; null clears one. `lines` replaces all lines of a draft; `freight` is that
    of a draft too. Of an order that was sent, `expected_on` moves all that is open (an announced delay)."""

    expected_on: GivenDay | None = None
    freight: Amount | None = None
    vendor_reference: Reference | None = None
    note: Note | None = None
    lines: Lines = Field(default_factory=list)

    model_config = example(expected_on="2026-12-14", vendor_reference="AB-77120")


class ArrivedLine(Body):
    """How much of a line arrived; null: all that is open of it."""

    line_id: Id
    quantity: Amount | None = None


class Arrival(Body):
    """What arrived; null: all that is open. `although_complete` books more of a line that is complete."""

    lines: Annotated[list[ArrivedLine], Field(max_length=order_lines.MOST_LINES)] | None = None
    although_complete: Flag = False

    model_config = example(lines=[{"line_id": "3c0cb1c2-6a0f-4b6c-9a53-3c9c5b0c7d21", "quantity": 12}])


class GivenUp(Body):
    """Which lines will not come any more; null: all that is open."""

    lines: Annotated[list[Id], Field(max_length=order_lines.MOST_LINES)] | None = None
    because: Note | None = None

    model_config = example(because="Sold out at the vendor")


class Mailing(Body):
    """Where to; null: the vendor's address. `again` mails an order that was mailed before."""

    to: Address | None = None
    again: Flag = False

    model_config = example(to="orders@vendor.example")


def arrived(wanted: Arrival) -> dict[Any, Decimal | None] | None:
    """The lines as `order_receipts.receive` takes them. Refuses a line that is named twice."""
    if wanted.lines is None:
        return None
    found = {one.line_id: one.quantity for one in wanted.lines}
    if len(found) != len(wanted.lines):
        raise BadInput("A line is named twice: say once how much of it arrived.")
    return found
