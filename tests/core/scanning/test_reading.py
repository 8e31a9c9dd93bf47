"""What a row of characters says by itself: any form of a number is one code, and no slip gets through."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import ean

from core.errors import BadInput
from core.scanning.reading import COMMANDS, Reading, read, spoken

EAN = "4006381333931"
LOT, SERIAL = "L-4711/A", "S0042"
LINKED_LOT = LOT.replace("/", "%2F")
GTINS = st.tuples(st.sampled_from((8, 12, 13, 14)), st.integers(0, 10**13 - 1)).map(
    lambda drawn: (digits := str(drawn[1]).zfill(drawn[0] - 1)[: drawn[0] - 1]) + ean.calc_check_digit(digits)
)
# Every way in which the same number arrives.
FORMS = {
    "as it is": lambda n: n,
    "with zeros in front": lambda n: n.zfill(14),
    "with blanks and line ends": lambda n: f" \t{n}\r\n",
    "as a text of a scanner": lambda n: f"\x02{n}\x03",
    "element string": lambda n: f"01{n.zfill(14)}",
    "element string with a lot": lambda n: f"01{n.zfill(14)}17261231{'10' + LOT}",
    "marked": lambda n: f"]C101{n.zfill(14)}",
    "DataMatrix": lambda n: f"]d210{LOT}\x1d01{n.zfill(14)}",
    "QR": lambda n: f"]Q301{n.zfill(14)}",
    "DataBar": lambda n: f"]e001{n.zfill(14)}3103001250",
    "FNC1 in front": lambda n: f"\x1d01{n.zfill(14)}",
    "FNC1 typed": lambda n: f"10{LOT}{{GS}}01{n.zfill(14)}",
    "brackets": lambda n: f"(01){n.zfill(14)}(10){LOT}",
    "brackets around the short number": lambda n: f"(01) {n}",
    "what is in a carton": lambda n: f"02{n.zfill(14)}3712",
    "link": lambda n: f"https://id.gs1.org/01/{n.zfill(14)}",
    "link of a shop": lambda n: f"HTTP://Shop.Example:8080/p/01/{n}/10/{LINKED_LOT}?17=261231&utm=x",
    "link with a slash": lambda n: f"https://shop.example/01/{n}/",
}  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(form=st.sampled_from(list(FORMS)), number=GTINS)
def test_any_number_in_any_form_is_one_code(form, number):
    assert read(FORMS[form](number)).code == read(number).code
    assert read(FORMS[form](number)).gtin


@settings(deadline=None, max_examples=200)
@given(form=st.sampled_from(list(FORMS)), number=GTINS, data=st.data())
def test_any_single_wrong_digit_is_refused_in_every_form(form, number, data):
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    wrong = number[:place] + other + number[place + 1 :]
    with pytest.raises(BadInput, match="the last digit should be"):
        read(FORMS[form](wrong))


@settings(deadline=None, max_examples=50)
@given(a=GTINS, b=GTINS)
def test_two_numbers_are_never_one_code(a, b):
    assert (read(a).code == read(b).code) == (a.zfill(14) == b.zfill(14))


PIECES = st.sampled_from([
    "01", "10", "17", "21", "30", "3103", "(01)", "(", ")", "]C1", "]", "\x1d", "{GS}", "https://", "/01/",
    "?", "/", "//[", "%", "%00", EAN, EAN.zfill(14), "loc:", "sku:", "cmd:", "in", " ", "\n", "\0", "\ud800",
    "\u202e", "\N{ARABIC-INDIC DIGIT THREE}", "=cmd|", "'", f"https://a/01/{EAN}", "(17)999999", "00", "8003",
])  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(
    raw=st.one_of(st.text(), st.text("0123456789()]Cdx\x1d ", max_size=40), st.lists(PIECES).map("".join)),
    symbology=st.sampled_from([None, "UPC-E", "ITF-14", "EAN-13", "Code 128", "QR"]),
)
def test_nothing_is_raised_but_a_sentence_and_what_is_read_can_be_shown(raw, symbology):
    try:
        said = read(raw, symbology)
    except BadInput as refusal:
        said = Reading(refusal.sentence, code=refusal.sentence, kind="refused")
        assert len(said.text) < 300
    assert all(part.isprintable() for part in (said.text, said.code, said.place or "", said.sku or ""))
    # A lot may hold brackets itself, and what follows a scanner's mark may look like one.
    if said.kind == "code" and not said.code.startswith(("(", "]")):
        assert read(said.code).code == said.code


# -- GS1 -----------------------------------------------------------------------------------------------------


def test_a_gs1_code_says_lot_serial_date_count_and_weight():
    said = read(f"]C101{EAN.zfill(14)}17261231{'10' + LOT}\x1d{'21' + SERIAL}\x1d{'3024'}\x1d3103001250")
    assert (said.lot, said.serial, said.expires_on) == (LOT, SERIAL, date(2026, 12, 31))
    assert (said.quantity, said.weight_kg) == (24, Decimal("1.25"))
    assert said.text == f"(01){EAN.zfill(14)}(17)261231(10){LOT}(21){SERIAL}(30)24(3103)001250"
    assert read(f"https://shop.example/01/{EAN}/10/{LINKED_LOT}/21/{SERIAL}?30=5").quantity == 5
    assert read(f"(02){EAN}(37)12").quantity == 12
    assert read(f"(01){EAN}(30)0").quantity is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("(17)261200", date(2026, 12, 31)),  # no day: the last one of the month
        ("(17)280200", date(2028, 2, 29)),
        ("(17)991231", date(1999, 12, 31)),  # more than 50 years ahead is the century before
        ("(17)000000", None),
        ("(17)260231", None),
        ("(15)270115", date(2027, 1, 15)),
        ("(15)270115(17)270201", date(2027, 2, 1)),
        ("(7003)2703011200", date(2027, 3, 1)),
        ("(11)260101", None),  # when it was made says nothing of when it expires
    ],
)
def test_dates_as_gs1_counts_them(written, meant):
    assert read(f"(01){EAN}{written}").expires_on == meant


@pytest.mark.parametrize(
    "separator", ["\x1d", "{GS}", "<GS>", "^]", "[gs]", "<FNC1>", "\N{SYMBOL FOR GROUP SEPARATOR}"]
)
def test_the_end_of_a_lot_is_seen_however_a_scanner_types_it(separator):
    said = read(f"01{EAN.zfill(14)}{'10' + LOT}{separator}{'21' + SERIAL}")
    assert (said.code, said.lot, said.serial) == (EAN, LOT, SERIAL)


def test_numbers_whose_meaning_the_shop_keeps_are_ordinary_codes():
    weighed = "2112345006789"  # price or weight in the code itself: known by none but who printed it
    assert read(weighed).code == weighed
    assert read(weighed).weight_kg is None
    assert read("02112343").code == "02112343"


@pytest.mark.parametrize(
    "code", ["]C1", "]C1hello", "]d20112", f"01{EAN.zfill(14)}\x1d99", "(17)2612", f"(01){EAN}(77)1"]
)
def test_a_gs1_code_that_is_not_whole_is_refused(code):
    with pytest.raises(BadInput, match="not a whole GS1 code"):
        read(code)


def test_a_pallets_number_with_a_slip_is_refused_and_a_right_one_is_no_product():
    assert read("(00)340123450000000000").gtin is False
    with pytest.raises(BadInput, match="number of a pallet"):
        read("(00)340123450000000001")


@pytest.mark.parametrize(
    "code",
    ["(555) 1234", "0112", "01-4711", "https://shop.example/2024/01/14", "https://shop.example/lamp",
     "1234-5678", "0212345", "]ab", "http://[::/01/4006381333931?x", "https://shop.example/01/40063813339"],
)  # fmt: skip
def test_what_only_looks_like_gs1_is_an_ordinary_code(code):
    said = read(code)
    assert (said.gtin, said.lot, said.code) == (False, None, code)


def test_a_link_with_a_query_of_its_own_still_finds_its_number():
    assert read(f"https://shop.example/01/{EAN}?17=tomorrow&21=").code == EAN


# -- Other codes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["]A0\x1fA-1", "\x02\u2003A-1\x03\r\n", "\ufeffA-1\x04"])
def test_what_scanners_put_around_a_code_is_no_part_of_it(code):
    assert (read(code).text, read(code).code) == ("A-1", "A-1")


def test_digits_in_groups_are_the_number_that_is_printed_so():
    assert read("4 006381 333931").code == EAN
    with pytest.raises(BadInput, match="the last digit should be 1"):
        read("4 006381 333932")


def test_a_upc_e_is_spelled_out_where_the_reader_says_that_it_is_one():
    assert read("04252614", "UPC-E").code == read("042100005264").code
    with pytest.raises(BadInput, match="If it is a UPC-E, enter it as 042100005264"):
        read("04252614")
    assert read("96385074", "EAN-8").code == "96385074"


@pytest.mark.parametrize("code", ["1234567890", "4006381333931", "14006381333939", "12"])
@pytest.mark.parametrize("symbology", ["ITF-14", "ITF", "I25"])
def test_of_itf_only_fourteen_digits_with_a_right_last_one_count(code, symbology):
    with pytest.raises(BadInput):
        read(code, symbology)
    assert read("14006381333938", symbology).code == "14006381333938"
    with pytest.raises(BadInput, match="ITF"):
        read("]I012345678")


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("loc:WH-A", "place", "WH-A"),
        ("LOC: Aisle 7 ", "place", "Aisle 7"),
        ("LOC:\x1f0", "place", "0"),
        ("]Q1loc:WH-A", "place", "WH-A"),
        ("sku:LAMP-1", "sku", "LAMP-1"),
        ("Sku:4006381333932", "sku", "4006381333932"),
        ("cmd:In", "command", "in"),
    ],
)
def test_labels_of_the_shop_name_a_place_a_product_or_a_command(code, kind, said):
    found = read(code)
    assert found.kind == kind
    assert {"place": found.place, "sku": found.sku, "command": found.command}[kind] == said
    assert (found.code, found.gtin) == ("", False)


def test_every_command_has_a_label_and_no_other_word_is_one():
    assert {read(f"cmd:{name}").command for name in COMMANDS} == set(COMMANDS)
    for label in ("cmd:drop table", "cmd:", "loc:", "sku: ", "loc:a\nb", "sku:" + "x" * 200, "loc:\u202eAHW"):
        with pytest.raises(BadInput):
            read(label)


@pytest.mark.parametrize(
    "code",
    ["javascript:alert(1)", "' OR 1=1--", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "{{7*7}}",
     "../../x", "%00", "A/1", "Ä-ß", "日本", "'; DROP TABLE product;--", "+1", "@SUM(1)"],
)  # fmt: skip
def test_a_strange_code_is_a_code_like_any_other(code):
    assert read(code).code == code


@pytest.mark.parametrize(
    "code",
    ["", " ", "\x1d", "a\0b", "a\nb", "a\rb", "a\x1db", "a\x07b", "a\ud800", "a\u202eb", "a\u200bb",
     "x" * 101, "x" * 2953, "9" * 7089, "\x1d" * 5000],
)  # fmt: skip
def test_what_no_screen_can_show_is_refused(code):
    with pytest.raises(BadInput) as refusal:
        read(code)
    assert refusal.value.sentence.isprintable()


def test_what_somebody_searches_is_looked_for_as_typed_where_it_is_no_code():
    assert spoken(f"(01){EAN}") == EAN
    for words in ("lamp", "4006381333932", "loc:WH", "", "a\0b"):
        assert spoken(words) == words
