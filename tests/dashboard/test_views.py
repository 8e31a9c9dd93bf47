"""Every view: full, empty, with a wrong address, and for each role."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import streamlit as st

from core import alerts, api_keys, catalogue, stock
from dashboard import looks, ui
from db.models import Alert
from tests.dashboard.conftest import plain, words
from tests.makers import a_key, a_product, a_warehouse, an_actor, on_hand, the_warehouse

VIEWS = ("today", "products", "movements", "product")


def button(app, key):
    return next(b for b in app.button if b.key == key)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("role", ["viewer", "user", "manager", "admin"])
def test_every_role_sees_every_view_of_an_empty_shop_without_an_error(browser, view, role):
    app = browser(role, view)
    assert not app.exception
    assert not app.error
    assert app.title


def test_today_counts_by_status_and_a_tile_filters_the_list(browser, sold_daily, train):
    sold_daily(left=0, name="Gone")
    sold_daily(left=5000, name="Plenty")
    train()
    app = browser()
    assert "Do these first :gray[1]" in words(app)
    assert app.dataframe[0].value["Product"].tolist() == ["Gone"]
    assert "**1**" in button(app, "tile-excess").label
    button(app, "tile-excess").click().run()
    assert "excess" in app.query_params["status"]
    assert app.dataframe[0].value["Product"].tolist() == ["Plenty"]
    button(app, "tile-excess").click().run()
    assert "status" not in app.query_params


def test_today_names_the_critical_alerts_that_nobody_has_seen(browser, session, sold_daily, train):
    product = sold_daily()
    train()
    assert not [link for link in browser().get("page_link") if "critical" in link.proto.label]
    for type_ in ("low_stock", "anomaly"):
        session.add(Alert(product_id=product.id, type=type_, severity="critical", figures={}, message="Low"))
    session.flush()
    looks.forget()
    app = browser("viewer")
    (link,) = [link for link in app.get("page_link") if "critical" in link.proto.label]
    assert link.proto.label == "2 critical alerts"
    assert "severity=critical" in link.proto.query_string
    manager = an_actor(session, "manager")
    alerts.acknowledge(session, manager, session.scalars(sa.select(Alert.uid)).first(), datetime.now(UTC))
    session.commit()
    looks.forget()
    assert "1 critical alert" in [link.proto.label for link in app.run().get("page_link")]


def test_the_phone_gets_three_columns(browser, sold_daily, train):
    sold_daily()
    train()
    wide, narrow = browser().dataframe
    assert list(narrow.value.columns) == ["Product", "Runs out", "Status"]
    assert len(wide.value.columns) > 3


def test_products_are_searched_filtered_and_linked(browser, sold_daily, train):
    sold_daily(name="Blue widget", category="Widgets")
    sold_daily(name="Red gadget", category="Gadgets")
    train()
    app = browser("viewer", "products", q="widget")
    assert app.dataframe[0].value["Product"].tolist() == ["Blue widget"]
    assert len(app.dataframe[0].value["90 days"].iloc[0]) == 90
    app = browser("viewer", "products", category="Gadgets")
    assert app.dataframe[0].value["Product"].tolist() == ["Red gadget"]
    app = browser("viewer", "products", q="nowhere")
    assert "No product fits these filters" in plain(words(app))
    button(app, "help").click().run()
    assert len(app.dataframe[0].value) == 2


def test_products_come_in_pages_of_fifty(browser, session, sold_daily, train):
    sold_daily()
    for _ in range(50):
        a_product(session)
    train()
    assert len(browser("viewer", "products").dataframe[0].value) == 50
    assert len(browser("viewer", "products", page="2").dataframe[0].value) == 1


@pytest.mark.parametrize(
    ("view", "address", "sentence"),
    [
        ("today", {"status": "lost"}, "there is no 'lost'"),
        ("today", {"warehouse": "<script>"}, "there is no '<script>'"),
        ("products", {"status": "lost"}, "there is no 'lost'"),
        ("products", {"page": "-1"}, "'-1' in the address is not a number"),
        ("products", {"page": "99"}, "There is no page 99"),
        ("products", {"sort": "colour"}, "There is no order 'colour'"),
        ("movements", {"before": "x"}, "'x' in the address is not a number"),
        ("movements", {"days": "5"}, "there is no '5'"),
        ("product", {"id": "nonsense"}, "'nonsense' is not the id of a product"),
        ("product", {"id": "00000000-0000-0000-0000-000000000000"}, "There is no such product"),
    ],
)
def test_a_wrong_address_is_one_red_sentence(browser, sold_daily, train, view, address, sentence):
    sold_daily(left=3)
    train()
    app = browser("viewer", view, **address)
    assert not app.exception
    assert sentence in plain(app.error[0].value)
    assert len(app.error) == 1


def test_the_product_says_when_it_runs_out_and_how_that_was_computed(browser, sold_daily, train):
    product = sold_daily(left=20, name="M6 bolt")
    train()
    app = browser("viewer", "product", id=str(product.uid))
    assert plain(app.title[0].value) == "M6 bolt"
    assert app.metric[0].value == "20"
    assert app.metric[1].value[0].isdigit()
    assert "most likely" in app.metric[1].delta
    text = plain(words(app))
    assert "Most likely runs out" in text
    assert "Chance to run out" in text
    assert "How often right" in text
    assert "Cover" in text
    assert "days = 20 ÷" in text
    assert app.get("plotly_chart")


@pytest.mark.parametrize("section", ["weeks", "trust", "demand", "patterns"])
@pytest.mark.parametrize("days", [0, 12, 60])
@pytest.mark.parametrize("is_sold", [True, False])
def test_every_section_of_a_product_can_be_opened_with_or_without_a_forecast(
    browser, session, sold_daily, train, section, days, is_sold
):
    product = sold_daily(days=days) if days else a_product(session)
    if days:
        train()
    if not is_sold:
        catalogue.deactivate(session, an_actor(session), product.id)
    session.commit()
    app = browser("manager", "product", id=str(product.uid), show=section)
    assert not app.exception
    assert not app.error


def test_a_product_with_too_little_history_says_so(browser, sold_daily, train):
    product = sold_daily(days=12)
    train()
    app = browser("viewer", "product", id=str(product.uid))
    assert "13 of 30 days of history" in plain(words(app))


def test_one_without_any_movement_has_a_page_too(browser, session):
    product = a_product(session)
    app = browser("user", "product", id=str(product.uid))
    assert not app.exception
    assert not app.error


def test_a_viewer_has_no_form(browser, sold_daily):
    product = sold_daily()
    app = browser("viewer", "product", id=str(product.uid))
    assert not app.number_input
    assert not [b for b in app.button if b.key and b.key.startswith("book")]


def test_movements_are_filtered_by_the_address_and_turned_by_cursor(browser, sold_daily):
    sold_daily(name="Sold often", days=60)
    app = browser("viewer", "movements", q="sold often")
    assert len(app.dataframe[0].value) == 50
    first = app.dataframe[0].value["Number"].iloc[0]
    button(app, "older").click().run()
    assert len(app.dataframe[0].value) == 11
    button(app, "newer").click().run()
    assert app.dataframe[0].value["Number"].iloc[0] == first
    assert len(browser("viewer", "movements", reason="opening").dataframe[0].value) == 1
    assert "No movement fits" in plain(words(browser("viewer", "movements", q="nothing like it")))


def test_movements_of_the_machine_that_booked_them_are_found_by_its_key(browser, session):
    product, place = a_product(session, 5), the_warehouse(session)
    key, secret = a_key(session, name="Till *3*", rights=["move stock"])
    till = api_keys.who(session, api_keys.read(secret), datetime.now(UTC)).actor
    for actor in (till, an_actor(session)):
        stock.remove(session, actor, product.id, place.id, 1)
    found = browser("viewer", "movements", person=str(key.uid)).dataframe[0].value
    assert found["By"].tolist() == [f"{till.name} (Till *3*)"]
    everything = browser("viewer", "movements", person=str(till.uid)).dataframe[0].value
    assert everything["By"].tolist() == found["By"].tolist()
    assert len(browser("viewer", "movements").dataframe[0].value) == 3


def test_figures_of_one_warehouse(browser, session, sold_daily, train):
    sold_daily(left=20)
    a_warehouse(session, "WH-B")
    train()
    app = browser("viewer", "today", warehouse="WH-B")
    assert not app.exception
    assert all("**0**" in b.label for b in app.button if b.key and b.key.startswith("tile"))


def test_text_of_people_does_nothing_but_stand_there(browser, session):
    evil = "![x](http://evil.example/x.png) <b>[a](javascript:1)</b> $x$ :red[y]"
    product = a_product(session, 5, name=evil, sku="=cmd|'/c calc'!A1", unit_of_measure=evil, category=evil)
    app = browser("manager", "product", id=str(product.uid))
    assert plain(app.title[0].value) == evil
    assert "![" not in app.title[0].value
    assert "](" not in app.title[0].value
    assert "http://" not in app.title[0].value
    # A metric's value is Markdown too.
    for text in (words(app), *(metric.value for metric in app.metric), *(b.label for b in app.button)):
        assert "![" not in text
        assert "](http" not in text


def test_the_database_does_not_answer(browser, monkeypatch):
    from db.session import ServerError

    def silent(_):
        raise ServerError("no answer")

    app = browser("viewer")
    monkeypatch.setattr("dashboard.looks.freshness", silent)
    app.run()
    assert not app.exception
    assert "The database does not answer" in plain(app.error[0].value)


def test_an_unexpected_error_is_a_number_and_the_log_has_the_rest(browser, monkeypatch, caplog):
    app = browser("viewer")
    monkeypatch.setattr("dashboard.looks.freshness", lambda _: 1 / 0)
    app.run()
    assert not app.exception
    number = plain(app.error[0].value).split("error ")[-1].rstrip(".")
    assert f"error {number}" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_on_hand_of_the_ledger_is_what_the_page_says(browser, session, sold_daily):
    product = sold_daily(left=7)
    app = browser("viewer", "product", id=str(product.uid))
    assert app.metric[0].value == f"{on_hand(session, product):.0f}"


def test_words_of_every_status():
    from db.models import STATUSES

    assert set(ui.WORD) == set(ui.COLOUR) == set(STATUSES)
    assert all(set(tints) == set(ui.WORD.values()) for tints in ui.TINT.values())


def test_one_warehouse_leaves_nothing_to_choose(browser, session, sold_daily, train):
    sold_daily()
    train()
    for view in ("today", "products", "movements"):
        assert "Warehouse" not in [box.label for box in browser("viewer", view).selectbox]
    a_warehouse(session, "WH-B")
    st.cache_data.clear()
    assert "Warehouse" in [box.label for box in browser("viewer", "today").selectbox]


def test_a_row_is_opened_without_a_mouse(browser, sold_daily, train):
    product = sold_daily(left=5, name="M6 bolt")
    train()
    app = browser("viewer", "products")
    way_in = next(box for box in app.selectbox if box.label == "Open a row of the table")
    assert way_in.options[0].startswith("M6 bolt · ")
    way_in.set_value(0).run()
    assert not app.exception
    assert plain(app.title[0].value) == "M6 bolt"
    assert str(product.uid) in app.query_params["id"]


def test_a_product_that_nobody_wants_has_no_empty_picture(browser, session):
    product = a_product(session, 5)
    app = browser("viewer", "product", id=str(product.uid))
    assert "Nobody asked for it" in plain(words(app))
    assert len(app.get("plotly_chart")) == 1
