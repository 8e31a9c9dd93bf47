"""Pictures of a product are asked for by who may train, drawn once a week, and kept with their run."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from core import demand_patterns, job_runs, stock
from core.errors import NotAllowed, NotFound, RuleBroken
from core.forecast.patterns import Pattern
from db.models import DemandPattern, JobRun
from tests.makers import a_product, an_actor, the_warehouse

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARTS = {"days": 60, "trend": [], "weekday": [1.0] * 7, "weekday_range": [[1, 1]] * 7,
         "yearly": None, "holidays": None}  # fmt: skip


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


def drawn(session, product, *, at=NOW, parts=PARTS, reason=None):
    session.add(DemandPattern(product_id=product.id, as_of=at.date(), parts=parts, reason=reason, made_at=at))
    session.flush()


def test_asking_queues_one_run_for_the_product_however_often(session, manager):
    product, other = a_product(session), a_product(session)
    run = demand_patterns.ask(session, manager, product.uid, NOW)
    assert demand_patterns.ask(session, manager, str(product.uid), NOW) == run
    assert demand_patterns.ask(session, manager, other.uid, NOW) != run
    assert demand_patterns.last_run(session, product.uid).id == run
    assert demand_patterns.last_run(session, uuid.uuid4()) is None


def test_a_picture_of_this_week_is_not_drawn_again_an_older_one_is(session, manager):
    product = a_product(session)
    drawn(session, product, at=NOW - timedelta(days=6))
    assert demand_patterns.ask(session, manager, product.uid, NOW) is None
    assert demand_patterns.ask(session, manager, product.uid, NOW + timedelta(days=2)) is not None


def test_where_there_was_too_little_history_it_is_tried_again_the_next_day(session, manager):
    product = a_product(session)
    drawn(session, product, parts=None, reason="55 of 56 days of history")
    assert demand_patterns.ask(session, manager, product.uid, NOW + timedelta(hours=20)) is None
    assert demand_patterns.ask(session, manager, product.uid, NOW + timedelta(hours=25)) is not None


def test_who_may_not_train_may_not_ask(session):
    product = a_product(session)
    with pytest.raises(NotAllowed):
        demand_patterns.ask(session, an_actor(session, "user"), product.uid, NOW)


def test_unknown_and_retired_products_are_refused(session, manager):
    product = a_product(session)
    product.is_active = False
    session.flush()
    with pytest.raises(RuleBroken, match="deactivated"):
        demand_patterns.ask(session, manager, product.uid, NOW)
    for nobody in (uuid.uuid4(), "nonsense"):
        with pytest.raises(NotFound):
            demand_patterns.ask(session, manager, nobody, NOW)


def test_material_is_the_demand_up_to_yesterday_and_a_product_that_never_moved_has_none(session, manager):
    place = the_warehouse(session)
    product, still = a_product(session, 100, stock_at=NOW - timedelta(days=70)), a_product(session)
    stock.remove(session, manager, product.id, place.id, 3, reason_code="sale",
                 occurred_at=NOW - timedelta(days=1))  # fmt: skip
    given = demand_patterns.material(session, product.uid, NOW)
    assert given.frame.ds.max().date() == (NOW - timedelta(days=1)).date()
    assert given.frame.y.sum() == 3
    assert demand_patterns.think(given).reason == "1 of 10 days with demand"
    nothing = demand_patterns.think(demand_patterns.material(session, still.uid, NOW))
    assert nothing.reason == "nothing has moved yet"


def test_what_was_drawn_takes_the_place_of_the_one_before_with_the_end_of_its_run(session, manager):
    product = a_product(session)
    drawn(session, product, at=NOW - timedelta(days=9))
    run = demand_patterns.ask(session, manager, product.uid, NOW)
    claimed = job_runs.claim(session, "w", ["pattern"], NOW)
    given = demand_patterns.Material(product.id, None, None, None)
    pattern = Pattern(NOW.date(), PARTS | {"days": 61}, None)
    demand_patterns.keep(session, claimed, given, pattern, NOW)
    kept = demand_patterns.latest(session, product.id)
    session.refresh(kept)
    assert (kept.parts["days"], kept.made_at) == (61, NOW)
    assert session.get(JobRun, run, populate_existing=True).state == "done"
    with pytest.raises(job_runs.Superseded):
        demand_patterns.keep(session, claimed, given, pattern, NOW)


@pytest.mark.parametrize(
    ("locale", "country"),
    [("en_GB", "GB"), ("de-AT", "AT"), ("zh_Hans_CN", "CN"), ("en", None), ("en_001", None), ("", None)],
)
def test_the_country_is_that_of_the_shops_locale(locale, country):
    assert demand_patterns.country_of(locale) == country
