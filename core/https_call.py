"""One call to a server out there: over HTTPS, once, briefly, and with little of its answer read."""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

PIECE_BYTES = 16_384

Connection = Callable[..., HTTPConnection]
"""How to reach a server; HTTPS with a certificate that is checked, but in tests."""


class Unread(ValueError):
    """Who was called answered with `status`, but the rest is too large, comes too slowly, or broke off."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}, and a body that is too large or too slow")
        self.status = status


def call(
    method: str,
    host: str,
    port: int | None,
    target: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    seconds: float,
    most_bytes: int,
    connection: Connection = HTTPSConnection,
) -> tuple[int, bytes]:
    """Status and body of the answer; a redirect is an answer like any other.

    Args:
        seconds: for each step, and about that much again for all of the answer, however slowly it drips.
        most_bytes: what is read of a body.

    Raises:
        OSError, http.client.HTTPException: nobody there, a wrong certificate, no HTTP, too slow.
        Unread: there is an answer, but not all of it.
    """
    line = connection(host, port, timeout=seconds)
    late = threading.Timer(2 * seconds, _hang_up, [line])
    late.daemon = True
    try:
        late.start()
        line.request(method, target, body=body, headers={"User-Agent": "Runout", **headers})
        answer = line.getresponse()
        return answer.status, _body(answer, seconds, most_bytes)
    finally:
        late.cancel()
        line.close()


def _body(answer: HTTPResponse, seconds: float, most_bytes: int) -> bytes:
    until = time.monotonic() + seconds
    read = b""
    try:
        while piece := answer.read1(PIECE_BYTES):
            read += piece
            if len(read) > most_bytes or time.monotonic() > until:
                raise Unread(answer.status)
    except (OSError, HTTPException) as trouble:
        raise Unread(answer.status) from trouble
    return read


def _hang_up(line: HTTPConnection) -> None:
    """A server that sends its headers byte by byte is not waited for: no step of it is late by itself."""
    with suppress(OSError):
        if line.sock is not None:
            line.sock.shutdown(socket.SHUT_RDWR)
