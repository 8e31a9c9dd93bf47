"""Every route of the API says who may use it, and nobody else gets in."""

import uuid

import pytest

from api.routes import ExactRoute, Router
from core.auth import RIGHTS
from db.models import ROLES

# Everything that answers without a token, by name; the list only grows on purpose.
PUBLIC = {
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",  # for this machine, or with a token of its own
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/register",
    "GET /api/v1/auth/browser",
    "GET /api/v1/downloads/{ticket}",
}
PAGES = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}


def operations(client):
    """Name, method, path with an id that nobody has, and right, of every operation."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            ids = {
                parameter["name"]: "1" if parameter["schema"]["type"] == "integer" else str(uuid.uuid4())
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "path"
            }
            yield f"{method.upper()} {path}", method, path.format(**ids), operation["x-right"]


def test_no_route_is_outside_of_the_document(client):
    from api.main import ROUTERS

    known = {(name.split()[0], name.split()[1]) for name, *_ in operations(client)}
    routes = [route for router in ROUTERS for route in router.routes]
    assert all(isinstance(route, ExactRoute) for route in routes)
    assert {(method, route.path_format) for route in routes for method in route.methods} == known
    others = {getattr(route, "path", None) for route in client.app.routes} - {None}
    assert {path for path in others if not any(path == known_path for _, known_path in known)} == PAGES


def test_only_the_routes_of_the_list_are_public_and_the_others_name_a_right(client):
    found = {name: right for name, _, _, right in operations(client)}
    assert {name for name, right in found.items() if right == "public"} == PUBLIC
    assert set(found.values()) - {"public"} <= set(RIGHTS)


def test_nobody_gets_in_without_a_token_and_each_role_as_far_as_declared(client, as_role):
    wrong = []
    for name, method, path, right in operations(client):
        if right == "public":
            continue
        for token in (None, "garbage"):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            # Not even the body is looked at: what is wrong with it comes after who one is.
            answer = client.request(method, path, headers=headers, content=b"{" if method != "get" else None)
            if answer.status_code != 401:
                wrong.append((name, token, answer.status_code))
        for role in ROLES:
            if name == "POST /api/v1/auth/logout":
                continue  # it would sign the role out; see test_tokens
            answer = client.request(method, path, headers=as_role(role))
            may = ROLES.index(role) >= ROLES.index(RIGHTS[right])
            if may == (answer.status_code in (401, 403)) or answer.status_code >= 500:
                wrong.append((name, role, answer.status_code))
    assert wrong == []


def test_a_route_without_a_right_cannot_be_made():
    router = Router("/x", "x")
    with pytest.raises(TypeError, match="declares no right"):

        @router.get("/open")
        def open_to_all() -> None:
            """Nobody said who may."""
