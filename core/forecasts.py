"""Forecasts of single products: made anew when somebody asks, what they say, and what there is to go by.

A product's stored demand paths are a cache: they are made again when they are older than an hour and the
product moved since. That takes milliseconds and no model run of its own: the library of analogs is that of
the last training, so one product comes out as in a training of all. The steps are those of every slow work:
`material` looks, `think` has no session, `keep` writes.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import audit, auth, demand, event_effects, inputs, model_runs, predictions, scorecard, shop
from core.auth import Actor
from core.errors import NotFound, RuleBroken, TooLittleHistory
from core.forecast import training
from core.forecast.history import from_frame
from core.scorecard import Record
from db.models import Forecast, Movement, Posting, Product

CACHE_LASTS = timedelta(hours=1)
_TRY_TO_HOLD_BACK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('run-outs', 0))")


@dataclass(frozen=True)
class Material:
    """What a product's forecasts are made from: its demand as a whole and per warehouse.

    `scores` are the back-test's of the forecast before, kept until the next training judges anew; `coming` is
    what known events do to the days ahead.
    """

    product_id: int
    as_of: date
    run_id: int | None
    frozen: training.Frozen
    frames: tuple[pd.DataFrame, ...]
    scores: training.Scores
    coming: training.Factors


@dataclass(frozen=True)
class Data:
    """How much history a product has, as forecasts learn from it.

    Days are calendar days from the first movement to today. `days_without_stock` had nothing on the shelf;
    days that were left out are not among them.
    """

    movements: int
    first_on: date | None
    last_demand_on: date | None
    history_days: int
    demand_days: int
    days_without_stock: int
    total_demand: Decimal
    why_not: str | None

    @property
    def is_enough(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True)
class Prediction:
    """When a product runs out, with the stock of now. Dates beyond the horizon are None.

    `due`: what was counted of stock on its way, [date, quantity]. `data_until` is the last day the forecast
    has seen; without a forecast `reason` says why.
    """

    product_uid: uuid.UUID
    sku: str
    name: str
    on_hand: Decimal
    status: str
    p10_on: date | None
    p50_on: date | None
    p90_on: date | None
    days_until: int | None
    chance_7: float | None
    chance_14: float | None
    chance_30: float | None
    chance_before_replenishment: float | None
    daily_rate: Decimal | None
    days_of_cover: Decimal | None
    order_by_on: date | None
    lead_time_days: int
    money_at_risk: Decimal
    due: list[Any] | None
    method: str | None
    demand_class: str | None
    reason: str
    history_days: int | None
    data_until: date | None
    trained_at: datetime | None
    scores: dict[str, float] | None
    would_help: str | None
    record: Record


# -- What they say -------------------------------------------------------------------------------------------


def prediction(session: Session, product_id: int, today: date) -> Prediction:
    """The prediction of one product. Refuses a product that is used no more."""
    found = listing(session, [product_id], today)
    if not found:
        product = session.get_one(Product, product_id)
        raise RuleBroken(f"{product.sku} is not in use, so nobody predicts it: reactivate it first.")
    return found[0]


def listing(session: Session, product_ids: Sequence[int], today: date) -> list[Prediction]:
    """Predictions of active products, in the order of the ids."""
    rows = {
        row["product_id"]: row
        for row in predictions.run_out_rows(session, product_ids, today)
        if row["warehouse_id"] is None
    }
    about = session.execute(
        select(Product.id, Product.uid, Product.sku, Product.name).where(Product.id.in_(rows))
    )
    names = {row.id: row for row in about}
    ids = [row["forecast_id"] for row in rows.values() if row["forecast_id"] is not None]
    columns = (
        Forecast.id, Forecast.method, Forecast.demand_class, Forecast.reason, Forecast.history_days,
        Forecast.as_of, Forecast.created_at, Forecast.scores, Forecast.would_help,
    )  # fmt: skip
    made = {row.id: row for row in session.execute(select(*columns).where(Forecast.id.in_(ids)))}
    records = scorecard.records(session, list(rows), today)
    return [
        _prediction(rows[i], names[i], made.get(rows[i]["forecast_id"]), records[i], today)
        for i in product_ids
        if i in rows
    ]


def _prediction(row: dict[str, Any], product: Any, made: Any, record: Record, today: date) -> Prediction:
    same = ("on_hand", "status", "p10_on", "p50_on", "p90_on", "chance_7", "chance_14", "chance_30",
            "chance_before_replenishment", "daily_rate", "days_of_cover", "order_by_on", "lead_time_days",
            "money_at_risk", "due")  # fmt: skip
    return Prediction(
        product_uid=product.uid,
        sku=product.sku,
        name=product.name,
        days_until=(row["p50_on"] - today).days if row["p50_on"] else None,
        method=made and made.method,
        demand_class=made and made.demand_class,
        reason=made.reason if made else "No forecast yet: train to get one.",
        history_days=made and made.history_days,
        data_until=made and made.as_of,
        trained_at=made and made.created_at,
        scores=made and made.scores,
        would_help=made and made.would_help,
        record=record,
        **{name: row[name] for name in same},
    )


def page(session: Session, *, limit: int, offset: int) -> tuple[list[int], int]:
    """Ids of active products by SKU, one page, and how many there are in all."""
    ids = select(Product.id).where(Product.is_active).order_by(Product.sku).limit(limit).offset(offset)
    total = session.scalar(select(func.count()).select_from(Product).where(Product.is_active))
    return list(session.scalars(ids)), total


# -- Making them anew ----------------------------------------------------------------------------------------


def is_due(session: Session, product_id: int, now: datetime) -> bool:
    """Whether the product's forecast should be made: none works, or it is old and the product moved since."""
    current = _current(session, product_id)
    if current is None or current.state != "ok":
        return True
    return current.created_at < now - CACHE_LASTS and _moved_since(session, product_id, current.created_at)


