"""A small shop that is advised: products with drawn forecasts, without a training."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.buying import advice, advice_lines
from core.buying.advice_lines import Line
from core.forecast import packing
from db.models import Forecast, ModelRun, Product, Warehouse
from tests.makers import a_product, an_offer, the_warehouse

NOW = datetime(2026, 11, 18, 10, tzinfo=UTC)  # a Wednesday
TODAY = NOW.date()
PATHS, DAYS = 200, 120


def a_forecast(
    session: Session, product: Product, a_day: float = 2.0, *, warehouse: Warehouse | None = None,
    sure: bool = False, as_of: date = TODAY - timedelta(days=1),
) -> Forecast:  # fmt: skip
    """Poisson demand of so much a day, or exactly so much (`sure`), shown to everybody."""
    run_id = session.scalar(sa.select(ModelRun.id).limit(1))
    if run_id is None:
        run = ModelRun(state="published", as_of=as_of, engine={"pool": "drawn"})
        session.add(run)
        session.flush()
        run_id = run.id
    chance = np.random.default_rng(product.id)
    daily = np.full((PATHS, DAYS), a_day) if sure else chance.poisson(a_day, (PATHS, DAYS))
    forecast = Forecast(
        model_run_id=run_id, product_id=product.id, warehouse_id=warehouse and warehouse.id, is_current=True,
        as_of=as_of, state="ok", reason="Drawn for a test.", history_days=200, demand_days=150,
        paths=packing.encode(np.cumsum(daily, axis=1)), fan={},
    )  # fmt: skip
    session.add(forecast)
    session.flush()
    return forecast


def sold(
    session: Session, stock: int = 10, a_day: float = 2.0, *, sure: bool = False, **about: Any
) -> Product:
    """A product with a forecast, offered by somebody at 2 a piece within 7 days, unless `vendor` is None."""
    offered = {name: about.pop(name) for name in ("vendor", "prices") if name in about}
    terms = {name: about.pop(name) for name in ("minimum_order_quantity", "order_multiple") if name in about}
    the_warehouse(session)
    product = a_product(session, stock, **about)
    a_forecast(session, product, a_day, sure=sure)
    if "vendor" not in offered or offered["vendor"] is not None:
        an_offer(session, product, **offered, **terms)
    return product


def advised(session: Session, now: datetime = NOW) -> None:
    """Work out advice for the shop as it is."""
    advice.make(session, None, now)


def line_of(session: Session, product: Product, warehouse: Warehouse | None = None) -> Line:
    """What is shown of a product (in one warehouse)."""
    found = advice_lines.of_product(session, product.id, TODAY)
    return next(one.line for one in found if warehouse is None or one.line.warehouse_id == warehouse.id)
