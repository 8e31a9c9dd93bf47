"""Trouble looks the same wherever it comes from, and gives nothing away."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.session import SessionTransaction

from core import warehouses
from core.errors import KeyReused
from db.models import AuditLine
from db.session import ServerError, reading

PLACES = "/api/v1/warehouses"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def body_of(answer) -> dict:
    said = answer.json()
    assert {"error", "detail", "type"} <= set(said)
    assert set(said) <= {"error", "detail", "type", "fields"}
    assert ("fields" in said) == (answer.status_code == 422)
    assert isinstance(said["detail"], str)
    assert answer.headers["content-type"] == "application/json"
    return said


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("get", "/nowhere", 404, "NotFound"),
        ("get", "/api/v1/warehouses/", 404, "NotFound"),
        ("get", "/pages/../api", 404, "NotFound"),
        ("put", PLACES, 405, "MethodNotAllowed"),
        ("get", PLACES, 401, "NotSignedIn"),
        ("post", "/api/v1/auth/login", 422, "ValidationError"),
    ],
)
def test_every_refusal_has_the_same_body(client, method, path, status, kind):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert body_of(answer)["type"] == kind


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/health", "GET, HEAD"),
        ("/api/v1/products", "GET, HEAD, POST"),
        (f"/api/v1/products/{UNKNOWN}", "DELETE, GET, HEAD, PATCH, PUT"),
        ("/docs", "GET, HEAD"),
        ("/docs/files/favicon.png", "GET, HEAD"),
        ("/api/v1/auth/login", "POST"),
    ],
)
def test_a_method_that_an_address_does_not_know_is_answered_with_those_it_knows(client, path, methods):
    answer = client.request("TRACE", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_a_body_that_breaks_off_is_nobodys_error(client, caplog):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"500")]
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "root_path": "",
        "path": "/api/v1/auth/login", "raw_path": b"/api/v1/auth/login", "query_string": b"",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    with caplog.at_level(logging.INFO, "runout.api"):
        client.portal.call(client.app, scope, receive, send)
    assert sent[0]["status"] == 400
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_malformed_input_says_where_without_repeating_it(client, as_role):
    answer = client.post(PLACES, json={"code": "", "secret": "hunter2"}, headers=as_role("manager"))
    said = body_of(answer)
    assert [field["field"] for field in said["fields"]] == ["body.code", "body.secret"]
    assert "hunter2" not in answer.text


def test_a_refusal_of_the_shop_is_its_sentence(client, as_role):
    client.post(PLACES, json={"code": "BER"}, headers=as_role("manager"))
    answer = client.post(PLACES, json={"code": "ber"}, headers=as_role("manager"))
    assert answer.status_code == 400
    assert body_of(answer) == {
        "error": "Bad Request",
        "detail": "There is a warehouse 'ber' already.",
        "type": "RuleBroken",
    }


class _Psycopg(Exception):
    def __init__(self, code):
        super().__init__("password=hunter2 SELECT secret FROM person")
        self.pgcode = code


def db_error(code):
    return DBAPIError("SELECT secret", {}, _Psycopg(code))


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (db_error("57P01"), 503),
        (db_error("40P01"), 503),
        (db_error("55P03"), 503),
        (db_error("57014"), 503),
        (db_error("53100"), 503),
        (db_error("53300"), 503),
        (db_error("22003"), 422),
        (db_error("23505"), 400),
        (db_error("42P01"), 500),
        (PoolTimeout(), 503),
        (ServerError("The server does not start: /var/lib/secret"), 503),
        (KeyReused("The key came again with another request."), 409),
        (ZeroDivisionError("hunter2"), 500),
        (RecursionError(), 500),
    ],
    ids=lambda value: getattr(getattr(value, "orig", None), "pgcode", None) or type(value).__name__,
)
@pytest.mark.usefixtures("undocumented_too")
def test_trouble_on_our_side_gives_nothing_away(client, as_role, monkeypatch, caplog, trouble, status):
    def broken(*_args, **_more):
        raise trouble

    headers = as_role("viewer")
    monkeypatch.setattr(warehouses, "listing", broken)
    with caplog.at_level(logging.INFO, "runout.api"):
        answer = client.get(PLACES, headers=headers | {"X-Request-ID": "mine-0123456789"})
    assert answer.status_code == status
    said = body_of(answer)
    assert ("retry-after" in answer.headers) == (status == 503)
    for secret in ("hunter2", "secret", "Traceback", "SELECT"):
        assert secret not in answer.text
    if status == 500:
        assert "mine-0123456789" in said["detail"]
        assert any(record.exc_info and record.error_id == "mine-0123456789" for record in caplog.records
                   if hasattr(record, "error_id"))  # fmt: skip
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] == "mine-0123456789"


def test_a_commit_that_fails_cannot_answer_201(client, as_role, monkeypatch):
    headers = as_role("manager")

    def lost(_transaction, *_args, **_more):
        raise db_error("08006")

    with monkeypatch.context() as patched:
        patched.setattr(SessionTransaction, "commit", lost)
        answer = client.post(PLACES, json={"code": "LOST"}, headers=headers)
    assert answer.status_code == 503
    assert "LOST" not in client.get(PLACES, headers=headers).text
    assert client.post(PLACES, json={"code": "LOST"}, headers=headers).status_code == 201


def test_every_answer_has_a_request_id_and_the_headers_that_protect(client):
    for given, kept in (("mine-0123456789", True), ("short", False), ("a b c d e f g h", False), ("", False)):
        for path in ("/health/live", "/nowhere", "/docs"):
            answer = client.get(path, headers={"X-Request-ID": given})
            assert (answer.headers["x-request-id"] == given) == kept
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert len(answer.headers["x-request-id"]) >= 8


def test_a_request_is_one_line_in_the_log_without_ids_bodies_or_tokens(client, as_role, caplog):
    headers = as_role("manager")
    me = client.get("/api/v1/auth/me", headers=headers).json()["id"]
    place = client.get(PLACES, headers=headers).json()[0]["id"]
    caplog.clear()
    with caplog.at_level(logging.INFO, "runout.api"):
        client.patch(f"{PLACES}/{place}", json={"name": "hunter2"}, headers=headers)
    (line,) = [record for record in caplog.records if record.name == "runout.api"]
    assert (line.method, line.path, line.status) == ("PATCH", f"{PLACES}/{{warehouse_id}}", 200)
    assert line.person == me
    assert line.ms >= 0
    assert "hunter2" not in line.getMessage()
    assert place not in line.getMessage()
    assert headers["Authorization"].split()[1] not in json.dumps(vars(line), default=str)


def test_audit_lines_carry_the_id_of_the_request(client, as_role):
    headers = as_role("manager") | {"X-Request-ID": "mine-0123456789"}
    client.post(PLACES, json={"code": "NEW"}, headers=headers)
    with reading() as session:
        line = session.scalars(select(AuditLine).order_by(AuditLine.id.desc()).limit(1)).one()
    assert (line.action, line.request_id) == ("created", "mine-0123456789")


def test_pages_of_named_origins_may_call_and_others_may_not(client):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    named = client.options(PLACES, headers=asked | {"Origin": "https://shop.example"})
    other = client.options(PLACES, headers=asked | {"Origin": "https://evil.example"})
    assert named.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-credentials" not in named.headers
    refused = client.get(PLACES, headers={"Origin": "https://shop.example"})
    assert refused.headers["access-control-allow-origin"] == "https://shop.example"


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_more_requests_at_once_than_connections_wait_their_turn(client, as_role):
    """Threads that wait for a connection must not keep those who hold one from giving it back."""
    headers = as_role("viewer")
    with ThreadPoolExecutor(120) as crowd:
        asked = [crowd.submit(client.get, PLACES, headers=headers) for _ in range(240)]
        assert {answer.result().status_code for answer in asked} == {200}
