"""Looks at the database for probes and scrapes: apart from the work of requests, and never for long."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import anyio
from fastapi import Request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from core import figures
from core.figures import Figures
from db.session import ServerError, probing

T = TypeVar("T")

# Looks at once in a process: a database that hangs keeps this many threads, and the next look waits for one.
LOOKS = 4
# What a look may take beyond its statements: a connection, and a thread that gets its turn.
SPARE_SECONDS = 1.0
# Prometheus waits ten for its page.
FIGURES_SECONDS = 3
# Who scrapes often, or twice, does not make the database count everything each time.
KEPT_SECONDS = 5.0


async def look(request: Request, work: Callable[[Session], T], seconds: int) -> T | None:
    """What `work` finds out over a connection of its own; None when the database does not answer in time.

    Each statement has `seconds`, the whole look a second more. It does not queue behind requests, whose
    threads and connections may all be waiting for the very database that is asked about.
    """

    def looking() -> T:
        with probing(seconds) as session:
            return work(session)

    with anyio.move_on_after(seconds + SPARE_SECONDS):
        try:
            return await anyio.to_thread.run_sync(
                looking, abandon_on_cancel=True, limiter=request.app.state.looks
            )
        except (DBAPIError, PoolTimeout, ServerError):
            return None
    return None


class KeptFigures:
    """The figures of the shop, at most `KEPT_SECONDS` old."""

    def __init__(self) -> None:
        self._found: Figures | None = None
        self._until = 0.0

    async def of(self, request: Request, now: datetime) -> Figures | None:
        """The figures; None when the database does not answer."""
        if time.monotonic() >= self._until:
            self._found = await look(request, lambda session: figures.look(session, now), FIGURES_SECONDS)
            self._until = time.monotonic() + KEPT_SECONDS
        return self._found
