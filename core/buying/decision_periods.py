"""What was expected of the cover period of a decision on the day it was made, from the stored paths."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import paths, posting, predictions
from core.buying import supply
from core.buying.vendor_terms import VendorTerms
from core.reorder import calendars
from db.models import RunOut

PERCENTILES = (10, 50, 90)


class Expected:
    """The stored forecasts of some products, as they count today."""

    def __init__(self, session: Session, product_ids: set[int], today: date) -> None:
        self._session, self._today = session, today
        self._groups = supply.groups(session)
        self._lines: dict[int, list[paths.Line]] = {}
        found = paths.lines(session, sorted(product_ids), today)
        for line in found:
            self._lines.setdefault(line["product_id"], []).append(line)
        self._plans = paths.plans(found, today)

    def lead_time_days(self, product_id: int) -> int:
        """The usual one: the product's own, else the shortest that is offered, else the shop's."""
        return self._lines[product_id][0]["lead_time_days"]

    def of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """rate, chance, on_hand, due and p10, p50, p90 of the period's demand, as far as they are known."""
        lines = self._lines.get(row["product_id"], [])
        group = self._groups.get(row["warehouse_id"], (row["warehouse_id"],))
        meant = lines_of(lines, group)
        on_hand = sum((line["on_hand"] for line in meant), Decimal(0))
        due = sum((quantity for line in meant for _, quantity in paths.due(line)), Decimal(0))
        said = {"on_hand": posting.plain(on_hand), "due": posting.plain(due), "rate": None, "chance": None}
        if not row["forecast"]["has_advice"]:
            said |= self._stored(row["product_id"])
        wanted = [line for line in meant if line["paths"] is not None]
        if not wanted:
            return said
        plan = self._plans.get(row["product_id"])
        drawn = [paths.demand(line, self._today, plan) for line in wanted]
        shortest = min(one.shape[1] for one in drawn)  # where trainings are of different days
        cumulative = sum(one[:, :shortest] for one in drawn)
        first = (row["covers_from"] - self._today).days
        last = min((row["covers_until"] - self._today).days + 1, cumulative.shape[1])
        if not max(first, 0) < last:
            return said
        total = cumulative[:, last - 1] - (cumulative[:, first - 1] if first > 0 else 0.0)
        figures = np.percentile(total, PERCENTILES)
        return said | {
            f"p{percent}": posting.plain(predictions.rounded(float(figure), 2))
            for percent, figure in zip(PERCENTILES, figures, strict=True)
        }

    def _stored(self, product_id: int) -> dict[str, Any]:
        """What the list of run-outs says, for what no advice speaks of."""
        kept = self._session.execute(
            select(RunOut.daily_rate, RunOut.chance_before_replenishment).where(
                RunOut.product_id == product_id, RunOut.warehouse_id.is_(None)
            )
        ).first()
        if kept is None:
            return {}
        rate = None if kept.daily_rate is None else posting.plain(kept.daily_rate)
        return {"rate": rate, "chance": kept[1]}


def cover_days(vendor: VendorTerms | None, decided_on: date, review_days: int) -> int:
    """Days between the arrivals of an order of this day and of the next one: a review, or until the vendor
    takes orders again after it."""
    if vendor is None:
        return review_days
    sent_on = calendars.send_on(decided_on, vendor.order_weekdays, vendor.shutdowns)
    next_on = sent_on + timedelta(days=review_days)
    return (calendars.send_on(next_on, vendor.order_weekdays, vendor.shutdowns) - sent_on).days


def lines_of(lines: Sequence[paths.Line], group: Sequence[int]) -> list[paths.Line]:
    """The lines that speak of a group of warehouses: the whole product where it lies nowhere else."""
    places = [line for line in lines if line["warehouse_id"] is not None]
    if all(line["warehouse_id"] in group for line in places):
        return [line for line in lines if line["warehouse_id"] is None]
    return [line for line in places if line["warehouse_id"] in group]
