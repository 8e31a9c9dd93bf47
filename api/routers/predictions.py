"""Predictions: when stock runs out, and training them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from api.deps import Needs, NeedsAlone, Now, Reading, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Amount, Answer, Body, Day, Flag, Id, Limit, Moment, Share, Skip, example
from core import forecast_report, forecasts, job_runs, products, shop
from core.auth import Actor
from core.forecast import verdicts
from core.forecast.training import MIN_DEMAND_DAYS, MIN_HISTORY_DAYS
from db.session import reading, transact

router = Router("/api/v1/predictions", "predictions")

RangesSource = Literal["issued", "issued_class", "backtest", "backtest_class"]


class Expected(Answer):
    """Stock on its way that the prediction counts."""

    expected_on: Day
    quantity: Amount


class Prediction(Answer):
    """When a product runs out, by its stock of now and what is on its way.

    In half of the futures the stock is used up by `predicted_depletion_date`, in one of ten by the earliest,
    in nine of ten by the latest; null where that lies beyond 120 days. `chance_before_replenishment`: that it
    is used up before an order placed today arrives. Without a forecast the figures are null; `reason` says
    why.

    Ranges from the earliest to the latest date should hold in 8 of 10 cases: `ranges_right` of the last
    `ranges_decided` did. `ranges_source` says whose: `issued` (as they were shown for this product),
    `issued_class` (for products of its demand class), `backtest` (this product in a test on the past),
    `backtest_class`, or null when there is nothing to go by. `scores` are out of sample, in days (`crps`
    beside the rule stock / average, `crps_naive`; `bias` above 0: the dates come too late). `would_help`:
    what would make the forecast better.
    """

    product_id: Annotated[Id, Field(validation_alias="product_uid")]
    product_sku: Annotated[str, Field(validation_alias="sku")]
    product_name: Annotated[str, Field(validation_alias="name")]
    current_stock: Annotated[Amount, Field(validation_alias="on_hand")]
    status: str
    predicted_depletion_date: Annotated[Day | None, Field(validation_alias="p50_on")]
    earliest_depletion_date: Annotated[Day | None, Field(validation_alias="p10_on")]
    latest_depletion_date: Annotated[Day | None, Field(validation_alias="p90_on")]
    days_until_depletion: Annotated[int | None, Field(validation_alias="days_until")]
    chance_7_days: Annotated[Share | None, Field(validation_alias="chance_7")]
    chance_14_days: Annotated[Share | None, Field(validation_alias="chance_14")]
    chance_30_days: Annotated[Share | None, Field(validation_alias="chance_30")]
    chance_before_replenishment: Share | None
    daily_demand: Annotated[Amount | None, Field(validation_alias="daily_rate")]
    days_of_cover: Amount | None
    order_by_date: Annotated[Day | None, Field(validation_alias="order_by_on")]
    lead_time_days: int
    money_at_risk: Amount
    expected: list[Expected]
    model: Annotated[str | None, Field(validation_alias="method")]
    demand_class: str | None
    reason: str
    history_days: int | None
    data_until: Day | None
    trained_at: Moment | None
    scores: dict[str, Share] | None
    would_help: str | None
    ranges_right: int
    ranges_decided: int
    ranges_source: RangesSource | None


class Promise(Answer):
    """Of `cases` with the chance `promised`, this share `happened`."""

    promised: Share
    happened: Share
    cases: int


class RangesReport(Answer):
    """What became of the last 2,000 ranges whose days are over; `void` ones could not be judged.

    `early`: used up before the range, `late`: not by its end. `open` ones are counted up to 10,000.
    """

    open: int
    inside: int
    early: int
    late: int
    void: int
    decided: Annotated[int, Field(validation_alias="of")]
    right: int
    since: Day | None
    coverage: Share | None


class Method(Answer):
    """How one method did on the shop's past; figures in days, null where there was nothing to judge."""

    name: str
    title: str
    is_used: Annotated[bool, Field(validation_alias="admitted")]
    crps: Share | None
    skill: Share | None
    coverage: Share | None
    bias: Share | None
    reason: str
    sample: str


class Report(Answer):
    """How good the forecasts of the shop are.

    `ranges` and `calibration` are of ranges as they were issued (the share of stocks used up by the
    earliest, the predicted and the latest date), `tested_calibration`, `methods` and `scores` of the
    back-test of the last full training. `products`: active products by state of their forecast.
    """

    as_of: Day | None
    trained_at: Moment | None
    ranges: RangesReport
    calibration: list[Promise]
    tested_calibration: list[Promise]
    scores: dict[str, Share]
    methods: list[Method]
    products: dict[str, int]


class DataSummary(Answer):
    """How much history a product has. Days are calendar days from the first movement to today."""

    product_id: Id
    product_sku: str
    movements: int
    first_movement_on: Day | None
    last_demand_on: Day | None
    history_days: int
    required_history_days: int = MIN_HISTORY_DAYS
    days_with_demand: int
    required_days_with_demand: int = MIN_DEMAND_DAYS
    days_without_stock: int
    total_demand: Amount
    has_enough_data: bool
    reason: str | None


class Training(Body):
    """One product, or all when none is named. `force_retrain` makes a fresh forecast anew as well."""

    product_id: UUID | None = None
    force_retrain: Flag = False

    model_config = example(product_id="123e4567-e89b-12d3-a456-426614174000", force_retrain=False)


