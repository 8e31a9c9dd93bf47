"""Forecasts and run-outs of the shop: trained, published in one step, served with the stock of now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import delete, exists, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from core import auth, inputs, triage
from core.auth import Actor
from core.errors import NotFound, RuleBroken
from core.forecast.depletion import RunOut as Passage
from core.forecast.depletion import fan, run_outs
from core.forecast.packing import decode
from core.forecast.training import Draft
from db import queries
from db.models import Forecast, Import, ModelRun, Movement, Posting, Product, RunOut, Shop, Warehouse

CHUNK_PRODUCTS = 100  # their paths, per warehouse, are held at once: about 80 MB
LIMIT_DAYS_OF_COVER = 9999
# Publishing deletes the forecasts that a run-out computed just now may still name.
_PUBLISH = text("SELECT pg_advisory_xact_lock(hashtextextended('run-outs', 0))")
_MAY_REFRESH = text("SELECT pg_try_advisory_xact_lock_shared(hashtextextended('run-outs', 0))")


@dataclass(frozen=True)
class Outlook:
    """What a product's page shows: the run-out computed with the stock of this moment.

    `fan` has one row per day from today: day, p10, p25, p50, p75, p90 of the stock left (never below 0).
    Without a forecast `passage` and `fan` are None and `reason` says why.
    """

    verdict: triage.Verdict
    passage: Passage | None
    fan: pd.DataFrame | None
    on_hand: Decimal
    lead_time_days: int
    money_at_risk: Decimal
    reason: str
    history_days: int
    method: str | None
    demand_class: str | None
    as_of: date | None
    scores: dict[str, Any] | None
    trained_at: Any


# -- Training ------------------------------------------------------------------------------------------------


def start_run(
    session: Session, actor: Actor, as_of: date, engine: dict[str, Any], library: bytes | None
) -> int:
    """Open a model run on the data up to `as_of`, keep its library of analogs, and answer its id.

    A run that is still open was killed, or is slower than this one: it is abandoned and cannot publish.
    """
    auth.must(actor, "train")
    open_runs = session.scalars(select(ModelRun).where(ModelRun.state == "running").with_for_update()).all()
    for earlier in open_runs:
        earlier.state, earlier.finished_at = "abandoned", func.now()
    ids = [earlier.id for earlier in open_runs]
    session.execute(delete(Forecast).where(Forecast.model_run_id.in_(ids), ~Forecast.is_current))
    run = ModelRun(state="running", as_of=as_of, engine=engine, library=library, started_by=actor.id)
    session.add(run)
    session.flush()
    return run.id


def keep(session: Session, run_id: int, as_of: date, drafts: Iterable[Draft]) -> dict[str, int]:
    """Write drafts of a run; nobody sees them before `publish`. Answers how many of each state.

    The same drafts again replace the first ones: a retry does not know what became of its COMMIT.
    """
    rows = [_row(run_id, as_of, draft) for draft in drafts]
    if rows:
        place = tuple_(Forecast.product_id, func.coalesce(Forecast.warehouse_id, 0))
        places = [(row["product_id"], row["warehouse_id"] or 0) for row in rows]
        session.execute(delete(Forecast).where(Forecast.model_run_id == run_id, place.in_(places)))
        session.execute(insert(Forecast), rows)
    return {state: sum(row["state"] == state for row in rows) for state in ("ok", "too_short", "failed")}


def publish(session: Session, run_id: int, rows: Sequence[dict[str, Any]], scores: dict[str, Any]) -> None:
    """Show a run's forecasts and run-outs (`run_out_rows`) to everybody, in one step.

    A product whose forecast failed keeps the one it had. Forecasts that nobody needs any more are deleted.
    Refuses a run that a later one has overtaken; one that is published already stays as it is.
    """
    session.execute(_PUBLISH)
    run = session.get_one(ModelRun, run_id, with_for_update=True, populate_existing=True)
    if run.state == "published":
        return
    if run.state != "running":
        raise RuleBroken("Another training began after this one, so this one is not published.")
    new, old = aliased(Forecast), aliased(Forecast)
    replaced = exists().where(
        new.model_run_id == run_id,
        new.state != "failed",
        new.product_id == Forecast.product_id,
        new.warehouse_id.is_not_distinct_from(Forecast.warehouse_id),
    )
    session.execute(update(Forecast).where(Forecast.is_current, replaced).values(is_current=False))
    has_old = exists().where(
        old.is_current,
        old.product_id == Forecast.product_id,
        old.warehouse_id.is_not_distinct_from(Forecast.warehouse_id),
    )
    session.execute(
        update(Forecast)
        .where(Forecast.model_run_id == run_id, (Forecast.state != "failed") | ~has_old)
        .values(is_current=True)
    )
    _store(session, rows)
    session.execute(delete(Forecast).where(~Forecast.is_current, Forecast.model_run_id != run_id))
    counts = dict(
        session.execute(
            select(Forecast.state, func.count())
            .where(Forecast.model_run_id == run_id)
            .group_by(Forecast.state)
        ).all()
    )
    run.state, run.scores, run.finished_at = "published", scores, func.now()
    run.trained, run.too_short, run.failed = (counts.get(s, 0) for s in ("ok", "too_short", "failed"))


def abandon(session: Session, run_id: int) -> None:
    """Give up a run that did not finish: its drafts go, what was published before keeps serving."""
    session.execute(delete(Forecast).where(Forecast.model_run_id == run_id, ~Forecast.is_current))
    session.execute(
        update(ModelRun)
        .where(ModelRun.id == run_id, ModelRun.state == "running")
        .values(state="failed", finished_at=func.now())
    )


def library_of_latest_run(session: Session) -> bytes | None:
    """The frozen library of analogs of the last full training."""
    return session.scalar(
        select(ModelRun.library)
        .where(ModelRun.state == "published", ModelRun.library.is_not(None))
        .order_by(ModelRun.id.desc())
        .limit(1)
    )


def moved_since_forecast(session: Session, until: date) -> list[int]:
    """Ids of active products that moved after the data of their forecast ends, or have none."""
    rows = queries.rows(session, "moved_since_forecast", until=until)
    return [row["product_id"] for row in rows]


def _row(run_id: int, as_of: date, draft: Draft) -> dict[str, Any]:
    product, _, warehouse = draft.unique_id.partition(":")
    return {
        "model_run_id": run_id,
        "product_id": int(product),
        "warehouse_id": int(warehouse) if warehouse else None,
        "as_of": as_of,
        "state": draft.state,
        "reason": draft.reason,
        "method": draft.method,
        "demand_class": draft.demand_class,
        "history_days": draft.history_days,
        "demand_days": draft.demand_days,
        "daily_rate": _rounded(draft.daily_rate, 4),
        "paths": draft.paths,
        "fan": draft.fan,
        "scores": draft.scores,
    }


# -- Run-outs ------------------------------------------------------------------------------------------------


def refresh(session: Session, product_ids: Sequence[int], today: date) -> bool:
    """Compute and keep the run-outs of these products with the stock of now; call it after a posting.

    False while a training publishes: a booking does not wait for that, its products stay marked as stale.
    """
    if not session.scalar(_MAY_REFRESH):
        return False
    _store(session, list(run_out_rows(session, product_ids, today)))
    return True


def refresh_stale(session: Session, today: date, most: int = 500) -> int:
    """Bring up to `most` products up to date whose stock, day or forecast moved on; answers how many."""
    stale = [row["product_id"] for row in queries.rows(session, "stale_run_outs", today=today, most=most)]
    return len(stale) if stale and refresh(session, stale, today) else 0


def run_out_rows(
    session: Session, product_ids: Sequence[int], today: date, run_id: int | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of `run_out`, for every product as a whole and in each of its warehouses.

    With `run_id` the forecasts of that run count, published or not, as far as they did not fail.
    """
    for start in range(0, len(product_ids), CHUNK_PRODUCTS):
        chunk = list(product_ids[start : start + CHUNK_PRODUCTS])
        inputs = queries.rows(session, "run_out_inputs", product_ids=chunk, run_id=run_id)
        passages = _passages(inputs, today)
        for line, passage in zip(inputs, passages, strict=True):
            yield _run_out_row(line, passage, today)


