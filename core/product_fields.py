"""What can be said about a product: each field checked on its way in, refused by its name."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core import inputs, posting
from core.errors import BadInput

SKU_CHARACTERS = 100
NAME_CHARACTERS = 200
CATEGORY_CHARACTERS = 100
UNIT_CHARACTERS = 40
DESCRIPTION_CHARACTERS = 2_000
MOST_LEAD_TIME_DAYS = 365


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are kept: trimmed, exact, None where empty. An unknown field is a TypeError."""
    unknown = fields.keys() - FIELDS.keys()
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    return {name: FIELDS[name](value) for name, value in fields.items()}


def said(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON keeps them: quantities and money as plain text."""
    return {n: posting.plain(v) if isinstance(v, Decimal) else v for n, v in values.items()}


def words(what: str, most: int, *, is_needed: bool = False) -> Callable[[Any], str | None]:
    """A check of a text of at most `most` characters; None where it is empty."""

    def check(value: Any) -> str | None:
        kept = inputs.text(value, what, most) if value is not None else ""
        if is_needed and not kept:
            raise BadInput(f"{what}: it needs 1 to {most} characters.")
        return kept or None

    return check


def _sku(value: Any) -> str:
    sku = words("SKU", SKU_CHARACTERS, is_needed=True)(value)
    if not sku.isprintable():
        raise BadInput(f"SKU: '{inputs.shown(sku)}' holds a control character or a line break.")
    return sku


def money(what: str) -> Callable[[Any], Decimal | None]:
    """A check of money that is not below zero."""

    def check(value: Any) -> Decimal | None:
        if value is None:
            return None
        price = posting.exact(value, what)
        if not 0 <= price < posting.PRICE_LIMIT:
            raise BadInput(f"{what}: {posting.plain(price)} is not between 0 and {posting.PRICE_LIMIT:,}.")
        return price

    return check


def threshold(value: Any) -> Decimal | None:
    """At or below how many pieces a product is low."""
    if value is None:
        return None
    threshold = posting.exact(value, "Threshold")
    if threshold < 0:
        raise BadInput(f"Threshold: {posting.plain(threshold)} is below zero.")
    return threshold


def lead_time(value: Any) -> int | None:
    """Whole days from order to arrival."""
    if value is None:
        return None
    days = posting.exact(value, "Lead time")
    if days != days.to_integral_value() or not 0 <= days <= MOST_LEAD_TIME_DAYS:
        raise BadInput(f"Lead time: {posting.plain(days)} is not a whole number of days from 0 to 365.")
    return int(days)


FIELDS: dict[str, Callable[[Any], Any]] = {
    "sku": _sku,
    "name": words("Name", NAME_CHARACTERS, is_needed=True),
    "description": words("Description", DESCRIPTION_CHARACTERS),
    "category": words("Category", CATEGORY_CHARACTERS),
    "unit_of_measure": words("Unit", UNIT_CHARACTERS, is_needed=True),
    "unit_cost": money("Unit cost"),
    "unit_price": money("Unit price"),
    "reorder_threshold": threshold,
    "lead_time_days": lead_time,
}
