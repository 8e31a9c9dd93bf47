"""Run-outs of the shop: computed from stored forecasts with the stock of now, and kept for lists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import exists, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core import paths, triage
from core.forecast.depletion import Receipts, fan, stock_left
from core.forecast.depletion import RunOut as Passage
from core.forecast.edits import Week
from db import queries
from db.models import Forecast, Import, ModelRun, Movement, Posting, Product, RunOut, Shop, StockLevel

CHUNK_PRODUCTS = 100  # their paths, per warehouse, are held at once: about 80 MB
LIMIT_DAYS_OF_COVER = 9999
_PUBLISH = text("SELECT pg_advisory_xact_lock(hashtextextended('run-outs', 0))")
_MAY_REFRESH = text("SELECT pg_try_advisory_xact_lock_shared(hashtextextended('run-outs', 0))")


@dataclass(frozen=True)
class Outlook:
    """What a product's page shows: the run-out computed with the stock of this moment.

    `fan` has one row per day from today: day, p10, p25, p50, p75, p90 of the stock left (never below 0), with
    what is on its way. `due` is what was counted of it: (day, quantity), the next first; a day before today
    is overdue and may come any moment, so it counts from today; `without_due` is the verdict if none of it
    came. `edits` are the weeks in which people changed what was computed. Without a forecast `passage` and
    `fan` are None and `reason` says why.
    """

    verdict: triage.Verdict
    passage: Passage | None
    fan: pd.DataFrame | None
    on_hand: Decimal
    due: tuple[tuple[date, Decimal], ...]
    edits: tuple[Week, ...]
    without_due: triage.Verdict
    lead_time_days: int
    money_at_risk: Decimal
    reason: str
    history_days: int
    method: str | None
    demand_class: str | None
    as_of: date | None
    scores: dict[str, Any] | None
    trained_at: Any


# -- Run-outs ------------------------------------------------------------------------------------------------


def hold_back_refreshes(session: Session) -> None:
    """No run-out is refreshed until this transaction ends: it deletes forecasts they may still name."""
    session.execute(_PUBLISH)


def refresh(session: Session, product_ids: Sequence[int], today: date) -> bool:
    """Compute and keep the run-outs of these products with the stock of now; call it after a posting.

    False while a training publishes: a booking does not wait for that, its products stay marked as stale.
    """
    if not session.scalar(_MAY_REFRESH):
        return False
    store(session, list(run_out_rows(session, product_ids, today)))
    return True


def refresh_stale(session: Session, today: date, most: int = 500) -> int:
    """Bring up to `most` products up to date whose stock, day or forecast moved on; answers how many."""
    stale = [row["product_id"] for row in queries.rows(session, "stale_run_outs", today=today, most=most)]
    return len(stale) if stale and refresh(session, stale, today) else 0


def run_out_rows(
    session: Session, product_ids: Sequence[int], today: date, run_id: int | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of `run_out`, for every active product as a whole and in each of its warehouses.

    With `run_id` the forecasts of that run count, published or not, as far as they did not fail.
    """
    for start in range(0, len(product_ids), CHUNK_PRODUCTS):
        chunk = list(product_ids[start : start + CHUNK_PRODUCTS])
        lines = paths.lines(session, chunk, today, run_id)
        passages = paths.passages(lines, today, paths.plans(lines, today))
        for line, passage in zip(lines, passages, strict=True):
            if line["is_active"]:
                yield _run_out_row(line, passage, today)


