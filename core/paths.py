"""Demand paths as they count now: the stored ones from today on, what people changed, what is on its way.

A line is a row of the question run_out_inputs: a product as a whole (warehouse_id null) or in one warehouse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from core import inputs
from core.errors import NotFound
from core.forecast import edits
from core.forecast.depletion import Receipts, run_outs
from core.forecast.depletion import RunOut as Passage
from core.forecast.edits import Edit, Week
from core.forecast.packing import decode
from db import queries

Line = Mapping[str, Any]
FORECAST_COLUMNS = ("forecast_id", "as_of", "state", "demand_days", "paths", "due", "edits")


@dataclass(frozen=True)
class Plan:
    """What people changed of a forecast: its weeks, and the share of new units of each warehouse."""

    weeks: tuple[Week, ...]
    shares: Mapping[int | None, float]


def lines(
    session: Session, product_ids: Sequence[int], today: date, run_id: int | None = None
) -> Sequence[Line]:
    """The lines of these products, the whole one of each first.

    With `run_id` the forecasts of that run count, published or not, as far as they did not fail.
    """
    return queries.rows(session, "run_out_inputs", product_ids=list(product_ids), run_id=run_id, today=today)


def one(
    session: Session, product_id: int, today: date, warehouse_id: int | None = None
) -> tuple[Line, dict[int, "Plan"]]:
    """The line of a product as a whole or in one warehouse, and what people changed of its forecast.

    Without a forecast where the product is not sold any more, or never lay there.

    Raises:
        NotFound: there is no such product.
    """
    found = lines(session, [inputs.small_id(product_id, "product")], today)
    if not found:
        raise NotFound(f"There is no product {product_id}.")
    line = next((row for row in found if row["warehouse_id"] == warehouse_id), None)
    nothing = dict.fromkeys(FORECAST_COLUMNS)
    if line is None:
        return {**found[0], **nothing, "warehouse_id": warehouse_id, "on_hand": Decimal(0)}, {}
    if not line["is_active"]:
        return {**line, **nothing}, {}
    return line, plans(found, today)


def plans(found: Sequence[Line], today: date) -> dict[int, Plan]:
    """What people changed, for the products among the lines of which they changed anything.

    The factor of a week is that of the whole product, in each warehouse too: all its lines must be there.
    """
    planned = {}
    for line in found:
        if line["warehouse_id"] is None and line["edits"] and line["paths"] is not None:
            changed = weeks(line, today)
            if any(week.is_edited for week in changed):
                product_id = line["product_id"]
                places = [one for one in found if one["product_id"] == product_id]
                planned[product_id] = Plan(tuple(changed), _shares(places, today))
    return planned


def weeks(line: Line, today: date, number: int | None = None) -> list[Week]:
    """The next weeks of a whole product, computed and as edited; all that the horizon reaches by default."""
    computed = from_today(line, today)
    most = computed.shape[1] // edits.WEEK_DAYS + 2  # the first and the last may be cut
    return edits.weeks(computed, today, said(line), number or most)


def demand(line: Line, today: date, plan: Plan | None) -> np.ndarray:
    """Cumulative demand (paths, days) from today on, with what people changed. The line has a forecast."""
    computed = from_today(line, today)
    if plan is None:
        return computed
    return edits.applied(computed, plan.weeks, plan.shares[line["warehouse_id"]])


def from_today(line: Line, today: date) -> np.ndarray:
    """Cumulative demand as computed; the forecast's own first day is the one after as_of."""
    cumulative = decode(bytes(line["paths"]))  # psycopg2 hands out memoryviews
    gone = min(max((today - line["as_of"]).days - 1, 0), cumulative.shape[1])
    if not gone:
        return cumulative
    return cumulative[:, gone:] - cumulative[:, gone - 1 : gone]


def passages(found: Sequence[Line], today: date, planned: Mapping[int, Plan]) -> list[Passage | None]:
    """Run-outs of many lines at once; None where there is no forecast, or none that reaches today."""
    answers: list[Passage | None] = [None] * len(found)
    # Paths of forecasts of the same age have the same length and go through in one call.
    by_age: dict[date, list[int]] = {}
    for place, line in enumerate(found):
        if line["paths"] is not None:
            by_age.setdefault(line["as_of"], []).append(place)
    for places in by_age.values():
        of_age = [found[place] for place in places]
        drawn: dict[Any, np.ndarray] = {}  # where there is one warehouse, it and the shop share a forecast
        cumulative = []
        for line in of_age:
            plan = planned.get(line["product_id"])
            same = (line["forecast_id"], plan and line["warehouse_id"])
            if same not in drawn:
                drawn[same] = demand(line, today, plan)
            cumulative.append(drawn[same])
        if not cumulative[0].shape[1]:
            continue
        computed = run_outs(
            np.stack(cumulative),
            [float(line["on_hand"]) for line in of_age],
            [receipts(line, today) for line in of_age],
            lead_times_days=[line["lead_time_days"] for line in of_age],
        )
        for place, passage in zip(places, computed, strict=True):
            answers[place] = passage
    return answers


def due(line: Line) -> tuple[tuple[date, Decimal], ...]:
    """What is on its way, as the question in SQL hands it over."""
    return tuple((date.fromisoformat(day), Decimal(quantity)) for day, quantity in line["due"] or ())


def receipts(line: Line, today: date) -> Receipts:
    """What is on its way by day of the paths: 1 is today, and what is overdue counts from there."""
    return [(max((day - today).days + 1, 1), float(quantity)) for day, quantity in due(line)]


def said(line: Line) -> list[Edit]:
    """What people changed of this week and later ones, as the question in SQL hands it over."""
    return [
        Edit(
            date.fromisoformat(week_on),
            None if adds is None else float(adds),
            None if replaces is None else float(replaces),
            date.fromisoformat(since_on),
        )
        for week_on, adds, replaces, since_on in line["edits"] or ()
    ]


def _shares(found: Sequence[Line], today: date) -> dict[int | None, float]:
    """How units that nobody computed fall on the warehouses: like the demand that is, else evenly."""
    expected: dict[int | None, float] = {}
    for line in found:
        if line["warehouse_id"] is not None and line["paths"] is not None:
            computed = from_today(line, today)
            expected[line["warehouse_id"]] = float(computed[:, -1].mean()) if computed.shape[1] else 0.0
    total = sum(expected.values())
    if not total:
        expected, total = dict.fromkeys(expected, 1.0), len(expected)
    return {None: 1.0} | {place: units / total for place, units in expected.items()}
