"""The list of API keys as admins see it: whose, for what, and whether they still work."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from core import api_keys, auth, inputs
from core.auth import Actor
from db.models import ApiKey, Person
from db.queries import like

STATES = ("active", "expired", "revoked")
MOST_ROWS = 1000


@dataclass(frozen=True)
class Line:
    """A key as the list of admins shows it; `shown` are its first characters, `state` one of STATES."""

    uid: uuid.UUID
    name: str
    shown: str
    state: str
    rights: tuple[str, ...]
    person: str
    person_uid: uuid.UUID
    role: str
    per_minute: int | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    last_address: str | None
    revoked_at: datetime | None
    revoked_by: str | None


def listing(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    text: str | None = None,
    state: str | None = None,
    key_uid: uuid.UUID | str | None = None,
    skip: int = 0,
    limit: int = 50,
) -> tuple[list[Line], int]:
    """A page of the keys, those that work first and of these the newest first; and how many there are.

    Args:
        text: part of the key's name, of its first characters, or of its person's name or e-mail.
        state: one of STATES.
    """
    auth.must(actor, "manage keys")
    maker, ender = aliased(Person), aliased(Person)
    state_of = _state(now)
    question = (
        select(
            ApiKey.uid,
            ApiKey.name,
            ApiKey.shown,
            state_of.label("state"),
            ApiKey.rights,
            Person.name.label("person"),
            Person.uid.label("person_uid"),
            Person.role,
            ApiKey.per_minute,
            ApiKey.created_at,
            maker.name.label("created_by"),
            ApiKey.expires_at,
            ApiKey.last_used_at,
            ApiKey.last_address,
            ApiKey.revoked_at,
            ender.name.label("revoked_by"),
        )
        .join(Person, Person.id == ApiKey.person_id)
        .join(maker, maker.id == ApiKey.created_by)
        .outerjoin(ender, ender.id == ApiKey.revoked_by)
    )
    pattern = like(text)
    if pattern is not None:
        held = (ApiKey.name, ApiKey.shown, Person.name, Person.email)
        question = question.where(or_(*(column.ilike(pattern) for column in held)))
    if state is not None:
        question = question.where(state_of == state)
    if key_uid is not None:
        question = question.where(ApiKey.uid == inputs.uid(key_uid, "an API key"))
    total = session.scalar(select(func.count()).select_from(question.subquery())) or 0
    ordered = question.order_by((state_of == "active").desc(), ApiKey.id.desc())
    rows = session.execute(ordered.offset(skip).limit(min(limit, MOST_ROWS))).mappings()
    return [Line(**(dict(row) | {"rights": api_keys.in_order(row["rights"])})) for row in rows], total


def names(session: Session) -> list[tuple[uuid.UUID, int, str]]:
    """Public id, id and name of all keys, by name: whoever sees the ledger sees which key booked."""
    rows = session.execute(select(ApiKey.uid, ApiKey.id, ApiKey.name).order_by(ApiKey.name, ApiKey.id))
    return [(row.uid, row.id, row.name) for row in rows]


def _state(now: datetime) -> ColumnElement[str]:
    return case(
        (ApiKey.revoked_at.is_not(None), "revoked"), (ApiKey.expires_at <= now, "expired"), else_="active"
    )
