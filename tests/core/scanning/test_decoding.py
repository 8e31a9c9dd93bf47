"""What two libraries see in a picture: every kind of code once, and nothing where there is none."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFilter
from stdnum import ean

from bench import decode_empty, decode_pictures
from core.errors import RuleBroken
from core.scanning import decoding, looks, readers, witnesses
from core.scanning.looks import Look
from core.scanning.readers import Read
from core.scanning.witnesses import Witness

CODES = {
    "EAN-13": "4006381333931",
    "UPC-A": "036000291452",
    "EAN-8": "96385074",
    "ITF-14": "10012345600019",
    "Code 128": "PALLET-00042",
    "Code 39": "A+B/C-7",
    "QR": "https://id.gs1.org/01/09506000134352/10/AB12",
    "DataMatrix": "Bin 7, Lager Süd",
}
RAW = Look(is_stretched=False)


def a_picture(text, symbology, module=3.0, size=(640, 480), at=None):
    """A code on a gray page."""
    page = Image.new("L", size, 200)
    code = decode_pictures.drawn(text, symbology, module)
    page.paste(code, at or ((size[0] - code.width) // 2, (size[1] - code.height) // 2))
    return np.asarray(page)


def texts(gray, effort="photo", **how):
    return [(seen.symbology, seen.text) for seen in decoding.decode(gray, effort=effort, **how)]


@pytest.mark.parametrize("effort", ["live", "photo"])
@pytest.mark.parametrize("symbology", CODES)
def test_each_kind_of_code_is_read_once(symbology, effort):
    seen = texts(a_picture(CODES[symbology], symbology), effort)
    assert seen == [(symbology, CODES[symbology])]


@pytest.mark.parametrize("symbology", CODES)
def test_either_library_is_enough(symbology, monkeypatch):
    gray = a_picture(CODES[symbology], symbology)
    with monkeypatch.context() as without:
        without.setattr(readers, "zbar_library", lambda: None)
        assert texts(gray, "live") == [(symbology, CODES[symbology])]
        assert "libzbar0" in decoding.trouble()
        assert decoding.can_read()
    monkeypatch.setattr(readers, "zxing_library", lambda: None)
    assert texts(gray, "live") == ([] if symbology == "DataMatrix" else [(symbology, CODES[symbology])])
    assert "zxing-cpp" in decoding.trouble()


def test_with_neither_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(readers, "zbar_library", lambda: None)
    monkeypatch.setattr(readers, "zxing_library", lambda: None)
    assert not decoding.can_read()
    with pytest.raises(RuleBroken, match="libzbar0"):
        decoding.decode(a_picture("96385074", "EAN-8"))


def test_a_missing_library_of_the_system_is_no_failed_import(monkeypatch):
    assert decoding.trouble() is None
    for name in ("pyzbar", "zxingcpp"):
        monkeypatch.setitem(sys.modules, name, None)
    assert readers.zbar_library.__wrapped__() is None
    assert readers.zxing_library.__wrapped__() is None


@pytest.mark.parametrize("degrees", [0, 30, 90, 180])
def test_corners_lie_around_the_code_in_the_picture_itself(degrees):
    page = Image.fromarray(a_picture("PALLET-00042", "Code 128", 2.0, (700, 700), at=(100, 80)))
    turned = np.asarray(page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=200))
    (seen,) = decoding.decode(turned, effort="photo")
    dark = np.argwhere(turned < 90)[:, ::-1]
    middle = dark.mean(0)
    assert len(seen.corners) == 4
    assert all(isinstance(x, int) and isinstance(y, int) for x, y in seen.corners)
    assert np.abs(np.mean(seen.corners, 0) - middle).max() < 40
    for corner in seen.corners:
        assert np.abs(dark - corner).sum(1).min() < 60


def test_a_code_on_a_large_picture_and_a_small_blurred_one_have_corners_of_the_picture():
    large = a_picture("96385074", "EAN-8", 5.0, (2000, 1500), at=(1300, 1000))
    for effort in ("live", "photo"):
        (seen,) = decoding.decode(large, effort=effort)
        assert all(1280 < x < 1760 and 980 < y < 1500 for x, y in seen.corners)
    blurred = Image.fromarray(a_picture("4006381333931", "EAN-13", 2.0)).filter(ImageFilter.GaussianBlur(1.1))
    (seen,) = decoding.decode(np.asarray(blurred), effort="photo")
    assert all(200 < x < 440 and 150 < y < 330 for x, y in seen.corners)


def test_several_codes_are_read_from_top_to_bottom():
    page = Image.new("L", (640, 480), 230)
    for place, (symbology, text) in enumerate(
        [("EAN-8", "96385074"), ("QR", "loc:WH-A"), ("Code 128", "AB-12345")]
    ):
        page.paste(decode_pictures.drawn(text, symbology, 2.0), (60 + 150 * place, 20 + 150 * place))
    assert [text for _, text in texts(np.asarray(page))] == ["96385074", "loc:WH-A", "AB-12345"]


@pytest.mark.parametrize("kind", ["Code128", "DataMatrix", "QRCode"])
def test_gs1_keeps_the_separator_between_its_parts(kind):
    import zxingcpp

    code = zxingcpp.create_barcode(
        "(01)09506000134352(10)AB12(21)777", getattr(zxingcpp.BarcodeFormat, kind), gs1=True
    )
    gray = np.pad(np.array(code.to_image(scale=3)), 30, constant_values=255)
    assert [text for _, text in texts(gray)] == ["010950600013435210AB12\x1d21777"]


def test_a_qr_of_bytes_is_text_and_a_long_one_is_whole():
    import zxingcpp

    for content in (
        b"\xff\xfe\0bin\x81",
        "x" * 2_900,
        "=cmd|' /C calc'!A0",
        "javascript:alert(1)",
        "a\0b\nc",
    ):
        code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode)
        gray = np.pad(np.array(code.to_image(scale=3)), 30, constant_values=255)
        (seen,) = decoding.decode(gray, effort="photo")
        assert isinstance(seen.text, str)
        assert content == seen.text or isinstance(content, bytes)


@pytest.mark.parametrize("library", ["zbar_library", "zxing_library", "none of them"])
def test_a_part_of_an_itf_is_no_code(library, monkeypatch):
    if library.endswith("library"):
        monkeypatch.setattr(readers, library, lambda: None)
    import zxingcpp

    for digits in ("123456", "00012345"):
        code = zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat.ITF)
        gray = np.pad(np.array(code.to_image(scale=3)), 30, constant_values=255)
        assert texts(gray, "live") == []


@pytest.mark.parametrize("kind", decode_empty.EMPTY)
def test_nothing_is_read_where_there_is_no_code(kind):
    draw = decode_empty.EMPTY[kind][1]
    gray = np.asarray(draw((480, 360), np.random.default_rng(7)))
    assert texts(gray) == []
    assert [texts(gray, "live", turn=turn) for turn in range(2)] == [[], []]


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (1, 1), (1, 2400), (2400, 1), (3, 2)])
@pytest.mark.parametrize("effort", ["live", "photo"])
def test_pictures_of_hardly_any_pixels_hold_nothing(shape, effort):
    for light in (0, 255):
        assert texts(np.full(shape, light, np.uint8), effort) == []


def test_what_makes_one_frame_unreadable_is_undone_by_a_slower_look_of_another():
    slanted = Image.fromarray(a_picture("PALLET-00042", "Code 128", 1.6)).rotate(45, fillcolor=200)
    gray = np.asarray(slanted)
    assert texts(gray, "live", turn=0) == []
    frames = [texts(gray, "live", turn=turn) for turn in range(1, 2 * len(decoding.SLOWER), 2)]
    assert [("Code 128", "PALLET-00042")] in frames


def test_dim_pale_and_inverted_codes_are_read():
    gray = a_picture("PALLET-00042", "Code 128")
    assert texts((gray * 0.1).astype(np.uint8), "live") == [("Code 128", "PALLET-00042")]
    assert texts((gray * 0.08 + 120).astype(np.uint8), "live") == [("Code 128", "PALLET-00042")]
    assert texts(255 - gray) == [("Code 128", "PALLET-00042")]


def test_a_picture_drawn_full_of_codes_is_looked_at_twice_and_no_more(monkeypatch):
    page = Image.new("L", (1_000, 700), 255)
    for number in range(readers.MOST_CODES + 10):
        code = decode_pictures.drawn(f"{number:07d}{ean.calc_check_digit(f'{number:07d}')}", "EAN-8", 1)
        page.paste(code.resize((code.width, 40)), (number % 10 * 100, number // 10 * 60))
    gray, seen_through = np.asarray(page), []
    monkeypatch.setattr(looks, "view", _noted(looks.view, seen_through))
    assert len(readers.with_zxing(gray)) == len(readers.with_zbar(gray)) == readers.MOST_CODES
    assert len(texts(gray)) >= readers.MOST_CODES
    assert seen_through == [decoding.AS_IT_IS, decoding.PLAIN]


def _noted(view, seen_through):
    def noted(picture, look, side):
        seen_through.append(look)
        return view(picture, look, side)

    return noted


def test_threads_read_what_one_reads():
    shown = [a_picture(text, symbology) for symbology, text in CODES.items()] * 2
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(texts, shown)) == [[(kind, text)] for kind, text in CODES.items()] * 2


# --- what witnesses say ------------------------------------------------------------------------------------


def said(text, symbology, *, look=RAW, reader="zxing", lines=50, at=0):
    corners = ((at, 0), (at + 100, 0), (at + 100, 50), (at, 50))
    return Witness(Read(text, symbology, corners, lines, reader), corners, look)


def counted(*heard):
    return [(code.symbology, code.text) for code in witnesses.agreed(list(heard))]


def test_a_wrong_check_digit_is_no_code():
    assert (
        counted(said("4006381333932", "EAN-13"), said("96385075", "EAN-8"), said("10012345600018", "ITF-14"))
        == []
    )
    assert counted(said("4006381333931", "EAN-13")) == [("EAN-13", "4006381333931")]


def test_upc_a_has_one_name_and_spelling_whoever_reads_it():
    both = said("0036000291452", "EAN-13", reader="zbar"), said("0036000291452", "UPC-A")
    assert counted(*both) == [("UPC-A", "036000291452")]


def test_weak_codes_need_two_witnesses():
    short = Look(soft=1.0)
    assert counted(said("A12", "Code 39")) == []
    assert counted(said("A12", "Code 39"), said("A12", "Code 39")) == []
    assert counted(said("A12", "Code 39"), said("A12", "Code 39", reader="zbar")) == [("Code 39", "A12")]
    assert counted(said("96385074", "EAN-8", look=short)) == []
    assert counted(said("0012345000065", "EAN-13", reader="zbar")) == []
    assert counted(said("0012345000065", "EAN-13")) == [("UPC-A", "012345000065")]
    assert counted(said("0012345000065", "UPC-E"), said("0012345000065", "UPC-E", look=short)) == []
    assert counted(said("0012345000065", "UPC-E"), said("0012345000065", "EAN-13", reader="zbar")) == [
        ("UPC-A", "012345000065")
    ]


def test_bars_on_a_single_line_are_the_edge_of_something():
    assert counted(said("4006381333931", "EAN-13", reader="zbar", lines=1)) == []


def test_two_readings_of_the_same_bars_cancel_out_unless_one_has_more_witnesses():
    one, other = said("4006381333931", "EAN-13"), said("5901234123457", "EAN-13", reader="zbar")
    assert counted(one, other) == []
    again = said("4006381333931", "EAN-13", look=Look())
    assert counted(one, other, again) == []
    again = said("4006381333931", "EAN-13", look=Look(degrees=45))
    assert counted(one, other, again) == [("EAN-13", "4006381333931")]
    beside = said("5901234123457", "EAN-13", reader="zbar", at=300)
    assert len(counted(one, beside)) == 2


def test_a_square_code_wins_over_bars_read_in_it_and_over_another_alphabet():
    square = said("Lager Süd", "QR")
    assert counted(square, said("12345678", "Code 128"), said("Lager Sﾃｼd", "QR", reader="zbar")) == [
        ("QR", "Lager Süd")
    ]


def test_a_code_printed_as_bars_and_as_a_square_is_one_code():
    assert counted(said("AB-12345", "Code 128"), said("AB-12345", "QR", at=300)) == [("QR", "AB-12345")]


def test_an_empty_wall_is_not_stretched_and_everything_else_is():
    wall = np.full((40, 40), 100, np.uint8)
    assert looks.stretched(wall) is wall
    dim = np.tile(np.arange(10, 30, dtype=np.uint8), (40, 2))
    assert looks.stretched(dim).min() == 0
    assert looks.stretched(dim).max() == 255
