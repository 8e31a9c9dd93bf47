"""What the loggers of Runout say during a run goes into the log of that run, beside standard error."""

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from core import audit, job_log
from core.job_log import Line
from db.session import transaction

OURS = "runout"
AT_ONCE = 100  # lines of a run that are written when they are said; a talkative run writes once a second
PATIENCE_SECONDS = 1.0
AFTER_TROUBLE_SECONDS = 10.0
STATEMENT_SECONDS = 5

# Below our own loggers this one would be heard by itself.
log = logging.getLogger("run_log")


class Keeper:
    """The log of one run, while it works. What cannot be written is kept for the next try, up to a bound."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self._unwritten: deque[Line] = deque(maxlen=job_log.MOST_LINES)
        self._said = 0
        self._next_write = 0.0

    def say(self, line: Line) -> None:
        """Keep a line, and write it when it is time to."""
        self._said += 1
        self._unwritten.append(line)
        if time.monotonic() >= self._next_write:
            self.write()

    def write(self) -> None:
        """Write what is not written yet; trouble with it is no trouble of the run."""
        if not self._unwritten:
            return
        lines = list(self._unwritten)
        try:
            with transaction(STATEMENT_SECONDS) as session:
                job_log.write(session, self.run_id, lines)
        except Exception as trouble:
            log.warning("The log of run %s cannot be written: %s", self.run_id, trouble)
            self._next_write = time.monotonic() + AFTER_TROUBLE_SECONDS
            return
        self._unwritten.clear()
        self._next_write = 0.0 if self._said < AT_ONCE else time.monotonic() + PATIENCE_SECONDS


# Each thread has its own, so that runs beside each other do not mix.
_keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


class Hearing(logging.Handler):
    """Hands each record to the keeper of the run it belongs to, if to any."""

    def emit(self, record: logging.LogRecord) -> None:
        keeper = _keeper.get()
        if keeper is None:
            return
        mine = _keeper.set(None)  # what is said while writing is not written
        try:
            at = datetime.fromtimestamp(record.created, UTC)
            keeper.say(Line(at, record.levelname, self.format(record)))
        except Exception:
            self.handleError(record)
        finally:
            _keeper.reset(mine)


_hearing = Hearing(logging.INFO)


@contextmanager
def kept(run_id: int) -> Iterator[None]:
    """During the block the log of this thread is the log of the run; its lines carry the run's number."""
    ours = logging.getLogger(OURS)
    if _hearing not in ours.handlers:
        ours.addHandler(_hearing)
        if not ours.isEnabledFor(logging.INFO):
            ours.setLevel(logging.INFO)
    keeper = Keeper(run_id)
    mine, marked = _keeper.set(keeper), audit.request_id.set(f"run-{run_id}")
    try:
        yield
    finally:
        _keeper.reset(mine)
        audit.request_id.reset(marked)
        keeper.write()
