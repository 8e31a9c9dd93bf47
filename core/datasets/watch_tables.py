"""Alerts, odd movements and scans as tables to take along."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core import alerts, shop, warehouses
from core.datasets.table_types import Column, Filters
from core.datasets.tables import PERIOD, WAREHOUSE, Table, pages, said
from core.doctor import finding_lists
from core.scanning import scan_history


def _alerts(session: Session, _filters: Filters, day: date) -> Iterator[Any]:
    most = alerts.MOST_ROWS
    return pages(
        lambda offset: alerts.listing(session, state=None, today=day, limit=most, offset=offset)[0], most
    )


def _count_alerts(session: Session, _filters: Filters, day: date) -> int:
    return alerts.listing(session, state=None, today=day, limit=1)[1]


def _anomalies(session: Session, filters: Filters, _day: date) -> Iterator[Any]:
    asked, most = _asked(session, filters), finding_lists.MOST_ROWS
    return pages(
        lambda skip: finding_lists.listing(session, **asked, sort="found_on", limit=most, skip=skip)[0], most
    )


def _count_anomalies(session: Session, filters: Filters, _day: date) -> int:
    return finding_lists.listing(session, **_asked(session, filters), limit=1)[1]


def _asked(session: Session, filters: Filters) -> dict[str, Any]:
    places = {place.id: place.uid for place in warehouses.listing(session, only_active=False)}
    return {
        "states": None,
        "since": filters.since,
        "until": filters.until,
        "warehouse_uid": places.get(filters.warehouse_id),
    }


def _scans(session: Session, filters: Filters, _day: date) -> Iterator[Any]:
    asked, before_id = _scanned(session, filters), None
    while True:
        found = scan_history.history(session, **asked, before_id=before_id, limit=scan_history.MOST_ROWS)
        yield from found.itertuples(index=False)
        if len(found) < scan_history.MOST_ROWS:
            return
        before_id = int(found.scan_id.iloc[-1])


def _count_scans(session: Session, filters: Filters, _day: date) -> int:
    return scan_history.count(session, **_scanned(session, filters))


def _scanned(session: Session, filters: Filters) -> dict[str, Any]:
    zone = ZoneInfo(shop.get(session).time_zone)

    def begins(day: date | None) -> datetime | None:
        return day and datetime.combine(day, time(), zone)

    until = filters.until and filters.until + timedelta(days=1)
    return {
        "warehouse_id": filters.warehouse_id,
        "since": begins(filters.since),
        "until": begins(until),
    }


ALERTS = Table(
    "alerts",
    "Alerts",
    "Everything somebody should have seen, with what became of it.",
    (
        Column("sku", "SKU"),
        Column("product_name", "Product"),
        Column("type", "Type", source=lambda alert: said(alert.type)),
        Column("severity", "Severity"),
        Column("state", "State"),
        Column("message", "Message"),
        Column("money_at_risk", "Money at risk", "money"),
        Column("chance", "Chance", "share"),
        Column("raised_at", "Raised (UTC)", "moment"),
        Column("changed_at", "Changed (UTC)", "moment"),
        Column("acknowledged_by", "Acknowledged by"),
        Column("acknowledged_at", "Acknowledged (UTC)", "moment"),
        Column("snoozed_until", "Snoozed until", "day"),
        Column("resolved_by", "Resolved by"),
        Column("resolved_at", "Resolved (UTC)", "moment"),
        Column("resolved_because", "Resolved because"),
    ),
    _alerts,
    _count_alerts,
)

ANOMALIES = Table(
    "odd-movements",
    "Odd movements",
    "Movements that are probably slips, how likely, their repair and what was decided.",
    (
        Column("movement_id", "Movement", "whole"),
        Column("sku", "SKU"),
        Column("product_name", "Product"),
        Column("warehouse_code", "Warehouse"),
        Column("change", "Change", "quantity"),
        Column("unit_price", "Unit price", "money"),
        Column("occurred_at", "Happened (UTC)", "moment"),
        Column("recorded_at", "Booked (UTC)", "moment"),
        Column("person", "Booked by"),
        Column("reference_id", "Reference"),
        Column("kind", "What", source=lambda row: said(row.kind)),
        Column("score", "Chance", "share"),
        Column("money_at_risk", "Money at risk", "money"),
        Column("message", "Message"),
        Column("repair_words", "Repair"),
        Column("found_on", "Found on", "day"),
        Column("state", "State"),
        Column("decided_by", "Decided by"),
        Column("decided_at", "Decided (UTC)", "moment"),
        Column("dismissed_as", "Dismissed as", source=lambda row: said(row.dismissed_as)),
        Column("note", "Note"),
    ),
    _anomalies,
    _count_anomalies,
    frozenset({PERIOD, WAREHOUSE}),
)

SCANS = Table(
    "scans",
    "Scans",
    "Every code that somebody scanned, and what became of it.",
    (
        Column("scan_id", "Scan", "whole"),
        Column("scanned_at", "Scanned (UTC)", "moment"),
        Column("person", "By"),
        Column("mode", "Mode", source=lambda row: said(row.mode)),
        Column("source", "How"),
        Column("code", "Code"),
        Column("outcome", "Outcome", source=lambda row: said(row.outcome)),
        Column("said", "Said"),
        Column("sku", "SKU"),
        Column("product_name", "Product"),
        Column("warehouse_code", "Warehouse"),
        Column("to_warehouse_code", "To warehouse"),
        Column("quantity", "Quantity", "quantity"),
        Column("change", "Change", "quantity"),
        Column("stock_before", "Before", "quantity"),
        Column("stock_after", "After", "quantity"),
        Column("lot", "Lot"),
        Column("serial", "Serial"),
        Column("expires_on", "Expires", "day"),
        Column("undone_at", "Taken back (UTC)", "moment"),
    ),
    _scans,
    _count_scans,
    frozenset({PERIOD, WAREHOUSE}),
)
