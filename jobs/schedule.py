"""The timetable, in UTC: what runs when, said in words too."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger


@dataclass(frozen=True)
class Task:
    """A job of the timetable.

    `runs_in`: "thread" for short work, "child" for work that takes processor time for minutes, so that short
    work is never late; `limit` is when a child is held to hang and killed.
    """

    job: str
    words: str
    trigger: CronTrigger
    every: timedelta
    runs_in: str = "thread"
    limit: timedelta = timedelta(minutes=10)

    def last_slot(self, now: datetime) -> datetime:
        """The latest moment of the timetable that is not after `now`."""
        # The hour in which clocks change does not exist in UTC: slots come at even distances.
        slot = self.trigger.get_next_fire_time(None, now - self.every - timedelta(seconds=1))
        while (following := self.trigger.get_next_fire_time(slot, slot + timedelta(seconds=1))) <= now:
            slot = following
        return slot


def _utc(**when) -> CronTrigger:
    return CronTrigger(**when, timezone="UTC")


TASKS = (
    Task(
        "train",
        "every Sunday at 02:00 UTC",
        _utc(day_of_week="sun", hour=2, minute=0),
        timedelta(days=7),
        runs_in="child",
        limit=timedelta(hours=6),
    ),
    Task(
        "refresh",
        "every night at 01:00 UTC",
        _utc(hour=1, minute=0),
        timedelta(days=1),
        runs_in="child",
        limit=timedelta(hours=3),
    ),
    Task("check_ledger", "every night at 03:30 UTC", _utc(hour=3, minute=30), timedelta(days=1)),
    Task("run_outs", "every minute", _utc(minute="*"), timedelta(minutes=1)),
)
BY_NAME = {task.job: task for task in TASKS}
