"""Training: look at the demand, think without a session, write, and publish in one step.

Products go through in windows, so that the demand of a large shop is never in memory at once, and a window
in batches, which a crew of workers draws (`jobs/workers.py`) while the next window is looked up.
"""

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from core import (
    auth,
    demand,
    demand_patterns,
    event_effects,
    job_runs,
    model_runs,
    predictions,
    shop,
    timetable,
)
from core.forecast import analogs, backtest, leaderboard, outliers, training
from core.forecast.history import History, from_frame
from db.session import reading, transact, transaction
from jobs import workers

WINDOW = 2000  # products whose demand is in memory at once: about 40 MB for two years of one warehouse
BATCH = 50  # products a worker draws at a time: some tenths of a second, against 0.002 s to hand them over
LIBRARY_PRODUCTS = 4000  # evenly picked: the library keeps 20,000 windows, so more would not make it richer
JUDGING_PAYS_FROM = 100  # products: judging draws each of them several times over
SLOW_ONE_IN = 10  # products: more would take a small shop's first start longer than all the rest of it
NAMED_FAILURES = 10
LONG = 600  # seconds one statement may take
JUDGING, DRAWING, PUBLISHING = "Judging the methods", "Drawing the forecasts", "Publishing"
log = logging.getLogger("runout.training")

