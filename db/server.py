"""The embedded PostgreSQL server: made, started, adopted and stopped here."""

import fcntl
import hashlib
import os
import pwd
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg2

from db import system
from db.system import ServerError

ROOT = Path(__file__).resolve().parent.parent

SUPERUSER = "postgres"
PORT = 5432  # only a part of the socket's name: the server does not listen on the network

# Crash recovery replays up to `max_wal_size` of log; a slow disk may need minutes for it.
START_SECONDS = 300
STOP_SECONDS = 60
START_ATTEMPTS = 6

# The kernel keeps 108 bytes for a socket's path (104 on BSD), the closing zero included.
LONGEST_SOCKET_PATH = 103
LOG_BYTES = 10 * 2**20

READY, BUSY, DOWN = "ready", "busy", "down"


def home() -> Path:
    """Absolute folder of everything Runout stores: `RUNOUT_HOME`, else /var/lib/runout (root) or .runout.

    A relative `RUNOUT_HOME` starts at the root of the repository, wherever the command was typed.
    """
    given = os.environ.get("RUNOUT_HOME")
    if given:
        return (ROOT / Path(given).expanduser()).resolve()
    return Path("/var/lib/runout") if os.geteuid() == 0 else ROOT / ".runout"


def _home(folder: Path | None) -> Path:
    # Without links: the kernel names the folder of a process in that form.
    return folder.resolve() if folder else home()


def data_folder(folder: Path) -> Path:
    """PostgreSQL's own folder inside the home `folder`."""
    return folder / f"postgres-{system.VERSION}"


def socket_folder(folder: Path | None = None) -> Path:
    """Where the socket is: inside the home, or in a short folder of its own when the home's path is long."""
    folder = _home(folder)
    inside = folder / "socket"
    if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH:
        return inside
    # Not tempfile.gettempdir(): every process must find the same place, whatever its TMPDIR says.
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"runout-{digest}"


def url(user: str, database: str, folder: Path | None = None) -> str:
    """SQLAlchemy URL for `user` on the embedded server (which need not run yet)."""
    place = quote(str(socket_folder(folder)), safe="/")
    return f"postgresql+psycopg2://{quote(user)}@/{quote(database)}?host={place}&port={PORT}"


def admin_url(database: str = "postgres", folder: Path | None = None) -> str:
    """SQLAlchemy URL of the superuser, for roles, migrations and test databases."""
    return url(SUPERUSER, database, folder)


def is_running(folder: Path | None = None) -> bool:
    """Whether the server of this home answers."""
    return _state(_home(folder)) != DOWN


def start(folder: Path | None = None) -> str:
    """Make the server if it is new, start it if it is down, and return the folder of its socket.

    Safe to call from several processes at once and again after any of them, or the server, was killed.

    Raises:
        ServerError: it cannot run here; the sentence names the folder, the log or the command to type.
    """
    folder = _home(folder)
    if _state(folder) != READY:
        try:
            owner = system.account(data_folder(folder))
            system.make_home(folder, owner)
            with _locked(folder, owner) as lock:
                programs = system.find_programs(folder, owner)
                system.make_socket_folder(socket_folder(folder), owner)
                if not data_folder(folder).exists():
                    _make_database_cluster(folder, programs, owner, lock)
                _bring_up(folder, programs, owner)
        except PermissionError as trouble:
            raise ServerError(
                f"{system.user_name(os.geteuid())} may not use {trouble.filename or folder}: "
                "set RUNOUT_HOME to a folder of your own, or DATABASE_URL to another server."
            ) from trouble
    return str(socket_folder(folder))


def stop(folder: Path | None = None) -> bool:
    """Stop the server of this home and say whether there was one; open connections are closed."""
    folder = _home(folder)
    data = data_folder(folder)
    if not (data / "PG_VERSION").exists():
        return False
    owner = system.account(data_folder(folder))
    with _locked(folder, owner):
        if not _is_alive(data):
            return False
        programs = system.find_programs(folder, owner)
        for mode in ("fast", "immediate"):  # immediate loses nothing either: the next start recovers
            result = system.run(
                programs, owner, "pg_ctl", "-D", str(data), "-m", mode, "-w", "-t", str(STOP_SECONDS), "stop"
            )
            if result.returncode == 0 or not _is_alive(data):
                return True
    raise ServerError(f"The database does not stop: {result.stdout.strip()} (see {folder / 'postgres.log'})")


# -- Is it there? --------------------------------------------------------------------------------------------


def _state(folder: Path) -> str:
    """READY, BUSY (starting, stopping, recovering) or DOWN, found out by connecting."""
    try:
        psycopg2.connect(
            host=str(socket_folder(folder)),
            port=PORT,
            user=SUPERUSER,
            dbname="postgres",
            connect_timeout=5,
            application_name="runout start",
        ).close()
    except psycopg2.OperationalError as trouble:
        # psycopg2 gives no SQLSTATE here; the server was made with English messages.
        if re.search(r"starting up|shutting down|recovery|not yet accepting", str(trouble)):
            return BUSY
        # Any other FATAL (all connections taken, say) is still an answer from a living server.
        return READY if "FATAL:" in str(trouble) else DOWN
    return READY


