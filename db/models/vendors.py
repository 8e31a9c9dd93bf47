"""From whom the shop buys, and what they ask."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    ARRAY,
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


class Vendor(Base):
    """Somebody who delivers products, and on which terms.

    Money is in the vendor's `currency`; `exchange_rate` is what one unit of it costs in the shop's. An order
    below `order_minimum` is not taken; one of `free_freight_from` or more travels for nothing, else it costs
    `freight_cost`; `order_cost` is what placing and receiving one order costs the shop itself. Orders leave
    on `order_weekdays` (1 Monday .. 7 Sunday; null: any day). Null money: not known, counts as none.
    """

    __tablename__ = "vendor"
    __table_args__ = (
        CheckConstraint("order_minimum >= 0", name="order_minimum"),
        CheckConstraint("free_freight_from >= 0", name="free_freight_from"),
        CheckConstraint("freight_cost >= 0", name="freight_cost"),
        CheckConstraint("order_cost >= 0", name="order_cost"),
        CheckConstraint("exchange_rate > 0", name="exchange_rate"),
        CheckConstraint("lead_time_days BETWEEN 0 AND 365", name="lead_time_days"),
        CheckConstraint(
            "order_weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(order_weekdays) > 0", name="order_weekdays"
        ),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    name: Mapped[str] = mapped_column(unique=True)
    contact_name: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    address: Mapped[str | None]
    note: Mapped[str | None]
    currency: Mapped[str]
    exchange_rate: Mapped[Decimal] = mapped_column(Numeric(18, 8), server_default=text("1"))
    lead_time_days: Mapped[int | None] = mapped_column(SmallInteger)
    order_minimum: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    free_freight_from: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    freight_cost: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    order_cost: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    order_weekdays: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[moment_now]
    updated_at: Mapped[moment_now]


class VendorShutdown(Base):
    """Days on which a vendor neither takes orders nor sends anything, both ends included."""

    __tablename__ = "vendor_shutdown"
    __table_args__ = (CheckConstraint("ends_on >= starts_on", name="days"),)

    id: Mapped[small_id]
    uid: Mapped[uid]
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    note: Mapped[str | None]


class VendorOffer(Base):
    """What a vendor asks for one product from `valid_from` on; never overwritten.

    The offer that counts on a day is the latest (by `valid_from`, then `id`) that is not withdrawn and has
    begun: see the function `offers_on` in the database. One past its `valid_until` still counts and is shown
    as expired, until a newer one comes. Its prices are its steps (`price_step`).
    """

    __tablename__ = "vendor_offer"
    __table_args__ = (
        CheckConstraint("lead_time_days BETWEEN 0 AND 365", name="lead_time_days"),
        CheckConstraint("minimum_order_quantity > 0", name="minimum_order_quantity"),
        CheckConstraint("order_multiple > 0", name="order_multiple"),
        CheckConstraint("valid_until >= valid_from", name="valid_until"),
        # Which offer counts: of a product, and of a vendor.
        Index("ix_vendor_offer_product", "product_id", "vendor_id", text("valid_from DESC"), text("id DESC"),
              postgresql_where=text("withdrawn_at IS NULL")),
        Index("ix_vendor_offer_vendor_id", "vendor_id", "product_id"),
        # Whose number a scanned code is.
        Index("ix_vendor_offer_vendor_sku", text("lower(vendor_sku)"),
              postgresql_where=text("vendor_sku IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[small_id]
    uid: Mapped[uid]
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    vendor_sku: Mapped[str | None]
    lead_time_days: Mapped[int] = mapped_column(SmallInteger)
    minimum_order_quantity: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    order_multiple: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[moment_now]
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class PriceStep(Base):
    """The unit price of an offer from `minimum_quantity` pieces on, in the vendor's currency."""

    __tablename__ = "price_step"
    __table_args__ = (
        PrimaryKeyConstraint("offer_id", "minimum_quantity"),
        CheckConstraint("minimum_quantity > 0", name="minimum_quantity"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
    )

    offer_id: Mapped[int] = mapped_column(ForeignKey("vendor_offer.id"))
    minimum_quantity: Mapped[quantity]
    unit_price: Mapped[money]
