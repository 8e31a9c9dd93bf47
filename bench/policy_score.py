"""How much stock does an ordering rule need for its service? A simulated shop, five plain rules, comparisons.

World: review every seven days; what is ordered on the evening of day t arrives on the evening of t + lead;
what is not there is lost; every rule sees the true demand. Product i has the lead time
(3, 7, 14, 21)[(i + s) % 4] in rotation s; products with an odd number have gamma leads of variation 0.3, the
same draws for every rule. The first weeks, begun from each rule's own level, are not counted.
Each rule has one knob, which is swept; rules are compared where they reach the same service.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

REVIEW_DAYS = 7
LEADS_DAYS = (3, 7, 14, 21)
LEAD_VARIATION = 0.3
LONGEST_LEAD_DAYS = 60
LEAST_HISTORY_DAYS = 56
WARM_UP_DAYS = 42
RESAMPLES = 400
TARGETS = (0.3, 0.5, 0.65, 0.75, 0.82, 0.87, 0.9, 0.925, 0.95, 0.965, 0.98, 0.99, 0.995, 0.999)
PROMISES = (0.9, 0.95, 0.98)
BELOW = 1e-6  # what is ordered up to is reached only when something is missing
BEYOND = np.array([1.3, 1.7, 2.3, 3.2, 4.5, 7, 11])  # times the last level: the candidate's sweep goes on

Levels = list[tuple[np.ndarray, np.ndarray]]
"""Per review (order up to, order when not above), each (products, knob)."""
Advise = Callable[[pd.DataFrame, pd.DataFrame, int, list[float]], pd.DataFrame]


@dataclass(frozen=True)
class World:
    """Products and days that are played through; `reviews` and `scored_from` are columns of `demand`."""

    frame: pd.DataFrame
    ids: tuple[str, ...]
    days: pd.DatetimeIndex
    demand: np.ndarray
    first: np.ndarray
    prices: np.ndarray
    reviews: tuple[int, ...]
    scored_from: int
    pack: int = 1

    def lead_means(self, rotation: int) -> np.ndarray:
        return np.array([LEADS_DAYS[(row + rotation) % len(LEADS_DAYS)] for row in range(len(self.ids))])

    @property
    def lead_variations(self) -> np.ndarray:
        return np.where(np.arange(len(self.ids)) % 2, LEAD_VARIATION, 0.0)

    def leads(self, rotation: int) -> np.ndarray:
        """Lead time of each order (products, reviews)."""
        mean, shape = self.lead_means(rotation)[:, None], 1 / LEAD_VARIATION**2
        drawn = np.random.default_rng(rotation).gamma(
            shape, mean * LEAD_VARIATION**2, (len(self.ids), len(self.reviews))
        )
        drawn = np.clip(np.rint(drawn).astype(int), 1, LONGEST_LEAD_DAYS)
        return np.where(self.lead_variations[:, None] > 0, drawn, mean)

    def items(self, rotation: int) -> pd.DataFrame:
        """What an advisor is told about the products."""
        return pd.DataFrame(
            {
                "unique_id": self.ids,
                "lead_mean": self.lead_means(rotation),
                "lead_cv": self.lead_variations,
                "pack": self.pack,
                "price": self.prices,
            }
        )


@dataclass(frozen=True)
class Played:
    """What came of a rule, sums over the scored days, each (knob, products)."""

    served: np.ndarray
    asked: np.ndarray
    stock: np.ndarray
    lines_served: np.ndarray
    lines: np.ndarray


def world(
    frame: pd.DataFrame,
    start: pd.Timestamp,
    prices: pd.Series | None = None,
    warm_up_days: int = WARM_UP_DAYS,
    pack: int = 1,
) -> World:
    """The shop to play, scored from the day after `start`.

    Without prices a product's is 1 / its mean size of a demand day until then. Raises ValueError when there
    is too little demand before the start or none after it.
    """
    wide = frame.pivot_table(index="unique_id", columns="ds", values="y", aggfunc="sum").sort_index()
    wide = wide.reindex(columns=pd.date_range(wide.columns.min(), wide.columns.max()))
    days = pd.DatetimeIndex(wide.columns)
    if not days[0] + pd.Timedelta(days=LEAST_HISTORY_DAYS + warm_up_days) <= start < days[-1]:
        raise ValueError(
            f"Start {start:%Y-%m-%d} does not lie {LEAST_HISTORY_DAYS + warm_up_days} days after the first "
            f"day of the data ({days[0]:%Y-%m-%d}) and before the last ({days[-1]:%Y-%m-%d})."
        )
    scored_from = int((start - days[0]).days) + 1
    first_review = scored_from - 1 - warm_up_days
    seen = wide.notna().to_numpy()
    first = seen.argmax(axis=1)
    known = first_review + 1 - first
    wide, first = wide[known >= LEAST_HISTORY_DAYS], first[known >= LEAST_HISTORY_DAYS]
    if wide.empty:
        raise ValueError(f"No product has {LEAST_HISTORY_DAYS} days of history when the play begins.")
    demand = np.nan_to_num(wide.to_numpy(float))
    ids = tuple(wide.index.astype(str))
    return World(
        frame[frame["unique_id"].isin(ids)],
        ids,
        days,
        demand,
        first,
        _prices(demand[:, :scored_from], ids, prices),
        tuple(range(first_review, demand.shape[1] - 1, REVIEW_DAYS)),
        scored_from,
        pack,
    )


def _prices(past: np.ndarray, ids: Sequence[str], prices: pd.Series | None) -> np.ndarray:
    if prices is None:
        sold = np.maximum((past > 0).sum(axis=1), 1)
        mean = past.sum(axis=1) / sold
        return 1 / np.where(mean > 0, mean, 1.0)
    found = prices.reindex(ids)
    return found.fillna(found.median()).to_numpy(float)


def play(world: World, levels: Levels, leads: np.ndarray) -> Played:
    """Every day of the shop under a rule."""
    pack, last = world.pack, world.demand.shape[1]
    products, knobs = levels[0][0].shape
    on_hand = np.ceil(np.maximum(levels[0][0], 0) / pack) * pack
    arriving = np.zeros((last + LONGEST_LEAD_DAYS + REVIEW_DAYS, products, knobs))
    on_order = np.zeros((products, knobs))
    sums = np.zeros((5, products, knobs))
    row, review = np.arange(products), 1
    for day in range(world.reviews[0] + 1, last):
        asked = world.demand[:, day : day + 1]
        served = np.minimum(on_hand, asked)
        if day >= world.scored_from:
            parts = np.divide(served, asked, out=np.zeros_like(served), where=asked > 0)
            sums += np.array(
                [served, asked + 0 * served, on_hand - served / 2, parts, (asked > 0) + 0 * parts]
            )
        on_hand = on_hand - served + arriving[day]
        on_order = on_order - arriving[day]
        if review < len(world.reviews) and day == world.reviews[review]:
            up_to, at = levels[review]
            there = on_hand + on_order
            packs = np.maximum(np.ceil((up_to - there) / pack - 1e-9), 0)
            ordered = np.where(there <= at, packs * pack, 0)
            arriving[day + leads[:, review], row] += ordered
            on_order += ordered
            review += 1
    return Played(*(part.T for part in sums))


def advised(world: World, rotation: int, advise: Advise, targets: Sequence[float] = TARGETS) -> Levels:
    """The levels that an advisor gives at every review, for each target and then beyond the last."""
    items, levels = world.items(rotation), []
    for day in world.reviews:
        known = world.frame[world.frame["ds"] <= world.days[day]]
        answer = advise(known, items, REVIEW_DAYS, list(targets))
        wide = answer.pivot(index="unique_id", columns="target", values="order_up_to")
        level = wide.reindex(index=list(world.ids), columns=list(targets)).to_numpy(float)
        level = np.concatenate([level, np.ceil(level[:, -1:] * BEYOND)], axis=1)
        levels.append((level, level - BELOW))
    return levels


def compared(
    world: World, played: Mapping[str, Sequence[Played]], candidate: str, resamples: int = RESAMPLES
) -> dict:
    """Stock of the candidate against each rule where both reach the same service, with 95 % intervals.

    `played` holds the plays of each rule, one per rotation. Keys `line0.95` (share of order lines served, a
    day of a product being a line) and `fill0.9` (share of units, in money): `stock_days` per rule (in days of
    sales) and `stock_vs_<rule>`: [ratio - 1, low, high]. Products are drawn again for the intervals.
    """
    count = len(world.ids)
    chance = np.random.default_rng(0)
    drawn = [chance.multinomial(count, np.ones(count) / count) for _ in range(resamples)]
    weights = np.vstack([np.ones(count), *drawn]).astype(float)
    worth = world.prices
    sales = (worth * world.demand[:, world.scored_from :].sum(axis=1)).sum()
    found = {}
    for measure, services in (("line", (0.9, 0.95, 0.98)), ("fill", (0.9, 0.95))):
        lines = {
            name: [_line(one, measure, weights, worth) for one in plays] for name, plays in played.items()
        }
        for service in services:
            stock = {
                name: np.array(
                    [[_stock_at(*knob, service) for knob in zip(*one, strict=True)] for one in each]
                )
                for name, each in lines.items()
            }
            figures = {"stock_days": {name: float(s[:, 0].mean() / sales) for name, s in stock.items()}}
            for name in stock:
                if name != candidate:
                    ratio = np.exp(np.log(stock[candidate] / stock[name]).mean(axis=0)) - 1
                    figures[f"stock_vs_{name}"] = [float(ratio[0]), *_interval(ratio[1:])]
            found[f"{measure}{service}"] = figures
    return found


def kept(plays: Sequence[Played], targets: Sequence[float] = TARGETS) -> dict:
    """What was promised and what happened: the share of lines served per target, and the mean error."""
    happened = np.mean(
        [
            one.lines_served.sum(axis=1)[: len(targets)] / one.lines.sum(axis=1)[: len(targets)]
            for one in plays
        ],
        axis=0,
    )
    errors = [abs(float(np.interp(asked, targets, happened)) - asked) for asked in PROMISES]
    return {
        "promise": {str(asked): float(share) for asked, share in zip(targets, happened, strict=True)},
        "promise_error": float(np.mean(errors)),
    }


def _line(one: Played, measure: str, weights: np.ndarray, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Service and money in stock of each resample and knob (resamples, knobs)."""
    got, asked = (
        (one.lines_served, one.lines) if measure == "line" else (one.served * worth, one.asked * worth)
    )
    return (weights @ got.T) / (weights @ asked.T), weights @ (one.stock * worth).T


def _stock_at(service: np.ndarray, stock: np.ndarray, wanted: float) -> float:
    """Stock at which the sweep reaches a service; nan outside of the sweep."""
    order = np.argsort(stock)
    reached = np.maximum.accumulate(service[order])
    if reached[-1] < wanted or reached[0] > wanted:
        return np.nan
    return float(np.exp(np.interp(wanted, reached, np.log(np.maximum(stock[order], 1e-9)))))


def _interval(ratios: np.ndarray) -> list[float]:
    if not len(ratios) or np.isfinite(ratios).mean() <= 0.9:
        return [float("nan"), float("nan")]
    return [float(bound) for bound in np.nanpercentile(ratios, [2.5, 97.5])]
