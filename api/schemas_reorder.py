"""Answers about what to order: the advice as a whole, and its lines with their receipts."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas import Amount, Answer, Day, Id, Moment, Number, OwnId, Share
from core.buying.advice_lines import Head, Line, Point, Term, Vendor


class ReceiptTerm(Answer):
    """One line of a receipt. The amounts add up to the quantity exactly; what is there counts below zero."""

    name: str
    amount: Number
    words: str


class ReorderLine(Answer):
    """What to order of one product (or to move to one warehouse), how much, from whom, by when, and why.

    `quantity` and `vendor_id` are what would be ordered now, a buyer's edit included; `computed_quantity` is
    what was computed. `order_by` is the last day on which an order still arrives before the stock is used up
    in nine of ten futures; `needed_on` the first on which something is to be ordered. `chance`: to run out
    before an order placed today arrives. Money is in the shop's currency.
    """

    id: OwnId
    product_id: Annotated[Id, Field(validation_alias="product_uid")]
    product_sku: Annotated[str, Field(validation_alias="sku")]
    product_name: Annotated[str, Field(validation_alias="name")]
    warehouse_id: Annotated[Id, Field(validation_alias="warehouse_uid")]
    warehouse_code: Annotated[str, Field(validation_alias="warehouse")]
    action: str
    quantity: Amount
    computed_quantity: Amount
    is_edited: bool
    vendor_id: Annotated[Id | None, Field(validation_alias="vendor_uid")]
    vendor_name: Annotated[str | None, Field(validation_alias="vendor")]
    from_warehouse_code: Annotated[str | None, Field(validation_alias="from_warehouse")]
    unit_cost: Amount | None
    value: Amount
    order_up_to: Annotated[Amount, Field(validation_alias="level")]
    on_hand: Amount
    on_its_way: Annotated[Amount, Field(validation_alias="due")]
    daily_demand: Annotated[Amount | None, Field(validation_alias="daily_rate")]
    needed_on: Day | None
    order_by: Annotated[Day | None, Field(validation_alias="order_by_on")]
    arrives_on: Day | None
    chance: Share | None
    lost_money: Amount
    service_percent: Amount | None
    status: str | None
    state: str
    order_number: str | None
    has_moved: bool
    reason: str
    receipt: list[ReceiptTerm]


class ReorderVendor(Answer):
    """What would be ordered of one vendor now; `id` and `name` are null for what nobody offers."""

    id: Annotated[Id | None, Field(validation_alias="uid")]
    name: str | None
    lines: int
    value: Amount
    problems: int
    lost_money: Amount
    order_by: Annotated[Day | None, Field(validation_alias="order_by_on")]
    send_on: Day | None
    order_minimum: Amount | None
    to_minimum: Amount | None
    free_freight_from: Amount | None
    to_free_freight: Amount | None


class CurvePoint(Answer):
    """What another goal of the shop would mean: order lines served in percent, money bound in stock, order
    lines and sales lost a year, and products of which less than half of the order lines would be served."""

    service_percent: Share
    stock: Share
    lost_lines: Share
    lost_money: Share
    not_covered: int


class ReorderSummary(Answer):
    """The advice as a whole. `is_stale`: something it follows from changed since `made_at`."""

    as_of: Day
    made_at: Moment
    is_stale: bool
    stale_because: str | None
    goal: dict[str, Any]
    totals: dict[str, Any]
    vendors: list[ReorderVendor]
    curve: list[CurvePoint]


def lines(found: list[tuple[Line, list[Term]]]) -> list[dict[str, Any]]:
    """The answer of the list."""
    return [vars(line) | {"uid": line.uid, "receipt": terms} for line, terms in found]


def summary(head: Head, vendors: list[Vendor], curve: list[Point]) -> dict[str, Any]:
    """The answer about the advice as a whole."""
    return vars(head) | {"vendors": vendors, "curve": curve}
