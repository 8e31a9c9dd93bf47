"""Demand by product and day as it was booked, and which of it forecasts do not learn from, in arrays.

A product that replaces another one has its history too. A sale that was left out is out of its day's demand.
Days that were left out, closed days and the days of promotions are marked, each apart.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import successors
from db import queries
from db.models import DemandEvent, DemandExclusion, Product

NOTHING_ON_THE_SHELF = 1e-6  # below the ledger's fourth decimal, above the rounding of a sum of floats
LEAST_SHARE = 0.2
"""A day that is odd in one warehouse is odd for the whole product where that warehouse sells at least a fifth
of it; a smaller place disturbs less than its days, when they were lost, would."""


@dataclass(frozen=True)
class Days:
    """Demand of many products, rows in the order of `ids`, one column a day from `start` on.

    `demand` (units, booked), `in_stock` (False on a day that began and ended with nothing on the shelf and
    brought nothing), `left_out` (an exclusion), `closed` and `is_event` (a promotion or the like) have the
    shape (rows, days); `first` is each row's first day. Before it nothing holds.
    """

    ids: tuple[str, ...]
    start: date
    demand: np.ndarray
    in_stock: np.ndarray
    left_out: np.ndarray
    closed: np.ndarray
    is_event: np.ndarray
    first: np.ndarray

    @property
    def end(self) -> date:
        return self.start + timedelta(days=self.demand.shape[1] - 1)

    @cached_property
    def seen(self) -> np.ndarray:
        """Days that show regular demand as it was."""
        alive = np.arange(self.demand.shape[1]) >= self.first[:, None]
        return self.in_stock & ~(self.left_out | self.closed | self.is_event) & alive

    def columns(self, starts_on: date, ends_on: date) -> slice:
        """The days from `starts_on` to `ends_on` as far as they are here."""
        begin = (starts_on - self.start).days
        end = (ends_on - self.start).days + 1
        return slice(min(max(begin, 0), self.demand.shape[1]), max(end, 0))


def look(
    session: Session,
    until: date,
    *,
    product_ids: Sequence[int] | None = None,
    by_warehouse: bool = False,
    as_booked: bool = False,
) -> Days | None:
    """The days of these products (all when none are named) up to `until`; None when nothing moved.

    Rows are products ("17"), or products in warehouses ("17:2"). `as_booked`: nothing is left out, marked or
    taken over from another product.
    """
    lines = successors.lines(session, product_ids) if not as_booked else {}
    wanted = _with_predecessors(product_ids, lines)
    moved = _moved(_roll_up(session, until, wanted), product_ids, lines)
    if moved.empty:
        return None
    moved["unique_id"] = _names(moved, by_warehouse)
    codes, ids = pd.factorize(moved.unique_id, sort=True)
    days = pd.to_datetime(moved.day).to_numpy().astype("datetime64[D]")
    start = days.min()
    column = (days - start).astype(int)
    shape = (len(ids), int((np.datetime64(until, "D") - start).astype(int)) + 1)
    demand, net = np.zeros(shape), np.zeros(shape)
    np.add.at(demand, (codes, column), moved.demand.to_numpy(float))
    np.add.at(net, (codes, column), moved.net.to_numpy(float))
    closing = np.cumsum(net, axis=1)
    in_stock = (np.maximum(closing - net, closing) > NOTHING_ON_THE_SHELF) | (demand > 0)
    first = np.full(len(ids), shape[1])
    np.minimum.at(first, codes, column)
    marks = (np.zeros(shape, bool) for _ in range(3))
    found = Days(tuple(ids), start.astype(object), demand, in_stock, *marks, first)
    if not as_booked:
        rows = _Rows(moved, codes, by_warehouse=by_warehouse)
        _leave_out(session, found, rows, wanted)
        _mark_events(session, found, rows, until)
    # A day on which more came back than was sold.
    np.maximum(demand, 0.0, out=demand)
    return found


class _Rows:
    """Which rows hold what a product booked, here and as a predecessor."""

    def __init__(self, moved: pd.DataFrame, codes: np.ndarray, *, by_warehouse: bool):
        self.by_warehouse = by_warehouse
        self._moved, self._codes = moved, codes

    @cached_property
    def places(self) -> pd.DataFrame:
        """Every product, warehouse and row it is in, once; `share`: of the warehouse in the row's demand."""
        booked = pd.DataFrame(
            {
                "product": self._moved.source_id.to_numpy(),
                "warehouse": self._moved.warehouse_id.to_numpy(),
                "row": self._codes,
                "demand": self._moved.demand.to_numpy(float),
            }
        )
        sold = booked.groupby(["product", "warehouse", "row"], as_index=False)["demand"].sum()
        of_place = sold.groupby(["row", "warehouse"])["demand"].transform("sum")
        of_row = sold.groupby("row")["demand"].transform("sum")
        sold["share"] = (of_place / of_row.where(of_row > 0)).fillna(0.0)
        return sold

    def of(self, products: Sequence[int] | None, warehouse: int | None = None) -> np.ndarray:
        """Rows that hold these products' demand (None: all); of one warehouse: where it weighs enough."""
        found = self.places
        if products is not None:
            found = found[found["product"].isin(list(products))]
        if warehouse is not None:
            found = found[found["warehouse"] == warehouse]
            if not self.by_warehouse:
                found = found[found["share"] >= LEAST_SHARE]
        return found["row"].unique()


