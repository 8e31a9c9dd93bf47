"""The application: `uvicorn api.main:app`."""

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware

from api import docs_pages, errors, openapi, probes, settings, streaming
from api.heads import HeadAsGet
from api.limits import Limits
from api.metrics import Counted, Requests
from api.middleware import BodyCap, LastResort, Outside
from api.poster import Poster
from api.probes import KeptFigures
from api.routers import (
    alerts,
    anomalies,
    auth,
    barcode,
    browser,
    downloads,
    health,
    inventory,
    items,
    metrics,
    ml,
    orders,
    predictions,
    products,
    reorder,
    transactions,
    vendors,
    warehouses,
)
from api.settings import Settings, SettingsError
from core import logs, passwords, production
from db.session import MOST_CONNECTIONS, reading

BODY_BYTES = 1_000_000
LARGER_BODIES = {"/api/v1/barcode/decode": barcode.MOST_BYTES, "/api/v1/ml/score": ml.MOST_BYTES}
# As many requests work at once as the pool has connections (db.session.new_engine), less those of answers
# that are still being sent; others wait their turn.
CONNECTIONS = MOST_CONNECTIONS - streaming.PLACES

ROUTERS = [
    inventory.router,  # first, because tills ask it most: the framework tries one address after the other
    auth.router,
    browser.router,
    products.router,
    items.router,
    warehouses.router,
    transactions.router,
    barcode.router,
    predictions.router,
    vendors.router,
    reorder.router,
    orders.router,
    alerts.router,
    anomalies.router,
    ml.router,
    downloads.router,
    health.router,
    metrics.router,
]


@asynccontextmanager
async def _serving(serving: FastAPI) -> AsyncIterator[None]:
    """The server has set up its own log by now: from here on all lines look alike."""
    logs.configure("api", as_json=production.is_production(os.environ))
    gc.freeze()  # what the imports made stays: to look through it again and again took a fifth of a request
    yield
    await anyio.to_thread.run_sync(serving.state.poster.stop)


def make_app(chosen: Settings, lifespan: Any = None) -> FastAPI:
    """The application with these settings."""
    requests = Requests()
    made = FastAPI(
        title="Runout",
        version="1",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(Counted, requests=requests),
            Middleware(Outside),
            Middleware(
                CORSMiddleware,
                allow_origins=list(chosen.cors_origins),
                allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"],
                expose_headers=[
                    "X-Total-Count",
                    "X-Request-ID",
                    "Retry-After",
                    "ETag",
                    "X-Next-Updated-Since",
                    "Content-Disposition",
                ],
                max_age=600,
            ),
            Middleware(LastResort),
            Middleware(Limits, rates=chosen.limits),
            Middleware(BodyCap, most_bytes=BODY_BYTES, larger=LARGER_BODIES),
            Middleware(HeadAsGet),
        ],
    )
    made.state.settings = chosen
    made.state.routes = [route for router in ROUTERS for route in router.routes]
    made.state.poster = Poster()
    made.state.places = anyio.CapacityLimiter(CONNECTIONS)
    made.state.comparisons = anyio.CapacityLimiter(passwords.COMPARISONS_AT_ONCE)
    made.state.looks = anyio.CapacityLimiter(probes.LOOKS)
    made.state.requests, made.state.figures = requests, KeptFigures()
    errors.install(made)
    for router in ROUTERS:
        made.include_router(router)
    docs_pages.install(made)
    made.openapi = lambda: openapi.document(made)
    return made


def _start() -> FastAPI:
    try:
        production.check(os.environ, reading)
        return make_app(settings.from_environment(), _serving)
    except (production.Unsafe, SettingsError) as refusal:
        sys.exit(str(refusal))


app = _start()
