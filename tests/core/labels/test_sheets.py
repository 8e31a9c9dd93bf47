"""Sheets and rolls: every label on the page, none on another, and the first where it is asked for."""

import pytest

from core.errors import BadInput
from core.labels import designs, sheets
from core.labels.designs import Label
from core.labels.sheets import FORMATS

EVERY = pytest.mark.parametrize("name", FORMATS)


@EVERY
def test_all_labels_lie_on_the_page_and_none_on_another(name):
    form = FORMATS[name]
    corners = [(x, y) for _, x, y in sheets.places(form, form.on_a_page)]
    assert len(set(corners)) == form.on_a_page
    for x, y in corners:
        assert -1e-9 <= x <= form.page[0] - form.label[0] + 1e-9
        assert -1e-9 <= y <= form.page[1] - form.label[1] + 1e-9
    assert form.columns == 1 or form.across >= form.label[0] - 1e-9
    assert form.rows == 1 or form.down >= form.label[1] - 1e-9


def test_the_grids_are_those_of_the_makers():
    """Left and upper margin and the way to the next label, in millimetres, as their templates say."""
    known = {
        "l7160": (7.25, 15.15, 66.0, 38.1),
        "l7163": (4.65, 15.15, 101.6, 38.1),
        "l7651": (4.75, 10.7, 40.6, 21.2),
        "l4732": (11.0, 13.3, 38.1, 16.9),
        "5160": (4.7625, 12.7, 69.85, 25.4),
    }
    for name, grid in known.items():
        form = FORMATS[name]
        assert (form.left, form.top, form.across, form.down) == pytest.approx(grid, abs=0.05), name


@EVERY
def test_an_ean_13_is_printed_within_the_limits_of_gs1(name):
    form = FORMATS[name]
    made = designs.design(Label("A long name of a product", "4006381333931", "SKU-1", "12 pieces"), form)
    assert made.fitted.symbol.symbology == "EAN-13"
    assert 0.264 <= made.fitted.module_mm <= 0.66
    bars = made.rectangles
    left = min(x for x, *_ in bars)
    right = max(x + width for x, _, width, _ in bars)
    assert right - left == pytest.approx(95 * made.fitted.module_mm)
    assert left >= 11 * made.fitted.module_mm
    assert form.label[0] - right >= 7 * made.fitted.module_mm
    assert min(height for *_, height in bars) >= 6


@EVERY
@pytest.mark.parametrize("square", [False, True], ids=["bars", "square"])
def test_nothing_is_printed_beyond_the_edge_of_a_label(name, square):
    form = FORMATS[name]
    for label in (
        Label(
            "Hex bolt M10 with a name that is much longer than any label", "4006381333931", "S" * 60, "24 m"
        ),
        Label("WAREHOUSE-NORTH-EAST", "loc:WAREHOUSE-NORTH-EAST", "Far away", is_big=True),
        Label("Donaudampfschifffahrtsgesellschaftskapitän" * 3, "X" * 20),
    ):
        made = designs.design(label, form, square=square)
        for x, y, width, height in made.rectangles:
            assert form.pad - 0.1 <= x <= form.label[0] - form.pad + 0.1 - width
            assert form.pad - 0.1 <= y <= form.label[1] - form.pad + 0.1 - height
        for line in made.lines:
            wide = designs.lettering.width_mm(line.words, line.points, bold=line.bold)
            assert form.pad - 0.1 <= line.x <= form.label[0] - form.pad + 0.1 - wide, line
            assert form.pad < line.baseline < form.label[1] - form.pad + 0.1


def test_a_sheet_of_which_labels_were_used_begins_later_and_goes_on_to_the_next():
    form = FORMATS["l7160"]
    placed = list(sheets.places(form, 3, start=20))
    assert [page for page, _, _ in placed] == [0, 0, 1]
    assert placed[0][1:] == pytest.approx((form.left + form.across, form.top + 6 * form.down))
    assert placed[2][1:] == pytest.approx((form.left, form.top))
    assert sheets.pages(form, 3, start=20) == 2


@pytest.mark.parametrize("start", [0, 22, -1])
def test_a_place_that_the_sheet_does_not_have_is_refused(start):
    with pytest.raises(BadInput, match="this sheet has places 1 to 21"):
        sheets.checked(FORMATS["l7160"], 1, start)


def test_more_labels_than_one_file_holds_are_refused():
    sheets.checked(FORMATS["62x29"], 5000, 1)
    with pytest.raises(BadInput, match="5,001 labels are too many for one file"):
        sheets.checked(FORMATS["62x29"], 5001, 1)


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="'a3' is not a format; they are l7160"):
        sheets.named("a3")
