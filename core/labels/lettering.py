"""Words on a label: how wide they are, where a line breaks, and what is left out when there is no room."""

import functools
import unicodedata
from pathlib import Path

FONT = "DejaVu"  # Latin, Greek, Cyrillic, Hebrew, Arabic and more; the fonts of PDF itself have Latin only
FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
POINT_MM = 25.4 / 72
LINE_POINTS = 1.2  # from one line to the next
ASCENT = 0.93  # from the top of a line to the foot of its letters
MORE = "…"
RIGHT_TO_LEFT = {"R", "AL"}


def file(*, bold: bool) -> Path:
    """The font's file; Matplotlib brings it."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / FILES[bold]


@functools.cache
def _advances(bold: bool) -> dict[int, float]:
    """How far each sign moves the pen, as a share of the size of the letters."""
    from fontTools.ttLib import TTFont

    with TTFont(file(bold=bold)) as font:
        widths, unit = font["hmtx"], font["head"].unitsPerEm
        return {sign: widths[name][0] / unit for sign, name in font.getBestCmap().items()}


def width_mm(words: str, points: float, *, bold: bool = False) -> float:
    """How wide a line is printed."""
    known = _advances(bold)
    return sum(known.get(ord(sign), 1.0) for sign in words) * points * POINT_MM


def line_mm(points: float) -> float:
    """Height of a line."""
    return points * LINE_POINTS * POINT_MM


def printable(words: str) -> str:
    """What the font can print of a text, on one line; a script that it lacks is left out."""
    known = _advances(False)
    # One sign for a letter and its accent: the font has those, and marks of their own would stand beside.
    composed = unicodedata.normalize("NFC", words)
    kept = "".join(sign if sign.isprintable() else " " for sign in composed)
    return " ".join("".join(sign for sign in kept if sign == " " or ord(sign) in known).split())


def lines(words: str, points: float, width: float, most: int, *, bold: bool = False) -> list[str]:
    """The text in at most so many lines of a width in millimetres; what has no room ends in "…"."""
    made, rest = [], words
    while rest and len(made) < most:
        is_last = len(made) == most - 1
        if width_mm(rest, points, bold=bold) <= width:
            line, rest = rest, ""
        elif is_last:
            line, rest = _cut(rest, points, width, bold), ""
        else:
            line, rest = _broken(rest, points, width, bold)
        made.append(line)
    return made


def largest(words: str, width: float, least: float, most: float, *, bold: bool = False) -> float:
    """The size in points at which a line just fits: `least` even where it does not."""
    at_one = width_mm(words, 1, bold=bold)
    return max(least, min(most, width / at_one if at_one else most))


def seen(line: str) -> str:
    """A line as it is drawn from left to right; Hebrew and Arabic are written the other way."""
    if not any(unicodedata.bidirectional(sign) in RIGHT_TO_LEFT for sign in line):
        return line
    from fpdf.bidi import BidiParagraph

    return "".join(sign.character for sign in BidiParagraph(line).get_reordered_characters())


def _cut(words: str, points: float, width: float, bold: bool) -> str:
    kept = words
    while kept and width_mm(kept.rstrip() + MORE, points, bold=bold) > width:
        kept = kept[:-1]
    return kept.rstrip() + MORE


def _broken(words: str, points: float, width: float, bold: bool) -> tuple[str, str]:
    """The first line and the rest: broken between words, or within one that is wider than the line."""
    wider = (n for n in range(1, len(words)) if width_mm(words[: n + 1], points, bold=bold) > width)
    fits = next(wider, len(words))
    place = words.rfind(" ", 0, fits + 1)
    return (words[:place], words[place + 1 :]) if place > 0 else (words[:fits], words[fits:])
