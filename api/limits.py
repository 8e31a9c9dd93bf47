"""How many requests a minute each caller may send; one more is 429 with `Retry-After`.

A caller is the person behind an access token, the API key, or else the address. The signature of a token is
enough to know whose it is: counting asks no database, and nobody uses up what is others' behind the same
address. A key (or the dashboard's cookie, at the one route that reads it) says nothing by itself: until this
process has seen it accepted, it counts against its address, apart from requests without any. A token whose
sign-in has ended counts against the address as soon as it was refused once.

The window moves: in any 60 seconds, wherever they begin, no more than the limit gets in. Requests that are
refused here do not count.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from functools import lru_cache
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api import deps, errors
from api.counts import Caller, Counts
from api.settings import Rates
from core import auth
from core.errors import NotSignedIn
from core.tokens import Claims

# What costs us the hash of a password, or could be guessed, has a tighter count of its own each.
TIGHT = {
    "/api/v1/auth/login": "login",
    "/api/v1/auth/refresh": "refresh",
    "/api/v1/auth/register": "register",
}
# Asked by the proxy for each picture and file of the dashboard, with the cookie of whoever looks at it.
BROWSER = "/api/v1/auth/browser"
# Probes come from one address every few seconds and must be answered above all while somebody floods the
# rest; /metrics lets in loopback or a token of its own only.
FREE = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})

# Keys and cookies known to be good, and sign-ins known to have ended.
MOST_KNOWN = 10_000
# A customer with IPv6 has at least this network to himself: an address for each request and more.
IPV6_NETWORK = 64


class Limits:
    """Refuses callers that come too often. `rates` is None where nothing is counted."""

    def __init__(self, app: ASGIApp, rates: Rates | None) -> None:
        self.app = app
        self.rates = rates
        self.counts = Counts(rates.redis_url if rates else None)
        self._known: OrderedDict[Any, Caller] = OrderedDict()
        self._ended: OrderedDict[Any, None] = OrderedDict()
        if rates:
            self._tight = {path: _rate(rates.login, name) for path, name in TIGHT.items()}
            self._address = _rate(rates.address, "address")
            self._unknown = _rate(rates.address, "unknown")
            self._person = _rate(rates.person, "person")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                await self.counts.close()
        elif self.rates is None or scope["type"] != "http" or scope["path"] in FREE:
            await self.app(scope, receive, send)
        else:
            given = _given(scope)
            caller = self._caller(scope, given)
            seconds = await self.counts.take(caller)
            if seconds:
                await errors.too_often(caller.rate.amount, seconds)(scope, receive, send)
                return
            await self.app(scope, receive, send)
            if given is not None:
                self._learn(given, scope["state"])

    def _caller(self, scope: Scope, given: Any) -> Caller:
        address = network(scope["client"][0] if scope.get("client") else "")
        tight = self._tight.get(scope["path"])
        if tight is not None:
            return Caller(tight, address)
        if given is None:
            return Caller(self._address, address)
        if isinstance(given, Claims):
            if given.sign_in in self._ended:
                return Caller(self._address, address)
            return Caller(self._person, str(given.person))
        return self._known.get(given) or Caller(self._unknown, address)

    def _learn(self, given: Any, state: dict[str, Any]) -> None:
        """What the answer says about the token, key or cookie that came."""
        status = state["status"]
        if isinstance(given, Claims):
            if "person" in state:
                self._ended.pop(given.sign_in, None)
            elif status == 401:
                _keep(self._ended, given.sign_in, None)
        elif status == 401:
            self._known.pop(given, None)
        elif isinstance(given, bytes):
            if status == 204:
                _keep(self._known, given, Caller(_rate(self.rates.person, "browser"), given.hex()))
        elif state.get("api_key"):
            per_minute, known = state.get("per_minute") or self.rates.key, self._known.get(given)
            if known is None or known.rate.amount != per_minute:
                _keep(self._known, given, Caller(_rate(per_minute, "key"), str(state["api_key"])))


def _given(scope: Scope) -> Any:
    """What the request shows of who sends it: claims of a signed token, a key, a cookie's hash, or None."""
    if scope["path"] in TIGHT:
        return None
    request = Request(scope)
    if scope["path"] == BROWSER:
        cookie = request.cookies.get(auth.COOKIE)
        return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest() if cookie else None
    try:
        return deps.claims(request)
    except NotSignedIn:
        return None


def _rate(per_minute: int, what: str) -> RateLimitItem:
    return RateLimitItemPerMinute(per_minute, namespace=what)


def _keep(known: OrderedDict[Any, Any], given: Any, what: Any) -> None:
    known[given] = what
    known.move_to_end(given)
    if len(known) > MOST_KNOWN:
        known.popitem(last=False)


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """What counts as one address: an IPv4 address, however it is written, or a network of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a socket's name
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((int(found), IPV6_NETWORK), strict=False))
        found = found.ipv4_mapped
    return str(found)