def _postmaster(data: Path) -> int | None:
    """Process id that the lock file of PostgreSQL names, dead or alive."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _processes_in(data: Path) -> list[int]:
    """Living PostgreSQL processes of this data folder: each of them works in it. A zombie has no folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.readlink(entry / "cwd") == str(data):
                found.append(int(entry.name))
    return found


def _is_alive(data: Path) -> bool:
    """Whether a postmaster of this data folder runs, even one that answers nobody."""
    pid = _postmaster(data)
    if pid is None:
        return False
    if Path("/proc/self").exists():
        return pid in _processes_in(data)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _forget_dead_postmaster(data: Path) -> None:
    # After kill -9 the lock file's process id may be a zombie nobody reaps, or already another program;
    # PostgreSQL believes both to be a running server. Its own check for surviving children stays in force.
    if Path("/proc/self").exists() and _postmaster(data) is not None and not _processes_in(data):
        (data / "postmaster.pid").unlink(missing_ok=True)


# -- Bringing it up ------------------------------------------------------------------------------------------


def _bring_up(folder: Path, programs: Path, owner: pwd.struct_passwd) -> None:
    """Start the server or adopt the running one, and return when it answers."""
    data, deadline = data_folder(folder), time.monotonic() + START_SECONDS
    failures, said = 0, ""
    while failures < START_ATTEMPTS and time.monotonic() < deadline:
        state = _state(folder)
        if state == READY:
            return
        if state == DOWN:
            if failures == START_ATTEMPTS // 2 and _is_alive(data):
                # It lives but its socket is gone, so nobody new can reach it.
                system.run(programs, owner, "pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")
            _forget_dead_postmaster(data)
            result = _start_once(folder, programs, owner)
            if result.returncode == 0:
                continue
            failures, said = failures + 1, result.stdout.strip()
        # Also covers children of a killed postmaster: they leave within moments of its death.
        time.sleep(0.3 * max(failures, 1))
    log = folder / "postgres.log"
    complaints = re.findall(r"(?:FATAL|PANIC): +(.*)", log.read_text(errors="replace"))
    raise ServerError(f"The database does not start: {(complaints or [_last_line(said)])[-1]} (see {log})")


def _start_once(folder: Path, programs: Path, owner: pwd.struct_passwd) -> subprocess.CompletedProcess:
    log = folder / "postgres.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.rename(folder / "postgres.log.1")
    os.close(system.open_for(log, owner))
    options = f"-c listen_addresses='' -c port={PORT} -k {shlex.quote(str(socket_folder(folder)))}"
    return system.run(
        programs, owner, "pg_ctl", "-D", str(data_folder(folder)), "-l", str(log), "-o", options,
        "-w", "-t", str(START_SECONDS), "start",
    )  # fmt: skip


def _make_database_cluster(folder: Path, programs: Path, owner: pwd.struct_passwd, lock: int) -> None:
    """initdb beside the final name, which appears only when everything is there."""
    data = data_folder(folder)
    older = [place.name for place in folder.glob("postgres-*") if re.fullmatch(r"postgres-\d+", place.name)]
    if older:
        raise ServerError(
            f"{folder} holds {older[0]}, the data of another version of PostgreSQL than {system.VERSION}: "
            "dump it with the Runout that made it and load the dump into a new RUNOUT_HOME."
        )
    _end_servers_without_folder(data)
    unfinished = folder / f"{data.name}.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    system.give(unfinished, owner)
    settings = [part for name, value in _settings().items() for part in ("--set", f"{name}={value}")]
    # initdb inherits the lock: should we be killed, the next start waits for it instead of working beside it.
    result = system.run(
        programs, owner, "initdb", "-D", str(unfinished), "-U", SUPERUSER, "--auth-local=trust",
        "--auth-host=reject", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--locale=C", "--data-checksums", "--no-instructions", *settings, inherit=(lock,),
    )  # fmt: skip
    if result.returncode:
        raise ServerError(f"The database cannot be made in {folder}: {_last_line(result.stdout)}")
    unfinished.rename(data)


def _settings() -> dict[str, str]:
    """What is written into a new postgresql.conf, where an administrator may change it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            memory = min(memory, int(Path(limit).read_text()))
    megabytes = memory // 2**20
    return {
        "max_connections": "100",
        "shared_buffers": f"{min(max(megabytes // 8, 128), 2048)}MB",
        "effective_cache_size": f"{max(megabytes // 2, 256)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{min(max(megabytes // 32, 64), 512)}MB",
        # Containers give 64 MB of /dev/shm, too little for a parallel hash join; this much is kept elsewhere.
        "min_dynamic_shared_memory": "64MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
        # Compiling a query costs more than any of ours takes.
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %u ",
    }


def _end_servers_without_folder(data: Path) -> None:
    # Someone deleted the home of a running server. Left alone, it would remove the new server's socket when
    # it notices, up to a minute later.
    for pid in _processes_in(Path(f"{data} (deleted)")):
        with suppress(ProcessLookupError):
            os.kill(pid, 9)


@contextmanager
def _locked(folder: Path, owner: pwd.struct_passwd) -> Iterator[int]:
    """One process at a time makes, starts or stops the server; the kernel frees the lock of a killed one."""
    handle = system.open_for(folder / "server.lock", owner)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
