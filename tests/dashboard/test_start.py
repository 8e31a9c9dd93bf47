"""An empty shop: three steps for who may take them, a sentence for the others."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import streamlit as st

from core import job_runs
from db.models import JobRun, Warehouse
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, a_warehouse, the_warehouse


def links(app):
    """Label and query of the links on the page."""
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


def test_the_first_admin_sees_three_steps_and_the_first_is_a_form(browser):
    app = browser("admin")
    assert not app.exception
    said = plain(words(app))
    assert "Three steps to your first run-out dates" in said
    for step in ("A warehouse", "Products and stock", "First run-out dates"):
        assert f"**{step}**" in said
    assert "check_circle" not in said
    assert app.text_input(key="first_code").value == "MAIN"
    assert "Bring in past sales" not in links(app)  # nowhere to put them yet
    assert not app.code


def test_the_form_makes_the_default_warehouse_and_ticks_the_step(browser, session):
    app = browser("admin")
    app.text_input(key="first_code").set_value("SHOP")
    app.text_input(key="first_name").set_value("Shop at the corner")
    app.selectbox(key="first_zone").set_value("Europe/Vienna")
    next(b for b in app.button if b.label == "Create the warehouse").click()
    app.run()
    assert not app.exception
    made = session.scalars(sa.select(Warehouse)).one()
    assert (made.code, made.name, made.time_zone, made.is_default) == (
        "SHOP", "Shop at the corner", "Europe/Vienna", True,
    )  # fmt: skip
    assert "check_circle" in words(app)
    assert "Shop at the corner" in plain(words(app))
    assert "kind=sales" in links(app)["Bring in past sales"]
    assert "kind=stock" in links(app)["Bring in opening stock"]
    assert "kind=products" in links(app)["Bring in a product list"]
    assert "Add a product by hand" in links(app)


@pytest.mark.parametrize(("code", "sentence"), [("", "needs a code of 1 to 40"), ("  ", "needs a code of")])
def test_a_warehouse_that_cannot_be_says_why_and_makes_none(browser, session, code, sentence):
    app = browser("admin")
    app.text_input(key="first_code").set_value(code)
    next(b for b in app.button if b.label == "Create the warehouse").click().run()
    assert sentence in plain(app.error[0].value)
    assert session.scalar(sa.select(sa.func.count()).select_from(Warehouse)) == 0


def test_somebody_else_made_the_same_warehouse_meanwhile(browser, session):
    app = browser("admin")
    a_warehouse(session, "main")
    session.commit()
    next(b for b in app.button if b.label == "Create the warehouse").click().run()
    assert not app.exception
    assert session.scalar(sa.select(sa.func.count()).select_from(Warehouse)) == 1
    assert "check_circle" in words(app)


def test_products_without_stock_are_half_of_the_second_step(browser, session):
    the_warehouse(session)
    a_product(session)
    app = browser("manager")
    assert "1 product is in. What lies on the shelves is missing." in plain(words(app))
    assert "Bring in opening stock" in links(app)
    assert "Bring in a product list" not in links(app)


def test_with_stock_the_third_step_trains_and_says_when_dates_come(browser, session, sold_daily):
    sold_daily()
    app = browser("manager")
    assert "30 days of history" in plain(words(app))
    app.button(key="train").click().run()
    assert not app.exception
    assert session.scalars(sa.select(JobRun.state).where(JobRun.job == "train")).all() == ["queued"]
    assert any("No scheduler runs, so this waits" in warning.value for warning in app.warning)


def test_training_that_ended_early_says_why_and_can_be_asked_for_again(browser, session, sold_daily):
    sold_daily()
    app = browser("manager")
    app.button(key="train").click().run()
    now = datetime.now(UTC)
    job_runs.alive(session, "a", now)
    claimed = job_runs.claim(session, "a", ["train"], now)
    job_runs.beat(session, claimed, now, 3, 9)
    session.commit()
    app.run()
    assert "3 of 9" in app.get("progress")[0].proto.text
    job_runs.fail(session, claimed, now, "ValueError: [no](http://evil.example) luck")
    session.commit()
    app.run()
    assert "ended early and changed nothing" in plain(app.error[0].value)
    assert "[no](http" not in app.error[0].value
    app.button(key="train").click().run()
    assert sorted(session.scalars(sa.select(JobRun.state))) == ["failed", "queued"]


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_import_is_told_who_may(browser, session, sold_daily, role):
    app = browser(role)
    assert "This shop has no products yet" in plain(words(app))
    assert "A manager can bring in" in plain(words(app))
    assert not app.text_input
    a_product(session)
    st.cache_data.clear()  # figures are kept for some seconds
    assert "Nothing has moved yet" in plain(words(browser(role)))
    sold_daily()
    st.cache_data.clear()
    app = browser(role)
    assert "No forecast has been trained yet" in plain(words(app))
    assert not [button for button in app.button if button.key == "train"]


def test_the_products_view_of_an_empty_shop_shows_the_same_steps(browser):
    assert "Three steps" in plain(words(browser("admin", "products")))


def test_with_opening_stock_alone_training_says_how_long_it_takes_and_today_goes_on(browser, session, train):
    a_product(session, 40)
    app = browser("manager")
    app.button(key="train").click().run()
    now = datetime.now(UTC)
    claimed = job_runs.claim(session, "a", ["train"], now)
    train()
    job_runs.finish(session, claimed, now, {"ok": 0, "too_short": 1, "failed": 0})
    session.commit()
    app.run()
    assert not app.exception
    # Nothing is left to set up: Today is the page of every day, and says what has no forecast.
    assert "Three steps" not in plain(words(app))
    assert "No product has a forecast yet" in plain(words(app))
    assert "1 product without a forecast: less than 30 days of history" in plain(words(app))
