"""What Runout worked out from the ledger: model runs, forecasts, run-outs, and what imports did."""

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
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment_now, quantity, small_id, uid

STATUSES = ("out", "late", "order_now", "fine", "excess", "unknown")
"""Worst first. `unknown`: too little history for a forecast, and stock on hand."""


class ModelRun(Base):
    """One training: on which data, with which engine, how it ended."""

    __tablename__ = "model_run"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'published', 'failed', 'abandoned')", name="state"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    state: Mapped[str]
    as_of: Mapped[date]
    engine: Mapped[dict[str, Any]] = mapped_column(JSONB)
    library: Mapped[bytes | None] = mapped_column(LargeBinary)
    scores: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    started_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[moment_now]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trained: Mapped[int] = mapped_column(server_default=text("0"))
    too_short: Mapped[int] = mapped_column(server_default=text("0"))
    failed: Mapped[int] = mapped_column(server_default=text("0"))


class Forecast(Base):
    """The stored demand of one product (of one warehouse, or of all when `warehouse_id` is null).

    `paths` holds sample paths of cumulative demand (see `core.forecast.depletion`); they do not depend on the
    stock. Only rows with `is_current` are shown; a run sets them all at once. `state`: ok, too_short (fewer
    than 30 days of history or two days with demand; no paths), failed (`reason` says how; never current while
    an older one works).
    """

    __tablename__ = "forecast"
    __table_args__ = (
        CheckConstraint("state IN ('ok', 'too_short', 'failed')", name="state"),
        CheckConstraint("(state = 'ok') = (paths IS NOT NULL)", name="paths"),
        Index("uq_forecast_current", "product_id", "warehouse_id", unique=True,
              postgresql_where=text("is_current"), postgresql_nulls_not_distinct=True),
        Index("ix_forecast_model_run_id", "model_run_id"),
        Index("ix_forecast_product_id", "product_id"),
    )  # fmt: skip

    id: Mapped[big_id]
    model_run_id: Mapped[int] = mapped_column(ForeignKey("model_run.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    is_current: Mapped[bool] = mapped_column(server_default=text("false"))
    as_of: Mapped[date]
    state: Mapped[str]
    reason: Mapped[str]
    method: Mapped[str | None]
    demand_class: Mapped[str | None]
    history_days: Mapped[int]
    demand_days: Mapped[int]
    daily_rate: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    paths: Mapped[bytes | None] = mapped_column(LargeBinary)
    fan: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    scores: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[moment_now]


class RunOut(Base):
    """When a product runs out, computed from its forecast's paths and its stock, kept for lists.

    One row per product (all warehouses, `warehouse_id` null) and per product and warehouse. It is stale when
    `on_hand` is not the stock of now, `due` not what is on its way, or `as_of` is not today. Days are dates;
    null means not within the horizon. `due`: `[[date, quantity], ...]` of the open receipts that were
    counted, by date, null when there were none. `money_at_risk`: sales expected to be lost before an order
    placed today arrives.
    """

    __tablename__ = "run_out"
    __table_args__ = (
        CheckConstraint(
            "status IN ('out', 'late', 'order_now', 'fine', 'excess', 'unknown')", name="status"
        ),
        Index("uq_run_out_product", "product_id", "warehouse_id", unique=True,
              postgresql_nulls_not_distinct=True),
        Index("ix_run_out_warehouse_id_status", "warehouse_id", "status"),
        Index("ix_run_out_forecast_id", "forecast_id"),
    )  # fmt: skip

    id: Mapped[big_id]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    forecast_id: Mapped[int | None] = mapped_column(ForeignKey("forecast.id", ondelete="SET NULL"))
    as_of: Mapped[date]
    on_hand: Mapped[quantity]
    due: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[str]
    p10_on: Mapped[date | None]
    p50_on: Mapped[date | None]
    p90_on: Mapped[date | None]
    chance_7: Mapped[float | None]
    chance_14: Mapped[float | None]
    chance_30: Mapped[float | None]
    chance_before_replenishment: Mapped[float | None]
    lead_time_days: Mapped[int] = mapped_column(SmallInteger)
    order_by_on: Mapped[date | None]
    daily_rate: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    days_of_cover: Mapped[Decimal | None] = mapped_column(Numeric(9, 1))
    expected_lost: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    # Quantity times price: wider than either, or a typing error could not even be booked.
    stock_value: Mapped[Decimal] = mapped_column(Numeric(28, 4), server_default=text("0"))
    money_at_risk: Mapped[Decimal] = mapped_column(Numeric(28, 4), server_default=text("0"))
    computed_at: Mapped[moment_now]


IMPORT_KINDS = ("sales", "stock", "products")
IMPORT_STATES = (
    "uploaded", "reading", "read", "checking", "checked", "applying", "applied", "refused", "failed",
    "discarded",
)  # fmt: skip


class Import(Base):
    """One file that somebody brought in, and what came of it.

    `kind`: sales lines, opening stock, or a product list. A file is uploaded, read (its columns are known),
    checked (what it would do is in `counts`, `preview` and the issues) and applied whole, or refused because
    of errors in it, failed because of trouble with it (`problem`), or discarded by a person.
    """

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("kind IN ('sales', 'stock', 'products')", name="kind"),
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


ALERT_TYPES = ("low_stock", "predicted_depletion")
SEVERITIES = ("info", "warning", "critical")
"""Weakest first."""
ALERT_STATES = ("active", "acknowledged", "snoozed", "resolved")


class AlertSettings(Base):
    """The one row that says which alerts are raised."""

    __tablename__ = "alert_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("alert_threshold_days BETWEEN 1 AND 120", name="alert_threshold_days"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    alert_threshold_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("14"))
    low_stock_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    predicted_depletion_enabled: Mapped[bool] = mapped_column(server_default=text("true"))


class Alert(Base):
    """Something about one product that somebody should see; one per product and type while not resolved.

    `figures` holds the numbers of the message as JSON. One resolved by hand stays quiet (`is_quiet`) until
    its condition clears, or gets worse than it was then.
    """

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("type IN ('low_stock', 'predicted_depletion')", name="type"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("state IN ('active', 'acknowledged', 'snoozed', 'resolved')", name="state"),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
        CheckConstraint("state <> 'snoozed' OR snoozed_until IS NOT NULL OR snoozed_chance IS NOT NULL",
                        name="snoozed"),
        Index("uq_alert_open", "product_id", "type", unique=True,
              postgresql_where=text("state <> 'resolved'")),
        Index("ix_alert_product_id", "product_id", "id"),
        Index("ix_alert_open_money", "money_at_risk", postgresql_where=text("state <> 'resolved'")),
        Index("ix_alert_resolved_at", "resolved_at"),
    )  # fmt: skip

    id: Mapped[big_id]
    uid: Mapped[uid]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
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
