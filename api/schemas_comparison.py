"""Answers about the vendors of a product, beside each other."""

from decimal import Decimal
from typing import Any, Literal

from api.schemas import Amount, Answer, Day, Id, Number, Share
from core.buying.comparison import Comparison, Row
from core.reorder.splits import Part, Split

Basis = Literal["advised", "asked", "until the next review", "one"]


class PriceStep(Answer):
    """The unit price from so many pieces on, in the shop's currency."""

    minimum_quantity: Amount
    unit_price: Amount


class OrderPart(Answer):
    """One of two orders."""

    vendor_id: Id
    vendor_name: str
    quantity: Amount
    unit_price: Amount
    expected_on: Day


class TwoOrders(Answer):
    """Two orders that cost less in all than the best single one; the sooner one first."""

    first: OrderPart
    second: OrderPart
    total_cost: Amount
    saves: Amount
    reason: str


class VendorRow(Answer):
    """What ordering a product from one vendor would come to, in the shop's `currency`; the best row first.

    All rows are for `needed_quantity` pieces (`quantity_basis`: advised, as asked, expected to sell until the
    next review, or one piece where nothing is known); `quantity` is what would be ordered there, by its
    minimum, multiple and price steps. `total_cost` is the price of the pieces needed, plus `freight_cost`,
    `order_cost`, `holding_cost` of the pieces beyond the need until they are used, and `shortage_cost`: sales
    lost for want of stock until the next order could arrive. `order_value` is what the order costs now.
    `cost_difference` and `days_difference` are against the best row. Null: not known, see `missing`.

    `lead_time_days` is quoted; the measured ones count from sending an order to its receipt.
    `chance_before_delivery`: to run out before it could deliver. Exactly one row `is_recommended` where any
    has a price, and `reason` says why this one is or is not.
    """

    vendor_id: Id
    vendor_name: str
    vendor_sku: str | None
    currency: str
    unit_price: Amount | None
    quoted_currency: str
    quoted_unit_price: Amount | None
    price_steps: list[PriceStep]
    minimum_order_quantity: Amount | None
    order_multiple: Amount | None
    needed_quantity: Amount
    quantity_basis: Basis
    quantity: Amount
    lead_time_days: int
    deliveries: int
    median_lead_time_days: Share | None
    p90_lead_time_days: Share | None
    on_time_share: Share | None
    order_on: Day
    expected_on: Day
    late_on: Day
    chance_before_delivery: Share | None
    expected_lost_units: Share | None
    order_value: Amount | None
    goods_cost: Amount | None
    freight_cost: Amount
    order_cost: Amount
    holding_cost: Amount
    shortage_cost: Amount | None
    total_cost: Amount | None
    cost_difference: Number | None
    days_difference: int
    below_order_minimum: Amount
    valid_from: Day
    valid_until: Day | None
    age_days: int
    is_expired: bool
    is_preferred: bool
    is_recommended: bool
    reason: str
    missing: list[str]
    two_orders: TwoOrders | None


def rows(compared: Comparison) -> list[dict[str, Any]]:
    """The answer of a comparison."""
    uids = {row.offer.vendor_id: row.offer.vendor.uid for row in compared.rows}
    return [_row(compared, row, uids) for row in compared.rows]


def _row(compared: Comparison, row: Row, uids: dict[int, Id]) -> dict[str, Any]:
    offer, costed = row.offer, row.costed
    split = compared.split
    takes_part = split is not None and row.offer.vendor_id in (split.first.vendor_id, split.second.vendor_id)
    return {
        "vendor_id": offer.vendor.uid,
        "vendor_name": offer.vendor.name,
        "vendor_sku": offer.vendor_sku,
        "currency": compared.currency,
        "unit_price": _kept(costed.unit_price),
        "quoted_currency": offer.vendor.currency,
        "quoted_unit_price": _quoted(row),
        "price_steps": [
            {"minimum_quantity": least, "unit_price": _kept(price)}
            for least, price in costed.candidate.terms.steps
        ],
        "minimum_order_quantity": offer.minimum_order_quantity,
        "order_multiple": offer.order_multiple,
        "needed_quantity": compared.quantity,
        "quantity_basis": compared.basis,
        "quantity": costed.quantity,
        "lead_time_days": offer.lead_time_days,
        "deliveries": offer.record.deliveries,
        "median_lead_time_days": offer.record.median_days,
        "p90_lead_time_days": offer.record.p90_days,
        "on_time_share": offer.record.on_time_share,
        "order_on": costed.candidate.arrival.sent_on,
        "expected_on": costed.arrives_on,
        "late_on": costed.candidate.arrival.late_on,
        "chance_before_delivery": costed.chance,
        "expected_lost_units": costed.lost,
        "order_value": costed.outlay,
        "goods_cost": costed.goods,
        "freight_cost": costed.freight,
        "order_cost": costed.order_cost,
        "holding_cost": costed.holding,
        "shortage_cost": costed.shortage,
        "total_cost": costed.total,
        "cost_difference": costed.more_money,
        "days_difference": costed.more_days,
        "below_order_minimum": costed.below_minimum,
        "valid_from": offer.valid_from,
        "valid_until": offer.valid_until,
        "age_days": offer.age_days,
        "is_expired": offer.is_expired,
        "is_preferred": offer.is_preferred,
        "is_recommended": costed.is_recommended,
        "reason": costed.why,
        "missing": list(costed.missing),
        "two_orders": _two(split, uids) if takes_part else None,
    }


def _quoted(row: Row) -> Decimal | None:
    """The unit price at this quantity as the vendor says it, in its own currency."""
    fitting = [price for least, price in row.offer.steps if least <= row.costed.quantity]
    return fitting[-1] if fitting else None


def _two(split: Split, uids: dict[int, Id]) -> dict[str, Any]:
    return {
        "first": _part(split.first, uids),
        "second": _part(split.second, uids),
        "total_cost": split.total,
        "saves": split.saves,
        "reason": split.why,
    }


def _part(part: Part, uids: dict[int, Id]) -> dict[str, Any]:
    return {
        "vendor_id": uids[part.vendor_id],
        "vendor_name": part.name,
        "quantity": part.quantity,
        "unit_price": _kept(part.unit_price),
        "expected_on": part.arrives_on,
    }


def _kept(price: Decimal | None) -> Decimal | None:
    """A price with as many decimals as prices are kept with."""
    return None if price is None else price.quantize(Decimal("0.0001"))
