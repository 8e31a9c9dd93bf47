"""What the shop sells, where it lies, and who delivers it."""

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

from db.models.base import Base, moment_now, money, quantity, small_id, uid


class Warehouse(Base):
    """A place stock can lie. Its time zone decides which business day a movement belongs to."""

    __tablename__ = "warehouse"
    __table_args__ = (
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
    created_at: Mapped[moment_now]


class Product(Base):
    """A thing the shop keeps in stock, counted in its unit of measure.

    Its demand history goes on from that of the product it replaces (`predecessor_id`), when there is one.
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
    """Stock on its way: how much of a product arrives where, and when. Run-outs count it while open."""

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
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    quantity: Mapped[quantity]
    expected_on: Mapped[date]
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


class Vendor(Base):
    """Somebody who delivers products."""

    __tablename__ = "vendor"

    id: Mapped[small_id]
    uid: Mapped[uid]
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None]
    phone: Mapped[str | None]
    currency: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[moment_now]


class VendorPrice(Base):
    """One step of a vendor's price for one product, from `minimum_quantity` on; never overwritten."""

    __tablename__ = "vendor_price"
    __table_args__ = (
        CheckConstraint("minimum_quantity > 0", name="minimum_quantity"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        CheckConstraint("lead_time_days BETWEEN 0 AND 365", name="lead_time_days"),
        Index(
            "uq_vendor_price_step", "vendor_id", "product_id", "minimum_quantity", "valid_from", unique=True
        ),
        Index("ix_vendor_price_product_id", "product_id"),
    )

    id: Mapped[small_id]
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    minimum_quantity: Mapped[quantity]
    unit_price: Mapped[money]
    lead_time_days: Mapped[int] = mapped_column(SmallInteger)
    valid_from: Mapped[date]
    created_at: Mapped[moment_now]
