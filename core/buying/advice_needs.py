"""What every planning place needs, from its demand paths: when it is out, what is lost, what levels would do.

Of the paths of a product only this summary stays: all of them at once would take gigabytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from core.buying.advice_inputs import Due, Lying, Paths, Shop
from core.buying.advice_sources import Source
from core.forecast.depletion import TOLERANCE, available_by_day, first_passage
from core.reorder import comparison, levels
from core.reorder.levels import Curves

ZERO = Decimal(0)
LARGEST = int(np.iinfo(np.int32).max)


@dataclass
class Need:
    """One product in one place that is planned for: a warehouse that vendors deliver to, with all it supplies
    (`members`), or a supplied one alone.

    `mean`: expected demand up to the end of each day from today. `out`: the days on which the futures have
    used up the stock, in rising order (0: nothing is there; days + 1: never). `lost`: units expected to be
    lost before something comes after n days, n from 0 to the slowest vendor's. `leads`: equally likely days
    until an order of today arrives; `review`: days after that until the next one; `handover` of them pass
    inside the shop. Without a forecast there are none.
    """

    product_id: int
    warehouse_id: int
    members: tuple[int, ...]
    on_hand: Decimal
    due: Due
    threshold: Decimal | None
    decimals: int = 0
    mean: np.ndarray | None = None
    out: np.ndarray | None = None
    lost: np.ndarray | None = None
    leads: np.ndarray | None = None
    review: int = 1
    handover: int = 0
    sources: list[Source] = field(default_factory=list)
    source: Source | None = None
    is_short: bool = False

    @property
    def has_forecast(self) -> bool:
        return self.mean is not None

    @property
    def grain(self) -> Decimal:
        return Decimal(1).scaleb(-self.decimals)

    @property
    def lead(self) -> int:
        """The middle number of days until an order of today arrives."""
        return int(self.leads[len(self.leads) // 2])

    @property
    def late_lead(self) -> int:
        """The slow end of it."""
        return int(self.leads[-1])

    def expected(self, days: int) -> float:
        """Expected demand of the next days, at most of the horizon."""
        reach = min(days, len(self.mean))
        return float(self.mean[reach - 1]) if reach > 0 else 0.0

    def due_within(self, today: date, days: int) -> Decimal:
        """What arrives in time to serve the next days; what is overdue counts as arriving today."""
        until = today + timedelta(days=days - 1)
        return sum((much for day, much in self.due if day <= until), ZERO)

    def chance_by(self, day: int) -> float:
        """The chance that the stock is used up by the end of the n-th day."""
        return float(np.searchsorted(self.out, min(day, len(self.mean)), side="right") / len(self.out))

    def lost_by(self, day: int) -> float:
        """Units expected to be lost before something comes on the n-th day."""
        return float(self.lost[min(max(day, 0), len(self.lost) - 1)])

    def chance(self) -> float:
        """The chance to run out before an order of today arrives, by the chosen source's lead times."""
        reach = np.minimum(self.leads - self.handover, len(self.mean))
        return float(np.searchsorted(self.out, reach, side="right").mean() / len(self.out))

    def lost_units(self) -> float:
        """Units expected to be lost before an order of today arrives."""
        reach = np.minimum(self.leads - self.handover, len(self.lost) - 1)
        return float(self.lost[reach].mean())

    def out_on(self, share: float, today: date) -> date | None:
        """The day by whose end the stock is used up in this share of futures; None beyond the horizon."""
        rank = max(int(np.ceil(share * len(self.out))) - 1, 0)
        day = int(self.out[rank])
        return today + timedelta(days=max(day, 1) - 1) if day <= len(self.mean) else None


@dataclass
class Shelf:
    """A warehouse of a group with several: what it may want from the one that supplies it, or keeps itself.

    `cycle_demand`: demand until after the next transfer, one number a future, in rising order.
    """

    need: Need
    cycle_demand: np.ndarray | None = None

    def level(self, share: float) -> Decimal:
        """So much that this share of futures is served until the transfer after this one."""
        rank = max(int(np.ceil(share * len(self.cycle_demand))) - 1, 0)
        grain = float(self.need.grain)
        wanted = np.ceil(float(self.cycle_demand[rank]) / grain - levels.FINE) * grain
        return Decimal(repr(float(wanted))).quantize(self.need.grain)


