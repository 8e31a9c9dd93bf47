"""GS1 codes: a product's number with lot, serial, dates, count and weight, in one row of characters.

Tables and patterns are those of the library biip (GS1 General Specifications; Digital Link 1.x). A scanner
says that a code is one of GS1 by a mark in front (`]C1`, `]d2`, `]Q3`, `]e0`), by FNC1 between its parts, or
not at all; people type the form with brackets that is printed under the bars.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from biip import ParseConfig, ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from core import barcodes, inputs
from core.errors import BadInput

SEPARATOR = "\x1d"  # FNC1 inside of a code, as readers hand it on
# What is left of it where a scanner types like a keyboard, or a reader writes it out.
_TYPED = re.compile(
    r"\{GS\}|<GS>|\[GS\]|\{FNC1\}|<FNC1>|\^\]|\\x1d|\\u001d|\N{SYMBOL FOR GROUP SEPARATOR}", re.I
)
# The marks in front of element strings: GS1-128, DataMatrix, QR, DataBar, composite, DotCode.
MARKS = ("]C1", "]d2", "]Q3", "]e0", "]e1", "]e2", "]J1")
_BRACKETS = re.compile(r"\((\d{2,4})\)")
# Nothing says that it is GS1, but a product's number (AI 01, 02) in front; whether the rest fits decides.
_BARE = re.compile(r"0[12][0-9]{14}.*", re.DOTALL)
_LINKED = re.compile(r"/01/([0-9]+)(?=[/?#]|$)")
_LAST_SLASH = re.compile(r"/(?=[?#]|$)")
# A missing date is written 000000: the product is known all the same.
_CONFIG = ParseConfig(gs1_element_strings_verify_date=False)


@dataclass(frozen=True)
class Elements:
    """What a GS1 code says. `item` is the product's number with 14 digits, its last one not judged yet.

    `spelled` is the form with brackets; `expires_on` the date of AI 17, else 7003, else 15 (best before).
    """

    spelled: str
    item: str | None
    lot: str | None
    serial: str | None
    expires_on: date | None
    quantity: Decimal | None
    weight_kg: Decimal | None


def parse(text: str, *, is_marked: bool = False) -> Elements | None:
    """The parts of a GS1 code in any of its forms; None for an ordinary code.

    `is_marked` when the reader said that it is one of GS1. Refuses one that says so and cannot be read.
    """
    if text.lower().startswith(("http://", "https://")):
        return _of_link(text)
    row = _TYPED.sub(SEPARATOR, text).strip(SEPARATOR)
    if not row.isascii():
        return None
    first = _BRACKETS.match(text)
    if first and _is_identifier(first[1]):
        return _surely(_in_brackets, text)
    if is_marked or (SEPARATOR in row and row[:2].isdigit()):
        return _surely(_in_a_row, row)
    try:
        return _told(_in_a_row(row)) if _BARE.fullmatch(row) else None
    except ParseError:
        return None


def _surely(parts: Callable[[str], Iterable[GS1ElementString]], text: str) -> Elements:
    try:
        return _told(parts(text))
    except ParseError:
        raise BadInput(
            f"'{inputs.shown(text)}' is not a whole GS1 code: scan it again, or type the product's number."
        ) from None


def _in_a_row(text: str) -> Iterable[GS1ElementString]:
    found = GS1Message.parse(text, config=_CONFIG).element_strings
    if not found:
        raise ParseError("empty")
    return found


def _in_brackets(text: str) -> Iterable[GS1ElementString]:
    """The printed form; blanks between groups of digits are for the eye."""
    _, *pieces = _BRACKETS.split("".join(text.split()))
    for identifier, value in zip(pieces[::2], pieces[1::2], strict=True):
        if identifier in ("01", "02") and barcodes.is_number(value):
            value = value.zfill(barcodes.GTIN_14)
        found = GS1ElementString.parse(identifier + value, config=_CONFIG)
        if found.ai.ai != identifier:
            raise ParseError(f"({identifier}) is not known")
        yield found


def _is_identifier(digits: str) -> bool:
    """Whether digits in brackets are an identifier of GS1 rather than somebody's area code."""
    try:
        return GS1ApplicationIdentifier.extract(digits).ai == digits
    except ParseError:
        return False


def _of_link(text: str) -> Elements | None:
    """A Digital Link on any domain, if the address is one: it holds a product's number behind /01/."""
    number = _LINKED.search(text)
    if number is None or not barcodes.is_number(number[1]):
        return None
    whole = _LAST_SLASH.sub("", text, count=1)
    for address in (whole, whole.partition("?")[0]):  # a query may be anything
        try:
            found = _told(GS1DigitalLinkURI.parse(address, config=_CONFIG).element_strings)
        except (ParseError, ValueError):
            continue
        if found.item:
            return found
    return None


def _told(parts: Iterable[GS1ElementString]) -> Elements:
    parts = list(parts)
    found: dict[str, GS1ElementString] = {}
    for part in parts:
        found.setdefault(part.ai.ai, part)
    said = {identifier: part.value for identifier, part in found.items()}
    if "00" in found and found["00"].sscc_error:
        raise BadInput(f"({said['00']}): the last digit of this number of a pallet is wrong. Scan it again.")
    counted = Decimal(said.get("30") or said.get("37") or 0)
    return Elements(
        spelled="".join(f"({part.ai.ai}){part.value}" for part in parts),
        item=said.get("01") or said.get("02"),
        lot=said.get("10"),
        serial=said.get("21"),
        expires_on=next(
            (found[ai].date for ai in ("17", "7003", "15") if ai in found and found[ai].date), None
        ),
        quantity=counted or None,
        weight_kg=next((part.decimal for part in parts if part.ai.ai[:3] == "310"), None),
    )
