"""`make run`: says what is wrong before anything starts, and leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import server
from jobs import run


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="runout-test-"))
    folder.chmod(0o711)
    yield folder / "home"
    server.stop(folder / "home")
    shutil.rmtree(folder)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def launch(home: Path, **variables: str) -> subprocess.Popen:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.run"],
        cwd=run.ROOT,
        env=environment | {"RUNOUT_HOME": str(home), "DEMO": "0"} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(words: str, launched: subprocess.Popen) -> str:
    said = ""
    for line in launched.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"{words!r} was not said before the end:\n{said}")


def test_a_taken_port_is_named_together_with_a_free_one(taken: int) -> None:
    with pytest.raises(run.Refused, match=rf"^Port {taken} is taken.*make run PORT=\d+$") as refusal:
        run._refuse_taken_port("127.0.0.1", taken, "PORT")
    other = int(str(refusal.value).rpartition("=")[2])
    run._refuse_taken_port("127.0.0.1", other, "PORT")


@pytest.mark.parametrize("given", ["abc", "0", "65536", "-1", "8501.0", "٨٥٠١"])
def test_what_is_no_port_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", given)
    with pytest.raises(run.Refused, match="which is no port"):
        run._port("PORT", 8501)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(run.Refused, match="no address of this machine"):
        run._refuse_taken_port("192.0.2.1", 8501, "PORT")


def test_no_demo_in_the_home_of_the_demo_shop_says_that_it_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("DEMO", "0")
    monkeypatch.setattr(run.steps, "run", lambda *_, **__: None)
    monkeypatch.setattr(run.steps, "answer", lambda *_: "admin@erp.example.com")
    run._prepare_database(embedded=True)
    assert "DEMO=0 removes nothing" in capsys.readouterr().out


def test_a_taken_port_stops_the_launch_before_a_database_is_made(taken: int, home: Path) -> None:
    launched = launch(home, PORT=str(taken), API_PORT=str(free_port()))
    said, _ = launched.communicate(timeout=60)
    assert launched.returncode == 1
    assert f"Port {taken} is taken" in said
    assert not home.exists()


def test_it_serves_until_sigterm_and_leaves_nothing_running(home: Path) -> None:
    port = free_port()
    launched = launch(home, PORT=str(port), API_PORT=str(free_port()))
    read_until("Runout is ready", launched)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as response:
        assert response.status == 200

    second = launch(home, PORT=str(free_port()), API_PORT=str(free_port()))
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"already runs from {home} (process {launched.pid})" in said

    launched.send_signal(signal.SIGTERM)
    launched.communicate(timeout=60)
    assert launched.returncode == 0
    assert not server.is_running(home)
    run._refuse_taken_port("127.0.0.1", port, "PORT")


def test_after_kill_9_the_next_launch_takes_everything_over(home: Path) -> None:
    port = free_port()
    killed = launch(home, PORT=str(port), API_PORT=str(free_port()))
    read_until("Runout is ready", killed)
    killed.kill()
    killed.communicate()
    assert server.is_running(home)
    for _ in range(100):
        if run._trouble_with("127.0.0.1", port) is None:
            break
        time.sleep(0.1)

    launched = launch(home, PORT=str(port), API_PORT=str(free_port()))
    read_until("Runout is ready", launched)
    launched.send_signal(signal.SIGINT)
    launched.communicate(timeout=60)
    assert launched.returncode == 0
    assert not server.is_running(home)
