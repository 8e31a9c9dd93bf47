"""The whole ledger as a stream: the same rows in every format, one snapshot, and nothing left behind."""

import csv
import gzip
import io
import json
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core import cursors, stock
from core.errors import BadInput
from core.ledger_export import columns, names, rows, streams, writers
from core.ledger_export.selection import Selection
from db import queries, server
from db import session as doors
from db.models import Movement, Posting, Product
from tests import makers

# Independent of the engine: PostgreSQL itself joins, multiplies and writes.
REFERENCE = sa.text("""
SELECT to_json(told)::text FROM (
    SELECT m.id AS transaction_id, product.uid AS item_id, product.sku AS item_sku,
           product.category AS item_category, warehouse.uid AS warehouse_id, warehouse.code AS warehouse_code,
           m.type AS transaction_type, trim_scale(m.change) AS quantity,
           trim_scale(m.unit_price) AS unit_price, trim_scale(m.change * m.unit_price) AS total_amount,
           to_char(m.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
           to_char(p.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded_at,
           trim_scale(extract(epoch FROM m.occurred_at)) AS created_at_ts
    FROM movement AS m JOIN posting AS p ON p.id = m.posting_id
    JOIN product ON product.id = m.product_id JOIN warehouse ON warehouse.id = m.warehouse_id
    ORDER BY m.id
) AS told
""")
MANY_ITEMS = sa.text(
    "INSERT INTO product (sku, name) SELECT 'X-' || n, 'x' FROM generate_series(1, 33000) AS n"
)
NASTY = 'Größe "9½", =SUM(A1)\n\\ 日本 \t;'


@pytest.fixture(scope="module")
def filled(make_database):
    """A database whose ledger holds whatever is hard to write."""
    with make_database() as url:
        engine = doors.new_engine(url)
        doors.bind(engine)
        with doors.transaction() as session:
            _fill(session)
        yield engine
        engine.dispose()


@pytest.fixture
def shop(filled):
    """All doors open to it."""
    doors.bind(filled)
    yield
    doors.bind(None)


def _fill(session):
    actor, here = makers.an_actor(session), makers.the_warehouse(session)
    there = makers.a_warehouse(session, "NORD, Süd", time_zone="Asia/Tokyo")
    plain = makers.a_product(session, 100, sku="P-1", category="Tools", warehouse=here)
    session.execute(MANY_ITEMS)
    nasty = makers.a_product(session, 100, sku=NASTY, category=NASTY, warehouse=there)
    bare = makers.a_product(session, 99_999_999_999, sku=" spaces ", category=None, warehouse=here)
    moment = datetime(2026, 3, 1, 12, 30, 15, 500_000, tzinfo=UTC)
    for day, (quantity, price) in enumerate([
        ("0.5", "0.0001"), ("2.5", "4.2"), ("0.0001", None), ("10", "100"), ("3.0625", "0"), ("7", "19.99"),
    ]):  # fmt: skip
        at = moment + timedelta(days=day, microseconds=day)
        stock.remove(session, actor, plain.id, here.id, quantity, unit_price=price, occurred_at=at)
    stock.transfer(session, actor, nasty.id, there.id, here.id, "1.25")
    stock.remove(session, actor, nasty.id, there.id, 1, occurred_at=datetime(1970, 1, 1, 0, 0, 0, 1, UTC))
    stock.remove(session, actor, bare.id, here.id, "99999999998.9999", unit_price="9999999999.9999")


@pytest.fixture
def in_small_parts(monkeypatch):
    """Many parts, slices and groups of rows, though there are few rows."""
    monkeypatch.setattr(rows, "AT_ONCE", 4)
    monkeypatch.setattr(writers, "LINES_AT_ONCE", 3)
    monkeypatch.setattr(writers, "ROW_GROUP", 6)
    monkeypatch.setattr(streams, "PIECE_BYTES", 1000)


def told(fmt="ndjson", encoding=None, **asked):
    return b"".join(streams.stream(Selection(**asked), fmt, encoding=encoding))


def ids(**asked):
    return [json.loads(line)["transaction_id"] for line in told(**asked).splitlines()]


