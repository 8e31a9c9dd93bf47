"""What Runout thinks of the future: trainings, forecasts, run-outs, and what people know better."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment_now, quantity, small_id, uid

STATUSES = ("out", "late", "order_now", "fine", "excess", "unknown")
"""Worst first. `unknown`: too little history for a forecast, and stock on hand."""


class ModelRun(Base):
    """One training: on which data, with which engine, how it ended.

    `report`: what the back-test of this training found out about the methods (leaderboard, who was let into
    the pool and why, calibration), see `core.forecast.leaderboard`; null for a training of what moved.
    """

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
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
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
    stock. `limited` names the days whose demand was held to be one-off and how much of it was learned from,
    `[[day, demand, counted], ...]`; `would_help` says what data would make the forecast better. Only rows
    with `is_current` are shown; a run sets them all at once. `state`: ok, too_short (fewer
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
        # The products that were tested on the past, by class.
        Index("ix_forecast_tested", "demand_class", postgresql_where=text(
            "is_current AND warehouse_id IS NULL AND scores -> 'tasks' IS NOT NULL")),
        Index("ix_forecast_whole", "state", "demand_class", "product_id",
              postgresql_where=text("is_current AND warehouse_id IS NULL")),
        Index("ix_forecast_failed", "product_id", postgresql_where=text("state = 'failed'")),
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
    limited: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    would_help: Mapped[str | None]
    created_at: Mapped[moment_now]


class RunOut(Base):
    """When a product runs out, computed from its forecast's paths and its stock, kept for lists.

    One row per product (all warehouses, `warehouse_id` null) and per product and warehouse. It is stale when
    `on_hand` is not the stock of now, `due` not what is on its way, `edits` not what people changed of the
    forecast (`[[week, adds, replaces, first day it speaks of], ...]` from this week on, null without any), or
    `as_of` is not today. Days are dates; null means not within the horizon. `due`: `[[date, quantity], ...]`
    of the open receipts that were counted, by date, null when there were none. `money_at_risk`: sales
    expected to be lost before an order placed today arrives.
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
    edits: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
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


class ForecastEdit(Base):
    """What people know better about one week of one product's demand.

    `adds` units to the computed forecast of the week (less than 0 takes away), `replaces` it altogether and
    wins over `adds`. `week_on` is a Monday.
    """

    __tablename__ = "forecast_edit"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "week_on"),
        CheckConstraint("extract(isodow FROM week_on) = 1", name="week_on"),
        CheckConstraint("replaces >= 0", name="replaces"),
        CheckConstraint("adds IS NOT NULL OR replaces IS NOT NULL", name="something"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    week_on: Mapped[date]
    adds: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    replaces: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    note: Mapped[str | None]
    edited_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    edited_at: Mapped[moment_now]


EVENT_KINDS = ("promotion", "closed", "other")


class DemandEvent(Base):
    """Days on which demand is known to be different: a promotion, closed doors, a fair.

    For all products, one category or one product, everywhere or in one warehouse. `effect_percent` is the
    change of demand that is expected (50: half as much again; -100: none); null: learned from earlier events
    of the same name and kind. One that was taken back (`removed_at`) has never been.
    """

    __tablename__ = "demand_event"
    __table_args__ = (
        CheckConstraint("kind IN ('promotion', 'closed', 'other')", name="kind"),
        CheckConstraint("ends_on >= starts_on", name="days"),
        CheckConstraint("effect_percent BETWEEN -100 AND 10000", name="effect_percent"),
        CheckConstraint("product_id IS NULL OR category IS NULL", name="about"),
        Index("ix_demand_event_open", "starts_on", postgresql_where=text("removed_at IS NULL")),
        Index("ix_demand_event_product_id", "product_id"),
        Index("ix_demand_event_warehouse_id", "warehouse_id"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    name: Mapped[str]
    kind: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    category: Mapped[str | None]
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    effect_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 2))
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[moment_now]
    changed_at: Mapped[moment_now]
    removed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DemandExclusion(Base):
    """Demand that says nothing about the future: days of a product, or one sale, with the reason.

    The days were as if nobody had looked; a sale is taken out of its day's demand. Stock is untouched. An
    exclusion that was taken back (`undone_at`) has never been.
    """

    __tablename__ = "demand_exclusion"
    __table_args__ = (
        CheckConstraint("(movement_id IS NULL) = (starts_on IS NOT NULL)", name="days_or_sale"),
        CheckConstraint("(starts_on IS NULL) = (ends_on IS NULL)", name="both_days"),
        CheckConstraint("ends_on >= starts_on", name="days"),
        Index("ix_demand_exclusion_open", "product_id", postgresql_where=text("undone_at IS NULL")),
        Index("uq_demand_exclusion_movement", "movement_id", unique=True,
              postgresql_where=text("undone_at IS NULL")),
    )  # fmt: skip

    id: Mapped[small_id]
    uid: Mapped[uid]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    movement_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("movement.id"))
    reason: Mapped[str]
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[moment_now]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class IssuedRange(Base):
    """A run-out range as it was shown on one day, and what became of it.

    The promise: with `on_hand` and what was then `due` the stock is used up between `p10_on` and `p90_on`
    (null: after `until`, the forecast's last day) in 8 of 10 cases. `state`: open, inside, early, late, or
    void (demand could not be seen, or stock was lost, so that nothing can be said).
    """

    __tablename__ = "issued_range"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'inside', 'early', 'late', 'void')", name="state"),
        CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="closed_on"),
        Index("uq_issued_range_day", "product_id", "issued_on", unique=True),
        Index("ix_issued_range_open", "product_id", postgresql_where=text("state = 'open'")),
        Index("ix_issued_range_issued_on", "issued_on"),
        # The latest whose days are over, of the shop and of a class of demand.
        Index("ix_issued_range_over", text("coalesce(p90_on, until)"),
              postgresql_where=text("state <> 'open'")),
        Index("ix_issued_range_class_over", "demand_class", text("coalesce(p90_on, until)"),
              postgresql_where=text("state IN ('inside', 'early', 'late')")),
    )  # fmt: skip

    id: Mapped[big_id]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    issued_on: Mapped[date]
    method: Mapped[str]
    demand_class: Mapped[str | None]
    on_hand: Mapped[quantity]
    due: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    p10_on: Mapped[date]
    p50_on: Mapped[date | None]
    p90_on: Mapped[date | None]
    until: Mapped[date]
    chance_14: Mapped[float]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    ran_out_on: Mapped[date | None]
    why: Mapped[str | None]
    closed_on: Mapped[date | None]


class DemandPattern(Base):
    """Trend, weekday and season of one product as Prophet draws them, made when somebody asked.

    `parts`: `{"trend": [[day, low, middle, high], ...], "weekday": [...7 numbers, Monday first],
    "yearly": [[day, value], ...] or null, "holidays": [[name, effect], ...] or null}`; null when there is
    too little history, and `reason` says so.
    """

    __tablename__ = "demand_pattern"

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), primary_key=True, autoincrement=False)
    as_of: Mapped[date]
    parts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str | None]
    made_at: Mapped[moment_now]
