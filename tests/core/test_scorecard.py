"""Which counts stand beside a range, and what is said of a product's dates."""

from datetime import date, timedelta

import pytest

from core import scorecard
from core.scorecard import LEAST_RANGES, Limited, Record
from db.models import Forecast, IssuedRange, ModelRun
from tests.makers import a_product

TODAY = date(2026, 6, 10)
TESTED = {"tasks": 18, "inside": 15, "coverage": 15 / 18, "crps": 3.1, "crps_naive": 4.0, "skill": 0.225,
          "bias": 0.4, "mase": 0.9, "mase_naive": 1.1}  # fmt: skip


def forecast_of(session, product, *, demand_class="smooth", scores=None, **about):
    run = ModelRun(state="published", as_of=TODAY - timedelta(days=1), engine={})
    session.add(run)
    session.flush()
    values = {"state": "ok", "reason": "blocks on 90 days", "method": "pool", "paths": b"x"} | about
    kept = Forecast(
        model_run_id=run.id, product_id=product.id, is_current=True, as_of=run.as_of, history_days=90,
        demand_days=80, demand_class=demand_class, scores=scores, **values,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    return kept


def ranges_of(session, product, states, *, over_since=1, demand_class="smooth"):
    """Ranges of these states, the newest first, whose days were over so many days ago and before."""
    for place, state in enumerate(states):
        last_on = TODAY - timedelta(days=over_since + place)
        session.add(IssuedRange(
            product_id=product.id, issued_on=last_on - timedelta(days=12), method="pool",
            demand_class=demand_class, on_hand=10, p10_on=last_on - timedelta(days=8),
            p50_on=last_on - timedelta(days=5), p90_on=last_on, until=last_on + timedelta(days=107),
            chance_14=0.9, state=state, closed_on=None if state == "open" else last_on,
        ))  # fmt: skip
    session.flush()


def record(session, product):
    return scorecard.record(session, product.id, TODAY)


# -- Which counts --------------------------------------------------------------------------------------------


def test_twenty_own_ranges_speak_for_themselves(session):
    product = a_product(session)
    forecast_of(session, product, scores=TESTED)
    ranges_of(session, product, ["inside"] * 15 + ["early", "late"] * 2)
    assert record(session, product).source == "backtest"
    ranges_of(session, product, ["late"], over_since=30)
    assert record(session, product) == Record(15, 20, "issued", "smooth")


def test_only_the_last_fifty_count(session):
    product = a_product(session)
    forecast_of(session, product)
    ranges_of(session, product, ["inside"] * 41 + ["early"] * 9 + ["late"] * 30)
    assert record(session, product) == Record(41, 50, "issued", "smooth")


def test_void_and_open_ranges_are_not_counted_and_neither_is_one_whose_days_are_not_over(session):
    product = a_product(session)
    forecast_of(session, product)
    ranges_of(session, product, ["inside"] * 20 + ["void", "open"] * 5)
    # It came too early, so it is decided. Those that may yet come out right are still open: it has to wait.
    ranges_of(session, product, ["early"] * 3, over_since=-2)
    assert record(session, product) == Record(20, 20, "issued", "smooth")


def test_before_that_those_of_products_like_it(session):
    product, like_it, other = a_product(session), a_product(session), a_product(session)
    forecast_of(session, product, scores=TESTED)
    forecast_of(session, other, demand_class="lumpy")
    ranges_of(session, product, ["late"] * 5)
    ranges_of(session, like_it, ["inside"] * 16)
    ranges_of(session, other, ["early"] * 30, demand_class="lumpy")
    assert record(session, product) == Record(16, 21, "issued_class", "smooth")
    assert record(session, other) == Record(0, 30, "issued", "lumpy")


def test_before_that_the_test_on_the_past_of_the_product_and_then_of_its_class(session):
    product, short, other = a_product(session), a_product(session), a_product(session)
    forecast_of(session, product, scores=TESTED)
    forecast_of(session, short, scores={"tasks": 3, "inside": 3, "coverage": 1.0})
    forecast_of(session, other, demand_class="lumpy", scores={"tasks": 3, "inside": 3, "coverage": 1.0})
    assert record(session, product) == Record(15, 18, "backtest", "smooth")
    assert record(session, short) == Record(18, 21, "backtest_class", "smooth")
    assert record(session, other) == Record(0, 0, None, "lumpy")


def test_scores_of_an_older_training_without_counts_are_understood(session):
    product = a_product(session)
    forecast_of(session, product, scores={"tasks": 9, "coverage": 0.7778})
    assert record(session, product) == Record(7, 9, "backtest", "smooth")


def test_in_an_empty_shop_and_without_a_forecast_there_is_nothing_to_go_by(session):
    product = a_product(session)
    nothing = Record(0, 0, None, None)
    assert record(session, product) == nothing
    assert scorecard.records(session, [], TODAY) == {}
    assert scorecard.records(session, [product.id, 10**6], TODAY) == {product.id: nothing, 10**6: nothing}


def test_many_products_are_answered_as_each_alone(session):
    products = [a_product(session) for _ in range(4)]
    for number, product in enumerate(products[:3]):
        forecast_of(session, product, scores=TESTED, demand_class=("smooth", "lumpy", "smooth")[number])
    ranges_of(session, products[0], ["inside"] * 25)
    together = scorecard.records(session, [product.id for product in products], TODAY)
    assert together == {product.id: record(session, product) for product in products}
    assert [together[product.id].source for product in products] == [
        "issued", "backtest", "issued_class", None,
    ]  # fmt: skip


# -- The card ------------------------------------------------------------------------------------------------


def test_the_card_holds_what_is_known(session):
    product = a_product(session)
    forecast_of(session, product, scores=TESTED, would_help="Two years.", limited=[["2026-05-02", 400, 21.5]])
    ranges_of(session, product, ["open", "late", "inside", "void"])
    card = scorecard.of_product(session, product.id, TODAY, ranges=3)
    assert (card.crps, card.crps_naive, card.coverage, card.tasks, card.inside) == (3.1, 4.0, 15 / 18, 18, 15)
    assert (card.mase, card.mase_naive, card.bias) == (0.9, 1.1, 0.4)
    assert (card.badge, card.warning, card.mase_note) == ("beats the simple rule by 22 %", None, None)
    assert (card.reason, card.would_help, card.method) == ("blocks on 90 days", "Two years.", "pool")
    assert card.limited == (Limited(date(2026, 5, 2), 400, 21.5),)
    assert [one.state for one in card.ranges] == ["open", "late", "inside"]
    assert (card.own_right, card.own_of, card.open) == (1, 2, 1)
    assert card.record == Record(15, 18, "backtest", "smooth")


def test_a_product_without_a_forecast_has_a_card_that_says_why(session):
    product, young = a_product(session), a_product(session)
    forecast_of(
        session, young, demand_class=None, state="too_short", paths=None, reason="9 of 30 days of history"
    )
    card = scorecard.of_product(session, product.id, TODAY)
    assert (card.badge, card.reason) == ("too little to judge", "No forecast yet: train to get one.")
    assert (card.crps, card.ranges, card.limited, card.record.source) == (None, (), (), None)
    assert scorecard.of_product(session, young.id, TODAY).reason == "9 of 30 days of history"


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({}, "too little to judge"),
        ({"tasks": 5, "skill": 0.5}, "too little to judge"),
        ({"tasks": 6, "skill": 0.5}, "beats the simple rule by 50 %"),
        ({"tasks": 18, "skill": 0.05}, "beats the simple rule by 5 %"),
        ({"tasks": 18, "skill": 0.049}, "no better than the simple rule"),
        ({"tasks": 18, "skill": -3.0}, "no better than the simple rule"),
        ({"tasks": 18}, "too little to judge"),
    ],
)
def test_the_verdict_in_words(scores, words):
    assert scorecard.badge(scores) == words