def reference():
    with doors.reading() as session:
        return session.scalars(REFERENCE).all()


def as_json(batch_rows):
    """Rows of Arrow as the reference tells them, floats and decimals as numbers of the same value."""
    moments = ("created_at", "recorded_at")
    return [
        row | {name: row[name].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for name in moments} for row in batch_rows
    ]


def numbers(line):
    found = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    return found | {"created_at_ts": float(found["created_at_ts"])}


def nothing_is_left():
    """Neither a connection nor a thread nor a running question of an export."""
    with doors.reading() as session:
        running = session.scalar(
            sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name"),
            {"name": cursors.READS_ONLY},
        )
        pool = session.get_bind().pool
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("ledger export")]
    return (running, threads, pool.checkedout()) == (0, [], 0)


@pytest.mark.usefixtures("shop", "in_small_parts")
def test_ndjson_is_what_postgresql_itself_would_write():
    assert told().decode().splitlines() == list(reference())
    assert nothing_is_left()


@pytest.mark.usefixtures("shop", "in_small_parts")
def test_arrow_and_parquet_tell_the_same_with_exact_types(monkeypatch):
    wanted = [numbers(line) for line in reference()]
    arrow = pa.ipc.open_stream(told("arrow")).read_all()
    parquet = pq.ParquetFile(io.BytesIO(told("parquet")))
    assert parquet.num_row_groups > 1
    for table in (arrow, parquet.read()):
        assert table.schema == columns.schema()
        assert table.column_names == list(columns.NAMES)
        assert as_json(table.to_pylist()) == wanted
    assert max(arrow.column("item_id").chunk(0).indices.to_pylist()) > 2**15
    monkeypatch.setattr(names, "DIRECT", 1)  # ids too far apart for an array
    monkeypatch.setattr(rows, "FAR_APART", 0)  # and bookings, too
    assert pa.ipc.open_stream(told("arrow")).read_all().equals(arrow)


@pytest.mark.usefixtures("shop", "in_small_parts")
def test_csv_keeps_every_text_as_it_is():
    found = list(csv.reader(io.StringIO(told("csv").decode(), newline="")))
    wanted = [
        [
            "" if value is None else value
            for value in json.loads(line, parse_float=str, parse_int=str).values()
        ]
        for line in reference()
    ]
    wanted = [[str(value) for value in row] for row in wanted]
    assert found == [list(columns.NAMES), *wanted]


@pytest.mark.usefixtures("shop")
def test_a_stream_can_be_compressed_on_the_way():
    for fmt in ("csv", "ndjson", "arrow"):
        assert gzip.decompress(told(fmt, "gzip")) == told(fmt)
        assert pa.CompressedInputStream(pa.py_buffer(told(fmt, "zstd")), "zstd").read() == told(fmt)


