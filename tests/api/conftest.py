"""The application over a database of its own, and callers of every role."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import deps
from api.main import make_app
from api.poster import Poster
from api.probes import KeptFigures
from api.settings import Settings
from db.session import reading, transaction
from tests import makers

KEY = b"a key for tests, thirty-two bytes or more"
SETTINGS = Settings(
    production=False,
    token_key=KEY,
    access_lasts=timedelta(minutes=15),
    cors_origins=("https://shop.example",),
    self_registration=None,
)


class Watch:
    """Around the application: notes every answer whose status the documents do not have for its route."""

    undocumented: ClassVar[set[tuple[str, str, int]]] = set()

    def __init__(self, app: ASGIApp, statuses: Callable[[str, str], set[str]]) -> None:
        self.app = app
        self.statuses = statuses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noticed(message: Message) -> None:
            if message["type"] == "http.response.start" and "route" in scope:
                method, path = scope["method"], getattr(scope["route"], "path_format", "")
                known = self.statuses("GET" if method == "HEAD" else method, path)
                if known and str(message["status"]) not in known:
                    self.undocumented.add((method, path, message["status"]))
            await send(message)

        await self.app(scope, receive, noticed)


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """The application, made once."""
    made = make_app(SETTINGS)

    def statuses(method: str, path: str) -> set[str]:
        return set(made.openapi()["paths"].get(path, {}).get(method.lower(), {}).get("responses", ()))

    made.add_middleware(Watch, statuses=statuses)
    return made


@pytest.fixture(scope="session")
def as_made(app: FastAPI) -> dict[str, Any]:
    """What the application keeps when it is new."""
    return dict(vars(app.state)["_state"])


@contextmanager
def _only_reading(*args: Any, **more: Any) -> Iterator[Session]:
    """On the one connection of a test, too, a GET only looks."""
    with reading(*args, **more) as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        yield session


@pytest.fixture
def client(
    request: pytest.FixtureRequest, app: FastAPI, as_made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """The API over an empty shop with one warehouse; it answers 500 like a server instead of raising.

    All requests of a test share one connection, which is rolled back: they must come one after the other, and
    the database's `now()` stands still. A test that needs real commits (requests at the same time, a second
    connection, a clock that runs) says `@pytest.mark.usefixtures("clone")` and gets a database of its own.
    """
    app.dependency_overrides.clear()
    # Here and not at the end: a test's monkeypatch may take its changes back after this fixture.
    vars(app.state)["_state"].update(as_made, poster=Poster(), figures=KeptFigures())
    if "clone" in request.fixturenames:
        request.getfixturevalue("clone")
    else:
        request.getfixturevalue("session")
        monkeypatch.setattr(deps, "reading", _only_reading)
    with transaction() as session:
        makers.a_warehouse(session, "MAIN")
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened
    app.state.poster.stop()
    undocumented, Watch.undocumented = Watch.undocumented, set()
    if "undocumented_too" not in request.fixturenames:
        assert undocumented == set(), "a status that the documents do not have"


@pytest.fixture
def undocumented_too() -> None:
    """For a test that makes up troubles which the route it asks never has."""


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
