"""Access tokens of others get nowhere, refresh tokens work once, and what ends a sign-in ends it at once."""

import base64
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from sqlalchemy import func, select

from core import auth, people, tokens
from db.models import AuditLine, Person, RefreshToken, SignIn
from db.session import reading, transaction
from tests import makers
from tests.api.conftest import KEY

ME = "/api/v1/auth/me"


@pytest.fixture
def signed_in(client):
    """The answer of a login, of a manager."""
    with transaction() as session:
        email = makers.a_person(session, "manager").email
    return client.post("/api/v1/auth/login", json={"email": email, "password": makers.PASSWORD}).json()


def status_of(client, token: str) -> int:
    answer = client.get(ME, headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 200:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"] == "NotSignedIn"
    return answer.status_code


def forged(signed_in, *, key=KEY, algorithm="HS256", header=None, without=(), **claims) -> str:
    """The token of this sign-in with other claims, another header or another key."""
    said = jwt.decode(signed_in["access_token"], options={"verify_signature": False}) | claims
    said = {name: value for name, value in said.items() if name not in without}
    return jwt.encode(said, key, algorithm, headers={"typ": "at+jwt"} | (header or {}))


def in_(**ago) -> int:
    return int((datetime.now(UTC) + timedelta(**ago)).timestamp())


ATTACKS = {
    "garbage": lambda _: "garbage",
    "empty": lambda _: "",
    "two parts": lambda s: s["access_token"].rpartition(".")[0],
    "very long": lambda _: "a" * 100_000,
    "alg none": lambda s: forged(s, key=None, algorithm="none"),
    "another algorithm": lambda s: forged(s, key=KEY * 2, algorithm="HS512"),
    "our key, another algorithm": lambda s: forged(s, algorithm="HS384"),
    "another key": lambda s: forged(s, key=b"another key of thirty-two bytes or more"),
    "another issuer": lambda s: forged(s, iss="somebody"),
    "another audience": lambda s: forged(s, aud="somebody"),
    "one of several audiences": lambda s: forged(s, aud=["runout-api", "somebody"]),
    "no exp": lambda s: forged(s, without=["exp"]),
    "no jti": lambda s: forged(s, without=["jti"]),
    "no iat": lambda s: forged(s, without=["iat"]),
    "no iss": lambda s: forged(s, without=["iss"]),
    "no aud": lambda s: forged(s, without=["aud"]),
    "no sub": lambda s: forged(s, without=["sub"]),
    "no sid": lambda s: forged(s, without=["sid"]),
    "no typ": lambda s: forged(s, without=["typ"]),
    "expired": lambda s: forged(s, exp=in_(seconds=-30)),
    "exp is no number": lambda s: forged(s, exp="soon"),
    "iat in the future": lambda s: forged(s, iat=in_(minutes=5)),
    "nbf in the future": lambda s: forged(s, nbf=in_(minutes=5)),
    "another kind, claim": lambda s: forged(s, typ="refresh"),
    "another kind, header": lambda s: forged(s, header={"typ": "JWT"}),
    "unknown crit": lambda s: forged(s, header={"crit": ["exp", "b64"], "b64": True}),
    "key id": lambda s: forged(s, header={"kid": "../../dev/null"}),
    "a refresh token": lambda s: s["refresh_token"],
    "another person": lambda s: forged(s, sub=str(uuid.uuid4())),
    "sub is no id": lambda s: forged(s, sub="admin"),
    "sub is a number": lambda s: forged(s, sub=1),
    "another sign-in": lambda s: forged(s, sid=str(uuid.uuid4())),
    "sid is a list": lambda s: forged(s, sid=[str(uuid.uuid4())]),
    "payload changed": lambda s: changed_payload(s["access_token"]),
}


def changed_payload(token: str) -> str:
    head, body, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": str(uuid.uuid4())}
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def test_only_our_own_fresh_access_tokens_count(client, signed_in):
    assert status_of(client, signed_in["access_token"]) == 200
    assert status_of(client, forged(signed_in)) == 200  # the forgery itself is sound
    statuses = {name: status_of(client, make(signed_in)) for name, make in ATTACKS.items()}
    assert {name: status for name, status in statuses.items() if status != 401} == {}


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Token x", "", "Bearer \x7f", "x" * 5000])
def test_other_ways_to_say_who_one_is_are_refused(client, header):
    assert client.get(ME, headers={"Authorization": header}).status_code == 401


def test_two_tokens_at_once_are_refused(client, signed_in):
    bearer = ("Authorization", f"Bearer {signed_in['access_token']}")
    assert client.get(ME, headers=[bearer]).status_code == 200
    assert client.get(ME, headers=[bearer, bearer]).status_code == 401


def test_an_access_token_is_no_refresh_token(client, signed_in):
    answer = client.post("/api/v1/auth/refresh", json={"refresh_token": signed_in["access_token"]})
    assert answer.status_code == 401


# -- What ends a sign-in -------------------------------------------------------------------------------------


def both_statuses(client, pair) -> tuple[int, int]:
    again = client.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    return status_of(client, pair["access_token"]), again.status_code


def the_person(session, pair) -> Person:
    return session.scalars(select(Person).where(Person.uid == uuid.UUID(pair["user"]["id"]))).one()


def test_signing_out_ends_both_tokens_on_the_next_request(client, signed_in):
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
    assert client.post("/api/v1/auth/logout", headers=bearer).status_code == 200
    assert both_statuses(client, signed_in) == (401, 401)


def test_a_deactivation_ends_both_tokens_on_the_next_request(client, signed_in):
    with transaction() as session:
        admin = makers.an_actor(session, "admin")
        people.deactivate(session, admin, signed_in["user"]["id"], datetime.now(UTC))
    assert both_statuses(client, signed_in) == (401, 401)
    with transaction() as session:  # and a reactivation does not bring them back
        people.reactivate(session, admin, signed_in["user"]["id"])
    assert both_statuses(client, signed_in) == (401, 401)


def test_a_new_password_ends_both_tokens_on_the_next_request(client, signed_in):
    with transaction() as session:
        actor = auth.actor_of(the_person(session, signed_in))
        people.change_own_password(session, actor, makers.PASSWORD, "a new and long one", datetime.now(UTC))
    assert both_statuses(client, signed_in) == (401, 401)


def test_a_token_from_before_the_password_counts_no_more_even_when_nobody_ended_its_sign_in(
    client, signed_in
):
    with transaction() as session:
        the_person(session, signed_in).password_changed_at = datetime.now(UTC) + timedelta(seconds=1)
    assert both_statuses(client, signed_in) == (401, 401)


def test_a_new_role_counts_on_the_next_request(client, signed_in):
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}

    def create(code: str) -> int:
        return client.post("/api/v1/warehouses", json={"code": code}, headers=bearer).status_code

    assert create("A") == 201
    with transaction() as session:
        admin = makers.an_actor(session, "admin")
        people.change_role(session, admin, signed_in["user"]["id"], "viewer")
    assert create("B") == 403
    assert client.get(ME, headers=bearer).json()["role"] == "viewer"