Say = Callable[[str, int, int | None], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`python -m jobs train` has nothing to choose: the settings say who works (see .env.example)."""


def main(_arguments: argparse.Namespace) -> int:
    """Train every product, with a progress bar, and say what came of it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("Training", total=None)
        now = datetime.now(UTC)

        def say(stage: str, done: int, total: int | None) -> None:
            if bar.tasks[0].description != stage:
                bar.reset(task, description=stage)
            bar.update(task, completed=done, total=total)

        counts = train(now, say, on_publish=lambda session, _: _note_done(session, now))
    print(
        f"{counts['ok']:,} forecasts trained, {counts['too_short']:,} products with too little history, "
        f"{counts['failed']:,} failed."
    )
    return 0


def _note_done(session: Session, now: datetime) -> None:
    # A scheduler that starts after this training would otherwise catch up with the same work at once.
    for job in ("train", "refresh"):
        job_runs.note_done(session, job, timetable.BY_NAME[job].last_slot(now), now)


@dataclass(frozen=True)
class Plan:
    """What a training is about. `by_warehouse`: also per product and warehouse; `country`: whose holidays."""

    products: list[int]
    as_of: date
    today: date
    by_warehouse: bool
    country: str | None


@dataclass(frozen=True)
class Learned:
    """What holds for the whole shop until the next full training. `library` only when it is new."""

    frozen: training.Frozen
    shop_scores: dict[str, Any]
    library: bytes | None = None
    report: dict[str, Any] | None = None
    scores: training.Scores | None = None


def train(
    now: datetime,
    say: Say | None = None,
    *,
    only_moved: bool = False,
    on_publish: Callable[[Session, dict[str, int]], None] | None = None,
) -> dict[str, int]:
    """Train products and publish; what was published before serves until then.

    Args:
        say: called with the stage, how much of it is done, and of how much.
        only_moved: train the products whose demand is another than when their forecast was made, with what
            the last full training froze, so that they come out as a full training would make them.
        on_publish: called with the counts inside the publishing transaction; what it raises undoes that.

    Returns how many forecasts are ok, too_short and failed. When anything but a single product's forecast
    goes wrong the run is given up as a whole.
    """
    say = say or (lambda *_: None)
    with reading(LONG, snapshot=True) as looking:
        ours = shop.get(looking)
        today = shop.today(ours, now)
        as_of = today - timedelta(days=1)
        kept = model_runs.last_learned(looking) if only_moved else None
        if kept is not None:
            products = model_runs.moved_since_forecast(looking, as_of)
        else:
            products = model_runs.active_products(looking)
        by_warehouse = model_runs.sells_in_several_places(looking)
        plan = Plan(products, as_of, today, by_warehouse, demand_patterns.country_of(ours.locale))
    log.info(
        "%s products %s, learned from up to %s", f"{len(products):,}",
        "have moved" if kept is not None else "are active", as_of,
    )  # fmt: skip
    pays_from = workers.POOL_PAYS_FROM if kept is not None else JUDGING_PAYS_FROM
    with workers.crew(len(products), pays_from=pays_from) as crew:
        log.info("Drawn by %s", crew.words)
        if kept is not None:
            learned = Learned(training.Frozen.of(kept.library, kept.admitted), kept.scores)
        else:
            learned = _learn(plan, crew, say)
        run_id = transact(lambda session: _start(session, plan, learned))
        try:
            return _train(run_id, plan, learned, crew, say, on_publish)
        except BaseException:
            with transaction() as session:
                model_runs.abandon(session, run_id)
            raise


def _start(session: Session, plan: Plan, learned: Learned) -> int:
    engine = {
        "pool": learned.frozen.pool().name, "horizon_days": training.HORIZON_DAYS, "paths": training.PATHS,
        "seed": training.SEED, "version": training.engine_version(),
    }  # fmt: skip
    return model_runs.start(session, auth.system_actor(session), plan.as_of, engine, learned.library)


# -- What holds for the whole shop ---------------------------------------------------------------------------


def _learn(plan: Plan, crew: workers.Crew, say: Say) -> Learned:
    """Build the library and judge the methods, on at most `LIBRARY_PRODUCTS` products."""
    picked = np.linspace(0, len(plan.products) - 1, min(len(plan.products), LIBRARY_PRODUCTS)).astype(int)
    products = [plan.products[place] for place in picked]
    learned, happened = [], []
    for some in _parts(products, WINDOW):
        with reading(LONG, snapshot=True) as looking:
            frames = [_look(looking, plan, some, as_happened=was) for was in (False, True)]
        if len(frames[0]):
            learned.append(_history(frames[0], plan.as_of))
            happened.append(_history(frames[1], plan.as_of))
    history = training.together(learned)
    if history is None:
        return Learned(training.Frozen.of(None), {})
    library = analogs.build_library(outliers.limit(history)[0]).dump()
    judged = leaderboard.judge(
        history,
        lambda known: training.pool_of(analogs.build_library(known)),
        happened=training.together(happened),
        run=crew.each,
        progress=lambda done, total: say(JUDGING, done, total),
        slow_products=min(leaderboard.SLOW_PRODUCTS, len(history) // SLOW_ONE_IN),
        country=plan.country,
    )
    log.info("%s forecasts of the past were compared with what happened", f"{len(judged.scores):,}")
    if judged.line_up is not None:
        log.info("This shop's past changed who draws: %s", ", ".join(judged.line_up))
    is_judged = len(judged.scores) > 0
    return Learned(
        training.Frozen.of(library, judged.line_up),
        training.plain(backtest.of_shop(judged.scores)) if is_judged else {},
        library,
        judged.report,
        training.scores_of(backtest.by_product(judged.scores)) if is_judged else {},
    )


# -- Product by product --------------------------------------------------------------------------------------


def _train(
    run_id: int,
    plan: Plan,
    learned: Learned,
    crew: workers.Crew,
    say: Say,
    on_publish: Callable[[Session, dict[str, int]], None] | None,
) -> dict[str, int]:
    counts = {"ok": 0, "too_short": 0, "failed": 0}
    done = 0
    say(DRAWING, done, len(plan.products))
    for batch, drafts in _drawn(plan, learned, crew):
        kept = transact(
            lambda session, drafts=drafts: model_runs.keep(session, run_id, plan.as_of, drafts), LONG
        )
        counts = {state: counts[state] + kept[state] for state in counts}
        done += batch.products
        say(DRAWING, done, len(plan.products))
    log.info(
        "%s forecasts trained, %s with too little history, %s failed",
        *(f"{counts[state]:,}" for state in ("ok", "too_short", "failed")),
    )
    if counts["failed"]:
        _name_failures(run_id, counts["failed"])

    say(PUBLISHING, 0, None)
    with reading(LONG) as looking:
        rows = list(predictions.run_out_rows(looking, plan.products, plan.today, run_id))

    def publish(session: Session) -> None:
        model_runs.publish(session, run_id, rows, learned.shop_scores, learned.report)
        if on_publish is not None:
            on_publish(session, counts)

    transact(publish, LONG)
    log.info("%s run-outs published", f"{len(rows):,}")
    # What moved while the run-outs were computed and published.
    transact(lambda session: predictions.refresh_stale(session, plan.today), LONG)
    return counts


def _drawn(
    plan: Plan, learned: Learned, crew: workers.Crew
) -> Iterator[tuple[training.Batch, list[training.Draft]]]:
    """Batches with their drafts, in order; while the workers draw a window, the next one is looked up."""
    under_way: tuple[list[training.Batch], Iterator[list[training.Draft]]] | None = None
    for products in _parts(plan.products, WINDOW):
        batches = _window(plan, learned, products)
        if under_way is not None:
            yield from zip(*under_way, strict=True)
        under_way = batches, crew.each(training.draw, batches, learned.frozen)
    if under_way is not None:
        yield from zip(*under_way, strict=True)


def _window(plan: Plan, learned: Learned, products: list[int]) -> list[training.Batch]:
    """The batches of some products, all seen at one moment."""
    ways = (False, True) if plan.by_warehouse else (False,)
    coming: dict[str, np.ndarray] = {}
    with reading(LONG, snapshot=True) as looking:
        frames = [_look(looking, plan, products, by_warehouse=way) for way in ways]
        for way in ways:
            coming |= event_effects.coming(
                looking, plan.as_of, training.HORIZON_DAYS, product_ids=products, by_warehouse=way
            )
        # Where nobody was judged, what the last training found out is still true.
        scores = learned.scores if learned.scores is not None else model_runs.scores_of(looking, products)
    histories = [_history(frame, plan.as_of) for frame in frames]
    return training.batches(products, histories, scores, coming, BATCH)


def _look(session: Session, plan: Plan, products: list[int], **how: bool) -> pd.DataFrame:
    return demand.frame(session, plan.as_of, product_ids=products, **how)


def _history(frame: pd.DataFrame, as_of: date) -> History | None:
    return from_frame(frame, pd.Timestamp(as_of)) if len(frame) else None


def _parts(products: Sequence[int], size: int) -> Iterator[list[int]]:
    return (list(products[start : start + size]) for start in range(0, len(products), size))


def _name_failures(run_id: int, number: int) -> None:
    """The first ones in the log; all of them are kept with their reasons."""
    with reading() as looking:
        found = model_runs.failures(looking, run_id, NAMED_FAILURES)
    for sku, reason in found:
        log.warning("%s failed: %s", sku, reason)
    if number > len(found):
        log.warning("... and %s more; the Forecasts page lists them all", f"{number - len(found):,}")
