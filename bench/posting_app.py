"""The API as it is, with two addresses more to compare with: one that does nothing, and the way of an ORM.

`uvicorn bench.posting_app:app`; started by `bench.posting_http`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Response
from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Numeric, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from api import main, settings
from api.deps import Needs, Reading, Writing
from api.routes import Router
from api.schemas_stock import Adjustment, IdempotencyKey
from core.auth import Actor
from core.errors import InsufficientStock
from db.models import Product

router = Router("/bench", "inventory")


class Plain(DeclarativeBase):
    """Tables as one would write them first: no rules, no roll-up, no answer kept for a retry."""


class Level(Plain):
    """On hand."""

    __tablename__ = "orm_level"
    product_id: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(Numeric(18, 4))


class Entry(Plain):
    """One change."""

    __tablename__ = "orm_entry"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("orm_level.product_id"))
    person_id: Mapped[int]
    change: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    before: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    after: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


@router.post("/noop", status_code=204)
def nothing(
    session: Reading,  # noqa: ARG001
    actor: Annotated[Actor, Needs("move stock")],  # noqa: ARG001
    wanted: Adjustment,  # noqa: ARG001
    key: IdempotencyKey = None,  # noqa: ARG001
) -> Response:
    """Who asks is read, the body checked, and nothing done."""
    return Response(status_code=204)


@router.post("/orm", status_code=201)
def read_modify_write(
    session: Writing,
    actor: Annotated[Actor, Needs("move stock")],
    wanted: Adjustment,
    key: IdempotencyKey = None,  # noqa: ARG001
) -> Any:
    """Read the product and its level, change it, add an entry, read it back."""
    product = session.scalars(select(Product).where(Product.uid == wanted.product_id)).one()
    level = session.get(Level, product.id, with_for_update=True)
    if level.quantity + wanted.quantity < 0:
        raise InsufficientStock("Too little.")
    before = level.quantity
    level.quantity = before + wanted.quantity
    entry = Entry(
        product_id=product.id, person_id=actor.id, change=wanted.quantity, before=before,
        after=level.quantity, reason=wanted.reason,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    session.refresh(entry)
    return {
        "id": entry.id, "product_id": product.uid, "sku": product.sku, "product_name": product.name,
        "quantity": entry.change, "previous_stock": entry.before, "new_stock": entry.after,
        "reason": entry.reason, "created_at": entry.at, "created_by": actor.name,
    }  # fmt: skip


main.ROUTERS.insert(0, router)
app = main.make_app(settings.from_environment(), main.app.router.lifespan_context)
