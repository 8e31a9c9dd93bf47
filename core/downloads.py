"""Tickets: leave to download one thing once, within a minute, in the browser that asked for it.

A page makes the ticket; the browser fetches the file from the API with the cookie of the same sign-in. A link
that somebody else gets hold of is worth nothing.
"""

import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core import audit, auth, file_names, shop
from core.auth import Actor
from core.datasets import listing, writing
from core.datasets.table_types import Filters
from core.errors import BadInput, NotFound, NotSignedIn
from db.models import DownloadFile, DownloadTicket, SignIn

Reading = Callable[..., AbstractContextManager[Session]]

LASTS = timedelta(seconds=60)
KEPT = timedelta(days=1)  # a page still says what became of its ticket
MOST_BYTES = 50_000_000  # of a file that a page made; it waits in the database
TOKEN_CHARACTERS = 200
# One statement of a table: the largest ledgers stream for minutes.
EXPORT_SECONDS = 600
MISSING = "This link was used, has expired, or was made in another browser. Ask for the file once more."
_PIECE = 2**16


@dataclass(frozen=True)
class Ticket:
    """What a page needs of a new ticket: the secret of its link, until when it counts, what it will bring."""

    token: str
    expires_at: datetime
    file_name: str
    rows: int | None


@dataclass(frozen=True)
class Offered:
    """What a ticket would bring, and to whom; `is_made`: the file is there, else it is written when taken."""

    person: uuid.UUID
    file_name: str
    media_type: str
    is_made: bool


@dataclass(frozen=True)
class Taken:
    """What a ticket brought: `pieces(reading)` opens its own look at the database, closed with the pieces."""

    file_name: str
    media_type: str
    rows: int | None
    pieces: Callable[[Reading], Iterator[bytes]]


# -- The page asks -------------------------------------------------------------------------------------------


def offer_table(
    session: Session,
    actor: Actor | None,
    sign_in_token: str | None,
    dataset: str,
    format: str,
    filters: Filters,
    now: datetime,
) -> Ticket:
    """A ticket for a table of `core.datasets`, for the browser whose cookie holds `sign_in_token`.

    Refuses who may not see the table, and more rows than the format can hold.
    """
    table, form = listing.named(dataset), writing.named(format)
    auth.must(actor, table.right)
    settings = shop.get(session)
    day = shop.today(settings, now)
    rows = listing.count(session, table, filters, day)
    writing.must_hold(form, rows)
    asked = {"dataset": dataset, "format": format, "filters": _as_json(filters)}
    name = file_names.safe(f"{settings.name} {table.name} {day:%Y-%m-%d}.{form.extension}")
    return _offer(session, sign_in_token, asked | {"name": name, "right": table.right}, rows, now)[0]


def offer_file(
    session: Session,
    actor: Actor | None,
    sign_in_token: str | None,
    content: bytes,
    name: str,
    media_type: str,
    now: datetime,
    *,
    right: str = "read",
    rows: int | None = None,
) -> Ticket:
    """A ticket for a file that is made already. Refuses who lacks the right, and a file that is too large."""
    auth.must(actor, right)
    if len(content) > MOST_BYTES:
        most = MOST_BYTES // 1_000_000
        raise BadInput(f"The file has more than {most} MB: filter it, or take the table from Exports.")
    asked = {"name": file_names.safe(name), "media_type": media_type, "right": right, "rows": rows}
    ticket, ticket_id = _offer(session, sign_in_token, asked, rows, now)
    session.add(DownloadFile(ticket_id=ticket_id, content=content))
    return ticket


def _offer(
    session: Session, sign_in_token: str | None, asked: dict[str, Any], rows: int | None, now: datetime
) -> tuple[Ticket, int]:
    sweep(session, now)
    sign_in_id = _sign_in_of(session, sign_in_token, now)
    if sign_in_id is None:
        raise NotSignedIn()
    token = secrets.token_urlsafe(32)
    row = DownloadTicket(
        sign_in_id=sign_in_id,
        token_hash=auth.token_hash(token),
        asked=asked,
        created_at=now,
        expires_at=now + LASTS,
    )
    session.add(row)
    session.flush()
    return Ticket(token, row.expires_at, asked["name"], rows), row.id


def sweep(session: Session, now: datetime) -> None:
    """Delete files that nobody may fetch any more, and tickets that no page asks about."""
    expired = select(DownloadTicket.id).where(DownloadTicket.expires_at <= now)
    session.execute(delete(DownloadFile).where(DownloadFile.ticket_id.in_(expired)))
    session.execute(delete(DownloadTicket).where(DownloadTicket.expires_at <= now - KEPT))


