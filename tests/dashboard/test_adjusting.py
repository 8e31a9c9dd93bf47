"""The form on a product's page: preview, one booking, Undo."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import auth
from db.models import Movement, RunOut
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, a_warehouse, on_hand, the_warehouse


def widget(elements, start):
    return next(e for e in elements if e.key and e.key.startswith(start))


def enter(app, quantity):
    return widget(app.number_input, "quantity").set_value(quantity).run()


def book(app):
    return widget(app.button, "book").click().run()


def movements(session, product):
    return session.scalars(
        sa.select(Movement).where(Movement.product_id == product.id).order_by(Movement.id.desc())
    ).all()


@pytest.fixture
def page(browser, session):
    """`page(stock=41)`: a user on the page of a new product."""

    def open_page(stock=41, role="user", **about):
        product = a_product(session, stock, **about)
        return product, browser(role, "product", id=str(product.uid))

    return open_page


def test_shows_before_and_after_first_and_books_on_the_click(page, session):
    product, app = page(41)
    enter(app, -3)
    assert "41 → 38" in plain(words(app))
    assert on_hand(session, product) == 41
    book(app)
    assert not app.exception
    assert on_hand(session, product) == 38
    assert "41 → 38" in plain(words(app))
    assert widget(app.number_input, "quantity").value is None
    assert movements(session, product)[0].reason_code == "issue"


def test_the_same_form_books_once_however_often_it_is_sent(page, session):
    product, app = page(41)
    enter(app, -3)
    form = dict(app.session_state["desk"]["forms"])
    book(app)
    # The second click of a double click still carries the first form.
    app.session_state["desk"] = {"forms": form}
    app.run()
    enter(app, -3)
    book(app)
    assert on_hand(session, product) == 38
    assert len(movements(session, product)) == 2
    # A new form books again.
    enter(app, -3)
    book(app)
    assert on_hand(session, product) == 35


def test_undo_books_the_opposite_once(page, session):
    product, app = page(41)
    enter(app, 9)
    book(app)
    assert on_hand(session, product) == 50
    widget(app.button, "undo_booked").click().run()
    assert on_hand(session, product) == 41
    assert "Undone: 50 → 41" in plain(words(app))
    assert movements(session, product)[0].reverses_id == movements(session, product)[1].id
    assert "Receipt (reversed)" in app.dataframe[0].value["Reason"].tolist()


def test_a_count_books_the_difference(page, session):
    product, app = page(41)
    widget(app.button_group, "mode").set_value("count").run()
    enter(app, 40)
    assert "41 → 40" in plain(words(app))
    book(app)
    assert on_hand(session, product) == 40
    assert movements(session, product)[0].reason_code == "count"


def test_more_than_is_there_cannot_be_booked(page):
    product, app = page(5)
    enter(app, -9)
    assert f"{product.sku}: 9 asked for, 5 on hand in" in plain(app.error[0].value)
    assert widget(app.button, "book").disabled


def test_a_refusal_at_the_last_moment_is_shown_where_it_happened(page, session):
    from core import stock
    from tests.makers import an_actor

    product, app = page(5)
    enter(app, -4)
    stock.remove(session, an_actor(session), product.id, the_warehouse(session).id, 3)
    book(app)
    assert not app.exception
    assert "4 asked for, 2 on hand" in plain(words(app))
    assert on_hand(session, product) == 2


def test_somebody_demoted_meanwhile_is_refused(page, session, monkeypatch):
    product, app = page(41)
    enter(app, -3)
    monkeypatch.setitem(auth.RIGHTS, "move stock", "admin")
    book(app)
    assert on_hand(session, product) == 41
    assert "may not move stock" in plain(words(app)) or not app.number_input


def test_the_list_knows_the_new_run_out_at_once(browser, session, sold_daily, train):
    product = sold_daily(left=20)
    train()
    app = browser("user", "product", id=str(product.uid))
    enter(app, -20)
    book(app)
    kept = session.scalars(
        sa.select(RunOut).where(RunOut.product_id == product.id, RunOut.warehouse_id.is_(None))
    )
    assert kept.one().status == "out"


def test_a_quantity_goes_to_the_warehouse_that_was_chosen(page, session):
    the_warehouse(session)
    second = a_warehouse(session, "WH-B")
    product, app = page(10)
    widget(app.selectbox, "place").set_value(second.id).run()
    enter(app, 4)
    book(app)
    assert on_hand(session, product, second) == 4


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (2.5, "is counted in whole numbers: 2.5 is not one"),
        (1e20, "is not a quantity Runout can keep"),
    ],
)
def test_what_cannot_be_booked_says_so_instead_of_booking_something_else(page, typed, sentence):
    _, app = page(5)
    enter(app, typed)
    assert sentence in plain(app.error[0].value)
    assert widget(app.button, "book").disabled


def test_kilograms_have_decimals(page, session):
    product, app = page(5, unit_of_measure="kg")
    enter(app, 0.25)
    assert "5 → 5.25 kg" in plain(words(app)).replace("**", "")
    book(app)
    assert on_hand(session, product) == Decimal("5.25")


def test_nobody_counts_less_than_nothing(page):
    _, app = page(5)
    widget(app.button_group, "mode").set_value("count").run()
    enter(app, -1)
    assert "nobody can count -1" in plain(app.error[0].value)


def test_a_note_that_is_too_long_is_refused_and_not_cut(page, session):
    product, app = page(5)
    enter(app, 1)
    widget(app.text_input, "note").set_value("z" * 250).run()
    book(app)
    assert "Note: 250 characters, and at most 200 fit" in plain(words(app))
    assert on_hand(session, product) == 5


def test_an_undo_that_comes_too_late_says_why_beside_the_button(page, session):
    from core import stock
    from tests.makers import an_actor

    product, app = page(5)
    enter(app, 3)
    book(app)
    stock.remove(session, an_actor(session), product.id, the_warehouse(session).id, 8)
    widget(app.button, "undo_booked").click().run()
    assert "3 asked for, 0 on hand" in plain(words(app))
    assert widget(app.button, "undo_booked")
    assert on_hand(session, product) == 0