def test_a_browsers_sign_in_cannot_be_named_by_a_token(client, signed_in):
    with transaction() as session:
        person = the_person(session, signed_in)
        auth.sign_in(session, person.email, makers.PASSWORD, "local", datetime.now(UTC))
        browser = session.scalars(select(SignIn).where(SignIn.kind == "browser")).one().uid
    assert status_of(client, forged(signed_in, sid=str(browser))) == 401


# -- Refreshing ----------------------------------------------------------------------------------------------


def refresh(client, token: str):
    return client.post("/api/v1/auth/refresh", json={"refresh_token": token})


def let_pass(seconds: float) -> None:
    """As if the refresh tokens had been used that much earlier."""
    with transaction() as session:
        for row in session.scalars(select(RefreshToken).where(RefreshToken.used_at.is_not(None))):
            row.used_at -= timedelta(seconds=seconds)


def test_a_refresh_token_brings_a_new_pair_and_only_hashes_are_kept(client, signed_in):
    answer = refresh(client, signed_in["refresh_token"])
    assert answer.status_code == 200
    pair = answer.json()
    assert set(pair) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert pair["refresh_token"] != signed_in["refresh_token"]
    assert status_of(client, pair["access_token"]) == 200
    with reading() as session:
        kept = session.scalars(select(RefreshToken.token_hash)).all()
    assert [len(one) for one in kept] == [32, 32]
    assert pair["refresh_token"].encode() not in kept


def test_a_lost_answer_is_given_again_within_ten_seconds(client, signed_in):
    first = refresh(client, signed_in["refresh_token"]).json()
    second = refresh(client, signed_in["refresh_token"]).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert status_of(client, second["access_token"]) == 200
    assert refresh(client, first["refresh_token"]).status_code == 200


