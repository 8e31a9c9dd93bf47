"""Looking at lines: features and evidence of many of them, in bounded memory.

Arithmetic: no session, no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.anomaly import features, hypotheses
from core.anomaly.contexts import Index
from core.anomaly.habits import Habits
from core.anomaly.hypotheses import Evidence
from core.anomaly.lines import Lines, Shelf

CHUNK = 2_048
"""So many lines are looked at together: what is gathered around them stays in the processor's cache."""


@dataclass(frozen=True)
class Looked:
    """What there is to know of some lines: numbers to judge by, and the evidence for each kind of error."""

    features: np.ndarray
    evidence: Evidence


def look(lines: Lines, targets: np.ndarray, shelf: Shelf, habits: Habits) -> Looked:
    """Features and evidence of the target places among the lines."""
    parts = list(each(lines, targets, shelf, habits))
    evidence = [vars(part.evidence) for part in parts]
    return Looked(
        np.concatenate([part.features for part in parts]),
        Evidence(**{name: np.concatenate([e[name] for e in evidence]) for name in evidence[0]}),
    )


def each(lines: Lines, targets: np.ndarray, shelf: Shelf, habits: Habits) -> Iterator[Looked]:
    """The same in chunks; at least one, which may be empty."""
    index = Index(lines)
    for start in range(0, max(1, len(targets)), CHUNK):
        contexts = index.before(targets[start : start + CHUNK])
        evidence = hypotheses.weigh(lines, contexts, habits, shelf)
        yield Looked(features.table(lines, contexts, habits, shelf, evidence), evidence)
