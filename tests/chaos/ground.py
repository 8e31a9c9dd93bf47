"""The ground the faults happen on: an embedded server of its own, and the proof before every blow that it is.

A harness that kills and books must never meet somebody's real server, so every write of the set-up and every
kill first asks the server for its data directory and database name (`Ground.prove`).
"""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from db import roles, server
from db.session import APP_ROLE

PREFIX = "chaos_"
PROOF = sa.text("SELECT current_setting('data_directory') AS folder, current_database() AS name")


class NotOurs(Exception):
    """The server or database at hand is not the one this harness made."""


@dataclass(frozen=True)
class Ground:
    """One database of the harness on the harness's own server."""

    home: Path
    name: str

    @property
    def app_url(self) -> str:
        return server.url(APP_ROLE, self.name, self.home)

    @contextmanager
    def admin(self) -> Iterator[sa.Connection]:
        """A superuser's connection, proven to be ours before anything is said on it."""
        engine = sa.create_engine(
            server.admin_url(self.name, self.home),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
            connect_args={"connect_timeout": 5, "options": "-c statement_timeout=60s"},
        )
        with engine.connect() as connection:
            self.prove(connection)
            yield connection

    def prove(self, connection: sa.Connection) -> None:
        """Raises NotOurs unless the connection leads to our data directory and our database."""
        name = _prove_folder(connection, self.home)
        if name != self.name or not name.startswith(PREFIX):
            raise NotOurs(f"The database is {name}, not {self.name}: nothing was touched.")

    def terminate_backend(self, any_of: int) -> bool:
        """End one client's connection as an administrator would; False when there was none."""
        with self.admin() as connection:
            pids = self._backends(connection)
            return bool(pids) and bool(
                connection.scalar(sa.select(sa.func.pg_terminate_backend(pids[any_of % len(pids)])))
            )

    def kill_backend(self, any_of: int) -> bool:
        """kill -9 of one client's server process: the whole server recovers from it as from a crash."""
        with self.admin() as connection:
            pids = self._backends(connection)
        return bool(pids) and self._kill(pids[any_of % len(pids)])

    def kill_postmaster(self) -> bool:
        """kill -9 of the server itself; `revive` brings it back."""
        with self.admin():
            first_line = (server.data_folder(self.home) / "postmaster.pid").read_text().split("\n", 1)[0]
        return self._kill(int(first_line))

    def revive(self) -> None:
        server.start(self.home)

    def _backends(self, connection: sa.Connection) -> list[int]:
        return list(
            connection.scalars(
                sa.text("SELECT pid FROM pg_stat_activity WHERE datname = :name AND usename = :role"
                        " ORDER BY pid"),
                {"name": self.name, "role": APP_ROLE},
            )
        )  # fmt: skip

    def _kill(self, pid: int) -> bool:
        # The process itself must work in our folder: a number alone may already belong to somebody else.
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd") == str(server.data_folder(self.home).resolve()):
                os.kill(pid, signal.SIGKILL)
                return True
        return False


def _prove_folder(connection: sa.Connection, home: Path) -> str:
    """Name of the database, once it is certain that the server is the one of `home`."""
    found = connection.execute(PROOF).one()
    wanted = server.data_folder(home)
    if Path(found.folder).resolve() != wanted.resolve():
        raise NotOurs(f"The server keeps its data in {found.folder}, not in {wanted}: nothing was touched.")
    return found.name


@contextmanager
def a_server() -> Iterator[Path]:
    """Home of a fresh embedded server, stopped and removed afterwards."""
    # Not made here: the server makes it so that its own system user may enter.
    home = Path(tempfile.gettempdir()).resolve() / f"runout-chaos-{uuid.uuid4().hex[:8]}"
    os.environ.pop("DATABASE_URL", None)
    os.environ["RUNOUT_HOME"] = str(home)
    try:
        server.start(home)
        yield home
    finally:
        with suppress(Exception):
            server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def a_database(home: Path) -> Ground:
    """A migrated database with the two roles, on the server of `home`."""
    ground = Ground(home, f"{PREFIX}{uuid.uuid4().hex[:8]}")
    engine = sa.create_engine(
        server.admin_url(folder=home), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        _prove_folder(connection, home)
        connection.execute(sa.text(f"CREATE DATABASE {ground.name}"))
    url = server.admin_url(ground.name, home)
    roles.make_roles(url)
    roles.migrate(url)
    return ground
