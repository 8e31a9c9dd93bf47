"""Arithmetic: which of the reads of one picture count. A wrong read books a wrong product; none asks again.

Both libraries read bars that are not there: in noise, in a part of a longer code, in two codes at once. A
code counts when its digits fit each other and nobody contradicts it; weak kinds need two witnesses, which are
two libraries or two looks at the picture, and a UPC-E needs both libraries.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import NamedTuple

from stdnum import ean

from core.scanning.looks import Look
from core.scanning.readers import Read

Corners = tuple[tuple[int, int], ...]

TWO_DIMENSIONAL = ("QR", "DataMatrix")  # their error correction fits no noise
EAN_UPC = ("EAN-13", "UPC-A", "UPC-E", "EAN-8")
ITF_DIGITS = 14
UPC_A_DIGITS = 12
# On fewer lines than this zbar's bars may be the edge of anything.
LINES = 2
# Without a check character (Code 39), or with one that a few bars of noise fit, shorter ones are weak.
SURE_CHARACTERS = {"Code 39": 6, "Code 128": 4}


class Witness(NamedTuple):
    """A read, where it lies in the picture, and through which look it was seen."""

    read: Read
    corners: Corners
    look: Look


@dataclass(frozen=True)
class Agreed:
    """A code of the picture and how many witnesses it has."""

    text: str
    symbology: str
    corners: Corners
    witnesses: int
    is_zxing: bool


def agreed(heard: list[Witness]) -> list[Agreed]:
    """The codes that count, each once."""
    by_text: dict[str, list[Witness]] = defaultdict(list)
    for witness in map(_spelled, heard):
        if _fits(witness.read):
            by_text[witness.read.text].append(witness)
    codes = [_code(of_one) for of_one in by_text.values() if _is_sure(of_one)]
    return [code for code in codes if not any(_outdoes(other, code) for other in codes)]


def _spelled(witness: Witness) -> Witness:
    """With the one name and spelling of an EAN, as zbar gives a UPC-A as EAN-13 with a 0 in front."""
    read = witness.read
    if read.symbology not in EAN_UPC or len(read.text) != UPC_A_DIGITS + 1 or read.text[0] != "0":
        return witness
    text = read.text[1:]
    # zbar spells out a UPC-E without saying so; its six digits are weak.
    is_short = read.symbology == "UPC-E" or (read.reader == "zbar" and _may_be_short(text))
    symbology = "UPC-E" if is_short else "UPC-A"
    return witness._replace(read=replace(read, text=text, symbology=symbology))


def _may_be_short(upc_a: str) -> bool:
    """Whether a UPC-A can be written as a UPC-E: it begins with 0 or 1 and holds four zeros in a row."""
    return upc_a[0] in "01" and "0000" in upc_a[3:11]


def _fits(read: Read) -> bool:
    """Whether a read can be a whole code of its kind."""
    if not read.text or read.lines < LINES:
        return False
    if read.symbology == "ITF-14":
        return len(read.text) == ITF_DIGITS and ean.is_valid(read.text)
    return read.symbology not in EAN_UPC or ean.is_valid(read.text)


def _is_sure(of_one: list[Witness]) -> bool:
    """Whether a code has the witnesses it needs: two for a weak kind, one for the others."""
    if all(witness.read.symbology == "UPC-E" for witness in of_one):
        # A part of a UPC-A reads like one, through every look.
        return len({witness.read.reader for witness in of_one}) > 1
    if _count(of_one) > 1:
        return True
    read, _, look = of_one[0]
    if read.symbology == "EAN-8":
        return look.is_plain
    return len(read.text) >= SURE_CHARACTERS.get(read.symbology, 1)


def _code(of_one: list[Witness]) -> Agreed:
    best = max(of_one, key=_worth)
    symbology = "UPC-A" if best.read.symbology == "UPC-E" else best.read.symbology
    return Agreed(best.read.text, symbology, best.corners, _count(of_one), best.read.reader == "zxing")


def _count(of_one: list[Witness]) -> int:
    """How many witnesses there are: with other light only, a look is the same look."""
    return len({(witness.read.reader, replace(witness.look, is_stretched=True)) for witness in of_one})


def _worth(witness: Witness) -> tuple[bool, bool, bool]:
    """How exactly a witness knows kind and place, where one code is printed in two ways on a label too."""
    read = witness.read
    return read.symbology in TWO_DIMENSIONAL, read.reader == "zxing", witness.look.is_plain


def _outdoes(other: Agreed, code: Agreed) -> bool:
    """Whether another code at the same place takes this one's right: then one of the two is wrong.

    Of two dimensions beats bars, and zxing-cpp, which knows more of a QR code's alphabets, zbar. Of bars the
    one with more witnesses is right; as many for both, and neither counts.
    """
    if other is code or not _is_same_place(other.corners, code.corners):
        return False
    is_square, other_is = code.symbology in TWO_DIMENSIONAL, other.symbology in TWO_DIMENSIONAL
    if is_square != other_is:
        return other_is
    if is_square:
        return other.is_zxing and not code.is_zxing
    return other.witnesses >= code.witnesses


def _is_same_place(one: Corners, other: Corners) -> bool:
    """Whether the middle of either lies in the other."""
    return _holds(one, _middle(other)) or _holds(other, _middle(one))


def _middle(corners: Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def _holds(corners: Corners, place: tuple[float, float]) -> bool:
    """Whether a place is on the same side of all four edges (pixels on an edge belong to it)."""
    turns = []
    for (x, y), (next_x, next_y) in zip(corners, corners[1:] + corners[:1], strict=True):
        turns.append((next_x - x) * (place[1] - y) - (next_y - y) * (place[0] - x))
    return min(turns) >= 0 or max(turns) <= 0
