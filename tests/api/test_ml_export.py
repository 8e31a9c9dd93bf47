"""The ML export over HTTP."""

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
import sqlalchemy as sa
from pyarrow import parquet
from starlette.requests import Request

from api import streaming
from api.routers import ml
from api.routes import exact_json
from api.schemas_export import ExportPage
from core import cursors, stock
from core.ledger_export import streams
from db.models import Product, Warehouse
from db.session import transaction
from tests import makers

EXPORT = "/api/v1/ml/export"


@pytest.fixture
def viewer(client, as_role):
    """The API with the weakest token."""
    client.headers.update(as_role("viewer"))
    return client


@pytest.fixture
def ledger(viewer):  # noqa: ARG001
    """Five movements of one product, the last two a transfer; answers the product."""
    with transaction() as session:
        actor, here = makers.an_actor(session), makers.the_warehouse(session)
        there = makers.a_warehouse(session, "NORTH")
        product = makers.a_product(session, 100, sku="EXP-1", category="Tools", warehouse=here)
        moment = datetime(2026, 3, 1, 12, 30, 15, 500_000, tzinfo=UTC)
        stock.remove(session, actor, product.id, here.id, "2.5", unit_price="4.20", occurred_at=moment)
        stock.add(session, actor, product.id, here.id, 1)
        stock.transfer(session, actor, product.id, here.id, there.id, 3)
        return product


def test_the_export_as_in_the_seed(viewer, ledger):
    answer = viewer.get(f"{EXPORT}?offset=0&limit=10000")
    assert answer.status_code == 200
    ExportPage.model_validate(exact_json(answer.content))  # as it is documented
    told = answer.json()
    assert told.pop("next_updated_since") == answer.headers["X-Next-Updated-Since"]
    assert {name: told[name] for name in told if name != "rows"} == {
        "total_count": 5, "offset": 0, "limit": 10_000, "has_more": False,
    }  # fmt: skip
    sale = told["rows"][1]
    assert isinstance(sale.pop("transaction_id"), int)
    assert sale.pop("recorded_at").endswith("Z")
    assert sale.pop("warehouse_id")
    assert sale == {
        "item_id": str(ledger.uid), "item_sku": "EXP-1", "item_category": "Tools", "warehouse_code": "MAIN",
        "transaction_type": "out", "quantity": -2.5, "unit_price": 4.2, "total_amount": -10.5,
        "created_at": "2026-03-01T12:30:15.500000Z", "created_at_ts": 1772368215.5,
    }  # fmt: skip
    legs = told["rows"][-2:]
    assert [(leg["transaction_type"], leg["quantity"], leg["warehouse_code"]) for leg in legs] == [
        ("transfer", -3, "MAIN"), ("transfer", 3, "NORTH"),
    ]  # fmt: skip
    assert told["rows"][0]["unit_price"] is None
    assert told["rows"][0]["total_amount"] is None


def test_pages_by_offset_and_by_cursor_tell_every_row_once(viewer, ledger):  # noqa: ARG001
    whole = viewer.get(EXPORT).json()["rows"]
    first = viewer.get(f"{EXPORT}?limit=2").json()
    assert (first["rows"], first["has_more"], first["total_count"]) == (whole[:2], True, 5)
    last = viewer.get(f"{EXPORT}?offset=4&limit=2").json()
    assert (last["rows"], last["has_more"], last["offset"]) == (whole[4:], False, 4)
    seen, after = [], 0
    while rows := viewer.get(f"{EXPORT}?after={after}&limit=2").json()["rows"]:
        seen, after = seen + rows, rows[-1]["transaction_id"]
    assert seen == whole


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=100001", "limit=x", "offset=-1", "offset=9223372036854775808", "after=-1",
     "after=99999999999999999999", "format=xml", "skip=1", "limit=1&limit=2"],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(viewer, query):
    assert viewer.get(f"{EXPORT}?{query}").status_code == 422


def test_it_needs_a_token_and_an_empty_shop_has_no_rows(viewer):
    assert viewer.get(EXPORT).json()["rows"] == []
    viewer.headers.pop("Authorization")
    assert viewer.get(EXPORT).status_code == 401


@pytest.mark.usefixtures("clone")  # a second transaction stays open
def test_nothing_is_lost_between_pulls_while_somebody_books(viewer, ledger):
    with transaction() as open_one:
        actor, here = makers.an_actor(open_one), makers.the_warehouse(open_one)
        slow = stock.add(open_one, actor, ledger.id, here.id, 1).lines[0].movement_id
        with transaction() as other:
            fast_actor = makers.an_actor(other)
            product = makers.a_product(other)
            fast = stock.add(other, fast_actor, product.id, here.id, 1).lines[0].movement_id
        seen = [row["transaction_id"] for row in viewer.get(EXPORT).json()["rows"]]
        assert fast not in seen
    then = viewer.get(f"{EXPORT}?after={seen[-1]}").json()
    assert [row["transaction_id"] for row in then["rows"]] == [slow, fast]
    assert then["total_count"] == 7


