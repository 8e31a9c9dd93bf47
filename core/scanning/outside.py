"""What others know about a barcode that this shop does not have: asked over HTTPS, and only where configured.

The address is the admin's, in the environment; a scan fills in the digits of its code and nothing else. It is
a hint for whoever makes the product: short texts, marked with the host they come from, kept nowhere. Whatever
goes wrong out there is no answer, never a refusal.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from core import barcodes, https_call, inputs
from core.errors import RuleBroken

log = logging.getLogger("runout.scanning")

PLACE = "{barcode}"
SECONDS = 2  # somebody stands there with the parcel in the hand
MOST_BYTES = 200_000  # a product of Open Food Facts, narrowed to three fields, has about 500
HTTP_OK = 200
AT_ONCE = 4  # who comes meanwhile is answered without it: threads that wait out there would be missed here
CHARACTERS = 200
# The names under which such services tell the three things we show.
FIELDS = {
    "name": ("product_name", "name", "title"),
    "brand": ("brands", "brand"),
    "category": ("categories", "category"),
}
_asking = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Outside:
    """Who is asked: `target` is path and query with PLACE for the code."""

    host: str
    port: int | None
    target: str


@dataclass(frozen=True)
class Told:
    """What `source`, a host, says about a code."""

    source: str
    name: str
    brand: str | None
    category: str | None


def from_environment(environment: Mapping[str, str]) -> Outside | None:
    """Who is asked, from EXTERNAL_BARCODE_URL; None when it is not set. Refuses what cannot be meant."""
    given = (environment.get("EXTERNAL_BARCODE_URL") or "").strip()
    if not given:
        return None
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    is_plain = given.isascii() and given.isprintable() and " " not in given and not parts.fragment
    if parts.scheme != "https" or not host or "@" in parts.netloc or PLACE in parts.netloc or not is_plain:
        raise RuleBroken("EXTERNAL_BARCODE_URL is not an https:// address without a password: correct it.")
    if target.count(PLACE) != 1:
        raise RuleBroken(f"EXTERNAL_BARCODE_URL must hold {PLACE} once: there the digits of a code go.")
    return Outside(host, port, target)


def ask(
    outside: Outside | None, code: str, *, connection: https_call.Connection = HTTPSConnection
) -> Told | None:
    """What the service says about a code, within about two seconds; None when it does not know or answer.

    Nothing leaves the house but the digits of a code as long as a barcode. A redirect is not followed.
    """
    if outside is None or not barcodes.is_number(code) or not _asking.acquire(blocking=False):
        return None
    try:
        status, body = https_call.call(
            "GET", outside.host, outside.port, outside.target.replace(PLACE, code),
            headers={"Accept": "application/json"}, seconds=SECONDS, most_bytes=MOST_BYTES,
            connection=connection,
        )  # fmt: skip
        return _told(outside.host, json.loads(body)) if status == HTTP_OK else None
    except (OSError, HTTPException, ValueError, RecursionError) as trouble:
        log.warning("%s was asked about a barcode: %s", outside.host, type(trouble).__name__)
        return None
    finally:
        _asking.release()


def _told(source: str, answer: Any) -> Told | None:
    product = answer.get("product", answer) if isinstance(answer, dict) else None
    if not isinstance(product, dict):
        return None
    found = {}
    for field, names in FIELDS.items():
        said = next((product[name] for name in names if isinstance(product.get(name), str)), "")
        found[field] = inputs.shown(said.strip(), CHARACTERS) or None
    return Told(source, **found) if found["name"] else None
