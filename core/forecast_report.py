"""How good the shop's forecasts are as a whole, and the products where they are worst.

"Worst" is ranked by what it costs: the average error of a product's dates in days (CRPS, out of sample) times
its expected sales a day at the selling price (else cost). A product that sells for a hundred a day and is ten
days off comes before one that sells for one and is thirty days off.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from core import inputs
from core.errors import BadInput
from core.scorecard import LAST, LEAST_RANGES
from db import queries
from db.models import ModelRun, Person

SORTS = ("cost", "crps", "skill", "coverage", "bias", "sku", "name")
STATES = ("ok", "too_short", "failed", "none")
CLASSES = ("smooth", "erratic", "intermittent", "lumpy", "sparse")
LAST_OF_SHOP = 2000  # enough that a share is known to a percent or two, few enough to count at once
MOST_OPEN = 10_000  # counting millions of open ranges would cost more than it says
MOST_ROWS = 50_000
MOST_OFFSET = 2**31
SEARCH_CHARACTERS = 200


@dataclass(frozen=True)
class Training:
    """The latest full training; what moved since is trained anew every night, which judges nothing.

    `report` is what its back-test found out about the methods (`core.forecast.verdicts.Report.of` reads it),
    None where there was nothing to judge; `scores` are the shop's figures, empty then.
    """

    as_of: date
    started_at: datetime
    finished_at: datetime | None
    started_by: str | None
    trained: int
    too_short: int
    failed: int
    engine: dict[str, Any]
    report: dict[str, Any] | None
    scores: dict[str, Any]


@dataclass(frozen=True)
class Totals:
    """What became of the last 2,000 issued ranges whose days are over: `of` were judged, `right` of these.

    `void`: could not be judged; `since`: when the oldest was issued. `open`: how many are not decided yet,
    counted up to 10,000 (`MOST_OPEN`).
    """

    open: int
    inside: int
    early: int
    late: int
    void: int
    of: int
    right: int
    since: date | None

    @property
    def coverage(self) -> float | None:
        return self.right / self.of if self.of else None


@dataclass(frozen=True)
class Level:
    """What was promised with a chance, how often it happened, and of how many (all but `tasks` in 0..1)."""

    promised: float
    happened: float
    tasks: int


@dataclass(frozen=True)
class ClassCount:
    """Active products of a state (ok, too_short, failed, none) and a class of demand (None without one)."""

    state: str
    demand_class: str | None
    products: int


@dataclass(frozen=True)
class Shop:
    """Everything the Forecasts page says of the whole shop.

    `calibration`: the share of stocks that was used up by p10, p50 and p90 of issued ranges; `reliability`:
    chances within 14 days, in tenths. Both are empty until 20 ranges are judged. Ties of whole days make the
    shares a little larger than promised.
    """

    training: Training | None
    ranges: Totals
    calibration: tuple[Level, ...]
    reliability: tuple[Level, ...]
    classes: tuple[ClassCount, ...]


def of_shop(session: Session, today: date) -> Shop:
    """How good the forecasts are, all products together."""
    row = _range_totals(session, today)
    is_enough = row["of"] >= LEAST_RANGES
    return Shop(
        training=_training(session),
        ranges=_totals(row),
        calibration=tuple(
            Level(promised, row[f"by_{name}"] / row[f"of_{name}"], row[f"of_{name}"])
            for name, promised in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))
            if is_enough and row[f"of_{name}"]
        ),
        reliability=_reliability(session, today) if is_enough else (),
        classes=tuple(ClassCount(**line) for line in queries.rows(session, "forecast_classes")),
    )


def totals(session: Session, today: date) -> Totals:
    """What became of the shop's issued ranges."""
    return _totals(_range_totals(session, today))


def _range_totals(session: Session, today: date) -> RowMapping:
    (row,) = queries.rows(session, "range_totals", today=today, most=LAST_OF_SHOP, most_open=MOST_OPEN)
    return row


def _totals(row: RowMapping) -> Totals:
    told = {name: row[name] for name in ("open", "inside", "early", "late", "void", "of", "since")}
    return Totals(**told, right=row["inside"])


def _reliability(session: Session, today: date) -> tuple[Level, ...]:
    found = queries.rows(session, "range_reliability", today=today, most=LAST_OF_SHOP)
    return tuple(Level(**line) for line in found)


def _training(session: Session) -> Training | None:
    """The latest full training, which judged the methods; before there is one, what was published last."""
    found = session.execute(
        select(ModelRun, Person.name)
        .outerjoin(Person, Person.id == ModelRun.started_by)
        .where(ModelRun.state == "published")
        .order_by(ModelRun.report.is_(None), ModelRun.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    run, name = found
    return Training(
        as_of=run.as_of,
        started_at=run.started_at,
        finished_at=run.finished_at,
        started_by=name,
        trained=run.trained,
        too_short=run.too_short,
        failed=run.failed,
        engine=run.engine,
        report=run.report,
        scores=run.scores or {},
    )


# -- Where it is worst ---------------------------------------------------------------------------------------


def worst(
    session: Session,
    *,
    today: date,
    text: str | None = None,
    demand_class: str | None = None,
    state: str | None = None,
    sort: str = "cost",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> tuple[pd.DataFrame, int]:
    """One page of products by how good their forecast is, the costliest errors first, and how many in all.

    Columns are those of `db/queries/forecast_page.sql`; scores are NaN where the product was not tested, and
    such products come last. `text` is looked for in SKU and name. Refuses an unknown order, state or class by
    name.
    """
    _check(sort, SORTS, "an order")
    if state is not None:
        _check(state, STATES, "a state of a forecast")
    if demand_class is not None:
        _check(demand_class, CLASSES, "a class of demand")
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= MOST_OFFSET:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} rows and starts at 0 or later.")
    asked = {
        "today": today,
        "text_like": queries.like(inputs.text(text or "", "Search", SEARCH_CHARACTERS)),
        "demand_class": demand_class,
        "state": state,
        "sort": sort,
        "descending": descending,
        "limit": limit,
        "most": LAST,
    }
    found = queries.frame(session, "forecast_page", **asked, offset=offset)
    # The number of all stands in each row; a page behind the last one has none.
    counted = (
        found if len(found) or not offset else queries.frame(session, "forecast_page", **asked, offset=0)
    )
    total = int(counted.total_count.iloc[0]) if len(counted) else 0
    return found.drop(columns="total_count"), total


def _check(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        raise BadInput(f"'{inputs.shown(name)}' is not {what}; they are {', '.join(known)}.")
