"""What a row of characters says by itself, before the shop is asked: any source, any kind of code.

The same product comes as EAN-13, UPC-A, GTIN-14, in a GS1 code or a Digital Link; all are read as one code.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from biip import ParseError
from biip.upc import Upc

from core import barcodes, inputs
from core.errors import BadInput
from core.scanning import gs1

# More than the fullest QR code holds (2,953 bytes): what is longer was no scan.
CHARACTERS = 4_000
COMMANDS = (
    "look_up", "in", "out", "transfer", "count", "link", "undo", "add1", "add10", "remove1",
)  # fmt: skip
UPC_E = "UPC-E"
# What scanners put around a code besides blanks and line ends: start and end of text and of transmission.
_AROUND = "\x02\x03\x04\ufeff"
_MARK = re.compile(r"\][A-Za-z][0-9]")
_OWN = re.compile(r"(loc|sku|cmd):(.*)", re.IGNORECASE | re.DOTALL)
_IN_GROUPS = re.compile(r"[0-9]+( [0-9]+)+")
_UPC_E_DIGITS = (6, 7, 8)
ITF = ("ITF-14", "ITF", "I25")
_ITF_DIGITS = 14
# What the letter of a scanner's mark says of the bars, where it matters.
_MARKED = {"I": "ITF"}


@dataclass(frozen=True)
class Reading:
    """What a code says. `kind` is "code", "place", "sku" or "command", and names the field that is filled.

    `text` is for the screen; `code` the spelling under which a barcode is kept, `gtin` whether it is a number
    of GS1. Lot, serial, date, count (`quantity`, of what the number stands for) and weight are those of a GS1
    code.
    """

    text: str
    kind: str = "code"
    code: str = ""
    gtin: bool = False
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    quantity: Decimal | None = None
    weight_kg: Decimal | None = None
    place: str | None = None
    sku: str | None = None
    command: str | None = None


def read(raw: str, symbology: str | None = None) -> Reading:
    """Read a code as a camera, a scanner or somebody's fingers gave it.

    Args:
        raw: the characters, with whatever blanks, line ends and marks the reader put around them.
        symbology: the kind of bars, where the reader knows: of ITF only 14 digits count, and only a UPC-E
            that is said to be one is spelled out (its eight digits may be an EAN-8 with a slip).

    Refuses with a sentence what is empty, too long, holds a character that no screen can show, or has a last
    digit that does not fit the others; nothing else is ever raised.
    """
    text = _bare(inputs.text(raw, "Barcode", CHARACTERS))
    mark = _MARK.match(text)
    rest = _bare(text[len(mark[0]) :]) if mark else text
    if own := _OWN.fullmatch(rest):
        return _label(own[1].lower(), own[2].strip())
    elements = gs1.parse(rest, is_marked=bool(mark and mark[0] in gs1.MARKS))
    if elements is not None:
        return _of_gs1(elements)
    code = _ordinary(rest, symbology or (_MARKED.get(mark[0][1]) if mark else None))
    return Reading(text=rest, code=code, gtin=barcodes.is_number(code))


def spoken(text: str) -> str:
    """The code to look for besides the words, where somebody searches: the text itself where it is none."""
    try:
        return read(text).code or text
    except BadInput:
        return text


def _bare(text: str) -> str:
    """Without what scanners put around a code, in whatever order."""
    while text != (text := text.strip().strip(_AROUND)):
        pass
    return text


def _label(kind: str, said: str) -> Reading:
    """A label of the shop itself: a place, a product, a command."""
    text = f"{kind}:{said}"
    if not said or not said.isprintable() or len(said) > barcodes.CHARACTERS:
        raise BadInput(f"'{inputs.shown(text)}' is no whole label of the shop: print it again.")
    if kind == "loc":
        return Reading(text, "place", place=said)
    if kind == "sku":
        return Reading(text, "sku", sku=said)
    if said.lower() not in COMMANDS:
        raise BadInput(f"'{inputs.shown(said)}' is no command; they are {', '.join(COMMANDS)}.")
    return Reading(text, "command", command=said.lower())


def _of_gs1(said: gs1.Elements) -> Reading:
    """A GS1 code stands for its product's number; without one, for all that it says."""
    return Reading(
        text=said.spelled, code=barcodes.normal(said.item or said.spelled), gtin=said.item is not None,
        lot=said.lot, serial=said.serial, expires_on=said.expires_on, quantity=said.quantity,
        weight_kg=said.weight_kg,
    )  # fmt: skip


def _ordinary(text: str, symbology: str | None) -> str:
    """A code that is nothing but a code, in the spelling under which it is kept."""
    if _IN_GROUPS.fullmatch(text):  # as it is printed under the bars
        text = text.replace(" ", "")
    is_digits = text.isascii() and text.isdigit()
    if symbology in ITF and not (is_digits and len(text) == _ITF_DIGITS):
        raise BadInput(
            f"'{inputs.shown(text)}': an ITF code counts only with {_ITF_DIGITS} digits, because a part of "
            "its bars reads like a whole one. Scan it again."
        )
    if symbology == UPC_E and is_digits and len(text) in _UPC_E_DIGITS:
        text = _spelled_out(text) or text
    try:
        return barcodes.normal(text)
    except BadInput as refusal:
        if is_digits and len(text) == barcodes.EAN_8 and (long := _spelled_out(text)):
            raise BadInput(f"{refusal.sentence} If it is a UPC-E, enter it as {long}.") from None
        raise


def _spelled_out(digits: str) -> str | None:
    """The UPC-A of a UPC-E; None where its last digit does not fit."""
    try:
        return Upc.parse(digits).as_upc_a()
    except ParseError:
        return None
