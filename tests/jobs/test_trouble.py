"""Jobs that hang, die or are killed: each is seen, and none stops the others."""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest
import sqlalchemy as sa

from core import job_log, job_runs, stock, timetable
from core.timetable import Task
from db import session as doors
from db.models import Forecast, JobRun, ModelRun, RunOut
from db.session import reading, transact, transaction
from jobs import hands, scheduler, work
from jobs.train import train
from tests.makers import a_product, an_actor, the_warehouse

PATIENCE_SECONDS = 60


def a_task(job: str, runs_in: str = "thread", *, every: int = 3600, limit: float = 2) -> Task:
    return Task(
        job, job, f"every {every} seconds", datetime(2024, 1, 7, tzinfo=UTC), timedelta(seconds=every),
        runs_in=runs_in, limit=timedelta(seconds=limit),
    )  # fmt: skip


@pytest.fixture
def clock(clone, monkeypatch) -> Callable:
    """`with clock(tasks)`: a scheduler with these jobs, in this process; its children hang and die."""
    monkeypatch.setenv("DATABASE_URL", clone)
    monkeypatch.setattr(hands, "CHILD", [sys.executable, "-m", "tests.chaos.child"])
    engine = doors.new_engine(clone)
    monkeypatch.setattr(scheduler, "engine", lambda: engine)

    @contextmanager
    def running(*tasks: Task):
        process = scheduler.Scheduler(tasks)
        thread = threading.Thread(target=process.run, daemon=True)
        thread.start()
        try:
            yield process
        finally:
            process.stop()
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    yield running
    engine.dispose()


def runs(job: str) -> list[JobRun]:
    with reading() as session:
        return list(session.scalars(sa.select(JobRun).where(JobRun.job == job).order_by(JobRun.id)))


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < deadline, "It never came to that."
        time.sleep(0.05)


def log_of(run: JobRun) -> list[str]:
    with transaction() as session:
        admin = an_actor(session, "admin")
        return [line.message for line in job_log.read(session, admin, run.id)]


def tick(claimed) -> None:
    transact(lambda session: job_runs.finish(session, claimed, datetime.now(UTC)))


def test_a_short_job_that_hangs_is_given_up_at_its_limit_and_the_others_go_on(clock, monkeypatch):
    released = threading.Event()
    written = []

    def hang(claimed):
        released.wait(PATIENCE_SECONDS)
        try:
            tick(claimed)
        except job_runs.Superseded:
            written.append("refused")
            raise

    monkeypatch.setitem(work.JOBS, "hang", hang)
    monkeypatch.setitem(work.JOBS, "tick", tick)
    with clock(a_task("hang"), a_task("tick", every=1)):
        wait_for(lambda: runs("hang") and runs("hang")[0].state == "running")
        before = len(runs("tick"))
        wait_for(lambda: runs("hang")[0].state == "failed")
        (hung,) = runs("hang")
        assert hung.message == "It took longer than 2 seconds and was ended."
        wait_for(lambda: log_of(hung) == [hung.message])  # written right after the end itself
        wait_for(lambda: sum(run.state == "done" for run in runs("tick")) > before + 2)
        # Its thread cannot be ended: when it comes to life again, it may not write.
        released.set()
        wait_for(lambda: written == ["refused"])
        assert runs("hang")[0].state == "failed"


def test_a_job_that_hangs_again_and_again_takes_three_threads_at_most(clock, monkeypatch):
    released = threading.Event()
    begun = []

    def hang(_claimed):
        begun.append(1)
        released.wait(PATIENCE_SECONDS)

    monkeypatch.setitem(work.JOBS, "hang", hang)
    with clock(a_task("hang", every=1, limit=0.2)):
        wait_for(lambda: len(begun) == scheduler.MOST_LEFT_BEHIND)
        asked = len(runs("hang"))
        wait_for(lambda: len(runs("hang")) > asked + 2)
        assert len(begun) == scheduler.MOST_LEFT_BEHIND
        released.set()
        wait_for(lambda: len(begun) > scheduler.MOST_LEFT_BEHIND)


