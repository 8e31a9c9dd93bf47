"""Processes of the API on ports of their own, and the supervisor that starts a dead one again."""

import json
import multiprocessing
import os
import secrets
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.chaos.ground import Ground
from tests.makers import PASSWORD

START_SECONDS = 120  # on a machine that does much else
STOP_SECONDS = 20
LOOK_SECONDS = 0.2
# No proxy of the machine's own stands between.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Servers:
    """`number` servers over the database of `ground`; `died` counts those that ended without being killed."""

    def __init__(self, ground: Ground, folder: Path, number: int) -> None:
        self.died = 0
        self.ports = [_free_port() for _ in range(number)]
        self._log = folder / "servers.log"
        os.environ |= {
            "DATABASE_URL": ground.app_url,
            "JWT_SECRET_KEY": secrets.token_hex(
                32
            ),  # of all of them: a token outlives the server that gave it
            "ACCESS_TOKEN_MINUTES": "1440",
            "RATE_LIMITS": "off",
        }
        # Forked from a process that has imported the application, which takes seconds: so they can be killed
        # every few of them, and there is somebody to talk to in between.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["api.main"])
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._living = [self._born(port) for port in self.ports]
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def kill(self, any_of: int) -> bool:
        """kill -9 of one server; the supervisor starts another in its place."""
        with self._lock:
            number = any_of % len(self.ports)
            server = self._living[number]
            hit = server.is_alive()
            server.kill()
            server.join()
            self._living[number] = self._born(self.ports[number])
        return hit

    def wait(self) -> None:
        """Until each of them answers."""
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports:
            while status_of(port, "/health/ready") != 200:
                if time.monotonic() > deadline:
                    raise RuntimeError("The API does not start.")
                time.sleep(LOOK_SECONDS)

    def sign_in(self, email: str) -> str:
        """An access token."""
        body = json.dumps({"email": email, "password": PASSWORD}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[0]}/api/v1/auth/login", body, {"Content-Type": "application/json"}
        )
        with DIRECT.open(request, timeout=START_SECONDS) as answer:
            return json.load(answer)["access_token"]

    def stop(self) -> None:
        """End them all, as whoever stops a server does."""
        self._ended.set()
        self._supervisor.join()
        for server in self._living:
            server.terminate()
        for server in self._living:
            server.join(STOP_SECONDS)
            server.kill()
            server.join()

    def _supervise(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            with self._lock:
                for number, server in enumerate(self._living):
                    if not server.is_alive():
                        self.died += 1
                        self._living[number] = self._born(self.ports[number])

    def _born(self, port: int) -> BaseProcess:
        process = self._context.Process(target=serve, args=(port, self._log), daemon=True)
        process.start()
        return process


def serve(port: int, log: Path) -> None:
    """Be a server of the API on this port, as `python -m jobs serve api` starts one."""
    import uvicorn

    from api.main import app

    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, proxy_headers=False, server_header=False)


class Watcher(threading.Thread):
    """A load balancer that asks one server all the time whether it lives and is ready.

    `ready`: when it answered, and what; `live`: how often it answered what; `slowest`: seconds to an answer.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.live: Counter = Counter()
        self.ready: list[tuple[float, int]] = []
        self.slowest = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            began = time.monotonic()
            ready = status_of(self.port, "/health/ready")
            if ready:
                now = time.monotonic()
                self.ready.append((now, ready))
                self.slowest = max(self.slowest, now - began)
            live = status_of(self.port, "/health/live")
            if live:
                self.live[live] += 1

    def stop(self) -> None:
        """No question after this."""
        self._ended.set()
        self.join()


def status_of(port: int, path: str) -> int | None:
    """The status of a GET, None when nobody is there."""
    try:
        with DIRECT.open(f"http://127.0.0.1:{port}{path}", timeout=START_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code
    except (OSError, ValueError):
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
