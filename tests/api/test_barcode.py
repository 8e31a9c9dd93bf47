"""Barcodes over HTTP: what a code means, whose it is, and the codes in a picture."""

import io
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.scanning import linking, outside
from core.scanning.outside import Outside, Told
from db.models import Barcode, Scan
from db.session import reading, transaction
from tests import makers

SCAN, LINK, DECODE = "/api/v1/barcode/scan", "/api/v1/barcode/link", "/api/v1/barcode/decode"
EAN, CASE, FREE = "4006381333931", "14006381333938", "0036000291452"
SLIP = "4006381333932"


@pytest.fixture
def pen(client):  # noqa: ARG001
    """A product that EAN names; a case of twelve is linked, too."""
    with transaction() as session:
        product = makers.a_product(session, 41, sku="PEN-1", name="Blue pen")
        actor = makers.an_actor(session)
        linking.link(session, actor, EAN, product.id)
        linking.link(session, actor, CASE, product.id, 12)
    return product


@pytest.fixture
def ask(client, as_role):
    """The answer to a scan by somebody with a role."""

    def scan(code, role="user", **about):
        return client.post(SCAN, json={"barcode": code} | about, headers=as_role(role))

    return scan


def test_a_scan_finds_the_product_in_every_spelling(ask, pen):
    for code in (
        EAN, f" {EAN}\n", EAN.zfill(14), f"(01){EAN}", f"01{EAN.zfill(14)}17261231",
        f"https://id.gs1.org/01/{EAN}", "sku:pen-1", "PEN-1",
    ):  # fmt: skip
        answer = ask(code)
        assert answer.status_code == 200, code
        told = answer.json()
        assert (told["found"], told["product_id"], told["product_name"]) == (True, str(pen.uid), "Blue pen")
        assert (told["current_stock"], told["pieces"], told["external_info"]) == (41, 1, None)


def test_a_scan_tells_pack_lot_and_date_and_enters_the_history(ask, pen):
    told = ask(f"]C101{CASE}1726123110L7\x1d3002").json()
    assert (told["pack_factor"], told["pieces"], told["lot"]) == (12, 24, "L7")
    assert told["expires_on"] == "2026-12-31"
    with reading() as session:
        scan = session.scalars(sa.select(Scan)).one()
        assert (scan.source, scan.mode, scan.outcome) == ("http", "look_up", "found")
        assert (scan.product_id, scan.lot) == (pen.id, "L7")


def test_an_unknown_code_is_an_answer_with_its_reason(ask):
    told = ask(FREE).json()
    assert (told["found"], told["kind"], told["product_id"]) == (False, "unknown", None)
    assert told["reason"] == f"No product has the code '{FREE}'."


@pytest.mark.usefixtures("pen")
def test_the_case_of_a_known_piece_is_named(ask):
    told = ask(f"2{EAN[:-1]}5").json()
    assert told["found"] is False
    assert "looks like a case of PEN-1 Blue pen" in told["reason"]
    assert [one["sku"] for one in told["candidates"]] == ["PEN-1"]


def test_places_and_commands_are_known_and_are_no_product(ask):
    place, command = ask("loc:MAIN").json(), ask("cmd:in").json()
    assert (place["kind"], place["warehouse_code"], place["found"]) == ("place", "MAIN", False)
    assert (command["kind"], command["command"], command["found"]) == ("command", "in", False)


def test_what_cannot_be_read_is_422_and_a_hostile_code_is_one_that_nobody_knows(ask):
    for code in (SLIP, "", " ", "a\nb", "a\u202eb", "x" * 101, "x" * 5000, "]C1x", "cmd:rm"):
        answer = ask(code)
        assert answer.status_code == 422, code
        assert answer.json()["detail"]
    for code in ("javascript:alert(1)", "' OR 1=1--", "=cmd|' /C calc'!A0", "<b>x</b>", "%"):
        told = ask(code).json()
        assert (told["found"], told["barcode"]) == (False, code)


def test_the_symbology_decides_what_eight_digits_are(client, as_role, ask, pen):
    assert ask("04252614").status_code == 422
    body = {"barcode": "04252614", "symbology": "UPC-E", "product_id": str(pen.uid)}
    assert client.post(LINK, json=body, headers=as_role("user")).status_code == 200
    assert ask("042100005264").json()["product_name"] == "Blue pen"
    assert ask(EAN, symbology="ITF-14").status_code == 422


