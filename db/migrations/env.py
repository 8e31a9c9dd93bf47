"""How Alembic runs: online only, as `runout_owner`, never waiting long for a lock."""

import sqlalchemy as sa
from alembic import context

from db.models import Base


def _url() -> str:
    given = context.config.attributes.get("url")
    if given:
        return given
    # `alembic revision --autogenerate` typed by a developer.
    from db.roles import owner_url

    return owner_url()


engine = sa.create_engine(_url())
with engine.connect() as connection:
    # A migration that waits for a lock makes everybody behind it wait: rather fail and be run again.
    connection.execute(sa.text("SET lock_timeout = '2s'"))
    connection.execute(sa.text("SET ROLE runout_owner"))
    connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
