"""The API keys view: making one, its secret shown once, revoking it, and the list."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import api_keys
from core.errors import NotSignedIn
from db.models import ApiKey, AuditLine, Person
from tests.dashboard.conftest import plain, words
from tests.makers import a_key, a_person


def press(app, key):
    app.button(key=key).click().run()
    assert not app.exception
    return app


def field(boxes, start):
    return next(box for box in boxes if box.key and box.key.startswith(start))


def fill(app, name="Till 2", person="Ada", rights=("move stock",), last=None):
    """Fill in the form of a new key, which is for looking unless said otherwise."""
    field(app.text_input, "key_name_").set_value(name)
    choices = field(app.selectbox, "key_person_")
    account = next((one for one in choices.options if one.startswith(f"{person} ·")), None)
    if account:
        choices.set_value(account)
    app.run()
    for right in rights:
        field(app.checkbox, f"key_right_{right}_").check()
    if last:
        field(app.date_input, "key_last_").set_value(last)
    return app


def rows(app):
    return app.dataframe[0].value


def open_key(app, name):
    picker = next(box for box in app.selectbox if box.label == "Open a row of the table")
    return picker.select(rows(app)["Name"].tolist().index(name)).run()


def test_an_empty_list_says_what_keys_are_for_and_a_search_that_nothing_fits(browser, session):
    assert "No machine has a key yet" in plain(words(browser("admin", "api_keys")))
    a_key(session, a_person(session, "user", name="Ada"), name="Till *1*")
    assert rows(browser("admin", "api_keys", q="ada"))["Name"].tolist() == ["Till *1*"]
    assert "No key fits" in plain(words(browser("admin", "api_keys", q="nothing like it")))
    assert "No key fits" in plain(words(browser("admin", "api_keys", state="revoked")))
    app = browser("admin", "api_keys", state="nonsense", page="99")
    assert len(app.error) == 2
    assert len(rows(app)) == 1


def test_a_key_is_made_once_and_its_secret_is_shown_once(browser, session):
    a_person(session, "user", name="Ada")
    app = fill(press(browser("admin", "api_keys"), "new_key"))
    press(app, "make_key")
    secret, example = (block.value for block in app.code)
    assert example.count(secret) == 1
    assert "works until it is revoked" in plain(app.success[0].value)
    assert "/api/v1/products" in example
    known = api_keys.who(session, api_keys.read(secret), datetime.now(UTC))
    assert (known.actor.name, known.actor.rights) == ("Ada", {"read", "move stock"})
    assert secret not in str(session.execute(sa.select(ApiKey.shown, ApiKey.token_hash)).all())
    # Elsewhere, or later, it is not to be seen again.
    press(app, "key_copied")
    assert not app.code
    assert secret not in str(app.session_state["desks"])
    assert rows(app).iloc[0][["Name", "Acts for", "May", "Last used", "Ends", "State"]].tolist() == [
        "Till 2", "Ada (user)", "Look, Move stock", "never", "no end", "Active",
    ]  # fmt: skip
    assert secret not in str(rows(app))
    said = sa.select(AuditLine.after).where(AuditLine.subject_type == "API key")
    assert session.scalars(said).one()["for"]


def test_what_the_person_may_not_cannot_be_chosen(browser, session):
    a_person(session, "viewer", name="Ada")
    app = fill(press(browser("admin", "api_keys"), "new_key"), rights=())
    assert field(app.checkbox, "key_right_buy_").disabled
    assert "needs the role manager" in plain(field(app.checkbox, "key_right_buy_").label)
    assert not field(app.checkbox, "key_right_read_").disabled


@pytest.mark.parametrize(
    ("about", "limit", "why"),
    [
        ({"name": ""}, None, "Name: say which machine"),
        ({"person": "Nobody"}, None, "Acts for: choose one"),
        ({"last": date(2020, 1, 1)}, None, "Last day: 2020-01-01 is not between today and"),
        ({}, 0, "not between 1 and"),
        ({}, 2.5, "2.5 is not a whole number"),
        ({}, 1e12, "not between 1 and"),
    ],
)
def test_a_form_that_cannot_be_meant_is_one_red_sentence_and_makes_nothing(
    browser, session, about, limit, why
):
    a_person(session, "user", name="Ada")
    app = fill(press(browser("admin", "api_keys"), "new_key"), **about)
    if limit is not None:
        field(app.number_input, "key_limit_").set_value(limit)
    press(app, "make_key")
    assert why in plain(app.error[0].value)
    assert session.scalar(sa.select(sa.func.count()).select_from(ApiKey)) == 0
    assert field(app.text_input, "key_name_").value == about.get("name", "Till 2")


def test_a_key_ends_with_the_day_that_was_typed(browser, session):
    a_person(session, "user", name="Ada")
    app = fill(press(browser("admin", "api_keys"), "new_key"), last=date(2031, 12, 31))
    press(app, "make_key")
    assert "works to the end of 31 Dec 2031" in plain(app.success[0].value).replace("*", "")
    press(app, "key_copied")
    assert rows(app)["Ends"].tolist() == ["31 Dec 2031"]


def test_revoking_is_asked_twice_and_works_from_the_next_request_on(browser, session):
    key, secret = a_key(session, a_person(session, "user", name="Ada"), name="Till")
    app = press(open_key(browser("admin", "api_keys"), "Till"), "revoke_key")
    assert "cannot be taken back" in plain(words(app))
    press(press(app, "not_sure"), "revoke_key")
    api_keys.who(session, api_keys.read(secret), datetime.now(UTC))
    press(app, "sure")
    assert "Till is revoked" in plain(words(app)).replace("*", "")
    with pytest.raises(NotSignedIn, match="revoked"):
        api_keys.who(session, api_keys.read(secret), datetime.now(UTC))
    assert "revoke_key" not in {button.key for button in app.button}
    session.expire_all()
    assert key.revoked_by is not None


def test_an_admin_who_was_demoted_meanwhile_makes_no_key(browser, session):
    a_person(session, "user", name="Ada")
    app = fill(press(browser("admin", "api_keys"), "new_key"))
    session.execute(sa.update(Person).where(Person.role == "admin").values(role="manager"))
    session.expire_all()
    press(app, "make_key")
    assert session.scalar(sa.select(sa.func.count()).select_from(ApiKey)) == 0
    assert not app.code


def test_a_key_that_ended_says_so(browser, session):
    person = a_person(session, "user", name="Ada")
    key, _ = a_key(session, person, name="Pull", per_minute=1200)
    key.expires_at = datetime.now(UTC) - timedelta(hours=1)
    session.flush()
    app = browser("admin", "api_keys")
    assert rows(app).iloc[0][["A minute", "State"]].tolist() == ["1,200", "Expired"]
    open_key(app, "Pull")
    assert "Last day was" in plain(words(app))
