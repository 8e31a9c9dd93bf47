"""How much may be ordered of a vendor, and at which price: minimum, multiple, grain and price steps."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

DAYS_A_YEAR = 365  # holding percents are said per year
HUNDRED = Decimal(100)

Step = tuple[Decimal, Decimal]
"""From how many pieces on, and the unit price."""


@dataclass(frozen=True)
class Terms:
    """In which quantities a vendor sells a product.

    `minimum` (MOQ) and `multiple` as quoted, None where there is none. `steps` ascending by quantity, prices
    in one currency: (1, 2.10), (50, 1.90). There is no price below the first step, so nothing less is
    ordered. `decimals` are those in which the product is sold (0: whole pieces); a multiple of the vendor
    comes before them.
    """

    minimum: Decimal | None = None
    multiple: Decimal | None = None
    steps: tuple[Step, ...] = ()
    decimals: int = 0

    @property
    def grain(self) -> Decimal:
        """The step from one allowed quantity to the next."""
        return self.multiple or Decimal(1).scaleb(-self.decimals)

    @property
    def least(self) -> Decimal:
        """The smallest quantity that can be ordered."""
        floors = [self.grain, self.minimum or Decimal(0), self.steps[0][0] if self.steps else Decimal(0)]
        return up_to(max(floors), self.grain)


@dataclass(frozen=True)
class Holding:
    """What keeping a piece costs: `percent` of its price a year, and `daily_rate` pieces are used a day.

    Nobody goes beyond `most` pieces to reach a price step; None: no limit.
    """

    percent: Decimal
    daily_rate: Decimal
    most: Decimal | None = None


@dataclass(frozen=True)
class Choice:
    """What to order: `quantity`. `rounded` is the least allowed one for what was wanted; the rest goes up to
    a price step. `saving`: what going up spares after holding, 0 where it does not happen."""

    quantity: Decimal
    rounded: Decimal
    unit_price: Decimal | None
    saving: Decimal


def terms(
    minimum: Decimal | None,
    multiple: Decimal | None,
    steps: Iterable[Step],
    *,
    exchange_rate: Decimal = Decimal(1),
    decimals: int = 0,
) -> Terms:
    """Terms in the shop's currency, from those in a vendor's (`exchange_rate`: what one unit of it costs)."""
    return Terms(minimum, multiple, tuple((n, price * exchange_rate) for n, price in sorted(steps)), decimals)


def up_to(quantity: Decimal, grain: Decimal) -> Decimal:
    """The least multiple of the grain that is not below the quantity."""
    return (quantity / grain).to_integral_value(ROUND_CEILING) * grain


def down_to(quantity: Decimal, grain: Decimal) -> Decimal:
    """The greatest multiple of the grain that is not above the quantity."""
    return (quantity / grain).to_integral_value(ROUND_FLOOR) * grain


def orderable(wanted: Decimal, terms: Terms) -> Decimal:
    """The least quantity of at least `wanted` that the vendor sells; 0 where nothing is wanted."""
    if wanted <= 0:
        return Decimal(0)
    return max(up_to(wanted, terms.grain), terms.least)


def price_at(quantity: Decimal, steps: tuple[Step, ...]) -> Decimal | None:
    """The unit price at a quantity; None below the first step, and where there are none."""
    found = None
    for least, price in steps:
        if least > quantity:
            break
        found = price
    return found


def most_pieces(daily_rate: Decimal, most_cover_days: int, available: Decimal) -> Decimal:
    """How many pieces may come so that stock and what is on its way last at most so many days; at least 0."""
    return max(daily_rate * most_cover_days - available, Decimal(0))


def holding_cost(quantity: Decimal, wanted: Decimal, unit_price: Decimal, holding: Holding) -> Decimal | None:
    """What the pieces beyond `wanted` cost until they are used, which begins when the wanted ones are gone.

    Pieces go one after another at the daily rate, so the n-th lasts n / rate days. None where nothing is
    used: they would lie for ever.
    """
    if quantity <= wanted:
        return Decimal(0)
    if holding.daily_rate <= 0:
        return None
    piece_days = (quantity * quantity - wanted * wanted) / (2 * holding.daily_rate)
    return unit_price * holding.percent / HUNDRED / DAYS_A_YEAR * piece_days


def best_quantity(wanted: Decimal, terms: Terms, holding: Holding | None = None) -> Choice:
    """The least allowed quantity, or that of a price step where going up pays.

    Going up pays where the pieces wanted become cheaper by more than the extra ones cost to keep until they
    are used. The extra ones themselves are needed later anyway: they count as worth the lowest price of all
    steps, which credits them with no saving. Holding is reckoned at the highest price, on the safe side, and
    so more wanted never leads to less ordered. Nothing goes up without `holding`, beyond its `most`, or where
    nothing is used.
    """
    rounded = orderable(wanted, terms)
    price = price_at(rounded, terms.steps)
    stay = Choice(rounded, rounded, price, Decimal(0))
    if price is None or holding is None or holding.daily_rate <= 0:
        return stay
    prices = [unit_price for _, unit_price in terms.steps]
    lowest, highest = min(prices), max(prices)

    def cost(quantity: Decimal, unit_price: Decimal) -> Decimal:
        kept = holding_cost(quantity, wanted, highest, holding) or Decimal(0)
        return unit_price * quantity - lowest * (quantity - wanted) + kept

    base = least = cost(rounded, price)
    best = stay
    for step, _ in terms.steps:
        quantity = orderable(step, terms)
        if quantity <= rounded or (holding.most is not None and quantity > holding.most):
            continue
        unit_price = price_at(quantity, terms.steps)
        total = cost(quantity, unit_price)
        if total < least:
            least, best = total, Choice(quantity, rounded, unit_price, base - total)
    return best
