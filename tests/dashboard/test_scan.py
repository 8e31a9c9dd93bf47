"""The Scan view: modes, chips and labels, the band with its way back, who may and who may not."""

import uuid

import pytest
import sqlalchemy as sa

from dashboard import camera, looks, scan_desk, scan_entries, scan_station, scanner
from db.models import Movement, Scan, Warehouse
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import press
from tests.dashboard.test_orders import an_order
from tests.dashboard.test_scan_desk import CARTON, EAN, OTHER, STRANGER
from tests.makers import a_warehouse, on_hand, the_warehouse


@pytest.fixture(autouse=True)
def _no_camera(monkeypatch):
    """The camera's panel has its own tests."""
    monkeypatch.setattr(camera, "draw", lambda *_, **__: None)


@pytest.fixture
def second(session):
    """Another warehouse, so that people have to say where they are."""
    return a_warehouse(session, "WH-9")


@pytest.fixture
def station(browser, lamp):  # noqa: ARG001  (what is scanned)
    return lambda role="user", **address: browser(role, "scan", **address)


def desk(app):
    return app.session_state["desks"]["scan"]


def sent(*codes):
    """Codes as the field sends them, each with its own number."""
    return [[str(uuid.uuid4()), code, "wedge", None] for code in codes]


def arrive(app, codes):
    app.session_state[scan_station.FIELD] = codes
    return app.run()


def scan(app, *codes):
    return arrive(app, sent(*codes))


def said(app):
    return plain(words(app))


def last_reason(session):
    return session.scalars(sa.select(Movement.reason_code).order_by(Movement.id.desc()).limit(1)).one()


def by_key(app, key):
    return app.button(key=key).click().run()


def fill(app, label, value):
    return next(one for one in app.number_input if label in one.label).set_value(value).run()


def test_who_only_looks_has_no_modes_and_books_nothing(station, session, lamp, second):  # noqa: ARG001
    app = scan(station("viewer", mode="out"), "cmd:out", EAN)
    assert not app.exception
    assert "mode" not in app.query_params
    assert "What a scan does" not in [group.label for group in app.button_group]
    assert "**Desk *lamp*** &nbsp; :gray[LAMP] &nbsp; **41** on hand" in said(app)
    assert on_hand(session, lamp) == 41
    scan(app, "cmd:in")
    assert "You may look up, not book" in said(app)


def test_each_code_books_and_says_what_is_left_and_is_taken_back(station, session, lamp):
    app = scan(station(mode="out"), EAN)
    assert not app.exception
    assert "**−1 Desk *lamp* → 40** left in WH" in said(app)
    assert "reorder at 30" in said(app)
    scan(app, CARTON)
    assert "**−12 Desk *lamp* → 28** left" in said(app)
    assert "Low: reorder at 30" in said(app)
    assert "1 pack = 12 pieces" in said(app)
    by_key(app, "band_undo")
    assert "Taken back: **+12 Desk *lamp* → 40**" in said(app)
    press(app, "Undo")  # of the one before, in the list
    assert on_hand(session, lamp) == 41
    assert "taken back" in said(app)


def test_the_same_message_of_the_field_books_once(station, session, lamp):
    app, codes = station(mode="out"), sent(EAN, EAN)
    arrive(app, codes)
    arrive(app, codes)
    assert on_hand(session, lamp) == 39


def test_the_keys_of_the_band_book_more_less_and_another_number(station, session, lamp):
    app = scan(station(mode="out"), CARTON)
    press(app, "+1")
    assert on_hand(session, lamp) == 28
    press(app, "−1")
    assert "Taken back: **+1" in said(app)
    scan(app, CARTON)
    press(app, "−1")
    assert on_hand(session, lamp) == 18
    fill(app, "It was so many", 5.0)
    press(app, "Book 5 instead")
    assert on_hand(session, lamp) == 24
    fill(app, "It was so many", 500.0)
    press(app, "Book 500 instead")
    assert "500 asked for" in plain(app.error[0].value)
    assert on_hand(session, lamp) == 24


def test_a_place_that_is_missing_is_asked_for_and_becomes_a_chip(station, session, lamp, second):  # noqa: ARG001
    app = scan(station(mode="out"), EAN, CARTON)
    assert "Where are you?" in said(app)
    assert "1 more code waits behind this one" in said(app)
    by_key(app, f"here_{the_warehouse(session).id}")
    assert not app.exception
    assert on_hand(session, lamp) == 28
    assert app.query_params["warehouse"] == the_warehouse(session).code
    by_key(app, "chip_warehouse_id")
    assert "warehouse" not in app.query_params


def test_a_mode_is_pressed_or_scanned_and_stands_in_the_address(station, session, lamp):
    app = station()
    app.button_group(key="scan_mode_0").set_value("in").run()
    assert app.query_params["mode"] == "in"
    assert app.session_state["scan_mode_0"] == "in"  # whoever presses keeps the control under the finger
    scan(app, CARTON, "cmd:count")
    assert on_hand(session, lamp) == 53
    assert app.query_params["mode"] == "count"
    assert app.session_state["scan_mode_1"] == "count"


def test_what_the_browser_still_says_of_the_modes_after_a_label_switched_them_is_no_press(station, lamp):  # noqa: ARG001
    app = station(mode="in")
    late = app._tree.get_widget_states()
    scan(app, "cmd:out")
    app._run(late)
    assert not app.exception
    assert (desk(app)["mode"], app.query_params["mode"]) == ("out", "out")
    assert "**Out** from here on" in said(app)


