"""Receiving a purchase order by list and by scan: what is counted, what is booked, and what is not."""

import uuid

import pytest
import sqlalchemy as sa

from core import catalogue
from core.buying import order_receipts, orders
from core.errors import BadInput
from core.scanning import reading as readings
from dashboard import scanner
from db.models import ExpectedReceipt, OrderReceipt, PurchaseOrderLine
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.dashboard.test_orders import NOW, TODAY, an_order
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, on_hand, the_warehouse

EAN, CARTON = "4006381333931", "4006381333948"
KEY = "0b9a3f6e-0f7c-4a7e-9d5c-1f2e3d4c5b6a"


@pytest.fixture
def lamp(session):
    """A product with the code of a piece and the code of a carton of twelve."""
    the_warehouse(session)
    product, actor = a_product(session, 5, sku="LAMP", name="Desk lamp"), an_actor(session)
    catalogue.add_barcode(session, actor, product.id, EAN)
    catalogue.add_barcode(session, actor, product.id, CARTON, 12)
    return product


@pytest.fixture
def order(session, lamp):
    return an_order(session, product=lamp, quantity=20, sent_days_ago=3)


@pytest.fixture
def receive(browser):
    return lambda order, by="list", role="user": browser(role, "order", id=str(order.uid), by=by)


def desk(app, order):
    return app.session_state["desks"][f"receiving {order.uid}"]


def scan(app, order, *codes):
    """What the field in the browser hands over, each code with its own number."""
    sent = [[str(uuid.uuid4()), code, "wedge", None] for code in codes]
    app.session_state[f"scanner_{desk(app, order)['form']}"] = sent
    return app.run()


def told(app):
    return plain(words(app))


def arrived(app, value):
    return field(app, "Arrived of", "number_input").set_value(value).run()


# -- By list -------------------------------------------------------------------------------------------------


def test_a_part_is_booked_with_before_and_after_and_can_be_undone(receive, session, order, lamp):
    app = receive(order)
    assert field(app, "Arrived of", "number_input").value == 0
    assert next(button for button in app.button if button.label == "Book what arrived").disabled
    arrived(app, 8.0)
    assert "**8 pieces on 1 line**" in told(app)
    press(app, "Book what arrived")
    assert not app.exception
    assert on_hand(session, lamp) == 13
    assert "Desk lamp in WH" in told(app)
    assert "**5 → 13**" in told(app)
    assert session.scalars(sa.select(ExpectedReceipt.quantity)).one() == 12
    press(app, "Undo")
    assert on_hand(session, lamp) == 5
    assert "it is on its way again" in told(app)
    session.refresh(order)
    assert order.state == "sent"


def test_all_of_it_is_one_click_and_the_answer_stays_when_nothing_is_left(receive, session, order):
    app = receive(order)
    press(app, "All of it arrived")
    assert field(app, "Arrived of", "number_input").value == 20
    press(app, "Book what arrived")
    session.refresh(order)
    assert order.state == "received"
    assert "**5 → 25**" in told(app)
    assert "Book what arrived" not in [button.label for button in app.button]


def test_more_than_ordered_is_said_and_booked_all_the_same(receive, session, order, lamp):
    app = receive(order)
    arrived(app, 23.0)
    assert "3 more than ordered" in told(app)
    assert "1 line over" in told(app)
    press(app, "Book what arrived")
    assert on_hand(session, lamp) == 28
    assert session.scalars(sa.select(PurchaseOrderLine.received)).one() == 23


@pytest.mark.parametrize(
    ("typed", "said"),
    [(-2.0, "-2 is below zero"), (1.5, "counted in whole numbers"), (1e18, "at most 15 digits")],
)
def test_what_cannot_be_is_said_and_counts_nothing(receive, session, order, lamp, typed, said):
    app = receive(order)
    arrived(app, 4.0)
    arrived(app, typed)
    assert said in plain(app.error[0].value)
    assert field(app, "Arrived of", "number_input").value == 4
    arrived(app, 5.0)
    assert not app.error
    press(app, "Book what arrived")
    assert on_hand(session, lamp) == 10


