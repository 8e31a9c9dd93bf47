"""From lines to drafts: not now, ticks, one press, who may, and what is said when there is nothing."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from db.models import AdviceChoice, Person, Product, PurchaseOrder, PurchaseOrderLine
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import press
from tests.dashboard.test_reorder import TODAY, labels, line_of, lines, menu_of, order_of, tick_of
from tests.makers import a_vendor, an_offer

# -- Not now -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("until", ["tomorrow", "week"])
def test_a_line_is_snoozed_and_woken(browser, shop, until):
    app = browser("manager", "reorder")
    menu_of(app, shop["glue"]).click(until).run()
    assert not app.exception
    assert line_of(shop["glue"]).state == "snoozed"
    assert "Ticked: **2 lines** of 1 vendor" in plain(words(app))
    assert "snoozed until" in plain(words(app))
    app = browser("manager", "reorder", lines="snoozed")
    assert "Snoozed until" in plain(words(app))
    press(app, "Wake")
    assert line_of(shop["glue"]).state == "open"


def test_a_snooze_is_undone_where_it_was_made(browser, shop):
    app = browser("manager", "reorder")
    menu_of(app, shop["glue"]).click("week").run()
    press(app, "Undo")
    assert line_of(shop["glue"]).state == "open"


def test_another_day_is_chosen_in_the_open_line(browser, shop):
    app = browser("manager", "reorder")
    menu_of(app, shop["glue"]).click("date").run()
    press(app, "Snooze")
    assert "choose a day first" in plain(app.error[0].value)
    app.date_input[0].set_value(TODAY + timedelta(days=20))
    press(app, "Snooze")
    assert line_of(shop["glue"]).snoozed_until == TODAY + timedelta(days=20)


# -- Drafts --------------------------------------------------------------------------------------------------


def drafts_of(session):
    found = session.execute(
        sa.select(PurchaseOrder.state, PurchaseOrder.vendor_id, Product.name, PurchaseOrderLine.quantity)
        .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .join(Product, Product.id == PurchaseOrderLine.product_id)
        .order_by(Product.name)
    )
    return [tuple(row) for row in found]


def test_ticks_decide_what_goes_into_the_drafts(browser, shop, session):
    app = browser("manager", "reorder")
    order_of(app, shop["rope"]).set_value(50.0).run()
    tick_of(app, shop["lamp"]).uncheck().run()
    assert "Ticked: **2 lines** of 2 vendors" in plain(words(app))
    press(app, "Create 2 draft orders")
    assert not app.exception
    rope, glue = drafts_of(session)
    assert rope == ("draft", shop["near"].id, "Rope *12 mm*", 50)
    assert glue[:3] == ("draft", shop["far"].id, "Wood glue")
    told = plain(words(app))
    assert "2 draft orders made, none sent" in told
    assert "Desk lamp" in told
    assert "**Wood glue**" not in told
    assert session.scalars(sa.select(AdviceChoice)).all() == []


def test_a_line_without_a_tick_stays_that_way_while_one_looks_around(browser, shop):
    app = browser("manager", "reorder")
    tick_of(app, shop["lamp"]).uncheck().run()
    app.query_params["vendor"] = str(shop["far"].uid)
    app.run()
    app.query_params.clear()
    app.run()
    assert not tick_of(app, shop["lamp"]).value
    tick_of(app, shop["lamp"]).check().run()
    assert "Ticked: **3 lines**" in plain(words(app))


@pytest.mark.usefixtures("shop")
def test_after_the_press_nothing_is_left_to_press(browser, session):
    app = browser("manager", "reorder")
    press(app, "Create 2 draft orders")
    button = next(one for one in app.button if one.label == "Create draft orders")
    assert button.disabled
    assert len(drafts_of(session)) == 3
    assert "2 draft orders made" in plain(words(app))


def test_after_one_vendor_is_drafted_the_button_does_not_turn_to_the_others(browser, shop, session):
    app = browser("manager", "reorder", vendor=str(shop["far"].uid))
    press(app, "Create 1 draft order")
    assert next(one for one in app.button if one.label == "Create draft orders").disabled
    assert "Nothing is left here" in words(app)
    assert len(drafts_of(session)) == 1
    press(app, "See all lines")
    assert "Desk lamp" in words(app)


def test_drafted_lines_are_shown_with_their_order(browser, shop):
    app = browser("manager", "reorder")
    press(app, "Create 2 draft orders")
    assert line_of(shop["glue"]).state == "in draft"
    app = browser("manager", "reorder", lines="drafts")
    assert "In draft PO-" in plain(words(app))
    assert "Open the order" in [link.label for link in app.get("page_link")]


def test_a_drafted_line_shows_what_the_draft_asks_for_beside_what_was_advised(browser, shop, session):
    press(browser("manager", "reorder"), "Create 2 draft orders")
    advised = line_of(shop["glue"]).computed_quantity
    session.execute(
        sa.update(PurchaseOrderLine)
        .where(PurchaseOrderLine.product_id == shop["glue"].id)
        .values(quantity=advised + 3)
    )
    assert line_of(shop["glue"]).order_quantity == advised + 3
    told = plain(words(browser("manager", "reorder", lines="drafts")))
    assert f"**{advised + 3:.0f}**" in told
    assert f"{advised:.0f} advised" in told


def test_the_basket_is_filled_with_one_press_and_emptied_again(browser, sold_daily, train, advised, session):
    vendor = a_vendor(session, name="Far", free_freight_from=150, freight_cost=50)
    glue, tape = sold_daily(left=3, name="Wood glue"), sold_daily(left=38, name="Masking tape")
    for product in (glue, tape):
        an_offer(session, product, vendor, prices={1: 4})
    train()
    advised()
    app = browser("manager", "reorder", vendor=str(vendor.uid))
    told = plain(words(app))
    assert "next-needed item: reaches the free freight of €150.00, saves €50.00" in told
    assert "Masking tape" in told
    press(app, "Add 1 line")
    assert not app.exception
    assert not app.error
    assert {line.name for line in lines() if line.is_due} == {"Wood glue", "Masking tape"}
    assert tick_of(app, tape).value
    press(app, "Undo")
    assert {line.name for line in lines() if line.is_due} == {"Wood glue"}
    viewer = browser("viewer", "reorder", vendor=str(vendor.uid))
    assert "Add 1 line" not in labels(viewer)


# -- Who may what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_buy_sees_the_advice_and_no_field(browser, shop, role):
    app = browser(role, "reorder", line=str(shop["rope"].uid), goal="1")
    assert not app.exception
    told = plain(words(app))
    assert "Rope *12 mm*" in told
    assert "**To order**" in told
    assert not [field for field in app.number_input if field.label.startswith("Order of")]
    assert not [box for box in app.checkbox if box.label == "Order Rope *12 mm*"]
    assert not app.menu_button
    assert "3 lines** of 2 vendors" in told
    refused = ("Create", "Take", "Reset", "Snooze", "Compute anew", "Save", "Add a product")
    assert not [label for label in labels(app) if label.startswith(refused)]


def test_whoever_lost_the_right_writes_nothing(browser, shop, session):
    app = browser("manager", "reorder")

    session.execute(sa.update(Person).values(role="viewer"))
    before = line_of(shop["rope"]).quantity
    order_of(app, shop["rope"]).set_value(77.0).run()
    assert line_of(shop["rope"]).quantity == before


# -- Nothing to order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_advice", [False, True], ids=["before the first advice", "after it"])
def test_an_empty_shop_says_that_there_are_no_forecasts(browser, advised, has_advice):
    if has_advice:
        advised()
    app = browser("manager", "reorder")
    assert not app.exception
    assert "Nothing can be advised yet" in words(app)
    assert not [one for one in app.button if one.label.startswith("Create") and not one.disabled]


def test_a_shop_with_forecasts_and_no_advice_can_ask_for_it(browser, sold_daily, train, session):
    sold_daily(left=5)
    train()
    session.execute(sa.text("DELETE FROM advice_run"))
    app = browser("manager", "reorder")
    assert "No advice yet" in words(app)
    press(app, "Compute anew")
    assert not app.exception
    assert (
        session.scalar(sa.text("SELECT count(*) FROM job_run WHERE job = 'advice' AND state = 'queued'")) == 1
    )


def test_without_any_offer_it_says_where_offers_come_from(browser, sold_daily, train, advised):
    sold_daily(left=3)
    train()
    advised()
    app = browser("manager", "reorder")
    assert "Nobody offers these products yet" in words(app)
    assert "Bring in a price list" in [link.label for link in app.get("page_link")]


def test_nothing_to_order_names_the_next_day(browser, sold_daily, train, advised, session):
    product = sold_daily(left=44)
    an_offer(session, product, lead_time_days=5)
    train()
    advised()
    app = browser("manager", "reorder")
    assert "Nothing to order today" in words(app)
    assert "Next expected order" in words(app)
    press(app, "Look 30 days ahead")
    assert product.name in words(app)
