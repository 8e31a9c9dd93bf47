"""Stock on its way, on the page of its product."""

from datetime import UTC, datetime, timedelta

import pytest

from core import expected
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import an_actor, on_hand, the_warehouse

TODAY = datetime.now(UTC).date()


@pytest.fixture
def product(sold_daily, train):
    made = sold_daily(left=20, name="Desk lamp")
    train()
    return made


@pytest.fixture
def open_page(browser, product):
    return lambda role="manager": browser(role, "product", id=str(product.uid))


def coming(session, product, quantity=30, days=3, since=0):
    return expected.add(
        session, an_actor(session), product.id, the_warehouse(session).id, quantity,
        TODAY + timedelta(days=days), today=TODAY - timedelta(days=since),
    )  # fmt: skip


def test_it_is_noted_down_with_what_it_does_to_the_run_out_and_can_be_undone(open_page, product, session):
    app = open_page()
    assert "Nothing is on its way" in words(app)
    press(app, "Add stock on its way")
    field(app, "Quantity", "number_input").set_value(40.0)
    field(app, "Note on the delivery").input("PO *77*")
    press(app, "Add")
    assert not app.exception
    (receipt,) = expected.open_of(session, product.id)
    assert (receipt.quantity, receipt.expected_on) == (40, TODAY + timedelta(days=7))
    told = plain(words(app))
    assert "**40** on" in told
    assert "PO *77*" in told
    assert "runs out **" in told
    assert "with what is on its way" in told
    press(app, "Undo")
    assert expected.open_of(session, product.id) == []
    assert "Undone" in words(app)


def test_a_refused_delivery_keeps_what_was_typed(open_page, product, session):
    app = open_page()
    press(app, "Add stock on its way")
    press(app, "Add")
    assert "Quantity: enter one first" in plain(app.error[0].value)
    field(app, "Quantity", "number_input").set_value(-3.0)
    field(app, "Note on the delivery").input("PO 77")
    press(app, "Add")
    assert "Quantity: -3 is not above zero" in plain(app.error[0].value)
    assert field(app, "Note on the delivery").value == "PO 77"
    assert expected.open_of(session, product.id) == []
    press(app, "Close")
    assert not app.error


def test_a_delivery_is_changed_cancelled_and_taken_back(open_page, product, session):
    receipt = coming(session, product)
    app = open_page()
    press(app, "Change")
    field(app, "Quantity", "number_input").set_value(12.0)
    press(app, "Save")
    session.refresh(receipt)
    assert receipt.quantity == 12
    press(app, "Undo")
    session.refresh(receipt)
    assert receipt.quantity == 30
    press(app, "Cancel delivery")
    assert expected.open_of(session, product.id) == []
    press(app, "Undo")
    assert len(expected.open_of(session, product.id)) == 1


def test_what_arrived_is_booked_and_the_rest_stays_on_its_way(open_page, product, session):
    receipt = coming(session, product, days=-2, since=9)
    app = open_page("user")
    assert "Overdue" in words(app)
    assert "Change" not in [button.label for button in app.button]
    press(app, "Receive")
    field(app, "Arrived", "number_input").set_value(10.0)
    press(app, "Book it in")
    assert not app.exception
    assert on_hand(session, product) == 30
    session.refresh(receipt)
    assert receipt.quantity == 20
    assert "**20 → 30**" in plain(words(app))
    press(app, "Undo")
    session.refresh(receipt)
    assert (on_hand(session, product), receipt.quantity) == (20, 30)


def test_who_only_looks_sees_what_is_coming_and_no_button(open_page, product, session):
    app = open_page("viewer")
    assert "On order" not in words(app)
    coming(session, product)
    app = open_page("viewer")
    assert "**30** on" in plain(words(app))
    assert not {"Receive", "Change", "Cancel delivery"} & {button.label for button in app.button}


def test_what_comes_too_late_is_said_to_be_too_late(open_page, product, session):
    coming(session, product, days=100)
    assert "It comes too late to move the run-out" in words(open_page())


def test_the_receipt_names_what_was_counted(open_page, product, session):
    coming(session, product)
    assert "**On its way** 30 on" in plain(words(open_page()))
