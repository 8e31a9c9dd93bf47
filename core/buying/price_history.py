"""How vendors' prices went: what was asked when, and which rises cost the shop most."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
from sqlalchemy.orm import Session

from core import paths, predictions
from db import queries

MOST_OFFERS = 1_000
LATELY = timedelta(days=90)
"""A rise of longer ago is no news any more."""
COST_DAYS = 90
MOST_RISES = 100
CHUNK_PRODUCTS = 100
_HUNDRED = Decimal(100)
_PLACES = 4


@dataclass(frozen=True)
class Rise:
    """A price that went up, or is going to (`is_upcoming`), beside the one before it.

    Prices are the vendor's, of one piece at `quantity`, the smallest that both offers sell. `demand`: units
    expected over the next 90 days, and `costs` what the difference makes of them in the shop's currency, if
    all of them are bought here; None without a forecast.
    """

    offer_uid: uuid.UUID
    product_uid: uuid.UUID
    product_id: int
    sku: str
    product: str
    vendor_uid: uuid.UUID
    vendor: str
    currency: str
    quantity: Decimal
    price_before: Decimal
    price: Decimal
    percent: Decimal | None
    valid_from: date
    is_upcoming: bool
    is_preferred: bool
    demand: Decimal | None
    costs: Decimal | None


def of(
    session: Session,
    today: date,
    *,
    vendor_id: int | None = None,
    product_id: int | None = None,
    limit: int = MOST_OFFERS,
) -> pd.DataFrame:
    """What a vendor, or vendors for a product, asked: one row a price step, the newest offer first.

    Columns: see `db/queries/price_history.sql`. Nothing is missing from it: what was corrected or withdrawn
    is there with that state.
    """
    return queries.frame(
        session, "price_history", today=today, vendor_id=vendor_id, product_id=product_id, limit=limit
    )


def rises(
    session: Session,
    today: date,
    *,
    vendor_id: int | None = None,
    product_id: int | None = None,
    limit: int = MOST_RISES,
) -> list[Rise]:
    """Prices that rose in the last 90 days or are going to, what costs most first.

    Each is the last price against the one before it, at the smallest quantity that both sell.
    """
    rows = queries.rows(
        session, "price_rises", today=today, since=today - LATELY, vendor_id=vendor_id,
        product_id=product_id, most=limit,
    )  # fmt: skip
    expected = _expected(session, sorted({row["product_id"] for row in rows}), today)
    found = [_rise(row, expected.get(row["product_id"])) for row in rows]
    return sorted(found, key=lambda rise: (-(rise.costs or Decimal(0)), rise.sku, rise.valid_from))


def _rise(row, demand: Decimal | None) -> Rise:
    more, before = row["price"] - row["price_before"], row["price_before"]
    costs = None if demand is None else (more * row["exchange_rate"] * demand).quantize(Decimal("0.0001"))
    about = {name: row[name] for name in Rise.__dataclass_fields__ if name in row}
    percent = (more / before * _HUNDRED).quantize(Decimal("0.1")) if before else None
    return Rise(**about, percent=percent, demand=demand, costs=costs)


def _expected(session: Session, product_ids: Sequence[int], today: date) -> dict[int, Decimal]:
    """Units expected of each product over the next 90 days, or as far as its forecast reaches."""
    found: dict[int, Decimal] = {}
    for start in range(0, len(product_ids), CHUNK_PRODUCTS):
        lines = paths.lines(session, product_ids[start : start + CHUNK_PRODUCTS], today)
        planned = paths.plans(lines, today)
        for line in lines:
            if line["warehouse_id"] is None and line["paths"] is not None:
                cumulative = paths.demand(line, today, planned.get(line["product_id"]))[:, :COST_DAYS]
                if cumulative.shape[1]:
                    mean = float(cumulative[:, -1].mean())
                    found[line["product_id"]] = predictions.rounded(mean, _PLACES)
    return found
