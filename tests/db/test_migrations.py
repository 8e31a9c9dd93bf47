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


def test_the_application_deletes_no_api_key_and_moves_no_mark(session):
    may = sa.text("SELECT has_table_privilege('runout_app', :table, :right)")
    never = {"api_key": "DELETE", "key_posting": "UPDATE, DELETE", "ledger_mark": "UPDATE, DELETE"}
    assert not [t for t, right in never.items() if session.scalar(may, {"table": t, "right": right})]


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


# -- Vendors' prices, before and after buying ----------------------------------------------------------------

PRICES = (
    "SELECT vendor.name, product.sku, minimum_quantity, asked.unit_price, asked.lead_time_days, valid_from"
    " FROM vendor_price AS asked JOIN vendor ON vendor.id = vendor_id JOIN product ON product.id = product_id"
    " ORDER BY vendor.name, product.sku, valid_from, minimum_quantity"
)
OLD_PRICES = """
    INSERT INTO vendor (name, currency) VALUES ('Nord', 'EUR');
    INSERT INTO product (sku, name) VALUES ('TEA', 'Green tea'), ('MUG', 'Mug');
    INSERT INTO vendor_price (vendor_id, product_id, minimum_quantity, unit_price, lead_time_days, valid_from)
    SELECT v.id, p.id, n.least, n.price, n.days, CAST(n.day AS date)
    FROM vendor AS v, product AS p, (VALUES
        ('TEA', 1, 2.10, 7, '2026-01-01'), ('TEA', 50, 1.90, 7, '2026-01-01'),
        ('TEA', 1, 2.2525, 9, '2026-06-01'), ('MUG', 1, 4, 3, '2026-01-01')
    ) AS n (sku, least, price, days, day)
    WHERE p.sku = n.sku
"""


@pytest.fixture
def before_buying(admin_url):
    """The database as revision 0004 left it, as its administrator."""
    command.downgrade(roles.alembic_config(admin_url), "0004")
    engine = sa.create_engine(admin_url)
    yield engine
    engine.dispose()


def test_prices_survive_the_way_to_offers_and_back(before_buying, admin_url):
    with before_buying.begin() as connection:
        connection.execute(sa.text(OLD_PRICES))
        before = connection.execute(sa.text(PRICES)).all()
    roles.migrate(admin_url)
    with before_buying.connect() as connection:
        offers = connection.execute(
            sa.text(
                "SELECT product.sku, valid_from::text, o.lead_time_days, count(*) FROM vendor_offer AS o"
                " JOIN price_step ON offer_id = o.id JOIN product ON product.id = product_id"
                " GROUP BY o.id, product.sku ORDER BY 1, 2"
            )
        ).all()
    assert [tuple(row) for row in offers] == [
        ("MUG", "2026-01-01", 3, 1), ("TEA", "2026-01-01", 7, 2), ("TEA", "2026-06-01", 9, 1),
    ]  # fmt: skip
    command.downgrade(roles.alembic_config(admin_url), "0004")
    with before_buying.connect() as connection:
        assert connection.execute(sa.text(PRICES)).all() == before
    assert len(before) == 4


def test_an_ean_8_with_zeros_in_front_is_spelled_as_one_where_that_is_free(before_buying, admin_url):
    with before_buying.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO product (sku, name) VALUES ('TEA', 'Green tea');"
                "INSERT INTO barcode (product_id, code) SELECT id, unnest(ARRAY['0000096385074',"
                "'0000012345670', '12345670', '0036000291452', '00000ABCDEFGH']) FROM product"
            )
        )
    roles.migrate(admin_url)
    with before_buying.connect() as connection:
        codes = set(connection.scalars(sa.text("SELECT code FROM barcode")))
    assert codes == {"96385074", "0000012345670", "12345670", "0036000291452", "00000ABCDEFGH"}


@pytest.mark.parametrize(
    ("what", "statement"),
    [
        ("terms of vendors", "UPDATE vendor SET order_minimum = 100"),
        ("terms of offers", "UPDATE vendor_offer SET withdrawn_at = now()"),
        ("corrected offers", "INSERT INTO vendor_offer (vendor_id, product_id, lead_time_days, valid_from)"
         " SELECT vendor_id, product_id, 1, valid_from FROM vendor_offer WHERE valid_from = '2026-06-01'"),
        ("preferred vendors", "UPDATE product SET preferred_vendor_id = (SELECT id FROM vendor)"),
        ("shutdowns of vendors", "INSERT INTO vendor_shutdown (vendor_id, starts_on, ends_on)"
         " SELECT id, '2026-12-24', '2026-12-31' FROM vendor"),
        ("purchase orders", "INSERT INTO purchase_order (number, vendor_id, currency, created_by)"
         " SELECT 'PO-2026-0001', v.id, 'EUR', p.id FROM vendor AS v, person AS p LIMIT 1"),
        ("service goals", "INSERT INTO service_rule (category, service_percent, set_by)"
         " SELECT 'Tea', 98, id FROM person LIMIT 1"),
        ("imports of price lists",
         "INSERT INTO import (actor_id, kind, source, file_name, file_sha256, state)"
         " SELECT id, 'prices', '', 'a.csv', '', 'discarded' FROM person LIMIT 1"),
    ],
    ids=lambda value: value if len(value) < 30 else "",
)  # fmt: skip
def test_the_way_back_is_refused_over_what_people_entered_since(before_buying, admin_url, what, statement):
    with before_buying.begin() as connection:
        connection.execute(sa.text(OLD_PRICES))
    roles.migrate(admin_url)
    with before_buying.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO person (email, name, role, password_hash)"
                " VALUES ('a@b.example', 'A', 'admin', '!')"
            )
        )
        connection.execute(sa.text(statement))
    with pytest.raises(RuntimeError, match=f"would lose.*{what}"):
        command.downgrade(roles.alembic_config(admin_url), "0004")
    with before_buying.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM price_step")) == 4
