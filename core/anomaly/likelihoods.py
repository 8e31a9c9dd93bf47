"""How likely a quantity or a price is, given what stands around the line.

Each law mixes several witnesses (the product's earlier lines, the document so far, the customer, all products
of this price); how far each is believed was learned from lines like it and stands in `Habits`. So a new
product backs off to its price, and a customer with a habit is held against that. Arithmetic: no session, no
clock.
"""

from dataclasses import dataclass

import numpy as np

from core.anomaly.around import OPPOSITE, SAME_PRICE, Around, Window, is_somebody, known, same_price
from core.anomaly.habits import GRID, IN_DOCUMENT, LEAST_CHANCE, RESIDUALS, TILTS, Habits

HALF_LIFE_DAYS = 150.0
"""After so long an earlier line of the product counts half."""
LIKE_PRICE, UNLIKE = 0.15, 0.02
"""How fast (in logarithms of prices) other lines of a document or customer stop being an example for this
one, and what they count for at any price."""
UNALIKE = 0.1
"""What a line counts for that went to somebody known when this one does not, or the other way round."""
FADING_LINES = 8.0
"""After so many lines of a document an earlier one counts half."""
LIKE_LEAN = 1.0
"""How fast (in doublings) lines to customers that take more or less than this one stop being an example."""
SPEAKS = 3.0
"""A product with fewer lines than this is a new one."""
CROSSED = 0.02
"""What a line of the opposite flow tells about this one: returns are of sizes that were sold."""
OF_PRICE, OF_ALL = 2.0, 8.0
"""Lines at the same price are believed like so many of the product; the product like so many of all."""
PRICE_HALF_LIFE_DAYS = 30.0
NEAR_PRICE = 0.25
"""How far prices of a product lie apart when they differ: a Laplace law's width in logarithms."""
FOREIGN = 99.0
"""Further than any two prices lie apart."""
BLOCK = 96
"""Rows compared at once: keeps the working set inside the processor's cache."""


