"""What came in by file, and what somebody should see: imports and alerts."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment_now, small_id, uid

IMPORT_KINDS = ("sales", "stock", "products", "prices")
IMPORT_STATES = (
    "uploaded", "reading", "read", "checking", "checked", "applying", "applied", "refused", "failed",
    "discarded",
)  # fmt: skip


class Import(Base):
    """One file that somebody brought in, and what came of it.

    `kind`: sales lines, opening stock, a product list, or a vendor's price list. A file is uploaded, read
    (its columns are known), checked (what it would do is in `counts`, `preview` and the issues) and applied
    whole, or refused because of errors in it, failed because of trouble with it (`problem`), or discarded by
    a person.
    """

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("kind IN ('sales', 'stock', 'products', 'prices')", name="kind"),
        CheckConstraint(
            "state IN ('uploaded', 'reading', 'read', 'checking', 'checked', 'applying', 'applied',"
            " 'refused', 'failed', 'discarded')",
            name="state",
        ),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    actor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    source: Mapped[str]
    file_name: Mapped[str]
    file_sha256: Mapped[str]
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    mode: Mapped[str] = mapped_column(server_default=text("''"))
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    column_map: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    shift_days: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    state: Mapped[str]
    problem: Mapped[str | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    preview: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    started_at: Mapped[moment_now]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImportFile(Base):
    """The bytes of an uploaded file, apart from what lists show."""

    __tablename__ = "import_file"

    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"), primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportLine(Base):
    """A line already in the ledger; the key is a hash of (source, document, code, n-th occurrence)."""

    __tablename__ = "import_line"

    key: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"), index=True)


class ImportIssue(Base):
    """A line of a file that was skipped by a named rule, is an error, or changes what is known already."""

    __tablename__ = "import_issue"
    __table_args__ = (
        PrimaryKeyConstraint("import_id", "line_number", "rule"),
        CheckConstraint("kind IN ('skipped', 'error', 'note', 'change')", name="kind"),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"))
    line_number: Mapped[int]
    kind: Mapped[str]
    rule: Mapped[str]
    field: Mapped[str | None]
    value: Mapped[str | None]
    message: Mapped[str]


ALERT_TYPES = ("low_stock", "predicted_depletion", "anomaly", "ledger")
SEVERITIES = ("info", "warning", "critical")
"""Weakest first."""
ALERT_STATES = ("active", "acknowledged", "snoozed", "resolved")
ALERT_TARGETS = ("email", "webhook")


class AlertSettings(Base):
    """The one row that says which alerts are raised, and who is told of those as severe or more.

    What was raised, or got worse, before `notify_since` is told to nobody: somebody who is added does not get
    the alerts of last week.
    """

    __tablename__ = "alert_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("alert_threshold_days BETWEEN 1 AND 120", name="alert_threshold_days"),
        CheckConstraint("notify_severity IN ('info', 'warning', 'critical')", name="notify_severity"),
        CheckConstraint("cardinality(notify_emails) <= 20", name="notify_emails"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    alert_threshold_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("14"))
    low_stock_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    predicted_depletion_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    anomaly_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    notify_emails: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    notify_webhook: Mapped[str | None]
    notify_severity: Mapped[str] = mapped_column(server_default=text("'critical'"))
    notify_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Alert(Base):
    """Something about one product that somebody should see; one per product and type while not resolved.

    "anomaly": movements of it that are probably errors; "ledger": a rule of the ledger is broken, of a
    product or (`product_id` null) of none in particular.

    `figures` holds the numbers of the message as JSON. One resolved by hand stays quiet (`is_quiet`) until
    its condition clears, or gets worse than it was then.
    """

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("type IN ('low_stock', 'predicted_depletion', 'anomaly', 'ledger')", name="type"),
        CheckConstraint("product_id IS NOT NULL OR type = 'ledger'", name="product_id"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("state IN ('active', 'acknowledged', 'snoozed', 'resolved')", name="state"),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
        CheckConstraint("state <> 'snoozed' OR snoozed_until IS NOT NULL OR snoozed_chance IS NOT NULL",
                        name="snoozed"),
        Index("uq_alert_open", "product_id", "type", unique=True,
              postgresql_where=text("state <> 'resolved'"), postgresql_nulls_not_distinct=True),
        Index("ix_alert_product_id", "product_id", "id"),
        Index("ix_alert_open_money", "money_at_risk", postgresql_where=text("state <> 'resolved'")),
        Index("ix_alert_resolved_at", "resolved_at"),
    )  # fmt: skip

    id: Mapped[big_id]
    uid: Mapped[uid]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    type: Mapped[str]
    severity: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'active'"))
    message: Mapped[str]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    chance: Mapped[float | None]
    money_at_risk: Mapped[Decimal] = mapped_column(Numeric(28, 4), server_default=text("0"))
    raised_at: Mapped[moment_now]
    changed_at: Mapped[moment_now]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    acknowledged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    snoozed_until: Mapped[date | None]
    snoozed_chance: Mapped[float | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolved_because: Mapped[str | None]
    is_quiet: Mapped[bool] = mapped_column(server_default=text("false"))


class AlertMessage(Base):
    """An alert that is told to one target once; again when it gets more severe, which is a row of its own.

    Whoever sends it counts the attempt first and moves `next_try_at` on, so that nobody else sends it
    meanwhile; one who dies before noting what came of it leaves it to be sent again under the same `uid`.
    """

    __tablename__ = "alert_message"
    __table_args__ = (
        CheckConstraint("target IN ('email', 'webhook')", name="target"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="state"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
        UniqueConstraint("alert_id", "target", "severity"),
        Index("ix_alert_message_unsent", "target", "next_try_at", postgresql_where=text("state <> 'sent'")),
        Index("ix_alert_message_target", "target", "sent_at"),
        Index("ix_alert_message_created_at", "created_at"),
    )

    id: Mapped[big_id]
    uid: Mapped[uid]
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"))
    target: Mapped[str]
    severity: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_try_at: Mapped[moment_now]
    tried_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    problem: Mapped[str | None]
    created_at: Mapped[moment_now]
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
