"""Each endpoint of the document, asked with every kind of bad token, by every role and by machines.

What an endpoint is to answer follows from the right that the document names; nothing here lists endpoints.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from core import api_keys, auth, people, tokens
from core.rights import RIGHTS
from db.models import ROLES, Person
from db.session import transaction
from tests import loops, makers
from tests.api.conftest import KEY
from tests.api.test_rights import operations

LASTS = timedelta(minutes=15)
# What a machine cannot do although it may look: it has no sign-in.
PEOPLE_ONLY = {"POST /api/v1/auth/logout"}
# What takes a second right, since it books.
ALSO = {"DELETE /api/v1/inventory-transactions/{transaction_id}": "move stock"}


class Asker:
    """Asks the application without a server or a client between: thousands of questions in seconds."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def status(self, method: str, path: str, authorization: str | None, body: bytes = b"") -> int:
        headers = [(b"host", b"shop.example"), (b"content-length", str(len(body)).encode())]
        if authorization is not None:
            headers.append((b"authorization", authorization.encode()))
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": method.upper(), "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "headers": headers, "client": ("192.0.2.1", 1), "server": ("shop.example", 80),
        }  # fmt: skip
        statuses = []

        async def receive() -> dict:
            if not statuses:
                return {"type": "http.request", "body": body, "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        try:
            await self.app(scope, receive, send)
        except Exception:  # the answer to it is out
            statuses.append(500)
        return statuses[0]


@pytest.fixture
def ask(client, app, caplog) -> Callable[[list], list[int]]:  # noqa: ARG001
    """Statuses of questions (method, path, authorization, body), asked one after the other."""
    caplog.set_level("WARNING", "runout")  # a line a question would take as long as the question

    async def each(questions: list) -> list[int]:
        asker = Asker(app)
        return [await asker.status(*question) for question in questions]

    return lambda questions: loops.run(each(questions))


@pytest.fixture
def guarded(client) -> list[tuple[str, str, str, str]]:
    """Name, method, path and right of every operation that is not public."""
    return [found for found in operations(client) if found[3] != "public"]


def signed_in(session, person: Person) -> tokens.Granted:
    return tokens.sign_in(session, KEY, person.email, makers.PASSWORD, "here", datetime.now(UTC), lasts=LASTS)


# -- Tokens and keys that do not count -----------------------------------------------------------------------


def made(granted: tokens.Granted, *, key=KEY, alg="HS256", header=None, without=(), **claims) -> str:
    """The access token of this sign-in with other claims, another header or another key."""
    said = jwt.decode(granted.access_token, options={"verify_signature": False}) | claims
    kept = {name: value for name, value in said.items() if name not in without}
    return "Bearer " + jwt.encode(kept, key, alg, headers={"typ": "at+jwt"} | (header or {}))


def forged(granted: tokens.Granted) -> dict[str, str | None]:
    """What can be told from a token of ours without the database, by what is wrong with it."""
    now = int(time.time())
    return {
        "no token": None,
        "garbage": "Bearer garbage",
        "expired": made(granted, exp=now - 60),
        "iat in the future": made(granted, iat=now + 600),
        "nbf in the future": made(granted, nbf=now + 600),
        "alg none": made(granted, key=None, alg="none"),
        "HS512": made(granted, key=KEY * 2, alg="HS512"),
        "HS384": made(granted, key=KEY + KEY, alg="HS384"),
        "wrong key": made(granted, key=b"another key of thirty-two bytes or more"),
        "wrong iss": made(granted, iss="somebody"),
        "wrong aud": made(granted, aud="somebody"),
        **{f"no {name}": made(granted, without=[name]) for name in ("exp", "jti", "sub")},
        "refresh as access": f"Bearer {granted.refresh_token}",
        "unknown crit": made(granted, header={"crit": ["b64"], "b64": True}),
        "other typ in the header": made(granted, header={"typ": "JWT"}),
        "other typ claim": made(granted, typ="refresh"),
        "key, bad checksum": f"Bearer {api_keys.new_secret()[:-1]}-",
    }


def ended(session, granted: tokens.Granted) -> dict[str, str]:
    """Well-made tokens and keys that count nowhere, most of them since something happened to an admin."""
    now, other = datetime.now(UTC), makers.an_actor(session, "admin")
    admins = [makers.a_person(session, "admin") for _ in range(5)]
    gone, renewed, out, switched_on, former = admins
    bearers = {person.email: f"Bearer {signed_in(session, person).access_token}" for person in admins}
    keys = {person.email: makers.a_key(session, person, api_keys.KEY_RIGHTS) for person in admins}
    people.deactivate(session, other, gone.uid, now)
    people.deactivate(session, other, switched_on.uid, now)
    people.reactivate(session, other, switched_on.uid)
    people.change_own_password(
        session, auth.actor_of(renewed), makers.PASSWORD, "quite another one", datetime.now(UTC)
    )
    given = tokens.read(KEY, bearers[out.email].removeprefix("Bearer "))
    tokens.sign_out(session, auth.actor_of(out), given, now)
    key, revoked = keys[former.email]
    api_keys.revoke(session, other, key.uid, now)
    key, expired = makers.a_key(session, former, api_keys.KEY_RIGHTS)
    key.expires_at = now - timedelta(seconds=1)
    key, orphan = makers.a_key(session, makers.a_person(session, "admin"), api_keys.KEY_RIGHTS)
    session.execute(update(Person).where(Person.id == key.person_id).values(is_active=False))
    return {
        "another sign-in": made(granted, sid=str(uuid.uuid4())),
        "key, unknown": f"Bearer {api_keys.new_secret()}",
        "of a deactivated person": bearers[gone.email],
        "of somebody who was deactivated in between": bearers[switched_on.email],
        "from before a password change": bearers[renewed.email],
        "signed out": bearers[out.email],
        "key of a deactivated person": f"Bearer {keys[gone.email][1]}",
        "key of somebody who was deactivated in between": f"Bearer {keys[switched_on.email][1]}",
        "key of a closed account": f"Bearer {orphan}",
        "key, revoked": f"Bearer {revoked}",
        "key, expired": f"Bearer {expired}",
    }


def test_what_does_not_count_gets_nowhere_and_nobody_reads_its_body(ask, guarded):
    with transaction() as session:
        granted = signed_in(session, makers.a_person(session, "admin"))
        bad, gone = forged(granted), ended(session, granted)
    asked = [
        (name, why, (method, path, authorization, b"{" if why in bad and method != "get" else b""))
        for name, method, path, _ in guarded
        for why, authorization in (bad | gone).items()
    ]
    statuses = ask([question for _, _, question in asked])
    wrong = [
        (name, why, status) for (name, why, _), status in zip(asked, statuses, strict=True) if status != 401
    ]
    assert wrong == []
    assert len(bad | gone) >= 27


def test_an_access_token_or_a_key_refreshes_nothing(client):
    with transaction() as session:
        granted = signed_in(session, makers.a_person(session, "admin"))
        _, secret = makers.a_key(session, rights=["read"])
    for token in (granted.access_token, secret, ""):
        answer = client.post("/api/v1/auth/refresh", json={"refresh_token": token})
        assert answer.status_code == (401 if token else 422)
    assert (
        "not refreshed"
        in client.post("/api/v1/auth/refresh", json={"refresh_token": secret}).json()["detail"]
    )


# -- Roles and keys ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Caller:
    """Somebody whose token or key counts.

    Attributes:
        rights: all they have.
        leaving: another token of theirs, to sign out with; None for a machine.
        about: the one right that this caller is made for; None for all.
    """

    name: str
    rights: frozenset[str]
    bearer: str
    leaving: str | None = None
    about: str | None = None

    def may(self, name: str, right: str) -> bool:
        if name in PEOPLE_ONLY and self.leaving is None:
            return False
        return {right, ALSO.get(name, right)} <= self.rights


def callers(session) -> list[Caller]:
    """Each role with a token and with a key, then admins who are something weaker by now."""
    found = []
    for role, became in [(role, role) for role in ROLES] + [("admin", role) for role in ROLES[:-1]]:
        person = makers.a_person(session, role)
        first, second = (signed_in(session, person).access_token for _ in range(2))
        _, secret = makers.a_key(session, person, api_keys.grantable(role))
        person.role = became
        session.flush()
        rights = frozenset(right for right in RIGHTS if auth.role_has(became, right))
        found += [
            Caller(f"{role}, now {became}", rights, f"Bearer {first}", f"Bearer {second}"),
            Caller(f"key of {role}, now {became}", rights, f"Bearer {secret}"),
        ]
    for right in api_keys.KEY_RIGHTS:
        others = [other for other in api_keys.KEY_RIGHTS if other != right]
        for name, given in ((f"key to {right} only", [right]), (f"key for all but to {right}", others)):
            _, secret = makers.a_key(session, makers.a_person(session, "admin"), given)
            found.append(Caller(name, frozenset(given), f"Bearer {secret}", about=right))
    return found


def is_asked(caller: Caller, right: str) -> bool:
    """A key with one right, or with all others, is about that one: the rest is asked with other keys."""
    return caller.about in (None, right)


def test_everybody_gets_as_far_as_declared_and_a_machine_as_far_as_its_key_and_its_persons_role(ask, guarded):
    with transaction() as session:
        everybody = callers(session)
    asked = [
        (caller, name, right, (method, path, caller.leaving if leaves and caller.leaving else caller.bearer))
        for caller in everybody
        for name, method, path, right in guarded
        for leaves in [name in PEOPLE_ONLY]
        if is_asked(caller, right)
    ]
    statuses = ask([question for *_, question in asked])
    wrong = [
        (caller.name, name, status)
        for (caller, name, right, _), status in zip(asked, statuses, strict=True)
        if (status in (401, 403)) == caller.may(name, right)
        or status >= 500
        or (not caller.may(name, right) and status != 403)
    ]
    assert wrong == []


def test_keys_are_given_all_that_the_api_has_use_for_and_nothing_else(guarded):
    assert {right for *_, right in guarded} == set(api_keys.KEY_RIGHTS)


def test_a_key_is_told_why_it_is_refused(client):
    with transaction() as session:
        person = makers.a_person(session, "manager")
        _, secret = makers.a_key(session, person, ["read"])
    bearer = {"Authorization": f"Bearer {secret}"}
    for method, path, body, words in (
        ("post", "/api/v1/auth/logout", None, "has no sign-in"),
        ("post", "/api/v1/auth/register",
         {"email": "a@b.example", "password": "a long enough one", "full_name": "A"}, "has no sign-in"),
        ("post", "/api/v1/warehouses", {"code": "B"}, "This API key may not edit the catalogue"),
    ):  # fmt: skip
        answer = client.request(method, path, json=body, headers=bearer)
        assert (answer.status_code, answer.json()["type"]) == (403, "NotAllowed")
        assert words in answer.json()["detail"]