def outlook(session: Session, product_id: int, today: date, warehouse_id: int | None = None) -> Outlook:
    """The run-out of one product, computed this moment from its stored paths.

    Raises:
        NotFound: there is no such product.
    """
    ids = [inputs.small_id(product_id, "product")]
    lines = queries.rows(session, "run_out_inputs", product_ids=ids, run_id=None)
    if not lines:
        raise NotFound(f"There is no product {product_id}.")
    line = next((row for row in lines if row["warehouse_id"] == warehouse_id), None)
    if line is None:  # it never lay in this warehouse
        nothing = dict.fromkeys(("forecast_id", "as_of", "state", "demand_days", "paths"))
        line = {**lines[0], **nothing, "warehouse_id": warehouse_id, "on_hand": Decimal(0)}
    (passage,) = _passages([line], today)
    verdict = _verdict(line, passage, today)
    forecast = session.get(Forecast, line["forecast_id"]) if line["forecast_id"] else None
    if forecast is None:
        reason = "No forecast yet: train to get one." if warehouse_id is None else "Not sold from here yet."
    else:
        reason = forecast.reason
    left = None
    if passage is not None:
        left = _stock_left(_from_today(line["paths"], line["as_of"], today), float(line["on_hand"]), today)
    return Outlook(
        verdict=verdict,
        passage=passage,
        fan=left,
        on_hand=line["on_hand"],
        lead_time_days=line["lead_time_days"],
        money_at_risk=_money_at_risk(line, passage),
        reason=reason,
        history_days=forecast.history_days if forecast else 0,
        method=forecast.method if forecast else None,
        demand_class=forecast.demand_class if forecast else None,
        as_of=forecast.as_of if forecast else None,
        scores=forecast.scores if forecast else None,
        trained_at=forecast.created_at if forecast else None,
    )


