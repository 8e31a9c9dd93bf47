"""The page of one vendor: form, terms, offers with their history, deliveries, open orders."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import offers
from db.models import Vendor, VendorOffer, VendorShutdown
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.dashboard.test_vendors import TODAY, an_order
from tests.makers import a_product, a_vendor, an_offer


def pressable(app):
    return {button.label for button in app.button}


def test_a_vendor_is_added_by_name_alone(browser, session):
    app = browser("manager", "vendor", id="new")
    field(app, "Name").input("Delta *Imports*")
    press(app, "Add vendor")
    assert not app.exception
    vendor = session.scalars(sa.select(Vendor)).one()
    assert app.query_params["id"] in (str(vendor.uid), [str(vendor.uid)])
    assert "is there. Add what it offers below" in plain(words(app))
    assert app.title[0].value == "Delta \\*Imports\\*"


@pytest.mark.parametrize(
    ("label", "kind", "value", "said"),
    [
        ("Name", "text_input", "", "Name: enter one first"),
        ("Name", "text_input", "taken", "There is a vendor 'Taken' already"),
        ("E-mail", "text_input", "nobody", "E-mail: 'nobody' is not one address"),
        ("Order minimum", "number_input", -1.0, "Order minimum"),
        ("Lead time", "number_input", 1.5, "Lead time: 1.5 is not a whole number"),
    ],
)
def test_what_is_refused_is_one_red_sentence_and_nothing_typed_is_lost(
    browser, session, label, kind, value, said
):
    a_vendor(session, name="Taken")
    app = browser("manager", "vendor", id="new")
    field(app, "Name").input("Delta")
    widget = field(app, label, kind)
    widget.input(value) if kind == "text_input" else widget.set_value(value)
    press(app, "Add vendor")
    assert not app.exception
    assert said in plain(app.error[0].value)
    assert field(app, label, kind).value == value
    assert session.scalar(sa.select(sa.func.count()).select_from(Vendor)) == 1


def test_another_currency_needs_its_rate(browser, session):
    app = browser("manager", "vendor", id="new")
    field(app, "Name").input("Delta")
    field(app, "Currency", "selectbox").set_value("USD")
    press(app, "Add vendor")
    assert "Exchange rate: say what 1 USD costs" in plain(app.error[0].value)
    field(app, "Exchange rate", "number_input").set_value(0.92)
    press(app, "Add vendor")
    vendor = session.scalars(sa.select(Vendor)).one()
    assert (vendor.currency, vendor.exchange_rate) == ("USD", Decimal("0.92"))


def test_terms_are_changed_and_taken_back(browser, session):
    vendor = a_vendor(session, order_minimum=100)
    app = browser("manager", "vendor", id=str(vendor.uid), edit="1")
    field(app, "Order minimum", "number_input").set_value(250.0)
    field(app, "Order days", "multiselect").set_value([1, 4])
    press(app, "Save")
    assert not app.exception
    assert "Order minimum **100 → 250**, Order days **any day → Mon, Thu**" in plain(words(app))
    session.refresh(vendor)
    assert (vendor.order_minimum, vendor.order_weekdays) == (250, [1, 4])
    press(app, "Undo")
    session.refresh(vendor)
    assert (vendor.order_minimum, vendor.order_weekdays) == (100, None)


def test_a_vendor_is_deactivated_with_a_way_back_but_not_while_orders_are_open(browser, session):
    vendor, product = a_vendor(session), a_product(session)
    an_offer(session, product, vendor)
    order = an_order(session, vendor, product)
    app = browser("manager", "vendor", id=str(vendor.uid), show="terms")
    press(app, "Deactivate it")
    assert f"{order.number} is open" in plain(app.error[0].value)
    order.state, order.cancelled_at = "cancelled", datetime.now(UTC)
    session.commit()
    press(app, "Deactivate it")
    assert "no more" in words(app)
    session.refresh(vendor)
    assert not vendor.is_active
    app = browser("manager", "vendor", id=str(vendor.uid))
    assert "Its offers do not count while it is deactivated" in words(app)
    app = browser("manager", "vendor", id=str(vendor.uid), show="terms")
    press(app, "Reactivate")
    session.refresh(vendor)
    assert vendor.is_active


def test_closed_days_are_added_removed_and_refused(browser, session):
    vendor = a_vendor(session)
    app = browser("manager", "vendor", id=str(vendor.uid), show="terms")
    press(app, "Add closed days")
    field(app, "First day", "date_input").set_value(TODAY + timedelta(days=9))
    field(app, "Last day", "date_input").set_value(TODAY + timedelta(days=3))
    press(app, "Add")
    assert "lies before the first day" in plain(app.error[0].value)
    field(app, "Last day", "date_input").set_value(TODAY + timedelta(days=12))
    field(app, "Note").input("Holidays")
    press(app, "Add")
    assert not app.exception
    row = session.scalars(sa.select(VendorShutdown)).one()
    assert (row.starts_on, row.note) == (TODAY + timedelta(days=9), "Holidays")
    press(app, "Remove")
    assert session.scalars(sa.select(VendorShutdown)).all() == []
    press(app, "Undo")
    assert len(session.scalars(sa.select(VendorShutdown)).all()) == 1


# -- Offers --------------------------------------------------------------------------------------------------


def offered(session, vendor, product):
    return [one for one in offers.current(session, [product.id], TODAY) if one.vendor_id == vendor.id]


def test_an_offer_is_added_with_steps_and_undone(browser, session):
    vendor, product = a_vendor(session), a_product(session, sku="LAMP-1")
    app = browser("manager", "vendor", id=str(vendor.uid))
    assert "It offers nothing yet" in words(app)
    press(app, "Add offer")
    field(app, "SKU").input("lamp-1")
    quantities = [one for one in app.number_input if one.label.startswith("From quantity")]
    prices = [one for one in app.number_input if one.label.startswith("Unit price")]
    prices[0].set_value(2.5)
    quantities[1].set_value(50.0)
    prices[1].set_value(2.2)
    field(app, "Lead time", "number_input").set_value(9.0)
    next(b for b in app.button if b.key == "save_offer").click().run()
    assert not app.exception, app.exception
    assert [one.value for one in app.error] == []
    (kept,) = offered(session, vendor, product)
    assert kept.steps == ((1, Decimal("2.5")), (50, Decimal("2.2")))
    assert (kept.lead_time_days, kept.valid_from) == (9, TODAY)
    assert "nothing → from 1: €2.50, from 50: €2.20" in plain(words(app))
    press(app, "Undo")
    assert offered(session, vendor, product) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Unit price: enter at least one"),
        ({"price": 2.0}, "has no usual lead time"),
        ({"price": 2.0, "lead": 5.0, "sku": "nothing"}, "nothing"),
        ({"price": -2.0, "lead": 5.0}, "Unit price"),
        ({"price": 2.0, "lead": 5.0, "sku": ""}, "SKU: enter one first"),
    ],
    ids=["no price", "no lead time", "unknown product", "negative", "no product"],
)
def test_an_offer_that_cannot_be_meant_is_refused(browser, session, changes, said):
    vendor, _ = a_vendor(session), a_product(session, sku="LAMP-1")
    app = browser("manager", "vendor", id=str(vendor.uid))
    press(app, "Add offer")
    field(app, "SKU").input(changes.get("sku", "LAMP-1"))
    if "price" in changes:
        field(app, "Unit price", "number_input").set_value(changes["price"])
    if "lead" in changes:
        field(app, "Lead time", "number_input").set_value(changes["lead"])
    next(b for b in app.button if b.key == "save_offer").click().run()
    assert not app.exception
    assert said in plain(app.error[0].value)
    assert session.scalars(sa.select(VendorOffer)).all() == []


def test_a_new_price_keeps_the_old_one_in_the_history(browser, session):
    vendor, product = a_vendor(session), a_product(session)
    an_offer(session, product, vendor, prices={1: 2}, valid_from=TODAY - timedelta(days=90))
    app = browser("manager", "vendor", id=str(vendor.uid), product=str(product.uid))
    press(app, "Enter a new price")
    assert field(app, "Unit price", "number_input").value == 2.0
    field(app, "Unit price", "number_input").set_value(2.1)
    press(app, "Save new price")
    assert not app.exception
    (kept,) = offered(session, vendor, product)
    assert kept.steps == ((1, Decimal("2.1")),)
    assert "Rose 5 % with the last change" in plain(words(app))
    history = app.dataframe[-1].value
    assert len(history) == 2


def test_prices_that_rose_are_listed(browser, session):
    vendor, product = a_vendor(session), a_product(session, name="Lamp")
    an_offer(session, product, vendor, prices={1: 2}, valid_from=TODAY - timedelta(days=90))
    an_offer(session, product, vendor, prices={1: "2.1"}, valid_from=TODAY - timedelta(days=5))
    app = browser("viewer", "vendor", id=str(vendor.uid))
    assert not app.exception
    rises = next(one.value for one in app.dataframe if "Before" in one.value)
    assert rises[["Product", "Before", "Now", "Change"]].to_numpy().tolist() == [
        ["Lamp", "€2.00", "€2.10", "+5 %"]
    ]


def test_an_offer_is_withdrawn_and_restored(browser, session):
    vendor, product = a_vendor(session), a_product(session, name="Lamp")
    an_offer(session, product, vendor)
    app = browser("manager", "vendor", id=str(vendor.uid), product=str(product.uid))
    press(app, "Withdraw")
    assert offered(session, vendor, product) == []
    assert "is offered there no more" in words(app)
    press(app, "Undo")
    assert len(offered(session, vendor, product)) == 1


def test_what_is_expired_comes_first_and_says_so(browser, session):
    vendor = a_vendor(session)
    for name, days in (("Fine", None), ("Soon", 3), ("Over", -2)):
        until = None if days is None else TODAY + timedelta(days=days)
        an_offer(session, a_product(session, name=name), vendor, valid_until=until)
    app = browser("viewer", "vendor", id=str(vendor.uid))
    rows = app.dataframe[0].value
    assert rows["Product"].tolist() == ["Over", "Soon", "Fine"]
    assert [list(one) for one in rows["Validity"]] == [["Expired"], ["Ends soon"], ["Valid"]]
    assert rows["Holds"].iloc[0].startswith("expired")


# -- Looking -------------------------------------------------------------------------------------------------


def test_a_viewer_sees_everything_and_may_do_nothing(browser, session):
    vendor, product = a_vendor(session), a_product(session)
    an_offer(session, product, vendor)
    for section in ("offers", "deliveries", "orders", "terms"):
        app = browser(
            "viewer", "vendor", id=str(vendor.uid), show=section, product=str(product.uid), edit="1"
        )
        assert not app.exception
        assert not pressable(app) & {
            "Edit",
            "Add offer",
            "Save",
            "Withdraw",
            "Add closed days",
            "Deactivate it",
        }
    app = browser("user", "vendor", id="new")
    assert "Only managers add vendors" in plain(app.error[0].value)


def test_open_orders_say_what_is_late(browser, session):
    vendor = a_vendor(session)
    an_order(session, vendor, a_product(session), late=4)
    an_order(session, vendor, a_product(session), state="draft")
    app = browser("viewer", "vendor", id=str(vendor.uid), show="orders")
    rows = app.dataframe[0].value
    assert [list(one) for one in rows["State"]] == [["Draft"], ["Sent", "Late"]]
    app = browser("viewer", "vendor", id=str(vendor.uid), show="deliveries")
    assert app.dataframe[0].value["Arrived"].tolist() == ["still missing"]


@pytest.mark.parametrize("given", ["x", "00000000-0000-0000-0000-000000000000"], ids=["no id", "unknown"])
def test_a_vendor_that_is_none_is_refused_with_a_way_on(browser, given):
    app = browser("viewer", "vendor", id=given)
    assert not app.exception
    assert len(app.error) == 1


@pytest.mark.parametrize("given", ["x", "00000000-0000-0000-0000-000000000000"], ids=["no id", "unknown"])
def test_a_product_that_is_none_is_refused_with_a_way_back(browser, session, given):
    vendor = a_vendor(session)
    an_offer(session, a_product(session), vendor)
    app = browser("viewer", "vendor", id=str(vendor.uid), product=given)
    assert not app.exception
    assert len(app.error) == 1
    press(app, "All its offers")
    assert len(app.dataframe[0].value) == 1


def test_without_an_address_the_list_is_one_click_away(browser):
    assert "No vendor is chosen" in words(browser("viewer", "vendor"))
