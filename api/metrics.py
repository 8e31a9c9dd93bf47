"""What this process counts of its requests.

Counting costs a request some microseconds and never asks the database. Labels come from closed sets: the
template of the route, the method, the status. Whatever leads to no route is one label, so nobody fills the
memory by making up addresses.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.session import MOST_CONNECTIONS, connections_used

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
NO_ROUTE = "(none)"
# A post takes milliseconds, a page of a list some ten, a login a fifth of a second, an export minutes.
BOUNDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


@dataclass(slots=True)
class Seen:
    """Requests of one kind: how many, their seconds and bytes in all, and how many took how long.

    `took`: for each of `BOUNDS` those that took at most so long and longer than the bound before it; the last
    one counts what took longer than all.
    """

    requests: int = 0
    seconds: float = 0.0
    bytes_sent: int = 0
    took: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    @classmethod
    def sum_of(cls, several: Iterable["Seen"]) -> "Seen":
        """All of them together."""
        found = cls()
        for seen in several:
            found.requests += seen.requests
            found.seconds += seen.seconds
            found.bytes_sent += seen.bytes_sent
            found.took = [a + b for a, b in zip(found.took, seen.took, strict=True)]
        return found

    def quantile(self, share: float) -> float:
        """Within how many seconds this share of the requests was answered, as Prometheus would say it.

        Between two bounds a line is drawn; what took longer than the last one counts as that bound.
        """
        wanted, lower, below = self.requests * share, 0.0, 0
        for bound, upto in zip(BOUNDS, accumulate(self.took), strict=False):
            if upto >= wanted and upto > below:
                return lower + (bound - lower) * (wanted - below) / (upto - below)
            lower, below = bound, upto
        return lower


class Requests:
    """The counts of one process (`app.state.requests`), which only the event loop's thread writes.

    `seen`: by method, route and status.
    """

    def __init__(self) -> None:
        self.in_progress = 0
        self.seen: dict[tuple[str, str, int], Seen] = {}

    def answered(self, scope: Scope, status: int, seconds: float, bytes_sent: int) -> None:
        """Count an answer."""
        method = scope["method"]
        key = (method if method in METHODS else OTHER, template(scope), status)
        seen = self.seen.get(key)
        if seen is None:
            seen = self.seen[key] = Seen()
        seen.requests += 1
        seen.seconds += seconds
        seen.bytes_sent += bytes_sent
        seen.took[bisect_left(BOUNDS, seconds)] += 1

    def summary(self) -> dict[str, Any]:
        """What the JSON of the metrics says of this process."""
        by_route: dict[tuple[str, str], dict[str, Seen]] = {}
        for (method, route, status), seen in self.seen.copy().items():
            by_route.setdefault((route, method), {})[str(status)] = seen
        return {
            "in_progress": self.in_progress,
            "connections_used": connections_used() or 0,
            "connections_max": MOST_CONNECTIONS,
            "routes": [_told(*names, by_status) for names, by_status in sorted(by_route.items())],
        }


def _told(route: str, method: str, by_status: dict[str, Seen]) -> dict[str, Any]:
    total = Seen.sum_of(by_status.values())
    return {
        "method": method,
        "route": route,
        "requests": total.requests,
        "by_status": {status: seen.requests for status, seen in sorted(by_status.items())},
        "seconds_mean": total.seconds / total.requests,
        **{f"seconds_p{p}": total.quantile(p / 100) for p in (50, 95, 99)},
        "bytes_sent": total.bytes_sent,
    }


class Counted:
    """The layer that counts every request, whatever the layers inside make of it."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self.app = app
        self.requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, sent = 500, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        self.requests.in_progress += 1
        began = time.perf_counter()
        try:
            await self.app(scope, receive, counted)
        finally:
            self.requests.in_progress -= 1
            self.requests.answered(scope, status, time.perf_counter() - began, sent)


def template(scope: Scope) -> str:
    """The route of a request as it is written, ids left out; one word for whatever leads to none."""
    return getattr(scope.get("route"), "path", None) or NO_ROUTE
