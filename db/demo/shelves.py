"""The demo shop's shelves, day by day: deliveries, transfers, sales while there is stock, returns."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from db.demo import catalogue, demand, endings

DAYS = demand.DAYS


@dataclass
class Shelves:
    """State of the simulation and the log it writes; quantities (products, warehouses)."""

    habit: pd.DataFrame
    lead_days: np.ndarray
    vendor: np.ndarray  # place in catalogue.VENDORS
    calendar: list[date]
    lines: pd.DataFrame
    expected: np.ndarray  # pieces per day (products, DAYS + AHEAD_DAYS)
    rng: np.random.Generator
    hand: np.ndarray = field(init=False)
    on_order: np.ndarray = field(init=False)
    sold: np.ndarray = field(init=False)
    asked: np.ndarray = field(init=False)
    log: list[tuple] = field(default_factory=list)
    deliveries: dict[int, list[tuple]] = field(default_factory=dict)
    returns: dict[int, list[tuple]] = field(default_factory=dict)
    landings: list[endings.Landing] = field(default_factory=list)
    served: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.habit)
        self.hand = np.zeros((size, 3), int)
        self.on_order = np.zeros(size, int)
        self.sold, self.asked = np.zeros((size, DAYS)), np.zeros((size, DAYS))
        np.add.at(
            self.asked, (self.lines["product"].to_numpy(), self.lines.day.to_numpy()), self.lines.quantity
        )
        self.served = np.zeros(len(self.lines), int)
        self.shares = self.habit[["share_0", "share_1", "share_2"]].to_numpy()

    def write(
        self, day: int, minute: float, kind: str, product: int, place: int, change: int, about: object = None
    ) -> None:
        """Log one movement and change the shelf; `about` is its order, other warehouse, sale or text."""
        self.hand[product, place] += change
        self.log.append((day, minute, kind, int(product), int(place), int(change), about))

    def pieces_a_day(self, day: int) -> np.ndarray:
        """What the buyer thinks sells per calendar day: the last eight weeks, never half off the truth."""
        truth = self.expected[:, day : day + 28].mean(axis=1)
        if day < 56:
            return truth
        return np.maximum(self.sold[:, day - 56 : day].mean(axis=1), 0.5 * truth)


def simulate(shelves: Shelves) -> None:
    """Live through all days; afterwards `log`, `served` (pieces per order line) and `hand` are filled."""
    shelves.landings = endings.plan(
        shelves.habit, shelves.lead_days, shelves.expected, shelves.calendar, shelves.rng
    )
    _open(shelves)
    bounds = np.searchsorted(shelves.lines.day.to_numpy(), np.arange(DAYS + 1))
    wanted = shelves.lines[["product", "warehouse", "quantity"]].to_numpy()
    for day, when in enumerate(shelves.calendar):
        if not demand.is_open(when):
            continue
        rates = shelves.pieces_a_day(day)
        _receive(shelves, day, rates)
        _transfer(shelves, day, when, rates)
        _sell(shelves, day, wanted[bounds[day] : bounds[day + 1]], bounds[day])
        _take_back(shelves, day)
        _count_and_break(shelves, day)
        _order(shelves, day, when, rates)


def _open(shelves: Shelves) -> None:
    """Opening stock of the first morning."""
    rates = shelves.pieces_a_day(0)
    lots = shelves.habit.lot.to_numpy()
    for product in np.flatnonzero(shelves.habit.first_day == 0):
        days = shelves.lead_days[product] + shelves.rng.uniform(15, 45)
        cover = rates[product] * days + 2 * lots[product]
        for place in np.flatnonzero(shelves.shares[product]):
            pieces = int(np.ceil(cover * shelves.shares[product, place]))
            shelves.write(0, 360.0, "opening", product, place, pieces)


def _receive(shelves: Shelves, day: int, rates: np.ndarray) -> None:
    active = {landing.product: landing for landing in shelves.landings if landing.start <= day < landing.end}
    for product, pieces, ordered in shelves.deliveries.pop(day, []):
        shelves.on_order[product] -= pieces
        if product not in active:
            shelves.write(day, 0, "receipt", product, 0, pieces, (ordered, pieces))
    for product, landing in active.items():
        if landing.is_done:
            continue
        there = shelves.hand[product].sum()
        nearly_empty = there < max(rates[product] * 5, 0.5 * shelves.habit.lot.iloc[product])
        if not nearly_empty and day < landing.latest:
            continue
        needed = landing.wanted + shelves.asked[product, day : landing.end].sum() - there
        landing.is_done = True
        pieces = max(int(np.ceil(needed)), landing.at_least)
        if pieces < max(0.15 * landing.wanted, 1):
            continue
        delay = _delay(shelves, product)
        ordered = day - int(shelves.lead_days[product]) - delay
        about = (ordered, pieces)
        shelves.write(day, 0, "receipt", product, 0, pieces * landing.factor, about)


def _delay(shelves: Shelves, product: int) -> int:
    vendor = catalogue.VENDORS.iloc[shelves.vendor[product]]
    return int(shelves.rng.integers(vendor.earliest_delay, vendor.latest_delay + 1))


def _transfer(shelves: Shelves, day: int, when: date, rates: np.ndarray) -> None:
    """The van to Cork on Tuesdays, to Galway on Thursdays, with what runs short there."""
    place = {1: 1, 3: 2}.get(when.weekday())
    if place is None:
        return
    share = shelves.shares[:, place]
    there = shelves.hand[:, place]
    needed = np.ceil(rates * share * 30) - there
    short = (share > 0) & (there < np.maximum(rates * share * 18, 1))
    load = np.minimum(needed, np.floor(shelves.hand[:, 0] * 0.5)).astype(int)
    for product in np.flatnonzero(short & (load > 0)):
        minute = 465.0 + place
        shelves.write(day, minute, "transfer", product, 0, -load[product], place)
        shelves.write(day, minute, "transfer", product, place, load[product], 0)


def _sell(shelves: Shelves, day: int, wanted: np.ndarray, first: int) -> None:
    """Serve order lines in turn while there is stock; who comes too late goes away with less or nothing."""
    if not len(wanted):
        return
    product, place, quantity = wanted.T
    key = product * 3 + place
    order = np.argsort(key, kind="stable")
    running = np.cumsum(quantity[order]) - quantity[order]
    starts = np.r_[True, np.diff(key[order]) != 0]
    before = running - np.maximum.accumulate(np.where(starts, running, 0))
    served = np.empty(len(wanted), int)
    served[order] = np.clip(shelves.hand[product[order], place[order]] - before, 0, quantity[order])
    np.subtract.at(shelves.hand, (product, place), served)
    np.add.at(shelves.sold, (product, np.full(len(product), day)), served)
    shelves.served[first : first + len(wanted)] = served
    for line in np.flatnonzero((served > 0) & (shelves.rng.random(len(wanted)) < 0.012)):
        back = min(day + int(shelves.rng.integers(1, 10)), DAYS - 1)
        if back > day and demand.is_open(shelves.calendar[back]):
            pieces = int(shelves.rng.integers(1, served[line] + 1))
            shelves.returns.setdefault(back, []).append((first + line, product[line], place[line], pieces))


def _take_back(shelves: Shelves, day: int) -> None:
    for line, product, place, pieces in shelves.returns.pop(day, []):
        shelves.write(day, _closing(shelves, day) + 5, "return", product, place, pieces, int(line))


def _count_and_break(shelves: Shelves, day: int) -> None:
    """After closing: a few shelves are counted, and now and then something is broken or gone."""
    rng, minute = shelves.rng, _closing(shelves, day) + 20
    live = np.argwhere(shelves.hand >= 4)
    live = live[~np.isin(shelves.habit.story.to_numpy()[live[:, 0]], ("new", "dead", "gap"))]
    for product, place in rng.permutation(live)[:3]:
        difference = int(rng.choice([-2, -1, 0, 0, 0, 0, 1, 1, 2]))
        if difference:
            shelves.write(day, minute, "count", product, place, difference, "Cycle count")
    if rng.random() < 0.45 and len(live):
        product, place = live[rng.integers(len(live))]
        if shelves.hand[product, place] >= 3:
            kind = "damage" if rng.random() < 0.85 else "loss"
            text = rng.choice(["Dropped", "Water damage", "Packaging torn", "Past its date"])
            text = str(text) if kind == "damage" else "Not found"
            shelves.write(day, minute + 10, kind, product, place, -int(rng.integers(1, 3)), text)


def _closing(shelves: Shelves, day: int) -> float:
    """Minute of the day at which the counter closes."""
    return 13 * 60.0 if shelves.calendar[day].weekday() == 5 else 17 * 60.0


def _order(shelves: Shelves, day: int, when: date, rates: np.ndarray) -> None:
    """Each vendor has its weekday: what would not last until the order after this one is ordered."""
    rng = shelves.rng
    lots = shelves.habit.lot.to_numpy()
    position = shelves.hand.sum(axis=1) + shelves.on_order
    level = rates * (shelves.lead_days + endings.REVIEW_DAYS + 10) + lots
    today_is_due = (shelves.vendor % 5) == when.weekday()
    alive = (shelves.habit.first_day <= day) & (shelves.habit.last_day > day)
    delays: dict[int, int] = {}
    for product in np.flatnonzero(today_is_due & alive & (position < level)):
        pieces = level[product] - position[product] + rates[product] * rng.uniform(25, 50) + lots[product]
        pieces = int(np.ceil(pieces / 10) * 10) if pieces > 40 else int(np.ceil(pieces))
        vendor = shelves.vendor[product]
        if vendor not in delays:
            delays[vendor] = _delay(shelves, product)
        arrives = day + max(int(shelves.lead_days[product]) + delays[vendor], 1)
        while arrives < DAYS and not demand.is_open(shelves.calendar[arrives]):
            arrives += 1
        shelves.on_order[product] += pieces
        shelves.deliveries.setdefault(arrives, []).append((product, pieces, day))
