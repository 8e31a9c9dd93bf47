"""What advice is worked out from: one look at the shop, and the demand paths some products at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import paths, shop
from core.buying import buying_settings, service_rules, supply
from core.buying.buying_settings import Settings
from core.forecast.packing import HEADER, decode
from db import queries
from db.models import Forecast, ForecastEdit, Warehouse

CHUNK_PRODUCTS = 200  # whose paths are held at once, and of the next ones: about 40 MB as small numbers
_A_WEEK = timedelta(days=7)
Due = tuple[tuple[date, Decimal], ...]


@dataclass(frozen=True)
class Lying:
    """What lies of a product in one warehouse, what is on its way there, and its threshold there."""

    on_hand: Decimal
    due: Due
    threshold: Decimal | None


@dataclass(frozen=True)
class Shop:
    """The shop as it is at one moment, without paths.

    `groups`: the warehouses one buys for together, by the one vendors deliver to. `products`: rows of the
    question advice_products by id, `lying` by product and warehouse. `floors`: what is asked of products at
    least, in percent.
    """

    today: date
    currency: str
    settings: Settings
    groups: Mapping[int, tuple[int, ...]]
    codes: Mapping[int, str]
    products: Mapping[int, Any]
    lying: Mapping[int, Mapping[int, Lying]]
    floors: Mapping[int, Decimal]

    def is_whole(self, root: int) -> bool:
        """Whether buying for this warehouse is buying for the whole shop."""
        return len(self.groups[root]) == len(self.codes)


@dataclass(frozen=True)
class Paths:
    """Demand paths of one product from today on: cumulative (paths, days), day 1 being today.

    `whole` is that of the shop, `places` those of single warehouses as far as anybody asks for them; a
    warehouse without a forecast is not in it. `decimals` are those that the product's demand has.
    """

    whole: np.ndarray | None
    places: dict[int, np.ndarray] = field(default_factory=dict)
    decimals: int = 0


def look(session: Session, today: date, product_ids: Sequence[int] | None = None) -> Shop:
    """Everything but the paths, of all active products or of some."""
    settings = shop.get(session)
    ids = list(product_ids) if product_ids is not None else None
    lying: dict[int, dict[int, Lying]] = {}
    for row in queries.rows(session, "advice_stock", product_ids=ids):
        due = tuple((date.fromisoformat(day), Decimal(much)) for day, much in row["due"] or ())
        lying.setdefault(row["product_id"], {})[row["warehouse_id"]] = Lying(
            row["on_hand"], due, row["threshold"]
        )
    codes = select(Warehouse.id, Warehouse.code).where(Warehouse.is_active)
    return Shop(
        today=today,
        currency=settings.currency,
        settings=buying_settings.get(session),
        groups=supply.groups(session),
        codes=dict(session.execute(codes).all()),
        products={
            row["product_id"]: row for row in queries.rows(session, "advice_products", product_ids=ids)
        },
        lying=lying,
        floors=service_rules.floors(session, ids),
    )


def chunks(
    session: Session, given: Shop, product_ids: Sequence[int] | None = None
) -> Iterator[tuple[list[int], dict[int, Paths]]]:
    """The products (all, or these) in parts, with the paths of those whose forecast reaches today."""
    ids = list(given.products) if product_ids is None else list(product_ids)
    for start in range(0, len(ids), CHUNK_PRODUCTS):
        part = ids[start : start + CHUNK_PRODUCTS]
        yield part, _paths(session, given, part)


def reasons(session: Session, product_ids: Sequence[int]) -> dict[int, str]:
    """Why products have no forecast, as far as a training said so."""
    found = session.execute(
        select(Forecast.product_id, Forecast.reason).where(
            Forecast.product_id.in_(list(product_ids)),
            Forecast.warehouse_id.is_(None),
            Forecast.is_current,
            Forecast.state != "ok",
        )
    )
    return dict(found.all())


def _paths(session: Session, given: Shop, part: Sequence[int]) -> dict[int, Paths]:
    several = len(given.codes) > 1
    wants_whole = any(given.is_whole(root) for root in given.groups)
    question = select(Forecast.product_id, Forecast.warehouse_id, Forecast.as_of, Forecast.paths).where(
        Forecast.product_id.in_(list(part)), Forecast.is_current, Forecast.state == "ok"
    )
    if not several:
        question = question.where(Forecast.warehouse_id.is_(None))
    else:
        is_asked = Forecast.warehouse_id.in_(list(given.codes))
        question = question.where(or_(is_asked, Forecast.warehouse_id.is_(None)) if wants_whole else is_asked)
    edited = _edited(session, given, part)
    found: dict[int, Paths] = {}
    for product_id, warehouse_id, as_of, packed in session.execute(question):
        if product_id in edited:
            continue
        raw = bytes(packed)
        cumulative = _from_today(raw, (given.today - as_of).days - 1)
        if cumulative.shape[1]:
            _add(found, product_id, warehouse_id, cumulative, HEADER.unpack_from(raw)[2])
    for line in _planned(session, given, edited):
        _add(found, *line)
    return found


def _from_today(raw: bytes, gone: int) -> np.ndarray:
    cumulative = decode(raw, compact=True)
    gone = min(max(gone, 0), cumulative.shape[1])
    return cumulative[:, gone:] - cumulative[:, gone - 1 : gone] if gone else cumulative


def _add(
    found: dict[int, Paths],
    product_id: int,
    warehouse_id: int | None,
    cumulative: np.ndarray,
    decimals: int,
) -> None:
    known = found.get(product_id, Paths(None))
    whole = cumulative if warehouse_id is None else known.whole
    if warehouse_id is not None:
        known.places[warehouse_id] = cumulative
    found[product_id] = Paths(whole, known.places, max(decimals, known.decimals))


def _edited(session: Session, given: Shop, part: Sequence[int]) -> set[int]:
    """Products of which people changed the forecast of a week that is not over."""
    question = (
        select(ForecastEdit.product_id)
        .distinct()
        .where(ForecastEdit.product_id.in_(list(part)), ForecastEdit.week_on > given.today - _A_WEEK)
    )
    return set(session.scalars(question))


def _planned(
    session: Session, given: Shop, edited: set[int]
) -> Iterator[tuple[int, int | None, np.ndarray, int]]:
    """Paths with what people changed; few products have that, so they may take the long way."""
    if not edited:
        return
    lines = paths.lines(session, sorted(edited), given.today)
    plans = paths.plans(lines, given.today)
    for line in lines:
        is_asked = line["warehouse_id"] is None or len(given.codes) > 1
        if line["paths"] is None or not is_asked:
            continue
        cumulative = paths.demand(line, given.today, plans.get(line["product_id"]))
        if cumulative.shape[1]:
            decimals = HEADER.unpack_from(bytes(line["paths"]))[2]
            yield line["product_id"], line["warehouse_id"], cumulative, decimals
