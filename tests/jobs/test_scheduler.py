"""The clock, with real processes that are killed."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import alerts, job_runs, ledger_check, ledger_marks, timetable
from core.job_runs import Claim
from db.models import AuditLine, JobRun, LedgerMark, ModelRun, Worker
from db.session import reading, transact, transaction
from jobs import work
from jobs.__main__ import main
from tests.makers import a_product, an_actor

ROOT = Path(__file__).resolve().parents[2]
SUNDAY = datetime(2026, 3, 29, 2, 0, tzinfo=UTC)  # clocks change in Berlin


@pytest.mark.parametrize(
    ("job", "now", "slot"),
    [
        ("train", SUNDAY, SUNDAY),
        ("train", SUNDAY - timedelta(seconds=1), SUNDAY - timedelta(days=7)),
        ("train", SUNDAY + timedelta(days=6), SUNDAY),
        ("refresh", SUNDAY, SUNDAY.replace(hour=1)),
        ("check_ledger", SUNDAY, SUNDAY.replace(hour=3, minute=30) - timedelta(days=1)),
        ("run_outs", SUNDAY + timedelta(seconds=59), SUNDAY),
    ],
)
def test_the_last_slot_is_the_latest_not_after_now(job, now, slot):
    task = timetable.BY_NAME[job]
    assert task.last_slot(now) == slot
    assert task.next_slot(now) == slot + task.every


def test_a_year_has_every_slot_once_whatever_the_clocks_do():
    task, now, seen = timetable.BY_NAME["refresh"], datetime(2026, 1, 1, 12, tzinfo=UTC), set()
    for _ in range(365 * 4):
        now += timedelta(hours=6)
        seen.add(task.last_slot(now))
    assert len(seen) == 366  # and the one before the year began
    assert {slot.hour for slot in seen} == {1}


def test_every_job_of_the_timetable_can_be_done():
    asked_for = {errand.job for errand in timetable.ERRANDS}
    assert set(timetable.BY_NAME) | asked_for == set(work.JOBS)


def claimed(job: str) -> Claim:
    now = datetime.now(UTC)
    with transaction() as session:
        job_runs.enqueue(session, job, now)
        return job_runs.claim(session, "test", [job], now)


def run(run_id: int) -> JobRun:
    with reading() as session:
        return session.get(JobRun, run_id)


@pytest.mark.usefixtures("clone")
def test_run_outs_the_ledger_check_and_the_tidying_do_their_work_and_say_so(monkeypatch):
    monkeypatch.setattr(ledger_marks, "STEP", 1)
    with transaction() as session:
        a_product(session, 5)
    minute = claimed("run_outs")
    work.do(minute)
    assert (run(minute.run_id).state, run(minute.run_id).result) == ("done", {"products": 1})
    night = claimed("check_ledger")
    work.do(night)
    assert (run(night.run_id).state, run(night.run_id).result) == ("done", {})
    tidying = claimed("tidy")
    work.do(tidying)
    assert (run(tidying.run_id).state, run(tidying.run_id).result) == ("done", {"deleted": 0})
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LedgerMark)) == 1


def test_a_broken_ledger_fails_the_nightly_check_says_where_and_a_whole_one_is_sound_again(clone):
    with transaction() as session:
        a_product(session, 5, sku="LAMP")
    somebody = sa.create_engine(clone.replace("runout_app@", "postgres@"), isolation_level="AUTOCOMMIT")
    wrong, right = (sa.text(f"UPDATE stock_level SET quantity = {n}") for n in (4, 5))
    with somebody.connect() as connection:
        connection.execute(wrong)
        night = claimed("check_ledger")
        work.do(night)
        assert run(night.run_id).state == "failed"
        assert "1 x level_is_not_the_sum" in run(night.run_id).message
        with reading() as session:
            told = ledger_check.report(session)
            (alert,), _ = alerts.listing(session, type="ledger", today=date.max)
        assert (told.is_sound, told.totals["level_is_not_the_sum"]) == (False, 1)
        assert told.faults[0].message.startswith("LAMP in ")
        assert (alert.sku, alert.state, alert.severity) == ("LAMP", "active", "critical")
        connection.execute(right)
        work.do(claimed("check_ledger"))
    somebody.dispose()
    with reading() as session:
        told = ledger_check.report(session)
        assert (told.is_sound, told.totals, told.faults) == (True, {}, [])
        assert alerts.by_uid(session, alert.uid).state == "resolved"


def test_a_check_that_was_given_to_another_keeps_nothing_of_what_it_found(clone):
    with transaction() as session:
        a_product(session, 5)
    somebody = sa.create_engine(clone.replace("runout_app@", "postgres@"))
    with somebody.begin() as connection:
        connection.execute(sa.text("UPDATE stock_level SET quantity = 4"))
    somebody.dispose()
    night = claimed("check_ledger")
    with transaction() as session:
        job_runs.reap(session, datetime.now(UTC) + 2 * job_runs.LEASE)
    work.do(night)
    with reading() as session:
        assert ledger_check.report(session) == ledger_check.Report(None, None, {}, [])
    assert run(night.run_id).state == "queued"


@pytest.mark.usefixtures("clone")
def test_a_job_that_raises_is_visible_and_the_worker_lives(monkeypatch):
    def raises(_claimed):
        raise ZeroDivisionError("no luck")

    monkeypatch.setitem(work.JOBS, "run_outs", raises)
    bad = claimed("run_outs")
    work.do(bad)
    assert (run(bad.run_id).state, run(bad.run_id).message) == ("failed", "ZeroDivisionError: no luck")


@pytest.mark.usefixtures("clone")
def test_a_training_that_was_given_to_another_publishes_nothing():
    with transaction() as session:
        a_product(session, 5, stock_at=datetime.now(UTC) - timedelta(days=40))
    slow = claimed("train")
    with transaction() as session:
        job_runs.reap(session, datetime.now(UTC) + 2 * job_runs.LEASE)
    work.do(slow)
    with reading() as session:
        assert session.scalars(sa.select(ModelRun.state)).all() == ["failed"]
    assert run(slow.run_id).state == "queued"


@pytest.mark.usefixtures("clone")
def test_a_nightly_refresh_trains_only_what_moved():
    with transaction() as session:
        for _ in range(2):
            a_product(session, 5, stock_at=datetime.now(UTC) - timedelta(days=40))
    first, second = claimed("train"), None
    work.do(first)
    assert run(first.run_id).result["too_short"] == 2
    second = claimed("refresh")
    work.do(second)
    assert sum(run(second.run_id).result.values()) == 0


@pytest.mark.usefixtures("clone")
def test_a_training_by_hand_counts_as_the_slots_run():
    with transaction() as session:
        a_product(session, 5, stock_at=datetime.now(UTC) - timedelta(days=40))
    assert main(["train"]) == 0
    with transaction() as session:
        for job in ("train", "refresh"):
            slot = timetable.BY_NAME[job].last_slot(datetime.now(UTC))
            assert not job_runs.enqueue(session, job, slot)


def start(url: str, module: str = "tests.chaos.clock", *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_until_alive(clock: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with reading() as session:
            names = session.scalars(sa.select(Worker.name)).all()
        if any(name.endswith(f":{clock.pid}") for name in names):
            return
        time.sleep(0.1)
    raise AssertionError("The clock did not start.")


@pytest.mark.timeout(120 + 2 * int(os.environ.get("CHAOS_SLOTS", "12")))
def test_three_clocks_at_once_with_kills_lose_no_slot_and_double_none(clone):
    seconds = int(os.environ.get("CHAOS_SLOTS", "12"))
    chance = random.Random(4)
    clocks = [start(clone) for _ in range(3)]
    try:
        for clock in clocks:
            wait_until_alive(clock)
        first = datetime.now(UTC)
        kills = 0
        while kills < 3 or (datetime.now(UTC) - first).total_seconds() < seconds:
            time.sleep(chance.uniform(1, 4))
            place = chance.randrange(3)
            clocks[place].kill()
            clocks[place].wait()
            clocks[place] = start(clone)
            wait_until_alive(clocks[place])  # at least one clock runs at any time
            kills += 1
        last = datetime.now(UTC)
        time.sleep(8)  # leases of the killed end, their slots are tried again
    finally:
        for clock in clocks:
            clock.send_signal(signal.SIGTERM)
        codes = [clock.wait(20) for clock in clocks]
    with reading() as session:
        effects = session.scalars(sa.select(AuditLine.subject_id).where(AuditLine.action == "tick")).all()
        not_done = session.scalars(
            sa.select(JobRun.state).where(JobRun.state != "done", JobRun.slot <= last)
        ).all()
    slots = [datetime.fromisoformat(text) for text in effects]
    assert kills >= 3
    assert len(slots) == len(set(slots)), "a slot had two effects"
    due = {
        first.replace(microsecond=0) + timedelta(seconds=n)
        for n in range(1, int((last - first).total_seconds()))
    }
    assert due - set(slots) == set(), "slots without an effect"
    assert not_done == []
    assert codes == [0, 0, 0]


def test_a_long_run_happens_in_a_child_and_sigterm_stops_the_clock(clone):
    with transaction() as session:
        a_product(session, 5, stock_at=datetime.now(UTC) - timedelta(days=40))
        actor = an_actor(session, "manager")
    clock = start(clone, "jobs", "schedule")
    try:
        run_id = transact(lambda session: job_runs.request(session, actor, "refresh", datetime.now(UTC)))
        deadline = time.monotonic() + 60
        while run(run_id).state != "done" and time.monotonic() < deadline:
            time.sleep(0.3)
        assert run(run_id).state == "done", run(run_id).message
        with reading() as session:
            assert job_runs.scheduler_seen_at(session) is not None
    finally:
        clock.send_signal(signal.SIGTERM)
    assert clock.wait(30) == 0