def test_one_booking_for_one_count_however_often_it_is_pressed(receive, session, order):
    app = receive(order)
    arrived(app, 8.0)
    kept = desk(app, order)["form"]
    press(app, "Book what arrived")
    assert desk(app, order)["form"] != kept  # the key of the next booking is another
    assert len(session.scalars(sa.select(OrderReceipt)).all()) == 1


def test_two_who_count_the_same_delivery_book_it_once(receive, session, order, lamp):
    first, second = receive(order), receive(order)
    arrived(first, 8.0)
    arrived(second, 8.0)
    press(first, "Book what arrived")
    press(second, "Book what arrived")
    assert "somebody else booked some in while you counted" in plain(second.error[0].value)
    assert on_hand(session, lamp) == 13
    press(second, "Start again")
    assert "12 open of 20" in told(second).replace(":gray[", "").replace("]", "")
    arrived(second, 2.0)
    press(second, "Book what arrived")
    assert on_hand(session, lamp) == 15


def test_an_order_that_was_cancelled_meanwhile_books_nothing(receive, session, order, lamp):
    app = receive(order)
    arrived(app, 8.0)
    orders.cancel(session, an_actor(session), order.uid, NOW)
    press(app, "Book what arrived")
    assert "nothing of it is awaited" in plain(app.error[0].value)
    assert on_hand(session, lamp) == 5


def test_a_deactivated_product_is_refused_by_name(receive, session, order, lamp):
    app = receive(order)
    arrived(app, 8.0)
    lamp.is_active = False
    session.flush()
    press(app, "Book what arrived")
    assert "LAMP is deactivated" in plain(app.error[0].value)
    assert on_hand(session, lamp) == 5


def test_an_order_for_two_warehouses_is_received_where_one_stands(receive, session, lamp):
    other, vendor = a_warehouse(session, "WH-9"), a_vendor(session)
    an_offer(session, lamp, vendor)
    lines = [
        {"product_id": lamp.id, "warehouse_id": place, "quantity": 6}
        for place in (the_warehouse(session).id, other.id)
    ]
    order = orders.draft(session, an_actor(session), vendor.id, lines, TODAY)
    orders.send(session, an_actor(session), order.uid, NOW)
    app = receive(order, "scan")
    app.button_group[1].set_value(other.id).run()
    scan(app, order, EAN)
    press(app, "Book what was scanned")
    assert not app.exception
    assert (on_hand(session, lamp, other), on_hand(session, lamp)) == (1, 6)


def test_who_only_looks_does_not_receive(receive, order):
    app = receive(order, role="viewer")
    assert not app.number_input
    assert not {"Receive", "Book what arrived"} & {button.label for button in app.button}


def test_a_delivery_is_undone_later_too(browser, receive, session, order, lamp):
    app = receive(order)
    arrived(app, 8.0)
    press(app, "Book what arrived")
    app = browser("user", "order", id=str(order.uid))
    assert "8 Desk lamp in" in told(app)
    press(app, "Undo")
    assert on_hand(session, lamp) == 5
    assert "(undone)" in told(app)


# -- By scan -------------------------------------------------------------------------------------------------


def test_each_code_counts_its_pieces_and_nothing_is_booked_before_it_is_said(receive, session, order, lamp):
    app = receive(order, "scan")
    scan(app, order, EAN, CARTON)
    assert not app.exception
    assert "**+12** Desk lamp" in told(app)
    assert "**13** :gray[of 20]" in told(app)
    assert on_hand(session, lamp) == 5
    app.run()  # the same codes again, as at each touch of the page
    assert "**13 pieces on 1 line**" in told(app)
    press(app, "Undo")
    assert "**1 piece on 1 line**" in told(app)
    scan(app, order, CARTON, CARTON)
    assert "5 more than ordered" in told(app)
    press(app, "Book what was scanned")
    assert on_hand(session, lamp) == 30
    assert "**5 → 30**" in told(app)


