"""The one place where trouble becomes an answer: `{"error", "detail", "type"}`, never a traceback."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.poster import Unavailable
from core import audit
from core.buying.order_mail import MailFailed, MailUncertain
from core.errors import Busy, NotSignedIn, RunoutError, TooMany
from db.session import ServerError, is_passing

log = logging.getLogger("runout.api")

RETRY_SECONDS = 5
# Trouble of the server that a repetition may not meet: lock or statement time-out, disk, memory, connections.
BUSY = ("55P03", "57014", "53")
WORDS = {400: "Bad Request", 413: "Content Too Large", 422: "Unprocessable Content"}
LONGEST_FIELDS = 20
CLOSE = {"Connection": "close"}  # the server ends the connection with this answer


def install(app: FastAPI) -> None:
    """Let all trouble of the app pass through here."""
    app.add_exception_handler(RunoutError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(PoolTimeout, _away)
    app.add_exception_handler(ServerError, _away)
    app.add_exception_handler(Unavailable, _away)


def problem(
    status: int, detail: str, kind: str, *, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """The body that every error has."""
    said = {"error": WORDS.get(status) or HTTPStatus(status).phrase, "detail": detail, "type": kind}
    return JSONResponse(said | more, status_code=status, headers=headers)


def unexpected(trouble: Exception) -> JSONResponse:
    """Something is broken on our side: the log has the traceback, the answer only its id."""
    error_id = audit.request_id.get() or "unknown"
    log.error("Error %s", error_id, exc_info=trouble, extra={"error_id": error_id})
    return problem(500, f"Something broke on our side; it is in the log as {error_id}.", "InternalError")


def cut_off() -> JSONResponse:
    """The body ended, or went on for too long, before it was complete: nothing was done."""
    said = "The body ended before it was complete, or took longer than a minute."
    return problem(400, said, "BodyCutOff", headers=CLOSE)


def too_large(is_endless: bool = False) -> JSONResponse:
    """The body is more than is read; `is_endless`: nobody waits for the rest of it."""
    return problem(413, "The body is too large.", "ContentTooLarge", headers=CLOSE if is_endless else None)


def packed() -> JSONResponse:
    """The body has a Content-Encoding."""
    said = "Send the body as it is: a Content-Encoding is not read here."
    return problem(415, said, "UnsupportedMediaType")


def too_often(per_minute: int, seconds: int) -> JSONResponse:
    """The caller has sent as many requests as it may (api/limits.py)."""
    said = f"Too many requests: {per_minute} a minute are let in here. Try again in {seconds} seconds."
    return problem(429, said, TooMany.__name__, headers={"Retry-After": str(seconds)})


def _refused(_request: Request, refusal: RunoutError) -> JSONResponse:
    headers, more = {}, {}
    if isinstance(refusal, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, TooMany | Busy | MailFailed | MailUncertain):
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    if refusal.status == 422:
        more["fields"] = []
    kind = type(refusal).__name__
    return problem(refusal.status, refusal.sentence, kind, headers=headers, **more)


def _malformed(_request: Request, wrong: RequestValidationError) -> JSONResponse:
    fields = [
        {"field": ".".join(str(step) for step in found["loc"])[:200], "message": _message(found)}
        for found in _first(wrong.errors())
    ]
    detail = "; ".join(f"{field['field']}: {field['message']}" for field in fields)
    return problem(422, detail, "ValidationError", fields=fields)


def _first(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A body of a megabyte may be wrong in a hundred thousand places."""
    return list(found)[:LONGEST_FIELDS]


def _message(found: dict[str, Any]) -> str:
    if found["type"] == "extra_forbidden":
        return "is not known here"
    if found["type"] == "missing":
        return "is missing"
    return str(found["msg"]).removeprefix("Value error, ")


def _of_http(request: Request, trouble: HTTPException) -> JSONResponse:
    details = {404: "There is no such address.", 405: "This address does not know that method."}
    kinds = {404: "NotFound", 405: "MethodNotAllowed", 415: "UnsupportedMediaType"}
    status = trouble.status_code
    if status == 413:
        return too_large("Connection" in (trouble.headers or {}))
    detail = details.get(status, str(trouble.detail))
    headers = dict(trouble.headers or {})
    if status == 405:
        headers["Allow"] = _methods(request)
    return problem(status, detail, kinds.get(status, "HTTPException"), headers=headers)


def _methods(request: Request) -> str:
    """All methods of an address: the framework names those of the first route that has it."""
    here = (route for route in request.app.state.routes if route.matches(request.scope)[0] != Match.NONE)
    methods = {method for route in here for method in route.methods} or {"GET"}  # a page of the documents
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _database(request: Request, trouble: DBAPIError) -> JSONResponse:
    code = getattr(trouble.orig, "pgcode", None) or ""
    if is_passing(trouble) or code.startswith(BUSY):
        return _away(request, trouble)
    if code.startswith("22"):  # a value that PostgreSQL cannot keep
        log.warning("Refused by the database: %s", code)
        return problem(422, "A value is out of range or cannot be kept.", "BadInput", fields=[])
    if code.startswith("23"):  # two requests at once, of which one was first
        log.warning("Refused by a constraint: %s", code)
        return problem(400, "This clashes with what is there already.", "RuleBroken")
    return unexpected(trouble)


def _away(_request: Request, trouble: Exception) -> JSONResponse:
    log.warning("The database is away or busy: %s", type(trouble).__name__)
    return problem(
        503,
        "The database is away or busy: try again in a moment.",
        "ServiceUnavailable",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
