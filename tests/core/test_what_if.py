"""What if: no change is the base, more demand is sooner, more stock later, and how much to order."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import forecast_edits, predictions, what_if
from core.errors import NotFound
from core.forecast import ordering
from core.what_if import Base, Scenario
from jobs.train import train
from tests.core.test_predictions import NOW, TODAY, coming, sold_daily
from tests.makers import a_product, a_warehouse, an_actor

DAYS = 60


def drawn(seed: int, most: int) -> np.ndarray:
    """Cumulative demand of ten futures, some of them lumpy."""
    rng = np.random.default_rng(seed)
    daily = rng.integers(0, most + 1, (10, DAYS)) * (rng.random((10, DAYS)) < rng.random())
    return np.cumsum(daily.astype(float), axis=1)


paths_of = st.builds(drawn, st.integers(0, 2**32), st.integers(0, 6))
receipts_of = st.lists(st.tuples(st.integers(1, DAYS + 5), st.integers(0, 40)), max_size=3)
bases = st.builds(
    Base,
    st.just(TODAY),
    paths_of,
    st.integers(0, 200).map(Decimal),
    receipts_of,
    st.integers(0, 40),
    st.none() | st.integers(1, 50).map(Decimal),
)
percents = st.integers(-90, 300)
levels = st.integers(500, 999).map(lambda tenths: Decimal(tenths) / 10)
days_on = st.integers(0, DAYS - 1).map(lambda n: TODAY + timedelta(days=n))


def steady(per_day=2.0, on_hand=20, lead_time_days=7, receipts=(), decimals=0) -> Base:
    cumulative = np.cumsum(np.full((50, DAYS), per_day), axis=1)
    return Base(TODAY, cumulative, Decimal(on_hand), list(receipts), lead_time_days, Decimal(5), decimals)


def day(value: int | None) -> int:
    return DAYS + 1 if value is None else value


@settings(max_examples=40, deadline=None)
@given(bases)
def test_no_change_is_the_base_exactly(known):
    found = what_if.answer(known, Scenario())
    assert found.before == found.after
    assert found.fan.equals(predictions.fan_of(known.cumulative, known.on_hand, known.receipts, TODAY))
    said_as_it_is = Scenario(lead_time_days=known.lead_time_days, order_on=TODAY, quantity=None)
    assert what_if.answer(known, said_as_it_is).after == found.before


@settings(max_examples=40, deadline=None)
@given(bases, percents, percents)
def test_more_demand_never_runs_out_later_nor_loses_less(known, one, other):
    less, more = (what_if.answer(known, Scenario(demand_percent=p)).after for p in sorted((one, other)))
    for name in ("p10", "p50", "p90"):
        assert day(getattr(more.passage, name)) <= day(getattr(less.passage, name))
    for name in ("chance_7", "chance_14", "chance_30", "chance_before_replenishment", "expected_lost"):
        assert getattr(more.passage, name) >= getattr(less.passage, name) - 1e-9
    assert more.lost >= less.lost - 1e-9


@settings(max_examples=40, deadline=None)
@given(bases, st.integers(0, 100), st.integers(0, 100), days_on)
def test_a_bigger_order_never_runs_out_earlier_nor_loses_more(known, one, other, order_on):
    few, many = (
        what_if.answer(known, Scenario(quantity=Decimal(q), order_on=order_on)).after
        for q in sorted((one, other))
    )
    for name in ("p10", "p50", "p90"):
        assert day(getattr(many.passage, name)) >= day(getattr(few.passage, name))
    assert many.lost <= few.lost + 1e-9


@settings(max_examples=40, deadline=None)
@given(bases, percents, levels, days_on, days_on)
def test_the_advised_quantity_is_enough_in_as_many_futures_as_asked_and_a_piece_less_is_not(
    known, percent, level, one, other
):
    order_on, until_on = sorted((one, other))
    asked = Scenario(
        demand_percent=percent, lead_time_days=0, order_on=order_on, until_on=until_on, service_percent=level
    )
    advice = what_if.answer(known, asked).advice
    arrives, until = known.day(order_on), known.day(until_on)
    cumulative = known.cumulative * (1 + percent / 100)

    def share(quantity):
        """Of the futures in which nobody is turned away from the arrival to the end."""
        ordered = [*known.receipts, (arrives, float(quantity))]
        more = ordering.needed(cumulative, float(known.on_hand), ordered, arrives, until)
        return np.mean(more <= 1e-6)

    assert share(advice.quantity) >= float(level) / 100 - 1e-9
    if advice.quantity > 0:
        assert share(advice.quantity - 1) < float(level) / 100


@settings(max_examples=40, deadline=None)
@given(bases, levels, levels, days_on, days_on)
def test_a_higher_service_level_or_a_longer_time_never_asks_for_less(known, one, other, first, second):
    low, high = sorted((one, other))
    near, far = sorted((first, second))
    asked = [
        what_if.answer(
            known, Scenario(lead_time_days=0, order_on=TODAY, service_percent=level, until_on=until)
        ).advice.quantity
        for level, until in ((low, near), (high, near), (high, far))
    ]
    assert asked == sorted(asked)


def test_half_as_much_again_is_used_up_in_two_thirds_of_the_time():
    found = what_if.answer(steady(), Scenario(demand_percent=50))
    assert found.before.verdict.p50_on == TODAY + timedelta(days=9)
    assert found.after.verdict.p50_on == TODAY + timedelta(days=6)
    assert found.after.passage.daily_rate == 3


def test_an_order_arrives_after_the_lead_time_and_is_there_on_that_day():
    found = what_if.answer(steady(), Scenario(order_on=TODAY + timedelta(days=2), quantity=Decimal(30)))
    assert found.arrives_on == TODAY + timedelta(days=9)  # the last of the stock is sold on that day
    assert found.after.verdict.p50_on == TODAY + timedelta(days=24)
    late = what_if.answer(steady(), Scenario(order_on=TODAY + timedelta(days=4), quantity=Decimal(30)))
    assert late.after.verdict.p50_on == late.before.verdict.p50_on
    assert late.after.lost == 2  # of one day; until the next order could come
    assert late.before.lost == 19 * 2 - 20


def test_the_advice_covers_the_days_from_the_arrival_to_the_next_one():
    found = what_if.answer(steady(), Scenario())
    advice = found.advice
    assert (advice.arrives_on, advice.until_on) == (TODAY + timedelta(days=7), TODAY + timedelta(days=14))
    assert advice.quantity == 15 * 2 - 20
    assert advice.chance_before == 0
    assert what_if.answer(steady(), Scenario(demand_percent=200)).advice.chance_before == 1
    short = what_if.answer(steady(lead_time_days=2), Scenario()).advice
    assert short.until_on == TODAY + timedelta(days=2 + 7)  # the next weekly review comes later than it


def test_what_was_lost_before_the_order_arrives_is_not_ordered_for():
    # Nothing on hand: what is asked for until it arrives goes elsewhere.
    advice = what_if.answer(steady(on_hand=0), Scenario()).advice
    assert advice.quantity == 8 * 2
    assert advice.chance_before == 1


def test_what_is_on_its_way_is_counted():
    known = steady(receipts=[(10, 6.0)])
    assert what_if.answer(known, Scenario()).advice.quantity == 4
    assert what_if.answer(steady(receipts=[(1, 500.0)]), Scenario()).advice.quantity == 0


def test_an_order_that_comes_after_the_forecasts_end_has_no_advice():
    found = what_if.answer(steady(), Scenario(lead_time_days=365))
    assert found.advice is None
    assert found.until_on == TODAY + timedelta(days=DAYS - 1)
    assert found.after.verdict.status == "late"


def test_quantities_keep_the_decimals_in_which_the_product_is_sold():
    by_weight = steady(per_day=0.25, on_hand=2, decimals=2)
    assert what_if.answer(by_weight, Scenario()).advice.quantity == Decimal("1.75")
    # Half a piece more a day in the mean, but nobody orders half a piece: 22.5 are asked for.
    assert what_if.answer(steady(per_day=1, on_hand=11), Scenario(demand_percent=50)).advice.quantity == 12


# -- As an address writes it ---------------------------------------------------------------------------------


def test_an_address_is_read_as_a_scenario():
    said = {"demand": "30", "lead": "10", "order": "2026-06-03", "quantity": "12.5", "service": "97.5",
            "until": "2026-07-01"}  # fmt: skip
    expected = Scenario(30, 10, date(2026, 6, 3), Decimal("12.5"), Decimal("97.5"), date(2026, 7, 1))
    assert what_if.read(steady(), said) == (expected, {})
    assert what_if.read(steady(), {}) == (Scenario(), {})
    assert what_if.read(steady(), {"quantity": "0"}) == (Scenario(), {})


@pytest.mark.parametrize(
    ("word", "text", "sentence"),
    [
        ("demand", "abc", "Demand: 'abc' is not a number."),
        ("demand", "301", "Demand: 301 is not a whole number from -90 to 300."),
        ("demand", "1.5", "Demand: 1.5 is not a whole number"),
        ("demand", "NaN", "Demand: NaN is not a quantity"),
        ("lead", "-1", "Lead time: -1 is not a whole number from 0 to 365."),
        ("quantity", "-4", "Order quantity: -4 is less than 0."),
        ("service", "100", "Service level: 100 is not a percentage from 50 to 99.9."),
        ("order", "tomorrow", "Order on: 'tomorrow' is not a date like 2026-06-01."),
        ("order", "2026-05-31", "Order on: 2026-05-31 is not between today and 2026-07-30"),
        ("until", "2026-06-02", "Should last until: the order arrives on 2026-06-08, after 2026-06-02."),
        ("until", "2027-01-01", "Should last until: 2027-01-01 is not between today and"),
    ],
    ids=lambda value: value if value.isascii() and len(value) < 12 else "",
)
def test_a_word_that_cannot_be_meant_is_answered_and_ignored(word, text, sentence):
    scenario, refused = what_if.read(steady(), {"service": "90", word: text})
    assert refused[word].startswith(sentence)
    assert scenario == (Scenario() if word == "service" else Scenario(service_percent=Decimal(90)))


# -- From the shop -------------------------------------------------------------------------------------------


def test_the_base_is_what_the_page_shows(session):
    product = sold_daily(session, left=20)
    train(NOW)
    coming(session, product, 8, days=3)
    forecast_edits.change(
        session, an_actor(session), product.id, {TODAY + timedelta(days=7): {"replaces": 40}}, now=NOW
    )
    seen = predictions.outlook(session, product.id, TODAY)
    found = what_if.answer(what_if.base(session, product.id, TODAY), Scenario())
    assert found.after.passage == seen.passage
    assert found.after.verdict == seen.verdict
    assert found.fan.equals(seen.fan)
    assert found.advice.quantity == int(found.advice.quantity)  # multiplied weeks make no half pieces


def test_there_is_none_without_a_forecast(session):
    product = a_product(session)
    assert what_if.base(session, product.id, TODAY) is None
    sold = sold_daily(session)
    train(NOW)
    assert what_if.base(session, sold.id, TODAY, a_warehouse(session).id) is None
    assert what_if.base(session, sold.id, datetime(2027, 6, 1, tzinfo=UTC).date()) is None
    with pytest.raises(NotFound):
        what_if.base(session, 10**6, TODAY)
