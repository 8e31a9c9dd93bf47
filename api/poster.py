"""One thread of this process that books what requests hand in, as many in one transaction as have come.

A lone request is booked at once; those that come meanwhile share the next transaction: one commit, and a few
statements, for all of them. It is the one exception to "one request, one transaction", and a short cut only:
what goes wrong there, whatever it is, happens to nobody. Those requests are booked one at a time in the usual
way, under the same keys, so that a commit whose answer was lost is not done twice.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from core import adjustments
from core.adjustments import Outcome, Wanted
from db.session import OwnConnection

log = logging.getLogger("runout.api")

MOST_AT_ONCE = 64
# Some seconds of work; whoever comes now would wait longer than it is worth.
MOST_WAITING = 2048


class Unavailable(Exception):
    """Too many wait already, or the server is being stopped: nothing was done, try again in a moment."""


@dataclass(frozen=True)
class _Waiting:
    wanted: Wanted
    loop: asyncio.AbstractEventLoop
    outcome: "asyncio.Future[Outcome | None]"


class Poster:
    """The thread and those who wait for it. It begins with the first request, and anew should it have died.

    For who watches: `transactions` it made, the requests answered from them (`together`), and those that it
    gave back to be booked `alone`.
    """

    def __init__(self) -> None:
        self.transactions = self.together = self.alone = 0
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Requests that wait for the next transaction."""
        return len(self._waiting)

    async def book(self, wanted: Wanted) -> Outcome | None:
        """What came of it; None when it must be booked alone, under the same key.

        Whoever goes away while it waits in the queue has asked for nothing. Raises Unavailable.
        """
        if self._stopping or len(self._waiting) >= MOST_WAITING:
            raise Unavailable
        loop = asyncio.get_running_loop()
        one = _Waiting(wanted, loop, loop.create_future())
        self._waiting.append(one)
        # Not at once: first those come in whose requests are here already, or the first would be booked alone
        # while they wait for it.
        loop.call_soon(self._wake)
        return await one.outcome

    def _wake(self) -> None:
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="poster", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """Let nobody in any more, and wait until those who wait have their answer."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        mine = OwnConnection()
        try:
            while batch := self._next():
                outcomes: Sequence[Outcome | None] = [None] * len(batch)
                try:
                    outcomes = _book(mine, batch)
                    self._count(outcomes)
                finally:  # also when this thread dies
                    _tell(batch, outcomes)
        finally:
            with self._changed:
                self._thread = None
                left = [self._waiting.popleft() for _ in range(len(self._waiting))]
            _tell(left, [None] * len(left))  # a thread that dies leaves nobody waiting
            mine.close()

    def _count(self, outcomes: Sequence[Outcome | None]) -> None:
        alone = sum(outcome is None for outcome in outcomes)
        self.transactions += alone < len(outcomes)
        self.alone += alone
        self.together += len(outcomes) - alone

    def _next(self) -> list[_Waiting]:
        """Those that are to be booked now; none when it is time to end."""
        with self._changed:
            while True:
                while self._waiting:
                    batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
                    if still := [one for one in batch if not one.outcome.cancelled()]:
                        return still
                if self._stopping:
                    return []
                self._changed.wait()


def _book(mine: OwnConnection, batch: Sequence[_Waiting]) -> Sequence[Outcome | None]:
    try:
        with mine.transaction() as session:
            return adjustments.book_each(session, [one.wanted for one in batch], datetime.now(UTC))
    except DBAPIError as trouble:
        log.warning("%s adjustments are booked one at a time: %s", len(batch), type(trouble.orig).__name__)
    except Exception:
        log.exception("%s adjustments are booked one at a time", len(batch))
    return [None] * len(batch)


def _tell(batch: Sequence[_Waiting], outcomes: Sequence[Outcome | None]) -> None:
    told: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Outcome | None]]] = {}
    for one, outcome in zip(batch, outcomes, strict=True):
        told.setdefault(one.loop, []).append((one, outcome))
    for loop, answers in told.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: Sequence[tuple[_Waiting, Outcome | None]]) -> None:
    for one, outcome in answers:
        if not one.outcome.done():  # its request is gone
            one.outcome.set_result(outcome)
