"""Advice, orders and prices as tables to take along."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core import products
from core.buying import advice_lines, offers, order_lists
from core.buying.advice_shapes import Line
from core.buying.vendors import OPEN_STATES
from core.datasets.stock_tables import PAGE
from core.datasets.table_types import Column, Filters
from core.datasets.tables import CATEGORY, WAREHOUSE, Table, pages, said


def _advice(session: Session, filters: Filters, day: date) -> list[Line]:
    return [
        line
        for line in advice_lines.lines(session, day, limit=None).rows
        if filters.warehouse_id in (None, line.warehouse_id) and filters.category in (None, line.category)
    ]


def _count_advice(session: Session, filters: Filters, day: date) -> int:
    return len(_advice(session, filters, day))


def _orders(session: Session, _filters: Filters, day: date) -> Iterator[Any]:
    most = order_lists.MOST_ROWS
    return pages(
        lambda offset: order_lists.listing(session, day, state=OPEN_STATES, limit=most, offset=offset)[0],
        most,
    )


def _count_orders(session: Session, _filters: Filters, day: date) -> int:
    return order_lists.listing(session, day, state=OPEN_STATES, limit=1)[1].orders


def _prices(session: Session, filters: Filters, day: date) -> Iterator[dict[str, Any]]:
    known = _known(session, filters.category)
    for offer in offers.current(session, None, day):
        product = known.get(offer.product_id)
        if product is None:
            continue
        for least, price in offer.steps:
            yield {"offer": offer, "product": product, "from": least, "price": price}


def _count_prices(session: Session, filters: Filters, day: date) -> int:
    return sum(1 for _ in _prices(session, filters, day))


def _known(session: Session, category: str | None) -> dict[int, Any]:
    """The products that are bought, by id."""

    def look(offset: int) -> list[Any]:
        asked = {"category": category, "sort": "sku", "limit": PAGE, "offset": offset}
        return list(products.search(session, **asked)[0].itertuples(index=False))

    return {int(row.product_id): row for row in pages(look, PAGE)}


ADVICE = Table(
    "reorder",
    "Reorder advice",
    "What to order or move now, how much, from whom, by when, and why.",
    (
        Column("sku", "SKU"),
        Column("name", "Product"),
        Column("category", "Category"),
        Column("warehouse", "Warehouse"),
        Column("action", "Action"),
        Column("state", "State"),
        Column("status", "Status", source=lambda line: said(line.status)),
        Column("p10_on", "Runs out from", "day"),
        Column("p90_on", "Runs out until", "day"),
        Column("chance", "Chance to run out", "share"),
        Column("on_hand", "On hand", "quantity"),
        Column("due", "On its way", "quantity"),
        Column("level", "Order up to", "quantity"),
        Column("quantity", "Quantity", "quantity"),
        Column("unit", "Unit"),
        Column("computed_quantity", "Computed quantity", "quantity"),
        Column("vendor", "Vendor"),
        Column("from_warehouse", "From warehouse"),
        Column("unit_cost", "Unit price", "money"),
        Column("value", "Value", "money"),
        Column("order_by_on", "Order by", "day"),
        Column("arrives_on", "Arrives on", "day"),
        Column("reason", "Why"),
    ),
    _advice,
    _count_advice,
    frozenset({WAREHOUSE, CATEGORY}),
)

ORDERS = Table(
    "open-orders",
    "Open orders",
    "Drafts and what is on its way, with what is late.",
    (
        Column("number", "Order"),
        Column("vendor", "Vendor"),
        Column("state", "State", source=lambda row: said(row["state"])),
        Column("lines", "Lines", "whole"),
        Column("open_lines", "Open lines", "whole"),
        Column("goods", "Goods", "money"),
        Column("currency", "Currency"),
        Column("value", "Value in the shop's currency", "money"),
        Column("open_value", "Open in the shop's currency", "money"),
        Column("created_at", "Created (UTC)", "moment"),
        Column("created_by", "Created by"),
        Column("sent_on", "Sent", "day"),
        Column("expected_on", "Expected", "day"),
        Column("late_days", "Days late", "whole"),
        Column("vendor_reference", "Vendor's reference"),
        Column("note", "Note"),
    ),
    _orders,
    _count_orders,
)

PRICES = Table(
    "prices",
    "Vendors' prices",
    "What each vendor asks today, a line for each price step.",
    (
        Column("vendor", "Vendor", source=lambda row: row["offer"].vendor.name),
        Column("sku", "SKU", source=lambda row: row["product"].sku),
        Column("name", "Product", source=lambda row: row["product"].name),
        Column("vendor_sku", "Vendor's SKU", source=lambda row: row["offer"].vendor_sku),
        Column("minimum_quantity", "From quantity", "quantity", lambda row: row["from"]),
        Column("unit_price", "Unit price", "money", lambda row: row["price"]),
        Column("currency", "Currency", source=lambda row: row["offer"].vendor.currency),
        Column("lead_time_days", "Lead time", "whole", lambda row: row["offer"].lead_time_days),
        Column(
            "minimum_order_quantity", "Minimum order", "quantity",
            lambda row: row["offer"].minimum_order_quantity,
        ),
        Column("order_multiple", "Order multiple", "quantity", lambda row: row["offer"].order_multiple),
        Column("valid_from", "Valid from", "day", lambda row: row["offer"].valid_from),
        Column("valid_until", "Valid until", "day", lambda row: row["offer"].valid_until),
        Column("is_expired", "Expired", "yes", lambda row: row["offer"].is_expired),
        Column("is_preferred", "Preferred", "yes", lambda row: row["offer"].is_preferred),
    ),
    _prices,
    _count_prices,
    frozenset({CATEGORY}),
)  # fmt: skip
