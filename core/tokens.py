"""How programs stay signed in: short access tokens that say who, and refresh tokens that are used once.

An access token is a signed statement (JWT, HS256) that names a row of `sign_in`; whether that row is still
open is asked at every request, so signing out, a new password, a deactivation and a new role act at once. A
refresh token is 256 random bits of which only the hash is kept. Each one is used once and answered with its
successor; a used one that comes again ends the sign-in, since two hold it.

An answer may get lost on its way. Whoever repeats the request within `GRACE`, while the successor is unused,
gets the same successor again: it is derived from the token that was sent and the key, so nobody need keep it.
Requests that arrive together are answered alike, with one successor between them.

The key and the life of an access token are arguments: core does not read the environment.
"""

import functools
import hashlib
import hmac
import secrets
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from sqlalchemy import BindParameter, DateTime, Select, bindparam, delete, select, update
from sqlalchemy.orm import Session

from core import audit, auth, inputs
from core.auth import Actor
from core.errors import NotSignedIn, RunoutError
from db.models import Person, RefreshToken, SignIn

ISSUER = "runout"
AUDIENCE = "runout-api"
ALGORITHM = "HS256"
HEADER = {"alg": ALGORITHM, "typ": "at+jwt"}
CLAIMS = ("iss", "aud", "sub", "jti", "sid", "iat", "exp", "typ")
CLOCKS_DIFFER = timedelta(seconds=5)
MOST_CHARACTERS = 2000
# To check a signature takes longer than all else that is done with a token.
TOKENS_KEPT = 4096

REFRESH_LASTS = timedelta(days=7)
GRACE = timedelta(seconds=10)

_JWT = jwt.PyJWT({"enforce_minimum_key_length": True})
ENDED = "Your sign-in has ended: sign in again."


@dataclass(frozen=True)
class Claims:
    """What an access token says: whose it is, and of which sign-in."""

    person: uuid.UUID
    sign_in: uuid.UUID


@dataclass(frozen=True)
class Granted:
    """A pair of tokens and whose it is, or the refusal to raise once what led to it is committed."""

    person: Person | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    refusal: RunoutError | None = None


def sign_in(
    session: Session,
    key: bytes,
    email: str,
    password: str,
    address: str,
    now: datetime,
    *,
    lasts: timedelta,
    device: str | None = None,
) -> Granted:
    """Compare a password and open the sign-in of a program.

    Returns a refusal instead of raising it, because the guess must be committed.
    """
    outcome = auth.recognise(session, email, password, address, now)
    if outcome.actor is None:
        return Granted(refusal=outcome.refusal)
    person = session.get_one(Person, outcome.actor.id)
    opened = SignIn(
        kind="api",
        person_id=person.id,
        device=device and inputs.shown(device, 200),
        address=inputs.shown(address, 100),
        # The password of this moment was given, whatever the clocks of two machines say.
        created_at=max(now, person.password_changed_at),
        last_seen_at=now,
        expires_at=now + REFRESH_LASTS,
    )
    session.add(opened)
    session.flush()
    audit.note(session, person.id, "signed in", "person", person.uid)
    token = secrets.token_urlsafe(32)
    _keep(session, opened.id, token, now)
    return Granted(person, issue(key, person.uid, opened.uid, now, lasts), token)


def refresh(session: Session, key: bytes, token: str, now: datetime, *, lasts: timedelta) -> Granted:
    """Use a refresh token: a new pair, or the refusal to raise once it is committed.

    One that was used before ends the whole sign-in, unless its answer seems to have been lost.
    """
    if len(token) > MOST_CHARACTERS:
        return Granted(refusal=NotSignedIn(ENDED))
    successor = _successor(key, token)
    hashed = auth.token_hash(token)
    # Of requests that come together one gets through; the others wait here and then find it used.
    sign_in_id = session.scalar(
        update(RefreshToken)
        .where(
            RefreshToken.token_hash == hashed, RefreshToken.used_at.is_(None), RefreshToken.expires_at > now
        )
        .values(used_at=now)
        .returning(RefreshToken.sign_in_id)
    )
    is_new = sign_in_id is not None
    if not is_new:
        sign_in_id = _of_lost_answer(session, hashed, successor, now)
    found = session.execute(
        select(Person, SignIn).join(SignIn, SignIn.person_id == Person.id).where(
            SignIn.id == sign_in_id, *_holds(now)
        )
    ).first()  # fmt: skip
    if found is None:
        return Granted(refusal=NotSignedIn(ENDED))
    person, opened = found
    if is_new:
        opened.last_seen_at, opened.expires_at = now, now + REFRESH_LASTS
        session.execute(
            delete(RefreshToken).where(RefreshToken.sign_in_id == opened.id, RefreshToken.expires_at <= now)
        )
        _keep(session, opened.id, successor, now)
    return Granted(person, issue(key, person.uid, opened.uid, now, lasts), successor)


def who(session: Session, claims: Claims, now: datetime) -> Person:
    """The person behind an access token, in one read.

    Refuses when the sign-in has ended, the account is switched off or the password is a new one.
    """
    person = session.scalar(
        select(Person)
        .join(SignIn, SignIn.person_id == Person.id)
        .where(SignIn.uid == claims.sign_in, Person.uid == claims.person, *_holds(now))
    )
    if person is None:
        raise NotSignedIn(ENDED)
    return person


