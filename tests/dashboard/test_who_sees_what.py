"""Every view for every role, while it goes well and when the ground is taken away: the next click knows."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import auth
from db.models import ROLES, Person, SignIn
from tests.dashboard.conftest import APP
from tests.makers import a_product

FORM = ["E-mail", "Password"]
FRONT = "What needs you today"


def _views():
    """The table of views as app.py has it; importing app.py would draw it."""
    for node in ast.parse(APP.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VIEWS":
            return {Path(row[1]).stem: row[4] for row in ast.literal_eval(node.value)}
    raise AssertionError("app.py has no table of views")


RIGHT_OF = _views()


def may(role, view):
    return ROLES.index(role) >= ROLES.index(auth.RIGHTS[RIGHT_OF[view]])


def is_form(app):
    return [field.label for field in app.text_input] == FORM and not app.title and not app.dataframe


def deactivated(session, person):
    session.execute(sa.update(Person).where(Person.id == person).values(is_active=False))


def demoted(session, person):
    role = session.scalar(sa.select(Person.role).where(Person.id == person))
    weaker = ROLES[ROLES.index(role) - 1]
    session.execute(sa.update(Person).where(Person.id == person).values(role=weaker))


def signed_out_elsewhere(session, person):
    ended = {"ended_at": datetime.now(UTC), "ended_because": "signed out"}
    session.execute(sa.update(SignIn).where(SignIn.person_id == person).values(ended))


def expired(session, person):
    past = datetime.now(UTC) - timedelta(seconds=1)
    session.execute(sa.update(SignIn).where(SignIn.person_id == person).values(expires_at=past))


def restore(session, app, person, role, token):
    session.execute(sa.update(Person).where(Person.id == person).values(role=role, is_active=True))
    later = datetime.now(UTC) + timedelta(days=1)
    open_ = {"ended_at": None, "ended_because": None, "expires_at": later}
    session.execute(sa.update(SignIn).where(SignIn.person_id == person).values(open_))
    app.session_state["sign_in"] = {"token": token}


@pytest.mark.parametrize("view", RIGHT_OF)
@pytest.mark.parametrize("role", ROLES)
def test_a_view_is_there_for_those_who_may_and_gone_at_the_next_click(browser, session, role, view):
    if not may(role, view):
        with pytest.raises(ValueError, match="Could not find a navigation page"):
            browser(role, view)
        return
    about = {"id": str(a_product(session, 5).uid)} if view in ("product", "edit_product") else {}
    app = browser(role, view, **about)
    assert not app.exception
    shown = app.title[0].value
    assert shown != FRONT or view == "today"
    person = session.scalars(sa.select(Person.id).order_by(Person.id.desc()).limit(1)).one()
    token = app.session_state["sign_in"]["token"]
    for take_away in (deactivated, signed_out_elsewhere, expired):
        take_away(session, person)
        session.expire_all()
        app.run()
        assert not app.exception, take_away
        assert is_form(app), take_away
        restore(session, app, person, role, token)
    if role != "viewer":
        demoted(session, person)
        session.expire_all()
        app.run()
        assert not app.exception
        weaker = ROLES[ROLES.index(role) - 1]
        assert app.title[0].value == (shown if may(weaker, view) else FRONT)


@pytest.mark.parametrize("view", RIGHT_OF)
def test_nobody_sees_a_view(browser, view):
    app = browser("admin", view)
    app.session_state["sign_in"] = {}
    app.run()
    assert not app.exception
    assert is_form(app)
