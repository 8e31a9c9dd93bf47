"""Small worlds for tests of vendors and transfers: steady demand, vendors with a price and a lead time."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import numpy as np

from core.reorder import calendars, quantities
from core.reorder.candidates import Candidate, Need
from core.reorder.outlook import outlook
from core.reorder.quantities import Holding

D = Decimal
TODAY = date(2026, 11, 21)
DAYS = 120


def money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def a_vendor(
    name: str,
    price: str | dict[int, str] | None,
    lead: int,
    *,
    minimum: int | None = None,
    multiple: int | None = None,
    measured: tuple[int, ...] = (),
    other: str = "0",
    **about: object,
) -> Candidate:
    """`price`: of a piece, or by the quantity from which it holds; money as text."""
    steps = {} if price is None else price if isinstance(price, dict) else {1: price}
    for field in ("order_minimum", "free_freight_from", "freight_cost", "order_cost"):
        if field in about:
            about[field] = money(about[field])
    return Candidate(
        vendor_id=sum(map(ord, name)),
        name=name,
        terms=quantities.terms(
            minimum and D(minimum), multiple and D(multiple), [(D(n), D(p)) for n, p in steps.items()]
        ),
        arrival=calendars.arrival(TODAY, lead, measured),
        quoted_days=lead,
        record=SimpleNamespace(deliveries=len(measured), median_days=None, p90_days=None, on_time_share=None),
        other_value=D(other),
        **about,
    )


def a_need(
    quantity: int,
    *,
    stock: int = 0,
    per_day: float = 4.0,
    review: int = 7,
    shortage: str | None = "5",
    holding: str = "20",
    most: int | None = None,
    preferred: str | None = None,
    with_forecast: bool = True,
) -> Need:
    """Every day sells the same."""
    cumulative = np.cumsum(np.full((20, DAYS), per_day), axis=1)
    return Need(
        today=TODAY,
        quantity=D(quantity),
        review_days=review,
        holding=Holding(D(holding), D(str(per_day)), None if most is None else D(most)),
        shortage_cost=money(shortage),
        outlook=outlook(cumulative, stock) if with_forecast else None,
        preferred_vendor_id=None if preferred is None else sum(map(ord, preferred)),
    )
