"""The ledger. Only the posting functions in `db/functions` write these tables; here they are read."""

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
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment, moment_now, quantity

MOVEMENT_TYPES = ("in", "out", "adjust", "transfer")


class Reason(Base):
    """Why stock moves. `is_demand` says whether a negative change with this reason is demand."""

    __tablename__ = "reason"

    code: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    is_demand: Mapped[bool]


class Posting(Base):
    """One booking by one person; its key makes a retry find the first answer again."""

    __tablename__ = "posting"
    __table_args__ = (UniqueConstraint("actor_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    actor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    key: Mapped[str]
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[moment_now]


class Movement(Base):
    """One line of the ledger: a signed change of one product in one warehouse. Never changed again.

    `stock_before` and `stock_after` speak of booking order (ascending ids); `occurred_at` and `day` (the
    warehouse's business day) say when it happened. `demand_day` is the day whose demand the line changes:
    its own day for a sale, the sale's day for a return or a reversal of it, null when it is not demand.
    """

    __tablename__ = "movement"
    __table_args__ = (
        CheckConstraint("change <> 0", name="change"),
        CheckConstraint("stock_after = stock_before + change AND stock_after >= 0", name="stock"),
        CheckConstraint("type IN ('in', 'out', 'adjust', 'transfer')", name="type"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        Index("ix_movement_product_id_id", "product_id", "id"),
        Index("ix_movement_warehouse_id_id", "warehouse_id", "id"),
        Index("uq_movement_reverses_id", "reverses_id", unique=True,
              postgresql_where=text("reverses_id IS NOT NULL")),
        Index("ix_movement_returns_id", "returns_id", postgresql_where=text("returns_id IS NOT NULL")),
        Index("ix_movement_posting_id", "posting_id"),
        # What a customer, and a document, had before: a line is odd beside them or not.
        Index("ix_movement_customer_id", "customer", "id", postgresql_where=text("customer IS NOT NULL")),
        # A "customer" may be all who pay cash: what one took of a product is not looked for among all else.
        Index("ix_movement_customer_product_id", "customer", "product_id", "id",
              postgresql_where=text("customer IS NOT NULL")),
        Index("ix_movement_reference_id_id", "reference_id", "id",
              postgresql_where=text("reference_id IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    type: Mapped[str]
    reason_code: Mapped[str] = mapped_column(ForeignKey("reason.code"))
    change: Mapped[quantity]
    stock_before: Mapped[quantity]
    stock_after: Mapped[quantity]
    unit_price: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    occurred_at: Mapped[moment]
    day: Mapped[date]
    demand_day: Mapped[date | None]
    reason: Mapped[str | None]
    reference_type: Mapped[str | None]
    reference_id: Mapped[str | None]
    customer: Mapped[str | None]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("movement.id"))
    returns_id: Mapped[int | None] = mapped_column(ForeignKey("movement.id"))
    counterpart_id: Mapped[int | None] = mapped_column(BigInteger)


class StockLevel(Base):
    """On hand per product and warehouse: always the sum of its movements, never below zero."""

    __tablename__ = "stock_level"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "warehouse_id"),
        CheckConstraint("quantity >= 0", name="quantity"),
        Index("ix_stock_level_warehouse_id", "warehouse_id"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    quantity: Mapped[quantity]
    last_movement_id: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[moment_now]


class StockDay(Base):
    """The daily roll-up: one row for each business day on which a product moved in a warehouse.

    `closing` is the stock at the end of the day and holds until the next row. In every row
    closing = closing of the row before + receipts - demand + other.
    """

    __tablename__ = "stock_day"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "warehouse_id", "day"),
        Index("ix_stock_day_day", "day"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    day: Mapped[date]
    demand: Mapped[quantity]
    receipts: Mapped[quantity]
    other: Mapped[quantity]
    closing: Mapped[quantity]


class PostingLine(Base):
    """Lines on their way into the ledger in bulk: copied here, applied by `post_stock_lines`, gone.

    Unlogged: nothing in it outlives the transaction that filled it. `reverses_line` and `returns_line` name
    another line of the same batch, which has no id in the ledger yet. The columns from `movement_id` on are
    the function's working space.
    """

    __tablename__ = "posting_line"
    __table_args__ = (PrimaryKeyConstraint("batch", "line_no"), {"prefixes": ["UNLOGGED"]})

    batch: Mapped[uuid.UUID] = mapped_column(Uuid)
    line_no: Mapped[int]
    product_id: Mapped[int]
    warehouse_id: Mapped[int]
    type: Mapped[str] = mapped_column(Text)
    reason_code: Mapped[str] = mapped_column(Text)
    change: Mapped[quantity]
    unit_price: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    occurred_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(Text)
    reference_type: Mapped[str | None] = mapped_column(Text)
    reference_id: Mapped[str | None] = mapped_column(Text)
    customer: Mapped[str | None] = mapped_column(Text)
    reverses_id: Mapped[int | None] = mapped_column(BigInteger)
    returns_id: Mapped[int | None] = mapped_column(BigInteger)
    reverses_line: Mapped[int | None]
    returns_line: Mapped[int | None]
    counterpart_line: Mapped[int | None]
    movement_id: Mapped[int | None] = mapped_column(BigInteger)
    stock_after: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    happened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    day: Mapped[date | None]
    demand_day: Mapped[date | None]


class MovementNote(Base):
    """Words added to a movement later; the newest are shown, the movement stays as it was written."""

    __tablename__ = "movement_note"

    id: Mapped[big_id]
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), index=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[moment_now]
    notes: Mapped[str | None]
    reference_type: Mapped[str | None]
    reference_id: Mapped[str | None]


class Replacement(Base):
    """A corrected movement and the one that was booked in its place, after its reversal."""

    __tablename__ = "replacement"

    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), primary_key=True, autoincrement=False)
    replaces_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), unique=True)


class LedgerMark(Base):
    """Where the ledger's rows lie: the id of every thousandth movement, in order of ids.

    `place` counts movements from 1; the ledger only grows, so a mark holds for ever. None is set behind the
    horizon (core/cursors.py), where an earlier movement could still appear. `last_recorded_at` is the latest
    booking among all movements up to the mark: whoever wants what was booked later begins behind it.
    """

    __tablename__ = "ledger_mark"

    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    movement_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    last_recorded_at: Mapped[moment]
