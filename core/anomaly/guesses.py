"""What may have been meant: the numbers that a slip of the hand could have turned into the booked one.

Every guess has a probability: how likely this slip, made at the guessed number, gives the booked one.
Arithmetic: no session, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.anomaly.lines import KINDS, Shelf

TENS = ((10.0, 0.5), (100.0, 0.25), (0.1, 0.15), (0.01, 0.1))
"""booked / meant, and how the slips of ten share out: a key hit twice is commoner than one missed."""
OWN_PACKS = 4
OWN_PACK_SHARE = 0.7
"""At most so many pack factors of a product's own, and their share when it has some."""
DIGITS = 7
"""Slips inside a number are looked for up to so many digits; nobody reads longer ones digit by digit."""
LEAST = 1e-3


@dataclass(frozen=True)
class Guesses:
    """(n, M) numbers that may have been meant, one column a slip; `kind` (M,) is the slip's place in KINDS.

    `chance`: how likely the slip gives the booked number; 0 where it cannot.
    """

    meant: np.ndarray
    chance: np.ndarray
    kind: np.ndarray


def sizes(
    size: np.ndarray, product: np.ndarray, packs: np.ndarray, pack_share: np.ndarray, shelf: Shelf
) -> Guesses:
    """All slips of a quantity; `packs` and their shares (P,) are what this shop sells in."""
    factors, shares = _factors(product, packs, pack_share, shelf)
    size64 = size.astype(np.float64)
    columns = [
        _times(size64, factors, shares, "times_pack"),
        _times(size64, 1 / factors, shares, "wrong_unit"),
    ]
    tens = np.array(TENS)
    columns.append(
        _times(size64, tens[None, :, 0], np.broadcast_to(tens[:, 1], (len(size), len(tens))), "times_ten")
    )
    columns += _inside(size64)
    return Guesses(
        np.concatenate([c.meant for c in columns], axis=1).astype(np.float32),
        np.concatenate([c.chance for c in columns], axis=1).astype(np.float32),
        np.concatenate([c.kind for c in columns]),
    )


def _factors(
    product: np.ndarray, packs: np.ndarray, share: np.ndarray, shelf: Shelf
) -> tuple[np.ndarray, np.ndarray]:
    """Pack factors and shares by line: the shop's, and the product's own in front of them."""
    n = len(product)
    factors = np.broadcast_to(packs, (n, len(packs)))
    shares = np.broadcast_to(share, (n, len(packs)))
    if not shelf.packs:
        return factors, shares
    known, places = np.unique(product, return_inverse=True)
    own, own_share = np.ones((len(known), OWN_PACKS)), np.zeros((len(known), OWN_PACKS))
    for row, number in enumerate(known):
        its = [float(f) for f in shelf.packs.get(int(number), ()) if f > 1][:OWN_PACKS]
        own[row, : len(its)] = its
        own_share[row, : len(its)] = OWN_PACK_SHARE / max(len(its), 1)
    rest = np.where(own_share.any(axis=1), 1 - OWN_PACK_SHARE, 1.0)[places]
    return np.hstack([own[places], factors]), np.hstack([own_share[places], shares * rest[:, None]])


def _times(size: np.ndarray, factors: np.ndarray, shares: np.ndarray, kind: str) -> Guesses:
    """The booked size is `factor` times the meant one, which was whole if the booked one is whole."""
    meant = size[:, None] / factors
    whole = np.rint(meant)
    is_whole = np.abs(meant - whole) <= 1e-6 * np.maximum(meant, 1.0)
    is_fraction = (size % 1 != 0)[:, None]
    is_possible = np.where(is_fraction, meant >= LEAST, is_whole & (whole >= 1))
    meant = np.where(is_whole, whole, meant)
    chance = np.where(is_possible & (meant != size[:, None]), shares, 0.0)
    return Guesses(meant, chance, np.full(meant.shape[1], KINDS.index(kind), np.int8))


def _inside(size: np.ndarray) -> Sequence[Guesses]:
    """A digit too many because it was doubled, and two neighbours swapped."""
    is_readable = (size >= 10) & (size < 10.0**DIGITS) & (size % 1 == 0)
    number = np.where(is_readable, size, 0.0).astype(np.int64)
    powers = 10 ** np.arange(DIGITS + 1, dtype=np.int64)
    above = number[:, None] // powers[None, 1:]
    digits = (number[:, None] // powers[None, :]) % 10
    length = np.maximum((number[:, None] >= powers[None, :]).sum(axis=1), 1)[:, None]
    low, high = digits[:, : DIGITS - 1], digits[:, 1:DIGITS]
    has_high = number[:, None] >= powers[None, 1:DIGITS]
    doubled = (
        above[:, : DIGITS - 1] * powers[None, : DIGITS - 1] + number[:, None] % powers[None, : DIGITS - 1]
    )
    is_doubled = has_high & (low == high)
    swapped = number[:, None] + (low - high) * 9 * powers[None, : DIGITS - 1]
    stays_long = swapped >= powers[length - 1]
    is_swapped = has_high & (low != high) & stays_long
    kind = np.full(DIGITS - 1, 0, np.int8)
    return (
        Guesses(doubled, is_doubled / np.maximum(length - 1, 1), kind + KINDS.index("digit_doubled")),
        Guesses(swapped, is_swapped / np.maximum(length - 1, 1), kind + KINDS.index("digits_swapped")),
    )


def price_slips(booked: np.ndarray, meant: np.ndarray) -> np.ndarray:
    """How likely a price typed wrongly is the booked one, given the meant ones; logarithms, (n,), (n, H)."""
    cents = np.rint(100 * np.exp(np.clip(booked, -9, 14)))[:, None]
    right = np.rint(100 * np.exp(np.clip(meant, -9, 14)))
    apart = np.abs(booked[:, None] - meant)
    is_shift = np.zeros(right.shape, bool)
    for factor in (10.0, 100.0):
        is_shift |= (cents == right * factor) | (np.abs(cents - np.maximum(right / factor, 1)) <= HALF_A_CENT)
        is_shift |= right == np.rint(cents / factor)
    chance = np.where(is_shift, SHIFT, np.maximum(_digits_differ(cents, right), WILD * (apart > 1)))
    return np.where((cents != right) & np.isfinite(apart), chance, 0.0)


HALF_A_CENT = 0.5 + 1e-6
SHIFT, MOVED, CHANGED, WILD = 0.12, 0.04, 0.01, 5e-4
"""A decimal point put wrongly (one of four ways); digits swapped, dropped or doubled; one digit replaced; any
other number at least 2.7 times away."""


def _digits_differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How likely one slip of a digit lies between two whole numbers; 0 where none does."""
    power = 10.0 ** np.arange(DIGITS)
    one, other = np.broadcast_arrays(one, other)
    above_one, above_other = one[..., None] // power, other[..., None] // power
    is_same_below = one[..., None] - above_one * power == other[..., None] - above_other * power
    higher_one, higher_other = above_one // 10, above_other // 10
    pair_one, pair_other = above_one - 100 * (higher_one // 10), above_other - 100 * (higher_other // 10)
    swapped = 10 * (pair_one - 10 * (pair_one // 10)) + pair_one // 10
    is_swap = (swapped == pair_other) & (above_one - pair_one == above_other - pair_other)
    is_moved = is_swap | (higher_one == above_other) | (above_one == higher_other)
    is_changed = (higher_one == higher_other) & is_same_below
    moved = (is_moved & is_same_below).any(axis=-1)
    return np.where(moved, MOVED, CHANGED * is_changed.any(axis=-1))
