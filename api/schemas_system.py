"""What the system says of itself: its health by parts, and its figures."""

from pydantic import Field

from api.schemas import Answer, Moment


class PartAnswer(Answer):
    """One part: ok, stale (works, but nothing new comes), missing or failed."""

    state: str
    detail: str
    age_seconds: int | None


class Health(Answer):
    """`healthy`, `degraded` (answers, but something is stale or missing) or `unhealthy`."""

    status: str
    parts: dict[str, PartAnswer]


class RouteFigures(Answer):
    """What one route answered since this process began; seconds are to the last byte of an answer.

    `seconds_p95`: 95 of 100 requests took no longer. Paths that lead nowhere are `(none)`.
    """

    method: str
    route: str
    requests: int
    by_status: dict[str, int]
    seconds_mean: float
    seconds_p50: float
    seconds_p95: float
    seconds_p99: float
    bytes_sent: int


class ProcessFigures(Answer):
    """This process of the API: others count their own."""

    in_progress: int
    connections_used: int
    connections_max: int
    routes: list[RouteFigures]


class QueueFigures(Answer):
    """Runs of jobs that wait for a worker, and how long the oldest has waited."""

    waiting: int
    oldest_seconds: float


class JobFigures(Answer):
    """One job: when it last worked, how long that took, and how its runs of the last day stand."""

    job: str
    last_success_at: Moment | None = Field(validation_alias="done_at")
    last_success_seconds: float | None = Field(validation_alias="seconds")
    runs_of_last_day_by_state: dict[str, int] = Field(validation_alias="runs_by_state")


class TrainingFigures(Answer):
    """The last training of the whole shop."""

    finished_at: Moment
    seconds: float
    trained: int
    too_short: int
    failed: int


class CoverageFigures(Answer):
    """Run-out ranges whose days are over: the `coverage` of 0.8 is what they promise."""

    inside: int
    early: int
    late: int
    open: int
    coverage: float | None


class LedgerFigures(Answer):
    """The ledger: its movements, and places where the nightly check found a rule broken."""

    rows: int
    faults_open_by_rule: dict[str, int]


class Metrics(Answer):
    """How much there is of everything, how fresh it is, and how requests fare."""

    products: int
    warehouses: int
    products_by_status: dict[str, int]
    open_alerts_by_severity: dict[str, int]
    job_runs_of_last_day_by_state: dict[str, int]
    scheduler: PartAnswer
    models: PartAnswer
    odd_movements: PartAnswer
    queue: QueueFigures
    jobs: list[JobFigures]
    training: TrainingFigures | None
    forecast_ranges: CoverageFigures
    ledger: LedgerFigures
    process: ProcessFigures
