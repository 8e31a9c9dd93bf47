"""Every route of the API says who may use it; test_auth_matrix asks them all."""

import uuid

import pytest

from api.routes import ExactRoute, Router
from core.rights import RIGHTS

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
PAGES = {"/openapi.json", "/docs", "/docs/start.js", "/docs/files", "/redoc"}


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


def test_a_route_without_a_right_cannot_be_made():
    router = Router("/x", "x")
    with pytest.raises(TypeError, match="declares no right"):

        @router.get("/open")
        def open_to_all() -> None:
            """Nobody said who may."""
