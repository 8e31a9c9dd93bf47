"""One sentence for what is odd, in figures that people can check."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.anomaly.lines import FIELDS, FLOWS, KINDS
from core.doctor import cases, sentences
from core.doctor.cases import Case, Repair

TODAY = date(2026, 11, 20)
CASE = Case(
    sku="A-1042", place="WH-A", flow="out", change=Decimal(-1200), unit_price=Decimal("2.5"),
    on=date(2026, 11, 14), chance=0.9, kind="times_pack",
    repair=Repair("quantity", change=Decimal(-100)), other=None, usual=Decimal(100),
    usual_price=Decimal("2.5"), seen=14,
)  # fmt: skip
PRICE = {"kind": "price_typo", "unit_price": Decimal(21), "usual_price": Decimal("2.1")}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({}, "1,200 out on 14 Nov is 12 times the usual 100."),
        ({"usual": Decimal("90.4")}, "1,200 out on 14 Nov is 12 times 100; with 100 it would be usual "
                                     "(usually about 90, as in 14 lines before)."),
        ({"kind": "wrong_unit", "change": Decimal(-2), "repair": Repair("quantity", change=Decimal(-24))},
         "2 out on 14 Nov looks like packs counted as pieces; 24 would be usual."),
        ({"kind": "times_ten", "change": Decimal(-1000)},
         "1,000 out on 14 Nov looks like one zero too many; 100 would be usual."),
        ({"kind": "times_ten", "change": Decimal(-1)},
         "1 out on 14 Nov looks like two zeros too few; 100 would be usual."),
        ({"kind": "digit_doubled", "change": Decimal(-1100)},
         "1,100 out on 14 Nov looks like a digit typed twice; 100 would be usual."),
        ({"kind": "digits_swapped", "change": Decimal(-21), "repair": Repair("quantity", change=Decimal(-12)),
          "usual": Decimal(12), "seen": 1},
         "21 out on 14 Nov looks like 12 with two digits swapped (usually about 12, as in one line "
         "before)."),
        ({"kind": "wrong_sign", "flow": "back", "change": Decimal(5),
          "repair": Repair("sign", change=Decimal(-5))},
         "5 came back on 14 Nov looks like the wrong way round; 5 going out would be usual."),
        ({"kind": "wrong_warehouse", "repair": Repair("warehouse", warehouse_id=2), "other": "WH-B",
          "flow": "in", "change": Decimal(12)},
         "12 received on 14 Nov in WH-A is unusual; in WH-B it would be usual."),
        ({"kind": "wrong_product", "repair": Repair("product", product_id=2), "other": "A-1043"},
         "1,200 out on 14 Nov at 2.50 is unusual; of A-1043 it would be usual."),
        ({"kind": "booked_twice", "repair": Repair("whole"), "change": Decimal(-12)},
         "12 out on 14 Nov is there twice; one of them looks like one too many."),
        (PRICE | {"repair": Repair("price", unit_price=Decimal("2.1"))},
         "21.00 a piece on 14 Nov for 1,200, usually 2.10; that is probably meant."),
        (PRICE | {"repair": Repair("price", unit_price=Decimal("2.05")), "usual_price": None},
         "21.00 a piece on 14 Nov for 1,200; 2.05 would be usual."),
        ({"kind": "unknown", "repair": Repair("none"), "change": Decimal(-74215), "usual": Decimal("12.2")},
         "74,215 out on 14 Nov is far from anything before (usually about 12, as in 14 lines before); no "
         "repair explains it."),
        ({"kind": "unknown", "repair": Repair("none"), "change": Decimal(-90)},
         "90 out on 14 Nov is unusual for this product, though not by its size; no repair explains it."),
        ({"flow": "count", "change": Decimal("-1200.5"), "repair": Repair("none"), "seen": 0},
         "-1,200.5 counted on 14 Nov is far from anything before; no repair explains it."),
        ({"on": date(2025, 11, 14), "change": Decimal(-150)},
         "150 out on 14 Nov 2025 is 1.5 times the usual 100."),
    ],
)  # fmt: skip
def test_each_kind_has_its_sentence(other, told):
    assert sentences.sentence(replace(CASE, **other), TODAY) == f"A-1042: {told}"


def test_a_warning_says_the_same_without_code_and_day():
    assert sentences.warning(CASE) == "1,200 out is 12 times the usual 100."


@pytest.mark.parametrize(
    ("repair", "words"),
    [(Repair("quantity", change=Decimal(-100)), "Book 100 instead of 1,200"),
     (Repair("sign", change=Decimal(1200)), "Book 1,200 in instead of out"),
     (Repair("price", unit_price=Decimal("2.125")), "Book 2.125 a piece instead of 2.50"),
     (Repair("product", product_id=1), "Book it on A-1 instead"),
     (Repair("warehouse", warehouse_id=1), "Book it in A-1 instead"),
     (Repair("whole"), "Take it back"), (Repair("none"), "No repair is known")],
    ids=lambda value: value if isinstance(value, str) else value.field,
)  # fmt: skip
def test_a_repair_says_what_is_booked(repair, words):
    assert sentences.repair_words(Decimal(-1200), Decimal("2.5"), repair, "A-1") == words
    assert Repair.of(repair.field, repair.as_text()) == repair


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(KINDS), st.sampled_from(FIELDS), st.sampled_from(FLOWS),
    st.decimals(-99999, 99999, places=2),
    st.one_of(st.none(), st.decimals(0, 9999, places=4)), st.floats(-1e6, 1e6) | st.just(float("nan")),
    st.integers(0, 192),
)  # fmt: skip
def test_whatever_is_found_has_a_sentence_and_a_worth(kind, field, flow, change, price, value, seen):
    if change == 0:
        change = Decimal(1)
    repair = cases.repair_of(field, value, change, price)
    case = replace(CASE, kind=kind, flow=flow, change=change, unit_price=price, repair=repair, seen=seen,
                   other="A-1" if field in ("product", "warehouse") else None)  # fmt: skip
    told = sentences.sentence(case, TODAY)
    assert told.startswith("A-1042: ")
    assert told.endswith(".")
    assert "None" not in told
    assert "E+" not in told
    assert cases.money_at_risk(case, Decimal(1), None) >= 0
    assert case.figures()["seen"] == seen
    assert Repair.of(repair.field, repair.as_text()) == repair


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("quantity", -100.0, Repair("quantity", change=Decimal(-100))), ("quantity", 100.0, Repair("none")),
     ("quantity", -1200.0, Repair("none")), ("quantity", float("nan"), Repair("none")),
     ("sign", float("nan"), Repair("sign", change=Decimal(1200))), ("whole", float("nan"), Repair("whole")),
     ("price", 2.5, Repair("none")), ("price", -1.0, Repair("none")),
     ("price", 0.1 + 0.2, Repair("price", unit_price=Decimal("0.3"))),
     ("product", 7.0, Repair("product", product_id=7)), ("quantity", -1e300, Repair("none"))],
    ids=str,
)  # fmt: skip
def test_only_what_the_ledger_can_keep_is_proposed(field, value, told):
    assert cases.repair_of(field, value, Decimal(-1200), Decimal("2.5")) == told


@pytest.mark.parametrize(
    ("other", "worth"),
    [({}, 2750), ({"unit_price": None}, 4400), ({"unit_price": None, "flow": "in"}, 1100),
     ({"repair": Repair("price", unit_price=Decimal(2))}, 600),
     ({"repair": Repair("sign", change=Decimal(1200))}, 6000), ({"repair": Repair("whole")}, 3000),
     ({"repair": Repair("none")}, 3000), ({"repair": Repair("product", product_id=3)}, 3000)],
    ids=str,
)  # fmt: skip
def test_at_risk_is_what_the_difference_is_worth(other, worth):
    assert cases.money_at_risk(replace(CASE, **other), Decimal(1), Decimal(4)) == worth
    without_price = replace(CASE, **(other | {"unit_price": None, "repair": Repair("none")}))
    assert cases.money_at_risk(without_price, None, None) == 0
