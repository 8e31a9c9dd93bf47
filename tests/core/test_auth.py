"""Who gets in, and what they may do."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import auth, passwords
from core.errors import BadInput, NotAllowed, RuleBroken, TooMany
from db.models import AuditLine, Person, SignIn
from tests.makers import PASSWORD, a_person, an_actor

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
HERE = "192.0.2.1"


def signed_in(session, person, now=NOW):
    outcome = auth.sign_in(session, person.email, PASSWORD, HERE, now)
    assert outcome.refusal is None
    return outcome.token


def test_the_right_password_opens_a_sign_in_that_lasts(session):
    person = a_person(session, "manager")
    token = signed_in(session, person)
    assert auth.who(session, token, NOW + timedelta(days=2)).email == person.email
    assert token.encode() not in session.scalars(sa.select(SignIn.token_hash)).all()


def test_the_name_is_matched_whatever_its_case_and_the_password_is_not(session):
    person = a_person(session)
    assert auth.sign_in(session, f" {person.email.upper()} ", PASSWORD, HERE, NOW).token
    assert auth.sign_in(session, person.email, PASSWORD.upper(), HERE, NOW).refusal


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_wrong_guesses_are_refused_alike_and_then_throttled(session, name):
    email = a_person(session).email if name == "known" else "nobody@shop.example"
    for _ in range(auth.GUESSES_PER_ACCOUNT):
        assert "wrong" in auth.sign_in(session, email, "guess", HERE, NOW).refusal.sentence
    refusal = auth.sign_in(session, email, PASSWORD, HERE, NOW).refusal
    assert isinstance(refusal, TooMany)
    assert refusal.retry_after_seconds <= 15 * 60 + 1


@pytest.mark.parametrize("who", ["nobody", "deactivated", "invited", "system", "known", "overlong"])
def test_whoever_is_asked_for_one_password_is_compared(session, monkeypatch, who):
    """A look-up that returns at once tells which e-mails have an account (0.002 against 509 ms)."""
    person = a_person(session)
    if who == "deactivated":
        person.is_active = False
    elif who == "invited":
        person.password_hash = passwords.NONE
    auth.system_actor(session)
    passwords.dummy()
    real, compared = passwords.bcrypt.checkpw, []
    monkeypatch.setattr(passwords.bcrypt, "checkpw", lambda *a: compared.append(_kept(a)) or real(*a))
    email = {"nobody": "nobody@shop.example", "system": auth.SYSTEM_EMAIL, "overlong": "x" * 9999}
    assert auth.sign_in(session, email.get(who, person.email), "guess", HERE, NOW).refusal
    assert compared.count(True) == 1


def _kept(given):
    """Whether the second argument is a hash that bcrypt really works on."""
    return given[1].startswith(b"$2b$")


def test_the_throttle_survives_a_restart(session):
    """The counter of streamlit-authenticator lives in a dictionary and forgets; ours is rows."""
    person = a_person(session)
    for _ in range(auth.GUESSES_PER_ACCOUNT):
        auth.sign_in(session, person.email, "guess", HERE, NOW)
    session.flush()
    session.expunge_all()
    refusal = auth.sign_in(session, person.email, PASSWORD, "198.51.100.7", NOW).refusal
    assert isinstance(refusal, TooMany)


def test_the_throttle_ends_by_itself(session):
    person = a_person(session)
    for _ in range(auth.GUESSES_PER_ACCOUNT):
        auth.sign_in(session, person.email, "guess", HERE, NOW)
    assert auth.sign_in(session, person.email, PASSWORD, HERE, NOW + timedelta(minutes=16)).token


def test_one_address_cannot_try_many_accounts(session, monkeypatch):
    monkeypatch.setattr(auth, "GUESSES_PER_ADDRESS", 3)
    for number in range(3):
        auth.sign_in(session, f"a{number}@shop.example", "guess", HERE, NOW)
    person = a_person(session)
    assert isinstance(auth.sign_in(session, person.email, PASSWORD, HERE, NOW).refusal, TooMany)
    assert auth.sign_in(session, person.email, PASSWORD, "192.0.2.2", NOW).token


def test_sign_out_makes_a_copied_cookie_worthless(session):
    token = signed_in(session, a_person(session))
    auth.sign_out(session, token, NOW)
    assert auth.who(session, token, NOW) is None


def test_deactivation_and_role_change_act_at_once(session):
    person = a_person(session, "admin")
    token = signed_in(session, person)
    person.role = "viewer"
    session.flush()
    assert auth.who(session, token, NOW).role == "viewer"
    person.is_active = False
    session.flush()
    assert auth.who(session, token, NOW) is None


@pytest.mark.parametrize("token", [None, "", "x", "x" * 10_000, "\x00", "ö"])
def test_a_malformed_token_is_nobody(session, token):
    assert auth.who(session, token, NOW) is None


def test_a_sign_in_ends_after_three_idle_days_and_after_fourteen_in_any_case(session):
    token = signed_in(session, a_person(session))
    assert auth.who(session, token, NOW + timedelta(days=4)) is None
    for day in range(1, 14):
        auth.seen(session, token, NOW + timedelta(days=day))
    assert auth.who(session, token, NOW + timedelta(days=13.5)) is not None
    assert auth.who(session, token, NOW + timedelta(days=14, seconds=1)) is None


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "too short"), ("x" * 73, "too long"), ("ä" * 37, "too long"), ("password1", "commonest")],
)
def test_weak_passwords_are_refused_by_name(session, password, why):
    with pytest.raises(BadInput, match=why):
        auth.create_person(session, email="a@b.example", name="A", role="user", password=password)


def test_the_contracts_example_password_is_accepted():
    passwords.check("securepassword123")


def test_an_account_is_made_once_by_an_admin_and_written_down(session):
    boss = an_actor(session, "admin")
    person = auth.create_person(
        session, email="New@Shop.example", name="", role="user", password=PASSWORD, actor=boss
    )
    with pytest.raises(RuleBroken, match=r"new@shop\.example has an account"):
        auth.create_person(
            session, email="new@shop.example", name="", role="user", password=PASSWORD, actor=boss
        )
    line = session.scalars(sa.select(AuditLine).where(AuditLine.subject_id == str(person.uid))).one()
    assert (line.actor_id, line.action) == (boss.id, "created")
    assert line.after == {"email": "new@shop.example", "name": "new@shop.example", "role": "user"}
    with pytest.raises(NotAllowed, match="manager"):
        auth.create_person(
            session, email="x@y.example", name="", role="user", password=PASSWORD, actor=an_actor(session)
        )


@pytest.mark.parametrize(("email", "role"), [("nonsense", "user"), ("a@b.example", "king")])
def test_nonsense_is_refused(session, email, role):
    with pytest.raises(BadInput):
        auth.create_person(session, email=email, name="", role=role, password=PASSWORD)


def test_the_system_cannot_sign_in(session):
    auth.system_actor(session)
    assert auth.sign_in(session, auth.SYSTEM_EMAIL, "!", HERE, NOW).refusal
    assert session.scalar(sa.select(sa.func.count()).where(Person.email == auth.SYSTEM_EMAIL)) == 1


def test_rights_grow_with_the_role(session):
    viewer, user, manager, admin = (
        an_actor(session, role) for role in ("viewer", "user", "manager", "admin")
    )
    assert [auth.may(a, "move stock") for a in (viewer, user, manager, admin)] == [False, True, True, True]
    assert [auth.may(a, "train") for a in (viewer, user, manager, admin)] == [False, False, True, True]
    assert [auth.may(a, "manage people") for a in (viewer, user, manager, admin)] == [False] * 3 + [True]
    assert not auth.may(None, "read")


HOSTILE = ["\0", "a\ud800@shop.example", "x" * 10_000_000, "", "a\0@shop.example"]


def test_an_error_of_the_database_does_not_tell_the_values_it_was_given(session):
    with pytest.raises(sa.exc.DataError) as error, session.begin_nested():
        session.execute(sa.text("SELECT 1 / 0, :hash"), {"hash": "$2b$12$secret"})
    assert "secret" not in str(error.value)


def test_what_nobody_can_be_called_is_a_wrong_name_or_password_and_counts(session, monkeypatch):
    monkeypatch.setattr(auth, "GUESSES_PER_ADDRESS", 5)
    person = a_person(session)
    for text in HOSTILE:
        assert "wrong" in auth.sign_in(session, text, text, HERE, NOW).refusal.sentence
    assert isinstance(auth.sign_in(session, person.email, PASSWORD, HERE, NOW).refusal, TooMany)
    assert auth.sign_in(session, person.email, PASSWORD, "\0" * 1000, NOW).token
    for text in HOSTILE:
        assert auth.who(session, text, NOW) is None
        auth.sign_out(session, text, NOW)


def test_nobody_gets_a_name_or_password_that_cannot_be_kept(session):
    for text in HOSTILE:
        with pytest.raises(BadInput) as refusal:
            auth.create_person(session, email=text, name="A", role="user", password=PASSWORD)
        assert len(refusal.value.sentence.encode()) < 250
        with pytest.raises(BadInput):
            passwords.check(text)
    with pytest.raises(BadInput):
        a_person(session, name="x" * 10_000)


@pytest.mark.parametrize("tail", ["x", "", "\ud800", "ä" * 500])
def test_a_password_is_never_cut_without_a_word(session, tail):
    """bcrypt reads 72 bytes: a longer guess that begins right is wrong all the same."""
    password = "correct horse " * 5 + "xx"
    assert len(password.encode()) == passwords.MAX_BYTES
    person = a_person(session)
    person.password_hash = passwords.hashed(password)
    session.flush()
    outcome = auth.sign_in(session, person.email, password + tail, HERE, NOW)
    assert bool(outcome.token) is (tail == "")


def test_a_password_is_measured_in_characters():
    with pytest.raises(BadInput, match="at least 8 characters"):
        passwords.check("äöü€")


def test_signing_out_is_written_down_once(session):
    person = a_person(session)
    token = signed_in(session, person)
    for _ in range(2):
        auth.sign_out(session, token, NOW)
    said = sa.select(AuditLine.action).where(AuditLine.actor_id == person.id).order_by(AuditLine.id)
    assert session.scalars(said).all() == ["created", "signed in", "signed out"]
