"""Arithmetic: the lines of a price list as offers, each held against the one that would count without it.

An offer is all lines of one vendor, product and first day: its price steps, and its terms said once.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

TERMS = ("lead_time_days", "minimum_order_quantity", "order_multiple", "valid_until", "vendor_sku")
KEPT_WHEN_EMPTY = ("lead_time_days", "vendor_sku")
"""Terms of which an empty cell means: as before. Of the others it means: none."""
FAR_OFF = 3
"""A price so many times the one before, or that part of it, is pointed out: is it for another pack?"""
_HUNDRED = Decimal(100)

Steps = tuple[tuple[Decimal, Decimal], ...]
Pair = tuple[int, int]
"""Vendor and product."""


@dataclass(frozen=True)
class Known:
    """An offer as it is, or is to be, in the shop."""

    valid_from: date
    steps: Steps
    terms: Mapping[str, Any]

    def says_the_same(self, other: "Known") -> bool:
        return self.steps == other.steps and all(self.terms[name] == other.terms[name] for name in TERMS)


@dataclass(frozen=True)
class Line:
    """A line without errors: what it is about, its step, and the terms that it says (None: an empty cell)."""

    number: int
    pair: Pair
    valid_from: date
    minimum_quantity: Decimal
    unit_price: Decimal
    terms: Mapping[str, Any]


@dataclass(frozen=True)
class Clash:
    """Two lines of one offer that do not go together; `line` is the later one."""

    line: int
    field: str
    value: str
    message: str


@dataclass(frozen=True)
class Step:
    """A price step beside the one before: `before` None where there was none, `after` None where it ends."""

    minimum_quantity: Decimal
    before: Decimal | None
    after: Decimal | None
    line: int

    @property
    def percent(self) -> Decimal | None:
        if self.before is None or self.after is None or not self.before:
            return None
        return ((self.after - self.before) / self.before * _HUNDRED).quantize(Decimal("0.1"))

    @property
    def is_far_off(self) -> bool:
        if not self.before or not self.after:
            return False
        return not 1 / Decimal(FAR_OFF) < self.after / self.before < FAR_OFF


def in_one(lines: Sequence[Line]) -> tuple[Steps, dict[str, Any], list[Clash], list[int]]:
    """The steps and terms of the lines of one offer, where they clash, and lines that say a step again."""
    steps: dict[Decimal, Line] = {}
    terms: dict[str, Any] = {}
    said_by: dict[str, int] = {}
    clashes, again = [], []
    for line in lines:
        first = steps.setdefault(line.minimum_quantity, line)
        if first is not line and first.unit_price == line.unit_price:
            again.append(line.number)
        elif first is not line:
            message = f"row {first.number:,} has another price from the same quantity on: keep one"
            clashes.append(Clash(line.number, "unit_price", f"{line.unit_price.normalize():f}", message))
        for name, value in line.terms.items():
            if value is None:
                continue
            if terms.setdefault(name, value) != value:
                message = f"row {said_by[name]:,} of the same product says {terms[name]}: an offer has one"
                clashes.append(Clash(line.number, name, str(value), message))
            said_by.setdefault(name, line.number)
    ordered = tuple((least, steps[least].unit_price) for least in sorted(steps))
    return ordered, terms, clashes, again


def counting(known: Sequence[Known], day: date) -> Known | None:
    """The one of these (ascending by day) that counts on a day."""
    place = bisect_right(known, day, key=lambda one: one.valid_from)
    return known[place - 1] if place else None


def put(known: list[Known], offer: Known) -> None:
    """Let an offer count from its day on, in the place of another one of that day."""
    place = bisect_right(known, offer.valid_from, key=lambda one: one.valid_from)
    if place and known[place - 1].valid_from == offer.valid_from:
        known[place - 1] = offer
    else:
        known.insert(place, offer)


def terms_after(
    said: Mapping[str, Any], columns: Sequence[str], before: Known | None, usual_lead_time: int | None
) -> dict[str, Any]:
    """The terms of an offer: what the lines say, else what a missing column or an empty cell means."""
    found = {}
    for name in TERMS:
        value = said.get(name)
        if value is None and before is not None and name != "valid_until":
            is_kept = name in KEPT_WHEN_EMPTY or name not in columns
            value = before.terms[name] if is_kept else None
        found[name] = value
    if found["lead_time_days"] is None:
        found["lead_time_days"] = usual_lead_time
    return found


def steps_beside(before: Known | None, after: Steps, lines: Mapping[Decimal, int], last: int) -> list[Step]:
    """The steps that are not as before, ascending; those that end stand at the line `last`."""
    was = dict(before.steps) if before else {}
    now = dict(after)
    return [
        Step(least, was.get(least), now.get(least), lines.get(least, last))
        for least in sorted(was.keys() | now.keys())
        if was.get(least) != now.get(least)
    ]
