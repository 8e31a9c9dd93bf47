"""Labels on paper: what is printed is read back by other libraries and means the same in our own."""

import re
import zlib
from datetime import UTC, datetime

import pytest
import zxingcpp
from pyzbar import pyzbar

from core.errors import BadInput
from core.labels import label_choices, lettering, papers, proofs
from core.labels.designs import Label, design
from core.labels.sheets import FORMATS
from core.scanning import reading

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SHEET = FORMATS["l7160"]
LABELS = [
    Label("Hex bolt M10 × 120", "4006381333931", "FAS-1001", "12.50 €"),
    Label("Hex bolt M10 × 120", "10036000291459", "FAS-1001", "24 pieces"),
    Label("Small thing", "96385074", "S-1"),
    Label("Own code", "0400000000015", "OWN-1"),
    Label("Of another shop", "ABC-1234567890", "X-1"),
    Label("Überwurfmutter", "Größe 12", "M-1"),
    Label("No code", "sku:FAS-1001", "FAS-1001"),
    Label("No code, long SKU", "sku:FASTENERS/M10-120 B", "FASTENERS/M10-120 B"),
    Label("WH-A", "loc:WH-A", "Dublin", is_big=True),
    Label("Łódź", "loc:Łódź", "Magazyn", is_big=True),
    Label("Transfer", "cmd:transfer", "Move what is scanned", is_big=True),
]


def meant(code):
    """What our own reading makes of a code, whatever its spelling."""
    said = reading.read(code)
    return said.kind, said.code, said.place, said.sku, said.command


def is_read_back(label, form, dots_per_inch, square=False):
    """By each of the two libraries that the scanner reads with, alone."""
    picture = proofs.label(label, form, dots_per_inch=dots_per_inch, square=square)
    seen = {
        "zxing": [found.text for found in zxingcpp.read_barcodes(picture)],
        "zbar": [found.data.decode() for found in pyzbar.decode(picture)],
    }
    for library, codes in seen.items():
        assert [meant(code) for code in codes] == [meant(label.code)], (library, label, codes)


@pytest.mark.parametrize("name", FORMATS)
def test_every_label_in_every_format_is_read_back_at_the_resolution_of_label_printers(name):
    for label in LABELS:
        is_read_back(label, FORMATS[name], 203)


@pytest.mark.parametrize("name", FORMATS)
def test_every_kind_of_code_in_every_format_is_read_back_from_a_finer_printer(name):
    for label in (LABELS[0], LABELS[1], LABELS[8]):
        is_read_back(label, FORMATS[name], 300)
    is_read_back(LABELS[0], FORMATS[name], 300, square=True)


@pytest.mark.parametrize("name", ["l7160", "l4732", "57x32"])
def test_squares_hold_any_code(name):
    for label in LABELS:
        is_read_back(label, FORMATS[name], 203, square=True)


def test_the_commands_are_those_that_the_scanner_knows():
    labels = label_choices.of_commands()
    assert [reading.read(label.code).command for label in labels] == list(reading.COMMANDS)
    for label in labels:
        is_read_back(label, FORMATS["plain"], 203)


# -- The file ------------------------------------------------------------------------------------------------


