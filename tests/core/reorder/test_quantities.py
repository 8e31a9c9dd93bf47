"""How much may be ordered: minimum, multiple, grain and price steps, and when going up a step pays."""

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.reorder import quantities
from core.reorder.quantities import Holding, Terms

D = Decimal
decimals_of = st.integers(0, 3)
amounts = st.integers(1, 50_000).map(lambda n: D(n) / 100)
maybe = st.none() | st.integers(1, 400).map(D)
prices = st.integers(1, 100_000).map(lambda n: D(n) / 1000)


@st.composite
def terms_of(draw):
    breaks = sorted(draw(st.sets(st.integers(1, 500), min_size=1, max_size=4)))
    steps = tuple((D(least), draw(prices)) for least in breaks)
    return Terms(draw(maybe), draw(maybe), steps, draw(decimals_of))


holdings = st.builds(
    Holding,
    st.integers(0, 200).map(D),
    st.integers(0, 2000).map(lambda n: D(n) / 100),
    st.none() | st.integers(0, 2000).map(D),
)


def plain(*steps, minimum=None, multiple=None, decimals=0):
    return quantities.terms(minimum, multiple, [(D(n), D(p)) for n, p in steps], decimals=decimals)


@settings(deadline=None)
@given(amounts, terms_of())
def test_what_is_ordered_is_enough_and_as_the_vendor_sells_it(wanted, terms):
    found = quantities.orderable(wanted, terms)
    assert found >= wanted
    assert found >= (terms.minimum or 0)
    assert found % terms.grain == 0
    assert quantities.price_at(found, terms.steps) is not None


@settings(deadline=None)
@given(amounts, terms_of())
def test_it_is_the_least_such_quantity(wanted, terms):
    less = quantities.orderable(wanted, terms) - terms.grain
    is_allowed = less >= max(wanted, terms.minimum or D(0), terms.steps[0][0])
    assert not is_allowed


@settings(deadline=None)
@given(amounts, amounts, terms_of(), holdings)
def test_more_wanted_is_never_less_ordered(one, other, terms, holding):
    less, more = sorted((one, other))
    assert quantities.orderable(less, terms) <= quantities.orderable(more, terms)
    first, second = (quantities.best_quantity(n, terms, holding) for n in (less, more))
    assert first.quantity <= second.quantity


@settings(deadline=None)
@given(amounts, terms_of(), holdings)
def test_going_up_a_step_keeps_minimum_multiple_and_limit(wanted, terms, holding):
    choice = quantities.best_quantity(wanted, terms, holding)
    assert choice.rounded == quantities.orderable(wanted, terms)
    assert choice.quantity >= choice.rounded
    assert choice.quantity % terms.grain == 0
    assert choice.unit_price == quantities.price_at(choice.quantity, terms.steps)
    assert choice.saving >= 0
    if choice.quantity > choice.rounded:
        assert choice.saving > 0
        assert holding.most is None or choice.quantity <= holding.most
        assert holding.daily_rate > 0


@settings(deadline=None)
@given(amounts, terms_of(), holdings, st.integers(1, 100).map(D))
def test_dearer_keeping_never_goes_further_up(wanted, terms, holding, more):
    dear = Holding(holding.percent + more, holding.daily_rate, holding.most)
    assert (
        quantities.best_quantity(wanted, terms, dear).quantity
        <= quantities.best_quantity(wanted, terms, holding).quantity
    )


def test_nothing_wanted_is_nothing_ordered():
    terms = plain((10, 2), minimum=D(50))
    assert quantities.orderable(D(0), terms) == 0
    assert quantities.orderable(D(-3), terms) == 0
    assert quantities.best_quantity(D(0), terms, Holding(D(20), D(1))).quantity == 0


@pytest.mark.parametrize(
    ("wanted", "minimum", "multiple", "decimals", "expected"),
    [
        (7, None, None, 0, "7"),
        ("6.2", None, None, 0, "7"),
        ("6.21", None, None, 1, "6.3"),
        (7, 10, None, 0, "10"),
        (7, None, 12, 0, "12"),
        (13, None, 12, 0, "24"),
        (7, 10, 6, 0, "12"),
        ("0.3", None, "0.25", 0, "0.50"),  # the vendor's multiple comes before the grain
        ("0.0001", 100, 30, 0, "120"),
    ],
)
def test_minimum_multiple_and_grain(wanted, minimum, multiple, decimals, expected):
    terms = Terms(minimum and D(minimum), multiple and D(multiple), ((D("0.01"), D(1)),), decimals)
    assert quantities.orderable(D(wanted), terms) == D(expected)


def test_the_first_step_is_a_minimum_and_there_is_no_price_below_it():
    terms = plain((25, "1.5"))
    assert quantities.orderable(D(3), terms) == 25
    assert quantities.price_at(D(24), terms.steps) is None
    assert quantities.price_at(D(25), terms.steps) == D("1.5")
    assert quantities.price_at(D(1), ()) is None


def test_goes_up_where_the_wanted_pieces_become_cheaper_by_more_than_keeping_costs():
    terms = plain((1, "2.00"), (50, "1.80"))
    choice = quantities.best_quantity(D(40), terms, Holding(D(20), D(2)))
    # 40 pieces 0.20 cheaper: 8.00. The 10 extra ones wait 20 to 25 days: 2.00 x 20 % / 365 x 225 = 0.25.
    assert (choice.quantity, choice.rounded, choice.unit_price) == (50, 40, D("1.80"))
    assert choice.saving.quantize(D("0.01")) == D("7.75")


@pytest.mark.parametrize(
    "holding",
    [
        None,
        Holding(D(20), D(0)),  # nothing is used
        Holding(D(20), D(2), D(49)),  # more than may be covered
        Holding(D(20), D("0.01")),  # would last for years
    ],
)
def test_stays_where_going_up_does_not_pay_or_may_not(holding):
    terms = plain((1, "2.00"), (50, "1.80"))
    assert quantities.best_quantity(D(40), terms, holding).quantity == 40


def test_a_far_step_is_taken_where_it_is_better_than_a_near_one():
    terms = plain((1, "2.00"), (50, "1.95"), (100, "1.50"))
    assert quantities.best_quantity(D(40), terms, Holding(D(20), D(5))).quantity == 100


def test_prices_come_in_the_shops_currency_and_steps_in_order():
    terms = quantities.terms(None, None, [(D(50), D(2)), (D(1), D(3))], exchange_rate=D("0.5"))
    assert terms.steps == ((1, D("1.5")), (50, D(1)))


def test_keeping_a_piece_longer_costs_more_and_for_ever_has_no_number():
    holding = Holding(D("36.5"), D(1))
    # 36.5 % a year is 0.1 % a day: pieces 11 and 12 wait 10.5 and 11.5 days on average, of 10.00 each.
    assert quantities.holding_cost(D(12), D(10), D(10), holding) == D("0.22")
    assert quantities.holding_cost(D(10), D(10), D(10), holding) == 0
    assert quantities.holding_cost(D(12), D(10), D(10), Holding(D(20), D(0))) is None


def test_cover_is_what_may_still_come():
    assert quantities.most_pieces(D(2), 120, D(40)) == 200
    assert quantities.most_pieces(D(2), 10, D(40)) == 0


@settings(deadline=None)
@given(terms_of())
def test_steps_alone_never_make_what_is_allowed_unorderable(terms):
    assume(terms.minimum is None or terms.minimum > 0)
    assert quantities.orderable(terms.least, terms) == terms.least
