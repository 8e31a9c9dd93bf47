"""The habits of a shop as small frozen tables: learned once from its lines, then only read.

`Habits.default()` knows no shop at all: the laws then speak of stores in general. Arithmetic: no session, no
clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from core.anomaly.lines import FLOWS, NOBODY, Lines

TABLED = 1024
"""Whole sizes up to this one have a chance of their own."""
BANDS = 8
"""Bands of prices, and one more (0) for lines without a price."""
RESIDUALS = np.array([-4.5, -3.5, -2.75, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 2.75, 3.5, 4.5])
"""Edges, in doublings, of how far a size lies from what is usual for its product."""
TILTS = np.array([-2.0, -1.5, -1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0, 1.5, 2.0, 2.75])
"""Edges of how far a document and a customer lean."""
IN_DOCUMENT = np.array([1, 6])
"""Edges of how many lines the document has so far: none, some, many."""
CLASSES = (len(IN_DOCUMENT) + 1) * (len(TILTS) + 1)
EXPLAINS = 5
SIZE_WITNESSES, PRICE_WITNESSES = 6, 7
SIZE_GATES, PRICE_GATES = 24, 12
GRID = 0.02
"""How far two neighbouring prices lie apart, in logarithms."""
LEAST_CHANCE = 1e-15
NOVEL = 1e-3
"""How many lines have a size that no line had before, in stores in general."""
FRACTION_SHARE = 0.01
"""What a quantity that is no whole number loses where nobody has seen one: a hundredth of a whole one."""
PACKS = (12.0, 6.0, 24.0, 10.0, 4.0, 8.0, 3.0, 2.0)
PRICED, POINTS = 12, 4096
"""At most so many products are kept for one price, and so many prices."""
TURN_STATES, REPEAT_STATES, REPEAT_SIZES = 12, 6, 3


@dataclass(frozen=True)
class Habits:
    """Frozen tables; F flows, B + 1 bands. Chances unless said otherwise."""

    edges: np.ndarray  # (B - 1,): logarithms of the prices between the bands
    size: np.ndarray  # (F, B + 1, TABLED + 1): chance of each whole size; 0 is what is larger than TABLED
    novel: (
        np.ndarray
    )  # (TABLED + 1,): chance of a size that the shop hardly ever had before; 0 is all larger ones
    tail: np.ndarray  # (1,): the power with which the chance of a size above TABLED falls
    level: np.ndarray  # (F, B + 1): mean doublings
    leaning: np.ndarray  # (IN_DOCUMENT + 1, EXPLAINS): what each sign of leaning adds, in doublings
    tilt: np.ndarray  # (CLASSES, RESIDUALS + 1): how many times likelier than usual
    tilt_of_all: np.ndarray  # (CLASSES, F, B + 1): the same, summed over all sizes of a band
    size_mix: np.ndarray  # (SIZE_GATES, SIZE_WITNESSES)
    price_mix: np.ndarray  # (PRICE_GATES, PRICE_WITNESSES)
    price_level: np.ndarray  # (2,): mean and spread of the logarithm of prices
    packs: np.ndarray  # (P,): factors this shop sells in
    pack_share: np.ndarray  # (P,)
    turn: np.ndarray  # (F, TURN_STATES): chance that a line goes the other way
    repeat: (
        np.ndarray
    )  # (REPEAT_STATES, REPEAT_SIZES): chance of an exact repeat, over the share of such sizes
    customer_lean: np.ndarray  # float32 (customers + 1,): doublings above usual; the last: anybody
    customers: np.ndarray  # int32, sorted: the numbers that customers had in the lines learned from
    customers: np.ndarray  # int32, sorted: the customers that the rows of customer_lean speak of
    place_share: np.ndarray  # (F, places + 1): by number; the last for unknown ones
    hour: np.ndarray  # (places + 1, 24): times the mean hour; the last row is all places
    weekday: np.ndarray  # (places + 1, 7)
    price_points: np.ndarray  # (Q,): logarithms, sorted
    point_products: np.ndarray  # (Q, PRICED): products usual at this price, -1 behind the last
    point_share: np.ndarray  # (Q, PRICED): the share of the product's lines that carry this price
    popularity: np.ndarray  # (products,): share of all lines, by number; newer products have none

    @classmethod
    def default(cls) -> "Habits":
        """Stores in general: small sizes are usual, packs of 12, one place, nothing known of prices."""
        whole = np.arange(TABLED + 1, dtype=float)
        chance = np.where(whole > 0, 1 / np.maximum(whole * (whole + 1), 1), 1 / (TABLED + 1))
        lines = (len(FLOWS), BANDS + 1)
        rank = 1 / (np.arange(len(PACKS)) + 1.5)
        return cls(
            edges=np.log(np.array([0.5, 1, 2, 4, 8, 20, 100])),
            size=np.broadcast_to(chance.astype(np.float32), (*lines, TABLED + 1)),
            novel=(NOVEL * chance).astype(np.float32),
            tail=np.array([2.0]),
            level=np.full(lines, 2.0),
            leaning=np.zeros((len(IN_DOCUMENT) + 1, EXPLAINS)),
            tilt=np.ones((CLASSES, len(RESIDUALS) + 1)),
            tilt_of_all=np.ones((CLASSES, *lines)),
            size_mix=np.tile([0.3, 0.3, 0.1, 0.2, 0.05, 0.05], (SIZE_GATES, 1)),
            price_mix=np.tile([0.3, 0.05, 0.05, 0.2, 0.1, 0.2, 0.1], (PRICE_GATES, 1)),
            price_level=np.array([1.5, 2.0]),
            packs=np.array(PACKS),
            pack_share=rank / rank.sum(),
            turn=np.full((len(FLOWS), TURN_STATES), 0.03),
            repeat=np.full((REPEAT_STATES, REPEAT_SIZES), 0.01),
            customer_lean=np.zeros(1, np.float32),
            customers=np.zeros(0, np.int32),
            place_share=np.ones((len(FLOWS), 1)),
            hour=np.ones((1, 24)),
            weekday=np.ones((1, 7)),
            price_points=np.zeros(0),
            point_products=np.zeros((0, PRICED), np.int32),
            point_share=np.zeros((0, PRICED)),
            popularity=np.zeros(0),
        )

    @classmethod
    def learn(cls, lines: Lines, upto: int) -> "Habits":
        """The habits of the first `upto` lines; fewer than some hundred leave much to the default."""
        from core.anomaly import habit_learning

        return habit_learning.learn(lines, upto)

    def numbered(self, lines: Lines) -> Lines:
        """The lines with customers numbered by their rows in the tables; those unknown come behind."""
        place = np.searchsorted(self.customers, lines.customer)
        is_known = np.isin(lines.customer, self.customers)
        is_new = ~is_known & (lines.customer != NOBODY)
        number = np.where(is_known, place, NOBODY)
        number[is_new] = len(self.customers) + np.unique(lines.customer[is_new], return_inverse=True)[1]
        return replace(lines, customer=number.astype(np.int32))

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Habits":
        return cls(**{f.name: np.asarray(arrays[f.name]) for f in fields(cls)})

    def band(self, log_price: np.ndarray) -> np.ndarray:
        """The band of a price's logarithm; 0 where there is none."""
        is_known = np.isfinite(log_price)
        return np.where(is_known, 1 + np.searchsorted(self.edges, np.where(is_known, log_price, 0.0)), 0)

    def size_chance(self, flow: np.ndarray, band: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """The chance of a size among all lines of a flow and band; above TABLED it falls as a power."""
        whole, beyond, fraction = self._placed(asked)
        return np.where(whole > 0, self.size[flow, band, whole], self.size[flow, band, 0] * beyond) * fraction

    def novel_chance(self, asked: np.ndarray) -> np.ndarray:
        """The chance of a size that nothing speaks for, because now and then there is a new one."""
        whole, beyond, fraction = self._placed(asked)
        return np.where(whole > 0, self.novel[whole], self.novel[0] * beyond) * fraction

    def _placed(self, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The cell of a size (0 above TABLED), its part of that cell's chance, and what a fraction loses."""
        asked = np.asarray(asked, np.float64)
        is_beyond = asked > TABLED
        whole = np.where(is_beyond, 0, np.clip(np.rint(asked), 1, TABLED)).astype(np.int64)
        power = float(self.tail[0])
        beyond = power / TABLED * (np.where(is_beyond, asked, TABLED) / TABLED) ** -(power + 1)
        return whole, beyond, np.where(asked % 1 == 0, 1.0, FRACTION_SHARE)

    def price_chance(self, log_price: np.ndarray) -> np.ndarray:
        """The chance of a price among all lines: a broad law over its logarithm."""
        mean, spread = self.price_level
        apart = np.abs(np.where(np.isnan(log_price), 0.0, log_price) - mean) / spread
        return GRID / (2 * spread) * np.exp(-apart)

    def customer_leans(self, customer: np.ndarray) -> np.ndarray:
        """How far customers lean; unknown ones like anybody."""
        return self.customer_lean[self.row_of(self.customer_lean, customer)]

    def row_of(self, table: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The row of each place in a table whose last row is for all and for unknown ones."""
        last = len(table) - 1
        return np.where((places >= 0) & (places < last), places, last)
