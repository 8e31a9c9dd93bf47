"""What the detector learns from: the newest lines with made-up mistakes among them, looked at as any line is.

Arithmetic: no session, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.anomaly import mistakes
from core.anomaly.calibration import USUAL_RATE
from core.anomaly.habits import Habits
from core.anomaly.learner import together
from core.anomaly.lines import KINDS, NEVER, Lines, Shelf
from core.anomaly.looking import look

TRAINED_LINES = 90_000
TRAINED_SHARE = 0.5
"""Learned from are the newest lines, at most so many and at most this share: the rest is their past."""
ROUNDS = 14
RATE = 1 / 100
"""Mistakes are made up this often, in so many rounds over the same lines."""
MOST_RATE = 1 / 20
WANTED_WRONG = 800
"""Where the lines are few they go wrong more often, to have so many examples in all."""
LOOKED_AT = 260_000
"""So many right lines are looked at in all; beside them every wrong one."""
HARD_SHARE, EASY_KEPT = 0.2, 0.2
"""Of the right lines the part that looks most like an error is kept, of the others this share: they teach
little, and stand for the rest by their weight."""
BUDGET = 10
"""Findings a day that `is_anomaly` aims at."""
LEAST_CHANCE = 0.05
"""An anomaly is wrong at least one time in twenty, however quiet the day."""
BLOCKS, HELD_OUT = 12, 3
"""Every third of so many blocks of time is held out, not single rows: lines of a document are alike."""
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

    def rows(self, chosen: np.ndarray) -> "Table":
        """Some of the rows."""
        return Table(**{name: column[chosen] for name, column in vars(self).items()})


def training_table(lines: Lines, shelf: Shelf, seed: int = 7, *, kinds: Sequence[str] = KINDS) -> Table:
    """The newest lines with mistakes made up among them, several times over; a sample of the right ones.

    They are looked at with the habits of the time before them. Habits that have seen these very lines find
    them usual, and a learner would believe that whatever is new is wrong.
    """
    first = max(len(lines) - TRAINED_LINES, int(len(lines) * (1 - TRAINED_SHARE)))
    habits = Habits.learn(lines, first)
    rounds = [
        vars(_round(lines, shelf, habits, np.random.default_rng([seed, number]), kinds, first))
        for number in range(ROUNDS)
    ]
    return Table(**{name: np.concatenate([columns[name] for columns in rounds]) for name in rounds[0]})


def _round(
    lines: Lines, shelf: Shelf, habits: Habits, rng: np.random.Generator, kinds: Sequence[str], first: int
) -> Table:
    rate = max(RATE, min(MOST_RATE, WANTED_WRONG / ROUNDS / (len(lines) - first)))
    made = mistakes.simulate(lines, shelf, rng, rate, kinds, first)
    is_wrong = made.kind != mistakes.RIGHT
    stands = made.lines.void_from == NEVER  # what was taken back was probably wrong itself
    right = np.flatnonzero(~is_wrong & stands & (made.origin >= first))
    sample = np.sort(rng.choice(right, min(len(right), LOOKED_AT // ROUNDS), replace=False))
    targets = np.r_[np.flatnonzero(is_wrong), sample]
    looked = look(made.lines, targets, shelf, habits)
    weight = np.where(is_wrong[targets], 1.0, len(right) / max(1, len(sample)))
    chance = np.where(is_wrong[targets], 1.0, _kept(together(looked.evidence.log_odds), is_wrong[targets]))
    kept = rng.random(len(targets)) < chance
    return Table(
        features=looked.features[kept],
        kind=made.kind[targets][kept],
        weight=(weight / chance)[kept].astype(np.float32),
        at=made.lines.at[targets][kept],
        id=made.lines.id[targets][kept],
    )


def _kept(odds: np.ndarray, is_wrong: np.ndarray) -> np.ndarray:
    """The chance of each right line to stay in the table."""
    if is_wrong.all():
        return np.ones(len(odds))
    return np.where(odds >= np.quantile(odds[~is_wrong], 1 - HARD_SHARE), 1.0, EASY_KEPT)


def held_out(at: np.ndarray) -> np.ndarray:
    """Whether each row is held out to measure on."""
    ends = np.quantile(at, np.linspace(0, 1, BLOCKS + 1)[1:-1])
    return np.asarray(np.searchsorted(ends, at, side="right") % HELD_OUT == 1)


def threshold(table: Table, chance: np.ndarray) -> float:
    """The chance that about `BUDGET` of these lines a day reach, right and wrong ones together."""
    days = len(np.unique(table.at // DAY)) * ROUNDS
    is_wrong = table.kind != mistakes.RIGHT
    right = float(table.weight[~is_wrong].sum())
    weight = np.where(is_wrong, right * USUAL_RATE / max(1, is_wrong.sum()), table.weight)
    order = np.argsort(-chance, kind="stable")
    place = int(np.searchsorted(np.cumsum(weight[order]), BUDGET * days))
    reached = float(chance[order[min(place, len(order) - 1)]]) if len(order) else 0.0
    return max(LEAST_CHANCE, reached)


def metrics(table: Table, chance: np.ndarray, reached: float) -> dict[str, float]:
    """What share of these mistakes, of all and of each kind, reaches that chance, so that of the budget."""
    found = chance >= reached
    told = {
        f"recall_{kind}": float(found[table.kind == number].mean())
        for number, kind in enumerate(KINDS)
        if (table.kind == number).any()
    }
    is_wrong = table.kind != mistakes.RIGHT
    return told | ({"recall_at_10": float(found[is_wrong].mean())} if is_wrong.any() else {})
