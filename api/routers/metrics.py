"""The system in numbers: for people and programs as JSON, for Prometheus as text."""

import ipaddress
import secrets
from typing import Annotated, Any

import anyio
from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from api import deps, exposition
from api.deps import Needs, Now, Public, Reading
from api.exposition import CONTENT_TYPE, EXAMPLE
from api.openapi import refusals
from api.routes import Router
from api.schemas_system import Metrics
from core import figures, status
from core.auth import Actor
from core.errors import NotSignedIn

router = Router("", "system")

# By one of these a proxy says whom it speaks for, or at least that it does.
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


@router.get("/api/v1/metrics", response_model=Metrics)
def metrics(request: Request, session: Reading, _actor: Annotated[Actor, Needs("read")], now: Now) -> Any:
    """How much there is of everything, how fresh forecasts are, how jobs fare, and how this process does.

    The same for Prometheus: `GET /metrics`.
    """
    found = figures.look(session, now)
    return {
        "products": found.products,
        "warehouses": found.warehouses,
        "products_by_status": found.products_by_status,
        "open_alerts_by_severity": found.open_alerts_by_severity,
        "job_runs_of_last_day_by_state": found.runs_by_state(),
        "scheduler": status.scheduler(session, now),
        "models": status.models(session, now),
        "odd_movements": status.odd_movements(session, now),
        "queue": found.queue,
        "jobs": found.jobs,
        "training": found.training,
        "forecast_ranges": found.ranges,
        "ledger": {"rows": found.ledger_rows, "faults_open_by_rule": found.ledger_faults_by_rule},
        "process": request.app.state.requests.summary(),
    }


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    dependencies=[Public],
    responses={200: {"content": {"text/plain": {"example": EXAMPLE}}, "description": "The page."}}
    | refusals(401),
)
async def scrape(request: Request, now: Now) -> Response:
    """Everything in the text format of Prometheus.

    For a caller on this machine, or with `METRICS_TOKEN` as `Authorization: Bearer ...`; what a proxy
    forwards is never of this machine. While the database is away the page still comes, and
    `runout_database_up` is 0.
    """
    if not (_has_token(request) or _is_from_here(request)):
        raise NotSignedIn("From another machine this needs METRICS_TOKEN: Authorization: Bearer ...")
    state = request.app.state
    found = await state.figures.of(request, now)
    page = await anyio.to_thread.run_sync(exposition.page, state.requests, state.poster, found)
    return Response(page, media_type=CONTENT_TYPE)


def _has_token(request: Request) -> bool:
    wanted = deps.settings(request).metrics_token
    given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
    return wanted is not None and secrets.compare_digest(given, b"Bearer " + wanted)


def _is_from_here(request: Request) -> bool:
    """Whether the connection itself comes from this machine.

    Behind a trusted proxy the server has put what it was told into `client`, so whoever is spoken for by
    somebody else is not believed to be here, whatever address is named.
    """
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
