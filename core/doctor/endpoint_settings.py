"""Which SageMaker endpoint scores movements, from the settings of the process that asks it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import RuleBroken

TIMEOUT_SECONDS = 10
LONGEST_SECONDS = 70  # SageMaker itself gives a container 60 seconds to answer
NAME = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62}")
REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class EndpointSettings:
    """Where the endpoint is. `url` is None for AWS's own address of the region, `region` for the one that
    boto3 finds by itself; `timeout_seconds` holds for one try of one batch."""

    name: str
    region: str | None
    url: str | None
    timeout_seconds: float


def from_environment(environment: Mapping[str, str]) -> EndpointSettings | None:
    """The endpoint of SAGEMAKER_ENDPOINT, SAGEMAKER_REGION (or AWS_REGION), SAGEMAKER_ENDPOINT_URL and
    SAGEMAKER_TIMEOUT_SECONDS; None without a name. Refuses what cannot work (RuleBroken)."""
    name = (environment.get("SAGEMAKER_ENDPOINT") or "").strip()
    if not name:
        return None
    if not NAME.fullmatch(name):
        raise RuleBroken("SAGEMAKER_ENDPOINT is not the name of an endpoint: letters, digits and hyphens.")
    region = (environment.get("SAGEMAKER_REGION") or environment.get("AWS_REGION") or "").strip() or None
    if region is not None and not REGION.fullmatch(region):
        raise RuleBroken("SAGEMAKER_REGION (or AWS_REGION) is not a region such as eu-central-1: correct it.")
    return EndpointSettings(name, region, _url(environment), _seconds(environment))


def _url(environment: Mapping[str, str]) -> str | None:
    given = (environment.get("SAGEMAKER_ENDPOINT_URL") or "").strip()
    if not given:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise RuleBroken("SAGEMAKER_ENDPOINT_URL is not an https:// address: correct it.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise RuleBroken("SAGEMAKER_ENDPOINT_URL would send features in the clear: use https://.")
    return given


def _seconds(environment: Mapping[str, str]) -> float:
    given = (environment.get("SAGEMAKER_TIMEOUT_SECONDS") or str(TIMEOUT_SECONDS)).strip()
    try:
        seconds = float(given)
    except ValueError:
        seconds = float("nan")
    if not 0 < seconds <= LONGEST_SECONDS:
        raise RuleBroken(f"SAGEMAKER_TIMEOUT_SECONDS is no number of seconds up to {LONGEST_SECONDS}.")
    return seconds
