"""Products, stock and run-outs as tables to take along."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core import products, stock_list, warehouses
from core.datasets.table_types import Column, Filters
from core.datasets.tables import CATEGORY, WAREHOUSE, Table, pages, said
from db.models import Warehouse

PAGE = 10_000


def _products(session: Session, filters: Filters, _day: date) -> Iterator[Any]:
    most = stock_list.MOST_ROWS
    return pages(
        lambda skip: stock_list.listing(
            session, category=filters.category, only_active=False, skip=skip, limit=most
        )[0],
        most,
    )


def _count_products(session: Session, filters: Filters, _day: date) -> int:
    return stock_list.listing(session, category=filters.category, only_active=False, limit=1)[1]


def _stock(session: Session, filters: Filters, _day: date) -> Iterator[Any]:
    for place in _places(session, filters):
        for row in _searched(session, filters, place.id, only_active=False):
            yield row._asdict() | {"warehouse_code": place.code}


def _count_stock(session: Session, filters: Filters, _day: date) -> int:
    return sum(_counted(session, filters, place.id, only_active=False) for place in _places(session, filters))


def _places(session: Session, filters: Filters) -> list[Warehouse]:
    """Also those that are closed: something may lie there still."""
    return [
        place
        for place in warehouses.listing(session, only_active=False)
        if filters.warehouse_id in (None, place.id)
    ]


def _forecasts(session: Session, filters: Filters, _day: date) -> Iterator[Any]:
    return _searched(session, filters, filters.warehouse_id)


def _count_forecasts(session: Session, filters: Filters, _day: date) -> int:
    return _counted(session, filters, filters.warehouse_id)


def _searched(session: Session, filters: Filters, warehouse_id: int | None, **more: Any) -> Iterator[Any]:
    def look(offset: int) -> list[Any]:
        found, _ = products.search(
            session, category=filters.category, warehouse_id=warehouse_id, sort="sku", limit=PAGE,
            offset=offset, **more,
        )  # fmt: skip
        return list(found.itertuples(index=False))

    return pages(look, PAGE)


def _counted(session: Session, filters: Filters, warehouse_id: int | None, **more: Any) -> int:
    return products.search(
        session, category=filters.category, warehouse_id=warehouse_id, limit=1, **more
    )[1]  # fmt: skip


PRODUCTS = Table(
    "products",
    "Products",
    "Every product with its prices, threshold and barcode. Import takes the same file back.",
    (
        Column("sku", "SKU"),
        Column("name", "Name"),
        Column("description", "Description"),
        Column("category", "Category"),
        Column("unit_of_measure", "Unit"),
        Column("unit_cost", "Unit cost", "money"),
        Column("unit_price", "Unit price", "money"),
        Column("reorder_threshold", "Threshold", "quantity"),
        Column("lead_time_days", "Lead time", "whole"),
        Column("barcode", "Barcode"),
        Column("is_active", "Active", "yes"),
    ),
    _products,
    _count_products,
    frozenset({CATEGORY}),
)

STOCK = Table(
    "stock",
    "Stock on hand",
    "What lies in each warehouse now, and what it is worth.",
    (
        Column("sku", "SKU"),
        Column("name", "Product"),
        Column("category", "Category"),
        Column("warehouse_code", "Warehouse"),
        Column("on_hand", "On hand", "quantity"),
        Column("unit_of_measure", "Unit"),
        Column("stock_value", "Stock value", "money"),
        Column("status", "Status", source=lambda row: said(row["status"])),
        Column("is_active", "Active", "yes"),
    ),
    _stock,
    _count_stock,
    frozenset({WAREHOUSE, CATEGORY}),
)

FORECASTS = Table(
    "run-outs",
    "Run-outs",
    "When each product runs out, how sure that is, and the last day to order in time.",
    (
        Column("sku", "SKU"),
        Column("name", "Product"),
        Column("category", "Category"),
        Column("unit_of_measure", "Unit"),
        Column("status", "Status", source=lambda row: said(row.status)),
        Column("on_hand", "On hand", "quantity"),
        Column("p10_on", "Runs out from", "day"),
        Column("p50_on", "Runs out most likely", "day"),
        Column("p90_on", "Runs out until", "day"),
        Column("chance_7", "Chance within 7 days", "share"),
        Column("chance_14", "Chance within 14 days", "share"),
        Column("chance_30", "Chance within 30 days", "share"),
        Column("chance_before_replenishment", "Chance before replenishment", "share"),
        Column("days_of_cover", "Days of cover", "quantity"),
        Column("daily_rate", "Expected per day", "quantity"),
        Column("lead_time_days", "Lead time days", "whole"),
        Column("order_by_on", "Order by", "day"),
        Column("expected_lost", "Expected lost", "quantity"),
        Column("money_at_risk", "Money at risk", "money"),
        Column("stock_value", "Stock value", "money"),
        Column("forecast_reason", "Forecast"),
        Column("computed_at", "Computed (UTC)", "moment"),
    ),
    _forecasts,
    _count_forecasts,
    frozenset({WAREHOUSE, CATEGORY}),
)
