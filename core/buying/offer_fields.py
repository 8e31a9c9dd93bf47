"""What can be said in an offer: steps, quantities and days checked on their way in, refused by their name."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from core import inputs, posting, product_fields
from core.errors import BadInput

VENDOR_SKU_CHARACTERS = 100
MOST_STEPS = 50
FURTHEST = timedelta(days=2 * 366)  # further away it is a slip of the keyboard
EARLIEST = date(1970, 1, 1)

unit_price = product_fields.money("Unit price")
lead_time = product_fields.lead_time


def steps(given: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> tuple[tuple[Decimal, Decimal], ...]:
    """Price steps (from this quantity on, unit price), ascending. Refuses none, and one quantity twice."""
    pairs = list(given.items() if isinstance(given, Mapping) else given)
    if not pairs:
        raise BadInput("Unit price: enter at least one.")
    if len(pairs) > MOST_STEPS:
        raise BadInput(f"Price steps: {len(pairs):,} are too many; at most {MOST_STEPS} are kept.")
    found: dict[Decimal, Decimal] = {}
    for least, price in pairs:
        quantity = _above_zero(least, "From quantity")
        if quantity in found:
            raise BadInput(f"From quantity: {posting.plain(quantity)} has two prices; keep one.")
        if price is None:
            raise BadInput(f"Unit price: the price from {posting.plain(quantity)} pieces on is missing.")
        found[quantity] = unit_price(price)
    return tuple(sorted(found.items()))


def check_in_shop_money(price: Decimal, exchange_rate: Decimal) -> None:
    """Refuse a price that is more than can be kept once it is in the shop's money."""
    if price * exchange_rate >= posting.PRICE_LIMIT:
        raise BadInput(
            f"Unit price: {posting.plain(price)} at the vendor's exchange rate of "
            f"{posting.plain(exchange_rate)} is not below {posting.PRICE_LIMIT:,} in the shop's money. "
            "Correct one of them."
        )


def minimum(value: Any) -> Decimal | None:
    """The least that is sold at once; 0 means there is no least."""
    return _or_none(value, "Minimum order quantity")


def multiple(value: Any) -> Decimal | None:
    """What quantities must be a multiple of; 0 means anything goes."""
    return _or_none(value, "Order multiple")


def vendor_sku(value: Any) -> str | None:
    """The vendor's own number of the product."""
    kept = product_fields.words("Vendor's SKU", VENDOR_SKU_CHARACTERS)(value)
    if kept is not None and not kept.isprintable():
        raise BadInput(f"Vendor's SKU: '{inputs.shown(kept)}' holds a control character.")
    return kept


def valid_from(value: date, today: date) -> date:
    """The first day on which an offer counts."""
    if not EARLIEST <= value <= today + FURTHEST:
        where = "before 1970" if value < EARLIEST else "more than two years ahead"
        raise BadInput(f"Valid from: {value} lies {where}.")
    return value


def valid_until(value: date | None, since: date) -> date | None:
    """The last day that an offer was promised for."""
    if value is not None and value < since:
        raise BadInput(f"Valid until: {value} lies before the first day, {since}.")
    return value


def said(values: dict[str, Any], prices: tuple[tuple[Decimal, Decimal], ...]) -> dict[str, Any]:
    """An offer as the audit keeps it: what was said, and the price from each quantity on."""
    kept = {name: _plain(value) for name, value in values.items() if value is not None}
    return kept | {"prices": {posting.plain(least): posting.plain(price) for least, price in prices}}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return posting.plain(value) if isinstance(value, Decimal) else value


def _or_none(value: Any, what: str) -> Decimal | None:
    if value is None:
        return None
    number = posting.exact(value, what)
    if number < 0:
        raise BadInput(f"{what}: {posting.plain(number)} is below zero.")
    return number or None


def _above_zero(value: Any, what: str) -> Decimal:
    number = posting.exact(value, what)
    if number <= 0:
        raise BadInput(f"{what}: {posting.plain(number)} is not above zero.")
    return number
