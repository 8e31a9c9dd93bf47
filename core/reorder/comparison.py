"""Vendors beside each other for one product: what an order would cost in all, and who is recommended.

Everything is in the shop's currency. The total of a row is what the pieces needed cost there, plus freight,
plus the work of an order, plus keeping the pieces beyond the need until they are used, plus what is lost for
want of stock until the next order could arrive. Pieces beyond the need are used later, so they count with
their keeping and not with their price; `outlay` is what the order costs now.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.reorder import quantities, reasons
from core.reorder.candidates import ZERO, Candidate, Costed, Need
from core.reorder.quantities import Choice

CENT = Decimal("0.01")
STORED_MONEY = (
    "outlay", "goods", "freight", "order_cost", "holding", "shortage", "total", "more_money", "below_minimum",
)  # fmt: skip


def shortage_cost(
    selling_price: Decimal | None, unit_cost: Decimal | None, shortage_percent: Decimal | None
) -> Decimal | None:
    """What a missing piece costs: that share of its selling price, else its margin; None where unknown."""
    if selling_price is None:
        return None
    if shortage_percent is not None:
        return selling_price * shortage_percent / quantities.HUNDRED
    if unit_cost is None:
        return None
    return max(selling_price - unit_cost, ZERO)


def in_shop_money(amount: Decimal | None, exchange_rate: Decimal) -> Decimal | None:
    """A vendor's amount in the shop's currency."""
    return None if amount is None else amount * exchange_rate


def compare(candidates: Sequence[Candidate], need: Need) -> list[Costed]:
    """The rows, best first; each with its reason, one of them recommended where any has a price.

    Best is the lowest total among those that take the order as it is; then those below the order minimum;
    then those without a price. The product's preferred vendor is recommended whatever it costs, as long as it
    has a price. Equal totals: the sooner one.
    """
    rows = sorted((_cost(one, need) for one in candidates), key=_rank)
    if not rows or rows[0].total is None:
        return [replace(row, why=reasons.no_price(row.quantity)) for row in rows]
    best = rows[0]
    chosen = next((row for row in rows if _is_preferred(row, need) and row.total is not None), best)
    rows = [
        replace(
            row,
            more_money=None if row.total is None else row.total - best.total,
            more_days=(row.arrives_on - best.arrives_on).days,
            is_best=row is best,
            is_recommended=row is chosen,
        )
        for row in rows
    ]
    return [replace(row, why=reasons.why(row, rows, need.preferred_vendor_id)) for row in rows]


def recommended(rows: Sequence[Costed]) -> Costed | None:
    """The row that is recommended; None where no vendor has a price."""
    return next((row for row in rows if row.is_recommended), None)


def _is_preferred(row: Costed, need: Need) -> bool:
    return row.vendor_id == need.preferred_vendor_id


def _rank(row: Costed) -> tuple:
    if row.total is None:
        return (2, ZERO, row.arrives_on, row.name)
    return (1 if row.below_minimum else 0, row.total, row.arrives_on, row.name)


def _cost(one: Candidate, need: Need) -> Costed:
    choice = quantities.best_quantity(need.quantity, one.terms, need.holding)
    chance = lost = shortage = None
    missing = []
    if need.outlook is not None:
        chance = need.outlook.chance(one.arrival)
        lost = need.outlook.lost(one.arrival, float(choice.quantity), cover_days(one, need))
        if need.shortage_cost is not None:
            shortage = money(need.shortage_cost * Decimal(lost))
        else:
            missing.append("No selling price or cost: lost sales are not counted.")
    else:
        missing.append("No forecast: the chance to run out is not known.")
    if one.record is None or not one.record.deliveries:
        missing.append("No delivery measured yet: the quoted lead time counts.")
    excess = max(choice.quantity - need.quantity, ZERO)
    freight = order_cost = holding = below_minimum = ZERO
    outlay = goods = total = None
    if choice.unit_price is None:
        missing.append(reasons.no_price(choice.quantity))
    else:
        outlay, goods = money(choice.unit_price * choice.quantity), money(choice.unit_price * need.quantity)
        freight = money(freight_share(one, outlay))
        order_cost = money(order_share(one, outlay))
        holding = money(_kept(choice, need))
        below_minimum = max((one.order_minimum or ZERO) - outlay - one.other_value, ZERO)
        total = goods + freight + order_cost + holding + (shortage or ZERO)
    return Costed(
        candidate=one,
        choice=choice,
        excess=excess,
        outlay=outlay,
        goods=goods,
        freight=freight,
        order_cost=order_cost,
        holding=holding,
        chance=chance,
        lost=lost,
        shortage=shortage,
        total=total,
        below_minimum=below_minimum,
        age_days=None if one.quoted_on is None else (need.today - one.quoted_on).days,
        is_expired=one.valid_until is not None and one.valid_until < need.today,
        missing=tuple(missing),
    )


def cover_days(one: Candidate, need: Need) -> int:
    """How many days an order there is to last for, from its arrival."""
    return one.cover_days or need.review_days


def freight_share(one: Candidate, value: Decimal) -> Decimal:
    """What this line pays of the freight: nothing where the order travels for nothing, else by its value."""
    limit = one.free_freight_from
    if not one.freight_cost or (limit is not None and value + one.other_value >= limit):
        return ZERO
    return _share(one.freight_cost, value, one.other_value)


def order_share(one: Candidate, value: Decimal) -> Decimal:
    """What this line bears of the work that an order is, by its value."""
    return _share(one.order_cost or ZERO, value, one.other_value)


def _share(cost: Decimal, value: Decimal, other_value: Decimal) -> Decimal:
    everything = value + other_value
    return cost * value / everything if everything else cost


def _kept(choice: Choice, need: Need) -> Decimal:
    """What keeping the pieces beyond the need costs; never more than they are worth."""
    extra = choice.quantity - need.quantity
    if extra <= 0:
        return ZERO
    worth = extra * choice.unit_price
    kept = quantities.holding_cost(choice.quantity, need.quantity, choice.unit_price, need.holding)
    return worth if kept is None else min(kept, worth)


def money(amount: Decimal) -> Decimal:
    """To the cent, in which amounts are compared and shown."""
    return amount.quantize(CENT)


def stored(rows: Sequence[Costed]) -> list[dict[str, Any]]:
    """The rows as `Advice.vendors` keeps them: Decimals as text, days as ISO dates."""
    return [
        {
            "vendor_id": row.vendor_id,
            "offer_id": row.candidate.offer_id,
            "quantity": _text(row.quantity),
            "unit_price": _text(row.unit_price),
            "arrives_on": row.arrives_on.isoformat(),
            "late_on": row.candidate.arrival.late_on.isoformat(),
            "chance": row.chance,
            "lost": row.lost,
            **{name: _text(getattr(row, name)) for name in STORED_MONEY},
            "more_days": row.more_days,
            "is_recommended": row.is_recommended,
            "why": row.why,
        }
        for row in rows
    ]


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