@pytest.mark.usefixtures("pen")
def test_a_look_up_leaves_no_trace(client, as_role):
    told = client.get(f"/api/v1/barcode/lookup/{EAN}", headers=as_role("viewer"))
    assert (told.status_code, told.json()["product_name"]) == (200, "Blue pen")
    assert client.get(f"/api/v1/barcode/lookup/{FREE}", headers=as_role("viewer")).json()["found"] is False
    assert client.get(f"/api/v1/barcode/lookup/{SLIP}", headers=as_role("viewer")).status_code == 422
    assert client.get("/api/v1/barcode/lookup/A/1", headers=as_role("viewer")).json()["barcode"] == "A/1"
    link = f"/api/v1/barcode/lookup/https%3A%2F%2Fid.gs1.org%2F01%2F{EAN}%3F10=L7"
    assert client.get(link, headers=as_role("viewer")).json()["lot"] == "L7"
    with reading() as session:
        assert session.scalars(sa.select(Scan)).all() == []


# -- Linking -------------------------------------------------------------------------------------------------


def test_a_link_is_kept_and_the_next_scan_knows_it(client, as_role, ask, pen):
    body = {"barcode": f"(01){FREE}(10)L7", "product_id": str(pen.uid), "pack_factor": 6}
    answer = client.post(LINK, json=body, headers=as_role("user"))
    assert answer.status_code == 200
    assert (answer.json()["found"], answer.json()["pack_factor"]) == (True, 6)
    assert ask(FREE[1:]).json()["pieces"] == 6
    with reading() as session:
        assert session.scalar(sa.select(Barcode.code).order_by(Barcode.id.desc()).limit(1)) == FREE


@pytest.mark.usefixtures("pen")
def test_a_code_of_another_product_is_400_by_its_name(client, as_role):
    with transaction() as session:
        other = str(makers.a_product(session).uid)
    headers = as_role("user")
    answer = client.post(LINK, json={"barcode": EAN, "product_id": other}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "RuleBroken")
    assert "belongs to PEN-1 Blue pen" in answer.json()["detail"]
    taken = client.post(LINK, json={"barcode": "pen-1", "product_id": other}, headers=headers)
    assert (taken.status_code, taken.json()["detail"]) == (400, "'PEN-1' is the SKU of Blue pen already.")


def test_a_link_that_cannot_be_is_refused_and_leaves_nothing(client, as_role, pen):
    nobody = "00000000-0000-4000-8000-000000000000"
    for change, status in (
        ({"barcode": SLIP}, 422), ({"barcode": "loc:MAIN"}, 422), ({"pack_factor": 0}, 422),
        ({"pack_factor": -1}, 422), ({"pack_factor": 0.00001}, 422), ({"product_id": nobody}, 404),
        ({"product_id": "x"}, 422), ({"more": 1}, 422),
    ):  # fmt: skip
        body = {"barcode": FREE, "product_id": str(pen.uid), "pack_factor": 1} | change
        assert client.post(LINK, json=body, headers=as_role("user")).status_code == status, change
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Barcode)) == 2
        assert session.scalars(sa.select(Scan)).all() == []


def test_a_viewer_looks_up_and_neither_scans_nor_links(client, as_role, ask, pen):
    headers = as_role("viewer")
    assert client.get(f"/api/v1/barcode/lookup/{EAN}", headers=headers).json()["found"]
    assert ask(EAN, "viewer").status_code == 403
    body = {"barcode": FREE, "product_id": str(pen.uid)}
    assert client.post(LINK, json=body, headers=headers).status_code == 403
    assert client.post(DECODE, files={"file": ("a.png", b"")}, headers=headers).status_code == 403


# -- Pictures ------------------------------------------------------------------------------------------------


def drawn(code, kind="EAN13", scale=4):
    """A PNG of a code, drawn by another library than the one that draws our labels."""
    import numpy as np
    import zxingcpp
    from PIL import Image

    made = zxingcpp.create_barcode(code, getattr(zxingcpp.BarcodeFormat, kind)).to_image(scale=scale)
    picture = np.pad(np.asarray(made), 60, constant_values=255)
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def send(client, as_role):
    """The answer to a picture sent as a form, or to any body of that kind."""

    def post(data=b"", name="photo.png", media="image/png", **about):
        sent = {"files": {"file": (name, data, media)}} | about
        return client.post(DECODE, headers=as_role("user"), **sent)

    return post


def test_the_codes_of_a_photo_are_read_and_told(send, pen):
    answer = send(drawn(EAN))
    assert answer.status_code == 200
    (code,) = answer.json()["codes"]
    assert (code["found"], code["product_id"], code["symbology"]) == (True, str(pen.uid), "EAN-13")
    assert len(code["corners"]) == 4
    assert answer.json()["reason"] is None
    with reading() as session:
        assert session.scalars(sa.select(Scan)).all() == []


def test_whatever_a_qr_code_holds_is_only_told(send):
    for text in ("javascript:alert(1)", "=cmd|' /C calc'!A0", "a\nb", "x" * 1500, "loc:MAIN"):
        answer = send(drawn(text, "QRCode"))
        assert answer.status_code == 200
        assert answer.json()["codes"], text
        for code in answer.json()["codes"]:
            assert code["barcode"].isprintable()
            assert code["found"] is False