@pytest.mark.usefixtures("shop", "in_small_parts")
def test_a_selection_tells_what_fits_all_of_it():
    with doors.reading() as session:
        found = session.execute(
            sa.select(Movement.id, Movement.day, Movement.warehouse_id, Product.category, Posting.recorded_at)
            .join(Product, Product.id == Movement.product_id)
            .join(Posting, Posting.id == Movement.posting_id)
            .order_by(Movement.id)
        ).all()

    def those(fits):
        return [row.id for row in found if fits(row)]

    day, place, middle = date(2026, 3, 2), found[1].warehouse_id, found[len(found) // 2]
    assert ids(since=day, until=date(2026, 3, 4)) == those(lambda r: day <= r.day <= date(2026, 3, 4)) != []
    assert ids(warehouse_id=place) == those(lambda r: r.warehouse_id == place) != []
    assert ids(category="Tools", since=day) == those(lambda r: r.category == "Tools" and r.day >= day) != []
    assert ids(category=NASTY) == those(lambda r: r.category == NASTY) != []
    assert ids(after_id=middle.id) == those(lambda r: r.id > middle.id) != []
    assert ids(last_id=middle.id) == those(lambda r: r.id <= middle.id) != []
    assert ids(updated_since=middle.recorded_at) == those(lambda r: r.recorded_at >= middle.recorded_at) != []
    nothing = {"updated_since": datetime(2100, 1, 1, tzinfo=UTC)}
    for none in (nothing, {"category": "tools"}, {"warehouse_id": 999}, {"after_id": 2**63 - 1}):
        assert list(streams.stream(Selection(**none), "ndjson")) == [b""]
    assert told("csv", **nothing).decode() == ",".join(columns.NAMES) + "\n"
    for table in (pa.ipc.open_stream(told("arrow", **nothing)).read_all(),
                  pq.read_table(io.BytesIO(told("parquet", **nothing)))):  # fmt: skip
        assert (table.num_rows, table.schema) == (0, columns.schema())
    for encoding in streams.ENCODINGS:
        assert told("ndjson", encoding, **nothing)
    assert nothing_is_left()


@pytest.mark.usefixtures("in_small_parts")
def test_what_happens_while_it_runs_is_not_told(clone):  # noqa: ARG001
    with doors.transaction() as session:
        actor, place = makers.an_actor(session), makers.the_warehouse(session)
        product = makers.a_product(session, 100, category="Before", warehouse=place)
        for _ in range(20):
            stock.remove(session, actor, product.id, place.id, 1)
    wanted = told()
    pieces = streams.stream(Selection(), "ndjson")
    first = next(pieces)
    with doors.transaction() as session:
        session.get(Product, product.id).category = "After"
        stock.remove(session, actor, product.id, place.id, 1)
    assert first + b"".join(pieces) == wanted
    assert told().count(b'"After"') == 22
    with doors.transaction() as session:  # not committed yet: what follows could be overtaken by it
        stock.remove(session, actor, product.id, place.id, 1)
        assert told().count(b"\n") == 22
        assert told(last_id=2**62).count(b"\n") == 22


@pytest.mark.usefixtures("in_small_parts", "shop")
@pytest.mark.parametrize("fmt", streams.FORMATS)
def test_whoever_goes_away_leaves_nothing_behind(fmt):
    never_begun = streams.stream(Selection(), fmt)
    never_begun.close()
    pieces = streams.stream(Selection(), fmt)
    next(pieces)
    pieces.close()
    assert nothing_is_left()


@pytest.mark.usefixtures("in_small_parts")
def test_closing_ends_what_runs_and_a_lost_connection_is_an_error(clone, monkeypatch):
    monkeypatch.setattr(streams, "PART_SECONDS", 600)
    admin = sa.create_engine(server.admin_url(sa.make_url(clone).database))
    with doors.transaction() as session:
        actor, place = makers.an_actor(session), makers.the_warehouse(session)
        product = makers.a_product(session, 100, warehouse=place)
        for _ in range(30):
            stock.remove(session, actor, product.id, place.id, 1)
    lost = streams.stream(Selection(), "csv")
    next(lost)
    with admin.begin() as connection:
        ended = sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
        )
        assert connection.scalars(ended, {"name": cursors.READS_ONLY}).all() == [True]
    with pytest.raises(DBAPIError):
        list(lost)
    assert nothing_is_left()
    pieces = streams.stream(Selection(), "csv")
    next(pieces)
    slow = sa.text(
        queries.sql("export_movements").text.replace("WHERE", "WHERE pg_sleep(600)::text = '' AND")
    )
    monkeypatch.setattr(queries, "sql", lambda _question: slow)
    next(pieces)  # from here on the next part is being read, for ten minutes a row
    pieces.close()
    assert nothing_is_left()
    admin.dispose()


@pytest.mark.parametrize(
    "wrong",
    [{"since": date(2026, 2, 1), "until": date(2026, 1, 1)}, {"after_id": -1}, {"last_id": 2**63},
     {"warehouse_id": 2**31}, {"category": "a\0b"},
     {"updated_since": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)}],
    ids=lambda wrong: next(iter(wrong)),
)  # fmt: skip
def test_a_selection_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(BadInput):
        Selection(**wrong)


@pytest.mark.parametrize(("fmt", "encoding"), [("xml", None), ("csv", "br"), ("parquet", "gzip")])
def test_a_form_that_is_not_known_is_refused_before_anything_is_read(fmt, encoding):
    with pytest.raises(BadInput):
        streams.stream(Selection(), fmt, encoding=encoding)
