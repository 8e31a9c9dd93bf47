"""API keys: with one a machine (a till, a nightly pull) acts for a person, within rights of its own.

A key is `runout_`, 256 random bits and a checksum, so that a mistyped or invented one is told from a key
without asking the database. Only its SHA-256 is kept: it is shown once, to whoever makes it. It may do what
it was given and what the role of its person allows at that moment, whichever is less. It ends when it is
revoked, on its last day, and with the account of its person.
"""

import re
import secrets
import uuid
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core import audit, auth, inputs, shop, uids
from core.auth import Actor
from core.errors import BadInput, NotFound, NotSignedIn, RuleBroken
from core.rights import RIGHTS, spoken
from db.models import ApiKey, Person

PREFIX = "runout_"
SECRET_BYTES = 32
SHOWN_CHARACTERS = len(PREFIX) + 6
"""How much of a key people see later: enough to recognise it by, too little to guess the rest."""
NAME_CHARACTERS = 100
MOST_PER_MINUTE = 1_000_000
LASTS_AT_MOST = timedelta(days=3653)
# One write a minute and key, not one per request.
SEEN_EVERY = timedelta(minutes=1)

KEY_RIGHTS = (
    "read", "move stock", "acknowledge alerts", "edit catalogue", "train", "buy", "manage alerts",
    "delete catalogue",
)  # fmt: skip
"""What a key can be given: all that the API has use for. People and keys are managed by people only."""

_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}[A-Za-z0-9_-]{{6}}")
_CHECKSUM_CHARACTERS = 6


@dataclass(frozen=True)
class Given:
    """A key as it came with a request: well-formed, not yet looked up. `hash` is all that is kept of it."""

    hash: bytes


@dataclass(frozen=True)
class Known:
    """Whose key it was, found in one read.

    Attributes:
        actor: the person with the role of this moment and the rights of the key.
        uid: the key's public id.
        per_minute: how many requests a minute it may make; None is what the API is set to.
        last_used_at: as it is written down, which may be a minute late.
    """

    actor: Actor
    uid: uuid.UUID
    per_minute: int | None
    last_used_at: datetime | None


# -- The secret ----------------------------------------------------------------------------------------------


def new_secret() -> str:
    """Another key."""
    return _checked(PREFIX + secrets.token_urlsafe(SECRET_BYTES))


def read(text: str) -> Given:
    """A key as somebody sent it. Raises NotSignedIn for what cannot be one; the database is not asked."""
    if not _SHAPE.fullmatch(text) or text != _checked(text[:-_CHECKSUM_CHARACTERS]):
        raise NotSignedIn("This is not an API key of Runout: copy it anew, or make another one.")
    return Given(auth.token_hash(text))


def is_like_one(text: str) -> bool:
    """Whether it is meant to be an API key rather than a token."""
    return text.startswith(PREFIX)


def _checked(body: str) -> str:
    checksum = zlib.crc32(body.encode()).to_bytes(4, "big")
    return body + urlsafe_b64encode(checksum).rstrip(b"=").decode()


# -- Who asks ------------------------------------------------------------------------------------------------


def who(session: Session, given: Given, now: datetime) -> Known:
    """Whose key this is, in one read. Refuses an unknown, revoked or expired one, and a closed account."""
    row = session.execute(
        select(
            ApiKey.id,
            ApiKey.uid,
            ApiKey.rights,
            ApiKey.per_minute,
            ApiKey.expires_at,
            ApiKey.last_used_at,
            ApiKey.revoked_at,
            Person.id.label("person_id"),
            Person.uid.label("person_uid"),
            Person.name,
            Person.email,
            Person.role,
            Person.is_active,
        )
        .join(Person, Person.id == ApiKey.person_id)
        .where(ApiKey.token_hash == given.hash)
    ).one_or_none()
    # Whoever holds 256 right bits may know what became of the key.
    if row is None:
        raise NotSignedIn("This API key is not known here.")
    if row.revoked_at is not None:
        raise NotSignedIn("This API key was revoked: ask an admin for a new one.")
    if row.expires_at is not None and row.expires_at <= now:
        raise NotSignedIn("This API key has expired: ask an admin for a new one.")
    if not row.is_active:
        raise NotSignedIn("The account that this API key acts for is switched off.")
    actor = Actor(row.person_id, row.person_uid, row.name, row.email, row.role, frozenset(row.rights), row.id)
    return Known(actor, row.uid, row.per_minute, row.last_used_at)


def seen(session: Session, api_key_id: int, address: str, now: datetime) -> None:
    """Note that a key is in use, and from where; at most one write a minute, however many ask for it."""
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == api_key_id,
            or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - SEEN_EVERY),
        )
        .values(last_used_at=now, last_address=inputs.shown(address, 100))
    )


# -- Looking after them, for admins --------------------------------------------------------------------------