@pytest.mark.parametrize(
    ("scores", "right", "of", "says"),
    [
        (TESTED, 0, 0, None),
        (TESTED, 9, LEAST_RANGES, "held only 9 of 20 times"),
        (TESTED, 12, LEAST_RANGES, None),
        (TESTED | {"bias": 4.6}, 0, 0, "5 days too late on average: order earlier"),
        (TESTED | {"bias": -3.0}, 0, 0, "3 days too early on average: stock may last longer"),
        (TESTED | {"inside": 9, "coverage": 0.5}, 0, 0, "only 9 of 18 ranges held"),
        (TESTED | {"tasks": 3, "bias": 9.0}, 0, 0, None),
        ({}, 0, 0, None),
    ],
)
def test_what_a_buyer_should_beware_of(scores, right, of, says):
    said = scorecard.warning(scores, right, of)
    assert said is None if says is None else says in said


def test_bias_in_words():
    assert [scorecard.bias_words(bias) for bias in (None, 0.2, 1.2, -6.0)] == [
        "-", "on time", "1 day too late", "6 days too early",
    ]  # fmt: skip


def test_mase_is_explained_where_it_misleads():
    assert scorecard.mase_note("lumpy", TESTED).startswith("MASE judges the mean")
    assert scorecard.mase_note("smooth", TESTED) is None
    assert scorecard.mase_note("lumpy", {}) is None