def _passages(inputs: Sequence[Any], today: date) -> list[Passage | None]:
    """Run-outs of many lines at once; None where there is no forecast, or none that reaches today."""
    found: list[Passage | None] = [None] * len(inputs)
    # Paths of forecasts of the same age have the same length and go through in one call.
    by_age: dict[date, list[int]] = {}
    for place, line in enumerate(inputs):
        if line["paths"] is not None:
            by_age.setdefault(line["as_of"], []).append(place)
    for as_of, places in by_age.items():
        cumulative = [_from_today(inputs[place]["paths"], as_of, today) for place in places]
        if not cumulative[0].shape[1]:
            continue
        computed = run_outs(
            np.stack(cumulative),
            [float(inputs[place]["on_hand"]) for place in places],
            lead_times_days=[inputs[place]["lead_time_days"] for place in places],
        )
        for place, passage in zip(places, computed, strict=True):
            found[place] = passage
    return found


def _from_today(paths: bytes, as_of: date, today: date) -> np.ndarray:
    """Cumulative demand (paths, days) from today on; the forecast's own first day is the one after as_of."""
    cumulative = decode(bytes(paths))  # psycopg2 hands out memoryviews
    gone = min(max((today - as_of).days - 1, 0), cumulative.shape[1])
    if not gone:
        return cumulative
    return cumulative[:, gone:] - cumulative[:, gone - 1 : gone]


def _stock_left(cumulative: np.ndarray, on_hand: float, today: date) -> pd.DataFrame:
    used = fan(cumulative)
    left = {f"p{100 - int(name[1:])}": np.maximum(on_hand - np.array(line), 0) for name, line in used.items()}
    days = [today + timedelta(days=n) for n in range(cumulative.shape[1])]
    return pd.DataFrame({"day": days, **{name: left[name] for name in ("p10", "p25", "p50", "p75", "p90")}})


def _verdict(line: Any, passage: Passage | None, today: date) -> triage.Verdict:
    sold_before = bool(line["demand_days"])
    return triage.judge(passage, line["on_hand"], line["lead_time_days"], today, sold_before=sold_before)