def _leave_out(session: Session, found: Days, rows: _Rows, wanted: Sequence[int] | None) -> None:
    ids = [int(i) for i in wanted] if wanted is not None else None
    for out in queries.rows(session, "excluded_demand", product_ids=ids):
        if out["starts_on"] is not None:
            days = found.columns(out["starts_on"], out["ends_on"])
            found.left_out[rows.of([out["product_id"]]), days] = True
        elif out["units"]:
            in_places = rows.places["product"] == out["product_id"]
            if rows.by_warehouse:
                in_places &= rows.places["warehouse"] == out["warehouse_id"]
            day = found.columns(out["demand_day"], out["demand_day"])
            found.demand[rows.places["row"][in_places].unique(), day] -= float(out["units"])


def _mark_events(session: Session, found: Days, rows: _Rows, until: date) -> None:
    events = events_between(session, found.start, until)
    of_category = _of_categories(session, {event.category for event in events if event.category is not None})
    for event in events:
        marks = found.closed if event.kind == "closed" else found.is_event
        days = found.columns(event.starts_on, event.ends_on)
        if event.product_id is None and event.category is None and event.warehouse_id is None:
            marks[:, days] = True
            continue
        products = [event.product_id] if event.product_id is not None else None
        if event.category is not None:
            products = of_category[event.category]
        marks[rows.of(products, event.warehouse_id), days] = True


def _of_categories(session: Session, categories: set[str]) -> dict[str, list[int]]:
    """Ids of the products of each category."""
    found: dict[str, list[int]] = {category: [] for category in categories}
    if categories:
        question = select(Product.id, Product.category).where(Product.category.in_(categories))
        for product_id, category in session.execute(question):
            found[category].append(product_id)
    return found


def events_between(
    session: Session, since: date, until: date, product: Product | None = None
) -> list[DemandEvent]:
    """Events with a day between `since` and `until`, the earliest first; of one product, when given."""
    question = select(DemandEvent).where(
        DemandEvent.removed_at.is_(None), DemandEvent.starts_on <= until, DemandEvent.ends_on >= since
    )
    if product is not None:
        question = question.where(
            or_(DemandEvent.product_id.is_(None), DemandEvent.product_id == product.id),
            or_(DemandEvent.category.is_(None), DemandEvent.category == product.category),
        )
    return list(session.scalars(question.order_by(DemandEvent.starts_on, DemandEvent.id)))


def odd_days(
    session: Session, product_id: int, warehouse_id: int | None, since: date, until: date
) -> list[tuple[str, date, date]]:
    """Days of one product that say nothing of regular demand: ("left out" or the event's kind, from, to).

    In one warehouse its own events count and the shop's; for the whole product only the shop's.
    """
    out = select(DemandExclusion.starts_on, DemandExclusion.ends_on).where(
        DemandExclusion.product_id == product_id,
        DemandExclusion.undone_at.is_(None),
        DemandExclusion.starts_on.is_not(None),
    )
    found = [("left out", starts_on, ends_on) for starts_on, ends_on in session.execute(out)]
    for event in events_between(session, since, until, session.get_one(Product, product_id)):
        if event.warehouse_id in (None, warehouse_id):
            found.append((event.kind, event.starts_on, event.ends_on))
    return found


def _with_predecessors(
    product_ids: Sequence[int] | None, lines: dict[int, list[int]]
) -> Sequence[int] | None:
    if product_ids is None:
        return None
    return sorted({*product_ids, *(old for olds in lines.values() for old in olds)})


def _moved(rolled: pd.DataFrame, product_ids: Sequence[int] | None, lines: dict[int, list[int]]) -> Any:
    """Rows of the roll-up by the product whose history they are (product_id) and that booked them."""
    rolled["source_id"] = rolled.product_id
    own = rolled
    if product_ids is not None and lines:
        own = rolled[rolled.product_id.isin(list(product_ids))]
    taken_over = [
        rolled[rolled.source_id.isin(olds)].assign(product_id=product) for product, olds in lines.items()
    ]
    return pd.concat([own, *taken_over], ignore_index=True) if taken_over else own


def _names(moved: pd.DataFrame, by_warehouse: bool) -> pd.Series:
    names = moved.product_id.astype(str)
    return names + ":" + moved.warehouse_id.astype(str) if by_warehouse else names


def _roll_up(session: Session, until: date, product_ids: Sequence[int] | None) -> pd.DataFrame:
    """Rows of the roll-up up to `until`: product_id, warehouse_id, day, demand, net change of stock.

    COPY, because a shop's whole history is read at once (17 times faster than fetching rows).
    """
    some = ""
    if product_ids is not None:
        # Integers only, so they can be written into a COPY, which takes no parameters.
        some = f"AND product_id IN ({', '.join(str(int(i)) for i in product_ids) or 'NULL'})"
    buffer = io.BytesIO()
    with session.connection().connection.cursor() as cursor:
        cursor.copy_expert(
            f"""COPY (SELECT product_id, warehouse_id, day, demand, receipts - demand + other AS net
                      FROM stock_day WHERE day <= '{until.isoformat()}' {some})
                TO STDOUT WITH (FORMAT csv, HEADER)""",
            buffer,
        )
    buffer.seek(0)
    return pd.read_csv(buffer)
