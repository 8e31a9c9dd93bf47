"""A product's vendors beside each other: what an order there would cost in all, and whom to take.

The same arithmetic as in advice (`core/reorder/comparison.py`), for one product and everything at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import inputs, paths, posting, predictions, shop
from core.buying import advice_sources, buying_settings, offers, supply
from core.buying.buying_settings import Settings
from core.buying.offers import Offer
from core.errors import NotFound
from core.forecast.depletion import RATE_DAYS, Receipts
from core.forecast.history import decimals_of
from core.reorder import comparison, quantities, receipts, splits
from core.reorder.candidates import Candidate, Costed, Need
from core.reorder.outlook import Outlook, outlook
from core.reorder.quantities import Holding
from core.reorder.splits import Split
from db.models import Advice, AdviceRun, Product

ADVISED, ASKED, UNTIL_REVIEW, ONE = "advised", "asked", "until the next review", "one"
RATE_STEP = 6  # decimals of a daily rate


@dataclass(frozen=True)
class Row:
    """One vendor: what it asks (`offer`, in its own currency) and what an order would come to (`costed`, in
    the shop's)."""

    offer: Offer
    costed: Costed


@dataclass(frozen=True)
class Comparison:
    """The vendors of one product, best first, for `quantity` pieces.

    `basis` says where the quantity is from: advised, asked, until the next review (what is expected to sell
    until then), or one (no forecast). `split`: two orders that beat one. `daily_rate` is None without a
    forecast. Money is in `currency`, the shop's.
    """

    product_id: int
    sku: str
    warehouse_id: int | None
    quantity: Decimal
    basis: str
    currency: str
    daily_rate: Decimal | None
    rows: tuple[Row, ...]
    split: Split | None

    @property
    def recommended(self) -> Row | None:
        """The row that is recommended; None where no vendor has a price."""
        return next((row for row in self.rows if row.costed.is_recommended), None)


@dataclass(frozen=True)
class Place:
    """What is known of the place one buys for; `cumulative` are its demand paths, None without a forecast."""

    on_hand: Decimal
    due: Decimal
    receipts: Receipts
    cumulative: np.ndarray | None
    decimals: int


def of_product(
    session: Session,
    product_id: int,
    today: date,
    warehouse_id: int | None = None,
    quantity: Decimal | int | str | None = None,
) -> Comparison:
    """Compare the vendors of a product, for the shop or for one warehouse with all it supplies.

    Without a quantity that of the current advice counts, before any vendor's terms; where nothing is advised,
    what is expected to sell until the next review. No vendor: no rows.

    Raises:
        NotFound: there is no such product or warehouse.
        BadInput: the quantity is not above zero.
    """
    product = session.get(Product, inputs.small_id(product_id, "product"))
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    asked = None if quantity is None else posting.positive(quantity)
    members = _members(session, warehouse_id)
    settings = buying_settings.get(session)
    place = _place(session, product.id, today, members)
    found = offers.current(session, [product.id], today)
    wanted, basis = _wanted(session, product.id, members, place, settings, asked)
    rate = _rate(place.cumulative)
    need = Need(
        today=today,
        quantity=wanted,
        review_days=settings.review_days,
        holding=_holding(settings, rate, place),
        shortage_cost=comparison.shortage_cost(
            product.unit_price, product.unit_cost, settings.shortage_percent
        ),
        outlook=_outlook(place),
        preferred_vendor_id=product.preferred_vendor_id,
    )
    others = other_values(session, product.id)
    rows = comparison.compare(_candidates(found, place.decimals, settings, today, others), need)
    offer_of = {offer.vendor_id: offer for offer in found}
    return Comparison(
        product_id=product.id,
        sku=product.sku,
        warehouse_id=warehouse_id,
        quantity=wanted,
        basis=basis,
        currency=shop.get(session).currency,
        daily_rate=rate,
        rows=tuple(Row(offer_of[row.vendor_id], row) for row in rows),
        split=splits.best_split(rows, need),
    )


def other_values(session: Session, product_id: int) -> dict[int, Decimal]:
    """What is advised to be ordered now beside this product, by vendor: freight and limits are shared."""
    question = (
        select(Advice.vendor_id, func.sum(Advice.value))
        .join(AdviceRun, AdviceRun.id == Advice.run_id)
        .where(AdviceRun.is_current, Advice.action == "order", Advice.product_id != product_id)
        .where(Advice.vendor_id.is_not(None))
        .group_by(Advice.vendor_id)
    )
    return dict(session.execute(question).all())


def _candidates(
    found: Sequence[Offer],
    decimals: int,
    settings: Settings,
    today: date,
    others: Mapping[int, Decimal],
) -> list[Candidate]:
    candidates = []
    for offer in found:
        source = advice_sources.of_offer(offer, settings.review_days, today)
        candidates.append(
            replace(
                source.counted(decimals),
                other_value=others.get(offer.vendor_id, Decimal(0)),
                cover_days=source.review_days,
            )
        )
    return candidates


# -- What is there, and what is needed -----------------------------------------------------------------------


def _members(session: Session, warehouse_id: int | None) -> tuple[int, ...] | None:
    """The warehouses one buys for together with this one, the one vendors deliver to first; None: the whole
    shop."""
    groups = supply.groups(session)
    if warehouse_id is None:
        return next(iter(groups.values())) if len(groups) == 1 else None
    inputs.small_id(warehouse_id, "warehouse")
    members = next((places for places in groups.values() if warehouse_id in places), None)
    if members is None:
        raise NotFound(f"There is no warehouse {warehouse_id} in use.")
    return members


def _place(session: Session, product_id: int, today: date, members: tuple[int, ...] | None) -> Place:
    lines = paths.lines(session, [product_id], today)
    plan = paths.plans(lines, today).get(product_id)
    whole = lines[0]
    places = [line for line in lines if line["warehouse_id"] is not None]
    inside = places if members is None else [line for line in places if line["warehouse_id"] in members]
    is_whole = members is None or len(inside) == len(places)
    drawn = [whole] if is_whole and whole["paths"] is not None else inside
    known = [paths.demand(line, today, plan) for line in drawn if line["paths"] is not None]
    known = [one for one in known if one.shape[1]] if whole["is_active"] else []
    cumulative = _pooled(known)
    coming = [arrival for line in inside for arrival in paths.receipts(line, today)]
    due = sum((much for line in inside for _, much in paths.due(line)), Decimal(0))
    on_hand = sum((line["on_hand"] for line in inside), Decimal(0))
    computed = [paths.from_today(line, today).ravel() for line in drawn if line["paths"] is not None]
    decimals = decimals_of(np.concatenate([*computed, [float(on_hand)]]))
    return Place(on_hand, due, coming, cumulative, decimals)


def _pooled(known: list[np.ndarray]) -> np.ndarray | None:
    """Index by index: the same future in every place."""
    if not known:
        return None
    numbers, days = (min(one.shape[axis] for one in known) for axis in (0, 1))
    return sum(one[:numbers, :days] for one in known)


def _outlook(place: Place) -> Outlook | None:
    if place.cumulative is None:
        return None
    return outlook(place.cumulative, float(place.on_hand), place.receipts)


def _rate(cumulative: np.ndarray | None) -> Decimal | None:
    """Expected pieces a day in the next weeks."""
    if cumulative is None:
        return None
    days = min(RATE_DAYS, cumulative.shape[1])
    return predictions.rounded(float(cumulative[:, days - 1].mean()) / days, RATE_STEP)


def _holding(settings: Settings, rate: Decimal | None, place: Place) -> Holding:
    if rate is None:
        return Holding(settings.holding_percent, Decimal(0))
    most = quantities.most_pieces(rate, settings.most_cover_days, place.on_hand + place.due)
    return Holding(settings.holding_percent, rate, most)


def _wanted(
    session: Session,
    product_id: int,
    members: tuple[int, ...] | None,
    place: Place,
    settings: Settings,
    asked: Decimal | None,
) -> tuple[Decimal, str]:
    if asked is not None:
        return asked, ASKED
    advised = _advised(session, product_id, members)
    if advised > 0:
        return advised, ADVISED
    grain = Decimal(1).scaleb(-place.decimals)
    if place.cumulative is None:
        return grain, ONE
    days = min(settings.review_days, place.cumulative.shape[1])
    expected = Decimal(float(place.cumulative[:, days - 1].mean()))
    return max(quantities.up_to(expected.quantize(receipts.STEP), grain), grain), UNTIL_REVIEW


def _advised(session: Session, product_id: int, members: tuple[int, ...] | None) -> Decimal:
    """What the current advice wants to order, before any vendor's terms; 0 where it wants nothing."""
    question = (
        select(Advice.terms)
        .join(AdviceRun, AdviceRun.id == Advice.run_id)
        .where(AdviceRun.is_current, Advice.product_id == product_id, Advice.action == "order")
    )
    if members is not None:
        question = question.where(Advice.warehouse_id == members[0])
    kept = session.scalars(question)
    return sum((receipts.before_terms(receipts.read(terms)) for terms in kept), Decimal(0))