def create(
    session: Session,
    actor: Actor,
    person_uid: uuid.UUID | str,
    name: str,
    rights: Collection[str],
    now: datetime,
    *,
    per_minute: int | None = None,
    expires_on: date | None = None,
) -> tuple[ApiKey, str]:
    """Make a key with which a machine acts for somebody; its secret is in the answer and nowhere else.

    Args:
        rights: of KEY_RIGHTS; the role of the person must have them today.
        per_minute: requests a minute; None for as many as the API is set to.
        expires_on: the last day on which it counts, in the shop's time; None for no end.

    Refuses an account that is switched off, a right that the person lacks, and an end that is over.
    """
    auth.must(actor, "manage keys")
    name = inputs.text(name, "Name", NAME_CHARACTERS)
    if not name:
        raise BadInput("Name: say which machine the key is for.")
    settings = shop.get(session)
    _check_limits(per_minute, expires_on, shop.today(settings, now))
    # The account stands still: a deactivation that comes in between waits, and then ends this key too.
    person = session.scalar(
        select(Person)
        .where(Person.uid == inputs.uid(person_uid, "a person"), Person.email != auth.SYSTEM_EMAIL)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if person is None:
        raise NotFound("There is no such person.")
    if not person.is_active:
        raise RuleBroken(f"{person.name} is deactivated: a key acts for somebody whose account is open.")
    secret = new_secret()
    key = ApiKey(
        person_id=person.id,
        name=name,
        shown=secret[:SHOWN_CHARACTERS],
        token_hash=auth.token_hash(secret),
        rights=_checked_rights(person, rights),
        per_minute=per_minute,
        created_by=actor.id,
        created_at=now,
        expires_at=expires_on and _end_of(expires_on, settings.time_zone),
    )
    session.add(key)
    session.flush()
    session.refresh(key)
    said = _said(key) | {"for": person.email}
    audit.note(session, actor.id, "created", "API key", key.uid, after=said)
    return key, secret


def revoke(session: Session, actor: Actor, key_uid: uuid.UUID | str, now: datetime) -> ApiKey:
    """End a key: from the next request on it is worth nothing. One that was revoked stays so."""
    auth.must(actor, "manage keys")
    key = uids.locked(session, ApiKey, key_uid, "an API key", "There is no such API key.")
    if key.revoked_at is None:
        _end(session, actor, key, now)
    return key


def end_of(session: Session, actor: Actor, person_id: int, now: datetime) -> int:
    """Revoke all keys of somebody whose account is being switched off; how many that were."""
    keys = session.scalars(
        select(ApiKey)
        .where(ApiKey.person_id == person_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for key in keys:
        _end(session, actor, key, now)
    return len(keys)


def _end(session: Session, actor: Actor, key: ApiKey, now: datetime) -> None:
    key.revoked_at, key.revoked_by = now, actor.id
    audit.note(session, actor.id, "revoked", "API key", key.uid, before=_said(key))


def in_order(rights: Collection[str]) -> tuple[str, ...]:
    """Rights from the weakest to the strongest, as RIGHTS has them."""
    return tuple(right for right in RIGHTS if right in rights)


def grantable(role: str) -> tuple[str, ...]:
    """What a key of somebody with this role can be given."""
    return tuple(right for right in KEY_RIGHTS if auth.role_has(role, right))


def _check_limits(per_minute: int | None, expires_on: date | None, today: date) -> None:
    if per_minute is not None and not 1 <= per_minute <= MOST_PER_MINUTE:
        raise BadInput(
            f"Requests a minute: {inputs.shown(per_minute)} is not between 1 and {MOST_PER_MINUTE:,}."
        )
    if expires_on is not None and not today <= expires_on <= today + LASTS_AT_MOST:
        years = LASTS_AT_MOST.days // 365
        raise BadInput(f"Last day: {expires_on:%Y-%m-%d} is not between today and {years} years from now.")


def _checked_rights(person: Person, rights: Collection[str]) -> list[str]:
    unknown = sorted(set(rights) - set(KEY_RIGHTS))
    if unknown:
        raise BadInput(f"'{inputs.shown(unknown[0])}' is nothing that a key can be given.")
    if not rights:
        raise BadInput("Rights: choose at least one thing that the key may do.")
    lacking = [right for right in in_order(rights) if not auth.role_has(person.role, right)]
    if lacking:
        may_not = f"{person.name} is {person.role} and may not {spoken(lacking[0])}"
        raise RuleBroken(f"{may_not}: nor can a key of theirs.")
    return list(in_order(rights))


def _end_of(day: date, time_zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone)).astimezone(UTC)


def _said(key: ApiKey) -> dict[str, object]:
    """What the audit keeps of a key."""
    return {"name": key.name, "key": key.shown, "rights": ", ".join(key.rights)}
