"""A scheduler process with one job a second, whose effect is an audit line: `python -m tests.chaos.clock`."""

import argparse
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from core import audit, job_runs
from db.session import transact
from jobs import scheduler, work
from jobs.schedule import Task

TICK = Task("tick", "every second", CronTrigger(second="*", timezone="UTC"), timedelta(seconds=1))
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
    scheduler.TASKS = (TICK,)
    scheduler.Scheduler.__init__.__defaults__ = ((TICK,),)
    scheduler.main(argparse.Namespace())
