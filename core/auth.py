"""Who somebody is and what they may do: sign-ins, roles, the throttle of guesses."""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, inputs, passwords
from core.errors import BadInput, NotAllowed, NotSignedIn, RuleBroken, RunoutError, TooMany
from core.rights import RIGHTS, spoken
from db.models import ROLES, Person, SignIn, SignInAttempt

SIGN_IN_LASTS = timedelta(days=14)
IDLE_LASTS = timedelta(days=3)
# How stale `last_seen_at` may get: one write per minute and browser, not one per click.
SEEN_EVERY = timedelta(minutes=1)

THROTTLE_WINDOW = timedelta(minutes=15)
GUESSES_PER_ACCOUNT = 10
GUESSES_PER_ADDRESS = 100

EMAIL_CHARACTERS = 254
NAME_CHARACTERS = 200

# The browser's cookie; the proxy's question at the API reads it too.
COOKIE = "runout_sign_in"
SYSTEM_EMAIL = "runout@localhost"


@dataclass(frozen=True)
class Actor:
    """The person on whose behalf something happens.

    Where a machine does it with an API key, `api_key_id` is the key's, and `rights` are all it may do, as far
    as the role may; None means all that the role may.
    """

    id: int
    uid: uuid.UUID
    name: str
    email: str
    role: str
    rights: frozenset[str] | None = None
    api_key_id: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a sign-in: a token to carry, or the refusal to raise once the attempt is committed."""

    actor: Actor | None = None
    token: str | None = None
    refusal: RunoutError | None = None


def may(actor: Actor | None, right: str) -> bool:
    """Whether the actor's role has the right, and the API key with which they came, if any."""
    if actor is None or (actor.rights is not None and right not in actor.rights):
        return False
    return role_has(actor.role, right)


def role_has(role: str, right: str) -> bool:
    """Whether everybody with this role has the right."""
    return ROLES.index(role) >= ROLES.index(RIGHTS[right])


def must(actor: Actor | None, right: str) -> None:
    """Refuse when the actor's role lacks the right, or their API key does."""
    if actor is None:
        raise NotSignedIn()
    if actor.rights is not None and right not in actor.rights:
        raise NotAllowed(f"This API key may not {spoken(right)}: ask an admin for one that may.")
    if not may(actor, right):
        raise NotAllowed(
            f"Your role ({actor.role}) may not {spoken(right)}: ask somebody with {RIGHTS[right]} rights."
        )


def sign_in(
    session: Session, email: str, password: str, address: str, now: datetime, *, device: str | None = None
) -> Outcome:
    """Compare a password and open the sign-in of a browser.

    Returns an outcome instead of raising, because the attempt itself must be committed.
    """
    outcome = recognise(session, email, password, address, now)
    if outcome.actor is None:
        return outcome
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            person_id=outcome.actor.id,
            token_hash=token_hash(token),
            device=device and inputs.shown(device, 200),
            address=inputs.shown(address, 100),
            created_at=now,
            last_seen_at=now,
            expires_at=now + SIGN_IN_LASTS,
        )
    )
    audit.note(session, outcome.actor.id, "signed in", "person", outcome.actor.uid)
    return Outcome(actor=outcome.actor, token=token)


