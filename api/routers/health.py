"""How the system is: for probes without a token, and in numbers for who may read."""

from typing import Annotated, Any

from fastapi import Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.deps import Needs, Now, Public, Reading
from api.routes import Router
from api.schemas import Answer
from core import status
from core.auth import Actor
from core.status import Part
from db.session import ServerError, reading

router = Router("", "system")

AWAY = Part("failed", "The database does not answer.")
SECONDS = 1


class PartAnswer(Answer):
    """One part: ok, stale (works, but nothing new comes), missing or failed."""

    state: str
    detail: str
    age_seconds: int | None


class Health(Answer):
    """`healthy`, `degraded` (answers, but something is stale or missing) or `unhealthy`."""

    status: str
    parts: dict[str, PartAnswer]


class Metrics(Answer):
    """How much there is of everything."""

    products: int
    warehouses: int
    products_by_status: dict[str, int]
    open_alerts_by_severity: dict[str, int]
    job_runs_of_last_day_by_state: dict[str, int]
    scheduler: PartAnswer
    models: PartAnswer


UNHEALTHY = {503: {"model": Health, "description": "It cannot answer requests at present."}}


@router.get("/health", response_model=Health, dependencies=[Public], responses=UNHEALTHY)
def health(response: Response, now: Now) -> Any:
    """Each part by name; 503 while it cannot answer requests."""

    def more(session: Any) -> dict[str, Part]:
        return {"scheduler": status.scheduler(session, now), "models": status.models(session, now)}

    return _said(response, _parts(more))


@router.get("/health/ready", response_model=Health, dependencies=[Public], responses=UNHEALTHY)
def ready(response: Response) -> Any:
    """Whether requests can be answered: the database with the right tables, and room on the disk."""
    return _said(response, _parts(lambda _session: {}))


@router.get("/health/live", response_model=Health, dependencies=[Public])
async def live() -> Any:
    """Whether the process itself answers."""
    return {"status": "healthy", "parts": {}}


@router.get("/api/v1/metrics", response_model=Metrics)
def metrics(session: Reading, _actor: Annotated[Actor, Needs("read")], now: Now) -> Any:
    """Counts of products, warehouses, alerts and job runs, and how fresh forecasts are."""
    return status.counts(session, now) | {
        "scheduler": status.scheduler(session, now),
        "models": status.models(session, now),
    }


def _parts(more: Any) -> dict[str, Part]:
    found = {"disk": status.disk()}
    try:
        with reading(SECONDS) as session:
            return {"database": status.tables(session)} | found | more(session)
    except (DBAPIError, PoolTimeout, ServerError):
        return {"database": AWAY} | found


def _said(response: Response, parts: dict[str, Part]) -> dict[str, Any]:
    if any(part.state == "failed" for part in parts.values()):
        response.status_code = 503
        word = "unhealthy"
    else:
        word = "healthy" if all(part.is_ok for part in parts.values()) else "degraded"
    return {"status": word, "parts": parts}
