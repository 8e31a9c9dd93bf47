"""What another order would have come to: the days that were, lived again with other deliveries.

Whoever finds the shelf empty does not come back, so demand of an empty shelf is lost, in what happened as in
what would have happened. Days are arrays, one entry a day; money is in the shop's currency.
"""

from dataclasses import dataclass

import numpy as np

from core.forecast.depletion import TOLERANCE

DAYS_A_YEAR = 365


@dataclass(frozen=True)
class Course:
    """How a stock went, day by day: at the end of the day, units asked for and not there, and whether there
    was nothing to sell all day."""

    closing: np.ndarray
    lost: np.ndarray
    is_empty: np.ndarray

    def since(self, first: int) -> "Course":
        """The same from day `first` (0-based) on."""
        return Course(self.closing[first:], self.lost[first:], self.is_empty[first:])


@dataclass(frozen=True)
class Prices:
    """What a piece costs: bought, missing, and held for a day; `most_days` is how long what is left over is
    held at most (where hardly anything sells)."""

    shortage: float
    holding_a_day: float
    most_days: int


def relive(morning: float, wanted: np.ndarray, arriving: np.ndarray) -> Course:
    """The course of a stock of `morning` under the same demand with other deliveries.

    Args:
        wanted: units asked for each day, those of an empty shelf as they are held to have been.
        arriving: what came each day; below 0 where stock was lost or taken away. It can be sold that day.
    """
    closing, lost, is_empty = np.zeros(len(wanted)), np.zeros(len(wanted)), np.zeros(len(wanted), bool)
    stock = morning
    for number, (asked, came) in enumerate(zip(wanted, arriving, strict=True)):
        there = max(stock + came, 0.0)
        is_empty[number] = there <= TOLERANCE
        lost[number] = max(asked - there, 0.0)
        stock = closing[number] = max(there - asked, 0.0)
    return Course(closing, lost, is_empty)


def cost(course: Course, rate: float, prices: Prices) -> float:
    """What a course costs: sales lost, stock held, and what is left over until it is sold at `rate` a day."""
    held = float(course.closing.sum()) + _held_after(float(course.closing[-1]), rate, prices.most_days)
    return float(course.lost.sum()) * prices.shortage + held * prices.holding_a_day


def _held_after(left: float, rate: float, most_days: int) -> float:
    """Pieces times days that `left` pieces lie, while `rate` of them leave a day."""
    days = min(left / rate, most_days) if rate > 0 else most_days
    return left * days - rate * days**2 / 2


def prices(
    unit_cost: float, unit_price: float | None, *, holding_percent: float, shortage_percent: float | None,
    most_days: int,
) -> Prices:  # fmt: skip
    """What a missing and a held piece cost: a share of the selling price, else its margin; `holding_percent`
    of the cost a year. Without a price nothing is known to be lost."""
    price = unit_price or 0.0
    shortage = price * shortage_percent / 100 if shortage_percent is not None else max(price - unit_cost, 0.0)
    return Prices(shortage, unit_cost * holding_percent / 100 / DAYS_A_YEAR, most_days)
