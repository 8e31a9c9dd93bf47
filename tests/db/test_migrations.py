"""Up from nothing, in step with the models, and never down over somebody's data."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from db import roles, server
from db.models import Base
from tests.makers import a_product


@pytest.fixture
def admin_url(clone):
    return clone.replace("runout_app@", "postgres@")


def test_there_is_one_head_and_the_models_are_what_it_makes(admin_url):
    config = roles.alembic_config(admin_url)
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1
    command.check(config)


def test_down_to_nothing_and_up_again_on_an_empty_shop(admin_url):
    command.downgrade(roles.alembic_config(admin_url), "base")
    with sa.create_engine(admin_url).connect() as connection:
        left = connection.scalars(
            sa.text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'S') AND relname <> 'alembic_version'"
            )
        ).all()
    assert left == []
    roles.migrate(admin_url)
    roles.check(admin_url.replace("postgres@", "runout_app@"))


def test_going_down_is_refused_while_it_would_lose_movements(admin_url):
    from db.session import transaction

    with transaction() as session:
        a_product(session, 5)
    with pytest.raises(RuntimeError, match="would lose"):
        command.downgrade(roles.alembic_config(admin_url), "base")
    with transaction() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM movement")) == 1


def test_everything_belongs_to_the_owner_who_cannot_log_in(session):
    owners = session.scalars(
        sa.text(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
        )
    ).all()
    assert owners == ["runout_owner"]
    assert not session.scalar(sa.text("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'runout_owner'"))


def test_every_table_has_a_right_for_the_application(session):
    missing = [
        table
        for table in Base.metadata.tables
        if not session.scalar(
            sa.text("SELECT has_table_privilege('runout_app', :t, 'SELECT')"), {"t": f'"{table}"'}
        )
    ]
    assert missing == ["posting_line"]  # INSERT only: its reader is the posting function


def test_check_refuses_a_strong_login_and_an_old_database(admin_url):
    with pytest.raises(roles.SetupError, match="superuser"):
        roles.check(admin_url)
    command.downgrade(roles.alembic_config(admin_url), "base")
    with pytest.raises(roles.SetupError, match="python -m db migrate"):
        roles.check(admin_url.replace("postgres@", "runout_app@"))
    with pytest.raises(roles.SetupError, match="does not answer"):
        roles.check(server.url("runout_app", "no_such_database"))


def test_the_ledgers_owner_cannot_change_it_either(admin_url):
    from db.session import transaction

    with transaction() as session:
        a_product(session, 5)
    engine = sa.create_engine(admin_url)
    for statement in ("UPDATE movement SET change = 1", "DELETE FROM movement", "TRUNCATE movement CASCADE"):
        with engine.connect() as connection:
            connection.execute(sa.text("SET ROLE runout_owner"))
            with pytest.raises(sa.exc.DBAPIError, match="only grows"):
                connection.execute(sa.text(statement))
    engine.dispose()
