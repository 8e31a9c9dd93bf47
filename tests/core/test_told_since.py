"""What people say about demand makes the forecasts concerned due in the next training of what moved."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import demand_events, exclusions, model_runs, stock, successors
from db.models import DemandEvent, DemandExclusion, Forecast, Product
from tests.makers import a_product, an_actor, the_warehouse

NOW = datetime.now(UTC)
UNTIL = NOW.date() - timedelta(days=1)
LONG_AGO = NOW - timedelta(days=3)


@pytest.fixture
def forecast(session):
    """`forecast(product)`: it has one, made yesterday at this time on all that happened."""

    def make(*products):
        for product in products:
            run = model_runs.without_training(session, UNTIL)
            session.add(
                Forecast(
                    model_run_id=run, product_id=product.id, is_current=True, as_of=UNTIL, state="too_short",
                    reason="", history_days=1, demand_days=0, created_at=NOW - timedelta(days=1),
                )
            )  # fmt: skip
        session.flush()

    return make


def due(session, *products):
    asked = {product.id for product in products}
    return [i for i in model_runs.moved_since_forecast(session, UNTIL) if i in asked]


def test_nothing_new_makes_nothing_due_and_a_product_without_a_forecast_is(session, forecast):
    quiet, new = a_product(session), a_product(session)
    forecast(quiet)
    assert due(session, quiet, new) == [new.id]


def test_demand_left_out_or_counted_again_makes_it_and_its_successor_due(session, forecast):
    old, new, other = (a_product(session, 5, stock_at=LONG_AGO) for _ in range(3))
    session.execute(
        sa.update(Product)
        .where(Product.id == new.id)
        .values(predecessor_id=old.id, predecessor_set_at=LONG_AGO)
    )
    forecast(old, new, other)
    assert due(session, old, new, other) == []
    out = exclusions.leave_out_days(
        session, an_actor(session), old.id, UNTIL, reason="fair", today=NOW.date()
    )
    assert due(session, old, new, other) == [old.id, new.id]
    made = sa.update(DemandExclusion).where(DemandExclusion.id == out.id)
    session.execute(made.values(created_at=LONG_AGO))
    assert due(session, old, new, other) == []
    exclusions.undo(session, an_actor(session), out.uid)
    assert due(session, old, new, other) == [old.id, new.id]


def test_what_a_product_replaces_makes_it_due(session, forecast):
    old, new = a_product(session, unit_of_measure="kg"), a_product(session, unit_of_measure="kg")
    forecast(old, new)
    successors.take_over(session, an_actor(session), new.id, old.uid)
    assert due(session, old, new) == [new.id]


def test_an_event_makes_those_it_is_about_due_and_so_does_its_removal(session, forecast):
    lamp, chair = a_product(session, category="Lamps"), a_product(session)
    forecast(lamp, chair)
    event = demand_events.add(
        session, an_actor(session), NOW.date(), name="Sale", starts_on=NOW.date(), category="Lamps"
    )
    assert due(session, lamp, chair) == [lamp.id]
    session.execute(sa.update(DemandEvent).where(DemandEvent.id == event.id).values(changed_at=LONG_AGO))
    assert due(session, lamp, chair) == []
    demand_events.remove(session, an_actor(session), event.uid)
    assert due(session, lamp, chair) == [lamp.id]


def test_a_movement_of_the_predecessor_counts_for_the_successor(session, forecast):
    old, new = a_product(session), a_product(session)
    session.execute(
        sa.update(Product)
        .where(Product.id == new.id)
        .values(predecessor_id=old.id, predecessor_set_at=LONG_AGO)
    )
    forecast(old, new)
    session.execute(sa.update(Forecast).values(as_of=UNTIL - timedelta(days=2)))
    assert due(session, old, new) == []
    place = the_warehouse(session)
    stock.add(session, an_actor(session), old.id, place.id, 5, occurred_at=NOW - timedelta(days=1))
    assert due(session, old, new) == [old.id, new.id]


def test_what_is_said_of_a_predecessor_makes_the_whole_line_due(session, forecast):
    oldest, old, new, other = (
        a_product(session, category=name) for name in ("Lamps", "Chairs", "Chairs", None)
    )
    replaces = sa.update(Product).where(Product.id == new.id)
    session.execute(replaces.values(predecessor_id=old.id, predecessor_set_at=LONG_AGO))
    forecast(oldest, old, new, other)
    assert due(session, oldest, old, new, other) == []
    successors.take_over(session, an_actor(session), old.id, oldest.uid)
    assert due(session, oldest, old, new, other) == [old.id, new.id]
    session.execute(sa.update(Product).values(predecessor_set_at=LONG_AGO))
    event = demand_events.add(
        session, an_actor(session), NOW.date(), name="Sale", starts_on=UNTIL, category="Lamps"
    )
    assert due(session, oldest, old, new, other) == [oldest.id, old.id, new.id]
    session.execute(sa.update(DemandEvent).where(DemandEvent.id == event.id).values(changed_at=LONG_AGO))
    demand_events.add(
        session, an_actor(session), NOW.date(), name="Fair", starts_on=UNTIL, product_id=oldest.id
    )
    assert due(session, oldest, old, new, other) == [oldest.id, old.id, new.id]
    demand_events.add(session, an_actor(session), NOW.date(), name="Closed", starts_on=UNTIL, kind="closed")
    assert due(session, oldest, old, new, other) == [oldest.id, old.id, new.id, other.id]
