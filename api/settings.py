"""What the environment says about the API; `core` gets it handed in."""

import logging
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import db.session  # noqa: F401  (reads .env)
from core import production
from core.buying import order_mail
from core.buying.order_mail import Smtp
from core.doctor import endpoint_settings
from core.doctor.endpoint_settings import EndpointSettings
from core.errors import RunoutError

log = logging.getLogger("runout.api")

T = TypeVar("T")

KEY_BYTES = 32  # RFC 7518: a key for HS256 is as long as its hash, or longer
SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}


class SettingsError(RuntimeError):
    """A variable cannot be what was meant; the sentence names it, never its value."""


@dataclass(frozen=True)
class Settings:
    """`self_registration` is None where nothing was said: then the demo shop allows it, others do not. `smtp`
    is None where no mail server is configured, `endpoint` where odd movements are judged here only."""

    production: bool
    token_key: bytes
    access_lasts: timedelta
    cors_origins: tuple[str, ...]
    self_registration: bool | None
    smtp: Smtp | None = None
    endpoint: EndpointSettings | None = None


def from_environment() -> Settings:
    """The settings of this process. Raises SettingsError."""
    in_production = production.is_production(os.environ)
    return Settings(
        production=in_production,
        token_key=_token_key(os.environ.get("JWT_SECRET_KEY") or "", in_production),
        access_lasts=_minutes(os.environ.get("ACCESS_TOKEN_MINUTES") or "15"),
        cors_origins=_origins(os.environ.get("CORS_ORIGINS") or "", in_production),
        self_registration=_switch(
            "SELF_REGISTRATION", os.environ.get("SELF_REGISTRATION") or "", in_production
        ),
        smtp=_read_by(order_mail.settings),
        endpoint=_read_by(endpoint_settings.from_environment),
    )


def _read_by(reader: Callable[[Mapping[str, str]], T]) -> T:
    try:
        return reader(os.environ)
    except RunoutError as refusal:
        raise SettingsError(refusal.sentence) from None


def _token_key(given: str, in_production: bool) -> bytes:
    if not given:
        if in_production:
            raise SettingsError("JWT_SECRET_KEY is missing: in production the API needs one of its own.")
        log.warning("JWT_SECRET_KEY is not set: a random key is used, so tokens end with this process.")
        return secrets.token_bytes(KEY_BYTES)
    if len(given.encode()) < KEY_BYTES:
        raise SettingsError(f"JWT_SECRET_KEY is too short: at least {KEY_BYTES} bytes.")
    return given.encode()


def _minutes(given: str) -> timedelta:
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= 1440):
        raise SettingsError("ACCESS_TOKEN_MINUTES is no number from 1 to 1440.")
    return timedelta(minutes=int(given))


def _origins(given: str, in_production: bool) -> tuple[str, ...]:
    origins = tuple(origin.strip().rstrip("/") for origin in given.split(",") if origin.strip())
    if "*" in origins and in_production:
        raise SettingsError("CORS_ORIGINS names every site (*): in production name the ones you mean.")
    return origins


def _switch(variable: str, given: str, in_production: bool) -> bool | None:
    if not given:
        return False if in_production else None
    if given.lower() not in SWITCH:
        raise SettingsError(f"{variable} is neither on nor off.")
    return SWITCH[given.lower()]