@pytest.mark.parametrize("because", ["too late", "successor used"])
def test_a_used_refresh_token_ends_the_whole_family(client, signed_in, because):
    pair = refresh(client, signed_in["refresh_token"]).json()
    if because == "too late":
        let_pass(11)
    else:
        pair = refresh(client, pair["refresh_token"]).json()
    assert refresh(client, signed_in["refresh_token"]).status_code == 401
    assert both_statuses(client, pair) == (401, 401)
    with reading() as session:
        ended = session.scalars(select(SignIn)).one()
    assert ended.ended_because == "a refresh token was used twice"


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_of_eight_refreshes_at_once_one_makes_the_successor_and_all_get_it(client, signed_in):
    answers, start = [], threading.Barrier(8)

    def one() -> None:
        start.wait()
        answers.append(refresh(client, signed_in["refresh_token"]))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    with reading() as session:
        assert len(session.scalars(select(RefreshToken)).all()) == 2


LASTS = timedelta(minutes=15)


def asked_for(token: str, now: datetime) -> tokens.Granted:
    with transaction() as session:
        return tokens.refresh(session, KEY, token, now, lasts=LASTS)


def family_of(person: Person, now: datetime) -> str:
    with transaction() as session:
        return tokens.sign_in(
            session, KEY, person.email, makers.PASSWORD, "here", now, lasts=LASTS
        ).refresh_token


@pytest.mark.usefixtures("clone")
def test_of_twenty_races_each_has_one_successor_and_a_race_for_a_used_token_ends_the_family():
    """Each race asks with the token that the one before it brought."""
    now, racers = datetime.now(UTC), 4
    with transaction() as session:
        person = makers.a_person(session)
    token = first = family_of(person, now)
    with ThreadPoolExecutor(racers) as pool:
        for n in range(20):
            answers = list(pool.map(lambda _, given=token: asked_for(given, now), range(racers)))
            assert [answer.refusal for answer in answers] == [None] * racers
            (token,) = {answer.refresh_token for answer in answers}
            with reading() as session:
                assert session.scalar(select(func.count()).select_from(RefreshToken)) == n + 2
        answers = list(pool.map(lambda _: asked_for(first, now), range(racers)))
        assert all(answer.refusal for answer in answers)
    assert asked_for(token, now).refusal
    with reading() as session:
        ended = select(func.count()).where(AuditLine.action == "ended a sign-in of")
        assert session.scalar(ended.select_from(AuditLine)) == 1


@pytest.mark.parametrize("length", [2, 5])
@pytest.mark.usefixtures("client")
def test_the_return_of_any_older_token_ends_its_whole_family_and_no_other(length):
    now = datetime.now(UTC)
    with transaction() as session:
        person = makers.a_person(session)
    other = family_of(person, now)
    for older in range(length):
        chain = [family_of(person, now)]
        for _ in range(length):
            chain.append(asked_for(chain[-1], now).refresh_token)
        # Only the last but one may have been a lost answer, and only for ten seconds.
        assert asked_for(chain[older], now + timedelta(seconds=11)).refusal
        assert all(asked_for(token, now).refusal for token in chain)
    assert asked_for(other, now).refusal is None


def test_an_old_refresh_token_ends_nothing(client, signed_in):
    with transaction() as session:
        session.scalars(select(RefreshToken)).one().expires_at = datetime.now(UTC)
    assert refresh(client, signed_in["refresh_token"]).status_code == 401
    assert status_of(client, signed_in["access_token"]) == 200


@pytest.mark.parametrize("token", ["x", "x" * 2000, "é€", "' OR 1=1--"])
def test_unknown_refresh_tokens_are_refused(client, token):
    assert refresh(client, token).status_code == 401


def test_rows_of_old_refresh_tokens_are_swept_when_a_new_one_is_made(client, signed_in):
    pair = refresh(client, signed_in["refresh_token"]).json()
    with transaction() as session:
        old = session.scalars(select(RefreshToken).where(RefreshToken.used_at.is_not(None))).one()
        old.expires_at = datetime.now(UTC) - timedelta(days=1)
    refresh(client, pair["refresh_token"])
    with reading() as session:
        assert len(session.scalars(select(RefreshToken)).all()) == 2


# -- The arithmetic ------------------------------------------------------------------------------------------


def test_a_short_key_is_no_key():
    claims = tokens.Claims(uuid.uuid4(), uuid.uuid4())
    token = tokens.issue(KEY, claims.person, claims.sign_in, datetime.now(UTC), timedelta(minutes=15))
    assert tokens.read(KEY, token) == claims
    with pytest.raises(jwt.InvalidKeyError):
        tokens.issue(b"short", claims.person, claims.sign_in, datetime.now(UTC), timedelta(minutes=15))


def test_an_access_token_lasts_as_long_as_said():
    now = datetime.now(UTC)
    token = tokens.issue(KEY, uuid.uuid4(), uuid.uuid4(), now, timedelta(minutes=15))
    said = jwt.decode(token, options={"verify_signature": False})
    assert said["exp"] - said["iat"] == 900
    assert said["exp"] > time.time()
