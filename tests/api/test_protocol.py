"""Requests that never come to an end: the server keeps a bounded part of each, and hangs up."""

import itertools
import socket
from collections.abc import Iterable, Iterator

import psutil
import pytest

from tests.serving import serving

START = b"POST / HTTP/1.1\r\nHost: shop\r\n"
A_MEGABYTE = b"x" * 2**20
ENDLESS = {
    "a path": (b"GET /", A_MEGABYTE),
    "a header's name": (START, A_MEGABYTE),
    "a header's value": (START + b"A: ", A_MEGABYTE),
    "headers": (START, b"".join(b"A%d: b\r\n" % n for n in range(100_000))),
    "trailers": (START + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"A: b\r\n" * 200_000),
    "a trailer": (START + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: ", A_MEGABYTE),
    "what stands behind a chunk's length": (START + b"Transfer-Encoding: chunked\r\n\r\n1;", A_MEGABYTE),
}


async def reads_it_all(scope, receive, send) -> None:
    """Answers with how many bytes of headers and of body came."""
    head = sum(len(name) + len(value) for name, value in scope["headers"])
    body, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += len(message["body"])
        more = message["more_body"]
    said = b"%d %d" % (head, body)
    headers = [(b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(reads_it_all) as port:
        yield port


def sent(port: int, pieces: Iterable[bytes]) -> tuple[bytes, int]:
    """All that the server says until it hangs up or the pieces end, and how many bytes got away."""
    away, said = 0, b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
                away += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while more := line.recv(65536):
                said += more
        except ConnectionResetError:
            pass
    return said, away


@pytest.mark.parametrize(("begin", "go_on"), ENDLESS.values(), ids=ENDLESS.keys())
def test_what_never_ends_is_hung_up_on_and_takes_no_memory(port, begin, go_on):
    before = psutil.Process().memory_info().rss
    said, away = sent(port, itertools.chain([begin], itertools.repeat(go_on, 200)))
    assert away < 20_000_000
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
    assert psutil.Process().memory_info().rss - before < 30_000_000
    assert sent(port, [START + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi"])[0].endswith(b" 2")


def test_headers_of_an_honest_size_and_bodies_of_any_go_through(port):
    head = START + b"A: " + b"x" * 10_000 + b"\r\n"
    body = b"Content-Length: 5000000\r\nConnection: close\r\n\r\n" + b"x" * 5_000_000
    said, _ = sent(port, [head, body])
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b" 5000000")


def test_a_body_may_come_byte_by_byte_and_requests_one_after_the_other_on_a_connection(port):
    one = START + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 30_000 + b"0\r\n\r\n"
    said, _ = sent(port, [one, one, START + b"Content-Length: 1\r\nConnection: close\r\n\r\nx"])
    assert said.count(b"HTTP/1.1 200 ") == 3
    assert said.count(b" 30000") == 2


AMBIGUOUS = {
    "two lengths": START + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a hexadecimal length": START + b"Content-Length: 0x5\r\n\r\nhello",
    "an unknown coding": START + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": START + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a NUL in a name": START + b"A\x00: b\r\n\r\n",
    "a path of no characters": b"GET /\xff HTTP/1.1\r\nHost: shop\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("request_", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_what_two_servers_could_read_differently_is_refused(port, request_):
    said, _ = sent(port, [request_])
    assert said.startswith(b"HTTP/1.1 400 ")
