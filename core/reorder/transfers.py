"""Stock of another warehouse instead of an order: how much it can spare, and when moving it is better."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from core.reorder import quantities, reasons
from core.reorder.calendars import Arrival
from core.reorder.candidates import ZERO, Costed, Need
from core.reorder.comparison import cover_days, money

Place = TypeVar("Place", bound=Hashable)


@dataclass(frozen=True)
class Giver:
    """Another warehouse and what it can spare."""

    warehouse_id: int
    name: str
    spare: Decimal


@dataclass(frozen=True)
class Move:
    """A transfer that is better than waiting for a vendor.

    `cost`: what moving costs and what is lost until it is there, in the shop's currency, as far as known.
    `saves`: against the vendor, None where there is none to compare with or a missing piece has no price.
    `rest`: what of the need is left to order.
    """

    warehouse_id: int
    name: str
    quantity: Decimal
    rest: Decimal
    arrives_on: date
    cost: Decimal
    saves: Decimal | None
    why: str


def spare(on_hand: Decimal, level: Decimal, decimals: int = 0) -> Decimal:
    """What a warehouse has beyond its own level, in what can be moved; at least 0. What is on its way there
    cannot be moved yet."""
    return max(quantities.down_to(on_hand - level, _grain(decimals)), ZERO)


def shared(available: Decimal, needs: Mapping[Place, Decimal], decimals: int = 0) -> dict[Place, Decimal]:
    """What each place gets of what one warehouse can spare: all it needs, or its part where it is not enough.

    Parts are whole in the product's grain and together never more than is there; what rounding leaves goes to
    those who lack most.
    """
    grain = _grain(decimals)
    wanted = {place: max(quantities.up_to(need, grain), ZERO) for place, need in needs.items()}
    there = max(quantities.down_to(available, grain), ZERO)
    everything = sum(wanted.values(), ZERO)
    if everything <= there:
        return wanted
    given = {place: quantities.down_to(there * need / everything, grain) for place, need in wanted.items()}
    left = there - sum(given.values(), ZERO)
    while left > 0:  # fewer grains than places: each part was cut by less than one
        place = max(wanted, key=lambda one: wanted[one] - given[one])
        given[place] += grain
        left -= grain
    return given


def best_move(
    givers: Sequence[Giver], need: Need, vendor: Costed | None, *, transfer_cost: Decimal, transfer_days: int
) -> Move | None:
    """The transfer that comes before an order; None where ordering alone is better, or nobody can spare any.

    Whoever has enough gives, else whoever has most. The price of the pieces is on neither side: what is moved
    must be bought later. A transfer of all that is needed is set against freight, work, keeping and lost
    sales of the vendor's order; one of a part only against what is lost until that arrives, since it is
    ordered all the same. Where a missing piece has no price, fewer lost pieces decide.
    """
    able = [one for one in givers if one.spare > 0]
    if not able or need.quantity <= 0:
        return None
    giver = max(able, key=lambda one: (min(one.spare, need.quantity), one.spare))
    quantity = min(giver.spare, need.quantity)
    rest = need.quantity - quantity
    arrives_on = need.today + timedelta(days=transfer_days)
    lost = _lost(need, transfer_days, quantity, rest, vendor)
    shortage = money(need.shortage_cost * Decimal(lost)) if _is_priced(need) else ZERO
    cost = transfer_cost + shortage

    def move(saves: Decimal | None, why: str) -> Move:
        return Move(giver.warehouse_id, giver.name, quantity, rest, arrives_on, cost, saves, why)

    spared = f"{giver.name} has {reasons.pieces(giver.spare)} more than it needs"
    if vendor is None or vendor.total is None:
        return move(None, f"{spared}, and no vendor has a price.")
    ordering = vendor.shortage or ZERO
    if not rest:
        ordering += vendor.freight + vendor.order_cost + vendor.holding
    saves = ordering - cost
    sooner = (vendor.arrives_on - arrives_on).days
    when = f" and arrives {reasons.days(sooner)} sooner than from {vendor.name}" if sooner > 0 else ""
    if _is_priced(need) or saves > 0:
        if saves <= 0:
            return None
        return move(saves, f"{spared}: moving them spares {reasons.amount(saves)}{when}.")
    if need.outlook is not None and vendor.lost is not None and sooner > 0 and vendor.lost > lost:
        return move(None, f"{spared}{when}, which would be too late.")
    return None


def _is_priced(need: Need) -> bool:
    return need.outlook is not None and need.shortage_cost is not None


def _lost(need: Need, days: int, quantity: Decimal, rest: Decimal, vendor: Costed | None) -> float:
    """Pieces lost with the transfer, and the rest from the vendor where there is one."""
    if need.outlook is None:
        return 0.0
    first = (days, float(quantity))
    if not rest or vendor is None or vendor.total is None:
        middle = need.today + timedelta(days=days)
        return need.outlook.lost(
            Arrival(need.today, middle, middle, (days,), (1.0,)), float(quantity), need.review_days
        )
    arrival, cover = vendor.candidate.arrival, cover_days(vendor.candidate, need)
    ordered = float(vendor.quantity)
    return sum(
        weight * need.outlook.lost_with_two(*sorted([first, (day, ordered)]), max(day, days) + cover)
        for day, weight in zip(arrival.days, arrival.weights, strict=True)
    )


def _grain(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)
