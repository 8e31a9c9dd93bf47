"""The detector of odd movements: learns a shop, then says of each line how likely it is wrong.

Arithmetic: no session, no clock.
"""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.anomaly import features as definition
from core.anomaly import hypotheses, learner, mistakes
from core.anomaly.calibration import USUAL_RATE
from core.anomaly.contexts import Contexts, Index
from core.anomaly.habits import Habits
from core.anomaly.hypotheses import Evidence
from core.anomaly.learner import FOLDS, Learner
from core.anomaly.lines import KINDS, Lines, Shelf
from core.errors import BadInput

CHUNK = 4_096
"""So many lines are looked at together: memory is bounded, whatever is asked."""
TRAINED_LINES = 90_000
TRAINED_SHARE = 0.7
"""Learned from are the newest lines, at most so many and at most this share: the rest is their past."""
LEAST_LINES = 200
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
CODE_VERSION = 1
_FILES = ("habits.npz", "learner.npz", "map.npz")


@dataclass(frozen=True)
class Table:
    """Rows to learn from, one array of length n a column.

    `kind`: -1 for a real line, else the place in KINDS of the mistake made up. `weight`: real lines are a
    sample and stand for more than themselves. `round`: lines of one round know the same mistakes.
    """

    features: np.ndarray  # float32 (n, len(features.NAMES))
    kind: np.ndarray  # int8
    weight: np.ndarray  # float32
    at: np.ndarray  # float64: seconds since 1970
    id: np.ndarray  # int64: the movement's id; below zero for a copy made up

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Looked:
    """What there is to know of some lines: numbers to judge by, and the evidence for each kind of error."""

    features: np.ndarray
    evidence: Evidence


@dataclass(frozen=True)
class Judged:
    """What a model says of features: the chance of an error, and the place on the map."""

    chance: np.ndarray  # float64
    is_anomaly: np.ndarray  # bool
    cluster: np.ndarray  # int16
    x: np.ndarray  # float32
    y: np.ndarray  # float32


@dataclass(frozen=True)
class Scores:
    """Judged lines, each with its first repair: `value` is what `field` should be, nan when not a number."""

    chance: np.ndarray
    is_anomaly: np.ndarray
    kind: np.ndarray  # int8: place in KINDS
    field: np.ndarray  # int8: place in FIELDS
    value: np.ndarray
    cluster: np.ndarray
    x: np.ndarray
    y: np.ndarray
    usual_quantity: np.ndarray
    usual_price: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True)
