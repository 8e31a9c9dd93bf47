"""What routes are handed: a session, and the person who asks, once the right is checked."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase
from sqlalchemy.orm import Session

from api.settings import Settings
from core import api_keys, audit, auth, tokens
from core.api_keys import Known
from core.auth import Actor
from core.errors import NotAllowed, NotSignedIn
from db.session import reading, transaction

T = TypeVar("T")


def door(request: Request) -> Iterator[Session]:
    """One request is one transaction. A GET only looks: PostgreSQL itself refuses to write in it.

    The scope is the function's, so it ends before the answer leaves: a failed commit cannot answer 200.
    """
    with (reading if request.method == "GET" else transaction)() as session:
        yield session


Reading = Annotated[Session, Depends(door, scope="function")]
Writing = Annotated[Session, Depends(door, scope="function")]


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(now)]


def settings(request: Request) -> Settings:
    """The settings the app was made with."""
    return request.app.state.settings


_bearer = HTTPBearer(
    auto_error=False, description="The access_token of /auth/login, or an API key of a machine (runout_...)."
)


def claims(request: Request) -> tokens.Claims | api_keys.Given:
    """What the access token says, or the API key, checked without the database. Raises NotSignedIn."""
    if not hasattr(request.state, "claims"):
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        token = token.strip()
        if scheme.lower() != "bearer":
            raise NotSignedIn("This needs an access token or an API key: Authorization: Bearer ...")
        if api_keys.is_like_one(token):
            request.state.claims = api_keys.read(token)
            audit.by_key.set(audit.ByKey())
        else:
            request.state.claims = tokens.read(settings(request).token_key, token)
    return request.state.claims


def person_behind(request: Request, session: Session) -> Actor:
    """Who asks: still active, still signed in, with the role of this moment. Raises NotSignedIn.

    `request.state` then has the `person` and the `api_key` with which a machine came (or None), both as uid.
    """
    given = claims(request)
    if isinstance(given, api_keys.Given):
        return key_holder(request, api_keys.who(session, given, now()))
    return recognised(request, auth.actor_of(tokens.who(session, given, now())), None)


def recognised(request: Request, actor: Actor, used_key: Known | None) -> Actor:
    """Let the rest of the request know who asks, and with which API key if with one."""
    if used_key is not None:
        return key_holder(request, used_key)
    request.state.person, request.state.api_key = str(actor.uid), None
    return actor


def key_holder(request: Request, known: Known) -> Actor:
    """Let the rest of the request know with which API key it came, and return whom the key acts for."""
    state = request.state
    state.person, state.api_key, state.per_minute = str(known.actor.uid), str(known.uid), known.per_minute
    state.used_key = known
    by_key = audit.by_key.get()
    if by_key is not None:
        by_key.id = known.actor.api_key_id
    return known.actor


def own_sign_in(request: Request) -> tokens.Claims:
    """What the access token says, for what only somebody signed in can do. An API key is refused."""
    given = claims(request)
    if isinstance(given, api_keys.Given):
        raise NotAllowed(
            "An API key has no sign-in: it is made and revoked on the dashboard's API keys page."
        )
    return given


class Right:
    """The check that a route needs; None lets everybody in."""

    def __init__(self, right: str | None) -> None:
        self.right = right

    def __eq__(self, other: object) -> bool:
        # FastAPI keeps one dependant for calls that are equal: one that opens a session is no other's equal.
        return type(other) is type(self) and other.right == self.right

    def __hash__(self) -> int:
        return hash((type(self), self.right))


class _Needed(Right):
    def __call__(
        self, request: Request, session: Reading, _scheme: Annotated[Any, Depends(_bearer)]
    ) -> Actor:
        actor = person_behind(request, session)
        auth.must(actor, self.right)
        return actor


class _NeededAlone(Right):
    def __call__(self, request: Request, _scheme: Annotated[Any, Depends(_bearer)]) -> Actor:
        with reading() as session:
            actor = person_behind(request, session)
        auth.must(actor, self.right)
        return actor


class NeededLater(Right, SecurityBase):
    model, scheme_name = _bearer.model, _bearer.scheme_name  # of the documents, without a dependency to solve

    async def __call__(self, request: Request) -> tokens.Claims | api_keys.Given:
        return claims(request)

    def check(self, request: Request) -> None:
        """Find out now, for a request that comes to nothing."""
        with reading() as session:
            auth.must(person_behind(request, session), self.right)


class _Everybody(Right):
    def __call__(self) -> None:
        return None


def Needs(right: str) -> Any:  # noqa: N802
    """The actor, who has this right: `actor: Annotated[Actor, Needs("read")]`."""
    return Depends(_Needed(right))


def NeedsAlone(right: str) -> Any:  # noqa: N802
    """Like `Needs`, for a route that opens its own transactions because slow work lies between them."""
    return Depends(_NeededAlone(right))


def NeedsLater(right: str) -> Any:  # noqa: N802
    """What the token or API key says, for a route that finds out with others who that is: the poster."""
    return Depends(NeededLater(right))


Public = Depends(_Everybody(None))
"""No token needed: `dependencies=[Public]`."""


def page(response: Response, rows: Sequence[T], total: int) -> Sequence[T]:
    """A page of a list; the header says how many there are in all."""
    response.headers["X-Total-Count"] = str(total)
    return rows
