"""What known events do to the demand to come: the stated effect, or the one learned from earlier ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import demand_days
from core.demand_days import Days
from core.forecast import events
from core.forecast.events import Seen
from db.models import DemandEvent, Product, StockDay, Warehouse

LESSON_PRODUCTS = 300  # evenly picked: their common effect is known well, and looking takes a moment
PRODUCTS_AT_ONCE = 1000  # so that a large shop's days fit in memory
SHARE_DAYS = 90


@dataclass(frozen=True)
class Lesson:
    """What earlier events of one name and kind did: demand times `factor`, and what that is learned from."""

    factor: float
    days: int
    events: int
    products: int


def coming(
    session: Session,
    as_of: date,
    horizon_days: int,
    *,
    product_ids: Sequence[int] | None = None,
    by_warehouse: bool = False,
) -> dict[str, np.ndarray]:
    """Factors on the demand of the days after `as_of` (horizon_days,), by unique_id as in `demand.frame`.

    Only for what an event is coming up for. A closed day has the factor 0; where events meet, their factors
    are multiplied. An event in one warehouse acts on the whole product by the share that the warehouse had in
    its demand of the last 90 days. One product gets the same as among all.
    """
    first = as_of + timedelta(days=1)
    ahead = demand_days.events_between(session, first, as_of + timedelta(days=horizon_days))
    factors: dict[str, np.ndarray] = {}
    taught: dict[tuple, dict[int, float]] = {}  # a weekly market comes up seventeen times and is learned once
    for event in ahead:
        same = (event.name.lower(), event.kind, event.effect_percent, event.product_id, event.category)
        if same not in taught:
            taught[same] = _by_product(session, event, as_of, product_ids)
        begin, end = max((event.starts_on - first).days, 0), (event.ends_on - first).days + 1
        for unique_id, factor in _factors(session, event, as_of, taught[same], by_warehouse=by_warehouse):
            if factor != 1.0:
                factors.setdefault(unique_id, np.ones(horizon_days))[begin:end] *= factor
    return factors


def lesson(session: Session, event_name: str, kind: str, as_of: date) -> Lesson:
    """What the days of events of this name and kind up to `as_of` teach; factor 1 from 0 days without any."""
    earlier = _earlier(session, event_name, kind, as_of)
    found = _look(session, earlier, as_of, _evenly(_products(session, earlier)))
    return Lesson(
        factor=events.common_factor([seen for seen, _ in found.values()]),
        days=len({day for _, days in found.values() for day in days}),
        events=sum(
            any(event.starts_on <= day <= event.ends_on for _, days in found.values() for day in days)
            for event in earlier
        ),
        products=len(found),
    )


# -- The factor of one event ---------------------------------------------------------------------------------


def _factors(
    session: Session, event: DemandEvent, as_of: date, by_product: dict[int, float], *, by_warehouse: bool
) -> Iterable[tuple[str, float]]:
    """(unique_id, factor) of an event, from its factor on each product where it happens."""
    if by_warehouse:
        places = (
            [event.warehouse_id] if event.warehouse_id is not None else session.scalars(select(Warehouse.id))
        )
        for place in list(places):
            yield from ((f"{product}:{place}", factor) for product, factor in by_product.items())
    elif event.warehouse_id is None:
        yield from ((str(product), factor) for product, factor in by_product.items())
    else:
        shares = _shares(session, event.warehouse_id, as_of, list(by_product))
        for product, factor in by_product.items():
            yield str(product), events.of_shop(factor, shares.get(product, 0.0))


def _by_product(
    session: Session, event: DemandEvent, as_of: date, asked: Sequence[int] | None
) -> dict[int, float]:
    """The factor on each product that an event is about."""
    products = _products(session, [event])
    if asked is not None:
        products = sorted({*products} & {*asked})
    if not products:
        return {}
    if event.kind == "closed":
        return dict.fromkeys(products, 0.0)
    if event.effect_percent is not None:
        return dict.fromkeys(products, 1.0 + float(event.effect_percent) / 100.0)
    common = lesson(session, event.name, event.kind, as_of)
    factors = dict.fromkeys(products, common.factor)
    if not common.days:
        return factors
    earlier = _earlier(session, event.name, event.kind, as_of)
    for start in range(0, len(products), PRODUCTS_AT_ONCE):
        found = _look(session, earlier, as_of, products[start : start + PRODUCTS_AT_ONCE])
        factors |= {product: events.own_factor(seen, common.factor) for product, (seen, _) in found.items()}
    return factors


def _shares(session: Session, warehouse_id: int, as_of: date, products: Sequence[int]) -> dict[int, float]:
    """Share of a warehouse in the demand of each product over the last 90 days."""
    here = func.sum(StockDay.demand).filter(StockDay.warehouse_id == warehouse_id)
    question = (
        select(StockDay.product_id, here, func.sum(StockDay.demand))
        .where(
            StockDay.product_id.in_(products),
            StockDay.day > as_of - timedelta(days=SHARE_DAYS),
            StockDay.day <= as_of,
        )
        .group_by(StockDay.product_id)
    )
    return {
        product: min(max(float(sold or 0) / float(total), 0.0), 1.0)
        for product, sold, total in session.execute(question)
        if total > 0
    }


# -- Learning from earlier ones ------------------------------------------------------------------------------


def _earlier(session: Session, event_name: str, kind: str, as_of: date) -> list[DemandEvent]:
    return list(
        session.scalars(
            select(DemandEvent)
            .where(
                DemandEvent.removed_at.is_(None),
                func.lower(DemandEvent.name) == event_name.lower(),
                DemandEvent.kind == kind,
                DemandEvent.starts_on <= as_of,
            )
            .order_by(DemandEvent.starts_on, DemandEvent.id)
        )
    )


def _products(session: Session, about: Sequence[DemandEvent]) -> list[int]:
    """Ids of the products that these events are about."""
    question = select(Product.id).order_by(Product.id)
    if not any(event.product_id is None and event.category is None for event in about):
        question = question.where(
            Product.id.in_([event.product_id for event in about if event.product_id is not None])
            | Product.category.in_([event.category for event in about if event.category is not None])
        )
    return list(session.scalars(question))


def _evenly(products: list[int]) -> list[int]:
    if len(products) <= LESSON_PRODUCTS:
        return products
    return [products[i] for i in np.linspace(0, len(products) - 1, LESSON_PRODUCTS).astype(int)]


def _look(
    session: Session, earlier: Sequence[DemandEvent], as_of: date, products: Sequence[int]
) -> dict[int, tuple[Seen, list[date]]]:
    """Each product on its days of these events, and which days those were; without any it is not there."""
    apart = any(event.warehouse_id is not None for event in earlier)
    known = demand_days.look(session, as_of, product_ids=products, by_warehouse=apart) if earlier else None
    if known is None:
        return {}
    category_of = {
        row.id: row.category
        for row in session.execute(select(Product.id, Product.category).where(Product.id.in_(products)))
    }
    found: dict[int, tuple[Seen, list[date]]] = {}
    for row, unique_id in enumerate(known.ids):
        product, _, place = unique_id.partition(":")
        mine = [
            event for event in earlier
            if event.product_id in (None, int(product))
            and event.category in (None, category_of[int(product)])
            and event.warehouse_id in (None, int(place or 0))
        ]  # fmt: skip
        days = _event_days(known, row, mine)
        if days.size:
            seen = events.look_at(known.demand[row], known.seen[row], known.end.weekday(), days)
            on = [known.start + timedelta(days=int(day)) for day in days]
            before, days_before = found.get(int(product), (Seen(0.0, 0.0, seen.size), []))
            together = Seen(before.asked + seen.asked, before.usual + seen.usual, before.size or seen.size)
            found[int(product)] = together, days_before + on
    return found


def _event_days(known: Days, row: int, mine: Sequence[DemandEvent]) -> np.ndarray:
    """Places of the days of these events on which demand could be seen."""
    on = np.zeros(known.demand.shape[1], bool)
    for event in mine:
        on[known.columns(event.starts_on, event.ends_on)] = True
    on[: known.first[row]] = False
    return np.flatnonzero(on & known.in_stock[row] & ~(known.left_out | known.closed)[row])
