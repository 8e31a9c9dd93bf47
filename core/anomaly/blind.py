"""A judge that is blind to the kind of error: it knows how rare such strong evidence is, not what for.

A learner that has seen some kinds of error discounts the evidence for all others, although it is among its
inputs: of 100 swapped digits 84 were found with examples, one without. How rare it is among lines of real
life that anything speaks so strongly for an error needs no example of that error.

Arithmetic: no session, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.anomaly.calibration import Calibration, chance
from core.anomaly.trees import Trees

KNOTS = 64
STRONGEST = 3
"""So many of the rarest pieces of evidence are looked at, and the sum of all."""
SLOPE = 0.2
"""Beyond all that real life showed, evidence stronger by one is taken to be this many powers of ten rarer."""
AS_LOUD = 1.0
"""Evidence ten times less rare still counts as loud: a swapped digit is an odd size too."""
NO_EVIDENCE = -11.9
"""Log odds below this only say that the kind cannot be."""
GROWTH = {"learning_rate": 0.1, "num_leaves": 8, "min_data_in_leaf": 100, "monotone_constraints": [1] * 4}
TREES = 80


@dataclass(frozen=True)
class Rarity:
    """For each kind: evidence of which strength is met in what share of real lines, as powers of ten."""

    strength: np.ndarray  # float32 (kinds, KNOTS), rising
    rarity: np.ndarray  # float32 (kinds, KNOTS): 2 means one line in a hundred is as strong

    @classmethod
    def learn(cls, odds: np.ndarray, weight: np.ndarray) -> "Rarity":
        """From the evidence for each kind about real lines."""
        columns = [_knots(odds[:, kind], weight) for kind in range(odds.shape[1])]
        return cls(
            np.stack([strength for strength, _ in columns]), np.stack([rarity for _, rarity in columns])
        )

    def of(self, odds: np.ndarray) -> np.ndarray:
        """(n, kinds): how rare evidence of this strength is; 0 where the kind cannot be."""
        told = [
            np.interp(column, strength, rarity) + SLOPE * np.maximum(column - strength[-1], 0)
            for column, strength, rarity in zip(odds.T, self.strength, self.rarity, strict=True)
        ]
        return np.where(odds > NO_EVIDENCE, np.stack(told, axis=1), 0.0)


@dataclass(frozen=True)
class Blind:
    """Small trees over the rarest evidence. `seen`: the kinds that the learner beside it had examples of."""

    rarity: Rarity
    trees: Trees
    calibration: Calibration
    seen: np.ndarray  # bool (kinds,)

    def chance(self, odds: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """The probability of an error, and whether a kind never seen speaks as loudly as any."""
        rarity = self.rarity.of(odds)
        told = chance(self.calibration.log_odds(self.trees.log_odds(strongest(rarity)), rate))
        of_unseen = np.where(self.seen | (rarity <= 0), -np.inf, rarity).max(axis=1)
        return told, of_unseen >= rarity.max(axis=1) - AS_LOUD

    def to_arrays(self) -> dict[str, np.ndarray]:
        own = {"strength": self.rarity.strength, "rarity": self.rarity.rarity, "seen": self.seen}
        return (
            own | prefixed("trees", self.trees.to_arrays()) | prefixed("rate", self.calibration.to_arrays())
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Blind":
        """The judge that `to_arrays` told."""
        return cls(
            Rarity(arrays["strength"], arrays["rarity"]),
            Trees.from_arrays(of_prefix("trees", arrays)),
            Calibration.from_arrays(of_prefix("rate", arrays)),
            arrays["seen"],
        )


def strongest(rarity: np.ndarray) -> np.ndarray:
    """What the blind judge sees of a line."""
    ordered = np.sort(rarity, axis=1)[:, ::-1]
    return np.column_stack((ordered[:, :STRONGEST], rarity.sum(axis=1))).astype(np.float32)


def prefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays under names that begin with the prefix."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def of_prefix(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those whose names begin with the prefix, under the names they had."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def _knots(odds: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Strengths at even steps of rarity, from what half of the lines reach to what the rarest does."""
    order = np.argsort(-odds, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    wanted = np.linspace(np.log10(2), -np.log10(share[0]), KNOTS)
    at = np.minimum(np.searchsorted(share, 10.0**-wanted), len(order) - 1)
    strength, rarity = odds[order][at], -np.log10(share[at])
    # Where many lines are alike, all of them are as rare as the commonest of them.
    last = np.searchsorted(-odds[order], -strength, side="right") - 1
    return strength.astype(np.float32), np.minimum(rarity, -np.log10(share[last])).astype(np.float32)