def pages_of(file):
    """What is drawn on each page of a PDF, as its own words."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", file, re.DOTALL)
    texts = []
    for stream in streams:
        try:
            texts.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return [text for text in texts if " re f" in text]


def rectangles(page):
    """Dark rectangles of a page in millimetres from the upper left corner of an A4 sheet."""
    number = r"(-?[\d.]+)"
    for x, y, width, height in re.findall(rf"{number} {number} {number} {number} re f", page):
        x, y, width, height = (float(part) * 25.4 / 72 for part in (x, y, width, height))
        yield x, 297 - y, width, abs(height)


def test_the_file_holds_the_bars_of_the_design_where_the_sheet_has_its_labels():
    made = design(LABELS[0], SHEET)
    (page,) = pages_of(papers.pdf([(LABELS[0], 1)], SHEET, start=5, at=NOW))
    x, y = SHEET.left + SHEET.across, SHEET.top + SHEET.down
    printed = sorted(rectangles(page))
    wanted = sorted((x + left, y + top, width, height) for left, top, width, height in made.rectangles)
    assert len(printed) == len(wanted)
    for one, other in zip(printed, wanted, strict=True):
        assert one == pytest.approx(other, abs=0.006)


def test_copies_fill_as_many_sheets_as_they_need():
    file = papers.pdf([(LABELS[0], 20), (LABELS[1], 0), (LABELS[2], 3)], SHEET, at=NOW)
    first, second = pages_of(file)
    bars = [len(design(LABELS[place], SHEET).rectangles) for place in (0, 2)]
    assert len(list(rectangles(first))) == 20 * bars[0] + bars[1]
    assert len(list(rectangles(second))) == 2 * bars[1]


def test_the_file_asks_not_to_be_scaled_and_has_the_size_of_the_paper():
    file = papers.pdf([(LABELS[0], 1)], FORMATS["62x29"], at=NOW)
    assert b"/PrintScaling /None" in file
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", file)
    assert [float(edge) * 25.4 / 72 for edge in box.groups()] == pytest.approx([62, 29], abs=0.01)


def test_two_thousand_labels_fit_one_file():
    file = papers.pdf([(LABELS[0], 1000), (LABELS[1], 1000)], SHEET, at=NOW)
    assert file.count(b"/Type /Page\n") == 96
    assert len(file) < 2_000_000


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([], "No label is to be printed"),
        ([(LABELS[0], 0)], "No label is to be printed"),
        ([(LABELS[0], 5001)], "5,001 labels are too many"),
        ([(Label("Long", "X" * 100), 1)], "too long for this label"),
    ],
)
def test_what_cannot_be_printed_is_refused(labels, sentence):
    with pytest.raises(BadInput, match=sentence):
        papers.pdf(labels, FORMATS["l4732"], at=NOW)


def test_a_code_that_is_printed_in_another_kind_is_named_once():
    labels = [(LABELS[1], 2), (LABELS[1], 1), (LABELS[0], 1), (LABELS[4], 0)]
    assert papers.switched(labels, SHEET) == [
        "10036000291459 is printed as Code 128: as ITF-14 it would be too fine for this label."
    ]


# -- Words ---------------------------------------------------------------------------------------------------


def test_a_long_name_takes_the_lines_there_are_and_ends_in_dots():
    lines = lettering.lines("Hex head bolt M10 × 120 zinc plated, pack of 100", 9, 40, 2, bold=True)
    assert len(lines) == 2
    assert lines[0] == "Hex head bolt M10 ×"
    assert lines[1].endswith("…")
    assert all(lettering.width_mm(line, 9, bold=True) <= 40 for line in lines)


def test_a_word_wider_than_the_label_is_broken():
    lines = lettering.lines("Donaudampfschifffahrtsgesellschaft", 8, 20, 5)
    assert "".join(lines) == "Donaudampfschifffahrtsgesellschaft"
    assert lettering.lines("W", 50, 1, 1) == ["…"]


def test_scripts_that_the_font_has_are_printed_and_others_left_out():
    assert lettering.printable("Болт Μπουλόνι ½\n\u200b ") == "Болт Μπουλόνι ½"
    assert lettering.printable("M6 螺丝") == "M6"
    assert lettering.seen("שלום M6") == "M6 םולש"
    assert lettering.printable("A\u0308pfel") == "Äpfel"


def test_a_name_that_cannot_be_printed_gives_way_to_the_sku():
    made = design(Label("螺丝钉", "4006381333931", "FAS-1001"), SHEET)
    assert made.lines[0].words == "FAS-1001"
    assert made.lines[0].bold


def test_any_name_makes_a_file():
    names = ("\x00\x07", "𝔘𝔫𝔦", "مرحبا بالعالم", "(a) \\ b", "<b>&amp;")
    labels = [(Label(name, "4006381333931", name, name), 1) for name in names]
    assert papers.pdf(labels, SHEET, at=NOW).startswith(b"%PDF")