def test_a_child_that_hangs_is_ended_at_its_limit_and_short_work_goes_on(clock, monkeypatch):
    monkeypatch.setitem(work.JOBS, "tick", tick)
    with clock(a_task("hang", "child", limit=4), a_task("tick", every=1)):
        wait_for(lambda: runs("hang") and runs("hang")[0].state == "failed")
        (hung,) = runs("hang")
        assert hung.message == "It took longer than 4 seconds and was ended."
        ticks = [run for run in runs("tick") if run.state == "done"]
        assert any(hung.started_at < tick.finished_at < hung.finished_at for tick in ticks)


def test_a_child_that_is_killed_each_time_is_tried_three_times_and_then_told(clock):
    with clock(a_task("die", "child", limit=60), a_task("leave", "child", limit=60)):
        wait_for(lambda: runs("die") and runs("die")[0].state == "failed")
        wait_for(lambda: runs("leave") and runs("leave")[0].state == "failed")
    (died,), (left,) = runs("die"), runs("leave")
    assert died.message == "Its process was killed by signal 9."
    assert died.attempts == job_runs.MOST_ATTEMPTS
    assert log_of(died) == [f"{died.message} It is tried again."] * 2 + [died.message]
    assert left.message == "Its process ended with code 3."
    assert left.attempts == 1  # its own doing: the same again would end the same


def a_shop_that_sells(session, products: int = 8, days: int = 45) -> None:
    actor, place = an_actor(session), the_warehouse(session)
    start = datetime.now(UTC).replace(hour=1, minute=0) - timedelta(days=days)
    for _ in range(products):
        product = a_product(session, days * 2 + 20, stock_at=start)
        for n in range(days):
            stock.remove(
                session, actor, product.id, place.id, 2, reason_code="sale",
                occurred_at=start + timedelta(days=n, hours=1),
            )  # fmt: skip


def published_now() -> tuple[set, set]:
    """The forecasts that serve, with their run's state, and the run-outs, in one moment."""
    with reading(snapshot=True) as session:
        forecasts = session.execute(
            sa.select(Forecast.product_id, Forecast.id, ModelRun.id, ModelRun.state)
            .join(ModelRun, ModelRun.id == Forecast.model_run_id)
            .where(Forecast.is_current)
        ).all()
        run_outs = session.execute(sa.select(RunOut.product_id, RunOut.p50_on)).all()
    return set(forecasts), set(run_outs)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_training_that_is_killed_publishes_nothing_and_is_tried_again(clock, monkeypatch, processes):
    kills = int(os.environ.get("CHAOS_KILLS", "2"))
    monkeypatch.setenv("TRAIN_WORKERS", str(processes))
    workers: list[psutil.Process] = []
    monkeypatch.setattr(job_runs, "MOST_ATTEMPTS", kills + 1)
    children, chance = [], random.Random(21)

    class Watched(hands.InChild):
        def __init__(self, claimed):
            super().__init__(claimed)
            children.append(self._child)

    monkeypatch.setattr(scheduler, "InChild", Watched)
    with transaction() as session:
        a_shop_that_sells(session)
    train(datetime.now(UTC))
    before, begun = published_now(), newest_model_run()
    assert len(before[0]) == 8
    with clock(timetable.BY_NAME["train"]):
        for kill in range(kills):
            wait_for(lambda kill=kill: len(children) > kill)
            if chance.random() < 0.8:  # else while it starts
                wait_for(lambda seen=begun: newest_model_run() > seen)
                begun = newest_model_run()
                time.sleep(chance.uniform(0, 1.1 * processes))
            workers += psutil.Process(children[kill].pid).children(recursive=True)
            os.kill(children[kill].pid, signal.SIGKILL)
            assert published_now() == before
        wait_for(lambda: runs("train")[0].state in ("done", "failed"))
    (run,) = runs("train")
    assert run.state == "done", run.message
    assert run.attempts == len(children) == kills + 1
    wait_for(lambda: not any(worker.is_running() for worker in workers))
    after, run_outs = published_now()
    assert {product for product, *_ in after} == {product for product, *_ in before[0]}
    assert {state for *_, state in after} == {"published"}
    assert len({model_run for _, _, model_run, _ in after}) == 1
    assert len(after) == len(before[0]) == len(run_outs)
    assert after.isdisjoint(before[0])
    with reading() as session:
        assert session.scalars(sa.select(Forecast.id).where(~Forecast.is_current)).all() == []


def newest_model_run() -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.max(ModelRun.id))) or 0
