"""Daily demand out of the roll-up, as the one frame every forecaster speaks: unique_id, ds, y, in_stock."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from core import demand_days
from core.forecast import lost
from db import queries


def frame(
    session: Session,
    until: date,
    *,
    product_ids: Sequence[int] | None = None,
    by_warehouse: bool = False,
    since: date | None = None,
    as_booked: bool = False,
    as_happened: bool = False,
) -> pd.DataFrame:
    """Dense daily demand of every product from its first movement to `until` (inclusive), as it is learned.

    Returns columns unique_id ("17", or "17:2" for product 17 in warehouse 2), ds (midnight), y (units, at
    least 0) and in_stock: False on a day that does not show regular demand. That is a day that began and
    ended with nothing on the shelf and brought nothing, and, with y = 0, a day that was left out or closed
    and a day of a promotion. A sale that was left out is not in y. A product that replaces another one has
    its days too. With `since` earlier days are left out of the frame, not of the stock. `as_happened` shows
    closed days and promotions as they were: what forecasts of the past are held against. `as_booked` knows
    nothing of what people said.
    """
    found = demand_days.look(
        session, until, product_ids=product_ids, by_warehouse=by_warehouse, as_booked=as_booked
    )
    if found is None:
        return pd.DataFrame({"unique_id": [], "ds": pd.to_datetime([]), "y": [], "in_stock": []})
    first = found.first
    if since is not None:
        first = np.maximum(first, (since - found.start).days)
    row, col = np.nonzero(np.arange(found.demand.shape[1]) >= first[:, None])
    hidden = found.left_out if as_happened else found.left_out | found.closed | found.is_event
    shown = ~hidden[row, col]
    days = np.datetime64(found.start, "D") + col.astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "unique_id": pd.Categorical.from_codes(row, categories=list(found.ids)),
            "ds": days.astype("datetime64[ns]"),
            "y": np.where(shown, found.demand[row, col], 0.0),
            "in_stock": found.in_stock[row, col] & shown,
        }
    )


def sparklines(
    session: Session,
    product_ids: Sequence[int],
    until: date,
    *,
    days: int = 90,
    warehouse_id: int | None = None,
) -> dict[int, list[float]]:
    """Demand of the last `days` days up to `until`, oldest first, for a page of products."""
    since = until - timedelta(days=days - 1)
    lines = {product_id: [0.0] * days for product_id in product_ids}
    wanted = {
        "product_ids": list(product_ids),
        "warehouse_id": warehouse_id,
        "since": since,
        "until": until,
    }
    for product_id, place, demand in session.execute(queries.sql("demand_of_products"), wanted):
        lines[product_id][place] = demand
    return lines


def stock_path(
    session: Session,
    product_id: int,
    since: date,
    until: date,
    *,
    warehouse_id: int | None = None,
    warehouse_ids: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Stock and demand of one product, one row per day from `since` (or its first movement) to `until`.

    All warehouses together, or one, or some.

    Columns: day, closing (stock at the end of the day), demand, receipts, other, in_stock, lost (units that
    would usually have been asked for on a day without stock, see `core.forecast.lost`; 0 on other days).
    """
    places = list(warehouse_ids) if warehouse_ids is not None else None
    if warehouse_id is not None:
        places = [warehouse_id]
    elif places is not None and len(places) == 1:
        (warehouse_id,) = places
    found = queries.frame(session, "stock_days", product_id=product_id, warehouse_ids=places, until=until)
    if found.empty:
        columns = ["day", "closing", "demand", "receipts", "other", "in_stock", "lost"]
        return pd.DataFrame(columns=columns)
    flows = found.set_index("day")[["demand", "receipts", "other"]].astype(float)
    first = found.day.iloc[0]
    calendar = [first + timedelta(days=n) for n in range((until - first).days + 1)]
    dense = flows.reindex(calendar, fill_value=0.0)
    net = dense.receipts - dense.demand + dense.other
    dense["closing"] = net.cumsum().round(4)
    dense["in_stock"] = (dense.closing > 0) | (dense.closing - net > 1e-6) | (dense.demand > 0)
    dense["lost"] = _lost(session, product_id, warehouse_id, dense, first, max(since, first), until)
    dense.index.name = "day"
    return dense[dense.index >= since].reset_index()


def _lost(
    session: Session,
    product_id: int,
    warehouse_id: int | None,
    dense: pd.DataFrame,
    first: date,
    since: date,
    until: date,
) -> np.ndarray:
    """Units lost on each day; the days before `since` are not asked for."""
    in_stock = dense.in_stock.to_numpy(bool)
    asked = np.arange(len(dense)) >= (since - first).days
    if not (asked & ~in_stock).any():
        return np.zeros(len(dense))
    left_out, is_event, closed = (np.zeros(len(dense), bool) for _ in range(3))
    for kind, starts_on, ends_on in demand_days.odd_days(session, product_id, warehouse_id, first, until):
        marks = {"left out": left_out, "closed": closed}.get(kind, is_event)
        marks[max((starts_on - first).days, 0) : max((ends_on - first).days + 1, 0)] = True
    seen = in_stock & ~(left_out | is_event | closed)
    demand = np.maximum(dense.demand.to_numpy(), 0.0)
    return lost.lost(demand, in_stock | closed | ~asked, seen, until.weekday())
