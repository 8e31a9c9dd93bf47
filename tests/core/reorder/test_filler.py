"""What else to order to reach a limit: only where that pays, the next needed first."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import filler, quantities
from core.reorder.filler import Item, Limit

D = Decimal
FREIGHT = Limit("free freight", D(500), D(18))


def an_item(name, quantity, price, days, *, minimum=None, multiple=None, most=None, steps=None):
    terms = quantities.terms(
        minimum and D(minimum), multiple and D(multiple),
        [(D(n), D(p)) for n, p in (steps or {1: price}).items()],
    )  # fmt: skip
    return Item(name, name, D(quantity), days, terms, None if most is None else D(most))


def names(filling):
    return [one.name for one in filling.additions]


def test_adds_the_next_needed_until_the_limit_and_says_what_it_costs_to_hold():
    items = [an_item("late", 50, "10", 60), an_item("WDG-1", 12, "10", 9), an_item("WDG-2", 10, "2", 12)]
    filling = filler.fill(D(380), items, FREIGHT, D(20))
    assert filling.pays
    assert [(one.name, one.quantity) for one in filling.additions] == [("WDG-1", 12)]
    assert filling.additions[0].words == "12 of WDG-1, needed in 9 days anyway: costs 0.59 to hold"
    assert filling.words == (
        "Adding 1 line reaches the free freight from 500.00: costs 0.59 to hold, spares 18.00 of freight."
    )
    assert filling.net == D("17.41")


def test_of_the_last_no_more_than_the_limit_asks_for():
    filling = filler.fill(D(380), [an_item("WDG-1", 500, "10", 9, multiple=5)], FREIGHT, D(20))
    assert filling.additions[0].quantity == 15


def test_what_turns_out_not_to_be_necessary_goes_again():
    items = [an_item("small", 1, "10", 5), an_item("big", 1, "150", 6)]
    filling = filler.fill(D(380), items, FREIGHT, D(20))
    assert names(filling) == ["big"]


def test_stops_where_keeping_costs_more_than_is_spared():
    filling = filler.fill(D(100), [an_item("slow", 100, "10", 100)], FREIGHT, D(40))
    assert (filling.pays, filling.additions) == (False, ())
    assert filling.words == (
        "Reaching the free freight from 500.00 would cost 43.84 to hold and spare only 18.00."
    )


def test_says_when_the_limit_is_out_of_reach():
    filling = filler.fill(D(100), [an_item("few", 3, "10", 5)], FREIGHT, D(20))
    assert (filling.pays, filling.additions) == (False, ())
    assert filling.words == "370.00 short of the free freight from 500.00 even with all that is needed soon."


def test_an_order_minimum_is_reached_whatever_keeping_costs():
    limit = Limit("order minimum", D(500), None)
    filling = filler.fill(D(100), [an_item("slow", 100, "10", 300)], limit, D(40))
    assert (filling.pays, names(filling)) == (True, ["slow"])
    assert filling.words == "Adding 1 line reaches the order minimum from 500.00: costs 131.51 to hold."


def test_nothing_is_bought_beyond_the_days_of_cover():
    items = [an_item("much", 20, "10", 5, most=10), an_item("ok", 20, "10", 9, most=30)]
    assert names(filler.fill(D(380), items, FREIGHT, D(20))) == ["ok"]


def test_an_order_that_is_there_needs_nothing():
    filling = filler.fill(D(500), [an_item("x", 20, "10", 5)], FREIGHT, D(20))
    assert (filling.pays, filling.additions, filling.words) == (
        False, (), "The order reaches the free freight."
    )  # fmt: skip


def test_the_nearest_limit_comes_first():
    found = filler.limits(D(80), order_minimum=D(100), free_freight_from=D(500), freight_cost=D(18))
    assert [(limit.kind, limit.value, limit.saves) for limit in found] == [
        ("order minimum", 100, None),
        ("free freight", 500, 18),
    ]
    assert filler.limits(D(500), order_minimum=D(100), free_freight_from=D(500), freight_cost=D(18)) == []
    assert filler.limits(D(80), order_minimum=None, free_freight_from=D(500), freight_cost=None) == []


def test_a_line_goes_up_a_step_where_that_pays():
    line = an_item("WDG-1", 40, None, 0, steps={1: "2.00", 50: "1.80"}, most=100)
    more = filler.up_a_step(line, D(20), D(2))
    assert (more.quantity, more.unit_price, more.value) == (10, D("1.80"), 10)
    assert more.words == ("10 more of WDG-1 reach the step from 50 at 1.80: costs 0.22 to hold, spares 7.97")
    assert filler.up_a_step(line, D(20), D("0.01")) is None
    few = an_item("WDG-1", 40, None, 0, steps={1: "2.00", 50: "1.80"}, most=45)
    assert filler.up_a_step(few, D(20), D(2)) is None


items_of = st.lists(
    st.builds(
        an_item,
        st.sampled_from("abcdefgh"),
        st.integers(1, 80),
        st.integers(1, 3000).map(lambda n: f"{n / 100:.2f}"),
        st.integers(0, 90),
        minimum=st.none() | st.integers(1, 60),
        multiple=st.none() | st.integers(1, 24),
        most=st.none() | st.integers(0, 100),
    ),
    max_size=6,
    unique_by=lambda item: item.name,
)
limits_of = st.builds(
    Limit, st.just("free freight"), st.integers(1, 2000).map(D), st.none() | st.integers(0, 60).map(D)
)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 1500).map(D), items_of, limits_of, st.integers(0, 100).map(D))
def test_additions_reach_the_limit_pay_and_are_as_the_vendor_sells(value, items, limit, percent):
    filling = filler.fill(value, items, limit, percent)
    if not filling.pays:
        assert filling.additions == ()
        return
    known = {item.key: item for item in items}
    assert value + sum(one.value for one in filling.additions) >= limit.value - D("0.05")
    assert limit.saves is None or filling.net > 0
    assert filling.holding == sum(one.holding for one in filling.additions)
    for one in filling.additions:
        item = known[one.key]
        assert one.quantity >= item.terms.least
        assert one.quantity % item.terms.grain == 0
        assert item.most is None or one.quantity <= item.most


@pytest.mark.parametrize("percent", [5, 20, 80])
def test_dearer_keeping_never_adds_more(percent):
    items = [an_item("a", 30, "10", 30), an_item("b", 30, "10", 60)]
    few = filler.fill(D(100), items, FREIGHT, D(percent))
    more = filler.fill(D(100), items, FREIGHT, D(percent * 2))
    assert len(more.additions) <= len(few.additions)