def shares(values: np.ndarray, weights: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The weight of the cells of a row that equal each asked number: (n, K), (n, K), (n, M) -> (n, M)."""
    result = np.empty(asked.shape, np.float32)
    for at in range(0, len(asked), BLOCK):
        rows = slice(at, at + BLOCK)
        equal = (asked[rows, :, None] == values[rows, None, :]).astype(np.float32)
        result[rows] = np.matmul(equal, weights[rows, :, None])[..., 0]
    return result


@dataclass(frozen=True)
class Sizes:
    """The law of a line's size, for one flow and sign; `chance(asked)` may be called often."""

    habits: Habits
    flow: np.ndarray
    band: np.ndarray
    gate: np.ndarray
    lean: np.ndarray  # int: the class of how much more than usual this document and customer take
    leans: np.ndarray  # the same in doublings
    plain: np.ndarray  # the product's usual doublings
    centre: np.ndarray  # the same among documents and customers that lean like this one
    spread: np.ndarray  # and how far they scatter
    product: tuple[np.ndarray, np.ndarray, np.ndarray]  # sizes, weights, rest
    leaning_rest: np.ndarray
    others: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]  # sizes, weights, whether it speaks

    def of_all(self, asked: np.ndarray) -> np.ndarray:
        """What all products of this price band do."""
        return self.habits.size_chance(self.flow[:, None], self.band[:, None], asked)

    def witnesses(self, asked: np.ndarray) -> np.ndarray:
        """(n, M, S): what each witness says about each asked size."""
        sizes, weights, rest = self.product
        of_all = self.of_all(asked)
        plain = shares(sizes, weights, asked) + rest[:, None] * of_all
        tilt = self.tilt(asked)
        lean = plain * tilt / self.leaning_rest[:, None]
        said = [lean, plain, of_all]
        for values, weight, speaks in self.others:
            said.append(np.where(speaks[:, None], shares(values, weight, asked), lean))
        return np.stack(said, axis=2)

    def tilt(self, asked: np.ndarray) -> np.ndarray:
        apart = np.log2(np.maximum(asked, 1e-6)) - self.centre[:, None]
        return self.habits.tilt[self.lean[:, None], np.searchsorted(RESIDUALS, apart)]

    def log_chance(self, asked: np.ndarray) -> np.ndarray:
        """(n, M): the logarithm of the mixed chance."""
        return np.log(np.maximum(self.mixed(self.witnesses(asked), asked), LEAST_CHANCE))

    def mixed(self, witnesses: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """(n, M): the witnesses together, each believed as lines like this one taught."""
        mix = self.habits.size_mix[self.gate]
        return np.matmul(witnesses, mix[:, :, None])[..., 0] + self.habits.novel_chance(asked)


def sizes(around: Around, habits: Habits, is_flipped: bool = False) -> Sizes:
    """The law of sizes for these lines, or for what they would be with the other sign."""
    flow = OPPOSITE[around.flow] if is_flipped else around.flow
    sign = -around.sign if is_flipped else around.sign
    band = habits.band(around.log_price)
    level = habits.level[flow, band]
    window = around.of_product
    weight = _kin(window, flow, sign) * np.exp2(-window.days / np.float32(HALF_LIFE_DAYS))
    is_alike = is_somebody(window.customer) == is_somebody(around.customer)[:, None]
    weight *= np.where(is_alike, np.float32(1), np.float32(UNALIKE))
    signs, in_document = explained(around, habits, flow)
    leans = (signs * habits.leaning[in_document]).sum(axis=1)
    its_lean = habits.customer_leans(window.customer)
    plain = ((weight * window.log_size).sum(axis=1) + 2 * level) / (weight.sum(axis=1) + 2)
    weight *= np.exp(-np.abs(its_lean - leans[:, None].astype(np.float32)) / np.float32(LIKE_LEAN))
    count = weight.sum(axis=1)
    at_price = weight * same_price(window.log_price, around.log_price[:, None])
    count_at_price = at_price.sum(axis=1)
    centre = ((weight * window.log_size).sum(axis=1) + 2 * level) / (count + 2)
    scatter = (weight * (window.log_size - centre[:, None]) ** 2).sum(axis=1)
    weights = (at_price + (OF_PRICE / (count + OF_ALL))[:, None] * weight) / (count_at_price + OF_PRICE)[
        :, None
    ]
    rest = OF_PRICE * OF_ALL / ((count + OF_ALL) * (count_at_price + OF_PRICE))
    lean = lean_class(leans, in_document)
    gate = 8 * in_document + 4 * around.of_pair.valid.any(axis=1) + 2 * is_somebody(around.customer)
    gate += count >= SPEAKS
    cells = habits.tilt[lean[:, None], np.searchsorted(RESIDUALS, window.log_size - centre[:, None])]
    leaning_rest = (weights * cells).sum(axis=1) + rest * habits.tilt_of_all[lean, flow, band]
    return Sizes(
        habits, flow, band, gate, lean, leans, plain, centre, np.sqrt((scatter + 2) / (count + 2)),
        (window.size, weights.astype(np.float32), rest), np.maximum(leaning_rest, 1e-3),
        (
            _share_of(around.of_pair, around, flow, sign, 1.0),
            _share_of(around.of_document, around, flow, sign, FADING_LINES),
            _share_of(around.of_customer, around, flow, sign, np.inf),
        ),
    )  # fmt: skip


def _kin(window: Window, flow: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """1 for a line of the same flow and sign, a little for its opposite, 0 for others."""
    same = (window.flow == flow[:, None]) & (window.sign == sign[:, None])
    crossed = (window.flow == OPPOSITE[flow][:, None]) & (window.sign == -sign[:, None])
    return (same + np.float32(CROSSED) * (crossed & ~same)) * window.valid


def _share_of(
    window: Window, around: Around, flow: np.ndarray, sign: np.ndarray, half: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes of a window, their weights, and whether it speaks; `half`: the lines until one counts half."""
    kin = window.valid & (window.flow == flow[:, None]) & (window.sign == sign[:, None])
    apart = known(np.abs(window.log_price - around.log_price[:, None]), LIKE_PRICE)
    fading = np.exp2(-np.arange(kin.shape[1]) / half).astype(np.float32)
    weight = kin * fading * (np.exp(apart * np.float32(-1 / LIKE_PRICE)) + np.float32(UNLIKE))
    total = weight.sum(axis=1)
    return window.size, (weight / np.maximum(total, 1e-9)[:, None]).astype(np.float32), total > 0


def leaning(window: Window, habits: Habits, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how many doublings a window is above what is usual for its prices, shrunk; and of how many lines."""
    level = habits.level[flow[:, None], habits.band(window.log_price)]
    kin = window.valid & (window.flow == flow[:, None])
    count = kin.sum(axis=1)
    return ((window.log_size - level) * kin).sum(axis=1) / (count + 1), count


def explained(around: Around, habits: Habits, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, EXPLAINS): what leans a size away from the product's usual one; and how far the document is."""
    of_document, in_document = leaning(around.of_document, habits, flow)
    of_customer, of_his = leaning(around.of_customer, habits, flow)
    signs = (np.ones(len(around)), of_document, of_customer, of_his == 0, ~is_somebody(around.customer))
    return np.stack(signs, axis=1).astype(np.float64), np.searchsorted(IN_DOCUMENT, in_document, side="right")


def lean_class(lean: np.ndarray, in_document: np.ndarray) -> np.ndarray:
    """The row of `Habits.tilt`."""
    return in_document * (len(TILTS) + 1) + np.searchsorted(TILTS, lean)


@dataclass(frozen=True)
class Prices:
    """The law of a line's price; asked for logarithms."""

    habits: Habits
    gate: np.ndarray
    window: Window
    recent: np.ndarray
    fitting: np.ndarray
    single: np.ndarray  # (n, H): logarithms of the prices that stand out; nan where there is none
    count: np.ndarray

    def witnesses(self, asked: np.ndarray) -> np.ndarray:
        """(n, M, S)."""
        broad = self.habits.price_chance(asked)
        exact, close = np.empty(asked.shape, np.float32), np.empty(asked.shape, np.float32)
        for at in range(0, len(asked), BLOCK):
            rows = slice(at, at + BLOCK)
            apart = known(np.abs(self.window.log_price[rows, None, :] - asked[rows, :, None]), FOREIGN)
            exact[rows] = (self.fitting[rows, None, :] * (apart < SAME_PRICE)).sum(axis=2)
            close[rows] = (self.recent[rows, None, :] * np.exp(apart * np.float32(-1 / NEAR_PRICE))).sum(
                axis=2
            )
        exact, close = exact / _total(self.fitting), close / _total(self.recent) * (GRID / (2 * NEAR_PRICE))
        is_new = (self.count == 0)[:, None]
        speaks = np.isfinite(self.single)[:, None, :]
        alike = np.abs(asked[:, :, None] - known(self.single, FOREIGN)[:, None, :]) < SAME_PRICE
        said = [np.where(is_new, broad, exact)[..., None], np.where(is_new, broad, close)[..., None]]
        return np.concatenate([*said, broad[..., None], np.where(speaks, alike, broad[..., None])], axis=2)

    def log_chance(self, asked: np.ndarray) -> np.ndarray:
        mix = self.habits.price_mix[self.gate]
        chance = np.matmul(self.witnesses(asked), mix[:, :, None])[..., 0]
        return np.where(np.isnan(asked), 0.0, np.log(np.maximum(chance, LEAST_CHANCE)))


def _total(weight: np.ndarray) -> np.ndarray:
    return np.maximum(weight.sum(axis=1), 1e-9)[:, None]


def prices(around: Around, habits: Habits, list_price: np.ndarray) -> Prices:
    """The law of prices; `list_price`: logarithm of the catalogue's price a line, nan where unknown."""
    window = around.of_product
    is_priced = window.valid & np.isfinite(window.log_price)
    kin = is_priced & (_kin(window, around.flow, around.sign) > 0)
    recent = kin * np.exp2(-window.days / np.float32(PRICE_HALF_LIFE_DAYS)) + kin * np.float32(1e-4)
    alike = is_somebody(window.customer) == is_somebody(around.customer)[:, None]
    level = np.exp2(-np.abs(window.log_size - around.log_size[:, None]) * 1.5)
    fitting = recent * np.where(alike, 1.0, 0.1).astype(np.float32) * level
    single = np.stack(
        [_newest(window.log_price, kin & alike), _newest(window.log_price, kin),
         _newest(around.of_pair.log_price, around.of_pair.valid & np.isfinite(around.of_pair.log_price)),
         list_price], axis=1
    ).astype(np.float32)  # fmt: skip
    count = kin.sum(axis=1)
    gate = np.searchsorted([1, 4], count, side="right") * 4
    gate += 2 * is_somebody(around.customer) + around.of_pair.valid.any(axis=1)
    return Prices(habits, gate, window, recent.astype(np.float32), fitting.astype(np.float32), single, count)


def _newest(values: np.ndarray, speaks: np.ndarray) -> np.ndarray:
    at = speaks.argmax(axis=1)
    rows = np.arange(len(values))
    return np.where(speaks[rows, at], values[rows, at], np.nan)
