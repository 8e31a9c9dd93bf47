"""How vendors and their offers are put in words: lead times, price steps, how long an offer holds."""

import calendar
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st
from babel import numbers

from core.buying.vendor_list import SOON_DAYS
from core.buying.vendor_records import Record
from dashboard import ui

STATES = {"expired": "Expired", "ending": "Ends soon", "valid": "Valid"}
TINT = {
    "light": {"Expired": "#FEE4E2", "Ends soon": "#FFE6D5", "Valid": "#D5F5EC"},
    "dark": {"Expired": "#5B2523", "Ends soon": "#5A3417", "Valid": "#12453F"},
}
INK = {
    "light": {"expired": "#B42318", "ending": "#C2410C", "valid": "#475467"},
    "dark": {"expired": "#F97066", "ending": "#FB923C", "valid": "#98A2B3"},
}
MOST_STEPS_SHOWN = 3


def validity(valid_until: date | None, today: date) -> str:
    """A key of STATES."""
    if valid_until is None:
        return "valid"
    left = (valid_until - today).days
    return "expired" if left < 0 else "ending" if left <= SOON_DAYS else "valid"


def holds(valid_until: date | None, today: date) -> str:
    """How long an offer holds, in the fewest words."""
    if valid_until is None:
        return "until changed"
    write, state = ui.formats(), validity(valid_until, today)
    if state == "expired":
        return f"expired {write.day(valid_until)}"
    return f"ends {write.weekday(valid_until)}" if state == "ending" else f"until {write.day(valid_until)}"


def validity_column(label: str = "Validity", width: int = 100) -> Any:
    """Column of a table whose cells are `[word]`, shown as pills."""
    tints = TINT["dark" if ui.is_dark() else "light"]
    return st.column_config.MultiselectColumn(
        label, width=width, options=list(tints), color=list(tints.values()),
        help="An expired offer still counts, until a newer one comes.",
    )  # fmt: skip


def price(amount: Decimal | None, currency: str) -> str:
    """A price of one piece in a vendor's currency; more decimals where they were said."""
    write = ui.formats()
    if amount is None:
        return write.price(None)
    shown = max(2, -amount.normalize().as_tuple().exponent)
    pattern = f"¤#,##0.{'0' * shown}"
    return numbers.format_currency(
        amount, currency, format=pattern, locale=write.locale, currency_digits=False
    )


def money(amount: Decimal | None, currency: str) -> str:
    """An amount in a vendor's currency; nothing said where nothing is known."""
    return "" if amount is None else price(amount, currency)


def steps(found: Sequence[tuple[Decimal, Decimal]], currency: str, most: int = MOST_STEPS_SHOWN) -> str:
    """Price steps in one line: from 50: 1.90, from 200: 1.75, and 2 more."""
    write = ui.formats()
    told = [f"from {write.quantity(least)}: {price(each, currency)}" for least, each in found]
    if len(told) > most:
        told = [*told[:most], f"and {len(found) - most} more"]
    return ", ".join(told)


def days(value: float | None) -> str:
    """A measured number of days, halves written."""
    if value is None:
        return ui.formats().number(None)
    return f"{ui.formats().number(value, 1)} {'day' if value == 1 else 'days'}"


def measured(record: Record) -> str:
    """A measured lead time in the fewest words: 9 days, slow 14; the median, and what 9 of 10 came within."""
    if not record.deliveries:
        return ""
    write = ui.formats()
    return f"{days(record.median_days)}, slow {write.number(record.p90_days, 1)}"


def on_time(share: float | None) -> str:
    """How often a vendor was in time; a counted share, so 0 and 100 may be said."""
    return "" if share is None else f"{round(share * 100)} %"


def weekdays(found: Sequence[int] | None) -> str:
    """The days on which orders leave: Mon, Thu; any day."""
    return ", ".join(calendar.day_abbr[day - 1] for day in found) if found else "any day"
