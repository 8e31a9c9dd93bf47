"""Another product: which one usually has this price, and whether this customer takes it.

Arithmetic: no session, no clock.
"""

import numpy as np

from core.anomaly.around import SAME_PRICE, Around, known
from core.anomaly.habits import Habits
from core.anomaly.lines import KINDS, Shelf

OF_CUSTOMER = 0.3
"""How far a customer's next product is one of his last ones, rather than any."""
UNSEEN = 1e-6
HIS, HIS_SHARE, OTHER_SIZE = 4, 0.5, 0.15
"""So many of the customer's own products at this price are tried: how likely he gets one at it again in the
size of last time, and in another."""
NEAR = 4
"""So many neighbours by code are tried."""
NEAR_SHARE = 0.02
"""How often a neighbour's lines carry a price that nothing is known about."""


def weigh(
    around: Around, habits: Habits, shelf: Shelf, log_size: np.ndarray, log_price: np.ndarray,
    odds: np.ndarray, value: np.ndarray,
) -> None:  # fmt: skip
    """Fills the odds of "wrong_product": the price stayed that of the right one.

    `log_size`: how much likelier the size is for this product than for any of its price; `log_price`: how
    likely the price is for this product.
    """
    at = KINDS.index("wrong_product")
    product, share = _candidates(around, habits, shelf)
    is_other = (product >= 0) & (product != around.product[:, None])
    chance = np.where(is_other, share * _taken(around, habits, product), 0.0)
    own = _taken(around, habits, around.product[:, None])[:, 0] / _popular(habits, around.product)
    best = chance.argmax(axis=1)
    total = chance.sum(axis=1)
    is_possible = (total > 0) & np.isfinite(around.log_price)
    odds[:, at] = np.where(
        is_possible, np.log(np.maximum(total, 1e-12)) - log_price - np.log(own) - log_size, odds[:, at]
    )
    value[:, at] = np.where(is_possible, product[np.arange(len(product)), best], np.nan)


def _candidates(around: Around, habits: Habits, shelf: Shelf) -> tuple[np.ndarray, np.ndarray]:
    """(n, C) products, -1 where there is none, and the share of their lines that carry this price."""
    n = len(around)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    if len(habits.price_points):
        asked = known(around.log_price)
        right = np.clip(
            np.searchsorted(habits.price_points, asked - SAME_PRICE), 0, len(habits.price_points) - 1
        )
        is_it = (np.abs(habits.price_points[right] - asked) < SAME_PRICE)[:, None]
        parts.append((np.where(is_it, habits.point_products[right], -1), habits.point_share[right] * is_it))
    if shelf.near:
        near = np.full((n, NEAR), -1, np.int64)
        for row, number in enumerate(around.product.tolist()):
            beside = shelf.near.get(number, ())[:NEAR]
            near[row, : len(beside)] = beside
        parts.append((near, np.full((n, NEAR), NEAR_SHARE)))
    window = around.of_customer
    alike = window.valid & (np.abs(window.log_price - around.log_price[:, None]) < SAME_PRICE)
    alike &= window.product != around.product[:, None]
    rows = np.arange(n)
    rank = np.where(alike, np.cumsum(alike, axis=1), 0)
    for number in range(1, HIS + 1):
        is_it = rank == number
        found = is_it.any(axis=1)
        at = is_it.argmax(axis=1)
        newest = np.where(found, window.product[rows, at], -1)
        same_size = window.size[rows, at] == around.size
        parts.append((newest[:, None], (found * np.where(same_size, HIS_SHARE, OTHER_SIZE))[:, None]))
    return np.concatenate([p for p, _ in parts], axis=1), np.concatenate([s for _, s in parts], axis=1)


def _popular(habits: Habits, product: np.ndarray) -> np.ndarray:
    share = habits.popularity
    if not len(share):
        return np.full(product.shape, UNSEEN)
    is_known = (product >= 0) & (product < len(share))
    return np.maximum(np.where(is_known, share[np.where(is_known, product, 0)], 0.0), UNSEEN)


def _taken(around: Around, habits: Habits, product: np.ndarray) -> np.ndarray:
    """How likely a line of this customer is one of each product."""
    window = around.of_customer
    count = window.valid.sum(axis=1)
    weight = OF_CUSTOMER * count / (count + 10)
    taken = np.stack(
        [((window.product == column[:, None]) & window.valid).sum(axis=1) for column in product.T], axis=1
    )
    return (1 - weight)[:, None] * _popular(habits, product) + weight[:, None] * taken / np.maximum(count, 1)[
        :, None
    ]
