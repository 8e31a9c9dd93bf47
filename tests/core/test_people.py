"""Accounts: who is invited, switched off, promoted, and how passwords and sign-ins end."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import auth, people, sign_ins
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken, TooMany
from db import session as doors
from db.models import AuditLine, PasswordLink, Person, SignIn
from tests.makers import PASSWORD, a_person, an_actor

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
HERE = "192.0.2.1"
NEW = "another long one"


def signed_in(session, email, password=PASSWORD, now=NOW):
    outcome = auth.sign_in(session, email, password, HERE, now, device="Firefox on Linux")
    assert outcome.refusal is None
    return outcome.token


def actions(session, person_uid):
    return session.scalars(
        sa.select(AuditLine.action).where(AuditLine.subject_id == str(person_uid)).order_by(AuditLine.id)
    ).all()


def account(session, admin, uid, now=NOW):
    (found,) = people.listing(session, admin, now, person_uid=uid)
    return found


@pytest.fixture
def admin(session):
    return an_actor(session, "admin")


# -- Invitations and links -----------------------------------------------------------------------------------


def test_somebody_invited_cannot_sign_in_before_choosing_a_password_and_then_can(session, admin):
    person, token = people.invite(session, admin, email="Ada@Shop.example", name="Ada", role="user", now=NOW)
    assert token.encode() not in session.scalars(sa.select(PasswordLink.token_hash)).all()
    for guess in ("", "!", token):
        assert auth.sign_in(session, "ada@shop.example", guess, HERE, NOW).refusal
    seen = account(session, admin, person.uid)
    assert (seen.has_password, seen.invited_until) == (False, NOW + timedelta(days=7))
    assert people.link_owner(session, token, NOW).name == "Ada"
    assert people.use_link(session, token, NEW, NOW).email == "ada@shop.example"
    assert auth.who(session, signed_in(session, "ada@shop.example", NEW), NOW).role == "user"
    assert account(session, admin, person.uid).invited_until is None
    assert actions(session, person.uid) == ["invited", "chose a password", "signed in"]


def test_a_link_works_once_and_not_for_ever(session, admin):
    person, token = people.invite(session, admin, email="a@shop.example", name="", role="user", now=NOW)
    late = NOW + timedelta(days=7, seconds=1)
    assert people.link_owner(session, token, late) is None
    with pytest.raises(RuleBroken, match="Ask an admin"):
        people.use_link(session, token, NEW, late)
    people.use_link(session, token, NEW, NOW)
    with pytest.raises(RuleBroken, match="used already"):
        people.use_link(session, token, "a third password", NOW)
    assert signed_in(session, person.email, NEW)


@pytest.mark.parametrize("token", [None, "", "x", "x" * 10_000, "\0", "ö", "a\ud800"])
def test_a_malformed_link_is_nobodys(session, token):
    assert people.link_owner(session, token, NOW) is None
    with pytest.raises(RuleBroken):
        people.use_link(session, token, NEW, NOW)


def test_a_refused_password_leaves_the_link_usable(session, admin):
    _, token = people.invite(session, admin, email="a@shop.example", name="", role="user", now=NOW)
    for password in ("short", "password1", "x" * 73, "bad\0password"):
        with pytest.raises(BadInput):
            people.use_link(session, token, password, NOW)
    assert people.link_owner(session, token, NOW) is not None


def test_a_reset_ends_nothing_until_it_is_used_and_then_everything(session, admin):
    person = a_person(session, "user")
    browser = signed_in(session, person.email)
    session.add(SignIn(kind="api", person_id=person.id, expires_at=NOW + timedelta(days=7)))
    for _ in range(auth.GUESSES_PER_ACCOUNT):
        auth.sign_in(session, person.email, "forgotten", HERE, NOW)
    token, _ = people.reset(session, admin, person.uid, NOW)
    assert auth.who(session, browser, NOW) is not None
    people.use_link(session, token, NEW, NOW)
    assert auth.who(session, browser, NOW) is None
    assert sign_ins.listing(session, auth.actor_of(person), NOW) == []
    assert auth.sign_in(session, person.email, PASSWORD, HERE, NOW).refusal
    assert signed_in(session, person.email, NEW)  # and the wrong guesses hold nobody up any more
    assert people.link_owner(session, token, NOW + timedelta(minutes=1)) is None


def test_a_new_link_voids_the_one_before(session, admin):
    person, first = people.invite(session, admin, email="a@shop.example", name="", role="user", now=NOW)
    later = NOW + timedelta(days=6)
    second, _ = people.reset(session, admin, person.uid, later)
    assert people.link_owner(session, first, later) is None
    # Nobody has chosen a password yet: the new link is an invitation again, and as long.
    assert people.link_owner(session, second, later + timedelta(days=6.9)) is not None


def test_links_of_a_switched_off_account_open_nothing(session, admin):
    person, token = people.invite(session, admin, email="a@shop.example", name="", role="user", now=NOW)
    people.deactivate(session, admin, person.uid, NOW)
    assert people.link_owner(session, token, NOW) is None
    with pytest.raises(RuleBroken, match="reactivate"):
        people.reset(session, admin, person.uid, NOW)
    people.reactivate(session, admin, person.uid)
    assert people.link_owner(session, token, NOW) is None


@pytest.mark.usefixtures("clone")
def test_of_two_who_use_one_link_at_once_one_is_refused():
    with doors.transaction() as session:
        admin = an_actor(session, "admin")
        _, token = people.invite(session, admin, email="a@shop.example", name="", role="user", now=NOW)
    answers = []

    def come(password):
        try:
            answers.append(doors.transact(lambda s: people.use_link(s, token, password, NOW)).email)
        except RuleBroken as refusal:
            answers.append(refusal.sentence)

    both = [threading.Thread(target=come, args=(f"password of {n}",)) for n in range(2)]
    [one.start() for one in both]
    [one.join() for one in both]
    assert sorted(answers) == sorted(["a@shop.example", people.DEAD_LINK])


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"email": "nonsense"}, "not an e-mail"),
        ({"email": "a\0@b.example"}, "cannot be kept"),
        ({"email": "x" * 300 + "@b.example"}, "too many"),
        ({"name": "x" * 10_000}, "too many"),
        ({"role": "king"}, "not a role"),
        ({"email": auth.SYSTEM_EMAIL}, "not an e-mail"),
    ],
)
def test_an_invitation_of_nonsense_is_one_sentence(session, admin, about, why):
    given = {"email": "a@shop.example", "name": "A", "role": "user"} | about
    with pytest.raises(BadInput, match=why) as refusal:
        people.invite(session, admin, now=NOW, **given)
    assert len(refusal.value.sentence) < 200


def test_one_e_mail_is_one_account_whatever_its_case(session, admin):
    person = a_person(session)
    with pytest.raises(RuleBroken, match="has an account already"):
        people.invite(session, admin, email=person.email.upper(), name="", role="user", now=NOW)


# -- Roles, deactivation -------------------------------------------------------------------------------------


def test_a_role_is_another_at_once_and_written_down(session, admin):
    person = a_person(session, "manager")
    token = signed_in(session, person.email)
    people.change_role(session, admin, person.uid, "viewer")
    session.flush()
    assert auth.who(session, token, NOW).role == "viewer"
    people.change_role(session, admin, person.uid, "viewer")
    line = session.scalars(sa.select(AuditLine).order_by(AuditLine.id.desc()).limit(1)).one()
    assert (line.before, line.after) == ({"role": "manager"}, {"role": "viewer"})
    assert actions(session, person.uid).count("changed the role of") == 1
    with pytest.raises(BadInput):
        people.change_role(session, admin, person.uid, "king")


def test_a_deactivated_person_is_out_at_once_and_stays_out_after_reactivation(session, admin):
    person = a_person(session, "manager")
    token = signed_in(session, person.email)
    for _ in range(2):
        people.deactivate(session, admin, person.uid, NOW)
    assert auth.who(session, token, NOW) is None
    assert auth.sign_in(session, person.email, PASSWORD, HERE, NOW).refusal
    people.reactivate(session, admin, person.uid)
    session.flush()
    assert auth.who(session, token, NOW) is None
    assert signed_in(session, person.email)
    assert actions(session, person.uid) == [
        "created", "signed in", "deactivated", "reactivated", "signed in",
    ]  # fmt: skip


def test_nobody_takes_themselves_away_and_an_admin_is_always_left(session, admin):
    for work in (
        lambda: people.change_role(session, admin, admin.uid, "viewer"),
        lambda: people.deactivate(session, admin, admin.uid, NOW),
    ):
        with pytest.raises(RuleBroken, match="Make somebody else admin first"):
            work()
    second = an_actor(session, "admin")
    with pytest.raises(RuleBroken, match="Ask another admin"):
        people.deactivate(session, admin, admin.uid, NOW)
    people.change_role(session, second, admin.uid, "viewer")
    # What the first still believes to be does not count.
    with pytest.raises(NotAllowed, match="no longer an admin"):
        people.deactivate(session, admin, second.uid, NOW)


@pytest.mark.usefixtures("clone")
def test_two_admins_who_switch_each_other_off_leave_one():
    with doors.transaction() as session:
        one, two = an_actor(session, "admin"), an_actor(session, "admin")
    refused = []

    def work(actor, other):
        try:
            doors.transact(lambda s: people.deactivate(s, actor, other.uid, NOW))
        except NotAllowed as refusal:
            refused.append(refusal)

    both = [threading.Thread(target=work, args=pair) for pair in ((one, two), (two, one))]
    [thread.start() for thread in both]
    [thread.join() for thread in both]
    assert len(refused) == 1
    with doors.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Person.role == "admin", Person.is_active)) == 1


@pytest.mark.usefixtures("clone")
def test_a_sign_in_that_was_on_its_way_ends_with_the_deactivation_and_the_new_password():
    """The old password was compared before, the row written after: nothing may stay open."""
    with doors.transaction() as session:
        admin, person = an_actor(session, "admin"), a_person(session, "user")
    for end in (
        lambda s: people.deactivate(s, admin, person.uid, NOW),
        lambda s: people.use_link(s, people.reset(s, admin, person.uid, NOW)[0], PASSWORD, NOW),
    ):
        with doors.transaction() as session:
            outcome = auth.sign_in(session, person.email, PASSWORD, HERE, NOW)
            other = threading.Thread(target=doors.transact, args=(end,))
            other.start()
            other.join(0.3)
            assert other.is_alive()  # waits until the sign-in is there to be ended
        other.join()
        with doors.transaction() as session:
            people.reactivate(session, admin, person.uid)
        with doors.reading() as session:
            assert auth.who(session, outcome.token, NOW) is None


def test_only_admins_look_after_people(session, admin):
    person = a_person(session)
    for role in ("viewer", "user", "manager"):
        actor = an_actor(session, role)
        for work in (
            lambda actor=actor: people.listing(session, actor, NOW),
            lambda actor=actor: people.invite(
                session, actor, email="b@shop.example", name="", role="viewer", now=NOW
            ),
            lambda actor=actor: people.reset(session, actor, person.uid, NOW),
            lambda actor=actor: people.change_role(session, actor, actor.uid, "admin"),
            lambda actor=actor: people.deactivate(session, actor, admin.uid, NOW),
            lambda actor=actor: people.reactivate(session, actor, person.uid),
            lambda actor=actor: people.rename(session, actor, person.uid, "Eve"),
            lambda actor=actor: sign_ins.end_all_of(session, actor, admin.uid, NOW),
        ):
            with pytest.raises(NotAllowed):
                work()


@pytest.mark.parametrize("uid", ["nonsense", "5b0c9d3e-7a41-4f27-9c1e-2d8f6a0b4c75", "", "\0"])
def test_an_unknown_person_is_said(session, admin, uid):
    for work in (people.reactivate, lambda s, a, u: people.deactivate(s, a, u, NOW)):
        with pytest.raises(NotFound):
            work(session, admin, uid)


def test_the_system_is_nobody_that_admins_see_or_change(session, admin):
    auth.system_actor(session)
    system = session.scalars(sa.select(Person).where(Person.email == auth.SYSTEM_EMAIL)).one()
    assert system.uid not in [seen.uid for seen in people.listing(session, admin, NOW)]
    for work in (people.reactivate, lambda s, a, u: people.reset(s, a, u, NOW)):
        with pytest.raises(NotFound):
            work(session, admin, system.uid)


def test_the_list_is_searched_and_counts_open_sign_ins(session, admin):
    person = a_person(session, "user", name="Grace 100%_", email="grace@shop.example")
    signed_in(session, person.email)
    signed_in(session, person.email, now=NOW - timedelta(days=4))  # idle for too long
    for text in ("grace", "100%_", "GRACE@"):
        (found,) = people.listing(session, admin, NOW, text=text)
        assert (found.uid, found.sign_ins, found.last_seen_at) == (person.uid, 1, NOW)
    assert people.listing(session, admin, NOW, text="nobody at all") == []


def test_one_names_oneself_and_admins_name_anybody(session, admin):
    actor = an_actor(session, "viewer")
    people.rename(session, actor, actor.uid, "  Ada  ")
    people.rename(session, actor, actor.uid, "Ada")
    people.rename(session, admin, actor.uid, "Ada L.")
    assert actions(session, actor.uid) == ["created", "renamed", "renamed"]
    for name in ("", "   ", "x" * 201, "a\0"):
        with pytest.raises(BadInput):
            people.rename(session, actor, actor.uid, name)


# -- One's own password and sign-ins -------------------------------------------------------------------------


def test_a_changed_password_ends_every_other_sign_in(session):
    person = a_person(session, "viewer")
    actor = auth.actor_of(person)
    here, there = signed_in(session, person.email), signed_in(session, person.email)
    assert people.change_own_password(session, actor, PASSWORD, NEW, NOW, here) is None
    assert auth.who(session, here, NOW) is not None
    assert auth.who(session, there, NOW) is None
    assert auth.sign_in(session, person.email, PASSWORD, HERE, NOW).refusal
    assert signed_in(session, person.email, NEW)


def test_guesses_at_the_present_password_are_throttled_like_a_sign_in(session):
    actor = an_actor(session, "viewer")
    for _ in range(auth.GUESSES_PER_ACCOUNT):
        refusal = people.change_own_password(session, actor, "guess", NEW, NOW)
        assert "present password" in refusal.sentence
    assert isinstance(people.change_own_password(session, actor, PASSWORD, NEW, NOW), TooMany)
    assert isinstance(auth.sign_in(session, actor.email, PASSWORD, HERE, NOW).refusal, TooMany)


@pytest.mark.parametrize("new", ["short", "password1", "x" * 73, "ä" * 37, "bad\0password", PASSWORD])
def test_a_weak_or_unchanged_new_password_changes_nothing(session, new):
    person = a_person(session, "viewer")
    there = signed_in(session, person.email)
    with pytest.raises(BadInput):
        people.change_own_password(session, auth.actor_of(person), PASSWORD, new, NOW)
    assert auth.who(session, there, NOW) is not None
    assert signed_in(session, person.email)


def test_a_demo_account_with_its_own_password_is_no_open_door_any_more(session):
    person = a_person(session, "viewer")
    person.is_demo = True
    session.flush()
    assert person in auth.demo_people(session)
    people.change_own_password(session, auth.actor_of(person), PASSWORD, NEW, datetime.now(UTC))
    assert auth.demo_people(session) == []


def test_one_sees_and_ends_ones_own_sign_ins_and_no_others(session):
    person, stranger = a_person(session, "viewer"), an_actor(session, "admin")
    actor = auth.actor_of(person)
    here, there = signed_in(session, person.email), signed_in(session, person.email)
    first, second = sign_ins.listing(session, actor, NOW, here)
    assert (first.is_this, second.is_this) == (True, False)
    assert (first.device, first.address, first.kind) == ("Firefox on Linux", HERE, "browser")
    with pytest.raises(NotFound):
        sign_ins.end(session, stranger, second.uid, NOW)
    for _ in range(2):
        sign_ins.end(session, actor, second.uid, NOW)
    assert auth.who(session, there, NOW) is None
    assert auth.who(session, here, NOW) is not None
    assert actions(session, person.uid).count("ended a sign-in of") == 1


def test_signing_out_everywhere_can_leave_this_browser_alone(session):
    person = a_person(session, "viewer")
    actor = auth.actor_of(person)
    tokens = [signed_in(session, person.email) for _ in range(3)]
    session.add(SignIn(kind="api", person_id=person.id, expires_at=NOW + timedelta(days=7)))
    session.flush()
    assert sign_ins.end_own(session, actor, NOW, tokens[0]) == 3
    assert [auth.who(session, token, NOW) is not None for token in tokens] == [True, False, False]
    assert sign_ins.end_own(session, actor, NOW) == 1
    assert sign_ins.end_own(session, actor, NOW) == 0
    assert auth.who(session, tokens[0], NOW) is None


def test_an_admin_signs_somebody_out_everywhere(session, admin):
    person = a_person(session, "viewer")
    token = signed_in(session, person.email)
    assert sign_ins.end_all_of(session, admin, person.uid, NOW) == 1
    assert auth.who(session, token, NOW) is None
    line = session.scalars(sa.select(AuditLine).order_by(AuditLine.id.desc()).limit(1)).one()
    assert (line.actor_id, line.action, line.after) == (admin.id, "signed out everywhere", {"ended": 1})
