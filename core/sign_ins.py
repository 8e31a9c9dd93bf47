"""Where somebody is signed in: the browsers and programs of a person, and how they are signed out."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import audit, auth, inputs
from core.auth import Actor
from core.errors import NotFound
from db.models import Person, SignIn

MOST = 100


@dataclass(frozen=True)
class OwnSignIn:
    """One open sign-in of somebody, as its owner sees it; `kind` is browser or api."""

    uid: uuid.UUID
    kind: str
    device: str | None
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


def listing(session: Session, actor: Actor, now: datetime, token: str | None = None) -> list[OwnSignIn]:
    """One's own open sign-ins, the one behind `token` first, then the last used."""
    this = SignIn.token_hash == auth.token_hash(token or "")
    rows = session.execute(
        select(
            SignIn.uid,
            SignIn.kind,
            SignIn.device,
            SignIn.address,
            SignIn.created_at,
            SignIn.last_seen_at,
            func.coalesce(this, False).label("is_this"),
        )
        .where(SignIn.person_id == actor.id, auth.is_open(now))
        .order_by(func.coalesce(this, False).desc(), SignIn.last_seen_at.desc(), SignIn.id.desc())
        .limit(MOST)
    )
    return [OwnSignIn(**row) for row in rows.mappings()]


def end(session: Session, actor: Actor, sign_in_uid: uuid.UUID | str, now: datetime) -> None:
    """End one of one's own sign-ins; one that has ended already stays so."""
    row = session.scalar(
        select(SignIn).where(SignIn.uid == _uid(sign_in_uid), SignIn.person_id == actor.id).with_for_update()
    )
    if row is None:
        raise NotFound("You have no such sign-in.")
    if row.ended_at is None:
        row.ended_at, row.ended_because = now, "signed out elsewhere"
        said = {"device": row.device or row.kind, "address": row.address}
        audit.note(session, actor.id, "ended a sign-in of", "person", actor.uid, before=said)


def end_own(session: Session, actor: Actor, now: datetime, keep_token: str | None = None) -> int:
    """End all of one's own sign-ins but the one behind `keep_token`; how many that were."""
    return _end_all(session, actor, actor.id, actor.uid, now, keep_token)


def end_all_of(session: Session, actor: Actor, person_uid: uuid.UUID | str, now: datetime) -> int:
    """End all sign-ins of somebody, as an admin; how many that were."""
    auth.must(actor, "manage people")
    person = session.scalar(
        select(Person).where(Person.uid == _uid(person_uid), Person.email != auth.SYSTEM_EMAIL)
    )
    if person is None:
        raise NotFound("There is no such person.")
    return _end_all(session, actor, person.id, person.uid, now)


def _end_all(
    session: Session,
    actor: Actor,
    person_id: int,
    person_uid: uuid.UUID,
    now: datetime,
    keep_token: str | None = None,
) -> int:
    count = end_of(session, person_id, now, "signed out everywhere", keep_token)
    if count:
        said = {"ended": count}
        audit.note(session, actor.id, "signed out everywhere", "person", person_uid, after=said)
    return count


def end_of(
    session: Session, person_id: int, now: datetime, because: str, keep_token: str | None = None
) -> int:
    """End the open sign-ins of a person, a program's tokens with them."""
    which = [SignIn.person_id == person_id, auth.is_open(now)]
    if keep_token is not None:
        which.append(SignIn.token_hash.is_distinct_from(auth.token_hash(keep_token)))
    return session.execute(update(SignIn).where(*which).values(ended_at=now, ended_because=because)).rowcount


def _uid(given: uuid.UUID | str) -> uuid.UUID:
    try:
        return given if isinstance(given, uuid.UUID) else uuid.UUID(given)
    except ValueError:
        raise NotFound(f"'{inputs.shown(given)}' is not an id.") from None
