"""The application: `uvicorn api.main:app`."""

import os
import sys

from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware

from api import errors, openapi, settings
from api.middleware import BodyCap, LastResort, Outside
from api.routers import auth, warehouses
from api.settings import Settings, SettingsError
from core import production
from db.session import reading

BODY_BYTES = 1_000_000

ROUTERS = [
    auth.router,
    warehouses.router,
]


def make_app(chosen: Settings) -> FastAPI:
    """The application with these settings."""
    made = FastAPI(
        title="Runout",
        version="1",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        redirect_slashes=False,
        middleware=[
            Middleware(Outside),
            Middleware(
                CORSMiddleware,
                allow_origins=list(chosen.cors_origins),
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"],
                expose_headers=["X-Total-Count", "X-Request-ID", "Retry-After"],
                max_age=600,
            ),
            Middleware(LastResort),
            Middleware(BodyCap, most_bytes=BODY_BYTES),
        ],
    )
    made.state.settings = chosen
    errors.install(made)
    for router in ROUTERS:
        made.include_router(router)
    made.openapi = lambda: openapi.document(made)
    return made


def _start() -> FastAPI:
    try:
        production.check(os.environ, reading)
        return make_app(settings.from_environment())
    except (production.Unsafe, SettingsError) as refusal:
        sys.exit(str(refusal))


app = _start()
