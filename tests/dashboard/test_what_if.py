"""What if, on a product's page: fields and address say the same, and nothing is written."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import a_product

TODAY = datetime.now(UTC).date()


@pytest.fixture
def product(sold_daily, train):
    """2 a day, 20 left: used up on the tenth day; an order takes 7 days."""
    made = sold_daily(left=20, name="Desk lamp")
    train()
    return made


@pytest.fixture
def open_page(browser, product):
    def opened(role="viewer", **address):
        app = browser(role, "product", id=str(product.uid), **address)
        assert not app.exception
        return app

    return opened


def toggle(app):
    return next(switch for switch in app.toggle if switch.label == "What if")


def told(app):
    """The table: by label what is now and what would be."""
    table = next(plain(one.value) for one in app.markdown if one.value.startswith("| | Now"))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    return {label: (now, then) for label, now, then in rows}


def address(app):
    given = {word: value for word, value in app.query_params.items() if word != "id"}
    return {word: value if isinstance(value, str) else value[0] for word, value in given.items()}


def test_it_opens_and_shuts_and_the_address_says_so(open_page):
    app = open_page()
    assert "Order on" not in [one.label for one in app.date_input]
    toggle(app).set_value(True).run()
    assert address(app) == {"whatif": "1"}
    assert all(now == then for now, then in told(app).values())
    field(app, "Demand, change in %", "slider").set_value(50).run()
    assert address(app) == {"whatif": "1", "demand": "50"}
    toggle(app).set_value(False).run()
    assert address(app) == {}
    assert not app.slider


def test_more_demand_is_sooner_and_reset_brings_the_base_back(open_page):
    app = open_page(whatif="1", demand="100")
    before = told(app)
    assert field(app, "Demand, change in %", "slider").value == 100
    assert before["Demand"] == ("2 a day", "**4 a day**")
    assert before["Most likely"][0] != before["Most likely"][1]
    press(app, "Reset")
    assert address(app) == {"whatif": "1"}
    assert all(now == then for now, then in told(app).values())
    assert next(button for button in app.button if button.label == "Reset").disabled


def test_a_link_reproduces_all_fields(open_page):
    order_on, until_on = TODAY + timedelta(days=2), TODAY + timedelta(days=40)
    app = open_page(
        whatif="1",
        demand="-20",
        lead="10",
        service="90",
        order=str(order_on),
        quantity="30",
        until=str(until_on),
    )
    assert not app.error
    assert field(app, "Demand, change in %", "slider").value == -20
    assert field(app, "Lead time in days", "number_input").value == 10
    assert field(app, "Service level in %", "number_input").value == 90
    assert field(app, "Order on", "date_input").value == order_on
    assert field(app, "Order quantity", "number_input").value == 30
    assert field(app, "Should last until", "date_input").value == until_on
    assert "with 90 % chance" in plain(words(app))


def test_the_advised_quantity_can_be_tried(open_page):
    app = open_page(whatif="1")
    assert "Order **10** today" in plain(words(app))  # 15 days at 2 a day, 20 are there
    press(app, "Try 10")
    assert address(app) == {"whatif": "1", "quantity": "10"}
    now, then = told(app)["Runs out"]
    assert now != then
    assert "Try 10" not in [button.label for button in app.button]


def test_what_is_usual_needs_no_word_in_the_address(open_page):
    app = open_page(whatif="1", lead="3", service="99")
    field(app, "Lead time in days", "number_input").set_value(7).run()
    field(app, "Service level in %", "number_input").set_value(95.0).run()
    field(app, "Order on", "date_input").set_value(TODAY).run()
    assert address(app) == {"whatif": "1"}
    field(app, "Service level in %", "number_input").set_value(99.5).run()
    assert address(app)["service"] == "99.5"


@pytest.mark.parametrize(
    ("word", "value", "sentence"),
    [
        ("demand", "abc", "Demand: 'abc' is not a number."),
        ("demand", "999", "Demand: 999 is not a whole number from -90 to 300."),
        ("lead", "-1", "Lead time: -1 is not a whole number"),
        ("order", "2020-01-01", "Order on: 2020-01-01 is not between today and"),
        ("quantity", "-5", "Order quantity: -5 is less than 0."),
        ("service", "100", "Service level: 100 is not a percentage from 50 to 99.9."),
        ("until", "soon", "Should last until: 'soon' is not a date like"),
    ],
    ids=["letters", "too much", "before today", "past", "below zero", "certainty", "no date"],
)
def test_a_bad_word_is_one_red_sentence_and_counts_as_not_said(open_page, word, value, sentence):
    app = open_page(whatif="1", **{word: value})
    (error,) = app.error
    assert plain(error.value).startswith(sentence)
    assert all(now == then for now, then in told(app).values())
    press(app, "Reset")
    assert not app.error


def test_a_bad_value_that_is_typed_is_refused_too(open_page):
    app = open_page(whatif="1")
    field(app, "Order quantity", "number_input").set_value(-5.0).run()
    assert "Order quantity: -5 is less than 0." in plain(app.error[0].value)
    field(app, "Order quantity", "number_input").set_value(5.0).run()
    assert not app.error


def test_stock_that_ends_before_the_order_comes_is_said(open_page):
    assert "It may be used up before that: > 99 % chance" in plain(words(open_page(whatif="1", demand="200")))
    app = open_page(whatif="1", lead="365")
    assert "The order would arrive after" in words(app)


def test_there_is_no_switch_without_a_forecast(browser, session):
    app = browser("viewer", "product", id=str(a_product(session).uid), whatif="1")
    assert not app.exception
    assert not app.toggle
