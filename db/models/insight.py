"""What Runout worked out from the ledger: model runs, forecasts, run-outs, and what imports did."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
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
    `on_hand` is not the stock of now or `as_of` is not today. Days are dates; null means not within the
    horizon. `money_at_risk`: sales expected to be lost before an order placed today arrives.
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


class Import(Base):
    """One file that somebody brought in, and what came of it."""

    __tablename__ = "import"
    __table_args__ = (CheckConstraint("state IN ('applied', 'refused')", name="state"),)

    id: Mapped[small_id]
    uid: Mapped[uid]
    actor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    source: Mapped[str]
    file_name: Mapped[str]
    file_sha256: Mapped[str]
    mode: Mapped[str]
    column_map: Mapped[dict[str, Any]] = mapped_column(JSONB)
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    shift_days: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    state: Mapped[str]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    started_at: Mapped[moment_now]
    finished_at: Mapped[moment_now]


class ImportLine(Base):
    """A line already in the ledger; the key is a hash of (source, document, code, n-th occurrence)."""

    __tablename__ = "import_line"

    key: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"), index=True)


class ImportIssue(Base):
    """A line of a file that was skipped by a named rule, or is an error."""

    __tablename__ = "import_issue"
    __table_args__ = (
        PrimaryKeyConstraint("import_id", "line_number", "rule"),
        CheckConstraint("kind IN ('skipped', 'error', 'note')", name="kind"),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"))
    line_number: Mapped[int]
    kind: Mapped[str]
    rule: Mapped[str]
    field: Mapped[str | None]
    value: Mapped[str | None]
    message: Mapped[str]
