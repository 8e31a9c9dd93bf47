"""Two orders instead of one: a few pieces from a fast vendor now, the rest from a cheap slow one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from core.reorder import quantities, reasons
from core.reorder.calendars import SLACK, Arrival
from core.reorder.candidates import ZERO, Candidate, Costed, Need
from core.reorder.comparison import cover_days, freight_share, money, order_share
from core.reorder.quantities import Holding

# How much the fast order is to bridge: enough in this share of the futures.
BRIDGED = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Part:
    """One of the two orders."""

    vendor_id: int
    name: str
    quantity: Decimal
    unit_price: Decimal
    arrives_on: date


@dataclass(frozen=True)
class Split:
    """Two orders, the sooner one first. `total` as in a row of the comparison, `saves` against the best row;
    `lost`: pieces lost until the next order could arrive."""

    first: Part
    second: Part
    total: Decimal
    shortage: Decimal
    lost: float
    saves: Decimal
    why: str


def best_split(rows: Sequence[Costed], need: Need) -> Split | None:
    """The two orders that cost less than the best row does alone; None where one order is best.

    Asked only where there is a forecast and it is known what a missing piece costs. Both orders must reach
    the minimum of their vendors.
    """
    priced = [row for row in rows if row.total is not None and row.shortage is not None]
    if len(priced) < 2 or need.outlook is None or need.quantity <= 0:
        return None
    best = priced[0]
    found: Split | None = None
    for fast in priced:
        for slow in priced:
            if not _may_pay(fast, slow, best):
                continue
            for bridge in _bridges(fast, slow, need):
                split = _costed(fast.candidate, slow.candidate, bridge, need, best)
                if split is not None and split.saves > (found.saves if found else ZERO):
                    found = split
    return found


def _may_pay(fast: Costed, slow: Costed, best: Costed) -> bool:
    """Whether the two could cost less than the best row: all pieces at the low price, and no more lost than
    with the fast one alone."""
    if fast.arrives_on >= slow.arrives_on or slow.unit_price >= fast.unit_price:
        return False
    return slow.goods + min(fast.shortage, slow.shortage) < best.total


def _bridges(fast: Costed, slow: Costed, need: Need) -> Iterator[Decimal]:
    """Quantities with which the fast order could bridge the time until the slow one arrives, ascending."""
    until, start = slow.candidate.arrival.days[-1], fast.candidate.arrival.days[0]
    lost = np.sort(need.outlook.lost_before(until) - need.outlook.lost_before(start))
    last = Decimal(0)
    for share in BRIDGED:
        short = lost[min(int(share * len(lost)), len(lost) - 1)]
        bridge = quantities.orderable(Decimal(float(short)), fast.candidate.terms)
        if last < bridge < need.quantity:
            yield bridge
            last = bridge


def _costed(fast: Candidate, slow: Candidate, bridge: Decimal, need: Need, best: Costed) -> Split | None:
    rest = quantities.orderable(need.quantity - bridge, slow.terms)
    prices = quantities.price_at(bridge, fast.terms.steps), quantities.price_at(rest, slow.terms.steps)
    outlays = prices[0] * bridge, prices[1] * rest
    for one, outlay in zip((fast, slow), outlays, strict=True):
        if outlay + one.other_value < (one.order_minimum or ZERO):
            return None
    # Until both are there, and the order after the fast one could be.
    lost = sum(
        weight * need.outlook.lost_with_two(*arrivals, max(later, sooner + cover_days(fast, need)))
        for sooner, later, weight in _together(fast.arrival, slow.arrival)
        for arrivals in [_in_order((sooner, float(bridge)), (later, float(rest)))]
    )
    shortage = money(need.shortage_cost * Decimal(float(lost)))
    total = shortage + money(prices[0] * bridge) + money(prices[1] * (need.quantity - bridge))
    total += money(_kept(bridge + rest, need.quantity, prices[1], need.holding))
    for one, outlay in zip((fast, slow), outlays, strict=True):
        total += money(freight_share(one, outlay)) + money(order_share(one, outlay))
    first = Part(fast.vendor_id, fast.name, bridge, prices[0], fast.arrival.on)
    second = Part(slow.vendor_id, slow.name, rest, prices[1], slow.arrival.on)
    saves = best.total - total
    return Split(first, second, total, shortage, float(lost), saves, _why(first, second, best, saves))


def _kept(quantity: Decimal, wanted: Decimal, unit_price: Decimal, holding: Holding) -> Decimal:
    worth = max(quantity - wanted, ZERO) * unit_price
    kept = quantities.holding_cost(quantity, wanted, unit_price, holding)
    return worth if kept is None else min(kept, worth)


def _in_order(one: tuple[int, float], other: tuple[int, float]) -> tuple[tuple[int, float], ...]:
    return (one, other) if one[0] <= other[0] else (other, one)


def _together(fast: Arrival, slow: Arrival) -> Iterator[tuple[int, int, float]]:
    """Pairs of arrival days with their weights: when one is late, so is the other."""
    places, left = [0, 0], [fast.weights[0], slow.weights[0]]
    while True:
        weight = min(left)
        yield fast.days[places[0]], slow.days[places[1]], weight
        for side, arrival in enumerate((fast, slow)):
            left[side] -= weight
            if left[side] <= SLACK:
                places[side] += 1
                if places[side] == len(arrival.days):
                    return
                left[side] = arrival.weights[places[side]]


def _why(first: Part, second: Part, best: Costed, saves: Decimal) -> str:
    return (
        f"{reasons.pieces(first.quantity)} from {first.name} until the {reasons.pieces(second.quantity)} "
        f"from {second.name} arrive: {reasons.amount(saves)} less in all than {best.name} alone."
    )
