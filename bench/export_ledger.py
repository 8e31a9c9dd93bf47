"""A ledger of millions of rows for the measurement of the export, made inside PostgreSQL."""

import sqlalchemy as sa

from core import auth

# A basket has a few lines; a quarter of the goods is weighed, everything has a price with cents.
LINES_PER_POSTING = 4
MOVEMENTS_A_DAY = 10_000
INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS made_by
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = CAST('movement' AS regclass) AND NOT i.indisprimary
"""
WAREHOUSES = """
INSERT INTO warehouse (code, name, time_zone, is_default)
SELECT 'WH-' || n, 'Warehouse ' || n, 'UTC', n = 1 FROM generate_series(1, :warehouses) AS n
"""
PRODUCTS = """
INSERT INTO product (sku, name, category, unit_cost, unit_price)
SELECT 'P-' || lpad(n::text, 6, '0'), 'Product ' || n, CASE WHEN n % 50 > 0 THEN 'Category ' || n % 40 END,
       1 + n % 90, 2 + n % 180
FROM generate_series(1, :products) AS n
"""
POSTINGS = """
INSERT INTO posting (id, actor_id, kind, key, request_hash, answer, recorded_at)
SELECT n, :actor_id, 'sale', 'bench ' || n, '\\x00', '{}',
       now() - make_interval(secs => (:postings - n) * :seconds_each) + interval '7 microseconds' * (n % 9999)
FROM generate_series(1, :postings) AS n
"""
MOVEMENTS = """
INSERT INTO movement (id, posting_id, product_id, warehouse_id, type, reason_code, change, stock_before,
                      stock_after, unit_price, occurred_at, day, demand_day, reference_type, reference_id)
SELECT m.id, m.posting_id, m.product_id, m.warehouse_id, CASE WHEN m.change < 0 THEN 'out' ELSE 'in' END,
       CASE WHEN m.change < 0 THEN 'sale' ELSE 'receipt' END, m.change, 1000000, 1000000 + m.change, m.price,
       p.recorded_at - interval '2.345678 seconds', p.recorded_at::date,
       CASE WHEN m.change < 0 THEN p.recorded_at::date END, 'order', 'SO-' || m.posting_id
FROM (
    SELECT n AS id, (n - 1) / :lines + 1 AS posting_id,
           1 + mod(hashint8extended(n, 1) & 1073741823, :products) AS product_id,
           1 + mod(hashint8extended(n, 2) & 1073741823, :warehouses) AS warehouse_id,
           CASE WHEN n % 20 = 0 THEN 40 ELSE -1 - mod(hashint8extended(n, 3) & 1023, 9) END
               + CASE WHEN n % 4 = 0 THEN mod(hashint8extended(n, 4) & 1023, 100) / 125.0 ELSE 0 END
               AS change,
           CASE WHEN n % 20 > 0
                THEN 1 + mod(hashint8extended(n, 5) & 1073741823, 19900) / 100.0 END AS price
    FROM generate_series(1, :rows) AS n
) AS m
JOIN posting AS p ON p.id = m.posting_id
ORDER BY m.id
"""


def build(url: str, rows: int, products: int = 10_000, warehouses: int = 3) -> None:
    """Fill an empty migrated database (superuser's `url`) with `rows` movements in booking order.

    Levels and roll-up stay empty: nobody reads them here. The indexes are made afterwards, as a restore does.
    """
    postings = -(-rows // LINES_PER_POSTING)
    asked = {
        "rows": rows,
        "products": products,
        "warehouses": warehouses,
        "lines": LINES_PER_POSTING,
        "postings": postings,
        "seconds_each": 86_400 * LINES_PER_POSTING / MOVEMENTS_A_DAY,
    }
    engine = sa.create_engine(url)
    try:
        with sa.orm.Session(engine) as session, session.begin():
            # Foreign keys and the ledger's triggers are passed by; the ids are right by construction.
            session.execute(sa.text("SET LOCAL session_replication_role = replica"))
            asked["actor_id"] = auth.system_actor(session).id
            indexes = session.execute(sa.text(INDEXES)).all()
            for index in indexes:
                session.execute(sa.text(f'DROP INDEX "{index.name}"'))
            for statement in (WAREHOUSES, PRODUCTS, POSTINGS, MOVEMENTS):
                session.execute(sa.text(statement), asked)
            for index in indexes:
                session.execute(sa.text(index.made_by))
            session.execute(
                sa.text("SELECT setval('movement_id_seq', :rows), setval('posting_id_seq', :postings)"), asked
            )
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
    finally:
        engine.dispose()