def test_a_code_that_fits_nothing_is_said_in_red_and_counts_nothing(receive, session, order):
    stranger = a_product(session, sku="BOLT", name="Hex bolt")
    catalogue.add_barcode(session, an_actor(session), stranger.id, "0036000291452")
    app = receive(order, "scan")
    scan(app, order, "8710398501234", "0036000291452", "rubbish")
    assert not app.exception
    assert "No product has the code 'rubbish'" in plain(app.error[0].value)
    assert f"BOLT Hex bolt is not on {order.number}" in told(app)
    assert "8710398501234" in told(app)
    assert next(button for button in app.button if button.label == "Book what was scanned").disabled
    scan(app, order, EAN)
    assert "not counted" in told(app)  # still there for whoever did not look
    assert "**1 piece on 1 line**" in told(app)


def test_a_line_without_a_barcode_is_counted_by_its_sku(receive, order):
    app = receive(order, "scan")
    scan(app, order, "lamp")
    assert "**1 piece on 1 line**" in told(app)


def test_what_was_received_before_is_not_counted_again(receive, session, order, lamp):
    other = a_product(session, sku="BOLT")
    session.add(
        PurchaseOrderLine(
            order_id=order.id, product_id=other.id, warehouse_id=the_warehouse(session).id, quantity=3,
            unit_price=1, expected_on=TODAY,
        )
    )  # fmt: skip
    session.flush()
    actor = an_actor(session)
    line = session.scalars(sa.select(PurchaseOrderLine).where(PurchaseOrderLine.product_id == lamp.id)).one()
    order_receipts.receive(session, actor, order.uid, {line.uid: 20}, key="all", now=NOW)
    app = receive(order, "scan")
    scan(app, order, EAN)
    assert "20 of 20" in plain(app.error[0].value)
    assert on_hand(session, lamp) == 25


def test_scans_and_list_fill_the_same_counts(receive, order):
    app = receive(order, "scan")
    scan(app, order, CARTON)
    app.button_group[0].set_value("list").run()
    assert app.query_params["by"] == "list"
    assert field(app, "Arrived of", "number_input").value == 12


def test_codes_that_were_counted_before_a_reload_come_again_and_say_so(receive, order):
    app = receive(order, "scan")
    sent = [[str(uuid.uuid4()), EAN, "wedge", "counted"] for _ in range(2)]
    app.session_state[f"scanner_{desk(app, order)['form']}"] = sent
    app.run()
    assert "**2 pieces on 1 line**" in told(app)
    assert "2 codes scanned before this page was loaded again are counted below" in told(app)
    press(app, "Book what was scanned")
    assert not app.info


@pytest.mark.parametrize(
    "given",
    [
        None, "x", 7, {"a": 1}, [[]], [["1", "x"]], [["1", "x", "wedge", None]], [[1, "x", "wedge", None]],
        [[KEY, 2, "wedge", None]], [[KEY, "x\0", "wedge", None]], [[KEY, "x", "magic", None]], [[KEY, "x"]],
    ],
)  # fmt: skip
def test_whatever_a_browser_sends_only_codes_with_a_number_are_taken(monkeypatch, given):
    monkeypatch.setattr(scanner.st, "session_state", {"field": given})
    assert scanner.arrived("field") == []


def test_a_code_that_is_too_long_is_cut_and_no_other_code_is_read_in_what_is_left(monkeypatch):
    monkeypatch.setattr(scanner.st, "session_state", {"field": [[KEY, "c" * 9999, "typed", 7]]})
    (code,) = scanner.arrived("field")
    assert (code.text, code.about) == ("c" * scanner.CODE_CHARACTERS, None)
    with pytest.raises(BadInput, match="too many"):
        readings.read(code.text)
    link = f"https://shop.example/01/4006381333931?{'x' * 170}=1&10=LOT-7"
    monkeypatch.setattr(scanner.st, "session_state", {"field": [[KEY, link, "wedge", None]]})
    assert readings.read(scanner.arrived("field")[0].text).lot == "LOT-7"
