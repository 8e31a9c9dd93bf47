"""A pasted list of codes, taken apart: one code a line, with how often it counts."""

import re
from dataclasses import dataclass
from decimal import Decimal

from core import inputs, posting
from core.errors import BadInput, RunoutError
from core.scanning.reading import CHARACTERS

MOST_LINES = 500  # what a scanner with a memory holds after a round; more is a file, and files have Import
MOST_CHARACTERS = 60_000  # 500 long codes with their quantities
ONCE = Decimal(1)

# "3 x CODE": with spaces, since a SKU may be 2x4-BOARD.
_TIMES = re.compile(r"(\d{1,9}(?:[.,]\d{1,4})?)\s*[x×*]\s+(\S.*)", re.IGNORECASE)
# "CODE<tab>3", and as scanners with a memory write it: "CODE;3" or "CODE,3".
_THEN = re.compile(r"(.*\S)\s*(?:\t|;|,)\s*(-?\d{1,9}(?:\.\d{1,4})?)")


@dataclass(frozen=True)
class Line:
    """One line: `times` a scan of `code` counts, or in one sentence why it cannot be read."""

    number: int
    code: str
    times: Decimal = ONCE
    wrong: str | None = None


def split(text: str) -> list[Line]:
    """The lines of a list that are not empty, numbered as they were pasted.

    Refuses a list that is too long. What is wrong with one line stands in that line.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadInput(
            f"The list has {len(text):,} characters; at most {MOST_CHARACTERS:,} are taken at once."
        )
    given = [(n, line.strip(" \r")) for n, line in enumerate(text.split("\n"), 1)]
    filled = [(n, line) for n, line in given if line.strip()]
    if len(filled) > MOST_LINES:
        raise BadInput(f"The list has {len(filled):,} lines; at most {MOST_LINES} are taken at once.")
    return [_line(n, line) for n, line in filled]


def _line(number: int, written: str) -> Line:
    if before := _TIMES.fullmatch(written):
        times, code = before.group(1).replace(",", "."), before.group(2)
    elif after := _THEN.fullmatch(written):
        code, times = after.groups()
    else:
        code, times = written, "1"
    code = code.strip()
    try:
        code = inputs.text(code, "Code", CHARACTERS)
        counted = posting.exact(times, "Quantity")  # a count may find none
        if counted < 0:
            raise BadInput(f"Quantity: {times} is below zero.")
        return Line(number, code, counted)
    except RunoutError as refusal:
        return Line(number, inputs.shown(code), wrong=refusal.sentence)
