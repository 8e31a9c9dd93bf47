"""A slot is run once, by one worker, and whoever was thought dead writes nothing any more."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import job_log, job_runs
from core.errors import NotAllowed, RuleBroken
from core.job_runs import Superseded
from db.models import JobLine, JobRun, Worker
from tests.makers import an_actor

NOW = datetime(2026, 5, 3, 2, 0, tzinfo=UTC)
LATER = NOW + 2 * job_runs.LEASE


def claim(session, now=NOW, worker="a"):
    return job_runs.claim(session, worker, ["train", "tick"], now)


def state(session, run_id):
    run = session.get(JobRun, run_id, populate_existing=True)
    return run.state, run.message


def test_a_slot_is_asked_for_once_by_any_number_of_clocks(session):
    assert job_runs.enqueue(session, "train", NOW)
    assert not job_runs.enqueue(session, "train", NOW)
    assert job_runs.enqueue(session, "tick", NOW)
    assert job_runs.last_slot(session, "train") == NOW


def test_a_claimed_run_is_nobody_elses(session):
    job_runs.enqueue(session, "train", NOW)
    assert claim(session, worker="a").job == "train"
    assert claim(session, worker="b") is None


def test_the_oldest_slot_comes_first_and_only_jobs_a_worker_can_do(session):
    job_runs.enqueue(session, "tick", NOW)
    job_runs.enqueue(session, "train", NOW - timedelta(hours=1))
    assert job_runs.claim(session, "a", ["tick"], NOW).job == "tick"
    assert claim(session).job == "train"


def test_a_silent_workers_run_goes_to_another_and_the_first_cannot_finish_it(session):
    job_runs.enqueue(session, "train", NOW)
    first = claim(session, worker="a")
    assert job_runs.reap(session, NOW + job_runs.LEASE / 2) == 0
    assert job_runs.reap(session, LATER) == 1
    second = claim(session, LATER, "b")
    assert second.fence > first.fence
    for write in (job_runs.finish, job_runs.beat):
        with pytest.raises(Superseded):
            write(session, first, LATER)
    job_runs.fail(session, first, LATER, "too late")
    assert state(session, second.run_id)[0] == "running"
    job_runs.finish(session, second, LATER)
    assert state(session, second.run_id)[0] == "done"


def test_a_beat_keeps_the_lease_and_tells_how_far_it_is(session):
    job_runs.enqueue(session, "train", NOW)
    mine = claim(session)
    job_runs.beat(session, mine, NOW + job_runs.LEASE, 10, 200)
    assert job_runs.reap(session, NOW + job_runs.LEASE * 1.5) == 0
    run = session.get(JobRun, mine.run_id, populate_existing=True)
    assert (run.done, run.total) == (10, 200)


def test_after_three_silent_workers_a_run_is_abandoned(session):
    job_runs.enqueue(session, "train", NOW)
    for _ in range(job_runs.MOST_ATTEMPTS):
        mine = claim(session)
        job_runs.reap(session, LATER)
    assert state(session, mine.run_id) == ("abandoned", "Its worker fell silent 3 times.")
    assert claim(session) is None


def test_run_now_clicked_twice_is_one_run_and_needs_the_right(session):
    actor = an_actor(session, "manager")
    first = job_runs.request(session, actor, "train", NOW)
    assert job_runs.request(session, actor, "train", NOW + timedelta(seconds=1)) == first
    claim(session)
    assert job_runs.request(session, actor, "train", NOW + timedelta(seconds=2)) == first
    with pytest.raises(NotAllowed, match="user"):
        job_runs.request(session, an_actor(session, "user"), "train", NOW)


def test_a_queued_run_is_cancelled_at_once_a_running_one_at_its_next_step(session):
    actor = an_actor(session, "manager")
    queued = job_runs.request(session, actor, "refresh", NOW)
    job_runs.cancel(session, actor, queued, NOW)
    assert state(session, queued)[0] == "cancelled"
    running = job_runs.request(session, actor, "train", NOW)
    mine = claim(session)
    job_runs.cancel(session, actor, running, NOW)
    with pytest.raises(Superseded):
        job_runs.beat(session, mine, NOW)
    job_runs.fail(session, mine, NOW, "stopped")
    assert state(session, running) == ("cancelled", "stopped")
    with pytest.raises(RuleBroken, match="nothing to cancel"):
        job_runs.cancel(session, actor, running, NOW)


def test_the_scheduler_is_seen_alive(session):
    assert job_runs.scheduler_seen_at(session) is None
    job_runs.alive(session, "a", NOW)
    job_runs.alive(session, "a", LATER)
    assert job_runs.scheduler_seen_at(session) == LATER


def test_a_long_complaint_is_cut_not_refused(session):
    job_runs.enqueue(session, "train", NOW)
    mine = claim(session)
    job_runs.fail(session, mine, NOW, "x" * 10_000)
    assert len(state(session, mine.run_id)[1]) == 2000
    assert session.scalar(sa.select(sa.func.count()).select_from(JobRun)) == 1


def test_a_run_whose_work_died_is_tried_again_a_few_times(session):
    job_runs.enqueue(session, "train", NOW)
    for _ in range(job_runs.MOST_ATTEMPTS - 1):
        assert job_runs.try_again(session, claim(session), "Killed.")
    last = claim(session)
    assert not job_runs.try_again(session, last, "Killed.")
    assert job_runs.fail(session, last, NOW, "Killed.")
    assert state(session, last.run_id) == ("failed", "Killed.")
    assert not job_runs.fail(session, last, NOW, "Killed.")


def test_a_cancelled_run_whose_work_died_is_not_tried_again(session):
    actor = an_actor(session, "manager")
    run_id = job_runs.request(session, actor, "train", NOW)
    mine = claim(session)
    job_runs.cancel(session, actor, run_id, NOW)
    assert not job_runs.try_again(session, mine, "Killed.")


def test_runs_of_long_ago_are_forgotten_with_their_logs_but_never_the_last_slot(session):
    def ended(job, slot):
        job_runs.enqueue(session, job, slot)
        mine = claim(session, slot)
        job_log.write(session, mine.run_id, [job_log.Line(slot, "INFO", "here")])
        job_runs.finish(session, mine, slot)
        return mine.run_id

    old, older = NOW, NOW - timedelta(days=7)
    forgotten, last = ended("train", older), ended("train", old)
    recent = ended("tick", NOW + job_runs.KEPT_FOR)
    waits = job_runs.enqueue(session, "tick", NOW)
    much_later = NOW + job_runs.KEPT_FOR + timedelta(days=1)
    assert waits
    assert job_runs.forget_old(session, much_later) == 1
    assert job_runs.forget_old(session, much_later) == 0
    left = session.scalars(sa.select(JobRun.id).where(JobRun.state == "done")).all()
    assert set(left) == {last, recent}
    assert forgotten not in session.scalars(sa.select(JobLine.job_run_id)).all()
    assert job_runs.last_slot(session, "train") == old


def test_who_may_only_train_cancels_nothing_else(session):
    manager, admin = an_actor(session, "manager"), an_actor(session, "admin")
    run_id = job_runs.request(session, admin, "check_ledger", NOW)
    with pytest.raises(NotAllowed):
        job_runs.cancel(session, manager, run_id, NOW)
    job_runs.cancel(session, admin, run_id, NOW)
    assert state(session, run_id)[0] == "cancelled"


def test_schedulers_of_long_ago_are_forgotten(session):
    job_runs.alive(session, "old", NOW - job_runs.KEPT_FOR - timedelta(days=1))
    job_runs.alive(session, "new", NOW)
    job_runs.forget_old(session, NOW)
    assert session.scalars(sa.select(Worker.name)).all() == ["new"]
