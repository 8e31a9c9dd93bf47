"""What the detector learns from: the newest lines with made-up mistakes among them, looked at as any line is.

Arithmetic: no session, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.anomaly import mistakes
from core.anomaly.calibration import USUAL_RATE
from core.anomaly.habits import Habits
from core.anomaly.learner import FOLDS
from core.anomaly.lines import KINDS, Lines, Shelf
from core.anomaly.looking import look

TRAINED_LINES = 90_000
TRAINED_SHARE = 0.7
"""Learned from are the newest lines, at most so many and at most this share: the rest is their past."""
ROUNDS = 5
RATE = 1 / 100
"""Mistakes are made up this often, in so many rounds over the same lines."""
ROWS = 60_000
"""So many right lines are learned from; beside them every wrong one."""
BUDGET = 10
"""Findings a day that `is_anomaly` aims at."""
LEAST_LIFT = 5.0
"""What is hardly likelier to be wrong than any line is no anomaly, however quiet the day."""
BLOCKS = 12
"""The rows are held out in blocks of time, not one by one: lines of a document resemble each other."""
DAY = 86_400.0


@dataclass(frozen=True)
class Table:
    """Rows to learn from, one array of length n a column.

    `kind`: -1 for a real line, else the place in KINDS of the mistake made up. `weight`: real lines are a
    sample and stand for more than themselves.
    """

    features: np.ndarray  # float32 (n, len(features.NAMES))
    kind: np.ndarray  # int8
    weight: np.ndarray  # float32
    at: np.ndarray  # float64: seconds since 1970
    id: np.ndarray  # int64: the movement's id; below zero for a copy made up

    def __len__(self) -> int:
        return len(self.kind)


def training_table(
    lines: Lines, shelf: Shelf, habits: Habits, seed: int = 7, *, kinds: Sequence[str] = KINDS
) -> Table:
    """The newest lines with mistakes made up among them, several times over; a sample of the right ones."""
    first = max(len(lines) - TRAINED_LINES, int(len(lines) * (1 - TRAINED_SHARE)))
    rounds = [
        vars(_round(lines, shelf, habits, np.random.default_rng([seed, number]), kinds, first))
        for number in range(ROUNDS)
    ]
    return Table(**{name: np.concatenate([columns[name] for columns in rounds]) for name in rounds[0]})


def _round(
    lines: Lines, shelf: Shelf, habits: Habits, rng: np.random.Generator, kinds: Sequence[str], first: int
) -> Table:
    made = mistakes.simulate(lines, shelf, rng, RATE, kinds, first)
    is_wrong = made.kind != mistakes.RIGHT
    wrong = np.flatnonzero(is_wrong)
    right = np.flatnonzero(~is_wrong & (made.origin >= first))
    sample = np.sort(rng.choice(right, min(len(right), ROWS // ROUNDS), replace=False))
    targets = np.r_[wrong, sample]
    weight = np.r_[np.ones(len(wrong)), np.full(len(sample), len(right) / max(1, len(sample)))]
    return Table(
        features=look(made.lines, targets, shelf, habits).features,
        kind=made.kind[targets],
        weight=weight.astype(np.float32),
        at=made.lines.at[targets],
        id=made.lines.id[targets],
    )


def folds(at: np.ndarray) -> np.ndarray:
    """The fold of each row: blocks of time in turn."""
    ends = np.quantile(at, np.linspace(0, 1, BLOCKS + 1)[1:-1])
    return np.asarray(np.searchsorted(ends, at, side="right") % FOLDS)


def threshold(table: Table, held_out: np.ndarray) -> float:
    """The chance that about `BUDGET` lines a day reach, right and wrong ones together."""
    days = len(np.unique(table.at // DAY)) * ROUNDS
    is_wrong = table.kind != mistakes.RIGHT
    right = float(table.weight[~is_wrong].sum())
    weight = np.where(is_wrong, right * USUAL_RATE / max(1, is_wrong.sum()), table.weight)
    order = np.argsort(-held_out, kind="stable")
    place = int(np.searchsorted(np.cumsum(weight[order]), BUDGET * days))
    return max(USUAL_RATE * LEAST_LIFT, float(held_out[order[min(place, len(order) - 1)]]))


def metrics(table: Table, held_out: np.ndarray, reached: float) -> dict[str, float]:
    """What share of the held-out mistakes, of all and of each kind, reaches that chance."""
    found = held_out >= reached
    told = {
        f"recall_{kind}": float(found[table.kind == number].mean())
        for number, kind in enumerate(KINDS)
        if (table.kind == number).any()
    }
    is_wrong = table.kind != mistakes.RIGHT
    return told | ({"recall": float(found[is_wrong].mean())} if is_wrong.any() else {})
