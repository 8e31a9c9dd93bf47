"""Who works here, how they stay signed in, what they did, and the shop they work for."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment, moment_now, small_id, uid

ROLES = ("viewer", "user", "manager", "admin")
"""Weakest first; each role may do what the ones before it may."""


class Shop(Base):
    """The one row of settings that every view needs: name, currency, locale, time zone."""

    __tablename__ = "shop"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    currency: Mapped[str]
    locale: Mapped[str]
    time_zone: Mapped[str]
    default_lead_time_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("14"))
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))


class Person(Base):
    """Somebody who may sign in. Never deleted: deactivated, because the ledger names them."""

    __tablename__ = "person"
    __table_args__ = (
        Index("uq_person_email", text("lower(email)"), unique=True),
        CheckConstraint("role IN ('viewer', 'user', 'manager', 'admin')", name="role"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[moment_now]
    password_changed_at: Mapped[moment_now]


class SignIn(Base):
    """One sign-in of one browser, or of one program at the API; ending it ends all its tokens.

    A browser's cookie carries the token, of which only the hash is kept. A program's tokens are the rows of
    `refresh_token`, and the access tokens made with them name this row's `uid`.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        CheckConstraint("kind IN ('browser', 'api')", name="kind"),
        CheckConstraint("(kind = 'browser') = (token_hash IS NOT NULL)", name="token_hash"),
    )

    id: Mapped[big_id]
    uid: Mapped[uid]
    kind: Mapped[str] = mapped_column(server_default=text("'browser'"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    device: Mapped[str | None]
    address: Mapped[str | None]
    created_at: Mapped[moment_now]
    last_seen_at: Mapped[moment_now]
    expires_at: Mapped[moment]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_because: Mapped[str | None]


class RefreshToken(Base):
    """One refresh token of a program's sign-in, used once; only its hash is kept."""

    __tablename__ = "refresh_token"

    id: Mapped[big_id]
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_in.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[moment_now]
    expires_at: Mapped[moment]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PasswordLink(Base):
    """A one-time link with which somebody sets the first password (invite) or a new one (reset)."""

    __tablename__ = "password_link"
    __table_args__ = (CheckConstraint("kind IN ('invite', 'reset')", name="kind"),)

    id: Mapped[small_id]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[moment_now]
    expires_at: Mapped[moment]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignInAttempt(Base):
    """A password that was really compared, kept for the throttle of guesses."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_email_at", "email", "at"),
        Index("ix_sign_in_attempt_address_at", "address", "at"),
    )

    id: Mapped[big_id]
    email: Mapped[str]
    address: Mapped[str]
    at: Mapped[moment_now]
    succeeded: Mapped[bool]


class AuditLine(Base):
    """Who did what to which thing, with the values before and after. Rows are only ever added.

    `api_key_id` is the key of the machine that did it on that person's behalf.
    """

    __tablename__ = "audit_line"
    __table_args__ = (
        Index("ix_audit_line_subject", "subject_type", "subject_id"),
        Index("ix_audit_line_actor_id", "actor_id", "id"),
        Index("ix_audit_line_action", "action", "id"),
        Index("ix_audit_line_api_key_id", "api_key_id", "id",
              postgresql_where=text("api_key_id IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[big_id]
    at: Mapped[moment_now]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    request_id: Mapped[str | None]
    api_key_id: Mapped[int | None] = mapped_column(ForeignKey("api_key.id"))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
