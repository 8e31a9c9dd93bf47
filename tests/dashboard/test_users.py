"""The Users view: who is here, inviting, roles, deactivation; and the page behind a link."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import streamlit as st

from core import auth, logs, people
from dashboard import invitation
from db.models import PasswordLink, Person
from tests.dashboard.conftest import plain, words
from tests.makers import PASSWORD, a_person, an_actor

NEW = "another long one"
LINK = "http://shop.example:8501/?link="


@pytest.fixture(autouse=True)
def _address(monkeypatch):
    """AppTest has no browser that could say where it is."""
    monkeypatch.setattr(type(st.context), "url", property(lambda _: "http://shop.example:8501/"))


def rows(app):
    return app.dataframe[0].value


def open_account(app, name):
    """Open somebody's drawer, as the keyboard does."""
    picker = next(box for box in app.selectbox if box.label == "Open a row of the table")
    return picker.select(rows(app)["Name"].tolist().index(name)).run()


def press(app, key):
    app.button(key=key).click().run()
    assert not app.exception
    return app


def answer(app):
    return plain(app.success[0].value)


def test_everybody_is_listed_with_role_and_status(browser, session):
    person = a_person(session, "user", name="Ada")
    auth.sign_in(session, person.email, PASSWORD, "here", datetime.now(UTC))
    a_person(session, "viewer", name="Bob").is_active = False
    admin = an_actor(session, "admin")
    people.invite(session, admin, email="c@shop.example", name="Cy", role="user", now=datetime.now(UTC))
    people.invite(
        session, admin, email="d@shop.example", name="Di", role="user",
        now=datetime.now(UTC) - timedelta(days=8),
    )  # fmt: skip
    auth.system_actor(session)
    found = rows(browser("admin", "users")).set_index("Name")
    assert found.Status[["Ada", "Bob", "Cy", "Di"]].tolist() == [
        "Active", "Deactivated", "Invited", "Link too old",
    ]  # fmt: skip
    assert (found["Signed in"]["Ada"], found["Last seen"]["Bob"]) == ("1", "never")
    assert "Runout" not in found.index


def test_the_list_is_searched_and_says_when_nobody_is_found(browser, session):
    a_person(session, name="Ada Lovelace")
    assert rows(browser("admin", "users", q="lovelace"))["Name"].tolist() == ["Ada Lovelace"]
    app = browser("admin", "users", q="nobody at all")
    assert "Nobody is called that" in plain(words(app))


def test_a_long_list_says_that_it_was_cut(browser, monkeypatch):
    monkeypatch.setattr(people, "MOST_ACCOUNTS", 1)
    app = browser("admin", "users")
    assert len(rows(app)) == 1
    assert "search for the others" in plain(words(app))


def test_a_link_is_made_shown_once_and_opens_the_account(browser, session):
    app = press(browser("admin", "users"), "invite")
    app.text_input(key="invite_email").set_value("ada@shop.example")
    app.text_input(key="invite_name").set_value("Ada *bold*")
    app.selectbox(key="invite_role").select("manager")
    app.button[[b.label for b in app.button].index("Make the link")].click().run()
    assert not app.exception
    assert "Ada *bold* chooses a password with this link until" in answer(app)
    (code,) = [block.value for block in app.code]
    assert code.startswith(LINK)
    token = code.removeprefix(LINK)
    assert token not in str(session.scalars(sa.select(PasswordLink.token_hash)).all())
    # Elsewhere, or later, it is not to be seen again.
    app.switch_page("views/users.py").run()
    press(app, "invite")
    assert not app.code
    guest = browser(None, link=token)
    assert "link" not in guest.query_params
    assert guest.main.text[0].value == "For Ada *bold*, who signs in as ada@shop.example."
    assert "At least 8 characters" in plain(words(guest))
    guest.text_input(key="link_password").set_value(NEW)
    guest.text_input(key="link_again").set_value(NEW)
    guest.button[0].click().run()
    assert not guest.exception
    assert guest.title[0].value == "What needs you today"
    assert (
        session.scalars(sa.select(Person.role).where(Person.email == "ada@shop.example")).one() == "manager"
    )


def test_an_account_with_a_password_is_made_directly(browser, session):
    app = press(browser("admin", "users"), "invite")
    app.segmented_control(key="invite_how").set_value("password").run()
    app.text_input(key="invite_email").set_value("ada@shop.example")
    app.text_input(key="invite_password").set_value(NEW)
    app.button[[b.label for b in app.button].index("Add the account")].click().run()
    assert "can sign in as ada@shop.example" in answer(app)
    assert not app.code
    assert auth.sign_in(session, "ada@shop.example", NEW, "here", datetime.now(UTC)).token


@pytest.mark.parametrize(
    ("email", "why"),
    [("", "not an e-mail"), ("nonsense", "not an e-mail"), ("[x](http://evil.example)@b", "already|not an")],
)
def test_a_bad_invitation_is_one_red_sentence(browser, session, email, why):
    before = session.scalar(sa.select(sa.func.count()).select_from(Person))
    app = press(browser("admin", "users"), "invite")
    app.text_input(key="invite_email").set_value(email)
    app.button[[b.label for b in app.button].index("Make the link")].click().run()
    assert len(app.error) <= 1
    if app.error:
        assert re.search(why, plain(app.error[0].value))
        assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == before + 1  # the admin


def test_a_role_is_changed_and_the_answer_says_so(browser, session):
    person = a_person(session, "user", name="Ada")
    app = open_account(browser("admin", "users"), "Ada")
    app.selectbox(key=f"role_{person.uid}").select("viewer").run()
    press(app, "change_role")
    assert "viewer now" in answer(app)
    session.expire_all()
    assert person.role == "viewer"


