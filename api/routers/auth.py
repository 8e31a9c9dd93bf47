"""Signing in, staying signed in, signing out, and new accounts."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from fastapi import Depends, Request
from pydantic import Field

from api.deps import Needs, Now, Public, Reading, Writing, own_sign_in, person_behind, settings
from api.openapi import refusals
from api.routes import Router
from api.schemas import Answer, Body, Moment, OwnId, example, line
from api.settings import Settings
from core import api_keys, auth, passwords, shop, tokens
from core.auth import Actor
from core.errors import BadInput, NotSignedIn, TooMany
from db.session import transaction

router = Router("/api/v1/auth", "auth")

COMPARISONS_AT_ONCE = passwords.COMPARISONS_AT_ONCE
MOST_WAITING = 20
RETRY_SECONDS = 5

T = TypeVar("T")
Email = line(auth.EMAIL_CHARACTERS, 3)
Password = line(1000)  # the rule of passwords is core's
Chosen = Annotated[Settings, Depends(settings)]


class User(Answer):
    """Somebody with an account."""

    id: OwnId
    email: str
    full_name: Annotated[str, Field(validation_alias="name")]
    role: str
    is_active: bool
    created_at: Moment


class Tokens(Answer):
    """A pair of tokens; `expires_in` are the seconds the access token lasts."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"
    expires_in: int
    user: User


class Credentials(Body):
    """E-mail and password."""

    email: Email
    password: Password

    model_config = example(email="admin@erp.example.com", password="admin123")


class RefreshToken(Body):
    """The refresh token of the last answer; it is used once."""

    refresh_token: line(2000, 1)


class NewUser(Body):
    """Somebody new; `role` is for admins to give."""

    email: Email
    password: Password
    full_name: line(auth.NAME_CHARACTERS, 1)
    role: line(20) | None = None

    model_config = example(email="user@example.com", password="securepassword123", full_name="John Doe")


class Done(Answer):
    """It is done."""

    detail: str


@router.post("/register", response_model=User, status_code=201, dependencies=[Public],
             responses=refusals(400, 401, 403, 429))  # fmt: skip
async def register(request: Request, chosen: Chosen, wanted: NewUser) -> Any:
    """Make an account: admins for anybody; without a token for oneself, where self-registration is on.

    Who registers without a token becomes a `user` and may not name a role.
    """
    return await _in_turn(request, partial(_register, request, chosen, wanted))


def _register(request: Request, chosen: Settings, wanted: NewUser) -> Any:
    with transaction() as session:
        actor = None
        if "authorization" in request.headers:
            own_sign_in(request)
            actor = person_behind(request, session)
            auth.must(actor, "manage people")
        else:
            open_to_all = chosen.self_registration
            if not (shop.get(session).is_demo if open_to_all is None else open_to_all):
                raise NotSignedIn("Here accounts are made by an admin: send an admin's access token.")
            if "role" in wanted.model_fields_set:
                raise BadInput("role: only an admin can give one.")
        person = auth.create_person(
            session,
            email=wanted.email,
            name=wanted.full_name,
            role=wanted.role or "user",
            password=wanted.password,
            actor=actor,
        )
        session.flush()
        session.refresh(person)
    return person


@router.post("/login", response_model=Tokens, dependencies=[Public], responses=refusals(401, 429))
async def login(request: Request, chosen: Chosen, wanted: Credentials, now: Now) -> Any:
    """Sign in. Ten wrong passwords for an account within 15 minutes, and it has to wait."""
    return await _in_turn(request, partial(_login, request, chosen, wanted, now))


def _login(request: Request, chosen: Settings, wanted: Credentials, now: datetime) -> dict[str, Any]:
    with transaction() as session:  # committed also when refused: the guess counts
        granted = tokens.sign_in(
            session,
            chosen.token_key,
            wanted.email,
            wanted.password,
            request.client.host if request.client else "unknown",
            now,
            lasts=chosen.access_lasts,
            device=request.headers.get("user-agent"),
        )
    return _answer(request, granted, chosen)


@router.post("/refresh", response_model=Tokens, dependencies=[Public], responses=refusals(401))
def refresh(request: Request, chosen: Chosen, wanted: RefreshToken, now: Now) -> Any:
    """A new pair for a refresh token, which is used up by that.

    When the answer got lost, the same request within 10 seconds gets the same refresh token again. Any other
    second use ends the sign-in: two hold the token then.
    """
    if api_keys.is_like_one(wanted.refresh_token):
        raise NotSignedIn(
            "An API key is not refreshed: it counts until its last day, or until it is revoked."
        )
    with transaction() as session:  # committed also when refused: it may have ended the sign-in
        granted = tokens.refresh(
            session, chosen.token_key, wanted.refresh_token, now, lasts=chosen.access_lasts
        )
    return _answer(request, granted, chosen)


@router.post("/logout", response_model=Done, responses=refusals(403))
def logout(request: Request, session: Writing, actor: Annotated[Actor, Needs("read")], now: Now) -> Any:
    """End the sign-in: its access and refresh tokens count no more from the next request on.

    An API key has none: it is revoked on the dashboard's API keys page.
    """
    tokens.sign_out(session, actor, own_sign_in(request), now)
    return {"detail": "Signed out."}


@router.get("/me", response_model=User)
def me(session: Reading, actor: Annotated[Actor, Needs("read")]) -> Any:
    """Who the token belongs to, or for whom the API key acts."""
    return auth.account(session, actor)


async def _in_turn(request: Request, work: Callable[[], T]) -> T:
    """Do in a thread what takes a core for a while: few at a time, and neither thread nor connection waits.

    Refuses when so many wait already that nobody would wait for the answer.
    """
    state = request.app.state
    if state.comparisons.statistics().tasks_waiting >= MOST_WAITING:
        raise TooMany("Too many sign in at this moment: try again soon.", RETRY_SECONDS)
    async with state.comparisons, state.places:
        return await anyio.to_thread.run_sync(work)


def _answer(request: Request, granted: tokens.Granted, chosen: Settings) -> dict[str, Any]:
    if granted.refusal is not None:
        raise granted.refusal
    request.state.person = str(granted.person.uid)
    return {
        "access_token": granted.access_token,
        "refresh_token": granted.refresh_token,
        "expires_in": int(chosen.access_lasts.total_seconds()),
        "user": granted.person,
    }
