"""The form of a product: added, changed, refused without losing what was typed, and retired."""

import pytest
import sqlalchemy as sa

from core import catalogue, products, thresholds
from db.models import Product
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse


@pytest.fixture
def form(browser):
    """`form(uid=None, role="manager")`: the form, open."""

    def open_form(uid=None, role="manager"):
        return browser(role, "edit_product", **({"id": str(uid)} if uid else {}))

    return open_form


def field(app, label, kind="text_input"):
    return next(widget for widget in getattr(app, kind) if widget.label.startswith(label))


def press(app, label):
    return next(button for button in app.button if button.label == label).click().run()


def test_a_product_is_added_with_its_code_and_stock_and_can_be_edited_at_once(form, session):
    the_warehouse(session)
    app = form()
    field(app, "SKU").input("LAMP-1")
    field(app, "Name").input("Desk *lamp*")
    field(app, "Barcode").input("036000291452")
    field(app, "Unit cost", "number_input").set_value(4.25)
    field(app, "On the shelf now", "number_input").set_value(12.0)
    press(app, "Add product")
    assert not app.exception
    product = session.scalars(sa.select(Product)).one()
    assert (product.sku, product.name, product.unit_cost) == ("LAMP-1", "Desk *lamp*", 4.25)
    found = products.by_uid(session, product.uid)
    assert (found.on_hand, found.barcodes) == (12, (("0036000291452", 1),))
    assert "is in the catalogue, 12 on the shelf" in plain(words(app))
    assert app.query_params["id"] == str(product.uid)
    assert app.title[0].value == "Edit Desk \\*lamp\\*"


@pytest.mark.parametrize(
    ("label", "kind", "value", "sentence"),
    [
        ("SKU", "text_input", "", "SKU: it needs 1 to 100 characters"),
        ("SKU", "text_input", "taken", "'taken' belongs to Product"),
        ("Unit cost", "number_input", -1.0, "Unit cost: -1 is not between 0"),
        ("Lead time", "number_input", 1.5, "Lead time: 1.5 is not a whole number"),
        ("Barcode", "text_input", "4006381333932", "the last digit should be 1"),
        ("On the shelf now", "number_input", -2.0, "Opening stock cannot be below zero"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_red_sentence_and_nothing_typed_is_lost(
    form, session, label, kind, value, sentence
):
    the_warehouse(session), a_product(session, sku="TAKEN")
    app = form()
    field(app, "SKU").input("LAMP-1")
    field(app, "Name").input("Desk lamp")
    field(app, label, kind).set_value(value)
    press(app, "Add product")
    (error,) = app.error
    assert sentence in plain(error.value)
    assert field(app, "Name").value == "Desk lamp"
    assert field(app, label, kind).value == value
    assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == 1


def test_a_change_shows_before_and_after_and_can_be_undone(form, session):
    here, there = the_warehouse(session), a_warehouse(session)
    product = a_product(session, 5, name="Lamp", reorder_threshold=3)
    app = form(product.uid)
    field(app, "Name").input("Desk lamp")
    field(app, "Threshold (pieces)", "number_input").set_value(4.0)
    field(app, there.code, "number_input").set_value(2.0)
    press(app, "Save")
    told = plain(words(app))
    assert "Name **Lamp → Desk lamp**" in told
    assert "Threshold **3 → 4**" in told
    assert f"Threshold in {there.code} **not set → 2**" in told
    session.refresh(product)
    assert (product.name, product.reorder_threshold) == ("Desk lamp", 4)
    assert thresholds.of_product(session, product.id) == {there.id: 2}
    press(app, "Undo")
    session.refresh(product)
    assert (product.name, product.reorder_threshold) == ("Lamp", 3)
    assert thresholds.of_product(session, product.id) == {}
    assert field(app, "Name").value == "Lamp"
    assert here.is_default


def test_a_field_nobody_touched_keeps_what_somebody_else_wrote_meanwhile(form, session):
    the_warehouse(session)
    product = a_product(session, name="Lamp", unit_price=5)
    app = form(product.uid)
    catalogue.change(session, an_actor(session), product.id, product.created_at.date(), name="Lamp 2")
    session.commit()
    field(app, "Unit price", "number_input").set_value(6.5)
    press(app, "Save")
    session.refresh(product)
    assert (product.name, product.unit_price) == ("Lamp 2", 6.5)
    press(app, "Save")
    assert "Nothing was changed" in words(app)


def test_barcodes_are_added_taken_off_and_put_back(form, session):
    the_warehouse(session)
    product, other = a_product(session), a_product(session, sku="OTHER")
    catalogue.add_barcode(session, an_actor(session), other.id, "96385074")
    app = form(product.uid)
    for code, sentence in (("96385074", "belongs to OTHER"), ("", "Barcode: enter one first")):
        field(app, "Barcode").input(code)
        press(app, "Add barcode")
        assert sentence in plain(app.error[0].value)
    field(app, "Barcode").input("036000291452")
    field(app, "Pieces", "number_input").set_value(12.0)
    press(app, "Add barcode")
    assert products.by_uid(session, product.uid).barcodes == (("0036000291452", 12),)
    assert field(app, "Barcode").value == ""
    press(app, "Remove")
    assert products.by_uid(session, product.uid).barcodes == ()
    press(app, "Undo")
    assert products.by_uid(session, product.uid).barcodes == (("0036000291452", 12),)


def test_a_product_is_deactivated_with_a_way_back(form, session, browser):
    the_warehouse(session)
    product = a_product(session, 5)
    app = form(product.uid)
    assert "Delete it" not in [button.label for button in app.button]
    press(app, "Deactivate it")
    session.refresh(product)
    assert not product.is_active
    assert "Not sold any more" in words(app)
    page = browser("manager", "product", id=str(product.uid))
    assert "what happened stays readable" in words(page)
    press(page, "Reactivate")
    session.refresh(product)
    assert product.is_active


def test_an_admin_erases_what_never_happened_and_deactivates_the_rest(form, session):
    the_warehouse(session)
    used, unused = a_product(session, 5), a_product(session, name="Slip")
    app = form(used.uid, role="admin")
    press(app, "Delete it")
    assert "has a history, so it was deactivated" in words(app)
    app = form(unused.uid, role="admin")
    press(app, "Delete it")
    assert not app.exception
    assert "**Slip** is erased" in words(app)
    assert app.title[0].value == "Add product"
    assert session.scalars(sa.select(Product.id)).all() == [used.id]


def test_who_may_not_edit_has_no_form_and_no_button(form, browser, session):
    product = a_product(session, 5)
    app = browser("user", "product", id=str(product.uid))
    assert "Add stock on its way" not in [button.label for button in app.button]
    for label in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        app = form(label)
        assert app.error
        assert not app.exception
