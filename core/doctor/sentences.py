"""One sentence for what is odd about a line, and a few words for its repair.

No session: figures go in, words come out.
"""

from datetime import date
from decimal import Decimal

from core.doctor.cases import Case, Repair

MOVED = {
    "out": "out", "back": "came back", "in": "received", "to_vendor": "back to the vendor",
    "count": "counted", "loss": "written off", "transfer": "moved",
}  # fmt: skip
ZEROS = {10: "one zero", 100: "two zeros"}
FAR = 3  # times the usual, or a third of it: nearer than that the size is not what is odd
CENT = Decimal("0.01")


def sentence(case: Case, today: date) -> str:
    """What is odd, held against what is usual: "A-1042: 1,200 out on 14 Nov is 12 times the usual 100;"."""
    return f"{case.sku}: {_about(case, today)}"


def warning(case: Case) -> str:
    """The same before it is booked, without the day: "1,200 out is 12 times the usual 100 ..."."""
    return _about(case, None)


def repair_words(change: Decimal, unit_price: Decimal | None, repair: Repair, other: str | None) -> str:
    """What accepting the repair does: "Book 100 instead of 1,200"."""
    if repair.field == "quantity" and repair.change is not None:
        return f"Book {number(abs(repair.change))} instead of {number(abs(change))}"
    if repair.field == "sign" and repair.change is not None:
        return f"Book {number(abs(change))} {'in' if repair.change > 0 else 'out'} instead of " + (
            "out" if repair.change > 0 else "in"
        )
    if repair.field == "price" and repair.unit_price is not None:
        before = "no price" if unit_price is None else money(unit_price)
        return f"Book {money(repair.unit_price)} a piece instead of {before}"
    if repair.field in ("product", "warehouse"):
        return f"Book it {'on' if repair.field == 'product' else 'in'} {other} instead"
    return "Take it back" if repair.field == "whole" else "No repair is known"


def number(value: Decimal) -> str:
    """A quantity with its thousands apart, without zeros at the end: 1,200 or 2.5."""
    return f"{value.normalize():,f}"


def money(value: Decimal) -> str:
    """A price: with cents, or with as many decimals as it has."""
    return f"{value:,.2f}" if value == value.quantize(CENT) else number(value)


def _about(case: Case, today: date | None) -> str:
    when = "" if today is None else f" on {_day(case.on, today)}"
    amount = number(abs(case.change))
    head = f"{amount} {MOVED[case.flow]}{when}"
    if case.flow == "count":
        head = f"{'+' if case.change > 0 else '-'}{amount} counted{when}"
    repair = case.repair
    if case.kind == "price_typo" and repair.unit_price is not None:
        return _price(case, repair.unit_price, when)
    if case.kind == "wrong_sign" and repair.change is not None:
        way = "coming in" if repair.change > 0 else "going out"
        return f"{head} looks like the wrong way round; {amount} {way} would be usual."
    if case.kind == "wrong_warehouse" and case.other:
        return f"{head} in {case.place} is unusual; in {case.other} it would be usual."
    if case.kind == "wrong_product" and case.other:
        at = f" at {money(case.unit_price)}" if case.unit_price is not None else ""
        return f"{head}{at} is unusual; of {case.other} it would be usual."
    if case.kind == "booked_twice" and repair.field == "whole":
        return f"{head} is there twice; one of them looks like one too many."
    if repair.change is not None:
        return f"{head} {_quantity(case, abs(case.change), abs(repair.change))}"
    if case.usual and case.seen and 1 / FAR < abs(case.change) / case.usual < FAR:
        return f"{head} is unusual for this product, though not by its size; no repair explains it."
    return f"{head} is far from anything before{_usually(case)}; no repair explains it."


def _quantity(case: Case, booked: Decimal, repaired: Decimal) -> str:
    times, meant = booked / repaired, number(repaired)
    if case.kind == "times_ten":
        zeros = next((word for n, word in ZEROS.items() if n in (times, 1 / times)), "a zero")
        return f"looks like {zeros} too {'many' if times > 1 else 'few'}; {meant} would be usual."
    if case.kind == "digit_doubled":
        return f"looks like a digit typed twice; {meant} would be usual."
    if case.kind == "digits_swapped":
        return f"looks like {meant} with two digits swapped{_usually(case)}."
    if case.kind == "wrong_unit":
        return f"looks like packs counted as pieces; {meant} would be usual."
    factor = number(times.quantize(CENT) if times < 10 else times.quantize(Decimal(1)))
    if case.usual is not None and case.usual == repaired:
        return f"is {factor} times the usual {meant}."
    return f"is {factor} times {meant}; with {meant} it would be usual{_usually(case)}."


def _price(case: Case, repaired: Decimal, when: str) -> str:
    booked = "no price" if case.unit_price is None else money(case.unit_price)
    usual = f", usually {money(case.usual_price)}" if case.usual_price is not None else ""
    meant = "" if case.usual_price == repaired else f"; {money(repaired)} would be usual"
    return (
        f"{booked} a piece{when} for {number(abs(case.change))}{usual}{meant or '; that is probably meant'}."
    )


def _usually(case: Case) -> str:
    if case.usual is None or not case.seen:
        return ""
    lines = "one line" if case.seen == 1 else f"{case.seen} lines"
    return f" (usually about {number(_rounded(case.usual))}, as in {lines} before)"


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value >= 10 else value.quantize(Decimal("0.1"))


def _day(on: date, today: date) -> str:
    return f"{on.day} {on:%b}" if on.year == today.year else f"{on.day} {on:%b %Y}"
