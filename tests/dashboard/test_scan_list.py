"""A pasted list of codes: taken apart, shown before anything is booked, booked once, taken back."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
import streamlit
from hypothesis import given
from hypothesis import strategies as st

from core import catalogue, stock
from core.errors import BadInput
from dashboard import camera, scan_lines, scan_list_rows
from db.models import PurchaseOrderLine, Scan
from tests.dashboard.test_edit_product import press
from tests.dashboard.test_orders import an_order
from tests.dashboard.test_scan import by_key, desk, said
from tests.dashboard.test_scan_cards import labels
from tests.dashboard.test_scan_desk import CARTON, EAN
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse

UNKNOWN = "8710398501233"


@pytest.fixture(autouse=True)
def lamp(session):
    the_warehouse(session)
    product, actor = a_product(session, 40, sku="LAMP", name="Desk *lamp*"), an_actor(session)
    catalogue.add_barcode(session, actor, product.id, EAN)
    catalogue.add_barcode(session, actor, product.id, CARTON, 12)
    return product


@pytest.fixture
def pasted(browser, monkeypatch):
    """`pasted("4006381333931", mode="in")`: the list is pasted in that mode and checked."""
    monkeypatch.setattr(camera, "draw", lambda *_, **__: None)  # it needs a browser

    def paste(*lines, role="user", mode="out", **address):
        app = browser(role, "scan", mode=mode, **address)
        next(group for group in app.button_group if group.label == "Source").set_value("list").run()
        app.text_area[0].input("\n".join(lines)).run()
        press(app, "Check the list")
        assert not app.exception
        return app

    return paste


def listed(app):
    return app.session_state["desks"]["scan list"]["list"]


def shown(app, place=0):
    return app.dataframe[place].value


def received(session, order):
    question = sa.select(PurchaseOrderLine.received).where(PurchaseOrderLine.order_id == order.id)
    return session.scalars(question.execution_options(populate_existing=True)).one()


# -- Lines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "times"),
    [
        ("4006381333931", "4006381333931", 1),
        ("  LAMP  \r", "LAMP", 1),
        ("LAMP\t3", "LAMP", 3),
        ("LAMP;3", "LAMP", 3),
        ("LAMP,3", "LAMP", 3),
        ("12 x LAMP", "LAMP", 12),
        ("12 × LAMP", "LAMP", 12),
        ("1,5 X KG-1", "KG-1", Decimal("1.5")),
        ("2x4-BOARD", "2x4-BOARD", 1),
        ("LAMP\t0", "LAMP", 0),
        ("\t5", "5", 1),
    ],
)
def test_a_line_is_a_code_with_how_often_it_counts(line, code, times):
    (found,) = scan_lines.split(f"\n{line}\n\n")
    assert (found.number, found.code, found.times, found.wrong) == (2, code, times, None)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("LAMP\t-3", "below zero"),
        ("LAMP\x00", "cannot be kept"),
        ("x" * 5000, "5,000 characters are too many"),
    ],
)
def test_a_line_that_cannot_be_read_says_why_and_the_others_stand(line, sentence):
    wrong, right = scan_lines.split(f"{line}\nLAMP")
    assert sentence in wrong.wrong
    assert right.wrong is None


@pytest.mark.parametrize("text", ["x" * 60_001, "1\n" * 501], ids=["characters", "lines"])
def test_a_list_that_is_too_long_is_refused_as_a_whole(text):
    with pytest.raises(BadInput, match="at once"):
        scan_lines.split(text)


@given(st.text(max_size=200))
def test_whatever_is_pasted_every_line_is_read_or_says_why_not(text):
    for line in scan_lines.split(text):
        assert line.wrong or (line.code.strip() == line.code != "" and line.times >= 0)


# -- Before it is booked -------------------------------------------------------------------------------------


def test_what_each_line_means_is_shown_and_nothing_is_booked(pasted, session, lamp):
    app = pasted(EAN, f"2 x {CARTON}", UNKNOWN, "LAMP\t20", "4006381333932")
    assert shown(app).Pieces.tolist() == ["−1", "−24"]
    assert shown(app).Stock.tolist() == ["40 → 39", "39 → 15"]
    for words in (
        f"Line 3] &nbsp; :gray[{UNKNOWN}] &nbsp; No product has the code",
        "LAMP: 20 asked for, 15 on hand by then.",
        "the last digit should be 1",
    ):
        assert words in said(app), words
    assert on_hand(session, lamp) == 40
    assert next(button for button in app.button if button.label.startswith("Take 2 lines out")).disabled


def test_an_error_stops_the_list_unless_it_is_said_without_those_lines(pasted, session, lamp):
    app = pasted(EAN, UNKNOWN)
    app.checkbox[0].check().run()
    by_key(app, "list_book")
    assert not app.exception
    assert "**1 line booked**, 1 line left out" in said(app)
    assert on_hand(session, lamp) == 39
    assert session.scalars(sa.select(Scan.source)).all() == ["list"]


def test_a_list_can_be_changed_and_checked_again(pasted):
    app = pasted(UNKNOWN)
    assert "list_book" not in [button.key for button in app.button]
    press(app, "Change the list")
    assert app.text_area[0].value == UNKNOWN
    app.text_area[0].input(EAN).run()
    press(app, "Check the list")
    assert shown(app).Pieces.tolist() == ["−1"]


def test_an_empty_list_and_a_mode_that_takes_none_say_so(pasted):
    assert "The list is empty" in said(pasted("", "  "))
    assert "A list links no codes" in said(pasted(EAN, mode="link"))


def test_without_a_place_the_list_waits_for_one(pasted, session):
    a_warehouse(session, "WH-9")
    assert "Choose the warehouse first" in said(pasted(EAN))


def test_looking_up_a_list_shows_what_is_on_hand_and_books_nothing(pasted, session):
    app = pasted(EAN, CARTON, role="viewer", mode="look_up")
    assert shown(app).Stock.tolist() == ["40", "40"]
    assert "list_book" not in [button.key for button in app.button]
    assert session.scalars(sa.select(Scan.id)).all() == []


def test_a_list_that_was_checked_for_another_mode_is_checked_again(pasted, session, lamp):
    app = pasted(EAN)
    desk(app)["mode"] = "in"
    app.run()
    assert "This was checked for: Take 1 line out of" in said(app)
    assert "list_book" not in [button.key for button in app.button]
    press(app, "Check it again")
    by_key(app, "list_book")
    assert on_hand(session, lamp) == 41


# -- Booked --------------------------------------------------------------------------------------------------


def test_a_list_is_booked_once_and_taken_back_as_a_whole(pasted, session, lamp):
    app = pasted(EAN, CARTON, EAN)
    kept = listed(app)["rows"][0]["key"]
    by_key(app, "list_book")
    assert on_hand(session, lamp) == 26
    assert "**3 lines booked**" in said(app)
    listed(app)["step"] = "check"  # a second press of what was drawn before
    for row in listed(app)["rows"]:
        row["state"] = "right"
    app.run()
    by_key(app, "list_book")
    assert on_hand(session, lamp) == 26
    assert str(session.scalars(sa.select(Scan.key).order_by(Scan.id)).first()) == kept
    by_key(app, "list_undo")
    assert on_hand(session, lamp) == 40
    assert "**3 lines taken back**" in said(app)
    press(app, "Another list")
    assert app.text_area[0].value == ""


def test_an_interrupted_list_is_gone_on_with(pasted, session, lamp, monkeypatch):
    app = pasted(EAN, EAN)
    work, calls = scan_list_rows.book, []

    def interrupted(*about):
        calls.append(about)
        if len(calls) == 2:
            streamlit.stop()  # as a run that is ended by the next one
        work(*about)

    monkeypatch.setattr(scan_list_rows, "book", interrupted)
    by_key(app, "list_book")
    assert on_hand(session, lamp) == 39
    app.run()
    assert on_hand(session, lamp) == 38


def test_a_list_whose_write_nobody_heard_of_goes_on_and_books_each_line_once(
    pasted, session, lamp, monkeypatch
):
    app, transact, calls = pasted(EAN, CARTON, EAN), scan_list_rows.transact, []

    def cut_off(work):
        calls.append(transact(work))
        if len(calls) == 2:
            raise ConnectionError("after the commit")
        return calls[-1]

    monkeypatch.setattr(scan_list_rows, "transact", cut_off)
    by_key(app, "list_book")
    assert "**1 line booked**, 2 lines not booked yet" in said(app)
    assert "Line 2] &nbsp; :gray[4006381333948] &nbsp; Something went wrong" in said(app)
    by_key(app, "list_go_on")
    assert "**3 lines booked**" in said(app)
    assert on_hand(session, lamp) == 40 - 1 - 12 - 1


def test_what_is_refused_meanwhile_is_said_by_line(pasted, session, lamp):
    app = pasted(EAN, f"30 x {EAN}")
    stock.remove(session, an_actor(session), lamp.id, the_warehouse(session).id, 20)
    by_key(app, "list_book")
    assert "**1 line booked**" in said(app)
    assert "Line 2] &nbsp; :gray[4006381333931] &nbsp; LAMP: 30 asked for, 19 on hand" in said(app)
    assert session.scalars(sa.select(Scan.outcome).order_by(Scan.id)).all() == ["booked", "refused"]


def test_what_is_counted_on_several_lines_lies_there_together(pasted, session, lamp):
    app = pasted(f"3 x {EAN}", CARTON, mode="count")
    assert shown(app).Pieces.tolist() == ["15", "12"]
    by_key(app, "list_book")
    assert on_hand(session, lamp) == 15


def test_a_delivery_goes_against_its_orders_unless_it_is_said_otherwise(pasted, session, lamp):
    late = an_order(session, product=lamp, quantity=10, sent_days_ago=9, due_in=-2)
    other = an_order(session, product=lamp, quantity=20, sent_days_ago=1)
    app = pasted(CARTON, EAN, mode="in")
    assert shown(app).About.tolist() == [f"of {late.number}, 2 more than ordered", f"of {other.number}"]
    assert f"Line 1] &nbsp; Desk *lamp*: of {late.number}, 2 more than ordered" in said(app)
    app.toggle[0].set_value(False).run()
    assert shown(app).About.tolist() == ["", ""]
    app.toggle[0].set_value(True).run()
    by_key(app, "list_book")
    assert (received(session, late), received(session, other)) == (12, 1)
    assert on_hand(session, lamp) == 53


def test_a_list_moves_to_the_other_warehouse(pasted, session, lamp):
    here, there = the_warehouse(session), a_warehouse(session, "WH-9")
    app = pasted(CARTON, mode="transfer", warehouse=here.code)
    assert f"Move 1 line from {here.code} to WH-9" in labels(app)
    by_key(app, "list_book")
    assert (on_hand(session, lamp, here), on_hand(session, lamp, there)) == (28, 12)
