"""How fast are the forecasts? Products a second to train and to ask, beside plain Prophet and statsforecast.

    python -m bench.forecast                      # throughput, then a whole training of 10,000 products
    python -m bench.forecast --only throughput    # or: --only retrain
    python -m bench.forecast --data FILE.parquet  # unique_id, ds, y of your own instead of invented sales

Every method sees the same last 400 days and looks 120 days ahead, each in processes of its own, warmed up
before the clock starts. Processor time is what a busy machine does not falsify. Memory is the private and
shared set (PSS) of a process with all its children.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from bench import shop
from core.forecast import analogs, depletion, packing, training
from core.forecast.history import History, from_frame
from db import server
from db import session as doors
from jobs import workers

ROOT = Path(__file__).resolve().parent.parent
DAYS, HORIZON_DAYS = 400, training.HORIZON_DAYS
LOOK_SECONDS = 0.2
BATCH = 25
GOAL_SECONDS, GOAL_RATIO = 120, 20
PRODUCTS = {"pool": 400, "ask": 400, "prophet": 12, "ets": 24, "theta": 48}
TITLES = {
    "pool": "Runout: draw, pack, keep",
    "ask": "Runout: run-out from kept paths",
    "prophet": "Prophet as shipped (1,000 samples)",
    "ets": "statsforecast AutoETS",
    "theta": "statsforecast AutoTheta",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.forecast", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="parquet with unique_id, ds, y")
    parser.add_argument("--only", choices=("throughput", "retrain"))
    parser.add_argument("--products", type=int, default=10_000, help="of the whole training")
    parser.add_argument("--movements", type=int, default=1_500_000, help="of the whole training")
    parser.add_argument("--warehouses", type=int, default=1, help="of the whole training")
    parser.add_argument("--workers", type=int, default=2, help="processes of the whole training")
    parser.add_argument("--one", choices=PRODUCTS, help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.processes, histories(options.data))))
        return
    if options.only != "retrain":
        throughput(options.data)
    if options.only != "throughput":
        retrain(options)


# -- Throughput ----------------------------------------------------------------------------------------------


def throughput(data: Path | None) -> None:
    """Each method with 1 and 2 processes, in a process of its own."""
    given = ["--data", str(data)] if data else []
    found: dict[tuple[str, int], dict[str, float]] = {}
    width = max(len(title) for title in TITLES.values())
    print(f"{'':{width}} processes  products/s  ms of processor  MB at most  throughput beside Prophet")
    for method in ("prophet", "ets", "theta", "pool", "ask"):
        for processes in (1, 2):
            command = [sys.executable, "-m", "bench.forecast", "--one", method, "--processes", str(processes)]
            asked = subprocess.Popen(command + given, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            with peak_memory(asked.pid) as held:
                said = asked.communicate()[0]
            if asked.returncode:
                raise SystemExit(f"{TITLES[method]} failed with exit code {asked.returncode}.")
            told = found[method, processes] = json.loads(said.splitlines()[-1])
            prophet = found["prophet", processes]
            print(
                f"{TITLES[method]:{width}} {processes:9} {told['products_a_second']:11,.1f} "
                f"{told['processor_ms']:16,.1f} {max(held) / 2**20:11,.0f}  "
                f"{told['products_a_second'] / prophet['products_a_second']:,.0f} times, "
                f"{prophet['processor_ms'] / told['processor_ms']:,.0f} by processor time",
                flush=True,
            )
    print(f"Goal of the pool: at least {GOAL_RATIO} times Prophet.")


def measure(method: str, processes: int, history: History) -> dict[str, float]:
    """Products a second and milliseconds of processor time per product, in this process and its children."""
    asked = history.take(np.arange(min(PRODUCTS[method] * processes, len(history))))
    work, batches, frozen = prepared(method, history, asked)
    crew = workers.Alone() if processes == 1 else workers.Processes(processes)
    warm_up = [batches[place % len(batches)] for place in range(2 * processes)]
    for _ in crew.each(work, warm_up, frozen):
        pass
    begun_at, spent = time.perf_counter(), processor_seconds()
    for _ in crew.each(work, batches, frozen):
        pass
    seconds, spent = time.perf_counter() - begun_at, processor_seconds() - spent
    if processes > 1:
        crew.end()
    return {"products_a_second": len(asked) / seconds, "processor_ms": 1000 * spent / len(asked)}


def prepared(method: str, history: History, asked: History) -> tuple[Callable[..., Any], list[Any], Any]:
    """What is done, on what, and what holds for all of it."""
    if method not in ("pool", "ask"):
        work = {"prophet": prophet, "ets": auto_ets, "theta": auto_theta}[method]
        return work, [asked.take(np.array([row])) for row in range(len(asked))], None
    frozen = training.Frozen.of(analogs.build_library(history).dump())
    batches = training.batches([int(name) for name in asked.ids], [asked], {}, {}, BATCH)
    if method == "pool":
        return training.draw, batches, frozen
    kept = [[draft.paths for draft in training.draw(batch, frozen) if draft.paths] for batch in batches]
    return ask, kept, None


def ask(kept: Sequence[bytes]) -> int:
    """The run-outs of a batch of products, from the paths that are kept."""
    cumulative = np.stack([packing.decode(paths) for paths in kept])
    stocks = cumulative[:, :, depletion.RATE_DAYS].mean(axis=1)
    return len(depletion.run_outs(cumulative, stocks, lead_times_days=[14] * len(stocks)))


def prophet(history: History) -> int:
    """Fit and predict with everything as it is shipped."""
    import logging

    from prophet import Prophet

    logging.getLogger("cmdstanpy").setLevel(logging.CRITICAL)
    (series,) = history
    frame = pd.DataFrame({"ds": pd.date_range(end=history.until, periods=series.days), "y": series.demand})
    model = Prophet()
    model.fit(frame)
    return len(model.predict(model.make_future_dataframe(HORIZON_DAYS, include_history=False)))


def auto_ets(history: History) -> int:
    from statsforecast.models import AutoETS

    (series,) = history
    return len(AutoETS(season_length=7).forecast(series.demand, HORIZON_DAYS, level=[80])["mean"])


def auto_theta(history: History) -> int:
    from statsforecast.models import AutoTheta

    (series,) = history
    return len(AutoTheta(season_length=7).forecast(series.demand, HORIZON_DAYS, level=[80])["mean"])


def histories(data: Path | None) -> History:
    """The last 400 days of the given sales, or of invented ones; products are named 0, 1, ..."""
    if data is None:
        return invented(max(PRODUCTS.values()) * 2)
    whole = from_frame(pd.read_parquet(data))
    demand, in_stock = whole.demand[:, -DAYS:], whole.in_stock[:, -DAYS:]
    lived = np.flatnonzero(np.isfinite(demand[:, 0]))
    ids = tuple(str(number) for number in range(len(lived)))
    return History(ids, demand[lived], in_stock[lived], whole.until)


def invented(products: int, seed: int = 5) -> History:
    """Sales of a shop: mostly rare, one week and year for all, sizes with a long tail, gaps in stock."""
    rng = np.random.default_rng(seed)
    day = np.arange(DAYS)
    week = np.array([1.1, 1.0, 1.0, 1.1, 1.3, 1.2, 0.3])[day % 7]
    year = 1 + 0.4 * np.sin(2 * np.pi * day / 365)
    often = np.clip(rng.gamma(0.6, 0.5, (products, 1)) * week * year, 0, 0.97)
    sizes = np.ceil(rng.lognormal(rng.normal(0.8, 0.6, (products, 1)), 0.7, (products, DAYS)))
    demand = np.where(rng.random((products, DAYS)) < often, sizes, 0.0)
    in_stock = np.ones((products, DAYS), bool)
    for row in np.flatnonzero(rng.random(products) < 0.3):
        start = rng.integers(0, DAYS - 20)
        in_stock[row, start : start + rng.integers(3, 20)] = False
    ids = tuple(str(number) for number in range(products))
    return History(ids, np.where(in_stock, demand, 0.0), in_stock, pd.Timestamp("2026-06-30"))


def processor_seconds() -> float:
    """Processor time of this process and its children; those that have ended count with their parents."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:4]) for process in family)


