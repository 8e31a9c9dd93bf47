"""Receipts add up exactly, for whatever numbers, and two of them differ by what is listed."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import receipts
from core.reorder.receipts import Sums, Term

D = Decimal
kept = st.integers(0, 10**12).map(lambda n: D(n) / 10_000)
computed = st.floats(0, 1e8, allow_nan=False).map(lambda x: D(repr(x)))
maybe = st.none() | kept
sums_of = st.builds(
    Sums, computed, computed, computed, kept, kept, kept, kept, maybe, maybe, maybe, maybe,
    st.none() | st.integers(0, 60), st.none() | st.integers(1, 60), st.none() | kept,
)  # fmt: skip


def said(terms):
    return {term.name: term.amount for term in terms}


@settings(deadline=None, max_examples=300)
@given(sums_of)
def test_terms_add_up_to_the_quantity_exactly(sums):
    last = [n for n in (sums.rounded, sums.stepped, sums.filled, sums.edited) if n is not None]
    expected = last[-1] if last else receipts.wanted(sums)
    terms = receipts.receipt(sums)
    assert receipts.total(terms) == expected
    assert receipts.total(receipts.read(receipts.stored(terms))) == expected
    assert receipts.before_terms(terms) == receipts.wanted(sums)


@settings(deadline=None, max_examples=200)
@given(sums_of, sums_of)
def test_the_differences_of_two_receipts_add_up_to_the_change(one, other):
    before, after = receipts.receipt(one), receipts.receipt(other)
    changes = receipts.changed(before, after)
    assert sum(change.change for change in changes) == receipts.total(after) - receipts.total(before)
    assert all(change.after - change.before == change.change != 0 for change in changes)


@settings(deadline=None)
@given(sums_of, kept, kept)
def test_an_edit_replaces_the_one_before_and_goes_away_again(sums, first, second):
    terms = receipts.receipt(replace(sums, edited=None))
    twice = receipts.with_edit(receipts.with_edit(terms, first), second)
    assert receipts.total(twice) == second
    assert receipts.with_edit(twice, receipts.total(terms)) == terms


def test_reads_from_demand_to_quantity():
    terms = receipts.receipt(
        Sums(
            D("12.3"), D(14), D(40), D(3), D(2), transfer=D(5), rounded=D(36), stepped=D(50), lead_days=6,
            cover_days=1, service_percent=D("95.00"),
        )
    )  # fmt: skip
    assert [(term.name, term.amount) for term in terms] == [
        ("until it arrives", D("12.3")),
        ("cover period", D(14)),
        ("buffer", D("13.7")),
        ("on hand", D(-3)),
        ("on its way", D(-2)),
        ("transfer", D(-5)),
        ("rounding", D(6)),
        ("price step", D(14)),
    ]
    assert terms[0].words == "expected demand in 6 days until it arrives"
    assert terms[1].words == "expected demand in 1 day until the next order can arrive"
    assert terms[2].words.endswith("so that 95 % of order lines are served")


def test_more_than_enough_is_a_line_of_its_own():
    terms = receipts.receipt(Sums(D(5), D(5), D(20), D(60)))
    assert said(terms)["enough is there"] == 40
    assert receipts.total(terms) == 0


def test_a_buffer_below_zero_says_why():
    (buffer,) = [t for t in receipts.receipt(Sums(D(5), D(5), D(8), D(0))) if t.name == receipts.BUFFER]
    assert buffer.amount == -2
    assert "elsewhere" in buffer.words


def test_bulk_orders_are_told_of_and_add_nothing():
    (one_off,) = [
        t
        for t in receipts.receipt(Sums(D(5), D(5), D(10), D(0), one_off=D(120)))
        if t.name == "one-off orders"
    ]
    assert one_off == Term("one-off orders", D(0), "120 in bulk orders are not prepared for")


def test_what_changed_is_told_as_people_speak_of_stock():
    before = receipts.receipt(Sums(D(10), D(10), D(30), D(40), D(4)))
    after = receipts.receipt(Sums(D(12), D(10), D(30), D(8)))
    changes = receipts.changed(before, after)
    words = [change.words for change in changes]
    assert words[0] == "on hand fell from 40 to 8: +32"
    assert "on its way fell from 4 to 0: +4" in words
    assert "demand until it arrives rose from 10 to 12: +2" in words
    assert sum(change.change for change in changes) == 22


def test_the_same_receipt_changed_nothing():
    terms = receipts.receipt(Sums(D(10), D(10), D(30), D(40)))
    assert receipts.changed(terms, receipts.read(receipts.stored(terms))) == []
