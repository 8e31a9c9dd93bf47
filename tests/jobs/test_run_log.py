"""What is said during a run is found again with it, whatever happens to the run or to the writing."""

import logging
import threading
from datetime import UTC, datetime

import pytest

from core import job_log, job_runs
from core.errors import NotAllowed
from db.session import reading, transaction
from jobs import run_log, work
from tests.makers import an_actor

log = logging.getLogger("runout.test")


@pytest.fixture(autouse=True)
def _a_database(clone):
    """Runs write from several connections."""


@pytest.fixture
def admin():
    with transaction() as session:
        return an_actor(session, "admin")


def a_run(job: str = "run_outs") -> job_runs.Claim:
    now = datetime.now(UTC)
    with transaction() as session:
        job_runs.enqueue(session, job, now)
        return job_runs.claim(session, "test", [job], now)


def said(admin, run: job_runs.Claim) -> list[str]:
    with reading() as session:
        return [line.message for line in job_log.read(session, admin, run.run_id)]


def test_what_our_loggers_say_is_kept_and_what_others_say_is_not(admin):
    run = a_run()
    with run_log.kept(run.run_id):
        log.info("two of %s", "three")
        log.debug("details")
        logging.getLogger("somebody.else").error("not ours")
        assert said(admin, run) == ["two of three"]  # at once, for whoever looks while it runs
    log.info("after the run")
    assert said(admin, run) == ["two of three"]


def test_a_job_that_raises_leaves_its_traceback_in_the_log(admin, monkeypatch):
    def raises(_claimed):
        raise ZeroDivisionError("no luck with postgresql://me:secret@host/db")

    monkeypatch.setitem(work.JOBS, "run_outs", raises)
    run = a_run()
    work.do(run)
    with reading() as session:
        (line,) = job_log.read(session, admin, run.run_id)
    assert line.level == "ERROR"
    assert "Traceback" in line.message
    assert "ZeroDivisionError: no luck" in line.message
    assert "secret" not in line.message


def test_runs_beside_each_other_do_not_mix_their_lines(admin):
    runs, together = [a_run("run_outs"), a_run("train")], threading.Barrier(2)

    def talk(run):
        with run_log.kept(run.run_id):
            for n in range(20):
                together.wait(10)
                log.info("%s says %s", run.job, n)

    threads = [threading.Thread(target=talk, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for run in runs:
        assert said(admin, run) == [f"{run.job} says {n}" for n in range(20)]


def test_of_a_talkative_run_the_last_lines_are_kept(admin):
    run = a_run()
    with run_log.kept(run.run_id):
        for n in range(1200):
            log.info("%s", n)
    kept = said(admin, run)
    assert len(kept) == job_log.MOST_LINES
    assert kept[-1] == "1199"


def test_a_long_line_is_cut_in_its_middle_and_odd_characters_do_no_harm(admin, monkeypatch):
    # What pytest captures must be text that it can hand to its main process.
    monkeypatch.setattr(logging.getLogger("runout"), "propagate", False)
    run = a_run()
    with run_log.kept(run.run_id):
        log.info("begin %s end", "x" * 10_000)
        log.info("nul \x00 and half a character \ud800")
    long, odd = said(admin, run)
    assert len(long) == job_log.LONGEST_LINE
    assert long.startswith("begin x")
    assert long.endswith("x end")
    assert odd == "nul  and half a character ?"


def test_a_log_that_cannot_be_written_fails_no_run(admin, monkeypatch):
    run = a_run()

    def refuses(*_):
        raise OSError("disk full")

    with monkeypatch.context() as broken, run_log.kept(run.run_id):
        broken.setattr(job_log, "write", refuses)
        log.info("first")
        broken.undo()
        log.info("second")
    assert said(admin, run) == ["first", "second"]
    monkeypatch.setattr(job_log, "write", refuses)
    quiet = a_run("train")
    with run_log.kept(quiet.run_id):
        log.info("never seen")
    assert said(admin, quiet) == []


def test_only_those_who_see_jobs_read_logs(admin):
    run = a_run()
    with transaction() as session:
        manager = an_actor(session, "manager")
    with reading() as session:
        with pytest.raises(NotAllowed):
            job_log.read(session, manager, run.run_id)
        assert job_log.last_said(session, admin, [run.run_id]) == {}
    with run_log.kept(run.run_id):
        log.info("here")
    with reading() as session:
        assert set(job_log.last_said(session, admin, [run.run_id])) == {run.run_id}
