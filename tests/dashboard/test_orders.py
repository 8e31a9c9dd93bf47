"""The list of purchase orders."""

from datetime import UTC, datetime, timedelta

import pytest

from core.buying import orders
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, a_vendor, an_actor, an_offer, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()


def an_order(session, *, vendor=None, product=None, quantity=10, price=3, sent_days_ago=None, due_in=5):
    """A draft, or an order that was sent so many days ago and is due in so many (below zero: it is late)."""
    actor, place = an_actor(session), the_warehouse(session)
    product = product or a_product(session)
    vendor = vendor or a_vendor(session)
    an_offer(session, product, vendor, prices={1: price})
    line = {"product_id": product.id, "warehouse_id": place.id, "quantity": quantity}
    if sent_days_ago is None:
        return orders.draft(session, actor, vendor.id, [line], TODAY)
    then = NOW - timedelta(days=sent_days_ago)
    line["expected_on"] = TODAY + timedelta(days=due_in)
    order = orders.draft(session, actor, vendor.id, [line], then.date())
    return orders.send(session, actor, order.uid, then)


def table(app):
    return app.dataframe[0].value


def test_a_shop_without_orders_says_where_they_come_from(browser):
    app = browser("manager", "orders")
    assert "There is no purchase order yet." in words(app)
    assert "reorder advice" in words(app)
    app = browser("user", "orders")
    assert "Managers order" in words(app)
    assert "New order" not in [button.label for button in app.button]


def test_the_newest_order_comes_first_with_its_figures(browser, session):
    vendor = a_vendor(session, name="Alder & Sons")
    an_order(session, vendor=vendor, quantity=10, price=3)
    late = an_order(session, quantity=4, price=5, sent_days_ago=9, due_in=-2)
    app = browser("viewer", "orders")
    assert not app.exception
    shown = table(app)
    assert list(shown["Order"]) == [late.number, shown["Order"].iloc[1]]
    assert list(shown["State"].iloc[0]) == ["Sent", "Late"]
    assert shown["Late by"].iloc[0] == "2 days"
    assert shown["Vendor"].iloc[1] == "Alder & Sons"
    assert shown["Value"].iloc[1] == "€30.00"
    assert "2 orders, 1 late, €20.00 on its way" in plain(words(app))


def test_what_is_done_with_is_shown_on_request(browser, session):
    done = an_order(session, sent_days_ago=3)
    orders.cancel(session, an_actor(session), done.uid, NOW)
    app = browser("viewer", "orders")
    assert "No order is open." in words(app)
    next(button for button in app.button if button.label == "See all orders").click().run()
    assert app.query_params["state"] == "all"
    assert list(table(app)["Order"]) == [done.number]


def test_filters_are_in_the_address(browser, session):
    vendor = a_vendor(session, name="Alder")
    kept = an_order(session, vendor=vendor)
    an_order(session, sent_days_ago=9, due_in=-2)
    an_order(session, sent_days_ago=1, due_in=6)
    app = browser("manager", "orders", vendor=str(vendor.uid))
    assert list(table(app)["Order"]) == [kept.number]
    assert len(table(browser("manager", "orders", state="sent"))) == 2
    assert len(table(browser("manager", "orders", late="yes"))) == 1
    assert len(table(browser("manager", "orders", q=kept.number))) == 1
    app = browser("manager", "orders", q="nobody has this")
    assert "No order fits these filters." in words(app)


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [
        ("state", "lost", "State: there is no 'lost'."),
        ("vendor", "x", "Vendor: there is no 'x'."),
        ("sort", "evil", "There is no order 'evil'"),
        ("page", "-4", "'-4' in the address is not a number"),
        ("page", "9", "There is no page 9"),
    ],
)
def test_a_bad_address_is_one_red_sentence(browser, session, word, value, said):
    an_order(session)
    app = browser("viewer", "orders", **{word: value})
    assert not app.exception
    assert said in plain(app.error[0].value)
    assert len(app.error) == 1
    assert len(table(app)) == 1


def test_orders_are_sorted_by_value(browser, session):
    small, large = an_order(session, quantity=1), an_order(session, quantity=50)
    app = browser("viewer", "orders", sort="-value")
    assert list(table(app)["Order"]) == [large.number, small.number]
    app = browser("viewer", "orders", sort="value")
    assert list(table(app)["Order"]) == [small.number, large.number]
