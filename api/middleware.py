"""Around every request: its id, its headers, its line in the log, and an answer whatever goes wrong."""

import asyncio
import logging
import math
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors, key_uses
from core import audit

log = logging.getLogger("runout.api")

SANE_ID = re.compile(r"[A-Za-z0-9._:-]{8,100}")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
}

# As the proxy of compose.yaml; a photo of ten megabytes gets through a line of 1.4 megabits a second.
BODY_SECONDS = 60
# A body of a known length up to this is read to its end and thrown away, so that its sender sees the answer
# instead of a broken connection; what is longer is cut off.
DRAINED_BYTES = 20_000_000
LENGTH_DIGITS = 20  # as h11 reads it


class Outside:
    """The outermost layer: request id, security headers, one line in the log without body or token."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
        mark = audit.request_id.set(request_id)
        began, state = time.perf_counter(), scope.setdefault("state", {})
        state["status"] = 500

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        finally:
            _write_line(scope, state["status"], (time.perf_counter() - began) * 1000)
            audit.request_id.reset(mark)
        await key_uses.note(scope)


class BodyCap:
    """No more of a body is read than `most_bytes`, whatever its length is said to be; `larger` by address.

    Bodies are read as they are: what is said to be packed is refused, since a megabyte unpacks to a thousand.
    One that is not there within `BODY_SECONDS` counts as broken off: slow senders hold nothing for long.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, larger: Mapping[str, int]) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most_bytes = self.larger.get(scope["path"], self.most_bytes)
        said, packed = b"0", b"identity"
        for name, value in scope["headers"]:
            if name == b"content-length":
                said = value
            elif name == b"content-encoding":
                packed = value
        length = int(said) if said.isdigit() and len(said) <= LENGTH_DIGITS else math.inf
        if length > most_bytes:
            await errors.too_large(is_endless=length > DRAINED_BYTES)(scope, receive, send)
            return
        if packed.strip().lower() not in (b"", b"identity"):
            await errors.packed()(scope, receive, send)
            return
        read, is_whole, until = 0, False, 0.0

        async def counted() -> Message:
            nonlocal read, is_whole, until
            if is_whole:  # whoever asks now waits for the end of the connection
                return await receive()
            until = until or asyncio.get_running_loop().time() + BODY_SECONDS
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            read += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if read > most_bytes:
                # Nobody knows how much more would come: the connection ends with the answer.
                raise HTTPException(413, headers=None if is_whole else errors.CLOSE)
            return message

        await self.app(scope, counted, send)


class LastResort:
    """The innermost layer: whatever nobody expected becomes a 500 with an id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = False

        async def noticed(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noticed)
        except ClientDisconnect:  # nothing is broken on our side
            if not began:
                await errors.cut_off()(scope, receive, send)
        except Exception as trouble:
            answer = errors.unexpected(trouble)
            if began:  # half an answer is out: cut it off, so that nobody takes it for a whole one
                raise
            await answer(scope, receive, send)


def _write_line(scope: Scope, status: int, milliseconds: float) -> None:
    # The template, not the path: ids in paths are nobody's business, and one route is one line to count.
    template = getattr(scope.get("route"), "path", None) or "(unknown)"
    facts: dict[str, Any] = {
        "method": scope["method"],
        "path": template,
        "status": status,
        "ms": round(milliseconds, 1),
        "person": scope["state"].get("person"),
        "api_key": scope["state"].get("api_key"),
        "request_id": audit.request_id.get(),
    }
    log.info("%s %s %s %.1f ms", facts["method"], template, status, milliseconds, extra=facts)
