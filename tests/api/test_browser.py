"""The proxy lets a file of the dashboard pass only for somebody whose cookie is a sign-in of this moment."""

from datetime import UTC, datetime, timedelta

import pytest

from core import auth
from db.session import transaction
from tests import makers

ASKED = "/api/v1/auth/browser"


@pytest.fixture
def token(client):  # noqa: ARG001
    with transaction() as session:
        person = makers.a_person(session, "user")
        return auth.sign_in(session, person.email, makers.PASSWORD, "test", datetime.now(UTC)).token


def asked(client, cookie):
    return client.get(ASKED, headers={"Cookie": f"{auth.COOKIE}={cookie}"}).status_code


def test_somebody_signed_in_at_the_dashboard_may_pass(client, token):
    assert asked(client, token) == 204


@pytest.mark.parametrize("cookie", ["", "nonsense", "x" * 5_000, "eyJhbGciOiJub25lIn0.e30."])
def test_nobody_passes_with_nonsense_or_without_a_cookie(client, cookie):
    assert asked(client, cookie) == 401
    assert client.get(ASKED).status_code == 401


def test_signing_out_closes_the_door_at_the_next_question(client, token):
    with transaction() as session:
        auth.sign_out(session, token, datetime.now(UTC) + timedelta(seconds=1))
    assert asked(client, token) == 401


def test_a_programs_token_is_no_cookie(client, as_role):
    access = as_role("admin")["Authorization"].removeprefix("Bearer ")
    assert asked(client, access) == 401
