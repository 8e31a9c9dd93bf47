"""Vendors beside each other on a product's page: whom to take, why, the receipt, and what can be done."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import comparison
from dashboard import comparison_row, comparison_table, vendor_comparison
from db.models import Product, VendorOffer
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import a_product, a_vendor, an_offer

TODAY = datetime.now(UTC).date()


@pytest.fixture
def compared(browser):
    """`compared(product, role="manager", **address)`: the section of vendors on a product's page."""

    def open_section(product, role="manager", **address):
        return browser(role, "product", id=str(product.uid), show="vendors", **address)

    return open_section


def a_choice(session, **about):
    """A product that two vendors offer: Cheap only by the hundred, Dear by the piece."""
    product = a_product(session, 5, **about)
    cheap, dear = a_vendor(session, name="Cheap"), a_vendor(session, name="Dear")
    an_offer(session, product, cheap, prices={1: "1.50"}, minimum_order_quantity=100)
    an_offer(session, product, dear, prices={1: 2})
    return product, cheap, dear


def table(app):
    return next(one.value for one in app.dataframe if "Unit price" in one.value)


def test_nobody_offers_it_and_a_manager_adds_an_offer_here(compared, session):
    product, vendor = a_product(session), a_vendor(session, name="Delta", lead_time_days=9)
    app = compared(product)
    assert "Nobody offers this product" in words(app)
    press(app, "Add offer")
    assert field(app, "Vendor", "selectbox").value == vendor.id
    field(app, "Unit price", "number_input").set_value(2.5)
    next(button for button in app.button if button.key == "save_offer").click().run()
    assert not app.exception
    assert table(app)["Vendor"].tolist() == ["Delta"]
    assert "Only Delta offers it" in plain(words(app))
    press(app, "Undo")
    assert "Nobody offers this product" in words(app)


def test_an_offer_needs_a_vendor(compared, session):
    product = a_product(session)
    app = compared(product)
    press(app, "Add offer")
    assert "There is no vendor yet" in words(app)
    a_vendor(session), a_vendor(session)
    app = compared(product)
    press(app, "Add offer")
    field(app, "Unit price", "number_input").set_value(2.5)
    next(button for button in app.button if button.key == "save_offer").click().run()
    assert "Vendor: choose one first" in plain(app.error[0].value)


def test_the_cheapest_a_piece_may_lose_and_it_is_said_why(compared, session):
    product, _, _ = a_choice(session)
    app = compared(product, role="viewer", buy="10")
    assert not app.exception
    said = plain(words(app))
    assert "Dear, although Cheap asks less a piece" in said
    assert "Cheapest a piece" in said
    rows = table(app)
    assert rows["Vendor"].tolist() == ["Dear", "Cheap"]
    assert [list(one) for one in rows[""]] == [["Recommended"], []]
    assert rows["Order"].tolist() == ["10", "100"]
    assert rows["More"].iloc[0] == "best"


def test_the_quantity_is_asked_for_in_the_address_and_reset(compared, session):
    product, _, _ = a_choice(session)
    app = compared(product, buy="500")
    assert table(app)["Vendor"].iloc[0] == "Cheap"
    field(app, "Quantity", "number_input").set_value(10.0).run()
    assert app.query_params["buy"] in ("10", ["10"])
    assert table(app)["Vendor"].iloc[0] == "Dear"
    next(button for button in app.button if button.key == "compared_reset").click().run()
    assert "buy" not in app.query_params


@pytest.mark.parametrize("asked", ["abc", "-5", "0", "9" * 30, "1.23456"])
def test_a_quantity_that_is_none_is_one_red_sentence_and_the_comparison_stands(compared, session, asked):
    product, _, _ = a_choice(session)
    app = compared(product, role="viewer", buy=asked)
    assert not app.exception
    assert len(app.error) == 1
    assert "Quantity" in plain(app.error[0].value)
    assert len(table(app)) == 2


def test_a_row_opens_its_receipt_whose_terms_add_up(session):
    product, _, _ = a_choice(session)
    found = comparison.of_product(session, product.id, TODAY, quantity=Decimal(10))
    for row in found.rows:
        terms = comparison_row.terms(row, found.quantity)
        assert sum(amount for _, amount in terms) == row.costed.total


def test_the_receipt_and_the_terms_are_shown(compared, session):
    product, cheap, _ = a_choice(session)
    app = compared(product, role="viewer", vendor=str(cheap.uid), buy="10")
    said = plain(words(app))
    assert not app.exception
    assert "10 at €1.50" in said
    assert "Keeping 90 more until they sell" in said
    assert "**Minimum** 100" in said
    labels = {button.label for button in app.button}
    assert not labels & {"Always buy it here", "Enter a new price", "Add offer"}


def test_a_vendor_is_chosen_by_hand_and_let_go(compared, session):
    product, cheap, _ = a_choice(session)
    app = compared(product, vendor=str(cheap.uid), buy="10")
    press(app, "Always buy it here")
    assert not app.exception
    assert "Bought from **whom it is best → Cheap**" in plain(words(app))
    rows = table(app).set_index("Vendor")
    assert list(rows.loc["Cheap", ""]) == ["Recommended", "Chosen by hand"]
    assert "Cheap is chosen by hand" in plain(words(app))
    press(app, "Buy from whom it is best")
    session.expire_all()
    assert session.get(Product, product.id).preferred_vendor_id is None
    press(app, "Undo")
    session.expire_all()
    assert session.get(Product, product.id).preferred_vendor_id == cheap.id


def test_a_new_price_is_entered_from_the_row(compared, session):
    product, cheap, _ = a_choice(session)
    app = compared(product, vendor=str(cheap.uid))
    press(app, "Enter a new price")
    field(app, "Unit price", "number_input").set_value(1.4)
    press(app, "Save new price")
    assert not app.exception
    assert session.scalar(sa.select(sa.func.count()).select_from(VendorOffer)) == 3


@pytest.mark.parametrize("vendor", ["x", "00000000-0000-0000-0000-000000000000"], ids=["no id", "unknown"])
def test_a_vendor_that_does_not_offer_it_is_refused(compared, session, vendor):
    product, _, _ = a_choice(session)
    app = compared(product, role="viewer", vendor=vendor)
    assert not app.exception
    assert "This vendor does not offer the product" in plain(app.error[0].value)


def test_old_quotes_say_so(session):
    product = a_product(session)
    an_offer(session, product, valid_from=TODAY - timedelta(days=40), valid_until=TODAY - timedelta(days=2))
    an_offer(session, product, valid_from=TODAY - timedelta(days=40), valid_until=TODAY + timedelta(days=2))
    found = comparison.of_product(session, product.id, TODAY)
    marks = [comparison_table.pills(row, TODAY) for row in found.rows]
    assert sorted(mark[-1] for mark in marks) == ["Ends soon", "Expired"]


def test_a_product_that_is_not_sold_any_more_can_be_looked_at(compared, session):
    product, _, _ = a_choice(session)
    product.is_active = False
    app = compared(product)
    assert not app.exception
    assert "Add offer" not in {button.label for button in app.button}


def test_without_a_price_for_so_few_nobody_is_recommended(compared, session):
    product = a_product(session)
    an_offer(session, product, prices={100: 1})
    found = comparison.of_product(session, product.id, TODAY, quantity=Decimal(1))
    assert vendor_comparison.cheapest(found) is None
    assert not compared(product, role="viewer", buy="1").exception
