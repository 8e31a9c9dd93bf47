"""The API as it is really served: uvicorn, its own process, settings from the environment."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def served(port: int, **environment: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port), "--no-access-log"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_starts_answers_logs_and_stops(clone):
    port = free_port()
    server = served(port, DATABASE_URL=clone, JWT_SECRET_KEY="k" * 32)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                with DIRECT.open(f"{address}/health/ready", timeout=5) as answer:
                    assert json.load(answer)["status"] == "healthy"
                    break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        with pytest.raises(urllib.error.HTTPError) as refused:
            DIRECT.open(f"{address}/api/v1/products", timeout=5)
        assert json.load(refused.value)["type"] == "NotSignedIn"
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=30)
    assert server.returncode in (0, -15)
    assert "GET /api/v1/products 401" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"JWT_SECRET_KEY": "hunter2"}, "JWT_SECRET_KEY"),
        ({"ACCESS_TOKEN_MINUTES": "hunter2"}, "ACCESS_TOKEN_MINUTES"),
        ({"SELF_REGISTRATION": "hunter2"}, "SELF_REGISTRATION"),
        ({"APP_ENV": "hunter2"}, "APP_ENV"),
        ({"APP_ENV": "production"}, "JWT_SECRET_KEY"),
    ],
)
def test_it_does_not_start_on_settings_that_cannot_be_meant(environment, named):
    found = subprocess.run(
        [sys.executable, "-c", "import api.main"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert named in found.stderr
    assert "hunter2" not in found.stderr
    assert "Traceback" not in found.stderr
