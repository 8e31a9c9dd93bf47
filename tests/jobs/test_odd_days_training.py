"""A product trained alone comes out as in a training of all, with all that people said about demand."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from core import demand_events, exclusions, forecasts, stock, successors
from db.models import Forecast
from jobs.train import train
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
TODAY = NOW.date()
DAYS = 50
PROMOTED = range(-20, -15)


def sold(session, quantities, places):
    """A product that sold these on the last days, each day in the next of the places."""
    actor = an_actor(session)
    product = a_product(session)
    for place in places:
        stock.add(
            session, actor, product.id, place.id, 5_000, occurred_at=NOW - timedelta(days=len(quantities) + 1)
        )
    for n, quantity in enumerate(quantities):
        if quantity:
            stock.remove(
                session, actor, product.id, places[n % len(places)].id, quantity, reason_code="sale",
                occurred_at=NOW - timedelta(days=len(quantities) - n),
            )  # fmt: skip
    return product


def test_one_product_equals_all_with_events_exclusions_successors_and_one_off_days(session):
    places = [the_warehouse(session), a_warehouse(session)]
    usual = [(n * 7) % 5 for n in range(DAYS)]
    for n in PROMOTED:
        usual[n] *= 4
    odd = [*usual]
    odd[10] = 900
    old, one_off = sold(session, usual, places), sold(session, odd, places)
    new = sold(session, [0] * 35 + usual[35:], places)
    actor = an_actor(session)
    successors.take_over(session, actor, new.id, old.uid)
    exclusions.leave_out_days(session, actor, old.id, TODAY - timedelta(days=40), reason="fair", today=TODAY)
    for first in (PROMOTED[0], 3):
        demand_events.add(
            session, actor, TODAY, name="Sale", starts_on=TODAY + timedelta(days=first),
            ends_on=TODAY + timedelta(days=first + 4),
        )  # fmt: skip
    demand_events.add(
        session, actor, TODAY, name="Works", kind="closed", starts_on=TODAY, warehouse_id=places[1].id
    )
    session.commit()
    train(NOW)
    question = sa.select(Forecast.product_id, Forecast.warehouse_id, Forecast.paths, Forecast.limited).where(
        Forecast.is_current
    )
    together = {(row.product_id, row.warehouse_id): row for row in session.execute(question)}
    assert together[one_off.id, None].limited[0][1] == 900
    for product in (old, new, one_off):
        given = forecasts.material(session, product.id, NOW)
        drafts = {draft.unique_id: draft for draft in forecasts.think(given)}
        assert len(drafts) == 3
        for unique_id, draft in drafts.items():
            place = unique_id.partition(":")[2]
            kept = together[product.id, int(place) if place else None]
            assert draft.paths == bytes(kept.paths), unique_id
            assert draft.limited == kept.limited
    assert given.coming[f"{one_off.id}"][3:8].min() > 1.2


def test_a_shop_with_an_event_every_month_still_learns_how_good_its_forecasts_are(session):
    product = sold(session, [2, 1, 0, 3, 1] * 30, [the_warehouse(session)])
    for days_ago in range(10, 150, 28):
        day = TODAY - timedelta(days=days_ago)
        demand_events.add(session, an_actor(session), TODAY, name="Market", starts_on=day)
    session.commit()
    train(NOW)
    scores = session.scalar(
        sa.select(Forecast.scores).where(
            Forecast.product_id == product.id, Forecast.warehouse_id.is_(None), Forecast.is_current
        )
    )
    assert scores["tasks"] >= 3
