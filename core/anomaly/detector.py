"""The detector of odd movements: learns a shop, then says of each line how likely it is wrong.

Arithmetic: no session, no clock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.anomaly import features as definition
from core.anomaly import learner, mistakes, model_files, training
from core.anomaly.embedding import CLUSTERS, Map
from core.anomaly.habits import Habits
from core.anomaly.hypotheses import PRIOR
from core.anomaly.learner import Learner
from core.anomaly.lines import KINDS, Lines, Shelf
from core.anomaly.looking import Looked, each, look
from core.anomaly.naming import cluster_names
from core.anomaly.training import Table
from core.errors import BadInput

CODE_VERSION = 1
NAMED_FROM = 5_000
"""The clusters of the map get their names from so many of the newest lines."""


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
    """Habits, a learner and a map, frozen when trained: a score needs nothing else but the lines before.

    `manifest`: versions of features and code, what it learned from, the threshold of `is_anomaly`, what it
    measured of itself, the clusters' names.
    """

    habits: Habits
    learner: Learner
    map: Map
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
        """Learns from all these lines. `kinds`: the mistakes that are made up to learn from.

        Raises:
            BadInput: there is not one line to learn from.
        """
        say = progress or (lambda _: None)
        if not len(lines):
            raise BadInput("There are no movements to learn from.")
        say(f"Learning the habits in {len(lines):,} movements.")
        habits = Habits.learn(lines, len(lines))
        say("Making up mistakes to learn from.")
        table = training.training_table(lines, shelf, seed, kinds=kinds)
        say(f"Learning from {len(table):,} rows.")
        return cls.fit(table, habits, seed, workers).named(lines, shelf)

    @classmethod
    def fit(cls, table: Table, habits: Habits, seed: int = 7, workers: int = 1) -> "Detector":
        """Learns from a training table; the same table, habits and seed give the same detector.

        Raises:
            BadInput: the table has no rows, or other features than this version.
        """
        if not len(table) or table.features.shape[1:] != (len(definition.NAMES),):
            raise BadInput(f"The training table needs rows of {len(definition.NAMES)} features.")
        is_wrong = table.kind != mistakes.RIGHT
        is_held_out = training.held_out(table.at)
        learned, chances = learner.learn(
            table.features, table.kind, table.weight, is_held_out, definition.NAMES, seed, workers
        )
        apart = table.rows(is_held_out)
        threshold = training.threshold(apart, chances)
        manifest = {
            "feature_version": definition.VERSION,
            "code_version": CODE_VERSION,
            "seed": seed,
            "rows": len(table),
            "wrong": int(is_wrong.sum()),
            "data_from": float(table.at.min()),
            "data_to": float(table.at.max()),
            "threshold": threshold,
            "metrics": training.metrics(apart, chances, threshold),
            "clusters": [f"Cluster {number + 1}" for number in range(CLUSTERS)],
        }
        mapped = table.features[~is_wrong if (~is_wrong).any() else slice(None)]
        return cls(habits, learned, Map.learn(mapped, seed, definition.NAMES), manifest)

    def named(self, lines: Lines, shelf: Shelf) -> "Detector":
        """The same with names for the clusters of its map, from the newest of these lines."""
        newest = np.arange(max(0, len(lines) - NAMED_FROM), len(lines))
        cluster = self.judge(self.look(lines, newest, shelf).features).cluster
        names = cluster_names(lines.take(newest), cluster, shelf, len(self.map.centres))
        return replace(self, manifest=self.manifest | {"clusters": names})

    def look(self, lines: Lines, targets: np.ndarray, shelf: Shelf) -> Looked:
        """Features and evidence of the target places among the lines."""
        return look(lines, targets, shelf, self.habits)

    def judge(self, features: np.ndarray, rate: float | None = None) -> Judged:
        """The chance of an error where `rate` of all movements are wrong (None: the usual rate)."""
        usual = self.learner.chance(features)
        told = usual if rate is None else self.learner.chance(features, rate)
        return Judged(told, usual >= self.manifest["threshold"], *self.map.place(features))

    def score(self, lines: Lines, targets: np.ndarray, shelf: Shelf, rate: float | None = None) -> Scores:
        """Judges the target places among the lines; memory is bounded by the answer."""
        parts = [
            vars(self.answer(looked, self.judge(looked.features, rate)))
            for looked in each(lines, targets, shelf, self.habits)
        ]
        return Scores(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})

    def answer(self, looked: Looked, judged: Judged) -> Scores:
        """What was judged, here or elsewhere, with the first repair that the evidence proposes."""
        evidence = looked.evidence
        kind = (evidence.log_odds + PRIOR).argmax(axis=1)
        row = np.arange(len(kind))
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
        parts = {"habits": self.habits, "learner": self.learner, "map": self.map}
        return model_files.pack(self.manifest, {name: part.to_arrays() for name, part in parts.items()})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "Detector":
        """The detector that `files` told.

        Raises:
            BadInput: a file is missing, changed or of another version.
        """
        versions = {"feature_version": definition.VERSION, "code_version": CODE_VERSION}
        manifest, parts = model_files.unpack(files, versions)
        try:
            habits, learned = Habits.from_arrays(parts["habits"]), Learner.from_arrays(parts["learner"])
            return cls(habits, learned, Map.from_arrays(parts["map"]), manifest)
        except (KeyError, ValueError, TypeError) as error:
            raise BadInput("The model's files do not fit together. Train a new model.") from error
