"""The timetable: what runs when, in words too. Slots are in UTC: no change of clocks doubles or loses one.

Arithmetic: moments go in, moments come out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Task:
    """A job with its slots: `first_slot` and every `every` after it.

    `runs_in`: "thread" for short work, "child" for work that takes processor time for minutes and gets a
    process of its own, so that short work is never late; `limit` is when a child is held to hang.
    """

    job: str
    title: str
    words: str
    first_slot: datetime
    every: timedelta
    runs_in: str = "thread"
    limit: timedelta = timedelta(minutes=10)

    def last_slot(self, now: datetime) -> datetime:
        """The latest slot that is not after `now`."""
        return self.first_slot + (now - self.first_slot) // self.every * self.every

    def next_slot(self, now: datetime) -> datetime:
        """The first slot after `now`."""
        return self.last_slot(now) + self.every


def _at(hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 1, 7, hour, minute, tzinfo=UTC)  # a Sunday


TASKS = (
    Task(
        "train", "Train all forecasts", "Sundays at 02:00 UTC", _at(2), timedelta(days=7),
        runs_in="child", limit=timedelta(hours=6),
    ),
    Task(
        "refresh", "Train what moved", "every night at 01:00 UTC", _at(1), timedelta(days=1),
        runs_in="child", limit=timedelta(hours=3),
    ),
    Task(
        "anomaly_train", "Learn what movements are usual", "Sundays at 03:00 UTC", _at(3), timedelta(days=7),
        runs_in="child", limit=timedelta(hours=2),
    ),
    Task(
        "anomalies", "Look for odd movements", "every 20 minutes", _at(0, 8), timedelta(minutes=20),
        limit=timedelta(minutes=30),
    ),
    Task("check_ledger", "Check the ledger", "every night at 03:30 UTC", _at(3, 30), timedelta(days=1)),
    Task("tidy", "Delete old sign-ins", "every night at 03:50 UTC", _at(3, 50), timedelta(days=1)),
    Task(
        "ranges", "Score run-out ranges", "looks every hour, works once a day from 04:20 in the shop's time",
        _at(0, 20), timedelta(hours=1), limit=timedelta(minutes=30),
    ),
    Task("decisions", "Keep the decision journal", "every night at 04:40 UTC", _at(4, 40), timedelta(days=1)),
    Task("alerts", "Raise alerts", "every hour", _at(0), timedelta(hours=1)),
    Task(
        "auto_resolve", "Resolve alerts that are over", "every six hours from 00:30 UTC", _at(0, 30),
        timedelta(hours=6),
    ),
    Task(
        "advice", "Work out what to order", "looks every five minutes, works when something changed",
        _at(0, 2), timedelta(minutes=5), limit=timedelta(minutes=30),
    ),
    Task(
        "notify", "Tell of alerts", "every minute", _at(0), timedelta(minutes=1), limit=timedelta(minutes=30)
    ),
    Task("run_outs", "Bring run-outs up to date", "every minute", _at(0), timedelta(minutes=1)),
)  # fmt: skip


@dataclass(frozen=True)
class Errand:
    """Work that only people ask for, in a process of its own beside the long work of the timetable.

    `words` say when that is.
    """

    job: str
    title: str
    words: str
    runs_in: str = "errand"
    limit: timedelta = timedelta(minutes=30)


ERRANDS = (
    Errand("import", "Bring in a file", "when somebody brings one in"),
    # Beside the imports: nobody who waits for a picture waits for a file.
    Errand(
        "pattern",
        "Draw a product's patterns",
        "when somebody asks for them on a product's page",
        runs_in="picture",
        limit=timedelta(minutes=5),
    ),
)
BY_NAME = {task.job: task for task in TASKS}
