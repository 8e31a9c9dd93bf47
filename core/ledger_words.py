"""What the ledger promises, and what is wrong where it does not hold, in plain sentences: arithmetic."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

Figures = Mapping[str, Any]
"""The numbers of one fault as `ledger_faults_at.sql` gives them: quantities and days as text."""

RULES = {
    "level_is_not_the_sum": "On hand is the sum of its movements.",
    "broken_chain": "Each movement starts from where the one before it ended.",
    "negative": "Nothing was ever below zero.",
    "orphans": "Each movement belongs to a booking, and each booking has its movements.",
    "unbalanced_transfers": "What leaves one warehouse in a transfer arrives in the other.",
    "wrong_reversals": "A reversal undoes exactly one movement, whole, and only once.",
    "returned_twice": "No more comes back of a sale than was sold.",
    "level_is_not_the_last_closing": "On hand is what the last day closed with.",
    "broken_days": "Each day closes with what the one before left, and what came and went.",
    "demand_is_not_the_sum": "A day's demand is the sum of its movements.",
    "negative_demand": "No day's demand is below zero.",
}
"""What each rule of `ledger_faults.sql` promises, the gravest first."""


def sentence(
    rule: str,
    figures: Figures,
    *,
    sku: str | None,
    warehouse_code: str | None,
    movement_id: int | None,
    posting_id: int | None,
) -> str:
    """What is wrong in one place: "A-1042 in MAIN: on hand says 10, its movements sum to 12."."""
    told = _WORDS[rule](figures, movement_id, posting_id)
    told += _more_days(figures)
    if sku is None:
        return f"{told[0].upper()}{told[1:]}."
    return f"{sku}{f' in {warehouse_code}' if warehouse_code else ''}: {told}."


def _negative(figures: Figures, movement_id: int | None, _: int | None) -> str:
    if movement_id is None:
        return f"on hand is {_plain(figures['on_hand'])}"
    return f"movement {movement_id} leaves {_plain(figures['after'])}"


def _level(figures: Figures, *_: int | None) -> str:
    return f"on hand says {_plain(figures['on_hand'])}, its movements sum to {_plain(figures['sum'])}"


def _closing(figures: Figures, *_: int | None) -> str:
    return f"on hand says {_plain(figures['on_hand'])}, its last day closed with {_plain(figures['closing'])}"


def _days(figures: Figures, *_: int | None) -> str:
    opening, receipts, demand, other, closing = (
        Decimal(figures[name]) for name in ("opening", "receipts", "demand", "other", "closing")
    )
    should = opening + receipts - demand + other
    return (
        f"{_day(figures)} closes with {_plain(closing)}, but {_plain(opening)} before it, {_plain(receipts)}"
        f" in, {_plain(demand)} sold and {_plain(other)} of other kinds make {_plain(should)}"
    )


def _demand(figures: Figures, *_: int | None) -> str:
    return (
        f"the demand of {_day(figures)} says {_plain(figures['kept'])},"
        f" its movements sum to {_plain(figures['sum'])}"
    )


def _chain(figures: Figures, movement_id: int | None, _: int | None) -> str:
    before, change, after = (Decimal(figures[name]) for name in ("before", "change", "after"))
    if before != (expected := Decimal(figures["expected"])):
        return f"movement {movement_id} starts from {_plain(before)}, where {_plain(expected)} was left"
    return f"movement {movement_id} changes {_plain(before)} by {_plain(change)} and ends at {_plain(after)}"


def _transfer(figures: Figures, movement_id: int | None, _: int | None) -> str:
    said = f"movement {movement_id} transfers {_plain(figures['change'])}"
    if figures["other"] is None:
        return f"{said} without another leg"
    if not figures["is_there"]:
        return f"{said}, and its other leg, movement {figures['other']}, is missing"
    return f"{said}, and movement {figures['other']} is not its other leg"


def _orphan(figures: Figures, movement_id: int | None, posting_id: int | None) -> str:
    if movement_id is not None:
        return f"movement {movement_id} belongs to posting {posting_id}, which is missing"
    return f"posting {posting_id} ({figures['kind']}) has no movements"


def _reversal(figures: Figures, movement_id: int | None, _: int | None) -> str:
    said = f"movement {movement_id} reverses movement {figures['reverses']}"
    if figures["is_again"]:
        return f"{said}, which was reversed before"
    if Decimal(figures["change"]) == -Decimal(figures["reversed"]):
        return f"{said}, which was on another shelf"
    return f"{said}, a change of {_plain(figures['reversed'])}, by {_plain(figures['change'])}"


def _returned(figures: Figures, movement_id: int | None, _: int | None) -> str:
    said = f"movement {movement_id} sold {_plain(figures['sold'])}"
    if figures["is_reversed"]:
        said += " and was reversed"
    return f"{said}, and {_plain(figures['returned'])} came back"


def _demand_below(figures: Figures, *_: int | None) -> str:
    return f"the demand of {_day(figures)} is {_plain(figures['kept'])}"


_WORDS: dict[str, Callable[[Figures, int | None, int | None], str]] = {
    "level_is_not_the_sum": _level,
    "broken_chain": _chain,
    "negative": _negative,
    "orphans": _orphan,
    "unbalanced_transfers": _transfer,
    "wrong_reversals": _reversal,
    "returned_twice": _returned,
    "level_is_not_the_last_closing": _closing,
    "broken_days": _days,
    "demand_is_not_the_sum": _demand,
    "negative_demand": _demand_below,
}


def _more_days(figures: Figures) -> str:
    more = figures.get("days", 1) - 1
    return f"; and {more} more {'day' if more == 1 else 'days'}" if more else ""


def _day(figures: Figures) -> str:
    day = date.fromisoformat(figures["day"])
    return f"{day.day} {day:%b %Y}"


def _plain(number: Decimal | str) -> str:
    """1,200 or -2.5: without trailing zeros."""
    return f"{Decimal(number).normalize():,f}"
