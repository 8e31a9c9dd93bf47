"""`make run`: prepares the database, serves the dashboard, and is the one parent that stops everything."""

import argparse
import errno
import fcntl
import ipaddress
import multiprocessing
import os
import shlex
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import load_dotenv

from jobs import serve, steps
from jobs.children import Children
from jobs.steps import ROOT, Refused, StopAsked

HEALTH_SECONDS = 120

# Return codes that honcho gives a loop that ended because we were asked to stop.
ASKED_TO_STOP = {130, 143}


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`python -m jobs run` takes none: its settings are the variables of .env.example."""


def main(_arguments: object = None) -> int:
    """Run until asked to stop, or, with the argument `stop`, end the one that runs.

    Returns:
        The exit code: 0 for a wanted stop, 1 when something failed.
    """
    load_dotenv(ROOT / ".env")
    sys.stdout.reconfigure(line_buffering=True)  # or our lines would come after those of our children
    try:
        if sys.argv[-1] == "stop":
            return stop()
        steps.listen_for_signals()
        host = os.environ.get("HOST") or "127.0.0.1"
        port, api_port = _port("PORT", 8501), _port("API_PORT", 8000)
        if os.environ.get("DATABASE_URL"):
            _refuse_taken_ports(host, port, api_port)
            _refuse_unsafe()
            _prepare_database(embedded=False)
            return _serve(host, port, api_port)
        folder = _home()
        if pid := _launcher(folder):
            raise _already_runs(folder, pid)
        _refuse_unsafe()
        _refuse_taken_ports(host, port, api_port)
        with _embedded_server(folder):
            _prepare_database(embedded=True)
            return _serve(host, port, api_port)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except StopAsked:
        print("Stopped before everything had started.")
        return 0


def stop() -> int:
    """End the `make run` of this home, if there is one, and the embedded server."""
    if os.environ.get("DATABASE_URL"):
        raise Refused("DATABASE_URL names a server that is not ours to stop; end `make run` with Ctrl-C.")
    folder = _home()
    if pid := _launcher(folder):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + steps.STOP_SECONDS
        while _launcher(folder) == pid and time.monotonic() < deadline:
            time.sleep(0.1)
        print("Runout is stopped.")
    else:
        steps.run("db", "stop", finish=True)
    return 0


@contextmanager
def _embedded_server(folder: Path) -> Iterator[None]:
    """The server runs inside the block, ours alone; it stops when the block ends, however it ends."""
    ours, lock = False, None
    try:
        try:
            steps.run("db", "start", finish=True)
        except StopAsked:
            ours = True
            raise
        lock = _lock(folder)
        ours = True
        yield
    finally:
        steps.stop_listening()
        if ours:
            steps.run("db", "stop", finish=True)
        if lock is not None:
            os.close(lock)


# -- Before anything starts ----------------------------------------------------------------------------------


def _refuse_unsafe() -> None:
    if not os.environ.get("APP_ENV"):
        return
    # Imported here: without it the launcher is small and starts at once.
    from core import production
    from db.session import reading

    try:
        production.check(os.environ, reading)
    except production.Unsafe as refusal:
        raise Refused(refusal.sentence) from refusal


def _port(variable: str, default: int) -> int:
    given = os.environ.get(variable) or str(default)
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 65535:
        raise Refused(f"{variable} is {given!r}, which is no port: choose a number from 1024 to 65535.")
    return int(given)


def _refuse_taken_ports(host: str, port: int, api_port: int) -> None:
    if port == api_port:
        raise Refused(f"PORT and API_PORT are both {port}: choose two.")
    _refuse_taken_port(host, port, "PORT")
    _refuse_taken_port(host, api_port, "API_PORT")


def _refuse_taken_port(host: str, port: int, variable: str) -> None:
    trouble = _trouble_with(host, port)
    if trouble is None:
        return
    if isinstance(trouble, socket.gaierror) or trouble.errno == errno.EADDRNOTAVAIL:
        raise Refused(f"HOST is {host!r}, which is no address of this machine: try HOST=127.0.0.1.")
    free = next((p for p in range(port + 1, min(port + 100, 65536)) if _trouble_with(host, p) is None), None)
    other = f"make run {variable}={free or 8600}"
    if trouble.errno == errno.EADDRINUSE:
        raise Refused(f"Port {port} is taken by another program. End that, or choose another port: {other}")
    raise Refused(f"Port {port} cannot be used ({trouble.strerror}). Choose another port: {other}")


def _trouble_with(host: str, port: int) -> OSError | None:
    """What keeps us from listening there, found out by trying."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as trouble:
        return trouble
    return None


