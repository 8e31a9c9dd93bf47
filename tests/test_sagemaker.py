"""A model's way through SageMaker, without the cloud: its folders, its commands, its port, its client."""

import json
import os
import re
import subprocess
import sys
import tarfile
import time
import urllib.error
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.main import make_app
from core.anomaly import training
from core.doctor import endpoint, training_channel
from core.doctor.endpoint_settings import EndpointSettings
from db import session as doors
from db.models import Movement
from jobs.__main__ import main
from tests.api.conftest import SETTINGS
from tests.api.test_server import free_port
from tests.front import CREDENTIALS, DIRECT, front, passed_on_to
from tests.makers import PASSWORD, a_person
from tests.sold import a_shop_that_sells

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "jobs" / "sagemaker"


def environment(root, **more):
    """That of a container: our Python first on the path, and no database."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    nowhere = "postgresql://nobody@127.0.0.1:9/none"
    return os.environ | {"PATH": path, "SM_ROOT": str(root), "DATABASE_URL": nowhere} | more


def run(command, root, **more):
    return subprocess.run(
        [COMMANDS / command], env=environment(root, **more), capture_output=True, text=True, check=False
    )


def answers(url):
    try:
        with DIRECT.open(url, timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


class Served:
    """The real serving process."""

    def __init__(self, root):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [COMMANDS / "serve"],
            env=environment(root, SAGEMAKER_BIND_TO_PORT=str(port), HOST="127.0.0.1"),
            stderr=subprocess.DEVNULL,
        )

    def wait(self):
        for _ in range(300):
            if answers(f"{self.url}/ping"):
                return
            assert self.process.poll() is None
            time.sleep(0.1)
        raise AssertionError("it does not answer")

    def end(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def ml(clone, tmp_path, monkeypatch):  # noqa: ARG001
    """SageMaker's folders, with an export of a shop in the channel `training`."""
    monkeypatch.setattr(training, "RATE", 1 / 15)  # mistakes enough to grow trees from, in a small ledger
    with doors.transaction() as session:
        a_shop_that_sells(session)
        a_person(session, "manager", email="m@shop.example")
    (tmp_path / "input" / "data").mkdir(parents=True)
    assert main(["export-features", "--out", str(tmp_path / "input" / "data" / "training")]) == 0
    return tmp_path


def score(client, token, ids):
    answer = client.post("/api/v1/ml/score", json={"transaction_ids": ids}, headers=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_from_the_export_to_an_endpoint_that_scores_and_back_home(ml, tmp_path, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(endpoint, "PAUSE_SECONDS", 0.5)
    monkeypatch.setattr(endpoint, "ATTEMPTS", 1)

    (ml / "input" / "config").mkdir()
    (ml / "input" / "config" / "hyperparameters.json").write_text('{"seed": "3", "workers": "1"}')
    trained = run("train", ml)
    assert trained.returncode == 0, trained.stderr
    assert re.search(r"^recall_at_10=(0\.\d+|0|1);$", trained.stdout, re.MULTILINE)
    assert not (ml / "output" / "failure").exists()
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        for path in (ml / "model").iterdir():
            archive.add(path, path.name)
    assert main(["import-model", str(tmp_path / "model.tar.gz")]) == 0

    served = Served(ml)
    try:
        served.wait()
        with front(passed_on_to(served.url)) as aws:
            asked = EndpointSettings("odd", "eu-central-1", aws.url, 5)
            with TestClient(make_app(replace(SETTINGS, endpoint=asked))) as client:
                _ask_it_in_good_and_bad_times(client, aws, served)
    finally:
        served.end()


def _ask_it_in_good_and_bad_times(client, aws, served):
    signed_in = client.post("/api/v1/auth/login", json={"email": "m@shop.example", "password": PASSWORD})
    token = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    with doors.reading() as session:
        ids = session.scalars(sa.select(Movement.id).where(Movement.type == "out").limit(40)).all()

    there = score(client, token, ids)
    assert (there["scored_by"], there["fallback"]) == ("sagemaker", None)
    assert [row["transaction_id"] for row in there["results"]] == ids

    works, aws.answer = aws.answer, lambda _: (200, b'{"predictions": []}')
    here = score(client, token, ids)
    assert here["scored_by"] == "local"
    assert "other features" in here["fallback"]
    assert here["results"] == there["results"]  # the model is the same one, imported

    aws.answer = works
    assert score(client, token, ids)["scored_by"] == "sagemaker"
    served.end()
    asked_before = len(aws.bodies)
    for _ in range(endpoint.FAILURES):
        assert "refused" in score(client, token, ids)["fallback"]
    assert "left alone" in score(client, token, ids)["fallback"]
    assert len(aws.bodies) == asked_before + endpoint.FAILURES


def test_a_training_that_cannot_be_says_why_where_sagemaker_looks(ml, capsys, monkeypatch):
    channel, config = ml / "input" / "data" / "training", ml / "input" / "config"
    config.mkdir()

    def failed(**given):
        (config / "hyperparameters.json").write_text(json.dumps(given))
        assert main(["sagemaker-train", "--root", str(ml)]) == 1
        sentence = (ml / "output" / "failure").read_text()
        assert sentence in capsys.readouterr().err
        return sentence

    assert "no hyperparameter 'depth'" in failed(depth="3")
    assert "workers is no whole number" in failed(workers="many")
    assert "seed is no whole number" in failed(seed="-1")
    (channel / "habits.npz").write_bytes(b"")
    assert "habits.npz is not as it was exported" in failed(sagemaker_program="x")
    (channel / "manifest.json").write_text("{")
    assert "cannot be read" in failed()
    (channel / "manifest.json").unlink()
    assert "no channel" in failed()
    assert not (ml / "model").exists()

    monkeypatch.setattr(training_channel, "find", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # a bug stays loud
        main(["sagemaker-train", "--root", str(ml)])
    assert (ml / "output" / "failure").read_text() == "ZeroDivisionError: division by zero"
