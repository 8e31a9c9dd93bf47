"""A running dashboard over a demo shop of its own, and a real browser in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.steps import DESK, PHONE

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STRICT = {"STREAMLIT_RUNNER_ENFORCE_SERIALIZABLE_SESSION_STATE": "true"}


@contextmanager
def serving(url: str, *, with_api: bool = False, **environment: str) -> Iterator[str]:
    """The dashboard on a free port, working with the database behind `url`; yields its address.

    What a view keeps in a session must be plain, or the page fails; only the camera's component may more.
    Files are downloaded from the API: a story in which somebody does so needs it beside the dashboard.
    """
    api_port = _free_port()
    environment = {"DATABASE_URL": url, "HOST": "127.0.0.1", "API_PORT": str(api_port)} | STRICT | environment
    with ExitStack() as stack:
        if with_api:
            command = ["uvicorn", "api.main:app", "--port", str(api_port), "--log-level", "warning"]
            api = f"http://127.0.0.1:{api_port}/health/live"
            stack.enter_context(_running("The API", command, api, environment))
        port = _free_port()
        command = ["streamlit", "run", "dashboard/app.py", "--server.port", str(port), "--server.address",
                   "127.0.0.1"]  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        stack.enter_context(_running("The dashboard", command, f"{address}/_stcore/health", environment))
        yield address


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _running(what: str, command: list[str], health: str, environment: dict[str, str]) -> Iterator[None]:
    # A file, not a pipe: nobody reads while the tests run, and a full pipe stops the dashboard.
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_for(what, health, process, log)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
        said = _said(log)
        log.close()
        # Whatever a page did, it never ends in a traceback.
        assert "Traceback" not in said, said[-4000:]


def _said(log: TextIO) -> str:
    log.seek(0)
    return log.read()


def _wait_for(what: str, address: str, process: subprocess.Popen, log: TextIO) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    process.kill()
    raise AssertionError(f"{what} did not start: {_said(log)[-4000:]}")


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """`launch("--option")`: Debian's Chromium, driven by Playwright."""
    expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
    program = shutil.which("chromium")
    if program is None:
        reason = "Chromium is not installed (sudo apt-get install -y chromium)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and in CI a skipped browser test is a failed one")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # Root may not use Chromium's sandbox; the only pages it opens are our own.
        arguments = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        started = []

        def start(*more: str) -> Browser:
            started.append(playwright.chromium.launch(executable_path=program, args=[*arguments, *more]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="session")
def browser(launch) -> Browser:
    """A browser on a machine without a camera."""
    return launch()


@pytest.fixture(scope="session")
def dashboard(demo_shop: str) -> Iterator[str]:
    with serving(demo_shop, with_api=True) as address:
        yield address


@contextmanager
def opened(browser: Browser, address: str, size: dict[str, int], **about: Any) -> Iterator[Page]:
    """A page of its own in a browser that knows nobody."""
    context = browser.new_context(viewport=size, base_url=address, **about)
    context.set_default_timeout(20_000)
    try:
        yield context.new_page()
    finally:
        context.close()


_idle: dict[tuple[str, int], list[BrowserContext]] = {}


@contextmanager
def lent(browser: Browser, address: str, size: dict[str, int]) -> Iterator[Page]:
    """Like `opened`, in a window that forgot who used it before: it need not load the scripts once more."""
    idle = _idle.setdefault((address, size["width"]), [])
    context = idle.pop() if idle else browser.new_context(viewport=size, base_url=address)
    context.set_default_timeout(20_000)
    try:
        yield context.new_page()
    finally:
        for page in context.pages:
            if page.url.startswith(address):
                page.evaluate("localStorage.clear()")
            page.close()
        context.clear_cookies()
        idle.append(context)


@pytest.fixture
def page(browser, dashboard) -> Iterator[Page]:
    with lent(browser, dashboard, DESK) as page:
        yield page


@pytest.fixture
def phone(browser, dashboard) -> Iterator[Page]:
    with lent(browser, dashboard, PHONE) as page:
        yield page
