"""From needs to what is done about them: levels of the whole shop, transfers, vendors and quantities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from core.buying.advice_inputs import Shop
from core.buying.advice_needs import ZERO, Need, Shelf, hand_over
from core.buying.advice_sources import Source, with_basket
from core.reorder import allocation, candidates, comparison, levels, quantities, transfers
from core.reorder.allocation import Allocation, Budget, Cost, Point, Service
from core.reorder.bulk import OneOff
from core.reorder.candidates import Costed
from core.reorder.levels import Curves
from core.reorder.outlook import outlook
from core.reorder.quantities import Holding

PERCENT = 100.0
LEAST_SHELF, MOST_SHELF = 0.5, 0.995  # of futures that a shelf which is supplied is to last for
HALF = 0.5
OUT_SHARE = 0.1  # nine of ten futures are on the safe side
MONEY = Decimal("0.0001")


@dataclass
class Plan:
    """What is done about one need. `wanted`: pieces up to the level, before any vendor's terms.

    `quantity` and `unit_cost` are what is ordered now, of `source`; `rows` the vendors compared for it; with
    `move` all of it comes from another warehouse instead. `service`: the share of the product's order lines
    that the level serves.
    """

    need: Need
    level: Decimal
    service: float | None
    wanted: Decimal
    in_time: Decimal
    source: Source | None
    rounded: Decimal = ZERO
    quantity: Decimal = ZERO
    unit_cost: Decimal | None = None
    rows: list[Costed] = field(default_factory=list)
    one_off: OneOff | None = None
    move: transfers.Move | None = None

    @property
    def value(self) -> Decimal:
        return (self.quantity * (self.unit_cost or ZERO)).quantize(MONEY)


@dataclass(frozen=True)
class Move:
    """A transfer to a shelf that runs low: `wanted` up to its level, `quantity` what the other can spare."""

    shelf: Shelf
    from_place: int
    level: Decimal
    in_time: Decimal
    wanted: Decimal
    quantity: Decimal


def prices(given: Shop, needs: Sequence[Need]) -> np.ndarray:
    """Money bound by a piece of each: the price at a usual quantity, else the product's cost, else what it
    sells for; nan where nothing is known."""
    return np.array([float(cost(given, need) or np.nan) for need in needs])


def cost(given: Shop, need: Need, quantity: Decimal | None = None) -> Decimal | None:
    """What a piece costs at a quantity (by default what is needed between two orders)."""
    product = given.products[need.product_id]
    if need.source is not None:
        usual = quantity if quantity is not None else Decimal(repr(need.expected(need.review)))
        found = quantities.price_at(
            quantities.orderable(max(usual, need.grain), need.source.candidate.terms),
            need.source.candidate.terms.steps,
        )
        if found is not None:
            return found.quantize(MONEY)
    return product["unit_cost"] if product["unit_cost"] is not None else product["unit_price"]


def shortages(given: Shop, needs: Sequence[Need]) -> np.ndarray:
    """What a missing piece of each costs; nan where it is not known."""
    found = []
    for need in needs:
        product = given.products[need.product_id]
        worth = comparison.shortage_cost(
            product["unit_price"], product["unit_cost"], given.settings.shortage_percent
        )
        found.append(np.nan if worth is None else float(worth))
    return np.array(found)


def allocate(
    given: Shop, needs: Sequence[Need], curves: Curves, ask: float
) -> tuple[Allocation, list[tuple[Point, int]]]:
    """The level of each need under the shop's goal, and what other goals would cost and leave uncovered.

    `ask` is the share of order lines to ask for, so that the shop's goal is what happens. Where the least
    cost is the goal and nobody knows what a missing piece of a product costs, that share is asked of it:
    taken for nothing, it would never be ordered.
    """
    money = prices(given, needs)
    floors = np.array([float(given.floors.get(need.product_id, 0)) / PERCENT for need in needs])
    sold = np.array([float(given.products[need.product_id]["unit_price"] or 0) for need in needs])
    front = allocation.frontier(curves, money, floors)
    points = [(point, _not_covered(front, point)) for point in allocation.curve(front, sold)]
    goal = given.settings.goal
    if goal == "cost":
        worth = shortages(given, needs)
        wanted = Cost(float(given.settings.holding_percent) / PERCENT, np.nan_to_num(worth))
        asked = np.where(np.isnan(worth), np.maximum(floors, ask), floors)
        return allocation.allocate(curves, money, wanted, asked), points
    if goal == "budget":
        return allocation.choose(front, Budget(float(given.settings.budget))), points
    return allocation.choose(front, Service(ask)), points


def _not_covered(front: allocation.Frontier, point: Point) -> int:
    """Products of which less than half of the order lines would be served."""
    own = allocation.choose(front, Service(min(point.service, 1.0))).own_service
    return int(np.count_nonzero(own < HALF))


def plan(given: Shop, need: Need, level: float, service: float) -> Plan:
    """What a need wants to reach its level; what arrives after the days it is to last for does not help."""
    return _wanting(given, need, _exact(level, need.decimals), service)


def by_threshold(given: Shop, need: Need) -> Plan:
    """What a product without a forecast wants: one piece more than its threshold, where it is at or below."""
    product = given.products[need.product_id]
    need.source = min(
        (source for source in need.sources if source.prices),
        key=lambda source: (
            source.vendor_id != product["preferred_vendor_id"], source.price_at(1.0), source.lead,
            source.vendor_id,
        ),
        default=None,
    )  # fmt: skip
    need.decimals = max(0, *(_decimals(one) for one in (need.on_hand, need.threshold or ZERO)))
    lead = need.source.leads if need.source is not None else [product["lead_time_days"]]
    need.leads = np.resize(lead, levels.LEAD_SCENARIOS)
    need.review = need.source.review_days if need.source is not None else given.settings.review_days
    position = need.on_hand + need.due_within(given.today, need.lead + need.review)
    level = ZERO
    if need.threshold and position <= need.threshold:
        level = need.threshold + need.grain
    return _wanting(given, need, level, None)


def _wanting(given: Shop, need: Need, level: Decimal, service: float | None) -> Plan:
    in_time = need.due_within(given.today, need.lead + need.review)
    wanted = max(level - need.on_hand - in_time, ZERO)
    made = Plan(need, level, service, wanted, in_time, need.source)
    if wanted > 0:
        _fill(made, quantities.orderable(wanted, _terms(made)), given)
    return made


def _fill(made: Plan, quantity: Decimal, given: Shop) -> None:
    made.rounded = made.quantity = quantity
    made.unit_cost = cost(given, made.need, quantity)


def _terms(made: Plan) -> quantities.Terms:
    if made.source is None:
        return quantities.Terms(decimals=made.need.decimals)
    return made.source.counted(made.need.decimals).terms


# -- What is ordered now, compared exactly -------------------------------------------------------------------


def settle(given: Shop, made: Plan, cumulative: np.ndarray | None, baskets: Mapping[int, Decimal]) -> None:
    """Choose the vendor by what an order costs in all, and the quantity that goes with it.

    Where another vendor wins than the level was made for, the level is made for that one's lead time, at the
    same service. `baskets`: how much is ordered of each vendor in all.
    """
    if not made.need.sources:
        return
    _compare(given, made, cumulative, baskets)
    winner = comparison.recommended(made.rows)
    if winner is None or made.source is None:
        return
    if winner.vendor_id != made.source.vendor_id:
        _switch(given, made, winner.vendor_id, cumulative)
        if made.wanted > 0:
            _compare(given, made, cumulative, baskets)
            winner = comparison.recommended(made.rows)
    _take(made, winner if made.wanted > 0 else None)


def basket_values(plans: Sequence[Plan]) -> dict[int, Decimal]:
    """How much would be ordered of each vendor in all."""
    found: dict[int, Decimal] = {}
    for made in plans:
        if made.source is not None:
            found[made.source.vendor_id] = found.get(made.source.vendor_id, ZERO) + made.value
    return found


def need_of(given: Shop, made: Plan, cumulative: np.ndarray | None) -> candidates.Need:
    """The need as vendors are compared for it."""
    need, product, settings = made.need, given.products[made.need.product_id], given.settings
    rate = Decimal(repr(round(need.expected(need.review) / need.review, 6))) if need.has_forecast else ZERO
    seen = None
    if cumulative is not None:
        receipts = [(max((day - given.today).days + 1, 1), float(much)) for day, much in need.due]
        seen = outlook(cumulative, float(need.on_hand), receipts)
    available = need.on_hand + sum((much for _, much in need.due), ZERO)
    return candidates.Need(
        today=given.today,
        quantity=made.wanted,
        review_days=need.review,
        holding=Holding(
            settings.holding_percent, rate,
            quantities.most_pieces(rate, settings.most_cover_days, available) if rate else None,
        ),
        shortage_cost=comparison.shortage_cost(
            product["unit_price"], product["unit_cost"], settings.shortage_percent
        ),
        outlook=seen,
        preferred_vendor_id=product["preferred_vendor_id"],
    )  # fmt: skip


def _compare(given: Shop, made: Plan, cumulative: np.ndarray | None, baskets: Mapping[int, Decimal]) -> None:
    offered = []
    for source in made.need.sources:
        others = baskets.get(source.vendor_id, ZERO)
        if made.source is source:
            others -= made.value
        offered.append(with_basket(source.counted(made.need.decimals), max(others, ZERO)))
    made.rows = comparison.compare(offered, need_of(given, made, cumulative))


def _switch(given: Shop, made: Plan, vendor_id: int, cumulative: np.ndarray | None) -> None:
    need = made.need
    need.source = made.source = next(one for one in need.sources if one.vendor_id == vendor_id)
    need.leads, need.review = made.source.leads, made.source.review_days
    hand_over(given, need)
    if cumulative is not None:
        made_curves = levels.curves(cumulative[None], need.leads[None], need.review, float(need.grain))
        lines = float(made_curves.lines[0])
        served = 1 - made_curves.lost_lines[0] / lines if lines > 0 else np.ones(made_curves.levels.shape[1])
        enough = np.flatnonzero(served >= made.service - allocation.NOTHING)
        made.level = _exact(float(made_curves.levels[0, enough[0] if len(enough) else -1]), need.decimals)
    made.in_time = need.due_within(given.today, need.lead + need.review)
    made.wanted = max(made.level - need.on_hand - made.in_time, ZERO)


def _take(made: Plan, winner: Costed | None) -> None:
    if winner is None:
        made.rounded = made.quantity = ZERO
        made.unit_cost = None
        return
    made.source = next(one for one in made.need.sources if one.vendor_id == winner.vendor_id)
    made.rounded, made.quantity = winner.choice.rounded, winner.quantity
    made.unit_cost = winner.unit_price.quantize(MONEY)


# -- Transfers within a group --------------------------------------------------------------------------------


def moves(given: Shop, need: Need, service: float | None, shelves: Mapping[int, Shelf]) -> list[Move]:
    """What goes from the warehouse that vendors deliver to, to those it supplies, as far as it can spare it.

    It keeps what its own customers want until the next transfer. Where there is too little for all, each gets
    the same share of what it wants.
    """
    root = shelves.get(need.warehouse_id)
    if root is None:
        return []
    share = min(max(service if service is not None else MOST_SHELF, LEAST_SHELF), MOST_SHELF)
    kept, _ = _shelf_level(root, share)
    spare = transfers.spare(root.need.on_hand, kept, need.decimals)
    asked: dict[int, tuple[Decimal, Decimal, Decimal]] = {}
    for place, shelf in shelves.items():
        if place != need.warehouse_id:
            level, in_time = _shelf_level(shelf, share, given)
            asked[place] = level, in_time, max(level - shelf.need.on_hand - in_time, ZERO)
    parts = transfers.shared(spare, {place: wanted for place, (*_, wanted) in asked.items()}, need.decimals)
    return [
        Move(shelves[place], need.warehouse_id, level, in_time, wanted, min(parts[place], wanted))
        for place, (level, in_time, wanted) in asked.items()
    ]


def _shelf_level(shelf: Shelf, share: float, given: Shop | None = None) -> tuple[Decimal, Decimal]:
    need = shelf.need
    in_time = ZERO
    if given is not None:
        days = given.settings.transfer_days + given.settings.review_days
        in_time = need.due_within(given.today, days)
    if shelf.cycle_demand is not None:
        return shelf.level(share), in_time
    if need.threshold and need.on_hand + in_time <= need.threshold:
        return need.threshold + need.grain, in_time
    return need.threshold or ZERO, in_time


# -- When --------------------------------------------------------------------------------------------------


def order_by(given: Shop, made: Plan) -> date | None:
    """The last day to send an order so that it arrives before the stock is used up in nine of ten futures.

    None when that lies beyond the forecast. In the past when the day was missed.
    """
    need = made.need
    if need.on_hand <= 0 or not need.has_forecast:
        return given.today if need.on_hand <= 0 and made.wanted > 0 else None
    wait = 0
    if made.source is not None:
        wait = (made.source.candidate.arrival.sent_on - given.today).days
    horizon = len(need.mean)
    out = np.where(need.out > horizon, np.inf, need.out)
    leads = need.leads - wait
    if leads[0] == leads[-1]:  # they are in rising order: all of them are the same
        leads = leads[:1]
    slack = (out[:, None] - leads[None, :]).ravel()
    rank = max(int(np.ceil(OUT_SHARE * len(slack))) - 1, 0)
    latest = np.partition(slack, rank)[rank]
    if not np.isfinite(latest):
        return None
    by = given.today + timedelta(days=int(latest))
    if made.source is None:
        return by
    arrival = made.source.candidate.arrival
    return made.source.send_by(by + timedelta(days=(arrival.on - arrival.sent_on).days), given.today)


def next_need(given: Shop, made: Plan) -> tuple[date | None, Decimal]:
    """The first day on which something is to be ordered, and how much it would be then."""
    need = made.need
    if made.quantity > 0:
        return given.today, made.quantity
    if not need.has_forecast or made.level <= 0:
        return None, ZERO
    slack = float(need.on_hand + made.in_time - made.level)
    short = need.mean - slack
    reached = np.flatnonzero(short >= float(need.grain) - levels.FINE)
    if not len(reached):
        return None, ZERO
    days = int(reached[0]) + 1
    review = given.settings.review_days
    then = min(-(-days // review) * review, len(short))  # on the day on which is ordered again
    missing = max(_exact(float(short[then - 1]), need.decimals), need.grain)
    return given.today + timedelta(days=days), quantities.orderable(missing, _terms(made))


def _exact(number: float, decimals: int) -> Decimal:
    return Decimal(f"{number:.{decimals}f}")


def _decimals(number: Decimal) -> int:
    return max(-number.normalize().as_tuple().exponent, 0)