def test_deactivating_is_asked_twice_and_can_be_taken_back(browser, session):
    person = a_person(session, "user", name="Ada")
    token = auth.sign_in(session, person.email, PASSWORD, "here", datetime.now(UTC)).token
    app = press(open_account(browser("admin", "users"), "Ada"), "deactivate")
    assert "cannot sign in until" in plain(words(app))
    press(press(app, "not_sure"), "deactivate")
    session.expire_all()
    assert person.is_active
    press(app, "sure")
    assert "Deactivated" in answer(app)
    assert auth.who(session, token, datetime.now(UTC)) is None
    press(app, "reactivate")
    session.expire_all()
    assert person.is_active


def test_signing_somebody_out_and_a_new_link(browser, session):
    person = a_person(session, "user", name="Ada")
    token = auth.sign_in(session, person.email, PASSWORD, "here", datetime.now(UTC)).token
    app = press(open_account(browser("admin", "users"), "Ada"), "reset")
    (code,) = [block.value for block in app.code]
    assert people.link_owner(session, code.removeprefix(LINK), datetime.now(UTC)).id == person.id
    assert auth.who(session, token, datetime.now(UTC)) is not None
    press(press(app, "sign_out_person"), "sure")
    assert "1 sign-in has ended" in answer(app)
    assert not app.code
    assert auth.who(session, token, datetime.now(UTC)) is None


def test_ones_own_account_has_no_dangerous_buttons(browser, session):
    app = browser("admin", "users")
    me = session.scalars(sa.select(Person.name).order_by(Person.id.desc()).limit(1)).one()
    open_account(app, me)
    assert "This is you" in plain(words(app))
    assert not {"deactivate", "change_role", "sign_out_person"} & {button.key for button in app.button}


def test_an_admin_who_was_demoted_meanwhile_changes_nothing(browser, session):
    person = a_person(session, "user", name="Ada")
    app = press(open_account(browser("admin", "users"), "Ada"), "deactivate")
    session.execute(sa.update(Person).where(Person.role == "admin").values(role="manager"))
    session.expire_all()
    press(app, "sure")
    session.expire_all()
    assert person.is_active
    assert "Ada" not in str([frame.value for frame in app.dataframe])


@pytest.mark.parametrize(
    ("here", "link"),
    [
        ("http://shop.example:8501/users", "http://shop.example:8501/?link=t"),
        ("https://shop.example/", "https://shop.example/?link=t"),
        ("https://shop.example/stock/users/", "https://shop.example/stock/?link=t"),
        ("https://shop.example/stock", "https://shop.example/stock/?link=t"),
        (None, "http://localhost:8501/?link=t"),
    ],
)
def test_a_link_leads_to_where_the_dashboard_is_and_to_no_view(monkeypatch, here, link):
    monkeypatch.setattr(type(st.context), "url", property(lambda _: here))
    assert invitation.address("t") == link


def test_the_log_keeps_no_link():
    line = logs.without_secrets('GET /?link=9GaeZTp5TUNhuYo3HXMc7apj HTTP/1.1" 200')
    assert line == 'GET /?link=*** HTTP/1.1" 200'


# -- The page behind a link ----------------------------------------------------------------------------------


@pytest.fixture
def link(session):
    admin = an_actor(session, "admin")
    about = {"email": "new@shop.example", "name": "New One", "role": "user"}
    return people.invite(session, admin, now=datetime.now(UTC), **about)[1]


@pytest.mark.parametrize("token", ["", "x", "%00", "a" * 5000, "<script>alert(1)</script>", "\x00"])
def test_a_link_that_opens_nothing_says_so_kindly(browser, token):
    app = browser(None, link=token)
    assert not app.exception
    assert "does not open anything any more" in plain(words(app))
    press(app, "drop_link")
    assert [field.label for field in app.text_input] == ["E-mail", "Password"]


def test_a_used_link_says_so(browser, session, link):
    people.use_link(session, link, NEW, datetime.now(UTC))
    assert "used already" in plain(words(browser(None, link=link)))


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("short", "short", "too short"),
        (NEW, "something else", "not the same"),
        ("", "", "too short"),
        ("password1", "password1", "commonest"),
        ("x" * 73, "x" * 73, "too long"),
    ],
)
def test_a_refused_password_can_be_tried_again(browser, session, link, first, second, why):
    app = browser(None, link=link)
    app.text_input(key="link_password").set_value(first)
    app.text_input(key="link_again").set_value(second)
    app.button[0].click().run()
    assert not app.exception
    assert why in plain(app.error[0].value)
    assert people.link_owner(session, link, datetime.now(UTC)) is not None


def test_a_link_that_was_used_while_the_form_was_open_is_refused(browser, session, link):
    app = browser(None, link=link)
    people.use_link(session, link, NEW, datetime.now(UTC))
    app.text_input(key="link_password").set_value("a third password")
    app.text_input(key="link_again").set_value("a third password")
    app.button[0].click().run()
    assert not app.exception
    assert "does not open anything any more" in plain(words(app))
    assert auth.sign_in(session, "new@shop.example", NEW, "here", datetime.now(UTC)).token


def test_somebody_signed_in_is_told_whose_link_it_is_and_may_go_on_or_stay(browser, link):
    app = browser("viewer", link=link)
    assert "This link is for New One" in plain(words(app))
    press(app, "drop_link")
    assert app.title[0].value == "What needs you today"
    app = browser("viewer", link=link)
    press(app, "sign_out")
    assert [field.label for field in app.text_input] == ["New password", "The same again"]