def by_warehouse(session: Session, product_id: int, today: date) -> list[dict[str, Any]]:
    """A product's run-out in each of its warehouses: warehouse_id, on_hand, status, p10_on, p50_on, p90_on,
    chance_before_replenishment. What is kept, or computed now when that is of another stock or day."""
    columns = (RunOut.status, RunOut.p10_on, RunOut.p50_on, RunOut.p90_on, RunOut.chance_before_replenishment)
    is_here = (RunOut.product_id == StockLevel.product_id) & (RunOut.warehouse_id == StockLevel.warehouse_id)
    question = (
        select(StockLevel.warehouse_id, StockLevel.quantity.label("on_hand"), *columns)
        .outerjoin(RunOut, is_here & (RunOut.as_of == today) & (RunOut.on_hand == StockLevel.quantity))
        .where(StockLevel.product_id == product_id)
        .order_by(StockLevel.warehouse_id)
    )
    kept = [dict(row) for row in session.execute(question).mappings()]
    if all(row["status"] is not None for row in kept):
        return kept
    rows = run_out_rows(session, [product_id], today)
    return [row for row in rows if row["warehouse_id"] is not None]


def outlook(session: Session, product_id: int, today: date, warehouse_id: int | None = None) -> Outlook:
    """The run-out of one product, computed this moment from its stored paths.

    Raises:
        NotFound: there is no such product.
    """
    line, planned = paths.one(session, product_id, today, warehouse_id)
    (passage,), plan = paths.passages([line], today, planned), planned.get(product_id)
    verdict = _verdict(line, passage, today)
    forecast = session.get(Forecast, line["forecast_id"]) if line["forecast_id"] else None
    if not line["is_active"]:
        reason = "Not sold any more."
    elif forecast is None:
        reason = "No forecast yet: train to get one." if warehouse_id is None else "Not sold from here yet."
    else:
        reason = forecast.reason
    left = None
    if passage is not None:
        left = fan_of(paths.demand(line, today, plan), line["on_hand"], paths.receipts(line, today), today)
    return Outlook(
        verdict=verdict,
        passage=passage,
        fan=left,
        on_hand=line["on_hand"],
        due=paths.due(line),
        edits=tuple(week for week in plan.weeks if week.is_edited) if plan else (),
        without_due=_without_due(line, verdict, today, planned),
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


def _without_due(line: paths.Line, verdict: triage.Verdict, today: date, planned: Any) -> triage.Verdict:
    if not line["due"]:
        return verdict
    alone = {**line, "due": None}
    return _verdict(alone, *paths.passages([alone], today, planned), today)


def fan_of(cumulative: np.ndarray, on_hand: Decimal, receipts: Receipts, today: date) -> pd.DataFrame:
    """What may be left of the stock, one row per day from today: day, p10, p25, p50, p75, p90."""
    left = fan(stock_left(cumulative, float(on_hand), receipts))
    days = [today + timedelta(days=n) for n in range(cumulative.shape[1])]
    return pd.DataFrame({"day": days, **left})


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
        "due": line["due"],
        "edits": line["edits"],
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
        "daily_rate": rounded(passage.daily_rate, 4),
        "days_of_cover": rounded(min(cover, LIMIT_DAYS_OF_COVER), 1) if cover is not None else None,
        "expected_lost": rounded(passage.expected_lost, 4),
    }


def _money_at_risk(line: Any, passage: Passage | None) -> Decimal:
    """Sales expected to be lost before an order placed today arrives, at the selling price (else cost)."""
    price = line["unit_price"] if line["unit_price"] is not None else line["unit_cost"]
    if passage is None or price is None:
        return Decimal(0)
    return (rounded(passage.expected_lost, 4) * price).quantize(Decimal("0.0001"))


def store(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Keep rows of `run_out_rows`, in the place of the ones before."""
    if not rows:
        return
    # In one order, so that two refreshes may wait for each other but never in a circle.
    rows = sorted(rows, key=lambda row: (row["product_id"], row["warehouse_id"] or 0))
    statement = upsert(RunOut.__table__)  # of the model they would go one by one
    changed = {
        name: statement.excluded[name] for name in rows[0] if name not in ("product_id", "warehouse_id")
    }
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["product_id", "warehouse_id"], set_=changed | {"computed_at": func.now()}
        ),
        rows,
    )


def rounded(value: float | None, places: int) -> Decimal | None:
    """A computed figure as the database keeps it."""
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
