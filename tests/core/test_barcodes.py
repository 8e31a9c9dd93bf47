"""One spelling for each barcode, and no misread digits."""

import pytest

from core import barcodes
from core.errors import BadInput


@pytest.mark.parametrize("code", ["4006381333931", "96385074", "10036000291459", "ABC-1", "1234", "0001"])
def test_a_right_code_stays_as_it_is(code):
    assert barcodes.normal(f" {code}\r\n") == code


def test_a_upc_a_its_ean_13_and_its_gtin_14_are_one_barcode():
    spellings = ["036000291452", "0036000291452", "00036000291452"]
    assert {barcodes.normal(code) for code in spellings} == {"0036000291452"}


@pytest.mark.parametrize("code", ["4006381333932", "96385075", "036000291453", "10036000291458"])
def test_a_wrong_check_digit_is_refused_with_the_right_one(code):
    right = {"4006381333932": "1", "96385075": "4", "036000291453": "2", "10036000291458": "9"}[code]
    with pytest.raises(BadInput, match=f"{code}: the last digit should be {right}"):
        barcodes.normal(code)


@pytest.mark.parametrize(
    "code", ["", "   ", "x" * 101, "a\x00b", "a\x1db", "a\nb", "a\ud800b", "x" * 10_000_000]
)
def test_what_no_label_can_hold_is_refused(code):
    with pytest.raises(BadInput) as refusal:
        barcodes.normal(code)
    assert len(refusal.value.sentence.encode()) < 250


def test_digits_of_other_alphabets_are_text():
    assert barcodes.normal("٤٠٠٦٣٨١٣٣٣٩٣١") == "٤٠٠٦٣٨١٣٣٣٩٣١"
