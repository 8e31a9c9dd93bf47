"""How programs and downloads get in: API keys of machines, tickets for one download."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment, moment_now, small_id, uid


class ApiKey(Base):
    """A key with which a machine acts for a person: a till, a nightly pull.

    It may do what `rights` name and what the person's role allows at that moment, whichever is less; it ends
    with the person's account. Only the hash of the key is kept, and its first characters so that people
    recognise it. Never deleted: revoked.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("cardinality(rights) > 0", name="rights"),
        CheckConstraint("per_minute > 0", name="per_minute"),
        Index("ix_api_key_person_id", "person_id"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    shown: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    rights: Mapped[list[str]] = mapped_column(ARRAY(Text))
    per_minute: Mapped[int | None] = mapped_column(Integer)
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[moment_now]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_address: Mapped[str | None]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class KeyPosting(Base):
    """A booking that a machine made with its API key; one without a row here was made by the person."""

    __tablename__ = "key_posting"
    __table_args__ = (Index("ix_key_posting_api_key_id", "api_key_id", "posting_id"),)

    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), primary_key=True, autoincrement=False)
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"))


class DownloadTicket(Base):
    """Leave to download one thing once, within a minute, in the browser of one sign-in.

    `asked` is what to write (kind, format, filters). Only the hash of the ticket is kept.
    """

    __tablename__ = "download_ticket"
    __table_args__ = (Index("ix_download_ticket_expires_at", "expires_at"),)

    id: Mapped[big_id]
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_in.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[moment_now]
    expires_at: Mapped[moment]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DownloadFile(Base):
    """A file that a page made for a ticket: a label sheet, an order's PDF, a list as it was on the screen.

    It is deleted when the ticket is used or has expired.
    """

    __tablename__ = "download_file"

    ticket_id: Mapped[int] = mapped_column(
        ForeignKey("download_ticket.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    content: Mapped[bytes] = mapped_column(LargeBinary)
