"""The clock: `python -m jobs schedule` asks for runs when they are due and does them.

Any number of these processes may run. The clock only adds a row per slot, which the database keeps unique;
workers claim rows, and each effect is guarded by its row (`core/job_runs.py`).
"""

import argparse
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from core import job_runs
from core.job_runs import Claim, Superseded
from core.timetable import ERRANDS, TASKS, Task
from db.session import engine, transact
from jobs import serve, steps, work

ROOT = Path(__file__).resolve().parent.parent
BEAT_SECONDS = 15
MOST_SLOTS = 60  # asked for at once after this process was stopped for a while (a laptop that slept)
LOOK_SECONDS = 5  # how often a worker looks when no notification came
log = logging.getLogger("runout.scheduler")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`python -m jobs schedule` has nothing to choose."""


def main(_arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C; a run that is under way is given up and tried again by whoever comes."""
    serve.must_be_safe("scheduler")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    scheduler = Scheduler()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scheduler.stop())
    scheduler.run()
    return 0


class Scheduler:
    """One process: a clock, a worker for short runs, and one for long runs in a child process."""

    def __init__(self, tasks: tuple[Task, ...] = TASKS) -> None:
        self.tasks = tasks
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._stopped = threading.Event()
        self._asked: dict[str, datetime] = {}
        # Jobs live in code: a store in the database would be pickles. A tick that comes late still counts,
        # and several late ones are one.
        self._clock = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def run(self) -> None:
        """Work until `stop` is called."""
        for task in self.tasks:
            self._guarded(self._ask, task)  # also catches up, once, what was missed while nobody ran
            slots = IntervalTrigger(
                seconds=task.every.total_seconds(), start_date=task.first_slot, timezone="UTC"
            )
            self._clock.add_job(self._guarded, slots, args=[self._ask, task], id=task.job)
        self._clock.add_job(self._guarded, "interval", seconds=BEAT_SECONDS, args=[self._beat], id="beat")
        self._guarded(self._beat)
        self._clock.start()
        workers = [
            threading.Thread(target=self._work, args=(runs_in, do), name=runs_in, daemon=True)
            for runs_in, do in (("thread", work.do), ("child", self._in_child), ("errand", self._in_child))
        ]
        for worker in workers:
            worker.start()
        log.info("The clock runs: %s", "; ".join(f"{task.job} {task.words}" for task in self.tasks))
        self._stopped.wait()
        self._clock.shutdown(wait=False)
        for worker in workers:
            worker.join(BEAT_SECONDS)

    def stop(self) -> None:
        self._stopped.set()

    def _ask(self, task: Task) -> None:
        """Ask for the slots that came since this process last asked; at its start for the last one only."""
        last = task.last_slot(datetime.now(UTC))
        slot = max(self._asked.get(task.job, last - task.every) + task.every, last - MOST_SLOTS * task.every)
        while slot <= last:
            transact(lambda session, slot=slot: job_runs.enqueue(session, task.job, slot))
            self._asked[task.job] = slot
            slot += task.every

    def _beat(self) -> None:
        def beat(session) -> None:
            job_runs.alive(session, self.name, datetime.now(UTC))
            job_runs.reap(session, datetime.now(UTC))

        transact(beat)

    def _guarded(self, step, *arguments) -> None:
        try:
            step(*arguments)
        except Exception:  # the database is away, say: the next tick tries again
            log.exception("The clock could not do its step")

    def _work(self, runs_in: str, do) -> None:
        """Claim and do runs of one kind until stopped."""
        jobs = [task.job for task in (*self.tasks, *ERRANDS) if task.runs_in == runs_in]
        bell = Bell()
        while not self._stopped.is_set():
            try:
                claimed = transact(
                    lambda session: job_runs.claim(session, self.name, jobs, datetime.now(UTC))
                )
                if claimed is None:
                    bell.wait(LOOK_SECONDS)
                else:
                    do(claimed)
            except Exception:
                log.exception("The worker for work in a %s stumbled", runs_in)
                self._stopped.wait(LOOK_SECONDS)

    def _in_child(self, claimed: Claim) -> None:
        """Run it in a process of its own, so that a hang or a lack of memory takes nothing else along."""
        command = [sys.executable, "-m", "jobs", "work", str(claimed.run_id), claimed.job,
                   claimed.slot.isoformat(), str(claimed.fence)]  # fmt: skip
        if claimed.subject is not None:
            command.append(claimed.subject)
        limit = next(task.limit for task in (*self.tasks, *ERRANDS) if task.job == claimed.job)
        deadline = time.monotonic() + limit.total_seconds()
        # After kill -9 of this process nobody else would end its children.
        child = subprocess.Popen(command, cwd=ROOT, preexec_fn=steps.die_with_parent)
        try:
            while child.poll() is None:
                if self._stopped.is_set():
                    return
                if time.monotonic() > deadline:
                    self._failed(claimed, "It took too long and was ended.")
                    return
                self._wait_for(child)
                transact(lambda session: job_runs.beat(session, claimed, datetime.now(UTC)))
            if child.returncode:
                self._failed(claimed, f"Its process ended with code {child.returncode}.")
        except Superseded:
            # Ended by itself meanwhile, cancelled, or given to another: in no case may it go on.
            if child.poll() is None:
                self._failed(claimed, "Cancelled.")
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()

    def _wait_for(self, child: subprocess.Popen) -> None:
        try:
            child.wait(1)
        except subprocess.TimeoutExpired:
            return

    def _failed(self, claimed: Claim, sentence: str) -> None:
        transact(lambda session: job_runs.fail(session, claimed, datetime.now(UTC), sentence))


class Bell:
    """Rings when a run was asked for (LISTEN job_run); without a connection it only waits."""

    def __init__(self) -> None:
        self._connection = None

    def wait(self, seconds: float) -> None:
        """Return at a notification, or after `seconds`."""
        try:
            if self._connection is None:
                self._connection = engine().raw_connection()
                self._connection.driver_connection.autocommit = True
                with self._connection.cursor() as cursor:
                    cursor.execute("LISTEN job_run")
            listening = self._connection.driver_connection
            if select.select([listening], [], [], seconds)[0]:
                listening.poll()
                listening.notifies.clear()
        except Exception:  # lost: listen anew next time, and look meanwhile
            if self._connection is not None:
                self._connection.invalidate()
            self._connection = None
            time.sleep(min(seconds, 1))
