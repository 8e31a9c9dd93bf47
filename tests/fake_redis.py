"""A Redis for tests, reached over a socket: fakeredis, with the two scripts of `limits` told in Python.

Real Redis runs them in Lua, for which fakeredis wants a package of its own.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from typing import Any

from fakeredis import TcpFakeServer
from fakeredis._commands import command
from fakeredis._socket import FakeSocket
from limits.aio.storage.redis.bridge import RedisBridge


def _acquire(moments: list[float], now: str, limit: str, expiry: str, amount: str) -> int | None:
    assert amount == "1"
    if len(moments) >= int(limit) and moments[int(limit) - 1] >= float(now) - float(expiry):
        return None
    moments.insert(0, float(now))
    del moments[int(limit) :]
    return 1


def _window(moments: list[float], since: str, _limit: str) -> list[Any] | None:
    inside = [at for at in moments if at >= float(since)]
    return [repr(inside[-1]).encode(), len(inside)] if inside else None


SCRIPTS = {
    sha1(RedisBridge.SCRIPT_ACQUIRE_MOVING_WINDOW).hexdigest().encode(): _acquire,
    sha1(RedisBridge.SCRIPT_MOVING_WINDOW).hexdigest().encode(): _window,
}


@command(name="EVALSHA", fixed=(bytes,), repeat=(bytes,))
def evalsha(self: FakeSocket, script: bytes, _keys: bytes, key: bytes, *arguments: bytes) -> Any:
    """Run one of the scripts, of which both are known from the start."""
    kept = self._server.__dict__.setdefault("moments", defaultdict(list))
    return SCRIPTS[script](kept[key], *(argument.decode() for argument in arguments))


FakeSocket.evalsha = evalsha


@contextmanager
def running(port: int = 0) -> Iterator[str]:
    """The URL of a Redis that lasts as long as the block; then its connections are cut."""
    server = TcpFakeServer(("127.0.0.1", port))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    finally:
        server.shutdown()
        server.server_close()
