"""How far a product's run-out dates can be trusted: ranges that held, scores beside the simple rule, words.

A range counts here once its last day is over, whatever became of it and when: counted as they are decided,
those that came too early would be counted first, and a young shop would look worse than it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs
from db import queries
from db.models import Forecast, IssuedRange

LAST = 50  # of a product: "right 41 of the last 50 times"
LAST_OF_CLASS = 500  # many products at once, so that one bad week of the shop is not the whole answer
LEAST_RANGES = 20  # fewer issued ranges say nothing yet; the tests on the past are shown
# Two origins with three stocks each. Fewer are one lucky or unlucky month.
LEAST_TASKS = 6
JUDGED_OF_CLASS = 1000  # products whose tests on the past are summed for their class
NOTICEABLE_SKILL = 0.05  # less than a twentieth off is not "better" in words
BIAS_DAYS = 3.0  # dates are bought for by the week: half a week off is worth a word
LEAST_COVERAGE = 0.6  # of ranges that should hold 8 of 10 times
SOLD_RARELY = ("intermittent", "lumpy", "sparse")

ISSUED, ISSUED_CLASS, TESTED, TESTED_CLASS = "issued", "issued_class", "backtest", "backtest_class"
NOTHING_YET = "No forecast yet: train to get one."


@dataclass(frozen=True)
class Record:
    """How often ranges like this one were right, and whose they were.

    `source`: "issued" (this product's own, the last 50 whose days are over), "issued_class" (those of all
    products of its demand class), "backtest" (this product in the test on the past), "backtest_class", or
    None when there is nothing to go by; then `right` and `of` are 0.
    """

    right: int
    of: int
    source: str | None
    demand_class: str | None


@dataclass(frozen=True)
class Limited:
    """A day whose demand was held to be one-off: what was sold, and how much of it was learned from."""

    day: date
    demand: float
    counted: float


@dataclass(frozen=True)
class Range:
    """A range as it was issued and what became of it: state open, inside, early, late or void (`why`)."""

    issued_on: date
    on_hand: Decimal
    p10_on: date
    p50_on: date | None
    p90_on: date | None
    until: date
    state: str
    ran_out_on: date | None
    why: str | None


@dataclass(frozen=True)
class Scorecard:
    """What is known of one product's run-out dates.

    Out of sample, in days, None where the product was not tested: `crps` (how far off, doubt counted) beside
    `crps_naive` (the rule stock / average), `skill` (the share of the rule's error that is gone), `coverage`
    (share of `tasks` whose 80 % range held), `bias` (median date minus what happened: above 0 the dates come
    too late). `mase` and `mase_naive` judge the expected demand. `badge` is the verdict in words, `warning`
    what a buyer should beware of (None: nothing), `mase_note` what MASE cannot say about such a product.
    """

    record: Record
    own_right: int
    own_of: int
    open: int
    tasks: int
    inside: int
    crps: float | None
    crps_naive: float | None
    skill: float | None
    coverage: float | None
    bias: float | None
    mase: float | None
    mase_naive: float | None
    badge: str
    warning: str | None
    mase_note: str | None
    method: str | None
    demand_class: str | None
    reason: str
    would_help: str | None
    history_days: int
    limited: tuple[Limited, ...]
    ranges: tuple[Range, ...]


# -- Counts --------------------------------------------------------------------------------------------------


def record(session: Session, product_id: int, today: date) -> Record:
    """How often ranges of this product were right; see `Record`."""
    return records(session, [inputs.small_id(product_id, "product")], today)[product_id]


def records(session: Session, product_ids: Sequence[int], today: date) -> dict[int, Record]:
    """The records of many products, each in the dictionary."""
    rows = queries.rows(session, "range_records", product_ids=list(product_ids), today=today, most=LAST)
    of_class = _Classes(session, today)
    found = {row["product_id"]: _record(row, of_class) for row in rows}
    nothing = Record(0, 0, None, None)
    return {product_id: found.get(product_id, nothing) for product_id in product_ids}


def _record(row: Any, of_class: "_Classes") -> Record:
    name = row["demand_class"]
    if row["of"] >= LEAST_RANGES:
        return Record(row["right"], row["of"], ISSUED, name)
    issued = of_class.issued(name)
    if issued[1] >= LEAST_RANGES:
        return Record(*issued, ISSUED_CLASS, name)
    scores = row["scores"] or {}
    if scores.get("tasks", 0) >= LEAST_TASKS:
        return Record(_inside(scores), int(scores["tasks"]), TESTED, name)
    tested = of_class.tested(name)
    if tested[1] >= LEAST_TASKS:
        return Record(*tested, TESTED_CLASS, name)
    return Record(0, 0, None, name)


class _Classes:
    """What is known of each demand class, asked once and only when a product needs it."""

    def __init__(self, session: Session, today: date) -> None:
        self._session, self._today = session, today
        self._kept: dict[tuple[str, str], tuple[int, int]] = {}

    def issued(self, name: str | None) -> tuple[int, int]:
        """(right, of) the last issued ranges of the class."""
        return self._ask("class_ranges", name, today=self._today, most=LAST_OF_CLASS)

    def tested(self, name: str | None) -> tuple[int, int]:
        """(inside, tasks) of the class in the test on the past."""
        return self._ask("class_tests", name, most=JUDGED_OF_CLASS)

    def _ask(self, question: str, name: str | None, **params: Any) -> tuple[int, int]:
        if name is None:
            return 0, 0
        if (question, name) not in self._kept:
            (row,) = queries.rows(self._session, question, demand_class=name, **params)
            self._kept[question, name] = row["right"], row["of"]
        return self._kept[question, name]


def _inside(scores: dict[str, Any]) -> int:
    """How many of the tested ranges held."""
    return round(scores["inside"] if "inside" in scores else scores["coverage"] * scores["tasks"])


# -- The whole card ------------------------------------------------------------------------------------------


def of_product(session: Session, product_id: int, today: date, *, ranges: int = 10) -> Scorecard:
    """The scorecard of one product with its last `ranges` issued ranges, the newest first.

    A product that nobody forecasts has one too: without figures, and with the reason.
    """
    product_id = inputs.small_id(product_id, "product")
    counted = queries.rows(session, "range_records", product_ids=[product_id], today=today, most=LAST)
    own = counted[0] if counted else {"right": 0, "of": 0, "open": 0}
    forecast = session.execute(
        select(
            Forecast.method, Forecast.demand_class, Forecast.reason, Forecast.would_help, Forecast.limited,
            Forecast.history_days, Forecast.scores,
        ).where(Forecast.product_id == product_id, Forecast.warehouse_id.is_(None), Forecast.is_current)
    ).first()  # fmt: skip
    scores = (forecast and forecast.scores) or {}
    figure = scores.get
    tasks = int(figure("tasks", 0))
    return Scorecard(
        record=_record(counted[0], _Classes(session, today)) if counted else Record(0, 0, None, None),
        own_right=own["right"],
        own_of=own["of"],
        open=own["open"],
        tasks=tasks,
        inside=_inside(scores) if tasks else 0,
        crps=figure("crps"),
        crps_naive=figure("crps_naive"),
        skill=figure("skill"),
        coverage=figure("coverage"),
        bias=figure("bias"),
        mase=figure("mase"),
        mase_naive=figure("mase_naive"),
        badge=badge(scores),
        warning=warning(scores, own["right"], own["of"]),
        mase_note=mase_note(forecast and forecast.demand_class, scores),
        method=forecast and forecast.method,
        demand_class=forecast and forecast.demand_class,
        reason=forecast.reason if forecast else NOTHING_YET,
        would_help=forecast and forecast.would_help,
        history_days=forecast.history_days if forecast else 0,
        limited=tuple(
            Limited(date.fromisoformat(day), float(demand), float(kept))
            for day, demand, kept in (forecast and forecast.limited) or ()
        ),
        ranges=_last_ranges(session, product_id, ranges),
    )


def _last_ranges(session: Session, product_id: int, most: int) -> tuple[Range, ...]:
    names = tuple(Range.__dataclass_fields__)
    question = (
        select(*(getattr(IssuedRange, name) for name in names))
        .where(IssuedRange.product_id == product_id)
        .order_by(IssuedRange.issued_on.desc())
        .limit(most)
    )
    return tuple(Range(*row) for row in session.execute(question))


# -- Words ---------------------------------------------------------------------------------------------------


def badge(scores: dict[str, Any]) -> str:
    """The verdict on a product's dates beside the rule stock / average, in words.

    Below `LEAST_TASKS` tests nothing is said; a twentieth better counts as better.
    """
    skill = scores.get("skill")
    if skill is None or scores.get("tasks", 0) < LEAST_TASKS:
        return "too little to judge"
    if skill < NOTICEABLE_SKILL:
        return "no better than the simple rule"
    return f"beats the simple rule by {skill:.0%}".replace("%", " %")


def warning(scores: dict[str, Any], right: int, of: int) -> str | None:
    """What a buyer should beware of: ranges that hold too seldom, or dates that come to one side."""
    if of >= LEAST_RANGES and right < LEAST_COVERAGE * of:
        return f"Ranges of this product held only {right} of {of} times: leave more room than they say."
    if scores.get("tasks", 0) < LEAST_TASKS:
        return None
    bias = scores.get("bias")
    if bias is not None and abs(bias) >= BIAS_DAYS:
        advice = "order earlier than they say" if bias > 0 else "stock may last longer than they say"
        return f"In the test on the past dates came {bias_words(bias)} on average: {advice}."
    if scores["coverage"] < LEAST_COVERAGE:
        held = f"{_inside(scores)} of {int(scores['tasks'])}"
        return f"In the test on the past only {held} ranges held: leave more room than they say."
    return None


def bias_words(bias: float | None) -> str:
    """ "5 days too late", "2 days too early" or "on time"; "-" when it was not tested."""
    if bias is None:
        return "-"
    days = round(abs(bias))
    if not days:
        return "on time"
    return f"{days} {'day' if days == 1 else 'days'} too {'late' if bias > 0 else 'early'}"


def mase_note(demand_class: str | None, scores: dict[str, Any]) -> str | None:
    """Why MASE should not decide about a product that sells rarely."""
    if demand_class not in SOLD_RARELY or scores.get("mase") is None:
        return None
    return (
        "MASE judges the mean of single days. For a product that sells rarely it favours a forecast of"
        " nothing: go by the dates."
    )
