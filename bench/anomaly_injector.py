"""Errors of data entry put into the lines of a file, as the study of odd movements describes them.

Written without looking at what the detector trains on, and it imports nothing of it: what both would share
would be found too easily. Errors go into sales from the cut on; wrong lines stay wrong in all later history.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

KINDS = (
    "x12", "x10", "x100", "digit twice", "digits swapped", "wrong sign", "price", "pack for piece",
    "product, price kept", "product, its price", "booked twice",
)  # fmt: skip
"""`pack for piece`: packs were counted, the quantity is too small by the pack."""
STUDY = {
    "x12": 1, "x10": 1, "x100": 0.5, "digit twice": 0.5, "digits swapped": 1, "wrong sign": 1, "price": 1,
    "pack for piece": 1, "product, price kept": 0.5, "product, its price": 0.5, "booked twice": 1,
}  # fmt: skip
"""The nine kinds of the study, equally likely; two of them are halves."""
KEYS = {"digit twice": 1, "digits swapped": 1, "x10": 1, "price": 1, "wrong sign": 0.5, "x100": 0.5}
"""Slips of the fingers only."""
HEADS = {
    "pack for piece": 1, "x12": 1, "product, price kept": 1, "product, its price": 1, "booked twice": 1,
    "wrong sign": 1,
}  # fmt: skip
"""Slips of the mind only."""
MIXES = {"study": STUDY, "keys": KEYS, "heads": HEADS}
PACKS = (6, 10, 12, 24)
PENNY = Decimal("0.01")
TRIES = 1000
LOOK_AROUND = 20_000
"""A wrong product is one of those sold in this many lines before and after: the popular ones more often."""


@dataclass(frozen=True)
class Injected:
    """Lines with errors in them.

    `truth`: one row an error: `line` (place in `frame`), `kind`, `column` that is wrong, `value` as it should
    be in that column (Quantity 0 for a line that should not be there) and `money`: what the error is worth.
    """

    frame: pd.DataFrame
    truth: pd.DataFrame


@dataclass(frozen=True)
class _Sales:
    """The lines as numbers and the places of the sales that may be spoilt."""

    frame: pd.DataFrame
    quantity: list[Decimal]
    price: list[Decimal]
    places: np.ndarray
    list_prices: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Slip:
    """What an error makes of a line: columns that change, and the one whose old value is the repair."""

    changes: Mapping[str, str]
    column: str
    behind: int | None = None
    """Place of the line behind which a copy stands; the line itself stays right."""


Maker = Callable[[_Sales, int, np.random.Generator], _Slip | None]
"""Makes an error of a line; None where it does not fit."""


def inject(
    frame: pd.DataFrame, cut: pd.Timestamp, rate: float, seed: int, mix: Mapping[str, float] = STUDY
) -> Injected:
    """Spoil sales from the cut on, one in 1 / `rate`, each kind by its share of the mix.

    A line that an error does not fit (one piece has no digits to swap) is passed over for another one.
    """
    rng = np.random.default_rng(seed)
    sales = _sales(frame, cut)
    wanted = rng.binomial(len(sales.places), rate)
    kinds = rng.choice(list(mix), size=wanted, p=np.array(list(mix.values())) / sum(mix.values()))
    slips: dict[int, tuple[str, _Slip]] = {}
    for kind in kinds:
        fitting = _fitting(MAKERS[kind], sales, rng, slips)
        if fitting is not None:
            slips[fitting[0]] = (str(kind), fitting[1])
    return _written(sales, slips)


def _fitting(
    make: Maker, sales: _Sales, rng: np.random.Generator, taken: Container[int]
) -> tuple[int, _Slip] | None:
    """A line drawn at random that the error fits, and the error; None when no such line turns up.

    Lines that it did not fit are not kept for the next kind: they would be small ones all too often.
    """
    for place in rng.choice(sales.places, size=min(TRIES, len(sales.places)), replace=False):
        if place not in taken and (slip := make(sales, int(place), rng)) is not None:
            return int(place), slip
    return None


def _sales(frame: pd.DataFrame, cut: pd.Timestamp) -> _Sales:
    quantity = [Decimal(text.strip() or 0) for text in frame["Quantity"]]
    price = [Decimal(text.strip() or 0) for text in frame["UnitPrice"]]
    at = pd.to_datetime(frame["InvoiceDate"], format="ISO8601", utc=True)
    is_sale = np.array([one > 0 for one in quantity]) & np.array([one > 0 for one in price])
    places = np.flatnonzero(is_sale & (at >= cut).to_numpy())
    usual = (
        frame.iloc[places].groupby("StockCode", sort=False)["UnitPrice"].agg(lambda one: one.mode().iloc[0])
    )
    return _Sales(frame, quantity, price, places, list_prices=usual.to_dict())


def _written(sales: _Sales, slips: Mapping[int, tuple[str, _Slip]]) -> Injected:
    """The frame with the errors in it, and where they ended up."""
    frame = sales.frame.copy()
    order = np.arange(len(frame), dtype=float)
    copies, rows = [], []
    for place, (kind, slip) in slips.items():
        key = order[place]
        if slip.behind is not None:
            key = slip.behind + 0.5
            copies.append((key, frame.iloc[place]))
        told = "0" if slip.behind is not None else sales.frame.at[place, slip.column]
        rows.append((key, kind, slip.column, told, _money(sales, place, slip)))
    for column in ("Quantity", "UnitPrice", "StockCode"):
        changed = {
            place: slip.changes[column] for place, (_, slip) in slips.items() if column in slip.changes
        }
        frame.loc[list(changed), column] = list(changed.values())
    keys = np.r_[order, [key for key, _ in copies]]
    whole = pd.concat([frame, pd.DataFrame([row for _, row in copies], columns=frame.columns)])
    arranged = np.argsort(keys, kind="stable")
    truth = pd.DataFrame(rows, columns=["line", "kind", "column", "value", "money"])
    truth["line"] = np.searchsorted(keys[arranged], truth["line"].to_numpy(float))
    return Injected(
        whole.iloc[arranged].reset_index(drop=True), truth.sort_values("line").reset_index(drop=True)
    )


def _money(sales: _Sales, place: int, slip: _Slip) -> float:
    """What is booked wrongly: the difference in the line's total; all of it for a wrong product or a copy."""
    total = sales.quantity[place] * sales.price[place]
    if slip.behind is not None or slip.column == "StockCode":
        return float(total)
    quantity = Decimal(slip.changes.get("Quantity", sales.quantity[place]))
    return float(abs(quantity * Decimal(slip.changes.get("UnitPrice", sales.price[place])) - total))


