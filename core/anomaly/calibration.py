"""From a score to a chance: what share of lines with that score was wrong, at a stated rate of errors.

Arithmetic: no session, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

USUAL_RATE = 1 / 500
"""The share of movements taken to be wrong until people have decided enough findings to measure it."""
KNOTS = 60
LEAST_SLOPE = 1e-3
"""Two scores that did equally well keep their order."""


@dataclass(frozen=True)
class Calibration:
    """Log odds of an error against the score, as a rising broken line, at `rate` errors a line."""

    score: np.ndarray
    odds: np.ndarray
    rate: float

    @classmethod
    def learn(cls, score: np.ndarray, is_wrong: np.ndarray, weight: np.ndarray) -> "Calibration":
        """Holds scores of lines that the learner had not seen against the truth. Both sorts must be there."""
        order = np.argsort(score, kind="stable")
        score, wrong, weight = score[order], is_wrong[order].astype(float), weight[order]
        # Groups with the same number of wrong lines each: it is among them that the chance changes.
        group = np.floor((np.cumsum(wrong) - wrong) * KNOTS / max(wrong.sum(), 1)).astype(int)
        mass = np.bincount(group, weight)
        bad = np.bincount(group, weight * wrong)
        middle = np.bincount(group, weight * wrong * score) / np.maximum(bad, 1e-9)
        keep = bad > 0
        bad, mass, middle = bad[keep], mass[keep], middle[keep]
        share = (bad + 0.5) / (mass + 1.0)
        odds = _rising(np.log(share / (1 - share)), bad)
        odds = odds + LEAST_SLOPE * (middle - middle[0])
        middle = np.maximum.accumulate(middle) + 1e-9 * np.arange(len(middle))
        return cls(middle, odds, float((weight * wrong).sum() / weight.sum()))

    def log_odds(self, score: np.ndarray, rate: float = USUAL_RATE) -> np.ndarray:
        """Log odds that a line is wrong where `rate` of all are. Beyond the ends it goes on, one for one."""
        inside = np.clip(score, self.score[0], self.score[-1])
        odds = np.interp(inside, self.score, self.odds) + (score - inside)
        return np.asarray(odds + _logit(rate) - _logit(self.rate))

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"score": self.score, "odds": self.odds, "rate": np.array(self.rate)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Calibration":
        """The calibration that `to_arrays` told."""
        return cls(arrays["score"], arrays["odds"], float(arrays["rate"]))


def chance(log_odds: np.ndarray) -> np.ndarray:
    """The probability with these log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -40, 40))))


def _logit(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return float(np.log(share / (1 - share)))


def _rising(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The nearest rising row of values: neighbours that fall are put together."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        block = (float(value), float(weight), 1)
        while blocks and blocks[-1][0] >= block[0]:
            before = blocks.pop()
            total = before[1] + block[1]
            block = ((before[0] * before[1] + block[0] * block[1]) / total, total, before[2] + block[2])
        blocks.append(block)
    return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])
