"""What to order today: lines by vendor, edited in place, not now, and made into drafts once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import advice_choices, advice_lines, buying_settings
from dashboard import reorder_drafts, reorder_plan, reorder_words, ui
from db.models import Advice, RunOut
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import press
from tests.makers import a_warehouse, an_actor

TODAY = datetime.now(UTC).date()


def order_of(app, product):
    """The field with a line's quantity."""
    return next(field for field in app.number_input if field.label.startswith(f"Order of {product.name}"))


def tick_of(app, product):
    return next(box for box in app.checkbox if box.label == f"Order {product.name}")


def menu_of(app, product):
    return next(menu for menu in app.menu_button if menu.key == f"snooze-{_key(product)}")


def _key(product):
    (line,) = {line for line in lines() if line.product_id == product.id}
    return f"{line.product_id}-{line.warehouse_id}"


def lines():
    from db.session import reading

    with reading() as session:
        return advice_lines.lines(session, TODAY, horizon_days=30, include_snoozed=True, limit=100).rows


def line_of(product):
    return next(line for line in lines() if line.product_id == product.id)


def labels(app):
    return [button.label for button in app.button]


# -- What is shown -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_lines_are_there_by_vendor_with_what_they_come_to(browser):
    app = browser("manager", "reorder")
    assert not app.exception
    assert not app.error
    told = plain(words(app))
    for name in ("Desk lamp", "Rope *12 mm*", "Wood glue", "Nobody sells this"):
        assert f"**{name}**" in told
    cards = plain("\n".join(labels(app)))
    assert "Near & Co" in cards
    assert "Far *Trade*" in cards
    assert "No vendor yet" in cards
    assert "Create 2 draft orders" in cards
    assert "Ticked: **3 lines** of 2 vendors" in told
    assert "to its minimum of" in plain(app.get("progress")[0].proto.text)


def test_a_vendor_is_chosen_by_its_card_and_the_address_says_so(browser, shop):
    app = browser("manager", "reorder")
    card = next(button for button in app.button if button.label.startswith("Near"))
    card.click().run()
    assert app.query_params["vendor"] == str(shop["near"].uid)
    told = plain(words(app))
    assert "Desk lamp" in told
    assert "Wood glue" not in told
    assert "Create 1 draft order" in labels(app)
    next(button for button in app.button if button.label.startswith("All lines")).click().run()
    assert "vendor" not in app.query_params
    assert "Wood glue" in words(app)


@pytest.mark.usefixtures("shop")
def test_a_search_narrows_what_is_shown_and_what_is_ordered(browser):
    app = browser("manager", "reorder", q="lamp")
    assert "Create 1 draft order" in labels(app)
    assert "Wood glue" not in words(app)
    app = browser("manager", "reorder", q="there is no such thing")
    assert "No line fits these filters" in words(app)
    press(app, "Clear the filters")
    assert "Wood glue" in words(app)


@pytest.mark.parametrize(
    "address",
    [
        {"days": "999"}, {"days": "-1"}, {"status": "' OR 1=1"}, {"lines": "no"}, {"vendor": "nobody"},
        {"vendor": "0" * 400}, {"line": "x.y"}, {"page": "0"}, {"page": "99"}, {"goal": "<b>"},
        {"q": "\x00%_'\\"},
    ],
    ids=lambda address: next(iter(address)),
)  # fmt: skip
@pytest.mark.usefixtures("shop")
def test_an_address_with_nonsense_shows_the_page(browser, address):
    app = browser("manager", "reorder", **address)
    assert not app.exception
    assert app.title[0].value == "What to order today"
    assert not any("went wrong" in error.value for error in app.error)


def test_an_address_opens_the_line_of_a_product(browser, shop):
    app = browser("viewer", "reorder", line=str(shop["rope"].uid))
    told = plain(words(app))
    assert "**To order**" in told
    assert "Near & Co" in told


