"""How much stock does our advice need for its service? The shipped levels beside five plain ordering rules.

Any `unique_id, ds, y` file will do (parquet or csv; daily, days without sales present or absent), prices come
as csv `unique_id, price`. From six weeks before --start the shop is played through, review by review, on what
was known then (the world is described in bench.policy_score). Stock is compared where both reach the same
share of order lines (`line`) or of units in money (`fill`); the promise is what share of lines was asked for
and what came of it. Without --data an invented shop is used.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bench import policy_score
from bench.depletion import an_invented_shop, read
from core.forecast import models
from core.forecast.history import History, from_frame
from core.reorder import allocation, levels
from core.reorder.allocation import Service

PATHS, SEED = 200, 7  # as training stores them
HORIZON_DAYS = 42
ENGINE = "runout"

_drawn: dict[tuple, dict[str, np.ndarray]] = {}


def advise(
    history: pd.DataFrame, items: pd.DataFrame, review_days: int, targets: Sequence[float]
) -> pd.DataFrame:
    """Order-up-to levels (`unique_id, target, order_up_to`) of a shop that orders every `review_days`.

    Args:
        history: `unique_id, ds, y` up to and including the day of the review.
        items: `unique_id, lead_mean` (days), `lead_cv`, `pack`, `price`.
        targets: shares of the shop's order lines that are to be served, one set of levels for each.
    """
    scenarios = _leads(items)
    horizon = max(HORIZON_DAYS, int(scenarios.max()) + review_days)
    daily, decimals = _demand(from_frame(history), horizon)
    found = levels.curves(
        np.cumsum([daily[unique_id] for unique_id in items["unique_id"]], axis=2, dtype=float),
        scenarios,
        review_days,
        np.maximum(items["pack"].to_numpy(float), [10.0 ** -decimals[one] for one in items["unique_id"]]),
    )
    front = allocation.frontier(found, items["price"].to_numpy(float))
    parts = [
        pd.DataFrame(
            {
                "unique_id": items["unique_id"].to_numpy(),
                "target": target,
                "order_up_to": allocation.choose(front, Service(target)).levels,
            }
        )
        for target in targets
    ]
    return pd.concat(parts, ignore_index=True)


def _leads(items: pd.DataFrame) -> np.ndarray:
    kinds = items[["lead_mean", "lead_cv"]].drop_duplicates()
    of = {kind: levels.leads(*kind) for kind in kinds.itertuples(index=False, name=None)}
    return np.array([of[kind] for kind in items[["lead_mean", "lead_cv"]].itertuples(index=False, name=None)])


def _demand(history: History, horizon: int) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Daily demand paths and decimals by unique_id; drawn once for the four rotations of the bench."""
    key = (history.until, history.ids, horizon, float(np.nansum(history.demand)))
    if key not in _drawn:
        _drawn[key] = {
            unique_id: _small(paths)
            for unique_id, paths in models.in_chunks(models.pool_for(history), history, horizon, PATHS, SEED)
        }
    return _drawn[key], {one.unique_id: one.decimals for one in history}


def _small(paths: np.ndarray) -> np.ndarray:
    """The same numbers in less memory where they are whole: all reviews of a play are kept."""
    whole = paths.astype(np.uint32)
    return whole.astype(np.min_scalar_type(int(whole.max(initial=0)))) if (whole == paths).all() else paths


def main(arguments: Sequence[str] | None = None) -> None:
    wishes = _parser().parse_args(arguments)
    try:
        frame = read(wishes.data) if wishes.data else an_invented_shop()
        world = policy_score.world(
            _daily(frame), _start(frame, wishes.start), _prices(wishes.prices), wishes.warm, wishes.pack
        )
    except (ValueError, OSError) as refusal:
        raise SystemExit(str(refusal)) from refusal
    started = time.perf_counter()
    figures = played(world, wishes.resamples)
    _print(world, figures, time.perf_counter() - started)
    if wishes.json:
        wishes.json.write_text(json.dumps(figures, indent=1))


