"""Codes as bars and squares: the right kind, at a size that is read, and nothing else than the code."""

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from stdnum import ean

from core.errors import BadInput
from core.labels import sheets, symbols

EAN_13, EAN_8, ITF_14, UPC_A = "4006381333931", "96385074", "10036000291459", "0036000291452"
DOT = sheets.LASER_DOT


def picture(symbol, scale=4, tall=60):
    """A symbol as a picture, without the code that draws labels."""
    left = symbol.quiet[0]
    white = left if symbol.is_square else 10
    rows = symbol.rows if symbol.is_square else tall // scale
    image = Image.new("L", (symbol.width * scale, (rows + 2 * white) * scale), 255)
    for row, start, columns in symbol.dark:
        size = (columns * scale, scale if symbol.is_square else tall)
        image.paste(0, ((left + start) * scale, (white + row) * scale, (left + start) * scale + size[0],
                        (white + row) * scale + size[1]))  # fmt: skip
    return image


def read(symbol):
    return [found.text for found in zxingcpp.read_barcodes(picture(symbol))]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (EAN_13, "EAN-13"),
        (EAN_8, "EAN-8"),
        (UPC_A, "EAN-13"),
        (ITF_14, "ITF-14"),
        ("4006381333932", "Code 128"),
        ("123456", "Code 128"),
        ("ABC-1/2", "Code 128"),
        ("loc:WH-A", "Code 128"),
        ("cmd:transfer", "Code 128"),
        ("sku:A-VERY-LONG-SKU", "QR"),
        ("loc:Łódź", "QR"),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", "QR"),
    ],
)
def test_each_code_gets_its_usual_kind(code, kind):
    assert symbols.kinds(code)[0] == kind
    assert symbols.kinds(code, square=True) == ("QR",)


@pytest.mark.parametrize(
    "code", [EAN_13, EAN_8, UPC_A, ITF_14, "Größe 12", "loc:Łódź", "螺丝钉", "sku:A b/c"]
)
def test_another_library_reads_every_kind_that_a_code_may_get(code):
    for kind in symbols.kinds(code):
        assert read(symbols.drawn(code, kind)) == [code], kind


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_in_bars_reads_as_that_text(text):
    assert read(symbols.drawn(text, "Code 128")) == [text]


@given(st.integers(0, 10**12 - 1))
@settings(max_examples=40, deadline=None)
def test_any_number_reads_as_that_number(number):
    code = f"{number:012d}"
    code += ean.calc_check_digit(code)
    assert read(symbols.drawn(code, "EAN-13")) == [code]


def test_the_white_around_a_symbol_is_what_the_standard_asks():
    quiet = {
        code: symbols.drawn(code, symbols.kinds(code)[0]).quiet for code in (EAN_13, UPC_A, EAN_8, ITF_14)
    }
    assert quiet == {EAN_13: (11, 7), UPC_A: (11, 9), EAN_8: (7, 7), ITF_14: (10, 10)}
    assert symbols.drawn("loc:A", "QR").quiet == (4, 4)
    assert symbols.drawn(EAN_13, "EAN-13").width == 113


def test_modules_are_whole_dots_within_the_limits_of_the_kind():
    for width in (34, 38, 50, 80, 200):
        made = symbols.fitted(EAN_13, bars_mm=(width, 20), square_mm=15, dot_mm=DOT)
        assert made.symbol.symbology == "EAN-13"
        assert 0.264 <= made.module_mm <= 0.66
        assert made.module_mm / DOT == pytest.approx(round(made.module_mm / DOT))
        assert made.width_mm <= width


def test_a_case_gets_itf_where_it_is_wide_enough_and_says_so_where_it_is_not():
    wide = symbols.fitted(ITF_14, bars_mm=(95, 20), square_mm=20, dot_mm=DOT)
    assert (wide.symbol.symbology, wide.said) == ("ITF-14", None)
    assert wide.module_mm >= 0.495
    narrow = symbols.fitted(ITF_14, bars_mm=(60, 20), square_mm=20, dot_mm=DOT)
    assert narrow.symbol.symbology == "Code 128"
    assert (
        narrow.said == "10036000291459 is printed as Code 128: as ITF-14 it would be too fine for this label."
    )


def test_bars_that_would_be_too_low_or_too_fine_become_a_square():
    low = symbols.fitted(EAN_13, bars_mm=(60, 5), square_mm=15, dot_mm=DOT)
    fine = symbols.fitted("X" * 40, bars_mm=(60, 20), square_mm=20, dot_mm=DOT)
    assert {low.symbol.symbology, fine.symbol.symbology} == {"QR"}
    assert "as Code 128 it would be too fine" in fine.said


def test_what_no_kind_can_hold_on_a_label_is_refused_by_its_code():
    with pytest.raises(BadInput, match="too long for this label: choose a larger format"):
        symbols.fitted("X" * 100, bars_mm=(34, 10), square_mm=14, dot_mm=DOT)


@pytest.mark.parametrize("code", ["", "X" * 105])
def test_an_empty_code_and_one_that_no_product_can_have_are_refused(code):
    with pytest.raises(BadInput, match="A code on a label has 1 to 104 characters"):
        symbols.drawn(code, "QR")
