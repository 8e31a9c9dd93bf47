"""Vendors beside each other: the whole cost decides, and each row says why it won or lost."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import comparison
from core.reorder.comparison import compare, recommended
from tests.core.reorder.worlds import TODAY, a_need, a_vendor

D = Decimal
prices = st.integers(1, 2000).map(lambda n: f"{n / 100:.2f}")
candidates_of = st.lists(
    st.builds(
        a_vendor,
        st.sampled_from(["Ada", "Bee", "Cid"]),
        st.none() | prices | st.fixed_dictionaries({1: prices, 60: prices}),
        st.integers(0, 60),
        minimum=st.none() | st.integers(1, 300),
        multiple=st.none() | st.integers(1, 50),
        measured=st.lists(st.integers(0, 70), max_size=4).map(tuple),
        other=prices,
        order_minimum=st.none() | prices,
        free_freight_from=st.none() | prices,
        freight_cost=st.none() | prices,
        order_cost=st.none() | prices,
    ),
    max_size=3,
    unique_by=lambda one: one.name,
)
needs = st.builds(
    a_need,
    st.integers(0, 200),
    stock=st.integers(0, 100),
    per_day=st.floats(0, 9).map(lambda x: round(x, 2)),
    review=st.integers(1, 30),
    shortage=st.none() | prices,
    preferred=st.none() | st.sampled_from(["Ada", "Dan"]),
    with_forecast=st.booleans(),
)


def by_name(rows):
    return {row.name: row for row in rows}


@settings(deadline=None, max_examples=150)
@given(candidates_of, needs)
def test_totals_add_up_and_one_row_is_recommended_where_any_has_a_price(candidates, need):
    rows = compare(candidates, need)
    assert len(rows) == len(candidates)
    priced = [row for row in rows if row.total is not None]
    assert [row.is_recommended for row in rows].count(True) == bool(priced)
    for row in rows:
        assert row.why.endswith(".")
        assert row.quantity >= need.quantity
    for row in priced:
        parts = (row.goods, row.freight, row.order_cost, row.holding, row.shortage or D(0))
        assert row.total == sum(parts)
        assert all(part >= 0 for part in parts)
        assert row.more_money == row.total - priced[0].total
    takes_it = [row for row in priced if not row.below_minimum]
    if takes_it:
        assert rows[0].total == min(row.total for row in takes_it)
    json.dumps(comparison.stored(rows))


@settings(deadline=None, max_examples=80)
@given(candidates_of, needs, st.integers(1, 500))
def test_a_dearer_vendor_never_climbs(candidates, need, cents):
    """With one price each and no limits: a dearer order may reach free freight, or another price step."""
    plain = [
        replace(one, order_minimum=None, free_freight_from=None,
                terms=replace(one.terms, steps=one.terms.steps[:1]))
        for one in candidates
    ]  # fmt: skip
    need = replace(need, preferred_vendor_id=None)
    best = recommended(compare(plain, need))
    for one in plain:
        if best is None or one.vendor_id == best.vendor_id:
            continue
        steps = tuple((least, price + D(cents) / 100) for least, price in one.terms.steps)
        dearer = replace(one, terms=replace(one.terms, steps=steps))
        others = [other for other in plain if other is not one]
        assert recommended(compare([*others, dearer], need)).name == best.name


def test_the_cheapest_unit_price_loses_because_waiting_loses_sales():
    rows = compare([a_vendor("Ada", "3.00", 21), a_vendor("Bee", "3.12", 0)], a_need(60, stock=16))
    best, cheap = rows
    # From the fifth day on four pieces a day are missing until Ada delivers, of 5.00 each: 17 days, 340.00.
    assert best.why == (
        "0.12 a piece dearer than Ada, but arrives 21 days sooner: waiting would cost about 340.00 in lost "
        "sales."
    )
    assert cheap.why == (
        "Cheapest a piece, 0.12 less than Bee, but arrives 21 days later, which would cost about 340.00 in "
        "lost sales: 332.80 dearer in all."
    )
    assert (cheap.more_money, cheap.more_days, cheap.chance, best.chance) == (D("332.80"), 21, 1, 0)


def test_the_cheapest_unit_price_loses_because_of_its_minimum():
    need = a_need(30, stock=100, per_day=0.5)
    rows = compare([a_vendor("Ada", "3.00", 3, minimum=500), a_vendor("Bee", "3.20", 3)], need)
    best, cheap = rows
    assert (best.name, cheap.quantity, cheap.excess) == ("Bee", 500, 470)
    assert best.why.startswith("0.20 a piece dearer than Ada, but 30 can be ordered instead of 500: keeping")
    assert "500 have to be ordered, and keeping the rest would cost" in cheap.why


def test_the_cheapest_unit_price_loses_because_of_freight():
    far = a_vendor("Ada", "3.00", 3, freight_cost="25", free_freight_from="1000")
    rows = compare([far, a_vendor("Bee", "3.20", 3)], a_need(30, stock=100))
    assert [row.name for row in rows] == ["Bee", "Ada"]
    assert rows[0].why == "0.20 a piece dearer than Ada, but spares 25.00 of freight."
    assert rows[1].why == (
        "Cheapest a piece, 0.20 less than Bee, but 25.00 more of freight: 19.00 dearer in all."
    )


@pytest.mark.parametrize(
    ("other", "freight"), [("0", "25.00"), ("110", "11.25"), ("910", "0.00"), ("5000", "0.00")]
)
def test_freight_is_shared_with_what_else_goes_there_and_nothing_above_the_limit(other, freight):
    far = a_vendor("Ada", "3.00", 3, freight_cost="25", free_freight_from="1000", other=other)
    (row,) = compare([far], a_need(30, stock=100))
    assert row.freight == D(freight)


def test_the_work_of_an_order_is_shared_too():
    (row,) = compare([a_vendor("Ada", "3.00", 3, order_cost="12", other="90")], a_need(30, stock=100))
    assert row.order_cost == 6


def test_a_vendor_that_takes_no_such_small_order_comes_after_those_that_do():
    small = a_vendor("Ada", "1.00", 3, order_minimum="100")
    need = a_need(30, stock=100)
    best, below = compare([small, a_vendor("Bee", "3.00", 3)], need)
    assert best.name == "Bee"
    assert best.why == "2.00 a piece dearer than Ada, which takes no order of less than 100.00."
    assert below.why == "70.00 below the order minimum of 100.00: it is taken only with other lines."
    assert recommended(
        compare([replace(small, other_value=D(70)), a_vendor("Bee", "3.00", 3)], need)
    ).name == ("Ada")
    (alone,) = compare([small], need)
    assert alone.is_recommended
    assert alone.why == (
        "The only vendor with a price. 70.00 below the order minimum of 100.00: it is taken only with other "
        "lines."
    )


def test_the_cheapest_that_wins_says_by_how_much():
    rows = compare([a_vendor("Ada", "3.00", 3), a_vendor("Bee", "3.20", 5)], a_need(30, stock=100))
    assert rows[0].why == "Cheapest a piece, 6.00 less in all than Bee, and the soonest."
    assert rows[1].why == "0.20 a piece dearer: 6.00 dearer in all than Ada."


def test_a_vendor_chosen_by_hand_is_recommended_and_says_what_that_costs():
    both = [a_vendor("Ada", "3.00", 3), a_vendor("Bee", "3.20", 5)]
    rows = by_name(compare(both, a_need(30, stock=100, preferred="Bee")))
    assert rows["Bee"].is_recommended
    assert rows["Bee"].why == "Chosen by hand; 6.00 dearer than Ada."
    assert not rows["Ada"].is_recommended
    assert rows["Ada"].why.endswith("Bee is chosen by hand.")
    assert by_name(compare(both, a_need(30, stock=100, preferred="Ada")))["Ada"].why == (
        "Chosen by hand, and the best in all."
    )


def test_a_vendor_chosen_by_hand_without_a_price_is_told_of():
    both = [a_vendor("Ada", "3.00", 3), a_vendor("Bee", None, 5)]
    rows = by_name(compare(both, a_need(30, stock=100, preferred="Bee")))
    assert rows["Ada"].is_recommended
    assert rows["Ada"].why == "The only vendor with a price. The vendor chosen by hand has no price now."
    assert rows["Bee"].why == "No price for 30."


def test_nobody_is_recommended_without_any_price():
    rows = compare([a_vendor("Ada", None, 3)], a_need(30))
    assert recommended(rows) is None
    assert rows[0].total is None
    assert compare([], a_need(30)) == []


def test_what_is_not_known_is_said_and_counts_as_nothing():
    (row,) = compare([a_vendor("Ada", "3.00", 3)], a_need(30, with_forecast=False))
    assert (row.chance, row.lost, row.shortage, row.total) == (None, None, None, D("90.00"))
    assert row.missing == (
        "No forecast: the chance to run out is not known.",
        "No delivery measured yet: the quoted lead time counts.",
    )
    assert row.why.endswith("What waiting would cost is not counted.")
    (row,) = compare([a_vendor("Ada", "3.00", 3, measured=(3, 4))], a_need(30, shortage=None))
    assert row.missing == ("No selling price or cost: lost sales are not counted.",)
    assert row.lost == pytest.approx(13)  # four a day for three days, or four of them once in four times


def test_an_expired_price_counts_and_is_told_of():
    old = a_vendor("Ada", "3.00", 3, quoted_on=TODAY - timedelta(days=400), valid_until=TODAY - timedelta(1))
    (row,) = compare([old], a_need(30, stock=100))
    assert (row.is_expired, row.age_days) == (True, 400)
    assert row.why.endswith("Its price was valid until 2026-11-20.")


def test_measured_lead_times_make_a_late_vendor_lose():
    kept = a_vendor("Bee", "3.05", 5, measured=(5,) * 8)
    late = a_vendor("Ada", "3.00", 5, measured=(5, 6, 14, 15, 15, 16, 18, 20))
    best, other = compare([late, kept], a_need(40, stock=24))
    assert best.name == "Bee"
    assert best.chance < other.chance
    assert "arrives 9 days sooner" in best.why


def test_a_price_step_is_reached_where_that_is_cheaper():
    (row,) = compare([a_vendor("Ada", {1: "3.00", 50: "2.50"}, 3)], a_need(40, stock=100))
    assert (row.quantity, row.unit_price, row.goods, row.outlay) == (50, D("2.50"), 100, 125)
    (row,) = compare([a_vendor("Ada", {1: "3.00", 50: "2.50"}, 3)], a_need(40, stock=100, most=45))
    assert row.quantity == 40


def test_pieces_that_nobody_will_buy_cost_what_they_cost():
    (row,) = compare([a_vendor("Ada", "3.00", 3, minimum=100)], a_need(1, per_day=0.0))
    assert row.holding == D("297.00")


@pytest.mark.parametrize(
    ("price", "cost", "percent", "expected"),
    [("10", "6", None, "4"), ("10", "12", None, "0"), ("10", "6", "150", "15"), ("10", None, "50", "5"),
     (None, "6", "50", None), ("10", None, None, None)],
)  # fmt: skip
def test_a_missing_piece_costs_a_share_of_its_price_else_its_margin(price, cost, percent, expected):
    given_ = [None if value is None else D(value) for value in (price, cost, percent)]
    assert comparison.shortage_cost(*given_) == (None if expected is None else D(expected))