class Detector:
    """Habits, a learner, a threshold; frozen when trained. Scores need nothing else but the lines before."""

    habits: Habits
    learner: Learner
    manifest: dict[str, Any]

    @classmethod
    def learn(
        cls,
        lines: Lines,
        shelf: Shelf,
        *,
        seed: int = 7,
        workers: int = 1,
        kinds: Sequence[str] = KINDS,
        progress: Callable[[str], None] | None = None,
    ) -> "Detector":
        """Learns from all these lines. `kinds`: the mistakes that are made up to learn from."""
        say = progress or (lambda _: None)
        say(f"Learning the habits of {len(lines):,} movements")
        habits = Habits.learn(lines, len(lines))
        say("Making mistakes to learn from")
        table = training_table(lines, shelf, habits, seed, kinds=kinds)
        say(f"Learning from {len(table):,} rows")
        return cls.fit(table, habits, seed, workers)

    @classmethod
    def fit(cls, table: Table, habits: Habits, seed: int = 7, workers: int = 1) -> "Detector":
        """Learns from a training table; the same table, habits and seed give the same detector."""
        is_wrong = table.kind != mistakes.RIGHT
        learned = learner.learn(
            table.features, is_wrong, table.weight, _folds(table.at), definition.NAMES, seed, workers
        )
        manifest = {
            "feature_version": definition.VERSION,
            "code_version": CODE_VERSION,
            "seed": seed,
            "rows": len(table),
            "wrong": int(is_wrong.sum()),
            "data_from": float(table.at.min()) if len(table) else None,
            "data_to": float(table.at.max()) if len(table) else None,
            "threshold": _threshold(table, learned.held_out),
            "metrics": _metrics(table, learned.held_out),
        }
        return cls(habits, learned.learner, manifest)

    def look(self, lines: Lines, targets: np.ndarray, shelf: Shelf) -> Looked:
        """Features and evidence of the target places among the lines."""
        return look(lines, targets, shelf, self.habits)

    def judge(self, features: np.ndarray, rate: float | None = None) -> Judged:
        """The chance of an error where `rate` of all movements are wrong (None: the usual rate)."""
        usual = self.learner.chance(features)
        told = usual if rate is None else self.learner.chance(features, rate)
        zeros = np.zeros(len(features), np.float32)
        return Judged(told, usual >= self.manifest["threshold"], zeros.astype(np.int16), zeros, zeros)

    def score(self, lines: Lines, targets: np.ndarray, shelf: Shelf, rate: float | None = None) -> Scores:
        """Judges the target places among the lines; memory is bounded."""
        parts = [
            self._scored(Index(lines), targets[start : start + CHUNK], shelf, rate)
            for start in range(0, max(1, len(targets)), CHUNK)
        ]
        return Scores(**{name: np.concatenate([vars(p)[name] for p in parts]) for name in vars(parts[0])})

    def _scored(self, index: Index, targets: np.ndarray, shelf: Shelf, rate: float | None) -> Scores:
        looked = _look(index, targets, shelf, self.habits)
        judged, evidence = self.judge(looked.features, rate), looked.evidence
        kind = evidence.log_odds.argmax(axis=1)
        row = np.arange(len(targets))
        return Scores(
            **vars(judged),
            kind=kind.astype(np.int8),
            field=evidence.field[row, kind],
            value=evidence.value[row, kind],
            usual_quantity=evidence.usual_quantity,
            usual_price=evidence.usual_price,
            seen=evidence.seen,
        )

    def files(self) -> dict[str, bytes]:
        """The model as files: arrays without pickle, and a manifest with the SHA-256 of each."""
        files = {
            "habits.npz": _packed(self.habits.to_arrays()),
            "learner.npz": _packed(self.learner.to_arrays()),
        }
        told = self.manifest | {"sha256": {name: hashlib.sha256(c).hexdigest() for name, c in files.items()}}
        return files | {"manifest.json": json.dumps(told, indent=1, sort_keys=True).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "Detector":
        """The detector that `files` told. Refuses what was changed, is missing or of another version."""
        manifest = _read_manifest(files)
        arrays = {name: _unpacked(name, files[name]) for name in manifest["sha256"]}
        try:
            habits = Habits.from_arrays(arrays["habits.npz"])
            return cls(habits, Learner.from_arrays(arrays["learner.npz"]), manifest)
        except (KeyError, ValueError) as error:
            raise BadInput("The model's files do not fit this version. Train a new model.") from error


def look(lines: Lines, targets: np.ndarray, shelf: Shelf, habits: Habits) -> Looked:
    """Features and evidence of the target places among the lines, in chunks."""
    index = Index(lines)
    parts = [
        _look(index, targets[start : start + CHUNK], shelf, habits)
        for start in range(0, max(1, len(targets)), CHUNK)
    ]
    evidence = [vars(part.evidence) for part in parts]
    return Looked(
        np.concatenate([part.features for part in parts]),
        Evidence(**{name: np.concatenate([e[name] for e in evidence]) for name in evidence[0]}),
    )


def training_table(
    lines: Lines, shelf: Shelf, habits: Habits, seed: int = 7, *, kinds: Sequence[str] = KINDS
) -> Table:
    """The newest lines with mistakes made up among them, several times over; a sample of the right ones."""
    first = max(len(lines) - TRAINED_LINES, int(len(lines) * (1 - TRAINED_SHARE)))
    rounds = [
        _round(lines, shelf, habits, np.random.default_rng([seed, number]), kinds, first)
        for number in range(ROUNDS)
    ]
    return Table(**{name: np.concatenate([vars(r)[name] for r in rounds]) for name in vars(rounds[0])})


def _round(
    lines: Lines, shelf: Shelf, habits: Habits, rng: np.random.Generator, kinds: Sequence[str], first: int
) -> Table:
    made = mistakes.simulate(lines, shelf, rng, RATE, kinds, first)
    learned_from = np.flatnonzero(made.origin >= first)
    wrong = learned_from[made.kind[learned_from] != mistakes.RIGHT]
    right = learned_from[made.kind[learned_from] == mistakes.RIGHT]
    sample = np.sort(rng.choice(right, min(len(right), ROWS // ROUNDS), replace=False))
    targets = np.r_[wrong, sample]
    weight = np.r_[np.ones(len(wrong)), np.full(len(sample), len(right) / max(1, len(sample)))]
    looked = look(made.lines, targets, shelf, habits)
    return Table(
        looked.features,
        made.kind[targets],
        weight.astype(np.float32),
        made.lines.at[targets],
        made.lines.id[targets],
    )


def _look(index: Index, targets: np.ndarray, shelf: Shelf, habits: Habits) -> Looked:
    contexts: Contexts = index.before(targets)
    evidence = hypotheses.weigh(index.lines, contexts, habits, shelf)
    return Looked(definition.table(index.lines, contexts, habits, shelf, evidence), evidence)


def _folds(at: np.ndarray) -> np.ndarray:
    """Blocks of time in turn."""
    if not len(at):
        return np.zeros(0, int)
    ends = np.quantile(at, np.linspace(0, 1, BLOCKS + 1)[1:-1])
    return np.asarray(np.searchsorted(ends, at, side="right") % FOLDS)


def _threshold(table: Table, held_out: np.ndarray) -> float:
    """The chance that about `BUDGET` lines a day reach, right and wrong ones together."""
    least = USUAL_RATE * LEAST_LIFT
    if not len(table):
        return least
    days = len(np.unique(table.at // DAY)) * ROUNDS
    is_wrong = table.kind != mistakes.RIGHT
    right = float(table.weight[~is_wrong].sum())
    weight = np.where(is_wrong, right * USUAL_RATE / max(1, is_wrong.sum()), table.weight)
    order = np.argsort(-held_out, kind="stable")
    place = int(np.searchsorted(np.cumsum(weight[order]), BUDGET * days))
    return max(least, float(held_out[order[min(place, len(order) - 1)]]))


def _metrics(table: Table, held_out: np.ndarray) -> dict[str, float]:
    """What share of the held-out mistakes of each kind reaches the threshold."""
    reached = held_out >= _threshold(table, held_out)
    told = {
        f"recall_{kind}": float(reached[table.kind == number].mean())
        for number, kind in enumerate(KINDS)
        if (table.kind == number).any()
    }
    is_wrong = table.kind != mistakes.RIGHT
    return told | ({"recall": float(reached[is_wrong].mean())} if is_wrong.any() else {})


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _unpacked(name: str, content: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"The model's file {name} cannot be read. Train a new model.") from error


def _read_manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        manifest = json.loads(files["manifest.json"])
        hashes = dict(manifest["sha256"])
        version = (manifest["feature_version"], manifest["code_version"])
    except (KeyError, ValueError, TypeError) as error:
        raise BadInput("The model has no manifest that can be read. Train a new model.") from error
    if version != (definition.VERSION, CODE_VERSION):
        raise BadInput("The model was trained by another version of the software. Train a new model.")
    for name, told in hashes.items():
        if hashlib.sha256(files.get(name, b"")).hexdigest() != told:
            raise BadInput(f"The model's file {name} is not the one that was trained. Train a new model.")
    return manifest
