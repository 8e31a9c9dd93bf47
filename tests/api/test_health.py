"""How the system says it is."""

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta

import pytest

from core import job_runs
from db import session as doors
from db.models import ModelRun, Worker
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


def test_metrics_count_things(client, as_role):
    client.post("/api/v1/products", json={"sku": "A", "name": "A"}, headers=as_role("manager"))
    with transaction() as session:
        session.add(Worker(name="w"))
    said = client.get("/api/v1/metrics", headers=as_role("viewer")).json()
    assert (said["products"], said["warehouses"]) == (1, 1)
    assert said["scheduler"]["state"] == "ok"
    assert said["models"]["state"] == "missing"