def who_are(session: Session, several: Collection[Claims], now: datetime) -> dict[Claims, Actor]:
    """The people behind several access tokens, in one read; those that `who` would refuse are left out."""
    if not several:
        return {}
    asked = {"sign_ins": [claims.sign_in for claims in several], "now": now}
    rows = session.execute(_people(), asked)
    found = {
        Claims(person_uid, sign_in_uid): Actor(id_, person_uid, name, email, role)
        for sign_in_uid, person_uid, id_, name, email, role in rows
    }
    return {claims: found[claims] for claims in several if claims in found}


@functools.cache
def _people() -> Select:
    return (
        select(SignIn.uid, Person.uid, Person.id, Person.name, Person.email, Person.role)
        .join(SignIn, SignIn.person_id == Person.id)
        .where(
            SignIn.uid.in_(bindparam("sign_ins", expanding=True)),
            *_holds(bindparam("now", type_=DateTime(timezone=True))),
        )
    )


def sign_out(session: Session, actor: Actor, claims: Claims, now: datetime) -> None:
    """End the sign-in behind an access token, with all its tokens."""
    session.execute(
        update(SignIn)
        .where(SignIn.uid == claims.sign_in, SignIn.ended_at.is_(None))
        .values(ended_at=now, ended_because="signed out")
    )
    audit.note(session, actor.id, "signed out", "person", actor.uid)


# -- Access tokens -------------------------------------------------------------------------------------------


def issue(key: bytes, person: uuid.UUID, sign_in_uid: uuid.UUID, now: datetime, lasts: timedelta) -> str:
    """A signed access token."""
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(person),
        "sid": str(sign_in_uid),
        "jti": uuid.uuid4().hex,
        "iat": int(now.timestamp()),
        "exp": int((now + lasts).timestamp()),
        "typ": "access",
    }
    return _JWT.encode(said, key, ALGORITHM, headers={"typ": HEADER["typ"]})


def read(key: bytes, token: str) -> Claims:
    """What an access token says.

    Raises NotSignedIn for one that is not ours, is of another kind, or is too old.
    """
    try:
        if len(token) > MOST_CHARACTERS:
            raise jwt.InvalidTokenError("too long")
        claims, expires_at = _signed(key, token)
        if expires_at <= time.time() - CLOCKS_DIFFER.total_seconds():
            raise jwt.ExpiredSignatureError
        return claims
    except jwt.ExpiredSignatureError:
        raise NotSignedIn("The access token has expired: refresh it.") from None
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError):
        raise NotSignedIn("The access token is not valid.") from None


@functools.lru_cache(maxsize=TOKENS_KEPT)
def _signed(key: bytes, token: str) -> tuple[Claims, int]:
    """What a signed token says, and when it ends; it comes with every request and stays true till then."""
    found = _JWT.decode_complete(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=CLOCKS_DIFFER,
        options={"require": list(CLAIMS), "strict_aud": True},
    )
    payload = found["payload"]
    # The library leaves the kind of a token to us; anything else in the header is not of our making.
    if found["header"] != HEADER or payload["typ"] != "access":
        raise jwt.InvalidTokenError("another kind of token")
    return Claims(uuid.UUID(payload["sub"]), uuid.UUID(payload["sid"])), int(payload["exp"])


# -- Refresh tokens ------------------------------------------------------------------------------------------


def _successor(key: bytes, token: str) -> str:
    """The token that follows: nobody without the key can tell it, and the same request gets the same one."""
    made = hmac.new(key, b"refresh token after " + token.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return urlsafe_b64encode(made.digest()).rstrip(b"=").decode()


def _keep(session: Session, sign_in_id: int, token: str, now: datetime) -> None:
    session.add(
        RefreshToken(
            sign_in_id=sign_in_id,
            token_hash=auth.token_hash(token),
            created_at=now,
            expires_at=now + REFRESH_LASTS,
        )
    )


def _of_lost_answer(session: Session, hashed: bytes, successor: str, now: datetime) -> int | None:
    """The sign-in of a used token whose answer seems lost; for any other used token the sign-in is ended."""
    used = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == hashed))
    if used is None or used.used_at is None:  # unknown, or too old
        return None
    waiting = session.scalar(
        select(RefreshToken.id).where(
            RefreshToken.token_hash == auth.token_hash(successor), RefreshToken.used_at.is_(None)
        )
    )
    if waiting is not None and now - used.used_at <= GRACE:
        return used.sign_in_id
    ended = session.execute(
        update(SignIn)
        .where(SignIn.id == used.sign_in_id, SignIn.ended_at.is_(None))
        .values(ended_at=now, ended_because="a refresh token was used twice")
        .returning(SignIn.person_id, SignIn.device)
    ).first()
    if ended is not None:
        person = session.get_one(Person, ended.person_id)
        said = {"device": ended.device, "because": "a refresh token was used twice"}
        audit.note(session, None, "ended a sign-in of", "person", person.uid, before=said)
    return None


def _holds(now: datetime | BindParameter[datetime]) -> tuple:
    """What makes a sign-in of a program count."""
    return (
        SignIn.kind == "api",
        auth.is_open(now),
        Person.is_active,
        SignIn.created_at >= Person.password_changed_at,
    )
