"""What labels are printed on: sheets and rolls with their exact geometry, in millimetres."""

from collections.abc import Iterator
from dataclasses import dataclass

from core import inputs
from core.errors import BadInput

INCH = 25.4
A4 = (210.0, 297.0)
LETTER = (8.5 * INCH, 11 * INCH)
LASER_DOT = INCH / 600
THERMAL_DOT = INCH / 203  # 8 dots a millimetre, what most label printers have
FINE_THERMAL_DOT = INCH / 300
MOST_LABELS = 5000  # of one file: a few hundred pages, made in seconds


@dataclass(frozen=True)
class Format:
    """Labels on a page. A roll is a page with one label.

    `left`, `top`: where the first label begins; `across`, `down`: from the beginning of one label to that of
    the next; `pad`: white kept inside its edge, as sheets slip in the printer; `dot`: of the printer it is
    meant for; `has_cuts`: plain paper, with lines to cut along.
    """

    name: str
    page: tuple[float, float]
    label: tuple[float, float]
    columns: int
    rows: int
    left: float
    top: float
    across: float
    down: float
    pad: float
    dot: float
    has_cuts: bool = False

    @property
    def on_a_page(self) -> int:
        return self.columns * self.rows

    @property
    def is_roll(self) -> bool:
        return self.on_a_page == 1


def _sheet(
    name: str, page: tuple[float, float], label: tuple[float, float], grid: tuple[int, int],
    gap: float, *, pad: float, has_cuts: bool = False,
) -> Format:  # fmt: skip
    """Labels in the middle of a page: `gap` between columns, none between rows."""
    (columns, rows), (width, height) = grid, label
    left = (page[0] - columns * width - (columns - 1) * gap) / 2
    top = (page[1] - rows * height) / 2
    return Format(name, page, label, columns, rows, left, top, width + gap, height, pad, LASER_DOT, has_cuts)


def _roll(name: str, width: float, height: float, dot: float) -> Format:
    """One label a page, as label printers want it."""
    return Format(name, (width, height), (width, height), 1, 1, 0, 0, width, height, 1.5, dot)


# The makers' own templates: the grid stands in the middle of the sheet.
FORMATS = {
    "l7160": _sheet("A4 sheet, 21 of 63.5 × 38.1 mm (Avery L7160)", A4, (63.5, 38.1), (3, 7), 2.5, pad=2),
    "l7163": _sheet("A4 sheet, 14 of 99.1 × 38.1 mm (Avery L7163)", A4, (99.1, 38.1), (2, 7), 2.5, pad=2),
    "l7651": _sheet("A4 sheet, 65 of 38.1 × 21.2 mm (Avery L7651)", A4, (38.1, 21.2), (5, 13), 2.5, pad=1.5),
    "l4732": _sheet("A4 sheet, 80 of 35.6 × 16.9 mm (Avery L4732)", A4, (35.6, 16.9), (5, 16), 2.5, pad=1),
    "5160": _sheet(
        "Letter sheet, 30 of 2⅝ × 1 in (Avery 5160)",
        LETTER, (2.625 * INCH, INCH), (3, 10), 0.125 * INCH, pad=1.5,
    ),
    "62x29": _roll("Label printer, 62 × 29 mm", 62, 29, FINE_THERMAL_DOT),
    "57x32": _roll("Label printer, 57 × 32 mm", 57, 32, THERMAL_DOT),
    "100x50": _roll("Label printer, 100 × 50 mm", 100, 50, THERMAL_DOT),
    "plain": _sheet(
        "A4 plain paper, 10 to cut out (for a board)", A4, (95, 55), (2, 5), 0, pad=5, has_cuts=True
    ),
}  # fmt: skip
USUAL, OF_COMMANDS = "l7160", "plain"


def named(name: str) -> Format:
    """The format of this name. Refuses an unknown one."""
    if name not in FORMATS:
        raise BadInput(f"'{inputs.shown(name)}' is not a format; they are {', '.join(FORMATS)}.")
    return FORMATS[name]


def checked(form: Format, labels: int, start: int) -> None:
    """Refuse a place to begin that the sheet does not have, and more labels than one file holds."""
    if not 1 <= start <= form.on_a_page:
        raise BadInput(f"Begin at: this sheet has places 1 to {form.on_a_page}, not {start}.")
    if labels > MOST_LABELS:
        raise BadInput(
            f"{labels:,} labels are too many for one file: print at most {MOST_LABELS:,}, then the rest."
        )


def places(form: Format, labels: int, start: int = 1) -> Iterator[tuple[int, float, float]]:
    """Page (from 0) and upper left corner of each label; the first one stands at place `start` of page 0,
    counted from 1 along the rows."""
    for number in range(start - 1, start - 1 + labels):
        page, place = divmod(number, form.on_a_page)
        row, column = divmod(place, form.columns)
        yield page, form.left + column * form.across, form.top + row * form.down


def pages(form: Format, labels: int, start: int = 1) -> int:
    """How many pages that many labels need."""
    return -(-(start - 1 + labels) // form.on_a_page)