def played(world: policy_score.World, resamples: int) -> dict:
    """Figures of our advice against the rules, all rotations of the lead times played through."""
    plays: dict[str, list[policy_score.Played]] = {}
    for rotation in range(len(policy_score.LEADS_DAYS)):
        leads = world.leads(rotation)
        of_rules = policy_score.rules(world, rotation)
        own = policy_score.advised(world, rotation, advise)
        for name, one in {**of_rules, ENGINE: own}.items():
            plays.setdefault(name, []).append(policy_score.play(world, one, leads))
    return policy_score.compared(world, plays, ENGINE, resamples) | policy_score.kept(plays[ENGINE])


def _daily(frame: pd.DataFrame) -> pd.DataFrame:
    days = pd.to_datetime(frame["ds"]).dt.tz_localize(None).dt.normalize()
    return frame.assign(unique_id=frame["unique_id"].astype(str), ds=days)


def _start(frame: pd.DataFrame, wanted: str | None) -> pd.Timestamp:
    """The day asked for, else the middle of the data."""
    if wanted:
        return pd.Timestamp(wanted)
    days = pd.to_datetime(frame["ds"]).dt.tz_localize(None)
    return (days.min() + (days.max() - days.min()) / 2).normalize()


def _prices(path: Path | None) -> pd.Series | None:
    if path is None:
        return None
    table = pd.read_csv(path, dtype={"unique_id": str})
    missing = [column for column in ("unique_id", "price") if column not in table]
    if missing:
        raise ValueError(f"{path.name} has no column {missing[0]}; it needs unique_id, price.")
    return table.set_index("unique_id")["price"]


def _print(world: policy_score.World, figures: dict, seconds: float) -> None:
    reviews, rotations = len(world.reviews), len(policy_score.LEADS_DAYS)
    each = 1000 * seconds / (len(world.ids) * reviews * rotations)
    print(
        f"{len(world.ids)} products, {reviews} reviews, {rotations} rotations of lead times, {seconds:.0f} s"
    )
    print(f"({each:.1f} ms per product and review, forecasts and rules included)\n")
    print("Stock of our advice against each rule where both serve the same, % [95 % interval over products]")
    compared = {key: value for key, value in figures.items() if key.startswith(("line", "fill"))}
    rules = [name for name in next(iter(compared.values()))["stock_days"] if name != ENGINE]
    table = pd.DataFrame(
        {key: [_percent(value[f"stock_vs_{rule}"]) for rule in rules] for key, value in compared.items()},
        rules,
    )
    print(table.to_string())
    print("\nMean stock in days of sales")
    print(pd.DataFrame({key: value["stock_days"] for key, value in compared.items()}).round(1).to_string())
    print("\nShare of order lines: promised and happened")
    for promised in policy_score.PROMISES:
        print(f"  {promised:.0%}  {figures['promise'][str(promised)]:.1%}")
    print(f"  mean error {100 * figures['promise_error']:.1f} points")


def _percent(figure: Sequence[float]) -> str:
    middle, low, high = (100 * part for part in figure)
    return f"{middle:+.0f} [{low:+.0f}, {high:+.0f}]"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.policy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, help="parquet or csv with unique_id, ds, y")
    add("--prices", type=Path, help="csv with unique_id, price; else 1 / the mean size of a day with demand")
    add("--start", help="day YYYY-MM-DD after which is scored; the middle of the data by default")
    add("--warm", type=int, default=policy_score.WARM_UP_DAYS, help="days played before, not scored")
    add("--pack", type=int, default=1, help="units in a pack; only whole packs are ordered")
    add("--resamples", type=int, default=policy_score.RESAMPLES, help="draws of products for the intervals")
    add("--json", type=Path, help="file for all figures")
    return parser


if __name__ == "__main__":
    main()
