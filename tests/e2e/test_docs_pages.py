"""The pages of the API's documents, in a browser that reaches nobody but the API."""

import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from api.main import make_app
from api.settings import Settings
from db.session import transaction
from tests import makers
from tests.e2e.conftest import opened
from tests.e2e.steps import DESK

SETTINGS = Settings(
    production=False,
    token_key=b"a key for tests, thirty-two bytes or more",
    access_lasts=timedelta(minutes=15),
    cors_origins=(),
    self_registration=None,
)


@pytest.fixture
def api(clone) -> Iterator[str]:  # noqa: ARG001
    """Address of the API over a shop with one warehouse."""
    with transaction() as session:
        makers.a_warehouse(session, "MAIN", name="Main hall")
    server = uvicorn.Server(uvicorn.Config(make_app(SETTINGS), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def alone(browser, api) -> Iterator[tuple[Page, list[str]]]:
    """A page that reaches only the API, and what else it asked for or complained about."""
    with opened(browser, api, DESK) as page:
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))

        def only_here(route) -> None:
            if route.request.url.startswith((api, "blob:", "data:")):
                route.continue_()
            else:
                wrong.append(route.request.url)
                route.abort()

        page.route("**/*", only_here)
        yield page, wrong


def test_both_pages_are_drawn_without_the_internet_and_one_can_try_things_out(alone, api):
    page, wrong = alone
    with transaction() as session:
        email = makers.a_person(session, "viewer").email
    body = {"email": email, "password": makers.PASSWORD}
    token = page.request.post(f"{api}/api/v1/auth/login", data=body).json()["access_token"]
    page.goto("/docs")
    page.get_by_role("button", name=re.compile("Authorize")).click()
    page.locator(".modal-ux input").fill(token)
    page.locator(".modal-ux button.authorize").click()
    page.locator(".modal-ux button.btn-done").click()
    page.locator("#operations-tag-warehouses").click()
    operation = page.locator(".opblock-get").first
    operation.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("Main hall")
    page.goto("/redoc")
    expect(page.locator(".api-content h1").first).to_contain_text("Runout")
    expect(page.locator(".api-content").get_by_text("/api/v1/inventory/adjust").first).to_be_attached()
    assert wrong == []
