"""Bodies of any size, speed and wrapping: the server reads what it must, and answers what it can."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPResponse

import psutil
import pytest
import uvicorn

from api import middleware
from api.main import BODY_BYTES, make_app
from api.middleware import DRAINED_BYTES, BodyCap
from tests import loops
from tests.api.conftest import SETTINGS
from tests.api.test_limits import a_token

JSON = b"Content-Type: application/json\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
LOGIN, DECODE = b"/api/v1/auth/login", b"/api/v1/barcode/decode"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The API over no database, behind uvicorn as it is really served."""
    config = uvicorn.Config(make_app(SETTINGS), port=0, ws="none", log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def sent(port: int, path: bytes, headers: bytes, body: Iterable[bytes]) -> tuple[HTTPResponse, int]:
    """The answer, read, and how many bytes of the body got away before the server would have no more."""
    away = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            line.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: shop\r\n" + headers + b"\r\n")
            for piece in body:
                line.sendall(piece)
                away += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = HTTPResponse(line)
        answer.begin()
        answer.text = answer.read().decode()
        return answer, away


def test_a_gigabyte_of_unknown_length_is_cut_off_early_and_takes_no_memory(port):
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    before = psutil.Process().memory_info().rss
    answer, away = sent(port, LOGIN, JSON + b"Transfer-Encoding: chunked\r\n", (piece for _ in range(16_000)))
    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert away < 50_000_000
    assert psutil.Process().memory_info().rss - before < 50_000_000


@pytest.mark.parametrize(("length", "ends"), [(BODY_BYTES + 1, False), (DRAINED_BYTES + 1, True)])
def test_a_body_said_to_be_too_long_is_answered_at_once_and_a_short_one_sent_to_its_end(port, length, ends):
    pieces = (b"x" * 0x10000 for _ in range(16))
    answer, away = sent(port, LOGIN, JSON + b"Content-Length: %d\r\n" % length, pieces)
    assert answer.status == 413
    assert (answer.headers["connection"] == "close") == ends
    assert away == 16 * 0x10000 or ends


@pytest.mark.parametrize(
    "length", [b"-1", b"1e3", b"9" * 30, b"2, 3", b"2\r\nContent-Length: 3", b"0x2", b" "],
    ids=["negative", "a power", "long", "two", "twice", "hexadecimal", "none"],
)  # fmt: skip
def test_a_length_that_is_none_is_refused_before_the_api_sees_it(port, length):
    # No body: a server that closes with something unread resets the line, and the answer may be lost.
    answer, _ = sent(port, LOGIN, JSON + b"Content-Length: " + length + b"\r\n", [])
    assert answer.status == 400


def test_what_follows_a_body_is_no_part_of_it(port):
    answer, _ = sent(port, LOGIN, JSON + b"Content-Length: 2\r\nConnection: close\r\n", [b"{}{}"])
    assert answer.status == 422
    assert '"field":"body.email"' in answer.text


@pytest.mark.parametrize("packed", [b"gzip", b"br", b"zstd", b"deflate, gzip", b"nonsense"])
def test_a_packed_body_is_refused_unread(port, packed):
    answer, _ = sent(
        port, LOGIN, JSON + b"Content-Encoding: " + packed + b"\r\nContent-Length: 2\r\n", [b"{}"]
    )
    assert answer.status == 415
    answer, _ = sent(port, LOGIN, JSON + b"Content-Encoding: identity\r\nContent-Length: 2\r\n", [b"{}"])
    assert answer.status == 422


@pytest.mark.parametrize(("count", "file"), [(10_000, b""), (1_000, b'; filename="a.png"')])
def test_a_form_of_thousands_of_parts_is_refused_at_the_first_that_is_too_many(port, count, file):
    part = b'--b\r\nContent-Disposition: form-data; name="file"' + file + b"\r\n\r\nv\r\n"
    body = part * count + b"--b--\r\n"
    headers = FORM + f"Authorization: {a_token()}\r\n".encode() + b"Content-Length: %d\r\n" % len(body)
    answer, _ = sent(port, DECODE, headers, [body])
    assert answer.status == 400
    assert "one file and nothing else" in answer.text


def test_a_body_that_does_not_end_is_broken_off(monkeypatch):
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.1)
    told = []

    async def app(_scope: dict, receive, _send) -> None:
        for _ in range(3):
            told.append((await receive())["type"])
            if told[-1] == "http.disconnect":
                return

    async def slowly() -> dict:
        if told:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"{", "more_body": True}

    scope = {"type": "http", "path": "/", "headers": []}
    loops.run(BodyCap(app, 100, {})(scope, slowly, None))
    assert told == ["http.request", "http.disconnect"]