# -- Whole files ---------------------------------------------------------------------------------------------


def read(form, content):
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode())))
    if form == "ndjson":
        return [json.loads(line) for line in content.splitlines()]
    if form == "parquet":
        return parquet.read_table(io.BytesIO(content)).to_pylist()
    return pa.ipc.open_stream(content).read_all().to_pylist()


@pytest.mark.usefixtures("clone")
def test_the_whole_selection_in_every_format_and_encoding(viewer, ledger):  # noqa: ARG001
    page = viewer.get(EXPORT, headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    rows = page.json()["rows"]
    kinds = {
        "csv": ("text/csv; charset=utf-8", "ledger.csv"),
        "ndjson": ("application/x-ndjson", "ledger.ndjson"),
        "parquet": ("application/vnd.apache.parquet", "ledger.parquet"),
        "arrow": ("application/vnd.apache.arrow.stream", "ledger.arrows"),
    }
    assert set(kinds) == set(streams.FORMATS) == set(ml.FILE_NAMES)
    for form, (media, name) in kinds.items():
        for asked, given in (("identity", None), ("gzip", "gzip"), ("gzip;q=0.5, zstd", "zstd")):
            with viewer.stream(
                "GET", f"{EXPORT}?format={form}", headers={"Accept-Encoding": asked}
            ) as answer:
                content = b"".join(answer.iter_raw())
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, media)
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            assert "Accept-Encoding" in answer.headers["Vary"]
            assert answer.headers.get("Content-Encoding") == (None if form == "parquet" else given)
            assert "Content-Length" not in answer.headers
            if encoding := answer.headers.get("Content-Encoding"):
                content = pa.input_stream(io.BytesIO(content), compression=encoding).read()
            told = read(form, content)
            assert [int(row["transaction_id"]) for row in told] == [row["transaction_id"] for row in rows]
            assert [row["item_sku"] for row in told] == [row["item_sku"] for row in rows]
            assert [float(row["quantity"]) for row in told] == [row["quantity"] for row in rows]
        some = viewer.get(f"{EXPORT}?format={form}&after={rows[1]['transaction_id']}&warehouse=NORTH").content
        assert [row["warehouse_code"] for row in read(form, some)] == ["NORTH"]
        assert read(form, viewer.get(f"{EXPORT}?format={form}&from=2999-01-01").content) == []
        for wrong in ("offset=0", "limit=10"):
            refused = viewer.get(f"{EXPORT}?format={form}&{wrong}")
            assert refused.status_code == 422
            assert "format=json" in refused.json()["detail"]
        head = viewer.head(f"{EXPORT}?format={form}")
        assert (head.status_code, head.content, head.headers["Content-Type"]) == (200, b"", media)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("", None), ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "zstd"), ("br", None),
     ("gzip;q=1, zstd;q=0.5", "gzip"), ("gzip;q=0", None), ("zstd;q=0, *", "gzip"), ("*;q=0", None),
     ("identity, gzip;q=0.5", None), ("identity;q=0.5, gzip", "gzip"), ("GZIP; Q=0.8", "gzip"),
     ("gzip;q=x", None), ("gzip;q=nan", None), (";;,,;q", None)],
)  # fmt: skip
def test_the_encoding_is_the_one_that_is_liked_most(accepted, encoding):
    scope = {"type": "http", "headers": [(b"accept-encoding", accepted.encode())]}
    assert streaming.encoding(Request(scope)) == encoding


# -- Parts of the ledger -------------------------------------------------------------------------------------


