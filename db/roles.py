"""The two roles of the database and the migrations that run as its owner."""

import os
import re
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from db import server
from db.session import APP_ROLE, DATABASE, OWNER_ROLE, app_url, is_embedded, with_driver

ROOT = Path(__file__).resolve().parent.parent


class SetupError(Exception):
    """The database cannot be used as it is; the sentence says what to type."""


def owner_url() -> str:
    """URL of the login that makes roles and migrates: the embedded superuser, or `DATABASE_OWNER_URL`."""
    if is_embedded():
        server.start()
        return server.admin_url(DATABASE)
    given = os.environ.get("DATABASE_OWNER_URL")
    if not given:
        raise SetupError(
            "DATABASE_OWNER_URL is not set: it names the login that may create roles and tables, "
            "while DATABASE_URL names the weaker one that Runout works with."
        )
    return with_driver(given)


def make_database() -> None:
    """Create the embedded database if it is not there; on other servers an administrator did that."""
    if not is_embedded():
        return
    server.start()
    admin = sa.create_engine(server.admin_url(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        known = connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": DATABASE})
        if not known:
            connection.execute(sa.text(f'CREATE DATABASE "{DATABASE}"'))
    admin.dispose()


def make_roles(url: str | None = None, app_password: str | None = None) -> None:
    """Create `runout_owner` (owns the tables, cannot log in) and `runout_app` (logs in, owns nothing).

    Args:
        url: login that may create roles; default `owner_url()`.
        app_password: password of `runout_app`; default the one in `DATABASE_URL`.
    """
    if url is None:
        url = owner_url()
    if app_password is None and not is_embedded():
        login = sa.make_url(app_url())
        if login.username != APP_ROLE:
            raise SetupError(f"DATABASE_URL must log in as {APP_ROLE}, not as {login.username}.")
        app_password = login.password
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for role, kind in ((OWNER_ROLE, "NOLOGIN"), (APP_ROLE, "LOGIN NOCREATEDB NOCREATEROLE")):
            known = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role})
            if not known:
                connection.execute(sa.text(f"CREATE ROLE {role} {kind}"))
        if app_password is not None:
            # DDL takes no bound parameters; the server quotes the literal.
            quoted = connection.scalar(sa.text("SELECT quote_literal(:p)"), {"p": app_password})
            connection.exec_driver_sql(f"ALTER ROLE {APP_ROLE} PASSWORD {quoted.replace('%', '%%')}")
        database = connection.scalar(sa.text("SELECT quote_ident(current_database())"))
        for statement in (
            f"GRANT {OWNER_ROLE} TO CURRENT_USER",
            f"GRANT CONNECT ON DATABASE {database} TO {APP_ROLE}",
            f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER_ROLE}",
            f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
        ):
            connection.execute(sa.text(statement))
    admin.dispose()


def alembic_config(url: str) -> Config:
    """Alembic's settings for the database behind `url`."""
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "db" / "migrations"))
    config.attributes["url"] = url
    return config


def migrate(url: str | None = None, revision: str = "head") -> None:
    """Bring the tables to `revision`, as `runout_owner`."""
    command.upgrade(alembic_config(url or owner_url()), revision)


def head() -> str:
    """The revision that the code needs."""
    return ScriptDirectory.from_config(alembic_config("")).get_current_head()


def check(url: str | None = None) -> None:
    """Refuse a database that is not migrated, or a login that could break the ledger's rules.

    Raises:
        SetupError: with the command that mends it.
    """
    engine = sa.create_engine(url or app_url())
    needed = head()
    try:
        with engine.connect() as connection:
            here = MigrationContext.configure(connection).get_current_revision()
            strong = connection.scalar(
                sa.text("SELECT rolsuper OR pg_has_role(current_user, :owner, 'MEMBER') FROM pg_roles"
                        " WHERE rolname = current_user"),
                {"owner": OWNER_ROLE},
            )  # fmt: skip
    except sa.exc.OperationalError as trouble:
        reason = re.sub(r"\s+", " ", str(trouble.orig)).strip()
        is_missing = re.search(rf'(role "{APP_ROLE}"|database "{DATABASE}") does not exist', reason)
        mend = " Run `python -m db roles migrate`." if is_missing else ""
        raise SetupError(f"The database does not answer: {reason}{mend}") from trouble
    except sa.exc.ProgrammingError as trouble:
        raise SetupError("The roles are missing: run `python -m db roles migrate`.") from trouble
    finally:
        engine.dispose()
    if here != needed:
        raise SetupError(
            f"The database is at revision {here or 'none'}, the code needs {needed}: "
            "run `python -m db migrate`."
        )
    if strong:
        raise SetupError(
            f"DATABASE_URL logs in as a superuser or as the owner of the tables; use {APP_ROLE} "
            "(`python -m db roles` makes it)."
        )
