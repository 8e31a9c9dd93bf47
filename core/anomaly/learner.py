"""What is learned on top of the evidence: boosted trees over all of it, and trees that are blind to the kind.

A learner that has seen ten kinds of error discounts the evidence for the eleventh, although it is among its
inputs. So a second one sees only how strong the best explanations are, not which ones, and speaks beside it.

Arithmetic: no session, no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.anomaly.calibration import USUAL_RATE, Calibration, chance
from core.anomaly.lines import KINDS
from core.anomaly.trees import Trees

TREES = 300
LEAST_WRONG = 60
"""With fewer made-up errors to learn from, the evidence is believed as it stands."""
FOLDS = 3
_GROWTH = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "max_depth": 8, "min_data_in_leaf": 20,
    "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "max_bin": 127,
    "deterministic": True, "force_row_wise": True, "verbose": -1,
}  # fmt: skip


def odds_columns(names: Sequence[str]) -> np.ndarray:
    """Where the evidence for each of KINDS stands among the features."""
    return np.array([names.index(f"odds_{kind}") for kind in KINDS])


def blind(features: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """How strong the explanations of a line are, without telling which ones."""
    told = np.sort(np.nan_to_num(features[:, odds], nan=-30.0), axis=1)[:, ::-1]
    together = np.logaddexp.reduce(told.astype(np.float64), axis=1)
    return np.column_stack((told[:, :3], together, told[:, 0] - told[:, 1])).astype(np.float32)


@dataclass(frozen=True)
class Learner:
    """Log odds of an error from features. Without trees (too little to learn from) the evidence stands."""

    odds: np.ndarray  # int32: columns of the evidence
    calibration: Calibration
    trees: Trees | None = None
    blind_trees: Trees | None = None
    blind_calibration: Calibration | None = None

    def chance(self, features: np.ndarray, rate: float = USUAL_RATE) -> np.ndarray:
        """The probability that a line is wrong, where `rate` of all lines are."""
        if self.trees is None:
            return chance(self.calibration.log_odds(_together(features, self.odds), rate))
        return chance(self.calibration.log_odds(self.trees.log_odds(features), rate))

    def to_arrays(self) -> dict[str, np.ndarray]:
        arrays = {"odds": self.odds} | _prefixed("calibration", self.calibration.to_arrays())
        if self.trees is not None:
            arrays |= _prefixed("trees", self.trees.to_arrays())
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Learner":
        """The learner that `to_arrays` told."""
        trees = _of_prefix("trees", arrays)
        return cls(
            arrays["odds"],
            Calibration.from_arrays(_of_prefix("calibration", arrays)),
            Trees.from_arrays(trees) if trees else None,
        )


@dataclass(frozen=True)
class Learned:
    """A learner, and the chance that it gave each row while that row was held out."""

    learner: Learner
    held_out: np.ndarray


def learn(
    features: np.ndarray,
    is_wrong: np.ndarray,
    weight: np.ndarray,
    fold: np.ndarray,
    names: Sequence[str],
    seed: int = 7,
    workers: int = 1,
) -> Learned:
    """Learns from rows whose truth is known. Rows of one `fold` (0..FOLDS-1) are held out together."""
    odds = odds_columns(names).astype(np.int32)
    if is_wrong.sum() < LEAST_WRONG:
        learner = Learner(odds, _as_it_stands())
        return Learned(learner, learner.chance(features))
    score = np.zeros(len(features))
    for held in range(FOLDS):
        mine = fold == held
        score[mine] = _grow(features[~mine], is_wrong[~mine], weight[~mine], seed, workers).log_odds(
            features[mine]
        )
    calibration = Calibration.learn(score, is_wrong, weight)
    trees = _grow(features, is_wrong, weight, seed, workers)
    return Learned(Learner(odds, calibration, trees), chance(calibration.log_odds(score)))


def _grow(features: np.ndarray, is_wrong: np.ndarray, weight: np.ndarray, seed: int, workers: int) -> Trees:
    import lightgbm  # 2.8 seconds: only where something is learned

    rows = lightgbm.Dataset(features, is_wrong.astype(np.float32), weight=weight)
    growth = _GROWTH | {"seed": seed, "num_threads": workers}
    return Trees.of(lightgbm.train(growth, rows, TREES).dump_model())


def _together(features: np.ndarray, odds: np.ndarray) -> np.ndarray:
    return np.asarray(
        np.logaddexp.reduce(np.nan_to_num(features[:, odds], nan=-30.0).astype(np.float64), axis=1)
    )


def _as_it_stands() -> Calibration:
    """Believes the evidence: its log odds are those of an even mixture of kinds."""
    ends = np.array([-1.0, 1.0])
    return Calibration(ends, ends - np.log(len(KINDS)), 0.5)


def _prefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _of_prefix(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
