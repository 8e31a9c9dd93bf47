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
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from bench import policy_rules, policy_score
from bench.depletion import an_invented_shop, read
from core.forecast import models
from core.forecast.history import decimals_of, from_frame
from core.reorder import allocation, levels, promise
from core.reorder.allocation import Frontier, Service

PATHS, SEED = 200, 7  # as training stores them
HORIZON_DAYS = 42
RECORD_REVIEWS = 9
SETTLING_REVIEWS = 3  # of the replay, until what was ordered before it began has been forgotten
ENGINE = "runout"

_drawn: dict[tuple, dict[str, np.ndarray]] = {}
_fronts: dict[tuple, Frontier] = {}
_chosen: dict[tuple, np.ndarray] = {}


@dataclass(frozen=True)
class Shop:
    """What is known on a day of review; scenarios of lead times and grains in the order of `items`."""

    history: pd.DataFrame
    items: pd.DataFrame
    scenarios: np.ndarray
    grains: np.ndarray
    review_days: int
    today: pd.Timestamp
    first_day: pd.Timestamp

    @cached_property
    def fingerprint(self) -> int:
        return int(pd.util.hash_pandas_object(self.items).sum())

    @cached_property
    def _by_day(self) -> pd.DataFrame:
        squares = self.history["y"] ** 2
        table = self.history.assign(rows=1, squares=squares).groupby("ds")[["rows", "y", "squares"]]
        return table.sum().cumsum()

    def known(self, day: pd.Timestamp) -> tuple:
        """What tells the demand known on a day from that of other days and shops."""
        return (day, *self._by_day.loc[:day].iloc[-1])

    @property
    def prices(self) -> np.ndarray:
        return self.items["price"].to_numpy(float)

    def days(self, reviews: int) -> list[pd.Timestamp]:
        """The last reviews, today's last, as far as there was enough history to go by."""
        step = pd.Timedelta(days=self.review_days)
        least = self.first_day + pd.Timedelta(days=policy_score.LEAST_HISTORY_DAYS - 1)
        past = [self.today - step * back for back in range(reviews - 1, 0, -1)]
        return [*(day for day in past if day >= least), self.today]


def advise(
    history: pd.DataFrame, items: pd.DataFrame, review_days: int, targets: Sequence[float]
) -> pd.DataFrame:
    """Order-up-to levels (`unique_id, target, order_up_to`) of a shop that orders every `review_days`.

    The advice of the weeks before is worked out too, from what was known then: what came of the promises of
    then corrects those of now.

    Args:
        history: `unique_id, ds, y` up to and including the day of the review.
        items: `unique_id, lead_mean` (days), `lead_cv`, `pack`, `price`.
        targets: shares of the shop's order lines that are to be served, one set of levels for each.
    """
    shop = _shop(history, items, review_days)
    found = _levels(shop, shop.today, tuple(_asked(shop, targets)))
    return pd.DataFrame(
        {
            "unique_id": np.tile(items["unique_id"].to_numpy(), len(targets)),
            "target": np.repeat(list(targets), len(items)),
            "order_up_to": found.T.ravel(),
        }
    )


def _shop(history: pd.DataFrame, items: pd.DataFrame, review_days: int) -> Shop:
    kinds = list(items[["lead_mean", "lead_cv"]].itertuples(index=False, name=None))
    sold = dict(tuple(history.groupby("unique_id")["y"]))
    grains = [
        10.0 ** -decimals_of(sold[one].to_numpy()) if one in sold else 1.0 for one in items["unique_id"]
    ]
    days = history["ds"]
    return Shop(
        history,
        items,
        np.array([levels.leads(float(mean), float(variation)) for mean, variation in kinds]),
        np.maximum(items["pack"].to_numpy(float), grains),
        review_days,
        days.max(),
        days.min(),
    )


def _levels(shop: Shop, day: pd.Timestamp, asked: tuple[float, ...]) -> np.ndarray:
    """Levels (products, asked) of a review as known then; kept, since later reviews ask for them again."""
    horizon = max(HORIZON_DAYS, int(shop.scenarios.max()) + shop.review_days)
    demand_key = (shop.known(day), horizon)
    key = (demand_key, shop.review_days, shop.fingerprint)
    if key not in _fronts:
        daily = _demand(shop, day, horizon, demand_key)
        nothing = np.zeros((PATHS, horizon))
        drawn = [
            np.cumsum(daily.get(str(one), nothing), axis=1, dtype=float) for one in shop.items["unique_id"]
        ]
        curves = levels.curves(np.array(drawn), shop.scenarios, shop.review_days, shop.grains)
        _fronts[key] = allocation.frontier(curves, shop.prices)
    if (key, asked) not in _chosen:
        choices = [allocation.choose(_fronts[key], Service(share)) for share in asked]
        _chosen[key, asked] = np.array([choice.levels for choice in choices]).T
    return _chosen[key, asked]


def _asked(shop: Shop, targets: Sequence[float]) -> list[float]:
    """What to ask for, from a replay of the last weeks under what would have been advised then."""
    reviews = shop.days(RECORD_REVIEWS + SETTLING_REVIEWS + 1)[:-1]
    if len(reviews) <= SETTLING_REVIEWS:
        return list(targets)
    wide = shop.history.pivot_table(index="unique_id", columns="ds", values="y", aggfunc="sum")
    days = pd.date_range(reviews[0], shop.today)
    step = shop.review_days
    world = policy_score.World(
        shop.history,
        tuple(shop.items["unique_id"]),
        days,
        np.nan_to_num(wide.reindex(index=shop.items["unique_id"], columns=days).to_numpy(float)),
        np.zeros(len(shop.items), int),
        shop.prices,
        tuple(range(0, step * len(reviews), step)),
        SETTLING_REVIEWS * step + 1,
    )
    advised = [_levels(shop, day, tuple(targets)) for day in reviews]
    turn = np.arange(len(reviews)) * step + np.arange(len(shop.items))[:, None]
    leads = np.take_along_axis(shop.scenarios, turn % shop.scenarios.shape[1], axis=1)
    came = policy_score.play(world, [(level, level - policy_score.BELOW) for level in advised], leads)
    asked = [
        promise.corrected(target, [promise.Kept(target, lines, min(served, lines))]).ask
        for target, lines, served in zip(
            targets, came.lines.sum(axis=1), came.lines_served.sum(axis=1), strict=True
        )
    ]
    return list(np.maximum.accumulate(asked))


def _demand(shop: Shop, day: pd.Timestamp, horizon: int, key: tuple) -> dict[str, np.ndarray]:
    """Daily demand paths by unique_id as drawn on a day; once for all rotations of the bench."""
    if key not in _drawn:
        past = from_frame(shop.history, day)
        drawn = models.in_chunks(models.pool_for(past), past, horizon, PATHS, SEED)
        _drawn[key] = {unique_id: _small(paths) for unique_id, paths in drawn}
    return _drawn[key]


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
        of_rules = policy_rules.rules(world, rotation)
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
