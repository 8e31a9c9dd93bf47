"""What the shop sells and where it lies."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, moment_now, quantity, small_id, uid


class Warehouse(Base):
    """A place stock can lie. Its time zone decides which business day a movement belongs to.

    One that is `supplied_by_id` another gets its stock from there by transfer; vendors deliver to the other.
    """

    __tablename__ = "warehouse"
    __table_args__ = (
        CheckConstraint("supplied_by_id <> id", name="supplied_by"),
        Index("uq_warehouse_is_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    location: Mapped[str | None]
    time_zone: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    supplied_by_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"), index=True)
    created_at: Mapped[moment_now]


class Product(Base):
    """A thing the shop keeps in stock, counted in its unit of measure.

    Its demand history goes on from that of the product it replaces (`predecessor_id`), when there is one. It
    is bought from `preferred_vendor_id` whatever others ask, where a buyer decided so.
    """

    __tablename__ = "product"
    __table_args__ = (
        Index("ix_product_sku_lower", text("lower(sku)")),
        Index("ix_product_category", "category"),
        CheckConstraint("unit_cost >= 0", name="unit_cost"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        CheckConstraint("reorder_threshold >= 0", name="reorder_threshold"),
        CheckConstraint("lead_time_days BETWEEN 0 AND 365", name="lead_time_days"),
        CheckConstraint("predecessor_id <> id", name="predecessor"),
        Index("ix_product_predecessor_id", "predecessor_id"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    sku: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str | None]
    category: Mapped[str | None]
    unit_of_measure: Mapped[str] = mapped_column(server_default=text("'each'"))
    unit_cost: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    unit_price: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    reorder_threshold: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    lead_time_days: Mapped[int | None] = mapped_column(SmallInteger)
    predecessor_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    preferred_vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    predecessor_set_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[moment_now]
    updated_at: Mapped[moment_now]


class WarehouseThreshold(Base):
    """At or below how many pieces a product is low in one warehouse, beside the threshold of the shop."""

    __tablename__ = "warehouse_threshold"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "warehouse_id"),
        CheckConstraint("reorder_threshold >= 0", name="reorder_threshold"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"), index=True)
    reorder_threshold: Mapped[quantity]


class ExpectedReceipt(Base):
    """Stock on its way: how much of a product arrives where, and when. Run-outs count it while open.

    Noted by hand, or what is open of the line of a purchase order that was sent (`order_line_id`); then the
    order's verbs alone change it.
    """

    __tablename__ = "expected_receipt"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("closed_because IN ('received', 'cancelled')", name="closed_because"),
        CheckConstraint("(closed_at IS NULL) = (closed_because IS NULL)", name="closed"),
        Index(
            "ix_expected_receipt_open",
            "product_id",
            "warehouse_id",
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("uq_expected_receipt_order_line_id", "order_line_id", unique=True,
              postgresql_where=text("closed_at IS NULL AND order_line_id IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[small_id]
    uid: Mapped[uid]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    quantity: Mapped[quantity]
    expected_on: Mapped[date]
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("purchase_order_line.id"), index=True)
    note: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[moment_now]
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_because: Mapped[str | None]


class Barcode(Base):
    """A code printed on a product or its pack; scanning it means `pack_factor` pieces."""

    __tablename__ = "barcode"
    __table_args__ = (CheckConstraint("pack_factor > 0", name="pack_factor"),)

    id: Mapped[small_id]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    pack_factor: Mapped[quantity] = mapped_column(server_default=text("1"))
    created_at: Mapped[moment_now]
