"""Alerts in the words of a mail and in the JSON of a webhook. Arithmetic: values go in, texts come out."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

LEVELS = ("critical", "warning", "info")
"""Worst first, as a mail lists them."""


class News(Protocol):
    """What is told of an alert; without a product it is about the ledger. `uid` is the message's own."""

    uid: UUID
    alert_uid: UUID
    type: str
    severity: str
    message: str
    raised_at: datetime
    product_uid: UUID | None
    sku: str | None
    product_name: str | None


@dataclass(frozen=True)
class Letter:
    """The words of one mail."""

    subject: str
    text: str


def letter(news: Sequence[News], shop_name: str, public_url: str | None) -> Letter:
    """One mail about these alerts, the worst first; links where the address of the shop is known."""
    parts = [one for level in LEVELS for one in news if one.severity == level]
    told = "\n\n".join(_paragraph(one, public_url) for one in parts)
    where = f"\n\nAll alerts: {public_url}/alerts" if public_url else ""
    return Letter(
        f"{_how_many(news)} at {_line(shop_name)}",
        f"{told}{where}\n\nWho gets this mail is chosen under Alerts, Which alerts are raised.\n",
    )


def message_id(news: Iterable[News], host: str) -> str:
    """The same for the same messages: a mail server that gets a mail twice can tell."""
    digest = hashlib.sha256(b"".join(sorted(one.uid.bytes for one in news))).hexdigest()
    return f"<alerts.{digest[:32]}@{host}>"


def body(one: News, public_url: str | None) -> bytes:
    """What is posted to a webhook about one alert; the same bytes whenever it is posted again unchanged."""
    product = None
    if one.product_uid is not None:
        product = {"id": str(one.product_uid), "sku": one.sku, "name": one.product_name}
    said: dict[str, Any] = {
        "id": str(one.alert_uid),
        "type": one.type,
        "severity": one.severity,
        "message": one.message,
        "raised_at": one.raised_at.isoformat(),
        "product": product,
        "url": link(one, public_url),
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def signature(body: bytes, secret: bytes) -> str:
    """How whoever shares the secret knows that the body comes from here and is whole."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


def link(one: News, public_url: str | None) -> str | None:
    """Where people see more: the product's page, or the alerts where it is about none."""
    if public_url is None:
        return None
    return f"{public_url}/alerts" if one.product_uid is None else f"{public_url}/product?id={one.product_uid}"


def _how_many(news: Sequence[News]) -> str:
    """ "3 critical alerts", "1 warning", "2 critical alerts and 1 other"."""
    worst = next(level for level in LEVELS if any(one.severity == level for one in news))
    many = sum(one.severity == worst for one in news)
    words = f"{many} {worst} {'alert' if many == 1 else 'alerts'}"
    others = len(news) - many
    return f"{words} and {others} {'other' if others == 1 else 'others'}" if others else words


def _paragraph(one: News, public_url: str | None) -> str:
    name = f"{_line(one.sku)} {_line(one.product_name or '')}" if one.sku else "The ledger"
    lines = [f"{one.severity.upper()}: {name}", _line(one.message), link(one, public_url)]
    return "\n".join(line for line in lines if line)


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
