"""By what means alerts leave the house: the operator's part of it, from the environment.

Who is told is chosen in the shop's settings; through which mail server, and at which hosts a webhook may be,
only the operator says. So nobody who may change settings makes this server call its own network. A host
counts letter by letter, with its port: nothing is resolved, folded or decoded to see whether it fits, and
whatever could be read in two ways is refused. Where its name leads is not checked: whoever answers there must
show a certificate for that name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from core import inputs
from core.buying import order_mail
from core.buying.order_mail import Smtp
from core.errors import BadInput, RuleBroken

MOST_WEBHOOK_CHARACTERS = 500
SHOWN_OF_PATH = 4  # characters: enough to tell two webhooks apart
HTTPS_PORT = 443
MOST_PORT = 2**16 - 1
# A name or an IPv4 address, in lower case, with a port where it is not 443.
HOST = re.compile(r"(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?")
# What a URL is written with (RFC 3986), without `@`, `#`, `[` and `]`.
URL = re.compile(r"https://(?P<place>[a-z0-9.:-]+)(?P<target>(?:[/?][A-Za-z0-9._~:/?!$&'()*+,;=%-]*)?)")


@dataclass(frozen=True)
class Channels:
    """`smtp` is None where nothing can be mailed; `webhook_hosts` are "host" or "host:port", as they are
    compared; `webhook_secret` signs what is posted; `public_url` begins the links where it is known."""

    smtp: Smtp | None = None
    webhook_hosts: tuple[str, ...] = ()
    webhook_secret: bytes | None = field(default=None, repr=False)
    public_url: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a webhook is: `target` is path and query."""

    host: str
    port: int
    target: str


def from_environment(environment: Mapping[str, str]) -> Channels:
    """SMTP_* (as for orders), WEBHOOK_HOSTS, WEBHOOK_SECRET and PUBLIC_URL. Refuses what cannot be meant."""
    given = (environment.get("WEBHOOK_HOSTS") or "").split(",")
    return Channels(
        smtp=order_mail.settings(environment),
        webhook_hosts=tuple(_allowed(said.strip().lower()) for said in given if said.strip()),
        webhook_secret=(environment.get("WEBHOOK_SECRET") or "").encode() or None,
        public_url=(environment.get("PUBLIC_URL") or "").strip().rstrip("/") or None,
    )


def _allowed(said: str) -> str:
    found = HOST.fullmatch(said)
    if found is None or int(found["port"] or HTTPS_PORT) > MOST_PORT:
        raise RuleBroken(
            "WEBHOOK_HOSTS names something that is no host: list names like hooks.example.com or "
            "hooks.example.com:8443, with commas."
        )
    return said.removesuffix(f":{HTTPS_PORT}")


def webhook(channels: Channels, url: str) -> Place:
    """Where a webhook is. Refuses an address that is no plain https one, and a host that is not allowed."""
    said = inputs.text(url, "Webhook", MOST_WEBHOOK_CHARACTERS)
    found = URL.fullmatch(said)
    place = HOST.fullmatch(found["place"]) if found else None
    if found is None or place is None or urlsplit(said).netloc != found["place"]:
        raise BadInput(
            "Webhook: that is no plain https:// address. It has a host in small letters and a path, and no "
            "user, password or fragment."
        )
    allowed = found["place"].removesuffix(f":{HTTPS_PORT}")
    if allowed not in channels.webhook_hosts:
        raise BadInput(
            f"Webhook: {inputs.shown(allowed)} is not among the hosts that may be called: whoever runs this "
            "server lists them in WEBHOOK_HOSTS."
        )
    target = found["target"]
    return Place(
        place["host"], int(place["port"] or HTTPS_PORT), target if target[:1] == "/" else f"/{target}"
    )


def shown(url: str) -> str:
    """A webhook as pages, answers and the audit show it: its path is often as good as a password."""
    path = urlsplit(url).path[: SHOWN_OF_PATH + 1]
    return f"https://{urlsplit(url).netloc}{path or '/'}…"


def host(url: str) -> str:
    """What those see of a webhook who may not change it."""
    return urlsplit(url).netloc