def state(session: Session, token: str, now: datetime) -> str:
    """What became of a ticket: "waiting", "used" or "expired"."""
    row = session.execute(
        select(DownloadTicket.used_at, DownloadTicket.expires_at).where(
            DownloadTicket.token_hash == auth.token_hash(token)
        )
    ).one_or_none()
    if row is not None and row.used_at is not None:
        return "used"
    return "waiting" if row is not None and row.expires_at > now else "expired"


# -- The browser fetches -------------------------------------------------------------------------------------


def take(session: Session, token: str, cookie: str | None, now: datetime) -> Taken:
    """Use a ticket up, for the person behind the cookie, and note it; what it brings is read afterwards.

    Refuses (in this order) whoever is not signed in, a ticket that is unknown, used, expired or another
    sign-in's, all in the same words, and a role that has lost the right. Only what was committed counts as
    used: of two at once, one waits for the other and finds nothing.
    """
    actor = auth.who(session, cookie, now)
    if actor is None:
        raise NotSignedIn()
    used = session.execute(
        update(DownloadTicket)
        .where(*_is_open(session, token, cookie, now))
        .values(used_at=now)
        .returning(DownloadTicket.id, DownloadTicket.asked)
    ).one_or_none()
    if used is None:
        raise NotFound(MISSING)
    auth.must(actor, used.asked["right"])
    if "dataset" in used.asked:
        taken, about = _table(session, used.asked, now)
    else:
        taken, about = _file(session, used.id, used.asked), {}
    subject = used.asked.get("dataset", taken.file_name)
    told = {"file": taken.file_name, "rows": taken.rows} | about
    audit.note(session, actor.id, "downloaded", "file", subject, after=told)
    return taken


def look_at(session: Session, token: str, cookie: str | None, now: datetime) -> Offered:
    """What a ticket would bring; it stays unused. Refuses what `take` refuses."""
    actor = auth.who(session, cookie, now)
    if actor is None:
        raise NotSignedIn()
    asked = session.scalar(select(DownloadTicket.asked).where(*_is_open(session, token, cookie, now)))
    if asked is None:
        raise NotFound(MISSING)
    auth.must(actor, asked["right"])
    is_made = "dataset" not in asked
    media_type = asked["media_type"] if is_made else writing.named(asked["format"]).media_type
    return Offered(actor.uid, asked["name"], media_type, is_made)


def _is_open(session: Session, token: str, cookie: str | None, now: datetime) -> tuple[Any, ...]:
    return (
        DownloadTicket.token_hash == auth.token_hash(token[:TOKEN_CHARACTERS]),
        DownloadTicket.sign_in_id == _sign_in_of(session, cookie, now),
        DownloadTicket.used_at.is_(None),
        DownloadTicket.expires_at > now,
    )


def _sign_in_of(session: Session, token: str | None, now: datetime) -> int | None:
    """The browser's sign-in behind a token."""
    if not token:
        return None
    return session.scalar(
        select(SignIn.id).where(SignIn.token_hash == auth.token_hash(token), auth.is_open(now))
    )


def _table(session: Session, asked: dict[str, Any], now: datetime) -> tuple[Taken, dict[str, Any]]:
    table, form = listing.named(asked["dataset"]), writing.named(asked["format"])
    filters, day = _filters(asked["filters"]), shop.today(shop.get(session), now)

    def pieces(reading: Reading) -> Iterator[bytes]:
        return listing.written(reading, table, form, filters, day, EXPORT_SECONDS)

    rows = listing.count(session, table, filters, day)
    about = {"format": asked["format"], "filters": asked["filters"]}
    return Taken(asked["name"], form.media_type, rows, pieces), about


def _file(session: Session, ticket_id: int, asked: dict[str, Any]) -> Taken:
    content = session.scalar(
        delete(DownloadFile).where(DownloadFile.ticket_id == ticket_id).returning(DownloadFile.content)
    )
    if content is None:
        raise NotFound(MISSING)
    content = bytes(content)

    def pieces(_reading: Reading) -> Iterator[bytes]:
        return (content[start : start + _PIECE] for start in range(0, len(content), _PIECE))

    return Taken(asked["name"], asked["media_type"], asked["rows"], pieces)


def _as_json(filters: Filters) -> dict[str, Any]:
    said = {
        "since": filters.since and filters.since.isoformat(),
        "until": filters.until and filters.until.isoformat(),
        "warehouse_id": filters.warehouse_id,
        "category": filters.category,
    }
    return {name: value for name, value in said.items() if value is not None}


def _filters(said: dict[str, Any]) -> Filters:
    days = {name: date.fromisoformat(said[name]) for name in ("since", "until") if name in said}
    return Filters(**(said | days))
