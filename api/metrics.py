"""What this process counts of its requests.

Counting costs a request some microseconds and never asks the database. Labels come from closed sets: the
template of the route, the method, the status. Whatever leads to no route is one label, so nobody fills the
memory by making up addresses.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.session import MOST_CONNECTIONS, connections_used

# Each series would get a second one that says when it began, which nobody asks for.
prometheus_client.disable_created_metrics()

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
NO_ROUTE = "(none)"
# A post takes milliseconds, a page of a list some ten, a login a fifth of a second, an export minutes.
BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


@dataclass(frozen=True)
class Route:
    """What one route answered since the process began; seconds are to the last byte of the answer."""

    method: str
    route: str
    requests: int
    by_status: dict[str, int]
    seconds_mean: float
    seconds_p50: float
    seconds_p95: float
    seconds_p99: float
    bytes_sent: int


class Requests:
    """The counts of one process; `app.state.requests`."""

    def __init__(self) -> None:
        self.in_progress = 0
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "runout_http_requests", "Requests that were answered.", ("method", "route", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "runout_http_request_seconds", "How long requests took, to the last byte of the answer.",
            ("method", "route", "status_class"), buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._bytes = Counter(
            "runout_http_response_bytes", "Bytes of answers, exports and downloads among them.",
            ("method", "route"), registry=self.registry,
        )  # fmt: skip
        self._gauge(
            "runout_http_requests_in_progress", "Requests that are being answered.", lambda: self.in_progress
        )
        self._gauge(
            "runout_database_connections_used", "Connections of this process at work for requests.",
            lambda: connections_used() or 0,
        )  # fmt: skip
        self._gauge(
            "runout_database_connections_max", "Connections that requests of this process can have.",
            lambda: MOST_CONNECTIONS,
        )  # fmt: skip
        ProcessCollector(registry=self.registry)
        # The children of a route, found once: looking one up by its labels costs more than counting.
        self._known: dict[tuple[str, str, int], tuple[Any, Any, Any]] = {}

    def _gauge(self, name: str, words: str, asked: Callable[[], float]) -> None:
        Gauge(name, words, registry=self.registry).set_function(asked)

    def answered(self, scope: Scope, status: int, seconds: float, sent: int) -> None:
        """Count an answer."""
        method = scope["method"]
        key = (method if method in METHODS else OTHER, template(scope), status)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._children(*key)
        answers, took, length = known
        answers.inc()
        took.observe(seconds)
        length.inc(sent)

    def _children(self, method: str, route: str, status: int) -> tuple[Any, Any, Any]:
        return (
            self._answers.labels(method, route, str(status)),
            self._seconds.labels(method, route, f"{status // 100}xx"),
            self._bytes.labels(method, route),
        )

    def summary(self) -> dict[str, Any]:
        """What the JSON of the metrics says of this process."""
        return {
            "in_progress": self.in_progress,
            "connections_used": connections_used() or 0,
            "connections_max": MOST_CONNECTIONS,
            "routes": self.routes(),
        }

    def routes(self) -> list[Route]:
        """What was counted, by route and method."""
        statuses: dict[tuple[str, str], dict[str, int]] = {}
        buckets: dict[tuple[str, str], dict[float, float]] = {}
        sums: dict[tuple[str, str], float] = {}
        for sample in _samples(self._answers, "_total"):
            key = sample.labels["route"], sample.labels["method"]
            statuses.setdefault(key, {})[sample.labels["status"]] = int(sample.value)
        for sample in _samples(self._seconds, "_bucket"):
            key = sample.labels["route"], sample.labels["method"]
            found, bound = buckets.setdefault(key, {}), float(sample.labels["le"])
            found[bound] = found.get(bound, 0.0) + sample.value
        for sample in _samples(self._seconds, "_sum"):
            key = sample.labels["route"], sample.labels["method"]
            sums[key] = sums.get(key, 0.0) + sample.value
        sent = {
            (sample.labels["route"], sample.labels["method"]): int(sample.value)
            for sample in _samples(self._bytes, "_total")
        }
        return [
            Route(
                method=method,
                route=route,
                requests=sum(by_status.values()),
                by_status=dict(sorted(by_status.items())),
                seconds_mean=sums[route, method] / sum(by_status.values()),
                **{f"seconds_p{p}": quantile(buckets[route, method], p / 100) for p in (50, 95, 99)},
                bytes_sent=sent[route, method],
            )
            for (route, method), by_status in sorted(statuses.items())
        ]


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


def quantile(buckets: dict[float, float], share: float) -> float:
    """The time within which this share of requests was answered, as Prometheus would say it.

    `buckets`: how many took at most so many seconds, by bound. Between bounds a line is drawn; what took
    longer than the last finite bound counts as that bound.
    """
    bounds = sorted(buckets)
    wanted = buckets[bounds[-1]] * share
    lower, below = 0.0, 0.0
    for bound in bounds[:-1]:
        if buckets[bound] >= wanted and buckets[bound] > below:
            return lower + (bound - lower) * (wanted - below) / (buckets[bound] - below)
        lower, below = bound, buckets[bound]
    return lower


def _samples(of: Counter | Histogram, suffix: str) -> Iterator[Any]:
    for family in of.collect():
        yield from (sample for sample in family.samples if sample.name == family.name + suffix)