def test_a_product_with_an_order_and_transfers_opens_its_order_alone(browser, shop, session):
    line = line_of(shop["rope"])
    other = a_warehouse(session, "WH-Z", supplied_by_id=line.warehouse_id)
    run = session.scalar(sa.select(Advice.run_id).where(Advice.uid == line.uid))
    about = {"due": 0, "level": 5, "on_hand": 0, "next_quantity": 0, "reason": "Empty there.", "terms": []}
    session.add(
        Advice(run_id=run, product_id=line.product_id, warehouse_id=other.id, action="transfer", quantity=5,
               from_warehouse_id=line.warehouse_id, needed_on=TODAY - timedelta(days=9), **about)
    )  # fmt: skip
    app = browser("manager", "reorder", line=str(shop["rope"].uid))
    assert not app.exception
    assert not app.error
    told = plain(words(app))
    assert "WH-Z" in told
    assert "**To order**" in told
    assert "**To move**" not in told
    moved = next(one for one in lines() if one.warehouse_id == other.id)
    assert moved.status == "out", "an empty shelf is out, whatever a vendor's lead time makes of it"
    app = browser("user", "reorder", vendor="transfers")
    assert "Book 1 transfer" in labels(app)
    assert tick_of(app, shop["rope"]).value


@pytest.mark.usefixtures("shop")
def test_the_worst_lines_come_first(session):
    found = {line.product_id: line for line in lines()}
    worst = ("out", "late", "order_now")
    places = [worst.index(line.status) if line.status in worst else len(worst) for line in lines()]
    assert places == sorted(places)
    last = list(found)[-1]
    session.execute(sa.update(RunOut).where(RunOut.product_id == last).values(status="out"))
    assert lines()[0].product_id == last or lines()[0].status == "out"


def test_what_is_to_be_ordered_now_says_the_day_on_which_the_vendor_takes_it(shop):
    line = replace(line_of(shop["glue"]), order_by_on=TODAY, arrives_on=None)
    assert reorder_words.when(line, TODAY) == "now"
    assert reorder_words.when(line, TODAY, TODAY) == "now"
    monday = TODAY + timedelta(days=2)
    assert reorder_words.when(line, TODAY, monday) == ui.formats().weekday(monday)
    later = replace(line, order_by_on=TODAY + timedelta(days=9))
    assert reorder_words.when(later, TODAY, monday) == ui.formats().weekday(later.order_by_on)


def test_a_line_that_is_not_among_those_shown_is_found_with_one_press(browser, shop, session):
    now = datetime.now(UTC)
    until = TODAY + timedelta(days=3)
    advice_choices.snooze(session, an_actor(session), line_of(shop["rope"]).uid, now, until=until)
    app = browser("manager", "reorder", line=str(shop["rope"].uid))
    assert "is not among these" in words(app)
    assert "**To order**" not in plain(words(app))
    press(app, "Show everything")
    assert "**To order**" in plain(words(app))
    assert app.query_params["lines"] == "all"


# -- The quantity --------------------------------------------------------------------------------------------


def test_an_edited_quantity_is_stored_and_shown_with_what_was_computed(browser, shop):
    app = browser("manager", "reorder")
    computed = line_of(shop["rope"]).quantity
    order_of(app, shop["rope"]).set_value(77.0).run()
    assert not app.exception
    line = line_of(shop["rope"])
    assert (line.quantity, line.is_edited) == (77, True)
    told = plain(words(app))
    assert "Edited" in told
    assert f"computed {computed:,.0f}" in told
    # Another tab shows the same.
    assert order_of(browser("manager", "reorder"), shop["rope"]).value == 77
    press(app, "Undo")
    assert line_of(shop["rope"]).quantity == computed
    assert order_of(app, shop["rope"]).value == float(computed)


def test_a_line_is_reset_to_what_is_computed(browser, shop):
    app = browser("manager", "reorder")
    computed = line_of(shop["rope"]).quantity
    order_of(app, shop["rope"]).set_value(77.0).run()
    press(app, "Reset")
    assert line_of(shop["rope"]).quantity == computed
    assert not line_of(shop["rope"]).is_edited
    order_of(app, shop["rope"]).set_value(5.0).run()
    order_of(app, shop["rope"]).set_value(None).run()
    assert line_of(shop["rope"]).quantity == computed