def material(session: Session, product_id: int, now: datetime) -> Material:
    """Look at everything that the forecasts of a product are made from.

    Raises:
        TooLittleHistory: with how many days there are and how many it takes.
    """
    product = session.get(Product, inputs.small_id(product_id, "product"))
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    as_of = _yesterday(session, now)
    whole = demand.frame(session, as_of, product_ids=[product_id])
    known = _data(session, product_id, whole, as_of)
    if not known.is_enough:
        raise TooLittleHistory(
            f"{product.sku}: {known.why_not}; a prediction needs {training.MIN_HISTORY_DAYS} days of history "
            f"and {training.MIN_DEMAND_DAYS} days with demand."
        )
    frames, horizon = [whole], training.HORIZON_DAYS
    coming = event_effects.coming(session, as_of, horizon, product_ids=[product_id])
    if model_runs.sells_in_several_places(session):
        frames.append(demand.frame(session, as_of, product_ids=[product_id], by_warehouse=True))
        coming |= event_effects.coming(session, as_of, horizon, product_ids=[product_id], by_warehouse=True)
    kept = model_runs.last_learned(session)
    return Material(
        product_id,
        as_of,
        model_runs.latest_published(session),
        training.Frozen.of(kept.library, kept.admitted) if kept else training.Frozen.of(None),
        tuple(frames),
        model_runs.scores_of(session, [product_id]),
        coming,
    )


def think(given: Material) -> list[training.Draft]:
    """The forecasts of one product, as a whole and per warehouse."""
    until = pd.Timestamp(given.as_of)
    histories = [from_frame(frame, until) for frame in given.frames if len(frame)]
    (batch,) = training.batches([given.product_id], histories, given.scores, given.coming, 1)
    return training.draw(batch, given.frozen)


def keep(
    session: Session, actor: Actor | None, given: Material, drafts: Sequence[training.Draft], today: date
) -> None:
    """Put the product's forecasts and run-outs in the place of those before, in one step.

    With an actor it was a training that somebody asked for, which takes the right. Without one the cache is
    brought up to date, unless a training publishes this moment: that brings newer ones. A forecast that
    failed leaves the one before.
    """
    if actor is not None:
        auth.must(actor, "train")
        predictions.hold_back_refreshes(session)
    elif not session.scalar(_TRY_TO_HOLD_BACK):
        return
    run_id = given.run_id if given.run_id is not None else model_runs.without_training(session, given.as_of)
    made = [draft for draft in drafts if draft.state != "failed"]
    model_runs.replace(session, run_id, given.as_of, made)
    predictions.store(session, list(predictions.run_out_rows(session, [given.product_id], today)))
    if actor is not None:
        uid = session.scalar(select(Product.uid).where(Product.id == given.product_id))
        audit.note(session, actor.id, "trained", "product", uid)


# -- What there is to make them from -------------------------------------------------------------------------


def data(session: Session, product_id: int, now: datetime) -> Data:
    """How much history a product has, and whether it is enough for a prediction."""
    as_of = _yesterday(session, now)
    known = _data(session, product_id, demand.frame(session, as_of, product_ids=[product_id]), as_of)
    booked = demand.frame(session, as_of, product_ids=[product_id], as_booked=True)
    return replace(known, days_without_stock=int((~booked.in_stock.astype(bool)).sum()))


def _data(session: Session, product_id: int, frame: pd.DataFrame, as_of: date) -> Data:
    movements = session.scalar(select(func.count()).where(Movement.product_id == product_id))
    if frame.empty:  # nothing moved, or only today
        days, sold, without, total, first, last = int(movements > 0), 0, 0, 0.0, None, None
    else:
        (series,) = from_frame(frame, pd.Timestamp(as_of))
        days, sold = training.history_days(series), training.demand_days(series)
        without, total = int((~series.in_stock).sum()), float(series.demand.sum())
        first = as_of - timedelta(days=series.days - 1)
        seen = series.age[series.demand > 0]
        last = as_of - timedelta(days=int(seen[-1])) if len(seen) else None
    return Data(
        movements=movements,
        first_on=first,
        last_demand_on=last,
        history_days=days,
        demand_days=sold,
        days_without_stock=without,
        total_demand=predictions.rounded(total, 4),
        why_not=training.why_not(days, sold),
    )


def _yesterday(session: Session, now: datetime) -> date:
    """The last whole day, up to which forecasts look."""
    return shop.today(shop.get(session), now) - timedelta(days=1)


def _current(session: Session, product_id: int) -> Any:
    """State and age of the product's forecast as a whole."""
    return session.execute(
        select(Forecast.state, Forecast.created_at).where(
            Forecast.product_id == product_id, Forecast.warehouse_id.is_(None), Forecast.is_current
        )
    ).first()


def _moved_since(session: Session, product_id: int, moment: datetime) -> bool:
    latest = session.scalar(
        select(Posting.recorded_at)
        .join(Movement, Movement.posting_id == Posting.id)
        .where(Movement.product_id == product_id)
        .order_by(Movement.id.desc())
        .limit(1)
    )
    return latest is not None and latest > moment
