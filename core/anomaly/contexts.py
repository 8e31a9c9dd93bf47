"""What was known before a line was booked: the lines before it of its product, document and customer.

All evidence about a line comes from here and from tables that were frozen when the model was trained. That is
why a line gets the same score in a training, in the hourly job, in a request and while somebody types it.

Arithmetic: no session, no clock.
"""

from dataclasses import dataclass

import numpy as np

from core.anomaly.lines import NOBODY, Lines

OF_PRODUCT = 192
"""How many earlier lines of its product a line is held against, the newest first."""
OF_DOCUMENT = 48
OF_CUSTOMER = 64
OF_PAIR = 8
"""How many earlier lines of the same product to the same customer, of any age."""


@dataclass(frozen=True)
class Contexts:
    """Places in the lines, newest first; -1 where there is no further one. One row a target."""

    targets: np.ndarray  # int64 (n,)
    of_product: np.ndarray  # int64 (n, OF_PRODUCT)
    of_document: np.ndarray  # int64 (n, OF_DOCUMENT)
    of_customer: np.ndarray  # int64 (n, OF_CUSTOMER)
    of_pair: np.ndarray  # int64 (n, OF_PAIR): same product and same customer


class Index:
    """Finds the lines before a line quickly; made once for some lines, asked for chunks of targets."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self._by = {name: _Order(getattr(lines, name)) for name in ("product", "document", "customer")}
        self._by["pair"] = _Order(_pairs(lines))

    def before(self, targets: np.ndarray) -> Contexts:
        """The contexts of these lines; lines that were void when the target was booked are left out."""
        return Contexts(
            targets,
            self._known(self._by["product"].before(targets, OF_PRODUCT), targets),
            self._known(self._by["document"].before(targets, OF_DOCUMENT), targets),
            self._known(self._by["customer"].before(targets, OF_CUSTOMER), targets),
            self._known(self._by["pair"].before(targets, OF_PAIR), targets),
        )

    def _known(self, found: np.ndarray, targets: np.ndarray) -> np.ndarray:
        is_void = self.lines.void_from[found] <= targets[:, None]
        return np.where((found >= 0) & ~is_void, found, -1)


def _pairs(lines: Lines) -> np.ndarray:
    """One number for a product and a customer; `NOBODY` where either is missing."""
    product, customer = lines.product.astype(np.int64), lines.customer.astype(np.int64)
    pair = product * (customer.max(initial=0) + 1) + customer
    return np.where((product == NOBODY) | (customer == NOBODY), NOBODY, pair)


class _Order:
    """Lines sorted by a column and then by booking order."""

    def __init__(self, column: np.ndarray) -> None:
        self._order = np.argsort(column, kind="stable")
        sorted_column = column[self._order]
        is_first = np.r_[True, sorted_column[1:] != sorted_column[:-1]][: len(column)]
        starts = np.flatnonzero(is_first)
        lengths = np.diff(np.r_[starts, len(column)])
        self._rank = np.empty(len(column), np.int64)
        self._rank[self._order] = np.arange(len(column)) - np.repeat(starts, lengths)
        self._place = np.empty(len(column), np.int64)
        self._place[self._order] = np.arange(len(column))
        self._is_nobody = column == NOBODY

    def before(self, targets: np.ndarray, most: int) -> np.ndarray:
        """Up to `most` earlier lines with the target's value, newest first, -1 behind the last."""
        steps = np.arange(1, most + 1)
        exists = (steps[None, :] <= self._rank[targets][:, None]) & ~self._is_nobody[targets][:, None]
        places = np.where(exists, self._place[targets][:, None] - steps[None, :], 0)
        return np.where(exists, self._order[places], -1)
