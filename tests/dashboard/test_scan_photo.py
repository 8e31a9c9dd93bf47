"""Codes from a photo: one is taken at once, of several one chooses, and nothing comes twice."""

import io

import numpy as np
import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image

from core import catalogue
from core.scanning import decoding
from dashboard import camera, scan_photo
from db.models import Scan
from tests.dashboard.test_edit_product import press
from tests.dashboard.test_scan import by_key, said
from tests.dashboard.test_scan_cards import labels
from tests.dashboard.test_scan_desk import CARTON, EAN
from tests.makers import a_product, an_actor, on_hand, the_warehouse

UNKNOWN = "8710398501233"


@pytest.fixture(autouse=True)
def lamp(session):
    the_warehouse(session)
    product, actor = a_product(session, 40, sku="LAMP", name="Desk *lamp*"), an_actor(session)
    catalogue.add_barcode(session, actor, product.id, EAN)
    catalogue.add_barcode(session, actor, product.id, CARTON, 12)
    return product


@pytest.fixture
def station(browser, monkeypatch):
    """The station with the way to photos open."""
    monkeypatch.setattr(camera, "draw", lambda *_, **__: None)  # it needs a browser

    def open_photo(role="user", mode="out"):
        app = browser(role, "scan", mode=mode)
        next(group for group in app.button_group if group.label == "Source").set_value("photo").run()
        return app

    return open_photo


def a_photo(*codes):
    """A PNG with these codes one under the other."""
    bars = []
    for code in codes:
        drawn = np.array(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.EAN13).to_image(scale=3))
        bars.append(np.pad(drawn, 60, constant_values=255))
    height, width = sum(len(bar) for bar in bars) or 200, max((bar.shape[1] for bar in bars), default=200)
    sheet, top = np.full((height, width), 255, np.uint8), 0
    for bar in bars:
        sheet[top : top + len(bar), : bar.shape[1]] = bar
        top += len(bar)
    kept = io.BytesIO()
    Image.fromarray(sheet).save(kept, "PNG")
    return kept.getvalue()


def shoot(app, *codes, data=None):
    app.file_uploader[0].upload("shelf.png", data if data is not None else a_photo(*codes), "image/png").run()
    assert not app.exception
    return app


def scans(session):
    return session.execute(sa.select(Scan.code, Scan.source, Scan.symbology).order_by(Scan.id)).all()


def test_one_code_is_taken_at_once_and_the_way_is_free_for_the_next(station, session, lamp):
    app = shoot(station(), EAN)
    assert "**−1 Desk *lamp* → 39** left" in said(app)
    assert scans(session) == [(EAN, "photo", "EAN-13")]
    app.run()
    assert on_hand(session, lamp) == 39
    shoot(app, EAN)  # another photo of the same is another piece
    assert on_hand(session, lamp) == 38


def test_of_several_codes_one_chooses_and_each_is_taken_once(station, session, lamp):
    app = shoot(station(), EAN, CARTON, UNKNOWN)
    assert "No product has the code" in said(app)
    assert on_hand(session, lamp) == 40
    press(app, "Take the 2 known ones")
    assert on_hand(session, lamp) == 27
    assert labels(app).count("Take") == 1
    by_key(app, next(button.key for button in app.button if button.label == "Take"))
    assert f"**Not known: {UNKNOWN}**" in said(app)
    assert labels(app).count("Take") == 0


def test_several_codes_can_be_left(station, session):
    app = shoot(station(), EAN, CARTON)
    press(app, "Leave them")
    assert "Take" not in labels(app)
    assert scans(session) == []


def test_what_holds_no_code_is_one_sentence_and_books_nothing(station, session):
    app = station()
    for data, sentence in (
        (a_photo(), "No code was found in this photo"),
        (b"%!PS-Adobe-3.0 EPSF", "EPS"),
        (a_photo(EAN)[:200], "picture"),
        (b"<svg/>", "not pixels"),
    ):
        shoot(app, data=data)
        assert [sentence in error.value.replace("\\", "") for error in app.error] == [True], sentence
    assert scans(session) == []
    shoot(app, EAN)
    assert not app.error
    assert len(scans(session)) == 1


def test_a_poster_of_codes_is_cut_off(monkeypatch, session, station):
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    many = [decoding.Seen(f"CODE-{n}", "Code 128", corners) for n in range(50)]
    monkeypatch.setattr(scan_photo.decoding, "decode", lambda *_, **__: many)
    app = shoot(station(), EAN)
    assert labels(app).count("Take") == scan_photo.MOST_CODES
    assert scans(session) == []


def test_without_a_reader_of_pictures_the_reason_is_said(station, monkeypatch):
    monkeypatch.setattr(scan_photo.decoding, "can_read", lambda: False)
    monkeypatch.setattr(scan_photo.decoding, "trouble", lambda: "Install libzbar0.")
    app = station()
    assert not app.file_uploader
    assert "Install libzbar0" in said(app)


def test_who_only_looks_may_look_up_by_photo(station, session, lamp):
    app = shoot(station("viewer", "look_up"), EAN)
    assert "**40** on hand" in said(app)
    assert on_hand(session, lamp) == 40
