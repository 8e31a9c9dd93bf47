"""Scan history: what was scanned and what became of it, filters in the address, pages, download, Undo."""

import uuid
from datetime import UTC, datetime

import pytest

from core import catalogue
from core.scanning import scan_history, scans
from core.scanning.scan_booking import Request
from dashboard import saving, scan_words
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import press
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse

EAN, UNKNOWN = "4006381333931", "96385074"


@pytest.fixture(autouse=True)
def lamp(session):
    the_warehouse(session)
    product = a_product(session, 10, sku="LAMP", name="Desk *lamp*")
    catalogue.add_barcode(session, an_actor(session), product.id, EAN)
    return product


@pytest.fixture
def scan(session):
    """`scan("out", actor)`: one code is read and taken."""

    def take(mode="look_up", actor=None, code=EAN, **about):
        request = Request(key=uuid.uuid4(), mode=mode, code=code, source="wedge", **about)
        return scans.take(session, actor or an_actor(session, "user"), request, now=datetime.now(UTC))

    return take


def rows(app):
    return app.dataframe[0].value


def told(app):
    return plain(words(app))


def opened(app, place=0):
    next(box for box in app.selectbox if box.label == "Open a row of the table").select(place).run()
    assert not app.exception
    return app


def test_it_says_what_became_of_each_scan_newest_first(browser, session, scan):
    other, user = a_warehouse(session, "WH-9"), an_actor(session, "user")
    scan("look_up", user)
    scan("in", user, quantity=3)
    scan("out", user)
    scan("count", user, quantity=20)
    scan("transfer", user, quantity=5, to_warehouse_id=other.id)
    scan("out", user, code=UNKNOWN)
    found = rows(browser("viewer", "scans"))
    assert found.Result.tolist() == ["Not known", "Moved 5", "Counted 20", "−1", "+3", "Found"]
    assert found.Product.tolist() == [UNKNOWN] + ["Desk *lamp*"] * 5
    assert found.Where.iloc[1] == f"{the_warehouse(session).code} → WH-9"
    assert set(found.By) == {user.name}


def test_filters_come_from_the_address(browser, session, scan):
    ada, bob = an_actor(session, "user"), an_actor(session, "user")
    place = a_warehouse(session, "WH-9")
    scan("out", ada)
    scan("out", bob, code=UNKNOWN)
    scan("in", bob, warehouse_id=place.id)
    app = browser("viewer", "scans")
    for address, count in (
        ({"person": str(ada.uid)}, 1),
        ({"mode": "out"}, 2),
        ({"outcome": "unknown"}, 1),
        ({"q": "lamp", "days": "7"}, 2),
        ({"q": UNKNOWN}, 1),
        ({"warehouse": "WH-9"}, 1),
    ):
        app.query_params.clear()
        app.query_params.update(address)
        assert len(rows(app.run())) == count, address
    app.query_params["mode"] = "count"
    assert "No scan fits these filters" in told(app.run())


def test_nothing_scanned_yet_says_where_to_begin(browser, session):
    the_warehouse(session)
    app = browser("viewer", "scans")
    assert not app.exception
    assert "Nothing has been scanned yet" in told(app)


def test_pages_turn_by_id(browser, session, scan):
    user = an_actor(session, "user")
    for number in range(1, 53):
        scan("look_up", user, code=f"X{number}")
    app = browser("viewer", "scans")
    assert len(rows(app)) == 50
    app.button(key="older").click().run()
    assert rows(app).Code.tolist() == ["X2", "X1"]
    app.button(key="newer").click().run()
    assert rows(app).Code.iloc[0] == "X52"


def test_wrong_words_in_the_address_are_red_sentences(browser, session):
    the_warehouse(session)
    wrong = {"mode": "<script>", "outcome": "x", "person": "x", "before": "-1", "after": "x", "days": "5"}
    app = browser("viewer", "scans", **wrong)
    assert not app.exception
    said = [plain(error.value) for error in app.error]
    assert len(said) == len(wrong)
    for sentence in ("there is no '<script>'", "'-1' in the address is not a number"):
        assert any(sentence in one for one in said), sentence


def test_a_scan_opens_in_words_and_nothing_in_them_is_markdown(browser, scan):
    scan("out", code=f"01{EAN:0>14}17270331\x1d10L*7*\x1d21S1")
    app = opened(browser("viewer", "scans"))
    for said in ("Lot: L*7*", "Serial: S1", "Expires: ", "10 → 9", "Scanner"):
        assert said in told(app), said
    assert "Undo" not in [button.label for button in app.button]


def test_a_booking_is_taken_back_from_here_by_who_may_and_once(browser, session, scan, lamp):
    scan("out", an_actor(session, "user"), quantity=4)
    app = opened(browser("user", "scans"))
    assert "Undo" not in [button.label for button in app.button]  # of somebody else
    app = opened(browser("manager", "scans"))
    press(app, "Undo")
    assert on_hand(session, lamp) == 10
    # Outside of a browser the drawer is not drawn again.
    assert "6 → 10" in plain(app.session_state["desks"]["scan history"]["answer"].words)
    app = opened(browser("manager", "scans"))
    assert "Undo" not in [button.label for button in app.button]
    assert "Taken back" in told(app)


def test_the_download_cannot_hold_a_formula(session, scan):
    scan("look_up", code="=cmd|' /C calc'!A0")
    frame = scan_words.for_download(scan_history.history(session))
    assert frame.columns.tolist() == list(scan_words.NAMES.values())
    assert b",'=cmd|" in saving.as_csv(frame)
    assert frame.Outcome.tolist() == ["Not known"]
