"""The page of one purchase order: drafted, edited, sent, changed, cancelled, and shown where it matters."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import order_lines, order_receipts, orders
from db.models import ExpectedReceipt, PurchaseOrder, PurchaseOrderLine
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.dashboard.test_orders import NOW, TODAY, an_order
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse


@pytest.fixture
def open_order(browser):
    return lambda order, role="manager", **address: browser(role, "order", id=str(order.uid), **address)


def the_line(session, order):
    session.expire_all()
    return session.scalars(sa.select(PurchaseOrderLine).where(PurchaseOrderLine.order_id == order.id)).one()


def labels(app):
    return {button.label for button in app.button}


def told(app):
    return plain(words(app))


# -- New -----------------------------------------------------------------------------------------------------


def test_a_new_order_begins_with_the_product_of_the_address(browser, session):
    the_warehouse(session)
    product = a_product(session, name="Desk lamp")
    an_offer(session, product, a_vendor(session, name="Alder"), prices={12: 3}, order_multiple=12)
    app = browser("manager", "order", id="new", product=str(product.uid))
    assert "Alder · €3.00 · 7 days" in plain(app.selectbox[0].options[0])
    assert field(app, "Quantity", "number_input").value == 12
    press(app, "Create draft")
    assert not app.exception
    order = session.scalars(sa.select(PurchaseOrder)).one()
    assert app.query_params["id"] == str(order.uid)
    assert order.number in told(app)
    line = the_line(session, order)
    assert (line.quantity, line.unit_price, order.state) == (12, 3, "draft")


def test_a_product_goes_onto_a_draft_that_is_there(browser, session):
    vendor = a_vendor(session)
    draft = an_order(session, vendor=vendor)
    product = a_product(session)
    an_offer(session, product, vendor)
    app = browser("manager", "order", id="new", product=str(product.uid))
    put = field(app, "Put it on", "selectbox")
    put.select(str(draft.uid)).run()
    press(app, "Create draft")
    assert len(session.scalars(sa.select(PurchaseOrder)).all()) == 1
    assert len(order_lines.of(session, draft.id)) == 2


def test_an_empty_shop_says_that_an_order_needs_a_vendor(browser):
    assert "There is no vendor yet." in words(browser("manager", "order", id="new"))


def test_who_may_not_buy_makes_no_order(browser, session):
    a_vendor(session)
    for role in ("viewer", "user"):
        app = browser(role, "order", id="new")
        assert "Only managers make orders." in told(app)


@pytest.mark.parametrize("wanted", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_order_is_one_red_sentence(browser, wanted):
    app = browser("viewer", "order", id=wanted)
    assert not app.exception
    assert len(app.error) == 1
    assert "No order is chosen." in words(browser("viewer", "order"))


# -- A draft -------------------------------------------------------------------------------------------------


def test_a_field_of_a_draft_writes_when_it_is_left_and_the_price_follows(open_order, session):
    vendor, product = a_vendor(session), a_product(session)
    an_offer(session, product, vendor, prices={1: 3, 50: 2})
    place = the_warehouse(session)
    line = {"product_id": product.id, "warehouse_id": place.id, "quantity": 10}
    order = orders.draft(session, an_actor(session), vendor.id, [line], TODAY)
    app = open_order(order)
    assert "From 50: €2.00" in told(app)
    field(app, "Quantity of", "number_input").set_value(60.0).run()
    assert not app.exception
    kept = the_line(session, order)
    assert (kept.quantity, kept.unit_price) == (60, 2)
    assert "Quantity **10 → 60**" in told(app)
    assert "Unit price **3 → 2**" in told(app)
    press(app, "Undo")
    kept = the_line(session, order)
    assert (kept.quantity, kept.unit_price) == (10, 3)


@pytest.mark.parametrize(
    ("typed", "said"),
    [(-3.0, "-3 is not above zero"), (None, "enter one first"), (1e18, "at most 15 digits")],
)
def test_what_is_refused_is_said_at_its_line_and_the_field_shows_what_is_kept(
    open_order, session, typed, said
):
    order = an_order(session, quantity=10)
    app = open_order(order)
    field(app, "Quantity of", "number_input").set_value(typed).run()
    assert said in plain(app.error[0].value)
    assert field(app, "Quantity of", "number_input").value == 10
    assert the_line(session, order).quantity == 10


def test_minimum_multiple_and_limits_are_warned_about(open_order, session):
    product = a_product(session, sku="LAMP")
    vendor = a_vendor(session, order_minimum=100, free_freight_from=500, freight_cost=9)
    an_offer(session, product, vendor, minimum_order_quantity=24, order_multiple=12)
    line = {"product_id": product.id, "warehouse_id": the_warehouse(session).id, "quantity": 5}
    order = orders.draft(session, an_actor(session), vendor.id, [line], TODAY)
    app = open_order(order)
    assert "5 is below the least quantity of 24" in told(app)
    assert "Sold in multiples of 12: 12." in told(app)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["To the order minimum"] == "€90.00"
    assert shown["To free freight"] == "€490.00"
    press(app, "Send")
    assert "90 EUR short of the order minimum of 100 EUR" in plain(app.warning[0].value)


def test_a_product_is_looked_for_and_put_on_the_draft(open_order, session):
    vendor = a_vendor(session)
    order = an_order(session, vendor=vendor)
    wanted = a_product(session, name="Brass hinge")
    an_offer(session, wanted, vendor, prices={10: 4})
    app = open_order(order)
    field(app, "Add a product").input("hinge").run()
    assert "€4.00 each" in told(app)
    press(app, "Add")
    assert field(app, "Quantity", "number_input").label  # the row of the first line comes first
    press(app, "Put it on the order")
    assert not app.exception
    added = order_lines.of(session, order.id)[-1]
    assert (added.product_id, added.quantity, added.unit_price) == (wanted.id, 10, 4)
    press(app, "Undo")
    assert len(order_lines.of(session, order.id)) == 1


def test_a_product_that_the_vendor_does_not_offer_needs_a_price(open_order, session):
    order = an_order(session)
    a_product(session, name="Brass hinge")
    app = open_order(order)
    field(app, "Add a product").input("hinge").run()
    press(app, "Add")
    press(app, "Put it on the order")
    assert "enter a unit price" in plain(app.error[0].value)
    field(app, "Unit price (EUR)", "number_input").set_value(1.5)
    press(app, "Put it on the order")
    assert order_lines.of(session, order.id)[-1].unit_price == Decimal("1.5")


def test_a_line_is_taken_off_and_put_back(open_order, session):
    order = an_order(session)
    app = open_order(order)
    press(app, "More")
    press(app, "Take it off")
    assert order_lines.of(session, order.id) == []
    assert "add the first product" in words(app)
    assert next(button for button in app.button if button.label == "Send").disabled
    press(app, "Undo")
    assert len(order_lines.of(session, order.id)) == 1


def test_a_line_gets_another_warehouse_and_a_note(open_order, session):
    order = an_order(session)
    other = a_warehouse(session, "WH-9")
    app = open_order(order)
    press(app, "More")
    field(app, "To warehouse", "selectbox").select(other.id)
    field(app, "Note").input("to the *back* door")
    press(app, "Save")
    assert not app.exception
    line = the_line(session, order)
    assert (line.warehouse_id, line.note) == (other.id, "to the *back* door")
    assert "WH-9**" in told(app)
    press(app, "Undo")
    line = the_line(session, order)
    assert (line.warehouse_id, line.note) == (the_warehouse(session).id, None)


def test_note_reference_and_freight_are_kept(open_order, session):
    order = an_order(session)
    app = open_order(order)
    field(app, "Vendor's reference").input("A-77")
    field(app, "Freight", "number_input").set_value(12.5)
    next(button for button in app.button if button.key == "about_save").click().run()
    assert not app.exception
    session.refresh(order)
    assert (order.vendor_reference, str(order.freight)) == ("A-77", "12.5000")
    press(app, "Undo")
    session.refresh(order)
    assert (order.vendor_reference, order.freight) == (None, None)


# -- Sending -------------------------------------------------------------------------------------------------


def test_nothing_is_sent_before_it_is_said_and_the_words_are_there(open_order, session):
    order = an_order(session, vendor=a_vendor(session, email="orders@alder.example"))
    app = open_order(order)
    press(app, "Send")
    session.refresh(order)
    assert order.state == "draft"
    assert order.number in app.code[0].value
    assert "Mail it and mark as sent" not in labels(app)
    press(app, "Not yet")
    assert not app.code
    press(app, "Send")
    press(app, "Mark as sent")
    assert not app.exception
    session.refresh(order)
    assert order.state == "sent"
    assert session.scalars(sa.select(ExpectedReceipt)).one().quantity == 10
    assert "Sent. It is expected on" in told(app)
    press(app, "Undo")
    session.refresh(order)
    assert order.state == "draft"


def test_with_a_mail_server_it_is_mailed_and_trouble_leaves_it_sent(open_order, session, monkeypatch):
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", "9")  # nobody listens there
    monkeypatch.setenv("SMTP_FROM", "shop@example.com")
    order = an_order(session, vendor=a_vendor(session, email="orders@alder.example"))
    app = open_order(order)
    press(app, "Send")
    assert field(app, "Mail it to").value == "orders@alder.example"
    field(app, "Mail it to").input("nobody")
    press(app, "Mail it and mark as sent")
    assert "'nobody' is not an e-mail address" in plain(app.error[0].value)
    session.refresh(order)
    assert order.state == "draft"
    field(app, "Mail it to").input("orders@alder.example")
    press(app, "Mail it and mark as sent")
    assert not app.exception
    session.refresh(order)
    assert (order.state, order.mailed_at) == ("sent", None)
    assert "does not take mail" in told(app)


def test_two_tabs_send_once(open_order, session):
    order = an_order(session)
    first, second = open_order(order), open_order(order)
    for app in (first, second):
        press(app, "Send")
    press(first, "Mark as sent")
    press(second, "Mark as sent")
    assert "it is sent once" in plain(second.error[0].value)


# -- What was sent -------------------------------------------------------------------------------------------


def test_an_announced_delay_moves_what_is_on_its_way(open_order, session):
    order = an_order(session, sent_days_ago=3, due_in=4)
    app = open_order(order)
    press(app, "Change the day")
    later = TODAY.replace(day=1).replace(year=TODAY.year + 1)
    app.date_input[0].set_value(later)
    press(app, "Change it for all open lines")
    assert not app.exception
    assert session.scalars(sa.select(ExpectedReceipt)).one().expected_on == later


def test_a_late_order_says_so_and_whom_to_ask(open_order, session):
    order = an_order(session, vendor=a_vendor(session, phone="+353 1 555"), sent_days_ago=9, due_in=-2)
    app = open_order(order, "viewer")
    assert "Late by 2 days" in told(app)
    assert "+353 1 555" in plain(app.warning[0].value)
    assert not {"Receive", "Cancel order", "Change the day", "Send"} & labels(app)


def test_it_is_cancelled_with_a_reason_and_comes_after_all(open_order, session):
    order = an_order(session, sent_days_ago=3)
    app = open_order(order)
    press(app, "Cancel order")
    session.refresh(order)
    assert order.state == "sent"
    field(app, "Why it is cancelled").input("too dear")
    press(app, f"Cancel {order.number}")
    session.refresh(order)
    assert (order.state, order.cancelled_because) == ("cancelled", "too dear")
    assert "too dear" in told(app)
    press(app, "Undo")
    session.refresh(order)
    assert order.state == "sent"


def test_the_rest_is_given_up(open_order, session):
    order = an_order(session, sent_days_ago=3, quantity=10)
    line = the_line(session, order)
    order_receipts.receive(session, an_actor(session), order.uid, {line.uid: 4}, key="part", now=NOW)
    app = open_order(order)
    press(app, "Give up the rest")
    press(app, "Give up 1 open line")
    session.refresh(order)
    assert order.state == "received"
    assert the_line(session, order).given_up == 6
    press(app, "It comes after all")
    session.refresh(order)
    assert order.state == "partly_received"


def test_users_receive_and_do_not_buy(open_order, session):
    app = open_order(an_order(session, sent_days_ago=3), "user")
    assert "Receive" in labels(app)
    assert not {"Cancel order", "Change the day", "Give up the rest", "Send"} & labels(app)
    app = open_order(an_order(session), "user")
    assert not {"Send", "More", "Cancel order"} & labels(app)
    assert not app.number_input


# -- Where it matters ----------------------------------------------------------------------------------------


def test_the_product_page_leads_to_the_order_and_does_not_change_it(browser, session):
    product = a_product(session, name="Desk lamp")
    order = an_order(
        session, product=product, sent_days_ago=9, due_in=-2, vendor=a_vendor(session, name="Al")
    )
    app = browser("manager", "product", id=str(product.uid))
    assert not app.exception
    assert "Overdue" in words(app)
    assert "from Al" in told(app)
    assert "Receive" in labels(app)
    assert not {"Change", "Cancel delivery"} & labels(app)
    orders.cancel(session, an_actor(session), order.uid, NOW)
    app = browser("viewer", "product", id=str(product.uid))
    assert f"{order.number} of 10 was cancelled today." in told(app)


def test_today_says_what_is_late_and_what_was_cancelled(browser, session, sold_daily, train):
    an_order(session, product=sold_daily(left=20, name="Desk lamp"), sent_days_ago=9, due_in=-2)
    gone = an_order(session, sent_days_ago=3)
    orders.cancel(session, an_actor(session), gone.uid, NOW)
    train()
    app = browser("viewer", "today")
    assert not app.exception
    assert "**1 order is late:** 10 Desk lamp" in told(app)
    assert f"**1 order was cancelled lately:** {gone.number}" in told(app)
