"""What is learned on top of the evidence: boosted trees over all features, and beside them a blind judge.

Arithmetic: no session, no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.anomaly import blind
from core.anomaly.blind import Blind, Rarity, of_prefix, prefixed
from core.anomaly.calibration import USUAL_RATE, Calibration, chance
from core.anomaly.hypotheses import PRIOR
from core.anomaly.lines import KINDS
from core.anomaly.trees import Trees

TREES = 300
LEAST_WRONG = 60
"""With fewer made-up errors to learn from, the evidence is believed as it stands."""
LEAST_OF_KIND = 3
"""A kind with fewer examples counts as never seen."""
HEARD = 0.1
"""How much the blind judge is believed about kinds that the learner knows: errors may look otherwise."""
LIMITED = ("size", "log_price", "money")
FAR = 1.0
BEYOND_SHARE = 0.1
"""A line that is further above all real ones in one of these features than `FAR` (twice to three times as
much): one error in ten is like that, and about one real line in twice as many as were seen."""
_GROWTH = {
    "objective": "binary", "learning_rate": 0.06, "num_leaves": 47, "max_depth": 9, "min_data_in_leaf": 50,
    "extra_trees": True, "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1,
    "lambda_l2": 20.0, "max_bin": 127, "deterministic": True, "force_row_wise": True, "verbose": -1,
}  # fmt: skip


def odds_columns(names: Sequence[str]) -> np.ndarray:
    """Where the evidence for each of KINDS stands among the features."""
    return np.array([names.index(f"odds_{kind}") for kind in KINDS], np.int32)


@dataclass(frozen=True)
class Learner:
    """The chance of an error from features. Without trees (too little to learn from) the evidence stands."""

    odds: np.ndarray  # int32 (kinds,): columns of the evidence
    limits: np.ndarray  # float64 (3, limits): column, highest value of a real line, real lines seen
    calibration: Calibration
    trees: Trees | None = None
    blind: Blind | None = None

    def chance(self, features: np.ndarray, rate: float = USUAL_RATE) -> np.ndarray:
        """The probability that a line is wrong, where `rate` of all lines are."""
        odds = features[:, self.odds]
        score = together(odds) if self.trees is None else self.trees.log_odds(features)
        known = chance(self.calibration.log_odds(score, rate))
        if self.blind is None:
            return known
        blindly, is_unseen = self.blind.chance(odds, rate)
        unlike = 1 - np.where(is_unseen, 1.0, HEARD) * blindly
        return 1 - (1 - known) * unlike * (1 - self._beyond(features, rate))

    def _beyond(self, features: np.ndarray, rate: float) -> np.ndarray:
        """The chance of an error because nothing real ever came near."""
        columns, highest, seen = self.limits
        odds = rate * BEYOND_SHARE * 2 * seen
        is_far = features[:, columns.astype(int)] > highest + FAR
        return (is_far * (odds / (1 + odds))).max(axis=1, initial=0.0)

    def to_arrays(self) -> dict[str, np.ndarray]:
        arrays = {"odds": self.odds, "limits": self.limits} | prefixed(
            "calibration", self.calibration.to_arrays()
        )
        for name, part in (("trees", self.trees), ("blind", self.blind)):
            arrays |= prefixed(name, part.to_arrays()) if part is not None else {}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Learner":
        """The learner that `to_arrays` told."""
        calibration = Calibration.from_arrays(of_prefix("calibration", arrays))
        trees, blindly = of_prefix("trees", arrays), of_prefix("blind", arrays)
        return cls(
            arrays["odds"],
            arrays["limits"],
            calibration,
            Trees.from_arrays(trees) if trees else None,
            Blind.from_arrays(blindly) if blindly else None,
        )


def learn(
    features: np.ndarray,
    kind: np.ndarray,
    weight: np.ndarray,
    is_held_out: np.ndarray,
    names: Sequence[str],
    seed: int = 7,
    workers: int = 1,
) -> tuple[Learner, np.ndarray]:
    """Learns from rows whose `kind` is known (below zero: right).

    Also hands back the chances of the rows held out, as a learner of the others gave them. The learner
    itself knows all rows.
    """
    odds, is_wrong = odds_columns(names), kind >= 0
    other = ~is_held_out
    enough = min(is_wrong[other].sum(), is_wrong[is_held_out].sum() * 2) >= LEAST_WRONG
    if not enough or is_wrong[other].all() or is_wrong[is_held_out].all():
        learner = Learner(odds, np.zeros((3, 0)), _as_it_stands())
        return learner, learner.chance(features[is_held_out])
    first = _grow(features[other], is_wrong[other], weight[other], _GROWTH, TREES, seed, workers)
    calibration = Calibration.learn(
        first.log_odds(features[is_held_out]), is_wrong[is_held_out], weight[is_held_out]
    )
    blindly = _blind(features[:, odds], kind, weight, is_held_out, seed, workers)
    limits = _limits(features[~is_wrong], names)
    told = Learner(odds, limits, calibration, first, blindly).chance(features[is_held_out])
    trees = _grow(features, is_wrong, weight, _GROWTH, TREES, seed, workers)
    return Learner(odds, limits, calibration, trees, blindly), told


def together(odds: np.ndarray) -> np.ndarray:
    """Log odds that any error happened, by the evidence alone and how common each kind is."""
    return np.asarray(np.logaddexp.reduce(odds.astype(np.float64) + PRIOR, axis=1))


def _limits(real: np.ndarray, names: Sequence[str]) -> np.ndarray:
    columns = [names.index(name) for name in LIMITED]
    return np.stack(
        (np.array(columns, float), real[:, columns].max(axis=0), np.full(len(columns), len(real)))
    )


def _blind(
    odds: np.ndarray, kind: np.ndarray, weight: np.ndarray, is_held_out: np.ndarray, seed: int, workers: int
) -> Blind:
    is_wrong = kind >= 0
    rarity = Rarity.learn(odds[~is_wrong], weight[~is_wrong])
    told = blind.strongest(rarity.of(odds))
    other = ~is_held_out
    trees = _grow(
        told[other], is_wrong[other], weight[other], _GROWTH | blind.GROWTH, blind.TREES, seed, workers
    )
    calibration = Calibration.learn(
        trees.log_odds(told[is_held_out]), is_wrong[is_held_out], weight[is_held_out]
    )
    examples = np.bincount(kind[is_wrong], minlength=len(KINDS))
    return Blind(rarity, trees, calibration, examples >= LEAST_OF_KIND)


def _grow(
    features: np.ndarray,
    is_wrong: np.ndarray,
    weight: np.ndarray,
    growth: Mapping[str, Any],
    trees: int,
    seed: int,
    workers: int,
) -> Trees:
    import lightgbm  # 2.8 seconds: only where something is learned

    rows = lightgbm.Dataset(features, is_wrong.astype(np.float32), weight=weight)
    return Trees.of(
        lightgbm.train({**growth, "seed": seed, "num_threads": workers}, rows, trees).dump_model()
    )


def _as_it_stands() -> Calibration:
    """Believes the evidence: its log odds are those of errors at the usual rate."""
    return Calibration(1.0, 0.0, USUAL_RATE)
