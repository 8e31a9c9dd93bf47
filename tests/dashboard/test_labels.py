"""Labels: what is chosen, how many, on which paper, and codes for what has none."""

import pytest

from core import catalogue
from db.models import Barcode
from tests.core.labels.arrivals import arrived
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, an_actor, the_warehouse

CODE, OTHER = "4006381333931", "0036000291452"


@pytest.fixture
def bolt(session):
    product = a_product(session, 7, name="Bolt *M6*", sku="BOLT", unit_price="1.5")
    catalogue.add_barcode(session, an_actor(session), product.id, CODE)
    return product


@pytest.fixture
def nut(session):
    return a_product(session, 3, name="Nut", sku="NUT")


def table(app):
    """Copies by code, as the table begins."""
    if not app.dataframe:
        return {}
    frame = app.dataframe[0].value
    return dict(zip(frame["Code"], frame["Copies"], strict=True))


def offered(app):
    """The words of the button for the file; None where there is none."""
    buttons = [button.label for button in app.button if button.key == "labels_pdf"]
    return buttons[0] if buttons else None


def desk(app, kind="products"):
    return app.session_state["desks"][f"labels {kind}"]


def said(app):
    return plain(words(app))


@pytest.mark.usefixtures("bolt", "nut")
def test_a_list_begins_without_copies_and_a_search_with_one_of_each(browser):
    app = browser("viewer", "labels")
    assert table(app) == {CODE: 0, "sku:NUT": 0}
    assert offered(app) is None
    assert "No label yet: enter copies in the table." in said(app)
    app = browser("viewer", "labels", q="bolt")
    assert table(app) == {CODE: 1}
    assert offered(app) == "Download 1 label on 1 sheet"
    assert "Print at 100 %" in said(app)
    app = browser("viewer", "labels", copies="stock")
    assert table(app) == {CODE: 7, "sku:NUT": 3}
    assert offered(app) == "Download 10 labels on 1 sheet"


@pytest.mark.usefixtures("nut")
def test_the_product_s_page_hands_it_over_and_the_filter_can_be_taken_away(browser, bolt):
    app = browser("viewer", "product", id=str(bolt.uid))
    assert "Label" in [link.proto.label for link in app.get("page_link")]
    app = browser("viewer", "labels", product=str(bolt.uid))
    assert table(app) == {CODE: 1}
    assert plain(app.button("chip-product").label) == "Bolt *M6*"
    app.button("chip-product").click().run()
    assert set(table(app)) == {CODE, "sku:NUT"}


def test_an_order_hands_over_what_arrived(browser, session, bolt, nut):
    manager = an_actor(session)
    order = arrived(session, manager, (bolt, 10, 4), (nut, 5, 0))
    app = browser("viewer", "labels", order=str(order.uid))
    assert table(app) == {CODE: 4}
    assert offered(app) == "Download 4 labels on 1 sheet"
    assert plain(app.button("chip-order").label) == f"Arrived with {order.number}"
    waiting = arrived(session, manager, (nut, 5, 0))
    app = browser("viewer", "labels", order=str(waiting.uid))
    assert f"Nothing of {waiting.number} has arrived yet." in said(app)
    app.button("help").click().run()
    assert set(table(app)) == {CODE, "sku:NUT"}


def test_places_and_commands_have_a_list_and_a_paper_of_their_own(browser, session):
    place = the_warehouse(session)
    app = browser("viewer", "labels", what="places")
    assert table(app) == {f"loc:{place.code}": 1}
    assert app.selectbox[0].value == "l7160"
    app = browser("viewer", "labels", warehouse=str(place.uid))
    assert table(app) == {f"loc:{place.code}": 1}
    app = browser("viewer", "labels", what="commands")
    assert len(table(app)) == 10
    assert offered(app) == "Download 10 labels on 1 sheet"
    assert app.selectbox[0].value == "plain"


def test_the_paper_stays_for_the_session_and_stands_in_the_address(browser, bolt):
    app = browser("viewer", "labels", product=str(bolt.uid))
    paper = next(box for box in app.selectbox if box.label == "Paper")
    paper.set_value("62x29").run()
    assert app.query_params["format"] == "62x29"
    assert offered(app) == "Download 1 label"
    assert "Set the printer's paper to 62 × 29 mm." in said(app)
    assert "First free place on the sheet" not in [field.label for field in app.number_input]
    app.query_params.clear()
    app.query_params["product"] = str(bolt.uid)
    app.run()
    assert app.query_params["format"] == "62x29"
    assert offered(app) == "Download 1 label"


def test_a_sheet_of_which_labels_were_used_begins_later(browser, bolt):
    app = browser("viewer", "labels", product=str(bolt.uid), copies="stock", start="18")
    assert offered(app) == "Download 7 labels on 2 sheets"
    assert app.number_input[0].value == 18


