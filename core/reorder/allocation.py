"""Which level every product gets: where the next unit of money bound in stock serves most.

All products share one exchange rate between order lines lost and money bound. Each step of a product from
one level to the next serves more and binds more; steps are taken in the order of what they serve per money,
over all products, until the goal is reached. Fox (1966, Management Science 13, 210-216) shows that no other
choice with as little money serves more. A level that is never best at any rate is not used.
"""

from dataclasses import dataclass

import numpy as np

from core.reorder.levels import Curves

POINTS = 25  # of the curve of the shop
NOTHING = 1e-12  # gains and costs below it are rounding
DAYS_A_YEAR = 365.0


@dataclass(frozen=True)
class Service:
    """This share of all order lines is to be served, 0..1, with as little money bound as possible."""

    share: float


@dataclass(frozen=True)
class Budget:
    """At most so much money is to lie on the shelves on average, serving as many order lines as possible."""

    money: float


@dataclass(frozen=True)
class Cost:
    """What is missing and what lies there are to cost least, each product for itself.

    `holding_share`: what a bound unit of money costs a year (0.2: a fifth). `shortage`: what a missing unit
    costs, per product.
    """

    holding_share: float
    shortage: np.ndarray


Goal = Service | Budget | Cost


@dataclass(frozen=True)
class Allocation:
    """One choice for all products, in their order; figures of lines and units are means per day.

    `index` and `levels` (products,): the level of each. `rate`: order lines per day that the last step taken
    serves per unit of money it binds (0 where everything is served; nan with a goal of cost).
    `service`: share of the shop's order lines that is served, `own_service` that of each product (1 where
    nothing is asked for). `stock`: money on the shelves on average. `is_met`: False when the budget does not
    pay for the floors; a service is always reached.
    """

    index: np.ndarray
    levels: np.ndarray
    rate: float
    service: float
    own_service: np.ndarray
    stock: float
    lost_lines: float
    lost_units: np.ndarray
    is_met: bool = True


@dataclass(frozen=True)
class Point:
    """One point of the curve of the shop: what a goal needs and what it leaves uncovered, per day.

    `lost_money` is the value of the units lost.
    """

    service: float
    stock: float
    lost_lines: float
    lost_money: float


@dataclass(frozen=True)
class Frontier:
    """All choices of the shop worth having, from least to most: `start` and then one step after the other.

    `bound`, `served` (steps,): money and order lines per day after each step, on top of those of `start`.
    """

    curves: Curves
    prices: np.ndarray
    start: np.ndarray
    product: np.ndarray
    to: np.ndarray
    rate: np.ndarray
    bound: np.ndarray
    served: np.ndarray


def allocate(
    curves: Curves,
    prices: np.ndarray,
    goal: Goal,
    floors: np.ndarray | None = None,
) -> Allocation:
    """The levels that reach the goal.

    Args:
        curves: what the levels of each product do.
        prices: money bound by a unit, per product. Where it is not known (nan, or 0 and less) a product
            counts like the middle one of the others: it must neither get all there is nor nothing.
        goal: what is to be reached.
        floors: share of the order lines of a product that are to be served at least, per product ("never
            out"); 0 or nan where nothing is asked. They count towards the goal and come before a budget.

    Raises:
        ValueError: a goal or floor is out of range, or numbers are not one per product.
    """
    if isinstance(goal, Cost):
        return _cheapest(curves, known_prices(curves, prices), goal, floors)
    return choose(frontier(curves, prices, floors), goal)


def choose(front: Frontier, goal: Service | Budget) -> Allocation:
    """The least choice that serves so much, or the best that binds no more than the budget."""
    if isinstance(goal, Service):
        return _taken(front, _steps_for_service(front, _share(goal.share)))
    if not goal.money >= 0:
        raise ValueError(f"A budget must be at least 0, it is {goal.money}.")
    start = _stock(front, front.start)
    steps = int(np.searchsorted(front.bound, goal.money - start + NOTHING * max(goal.money, 1), side="right"))
    return _taken(front, steps, is_met=start <= goal.money * (1 + NOTHING))


def curve(front: Frontier, values: np.ndarray, points: int = POINTS) -> list[Point]:
    """What service costs in the whole shop, from nothing (or the floors) to all that was ever drawn.

    The points lie evenly in the service up to 90 % and closer above it, where buyers choose. `values`: what a
    lost unit costs in money, per product (nan counts as 0).
    """
    least = _taken(front, 0).service
    even = np.linspace(0, 1, points)
    shares = least + (1 - least) * (1 - (1 - even) ** 2)
    steps = sorted({_steps_for_service(front, share) for share in shares})
    worth = np.nan_to_num(np.asarray(values, float))
    return [
        Point(chosen.service, chosen.stock, chosen.lost_lines, float(chosen.lost_units @ worth))
        for chosen in (_taken(front, taken) for taken in steps)
    ]


def frontier(curves: Curves, prices: np.ndarray, floors: np.ndarray | None = None) -> Frontier:
    """All steps of all products, best first. Arguments as in `allocate`."""
    prices = known_prices(curves, prices)
    product, origin, to = _hulls(curves)
    # A floor between the ends of a step takes its upper end, and the steps after it are those without one:
    # what a floor serves early never leaves its own product with less than the goal alone would give.
    start = floor_index(curves, floors)
    is_within = (origin < start[product]) & (start[product] <= to)
    start[product[is_within]] = to[is_within]
    is_left = origin >= start[product]
    product, origin, to = product[is_left], origin[is_left], to[is_left]
    gains = curves.lost_lines[product, origin] - curves.lost_lines[product, to]
    costs = (curves.on_hand[product, to] - curves.on_hand[product, origin]) * prices[product]
    rate = gains / costs
    # Equal rates in the order of what they gain, never of the rows: the answer must not depend on the order.
    order = np.lexsort((to, -gains, -rate))
    return Frontier(
        curves,
        prices,
        start,
        product[order],
        to[order],
        rate[order],
        np.cumsum(costs[order]),
        np.cumsum(gains[order]),
    )


