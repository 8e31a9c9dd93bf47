"""Lines that stand beside a line: its exact repeats, and which way the lines around it go.

Arithmetic: no session, no clock.
"""

from dataclasses import dataclass

import numpy as np

from core.anomaly.around import Around, is_somebody, same_price
from core.anomaly.lines import FLOWS

MINUTES = 15.0 / (24 * 60)
"""Without a document, lines of one person within so many minutes belong together; in days."""
REVERSED = np.isin(np.arange(len(FLOWS)), [FLOWS.index("back"), FLOWS.index("to_vendor")])
_FORWARD = np.arange(len(FLOWS))
_FORWARD[FLOWS.index("back")] = FLOWS.index("out")
_FORWARD[FLOWS.index("to_vendor")] = FLOWS.index("in")
SIGNED = np.isin(np.arange(len(FLOWS)), [FLOWS.index("count"), FLOWS.index("transfer")])
"""Flows that go both ways by themselves."""


@dataclass(frozen=True)
class Twins:
    """(n,) each. `state` and `size_class` are the cell of `Habits.repeat` that a line falls in."""

    count: np.ndarray  # exact repeats: product, size, sign, price and document
    alike: np.ndarray  # same product and document, anything else different
    gap: np.ndarray  # lines of the document between it and the newest exact repeat; -1 without one
    habitual: np.ndarray  # share of the product's earlier lines that have a fellow in their own document
    of_customer: np.ndarray  # how many of the customer's newest lines repeat a product in their document
    repeats: np.ndarray  # how many other exact repeats the document has
    fellows: np.ndarray  # how many lines of the document have a fellow of the same product, whatever its size
    state: np.ndarray
    size_class: np.ndarray


def find(around: Around) -> Twins:
    """The repeats of each line in its own document, or with one person within minutes."""
    window = around.of_product
    has_document = is_somebody(around.document)
    same_document = (window.document == around.document[:, None]) & has_document[:, None]
    at_once = (window.days <= MINUTES) & (window.person == around.person[:, None])
    at_once &= (window.place == around.place[:, None]) & ~has_document[:, None]
    together = window.valid & (same_document | at_once)
    exact = together & (window.size == around.size[:, None]) & (window.sign == around.sign[:, None])
    exact &= same_price(window.log_price, around.log_price[:, None])
    exact &= window.customer == around.customer[:, None]
    count = exact.sum(axis=1)
    inside = around.of_document
    is_it = inside.valid & (inside.product == around.product[:, None]) & (inside.size == around.size[:, None])
    gap = np.where(is_it.any(axis=1), is_it.argmax(axis=1), -1)
    repeats = _repeats_in(around)
    in_document = inside.valid.sum(axis=1)
    state = np.where(repeats > 0, 2, (in_document >= 10).astype(np.int64)) + 3 * is_somebody(around.customer)
    size_class = np.searchsorted([1, 5], around.size, side="left")
    habitual = _habitual(around)
    fellows = _equal(inside.product, inside.valid & (inside.product != around.product[:, None]))
    return Twins(count, (together & ~exact).sum(axis=1), gap, *habitual, repeats, fellows, state, size_class)


def _habitual(around: Around) -> tuple[np.ndarray, np.ndarray]:
    """How usual it is for this product, and for this customer, to stand twice in a document."""
    window = around.of_product
    known = window.valid & is_somebody(window.document) & (window.document != around.document[:, None])
    fellow = (window.document[:, 1:] == window.document[:, :-1]) & known[:, 1:]
    of_product = fellow.sum(axis=1) / (known.sum(axis=1) + 5.0)
    window = around.of_customer
    known = window.valid & is_somebody(window.document) & (window.document != around.document[:, None])
    return of_product, _equal(window.document * 1e7 + window.product, known)


def _equal(key: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """How many of the cells that count have the key of another one in their row."""
    away = -1e15 - np.arange(key.shape[1])
    key = np.sort(np.where(counts, key, away[None, :]), axis=1)
    return (key[:, 1:] == key[:, :-1]).sum(axis=1)


def _repeats_in(around: Around) -> np.ndarray:
    """How many lines of the document's window repeat another of them, this line's own repeats left out."""
    window = around.of_document
    is_own = (window.product == around.product[:, None]) & (window.size == around.size[:, None])
    counts = window.valid & ~is_own
    key = window.product * 1e7 + np.minimum(window.size, 1e6) * window.sign
    return _equal(key, counts)


def turning(around: Around) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The state of `Habits.turn` of a line, whether it goes the other way, and its flow if it did not.

    The state: what the document did so far (nothing, forwards, backwards, both) times what the customer did
    in the newest lines (nobody, forwards only, some backwards).
    """
    forward = _FORWARD[around.flow]
    turned = REVERSED[around.flow] | (SIGNED[around.flow] & (around.sign > 0))
    ahead, behind = _ways(around.of_document, forward, np.inf)
    document = ahead + 2 * behind
    _, his_behind = _ways(around.of_customer, forward, 8)
    customer = np.where(is_somebody(around.customer), 1 + his_behind, 0)
    return document * 3 + customer, turned, forward


def _ways(window, forward: np.ndarray, newest: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether a window has lines of this flow that go forwards, and such that go backwards."""
    kin = window.valid & (_FORWARD[window.flow] == forward[:, None])
    kin[:, int(min(newest, kin.shape[1])) :] = False
    back = REVERSED[window.flow] | (SIGNED[window.flow] & (window.sign > 0))
    return (kin & ~back).any(axis=1).astype(np.int64), (kin & back).any(axis=1).astype(np.int64)
