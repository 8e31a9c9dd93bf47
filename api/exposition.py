"""The page that Prometheus scrapes: what this process counts, and the figures of the shop."""

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

from api.metrics import BOUNDS, NO_ROUTE, Requests, Seen
from api.poster import Poster
from core.figures import Figures
from db.session import MOST_CONNECTIONS, connections_used

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
EXAMPLE = """\
# HELP runout_database_up 1 while the database answers, else 0.
# TYPE runout_database_up gauge
runout_database_up 1.0
"""


def page(requests: Requests, poster: Poster, figures: Figures | None) -> bytes:
    """Everything in the text format of Prometheus; without `figures` the database is said to be away."""
    registry = CollectorRegistry()
    registry.register(_Collected([*of_process(requests), *of_poster(poster), *of_shop(figures)]))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Collected:
    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        return self._found


def of_process(requests: Requests) -> Iterator[Metric]:
    """What this process counts of its requests."""
    answers = CounterMetricFamily(
        "runout_http_requests", "Requests that were answered.", labels=("method", "route", "status")
    )
    sent = CounterMetricFamily(
        "runout_http_response_bytes", "Bytes of answers, exports and downloads among them.",
        labels=("method", "route"),
    )  # fmt: skip
    took = HistogramMetricFamily(
        "runout_http_request_seconds", "How long requests took, to the last byte of the answer.",
        labels=("method", "route", "status_class"),
    )  # fmt: skip
    by_class: dict[tuple[str, str, str], list[Seen]] = {}
    by_route: dict[tuple[str, str], int] = {}
    for (method, route, status), seen in sorted(requests.seen.copy().items()):
        answers.add_metric((method, route, str(status)), seen.requests)
        by_class.setdefault((method, route, f"{status // 100}xx"), []).append(seen)
        by_route[method, route] = by_route.get((method, route), 0) + seen.bytes_sent
    for labels, several in by_class.items():
        total = Seen.sum_of(several)
        upto = zip((*map(floatToGoString, BOUNDS), "+Inf"), accumulate(total.took), strict=True)
        took.add_metric(labels, list(upto), total.seconds)
    for labels, length in by_route.items():
        sent.add_metric(labels, length)
    yield from (answers, took, sent)
    limited = (seen.requests for key, seen in requests.seen.copy().items() if key[1:] == (NO_ROUTE, 429))
    yield CounterMetricFamily(
        "runout_http_requests_limited", "Requests that came too often and were refused unread.", sum(limited)
    )
    yield _one("runout_http_requests_in_progress", "Requests that are being answered.", requests.in_progress)
    yield _one(
        "runout_database_connections_used", "Connections of this process that are at work for requests.",
        connections_used() or 0,
    )  # fmt: skip
    yield _one(
        "runout_database_connections_max", "Connections that this process can have for requests.",
        MOST_CONNECTIONS,
    )  # fmt: skip


def of_poster(poster: Poster) -> Iterator[Metric]:
    """How adjustments fare that are booked together."""
    yield _one("runout_poster_waiting", "Adjustments that wait for the next transaction.", poster.waiting)
    for name, words, number in (
        ("transactions", "Transactions that booked adjustments together.", poster.transactions),
        ("lines", "Adjustments that were answered from them.", poster.together),
        ("alone", "Adjustments that had to be booked alone after all.", poster.alone),
    ):
        yield CounterMetricFamily(f"runout_poster_{name}", words, number)


def of_shop(figures: Figures | None) -> Iterator[Metric]:
    """The figures of the shop as gauges; those that nobody knows are left out rather than called 0."""
    yield _one("runout_database_up", "1 while the database answers, else 0.", 0 if figures is None else 1)
    if figures is None:
        return
    moments = (
        ("runout_scheduler_seen", "When a scheduler last said that it is there", figures.scheduler_seen_at),
        ("runout_forecasts_trained", "When forecasts were last published", figures.forecasts_trained_at),
        ("runout_odd_model_trained", "When the model of odd movements was last published",
         figures.odd_model_trained_at),
    )  # fmt: skip
    for name, words, moment in moments:
        if moment is not None:
            yield _one(f"{name}_timestamp_seconds", f"{words}, in Unix time.", moment.timestamp())
    yield _one("runout_job_queue_depth", "Runs of jobs that wait for a worker.", figures.queue.waiting)
    yield _one(
        "runout_job_queue_oldest_seconds", "How long the oldest waiting run has waited.",
        figures.queue.oldest_seconds,
    )  # fmt: skip
    yield from _jobs(figures)
    if figures.training is not None:
        done = figures.training
        yield _one(
            "runout_training_seconds", "How long the last training of the whole shop took.", done.seconds
        )
        products = {"trained": done.trained, "too_short": done.too_short, "failed": done.failed}
        yield _many("runout_training_products", "Its products, by what became of them.", "outcome", products)
    ranges = figures.ranges
    yield _many(
        "runout_forecast_ranges", "Run-out ranges whose days are over, by what became of them.", "outcome",
        {"inside": ranges.inside, "early": ranges.early, "late": ranges.late},
    )  # fmt: skip
    yield _one("runout_forecast_ranges_open", "Run-out ranges that are not decided yet.", ranges.open)
    if ranges.coverage is not None:
        yield _one(
            "runout_forecast_coverage_ratio", "Share of the decided ranges that held; 0.8 is promised.",
            ranges.coverage,
        )  # fmt: skip
    yield _many(
        "runout_products", "Active products, by when they run out.", "status", figures.products_by_status
    )
    yield _many(
        "runout_alerts_open", "Alerts that are not resolved.", "severity", figures.open_alerts_by_severity
    )
    yield _many(
        "runout_ledger_faults_open", "Places where the nightly check found a rule of the ledger broken.",
        "rule", figures.ledger_faults_by_rule,
    )  # fmt: skip
    yield _one("runout_ledger_rows", "Movements in the ledger.", figures.ledger_rows)


def _jobs(figures: Figures) -> Iterator[Metric]:
    # The label is not `job`: Prometheus calls by that name what it scrapes.
    done = {job.job: job.done_at.timestamp() for job in figures.jobs if job.done_at}
    took = {job.job: job.seconds for job in figures.jobs if job.seconds is not None}
    runs = GaugeMetricFamily(
        "runout_job_runs_last_day", "Runs of the last 24 hours, by how they stand.", labels=("task", "state")
    )
    for job in figures.jobs:
        for state, number in sorted(job.runs_by_state.items()):
            runs.add_metric((job.job, state), number)
    yield runs
    yield _many(
        "runout_job_last_success_timestamp_seconds", "When a run last worked, in Unix time.", "task", done
    )
    yield _many("runout_job_last_success_seconds", "How long that run took.", "task", took)


def _one(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _many(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=(label,))
    for word, value in values.items():
        family.add_metric((word,), value)
    return family