def _times(factor: int) -> Maker:
    return lambda sales, place, _: _quantity(sales.quantity[place] * factor)


def _quantity(changed: Decimal | None) -> _Slip | None:
    return None if changed is None else _Slip({"Quantity": f"{changed.normalize():f}"}, "Quantity")


def _digit_twice(sales: _Sales, place: int, rng: np.random.Generator) -> _Slip | None:
    text = f"{sales.quantity[place].normalize():f}"
    turn = int(rng.choice([turn for turn, letter in enumerate(text) if letter.isdigit()]))
    return _quantity(Decimal(text[: turn + 1] + text[turn:]))


def _swapped(text: str, rng: np.random.Generator) -> str | None:
    """Two neighbouring digits changed places; none leads with a zero that did not before."""
    turns = [
        turn
        for turn in range(len(text) - 1)
        if text[turn : turn + 2].isdigit()
        and text[turn] != text[turn + 1]
        and not (turn == 0 and text[1] == "0")
    ]
    if not turns:
        return None
    turn = int(rng.choice(turns))
    return text[:turn] + text[turn + 1] + text[turn] + text[turn + 2 :]


def _quantity_swapped(sales: _Sales, place: int, rng: np.random.Generator) -> _Slip | None:
    text = _swapped(f"{sales.quantity[place].normalize():f}", rng)
    return _quantity(Decimal(text) if text else None)


def _wrong_sign(sales: _Sales, place: int, _: np.random.Generator) -> _Slip | None:
    return _quantity(-sales.quantity[place])


def _price(sales: _Sales, place: int, rng: np.random.Generator) -> _Slip | None:
    """The point one or two places off, or two digits swapped."""
    price = sales.price[place]
    way = rng.choice(["10", "0.1", "100", "0.01", "swap"])
    if way == "swap":
        text = _swapped(f"{price:f}", rng)
        changed = Decimal(text) if text else price
    else:
        changed = (price * Decimal(str(way))).quantize(PENNY, ROUND_HALF_UP)
    if changed in (price, 0):
        return None
    return _Slip({"UnitPrice": f"{changed.normalize():f}"}, "UnitPrice")


def _pack_for_piece(sales: _Sales, place: int, rng: np.random.Generator) -> _Slip | None:
    quantity = sales.quantity[place]
    packs = [pack for pack in PACKS if quantity % pack == 0]
    return _quantity(quantity / int(rng.choice(packs))) if packs else None


def _product(takes_price: bool) -> Maker:
    def make(sales: _Sales, place: int, rng: np.random.Generator) -> _Slip | None:
        near = np.searchsorted(sales.places, place) + rng.integers(-LOOK_AROUND, LOOK_AROUND + 1)
        other = sales.places[int(np.clip(near, 0, len(sales.places) - 1))]
        code = sales.frame.at[other, "StockCode"]
        if code == sales.frame.at[place, "StockCode"]:
            return None
        changes = {"StockCode": code}
        return _Slip(changes | ({"UnitPrice": sales.list_prices[code]} if takes_price else {}), "StockCode")

    return make


def _booked_twice(sales: _Sales, place: int, rng: np.random.Generator) -> _Slip | None:
    """The same line again, with the same moment, somewhere later in its document."""
    numbers = sales.frame["InvoiceNo"]
    last = place
    while last + 1 < len(numbers) and numbers.iat[last + 1] == numbers.iat[place]:
        last += 1
    return _Slip({}, "Quantity", behind=int(rng.integers(place, last + 1)))


MAKERS: dict[str, Maker] = dict(
    zip(
        KINDS,
        (
            _times(12), _times(10), _times(100), _digit_twice, _quantity_swapped, _wrong_sign, _price,
            _pack_for_piece, _product(takes_price=False), _product(takes_price=True), _booked_twice,
        ),
        strict=True,
    )
)  # fmt: skip
