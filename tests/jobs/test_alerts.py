"""The watches over alerts as jobs, and everybody at once: watches, bookings, people."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core import alerts, job_runs, stock
from core.job_runs import Claim
from db.models import Alert, JobRun, Product
from db.session import reading, transact, transaction
from jobs import work
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()

pytestmark = pytest.mark.usefixtures("clone")


def claimed(job: str) -> Claim:
    with transaction() as session:
        job_runs.enqueue(session, job, NOW)
        return job_runs.claim(session, "test", [job], NOW)


def run(claim: Claim) -> JobRun:
    with reading() as session:
        return session.get(JobRun, claim.run_id)


def open_alerts() -> list[tuple[int, str, str]]:
    with reading() as session:
        question = sa.select(Alert.product_id, Alert.type, Alert.severity).where(Alert.state != "resolved")
        return [tuple(row) for row in session.execute(question.order_by(Alert.product_id))]


def some_products(number: int, left: int = 30) -> list[int]:
    """Products with a threshold of 20 in one warehouse, and their ids."""
    with transaction() as session:
        return [a_product(session, left, reorder_threshold=20).id for _ in range(number)]


def want_more(product_ids: list[int]) -> None:
    """Raise thresholds behind the alerts' back."""
    with transaction() as session:
        session.execute(sa.update(Product).where(Product.id.in_(product_ids)).values(reorder_threshold=90))


def everything_at_once(*works) -> list[Any]:
    """Each of `works` in its own thread and transaction; trouble surfaces."""
    gate = threading.Barrier(len(works))

    def one(step):
        gate.wait()
        with transaction() as session:
            return step(session)

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(one, works))


def test_the_jobs_do_their_work_and_say_what_came_of_it():
    some_products(2)
    want_more(ids := some_products(1))
    hourly = claimed("alerts")
    work.do(hourly)
    assert run(hourly).state == "done"
    nothing = {"changed": 0, "woken": 0, "quiet": 0, "resolved": 0, "cleared": 0}
    assert run(hourly).result == {"raised": 1} | nothing
    with transaction() as session:
        session.execute(sa.update(Product).values(reorder_threshold=None))
    six_hourly = claimed("auto_resolve")
    work.do(six_hourly)
    assert run(six_hourly).result == {"resolved": 1, "cleared": 0, "woken": 0}
    assert open_alerts() == []
    assert len(ids) == 1


def test_a_watch_that_was_overtaken_raises_nothing():
    want_more(some_products(1))
    old = claimed("alerts")
    with transaction() as session:
        job_runs.reap(session, NOW + timedelta(minutes=5))
        new = job_runs.claim(session, "another", ["alerts"], NOW)
    work.do(old)
    assert open_alerts() == []
    work.do(new)
    assert len(open_alerts()) == 1


def test_watches_bookings_and_people_at_once_leave_one_alert_each_and_refuse_nothing():
    products = some_products(12)
    with transaction() as session:
        boss, place = an_actor(session), the_warehouse(session).id

    def sell(session):
        for product_id in products:
            stock.remove(session, boss, product_id, place, 5)

    def click(session):
        for alert in alerts.listing(session, today=TODAY)[0][:3]:
            alerts.acknowledge(session, boss, alert.uid, NOW)

    for _ in range(6):
        everything_at_once(
            sell,
            lambda session: alerts.raise_all(session, NOW, TODAY),
            lambda session: alerts.raise_all(session, NOW, TODAY),
            lambda session: alerts.auto_resolve(session, NOW, TODAY),
            click,
        )
    transact(lambda session: alerts.raise_all(session, NOW, TODAY))
    assert open_alerts() == [(product_id, "low_stock", "critical") for product_id in products]


def test_bookings_of_one_product_in_many_hands_raise_one_alert():
    (product_id,) = some_products(1)
    with transaction() as session:
        boss, place = an_actor(session), the_warehouse(session).id
    everything_at_once(*[lambda s: stock.remove(s, boss, product_id, place, 2) for _ in range(15)])
    transact(lambda session: alerts.raise_all(session, NOW, TODAY))
    assert open_alerts() == [(product_id, "low_stock", "critical")]


def test_a_booking_neither_waits_for_a_watch_that_works_nor_is_undone_by_it():
    """The watch has raised the alert of both products and has not committed when they are sold."""
    products = some_products(2)
    with transaction() as session:
        boss, place = an_actor(session), the_warehouse(session).id
    want_more(products)
    with transaction() as watching:
        assert alerts.raise_all(watching, NOW, TODAY)["raised"] == 2
        with transaction() as session:
            for product_id in products:
                assert stock.remove(session, boss, product_id, place, 30).lines[0].after == 0
    assert {severity for _, _, severity in open_alerts()} == {"warning"}
    transact(lambda session: alerts.raise_all(session, NOW, TODAY))
    assert {severity for _, _, severity in open_alerts()} == {"critical"}


def test_a_watch_leaves_alone_what_a_long_booking_holds_and_raises_the_rest():
    held, free = some_products(1), some_products(1)
    with transaction() as session:
        boss, place = an_actor(session), the_warehouse(session).id
    want_more(held)
    with transaction() as booking:
        stock.remove(booking, boss, held[0], place, 30)
        want_more(free)
        # Both are new to the watch and would be raised together; one is on its way already.
        counts = transact(lambda session: alerts.raise_all(session, NOW, TODAY))
        assert counts["raised"] in (0, 1)
    transact(lambda session: alerts.raise_all(session, NOW, TODAY))
    assert [product_id for product_id, _, _ in open_alerts()] == held + free


def test_alerts_close_no_circle_between_two_bookings():
    """One raised an alert and wants a level that the other holds, who wants to raise the same alert."""
    first, second = some_products(2, left=15)
    with transaction() as session:
        boss, here, there = an_actor(session), the_warehouse(session).id, a_warehouse(session).id
        for product_id in (first, second):
            stock.add(session, boss, product_id, there, 15)
    gate = threading.Barrier(2)

    def one() -> None:
        with transaction() as session:
            stock.remove(session, boss, first, here, 12)
            gate.wait()
            stock.remove(session, boss, second, there, 1)

    def other() -> None:
        with transaction() as session:
            stock.remove(session, boss, second, there, 1)
            gate.wait()
            stock.remove(session, boss, first, there, 12)

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(one), threads.submit(other)]
        assert [done.result(20) for done in both] == [None, None]
    transact(lambda session: alerts.raise_all(session, NOW, TODAY))
    assert open_alerts() == [(first, "low_stock", "warning")]


def test_a_click_twice_at_once_is_one_acknowledgement():
    (product_id,) = some_products(1)
    with transaction() as session:
        boss, place = an_actor(session), the_warehouse(session).id
        stock.remove(session, boss, product_id, place, 25)
        uid = alerts.listing(session, today=TODAY)[0][0].uid
    shown = everything_at_once(*[lambda s: alerts.acknowledge(s, boss, uid, NOW) for _ in range(6)])
    assert {alert.state for alert in shown} == {"acknowledged"}
    with reading() as session:
        noted = session.scalar(sa.text("SELECT count(*) FROM audit_line WHERE action = 'acknowledged'"))
    assert noted == 1
