"""What can be said about a vendor: each field checked on its way in, refused by its name."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import numbers

from core import inputs, product_fields
from core.errors import BadInput

NAME_CHARACTERS = 200
PHONE_CHARACTERS = 60
ADDRESS_CHARACTERS = 500
NOTE_CHARACTERS = 2_000
EMAIL_CHARACTERS = 254
RATE_STEP = Decimal("0.00000001")
RATE_LIMIT = Decimal(10**10)
WEEKDAYS = range(1, 8)
"""1 Monday .. 7 Sunday."""
OWN_RATE = Decimal(1)


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are kept: trimmed, exact, None where empty. An unknown field is a TypeError."""
    unknown = fields.keys() - FIELDS.keys()
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    return {name: FIELDS[name](value) for name, value in fields.items()}


def currency(value: Any) -> str:
    """Three letters of ISO 4217, in capitals."""
    code = value.strip().upper() if isinstance(value, str) else ""
    if not re.fullmatch("[A-Z]{3}", code) or not numbers.is_currency(code):
        raise BadInput(f"Currency: '{inputs.shown(value)}' is none of ISO 4217, such as EUR, USD or GBP.")
    return code


def said(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON keeps them: money and rates as plain text."""
    return {name: f"{v.normalize():f}" if isinstance(v, Decimal) else v for name, v in values.items()}


def _name(value: Any) -> str:
    name = product_fields.words("Name of the vendor", NAME_CHARACTERS, is_needed=True)(value)
    if not name.isprintable():
        raise BadInput(f"Name of the vendor: '{inputs.shown(name)}' holds a control character.")
    return name


def _line(what: str, most: int) -> Callable[[Any], str | None]:
    kept = product_fields.words(what, most)

    def check(value: Any) -> str | None:
        text = kept(value)
        if text is not None and not text.isprintable():
            raise BadInput(f"{what}: '{inputs.shown(text)}' holds a control character or a line break.")
        return text

    return check


def _email(value: Any) -> str | None:
    email = _line("E-mail", EMAIL_CHARACTERS)(value)
    # One address: it is put into the head of a mail.
    if email is not None and not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+", email):
        raise BadInput(f"E-mail: '{inputs.shown(email)}' is not one address such as orders@vendor.example.")
    return email


def _rate(value: Any) -> Decimal:
    try:
        rate = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise BadInput(f"Exchange rate: '{inputs.shown(value)}' is not a number.") from None
    if not rate.is_finite() or not 0 < rate < RATE_LIMIT:
        raise BadInput(f"Exchange rate: {inputs.shown(value)} is not above 0 and below {RATE_LIMIT:,f}.")
    kept = rate.quantize(RATE_STEP)
    if kept != rate:
        raise BadInput(f"Exchange rate: {inputs.shown(value)} has more than 8 decimals.")
    return kept


def _weekdays(value: Any) -> list[int] | None:
    """The days on which orders leave; none or all seven mean any day."""
    if value is None:
        return None
    if isinstance(value, str) or not all(type(day) is int and day in WEEKDAYS for day in value):
        raise BadInput(f"Order days: '{inputs.shown(value)}' are not days from 1 (Monday) to 7 (Sunday).")
    days = sorted(set(value))
    return None if len(days) in (0, len(WEEKDAYS)) else days


FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "contact_name": _line("Contact", NAME_CHARACTERS),
    "email": _email,
    "phone": _line("Phone", PHONE_CHARACTERS),
    "address": product_fields.words("Address", ADDRESS_CHARACTERS),
    "note": product_fields.words("Note", NOTE_CHARACTERS),
    "currency": currency,
    "exchange_rate": _rate,
    "lead_time_days": product_fields.lead_time,
    "order_minimum": product_fields.money("Order minimum"),
    "free_freight_from": product_fields.money("Free freight from"),
    "freight_cost": product_fields.money("Freight"),
    "order_cost": product_fields.money("Cost of an order"),
    "order_weekdays": _weekdays,
}
