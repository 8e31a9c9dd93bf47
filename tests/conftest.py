"""A real PostgreSQL for every test: one server a run, a migrated template, clones for commits."""

import fcntl
import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

HOME = "RUNOUT_TEST_HOME"
TEMPLATE = "runout_template"
DEMO = "runout_demo"
# The suite takes as long as the worker that ends last: what takes long comes first, in this order.
LONG_FILES_FIRST = ("e2e/test_jobs", "e2e/test_import", "e2e/", "jobs/", "dashboard/", "db/", "api/")
# A story in the browser waits half of its time, the others compute: in turns they share the processors.
OTHERS_PER_STORY = 8
# Nothing here outlives the machine: after a power cut the tests begin anew.
HASTE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def pytest_configure(config: pytest.Config) -> None:
    """The first process names the server's folder; pytest-xdist's workers inherit it."""
    os.environ.pop("DATABASE_URL", None)
    if HOME not in os.environ:
        # Not made here: the server makes it so that its own system user may enter.
        os.environ[HOME] = str(Path(tempfile.gettempdir()) / f"runout-tests-{uuid.uuid4().hex[:8]}")
        config.stash[_OWNS_SERVER] = True
    os.environ["RUNOUT_HOME"] = os.environ[HOME]
    config.option.loadscopereorder = False  # pytest-xdist would put the files with the fewest tests last
    if packaged := os.environ.get("RUNOUT_TEST_SOCKET"):
        _use_server_at(Path(packaged))


def _use_server_at(socket: Path) -> None:
    """Let the tests use a server that runs already, reached by its socket (tests/packaged.py)."""
    from db import server

    Path(os.environ[HOME]).mkdir(exist_ok=True)
    server.socket_folder = lambda _folder=None: socket
    server.start = lambda _folder=None: str(socket)
    server.stop = lambda _folder=None: False


_OWNS_SERVER = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(name: str) -> int:
        return next(
            (n for n, long in enumerate(LONG_FILES_FIRST) if name.startswith(long)), len(LONG_FILES_FIRST)
        )

    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.split("::")[0].removeprefix("tests/"), []).append(item)
    names = sorted(files, key=rank)
    stories = [name for name in names if name.startswith("e2e/")]
    others = [name for name in names if name not in stories]
    items[:] = [item for name in _in_turns(stories, others) for item in files[name]]


def _in_turns(stories: list[str], others: list[str]) -> Iterator[str]:
    """The two longest stories first, then the others with a story among every few of them."""
    yield from stories[:2]
    left = iter(stories[2:])
    for n, name in enumerate(others):
        if n % OTHERS_PER_STORY == 0:
            yield from itertools.islice(left, 1)
        yield name
    yield from left


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(_OWNS_SERVER, False):
        from db import server

        home = Path(os.environ[HOME])
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template() -> str:
    """Name of a database that holds what the migrations make; only ever copied."""
    from db import roles, server

    def fill(url: str) -> None:
        with _admin() as connection:
            for setting in HASTE:
                connection.execute(sa.text(f"ALTER SYSTEM SET {setting}"))
            connection.execute(sa.text("SELECT pg_reload_conf()"))
        roles.make_roles(url)
        roles.migrate(url)

    server.start(Path(os.environ[HOME]))
    return _made_once(TEMPLATE, "template1", fill)


def _made_once(name: str, base: str, fill: Callable[[str], None]) -> str:
    """A copy of the database `base`, filled by `fill(admin url)`; the first process makes it for all."""
    from db import server

    with (Path(os.environ[HOME]) / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _admin() as connection:
            known = connection.scalar(
                sa.text("SELECT 1 FROM pg_database WHERE datname = :name AND datistemplate"), {"name": name}
            )
            if not known:
                connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
                connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {base}"))
                fill(server.admin_url(name))
                connection.execute(sa.text(f"ALTER DATABASE {name} IS_TEMPLATE true"))
    return name


def _admin() -> sa.Connection:
    from db import server

    engine = sa.create_engine(server.admin_url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    return engine.connect()


@pytest.fixture(scope="session")
def make_database(template: str):
    """Make and drop databases: `with make_database() as url` (login `runout_app`)."""
    from contextlib import contextmanager

    from db import roles, server

    @contextmanager
    def make(copy_of: str = template) -> Iterator[str]:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with _admin() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {copy_of}"))
        # Rights on a database are not copied with it.
        roles.make_roles(server.admin_url(name))
        try:
            yield server.url("runout_app", name)
        finally:
            with _admin() as connection:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))

    return make


@pytest.fixture(scope="session")
def _shared_engine(make_database) -> Iterator[sa.Engine]:
    from db.session import new_engine

    with make_database() as url:
        engine = new_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def session(_shared_engine: sa.Engine) -> Iterator[Session]:
    """A session on one connection; whatever happens on it, commits of the code included, is rolled back."""
    from db import session as doors

    with _shared_engine.connect() as connection:
        outer = connection.begin()
        doors.bind(connection)
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as opened:
            yield opened
        doors.bind(None)
        outer.rollback()


@pytest.fixture
def clone(make_database) -> Iterator[str]:
    """URL of a fresh database of its own, used by all doors, for tests with several connections."""
    from db import session as doors

    with make_database() as url:
        engine = doors.new_engine(url)
        doors.bind(engine)
        yield url
        doors.bind(None)
        engine.dispose()


@pytest.fixture(scope="session")
def demo_template(template: str) -> str:
    """Name of a database with the demo shop, trained; only ever copied."""
    from datetime import UTC, datetime

    from db import demo, roles, server
    from db import session as doors
    from jobs.train import train

    def fill(url: str) -> None:
        now = datetime.now(UTC)
        roles.make_roles(url)
        engine = doors.new_engine(server.url("runout_app", sa.make_url(url).database))
        doors.bind(engine)
        with doors.transaction(seconds=300) as filling:
            demo.load(filling, now.date())
        train(now)
        doors.bind(None)
        engine.dispose()

    return _made_once(DEMO, template, fill)


@pytest.fixture(scope="session")
def demo_shop(make_database, demo_template: str) -> Iterator[str]:
    """URL of a database with the demo shop, trained."""
    with make_database(demo_template) as url:
        yield url


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """bcrypt at its lowest cost: the tests are about who gets in, not about how long it takes."""
    from core import passwords

    monkeypatch.setattr(passwords, "BCRYPT_ROUNDS", 4)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real sales used for development; it is not part of the product."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.exists():
        pytest.skip("the development data (../shared/data) is not on this machine")
    return folder
