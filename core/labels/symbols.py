"""Codes as bars and squares: which kind a code gets, how large it is drawn, and its dark parts in modules.

A module is the thinnest bar of a symbol, or the smallest square; GS1 calls its width the X-dimension.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from stdnum import ean

from core import barcodes, inputs
from core.errors import BadInput

# Longer ones of our own make bars that only a large label has room for; a square is read sooner.
MOST_OWN_IN_BARS = 14
# ISO/IEC 18004 holds 4,296; beyond a code's 100 characters nothing of ours is longer.
MOST_CHARACTERS = barcodes.CHARACTERS + max(len(prefix) for prefix in barcodes.OWN_LABELS)
LEAST_BAR_MM = 6.0  # lower bars are missed by a hand that is not quite level


@dataclass(frozen=True)
class Size:
    """How wide a module may be, in millimetres, so that phones and hand scanners read it."""

    least_mm: float
    most_mm: float


# EAN: 80 % to 200 % of 0.33 mm; ITF-14: what handling in logistics asks (GS1 General Specifications, symbol
# specification tables 1 and 2). Code 128 and QR are our own use: what a phone reads at arm's length.
SIZES = {
    "EAN-13": Size(0.264, 0.66),
    "EAN-8": Size(0.264, 0.66),
    "ITF-14": Size(0.495, 1.016),
    "Code 128": Size(0.25, 0.5),
    "QR": Size(0.375, 1.0),
}
# White modules left and right: GS1 General Specifications 5.2 and 5.3, ISO/IEC 15417 and 18004.
QUIET = {"EAN-13": (11, 7), "EAN-8": (7, 7), "ITF-14": (10, 10), "Code 128": (10, 10), "QR": (4, 4)}
UPC_QUIET = (11, 9)  # an EAN-13 that begins with 0 is read as UPC-A, too, which asks 9 on either side
ITF_WIDE = 3  # modules of a wide bar; 2.25 to 3 are allowed
ITF_BEARER = 2  # modules of the bars above and below: a slanted read ends in them, not in half a code
KINDS_BY_LENGTH = {8: ("EAN-8", "QR"), 13: ("EAN-13", "QR"), 14: ("ITF-14", "Code 128", "QR")}


@dataclass(frozen=True)
class Symbol:
    """A code drawn, in modules. `rows` is 1 for bars, which are as high as there is room.

    `dark`: (row, first column, columns) of each dark run; `quiet`: white modules left and right, and as many
    as left above and below a square; `bearer`: modules of the bars above and below.
    """

    symbology: str
    code: str
    columns: int
    rows: int
    quiet: tuple[int, int]
    dark: tuple[tuple[int, int, int], ...]
    bearer: int = 0

    @property
    def is_square(self) -> bool:
        return self.rows > 1

    @property
    def width(self) -> int:
        """Modules from edge to edge with the quiet zones."""
        return self.columns + sum(self.quiet)


@dataclass(frozen=True)
class Fitted:
    """A symbol at the size it is printed; `said` tells why it is not the usual kind."""

    symbol: Symbol
    module_mm: float
    said: str | None = None

    @property
    def width_mm(self) -> float:
        return self.symbol.width * self.module_mm


def kinds(code: str, *, square: bool = False) -> tuple[str, ...]:
    """The symbologies that can hold a code, the usual one first.

    A UPC-A is kept as the EAN-13 with a 0 in front; its bars are the same.
    """
    if square or not (code.isascii() and code.isprintable()):
        return ("QR",)
    if code.startswith(barcodes.OWN_LABELS):
        return ("Code 128", "QR") if len(code) <= MOST_OWN_IN_BARS else ("QR",)
    if barcodes.is_number(code) and len(code) in KINDS_BY_LENGTH and ean.is_valid(code):
        return KINDS_BY_LENGTH[len(code)]
    return ("Code 128", "QR")


@functools.lru_cache(4096)
def drawn(code: str, symbology: str) -> Symbol:
    """A code in one of the symbologies of `kinds`. Refuses one that is empty or too long."""
    if not code or len(code) > MOST_CHARACTERS:
        raise BadInput(f"A code on a label has 1 to {MOST_CHARACTERS} characters.")
    lines = _square(code) if symbology == "QR" else (_bars(code, symbology),)
    quiet = UPC_QUIET if symbology == "EAN-13" and code[0] == "0" else QUIET[symbology]
    dark = tuple((row, start, length) for row, line in enumerate(lines) for start, length in _runs(line))
    bearer = ITF_BEARER if symbology == "ITF-14" else 0
    return Symbol(symbology, code, len(lines[0]), len(lines), quiet, dark, bearer)


def fitted(
    code: str, *, bars_mm: tuple[float, float], square_mm: float, dot_mm: float, square: bool = False
) -> Fitted:
    """The first kind of symbol that can be read at the size there is room for.

    Modules are whole dots of the printer: half a dot more or less is what makes thin bars unreadable.

    Args:
        bars_mm: width and height of the room for bars, quiet zones included.
        square_mm: edge of the room for a square.
        dot_mm: edge of a dot of the printer.
        square: a square even where bars would fit.

    Refuses a code that no kind can hold in this room.
    """
    candidates = kinds(code, square=square)
    for place, kind in enumerate(candidates):
        symbol = drawn(code, kind)
        size, room = SIZES[kind], (square_mm if symbol.is_square else bars_mm[0])
        dots = math.floor(min(room / symbol.width, size.most_mm) / dot_mm + 1e-9)
        if dots * dot_mm >= size.least_mm and (symbol.is_square or bars_mm[1] >= LEAST_BAR_MM):
            return Fitted(symbol, dots * dot_mm, _instead(code, candidates[0], kind) if place else None)
    raise BadInput(
        f"The code '{inputs.shown(code, 40)}' is too long for this label: choose a larger format for it."
    )


def _instead(code: str, usual: str, kind: str) -> str:
    return f"{inputs.shown(code, 40)} is printed as {kind}: as {usual} it would be too fine for this label."


# -- What is dark --------------------------------------------------------------------------------------------


def _bars(code: str, symbology: str) -> str:
    """One character a module, "1" is dark."""
    from barcode import codex, ean, itf

    if symbology == "EAN-13":
        return ean.EuropeanArticleNumber13(code).build()[0]
    if symbology == "EAN-8":
        return ean.EuropeanArticleNumber8(code).build()[0]
    if symbology == "ITF-14":
        return itf.ITF(code, narrow=1, wide=ITF_WIDE).build()[0]
    return codex.Code128(code).build()[0]


def _square(code: str) -> tuple[str, ...]:
    """A QR code that is still read when a seventh of it is dirty (level M, or better where there is room)."""
    import segno

    # Without the mark that says UTF-8 (ECI) zbar takes other letters than ASCII for Chinese or Japanese ones.
    about = {} if code.isascii() else {"encoding": "utf-8", "eci": True}
    made = segno.make_qr(code, error="m", **about)
    return tuple("".join("1" if dark else "0" for dark in row) for row in made.matrix)


def _runs(line: str) -> Iterator[tuple[int, int]]:
    """First column and length of each dark run of a line."""
    start = 0
    for piece in line.replace("10", "1 0").replace("01", "0 1").split():
        if piece[0] == "1":
            yield start, len(piece)
        start += len(piece)
