"""The view of the warehouses: what lies where, and their form."""

import sqlalchemy as sa

from core import stock, warehouses
from db.models import Warehouse
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse


def tables(app):
    return app.dataframe[0].value


def test_an_empty_shop_makes_its_first_warehouse(browser, session):
    app = browser("manager", "warehouses")
    assert "There is no warehouse yet" in words(app)
    app.button(key="add_warehouse").click().run()
    field(app, "Code").input("MAIN")
    field(app, "Name").input("Main *hall*")
    app.button(key="save_warehouse").click().run()
    assert not app.exception
    place = warehouses.default(session)
    assert (place.code, place.name, place.time_zone) == ("MAIN", "Main *hall*", "UTC")
    assert "Warehouse **MAIN** is there, the default" in plain(words(app))
    assert tables(app)["Warehouse"].tolist() == ["MAIN · Main *hall*"]


def test_the_list_says_what_lies_where(browser, session):
    here, closed = the_warehouse(session), a_warehouse(session, "OLD", is_active=False)
    a_product(session, 5, warehouse=here, unit_cost=3)
    app = browser("manager", "warehouses")
    rows = tables(app).set_index("Warehouse")
    assert rows.loc[here.code, ["Products", "Units", "State"]].tolist() == ["1", "5", "Default"]
    assert rows.loc[here.code, "Value"].endswith("15.00")
    assert rows.loc[closed.code, "State"] == "Not in use"


def test_a_warehouse_is_changed_made_the_default_and_taken_back(browser, session):
    first, second = the_warehouse(session), a_warehouse(session, "B")
    app = browser("manager", "warehouses", id=str(second.uid))
    field(app, "Name").input("Back room")
    press(app, "Save")
    assert "Name **B → Back room**" in plain(words(app))
    press(app, "Undo")
    session.refresh(second)
    assert second.name == "B"
    press(app, "Make it the default")
    assert warehouses.default(session).id == second.id
    press(app, "Undo")
    assert warehouses.default(session).id == first.id


def test_a_refusal_is_one_red_sentence_and_nothing_typed_is_lost(browser, session):
    first, second = the_warehouse(session), a_warehouse(session, "B")
    product = a_product(session, 5, warehouse=second)
    app = browser("manager", "warehouses", id=str(second.uid))
    field(app, "Code").input(first.code.lower())
    press(app, "Save")
    assert "already" in plain(app.error[0].value)
    assert field(app, "Code").value == first.code.lower()
    press(app, "Deactivate it")
    assert "5 units of 1 product lie in B" in plain(" ".join(error.value for error in app.error))
    stock.transfer(session, an_actor(session), product.id, second.id, first.id, 5)
    session.commit()
    press(app, "Deactivate it")
    session.refresh(second)
    assert not second.is_active
    press(app, "Reactivate")
    session.refresh(second)
    assert second.is_active


def test_an_admin_erases_a_warehouse_without_a_past(browser, session):
    the_warehouse(session)
    slip = a_warehouse(session, "SLIP")
    app = browser("admin", "warehouses", id=str(slip.uid))
    press(app, "Delete it")
    assert not app.exception
    assert "**SLIP** is erased" in words(app)
    assert session.scalar(sa.select(sa.func.count()).select_from(Warehouse)) == 1


def test_a_bad_address_is_one_sentence(browser, session):
    the_warehouse(session)
    app = browser("manager", "warehouses", id="nonsense")
    assert "is not the id of a warehouse" in plain(app.error[0].value)
    assert not app.exception


def test_a_warehouse_is_supplied_by_another_from_its_form_and_back(browser, session):
    main, counter = a_warehouse(session, "WH-M"), a_warehouse(session, "WH-C")
    app = browser("manager", "warehouses", id=str(counter.uid))
    chooser = next(box for box in app.selectbox if box.label == "Gets its stock from")
    chooser.select(f"{main.code} · {main.name}").run()
    assert not app.exception
    session.refresh(counter)
    assert counter.supplied_by_id == main.id
    assert "Stock comes from **vendors → WH-M**" in plain(words(app))
    next(button for button in app.button if button.label == "Undo").click().run()
    session.refresh(counter)
    assert counter.supplied_by_id is None
