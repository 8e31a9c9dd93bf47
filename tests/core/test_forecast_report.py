"""The shop's forecasts as a whole: what became of ranges, and where an error costs most."""

from datetime import date, timedelta

import pytest

from core import forecast_report
from core.errors import BadInput
from core.forecast_report import ClassCount, Level, Totals
from db.models import Forecast, IssuedRange, ModelRun
from tests.core.test_scorecard import TESTED, forecast_of, ranges_of
from tests.makers import a_product, an_actor

TODAY = date(2026, 6, 10)


def worst(session, **filters):
    found, total = forecast_report.worst(session, today=TODAY, **filters)
    assert total >= len(found)
    return found


def skus(session, **filters):
    return list(worst(session, **filters).sku)


def of_shop(session):
    return forecast_report.of_shop(session, TODAY)


# -- All together --------------------------------------------------------------------------------------------


def test_an_empty_shop_has_nothing_to_report(session):
    said = of_shop(session)
    assert said.training is None
    assert said.ranges == Totals(0, 0, 0, 0, 0, 0, 0, None)
    assert said.ranges.coverage is None
    assert (said.calibration, said.reliability, said.classes) == ((), (), ())
    assert forecast_report.worst(session, today=TODAY)[1] == 0


def test_ranges_are_counted_when_their_days_are_over(session):
    product = a_product(session)
    ranges_of(session, product, ["inside"] * 5 + ["early", "late", "void", "open"])
    ranges_of(session, product, ["early"], over_since=0)  # its last day is today
    said = of_shop(session).ranges
    assert said == Totals(1, 5, 1, 1, 1, 7, 5, TODAY - timedelta(days=7 + 12))
    assert said.coverage == pytest.approx(5 / 7)


def test_calibration_counts_how_many_were_used_up_by_each_day_once_twenty_are_judged(session):
    product = a_product(session)
    for number in range(20):
        issued_on = TODAY - timedelta(days=40 + number)
        ran_out = (2, 7, 12, None)[number % 4]  # on p10, between p50 and p90, on p90, not at all
        session.add(IssuedRange(
            product_id=product.id, issued_on=issued_on, method="pool", on_hand=10, chance_14=0.95,
            p10_on=issued_on + timedelta(days=2), p50_on=issued_on + timedelta(days=5),
            p90_on=issued_on + timedelta(days=12 if number < 10 else 13),
            until=issued_on + timedelta(days=119),
            state="late" if ran_out is None else "inside", closed_on=TODAY,
            ran_out_on=None if ran_out is None else issued_on + timedelta(days=ran_out),
        ))  # fmt: skip
        if number == 18:
            session.flush()
            assert of_shop(session).calibration == ()
    session.flush()
    said = of_shop(session)
    assert said.calibration == (Level(0.1, 0.25, 20), Level(0.5, 0.25, 20), Level(0.9, 0.75, 20))
    # Of ranges that ended before the fourteenth day it is not known when the late ones ran out.
    assert said.reliability == (Level(pytest.approx(0.95), pytest.approx(0.7), 10),)


def test_the_full_training_is_named_and_not_the_nightly_one(session):
    actor, run_of = an_actor(session), {"state": "published", "engine": {"pool": "pool"}}
    report = {"members": [], "calibration": []}
    session.add(ModelRun(as_of=TODAY, report=report, started_by=actor.id, trained=7, failed=1, **run_of))
    session.flush()
    session.add(ModelRun(as_of=TODAY + timedelta(days=1), trained=1, **run_of))
    session.add(ModelRun(as_of=TODAY, state="failed", engine={}, report={"members": [1]}))
    session.flush()
    said = of_shop(session).training
    assert (said.as_of, said.trained, said.failed, said.report) == (TODAY, 7, 1, report)
    assert (said.started_by, said.scores) == (actor.name, {})


def test_products_are_counted_by_state_and_class_without_those_not_sold_any_more(session):
    kinds = ["smooth", "smooth", "lumpy", "lumpy"]
    products = [a_product(session) for _ in range(6)]
    for product, kind in zip(products, kinds, strict=False):
        forecast_of(session, product, demand_class=kind)
    forecast_of(session, products[4], demand_class=None, state="too_short", paths=None)
    products[3].is_active = False
    session.flush()
    assert set(of_shop(session).classes) == {
        ClassCount("ok", "smooth", 2), ClassCount("ok", "lumpy", 1), ClassCount("too_short", None, 1),
        ClassCount("none", None, 1),
    }  # fmt: skip


# -- Where it is worst ---------------------------------------------------------------------------------------


