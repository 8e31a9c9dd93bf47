"""The application over a database of its own, and callers of every role."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.main import make_app
from api.settings import Settings
from db.session import transaction
from tests import makers

KEY = b"a key for tests, thirty-two bytes or more"
SETTINGS = Settings(
    production=False,
    token_key=KEY,
    access_lasts=timedelta(minutes=15),
    cors_origins=("https://shop.example",),
    self_registration=None,
)


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """The application, made once: it keeps nothing of a request."""
    return make_app(SETTINGS)


@pytest.fixture
def client(request: pytest.FixtureRequest, app: FastAPI) -> Iterator[TestClient]:
    """The API over an empty shop with one warehouse; it answers 500 like a server instead of raising.

    All requests of a test share one connection, which is rolled back: they must come one after the other, and
    the database's `now()` stands still. A test that needs real commits (requests at the same time, a second
    connection, a clock that runs) says `@pytest.mark.usefixtures("clone")` and gets a database of its own.
    """
    request.getfixturevalue("clone" if "clone" in request.fixturenames else "session")
    with transaction() as session:
        makers.a_warehouse(session, "MAIN")
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened
    app.state.settings = SETTINGS
    app.dependency_overrides.clear()


@pytest.fixture
def as_role(client: TestClient) -> Callable[[str], dict[str, str]]:
    """Headers of somebody with a role: `client.get(..., headers=as_role("viewer"))`."""
    known: dict[str, dict[str, str]] = {}

    def headers(role: str) -> dict[str, str]:
        if role not in known:
            with transaction() as session:
                email = makers.a_person(session, role).email
            answer = client.post("/api/v1/auth/login", json={"email": email, "password": makers.PASSWORD})
            known[role] = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return known[role]

    return headers
