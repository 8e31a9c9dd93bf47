"""Doors to the database: `transaction()` to write, `reading()` to look, and the URL both use."""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dotenv import load_dotenv
from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from db import server
from db.server import ServerError

__all__ = [
    "OwnConnection",
    "ServerError",
    "app_url",
    "bind",
    "connections_used",
    "engine",
    "is_embedded",
    "new_engine",
    "probing",
    "reading",
    "transact",
    "transaction",
]

T = TypeVar("T")

load_dotenv()

DATABASE = "runout"
APP_ROLE = "runout_app"
OWNER_ROLE = "runout_owner"

# A page never waits longer than this; long work asks `transaction(seconds=...)` for more.
STATEMENT_SECONDS = 30
# Connections a process keeps, and those it opens beside them while they are all at work.
POOL, OVERFLOW = 10, 10
MOST_CONNECTIONS = POOL + OVERFLOW
# libpq takes a shorter wait for a connection for this.
LEAST_CONNECT_SECONDS = 2
SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "application_name": "runout",
}

# Trouble of the moment, not of the request: serialization, deadlock, server going down or coming up, lost
# connections. A broken rule (23xxx) is never tried again.
PASSING = {"40001", "40P01", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08004", "08006"}


def is_embedded() -> bool:
    """Whether Runout brings its own PostgreSQL because no `DATABASE_URL` is set."""
    return not os.environ.get("DATABASE_URL")


def app_url() -> str:
    """SQLAlchemy URL under which dashboard, API, jobs and tests log in (role `runout_app`).

    Starts the embedded server when no `DATABASE_URL` is set and it is not running.
    """
    given = os.environ.get("DATABASE_URL")
    if given:
        return with_driver(given)
    server.start()
    return server.url(APP_ROLE, DATABASE)


def with_driver(url: str) -> str:
    """`postgres://` and `postgresql://` URLs with the driver that Runout uses."""
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg2://{rest}"
    return url


def new_engine(url: str | URL, **options) -> Engine:
    """An engine with the time-outs every connection of Runout has."""
    settings = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    if options.get("poolclass") is not NullPool:
        pool = {"pool_pre_ping": True, "pool_size": POOL, "max_overflow": OVERFLOW, "pool_timeout": 10}
        options = pool | options
    connect_args = {"options": settings, "connect_timeout": 5, "keepalives_idle": 30}
    connect_args |= options.pop("connect_args", {})
    # An error's text goes to the log: without the values, which may be a password's hash.
    return create_engine(url, connect_args=connect_args, hide_parameters=True, **options)


@functools.cache
def engine() -> Engine:
    """The one engine of this process."""
    return new_engine(app_url())


_bound_to: Connection | Engine | None = None


def bind(connectable: Connection | Engine | None) -> None:
    """Let all sessions of this process use `connectable` (tests: a clone, or one rolled-back connection)."""
    global _bound_to
    _bound_to = connectable


def _target() -> Connection | Engine:
    return _bound_to if _bound_to is not None else engine()


def _session(target: Connection | Engine | None = None) -> Session:
    target = target or _target()
    # Inside a test's outer transaction a commit only releases a savepoint.
    mode = "create_savepoint" if isinstance(target, Connection) else "conditional_savepoint"
    return Session(target, expire_on_commit=False, join_transaction_mode=mode)


@contextmanager
def transaction(seconds: int | None = None) -> Iterator[Session]:
    """One write: committed when the block ends, rolled back whole when it raises.

    Args:
        seconds: how long one statement may take, for imports and training; pages leave it alone.
    """
    with _session() as session, session.begin():
        if seconds is not None:
            session.execute(text(f"SET LOCAL statement_timeout = '{int(seconds)}s'"))
            session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{int(seconds)}s'"))
        yield session


@contextmanager
def reading(seconds: int | None = None, *, snapshot: bool = False) -> Iterator[Session]:
    """One look: PostgreSQL itself refuses to write in it.

    Args:
        seconds: how long one statement may take.
        snapshot: every statement sees the same moment (REPEATABLE READ), for exports and training.
    """
    with _session() as session, session.begin():
        if not isinstance(_bound_to, Connection):
            level = "ISOLATION LEVEL REPEATABLE READ, " if snapshot else ""
            session.execute(text(f"SET TRANSACTION {level}READ ONLY"))
        if seconds is not None:
            session.execute(text(f"SET LOCAL statement_timeout = '{int(seconds)}s'"))
            session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{int(seconds)}s'"))
        yield session


@contextmanager
def probing(seconds: int) -> Iterator[Session]:
    """One look over a connection of its own, for probes: it waits for none that requests hold.

    Args:
        seconds: how long one statement may take, and about how long a server that fell silent is waited for.
    """
    target = _target()
    if isinstance(target, Engine):
        target = _probe_engine(target.url, seconds)
    with _session(target) as session, session.begin():
        session.execute(text("SET TRANSACTION READ ONLY"))
        session.execute(text(f"SET LOCAL statement_timeout = '{int(seconds)}s'"))
        yield session


@functools.lru_cache(maxsize=4)
def _probe_engine(url: URL, seconds: int) -> Engine:
    # A new connection each time: whether the server takes one is half of the question.
    waits = {"connect_timeout": max(seconds, LEAST_CONNECT_SECONDS), "tcp_user_timeout": seconds * 1000}
    return new_engine(url, poolclass=NullPool, connect_args=waits)


def connections_used() -> int | None:
    """How many connections of this process's pool are at work; None where there is no pool yet."""
    target = _bound_to
    if target is None and engine.cache_info().currsize:
        target = engine()
    if isinstance(target, Engine) and isinstance(target.pool, QueuePool):
        return target.pool.checkedout()
    return None


class OwnConnection:
    """A connection that one thread keeps beside the pool, so that it waits for nobody's to come free.

    It is not asked beforehand whether it still lives: whoever writes through it can do the work anew.
    """

    def __init__(self) -> None:
        self._like: Engine | None = None
        self._engine: Engine | None = None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One write, like `transaction`."""
        target = _target()
        if isinstance(target, Connection):
            with transaction() as session:
                yield session
            return
        if self._engine is None or self._like is not target:
            self.close()
            self._engine = new_engine(target.url, pool_size=1, max_overflow=0, pool_pre_ping=False)
            self._like = target
        with _session(self._engine) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give the connection back to the server."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None


def is_passing(error: BaseException) -> bool:
    """Whether trying the same transaction again can help."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "pgcode", None)
    return error.connection_invalidated or code in PASSING or (code is None and _is_lost(error))


def _is_lost(error: DBAPIError) -> bool:
    # psycopg2 gives no SQLSTATE when the connection broke or could not be made.
    return type(error.orig).__name__ in ("OperationalError", "InterfaceError")


def transact(work: Callable[[Session], T], seconds: int | None = None) -> T:
    """Run `work(session)` in a transaction, again when the trouble was passing.

    At most 5 attempts within 10 seconds. A lost connection during COMMIT may mean that the write happened,
    so whatever `work` books must carry an idempotency key made outside of it.
    """
    for attempt in Retrying(
        retry=retry_if_exception(is_passing),
        stop=stop_after_attempt(5) | stop_after_delay(10),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        reraise=True,
    ):
        with attempt, transaction(seconds) as session:
            return work(session)
    raise AssertionError("unreachable: Retrying either returns or raises")
