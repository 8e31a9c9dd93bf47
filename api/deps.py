"""What routes are handed: a session, and the person who asks, once the right is checked."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session

from api.settings import Settings
from core import auth, tokens
from core.auth import Actor
from core.errors import NotSignedIn
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


_bearer = HTTPBearer(auto_error=False, description="The access_token of /auth/login.")


def claims(request: Request) -> tokens.Claims:
    """What the access token says, checked without the database. Raises NotSignedIn."""
    if not hasattr(request.state, "claims"):
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != "bearer":
            raise NotSignedIn("This needs an access token: Authorization: Bearer ...")
        request.state.claims = tokens.read(settings(request).token_key, token.strip())
    return request.state.claims


def person_behind(request: Request, session: Session) -> Actor:
    """Who asks: still active, still signed in, with the role of this moment. Raises NotSignedIn."""
    person = tokens.who(session, claims(request), now())
    request.state.person = str(person.uid)
    return auth.actor_of(person)


class Right:
    """The check that a route needs; None lets everybody in."""

    def __init__(self, right: str | None) -> None:
        self.right = right

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Right) and other.right == self.right

    def __hash__(self) -> int:
        return hash(self.right)


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


class _Everybody(Right):
    def __call__(self) -> None:
        return None


def Needs(right: str) -> Any:  # noqa: N802
    """The actor, who has this right: `actor: Annotated[Actor, Needs("read")]`."""
    return Depends(_Needed(right))


def NeedsAlone(right: str) -> Any:  # noqa: N802
    """Like `Needs`, for a route that opens its own transactions because slow work lies between them."""
    return Depends(_NeededAlone(right))


Public = Depends(_Everybody(None))
"""No token needed: `dependencies=[Public]`."""


def page(response: Response, rows: Sequence[T], total: int) -> Sequence[T]:
    """A page of a list; the header says how many there are in all."""
    response.headers["X-Total-Count"] = str(total)
    return rows
