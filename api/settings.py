"""What the environment says about the API; `core` gets it handed in."""

import logging
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import db.session  # noqa: F401  (reads .env)
from core import alert_channels, production
from core.alert_channels import Channels
from core.buying import order_mail
from core.buying.order_mail import Smtp
from core.doctor import endpoint_settings
from core.doctor.endpoint_settings import EndpointSettings
from core.errors import RunoutError
from core.scanning import outside
from core.scanning.outside import Outside

log = logging.getLogger("runout.api")

T = TypeVar("T")

KEY_BYTES = 32  # RFC 7518: a key for HS256 is as long as its hash, or longer
MOST_PER_MINUTE = 1_000_000
REDIS_SCHEMES = ("redis", "rediss")
SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}


class SettingsError(RuntimeError):
    """A variable cannot be what was meant; the sentence names it, never its value."""


@dataclass(frozen=True)
class Rates:
    """Requests a minute: of an address without a token, of a person, of an API key that has no figure of its
    own, and of an address at each door of signing in. `redis_url`: the Redis that several processes share."""

    address: int = 100
    person: int = 600
    key: int = 6000
    login: int = 10
    redis_url: str | None = None


@dataclass(frozen=True)
class Settings:
    """`self_registration` is None where nothing was said: then the demo shop allows it, others do not. `smtp`
    is None where no mail server is configured, `endpoint` where odd movements are judged here only, `limits`
    where requests are not counted, `metrics_token` where only this machine may scrape the metrics. `channels`
    says by what means alerts can be told."""

    production: bool
    token_key: bytes
    access_lasts: timedelta
    cors_origins: tuple[str, ...]
    self_registration: bool | None
    smtp: Smtp | None = None
    endpoint: EndpointSettings | None = None
    limits: Rates | None = None
    metrics_token: bytes | None = None
    barcodes_outside: Outside | None = None
    channels: Channels = field(default_factory=Channels)


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
        limits=_limits(),
        barcodes_outside=_read_by(outside.from_environment),
        channels=_read_by(alert_channels.from_environment),
        metrics_token=(os.environ.get("METRICS_TOKEN") or "").encode() or None,
    )


def _limits() -> Rates | None:
    if _switch("RATE_LIMITS", os.environ.get("RATE_LIMITS") or "on", False) is False:
        log.warning("RATE_LIMITS is off: nobody counts who asks how often.")
        return None
    return Rates(
        address=_per_minute("RATE_LIMIT_ADDRESS", os.environ.get("RATE_LIMIT_ADDRESS") or "100"),
        person=_per_minute("RATE_LIMIT_PERSON", os.environ.get("RATE_LIMIT_PERSON") or "600"),
        key=_per_minute("RATE_LIMIT_KEY", os.environ.get("RATE_LIMIT_KEY") or "6000"),
        login=_per_minute("RATE_LIMIT_LOGIN", os.environ.get("RATE_LIMIT_LOGIN") or "10"),
        redis_url=_redis_url(os.environ.get("REDIS_URL") or ""),
    )


def _per_minute(variable: str, given: str) -> int:
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= MOST_PER_MINUTE):
        raise SettingsError(f"{variable} is no number from 1 to {MOST_PER_MINUTE}.")
    return int(given)


def _redis_url(given: str) -> str | None:
    if not given:
        return None
    try:
        parts = urlsplit(given)
        is_one = parts.scheme in REDIS_SCHEMES and parts.hostname and parts.port
    except ValueError:
        is_one = False
    if not is_one:
        raise SettingsError("REDIS_URL is no address like redis://:password@host:6379/0.")
    return given


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
