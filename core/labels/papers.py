"""Labels as a PDF: every bar a rectangle of exact size, every page a sheet or one label of a roll."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import BadInput
from core.labels import designs, lettering, sheets
from core.labels.designs import Design, Label
from core.labels.sheets import Format

if TYPE_CHECKING:
    from fpdf import FPDF

CUT_GRAY, CUT_MM = 190, 0.1


def pdf(
    labels: Sequence[tuple[Label, int]], form: Format, *, start: int = 1, square: bool = False, at: datetime
) -> bytes:
    """So many copies of each label, one after the other, the first at place `start` of the first sheet.

    Args:
        square: QR codes, even where bars would fit.
        at: the moment that the file gives as its making.

    Refuses nothing to print, more labels than a file holds, a place that the sheet does not have, and a code
    that cannot be read at the size there is room for.
    """
    count = total(labels)
    if not count:
        raise BadInput("No label is to be printed: enter how many copies of at least one.")
    sheets.checked(form, count, start)
    drawn = [(designs.design(label, form, square=square), copies) for label, copies in labels if copies]
    each = (design for design, copies in drawn for _ in range(copies))
    page = _paper(form, at)
    now = -1
    for design, (number, x, y) in zip(each, sheets.places(form, count, start), strict=True):
        if number != now:
            page.add_page()
            now = number
        _draw(page, design, form, x, y)
    return bytes(page.output())


def total(labels: Iterable[tuple[Label, int]]) -> int:
    """How many labels are printed."""
    return sum(copies for _, copies in labels)


def switched(labels: Sequence[tuple[Label, int]], form: Format, *, square: bool = False) -> list[str]:
    """A sentence for each code that is not printed as the usual kind, in their order; each one once.

    Refuses like `pdf` where a code cannot be printed at all.
    """
    said = (designs.design(label, form, square=square).fitted.said for label, copies in labels if copies)
    return list(dict.fromkeys(sentence for sentence in said if sentence))


def _paper(form: Format, at: datetime) -> "FPDF":
    from fpdf import FPDF
    from fpdf.enums import Duplex
    from fpdf.prefs import ViewerPreferences

    paper = FPDF(format=form.page, unit="mm")
    for bold, style in ((False, ""), (True, "B")):
        paper.add_font(lettering.FONT, style, str(lettering.file(bold=bold)))
    paper.set_margins(0, 0)
    paper.set_auto_page_break(False)
    paper.set_title("Labels")
    paper.set_creation_date(at)
    # Readers that heed it print as it is: a page that is "fitted" makes every bar thinner.
    paper.viewer_preferences = ViewerPreferences(print_scaling="None", duplex=Duplex.SIMPLEX)
    paper.set_draw_color(CUT_GRAY)
    paper.set_line_width(CUT_MM)
    return paper


def _draw(page: "FPDF", design: Design, form: Format, x: float, y: float) -> None:
    for left, top, width, height in design.rectangles:
        page.rect(x + left, y + top, width, height, style="F")
    for line in design.lines:
        page.set_font(lettering.FONT, "B" if line.bold else "", line.points)
        page.text(x + line.x, y + line.baseline, line.words)
    if form.has_cuts:
        page.rect(x, y, *form.label)
