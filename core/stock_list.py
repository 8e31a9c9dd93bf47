"""Products with their stock as programs read them, and what low stock and out of stock mean."""

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, RowMapping, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session

from core import inputs, predictions
from core.errors import BadInput, NotFound
from core.scanning import reading
from db import queries
from db.models import Barcode, Product, RunOut, StockLevel

STOCK_STATUSES = ("in_stock", "low_stock", "out_of_stock")
MOST_ROWS = 1_000
MOST_SKIPPED = 2**31
SEARCH_CHARACTERS = 200
CATEGORY_CHARACTERS = 200


def stock_status(on_hand: Decimal, reorder_threshold: Decimal | None) -> str:
    """Out of stock with nothing on hand, low at or below the threshold (never without one), else in stock."""
    if on_hand <= 0:
        return "out_of_stock"
    return "low_stock" if reorder_threshold is not None and on_hand <= reorder_threshold else "in_stock"


def _status_column(on_hand: ColumnElement[Decimal]) -> ColumnElement[str]:
    """`stock_status` in SQL; a test holds the two together."""
    return case(
        (on_hand <= 0, "out_of_stock"), (on_hand <= Product.reorder_threshold, "low_stock"), else_="in_stock"
    )


def listing(
    session: Session,
    *,
    search: str | None = None,
    category: str | None = None,
    status: str | None = None,
    only_active: bool = True,
    skip: int = 0,
    limit: int = 100,
) -> tuple[list[dict], int]:
    """One page of products in order of their SKU, and how many match in all.

    `search` is looked for in SKU and name, or is a whole barcode; `status` is one of STOCK_STATUSES.
    The depletion date is the stored one, at most a minute older than the stock; `one` computes it.

    Columns: id, uid, sku, name, description, category, unit_of_measure, unit_cost, unit_price,
    reorder_threshold, lead_time_days, barcode, current_stock, stock_status, predicted_depletion_date,
    is_active, created_at, updated_at.
    """
    if not 1 <= limit <= MOST_ROWS or not 0 <= skip <= MOST_SKIPPED:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} products and starts at 0 or later.")
    if status is not None and status not in STOCK_STATUSES:
        raise BadInput(f"'{inputs.shown(status)}' is not a status; they are {', '.join(STOCK_STATUSES)}.")
    wanted: list[ColumnElement[bool]] = [Product.is_active] if only_active else []
    if category is not None:
        wanted.append(Product.category == inputs.text(category, "Category", CATEGORY_CHARACTERS))
    if status is not None:
        wanted.append(_status_column(_on_hand()) == status)
    words = inputs.text(search or "", "Search", SEARCH_CHARACTERS)
    if words:
        like = queries.like(words)
        has_code = exists().where(
            Barcode.product_id == Product.id, Barcode.code.in_([words, reading.spoken(words)])
        )
        wanted.append(or_(Product.sku.ilike(like), Product.name.ilike(like), has_code))
    total = session.scalar(select(func.count()).select_from(Product).where(*wanted)) or 0
    page = _question().where(*wanted).order_by(Product.sku, Product.id).offset(skip).limit(limit)
    return [_told(row) for row in session.execute(page).mappings()], total


def one(session: Session, uid: uuid.UUID, today: date) -> dict:
    """One product as in `listing`, its depletion date computed from the stock of this moment."""
    row = session.execute(_question().where(Product.uid == uid)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no product {uid}.")
    outlook = predictions.outlook(session, row["id"], today)
    return _told(row) | {"predicted_depletion_date": outlook.verdict.p50_on}


def _told(row: RowMapping) -> dict:
    return {**row, "stock_status": stock_status(row["current_stock"], row["reorder_threshold"])}


def _on_hand() -> ColumnElement[Decimal]:
    return (
        select(func.coalesce(func.sum(StockLevel.quantity), 0))
        .where(StockLevel.product_id == Product.id)
        .correlate(Product)
        .scalar_subquery()
    )


def _question() -> Select:
    # A code of one piece before one of a pack, the newest first.
    barcode = (
        select(Barcode.code)
        .where(Barcode.product_id == Product.id)
        .order_by((Barcode.pack_factor == 1).desc(), Barcode.id.desc())
        .limit(1)
        .correlate(Product)
        .scalar_subquery()
    )
    return select(
        Product.id, Product.uid, Product.sku, Product.name, Product.description, Product.category,
        Product.unit_of_measure, Product.unit_cost, Product.unit_price, Product.reorder_threshold,
        Product.lead_time_days, barcode.label("barcode"), _on_hand().label("current_stock"),
        RunOut.p50_on.label("predicted_depletion_date"),
        Product.is_active, Product.created_at, Product.updated_at,
    ).outerjoin(RunOut, (RunOut.product_id == Product.id) & RunOut.warehouse_id.is_(None))  # fmt: skip