@dataclass
class Found:
    """What came of some products: needs that vendors can answer, those whose levels are known with their
    curves, in the same order, and the shelves of groups by product and warehouse."""

    needs: list[Need]
    with_curves: list[Need]
    curves: list[Curves]
    shelves: dict[tuple[int, int], Shelf]


def of(given: Shop, part: Sequence[int], paths: dict[int, Paths], sources: dict[int, list[Source]]) -> Found:
    """The needs of some products, in the shop's order."""
    found = Found([], [], [], {})
    drawn: list[np.ndarray] = []
    for product_id in part:
        for root, members in given.groups.items():
            lying = {place: given.lying.get(product_id, {}).get(place) for place in members}
            known = paths.get(product_id)
            if not any(lying.values()) and (known is None or pooled(given, root, known) is None):
                continue
            need = _need(given, product_id, root, members, lying)
            need.sources = sources.get(product_id, [])
            found.needs.append(need)
            whole = pooled(given, root, known) if known is not None else None
            if whole is not None:
                need.decimals = known.decimals
                found.with_curves.append(need)
                drawn.append(whole)
            if len(members) > 1:
                _shelve(given, need, lying, known, found.shelves)
    _work_out(given, found, drawn)
    return found


def _need(
    given: Shop, product_id: int, place: int, members: tuple[int, ...], lying: dict[int, Lying | None]
) -> Need:
    there = [one for one in lying.values() if one is not None]
    own = lying.get(place)
    due = sorted((arrival for one in there for arrival in one.due), key=lambda arrival: arrival[0])
    threshold = own.threshold if own is not None else None
    if threshold is None and place in given.groups:
        threshold = given.products[product_id]["reorder_threshold"]
    return Need(product_id, place, members, sum((one.on_hand for one in there), ZERO), tuple(due), threshold)


def pooled(given: Shop, root: int, known: Paths) -> np.ndarray | None:
    """Cumulative demand paths of a group; None where there is no forecast.

    Those of the shop when the group is all of it, else the sum of its places.
    """
    if given.is_whole(root) and known.whole is not None:
        return known.whole
    drawn = [known.places[place] for place in given.groups[root] if place in known.places]
    if not drawn:
        return None
    days = min(one.shape[1] for one in drawn)
    paths = min(len(one) for one in drawn)
    return sum(one[:paths, :days] for one in drawn)


def _shelve(
    given: Shop,
    need: Need,
    lying: dict[int, Lying | None],
    known: Paths | None,
    shelves: dict[tuple[int, int], Shelf],
) -> None:
    days = given.settings.transfer_days
    for place in need.members:
        drawn = known.places.get(place) if known is not None else None
        if lying[place] is None and drawn is None:
            continue
        shelf = Shelf(_need(given, need.product_id, place, (place,), {place: lying[place]}))
        if drawn is not None:
            own = shelf.need
            own.decimals, own.review = known.decimals, given.settings.review_days
            own.leads = np.full(levels.LEAD_SCENARIOS, days)
            reach = min(days + own.review, drawn.shape[1])
            shelf.cycle_demand = np.sort(drawn[:, reach - 1])
            _sum_up(given, own, drawn)
        shelves[need.product_id, place] = shelf


def _work_out(given: Shop, found: Found, drawn: list[np.ndarray]) -> None:
    """Summaries first, then who would deliver, then what levels would do with those lead times."""
    by_review: dict[tuple[tuple[int, ...], int], list[int]] = {}
    for place, need in enumerate(found.with_curves):
        _sum_up(given, need, drawn[place])
        choose(given, need)
        by_review.setdefault((drawn[place].shape, need.review), []).append(place)
    ordered: list[Need] = []
    for (_, review), rows in by_review.items():
        needs = [found.with_curves[row] for row in rows]
        reach = max(int(need.leads[-1]) for need in needs) + review  # later days are not asked
        made = levels.curves(
            np.stack([drawn[row][:, :reach] for row in rows]),
            np.stack([need.leads for need in needs]),
            review,
            np.array([float(need.grain) for need in needs]),
        )
        for need, is_short in zip(needs, made.is_short, strict=True):
            need.is_short = bool(is_short)
        found.curves.append(made)
        ordered += needs
    found.with_curves = ordered


