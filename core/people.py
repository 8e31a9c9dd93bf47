"""Who works here: the accounts that admins look after, and the passwords and links to choose them."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core import api_keys, audit, auth, inputs, passwords, sign_ins
from core.auth import Actor
from core.errors import BadInput, NotAllowed, NotFound, NotSignedIn, RuleBroken, RunoutError
from db.models import ROLES, PasswordLink, Person, SignIn
from db.queries import like

LINK_LASTS = {"invite": timedelta(days=7), "reset": timedelta(hours=24)}
LINK_CHARACTERS = 200
MOST_ACCOUNTS = 500
DEAD_LINK = "This link was used already, or it is too old. Ask an admin for a new one."


@dataclass(frozen=True)
class Account:
    """A person as the list of admins shows them.

    Attributes:
        has_password: false until somebody invited has chosen one.
        invited_until: until when an open link of theirs can be used.
        last_seen_at: the last click in any browser or program.
        sign_ins: how many browsers and programs are signed in.
    """

    uid: uuid.UUID
    name: str
    email: str
    role: str
    is_active: bool
    is_demo: bool
    has_password: bool
    invited_until: datetime | None
    created_at: datetime
    last_seen_at: datetime | None
    sign_ins: int


# -- Accounts, for admins ------------------------------------------------------------------------------------


def listing(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    text: str | None = None,
    person_uid: uuid.UUID | str | None = None,
) -> list[Account]:
    """Everybody with an account, active ones first, by name; those whose name or e-mail holds `text`.

    At most MOST_ACCOUNTS: whoever is not among them is found by name.
    """
    auth.must(actor, "manage people")
    of_person = SignIn.person_id == Person.id
    link = (
        PasswordLink.person_id == Person.id,
        PasswordLink.used_at.is_(None),
        PasswordLink.expires_at > now,
    )
    question = select(
        Person.uid,
        Person.name,
        Person.email,
        Person.role,
        Person.is_active,
        Person.is_demo,
        (Person.password_hash != passwords.NONE).label("has_password"),
        select(func.max(PasswordLink.expires_at)).where(*link).scalar_subquery().label("invited_until"),
        Person.created_at,
        select(func.max(SignIn.last_seen_at)).where(of_person).scalar_subquery().label("last_seen_at"),
        select(func.count()).where(of_person, auth.is_open(now)).scalar_subquery().label("sign_ins"),
    ).where(Person.email != auth.SYSTEM_EMAIL)
    if person_uid is not None:
        question = question.where(Person.uid == inputs.uid(person_uid, "a person"))
    pattern = like(text)
    if pattern is not None:
        question = question.where(or_(Person.name.ilike(pattern), Person.email.ilike(pattern)))
    question = question.order_by(Person.is_active.desc(), func.lower(Person.name), Person.id)
    question = question.limit(MOST_ACCOUNTS)
    return [Account(**row) for row in session.execute(question).mappings()]


def invite(
    session: Session, actor: Actor, *, email: str, name: str, role: str, now: datetime
) -> tuple[Person, str]:
    """Add a person without a password; the token is for the link with which they choose one, once."""
    auth.must(actor, "manage people")
    person = auth.checked_person(email, name, role)
    person.password_hash = passwords.NONE
    auth.add_person(session, person)
    said = {"email": person.email, "name": person.name, "role": role}
    audit.note(session, actor.id, "invited", "person", person.uid, after=said)
    return person, _new_link(session, actor, person, now)


def reset(session: Session, actor: Actor, person_uid: uuid.UUID | str, now: datetime) -> tuple[str, datetime]:
    """Token of a link to choose a new password, or the first one anew, and its end; earlier links are void.

    Passwords and sign-ins stay as they are until the link is used.
    """
    auth.must(actor, "manage people")
    person = _locked(session, person_uid)
    if not person.is_active:
        raise RuleBroken(f"{person.name} is deactivated: reactivate the account first.")
    audit.note(session, actor.id, "made a password link for", "person", person.uid)
    token = _new_link(session, actor, person, now)
    return token, now + LINK_LASTS[_link_kind(person)]


def change_role(session: Session, actor: Actor, person_uid: uuid.UUID | str, role: str) -> None:
    """Give a person another role, from their next click on. Nobody changes their own."""
    auth.must(actor, "manage people")
    if role not in ROLES:
        raise BadInput(f"'{inputs.shown(role)}' is not a role; roles are {', '.join(ROLES)}.")
    person = _other(session, actor, person_uid, "change your own role")
    if person.role == role:
        return
    said = {"before": {"role": person.role}, "after": {"role": role}}
    person.role = role
    audit.note(session, actor.id, "changed the role of", "person", person.uid, **said)


def deactivate(session: Session, actor: Actor, person_uid: uuid.UUID | str, now: datetime) -> None:
    """Switch an account off: signed out everywhere at once, links void, API keys revoked.

    Nobody does it to themselves.
    """
    auth.must(actor, "manage people")
    person = _other(session, actor, person_uid, "deactivate your own account")
    if not person.is_active:
        return
    person.is_active = False
    session.flush()
    _void_links(session, person.id, now)
    sign_ins.end_of(session, person.id, now, "deactivated")
    api_keys.end_of(session, actor, person.id, now)
    _switched(session, actor, person)


def reactivate(session: Session, actor: Actor, person_uid: uuid.UUID | str) -> None:
    """Switch an account on again; the password is what it was."""
    auth.must(actor, "manage people")
    person = _locked(session, person_uid)
    if person.is_active:
        return
    person.is_active = True
    _switched(session, actor, person)


def rename(session: Session, actor: Actor, person_uid: uuid.UUID | str, name: str) -> None:
    """Give a person another name: one's own, or as an admin anybody's."""
    person = _locked(session, person_uid)
    if person.id != actor.id:
        auth.must(actor, "manage people")
    name = inputs.text(name, "Name", auth.NAME_CHARACTERS)
    if not name:
        raise BadInput("Name: nobody is called nothing.")
    if name == person.name:
        return
    said = {"before": {"name": person.name}, "after": {"name": name}}
    person.name = name
    audit.note(session, actor.id, "renamed", "person", person.uid, **said)


def _switched(session: Session, actor: Actor, person: Person) -> None:
    word = "reactivated" if person.is_active else "deactivated"
    said = {"before": {"is_active": not person.is_active}, "after": {"is_active": person.is_active}}
    audit.note(session, actor.id, word, "person", person.uid, **said)


def _other(session: Session, actor: Actor, person_uid: uuid.UUID | str, what: str) -> Person:
    """Somebody else, locked together with all active admins: two who switch each other off take turns.

    So there is always an admin left: the actor, who is looked at again under the lock.
    """
    admins = session.scalars(
        select(Person.id)
        .where(Person.role == "admin", Person.is_active)
        .order_by(Person.id)
        .with_for_update(key_share=True)
    ).all()
    if actor.id not in admins:
        raise NotAllowed("Your rights have just changed: you are no longer an admin.")
    person = _locked(session, person_uid)
    if person.id == actor.id:
        ask = "Make somebody else admin first" if len(admins) == 1 else "Ask another admin"
        raise RuleBroken(f"You cannot {what}. {ask}.")
    return person


def _locked(session: Session, person_uid: uuid.UUID | str) -> Person:
    """The person, who stands still until the transaction ends."""
    person = session.scalar(
        select(Person)
        .where(Person.uid == inputs.uid(person_uid, "a person"), Person.email != auth.SYSTEM_EMAIL)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if person is None:
        raise NotFound("There is no such person.")
    return person


# -- Passwords -----------------------------------------------------------------------------------------------


def link_owner(session: Session, token: str | None, now: datetime) -> Person | None:
    """For whom a link is; None when it is unknown, used or too old, or the account is switched off."""
    if not token or len(token) > LINK_CHARACTERS:
        return None
    return session.scalar(
        select(Person)
        .join(PasswordLink, PasswordLink.person_id == Person.id)
        .where(
            PasswordLink.token_hash == auth.token_hash(token),
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > now,
            Person.is_active,
        )
    )


def use_link(session: Session, token: str | None, password: str, now: datetime) -> Actor:
    """Set the password with a link, once: of two who come at the same time the second is refused.

    Every sign-in of that person ends, and guesses at the old password no longer hold them up.
    """
    owner = link_owner(session, token, now)
    if owner is None:
        raise RuleBroken(DEAD_LINK)
    hashed = _checked_hash(password)  # takes long, so nothing is locked yet
    person = _locked(session, owner.uid)
    used = session.scalar(
        update(PasswordLink)
        .where(
            PasswordLink.token_hash == auth.token_hash(token),
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(PasswordLink.kind)
    )
    if used is None or not person.is_active:
        raise RuleBroken(DEAD_LINK)
    _set_password(session, person, hashed, now)
    auth.forgive(session, person.email)
    audit.note(session, person.id, "chose a password", "person", person.uid, after={"with": f"{used} link"})
    return auth.actor_of(person)


def change_own_password(
    session: Session,
    actor: Actor,
    old: str,
    new: str,
    now: datetime,
    keep_token: str | None = None,
    *,
    address: str = "local",
) -> RunoutError | None:
    """Set one's own password and end all other sign-ins; the one behind `keep_token` stays.

    Returns the refusal of a wrong old password instead of raising it, because the guess must be committed:
    guesses here count like those at the sign-in form. A weak new password is raised.
    """
    hashed = _checked_hash(new)
    outcome = auth.recognise(session, actor.email, old, address, now)
    if isinstance(outcome.refusal, NotSignedIn):
        return BadInput("Your present password is not what you entered.")
    if outcome.refusal is not None:
        return outcome.refusal
    if old == new:
        raise BadInput("That is your password already: choose another.")
    person = _locked(session, actor.uid)
    _set_password(session, person, hashed, now, keep_token)
    audit.note(session, actor.id, "changed the password", "person", actor.uid)
    return None


def _checked_hash(password: str) -> str:
    passwords.check(password)
    return passwords.hashed(password)


def _set_password(
    session: Session, person: Person, hashed: str, now: datetime, keep_token: str | None = None
) -> None:
    person.password_hash = hashed
    person.password_changed_at = now
    # Before the sign-ins end: one that is being opened with the old password holds the person until it can
    # be seen.
    session.flush()
    _void_links(session, person.id, now)
    sign_ins.end_of(session, person.id, now, "password changed", keep_token)


def _link_kind(person: Person) -> str:
    return "reset" if person.password_hash != passwords.NONE else "invite"


def _new_link(session: Session, actor: Actor, person: Person, now: datetime) -> str:
    kind = _link_kind(person)
    _void_links(session, person.id, now)
    token = secrets.token_urlsafe(32)
    session.add(
        PasswordLink(
            person_id=person.id,
            kind=kind,
            token_hash=auth.token_hash(token),
            created_by=actor.id,
            created_at=now,
            expires_at=now + LINK_LASTS[kind],
        )
    )
    return token


def _void_links(session: Session, person_id: int, now: datetime) -> None:
    session.execute(
        update(PasswordLink)
        .where(
            PasswordLink.person_id == person_id,
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > now,
        )
        .values(expires_at=now)
    )
