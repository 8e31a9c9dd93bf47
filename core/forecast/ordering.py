"""How much must arrive so that what is asked for is there: arithmetic over demand paths."""

import math

import numpy as np

from core.forecast.depletion import Receipts, available_by_day

TOLERANCE = 1e-6  # of a piece: a rounding of floats orders no piece more


def needed(
    cumulative: np.ndarray, stock: float, receipts: Receipts, first_day: int, last_day: int
) -> np.ndarray:
    """Units that must arrive on `first_day` so that nobody is turned away until the end of `last_day`.

    One number a path, at least 0. Days are 1-based as in `depletion`. Demand that finds the shelf empty
    before the first day is lost, and is not served later. A receipt after it helps from its own day on only.
    """
    available = available_by_day(stock, receipts, cumulative.shape[1])
    short = cumulative - available
    lost_before = np.maximum(short[:, : first_day - 1], 0.0).max(axis=1, initial=0.0)
    return np.maximum(short[:, first_day - 1 : last_day].max(axis=1) - lost_before, 0.0)


def quantity(needs: np.ndarray, level: float, decimals: int = 0) -> float:
    """The smallest quantity that is enough in at least `level` (0..1) of the paths, in whole grains."""
    rank = max(math.ceil(level * len(needs) - TOLERANCE), 1)
    enough = float(np.sort(needs)[rank - 1])
    grain = 10.0**-decimals
    return math.ceil(enough / grain - TOLERANCE) * grain