def known_prices(curves: Curves, prices: np.ndarray) -> np.ndarray:
    """Money bound by a unit, the middle of the known ones where it is not known (1 where none is)."""
    prices = np.asarray(prices, float)
    if prices.shape != (len(curves),):
        raise ValueError(f"There are {len(curves)} products and {prices.size} prices.")
    is_known = np.isfinite(prices) & (prices > 0)
    middle = float(np.median(prices[is_known])) if is_known.any() else 1.0
    return np.where(is_known, prices, middle)


def floor_index(curves: Curves, floors: np.ndarray | None) -> np.ndarray:
    """The lowest level of each product that serves its own floor."""
    if floors is None:
        return np.zeros(len(curves), int)
    floors = np.nan_to_num(np.asarray(floors, float))
    if floors.shape != (len(curves),) or (floors < 0).any() or (floors > 1).any():
        raise ValueError("Floors are shares from 0 to 1, one per product.")
    allowed = (1 - floors) * curves.lines
    return (curves.lost_lines <= allowed[:, None] + NOTHING).argmax(axis=1)


def _hulls(curves: Curves) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps (product, from, to) along the lower hull of lost lines over stock, from the lowest level on.

    The next step of a product is the one that gains most per unit held; of equals the longest.
    """
    columns = np.arange(curves.levels.shape[1])
    product, at = np.arange(len(curves)), np.zeros(len(curves), int)
    steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    while len(product):
        gain = np.take_along_axis(curves.lost_lines[product], at[:, None], 1) - curves.lost_lines[product]
        cost = curves.on_hand[product] - np.take_along_axis(curves.on_hand[product], at[:, None], 1)
        is_worth = (gain > NOTHING) & (cost > NOTHING) & (columns > at[:, None])
        rate = np.divide(gain, cost, out=np.full_like(gain, -1.0), where=is_worth)
        to = columns[-1] - rate[:, ::-1].argmax(axis=1)
        goes_on = rate.max(axis=1) > 0
        product, origin, at = product[goes_on], at[goes_on], to[goes_on]
        steps.append((product, origin, at))
    if not steps:
        return (np.zeros(0, int),) * 3
    return tuple(np.concatenate(part) for part in zip(*steps, strict=True))


def _steps_for_service(front: Frontier, share: float) -> int:
    """How many steps serve at least this share; all where rounding leaves a rest."""
    lines = front.curves.lines.sum()
    missing = front.curves.lost_lines[np.arange(len(front.start)), front.start].sum() - (1 - share) * lines
    if missing <= NOTHING * max(lines, 1):
        return 0
    return int(min(np.searchsorted(front.served, missing - NOTHING * max(lines, 1)) + 1, len(front.to)))


def _taken(front: Frontier, steps: int, is_met: bool = True) -> Allocation:
    index = front.start.copy()
    np.maximum.at(index, front.product[:steps], front.to[:steps])
    rate = float(front.rate[steps - 1]) if steps else np.inf
    if steps == len(front.to):
        rate = 0.0
    return _allocation(front.curves, front.prices, index, rate, is_met)


def _stock(front: Frontier, index: np.ndarray) -> float:
    return float(front.curves.on_hand[np.arange(len(index)), index] @ front.prices)


def _cheapest(curves: Curves, prices: np.ndarray, goal: Cost, floors: np.ndarray | None) -> Allocation:
    if not goal.holding_share >= 0:
        raise ValueError(f"Holding costs at least 0 a year, not {goal.holding_share}.")
    shortage = np.asarray(goal.shortage, float)
    if shortage.shape != (len(curves),) or not (shortage >= 0).all():
        raise ValueError("What a missing unit costs must be at least 0, one number per product.")
    a_day = goal.holding_share / DAYS_A_YEAR
    total = curves.on_hand * prices[:, None] * a_day + curves.lost_units * shortage[:, None]
    total[np.arange(total.shape[1]) < floor_index(curves, floors)[:, None]] = np.inf
    return _allocation(curves, prices, total.argmin(axis=1), np.nan, True)


def _allocation(
    curves: Curves, prices: np.ndarray, index: np.ndarray, rate: float, is_met: bool
) -> Allocation:
    rows = np.arange(len(index))
    lost = curves.lost_lines[rows, index]
    lines = float(curves.lines.sum())
    own = 1 - np.divide(lost, curves.lines, out=np.zeros_like(lost), where=curves.lines > 0)
    return Allocation(
        index=index,
        levels=curves.levels[rows, index],
        rate=rate,
        service=1 - float(lost.sum()) / lines if lines > 0 else 1.0,
        own_service=own,
        stock=float(curves.on_hand[rows, index] @ prices),
        lost_lines=float(lost.sum()),
        lost_units=curves.lost_units[rows, index],
        is_met=is_met,
    )


def _share(share: float) -> float:
    if not 0 <= share <= 1:
        raise ValueError(f"A service is a share from 0 to 1, not {share}.")
    return share
