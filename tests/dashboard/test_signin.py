"""Who gets in, what they carry, and that the database has the last word."""

import warnings
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import sqlalchemy as sa
import streamlit as st

from core import auth, people, sign_ins
from dashboard import signin
from db.models import Person, SignIn
from tests.dashboard.conftest import plain, words
from tests.makers import PASSWORD, a_person, a_product, an_actor


def sign_in(app, email, password):
    app.text_input[0].set_value(email)
    app.text_input[1].set_value(password)
    return app.button[0].click().run()


def test_nobody_sees_anything_but_the_form(browser, session):
    a_product(session, 5, name="Secret")
    app = browser(None)
    assert not app.exception
    assert [field.label for field in app.text_input] == ["E-mail", "Password"]
    assert not app.dataframe
    assert "Secret" not in words(app)


def test_the_right_password_opens_the_view_and_carries_an_opaque_token(browser, session):
    person = a_person(session, "user", name="Ada")
    app = sign_in(browser(None), f" {person.email.upper()} ", PASSWORD)
    assert not app.exception
    assert app.title[0].value == "What needs you today"
    token = app.session_state["sign_in"]["token"]
    assert len(token) > 40
    assert person.email not in token
    kept = session.scalars(sa.select(SignIn.token_hash).where(SignIn.person_id == person.id)).one()
    assert token.encode() not in kept


def test_a_wrong_password_is_one_red_sentence(browser, session):
    person = a_person(session)
    for email in (person.email, "nobody@shop.example"):
        app = sign_in(browser(None), email, "wrong")
        assert [error.value.replace("\\", "") for error in app.error] == ["E-mail or password is wrong."]


def test_spaces_of_a_password_count(browser, session):
    auth.create_person(session, email="a@shop.example", name="A", role="user", password="  spaces around  ")
    assert sign_in(browser(None), "a@shop.example", "spaces around").error
    assert sign_in(browser(None), "a@shop.example", "  spaces around  ").title


def test_an_address_copied_off_a_page_signs_in(browser, session):
    person = a_person(session, "user")
    app = sign_in(browser(None), person.email.replace("@", "\u2060@"), PASSWORD)
    assert not app.error
    assert app.title[0].value == "What needs you today"


def test_guesses_are_throttled(browser, session):
    person = a_person(session)
    app = browser(None)
    for _ in range(auth.GUESSES_PER_ACCOUNT):
        sign_in(app, person.email, "wrong")
    sign_in(app, person.email, PASSWORD)
    assert "Too many wrong passwords" in plain(app.error[0].value)


def test_signing_out_ends_it_in_the_database(browser, session):
    app = browser("manager")
    token = app.session_state["sign_in"]["token"]
    next(b for b in app.button if b.key == "sign_out").click().run()
    assert not app.exception
    assert [field.label for field in app.text_input] == ["E-mail", "Password"]
    assert auth.who(session, token, datetime.now(UTC)) is None


@pytest.mark.parametrize("change", ["switched off", "signed out elsewhere", "expired"])
def test_the_next_click_asks_the_database(browser, session, change):
    app = browser("manager")
    person = session.scalars(sa.select(Person).order_by(Person.id.desc()).limit(1)).one()
    if change == "switched off":
        session.execute(sa.update(Person).where(Person.id == person.id).values(is_active=False))
    elif change == "expired":
        past = datetime.now(UTC) - timedelta(days=1)
        session.execute(sa.update(SignIn).where(SignIn.person_id == person.id).values(expires_at=past))
    else:
        auth.sign_out(session, app.session_state["sign_in"]["token"], datetime.now(UTC))
    app.run()
    assert not app.exception
    assert [field.label for field in app.text_input] == ["E-mail", "Password"]


def test_what_somebody_left_whose_sign_in_ended_is_not_the_next_persons(browser, session):
    app = browser("user", "scan")
    first, second = app.session_state["belongs_to"], a_person(session, "user", name="Next")
    app.session_state["desks"] = {"scan": {"waiting": ["a code of the first person's"]}}
    auth.sign_out(session, app.session_state["sign_in"]["token"], datetime.now(UTC))
    app.run()
    app = sign_in(app, second.email, PASSWORD)
    assert not app.exception
    assert app.session_state["belongs_to"] == second.id != first
    held = app.session_state["desks"] if "desks" in app.session_state else {}  # noqa: SIM401  (it has no get)
    assert "a code of the first person's" not in held.get("scan", {}).get("waiting", [])


def test_a_changed_role_counts_at_the_next_click(browser, session):
    product = a_product(session, 5)
    app = browser("manager", "product", id=str(product.uid))
    assert app.number_input
    person = session.scalars(sa.select(Person).order_by(Person.id.desc()).limit(1)).one()
    session.execute(sa.update(Person).where(Person.id == person.id).values(role="viewer"))
    session.expire_all()
    app.run()
    assert not app.number_input


@pytest.mark.parametrize(
    "nonsense",
    ["", "x", "a" * 5000, "eyJhbGciOiJub25lIn0.e30.", "\x00" * 30, "é" * 40, "'; DROP TABLE person; --"],
)
def test_a_malformed_token_means_signed_out(browser, nonsense):
    app = browser(None)
    app.session_state["sign_in"] = {"token": nonsense}
    app.run()
    assert not app.exception
    assert app.text_input[0].label == "E-mail"


# -- What streamlit-authenticator would have let in; its cookie is a JWT, ours an opaque token --------------


def _jwt(claims, key="some_key", algorithm="HS256"):
    with warnings.catch_warnings(action="ignore"):  # the key is too short, which is the point
        return jwt.encode(claims, key if algorithm != "none" else None, algorithm=algorithm)


