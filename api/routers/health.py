"""How the system is, for probes: no token, no secret, and no waiting behind the work of others."""

from collections.abc import Callable
from typing import Any

import anyio
from fastapi import Request, Response
from sqlalchemy.orm import Session

from api import probes
from api.deps import Now, Public
from api.routes import Router
from api.schemas_system import Health
from core import status
from core.status import Part

router = Router("/health", "system")

AWAY = {"database": Part("failed", "The database does not answer.")}
SECONDS = 1

UNHEALTHY = {503: {"model": Health, "description": "It cannot answer requests at present."}}


@router.get("", response_model=Health, dependencies=[Public], responses=UNHEALTHY)
async def health(request: Request, response: Response, now: Now) -> Any:
    """Each part by name: database, disk, scheduler, models. 503 while requests cannot be answered."""

    def parts(session: Session) -> dict[str, Part]:
        scheduler, models = status.scheduler(session, now), status.models(session, now)
        return {"database": status.tables(session), "scheduler": scheduler, "models": models}

    return await _said(request, response, parts)


@router.get("/ready", response_model=Health, dependencies=[Public], responses=UNHEALTHY)
async def ready(request: Request, response: Response) -> Any:
    """Whether requests can be answered: the database with the right tables, and room on the disk."""
    return await _said(request, response, lambda session: {"database": status.tables(session)})


@router.get("/live", response_model=Health, dependencies=[Public])
async def live() -> Any:
    """Whether the process itself answers; it asks nobody else."""
    return {"status": "healthy", "parts": {}}


async def _said(
    request: Request, response: Response, look: Callable[[Session], dict[str, Part]]
) -> dict[str, Any]:
    disk = await anyio.to_thread.run_sync(status.disk)
    parts = (await probes.look(request, look, SECONDS) or AWAY) | {"disk": disk}
    if any(part.state == "failed" for part in parts.values()):
        response.status_code = 503
        word = "unhealthy"
    else:
        word = "healthy" if all(part.is_ok for part in parts.values()) else "degraded"
    return {"status": word, "parts": parts}
