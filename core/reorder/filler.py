"""What else to order of a vendor now, so that an order reaches a limit: only where that pays."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.reorder import quantities, reasons
from core.reorder.candidates import ZERO
from core.reorder.comparison import money
from core.reorder.quantities import DAYS_A_YEAR, HUNDRED, Holding, Terms

ORDER_MINIMUM, FREE_FREIGHT, PRICE_STEP = "order minimum", "free freight", "price step"


@dataclass(frozen=True)
class Item:
    """Something that is to be ordered of the vendor soon: `quantity` pieces in `needed_in_days`.

    `most`: how many pieces most_cover_days allow, None: no limit.
    """

    key: Hashable
    name: str
    quantity: Decimal
    needed_in_days: int
    terms: Terms
    most: Decimal | None = None


@dataclass(frozen=True)
class Limit:
    """A value that an order is to reach. `saves`: what that spares; None: nothing is taken below it."""

    kind: str
    value: Decimal
    saves: Decimal | None


@dataclass(frozen=True)
class Addition:
    """What is ordered early: its value, and what keeping it until it is needed costs. `saves`: what it spares
    by itself, a step's lower price."""

    key: Hashable
    name: str
    quantity: Decimal
    unit_price: Decimal
    value: Decimal
    holding: Decimal
    words: str
    saves: Decimal = ZERO


@dataclass(frozen=True)
class Filling:
    """How an order gets to a limit. `pays`: the additions are advised; else they are empty, and `words` say
    why not. `net`: what is spared after keeping."""

    limit: Limit
    missing: Decimal
    additions: tuple[Addition, ...]
    holding: Decimal
    pays: bool
    words: str

    @property
    def net(self) -> Decimal:
        return (self.limit.saves or ZERO) - self.holding


def limits(
    value: Decimal,
    *,
    order_minimum: Decimal | None,
    free_freight_from: Decimal | None,
    freight_cost: Decimal | None,
) -> list[Limit]:
    """The limits that an order of this value has not reached, the nearest first."""
    found = []
    if order_minimum is not None and value < order_minimum:
        found.append(Limit(ORDER_MINIMUM, order_minimum, None))
    if free_freight_from is not None and freight_cost and value < free_freight_from:
        found.append(Limit(FREE_FREIGHT, free_freight_from, freight_cost))
    return sorted(found, key=lambda limit: limit.value)


def fill(value: Decimal, items: Sequence[Item], limit: Limit, holding_percent: Decimal) -> Filling:
    """Add what is needed next until the order of this value reaches the limit.

    The next needed costs least to keep for its money, so it comes first; of the last no more than the limit
    asks for, and then what turned out not to be necessary goes again, the costliest first. Nothing is advised
    when the limit is out of reach, or when keeping costs as much as is spared.
    """
    missing = limit.value - value
    if missing <= 0:
        return Filling(limit, ZERO, (), ZERO, False, f"The order reaches the {limit.kind}.")
    chosen: list[Addition] = []
    so_far = ZERO
    for item in sorted(items, key=lambda one: one.needed_in_days):
        if so_far >= missing:
            break
        addition = _added(item, missing - so_far, holding_percent)
        if addition is not None:
            chosen.append(addition)
            so_far += addition.value
    goal = f"{limit.kind} from {reasons.amount(limit.value)}"
    if so_far < missing:
        words = f"{reasons.amount(missing - so_far)} short of the {goal} even with all that is needed soon."
        return Filling(limit, missing, (), ZERO, False, words)
    additions = _necessary(chosen, missing)
    holding = sum((one.holding for one in additions), ZERO)
    if limit.saves is not None and holding >= limit.saves:
        words = (
            f"Reaching the {goal} would cost {reasons.amount(holding)} to hold and spare only "
            f"{reasons.amount(limit.saves)}."
        )
        return Filling(limit, missing, (), holding, False, words)
    return Filling(limit, missing, tuple(additions), holding, True, _words(additions, limit, goal, holding))


def up_a_step(item: Item, holding_percent: Decimal, daily_rate: Decimal) -> Addition | None:
    """More of a line of the order, up to the price step where that pays; None where it does not.

    `item.quantity` is what the order has of it. The value of the addition may be below 0: all pieces become
    cheaper.
    """
    holding = Holding(holding_percent, daily_rate, item.most)
    choice = quantities.best_quantity(item.quantity, item.terms, holding)
    if choice.quantity == choice.rounded or choice.unit_price is None:
        return None
    extra = choice.quantity - item.quantity
    kept = money(quantities.holding_cost(choice.quantity, item.quantity, choice.unit_price, holding) or ZERO)
    before = quantities.price_at(choice.rounded, item.terms.steps) * item.quantity
    value = money(choice.unit_price * choice.quantity - before)
    saves = money(choice.saving) + kept
    words = (
        f"{reasons.pieces(extra)} more of {item.name} reach the step from "
        f"{reasons.pieces(choice.quantity)} at {reasons.amount(choice.unit_price)}: costs "
        f"{reasons.amount(kept)} to hold, spares {reasons.amount(saves)}"
    )
    return Addition(item.key, item.name, extra, choice.unit_price, value, kept, words, saves)


def _added(item: Item, missing: Decimal, holding_percent: Decimal) -> Addition | None:
    """All of an item, or the part of it that is worth what is missing; None where nothing of it may come."""
    whole = quantities.orderable(item.quantity, item.terms)
    if item.most is not None and whole > item.most:
        return None
    price = quantities.price_at(whole, item.terms.steps)
    if not whole or not price:
        return None
    quantity = whole
    part = quantities.orderable(missing / price, item.terms)
    part_price = quantities.price_at(part, item.terms.steps)
    if part < whole and part_price * part >= missing:
        quantity, price = part, part_price
    value = price * quantity
    holding = money(value * holding_percent / HUNDRED * item.needed_in_days / DAYS_A_YEAR)
    words = (
        f"{reasons.pieces(quantity)} of {item.name}, needed in {reasons.days(item.needed_in_days)} anyway: "
        f"costs {reasons.amount(holding)} to hold"
    )
    return Addition(item.key, item.name, quantity, price, money(value), holding, words)


def _necessary(additions: list[Addition], missing: Decimal) -> list[Addition]:
    """Without those that the limit is reached without."""
    left = sum((one.value for one in additions), ZERO) - missing
    kept = list(additions)
    for one in sorted(additions, key=lambda addition: -addition.holding):
        if one.value <= left:
            kept.remove(one)
            left -= one.value
    return kept


def _words(additions: list[Addition], limit: Limit, goal: str, holding: Decimal) -> str:
    number = "1 line" if len(additions) == 1 else f"{len(additions)} lines"
    spares = f", spares {reasons.amount(limit.saves)} of freight" if limit.saves is not None else ""
    return f"Adding {number} reaches the {goal}: costs {reasons.amount(holding)} to hold{spares}."
