"""What a product's forecast learned from: left out, counted again, limited, events, and its predecessor."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import demand_events, exclusions, stock, successors
from db.models import Forecast, JobRun
from jobs import train as training
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import a_product, an_actor, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def product(sold_daily, train):
    made = sold_daily(left=500, name="Desk lamp")
    train()
    return made


@pytest.fixture
def open_page(browser, product):
    return lambda role="manager", **about: browser(role, "product", id=str(product.uid), **about)


def rate(session, product):
    session.expire_all()
    question = sa.select(Forecast.daily_rate).where(
        Forecast.product_id == product.id, Forecast.is_current, Forecast.warehouse_id.is_(None)
    )
    return float(session.scalar(question))


def sell(session, product, quantity, days_ago):
    booked = stock.remove(
        session, an_actor(session), product.id, the_warehouse(session).id, quantity,
        occurred_at=NOW - timedelta(days=days_ago), reason_code="sale", customer="Acme *&* Sons",
    )  # fmt: skip
    return booked.lines[0].movement_id


def test_a_sale_is_left_out_and_the_forecast_follows_at_once_and_back(open_page, product, session, train):
    sale = sell(session, product, 15, 3)
    session.commit()
    train()
    high = rate(session, product)
    app = open_page()
    press(app, "Leave demand out")
    app.segmented_control[-1].set_value("One sale").run()
    picker = field(app, "Sale", "selectbox")
    assert "15 · Acme *&* Sons" in picker.options[0]
    picker.select(sale)
    press(app, "Leave it out")
    assert "say why" in plain(app.error[0].value)
    assert field(app, "Sale", "selectbox").value == sale
    field(app, "Reason").input("one building *site*")
    press(app, "Leave it out")
    assert not app.exception
    assert not app.error
    told = plain(words(app))
    assert "Left out." in told
    assert "sale of 15" in told
    assert "one building *site*" in told
    low = rate(session, product)
    assert low < high
    press(app, "Undo")
    assert rate(session, product) == high
    assert exclusions.of_product(session, product.id) == []


def test_days_are_left_out_counted_again_and_that_is_undone_too(open_page, product, session):
    app = open_page()
    press(app, "Leave demand out")
    field(app, "From", "date_input").set_value(TODAY - timedelta(days=9))
    field(app, "Until", "date_input").set_value(TODAY - timedelta(days=12))
    field(app, "Reason").input("fair")
    press(app, "Leave it out")
    assert "lies before" in plain(app.error[0].value)
    field(app, "Until", "date_input").set_value(TODAY - timedelta(days=7))
    press(app, "Leave it out")
    (left,) = exclusions.of_product(session, product.id)
    assert (left.starts_on, left.ends_on) == (TODAY - timedelta(days=9), TODAY - timedelta(days=7))
    press(app, "Count it again")
    assert exclusions.of_product(session, product.id) == []
    press(app, "Undo")
    (left,) = exclusions.of_product(session, product.id)
    assert left.reason == "fair"


def test_a_one_off_day_is_shown_and_can_be_left_out_from_there(open_page, product, session, train):
    sell(session, product, 400, 5)
    session.commit()
    train()
    app = open_page()
    assert "402 asked for, counted as 2" in plain(words(app))
    press(app, "Leave the day out")
    assert field(app, "From", "date_input").value == TODAY - timedelta(days=5)
    field(app, "Reason").input("typing error")
    press(app, "Leave it out")
    told = plain(words(app))
    assert "counted as" not in told
    assert "typing error" in told


def test_a_young_product_is_not_said_to_have_been_there_for_90_days(browser, session):
    old = a_product(session, 20, stock_at=NOW - timedelta(days=200))
    young = a_product(session, 20, stock_at=NOW - timedelta(days=7))
    new = a_product(session)
    session.commit()
    assert "In stock on every one of the last 90 days" in words(browser("viewer", "product", id=str(old.uid)))
    assert "In stock on every one of its first 7 days" in words(
        browser("viewer", "product", id=str(young.uid))
    )
    told = words(browser("viewer", "product", id=str(new.uid)))
    assert "In stock on" not in told
    assert "nothing to learn from yet" in told


def test_empty_shelves_events_and_nothing_special_are_said_in_words(open_page, browser, product, session):
    assert "In stock on every one of its first" in words(open_page())
    demand_events.add(
        session, an_actor(session), TODAY, name="Fair *week*", starts_on=TODAY + timedelta(days=5),
        effect_percent=40, product_id=product.id,
    )  # fmt: skip
    sold_out = a_product(session, 20, stock_at=NOW - timedelta(days=40))
    for n in range(10):
        sell(session, sold_out, 2, 40 - n)
    session.commit()
    app = open_page("viewer")
    links = [plain(link.proto.label) for link in app.get("page_link")]
    assert any("Fair *week*" in label for label in links)
    assert "+40 % as stated" in plain(words(app))
    assert "Leave demand out" not in [button.label for button in app.button]
    app = browser("viewer", "product", id=str(sold_out.uid))
    told = plain(words(app))
    assert "days without stock** in its first" in told
    assert "were lost" in told


def test_a_product_takes_over_a_history_and_gives_it_back(open_page, product, session):
    old = a_product(session, sku="OLD-1", name="Old *lamp*")
    app = open_page()
    press(app, "It replaces another product")
    press(app, "Take over its history")
    assert "SKU: enter one first" in plain(app.error[0].value)
    field(app, "Replaces the product").input("nobody")
    press(app, "Take over its history")
    assert "no product with the SKU" in plain(app.error[0].value)
    field(app, "Replaces the product").input(product.sku)
    press(app, "Take over its history")
    assert "cannot replace itself" in plain(app.error[0].value)
    field(app, "Replaces the product").input("old-1")
    press(app, "Take over its history")
    assert not app.exception
    assert "Replaces **nothing → OLD-1**" in plain(words(app))
    session.expire_all()
    assert successors.predecessor(session, product.id).id == old.id
    press(app, "Replaces nothing")
    session.expire_all()
    assert successors.predecessor(session, product.id) is None
    press(app, "Undo")
    session.expire_all()
    assert successors.predecessor(session, product.id).id == old.id


def test_too_little_demand_left_is_said_and_a_job_takes_the_forecast_away(open_page, session):
    app = open_page()
    press(app, "Leave demand out")
    field(app, "From", "date_input").set_value(TODAY - timedelta(days=61))
    field(app, "Until", "date_input").set_value(YESTERDAY)
    field(app, "Reason").input("everything was odd")
    press(app, "Leave it out")
    assert not app.exception
    told = plain(words(app))
    assert "Too little demand is left to learn from: a job takes the old forecast away" in told
    assert session.scalars(sa.select(JobRun.job)).all() == ["refresh"]
    training.train(datetime.now(UTC), only_moved=True)
    app = open_page()
    assert "No forecast yet" in words(app)
    press(app, "Count it again")
    assert "runs out" in plain(words(app))


def test_where_there_was_no_forecast_none_is_said_to_be_taken_away(browser, sold_daily, session):
    young = sold_daily(days=9)
    app = browser("manager", "product", id=str(young.uid))
    press(app, "Leave demand out")
    field(app, "Reason").input("one big order")
    press(app, "Leave it out")
    assert "There is too little demand for a forecast yet" in plain(words(app))
    assert session.scalars(sa.select(JobRun.job)).all() == []
