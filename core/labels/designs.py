"""What stands where on a label: rectangles and lines of text, in millimetres from its upper left corner."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.labels import lettering, symbols
from core.labels.sheets import Format
from core.labels.symbols import Fitted

MOST_BAR_MM = 22.85  # the height GS1 gives the bars of an EAN-13 of the usual size; higher ones help nobody
MOST_SQUARE_MM = 32.0
SQUARE_SHARE = 0.48  # of the width, at most: the words beside it need the rest
GAP_MM = 1.0
BIG_SHARE = 0.3  # of the height, for what is read from some steps away
LINES_BESIDE = 3  # of a heading beside a square, where lines are short

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """What a label says. `heading`: the name of a product, the code of a place, the words of a command;
    `code`: what is scanned; `left` and `right`: a small line under the heading; `is_big`: the heading is read
    from some steps away."""

    heading: str
    code: str
    left: str = ""
    right: str = ""
    is_big: bool = False


@dataclass(frozen=True)
class Text:
    """A line of text: where it begins, where its letters stand, their size in points."""

    x: float
    baseline: float
    words: str
    points: float
    bold: bool = False


@dataclass(frozen=True)
class Design:
    """A label drawn: dark rectangles (x, y, width, height) and lines; and the symbol as it was fitted."""

    rectangles: tuple[Rectangle, ...]
    lines: tuple[Text, ...]
    fitted: Fitted


@dataclass(frozen=True)
class _Type:
    """Sizes of letters in points, and how many lines a heading over bars has."""

    heading: float
    small: float
    heading_lines: int


# By the height of the label in millimetres: the first that is higher.
TYPES = (
    (20.0, _Type(6, 5.5, 1)),
    (24.0, _Type(7, 6, 1)),
    (30.0, _Type(8, 7, 1)),
    (40.0, _Type(9, 7.5, 2)),
    (float("inf"), _Type(12, 9, 2)),
)


@dataclass(frozen=True)
class _Row:
    """What stands on one line: each text with its distance from the left."""

    texts: tuple[tuple[float, str], ...]
    points: float
    bold: bool = False


def design(label: Label, form: Format, *, square: bool = False) -> Design:
    """The label on this format. Refuses a code that cannot be read at the size there is room for."""
    width, height = (edge - 2 * form.pad for edge in form.label)
    type_ = next(sizes for highest, sizes in TYPES if form.label[1] < highest)
    above = [*_heading(label, type_, width, height), *_small_on_one(label, type_, width)]
    below = lettering.line_mm(type_.small)
    fitted = symbols.fitted(
        label.code,
        bars_mm=(width, height - _height(above) - below - GAP_MM),
        square_mm=min(height, width * SQUARE_SHARE, MOST_SQUARE_MM),
        dot_mm=form.dot,
        square=square,
    )
    if fitted.symbol.is_square:
        return _with_square(label, type_, fitted, form, width, height)
    return _with_bars(above, label.code, type_, fitted, form, width, height)


# -- The words -----------------------------------------------------------------------------------------------


def _heading(label: Label, type_: _Type, width: float, height: float, most_lines: int = 0) -> list[_Row]:
    """What people read first; in a script that the font lacks the small line stands there instead."""
    words = lettering.printable(label.heading) or lettering.printable(label.left) or label.code
    points, most = type_.heading, most_lines or type_.heading_lines
    if label.is_big:
        highest = height * BIG_SHARE / lettering.line_mm(1)
        points = lettering.largest(words, width, type_.heading, highest, bold=True)
    # What just fits may be a hair wider in the arithmetic.
    lines = lettering.lines(words, points, width + 0.01, most, bold=True)
    return [_Row(((0.0, line),), points, bold=True) for line in lines]


def _small_on_one(label: Label, type_: _Type, width: float) -> list[_Row]:
    """The small line over bars: one text at the left, one at the right."""
    right = lettering.printable(label.right)
    taken = lettering.width_mm(right, type_.small)
    room = max(width - taken - (GAP_MM if right else 0), 0)
    texts = [(0.0, line) for line in lettering.lines(lettering.printable(label.left), type_.small, room, 1)]
    if right:
        texts.append((max(width - taken, 0), right))
    return [_Row(tuple(texts), type_.small)] if texts else []


def _small_below(label: Label, type_: _Type, width: float) -> list[_Row]:
    """The small texts beside a square, a line each, and what the square holds."""
    said = [lettering.printable(text) for text in (label.left, label.right, label.code)]
    return [
        _Row(((0.0, line),), type_.small)
        for text in said
        for line in lettering.lines(text, type_.small, width, 1)
    ]


def _height(rows: list[_Row]) -> float:
    return sum(lettering.line_mm(row.points) for row in rows)


def _set(rows: list[_Row], x: float, y: float) -> Iterator[Text]:
    """The rows from this corner downwards."""
    for row in rows:
        baseline = y + lettering.ASCENT * row.points * lettering.POINT_MM
        for place, words in row.texts:
            yield Text(x + place, baseline, lettering.seen(words), row.points, row.bold)
        y += lettering.line_mm(row.points)


# -- The symbol and the words --------------------------------------------------------------------------------


def _with_bars(
    above: list[_Row], code: str, type_: _Type, fitted: Fitted, form: Format, width: float, height: float
) -> Design:
    """The words, the bars in the middle under them, and the code for people at the foot."""
    points = lettering.largest(code, width, 1, type_.small)
    foot = _Row((((width - lettering.width_mm(code, points)) / 2, code),), points)
    room = height - _height(above) - lettering.line_mm(type_.small) - GAP_MM
    tall = min(room, MOST_BAR_MM)
    # What is left over stands half above and half below, so that words and bars stay together.
    top = form.pad + (room - tall) / 2
    y = top + _height(above) + GAP_MM / 2
    x = _on_a_dot(form.pad + (width - fitted.width_mm) / 2, form.dot)
    texts = [*_set(above, form.pad, top), *_set([foot], form.pad, y + tall + GAP_MM / 2)]
    return Design(tuple(_bars(fitted, x, y, tall)), tuple(texts), fitted)


def _with_square(
    label: Label, type_: _Type, fitted: Fitted, form: Format, width: float, height: float
) -> Design:
    """The square at the left, the words beside it, both in the middle."""
    edge, quiet = fitted.width_mm, fitted.symbol.quiet[0] * fitted.module_mm
    # The white around the square is part of it, and keeps the words away.
    x = _on_a_dot(form.pad, form.dot)
    y = _on_a_dot(form.pad + (height - edge) / 2, form.dot)
    room = width - edge
    rows = [*_heading(label, type_, room, height, LINES_BESIDE), *_small_below(label, type_, room)]
    while _height(rows) > height and len(rows) > 1:
        rows.pop(-2)  # the name's first line and the code are what people look for
    texts = _set(rows, form.pad + edge, form.pad + (height - _height(rows)) / 2)
    return Design(tuple(_squares(fitted, x + quiet, y + quiet)), tuple(texts), fitted)


def _on_a_dot(place: float, dot: float) -> float:
    return round(place / dot) * dot


def _bars(fitted: Fitted, x: float, y: float, tall: float) -> Iterator[Rectangle]:
    """The bars from this corner of their room, quiet zone included, with the bearers above and below."""
    symbol, module = fitted.symbol, fitted.module_mm
    x += symbol.quiet[0] * module
    thick = symbol.bearer * module
    if thick:
        yield x, y, symbol.columns * module, thick
        yield x, y + tall - thick, symbol.columns * module, thick
    for _, start, columns in symbol.dark:
        yield x + start * module, y + thick, columns * module, tall - 2 * thick


def _squares(fitted: Fitted, x: float, y: float) -> Iterator[Rectangle]:
    module = fitted.module_mm
    for row, start, columns in fitted.symbol.dark:
        yield x + start * module, y + row * module, columns * module, module
