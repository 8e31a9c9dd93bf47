"""A scheduler process with one job a second, whose effect is an audit line: `python -m tests.chaos.clock`."""

import argparse
from datetime import UTC, datetime, timedelta

from core import audit, job_runs
from core.timetable import Task
from db.session import transact
from jobs import scheduler, work

TICK = Task("tick", "Tick", "every second", datetime(2024, 1, 7, tzinfo=UTC), timedelta(seconds=1))
LONGEST_LEASE = timedelta(seconds=3)


def tick(claimed: job_runs.Claim) -> None:
    def effect(session) -> None:
        audit.note(session, None, "tick", "slot", claimed.slot.isoformat())
        job_runs.finish(session, claimed, datetime.now(UTC))

    transact(effect)


if __name__ == "__main__":
    job_runs.LEASE = LONGEST_LEASE  # so that a killed worker's slot is tried again within the test
    scheduler.BEAT_SECONDS = 1
    work.JOBS["tick"] = tick
    scheduler.Scheduler.__init__.__defaults__ = ((TICK,),)
    scheduler.main(argparse.Namespace())
