"""Signing in and making accounts."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.main import make_app
from api.routers import auth as auth_routes
from core import shop
from db.models import Person, SignInAttempt
from db.session import reading, transaction
from tests import makers
from tests.api.conftest import SETTINGS

REGISTER, LOGIN = "/api/v1/auth/register", "/api/v1/auth/login"
JOHN = {"email": "user@example.com", "password": "securepassword123", "full_name": "John Doe"}


def people_count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Person))


@pytest.fixture
def demo(client):
    with transaction() as session:
        shop.get(session).is_demo = True
    return client


def with_self_registration(switched_on: bool) -> TestClient:
    return TestClient(make_app(replace(SETTINGS, self_registration=switched_on)))


def test_who_signs_in_gets_tokens_and_is_told_who_they_are(client):
    with transaction() as session:
        person = makers.a_person(session, "user", name="Ada")
    answer = client.post(LOGIN, json={"email": person.email.upper(), "password": makers.PASSWORD})
    assert answer.status_code == 200
    said = answer.json()
    assert said["token_type"] == "bearer"
    assert said["expires_in"] == 900
    assert said["user"]["full_name"] == "Ada"
    me = client.get("/api/v1/auth/me", headers={"Authorization": f"bearer {said['access_token']}"})
    assert me.json() == said["user"]
    assert set(me.json()) == {"id", "email", "full_name", "role", "is_active", "created_at"}
    assert me.json()["created_at"].endswith("Z")


def test_a_wrong_password_and_an_unknown_name_sound_alike(client):
    with transaction() as session:
        email = makers.a_person(session).email
    wrong = client.post(LOGIN, json={"email": email, "password": "wrong"})
    unknown = client.post(LOGIN, json={"email": "nobody@shop.example", "password": "wrong"})
    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"] == "Bearer"


def test_guesses_are_counted_although_they_are_refused_and_the_eleventh_has_to_wait(client):
    with transaction() as session:
        email = makers.a_person(session).email
    statuses = [client.post(LOGIN, json={"email": email, "password": "no"}).status_code for _ in range(10)]
    assert statuses == [401] * 10
    right = client.post(LOGIN, json={"email": email, "password": makers.PASSWORD})
    assert right.status_code == 429
    assert 800 < int(right.headers["retry-after"]) <= 901
    assert right.json()["type"] == "TooMany"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 10


def test_who_would_wait_too_long_for_a_comparison_is_sent_away_at_once(demo, monkeypatch):
    monkeypatch.setattr(auth_routes, "MOST_WAITING", 0)
    for address, body in ((LOGIN, {"email": JOHN["email"], "password": "x"}), (REGISTER, JOHN)):
        answer = demo.post(address, json=body)
        assert (answer.status_code, answer.json()["type"]) == (429, "TooMany")
        assert answer.headers["retry-after"] == "5"
    with reading() as session:  # nothing was compared, so nothing counts as a guess
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


def test_the_demo_shop_lets_everybody_register_as_a_user(demo):
    answer = demo.post(REGISTER, json=JOHN)
    assert answer.status_code == 201
    assert answer.json()["role"] == "user"
    assert demo.post(LOGIN, json={k: JOHN[k] for k in ("email", "password")}).status_code == 200
    again = demo.post(REGISTER, json=JOHN | {"email": "USER@example.com"})
    assert (again.status_code, again.json()["type"]) == (400, "RuleBroken")


@pytest.mark.parametrize("role", ["admin", "user", "", None])
def test_who_registers_alone_may_not_name_a_role(demo, role):
    before = people_count()
    answer = demo.post(REGISTER, json=JOHN | {"role": role})
    assert answer.status_code == 422
    assert people_count() == before


def test_elsewhere_nobody_registers_alone(client):
    assert client.post(REGISTER, json=JOHN).status_code == 401


@pytest.mark.usefixtures("demo")
def test_the_setting_decides_before_the_demo_shop():
    assert with_self_registration(False).post(REGISTER, json=JOHN).status_code == 401
    with transaction() as session:
        shop.get(session).is_demo = False
    assert with_self_registration(True).post(REGISTER, json=JOHN).status_code == 201


def test_admins_register_anybody_with_any_role(client, as_role):
    for role in ("viewer", "user", "manager", "admin"):
        wanted = JOHN | {"email": f"{role}@example.com", "role": role}
        answer = client.post(REGISTER, json=wanted, headers=as_role("admin"))
        assert (answer.status_code, answer.json()["role"]) == (201, role)
    unknown = client.post(REGISTER, json=JOHN | {"role": "root"}, headers=as_role("admin"))
    assert unknown.status_code == 422


@pytest.mark.parametrize("role", ["viewer", "user", "manager"])
def test_a_weaker_role_registers_nobody_even_where_everybody_may(demo, as_role, role):
    assert demo.post(REGISTER, json=JOHN, headers=as_role(role)).status_code == 403


def test_a_bad_token_registers_nobody_even_where_everybody_may(demo):
    for header in ("Bearer x", "Basic x", ""):
        answer = demo.post(REGISTER, json=JOHN, headers={"Authorization": header})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "short"},
        {"password": "password123"},
        {"password": "x" * 73},
        {"email": "nobody"},
        {"email": "a@b\n.de"},
        {"full_name": ""},
        {"full_name": "a\x00b"},
        {"is_admin": True},
        {"id": "123e4567-e89b-12d3-a456-426614174000"},
    ],
)
def test_what_cannot_be_meant_makes_no_account(demo, wrong):
    before = people_count()
    assert demo.post(REGISTER, json=JOHN | wrong).status_code == 422
    assert people_count() == before
