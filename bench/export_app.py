"""The API as it is, with one address more to compare with: the export as one would write it first.

`uvicorn bench.export_app:app`; started by `bench.export`.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func, select

from api import main
from api.deps import Needs, Reading
from api.routes import Router
from api.settings import Settings
from bench import caller
from core.auth import Actor
from db.models import Movement, Posting, Product, Warehouse

router = Router("/bench", "ml")


class Row(BaseModel):
    """A movement with the names of its product and its warehouse."""

    transaction_id: int
    item_id: UUID
    item_sku: str
    item_category: str | None
    warehouse_id: UUID
    warehouse_code: str
    transaction_type: str
    quantity: Decimal
    unit_price: Decimal | None
    total_amount: Decimal | None
    created_at: datetime
    recorded_at: datetime
    created_at_ts: float


class Page(BaseModel):
    """The answer of the seed."""

    rows: list[Row]
    total_count: int
    offset: int
    limit: int
    has_more: bool


@router.get("/naive", response_model=Page)
def naive(
    session: Reading,
    actor: Annotated[Actor, Needs("read")],  # noqa: ARG001
    offset: int = 0,
    limit: int = 10_000,
) -> Any:
    """Objects of the ORM, made into objects of pydantic, made into JSON; all rows counted for each page."""
    total = session.scalar(select(func.count()).select_from(Movement)) or 0
    found = session.execute(
        select(Movement, Posting, Product, Warehouse)
        .join(Posting, Posting.id == Movement.posting_id)
        .join(Product, Product.id == Movement.product_id)
        .join(Warehouse, Warehouse.id == Movement.warehouse_id)
        .order_by(Movement.id)
        .offset(offset)
        .limit(limit)
    )
    rows = [
        Row(
            transaction_id=movement.id,
            item_id=product.uid,
            item_sku=product.sku,
            item_category=product.category,
            warehouse_id=warehouse.uid,
            warehouse_code=warehouse.code,
            transaction_type=movement.type,
            quantity=movement.change,
            unit_price=movement.unit_price,
            total_amount=None if movement.unit_price is None else movement.change * movement.unit_price,
            created_at=movement.occurred_at,
            recorded_at=posting.recorded_at,
            created_at_ts=movement.occurred_at.timestamp(),
        )
        for movement, posting, product, warehouse in found
    ]
    more = offset + len(rows) < total
    return Page(rows=rows, total_count=total, offset=offset, limit=limit, has_more=more)


main.ROUTERS.append(router)
app = main.make_app(
    Settings(
        production=False,
        token_key=caller.TOKEN_KEY,
        access_lasts=timedelta(hours=4),
        cors_origins=(),
        self_registration=None,
    )
)
