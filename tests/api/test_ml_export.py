"""The ML export over HTTP."""

from datetime import UTC, datetime

import pytest

from api.routes import exact_json
from api.schemas_export import ExportPage
from core import stock
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
