"""How often callers may come: each has a minute of his own that moves, and no trick gets more out of it."""

import random
import threading
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from limits import RateLimitItemPerMinute

from api.counts import Caller, Counts, Window
from api.limits import FREE, Limits, network
from api.main import make_app
from api.settings import Rates
from core import api_keys, auth, tokens
from db.session import transaction
from tests import loops, makers
from tests.api.conftest import KEY, SETTINGS

NOWHERE = "/api/v1/nowhere"  # 404 without a look at the database
FEW = Rates(address=3, person=5, key=7, login=2)


class Clock:
    """A clock that stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@cache
def app_and_what_is_around_its_limits() -> tuple[FastAPI, Any]:
    """Made once, since that takes a while."""
    app = make_app(SETTINGS)
    app.middleware_stack = around = app.build_middleware_stack()
    while not isinstance(around.app, Limits):
        around = around.app
    return app, around


class Door:
    """An API whose minutes pass when a test says so."""

    def __init__(self, rates: Rates | None = FEW) -> None:
        self.app, around = app_and_what_is_around_its_limits()
        self.clock = Clock()
        around.app = limits = Limits(around.app.app, rates)
        limits.counts = Counts(clock=self.clock)

    def ask(
        self,
        path: str = NOWHERE,
        *,
        address: str = "192.0.2.1",
        times: int = 1,
        method: str = "GET",
        **headers: str,
    ) -> list[int]:
        """The statuses of so many requests; the last answer is kept."""
        return [self._ask(path, address, method, headers) for _ in range(times)]

    def _ask(self, path: str, address: str, method: str, headers: dict[str, str]) -> int:
        said: dict = {"body": b""}

        async def receive() -> dict:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict) -> None:
            said.update({key: value for key, value in message.items() if key in ("status", "headers")})
            said["body"] += message.get("body", b"")

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80), "root_path": "",
            "client": (address, 50_000),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        loops.run(self.app(scope, receive, send))
        self.last_headers = {name.decode(): value.decode() for name, value in said["headers"]}
        self.last_body = said["body"].decode()
        return said["status"]


def a_token(person: uuid.UUID | None = None, lasts: float = 15) -> str:
    now = datetime.now(UTC)
    issued = tokens.issue(KEY, person or uuid.uuid4(), uuid.uuid4(), now, timedelta(minutes=lasts))
    return f"Bearer {issued}"


# -- The minute ----------------------------------------------------------------------------------------------


def taken(counts: Counts, limit: int, name: str = "somebody") -> int:
    return loops.run(counts.take(Caller(RateLimitItemPerMinute(limit), name)))


@pytest.mark.parametrize("seed", range(3))
def test_no_60_seconds_whenever_they_begin_let_in_more_than_the_limit(seed):
    async def come() -> list[float]:
        drawn, clock = random.Random(seed), Clock()
        counts, caller, let_in = Counts(clock=clock), Caller(RateLimitItemPerMinute(100), "somebody"), []
        for _ in range(5_000):
            # Bursts and pauses; often exactly at the edge of a minute.
            clock.now += drawn.choice((0, 0, 0, 0.001, 0.5, 5 * drawn.random(), drawn.choice((0, 0, 60))))
            if await counts.take(caller) == 0:
                let_in.append(clock.now)
        return let_in

    let_in = loops.run(come())
    assert len(let_in) > 1_000
    assert all(later - first > 60 for first, later in zip(let_in, let_in[100:], strict=False))


def test_the_edge_of_a_minute_is_no_way_around():
    clock = Clock()
    counts = Counts(clock=clock)
    clock.now = 59.9
    assert [taken(counts, 100) == 0 for _ in range(150)].count(True) == 100
    clock.now = 60.1
    assert taken(counts, 100) == 60
    clock.now = 119.95
    assert [taken(counts, 100) == 0 for _ in range(150)].count(True) == 100


def test_retry_after_lets_the_next_one_in_and_not_much_later_than_need_be():
    drawn, clock = random.Random(5), Clock()
    counts = Counts(clock=clock)
    for _ in range(200):
        clock.now += drawn.choice((0, 1, 0.25, drawn.random()))
        seconds = taken(counts, 7)
        if seconds:
            before = clock.now
            clock.now = before + seconds - 1 - 1e-6
            assert taken(counts, 7) > 0
            clock.now = before + seconds
            assert taken(counts, 7) == 0


def test_whoever_is_refused_and_comes_again_and_again_is_not_kept_out_longer():
    clock = Clock()
    counts = Counts(clock=clock)
    assert taken(counts, 1) == 0
    for _ in range(59):
        clock.now += 1
        assert taken(counts, 1) > 0
    clock.now += 1.1
    assert taken(counts, 1) == 0


def test_millions_of_addresses_take_no_more_memory_than_the_bound_and_no_threads():
    async def flood() -> tuple[Window, Clock]:
        clock = Clock()
        window = Window(clock, most_callers=1_000)
        for n in range(50_000):
            await window.acquire_entry(str(n), 100, 60)
        assert len(window.callers) == 1_000
        assert not await window.acquire_entry("49999", 1, 60)  # those who came last are remembered
        clock.now += 61
        for n in range(600):  # old ones go while new ones come, two for each
            await window.acquire_entry(f"later {n}", 100, 60)
        assert len(window.callers) == 600
        return window, clock

    before = threading.active_count()
    loops.run(flood())
    assert threading.active_count() == before


# -- Whose count ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_address_is_one_however_it_is_written_and_a_network_of_ipv6_is_one(address, counts_as):
    assert network(address) == counts_as


def test_an_address_without_a_token_has_its_hundred_and_another_address_its_own():
    door = Door(Rates())
    assert door.ask(times=101) == [404] * 100 + [429]
    assert door.ask(address="192.0.2.2") == [404]
    assert door.ask("/docs", address="192.0.2.2") == [200]
    door.clock.now += 60.001
    assert door.ask() == [404]


def test_a_refusal_says_when_to_come_back_and_looks_like_every_other_error():
    door = Door()
    door.ask(times=3)
    assert door.ask(origin="https://shop.example") == [429]
    assert door.last_headers["retry-after"] == "61"
    assert door.last_headers["x-content-type-options"] == "nosniff"
    assert door.last_headers["access-control-allow-origin"] == "https://shop.example"
    assert "x-request-id" in door.last_headers
    assert door.last_body == (
        '{"error":"Too Many Requests","detail":"Too many requests: 3 a minute are let in here. '
        'Try again in 61 seconds.","type":"TooMany"}'
    )


def test_a_person_is_counted_wherever_they_are_and_keeps_what_is_theirs_when_the_address_is_used_up():
    door, ann, bob = Door(), uuid.uuid4(), uuid.uuid4()
    assert door.ask(times=4) == [404] * 3 + [429]
    assert door.ask(times=3, authorization=a_token(ann)) == [404] * 3
    assert door.ask(times=3, authorization=a_token(ann), address="198.51.100.1") == [404, 404, 429]
    assert door.ask(times=6, authorization=a_token(bob)) == [404] * 5 + [429]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer nonsense"},
        {"authorization": f"Bearer {a_token()[7:]}x"},
        {"authorization": a_token(lasts=-1)},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer runout_nonsense"},
        {"x-forwarded-for": "203.0.113.1"},
        {"forwarded": "for=203.0.113.1"},
        {"x-real-ip": "203.0.113.1"},
    ],
    ids=[
        "no token",
        "changed",
        "expired",
        "another scheme",
        "no key",
        "forwarded for",
        "forwarded",
        "real ip",
    ],
)
def test_what_proves_nothing_counts_against_the_address(headers):
    door = Door()
    assert door.ask(times=2, **headers) == [404, 404]
    assert door.ask(times=2) == [404, 429]
    assert door.ask(**headers) == [429]


def test_signing_in_refreshing_and_registering_have_a_tighter_count_each_whoever_asks():
    door = Door()
    for what in ("login", "refresh", "register"):
        path = f"/api/v1/auth/{what}"
        assert door.ask(path, method="POST", times=2) == [422, 422]
        assert door.ask(path, method="POST", authorization=a_token()) == [429]
        assert door.ask(path, method="POST", address="192.0.2.2") == [422]
    assert door.ask(times=3) == [404] * 3


def test_probes_are_never_refused():
    door = Door()
    assert door.ask(times=4) == [404] * 3 + [429]
    assert door.ask("/health/live", times=20) == [200] * 20


def test_where_limits_are_off_nobody_is_refused():
    door = Door(rates=None)
    assert door.ask(times=150) == [404] * 150


def test_every_route_but_the_probes_documents_429():
    document = app_and_what_is_around_its_limits()[0].openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert ("429" in operation["responses"]) == (path not in FREE), (method, path)


def test_a_key_has_a_count_of_its_own_once_it_was_accepted(clone):  # noqa: ARG001
    door, products = Door(), "/api/v1/products"
    with transaction() as session:
        makers.a_warehouse(session)
        person = makers.a_person(session, "admin")
        named, secret = makers.a_key(session, person, per_minute=6)
        _, other = makers.a_key(session, person)
        admin = auth.actor_of(person)
    mine, others = {"authorization": f"Bearer {secret}"}, {"authorization": f"Bearer {other}"}
    assert door.ask(times=4) == [404] * 3 + [429]  # what others do at its address is not its affair
    assert door.ask(products, times=8, **mine) == [200] * 7 + [429]  # the first against the address
    assert door.ask(products, times=9, **others) == [200] * 8 + [429]  # FEW.key, since it names no figure
    invented = f"Bearer {api_keys.new_secret()}"
    assert door.ask(products, times=2, authorization=invented) == [401, 429]

    door.clock.now += 61
    with transaction() as session:
        api_keys.revoke(session, admin, named.uid, datetime.now(UTC))
    assert door.ask(products, times=5, **mine) == [401] * 4 + [429]
    assert door.ask(products, times=2, **others) == [200] * 2


def test_a_token_that_has_ended_uses_up_nothing_of_its_person(clone):  # noqa: ARG001
    door, me, now = Door(), "/api/v1/auth/me", datetime.now(UTC)
    with transaction() as session:
        email = makers.a_person(session).email
    old, new = ({"authorization": f"Bearer {signed_in(email, now).access_token}"} for _ in range(2))
    assert door.ask("/api/v1/auth/logout", method="POST", **old) == [200]
    assert door.ask(me, times=5, **old) == [401] * 4 + [429]  # the first of them against the person
    assert door.ask(me, times=4, **new) == [200] * 3 + [429]


def test_the_cookie_of_the_dashboard_has_a_count_of_its_own_at_the_route_that_reads_it(clone):  # noqa: ARG001
    door, browser, now = Door(), "/api/v1/auth/browser", datetime.now(UTC)
    with transaction() as session:
        email = makers.a_person(session).email
        token = auth.sign_in(session, email, makers.PASSWORD, "192.0.2.1", now).token
    cookie = {"cookie": f"{auth.COOKIE}={token}"}
    assert door.ask(browser, times=7, **cookie) == [204] * 6 + [429]
    assert door.ask(browser, times=3, cookie=f"{auth.COOKIE}=invented") == [401, 401, 429]
    assert door.ask(browser, times=4) == [401] * 3 + [429]
    door.clock.now += 61
    with transaction() as session:
        auth.sign_out(session, token, now)
    assert door.ask(browser, times=5, **cookie) == [401] * 4 + [429]


def signed_in(email: str, now: datetime) -> tokens.Granted:
    with transaction() as session:
        lasts = timedelta(minutes=15)
        return tokens.sign_in(session, KEY, email, makers.PASSWORD, "192.0.2.1", now, lasts=lasts)
