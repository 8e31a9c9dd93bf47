"""Trainings: of everything, of what moved, in windows and batches; judged, named, and the same each way."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import demand_events, forecasts, model_runs, stock
from core.forecast import training
from db.models import Forecast, ModelRun
from jobs import train as job
from jobs.train import train
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOW.date()


def sells_daily(session, days=60, quantity=2, place=None, **about):
    """A product that sold the same every day until yesterday."""
    actor, place = an_actor(session), place or the_warehouse(session)
    start = NOW - timedelta(days=days)
    product = a_product(session, days * quantity + 50, stock_at=start, warehouse=place, **about)
    for n in range(days):
        sale(session, actor, product, place, start + timedelta(days=n, hours=1), quantity)
    return product


def sale(session, actor, product, place, at, quantity=2):
    stock.remove(session, actor, product.id, place.id, quantity, reason_code="sale", occurred_at=at)


def shown(session):
    """What serves, as values, by product and warehouse."""
    rows = session.scalars(
        sa.select(Forecast).where(Forecast.is_current).execution_options(populate_existing=True)
    )
    return {
        (row.product_id, row.warehouse_id): (
            row.state, row.reason, row.paths, row.fan, row.daily_rate, row.limited, row.would_help,
        )
        for row in rows
    }  # fmt: skip


def runs(session):
    return session.scalars(
        sa.select(ModelRun).order_by(ModelRun.id).execution_options(populate_existing=True)
    ).all()


def test_windows_and_batches_of_any_size_give_the_same_forecasts(session, monkeypatch):
    here, there = the_warehouse(session), a_warehouse(session)
    for quantity in (1, 2, 3, 4):
        product = sells_daily(session, days=40, quantity=quantity)
        stock.transfer(
            session, an_actor(session), product.id, here.id, there.id, 9,
            occurred_at=NOW - timedelta(days=20),
        )  # fmt: skip
    never = a_product(session)
    said = []
    assert train(NOW, lambda *far: said.append(far)) == {"ok": 8, "too_short": 5, "failed": 0}
    assert said[-2:] == [(job.DRAWING, 5, 5), (job.PUBLISHING, 0, None)]
    whole = shown(session)
    assert whole[never.id, None][1] == "nothing has moved yet"
    monkeypatch.setattr(job, "WINDOW", 2)
    monkeypatch.setattr(job, "BATCH", 1)
    train(NOW)
    assert shown(session) == whole


def test_a_training_of_what_moved_is_what_a_training_of_all_would_be(session):
    steady, moved, told = (sells_daily(session, quantity=quantity) for quantity in (2, 3, 4))
    train(NOW)
    before = shown(session)
    actor, place, tomorrow = an_actor(session), the_warehouse(session), NOW + timedelta(days=1)
    sale(session, actor, moved, place, NOW, 40)
    demand_events.add(
        session, actor, TODAY, name="Summer fair", starts_on=TODAY + timedelta(days=3),
        ends_on=TODAY + timedelta(days=9), product_id=told.id, effect_percent=100,
    )  # fmt: skip
    counts = train(tomorrow, only_moved=True)
    assert counts["ok"] == 2
    after = shown(session)
    assert after[steady.id, None] == before[steady.id, None]
    assert after[moved.id, None] != before[moved.id, None]
    assert after[told.id, None][4] > before[told.id, None][4]
    weekly, nightly = runs(session)
    assert weekly.library is not None
    assert weekly.report is not None
    assert (nightly.library, nightly.report, nightly.scores) == (None, None, weekly.scores)
    # One by one, when somebody asks, they come out the same.
    for product in (moved, told):
        drafts = forecasts.think(forecasts.material(session, product.id, tomorrow))
        assert [draft.paths for draft in drafts] == [after[product.id, None][2]]


def test_methods_that_the_shops_past_let_in_draw_until_the_next_full_training(session):
    product = sells_daily(session, days=80)
    train(NOW)
    (weekly,) = runs(session)
    members = [{"name": name, "admitted": name in ("occurrence", "tsb"), "is_default": name == "occurrence"}
               for name in ("blocks", "occurrence", "tsb")]  # fmt: skip
    weekly.report = {"members": members}
    session.flush()
    assert model_runs.last_learned(session).admitted == ("occurrence", "tsb")
    sale(session, an_actor(session), product, the_warehouse(session), NOW)
    train(NOW + timedelta(days=1), only_moved=True)
    reason = shown(session)[product.id, None][1]
    assert reason.startswith("The average of 2 methods (chance and size of a sale, TSB) on 82 days")


def test_a_slip_of_the_keyboard_is_limited_and_reported(session):
    product = sells_daily(session, days=60)
    stock.add(session, an_actor(session), product.id, the_warehouse(session).id, 9000,
              occurred_at=NOW - timedelta(days=30))  # fmt: skip
    sale(session, an_actor(session), product, the_warehouse(session), NOW - timedelta(days=20), 8000)
    train(NOW)
    (kept,) = session.scalars(sa.select(Forecast))
    day = (NOW - timedelta(days=20)).date().isoformat()
    assert kept.limited == [[day, 8002.0, 2.0]]
    assert kept.daily_rate < 5


def test_failures_are_named_in_the_log_and_kept_with_their_reasons(session, monkeypatch, caplog):
    products = [sells_daily(session, days=31, sku=f"BAD-{n}") for n in range(4)]
    monkeypatch.setattr(job, "NAMED_FAILURES", 2)

    def breaks(*_):
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr(training, "encode", breaks)
    with caplog.at_level(logging.WARNING, "runout.training"):
        assert train(NOW)["failed"] == 4
    assert [record.getMessage() for record in caplog.records] == [
        "BAD-0 failed: ZeroDivisionError: no luck",
        "BAD-1 failed: ZeroDivisionError: no luck",
        "... and 2 more; the Forecasts page lists them all",
    ]
    failed = session.scalars(sa.select(Forecast.product_id).where(Forecast.state == "failed")).all()
    assert sorted(failed) == sorted(product.id for product in products)


def test_a_cluster_that_is_away_fails_the_training_and_what_was_published_serves_on(session, monkeypatch):
    sells_daily(session)
    train(NOW)
    before = shown(session)
    monkeypatch.setattr(job.workers, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(job, "JUDGING_PAYS_FROM", 1)
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:9")
    with pytest.raises(job.workers.WorkersFailed, match="No Dask scheduler answers"):
        train(NOW + timedelta(days=1))
    assert shown(session) == before
    assert [run.state for run in runs(session)] == ["published"]