def test_a_quantity_the_vendor_does_not_sell_is_refused_and_stays_as_it_was_typed(browser, shop):
    app = browser("manager", "reorder")
    before = line_of(shop["lamp"]).quantity
    order_of(app, shop["lamp"]).set_value(20.0).run()
    assert "24" in plain(app.error[0].value)
    assert order_of(app, shop["lamp"]).value == 20
    assert line_of(shop["lamp"]).quantity == before
    order_of(app, shop["lamp"]).set_value(24.0).run()
    assert not app.error
    assert line_of(shop["lamp"]).quantity == 24


@pytest.mark.parametrize("typed", [-1.0, 0.00001, 1e30], ids=["below zero", "too fine", "too much"])
def test_a_quantity_that_is_none_is_refused_with_a_sentence(browser, shop, typed):
    app = browser("manager", "reorder")
    before = line_of(shop["rope"]).quantity
    order_of(app, shop["rope"]).set_value(typed).run()
    assert not app.exception
    assert len(app.error) == 1
    assert line_of(shop["rope"]).quantity == before


def test_the_vendor_is_changed_in_the_open_line(browser, shop):
    app = browser("manager", "reorder", line=str(shop["rope"].uid))
    assert line_of(shop["rope"]).vendor == "Near & Co"
    press(app, "Take")
    assert not app.exception
    assert line_of(shop["rope"]).vendor == "Far *Trade*"
    assert "**Near & Co → Far *Trade***" in plain(words(app))
    press(app, "Undo")
    assert line_of(shop["rope"]).vendor == "Near & Co"


def test_the_receipt_of_an_open_line_adds_up_to_what_is_ordered(browser, shop):
    app = browser("manager", "reorder", line=str(shop["rope"].uid))
    table = next(mark.value for mark in app.markdown if "To order" in mark.value)
    amounts = [plain(row.split("|")[1]) for row in table.splitlines()[2:]]
    *terms, total = [Decimal(amount.replace("−", "-").replace(",", "").strip(" *=+")) for amount in amounts]
    assert sum(terms) == total == line_of(shop["rope"]).quantity


def test_an_open_line_says_what_changed_since_the_last_run(browser, shop, session, advised):
    before = line_of(shop["rope"]).quantity
    buying_settings.change(session, an_actor(session), datetime.now(UTC), review_days=21)
    advised()
    after = line_of(shop["rope"]).quantity
    assert after > before
    told = plain(words(browser("viewer", "reorder", line=str(shop["rope"].uid))))
    assert f"**{before:,.0f} → {after:,.0f}**" in told
    assert "cover period" in told.split("Since", 1)[1]


# -- The plan ------------------------------------------------------------------------------------------------


def test_the_file_holds_plain_numbers_of_all_lines(shop):
    frame = reorder_drafts.for_download(lines())
    assert len(frame) == 4
    row = frame.set_index("Product").loc["Rope *12 mm*"]
    assert row.Quantity == line_of(shop["rope"]).quantity
    assert row.Vendor == "Near & Co"


def test_a_line_keeps_its_name_when_the_advice_is_made_anew(shop, advised):
    before = reorder_plan.place_of(line_of(shop["rope"]))
    uid = line_of(shop["rope"]).uid
    advised()
    assert line_of(shop["rope"]).uid != uid
    assert reorder_plan.place_of(line_of(shop["rope"])) == before


def test_a_choice_of_somebody_else_is_seen_at_the_next_look(browser, shop, session):
    app = browser("manager", "reorder")
    advice_choices.edit(session, an_actor(session), line_of(shop["rope"]).uid, datetime.now(UTC), quantity=33)
    session.commit()
    app.run()
    assert order_of(app, shop["rope"]).value == 33


def test_today_says_what_to_order_beside_what_needs_somebody(browser, shop):
    app = browser("viewer", "today")
    wide = app.dataframe[0].value.set_index("Product")
    quantity = line_of(shop["rope"]).quantity
    assert wide.loc["Rope *12 mm*", "Order"] == f"Order {quantity:,.0f}"
    assert wide.loc["Nobody sells this", "Order"]
