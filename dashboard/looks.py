"""What views look at: each function is one read-only transaction; the only place where answers are kept.

Kept answers depend on their arguments alone, never on who asks, and are forgotten after a write here. What
another process books shows up when they expire. Nothing that a view decides rights by is kept.
"""

import hashlib
import pickle
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core import (
    alerts,
    api_key_list,
    auth,
    demand,
    event_effects,
    expected,
    job_runs,
    predictions,
    products,
    scorecard,
    shop,
    stock,
    warehouses,
)
from core.predictions import Outlook
from core.products import Detail
from core.scorecard import Record
from db.session import reading

SETTINGS_SECONDS = 60
FIGURES_SECONDS = 10
LESSON_SECONDS = 600  # it takes a moment and changes once a day
SPARKLINE_DAYS = 90
CHART_DAYS = 90
LAST_MOVEMENTS = 10


@dataclass(frozen=True)
class Shop:
    """The shop's settings as views use them."""

    name: str
    currency: str
    locale: str
    time_zone: str
    is_demo: bool


@dataclass(frozen=True)
class Place:
    """A warehouse as pickers show it."""

    id: int
    uid: uuid.UUID
    code: str
    name: str


@dataclass(frozen=True)
class ProductPage:
    """Everything the page of one product shows, seen in one moment."""

    detail: Detail
    outlook: Outlook
    path: pd.DataFrame
    movements: pd.DataFrame
    latest_on: date | None
    expected: list[Any]  # open stock on its way, rows of `expected.open_of`
    record: Record  # how often ranges like the one shown were right


def now() -> datetime:
    return datetime.now(UTC)


@st.cache_data(ttl=SETTINGS_SECONDS, show_spinner=False)
def the_shop() -> Shop:
    with reading() as session:
        row = shop.get(session)
    return Shop(row.name, row.currency, row.locale, row.time_zone, row.is_demo)


def today() -> date:
    """The business day in the shop's time zone."""
    return shop.today(the_shop(), now())


@st.cache_data(ttl=SETTINGS_SECONDS, show_spinner=False)
def places() -> list[Place]:
    with reading() as session:
        return [Place(row.id, row.uid, row.code, row.name) for row in warehouses.listing(session)]


@st.cache_data(ttl=SETTINGS_SECONDS, show_spinner=False)
def categories() -> list[str]:
    with reading() as session:
        return products.categories(session)


@st.cache_data(ttl=SETTINGS_SECONDS, show_spinner=False)
def reasons() -> dict[str, str]:
    """All reason codes with their labels."""
    with reading() as session:
        return stock.reasons(session, by_hand=False)


@st.cache_data(ttl=SETTINGS_SECONDS, show_spinner=False)
def people() -> dict[str, tuple[int, str]]:
    """Everybody who can have booked something: (id, name) by public id."""
    with reading() as session:
        return {str(person.uid): (person.id, person.name) for person in auth.listing(session)}


@st.cache_data(ttl=SETTINGS_SECONDS, show_spinner=False)
def api_keys() -> dict[str, tuple[int, str]]:
    """All API keys: (id, name) by public id."""
    with reading() as session:
        return {str(uid): (key_id, name) for uid, key_id, name in api_key_list.names(session)}


@st.cache_data(ttl=SETTINGS_SECONDS, show_spinner=False)
def demo_accounts() -> list[tuple[str, str]]:
    """E-mail and role of the demo accounts that can sign in."""
    with reading() as session:
        return [(person.email, person.role) for person in auth.demo_people(session)]


@st.cache_data(ttl=FIGURES_SECONDS, show_spinner=False)
def tiles(warehouse_id: int | None) -> pd.DataFrame:
    with reading() as session:
        return predictions.tiles(session, warehouse_id)


@st.cache_data(ttl=FIGURES_SECONDS, show_spinner=False)
def freshness(day: date) -> dict[str, Any]:
    with reading() as session:
        return predictions.freshness(session, day)


@st.cache_data(ttl=FIGURES_SECONDS, show_spinner=False)
def critical_alerts(day: date) -> int:
    """How many critical alerts nobody has seen or put to sleep."""
    with reading() as session:
        return alerts.counts(session, day).get(("active", "critical"), 0)


@st.cache_data(ttl=LESSON_SECONDS, show_spinner=False)
def lesson(name: str, kind: str, day: date) -> event_effects.Lesson:
    """What earlier events of this name and kind taught until yesterday."""
    with reading() as session:
        return event_effects.lesson(session, name, kind, day - timedelta(days=1))


def products_page(day: date, *, with_sparklines: bool = False, **filters: Any) -> tuple[pd.DataFrame, int]:
    """One page of products and how many there are; column `sparkline` on request. Never kept: it is quick."""
    with reading() as session:
        found, total = products.search(session, **filters)
        if with_sparklines:
            lines = demand.sparklines(
                session,
                [int(i) for i in found.product_id],
                day - timedelta(days=1),
                days=SPARKLINE_DAYS,
                warehouse_id=filters.get("warehouse_id"),
            )
            found["sparkline"] = [lines[int(i)] for i in found.product_id]
    return found, total


def all_products(**filters: Any) -> pd.DataFrame:
    """The whole filtered set, for a download."""
    with reading() as session:
        return products.search(session, **filters, limit=products.MOST_ROWS)[0]


def product_page(uid: uuid.UUID | str, day: date, warehouse_id: int | None = None) -> ProductPage:
    """One product with stock, outlook, 90 days of history and its last movements."""
    with reading() as session:
        detail = products.by_uid(session, uid)
        product_id = detail.product.id
        path = demand.stock_path(
            session, product_id, day - timedelta(days=CHART_DAYS), day, warehouse_id=warehouse_id
        )
        return ProductPage(
            detail,
            predictions.outlook(session, product_id, day, warehouse_id),
            path,
            stock.history(session, product_id=product_id, limit=LAST_MOVEMENTS),
            path.day.iloc[-1] if len(path) else None,
            expected.open_of(session, product_id),
            scorecard.record(session, product_id, day),
        )


def picture(what: tuple[Any, ...], draw: Callable[[], Any]) -> Any:
    """The figure that `draw` makes out of `what`; the same again for the same, as at each touch of a form."""
    return _picture(hashlib.sha256(pickle.dumps(what)).digest(), draw)


@st.cache_resource(max_entries=200, show_spinner=False)
def _picture(what: bytes, _draw: Callable[[], Any]) -> Any:  # noqa: ARG001  (the key)
    return _draw()


def movements(**filters: Any) -> pd.DataFrame:
    with reading() as session:
        return stock.history(session, **filters)


def who(token: str | None) -> auth.Actor | None:
    """The person behind a token, asked anew each time."""
    if not token:
        return None
    with reading() as session:
        return auth.who(session, token, now())


@st.cache_data(ttl=FIGURES_SECONDS, show_spinner=False)
def scheduler_seen_at() -> datetime | None:
    with reading() as session:
        return job_runs.scheduler_seen_at(session)


def forget() -> None:
    """Drop kept figures after a write, so that the writer sees what she did."""
    tiles.clear()
    freshness.clear()
    critical_alerts.clear()
    lesson.clear()
