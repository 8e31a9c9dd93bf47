"""The watch over advice: made when the shop moved on, at once for what people wait for, else now and then."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import auth, job_runs, stock, timetable
from core.buying import buying_settings
from core.job_runs import Claim
from db.models import AdviceRun, JobRun
from db.session import reading, transaction
from jobs import advice as watch
from jobs import work
from tests.core.advice_world import sold
from tests.makers import an_actor, the_warehouse

pytestmark = pytest.mark.usefixtures("clone")
TASK = timetable.BY_NAME["advice"]


def tick(*, asked: bool = False, minutes: int = 0) -> int:
    """Do a run of the job, asked for by the clock or somebody; answers how often advice was made."""
    now = datetime.now(UTC)
    slot = TASK.last_slot(now) + timedelta(minutes=minutes * 5) if not asked else now
    with transaction() as session:
        job_runs.enqueue(session, "advice", slot)
        claimed = job_runs.claim(session, "test", ["advice"], now)
    work.do(claimed)
    return result_of(claimed)


def result_of(claimed: Claim) -> int:
    with reading() as session:
        run = session.get(JobRun, claimed.run_id)
        assert run.state == "done", run.message
        return run.result["made"]


def made_at() -> datetime:
    with reading() as session:
        return session.scalar(sa.select(AdviceRun.made_at).where(AdviceRun.is_current))


def age(by: timedelta) -> None:
    with transaction() as session:
        session.execute(sa.update(AdviceRun).values(made_at=AdviceRun.made_at - by))


def sell() -> None:
    with transaction() as session:
        product_id = session.scalar(sa.text("SELECT min(product_id) FROM stock_level"))
        stock.remove(session, auth.system_actor(session), product_id, the_warehouse(session).id, 1)


def test_it_is_made_first_and_then_only_when_something_changed():
    with transaction() as session:
        product = sold(session, 30, 2.0)
        session.execute(sa.text("UPDATE forecast SET as_of = current_date - 1"))
        assert product.id
    assert tick() == 1
    assert tick(minutes=1) == 0
    sell()
    assert tick(minutes=2) == 0, "stock moves all day"
    age(watch.CATCH_UP)
    assert tick(minutes=3) == 1
    sell()
    assert tick(asked=True) == 1, "somebody waits for it"
    with transaction() as session:
        buying_settings.change(session, an_actor(session), datetime.now(UTC), service_percent=80)
    assert tick(minutes=4) == 1, "settings are followed at once"


def test_another_day_makes_it_anew():
    with transaction() as session:
        sold(session, 30, 2.0)
    assert tick() == 1
    with transaction() as session:
        session.execute(sa.update(AdviceRun).values(as_of=AdviceRun.as_of - 1))
    assert tick(minutes=1) == 1


def test_a_large_shop_gets_a_rest_in_proportion_to_what_it_takes():
    with transaction() as session:
        sold(session, 30, 2.0)
    tick()
    with transaction() as session:
        session.execute(sa.text("UPDATE advice_run SET totals = totals || '{\"seconds\": 60}'"))
    sell()
    age(watch.CATCH_UP)
    assert tick(minutes=1) == 0
    age(timedelta(minutes=15))
    assert tick(minutes=2) == 1


def test_trouble_leaves_the_advice_that_was_shown(monkeypatch):
    with transaction() as session:
        sold(session, 30, 2.0)
    tick()
    before = made_at()
    sell()
    monkeypatch.setattr(watch.advice, "keep", lambda *_: 1 / 0)
    now = datetime.now(UTC)
    with transaction() as session:
        job_runs.enqueue(session, "advice", now)
        claimed = job_runs.claim(session, "test", ["advice"], now)
    work.do(claimed)
    with reading() as session:
        assert session.get(JobRun, claimed.run_id).state == "failed"
    assert made_at() == before