def test_a_run_that_was_asked_for_before_a_label_switched_the_mode_does_not_switch_it_back(station, lamp):  # noqa: ARG001
    app = station(mode="in")
    scan(app, "cmd:out")
    app.query_params["mode"] = "in"  # as the browser knew it when it asked
    app.run()
    assert (desk(app)["mode"], app.query_params["mode"]) == ("out", "out")
    assert "**Out** from here on" in said(app)
    app.query_params["mode"] = "count"
    app.run()
    assert desk(app)["mode"] == "count"
    assert "from here on" not in said(app)


def test_another_reason_and_another_count_are_chips(station, session, lamp):
    app = scan(station(mode="out", reason="damage", each="piece"), CARTON)
    assert (last_reason(session), on_hand(session, lamp)) == ("damage", 40)
    by_key(app, "chip_reason")
    by_key(app, "chip_each")
    assert not {"reason", "each"} & set(app.query_params)
    scan(app, CARTON)
    assert (last_reason(session), on_hand(session, lamp)) == ("issue", 28)


@pytest.mark.parametrize(
    ("word", "address"),
    [("mode", {"mode": "steal"}), ("warehouse", {"warehouse": "NO"}), ("each", {"each": "x"}),
     ("reason", {"mode": "out", "reason": "receipt"})],
    ids=["mode", "warehouse", "each", "reason"],
)  # fmt: skip
def test_a_wrong_word_in_the_address_is_said_and_chooses_nothing(station, word, address):
    app = station(**address)
    assert not app.exception
    assert "there is no" in plain(app.error[0].value)
    assert word not in app.query_params


def test_a_warehouse_that_was_closed_is_chosen_no_more(station, session, second):
    app = station(mode="out", warehouse="WH-9")
    assert app.query_params["warehouse"] == "WH-9"
    session.execute(sa.update(Warehouse).where(Warehouse.id == second.id).values(is_active=False))
    looks.places.clear()
    app.run()
    assert desk(app)["warehouse_id"] == the_warehouse(session).id


def test_a_quantity_is_asked_for_where_that_is_chosen(station, session, lamp):
    app = scan(station(mode="out", each="ask"), EAN, EAN)
    assert "How many Desk *lamp* go out?" in said(app)
    fill(app, "Quantity", 7.0)
    press(app, "Book 7")
    assert on_hand(session, lamp) == 34


def test_counts_are_listed_corrected_left_and_booked(station, session, lamp, bolt):
    app = scan(station(mode="count"), CARTON, OTHER, CARTON, EAN)
    assert "**25 Desk *lamp*** counted in WH" in said(app)
    assert "**41 → 25** :gray[(−16)]" in said(app)
    press(app, "+1")
    press(app, "Book the count of 26")
    assert on_hand(session, lamp) == 26
    assert "counted: **41 → 26**" in said(app)
    fill(app, "Counted", 3.0)
    press(app, "That many")
    scan(app, EAN)
    press(app, "Book all 2 counts")
    assert (on_hand(session, lamp), on_hand(session, bolt)) == (1, 3)
    scan(app, OTHER)
    press(app, "Leave it")
    assert not desk(app)["counts"]


def test_a_transfer_and_a_delivery_ask_with_their_cards(station, session, lamp, second):
    order = an_order(session, product=lamp, quantity=40, sent_days_ago=3)
    app = scan(station(mode="in", warehouse=the_warehouse(session).code), CARTON)
    press(app, f"Receive 12 on {order.number}")
    assert f"**{order.number}**: 28 still to come" in said(app)
    assert f"Receiving {order.number}" in plain("\n".join(button.label for button in app.button))
    scan(app, "cmd:transfer", "loc:WH-9", EAN)
    press(app, "Move 1 to WH-9")
    assert not app.exception
    assert (on_hand(session, lamp, the_warehouse(session)), on_hand(session, lamp, second)) == (52, 1)


def test_trouble_keeps_the_code_and_a_press_tries_again(station, session, lamp, monkeypatch):
    def away(*_, **__):
        raise ConnectionError("gone")

    app = station(mode="out")
    monkeypatch.setattr("core.scanning.scans.take", away)
    scan(app, EAN)
    assert "nothing was changed" in plain(app.error[0].value)
    monkeypatch.undo()
    monkeypatch.setattr(camera, "draw", lambda *_, **__: None)
    press(app, "Try again")
    assert on_hand(session, lamp) == 40


def test_an_interrupted_run_is_continued_by_the_next(station, session, lamp):
    app = station(mode="out")
    scan_entries.put(desk(app), scan_desk.Code(uuid.uuid4(), EAN), "wedge")
    app.run()
    assert on_hand(session, lamp) == 40


def test_the_browser_keeps_what_waits_and_forgets_what_is_done(station, monkeypatch):
    drawn = []
    monkeypatch.setattr(scanner, "draw", lambda *_, **about: drawn.append(about))
    codes = sent(EAN, STRANGER)
    app = arrive(station(), codes)
    assert drawn[-1]["done"] == [codes[0][0]]
    assert [kept.key for kept in drawn[-1]["kept"]] == [codes[1][0]]
    assert drawn[-1]["told"] == desk(app)["told"] == {"n": 2, "ok": False}


def test_codes_of_the_camera_come_the_same_way(station, session, lamp, monkeypatch):
    read = [(uuid.uuid4(), EAN, "EAN-13")]
    monkeypatch.setattr(camera, "codes", lambda _: [read.pop()] if read else [])
    station(mode="out").run()
    assert on_hand(session, lamp) == 40
    assert session.scalars(sa.select(Scan.source)).one() == "camera"


def test_a_shop_without_products_says_what_to_do_first(browser):
    app = browser("manager", "scan")
    assert not app.exception
    assert "Three steps to your first run-out dates" in said(app)
