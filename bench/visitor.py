"""A browser without a screen: asks a running dashboard for reruns over its WebSocket and awaits the end."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS, RERUN_SECONDS = 60, 60


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(database_url: str) -> Iterator[int]:
    """The dashboard in a process of its own on a free port of this machine; yields the port."""
    with running(database_url) as (port, _):
        yield port


@contextmanager
def running(database_url: str) -> Iterator[tuple[int, int]]:
    """The same; yields the port and the number of the process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port),
         "--server.address", "127.0.0.1"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url, "HOST": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("The dashboard did not start.")


@contextmanager
def arriving(port: int, cookie: str) -> Iterator["Visitor"]:
    """Somebody with this cookie (`name=value`) opens the dashboard."""
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        origin=f"http://127.0.0.1:{port}",
        subprotocols=["streamlit"],
        additional_headers={"Cookie": cookie},
        max_size=None,
    ) as socket_:
        yield Visitor(socket_)


class Visitor:
    """One browser tab."""

    def __init__(self, socket_: ClientConnection) -> None:
        self.socket = socket_

    def open(self, page: str, query: str = "") -> list[ForwardMsg]:
        """Run the script of a page from top to end; answers what a browser would have got to draw.

        Raises RuntimeError when the page shows an exception instead.
        """
        wish = BackMsg()
        wish.rerun_script.page_name = page
        wish.rerun_script.query_string = query
        self.socket.send(wish.SerializeToString())
        got = []
        while True:
            message = ForwardMsg.FromString(self.socket.recv(timeout=RERUN_SECONDS))
            got.append(message)
            if message.delta.new_element.HasField("exception"):
                raise RuntimeError(f"The page {page} failed: {message.delta.new_element.exception.message}")
            if message.WhichOneof("type") == "script_finished":
                return got
