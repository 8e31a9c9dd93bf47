"""The receipt of a quantity: terms that add up to it exactly, and what changed since the last one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

STEP = Decimal("0.0001")  # quantities are kept to four decimals
LEAD, COVER, BUFFER = "until it arrives", "cover period", "buffer"
ON_HAND, DUE, TRANSFER, ENOUGH = "on hand", "on its way", "transfer", "enough is there"
ONE_OFF, ROUNDING, PRICE_STEP = "one-off orders", "rounding", "price step"
FILLED, EDITED = "to reach a limit", "edited by hand"


class Term(NamedTuple):
    """One line of a receipt: how many pieces it adds (below 0: takes away), and why in words."""

    name: str
    amount: Decimal
    words: str


class Change(NamedTuple):
    """What one line of a receipt was and is, and in words what that does to the quantity."""

    name: str
    before: Decimal
    after: Decimal
    change: Decimal
    words: str


@dataclass(frozen=True)
class Sums:
    """What a quantity is made of, in pieces.

    `lead_demand`: expected until it arrives, in `lead_days` days, of which `handover_days` pass inside the
    shop; `cover_demand`: expected in the
    `cover_days` after that, until the next order can arrive. `level`: order up to it; what it is above both
    demands is the buffer (below 0 where fewer than expected are to be there). `transfer`: comes from another
    warehouse. `one_off`: bulk orders that nothing is kept for. `rounded`: the least quantity that may be
    ordered, `stepped` with going up to a price step, `filled` with what was added to reach a limit of the
    order; each None where it is not a matter. `edited`: what somebody wants instead.
    """

    lead_demand: Decimal
    cover_demand: Decimal
    level: Decimal
    on_hand: Decimal
    due: Decimal = Decimal(0)
    transfer: Decimal = Decimal(0)
    one_off: Decimal = Decimal(0)
    rounded: Decimal | None = None
    stepped: Decimal | None = None
    filled: Decimal | None = None
    edited: Decimal | None = None
    lead_days: int | None = None
    handover_days: int = 0
    cover_days: int | None = None
    service_percent: Decimal | None = None
    rounding_words: str = "to what may be ordered"


def receipt(sums: Sums) -> list[Term]:
    """The terms of a quantity, in the order in which they are read; they add up to `total` exactly.

    Lines of nothing are left out, except those that every receipt has: both demands, the buffer, on hand.
    """
    lead, cover = sums.lead_demand.quantize(STEP), sums.cover_demand.quantize(STEP)
    level = sums.level.quantize(STEP)
    terms = [
        Term(LEAD, lead, f"expected demand{_in_days(sums.lead_days)} until it arrives{_passed_on(sums)}"),
        Term(COVER, cover, f"expected demand{_in_days(sums.cover_days)} until the next order can arrive"),
        Term(BUFFER, level - lead - cover, _buffer_words(level - lead - cover, sums.service_percent)),
        Term(ON_HAND, -sums.on_hand, "in stock"),
        Term(DUE, -sums.due, "ordered before"),
        Term(TRANSFER, -sums.transfer, "comes from another warehouse"),
    ]
    if sums.one_off:
        words = f"{plain(sums.one_off)} in bulk orders are not prepared for"
        terms.append(Term(ONE_OFF, Decimal(0), words))
    so_far = total(terms)
    if so_far < 0:
        terms.append(Term(ENOUGH, -so_far, "more is there than is needed"))
        so_far = Decimal(0)
    for name, value, words in (
        (ROUNDING, sums.rounded, sums.rounding_words),
        (PRICE_STEP, sums.stepped, "up to a price step, because that is cheaper in all"),
        (FILLED, sums.filled, "to reach the vendor's limit"),
        (EDITED, sums.edited, "instead of what was computed"),
    ):
        if value is not None:
            terms.append(Term(name, value - so_far, words))
            so_far = value
    return [term for term in terms if term.amount or term.name in (LEAD, COVER, BUFFER, ON_HAND, ONE_OFF)]


def total(terms: Iterable[Term]) -> Decimal:
    """What the terms add up to."""
    return sum((term.amount for term in terms), Decimal(0))


def wanted(sums: Sums) -> Decimal:
    """What is missing up to the level, before the vendor's terms; never below 0."""
    gap = sums.level.quantize(STEP) - sums.on_hand - sums.due - sums.transfer
    return max(gap, Decimal(0))


def before_terms(terms: Iterable[Term]) -> Decimal:
    """What a receipt wants before a vendor's terms, limits and hands come in."""
    return total(term for term in terms if term.name not in (ROUNDING, PRICE_STEP, FILLED, EDITED))


def with_edit(terms: Sequence[Term], quantity: Decimal) -> list[Term]:
    """The receipt with another quantity, chosen by hand; the earlier choice is forgotten."""
    computed = [term for term in terms if term.name != EDITED]
    difference = quantity - total(computed)
    if not difference:
        return computed
    return [*computed, Term(EDITED, difference, "instead of what was computed")]


def changed(before: Iterable[Term], after: Iterable[Term]) -> list[Change]:
    """The lines in which two receipts differ, the greatest first; their changes add up to that of the total.

    A line that one of them has not counts as 0 there.
    """
    earlier, later = _by_name(before), _by_name(after)
    changes = []
    for name in dict.fromkeys([*later, *earlier]):
        was, now = earlier.get(name, Decimal(0)), later.get(name, Decimal(0))
        if was != now:
            changes.append(Change(name, was, now, now - was, _change_words(name, was, now)))
    return sorted(changes, key=lambda change: -abs(change.change))


def stored(terms: Iterable[Term]) -> list[list[str]]:
    """As `Advice.terms` keeps them: [[name, amount, words], ...]."""
    return [[term.name, plain(term.amount), term.words] for term in terms]


def read(kept: Iterable[Sequence[str]]) -> list[Term]:
    """The other way round."""
    return [Term(name, Decimal(amount), words) for name, amount, words in kept]


def plain(number: Decimal) -> str:
    """Without trailing zeros: 9, 2.5."""
    return f"{number.normalize():f}" if number else "0"


def _passed_on(sums: Sums) -> str:
    """That a part of the time goes by between the shop's own warehouses."""
    days = sums.handover_days
    return f", {days} day{'' if days == 1 else 's'} of it to pass it on" if days else ""


def _in_days(days: int | None) -> str:
    if days is None:
        return ""
    return f" in {days} day" if days == 1 else f" in {days} days"


def _buffer_words(buffer: Decimal, service_percent: Decimal | None) -> str:
    if buffer < 0:
        return "fewer than expected are kept: the money helps more elsewhere"
    asked = f", so that {plain(service_percent)} % of order lines are served" if service_percent else ""
    return f"against more demand or a late delivery{asked}"


def _by_name(terms: Iterable[Term]) -> dict[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for term in terms:
        amounts[term.name] = amounts.get(term.name, Decimal(0)) + term.amount
    return amounts


_TAKEN_AWAY = (ON_HAND, DUE, TRANSFER)
_SPOKEN = {LEAD: "demand until it arrives", COVER: "demand of the cover period"}


def _change_words(name: str, was: Decimal, now: Decimal) -> str:
    """On hand is kept as what it takes away, and read as what is there."""
    sign = -1 if name in _TAKEN_AWAY else 1
    before, after = was * sign, now * sign
    moved = "rose" if after > before else "fell"
    effect = now - was
    signed = f"+{plain(effect)}" if effect > 0 else plain(effect)
    return f"{_SPOKEN.get(name, name)} {moved} from {plain(before)} to {plain(after)}: {signed}"
