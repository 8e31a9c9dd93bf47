"""Purchase orders: what was asked of whom, and what arrived."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment_now, money, quantity, small_id, uid

ORDER_STATES = ("draft", "sent", "partly_received", "received", "cancelled")


class OrderYear(Base):
    """The last number given to a purchase order of a year; locked by whoever takes the next one."""

    __tablename__ = "order_year"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    last_number: Mapped[int]


class PurchaseOrder(Base):
    """What is asked of one vendor at once. `number` (PO-2026-0001) is given when the draft is made, without
    gaps per year; money is in the vendor's `currency` at the `exchange_rate` of that moment. `expected_on`:
    when the vendor is to deliver, lines may differ. An order is `received` when nothing of it is open.
    `mailing_at`: somebody began to mail it then and nobody knows yet what came of it; `mailed_at`: a mail
    server took it."""

    __tablename__ = "purchase_order"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'sent', 'partly_received', 'received', 'cancelled')", name="state"
        ),
        CheckConstraint("freight >= 0", name="freight"),
        CheckConstraint("exchange_rate > 0", name="exchange_rate"),
        CheckConstraint("state NOT IN ('sent', 'partly_received', 'received') OR sent_on IS NOT NULL",
                        name="sent"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
        Index("ix_purchase_order_state", "state", "id"),
        Index("ix_purchase_order_vendor_id", "vendor_id", "id"),
    )  # fmt: skip

    id: Mapped[small_id]
    uid: Mapped[uid]
    number: Mapped[str] = mapped_column(unique=True)
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"))
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    currency: Mapped[str]
    exchange_rate: Mapped[Decimal] = mapped_column(Numeric(18, 8), server_default=text("1"))
    freight: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    vendor_reference: Mapped[str | None]
    note: Mapped[str | None]
    expected_on: Mapped[date | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[moment_now]
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sent_on: Mapped[date | None]
    mailed_to: Mapped[str | None]
    mailing_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    mailed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    received_on: Mapped[date | None]
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancelled_because: Mapped[str | None]


class PurchaseOrderLine(Base):
    """One product for one warehouse. Open is `quantity - received - given_up`, while the order is sent or
    partly received; `received` may be more than was asked for. Once sent, what is open is an
    `expected_receipt` that names this line, and so part of every forecast. `expected_on` moves with what the
    vendor announces; `promised_on` is what it was when the order was sent, and what on time means."""

    __tablename__ = "purchase_order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        CheckConstraint("received >= 0", name="received"),
        CheckConstraint("given_up >= 0", name="given_up"),
        Index("uq_purchase_order_line_place", "order_id", "product_id", "warehouse_id", unique=True),
        Index("ix_purchase_order_line_product_id", "product_id"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"), index=True)
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("vendor_offer.id"), index=True)
    vendor_sku: Mapped[str | None]
    quantity: Mapped[quantity]
    unit_price: Mapped[money]
    expected_on: Mapped[date | None]
    promised_on: Mapped[date | None]
    received: Mapped[quantity] = mapped_column(server_default=text("0"))
    given_up: Mapped[quantity] = mapped_column(server_default=text("0"))
    note: Mapped[str | None]


class OrderReceipt(Base):
    """A part of an order line that arrived, and the movement that booked it. One that was undone
    (`undone_at`) never was."""

    __tablename__ = "order_receipt"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_order_receipt_line_id", "line_id"),
        Index("ix_order_receipt_received_on", "received_on"),
    )

    id: Mapped[big_id]
    line_id: Mapped[int] = mapped_column(ForeignKey("purchase_order_line.id"))
    movement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("movement.id"), unique=True)
    quantity: Mapped[quantity]
    received_on: Mapped[date]
    received_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    received_at: Mapped[moment_now]
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
