"""From a score to a chance: what share of lines with that score was wrong, at a stated rate of errors.

Arithmetic: no session, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

USUAL_RATE = 1 / 500
"""The share of movements taken to be wrong until people have decided enough findings to measure it."""
ROUNDS = 30
LEAST_SLOPE = 0.05
"""A higher score never means a lower chance."""
PULL = 1.0
"""How strongly the slope is held at 1, as so many lines would."""


@dataclass(frozen=True)
class Calibration:
    """Log odds of an error are `slope` times the score plus `level`, where `rate` of all lines are wrong.

    A straight line on purpose: among the highest scores are few real lines, and a curve would follow each.
    """

    slope: float
    level: float
    rate: float

    @classmethod
    def learn(cls, score: np.ndarray, is_wrong: np.ndarray, weight: np.ndarray) -> "Calibration":
        """Holds scores of lines that the learner had not seen against the truth. Both sorts must be there."""
        known = np.column_stack((score, np.ones(len(score))))
        line = np.array([1.0, 0.0])
        for _ in range(ROUNDS):
            told = chance(known @ line)
            slant = known.T @ (weight * (told - is_wrong)) + PULL * (line - [1.0, 0.0]) * [1.0, 0.0]
            bend = (known * (weight * told * (1 - told))[:, None]).T @ known + np.diag([PULL, 1e-9])
            step = np.linalg.solve(bend, slant)
            line = line - np.clip(step, -2.0, 2.0)
        slope = max(float(line[0]), LEAST_SLOPE)
        return cls(slope, float(line[1]), float((weight * is_wrong).sum() / weight.sum()))

    def log_odds(self, score: np.ndarray, rate: float = USUAL_RATE) -> np.ndarray:
        """Log odds that a line is wrong where `rate` of all lines are."""
        return np.asarray(self.slope * score + self.level + _logit(rate) - _logit(self.rate))

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {name: np.array(value) for name, value in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Calibration":
        """The calibration that `to_arrays` told."""
        return cls(float(arrays["slope"]), float(arrays["level"]), float(arrays["rate"]))


def chance(log_odds: np.ndarray) -> np.ndarray:
    """The probability with these log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -40, 40))))


def _logit(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return float(np.log(share / (1 - share)))
