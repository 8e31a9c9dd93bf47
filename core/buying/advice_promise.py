"""The promise of past advice held against what happened, so that the next one is kept.

Once a review the run writes down what it predicts for the days that its orders are to cover, of products that
had enough: nothing that is ordered later can change those days. When they are over, the roll-up of the ledger
says how many order lines came and were served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.buying.advice_inputs import Shop
from core.buying.advice_needs import Need
from core.buying.advice_plan import PERCENT, Plan
from core.reorder import promise
from core.reorder.levels import Curves
from core.reorder.promise import Correction, Kept
from db import queries
from db.models import AdviceRun

USUAL_DAYS = 84  # before the days in question: how often a product is asked for
MOST_PRODUCTS = 2000  # evenly picked: tens of thousands of order lines say enough
MOST_KEPT = 400  # periods in the record, some for each review: the oldest say least


@dataclass(frozen=True)
class Promise:
    """What is asked of the arithmetic so that the goal is what happens. `record`: periods that are over, and
    what came of them; `waiting`: those that are not."""

    correction: Correction
    record: list[dict[str, Any]]
    waiting: list[dict[str, Any]]

    @property
    def ask(self) -> float:
        return self.correction.ask


def of_shop(session: Session, given: Shop) -> Promise:
    """The service goal of the shop, corrected by what came of past advice; as it is where nothing came."""
    before = session.scalar(select(AdviceRun.calibration).where(AdviceRun.is_current)) or {}
    record, waiting = list(before.get("record", ())), []
    for period in before.get("waiting", ()):
        if date.fromisoformat(period["last_on"]) < given.today:
            record.append(_came_of(session, period))
        else:
            waiting.append(period)
    record = record[-MOST_KEPT:]
    target = float(given.settings.service_percent) / PERCENT
    known = [Kept(one["promised"], one["lines"], one["served"]) for one in record if one["lines"] > 0]
    return Promise(promise.corrected(target, known), record, waiting)


def kept(
    made: Promise, given: Shop, needs: Sequence[Need], curves: Curves | None, plans: Sequence[Plan]
) -> dict[str, Any]:
    """What the run keeps of it, with what it promises itself."""
    waiting = list(made.waiting)
    noted_on = max((one["noted_on"] for one in [*made.record, *waiting]), default=None)
    due = given.today - timedelta(days=given.settings.review_days)
    if curves is not None and (noted_on is None or date.fromisoformat(noted_on) <= due):
        waiting += _promised(given, needs, curves, plans)
    return {
        "target": made.correction.target,
        "ask": made.correction.ask,
        "promised": made.correction.promised,
        "happened": made.correction.happened,
        "lines": made.correction.lines,
        "weight": made.correction.weight,
        "record": made.record,
        "waiting": waiting,
    }


def _promised(
    given: Shop, needs: Sequence[Need], curves: Curves, plans: Sequence[Plan]
) -> list[dict[str, Any]]:
    """What is predicted for products of which nothing is ordered now, by the days that speak of them."""
    rows = [row for row, made in enumerate(plans[: len(needs)]) if made.wanted <= 0 and curves.lines[row] > 0]
    picked = np.linspace(0, len(rows) - 1, min(len(rows), MOST_PRODUCTS)).astype(int)
    periods: dict[tuple[Any, ...], list[int]] = {}
    for row in (rows[place] for place in picked):
        need = needs[row]
        if not given.lying.get(need.product_id):
            continue
        first = given.today + timedelta(days=need.lead)
        period = (first, first + timedelta(days=need.review - 1), need.members)
        periods.setdefault(period, []).append(row)
    found = []
    for (first, last, members), those in periods.items():
        lines = sum(float(curves.lines[row]) for row in those)
        served = sum(float(curves.lines[row]) - _lost(curves, row, plans[row]) for row in those)
        found.append(
            {
                "noted_on": given.today.isoformat(),
                "first_on": first.isoformat(),
                "last_on": last.isoformat(),
                "promised": round(min(max(served / lines, 0.0), 1.0), 6),
                "products": [needs[row].product_id for row in those],
                "warehouses": list(members),
            }
        )
    return found


def _lost(curves: Curves, row: int, made: Plan) -> float:
    """Lines that are lost with what is there, rather than with the level: it may be more."""
    position = float(made.need.on_hand + made.in_time)
    column = int(np.searchsorted(curves.levels[row], position, side="right")) - 1
    return float(curves.lost_lines[row, max(column, 0)])


def _came_of(session: Session, period: dict[str, Any]) -> dict[str, Any]:
    """The period with the order lines that came and were served, and without its products."""
    first, last = (date.fromisoformat(period[name]) for name in ("first_on", "last_on"))
    (row,) = queries.rows(
        session, "served_lines", product_ids=period["products"], warehouse_ids=period["warehouses"],
        first_on=first, last_on=last, since=first - timedelta(days=USUAL_DAYS),
    )  # fmt: skip
    named = ("noted_on", "first_on", "last_on", "promised")
    return {name: period[name] for name in named} | {
        "lines": round(float(row["lines"]), 2),
        "served": float(row["served"]),
    }