def test_codes_and_price_are_chosen(browser, bolt):
    app = browser("viewer", "labels", product=str(bolt.uid))
    app.toggle[0].set_value(True).run()
    assert app.query_params["price"] == "1"
    next(box for box in app.selectbox if box.label == "Codes" and box.value == "bars").set_value(
        "squares"
    ).run()
    assert app.query_params["codes"] == "squares"
    assert offered(app) == "Download 1 label on 1 sheet"
    assert not app.exception


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({"format": "a3"}, "Paper: there is no 'a3'."),
        ({"start": "22"}, "This sheet has 21 places, so it begins at the first."),
        ({"start": "-1"}, "'-1' in the address is not a number"),
        ({"copies": "many"}, "Copies: there is no 'many'."),
        ({"what": "people"}, "What: there is no 'people'."),
        ({"product": "nonsense"}, "'nonsense' is not the id of a product."),
        ({"order": "nonsense"}, "'nonsense' is not the id of a purchase order."),
        ({"what": "places", "warehouse": "nonsense"}, "'nonsense' is not the id of a warehouse."),
    ],
)
@pytest.mark.usefixtures("bolt")
def test_an_address_that_makes_no_sense_is_answered_with_a_sentence(browser, address, sentence):
    app = browser("viewer", "labels", **address)
    assert not app.exception
    assert sentence in said(app)


def test_more_labels_than_a_file_holds_are_refused(browser, monkeypatch, bolt):
    monkeypatch.setattr("core.labels.sheets.MOST_LABELS", 6)
    app = browser("viewer", "labels", product=str(bolt.uid), copies="stock")
    assert "7 labels are too many for one file: print at most 6" in said(app)
    assert offered(app) is None


def test_a_code_that_no_label_can_hold_is_refused_by_name(browser, session):
    product = a_product(session)
    catalogue.add_barcode(session, an_actor(session), product.id, "X" * 100)
    app = browser("viewer", "labels", product=str(product.uid), format="l4732")
    assert "is too long for this label: choose a larger format for it." in said(app)
    assert offered(app) is None


def test_a_kind_that_would_be_too_fine_is_told(browser, session, bolt):
    catalogue.add_barcode(session, an_actor(session), bolt.id, "10036000291459", 12)
    app = browser("viewer", "labels", product=str(bolt.uid))
    assert table(app) == {CODE: 1, "10036000291459": 0}
    desk(app)["copies"] = {"10036000291459": 2}
    desk(app).pop("table")
    app.run()
    assert "10036000291459 is printed as Code 128" in said(app)


@pytest.mark.usefixtures("bolt")
def test_what_was_typed_on_another_list_is_printed_too_until_it_is_let_go(browser, nut):
    app = browser("viewer", "labels", q="bolt")
    desk(app)["copies"], desk(app)["products"] = {"sku:NUT": 3}, {"sku:NUT": str(nut.uid)}
    app.run()
    assert "and **3** of other searches" in said(app)
    assert offered(app) == "Download 4 labels on 1 sheet"
    app.button("forget_others").click().run()
    assert "of other searches" not in said(app)
    assert offered(app) == "Download 1 label on 1 sheet"


@pytest.mark.usefixtures("bolt")
def test_a_search_without_success_says_what_to_do(browser):
    app = browser("viewer", "labels", q="nothing like it")
    assert "No product fits these filters." in said(app)
    app.button("help").click().run()
    assert table(app) == {CODE: 0}


@pytest.mark.usefixtures("session")
def test_a_shop_without_products_says_so(browser):
    assert "There is no product yet." in said(browser("viewer", "labels"))


# -- Codes of the shop's own ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("bolt")
def test_products_without_a_code_get_one_and_undo_takes_it_back(browser, session, nut):
    a_product(session, name="Washer", sku="WASH")
    app = browser("manager", "labels", without="1")
    assert set(table(app)) == {"sku:NUT", "sku:WASH"}
    assert app.button("give_codes").label == "Give codes to the 2 without one"
    app.button("give_codes").click().run()
    assert "Gave 2 products a code: **04" in said(app)
    assert "without" not in app.query_params
    assert list(table(app).values()) == [1, 1]
    assert all(code.startswith("04") for code in table(app))
    assert offered(app) == "Download 2 labels on 1 sheet"
    assert session.query(Barcode).filter(Barcode.product_id == nut.id).one().code.startswith("04")
    app.button("undo-give_codes").click().run()
    assert "2 codes are taken off again." in said(app)
    assert set(table(app)) == {"sku:NUT", "sku:WASH"}


@pytest.mark.usefixtures("nut")
@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_edit_the_catalogue_is_not_offered_codes(browser, role):
    app = browser(role, "labels")
    assert "give_codes" not in [button.key for button in app.button]
