"""Before something odd is booked it is asked about: in the form, the band, a transfer and a delivery."""

from decimal import Decimal

import pytest

from core.doctor import warning
from dashboard import anomaly_warning, camera
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_orders import an_order
from tests.dashboard.test_scan import by_key, desk, scan
from tests.dashboard.test_scan_desk import CARTON, EAN
from tests.makers import a_product, a_warehouse, on_hand, the_warehouse


@pytest.fixture
def everything_is_odd(monkeypatch):
    """Each line that is looked at is said to be meant as 12; gives the lines."""
    seen = []

    def odd(_session, _loaded, _actor, lines, _now):
        seen.extend(lines)
        return [
            warning.Warning(
                0.9, "times_pack", "quantity", f"{abs(one.change):.0f} is 10 times the usual 12.", "12", None
            )
            for one in lines
        ]

    monkeypatch.setattr(warning, "odd", odd)
    return seen


def test_the_adjust_form_asks_and_takes_the_suggestion_in_one_tap(browser, lamp, everything_is_odd):
    app = browser("user", "product", id=str(lamp.uid))
    quantity = next(field for field in app.number_input if field.label.startswith("Change"))
    quantity.set_value(-20.0).run()
    assert "20 is 10 times the usual 12: sure?" in plain(words(app))
    (line,) = everything_is_odd
    assert (line.product_id, line.change, line.reason_code) == (lamp.id, Decimal(-20), "issue")
    app.button(key="instead-adjust").click().run()
    assert next(field for field in app.number_input if field.label.startswith("Change")).value == -12.0
    next(button for button in app.button if button.label.startswith("Book")).click().run()
    assert not app.exception


@pytest.fixture
def on_fire(monkeypatch):
    """Whoever asks the model gets an error."""

    def odd(*_):
        raise RuntimeError("the model is on fire")

    monkeypatch.setattr(warning, "odd", odd)


def test_what_goes_wrong_while_asking_holds_nothing_up(browser, session, lamp, on_fire):  # noqa: ARG001
    app = browser("user", "product", id=str(lamp.uid))
    next(field for field in app.number_input if field.label.startswith("Change")).set_value(-20.0).run()
    assert not app.exception
    assert "sure?" not in words(app)
    next(button for button in app.button if button.label.startswith("Book")).click().run()
    assert on_hand(session, lamp) == 21


@pytest.fixture
def station(browser, lamp, monkeypatch):  # noqa: ARG001  (what is scanned)
    monkeypatch.setattr(camera, "draw", lambda *_, **__: None)  # it needs a browser
    return lambda mode, **address: browser("user", "scan", mode=mode, **address)


def test_a_scan_is_booked_at_once_and_the_band_asks_with_the_suggestion_as_one_tap(
    station, session, lamp, everything_is_odd
):
    app = scan(station("out"), EAN)
    assert on_hand(session, lamp) == 40
    assert "1 is 10 times the usual 12: sure?" in plain(words(app))
    (line,) = everything_is_odd
    assert (line.change, line.reason_code) == (Decimal(-1), "issue")
    by_key(app, "instead-scan")
    assert not app.exception
    assert on_hand(session, lamp) == 29
    assert "sure?" not in words(app)


def test_what_goes_wrong_while_asking_books_the_scan_all_the_same(station, session, lamp, on_fire):  # noqa: ARG001
    app = scan(station("in"), CARTON)
    assert not app.exception
    assert on_hand(session, lamp) == 53
    assert "sure?" not in words(app)


def test_a_transfer_asks_before_it_moves(station, session, lamp, everything_is_odd):
    a_warehouse(session, "WH-9")
    app = scan(station("transfer", warehouse=the_warehouse(session).code), EAN)
    assert "1 is 10 times the usual 12: sure?" in plain(words(app))
    assert everything_is_odd[-1].reason_code == "transfer"
    by_key(app, "instead-transfer")
    assert next(field for field in app.number_input if "How much" in field.label).value == 12.0
    assert desk(app)["waiting"]
    assert on_hand(session, lamp) == 41


def test_what_was_counted_of_a_delivery_is_asked_about_before_it_is_booked(
    browser, session, lamp, everything_is_odd
):
    order = an_order(session, product=lamp, quantity=200, sent_days_ago=3)
    app = browser("user", "order", id=str(order.uid), by="list")
    assert not everything_is_odd
    next(field for field in app.number_input if "Arrived of" in field.label).set_value(120.0).run()
    assert "Desk *lamp*: 120 is 10 times the usual 12: sure?" in plain(words(app))
    assert everything_is_odd[-1].reference_id == order.number
    next(b for b in app.button if b.key and b.key.startswith("instead-receive")).click().run()
    assert next(field for field in app.number_input if "Arrived of" in field.label).value == 12.0


def test_more_lines_than_people_look_at_are_left_to_the_hourly_job(session):
    product = a_product(session)
    line = anomaly_warning.Typed(product.id, the_warehouse(session).id, Decimal(1), "receipt")
    assert anomaly_warning.of([line] * (anomaly_warning.MOST_LINES + 1)) == [None] * 26