# -- A whole training, through the database ------------------------------------------------------------------


def retrain(options: argparse.Namespace) -> None:
    """Build a shop in a server of its own, and train it as `python -m jobs train` does."""
    home = Path(tempfile.gettempdir()).resolve() / f"runout-bench-{uuid.uuid4().hex[:8]}"
    os.environ.pop("DATABASE_URL", None)
    os.environ["RUNOUT_HOME"] = str(home)
    server.start(home)
    try:
        with shop.a_database(home, "bench_forecast") as url:
            size = shop.Size(options.products, options.warehouses, options.movements, DAYS)
            shop.build(url, datetime.now(UTC).date(), size)
            app = server.url(doors.APP_ROLE, "bench_forecast", home)
            command = [sys.executable, "-m", "jobs", "train"]
            began = time.monotonic()
            trained = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | {"DATABASE_URL": app, "TRAIN_WORKERS": str(options.workers)},
            )
            with peak_memory(trained.pid) as held:
                trained.wait()
            seconds = time.monotonic() - began
            if trained.returncode:
                raise SystemExit("The training failed; see above.")
            spent = os.times()
            print(
                f"{size.products:,} products, {size.warehouses} warehouse(s), {size.days} days, "
                f"{size.movements:,} movements, {options.workers} workers: {seconds:.0f} s "
                f"(goal: under {GOAL_SECONDS} s), {size.products / seconds:.0f} products a second, "
                f"{spent.children_user + spent.children_system:.0f} s of processor, at most "
                f"{max(held) / 2**20:,.0f} MB"
            )
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def peak_memory(pid: int) -> Iterator[list[float]]:
    """Bytes (PSS) held by a process and all its children, looked at five times a second."""
    held, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            total = 0
            try:
                family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
                for process in family:
                    total += process.memory_full_info().pss
            except psutil.Error:
                continue
            held.append(total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield held
    finally:
        ended.set()
        watcher.join()


if __name__ == "__main__":
    main()