def recognise(session: Session, email: str, password: str, address: str, now: datetime) -> Outcome:
    """Compare a password with the account's, and open nothing; the outcome has no token.

    Guesses are counted per account and per address over 15 minutes, so the caller must commit whatever comes
    of it; known and unknown names take the same time.
    """
    email = email.strip().lower()
    if len(email) > EMAIL_CHARACTERS or not inputs.can_be_kept(email):
        email = ""  # nobody's; the attempt counts against its address
    address = inputs.shown(address, 100)
    # Two guesses at one account wait for each other, or ten at once would all see the same count.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:e, 1))"), {"e": email})
    refusal = _throttled(session, email, address, now)
    if refusal is not None:
        return Outcome(refusal=refusal)
    # The account stands still until the sign-in is committed: a deactivation or a new password that comes in
    # between waits for it, and then ends it.
    person = session.scalar(
        select(Person)
        .where(func.lower(Person.email) == email, Person.is_active)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    matches = passwords.matches(password, person.password_hash if person else passwords.dummy())
    succeeded = person is not None and matches
    session.add(SignInAttempt(email=email, address=address, at=now, succeeded=succeeded))
    if not succeeded:
        return Outcome(refusal=NotSignedIn("E-mail or password is wrong."))
    return Outcome(actor=actor_of(person))


def who(session: Session, token: str | None, now: datetime) -> Actor | None:
    """The person behind a token; None when it is unknown, ended, expired or the account is switched off."""
    if not token or len(token) > 200:
        return None
    row = session.execute(
        select(Person)
        .join(SignIn, SignIn.person_id == Person.id)
        .where(
            SignIn.token_hash == token_hash(token),
            is_open(now),
            Person.is_active,
        )
    ).scalar_one_or_none()
    return actor_of(row) if row else None


def is_open(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a row of sign_in still counts; a browser's ends when nobody clicked for three days."""
    return (
        SignIn.ended_at.is_(None)
        & (SignIn.expires_at > now)
        & or_(SignIn.kind == "api", SignIn.last_seen_at > now - IDLE_LASTS)
    )


def seen(session: Session, token: str, now: datetime) -> None:
    """Note that the sign-in is in use; at most one write a minute."""
    session.execute(
        update(SignIn)
        .where(SignIn.token_hash == token_hash(token), SignIn.last_seen_at < now - SEEN_EVERY)
        .values(last_seen_at=now)
    )


def sign_out(session: Session, token: str, now: datetime) -> None:
    """End the sign-in behind the token; a copy of the cookie is worthless from now on."""
    person_id = session.scalar(
        update(SignIn)
        .where(SignIn.token_hash == token_hash(token), SignIn.ended_at.is_(None))
        .values(ended_at=now, ended_because="signed out")
        .returning(SignIn.person_id)
    )
    if person_id is not None:
        audit.note(session, person_id, "signed out", "person", session.get_one(Person, person_id).uid)


def create_person(
    session: Session, *, email: str, name: str, role: str, password: str, actor: Actor | None = None
) -> Person:
    """Add a person who may sign in.

    Args:
        actor: the admin who does it; None from the command line, whose user owns the shop anyway.

    Refuses a known e-mail, an unknown role and a weak password.
    """
    if actor is not None:
        must(actor, "manage people")
    person = checked_person(email, name, role)
    passwords.check(password)
    person.password_hash = passwords.hashed(password)
    add_person(session, person)
    said = {"email": person.email, "name": person.name, "role": role}
    audit.note(session, actor.id if actor else person.id, "created", "person", person.uid, after=said)
    return person


def checked_person(email: str, name: str, role: str) -> Person:
    """A person who is in no table yet. Refuses what cannot be an e-mail, a name or a role."""
    email = inputs.text(email, "E-mail", EMAIL_CHARACTERS).lower()
    name = inputs.text(name, "Name", NAME_CHARACTERS) or email
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.?[^@\s]+", email) or email == SYSTEM_EMAIL:
        raise BadInput(f"'{inputs.shown(email)}' is not an e-mail address.")
    if role not in ROLES:
        raise BadInput(f"'{inputs.shown(role)}' is not a role; roles are {', '.join(ROLES)}.")
    return Person(email=email, name=name, role=role)


def add_person(session: Session, person: Person) -> None:
    """Write down a checked person. Refuses an e-mail that somebody has already."""
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError as clash:
        raise RuleBroken(f"{person.email} has an account already.") from clash


def system_actor(session: Session) -> Actor:
    """The person that jobs and commands book as; made when missing, never able to sign in."""
    question = select(Person).where(Person.email == SYSTEM_EMAIL)
    person = session.scalar(question)
    if person is None:
        about = {"email": SYSTEM_EMAIL, "name": "Runout", "role": "admin", "password_hash": passwords.NONE}
        # Two commands may start at once.
        session.execute(insert(Person).values(**about, is_active=False).on_conflict_do_nothing())
        person = session.scalars(question).one()
    return actor_of(person)


def forgive(session: Session, email: str) -> None:
    """Forget wrong guesses at an account, once its owner has proved otherwise who they are."""
    wrong = (SignInAttempt.email == email, ~SignInAttempt.succeeded)
    session.execute(delete(SignInAttempt).where(*wrong))


def _throttled(session: Session, email: str, address: str, now: datetime) -> TooMany | None:
    since = now - THROTTLE_WINDOW
    for column, value, most in (
        (SignInAttempt.email, email, GUESSES_PER_ACCOUNT),
        (SignInAttempt.address, address, GUESSES_PER_ADDRESS),
    ):
        times = session.scalars(
            select(SignInAttempt.at)
            .where(column == value, SignInAttempt.at > since, ~SignInAttempt.succeeded)
            .order_by(SignInAttempt.at.desc())
            .limit(most)
        ).all()
        if len(times) >= most:
            wait = int((times[-1] + THROTTLE_WINDOW - now).total_seconds()) + 1
            minutes = -(-wait // 60)
            return TooMany(f"Too many wrong passwords. Try again in {minutes} minutes.", wait)
    return None


def token_hash(token: str) -> bytes:
    """What is kept of a token: it is random, so its SHA-256 gives nothing away."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def actor_of(person: Person) -> Actor:
    """The person as verbs know them."""
    return Actor(person.id, person.uid, person.name, person.email, person.role)


def account(session: Session, actor: Actor) -> Person:
    """The row of the person who acts."""
    return session.get_one(Person, actor.id)


def listing(session: Session) -> list[Person]:
    """Everybody who has or had an account, the system itself included, by name."""
    return list(session.scalars(select(Person).order_by(Person.name, Person.id)))


def demo_people(session: Session) -> list[Person]:
    """The demo accounts that can sign in with their well-known passwords, the strongest role first."""
    question = select(Person).where(
        Person.is_demo, Person.is_active, Person.password_changed_at <= Person.created_at
    )
    return sorted(session.scalars(question), key=lambda person: -ROLES.index(person.role))