def _home() -> Path:
    return Path(steps.answer("db", "home"))


def _lock(folder: Path) -> int:
    """Take the lock of the one `make run` that may use this home; the kernel frees it when we die."""
    handle = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # A record lock, not flock: children do not inherit it.
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise _already_runs(folder, int(os.read(handle, 20) or 0)) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _launcher(folder: Path) -> int | None:
    """Process id of the `make run` that holds the lock of this home."""
    try:
        handle = os.open(folder / "run.lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise Refused(f"{folder} belongs to another user: set RUNOUT_HOME to a folder of your own.") from None
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return int(os.read(handle, 20) or 0) or None
    finally:
        os.close(handle)
    return None


def _already_runs(folder: Path, pid: int) -> Refused:
    return Refused(
        f"Runout already runs from {folder} (process {pid}): "
        "end it with `make stop`, or set RUNOUT_HOME to another folder."
    )


def _prepare_database(embedded: bool) -> None:
    """Roles, tables and, in an empty embedded database, the demo shop."""
    if embedded or os.environ.get("DATABASE_OWNER_URL"):
        steps.run("db", "roles", "migrate")
    else:
        steps.run("db", "check")
    if not embedded:
        return
    if os.environ.get("DEMO", "1").lower() in {"0", "no", "false", "off"}:
        if steps.answer("db", "accounts"):
            print("DEMO=0 removes nothing, and this is the demo shop; RUNOUT_HOME=... names another folder.")
        return
    if steps.says("db", "is-empty"):
        steps.run("db", "demo")
    # Asked on its own: the previous start may have been killed between loading and training.
    if steps.says("db", "is-untrained"):
        steps.run("jobs", "train")


# -- Serving -------------------------------------------------------------------------------------------------


def _serve(host: str, port: int, api_port: int) -> int:
    multiprocessing.set_start_method("fork", force=True)  # the children must be ours, not a fork server's
    greeting = threading.Thread(
        target=_greet,
        args=(host, port, api_port, steps.answer("db", "accounts")),
        name="greeting",
        daemon=True,
    )
    children = Children(greeting)
    environment = os.environ | {
        "HOST": host,
        "PORT": str(port),
        "API_PORT": str(api_port),
        "PYTHONUNBUFFERED": "1",
    }
    for name, command in (
        ("dashboard", serve.dashboard_command(host, port)),
        ("api", serve.api_command(host, api_port)),
        ("scheduler", [sys.executable, "-m", "jobs", "schedule"]),
    ):
        children.add_process(name, f"exec {shlex.join(command)}", cwd=str(ROOT), env=environment)
    # honcho takes SIGINT and SIGTERM over; a closed terminal means the same.
    if signal.getsignal(signal.SIGHUP) == steps.ask_to_stop:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    children.loop()
    if children.returncode in ASKED_TO_STOP:
        return 0
    raise Refused(
        f"A part of Runout ended by itself (exit code {children.returncode}); the lines above say why. "
        "Everything is stopped."
    )


def _greet(host: str, port: int, api_port: int, accounts: str) -> None:
    """Print the addresses, and the demo accounts, as soon as dashboard and API answer."""
    try:
        address = ipaddress.ip_address(host)
        seen_as = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(address), str(address))
        everywhere, local = address.is_unspecified, address.is_loopback
    except ValueError:
        seen_as, everywhere, local = host, False, host == "localhost"
    shown = f"http://[{seen_as}]" if ":" in seen_as else f"http://{seen_as}"
    for part, address in (
        ("dashboard", f"{shown}:{port}/_stcore/health"),
        ("API", f"{shown}:{api_port}/health/live"),
    ):
        if not _answers(address):
            print(f"The {part} has not answered at {address} for {HEALTH_SECONDS} seconds.", file=sys.stderr)
            return
    print(
        f"\n  Runout is ready: {shown}:{port}" + (" (and every other address of this machine)" * everywhere)
    )
    print(f"  The API, for programs: {shown}:{api_port}/docs")
    if accounts:
        print("\n" + "\n".join(f"  {line}" for line in accounts.splitlines()))
    if accounts and not local:
        print(
            "\n  WARNING: the demo accounts have well-known passwords, and HOST lets other machines reach"
            "\n  them. Deactivate them before you enter anything of your own."
        )
    print("\n  Ctrl-C stops everything.\n")


def _answers(address: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy
    deadline = time.monotonic() + HEALTH_SECONDS
    while time.monotonic() < deadline:
        try:
            with direct.open(address, timeout=5) as response:
                if response.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


if __name__ == "__main__":
    sys.exit(main())
