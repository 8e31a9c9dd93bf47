"""How fast the shipped detector is: many movements by one and two processes, one while somebody books it."""

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from io import StringIO

import numpy as np
import pandas as pd

from bench import anomaly_shipped
from bench.anomaly_lines import Stream
from bench.ratios import show
from core.anomaly.contexts import Index
from core.anomaly.detector import Detector
from core.anomaly.lines import Lines

MANY = 100_000
SINGLE = 200
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def measure(frame: pd.DataFrame, stream: Stream, detector: Detector) -> dict[str, float]:
    """Seconds for many movements beside plainly reading them, milliseconds for one, and peak memory in MB."""
    targets = stream.later[:MANY]
    read = _reading(frame.iloc[stream.rows[targets]])
    one, memory, before = _scoring(detector, stream, targets, 1)
    two, _, _ = _scoring(detector, stream, targets, 2)
    taken = {"plain reading (pandas)": read, "1 process": one, "2 processes": two}
    show(
        f"{len(targets):,} movements", "ms", {name: (1000 * seconds,) * 3 for name, seconds in taken.items()}
    )
    single = _single(detector, stream)
    print(f"\nOne movement from arrays: median {single:.2f} ms.")
    print(f"Peak memory of a process: {memory:,.0f} MB, {before:,.0f} before the first score.")
    return {
        "reading_s": read,
        "one_process_s": one,
        "two_processes_s": two,
        "single_ms": single,
        "peak_mb": memory,
    }


def _reading(frame: pd.DataFrame) -> float:
    text = frame.to_csv(index=False)
    started = time.perf_counter()
    pd.read_csv(StringIO(text), parse_dates=["InvoiceDate"])
    return time.perf_counter() - started


def _scoring(
    detector: Detector, stream: Stream, targets: np.ndarray, processes: int
) -> tuple[float, float, float]:
    """Seconds from the first to the last score, processes and model being there; peak memory in MB, after and
    before it."""
    pool = ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=anomaly_shipped.receive,
        initargs=(detector.files(), stream),
    )
    with pool:
        list(pool.map(anomaly_shipped.piece, [targets[:1]] * processes * 4))
        before = pool.submit(_peak).result()
        started = time.perf_counter()
        list(pool.map(anomaly_shipped.piece, np.array_split(targets, processes * anomaly_shipped.PIECES)))
        return time.perf_counter() - started, pool.submit(_peak).result(), before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT / 1e6


def _single(detector: Detector, stream: Stream) -> float:
    """Median milliseconds for one movement, given the lines that were known before it."""
    index = Index(stream.lines)
    taken = []
    for lines, place in [alone(stream, index, target) for target in _spread(stream.later)]:
        started = time.perf_counter()
        detector.score(lines, np.array([place]), stream.shelf)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def _spread(places: np.ndarray) -> Sequence[int]:
    return places[np.linspace(0, len(places) - 1, min(SINGLE, len(places))).astype(int)].tolist()


def alone(stream: Stream, index: Index, target: int) -> tuple[Lines, int]:
    """The lines that a score of the target is made of, and its place among them."""
    contexts = vars(index.before(np.array([target])))
    known = np.unique(np.concatenate([places.ravel() for places in contexts.values()]))
    known = known[known >= 0]
    return stream.lines.take(known), int(np.searchsorted(known, target))