@pytest.fixture
def shop(session):
    """Five products: CHEAP is furthest off, DEAR costs most, UNTESTED, YOUNG and BROKEN have no scores."""
    for sku, price, rate, crps, kind in (
        ("CHEAP", 1, 1, 20.0, "lumpy"), ("DEAR", 50, 4, 3.0, "smooth"), ("GOOD", 5, 4, 1.0, "smooth"),
    ):  # fmt: skip
        product = a_product(session, sku=sku, name=f"The {sku.lower()} one", unit_price=price)
        scores = TESTED | {"crps": crps, "skill": 0.3 if sku == "GOOD" else -0.1, "coverage": 0.5}
        forecast_of(session, product, demand_class=kind, scores=scores, daily_rate=rate)
    forecast_of(session, a_product(session, sku="UNTESTED", name="Untested"), daily_rate=1)
    young = a_product(session, sku="YOUNG", name="Young")
    forecast_of(
        session, young, demand_class=None, state="too_short", paths=None, reason="9 of 30 days of history"
    )
    a_product(session, sku="NEW", name="New")
    a_product(session, sku="GONE").is_active = False
    session.flush()


@pytest.mark.usefixtures("shop")
def test_the_costliest_error_comes_first_and_what_was_not_tested_last(session):
    found = worst(session)
    assert list(found.sku) == ["DEAR", "CHEAP", "GOOD", "NEW", "UNTESTED", "YOUNG"]
    dear = found.iloc[0]
    assert (dear.cost, dear.sales_a_day, dear.crps, dear.tasks) == (600, 200, 3.0, 18)
    assert list(found.state) == ["ok", "ok", "ok", "none", "ok", "too_short"]
    assert list(found.reason[3:]) == ["not trained yet", "blocks on 90 days", "9 of 30 days of history"]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("sort", "descending", "first"),
    [("crps", True, ["CHEAP", "DEAR", "GOOD"]), ("crps", False, ["GOOD", "DEAR", "CHEAP"]),
     ("skill", True, ["GOOD", "CHEAP", "DEAR"]), ("sku", False, ["CHEAP", "DEAR", "GOOD"]),
     ("sku", True, ["YOUNG", "UNTESTED", "NEW"]), ("name", False, ["NEW", "CHEAP", "DEAR"]),
     ("name", True, ["YOUNG", "UNTESTED", "GOOD"])],
)  # fmt: skip
def test_the_list_can_be_put_in_another_order(session, sort, descending, first):
    found = skus(session, sort=sort, descending=descending)
    assert len(found) == 6
    assert found[:3] == first


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("sort", forecast_report.SORTS)
@pytest.mark.parametrize("descending", [True, False])
def test_pages_put_together_are_the_whole_list(session, sort, descending):
    whole = skus(session, sort=sort, descending=descending)
    pages = [skus(session, sort=sort, descending=descending, limit=2, offset=at) for at in (0, 2, 4)]
    assert [sku for page in pages for sku in page] == whole
    assert forecast_report.worst(session, today=TODAY, offset=50)[1] == 6


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("filters", "found"),
    [({"demand_class": "smooth"}, {"DEAR", "GOOD", "UNTESTED"}), ({"text": "dear"}, {"DEAR"}),
     ({"text": "%"}, set()), ({"state": "too_short"}, {"YOUNG"}), ({"state": "none"}, {"NEW"}),
     ({"state": "failed"}, set()), ({"state": "ok", "text": "U"}, {"UNTESTED"}),
     ({"state": "ok", "demand_class": "lumpy"}, {"CHEAP"})],
)  # fmt: skip
def test_the_list_can_be_narrowed(session, filters, found):
    page, total = forecast_report.worst(session, today=TODAY, **filters)
    assert set(page.sku) == found
    assert total == len(found)


@pytest.mark.usefixtures("shop")
def test_a_product_whose_training_failed_is_said_to_have_failed_while_its_older_forecast_serves(session):
    product = a_product(session, sku="BROKEN")
    older = forecast_of(session, product, scores=TESTED, daily_rate=1)
    session.add(Forecast(
        model_run_id=older.model_run_id, product_id=product.id, is_current=False, as_of=TODAY, state="failed",
        reason="ValueError: too large", history_days=90, demand_days=80,
    ))  # fmt: skip
    session.flush()
    (row,) = worst(session, state="failed").itertuples()
    assert (row.sku, row.reason, row.crps) == ("BROKEN", "ValueError: too large", 3.1)
    assert "BROKEN" not in skus(session, state="ok")
    newer = forecast_of(session, a_product(session))
    newer.product_id, older.is_current = product.id, False
    session.flush()
    assert skus(session, state="failed") == []


@pytest.mark.usefixtures("shop")
def test_each_row_says_how_often_its_ranges_held(session):
    product = a_product(session, sku="SHOWN")
    forecast_of(session, product)
    ranges_of(session, product, ["inside", "late", "void", "inside"])
    (row,) = worst(session, text="SHOWN").itertuples()
    assert (row.issued_right, row.issued_of) == (2, 3)


@pytest.mark.parametrize(
    "wrong", [{"sort": "mood"}, {"state": "tired"}, {"demand_class": "odd"}, {"limit": 0}, {"offset": -1}]
)
def test_what_nobody_knows_is_refused_by_name(session, wrong):
    with pytest.raises(BadInput):
        worst(session, **wrong)