def test_filters_choose_rows_and_the_count_is_theirs(viewer, ledger):
    whole = viewer.get(EXPORT).json()["rows"]
    north = whole[-1]["warehouse_id"]
    with transaction() as session:
        other = makers.a_product(session, 7, sku="EXP-2", category="Toys")
    toy = viewer.get(f"{EXPORT}?category=Toys").json()
    assert ([row["item_sku"] for row in toy["rows"]], toy["total_count"]) == ([other.sku], 1)
    for query, wanted in {
        "warehouse=NORTH": whole[-1:], "warehouse=north": whole[-1:], f"warehouse={north}": whole[-1:],
        "category=Tools": whole, "category=tools": [], "to=2026-03-01": whole[1:2],
        "from=2026-03-01&to=2026-03-01&category=Tools": whole[1:2], "to=2026-02-28": [],
        "from=2026-03-02&category=Tools": [whole[0], *whole[2:]],
        "updated_since=2026-01-01T00:00:00Z&category=Tools": whole, "updated_since=2999-01-01T00:00:00Z": [],
    }.items():  # fmt: skip
        told = viewer.get(f"{EXPORT}?{query}").json()
        assert (told["rows"], told["total_count"], told["has_more"]) == (wanted, len(wanted), False), query
        first = viewer.get(f"{EXPORT}?{query}&limit=1").json()
        assert (first["rows"], first["has_more"]) == (wanted[:1], len(wanted) > 1)
        assert (first["next_updated_since"] is None) == first["has_more"]
        second = viewer.get(f"{EXPORT}?{query}&limit=2&offset=1").json()
        assert (second["rows"], second["total_count"]) == (wanted[1:3], len(wanted))
        if wanted:
            then = viewer.get(f"{EXPORT}?{query}&after={wanted[0]['transaction_id']}").json()
            assert (then["rows"], then["total_count"]) == (wanted[1:], len(wanted))
    for unknown in ("warehouse=NOWHERE", f"warehouse={ledger.uid}"):
        assert viewer.get(f"{EXPORT}?{unknown}").status_code == 404


# -- What is new since ---------------------------------------------------------------------------------------


def test_who_has_it_already_is_told_so_until_something_changes(viewer, ledger):
    queries = ["", "limit=2", "offset=1", "category=Tools", "format=csv", "format=ndjson"]
    tags = [viewer.get(f"{EXPORT}?{query}").headers["ETag"] for query in queries]
    assert len(set(tags)) == len(tags)

    def asked(named):
        return viewer.get(EXPORT, headers={"If-None-Match": named})

    for named in (tags[0], tags[0].removeprefix("W/"), f'"x", {tags[0]}', "*"):
        known = asked(named)
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tags[0])
        assert known.headers["X-Next-Updated-Since"]
        assert known.headers["Cache-Control"] == "private, no-cache"
    assert asked('"x", W/"y"').status_code == 200
    assert asked(tags[1]).status_code == 200
    changes = [
        lambda s: makers.a_product(s, 1),
        lambda s: s.execute(sa.update(Product).where(Product.id == ledger.id).values(category="Toys")),
        lambda s: s.execute(sa.update(Warehouse).where(Warehouse.code == "NORTH").values(code="SOUTH")),
    ]
    for change in changes:
        tag = asked("").headers["ETag"]
        assert asked(tag).status_code == 304
        with transaction() as session:
            change(session)
        assert asked(tag).status_code == 200


def test_a_pull_since_the_moment_that_was_told_loses_nothing_that_ended_late(
    viewer, ledger, clone, monkeypatch  # noqa: ARG001
):  # fmt: skip
    monkeypatch.setattr(cursors, "UNSEEN_SECONDS", 0)
    kept: list[int] = []

    def pull(since, form="csv"):
        answer = viewer.get(EXPORT, params={"format": form, "updated_since": since})
        told = [int(row["transaction_id"]) for row in read(form, answer.content)]
        kept.extend(told)
        return told, answer.headers["X-Next-Updated-Since"]

    def book(session, product_id):
        actor, here = makers.an_actor(session), makers.the_warehouse(session)
        return stock.add(session, actor, product_id, here.id, 1).lines[0].movement_id

    with transaction() as session:
        other = makers.a_product(session)
    told, since = pull("2026-01-01T00:00:00Z")
    assert len(told) == 5
    assert pull(since)[0] == []
    with transaction() as slow:
        slow.execute(sa.text("SELECT 1"))  # it has begun and booked nothing yet
        with transaction() as session:
            early = book(session, other.id)
        told, since = pull(since)
        assert told == [early]
        late = book(slow, ledger.id)
        with transaction() as session:
            hidden = book(session, other.id)
        told, since = pull(since, "parquet")
        assert told == [early]  # again: it was booked after the slow one began
    told, since = pull(since, "ndjson")
    assert told == [early, late, hidden]
    assert pull(since)[0] == []
    page = viewer.get(EXPORT, params={"updated_since": since}).json()
    assert (page["rows"], page["total_count"]) == ([], 0)
    assert set(kept) == {row["transaction_id"] for row in viewer.get(EXPORT).json()["rows"]}
    assert len(kept) == len(set(kept)) + 2


@pytest.mark.parametrize(
    "moment", ["2026-01-01", "2026-01-01T00:00:00", "x", "", "2026-01-01T00:00:00 01:00x"]
)
def test_a_moment_knows_its_time_zone(viewer, moment):
    assert viewer.get(EXPORT, params={"updated_since": moment}).status_code == 422


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_any_moment_can_be_asked_for(viewer, ledger, moment):  # noqa: ARG001
    told = viewer.get(EXPORT, params={"updated_since": moment}).json()
    assert told["total_count"] == (5 if moment < "2026" else 0)
