"""How the system says it is."""

import shutil
import time
from collections import namedtuple
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from api import probes
from core import job_runs
from db import session as doors
from db.models import ModelRun
from db.session import transaction

PARTS = {"database", "disk", "scheduler", "models"}


def healthy(now: datetime, *, scheduler_age=timedelta(0), models_age=timedelta(0)) -> None:
    with transaction() as session:
        job_runs.alive(session, "w", now - scheduler_age)
        session.add(ModelRun(state="published", as_of=now.date(), engine={}, finished_at=now - models_age))


def test_everything_is_healthy_when_the_clock_runs_and_models_are_young(client):
    healthy(datetime.now(UTC))
    answer = client.get("/health")
    assert answer.status_code == 200
    said = answer.json()
    assert said["status"] == "healthy"
    assert set(said["parts"]) == PARTS
    assert {part["state"] for part in said["parts"].values()} == {"ok"}
    assert 0 <= said["parts"]["scheduler"]["age_seconds"] < 60


@pytest.mark.parametrize(
    ("ages", "part"),
    [
        ({"scheduler_age": timedelta(minutes=3)}, "scheduler"),
        ({"models_age": timedelta(days=9)}, "models"),
    ],
)
def test_what_fell_silent_is_named_and_requests_are_answered_still(client, ages, part):
    healthy(datetime.now(UTC), **ages)
    said = client.get("/health").json()
    assert said["status"] == "degraded"
    assert [name for name, found in said["parts"].items() if found["state"] == "stale"] == [part]
    assert client.get("/health/ready").status_code == 200


def test_a_database_that_is_away_makes_it_unready_but_not_dead(client):
    import sqlalchemy as sa

    doors.bind(sa.create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing"))
    for path in ("/health", "/health/ready"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json()["status"] == "unhealthy"
        assert answer.json()["parts"]["database"]["state"] == "failed"
        assert "127.0.0.1" not in answer.text
        assert "nobody" not in answer.text
    assert client.get("/health/live").json() == {"status": "healthy", "parts": {}}
    login = client.post("/api/v1/auth/login", json={"email": "a@b.de", "password": "x"})
    assert login.status_code == 503
    assert int(login.headers["retry-after"]) > 0


def test_tables_of_another_version_make_it_unready(client, monkeypatch):
    from core import status

    monkeypatch.setattr(status, "_needed", lambda: "another")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["parts"]["database"]["detail"]


def test_a_full_disk_makes_it_unready(client, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage(100, 100, 2**20))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"]["disk"] == {
        "state": "failed",
        "detail": "Only 1 MB of disk are free.",
        "age_seconds": None,
    }


def test_a_database_that_is_silent_is_away_in_seconds_and_back_at_once(client, monkeypatch):
    """A server that takes connections and says nothing: a dead machine, or one that is out of memory."""
    import socket

    import sqlalchemy as sa

    monkeypatch.setattr(probes, "SPARE_SECONDS", 0)
    good = doors._bound_to
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        doors.bind(sa.create_engine(f"postgresql+psycopg2://nobody@127.0.0.1:{port}/nothing"))
        began = time.monotonic()
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
        assert time.monotonic() - began < 5  # as long as a balancer waits, with time to spare
        assert client.get("/health/live").status_code == 200
        assert str(port) not in answer.text
    doors.bind(good)
    assert client.get("/health/ready").status_code == 200


@pytest.mark.usefixtures("clone")
def test_probes_wait_for_no_request_that_holds_the_connections(client, monkeypatch):
    small = doors.new_engine(doors._bound_to.url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    doors.bind(small)
    monkeypatch.setattr(client.app.state, "places", anyio.CapacityLimiter(1))
    with small.connect():
        said = client.post("/api/v1/auth/login", json={"email": "a@b.de", "password": "x"})
        assert said.status_code == 503
        for path in ("/health", "/health/ready", "/health/live"):
            assert client.get(path).status_code == 200, path
    small.dispose()