def _sum_up(given: Shop, need: Need, cumulative: np.ndarray) -> None:
    """Set mean, out and lost from demand paths."""
    days = cumulative.shape[1]
    stock = float(need.on_hand)
    # What is lost later than the slowest vendor delivers is nobody's matter.
    slowest = [given.products[need.product_id]["lead_time_days"], given.settings.transfer_days]
    reach = min(max(1, *slowest, *(int(source.leads[-1]) for source in need.sources)), days)
    if need.due:
        receipts = [(max((day - given.today).days + 1, 1), float(much)) for day, much in need.due]
        available = available_by_day(stock, receipts, days)
        out = first_passage(cumulative, available)
        worst = np.maximum(cumulative[:, :reach] - available[:reach], 0.0)
        np.maximum.accumulate(worst, axis=1, out=worst)
        need.lost = np.concatenate([[0.0], worst.mean(axis=0)])
    else:  # demand so far never falls, so neither does what is lost: most products are this quick
        out = _first_passage(cumulative, stock)
        need.lost = np.concatenate([[0.0], _lost(cumulative[:, :reach], stock)])
    need.mean = _mean(cumulative)
    need.out = np.sort(out) if stock > 0 else np.zeros(len(cumulative), int)


def _first_passage(cumulative: np.ndarray, stock: float) -> np.ndarray:
    """As `depletion.first_passage`, where nothing arrives; whole numbers are compared as such."""
    limit = stock - TOLERANCE
    if cumulative.dtype == np.int32:
        limit = min(max(int(np.ceil(limit)), 0), LARGEST)
    reached = cumulative >= limit
    return np.where(reached[:, -1], reached.argmax(axis=1), cumulative.shape[1]) + 1


def _lost(cumulative: np.ndarray, stock: float) -> np.ndarray:
    """Units lost on average by the end of each day, where nothing arrives."""
    if cumulative.max(initial=0) <= stock:
        return np.zeros(cumulative.shape[1])
    if cumulative.dtype == np.int32 and stock.is_integer():
        return _mean(np.maximum(cumulative, int(stock))) - stock
    return np.maximum(cumulative - stock, 0.0).mean(axis=0)


def _mean(cumulative: np.ndarray) -> np.ndarray:
    """The mean of the paths; whole numbers that are small enough are added up as such, which is exact."""
    if cumulative.dtype == np.int32 and int(cumulative.max(initial=0)) * len(cumulative) <= LARGEST:
        return np.add.reduce(cumulative, axis=0, dtype=np.int32) / len(cumulative)
    return cumulative.mean(axis=0)


def choose(given: Shop, need: Need) -> None:
    """Set who would probably deliver, and with which lead times: the vendor with the least rough cost.

    Freight and the work of an order count as shared with the rest of the basket; the exact comparison of what
    is ordered comes later.
    """
    product = given.products[need.product_id]
    shortage = comparison.shortage_cost(
        product["unit_price"], product["unit_cost"], given.settings.shortage_percent
    )

    def cost(source: Source) -> tuple:
        days = source.lead + source.review_days
        missing = need.expected(days) - float(need.on_hand + need.due_within(given.today, days))
        wanted = max(missing, need.expected(source.review_days))
        price = source.price_at(wanted)
        lost = need.lost_by(source.lead) * float(shortage or 0)
        is_preferred = source.vendor_id == product["preferred_vendor_id"]
        return price is None, not is_preferred, wanted * (price or 0.0) + lost, source.lead, source.vendor_id

    need.source = min(need.sources, key=cost, default=None)
    if need.source is not None:
        need.leads, need.review = need.source.leads, need.source.review_days
    else:
        lead = product["lead_time_days"]
        need.leads = np.full(levels.LEAD_SCENARIOS, lead)
        need.review = given.settings.review_days
    hand_over(given, need)


def hand_over(given: Shop, need: Need) -> None:
    """What arrives goes on to the places that are supplied, which takes days too."""
    need.handover = given.settings.transfer_days if len(need.members) > 1 else 0
    need.leads = need.leads + need.handover
