"""What was scanned: by whom, where, what it meant and what it booked."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Sequence,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment_now, uid

# The next number of a code that the shop makes itself, for a product without one.
INTERNAL_CODES = Sequence("internal_code", metadata=Base.metadata)

SCAN_SOURCES = ("camera", "photo", "wedge", "typed", "list", "http")
SCAN_MODES = ("look_up", "in", "out", "transfer", "count", "link")
SCAN_OUTCOMES = ("found", "booked", "linked", "unknown", "ambiguous", "refused", "ignored")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Scan(Base):
    """One code that somebody read, and what became of it.

    `key` is made where the code was read: the same person's same key is the same scan, however often it
    arrives. `quantity` is in pieces (never negative), `posting_id` the booking it led to, `undone_at` when
    that was taken back through the scan; a movement that was reversed elsewhere is seen in the ledger.
    `lot`, `serial` and `expires_on` are what a GS1 code says of the piece in hand.
    """

    __tablename__ = "scan"
    __table_args__ = (
        UniqueConstraint("person_id", "key"),
        CheckConstraint(_one_of("source", SCAN_SOURCES), name="source"),
        CheckConstraint(_one_of("mode", SCAN_MODES), name="mode"),
        CheckConstraint(_one_of("outcome", SCAN_OUTCOMES), name="outcome"),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("pack_factor > 0", name="pack_factor"),
        CheckConstraint("(outcome = 'booked') = (posting_id IS NOT NULL)", name="booked"),
        CheckConstraint("undone_at IS NULL OR posting_id IS NOT NULL", name="undone"),
        Index("ix_scan_person_id_id", "person_id", "id"),
        Index("ix_scan_warehouse_id_id", "warehouse_id", "id"),
        Index("ix_scan_product_id", "product_id", postgresql_where=text("product_id IS NOT NULL")),
        Index("ix_scan_posting_id", "posting_id", postgresql_where=text("posting_id IS NOT NULL")),
    )

    id: Mapped[big_id]
    uid: Mapped[uid]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    key: Mapped[uuid.UUID]
    scanned_at: Mapped[moment_now]
    source: Mapped[str]
    mode: Mapped[str]
    code: Mapped[str]
    symbology: Mapped[str | None]
    outcome: Mapped[str]
    said: Mapped[str | None]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    to_warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"), index=True)
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    pack_factor: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    lot: Mapped[str | None]
    serial: Mapped[str | None]
    expires_on: Mapped[date | None]
    posting_id: Mapped[int | None] = mapped_column(ForeignKey("posting.id"))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
