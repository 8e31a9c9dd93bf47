"""The one kind of route: JSON read exactly, nothing unknown let in, a right declared by each."""

import json
import re
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from email.message import Message
from inspect import iscoroutinefunction
from types import UnionType
from typing import Any, Union, get_args, get_origin

import anyio
from fastapi import APIRouter, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api import deps
from core import inputs

# Python would also read 1_000, digits of other scripts and spaces around them.
NUMERAL = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ExactRequest(Request):
    """A request whose JSON keeps every digit."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = exact_json(await self.body())
        return self._json


class ExactRoute(APIRoute):
    """A route of the contract. One that declares no right (`deps.Needs`, or `deps.Public`) cannot be made."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        declared = [d.call for d in _all(self.dependant) if isinstance(d.call, deps.Right)]
        if len(declared) != 1:
            raise TypeError(f"{path}: {endpoint.__name__} declares {declared or 'no right'}: one is needed")
        self.right: str | None = declared[0].right
        self.later = declared[0] if isinstance(declared[0], deps.NeededLater) else None
        self.is_async = iscoroutinefunction(endpoint)  # it asks no database
        self.openapi_extra = {"x-right": self.right or "public"} | (self.openapi_extra or {})
        self._query = {
            (field.alias, frozenset(_kinds(field.field_info.annotation)))
            for dependant in _all(self.dependant)
            for field in dependant.query_params
        }
        self._headers = {
            field.alias for dependant in _all(self.dependant) for field in dependant.header_params
        }

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            if self.right is not None:
                deps.claims(request)  # before a byte of the body is read
            self._refuse_unknown_query(request)
            self._refuse_repeated_headers(request)
            exactly = ExactRequest(request.scope, request.receive)
            if self.body_field is not None and isinstance(self.body_field.field_info, params.Form):
                _refuse_other_media(request, "multipart/form-data")
                await _one_file(exactly)
            elif self.body_field is not None:
                _refuse_other_media(request, "application/json")
                if await exactly.body():
                    await exactly.json()  # here, because FastAPI would hide what is wrong with it
            if self.later is not None:
                return await self._knowing_later(handle, exactly)
            if self.is_async:
                return await handle(exactly)
            # Whoever waits here holds neither a thread nor a connection. Without this, threads that wait for
            # a connection would keep those who have one from the thread in which they would give it back.
            async with request.app.state.places:
                return await handle(exactly)

        return strictly

    async def _knowing_later(self, handle: Handler, request: Request) -> Response:
        """What is wrong with a body is said only to those who may send one."""
        try:
            return await handle(request)
        except RequestValidationError:
            async with request.app.state.places:
                await anyio.to_thread.run_sync(self.later.check, request)
            raise

    def _refuse_unknown_query(self, request: Request) -> None:
        known, wrong, seen = dict(self._query), [], set()
        for name, value in request.query_params.multi_items():
            if name not in known:
                wrong.append(_wrong(("query", inputs.shown(name)), "is not known here"))
            elif name in seen and list not in known[name]:
                wrong.append(_wrong(("query", name), "is given twice"))
            elif not inputs.can_be_kept(value):
                wrong.append(_wrong(("query", name), "holds a NUL or a broken character"))
            elif known[name] & {int, Decimal} and not NUMERAL.fullmatch(value):
                wrong.append(_wrong(("query", name), "must be a number"))
            seen.add(name)
        if wrong:
            raise RequestValidationError(wrong)

    def _refuse_repeated_headers(self, request: Request) -> None:
        wrong = [
            _wrong(("header", name), "is given twice")
            for name in sorted(self._headers)
            if len(request.headers.getlist(name)) > 1
        ]
        if wrong:
            raise RequestValidationError(wrong)


class Router(APIRouter):
    """A router of exact routes; its prefix is the whole path, so that logs and errors can name it."""

    def __init__(self, prefix: str, tag: str) -> None:
        super().__init__(prefix=prefix, tags=[tag], route_class=ExactRoute, redirect_slashes=False)


def exact_json(body: bytes) -> Any:
    """A JSON document with fractions as Decimal.

    Raises RequestValidationError for what JSON does not allow, a name given twice and texts that cannot be
    kept.
    """
    try:
        found = json.loads(
            body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once
        )
        if b"\\u" in body:  # only so can a NUL or half a surrogate pair be written
            _refuse_unkeepable(found)
    except RecursionError:
        raise _no_json("is nested too deeply") from None
    except UnicodeDecodeError:
        raise _no_json("is not UTF-8") from None
    except _Unwanted as unwanted:
        raise _no_json(str(unwanted)) from None
    except json.JSONDecodeError as trouble:
        raise _no_json(f"is not JSON: {trouble.msg} at character {trouble.pos}") from None
    except ValueError:  # a whole number of thousands of digits
        raise _no_json("holds a number that is too long") from None
    return found


class _Unwanted(Exception):
    """JSON of a kind that is refused."""


def _no_constant(name: str) -> None:
    raise _Unwanted(f"holds {name}, which is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unwanted("names a field twice")
    return found


def _refuse_unkeepable(value: Any) -> None:
    if isinstance(value, str):
        if not inputs.can_be_kept(value):
            raise _Unwanted("holds a NUL or a broken character")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _refuse_unkeepable(name)
            _refuse_unkeepable(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unkeepable(inner)


def _no_json(message: str) -> RequestValidationError:
    return RequestValidationError([_wrong(("body",), message)])


def _wrong(place: tuple[str, ...], message: str) -> dict[str, Any]:
    return {"type": "refused", "loc": place, "msg": message}


def _refuse_other_media(request: Request, wanted: str) -> None:
    """A body of another kind is not read: no form of another site can write here as if it were JSON."""
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if not has_body:
        return
    said = Message()
    said["content-type"] = request.headers.get("content-type", "")
    if said.get_content_type() != wanted or "content-type" not in request.headers:
        raise HTTPException(415, f"The body must be {wanted}.")


async def _one_file(request: Request) -> None:
    """Read a form of one file and nothing else, counted while it comes; FastAPI finds it read already."""
    try:
        await request.form(max_files=1, max_fields=0)
    except HTTPException as trouble:
        if trouble.status_code != 400:
            raise
        said = f"The form must hold one file and nothing else: {trouble.detail}"
        raise HTTPException(400, said) from None


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _all(inner)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that a parameter may have, `list` for one that may be given several times."""
    if get_origin(annotation) in (Union, UnionType):
        for inner in get_args(annotation):
            yield from _kinds(inner)
    else:
        yield get_origin(annotation) or annotation
