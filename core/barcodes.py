"""Codes printed on products and packs: one spelling for each, and no misread digits."""

from stdnum import ean

from core import inputs
from core.errors import BadInput

CHARACTERS = 100
# EAN-8, UPC-A, EAN-13 and the GTIN-14 of packs; their last digit is worked out from the ones before.
CHECKED_LENGTHS = (8, 12, 13, 14)
EAN_8, EAN_13, GTIN_14 = 8, 13, 14
# What the labels of the shop itself begin with: places, products without a code, commands of the scanner.
OWN_LABELS = ("loc:", "sku:", "cmd:")
# The first digit of a GTIN-14: 0 for the piece, 1 to 8 for packs of it. (9 means a weight that varies.)
PACKS = "012345678"


def normal(code: str) -> str:
    """The one spelling of a code under which it is kept and looked for.

    A UPC-A is the EAN-13 with a 0 in front, and so is a GTIN-14 that begins with 0; an EAN-8 with zeros in
    front is the EAN-8: no other number begins with so many. Refuses an empty or too long code, control
    characters, a label of our own, and 8, 12, 13 or 14 digits of which the last does not fit the others.
    """
    code = inputs.text(code, "Barcode", CHARACTERS)
    if not code:
        raise BadInput(f"A barcode has 1 to {CHARACTERS} characters.")
    if not code.isprintable():
        raise BadInput(f"Barcode '{inputs.shown(code)}' holds a control character: scan or type it again.")
    if code.lower().startswith(OWN_LABELS):
        raise BadInput(f"'{inputs.shown(code)}' is a label of the shop itself, not the barcode of a product.")
    if not is_number(code):
        return code
    if not ean.is_valid(code):
        right = ean.calc_check_digit(code[:-1])
        raise BadInput(
            f"Barcode {code}: the last digit should be {right}. Scan it again, or check each digit."
        )
    digits = code.lstrip("0")
    for length in (EAN_8, EAN_13):
        if len(digits) <= length:
            return digits.zfill(length)
    return digits


def is_number(code: str) -> bool:
    """Whether a code is a GTIN by its length: then its last digit must fit the others."""
    return code.isascii() and code.isdigit() and len(code) in CHECKED_LENGTHS


def relatives(code: str) -> tuple[str, ...]:
    """The codes under which a piece and the packs of it are kept, of which `code` is one.

    The maker of a product numbers a case by the digit in front of the piece's number, so a code that nobody
    linked may say whose case it is. `code` is a spelling that `normal` gave.
    """
    if not is_number(code) or len(code) == EAN_8:
        return ()
    core = code.zfill(GTIN_14)[1:-1]
    packs = (f"{pack}{core}" for pack in PACKS)
    return tuple(other for pack in packs if (other := normal(pack + ean.calc_check_digit(pack))) != code)
