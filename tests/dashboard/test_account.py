"""One's own account: name, password, and where one is signed in."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core import auth, sign_ins
from db.models import Person, SignIn
from tests.dashboard.conftest import plain, words
from tests.makers import PASSWORD

NEW = "another long one"


def me(session):
    return session.scalars(sa.select(Person).order_by(Person.id.desc()).limit(1)).one()


def press(app, label):
    app.button[[button.label for button in app.button].index(label)].click().run()
    assert not app.exception
    return app


def change_password(app, old, new, again=None):
    for name, value in (("old", old), ("new", new), ("again", new if again is None else again)):
        app.text_input(key=f"own_{name}").set_value(value)
    return press(app, "Change the password")


def elsewhere(session, person):
    outcome = auth.sign_in(
        session, person.email, PASSWORD, "192.0.2.9", datetime.now(UTC), device="Safari on iPhone"
    )
    session.commit()  # on the rolled-back connection that the page uses too
    return outcome.token


@pytest.mark.parametrize("role", ["viewer", "user", "manager", "admin"])
def test_everybody_finds_their_own_name_in_the_sidebar(browser, session, role):
    app = browser(role)
    link = app.sidebar.get("page_link")[0]
    assert plain(link.proto.label) == me(session).name
    assert browser(role, "account").title[0].value == "Your account"


def test_ones_name_is_changed_here_and_in_the_sidebar(browser):
    app = browser("viewer", "account")
    app.text_input(key="own_name").set_value("Ada <b>L</b>")
    press(app, "Change the name")
    assert "your name now" in plain(app.success[0].value)
    assert plain(app.sidebar.get("page_link")[0].proto.label) == "Ada <b>L</b>"
    app.text_input(key="own_name").set_value("  ")
    press(app, "Change the name")
    assert "nobody is called nothing" in plain(app.error[0].value)


def test_the_password_is_changed_and_other_sign_ins_end_while_this_one_stays(browser, session):
    app = browser("viewer", "account")
    person = me(session)
    other = elsewhere(session, person)
    change_password(app, PASSWORD, NEW)
    assert "every other sign-in has ended" in plain(app.success[0].value)
    assert app.title[0].value == "Your account"
    assert auth.who(session, other, datetime.now(UTC)) is None
    assert auth.sign_in(session, person.email, NEW, "here", datetime.now(UTC)).token


@pytest.mark.parametrize(
    ("old", "new", "again", "why"),
    [
        ("wrong", NEW, NEW, "present password is not"),
        (PASSWORD, "short", "short", "too short"),
        (PASSWORD, NEW, "different", "not the same"),
        (PASSWORD, PASSWORD, PASSWORD, "already"),
        (PASSWORD, "ä" * 37, "ä" * 37, "too long"),
        ("", "", "", "too short"),
    ],
)
def test_a_refused_change_is_one_red_sentence_and_changes_nothing(browser, session, old, new, again, why):
    app = change_password(browser("viewer", "account"), old, new, again)
    assert [why in plain(error.value) for error in app.error] == [True]
    assert auth.sign_in(session, me(session).email, PASSWORD, "here", datetime.now(UTC)).token


def test_guesses_at_the_present_password_are_throttled(browser):
    app = browser("viewer", "account")
    for _ in range(auth.GUESSES_PER_ACCOUNT + 1):
        change_password(app, "guess", NEW)
    assert "Too many wrong passwords" in plain(app.error[0].value)


def test_sign_ins_are_listed_and_ended_one_by_one(browser, session):
    app = browser("viewer", "account")
    person = me(session)
    other = elsewhere(session, person)
    app.run()
    said = plain(words(app))
    assert "Safari on iPhone" in said
    assert "192.0.2.9" in said
    uid = session.scalars(sa.select(SignIn.uid).where(SignIn.token_hash == auth.token_hash(other))).one()
    app.button(key=f"end-{uid}").click().run()
    assert "Signed out there" in plain(app.success[0].value)
    assert auth.who(session, other, datetime.now(UTC)) is None
    assert len(sign_ins.listing(session, auth.actor_of(person), datetime.now(UTC))) == 1


def test_signing_out_everywhere_else_stays_here_and_everywhere_does_not(browser, session):
    app = browser("viewer", "account")
    person = me(session)
    others = [elsewhere(session, person) for _ in range(2)]
    app.run()
    app.button(key="end_others").click().run()
    assert [auth.who(session, token, datetime.now(UTC)) for token in others] == [None, None]
    assert app.title[0].value == "Your account"
    app.button(key="end_all").click().run()
    assert not app.exception
    assert [field.label for field in app.text_input] == ["E-mail", "Password"]
    assert sign_ins.listing(session, auth.actor_of(person), datetime.now(UTC)) == []
