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
import threading
import time
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from core import job_runs
from core.job_runs import Claim, Superseded
from core.timetable import ERRANDS, TASKS, Errand, Task
from db.session import engine, transact
from jobs import run_log, serve, work
from jobs.hands import Hand, InChild, InThread

BEAT_SECONDS = 15
LAST_WORDS_SECONDS = 10  # how long a short run may still work when this process is asked to stop
MOST_LEFT_BEHIND = 3  # threads of one job that hang; further runs of that job wait for another process
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
    """One process: a clock, a worker for each short job, and two for work in child processes.

    A short job that hangs holds up only its own kind, until its limit.
    """

    def __init__(self, tasks: tuple[Task, ...] = TASKS) -> None:
        self.tasks = tasks
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._stopped = threading.Event()
        self._asked: dict[str, datetime] = {}
        self._bell = Bell()
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
        threading.Thread(target=self._bell.listen, args=(self._stopped,), name="bell", daemon=True).start()
        workers = [
            threading.Thread(target=self._work, args=(jobs,), name=name, daemon=True)
            for name, jobs in self._posts().items()
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
        self._bell.ring()

    def _posts(self) -> dict[str, list[Task | Errand]]:
        """The workers of this process and the jobs of each: one a short job, one for each kind of child."""
        posts: dict[str, list[Task | Errand]] = {}
        for job in (*self.tasks, *ERRANDS):
            name = job.job if job.runs_in == "thread" else job.runs_in
            posts.setdefault(name, []).append(job)
        return posts

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

    def _work(self, jobs: list[Task | Errand]) -> None:
        """Claim and do runs of these jobs until stopped."""
        by_name = {job.job: job for job in jobs}
        left_behind: list[Hand] = []
        while not self._stopped.is_set():
            heard = self._bell.rings
            try:
                left_behind = [hand for hand in left_behind if not hand.wait(0)]
                claimed = None
                if len(left_behind) < MOST_LEFT_BEHIND:
                    claimed = transact(
                        lambda session: job_runs.claim(session, self.name, list(by_name), datetime.now(UTC))
                    )
                if claimed is None:
                    self._bell.wait(heard, LOOK_SECONDS)
                else:
                    with run_log.kept(claimed.run_id):
                        left_behind.append(self._attend(claimed, by_name[claimed.job]))
            except Exception:
                log.exception("The worker for %s stumbled", ", ".join(by_name))
                self._stopped.wait(LOOK_SECONDS)

    def _attend(self, claimed: Claim, job: Task | Errand) -> Hand:
        """Have a run done and keep its lease; end it when it takes too long or is no longer ours."""
        hand: Hand = InThread(claimed, work.do) if job.runs_in == "thread" else InChild(claimed)
        deadline = time.monotonic() + job.limit.total_seconds()
        try:
            while not hand.wait(1):
                if self._stopped.is_set():
                    self._stop(hand)
                    return hand
                if time.monotonic() > deadline:
                    self._failed(claimed, f"It took longer than {_words(job.limit)} and was ended.")
                    return hand
                transact(lambda session: job_runs.beat(session, claimed, datetime.now(UTC)))
            if died := hand.died_of():
                self._died(claimed, died, again=hand.was_killed and isinstance(job, Task))
        except Superseded:
            # Cancelled or given to another: it may not go on. Or done, and only tidying up after itself.
            if not self._failed(claimed, "Cancelled."):
                hand.wait(LAST_WORDS_SECONDS)
        finally:
            hand.let_go()
        return hand

    def _stop(self, hand: Hand) -> None:
        if isinstance(hand, InThread):
            hand.wait(LAST_WORDS_SECONDS)

    def _died(self, claimed: Claim, sentence: str, *, again: bool) -> None:
        """Its process is gone: what only bad luck ended is tried again, a few times."""
        if again and transact(lambda session: job_runs.try_again(session, claimed, sentence)):
            log.error("%s It is tried again.", sentence)
        else:
            self._failed(claimed, sentence)

    def _failed(self, claimed: Claim, sentence: str) -> bool:
        now = datetime.now(UTC)
        is_ours = transact(lambda session: job_runs.fail(session, claimed, now, sentence))
        if is_ours:
            log.error("%s", sentence)
        return is_ours


def _words(limit: timedelta) -> str:
    hours, minutes, seconds = limit / timedelta(hours=1), limit / timedelta(minutes=1), limit.total_seconds()
    if hours >= 2:
        return f"{hours:g} hours"
    return f"{minutes:g} minutes" if minutes >= 2 else f"{seconds:g} seconds"


class Bell:
    """Rings for all workers of this process when a run was asked for (LISTEN job_run)."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = threading.Condition()

    def wait(self, heard: int, seconds: float) -> None:
        """Return when it has rung more often than `heard`, or after `seconds`."""
        with self._rung:
            self._rung.wait_for(lambda: self.rings != heard, seconds)

    def ring(self) -> None:
        with self._rung:
            self.rings += 1
            self._rung.notify_all()

    def listen(self, stopped: threading.Event) -> None:
        """Hold one connection and ring at each notification; without one, workers look by themselves."""
        connection = None
        while not stopped.is_set():
            try:
                if connection is None:
                    connection = engine().raw_connection()
                    connection.driver_connection.autocommit = True
                    with connection.cursor() as cursor:
                        cursor.execute("LISTEN job_run")
                    self.ring()  # for what came while nobody listened
                listening = connection.driver_connection
                if select.select([listening], [], [], LOOK_SECONDS)[0]:
                    listening.poll()
                    listening.notifies.clear()
                    self.ring()
            except Exception:  # lost: listen anew
                if connection is not None:
                    connection.invalidate()
                connection = None
                stopped.wait(1)
