"""Others are asked about a code only where configured, briefly, and whatever they do it is no error here."""

import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import RuleBroken
from core.scanning import outside
from core.scanning.outside import Outside, Told

CODE = "4006381333931"
FULL = b'{"status": 1, "product": {"product_name": " Pen\\u0007 ", "brands": "Stabilo", "categories": 7}}'


@pytest.fixture
def service():
    """A service on this machine that answers what `answer` says and writes down what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            status, body, pause = server.answer
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            for start in range(0, len(body), 50_000):
                self.wfile.write(body[start : start + 50_000])
                time.sleep(pause)

        def log_message(self, *_said):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answer, server.daemon_threads = [], (200, FULL, 0), True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def asked(service, code=CODE):
    place = Outside("127.0.0.1", service.server_port, "/api/{barcode}.json?fields=name")
    return outside.ask(place, code, connection=HTTPConnection)


def test_name_brand_and_category_come_back_as_short_plain_texts_with_their_source(service):
    assert asked(service) == Told("127.0.0.1", "Pen\N{REPLACEMENT CHARACTER}", "Stabilo", None)
    assert service.asked == [f"/api/{CODE}.json?fields=name"]
    service.answer = (200, b'{"title": "' + b"x" * 5000 + b'"}', 0)
    assert len(asked(service).name) == 201


@pytest.mark.parametrize(
    "code",
    ["", "SKU-1", "../admin", "4006381333931/x", "123", "４００６３８１３３３９３１", "1" * 15, "a?b=c#d"],
)
def test_nothing_but_the_digits_of_a_barcode_leaves_the_house(service, code):
    assert asked(service, code) is None
    assert service.asked == []


@pytest.mark.parametrize(
    "answer",
    [(302, b"", 0), (404, FULL, 0), (500, b"", 0), (200, b"", 0), (200, b"{", 0), (200, b"[]", 0),
     (200, b"null", 0),
     (200, b'{"product": null}', 0), (200, b'{"product": {}}', 0), (200, b'{"name": ["x"]}', 0),
     (200, b"[" * 100_000, 0), (200, b'"\xff"', 0), (200, b" " * 300_000, 0), (200, b'{"name": NaN}', 0)],
    ids=lambda answer: f"{answer[0]} {answer[1][:20]}",
)  # fmt: skip
def test_whatever_comes_back_is_no_error_and_no_redirect_is_followed(service, answer):
    service.answer = answer
    assert asked(service) is None
    assert len(service.asked) == 1


def test_who_is_slow_or_away_is_not_waited_for(service, monkeypatch):
    monkeypatch.setattr(outside, "SECONDS", 0.1)
    service.answer = (200, b" " * 150_000, 0.08)
    began = time.monotonic()
    assert asked(service) is None
    assert time.monotonic() - began < 2
    service.shutdown()
    service.server_close()
    assert asked(service) is None


def test_more_than_a_few_at_once_are_answered_without_it(service, monkeypatch):
    monkeypatch.setattr(outside, "_asking", threading.BoundedSemaphore(1))
    with outside._asking:
        assert asked(service) is None
    assert asked(service) is not None


def test_without_an_address_nobody_is_asked():
    assert outside.from_environment({}) is None
    assert outside.from_environment({"EXTERNAL_BARCODE_URL": " "}) is None
    assert outside.ask(None, CODE) is None


def test_the_address_is_an_https_one_with_one_place_for_the_code():
    given = "https://food.example:8443/api/{barcode}.json?fields=name"
    said = outside.from_environment({"EXTERNAL_BARCODE_URL": given})
    assert said == Outside("food.example", 8443, "/api/{barcode}.json?fields=name")
    for wrong in ("http://food.example/{barcode}", "food.example/{barcode}", "https://{barcode}.example/", "ftp://x",
                  "https://me:secret@food.example/{barcode}", "https://food.example/", "https:///{barcode}",
                  "https://food.example/{barcode}/{barcode}", "https://food.example/{barcode}#x",
                  "https://[::1/{barcode}",
                  "https://food.example:port/{barcode}", "https://food.example/ {barcode}",
                  "file:///{barcode}"):  # fmt: skip
        with pytest.raises(RuleBroken, match="EXTERNAL_BARCODE_URL") as refusal:
            outside.from_environment({"EXTERNAL_BARCODE_URL": wrong})
        assert "secret" not in refusal.value.sentence
