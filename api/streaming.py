"""Answers of any size, piece by piece: whoever goes away or stalls gives back what the answer holds."""

import threading
from collections.abc import Generator, Mapping

import anyio
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.errors import Busy

PLACES = 4
"""So many are under way at once in a process. Each holds a connection, and the others need some too."""
COME_BACK_SECONDS = 5
STALL_SECONDS = 60
"""A client that takes nothing for so long is gone, or might as well be."""
ENCODINGS = ("zstd", "gzip")
"""Content encodings that are written, the better one first."""

_places = threading.BoundedSemaphore(PLACES)


class Pieces(Response):
    """What a generator makes, sent while it is made; the generator is closed when the answer ends, however.

    It takes a place and makes the first piece before anything is sent: until then a refusal or an error is an
    ordinary answer. Later the connection is cut, without the end that a whole answer has. Raises Busy when
    no place is free.

    Args:
        pieces: not begun yet. It runs in one thread at a time.
        headers: what to say beside the media type, read when the first piece is made.
        background: what to do once all is sent.
    """

    def __init__(
        self,
        pieces: Generator[bytes, None, None],
        media_type: str,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self._pieces = _in_place(pieces)
        self._first = next(self._pieces, b"")
        self.status_code = 200
        self.media_type = media_type
        self.background = background
        self.init_headers(headers)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """As in any answer, except that nobody knows its length yet."""
        self.body = b""
        super().init_headers(headers)
        del self.headers["content-length"]

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        trouble: Exception | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                try:
                    await self._send_all(send)
                except Exception as caught:  # one trouble, not a group of one
                    trouble = caught
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._pieces.close)
        if trouble is not None:
            raise trouble
        if self.background is not None:
            await self.background()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        piece: bytes | None = self._first
        while piece is not None:
            try:
                with anyio.fail_after(STALL_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except OSError:  # also the time that is up
                raise ClientDisconnect from None
            piece = await anyio.to_thread.run_sync(next, self._pieces, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive, sending: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    sending.cancel()


def _in_place(pieces: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """The same pieces, with one of the places taken for as long as they are made."""
    if not _places.acquire(blocking=False):
        raise Busy(
            f"{PLACES} exports are under way already: try again when one has ended.", COME_BACK_SECONDS
        )
    try:
        yield from pieces
    finally:
        try:
            pieces.close()
        finally:
            _places.release()


def encoding(request: Request) -> str | None:
    """The content encoding to answer with, as `Accept-Encoding` weighs them; None where it asks for none."""
    weights: dict[str, float] = {}
    for item in ",".join(request.headers.getlist("accept-encoding")).split(","):
        name, _, rest = item.partition(";")
        weights[name.strip().lower()] = _weight(rest)
    others = weights.get("*", 0.0)
    best = max(ENCODINGS, key=lambda name: weights.get(name, others))
    weight = weights.get(best, others)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def known_already(request: Request, etag: str) -> bool:
    """Whether the caller has this edition (`If-None-Match`); weak and strong tags are compared alike."""
    named = ",".join(request.headers.getlist("if-none-match"))
    tags = {tag.strip().removeprefix("W/") for tag in named.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags
