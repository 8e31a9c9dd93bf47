"""Limits from the environment, shared by several processes, and kept behind a proxy."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection

import pytest
from limits import RateLimitItemPerMinute

from api import settings
from api.counts import Caller, Counts
from api.settings import Rates, SettingsError
from jobs import serve
from tests import fake_redis, loops
from tests.api.test_limits import NOWHERE, Clock
from tests.api.test_server import free_port

# -- Settings ------------------------------------------------------------------------------------------------


def test_limits_come_from_the_environment_and_are_on_unless_somebody_says_off(monkeypatch):
    for name in [name for name in os.environ if name.startswith("RATE_LIMIT")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert settings.from_environment().limits == Rates(100, 600, 6000, 10, None)
    for name, value in {"ADDRESS": "1", "PERSON": "2", "KEY": "3", "LOGIN": "4"}.items():
        monkeypatch.setenv(f"RATE_LIMIT_{name}", value)
    monkeypatch.setenv("REDIS_URL", "redis://:word@127.0.0.1:6379/1")
    assert settings.from_environment().limits == Rates(1, 2, 3, 4, "redis://:word@127.0.0.1:6379/1")
    monkeypatch.setenv("RATE_LIMITS", "off")
    assert settings.from_environment().limits is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RATE_LIMITS", "perhaps"),
        ("RATE_LIMIT_ADDRESS", "00"),
        ("RATE_LIMIT_PERSON", "-5"),
        ("RATE_LIMIT_KEY", "1e3"),
        ("RATE_LIMIT_LOGIN", "9999999"),
        ("REDIS_URL", "http://somewhere:6379"),
        ("REDIS_URL", "redis://nowhere"),
        ("REDIS_URL", "redis://host:port"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_named_and_its_value_is_not(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable) as refusal:
        settings.from_environment()
    assert f" {value}" not in str(refusal.value)


# -- Several processes, and a proxy --------------------------------------------------------------------------


def test_while_redis_is_away_each_process_counts_and_says_so_once_a_minute(caplog):
    async def come() -> None:
        clock = Clock()
        with fake_redis.running() as url:
            counts, caller = Counts(url, clock), Caller(RateLimitItemPerMinute(3), "somebody")
            assert [await counts.take(caller) for _ in range(4)] == [0, 0, 0, 60]
        for _ in range(5):  # gone: counted here, for each process anew
            assert [await counts.take(caller) > 0 for _ in range(4)][-1]
            clock.now += 7
        assert len(caplog.records) == 1
        assert "Redis is away" in caplog.text
        clock.now += 60
        assert await counts.take(caller) == 0
        assert len(caplog.records) == 2
        port = int(url.split(":")[2].split("/")[0])
        clock.now += 6
        with fake_redis.running(port):  # and back
            assert [await counts.take(caller) for _ in range(4)] == [0, 0, 0, 60]
        await counts.close()

    loops.run(come())


@pytest.fixture
def serving(monkeypatch) -> Iterator[Callable[..., int]]:
    """Start the API as `python -m jobs serve api` does, and answer with its port."""
    started = []

    def start(**environment: str) -> int:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        port = free_port()
        started.append(subprocess.Popen(serve.api_command("127.0.0.1", port), cwd=serve.ROOT))
        return port

    yield start
    for server in started:
        server.kill()
        server.wait()


def status(port: int, source: str, forwarded: str | None = None) -> int:
    for _ in range(300):
        line = HTTPConnection("127.0.0.1", port, timeout=5, source_address=(source, 0))
        try:
            line.request("GET", NOWHERE, headers={"X-Forwarded-For": forwarded} if forwarded else {})
            return line.getresponse().status
        except OSError:
            time.sleep(0.1)
        finally:
            line.close()
    raise AssertionError("it did not start")


def test_processes_share_a_count_and_only_a_proxy_of_ours_says_who_comes(serving):
    proxy, visitor, rates = "127.0.0.2", "127.0.0.1", {"RATE_LIMIT_ADDRESS": "5", "JWT_SECRET_KEY": "k" * 32}
    with fake_redis.running() as url:
        port = serving(REDIS_URL=url, TRUSTED_PROXIES=proxy, **rates)
        # Whoever names another address with each request is still the same.
        assert [status(port, visitor, f"203.0.113.{n}") for n in range(7)] == [404] * 5 + [429] * 2
        # Another process, this one, knows.
        assert taken_in(url, visitor) > 0
        # The proxy writes down whom it sees at the end; what the visitor wrote before that is not believed.
        assert taken_in(url, "203.0.113.9") == 0
        seen = [status(port, proxy, f"198.51.100.{n}, 203.0.113.9") for n in range(6)]
        assert seen == [404] * 4 + [429] * 2
        assert status(port, proxy, "203.0.113.10") == 404


def taken_in(redis_url: str, address: str) -> int:
    async def take() -> int:
        counts = Counts(redis_url)
        seconds = await counts.take(Caller(RateLimitItemPerMinute(5, namespace="address"), address))
        await counts.close()
        return seconds

    return loops.run(take())


def test_without_a_proxy_of_ours_nobody_is_believed(monkeypatch):
    monkeypatch.delenv("TRUSTED_PROXIES", raising=False)
    assert "--no-proxy-headers" in serve.api_command("127.0.0.1", 8000)