def test_a_picture_without_a_code_says_so(send):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (300, 200), 255).save(stream, "PNG")
    told = send(stream.getvalue()).json()
    assert (told["codes"], told["width"], told["height"]) == ([], 300, 200)
    assert "No code was found" in told["reason"]


def test_what_is_no_picture_is_422_with_a_sentence(send):
    for data, name in (
        (b"", "empty.png"), (b"<html><script>alert(1)</script>", "page.png"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "drawing.png"), (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "broken.png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.svg"),
    ):  # fmt: skip
        answer = send(data, name)
        assert (answer.status_code, answer.json()["type"]) == (422, "BadInput"), name


def test_the_name_of_a_file_means_nothing(send):
    for name in ("../../etc/x.png", "a\\b.png", "..", "CON.png", "\u202e.png"):
        assert send(b"no picture", name).status_code == 422, name


BOUNDARY = "b0"
PART = '--b0\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
FILE = '; filename="x.png"'


STRANGE = {
    "nothing": ("", 422),
    "no file": ("--b0--\r\n", 422),
    "nonsense": ("nonsense", 400),
    "a field and no file": (PART.format("file", "", "text") + "--b0--", 400),
    "another name": (PART.format("other", FILE, "x") + "--b0--", 422),
    "two files": (PART.format("file", FILE, "x") * 2 + "--b0--", 400),
    "many files": (PART.format("file", FILE, "x") * 10_000 + "--b0--", 400),
    "many fields": (PART.format("file", "", "x") * 10_000 + "--b0--", 400),
    "a path in a name": (PART.format("file", "; filename*=utf-8''..%2Fx", "x") + "--b0--", 400),
    "many headers": ("--b0\r\n" + "X: y\r\n" * 20_000 + "\r\n", 400),
    "no end": (PART.format("file", FILE, "x"), 422),
}


def test_a_strange_form_is_refused(client, as_role):
    headers = as_role("user") | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    wrong = []
    for name, (body, status) in STRANGE.items():
        answer = client.post(DECODE, content=body.encode(), headers=headers)
        if answer.status_code != status or set(answer.json()) < {"error", "detail", "type"}:
            wrong.append((name, answer.status_code, answer.text))
    assert wrong == []


def test_a_body_of_another_kind_is_not_read(client, as_role):
    for media in (
        "application/json",
        "application/x-www-form-urlencoded",
        "image/png",
        "multipart/mixed",
        "",
    ):
        headers = as_role("user") | {"Content-Type": media}
        assert client.post(DECODE, content=b"{}", headers=headers).status_code == 415, media


def test_a_picture_that_is_too_large_is_cut_off_while_it_comes(client, as_role):
    from api.routers import barcode

    headers = as_role("user") | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    def endless():
        yield PART.format("file", FILE, "")[:-2].encode()
        for _ in range(100):
            yield b"x" * 2**20

    answer = client.post(DECODE, content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "ContentTooLarge")
    said = headers | {"Content-Length": str(barcode.MOST_BYTES + 1)}
    assert client.post(DECODE, content=b"", headers=said).status_code == 413


def test_who_waits_too_long_for_a_turn_is_told_when_to_come_back(send, monkeypatch):
    from api.routers import barcode

    monkeypatch.setattr(barcode, "WAIT_SECONDS", 0.01)
    for _ in range(barcode.AT_ONCE):
        assert barcode._looking.acquire(blocking=False)
    try:
        answer = send(drawn(EAN))
    finally:
        for _ in range(barcode.AT_ONCE):
            barcode._looking.release()
    assert answer.status_code == 429
    assert "Retry-After" in answer.headers


# -- Others --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pen")
def test_others_are_asked_about_what_nobody_here_knows_where_configured(client, as_role, ask, monkeypatch):
    asked = []

    def answer(place, code):
        asked.append((place, code))
        return place and Told(place.host, "A pen", "Acme", None)

    monkeypatch.setattr(outside, "ask", answer)
    assert ask(FREE).json()["external_info"] is None
    client.app.state.settings = replace(
        client.app.state.settings, barcodes_outside=Outside("food.example", None, "/{barcode}")
    )
    told = {"source": "food.example", "name": "A pen", "brand": "Acme", "category": None}
    assert ask(FREE).json()["external_info"] == told
    looked_up = client.get(f"/api/v1/barcode/lookup/{FREE}", headers=as_role("viewer"))
    assert looked_up.json()["external_info"] == told
    assert ask(EAN).json()["external_info"] is None
    assert [code for _, code in asked] == [FREE] * 3
