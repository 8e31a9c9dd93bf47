"""The morning's job: what is open is decided, today's ranges are issued, once a business day of the shop."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from core import job_runs, stock
from core.forecast import packing
from db.models import Forecast, IssuedRange, JobRun, ModelRun, Shop
from db.session import reading, transaction
from jobs import ranges, work
from tests.makers import a_product, an_actor, the_warehouse

MORNING = datetime(2026, 6, 10, 6, 20, tzinfo=UTC)
TODAY = MORNING.date()

pytestmark = pytest.mark.usefixtures("clone")


def at(monkeypatch, moment: datetime) -> JobRun:
    """The job's run of this moment, done."""
    monkeypatch.setattr(ranges, "_now", lambda: moment)
    with transaction() as session:
        job_runs.enqueue(session, "ranges", moment)
        claim = job_runs.claim(session, "test", ["ranges"], datetime.now(UTC))
    work.do(claim)
    with reading() as session:
        return session.get(JobRun, claim.run_id)


def a_forecast_product(days_of_stock: int = 10) -> int:
    """A product that sells one a day, more or less, with a forecast of yesterday."""
    with transaction() as session:
        product = a_product(session, days_of_stock, stock_at=MORNING - timedelta(days=2))
        run = ModelRun(state="published", as_of=TODAY - timedelta(days=1), engine={})
        session.add(run)
        session.flush()
        drawn = np.cumsum(np.random.default_rng(1).poisson(1.0, (200, 120)), axis=1)
        session.add(Forecast(
            model_run_id=run.id, product_id=product.id, is_current=True, as_of=run.as_of, state="ok",
            reason="for a test", method="pool", demand_class="smooth", history_days=90, demand_days=80,
            paths=packing.encode(drawn),
        ))  # fmt: skip
        return product.id


def sold(product_id: int, moment: datetime, quantity: int) -> None:
    with transaction() as session:
        stock.remove(session, an_actor(session), product_id, the_warehouse(session).id, quantity,
                     reason_code="sale", occurred_at=moment)  # fmt: skip


def kept() -> list[IssuedRange]:
    with reading() as session:
        return session.scalars(sa.select(IssuedRange).order_by(IssuedRange.issued_on)).all()


def test_ranges_are_issued_in_the_morning_and_decided_when_the_stock_is_used_up(monkeypatch):
    product = a_forecast_product()
    run = at(monkeypatch, MORNING)
    assert (run.state, run.result["issued"]) == ("done", 1)
    (issued,) = kept()
    assert (issued.issued_on, issued.on_hand, issued.state) == (TODAY, 10, "open")
    middle = (issued.p50_on - TODAY).days
    sold(product, MORNING + timedelta(days=middle), 10)
    run = at(monkeypatch, MORNING + timedelta(days=middle + 1))
    assert run.result["inside"] == 1
    assert (kept()[0].state, kept()[0].ran_out_on) == ("inside", issued.p50_on)


def test_twice_a_day_changes_nothing(monkeypatch):
    a_forecast_product()
    at(monkeypatch, MORNING)
    again = at(monkeypatch, MORNING + timedelta(hours=1))
    assert (again.state, again.result) == ("done", {"issued": 0})
    assert len(kept()) == 1


def test_before_the_morning_of_the_shop_nothing_is_due(monkeypatch):
    a_forecast_product()
    with transaction() as session:
        session.execute(sa.update(Shop).values(time_zone="America/New_York"))
    at(monkeypatch, MORNING)  # 02:20 in New York
    assert kept() == []
    at(monkeypatch, MORNING + timedelta(hours=2))
    assert len(kept()) == 1


def test_an_empty_shop_has_nothing_to_promise(monkeypatch):
    run = at(monkeypatch, MORNING)
    assert (run.state, run.result["issued"], run.message) == ("done", 0, None)


def test_trouble_fails_the_run_and_the_next_hour_tries_again(monkeypatch):
    a_forecast_product()

    def breaks(*_args, **_more):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(ranges.issued_ranges, "issue", breaks)
        assert at(broken, MORNING).state == "failed"
    assert at(monkeypatch, MORNING + timedelta(hours=1)).result["issued"] == 1
