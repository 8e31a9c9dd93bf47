"""Training: look at the demand, think without a session, write, and publish in one step."""

import argparse
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pandas as pd
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from core import auth, demand, job_runs, model_runs, predictions, shop, timetable
from core.forecast import analogs, backtest, training
from core.forecast.history import History, from_frame
from core.forecast.models import Pool
from db.session import reading, transact, transaction

BATCH = 200
BACKTEST_PRODUCTS = 1000
LONG = 600  # seconds one statement may take
log = logging.getLogger("runout.training")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`python -m jobs train` has nothing to choose yet."""


def main(_arguments: argparse.Namespace) -> int:
    """Train every product, with a progress bar, and say what came of it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("Training", total=None)
        now = datetime.now(UTC)
        counts = train(
            now,
            lambda done, total: bar.update(task, completed=done, total=total),
            on_publish=lambda session, _: _note_done(session, now),
        )
    print(
        f"{counts['ok']:,} forecasts trained, {counts['too_short']:,} products with too little history, "
        f"{counts['failed']:,} failed."
    )
    return 0


def _note_done(session: Session, now: datetime) -> None:
    # A scheduler that starts after this training would otherwise catch up with the same work at once.
    for job in ("train", "refresh"):
        job_runs.note_done(session, job, timetable.BY_NAME[job].last_slot(now), now)


def train(
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
    *,
    only_moved: bool = False,
    on_publish: Callable[[Session, dict[str, int]], None] | None = None,
) -> dict[str, int]:
    """Train products and publish; what was published before serves until then.

    Args:
        progress: called with the number of forecasts done and the number to do.
        only_moved: train the products that moved since their forecast, with the library of analogs of the
            last full training, so that they come out as a full training would make them.
        on_publish: called with the counts inside the publishing transaction; what it raises undoes that.

    Returns how many forecasts are ok, too_short and failed. When anything but a single product's forecast
    goes wrong the run is given up as a whole.
    """
    with reading(LONG, snapshot=True) as looking:
        today = shop.today(shop.get(looking), now)
        as_of = today - timedelta(days=1)
        products = model_runs.active_products(looking)
        kept = model_runs.latest_library(looking) if only_moved else None
        if kept is not None:
            products = model_runs.moved_since_forecast(looking, as_of)
        histories = [_history(demand.frame(looking, as_of, product_ids=products), as_of)]
        if model_runs.sells_in_several_places(looking):
            frame = demand.frame(looking, as_of, product_ids=products, by_warehouse=True)
            histories.append(_history(frame, as_of))
    whole_shop = histories[0]
    log.info(
        "%s products %s, %s of them with sales up to %s",
        f"{len(products):,}", "have moved" if kept is not None else "are active",
        f"{len(whole_shop) if whole_shop is not None else 0:,}", as_of,
    )  # fmt: skip
    if kept is not None:
        library = analogs.Library.load(kept)
    else:
        library = analogs.build_library(whole_shop) if whole_shop is not None else None
    pool = Pool(library)

    run_id = transact(
        lambda session: model_runs.start(
            session,
            auth.system_actor(session),
            as_of,
            {"pool": pool.name, "horizon_days": training.HORIZON_DAYS, "paths": training.PATHS,
             "seed": training.SEED},
            library.dump() if library is not None and kept is None else None,
        )
    )  # fmt: skip
    try:
        return _train(run_id, products, histories, pool, today, as_of, progress, on_publish)
    except BaseException:
        with transaction() as session:
            model_runs.abandon(session, run_id)
        raise


def _train(
    run_id: int,
    products: list[int],
    histories: list[History | None],
    pool: Pool,
    today: date,
    as_of: date,
    progress: Callable[[int, int], None] | None,
    on_publish: Callable[[Session, dict[str, int]], None] | None,
) -> dict[str, int]:
    scored = _scores(histories[0])
    log.info("Back-test: %s forecasts of the past compared with what happened", f"{len(scored):,}")
    by_product = backtest.by_product(scored) if len(scored) else None
    total = sum(len(history) for history in histories if history is not None)
    counts = {"ok": 0, "too_short": 0, "failed": 0}
    seen: set[str] = set()
    for history in histories:
        drawn = training.drafts(history, pool, by_product) if history is not None else iter(())
        for batch in _batches(drawn):
            seen.update(draft.unique_id for draft in batch)
            kept = transact(lambda session, batch=batch: model_runs.keep(session, run_id, as_of, batch), LONG)
            counts = {state: counts[state] + kept[state] for state in counts}
            if progress is not None:
                progress(sum(counts.values()), total)
    never_moved = [
        training.Draft(str(p), "too_short", "nothing has moved yet", 0, 0)
        for p in products
        if str(p) not in seen
    ]
    kept = transact(lambda session: model_runs.keep(session, run_id, as_of, never_moved), LONG)
    counts["too_short"] += kept["too_short"]

    log.info(
        "%s forecasts trained, %s with too little history, %s failed",
        *(f"{counts[state]:,}" for state in ("ok", "too_short", "failed")),
    )

    with reading(LONG) as looking:
        rows = list(predictions.run_out_rows(looking, products, today, run_id))
    shop_scores = backtest.of_shop(scored).dropna().round(4).to_dict() if len(scored) else {}

    def publish(session: Session) -> None:
        model_runs.publish(session, run_id, rows, shop_scores)
        if on_publish is not None:
            on_publish(session, counts)

    transact(publish, LONG)
    log.info("%s run-outs published", f"{len(rows):,}")
    # What moved while the run-outs were computed and published.
    transact(lambda session: predictions.refresh_stale(session, today), LONG)
    return counts


def _history(frame: pd.DataFrame, as_of: date) -> History | None:
    return from_frame(frame, pd.Timestamp(as_of)) if len(frame) else None


def _scores(history: History | None) -> pd.DataFrame:
    """How good run-outs given 56 days ago would have been; the library is built from what was known then."""
    if history is None:
        return pd.DataFrame()
    return training.back_test(
        history, lambda known: Pool(analogs.build_library(known)), most=BACKTEST_PRODUCTS
    )


def _batches(drafts: Iterator[training.Draft]) -> Iterator[list[training.Draft]]:
    while batch := list(islice(drafts, BATCH)):
        yield batch
