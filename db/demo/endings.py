"""How the demo shop gets to this morning's state: one last delivery per product, and those of the stories."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from db.demo import demand
from db.demo.demand import DAYS

REVIEW_DAYS = 7
TYPING_ERROR_FACTOR = 12
TYPING_ERROR_DAYS_AGO = 26
# How the shop stands this morning: share of products put into each state; chance adds some that must be
# ordered now.
MIX = {"out": 0.05, "late": 0.09, "order_now": 0.06, "excess": 0.09}


@dataclass
class Landing:
    """From `start` to `end` (places in the calendar) a product gets one delivery, so sized that `wanted`
    pieces are left at the end; it comes when the shelf is nearly empty, at the latest on `latest`.
    """

    product: int
    start: int
    latest: int
    end: int
    wanted: float
    is_done: bool = False
    at_least: int = 0  # pieces that come even when they are not needed
    factor: int = 1  # a typing error books this many times what came


def plan(
    habit: pd.DataFrame,
    lead_days: np.ndarray,
    expected: np.ndarray,
    calendar: list[date],
    rng: np.random.Generator,
) -> list[Landing]:
    """The deliveries that replace usual ordering; `expected` in pieces per day, see `shelves.Shelves`."""
    return _mixed(habit, lead_days, expected, rng) + _stories(habit, expected, calendar)


def _mixed(
    habit: pd.DataFrame, lead_days: np.ndarray, expected: np.ndarray, rng: np.random.Generator
) -> list[Landing]:
    """One last delivery per product, so that the shop stands this morning as MIX says."""
    rates = expected[:, DAYS - 28 : DAYS + 28].mean(axis=1)
    plain = (habit.behaviour == "smooth") & (habit.story == "") & (habit.first_day == 0)
    # Whoever is short sells steadily; an empty shelf is best told in one warehouse.
    steady = rng.permutation(np.flatnonzero(plain & (rates > np.quantile(rates, 0.3))))
    steady = steady[np.argsort(habit.share_0.to_numpy()[steady] < 1, kind="stable")]
    state = np.full(len(habit), "fine", dtype="<U9")
    numbers = {name: round(share * len(habit)) for name, share in MIX.items()}
    state[steady[: numbers["out"]]] = "out"
    rest = rng.permutation(steady[numbers["out"] :])
    # With a vendor who delivers in three days hardly anything is ever too late.
    elsewhere, soon = habit.share_0.to_numpy()[rest] < 1, lead_days[rest] < REVIEW_DAYS
    rest = rest[np.lexsort((elsewhere, soon))]
    state[rest[: numbers["late"]]] = "late"
    rest = rng.permutation(rest[numbers["late"] :])
    state[rest[: numbers["order_now"]]] = "order_now"
    others = rng.permutation(np.flatnonzero((state == "fine") & (habit.story == "")))
    state[others[: numbers["excess"]]] = "excess"
    landings = []
    for product, behaviour in enumerate(habit.behaviour):
        days = _cover_days(state[product], behaviour, lead_days[product], rng)
        story = habit.story.iloc[product]
        if story in ("dead", "new", "typing_error"):
            continue
        wanted = rates[product] * days
        if state[product] in ("fine", "excess"):
            wanted = max(wanted, habit.lot.iloc[product] * 1.5)
        latest = DAYS - int(rng.integers(4, 12))
        if state[product] == "out":
            latest = DAYS - int(rng.integers(24, 32))
        window = 60 if state[product] in ("fine", "excess") else 100
        start = max(DAYS - window, habit.first_day.iloc[product] + 1)
        landings.append(Landing(product, start, latest, DAYS, wanted))
    return landings


def _cover_days(state: str, behaviour: str, lead_days: int, rng: np.random.Generator) -> float:
    """Days of expected demand that shall be on the shelf this morning."""
    if state == "out":
        return -rng.uniform(5, 14)
    if state == "late":
        return max(lead_days * rng.uniform(0.3, 0.75), 1.2)
    if state == "order_now":
        return lead_days + rng.uniform(2.5, 6.5)
    if state == "excess":
        return rng.uniform(230, 420)
    if behaviour == "smooth":
        return (lead_days + 7) * 1.25 + rng.uniform(15, 42)
    return min((lead_days + 7) * 2 + rng.uniform(25, 45), 110)


def _stories(habit: pd.DataFrame, expected: np.ndarray, calendar: list[date]) -> list[Landing]:
    """Deliveries of the products with a story."""
    place = {story: n for n, story in enumerate(habit.story) if story}
    rates = expected.mean(axis=1)

    def opened(day: int) -> int:
        return next(n for n in range(day, DAYS) if demand.is_open(calendar[n]))

    bulk = demand.outlier_day(date.fromordinal(calendar[-1].toordinal() + 1))
    late, wrong = opened(DAYS - 73), opened(DAYS - TYPING_ERROR_DAYS_AGO)
    gap, new, typo, dead = place["gap"], place["new"], place["typing_error"], place["dead"]
    return [
        Landing(gap, DAYS - 165, DAYS - 104, DAYS - 95, 0),
        Landing(gap, DAYS - 95, DAYS, late, 0, is_done=True),
        Landing(gap, late, late, DAYS - 60, 25 * rates[gap]),
        Landing(place["outlier"], bulk - 12, bulk, bulk + 1, 60),
        Landing(new, DAYS - demand.NEW_DAYS, DAYS - demand.NEW_DAYS, DAYS, 45),
        Landing(dead, DAYS - 240, DAYS - 225, DAYS, 14),
        Landing(typo, wrong - 20, DAYS, wrong, 0, is_done=True),
        Landing(typo, wrong, wrong, DAYS, 20 * rates[typo], at_least=40, factor=TYPING_ERROR_FACTOR),
    ]