def _run_out_row(line: Any, passage: Passage | None, today: date) -> dict[str, Any]:
    verdict = _verdict(line, passage, today)
    worth = line["unit_cost"] if line["unit_cost"] is not None else line["unit_price"] or Decimal(0)
    row = {
        "product_id": line["product_id"],
        "warehouse_id": line["warehouse_id"],
        "forecast_id": line["forecast_id"],
        "as_of": today,
        "on_hand": line["on_hand"],
        "status": verdict.status,
        "p10_on": verdict.p10_on,
        "p50_on": verdict.p50_on,
        "p90_on": verdict.p90_on,
        "order_by_on": verdict.order_by_on,
        "lead_time_days": line["lead_time_days"],
        "stock_value": line["on_hand"] * worth,
        "money_at_risk": _money_at_risk(line, passage),
    }
    if passage is None:
        empty = ("chance_7", "chance_14", "chance_30", "chance_before_replenishment", "daily_rate")
        return row | dict.fromkeys((*empty, "days_of_cover", "expected_lost"))
    cover = passage.days_of_cover
    return row | {
        "chance_7": passage.chance_7,
        "chance_14": passage.chance_14,
        "chance_30": passage.chance_30,
        "chance_before_replenishment": passage.chance_before_replenishment,
        "daily_rate": _rounded(passage.daily_rate, 4),
        "days_of_cover": _rounded(min(cover, LIMIT_DAYS_OF_COVER), 1) if cover is not None else None,
        "expected_lost": _rounded(passage.expected_lost, 4),
    }


def _money_at_risk(line: Any, passage: Passage | None) -> Decimal:
    """Sales expected to be lost before an order placed today arrives, at the selling price (else cost)."""
    price = line["unit_price"] if line["unit_price"] is not None else line["unit_cost"]
    if passage is None or price is None:
        return Decimal(0)
    return (_rounded(passage.expected_lost, 4) * price).quantize(Decimal("0.0001"))


def _store(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    # In one order, so that two refreshes may wait for each other but never in a circle.
    rows = sorted(rows, key=lambda row: (row["product_id"], row["warehouse_id"] or 0))
    statement = upsert(RunOut)
    changed = {
        name: statement.excluded[name] for name in rows[0] if name not in ("product_id", "warehouse_id")
    }
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["product_id", "warehouse_id"], set_=changed | {"computed_at": func.now()}
        ),
        rows,
    )


def _rounded(value: float | None, places: int) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.{places}f}")


# -- Looks ---------------------------------------------------------------------------------------------------


def tiles(session: Session, warehouse_id: int | None = None) -> pd.DataFrame:
    """Products and money per status (columns status, products, money); absent statuses have no row."""
    return queries.frame(session, "status_tiles", warehouse_id=warehouse_id)


def freshness(session: Session, today: date) -> dict[str, Any]:
    """How fresh what is shown is: as_of, trained_at, products, without_forecast, failed, stale,
    last_movement_at, shift_days (of the last import that was shifted) and shop."""
    run = session.scalars(
        select(ModelRun).where(ModelRun.state == "published").order_by(ModelRun.id.desc()).limit(1)
    ).first()
    products = session.scalar(select(func.count()).where(Product.is_active))
    forecast = session.scalar(
        select(func.count())
        .select_from(Forecast)
        .join(Product, Product.id == Forecast.product_id)
        .where(
            Forecast.is_current,
            Forecast.state == "ok",
            Forecast.warehouse_id.is_(None),
            Product.is_active,
        )
    )
    return {
        "as_of": run.as_of if run else None,
        "trained_at": run.finished_at if run else None,
        "scores": run.scores if run else None,
        "products": products,
        "without_forecast": products - forecast,
        "failed": run.failed if run else 0,
        "stale": len(queries.rows(session, "stale_run_outs", today=today, most=1000)),
        "last_movement_at": session.scalar(select(Posting.recorded_at).order_by(Posting.id.desc()).limit(1)),
        "has_movements": session.scalar(select(exists().where(Movement.id.is_not(None)))),
        "shift_days": session.scalar(
            select(Import.shift_days)
            .where(Import.shift_days > 0, Import.state == "applied")
            .order_by(Import.id.desc())
            .limit(1)
        )
        or 0,
        "shop": session.scalar(select(Shop.name)),
    }


def active_products(session: Session) -> list[int]:
    """Ids of the products a training covers."""
    return list(session.scalars(select(Product.id).where(Product.is_active).order_by(Product.id)))


def sells_in_several_places(session: Session) -> bool:
    """Whether forecasts per warehouse say more than the ones of the shop."""
    return session.scalar(select(func.count()).select_from(Warehouse).where(Warehouse.is_active)) > 1
