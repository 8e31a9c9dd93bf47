"""The catalogue: finding products, and what is known about one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import inputs
from core.errors import BadInput, NotFound
from core.scanning import reading
from db import queries
from db.models import STATUSES, Barcode, Product, StockLevel, Warehouse

SORTS = (
    "priority",
    "sku",
    "name",
    "on_hand",
    "days_of_cover",
    "daily_rate",
    "p50_on",
    "order_by_on",
    "stock_value",
    "money_at_risk",
)
MOST_ROWS = 50_000
MOST_OFFSET = 2**31
SEARCH_CHARACTERS = 200


@dataclass(frozen=True)
class Level:
    """On hand in one warehouse."""

    warehouse_id: int
    code: str
    name: str
    quantity: Decimal


@dataclass(frozen=True)
class Detail:
    """One product with its barcodes (code, pack factor) and its stock per active warehouse."""

    product: Product
    barcodes: tuple[tuple[str, Decimal], ...]
    levels: tuple[Level, ...]

    @property
    def on_hand(self) -> Decimal:
        return sum((level.quantity for level in self.levels), Decimal(0))


def search(
    session: Session,
    *,
    text: str | None = None,
    category: str | None = None,
    status: str | Sequence[str] | None = None,
    warehouse_id: int | None = None,
    sort: str = "priority",
    descending: bool = False,
    limit: int = 50,
    offset: int = 0,
    only_active: bool = True,
) -> tuple[pd.DataFrame, int]:
    """One page of products (columns of `db/queries/product_page.sql`) and how many there are in all.

    `text` is looked for in SKU and name, or is a whole barcode; `status` is one or several; `warehouse_id`
    shows stock and run-out of that place. Refuses an unknown status or order by name.
    """
    statuses = [status] if isinstance(status, str) else list(status) if status is not None else None
    for name in statuses or []:
        if name not in STATUSES:
            raise BadInput(f"'{inputs.shown(name)}' is not a status; they are {', '.join(STATUSES)}.")
    if sort not in SORTS:
        raise BadInput(f"'{inputs.shown(sort)}' is not an order; they are {', '.join(SORTS)}.")
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= MOST_OFFSET:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} rows and starts at 0 or later.")
    text = inputs.text(text or "", "Search", SEARCH_CHARACTERS)
    asked = {
        "text_like": queries.like(text),
        "code": reading.spoken(text),
        "category": category and inputs.text(category, "Category", SEARCH_CHARACTERS),
        "statuses": statuses,
        "warehouse_id": warehouse_id and inputs.small_id(warehouse_id, "warehouse"),
        "sort": sort,
        "descending": descending,
        "limit": limit,
        "only_active": only_active,
    }
    found = queries.frame(session, "product_page", **asked, offset=offset)
    # The number of all stands in each row; a page behind the last one has none.
    counted = found if len(found) or not offset else queries.frame(session, "product_page", **asked, offset=0)
    total = int(counted.total_count.iloc[0]) if len(counted) else 0
    return found.drop(columns="total_count"), total


def by_uid(session: Session, uid: uuid.UUID | str) -> Detail:
    """The product with this public id. Refuses an unknown or malformed id."""
    wanted = inputs.uid(uid, "a product")
    product = session.scalar(select(Product).where(Product.uid == wanted))
    if product is None:
        raise NotFound("There is no such product; it may have been another shop's link.")
    return detail(session, product)


def by_sku(session: Session, sku: str) -> Product:
    """The product with this SKU, in whatever case it was typed. Refuses an unknown one."""
    wanted = inputs.text(sku, "SKU", SEARCH_CHARACTERS)
    found = session.scalars(select(Product).where(func.lower(Product.sku) == wanted.lower()).limit(2)).all()
    exact = [product for product in found if product.sku == wanted] or found
    if not exact:
        raise NotFound(f"There is no product with the SKU '{inputs.shown(sku)}'.")
    return exact[0]


def detail(session: Session, product: Product) -> Detail:
    """Barcodes and stock per warehouse of a product; warehouses without stock of it show 0."""
    codes = session.execute(
        select(Barcode.code, Barcode.pack_factor).where(Barcode.product_id == product.id).order_by(Barcode.id)
    ).all()
    levels = session.execute(
        select(Warehouse.id, Warehouse.code, Warehouse.name, StockLevel.quantity)
        .outerjoin(
            StockLevel, (StockLevel.warehouse_id == Warehouse.id) & (StockLevel.product_id == product.id)
        )
        .where(Warehouse.is_active | (StockLevel.quantity > 0))
        .order_by(Warehouse.is_default.desc(), Warehouse.code)
    ).all()
    return Detail(
        product,
        tuple((code, factor) for code, factor in codes),
        tuple(Level(i, code, name, quantity or Decimal(0)) for i, code, name, quantity in levels),
    )


def categories(session: Session) -> list[str]:
    """Every category in use, in alphabetical order."""
    question = select(Product.category).where(Product.category.is_not(None), Product.is_active).distinct()
    return sorted(session.scalars(question))