TOMORROW = datetime(2199, 1, 1, tzinfo=UTC).timestamp()
FORGED = {
    "the library's default key": _jwt({"username": "EMAIL", "exp_date": TOMORROW}),
    "no signature": _jwt({"username": "EMAIL", "exp_date": TOMORROW}, algorithm="none"),
    "another algorithm": _jwt({"username": "EMAIL", "exp_date": TOMORROW}, algorithm="HS512"),
    "no exp_date": _jwt({"username": "EMAIL"}),
    "long expired": _jwt({"username": "EMAIL", "exp_date": 1, "exp": 1}),
    "not even three parts": "a.b",
    "somebody's e-mail": "EMAIL",
    "a hash out of the database": "HASH",
}


@pytest.fixture
def came_with(monkeypatch):
    """Whoever opens a page next brings this cookie."""
    brought = {}
    monkeypatch.setattr(type(st.context), "cookies", property(lambda _: brought))
    return lambda value: brought.update({auth.COOKIE: value})


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_cookie_is_nobody(browser, session, came_with, name):
    person = a_person(session, "admin")
    auth.sign_in(session, person.email, PASSWORD, "here", datetime.now(UTC))
    session.flush()
    kept = session.scalars(sa.select(SignIn.token_hash)).one()
    came_with(FORGED[name].replace("EMAIL", person.email).replace("HASH", kept.hex()))
    app = browser(None)
    assert not app.exception
    assert [field.label for field in app.text_input] == ["E-mail", "Password"]


@pytest.mark.parametrize("after", ["nothing", "sign-out", "deactivation", "a new password", "end elsewhere"])
def test_a_stolen_cookie_works_as_long_as_its_owner_wants(browser, session, came_with, after):
    person, admin, now = a_person(session, "user"), an_actor(session, "admin"), datetime.now(UTC)
    stolen, own = (auth.sign_in(session, person.email, PASSWORD, "x", now).token for _ in range(2))
    if after == "sign-out":
        auth.sign_out(session, stolen, now)
    elif after == "deactivation":
        people.deactivate(session, admin, person.uid, now)
        people.reactivate(session, admin, person.uid)
    elif after == "a new password":
        actor = auth.actor_of(person)
        people.change_own_password(session, actor, PASSWORD, "another long one", now, own)
    elif after == "end elsewhere":
        sign_ins.end_own(session, auth.actor_of(person), now, own)
    came_with(stolen)
    app = browser(None)
    assert not app.exception
    assert bool(app.title) is (after == "nothing")


def test_the_throttle_survives_reruns_and_new_browsers(browser, session):
    """The library counts in a dictionary that a rerun or a restart empties."""
    person = a_person(session)
    for _ in range(auth.GUESSES_PER_ACCOUNT):
        sign_in(browser(None), person.email, "wrong")
    app = sign_in(browser(None), person.email, PASSWORD)
    assert "Too many wrong passwords" in plain(app.error[0].value)


@pytest.mark.parametrize("text", ["x" * 73, "ä" * 300, "x" * 20_000, "\x00\x00", "*_[](http://evil.example)"])
def test_whatever_is_typed_is_one_red_sentence(browser, session, text):
    person = a_person(session)
    for email in (person.email, text):
        app = sign_in(browser(None), email, text)
        assert not app.exception
        assert [plain(error.value) for error in app.error] == ["E-mail or password is wrong."]


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
         "Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 "
         "Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
        ("curl/8.5.0" * 20, ("curl/8.5.0" * 6)),
        ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_a_browser_is_called_what_people_call_it(agent, said):
    assert signin.device(agent) == said


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("shop.example", True)],
)
def test_the_banner_speaks_where_others_can_reach_the_demo_passwords(
    browser, session, monkeypatch, host, is_open
):
    a_person(session)
    session.execute(sa.update(Person).values(is_demo=True))
    monkeypatch.setenv("HOST", host)
    assert signin.is_loopback() is not is_open
    app = browser("manager")
    assert bool(app.warning) is is_open


def test_the_demo_accounts_are_listed_in_front_of_this_machine_only(browser, session, monkeypatch):
    from db.models import Shop

    person = a_person(session)
    session.execute(sa.update(Person).values(is_demo=True))
    session.execute(sa.update(Shop).values(is_demo=True))
    monkeypatch.setenv("HOST", "127.0.0.1")
    assert person.email in plain(words(browser(None)))
    monkeypatch.setenv("HOST", "0.0.0.0")
    assert person.email not in plain(words(browser(None)))


def test_an_empty_form_says_what_it_needs(browser):
    app = sign_in(browser(None), "", "")
    assert [plain(error.value) for error in app.error] == ["Enter your e-mail and your password."]


def test_in_production_an_unsafe_dashboard_shows_nobody_which_setting_is_weak(browser, monkeypatch, caplog):
    import streamlit as st

    monkeypatch.setenv("APP_ENV", "production")
    st.cache_resource.clear()
    app = browser(None)
    assert [plain(error.value) for error in app.error] == [
        "Runout is not set up yet: its log says what is missing."
    ]
    assert "JWT_SECRET_KEY is missing" in caplog.text
    st.cache_resource.clear()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counted"),
    [
        ("", "203.0.113.9", "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("172.30.84.0/24, 127.0.0.0/8", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("nonsense", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
    ],
)
def test_guesses_count_against_the_visitor_only_when_a_proxy_of_ours_names_one(
    monkeypatch, proxies, forwarded, counted
):
    import streamlit as st

    from dashboard import signin

    said = {"X-Forwarded-For": forwarded} if forwarded else {}
    monkeypatch.setattr(type(st.context), "headers", property(lambda _: said))
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    assert signin.whereabouts()["address"] == counted
