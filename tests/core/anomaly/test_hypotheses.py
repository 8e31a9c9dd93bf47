"""Which error explains a line: each kind, its repair, and what no history at all makes of it."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.anomaly import features, guesses
from core.anomaly.contexts import Index
from core.anomaly.habits import Habits
from core.anomaly.hypotheses import LEAST, Evidence, weigh
from core.anomaly.lines import FIELDS, FLOWS, KINDS, NEVER, NOBODY, Lines, Shelf
from tests.core.anomaly.ledgers import A_SHELF, a_ledger


@pytest.fixture(scope="module")
def ledger() -> Lines:
    return a_ledger(200)


@pytest.fixture(scope="module")
def habits(ledger) -> Habits:
    return Habits.learn(ledger, len(ledger))


def with_last(lines: Lines, **columns: float) -> Lines:
    changed = {name: getattr(lines, name).copy() for name in columns}
    for name, value in columns.items():
        changed[name][-1] = value
    return replace(lines, **changed)


def of_last(lines: Lines, habits: Habits, shelf: Shelf = A_SHELF) -> Evidence:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return weigh(lines, Index(lines).before(np.array([len(lines) - 1])), habits, shelf)


def odds(found: Evidence, kind: str) -> float:
    return float(found.log_odds[0, KINDS.index(kind)])


def repaired(found: Evidence, kind: str) -> float:
    return float(found.value[0, KINDS.index(kind)])


def field(found: Evidence, kind: str) -> str:
    return FIELDS[found.field[0, KINDS.index(kind)]]


def test_a_usual_line_is_explained_by_no_error(ledger, habits):
    found = of_last(ledger, habits)
    assert found.log_odds.max() < 5
    assert found.seen[0] > 20


@pytest.mark.parametrize(
    ("kind", "right", "booked"),
    [
        ("times_ten", -12.0, -120.0),
        ("times_ten", -12.0, -1200.0),
        ("times_pack", -12.0, -72.0),
        ("digits_swapped", -24.0, -42.0),
        ("digit_doubled", -12.0, -122.0),
        ("wrong_unit", -24.0, -4.0),
    ],
)
def test_a_slip_in_a_quantity_is_seen_and_undone(ledger, habits, kind, right, booked):
    found = of_last(with_last(ledger, change=booked), habits)
    assert odds(found, kind) > 3
    assert repaired(found, kind) == right
    assert field(found, kind) == "quantity"


def test_a_sale_booked_as_a_return_in_a_document_of_sales_has_the_wrong_sign(ledger, habits):
    back = with_last(ledger, change=12.0, flow=FLOWS.index("back"))
    found = of_last(back, habits)
    assert odds(found, "wrong_sign") > 3
    assert repaired(found, "wrong_sign") == -12.0
    assert field(found, "wrong_sign") == "sign"


@pytest.mark.parametrize("wrong", [10.0, 100.0, 0.1, 0.01])
def test_a_decimal_point_put_wrongly_leads_back_to_the_usual_price(ledger, habits, wrong):
    right = float(ledger.price[-1])
    found = of_last(with_last(ledger, price=round(right * wrong, 2)), habits)
    assert odds(found, "price_typo") > 3
    assert repaired(found, "price_typo") == right


def test_another_products_price_points_to_that_product(ledger, habits):
    other = (int(ledger.product[-1]) + 1) % 12
    found = of_last(with_last(ledger, price=round(1.25 + 0.5 * other, 2)), habits)
    assert odds(found, "wrong_product") > 2
    assert repaired(found, "wrong_product") == other


def test_the_same_line_twice_in_a_document_may_have_been_booked_twice(ledger, habits):
    columns = {name: float(getattr(ledger, name)[-2]) for name in ("product", "change", "price")}
    found = of_last(with_last(ledger, **columns), habits)
    assert odds(found, "booked_twice") > 2
    assert field(found, "booked_twice") == "whole"
    assert np.isnan(repaired(found, "booked_twice"))
    assert odds(of_last(ledger, habits), "booked_twice") == LEAST


def test_two_lines_of_a_person_within_minutes_are_twins_without_a_document_too(ledger, habits):
    nobody = np.full(len(ledger), NOBODY, np.int32)
    columns = {name: float(getattr(ledger, name)[-2]) for name in ("product", "change", "price")}
    found = of_last(replace(with_last(ledger, **columns), document=nobody), habits)
    assert odds(found, "booked_twice") > 2
    later = with_last(ledger, **columns, at=float(ledger.at[-1]) + 3600)
    assert odds(of_last(replace(later, document=nobody), habits), "booked_twice") == LEAST


def test_a_line_in_another_warehouse_than_its_document_is_in_the_wrong_one():
    lines = a_ledger(150, places=3)
    habits = Habits.learn(lines, len(lines))
    usual = int(lines.place[-2])
    found = of_last(with_last(lines, place=(usual + 1) % 3), habits)
    assert odds(found, "wrong_warehouse") > 2
    assert repaired(found, "wrong_warehouse") == usual


def test_with_one_warehouse_there_is_no_wrong_one(ledger, habits):
    assert odds(of_last(ledger, habits), "wrong_warehouse") == LEAST


def test_more_than_is_on_hand_is_odd_whatever_the_product_usually_does():
    plenty, scarce = (a_ledger(120, before=before) for before in (500.0, 20.0))
    habits = Habits.learn(plenty, len(plenty))
    usual = of_last(with_last(plenty, change=-24.0), habits)
    short = of_last(with_last(scarce, change=-24.0), habits)
    assert odds(short, "unknown") > odds(usual, "unknown") + 3
    assert odds(short, "times_pack") > odds(usual, "times_pack") + 3


@pytest.mark.parametrize("size", [74_215.0, 80_995.0, 1e13])
def test_a_new_product_in_a_huge_quantity_is_odder_than_any_usual_line(ledger, habits, size):
    new = with_last(ledger, product=500, change=-size)
    found = of_last(new, habits)
    everything = weigh(ledger, Index(ledger).before(np.arange(300, len(ledger))), habits, A_SHELF)
    unknown = KINDS.index("unknown")
    assert found.seen[0] == 0
    assert found.log_odds[0, unknown] > everything.log_odds[:, unknown].max()


def test_a_new_product_backs_off_to_what_its_price_band_does(ledger, habits):
    usual, odd = (of_last(with_last(ledger, product=500, change=-size), habits) for size in (12.0, 120.0))
    assert odds(odd, "times_ten") > odds(usual, "times_ten") + 2
    assert usual.usual_quantity[0] > 1


def test_the_catalogues_pack_is_tried_first(ledger, habits):
    product = int(ledger.product[-1])
    plain = of_last(with_last(ledger, change=-12.0 * 7), habits, Shelf())
    packed = of_last(with_last(ledger, change=-12.0 * 7), habits, Shelf(packs={product: [7.0]}))
    assert odds(packed, "times_pack") > odds(plain, "times_pack") + 1
    assert repaired(packed, "times_pack") == -12.0


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.001, 0.5, 1, 2.5, 11, 12, 100, 12_345, 1e7, 1e13]),
            st.sampled_from([float("nan"), 0.0, 0.01, 1.25, 9e9]),
            st.integers(0, len(FLOWS) - 1),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_line_is_too_strange_to_be_weighed(rows):
    n = len(rows)
    is_in = np.array([row[3] for row in rows])
    lines = Lines(
        id=np.arange(n), product=np.zeros(n, np.int32), place=np.arange(n, dtype=np.int32) % 3,
        flow=np.array([row[2] for row in rows], np.int8),
        change=np.array([float(row[0]) for row in rows]) * np.where(is_in, 1, -1),
        price=np.array([row[1] for row in rows]), at=np.zeros(n), customer=np.full(n, NOBODY, np.int32),
        document=np.zeros(n, np.int32), person=np.zeros(n, np.int32), before=np.full(n, 3.0),
        void_from=np.full(n, NEVER),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for habits in (Habits.default(), Habits.learn(lines, n)):
            found = weigh(lines, Index(lines).before(np.arange(n)), habits, Shelf())
            assert np.isfinite(found.log_odds).all()
            assert np.isfinite(features.table(found, habits, Shelf())).all()


def test_habits_learned_from_nothing_are_those_of_stores_in_general():
    empty = a_ledger(0)
    assert Habits.learn(empty, 0).to_arrays().keys() == Habits.default().to_arrays().keys()


def test_habits_come_back_from_their_arrays_as_they_were(ledger, habits):
    again = Habits.from_arrays(habits.to_arrays())
    one, other = of_last(ledger, habits), of_last(ledger, again)
    np.testing.assert_array_equal(one.log_odds, other.log_odds)


def test_a_doubled_digit_and_swapped_neighbours_are_read_from_the_number():
    found = guesses.sizes(
        np.array([1223], np.float32), np.array([0]), np.array([12.0]), np.array([1.0]), Shelf()
    )
    may_be = {
        (KINDS[kind], float(meant))
        for kind, meant, chance in zip(found.kind, found.meant[0], found.chance[0], strict=True)
        if chance > 0
    }
    assert {meant for kind, meant in may_be if kind == "digit_doubled"} == {123.0}
    assert {meant for kind, meant in may_be if kind == "digits_swapped"} == {2123.0, 1232.0}


@pytest.mark.parametrize(
    ("booked", "is_slip"),
    [
        (25.5, True),
        (0.26, True),
        (255.0, True),
        (0.03, True),
        (2.45, True),
        (5.25, True),
        (22.55, True),
        (7.31, False),
    ],
)
def test_slips_of_a_price_are_told_from_other_prices(booked, is_slip):
    chance = guesses.price_slips(np.log(np.array([booked])), np.log(np.array([[2.55]])))[0, 0]
    assert (chance > guesses.WILD) == is_slip