class Trained(Answer):
    """A product's training: `trained` anew, or `up_to_date` already."""

    status: Literal["trained", "up_to_date"]
    prediction: Prediction


class TrainingQueued(Answer):
    """The training of all products waits for a worker, or goes on already."""

    status: Literal["queued"] = "queued"
    job_id: int


@router.get("/batch", response_model=list[Prediction], responses=refusals(404))
def batch(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    now: Now,
    product_id: Annotated[list[Id] | None, Query(max_length=100, description="Only these.")] = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """Predictions of all products, by SKU."""
    today = shop.today(shop.get(session), now)
    if product_id is not None:
        ids = [products.by_uid(session, one).product.id for one in product_id]
        return page(response, _said(forecasts.listing(session, ids[skip : skip + limit], today)), len(ids))
    ids, total = forecasts.page(session, limit=limit, offset=skip)
    return page(response, _said(forecasts.listing(session, ids, today)), total)


@router.get("/report", response_model=Report)
def report(session: Reading, _actor: Annotated[Actor, Needs("read")], now: Now) -> Any:
    """How good the forecasts are: ranges held against what happened, calibration, methods."""
    said = forecast_report.of_shop(session, shop.today(shop.get(session), now))
    training = said.training
    tested = verdicts.Report.of(training.report if training else None)
    products_of: dict[str, int] = {}
    for one in said.classes:
        products_of[one.state] = products_of.get(one.state, 0) + one.products
    return {
        "as_of": training and training.as_of,
        "trained_at": training and training.finished_at,
        "ranges": said.ranges,
        "calibration": [
            {"promised": one.promised, "happened": one.happened, "cases": one.tasks}
            for one in said.calibration
        ],
        "tested_calibration": [
            {"promised": one["level"], "happened": one["share"], "cases": one["tasks"]}
            for one in tested.calibration
        ],
        "scores": training.scores if training else {},
        "methods": tested.members,
        "products": products_of,
    }


@router.post(
    "/train",
    response_model=Trained | TrainingQueued,
    responses=refusals(400, 404) | {202: {"model": TrainingQueued, "description": "A job does it."}},
)
def train(
    actor: Annotated[Actor, NeedsAlone("train")], wanted: Training, response: Response, now: Now
) -> Any:
    """Train one product now, or all of them in the background (202)."""
    if wanted.product_id is None:
        response.status_code = 202
        return {"job_id": transact(lambda session: job_runs.request(session, actor, "train", now))}
    with reading() as session:
        product = products.by_uid(session, wanted.product_id).product
        is_due = wanted.force_retrain or forecasts.is_due(session, product.id, now)
    if is_due:
        _make(product.id, now, actor)
    return {"status": "trained" if is_due else "up_to_date", "prediction": _prediction(product.id, now)}


@router.get("/{product_id}", response_model=Prediction, responses=refusals(400))
def get_prediction(
    _actor: Annotated[Actor, NeedsAlone("read")],
    product_id: Id,
    now: Now,
    use_cache: Annotated[bool, Query(description="false: make the forecast anew.")] = True,
) -> Any:
    """When a product runs out. It takes 30 days of history and two days with demand.

    The forecast is made anew when it is older than an hour and the product moved since; the run-out always
    follows from the stock of now.
    """
    with reading() as session:
        product = products.by_uid(session, product_id).product
        is_due = not use_cache or forecasts.is_due(session, product.id, now)
    if is_due:
        _make(product.id, now, None)
    return _prediction(product.id, now)


@router.get("/{product_id}/data-summary", response_model=DataSummary)
def data_summary(session: Reading, _actor: Annotated[Actor, Needs("read")], product_id: Id, now: Now) -> Any:
    """Whether there is enough history for a prediction."""
    product = products.by_uid(session, product_id).product
    known = forecasts.data(session, product.id, now)
    return {
        "product_id": product.uid,
        "product_sku": product.sku,
        "movements": known.movements,
        "first_movement_on": known.first_on,
        "last_demand_on": known.last_demand_on,
        "history_days": known.history_days,
        "days_with_demand": known.demand_days,
        "days_without_stock": known.days_without_stock,
        "total_demand": known.total_demand,
        "has_enough_data": known.is_enough,
        "reason": known.why_not,
    }


@router.delete("/{product_id}/cache", status_code=204, responses=refusals(400))
def forget(actor: Annotated[Actor, NeedsAlone("train")], product_id: Id, now: Now) -> None:
    """Forget the stored forecast: it is made anew at once, so that no list is without one."""
    with reading() as session:
        product = products.by_uid(session, product_id).product
    _make(product.id, now, actor)


def _make(product_id: int, now: datetime, actor: Actor | None) -> None:
    """Look, think without a session, write."""
    with reading() as session:
        today = shop.today(shop.get(session), now)
        given = forecasts.material(session, product_id, now)
    drafts = forecasts.think(given)
    transact(lambda session: forecasts.keep(session, actor, given, drafts, today))


def _prediction(product_id: int, now: datetime) -> dict[str, Any]:
    with reading() as session:
        today = shop.today(shop.get(session), now)
        return _said([forecasts.prediction(session, product_id, today)])[0]


def _said(found: list[forecasts.Prediction]) -> list[dict[str, Any]]:
    return [
        {
            **vars(one),
            "expected": [{"expected_on": day, "quantity": much} for day, much in one.due or ()],
            "ranges_right": one.record.right,
            "ranges_decided": one.record.of,
            "ranges_source": one.record.source,
        }
        for one in found
    ]
