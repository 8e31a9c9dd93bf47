"""Labels as a picture, to be looked at before they are printed: drawn from the numbers of the PDF."""

import functools
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.labels import designs, lettering, sheets
from core.labels.designs import Design, Label
from core.labels.sheets import Format

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

FINER = 3  # drawn so many times finer, then made smaller: edges between two dots become grey
EDGE_GRAY = 190
WHITE, BLACK = 255, 0


def label(one: Label, form: Format, *, dots_per_inch: int, square: bool = False) -> "Image":
    """One label with its edge. Refuses like `designs.design`."""
    picture = _empty(form.label, dots_per_inch)
    _edge(picture, (0, 0, *form.label), dots_per_inch)
    _draw(picture, designs.design(one, form, square=square), 0, 0, dots_per_inch)
    return _finished(picture)


def sheet(
    labels: Sequence[tuple[Label, int]],
    form: Format,
    *,
    dots_per_inch: int,
    start: int = 1,
    square: bool = False,
) -> "Image":
    """The first page, with the edges of its labels. Refuses like `designs.design`."""
    picture = _empty(form.page, dots_per_inch)
    for _, x, y in sheets.places(form, form.on_a_page):
        _edge(picture, (x, y, x + form.label[0], y + form.label[1]), dots_per_inch)
    each = (one for one, copies in labels for _ in range(copies))
    on_page = form.on_a_page - start + 1
    for one, (_, x, y) in zip(each, sheets.places(form, on_page, start), strict=False):
        _draw(picture, designs.design(one, form, square=square), x, y, dots_per_inch)
    return _finished(picture)


def png(picture: "Image") -> bytes:
    """The picture as a file."""
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def _empty(size_mm: tuple[float, float], dots_per_inch: int) -> "Image":
    from PIL import Image

    return Image.new("L", tuple(round(_dots(edge, dots_per_inch)) for edge in size_mm), WHITE)


def _dots(mm: float, dots_per_inch: int) -> float:
    return mm * dots_per_inch * FINER / sheets.INCH


def _edge(picture: "Image", corners: tuple[float, float, float, float], dots_per_inch: int) -> None:
    left, top, right, bottom = (round(_dots(edge, dots_per_inch)) for edge in corners)
    _pen(picture).rectangle([left, top, right - 1, bottom - 1], outline=EDGE_GRAY, width=FINER)


def _draw(picture: "Image", design: Design, x: float, y: float, dots_per_inch: int) -> None:
    pen = _pen(picture)
    for left, top, width, height in design.rectangles:
        # Pillow draws the last column and row, too.
        first = (round(_dots(x + left, dots_per_inch)), round(_dots(y + top, dots_per_inch)))
        last = (
            round(_dots(x + left + width, dots_per_inch)) - 1,
            round(_dots(y + top + height, dots_per_inch)) - 1,
        )
        pen.rectangle([first, last], fill=BLACK)
    for line in design.lines:
        at = (_dots(x + line.x, dots_per_inch), _dots(y + line.baseline, dots_per_inch))
        size = _dots(line.points * lettering.POINT_MM, dots_per_inch)
        pen.text(at, line.words, fill=BLACK, font=_font(round(size, 1), line.bold), anchor="ls")


def _pen(picture: "Image") -> "ImageDraw":
    from PIL import ImageDraw

    return ImageDraw.Draw(picture)


@functools.lru_cache(64)
def _font(size: float, bold: bool) -> "FreeTypeFont":
    from PIL import ImageFont

    # Plain: as the PDF sets it, letter by letter.
    return ImageFont.truetype(str(lettering.file(bold=bold)), size, layout_engine=ImageFont.Layout.BASIC)


def _finished(picture: "Image") -> "Image":
    return picture.reduce(FINER)
