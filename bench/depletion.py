"""How good are the run-out days on this demand? The shipped engine beside the plain rule and plain weeks.

Any `unique_id, ds, y` file will do (parquet or csv; daily, days without sales present or absent). At every
origin the engine sees the demand up to that day, is asked when a stock of `k` days at the mean of the last 28
days runs out, and is judged by what happened in the following `horizon` days. CRPS, MAE and width are days;
skill is 1 - CRPS / CRPS of the rule "stock over the 28-day mean". Without --data an invented shop is used.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bench import depletion_score
from core.forecast import predict
from core.forecast.history import History, from_frame

ENGINE = "runout"
GROUPS = ("cls", "k", "origin")
INVENTED_FROM, INVENTED_DAYS, INVENTED_PRODUCTS = "2025-01-01", 330, 40
INVENTED_ORIGINS = "2025-08-06,2025-10-01"


def main(arguments: Sequence[str] | None = None) -> None:
    wishes = _parser().parse_args(arguments)
    try:
        frame = read(wishes.data) if wishes.data else an_invented_shop()
        _report(from_frame(frame), wishes)
    except (ValueError, OSError) as refusal:
        raise SystemExit(str(refusal)) from refusal


def read(path: Path) -> pd.DataFrame:
    """The demand in a file; ValueError when it is no table or a column is missing."""
    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    try:
        frame = pd.read_parquet(path) if is_parquet else pd.read_csv(path, dtype={"unique_id": str})
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as broken:
        raise ValueError(f"{path.name} cannot be read as CSV: {str(broken).strip()}.") from broken
    missing = [column for column in ("unique_id", "ds", "y") if column not in frame]
    if missing:
        raise ValueError(f"{path.name} has no column {missing[0]}; it needs unique_id, ds, y.")
    return frame


def an_invented_shop(seed: int = 1) -> pd.DataFrame:
    """Forty products, slow to fast, closed on Sundays, each with a level that drifts."""
    chance = np.random.default_rng(seed)
    days = pd.date_range(INVENTED_FROM, periods=INVENTED_DAYS)
    shape = (INVENTED_PRODUCTS, INVENTED_DAYS)
    level = chance.gamma(0.7, 2, (shape[0], 1)) * np.exp(np.cumsum(chance.normal(0, 0.03, shape), axis=1))
    demand = chance.poisson(level * (days.day_of_week < 6)) * chance.integers(1, 5, (shape[0], 1))
    wide = pd.DataFrame(demand.T, days, [f"p{n:02d}" for n in range(shape[0])]).astype(float)
    return wide.rename_axis(index="ds", columns="unique_id").stack().rename("y").reset_index()


def frame_of(history: History) -> pd.DataFrame:
    """The history as `unique_id, ds, y`, every day of every product's life."""
    days = pd.date_range(end=history.until, periods=history.demand.shape[1])
    wide = pd.DataFrame(history.demand, index=list(history.ids), columns=days)
    long = wide.stack().dropna().rename("y").rename_axis(["unique_id", "ds"])
    return long.reset_index()


def answers(history: History, asked: pd.DataFrame, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """The engine's quantile days (tasks, levels) and chances of 14 days, origin by origin."""
    levels = list(depletion_score.LEVELS)
    parts = []
    for origin, lines in asked.groupby("origin"):
        known = frame_of(history.before(origin))
        part = predict(known, lines[["unique_id", "k", "S"]], horizon, levels)
        parts.append(part.set_index(lines.index))
    found = pd.concat(parts).loc[asked.index]
    return found[[f"q{level}" for level in levels]].to_numpy(), found["p14"].to_numpy()


def _report(history: History, wishes: argparse.Namespace) -> None:
    origins = [pd.Timestamp(origin) for origin in wishes.origins.split(",")]
    covers = [int(cover) for cover in wishes.ks.split(",")]
    horizon, columns = wishes.horizon, [column for column in wishes.by.split(",") if column]
    if not {*columns} <= {*GROUPS}:
        raise ValueError(f"Groups are {', '.join(GROUPS)}, not {wishes.by}.")
    asked = depletion_score.tasks(
        history, origins, horizon, covers, min_history=wishes.min_history, dormant=wishes.include_dormant
    )
    if asked.empty:
        raise ValueError("No product can be judged at these origins: too little history or no recent sale.")
    classes = ", ".join(f"{count} {name}" for name, count in asked["cls"].value_counts().items())
    beyond = float((asked["T"] > horizon).mean())
    print(f"{len(history)} products, {len(origins)} origins, {len(asked)} tasks ({classes}), ", end="")
    print(f"{beyond:.1%} not used up within {horizon} days")
    started = time.perf_counter()
    quantiles, chances = answers(history, asked, horizon)
    seconds = time.perf_counter() - started
    each = 1000 * seconds / len(asked.groupby(["unique_id", "origin"]))
    print(f"engine: {seconds:.1f} s, {each:.1f} ms per product and origin, learning included\n")
    scored = {
        name: depletion_score.score(asked, depletion_score.LEVELS, days, horizon, chance)
        for name, days, chance in (
            ("naive_rule", depletion_score.naive_rule(asked), None),
            ("block_bootstrap", depletion_score.block_bootstrap(asked, history, horizon), None),
            (ENGINE, quantiles, chances),
        )
    }
    _print(scored, columns)
    if wishes.out:
        rows = pd.concat([each.assign(method=name) for name, each in scored.items()])
        rows.to_parquet(wishes.out, index=False)


def _print(scored: dict[str, pd.DataFrame], columns: Sequence[str]) -> None:
    print(depletion_score.table(scored).round(3).to_string(index=False))
    asleep = {name: each[each["m28"] <= 0] for name, each in scored.items()}
    if len(asleep[ENGINE]):
        print("\nOf these, nothing sold in the last 28 days")
        print(depletion_score.table(asleep).round(3).to_string(index=False))
    for column in columns:
        print(f"\nCRPS by {column}")
        print(depletion_score.by_group(scored, column).round(2).to_string())
    print("\nRuns out within 14 days: the chance that was said, and how often it happened")
    print(depletion_score.reliability(scored[ENGINE]).round(3).to_string(na_rep="-"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.depletion",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, help="parquet or csv with unique_id, ds, y")
    add("--origins", default=INVENTED_ORIGINS, help="days YYYY-MM-DD, separated by commas")
    add("--horizon", type=int, default=56, help="days to look ahead")
    add("--ks", default="5,10,20", help="stocks, in days of cover")
    add("--min-history", type=int, default=56, help="days of life before a product is judged, at least 7")
    add("--include-dormant", action="store_true", help="judge products without a sale in 28 days too")
    add("--by", default="cls,k", help=f"columns to group by, of {', '.join(GROUPS)}")
    add("--out", type=Path, help="parquet for the scores of every task")
    return parser


if __name__ == "__main__":
    main()
