"""Model runs: what a training writes, and how it becomes what everybody sees, in one step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from core import auth, predictions
from core.auth import Actor
from core.errors import RuleBroken
from core.forecast.training import Draft
from core.forecast.verdicts import Report
from db import queries
from db.models import Forecast, ModelRun, Product, Warehouse


def start(session: Session, actor: Actor, as_of: date, engine: dict[str, Any], library: bytes | None) -> int:
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


def publish(
    session: Session,
    run_id: int,
    rows: Sequence[dict[str, Any]],
    scores: dict[str, Any],
    report: dict[str, Any] | None = None,
) -> None:
    """Show a run's forecasts and run-outs (`predictions.run_out_rows`) to everybody, in one step.

    `report` is what judging the methods found out; None when only some products were trained.

    A product whose forecast failed keeps the one it had. Forecasts that nobody needs any more are deleted.
    Refuses a run that a later one has overtaken; one that is published already stays as it is.
    """
    predictions.hold_back_refreshes(session)
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
    predictions.store(session, rows)
    session.execute(delete(Forecast).where(~Forecast.is_current, Forecast.model_run_id != run_id))
    counts = dict(
        session.execute(
            select(Forecast.state, func.count())
            .where(Forecast.model_run_id == run_id)
            .group_by(Forecast.state)
        ).all()
    )
    run.state, run.scores, run.report, run.finished_at = "published", scores, report, func.now()
    run.trained, run.too_short, run.failed = (counts.get(s, 0) for s in ("ok", "too_short", "failed"))


def replace(session: Session, run_id: int, as_of: date, drafts: Iterable[Draft]) -> None:
    """Put drafts in the place of what is shown of their products, within a run that is published."""
    rows = [_row(run_id, as_of, draft) | {"is_current": True} for draft in drafts]
    if not rows:
        return
    place = tuple_(Forecast.product_id, func.coalesce(Forecast.warehouse_id, 0))
    places = [(row["product_id"], row["warehouse_id"] or 0) for row in rows]
    session.execute(
        delete(Forecast).where(place.in_(places), Forecast.is_current | (Forecast.model_run_id == run_id))
    )
    session.execute(insert(Forecast), rows)


def without_training(session: Session, as_of: date) -> int:
    """A run for forecasts that were made before any training; it has no library and no scores."""
    engine = {"pool": "pool", "single": True}
    run = ModelRun(state="published", as_of=as_of, engine=engine, finished_at=func.now())
    session.add(run)
    session.flush()
    return run.id


def latest_published(session: Session) -> int | None:
    """The run whose forecasts are shown."""
    question = select(ModelRun.id).where(ModelRun.state == "published").order_by(ModelRun.id.desc()).limit(1)
    return session.scalar(question)


def abandon(session: Session, run_id: int) -> None:
    """Give up a run that did not finish: its drafts go, what was published before keeps serving."""
    session.execute(delete(Forecast).where(Forecast.model_run_id == run_id, ~Forecast.is_current))
    session.execute(
        update(ModelRun)
        .where(ModelRun.id == run_id, ModelRun.state == "running")
        .values(state="failed", finished_at=func.now())
    )


@dataclass(frozen=True)
class Kept:
    """What the last full training froze for the whole shop, and how good the dates were then."""

    library: bytes
    admitted: tuple[str, ...] | None
    scores: dict[str, Any]


def last_learned(session: Session) -> Kept | None:
    """What trainings of single products go by; None before the first full training."""
    found = session.execute(
        select(ModelRun.library, ModelRun.report, ModelRun.scores)
        .where(ModelRun.state == "published", ModelRun.library.is_not(None))
        .order_by(ModelRun.id.desc())
        .limit(1)
    ).first()
    return Kept(found.library, admitted(found.report), found.scores or {}) if found is not None else None


def admitted(report: dict[str, Any] | None) -> tuple[str, ...] | None:
    """Names of the members that a report let into the pool; None: the fixed line-up."""
    return Report.of(report).line_up


def scores_of(session: Session, product_ids: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Back-test scores kept with the forecasts that are shown, by product as `unique_id`."""
    found = session.execute(
        select(Forecast.product_id, Forecast.scores).where(
            Forecast.product_id.in_(product_ids),
            Forecast.warehouse_id.is_(None),
            Forecast.is_current,
            Forecast.scores.is_not(None),
        )
    )
    return {str(product_id): scores for product_id, scores in found}


def failures(session: Session, run_id: int, most: int) -> list[tuple[str, str]]:
    """SKU and reason of the first products whose forecast failed in a run."""
    found = session.execute(
        select(Product.sku, Forecast.reason)
        .join(Product, Product.id == Forecast.product_id)
        .where(Forecast.model_run_id == run_id, Forecast.state == "failed")
        .order_by(Product.sku)
        .limit(most)
    )
    return [(sku, reason) for sku, reason in found]


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
        "daily_rate": predictions.rounded(draft.daily_rate, 4),
        "paths": draft.paths,
        "fan": draft.fan,
        "scores": draft.scores,
        "limited": draft.limited,
        "would_help": draft.would_help,
    }


def active_products(session: Session) -> list[int]:
    """Ids of the products a training covers."""
    return list(session.scalars(select(Product.id).where(Product.is_active).order_by(Product.id)))


def sells_in_several_places(session: Session) -> bool:
    """Whether forecasts per warehouse say more than the ones of the shop."""
    return session.scalar(select(func.count()).select_from(Warehouse).where(Warehouse.is_active)) > 1
