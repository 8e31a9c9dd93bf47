"""What stands around a line: the columns of its windows, gathered once and used by every law.

A window is a matrix with one row a line judged and one column an earlier line, the newest first. Arithmetic:
no session, no clock.
"""

from dataclasses import dataclass

import numpy as np

from core.anomaly.contexts import Contexts
from core.anomaly.lines import FLOWS, NOBODY, Lines

DAY = 86_400.0
SAME_PRICE = 0.002
"""Two prices are one when they differ by less than this share."""
LEAST_PRICE = 1e-4
OPPOSITE = np.array(
    [FLOWS.index(name) for name in ("back", "out", "to_vendor", "in", "count", "loss", "transfer")]
)
"""The flow a line would have had with the other sign."""


@dataclass(frozen=True)
class Window:
    """Earlier lines of something; (n, K) each, cells without a line are False in `valid` and 0 elsewhere."""

    valid: np.ndarray  # bool
    product: np.ndarray  # int32
    place: np.ndarray  # int32
    customer: np.ndarray  # int32
    document: np.ndarray  # int32
    person: np.ndarray  # int32
    flow: np.ndarray  # int8
    sign: np.ndarray  # int8
    size: np.ndarray  # float32
    log_size: np.ndarray  # float32: doublings
    log_price: np.ndarray  # float32: natural; nan where none is known
    days: np.ndarray  # float32: days before the line judged, never below 0


@dataclass(frozen=True)
class Around:
    """The lines judged, (n,) each, and their windows."""

    product: np.ndarray
    place: np.ndarray
    customer: np.ndarray
    document: np.ndarray
    person: np.ndarray
    flow: np.ndarray
    sign: np.ndarray
    size: np.ndarray
    log_size: np.ndarray
    log_price: np.ndarray
    at: np.ndarray
    before: np.ndarray
    after: np.ndarray
    of_product: Window
    of_document: Window
    of_customer: Window
    of_pair: Window

    def __len__(self) -> int:
        return len(self.product)

    def take(self, rows: np.ndarray) -> "Around":
        """Some of the lines judged, with their windows."""
        return Around(**{name: _rows(part, rows) for name, part in vars(self).items()})


def gather(lines: Lines, contexts: Contexts) -> Around:
    """The columns of the targets and of everything before them."""
    at = contexts.targets
    change = lines.change[at]
    return Around(
        product=lines.product[at],
        place=lines.place[at],
        customer=lines.customer[at],
        document=lines.document[at],
        person=lines.person[at],
        flow=lines.flow[at].astype(np.int8),
        sign=np.sign(change).astype(np.int8),
        size=np.abs(change).astype(np.float32),
        log_size=doublings(change),
        log_price=logs(lines.price[at]),
        at=lines.at[at],
        before=lines.before[at],
        after=lines.before[at] + change,
        of_product=_window(lines, contexts.of_product, at),
        of_document=_window(lines, contexts.of_document, at),
        of_customer=_window(lines, contexts.of_customer, at),
        of_pair=_window(lines, contexts.of_pair, at),
    )


def _rows(part: np.ndarray | Window, rows: np.ndarray) -> np.ndarray | Window:
    if isinstance(part, Window):
        return Window(**{name: column[rows] for name, column in vars(part).items()})
    return part[rows]


def doublings(change: np.ndarray) -> np.ndarray:
    """How often 1 is doubled to come to this size."""
    return np.log2(np.maximum(np.abs(change), 1e-6)).astype(np.float32)


def logs(price: np.ndarray) -> np.ndarray:
    """The price's logarithm; nan where there is no price, or none above zero."""
    is_known = np.isfinite(price) & (price > 0)
    return np.where(is_known, np.log(np.where(is_known, np.maximum(price, LEAST_PRICE), 1.0)), np.nan).astype(
        np.float32
    )


def known(values: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    """The values, with something else where nobody knows them."""
    return np.where(np.isnan(values), np.float32(otherwise), values)


def same_price(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether two logarithms of prices are one price; two unknown prices are, too."""
    return (np.abs(one - other) < SAME_PRICE) | (np.isnan(one) & np.isnan(other))


def _window(lines: Lines, found: np.ndarray, targets: np.ndarray) -> Window:
    """Always all columns: sums over a row must not depend on which other rows are asked with it."""
    valid = found >= 0
    place = np.where(valid, found, 0)
    change = lines.change[place]
    size = np.where(valid, np.abs(change), 0.0).astype(np.float32)
    days = (lines.at[targets][:, None] - lines.at[place]) / DAY
    return Window(
        valid=valid,
        product=lines.product[place],
        place=lines.place[place],
        customer=lines.customer[place],
        document=lines.document[place],
        person=lines.person[place],
        flow=lines.flow[place].astype(np.int8),
        sign=np.sign(change).astype(np.int8),
        size=size,
        log_size=np.where(valid, doublings(size), np.float32(0)),
        log_price=np.where(valid, logs(lines.price[place]), np.float32(0)),
        days=np.maximum(days, 0.0).astype(np.float32),
    )


def is_somebody(number: np.ndarray) -> np.ndarray:
    """Whether the customer, document or person is known."""
    return number != NOBODY
