"""Cards of the Scan view: a code nobody knows, one that means several, a transfer, a delivery of an order."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core import auth, catalogue, stock
from core.buying import order_looks
from dashboard import camera, scan_delivery
from db.models import Barcode, PurchaseOrderLine, Scan
from tests.dashboard.test_edit_product import field, press
from tests.dashboard.test_orders import TODAY, an_order
from tests.dashboard.test_scan import by_key, desk, fill, said, scan
from tests.dashboard.test_scan_desk import CARTON, EAN
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, on_hand, the_warehouse

STRANGER = "8710398501233"
CASE = "14006381333938"  # of the pack whose pieces have EAN
WITH_LOT = f"01{STRANGER:0>14}17270331\x1d10L*7*"


@pytest.fixture(autouse=True)
def lamp(session):
    the_warehouse(session)
    product, actor = a_product(session, 40, sku="LAMP", name="Desk *lamp*"), an_actor(session)
    catalogue.add_barcode(session, actor, product.id, EAN)
    catalogue.add_barcode(session, actor, product.id, CARTON, 12)
    return product


@pytest.fixture
def station(browser, monkeypatch):
    monkeypatch.setattr(camera, "draw", lambda *_, **__: None)  # it needs a browser
    return lambda role="user", mode="out", **address: browser(role, "scan", mode=mode, **address)


def labels(app):
    return [button.label for button in app.button]


def outcomes(session):
    return session.scalars(sa.select(Scan.outcome).order_by(Scan.id)).all()


def codes_of(session, product):
    return dict(
        session.execute(
            sa.select(Barcode.code, Barcode.pack_factor).where(Barcode.product_id == product.id)
        ).all()
    )


def search(app, wanted):
    field(app, "Which product is it?").input(wanted).run()
    return app


# -- Nobody knows the code -----------------------------------------------------------------------------------


def test_an_unknown_code_is_linked_and_what_was_to_be_done_is_done(station, session, lamp):
    app = scan(station(), STRANGER)
    assert f"**Not known: {STRANGER}**" in said(app)
    assert "A manager can create it" in said(app)
    assert "Create a product" not in labels(app)
    search(app, "lamp")
    assert "**Desk *lamp***  \n:gray[LAMP · 40 on hand]" in said(app)
    fill(app, "Pieces in one scan of it", 6.0)
    press(app, "Link")
    assert not app.exception
    assert codes_of(session, lamp)[STRANGER] == 6
    assert on_hand(session, lamp) == 34
    assert "**−6 Desk *lamp* → 34** left" in said(app)
    assert outcomes(session) == ["booked"]
    assert desk(app)["waiting"] == []
    scan(app, STRANGER)
    assert on_hand(session, lamp) == 28


def test_a_case_hints_at_its_product_but_nobody_guesses_how_many_are_in_it(station, session, lamp):
    app = scan(station(), CASE)
    assert "Desk *lamp*" in said(app)
    assert field(app, "Pieces in one scan", "number_input").value is None
    press(app, "Link")
    assert "Pieces in one scan of it: enter one first." in said(app)
    assert on_hand(session, lamp) == 40
    fill(app, "Pieces in one scan of it", 8.0)
    press(app, "Link")
    assert on_hand(session, lamp) == 32


@pytest.mark.parametrize(("pieces", "sentence"), [(0.0, "is not above zero"), (-2.0, "is not above zero")])
def test_a_pack_of_nothing_is_refused_and_links_nothing(station, session, lamp, pieces, sentence):
    app = search(scan(station(), STRANGER), "lamp")
    fill(app, "Pieces in one scan of it", pieces)
    press(app, "Link")
    assert sentence in said(app)
    assert STRANGER not in codes_of(session, lamp)
    assert outcomes(session) == ["unknown"]


def test_a_link_stands_when_the_booking_behind_it_is_refused(station, session, lamp):
    app = search(scan(station(), STRANGER), "lamp")
    fill(app, "Pieces in one scan of it", 48.0)
    press(app, "Link")
    assert "48 asked for, 40 on hand" in said(app)
    assert "The code is linked. Nothing is booked yet." in said(app)
    stock.add(session, an_actor(session), lamp.id, the_warehouse(session).id, 20)
    press(app, "Book it again")
    assert on_hand(session, lamp) == 12
    assert outcomes(session) == ["booked"]


def test_a_manager_creates_the_product_with_what_the_code_says(station, session):
    app = scan(station("manager", "in"), WITH_LOT)
    assert "Lot L*7*. Expires " in said(app)
    press(app, "Create a product")
    assert field(app, "SKU").value == STRANGER
    press(app, "Create and go on")
    assert "Name: enter one first." in said(app)
    field(app, "Name").input("Hex *bolt*").run()
    field(app, "SKU").input("LAMP").run()
    press(app, "Create and go on")
    assert "'LAMP' belongs to Desk *lamp* already" in said(app)
    field(app, "SKU").input("BOLT").run()
    press(app, "Create and go on")
    assert not app.exception
    assert "**+1 Hex *bolt* → 1**" in said(app)
    kept = session.execute(sa.select(Barcode.code, Scan.lot, Scan.outcome).join(
        Scan, Scan.product_id == Barcode.product_id)).one()  # fmt: skip
    assert tuple(kept) == (STRANGER, "L*7*", "booked")


def test_what_is_ignored_is_gone_and_the_history_knows(station, session):
    app = scan(station(), STRANGER)
    press(app, "Ignore")
    assert desk(app)["waiting"] == []
    assert outcomes(session) == ["ignored"]


def test_a_code_scanned_twice_is_asked_about_once(station, session, lamp):
    app = scan(station(), STRANGER, STRANGER)
    assert "Scanned 2 times: your answer is for all of them." in said(app)
    assert "put aside" not in said(app)
    press(search(app, "lamp"), "Link")
    assert desk(app)["waiting"] == []
    assert outcomes(session) == ["booked", "booked"]
    assert on_hand(session, lamp) == 38


def test_a_code_scanned_twice_is_ignored_once(station, session):
    app = scan(station(), STRANGER, "96385074", STRANGER)
    assert "1 more code put aside" in said(app)
    press(app, "Ignore")
    assert [entry["code"] for entry in desk(app)["waiting"]] == ["96385074"]
    assert sorted(outcomes(session)) == ["ignored", "ignored", "unknown"]


def test_what_became_of_the_last_code_stands_above_a_code_that_was_put_aside(station):
    app = scan(station(), STRANGER, EAN)
    text = said(app)
    assert text.index("left in") < text.index("Not known")


def test_who_only_looks_is_told_who_can_link(station, session):
    app = scan(station("viewer", "look_up"), STRANGER)
    assert "Somebody who books stock can link it" in said(app)
    assert {"Link", "Create a product"} & set(labels(app)) == set()
    press(app, "Ignore")
    assert outcomes(session) == ["ignored"]


def test_in_link_mode_the_link_is_all_that_is_done(station, session, lamp):
    app = search(scan(station(mode="link"), STRANGER), "LAMP")
    press(app, "Link")
    assert not app.exception
    assert codes_of(session, lamp)[STRANGER] == 1
    assert outcomes(session) == ["linked"]
    assert on_hand(session, lamp) == 40


def test_a_linked_code_of_a_transfer_asks_how_many(station, session):
    a_warehouse(session, "WH-9")
    app = search(scan(station(mode="transfer", warehouse=the_warehouse(session).code), STRANGER), "lamp")
    press(app, "Link")
    assert "**Move Desk *lamp***" in said(app)


# -- It may mean several -------------------------------------------------------------------------------------


def test_a_code_that_is_two_products_is_chosen(station, session, lamp):
    twin = a_product(session, 7, sku=EAN, name="Named like a code")
    app = scan(station(), EAN)
    assert f"**Which one is {EAN}?**" in said(app)
    assert f":gray[{EAN} · 7 on hand]" in said(app)
    by_key(app, f"candidate_take_{twin.id}")
    assert not app.exception
    assert (on_hand(session, twin), on_hand(session, lamp)) == (6, 40)
    assert outcomes(session) == ["booked"]


def test_none_of_several_books_nothing(station, session, lamp):
    a_product(session, 7, sku=EAN)
    app = scan(station(), EAN)
    press(app, "None of them")
    assert desk(app)["waiting"] == []
    assert on_hand(session, lamp) == 40


def test_what_is_not_sold_any_more_is_not_booked_but_can_be_looked_at(station, session, lamp):
    a_product(session)
    lamp.is_active = False
    session.flush()
    app = scan(station(), EAN)
    assert "not sold any more" in said(app)
    assert "Take this one" not in labels(app)
    assert on_hand(session, lamp) == 40


# -- Transfers -----------------------------------------------------------------------------------------------


def test_a_transfer_shows_both_sides_before_and_after_and_books_what_is_typed(station, session, lamp):
    here, there = the_warehouse(session), a_warehouse(session, "WH-9")
    app = scan(station(mode="transfer", warehouse=here.code), CARTON)
    assert field(app, "How much goes", "number_input").value == 12
    assert f"{here.code} **40 → 28** &nbsp; WH-9 **0 → 12**" in said(app)
    fill(app, "How much goes", 41.0)
    assert "41 asked for, 40 on hand" in said(app)
    assert "**0 → 41**" not in said(app)
    assert next(one for one in app.button if one.label.startswith("Move ")).disabled
    fill(app, "How much goes", 1.5)
    assert "counted in whole numbers" in said(app)
    fill(app, "How much goes", 5.0)
    press(app, "Move 5 to WH-9")
    assert not app.exception
    assert (on_hand(session, lamp, here), on_hand(session, lamp, there)) == (35, 5)
    assert desk(app)["to_warehouse_id"] == there.id


def test_of_several_warehouses_the_other_side_is_chosen(station, session, lamp):
    here, other = the_warehouse(session), a_warehouse(session, "WH-9")
    a_warehouse(session, "WH-8")
    app = scan(station(mode="transfer", warehouse=here.code), EAN)
    next(group for group in app.button_group if group.label == "To").set_value(other.id).run()
    press(app, "Move 1 to WH-9")
    assert on_hand(session, lamp, other) == 1


def test_a_transfer_can_be_left(station, session, lamp):
    a_warehouse(session, "WH-9")
    app = scan(station(mode="transfer", warehouse=the_warehouse(session).code), EAN)
    press(app, "Cancel")
    assert desk(app)["waiting"] == []
    assert on_hand(session, lamp) == 40


# -- Deliveries ----------------------------------------------------------------------------------------------


@pytest.fixture
def orders(session, lamp):
    """Two orders for the lamp: 14 that are overdue, and 20 of somebody else."""
    near = a_vendor(session, name="Near *& Co*")
    late = an_order(session, vendor=near, product=lamp, quantity=14, sent_days_ago=9, due_in=-2)
    return late, an_order(session, product=lamp, quantity=20, sent_days_ago=1)


def received(session, order):
    question = sa.select(PurchaseOrderLine.received).where(PurchaseOrderLine.order_id == order.id)
    return session.scalars(question.execution_options(populate_existing=True)).one()


def test_a_receipt_goes_against_the_oldest_order_and_then_without_a_question(station, session, lamp, orders):
    late, other = orders
    app = scan(station(mode="in"), CARTON)
    assert f"**{late.number} from Near *& Co*** expects 14 Desk *lamp* in" in said(app)
    assert f"On {other.number} (expects 20)" in labels(app)
    press(app, f"Receive 12 on {late.number}")
    assert not app.exception
    assert received(session, late) == 12
    scan(app, EAN)
    assert (received(session, late), received(session, other), on_hand(session, lamp)) == (13, 0, 53)
    assert scan_delivery.deliveries(desk(app)) == {str(late.uid): late.number}


def test_more_than_ordered_is_said_before_it_is_booked(station, session, lamp):
    order = an_order(session, product=lamp, quantity=10, sent_days_ago=1)
    app = scan(station(mode="in"), CARTON)
    assert "2 more than ordered" in said(app)
    press(app, f"Receive 12 on {order.number}")
    assert received(session, order) == 12
    scan(app, EAN)
    assert f"All **10** Desk *lamp* of **{order.number}** are here already. Book **1** more" in said(app)
    press(app, "Book it as loose stock")
    assert on_hand(session, lamp) == 53
    scan(app, EAN)
    assert on_hand(session, lamp) == 54


def test_loose_stock_stays_loose_until_the_delivery_is_over(station, session, lamp, orders):
    app = scan(station(mode="in"), EAN)
    press(app, "No, book it as loose stock")
    scan(app, EAN)
    assert on_hand(session, lamp) == 42
    assert [received(session, order) for order in orders] == [0, 0]
    scan_delivery.forget(desk(app))
    scan(app, EAN)
    assert "receive **1** against it?" in said(app)
    press(app, "Cancel")
    assert on_hand(session, lamp) == 42


def test_another_product_of_the_same_order_is_received_without_a_question(session, lamp, orders):
    late, _ = orders
    bolt = a_product(session, sku="BOLT")
    about = {"warehouse_id": the_warehouse(session).id, "unit_price": 1, "expected_on": TODAY}
    session.add(PurchaseOrderLine(order_id=late.id, product_id=bolt.id, quantity=3, **about))
    session.flush()
    place, kept = the_warehouse(session).id, {}
    assert scan_delivery.question(kept, session, bolt.id, place) == scan_delivery.ASK
    scan_delivery.receive(kept, lamp.id, order_looks.open_lines(session, lamp.id, place)[0])
    line = order_looks.open_lines(session, bolt.id, place)[0]
    assert scan_delivery.question(kept, session, bolt.id, place) == str(line.line_uid)


def test_why_the_code_before_was_refused_is_gone_when_the_next_one_asks(station, session):
    a_warehouse(session, "WH-9")
    app = scan(station(mode="transfer", warehouse=the_warehouse(session).code), "loc:NOPE")
    assert "There is no warehouse 'NOPE'" in said(app)
    scan(app, EAN)
    assert "**Move Desk" in said(app)
    assert "NOPE" not in "".join(one.value for one in app.markdown if "**There is no" in one.value)


# -- Nobody is there any more --------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["Cancel", "Move 1 to WH-9"])
def test_who_signed_out_elsewhere_gets_the_sign_in_form_and_nothing_is_booked(station, session, lamp, label):
    there = a_warehouse(session, "WH-9")
    app = scan(station(mode="transfer", warehouse=the_warehouse(session).code), EAN)
    auth.sign_out(session, app.session_state["sign_in"]["token"], datetime.now(UTC))
    press(app, label)
    assert not app.exception
    assert "Sign in" in labels(app)
    assert on_hand(session, lamp, there) == 0


# -- Several cards -------------------------------------------------------------------------------------------


def test_what_holds_up_the_others_is_asked_first_and_unknown_codes_are_put_aside(station, session, lamp):
    a_warehouse(session, "WH-9")
    app = station(mode="transfer", warehouse=the_warehouse(session).code)
    scan(app, STRANGER, "96385074", EAN)
    assert "**Move Desk *lamp***" in said(app)
    assert "2 more codes put aside" in said(app)
    press(app, "Cancel")
    assert f"**Not known: {STRANGER}**" in said(app)
    press(app, "Ignore")
    press(app, "Ignore")
    assert desk(app)["waiting"] == []
    assert on_hand(session, lamp) == 40
