"""Codes printed on products and packs: one spelling for each, and no misread digits."""

from stdnum import ean

from core import inputs
from core.errors import BadInput

CHARACTERS = 100
# EAN-8, UPC-A, EAN-13 and the GTIN-14 of packs; their last digit is worked out from the ones before.
CHECKED_LENGTHS = (8, 12, 13, 14)
EAN_13 = 13


def normal(code: str) -> str:
    """The one spelling of a code under which it is kept and looked for.

    A UPC-A is the EAN-13 with a 0 in front, and so is a GTIN-14 that begins with 0: all three are one
    barcode. Refuses an empty or too long code, control characters, and 8, 12, 13 or 14 digits of which the
    last does not fit the others.
    """
    code = inputs.text(code, "Barcode", CHARACTERS)
    if not code:
        raise BadInput(f"A barcode has 1 to {CHARACTERS} characters.")
    if not code.isprintable():
        raise BadInput(f"Barcode '{inputs.shown(code)}' holds a control character: scan or type it again.")
    if not (code.isascii() and code.isdigit()) or len(code) not in CHECKED_LENGTHS:
        return code
    if not ean.is_valid(code):
        right = ean.calc_check_digit(code[:-1])
        raise BadInput(
            f"Barcode {code}: the last digit should be {right}. Scan it again, or check each digit."
        )
    if len(code) == EAN_13 - 1:
        return f"0{code}"
    return code[1:] if len(code) > EAN_13 and code[0] == "0" else code


def spoken(code: str) -> str:
    """The spelling under which to look for what somebody typed: as it is where it cannot be a barcode."""
    try:
        return normal(code)
    except BadInput:
        return code
