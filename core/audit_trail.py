"""What was done here: the audit's lines found again, newest first, with names people know."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from db import queries
from db.models import ApiKey, AuditLine, Person, Product, PurchaseOrder, Vendor, Warehouse

MOST_ROWS = 50_000
# What a subject is called, where its id is a public one.
NAMES = {
    "person": (Person, Person.name),
    "product": (Product, Product.sku),
    "warehouse": (Warehouse, Warehouse.code),
    "vendor": (Vendor, Vendor.name),
    "purchase order": (PurchaseOrder, PurchaseOrder.number),
    "API key": (ApiKey, ApiKey.name),
}


@dataclass(frozen=True)
class Line:
    """One thing somebody did.

    Attributes:
        person: who; None for what nobody did.
        subject: name of the thing; empty where it has none.
        is_own: whether it was done to one's own account.
        api_key: name of the key with which a machine did it for them.
    """

    id: int
    at: datetime
    person: str | None
    action: str
    subject_type: str
    subject_id: str
    subject: str
    is_own: bool
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None
    api_key: str | None = None


def listing(
    session: Session,
    actor: Actor,
    *,
    person_id: int | None = None,
    action: str | None = None,
    subject_type: str | None = None,
    since: datetime | None = None,
    text: str | None = None,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
) -> list[Line]:
    """Lines that fit every filter, newest first.

    Args:
        text: part of the subject's id, of its person's name, of the API key's name, or of the values before
            and after.
        before_id: continues an older page; `after_id` goes back to the newer one next to it.
    """
    auth.must(actor, "see audit")
    question = (
        select(AuditLine, Person, ApiKey.name)
        .outerjoin(Person, Person.id == AuditLine.actor_id)
        .outerjoin(ApiKey, ApiKey.id == AuditLine.api_key_id)
    )
    for column, value in (
        (AuditLine.actor_id, person_id),
        (AuditLine.action, action),
        (AuditLine.subject_type, subject_type),
    ):
        if value is not None:
            question = question.where(column == value)
    if since is not None:
        question = question.where(AuditLine.at >= since)
    if before_id is not None:
        question = question.where(AuditLine.id < before_id)
    if after_id is not None:
        question = question.where(AuditLine.id > after_id)
    pattern = queries.like(text)
    if pattern is not None:
        question = question.where(or_(*_holding(session, pattern)))
    order = AuditLine.id.asc() if after_id is not None and before_id is None else AuditLine.id.desc()
    rows = session.execute(question.order_by(order).limit(min(limit, MOST_ROWS))).all()
    called = _names(session, (line for line, *_ in rows))
    lines = [_line(line, person, key, called) for line, person, key in rows]
    return sorted(lines, key=lambda line: -line.id)


def words(session: Session, actor: Actor) -> tuple[list[str], list[str]]:
    """The actions and the kinds of subject that occur, for filters."""
    auth.must(actor, "see audit")
    found = [(row["kind"], row["word"]) for row in queries.rows(session, "audit_words")]
    actions, subjects = ([word for kind, word in found if kind == wanted] for wanted in ("action", "subject"))
    return actions, subjects


def _holding(session: Session, pattern: str) -> list[Any]:
    """Conditions of which one must hold for a line to speak of what was searched."""
    about = [
        str(uid)
        for table, name in NAMES.values()
        for uid in session.scalars(select(table.uid).where(name.ilike(pattern)).limit(100))
    ]
    keys = session.scalars(select(ApiKey.id).where(ApiKey.name.ilike(pattern)).limit(100)).all()
    return [
        AuditLine.api_key_id.in_(keys),
        AuditLine.subject_id.ilike(pattern),
        AuditLine.subject_id.in_(about),
        cast(AuditLine.before, Text).ilike(pattern),
        cast(AuditLine.after, Text).ilike(pattern),
    ]


def _names(session: Session, lines: Iterable[AuditLine]) -> dict[tuple[str, str], str]:
    """Name by kind and id of the subjects that still have one."""
    wanted: dict[str, set[uuid.UUID]] = {}
    for line in lines:
        if line.subject_type in NAMES and (uid := _uid(line.subject_id)):
            wanted.setdefault(line.subject_type, set()).add(uid)
    return {
        (kind, str(uid)): name
        for kind, uids in wanted.items()
        for uid, name in session.execute(
            select(NAMES[kind][0].uid, NAMES[kind][1]).where(NAMES[kind][0].uid.in_(uids))
        )
    }


def _line(
    line: AuditLine, person: Person | None, api_key: str | None, called: dict[tuple[str, str], str]
) -> Line:
    name = called.get((line.subject_type, line.subject_id))
    if name is None:
        # An id says nothing to people; an e-mail or a job's name does.
        name = "" if _uid(line.subject_id) else line.subject_id
    return Line(
        line.id, line.at, person and person.name, line.action, line.subject_type, line.subject_id, name,
        person is not None and line.subject_id == str(person.uid), line.before, line.after, line.request_id,
        api_key,
    )  # fmt: skip


def _uid(given: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(given)
    except ValueError:
        return None
