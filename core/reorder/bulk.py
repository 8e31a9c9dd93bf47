"""One-off bulk orders told apart from regular demand: which are not prepared for, and how often they come.

A bulk order is a day that asks for several times what a day with demand usually asks for, and for more than
the whole level. To hold it would bind the money of many regular orders, so the levels do not prepare for it,
and the buyer is told. Such days count in every promise and every chance: they are lost lines like others.

No demand is cut for this. A day is one order line however large it is, so the allocation by lines served per
money (core.reorder.allocation) leaves bulk out by itself: giving it no weight at all changes the stock by
0.1 to 0.2 %, and cutting it off the paths costs 7 to 16 % at equal service, since what was sold is gone.
"""

from dataclasses import dataclass

import numpy as np

BULK_SIZES = 5.0  # times the usual size of a day with demand, as in the forecast (core.forecast.history)
DAYS_A_YEAR = 365.0


@dataclass(frozen=True)
class OneOff:
    """Orders of one product that its level does not prepare for.

    `size_from`: a day that asks for more than so many units is one. `a_year`: how many of them are expected.
    `typical`: units of the middle one. `share_of_units`: of all units that are asked for (0..1).
    """

    size_from: float
    a_year: float
    typical: float
    share_of_units: float


def one_offs(cumulative: np.ndarray, levels: np.ndarray) -> list[OneOff | None]:
    """What the levels (products,) leave out of the demand paths (products, paths, days); None for nothing."""
    return [_one_off(demand, float(level)) for demand, level in zip(cumulative, levels, strict=True)]


def seen(demand: np.ndarray, size_from: float) -> np.ndarray:
    """The days of a product's past daily demand (days,) that were bulk: their places, oldest first."""
    return np.flatnonzero(np.asarray(demand) > size_from)


def _one_off(cumulative: np.ndarray, level: float) -> OneOff | None:
    daily = np.diff(cumulative, axis=1, prepend=cumulative.dtype.type(0))
    if daily.max(initial=0) <= level:  # most products: nobody asks for more than that at once
        return None
    sizes = daily[daily > 0]
    size_from = max(level, BULK_SIZES * float(np.median(sizes)))
    bulk = sizes[sizes > size_from]
    if not len(bulk):
        return None
    return OneOff(
        size_from=size_from,
        a_year=len(bulk) / daily.size * DAYS_A_YEAR,
        typical=float(np.median(bulk)),
        share_of_units=float(bulk.sum() / sizes.sum()),
    )
