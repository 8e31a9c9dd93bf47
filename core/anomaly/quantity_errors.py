"""Errors in a quantity: the sizes that may have been meant, and what every witness says about them.

Arithmetic: no session, no clock.
"""

from dataclasses import dataclass

import numpy as np

from core.anomaly import guesses
from core.anomaly.around import Around
from core.anomaly.habits import LEAST_CHANCE, Habits
from core.anomaly.likelihoods import Sizes
from core.anomaly.lines import KINDS, Shelf

OF_QUANTITY = ("times_pack", "wrong_unit", "times_ten", "digit_doubled", "digits_swapped")
FAR = 12.0
"""Odds of one witness are kept within this: one that has never seen a size is no proof."""
WITNESS_CHANCE = 1e-4
"""What a witness is said to have meant at least, when the witnesses are shown one by one."""


@dataclass(frozen=True)
class Best:
    """The likeliest of some guesses, a row a line; where none is possible: the booked size and no odds."""

    meant: np.ndarray  # float32 (n,)
    odds: np.ndarray  # float64 (n,): -FAR where there is none
    said: np.ndarray  # float64 (n, S): by how much each witness prefers the meant to the booked size


@dataclass(frozen=True)
class QuantityErrors:
    real: np.ndarray  # float64 (n,): log chance of the booked size
    said: np.ndarray  # float64 (n, S): the same by each witness
    odds: np.ndarray  # float64 (n, kinds of OF_QUANTITY): -inf where the slip cannot be
    meant: np.ndarray  # float64 (n, kinds of OF_QUANTITY): nan there
    too_much: Best
    too_little: Best


def weigh(around: Around, habits: Habits, shelf: Shelf, law: Sizes, bonus: float) -> QuantityErrors:
    """`bonus`: added to every guess that fits on the shelf when the booked size does not."""
    guess = guesses.sizes(around.size, around.product, habits.packs, habits.pack_share, shelf)
    is_possible = guess.chance > 0
    booked = around.size[:, None]
    meant = np.where(is_possible, guess.meant, booked)
    asked = np.concatenate([booked, meant], axis=1)
    witnesses = law.witnesses(asked)
    chance = law.mixed(witnesses, asked)
    logs = np.log(np.maximum(chance, LEAST_CHANCE))
    real = logs[:, 0]
    each = logs[:, 1:] - real[:, None] + np.log(np.where(is_possible, guess.chance, 1.0))
    is_short = (around.sign < 0) & (around.after < 0)
    each += bonus * (is_short[:, None] & (around.before[:, None] >= meant))
    each = np.where(is_possible, each, -np.inf)
    said = np.log(np.maximum(witnesses, WITNESS_CHANCE))
    odds, right = _by_kind(each, meant, guess.kind)
    return QuantityErrors(
        real=real,
        said=said[:, 0],
        odds=odds,
        meant=right,
        too_much=_best(np.where(meant < booked, each, -np.inf), meant, said),
        too_little=_best(np.where(meant > booked, each, -np.inf), meant, said),
    )


def _by_kind(each: np.ndarray, meant: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All guesses of a kind together, and its likeliest number."""
    rows = np.arange(len(each))
    odds, right = (
        np.full((len(each), len(OF_QUANTITY)), -np.inf),
        np.full((len(each), len(OF_QUANTITY)), np.nan),
    )
    for place, name in enumerate(OF_QUANTITY):
        columns = np.flatnonzero(kinds == KINDS.index(name))
        own = each[:, columns]
        best = own.argmax(axis=1)
        top = own[rows, best]
        is_possible = np.isfinite(top)
        top = np.where(is_possible, top, 0.0)
        total = top + np.log(np.maximum(np.exp(own - top[:, None]).sum(axis=1), 1.0))
        odds[:, place] = np.where(is_possible, total, -np.inf)
        right[:, place] = np.where(is_possible, meant[rows, columns[best]], np.nan)
    return odds, right


def _best(each: np.ndarray, meant: np.ndarray, said: np.ndarray) -> Best:
    rows = np.arange(len(each))
    best = each.argmax(axis=1)
    odds = np.maximum(each[rows, best], -FAR)
    ratio = np.clip(said[rows, 1 + best] - said[:, 0], -FAR, FAR)
    is_none = np.isneginf(each[rows, best])
    return Best(meant[rows, best], odds, np.where(is_none[:, None], -FAR, ratio))
