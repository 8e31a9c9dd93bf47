"""The embedded server: made once, adopted after every accident, closed to everybody else."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from db import server, system


def a_folder() -> Path:
    # Not tmp_path: pytest closes its parent to other users, and as root the server runs as another one.
    folder = Path(tempfile.mkdtemp(prefix="runout-test-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def place() -> Iterator[Path]:
    folder = a_folder()
    yield folder
    for data in folder.rglob("postmaster.pid"):
        server.stop(data.parent.parent)
    shutil.rmtree(folder)


@pytest.fixture
def home(place: Path) -> Path:
    return place / "home"


@pytest.fixture(scope="module")
def running() -> Iterator[Path]:
    """The home of one server for the tests that only look."""
    folder = a_folder()
    server.start(folder / "home")
    yield folder / "home"
    server.stop(folder / "home")
    shutil.rmtree(folder)


def ask(home: Path, question: str) -> object:
    connection = psycopg2.connect(
        host=str(server.socket_folder(home)), port=server.PORT, user=server.SUPERUSER, dbname="postgres"
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((server.data_folder(home) / "postmaster.pid").read_text().split()[0]))


def test_a_new_home_gets_a_server_that_keeps_its_rows_over_a_restart(home: Path) -> None:
    assert not server.is_running(home)
    server.start(home)
    ask(home, "CREATE TABLE kept AS SELECT 41 + 1 AS answer")
    assert server.is_running(home)
    assert server.stop(home)
    assert not server.is_running(home)
    assert not server.stop(home)
    server.start(home)
    assert ask(home, "SELECT answer FROM kept") == 42


def test_starting_twice_finds_the_running_server(running: Path) -> None:
    first = postmaster(running)
    assert server.start(running) == str(server.socket_folder(running))
    assert postmaster(running) == first


def test_processes_that_start_at_once_share_one_server(home: Path) -> None:
    command = [sys.executable, "-m", "db", "start"]
    environment = os.environ | {"RUNOUT_HOME": str(home)}
    starters = [subprocess.Popen(command, cwd=server.ROOT, env=environment) for _ in range(3)]
    assert [starter.wait(60) for starter in starters] == [0, 0, 0]
    assert server.is_running(home)


def test_it_is_careful_with_data_and_speaks_utc(running: Path) -> None:
    said = {name: ask(running, f"SHOW {name}") for name in ("fsync", "data_checksums", "jit", "timezone")}
    assert said == {"fsync": "on", "data_checksums": "on", "jit": "off", "timezone": "UTC"}
    assert ask(running, "SHOW server_encoding") == "UTF8"
    assert ask(running, "SELECT upper('čaj')") == "ČAJ"


def test_only_its_user_and_root_can_reach_it_and_nobody_over_the_network(running: Path) -> None:
    assert stat.S_IMODE(server.socket_folder(running).stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data_folder(running).stat().st_mode) == 0o700
    assert stat.S_IMODE((running / "postgres.log").stat().st_mode) == 0o600
    assert postmaster(running).net_connections(kind="inet") == []
    assert postmaster(running).uids().effective != 0


def test_after_kill_9_of_the_server_the_next_start_has_every_committed_row(home: Path) -> None:
    server.start(home)
    ask(home, "CREATE TABLE kept AS SELECT generate_series(1, 10000)")
    postmaster(home).kill()
    server.start(home)
    assert ask(home, "SELECT count(*) FROM kept") == 10_000


def test_a_server_without_its_socket_is_restarted(home: Path) -> None:
    server.start(home)
    (server.socket_folder(home) / f".s.PGSQL.{server.PORT}").unlink()
    server.start(home)
    assert ask(home, "SELECT 1") == 1


def test_a_lock_file_that_names_another_program_does_not_keep_it_down(home: Path) -> None:
    server.start(home)
    lock = server.data_folder(home) / "postmaster.pid"
    written = lock.read_text()
    postmaster(home).send_signal(signal.SIGQUIT)
    owner = server.data_folder(home).stat()
    as_owner = {"user": owner.st_uid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **as_owner) as bystander:
        while server.is_running(home) or server._processes_in(server.data_folder(home)):
            time.sleep(0.05)
        # The machine was switched off and the number went to somebody else after the start.
        lock.write_text(written.replace(written.split()[0], str(bystander.pid), 1))
        os.chown(lock, owner.st_uid, owner.st_gid)
        server.start(home)
        assert bystander.poll() is None
        bystander.kill()
    assert ask(home, "SELECT 1") == 1


def test_a_home_deleted_under_a_running_server_starts_afresh(home: Path) -> None:
    server.start(home)
    old = postmaster(home)
    shutil.rmtree(home)
    server.start(home)
    assert ask(home, "SELECT 1") == 1
    assert not old.is_running() or old.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_cannot_start_says_what_postgresql_says(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "START_ATTEMPTS", 2)
    server.start(home)
    server.stop(home)
    with (server.data_folder(home) / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = none\n")
    with pytest.raises(server.ServerError, match=r"does not start: .*postgresql\.conf.*postgres\.log"):
        server.start(home)


def test_data_of_another_postgresql_version_is_not_passed_over(home: Path) -> None:
    (home / "postgres-17").mkdir(parents=True)
    home.chmod(0o711)
    with pytest.raises(server.ServerError, match="postgres-17, the data of another version"):
        server.start(home)


def test_a_half_made_database_is_made_again(home: Path) -> None:
    unfinished = home / f"{server.data_folder(home).name}.new"
    unfinished.mkdir(parents=True)
    home.chmod(0o711)
    (unfinished / "PG_VERSION").write_text("18\n")
    server.start(home)
    assert ask(home, "SELECT 1") == 1


def test_a_home_deeper_than_a_socket_path_may_be_works(place: Path) -> None:
    home = place / ("a-long-folder-name-" * 6) / "home"
    server.start(home)
    assert len(str(server.socket_folder(home))) < 60
    assert stat.S_IMODE(server.socket_folder(home).stat().st_mode) == 0o700
    assert ask(home, "SELECT 1") == 1
    server.stop(home)
    server.socket_folder(home).rmdir()


def test_a_planted_socket_folder_is_refused(place: Path) -> None:
    home = place / ("another-long-folder-" * 6) / "home"
    planted = server.socket_folder(home)
    planted.symlink_to(place)
    try:
        with pytest.raises(server.ServerError, match=r"only \w+ can enter"):
            server.start(home)
    finally:
        planted.unlink()


def test_folders_that_were_there_before_keep_their_modes(place: Path) -> None:
    above, home = place / "above", place / "above" / "home"
    for folder, mode in ((above, 0o751), (home, 0o711)):
        folder.mkdir()
        folder.chmod(mode)
    programs = Path(system.__file__).resolve().parent.parent
    before = {folder: folder.stat().st_mode for folder in (above, home, place, programs, programs.parent)}
    server.start(home)
    assert {folder: folder.stat().st_mode for folder in before} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_root_may_hand_over_an_empty_folder_that_is_closed_to_others(place: Path) -> None:
    home = place / "closed"
    home.mkdir(mode=0o700)
    server.start(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert ask(home, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_a_home_below_a_closed_folder_is_refused_with_the_command_that_opens_it(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(server.ServerError, match=rf"may not enter {closed}.*chmod o\+x {closed}"):
        server.start(closed / "home")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_the_home_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNOUT_HOME", "elsewhere")
    assert server.home() == server.ROOT / "elsewhere"
    monkeypatch.setenv("RUNOUT_HOME", "/srv/shop")
    assert server.home() == Path("/srv/shop")
    monkeypatch.delenv("RUNOUT_HOME")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server.home() == server.ROOT / ".runout"
