"""Looking at lines: features and evidence of many of them, in bounded memory.

Arithmetic: no session, no clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from core.anomaly import features, hypotheses
from core.anomaly.contexts import Index
from core.anomaly.habits import Habits
from core.anomaly.lines import Lines, Shelf

CHUNK = 2_048
"""So many lines are looked at together: what is gathered around them stays in the processor's cache."""


@dataclass(frozen=True)
class Weighed:
    """What the evidence says, by line (n) and kind (n, len(KINDS)); see `hypotheses.Evidence`."""

    log_odds: np.ndarray  # float32 (n, kinds)
    field: np.ndarray  # int8 (n, kinds)
    value: np.ndarray  # float64 (n, kinds)
    usual_quantity: np.ndarray  # float64 (n,)
    usual_price: np.ndarray
    seen: np.ndarray  # int64 (n,)


@dataclass(frozen=True)
class Looked:
    """What there is to know of some lines: numbers to judge by, and the evidence for each kind of error."""

    features: np.ndarray  # float32 (n, len(features.NAMES))
    evidence: Weighed


def look(lines: Lines, targets: np.ndarray, shelf: Shelf, habits: Habits) -> Looked:
    """Features and evidence of the target places among the lines."""
    return joined(list(each(lines, targets, shelf, habits)))


def each(lines: Lines, targets: np.ndarray, shelf: Shelf, habits: Habits) -> Iterator[Looked]:
    """The same in chunks; at least one, which may be empty."""
    lines = habits.numbered(lines)
    index = Index(lines)
    for start in range(0, max(1, len(targets)), CHUNK):
        contexts = index.before(targets[start : start + CHUNK])
        evidence = hypotheses.weigh(lines, contexts, habits, shelf)
        kept = Weighed(**{column.name: getattr(evidence, column.name) for column in fields(Weighed)})
        yield Looked(features.table(evidence, habits, shelf), kept)


def joined(parts: Sequence[Looked]) -> Looked:
    """Parts that were looked at one after the other, as one."""
    weighed = [part.evidence for part in parts]
    return Looked(
        np.concatenate([part.features for part in parts]),
        Weighed(**{c.name: np.concatenate([getattr(w, c.name) for w in weighed]) for c in fields(Weighed)}),
    )
