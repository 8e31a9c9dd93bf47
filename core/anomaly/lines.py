"""Movements as plain arrays, in booking order: the one shape that all of this room speaks.

Arithmetic: no session, no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

KINDS = (
    "times_pack", "wrong_unit", "times_ten", "digit_doubled", "digits_swapped", "wrong_sign",
    "wrong_warehouse", "wrong_product", "booked_twice", "price_typo", "unknown",
)  # fmt: skip
"""The errors that are looked for. times_pack: too much by a pack factor; wrong_unit: too little by one;
times_ten: ten or a hundred times too much or too little; unknown: odd, and no repair explains it."""
FIELDS = ("quantity", "price", "product", "warehouse", "sign", "whole", "none")
"""What a repair changes. whole: the line should not be there; none: no repair is known."""

FLOWS = ("out", "back", "in", "to_vendor", "count", "loss", "transfer")
"""What kind of thing happened: each flow of a product has habits of its own."""
FLOW_OF_REASON = {
    "sale": "out", "issue": "out", "return": "back", "receipt": "in", "vendor_return": "to_vendor",
    "count": "count", "correction": "count", "damage": "loss", "loss": "loss", "transfer": "transfer",
}  # fmt: skip
"""By reason code; what is not named here (opening, reconstructed) is no habit of anybody and is left out."""
NOBODY = -1
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Lines:
    """n movements in booking order, one array of length n a column.

    The numbers of product, place, customer, document and person only say which are the same; `NOBODY` (-1)
    where there is none. A reversal is not a line here: the line it reversed has the place (0..n) in booking
    order from which on it is known to be void in `void_from`, `NEVER` when it stands.
    """

    id: np.ndarray  # int64: the movement's id, or any number of the line
    product: np.ndarray  # int32
    place: np.ndarray  # int32: the warehouse
    flow: np.ndarray  # int8: place in FLOWS
    change: np.ndarray  # float64, signed, never 0: below zero leaves the shelf
    price: np.ndarray  # float64: per piece; nan where none is known
    at: np.ndarray  # float64: when it happened, seconds since 1970
    customer: np.ndarray  # int32
    document: np.ndarray  # int32
    person: np.ndarray  # int32
    before: np.ndarray  # float64: on hand before it in its place; nan where nobody knows
    void_from: np.ndarray  # int64

    def __len__(self) -> int:
        return len(self.id)

    def take(self, places: np.ndarray) -> "Lines":
        """Some of the lines, for looking at them; `void_from` speaks of the whole and is kept as it is."""
        return Lines(**{f.name: getattr(self, f.name)[places] for f in fields(self)})


@dataclass(frozen=True)
class Shelf:
    """What the catalogue knows, by the numbers that the lines use; anything may be missing.

    `packs`: pack factors of a product; `list_price`: what a vendor asks for a piece of it; `near`: products
    whose code is one slip away; `codes` and `place_codes`: the words for products and warehouses;
    `daily_rate`: the forecast's pieces a day at the moment of scoring.
    """

    packs: Mapping[int, Sequence[float]] = field(default_factory=dict)
    list_price: Mapping[int, float] = field(default_factory=dict)
    near: Mapping[int, Sequence[int]] = field(default_factory=dict)
    codes: Mapping[int, str] = field(default_factory=dict)
    place_codes: Mapping[int, str] = field(default_factory=dict)
    daily_rate: Mapping[int, float] = field(default_factory=dict)
