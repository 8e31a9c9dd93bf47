"""The common way to measure: variants in turn, so that a busy machine slows all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one variant over the repetitions."""

    median: float
    least: float
    most: float


def compare(
    title: str, variants: Mapping[str, Callable[[], object]], *, repeat: int = 15, warm_up: int = 2
) -> dict[str, Timing]:
    """Run every variant `repeat` times, one after the other in each round, and print a table.

    The ratio is that of the medians, to the first variant.
    """
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(warm_up + repeat):
        for name, work in variants.items():
            started = time.perf_counter()
            work()
            if turn >= warm_up:
                taken[name].append((time.perf_counter() - started) * 1000)
    timings = {name: Timing(statistics.median(t), min(t), max(t)) for name, t in taken.items()}
    show(title, "ms", {name: (t.median, t.least, t.most) for name, t in timings.items()})
    return timings


def show(title: str, unit: str, figures: Mapping[str, tuple[float, float, float]]) -> None:
    """A table of median, least and most per variant, and the ratio of its median to the first one's."""
    first = next(iter(figures.values()))[0]
    width = max(len(name) for name in figures)
    print(f"\n{title}")
    print(f"  {'':{width}}  {'median':>10} {'least':>10} {'most':>10} {unit}  ratio", flush=True)
    for name, (median, least, most) in figures.items():
        ratio = f"{median / first:.3g}" if first else "-"
        print(f"  {name:{width}}  {median:10,.1f} {least:10,.1f} {most:10,.1f} {'':{len(unit)}}  {ratio}")
