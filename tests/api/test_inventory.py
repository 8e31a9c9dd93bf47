"""Adjusting stock over HTTP, and what happened so far."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
import sqlalchemy as sa

from api.schemas_stock import ReasonCode
from core import ledger_check, stock
from db.models import Movement, Posting
from db.session import reading, transaction
from tests import makers

ADJUST, MOVEMENTS = "/api/v1/inventory/adjust", "/api/v1/inventory/movements"


@pytest.fixture
def till(client, as_role):
    """The API with the token of somebody in the warehouse; the ledger is sound afterwards."""
    client.headers.update(as_role("user"))
    yield client
    with reading() as session:
        assert ledger_check.faults(session) == {}


def a_product(pieces=0, **about):
    with transaction() as session:
        return str(makers.a_product(session, pieces, **about).uid)


def count(table):
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))


# -- The seed ------------------------------------------------------------------------------------------------


def test_add_stock_as_in_the_seed(till):
    product = a_product(100, sku="WDG-001", name="Widget A")
    answer = till.post(
        ADJUST, json={"product_id": product, "quantity": 50, "reason": "Received shipment from vendor"}
    )
    assert answer.status_code == 201
    told = answer.json()
    assert datetime.fromisoformat(told.pop("created_at")) <= datetime.now(UTC)
    assert told.pop("recorded_at").endswith("Z")
    assert isinstance(told.pop("id"), int)
    assert uuid.UUID(told.pop("warehouse_id"))
    assert told.pop("created_by").startswith("User")
    assert told == {
        "product_id": product, "sku": "WDG-001", "product_name": "Widget A", "warehouse_code": "MAIN",
        "movement_type": "in", "quantity": 50, "previous_stock": 100, "new_stock": 150,
        "reason": "Received shipment from vendor", "reason_code": "receipt", "unit_price": None,
        "reference_type": None, "reference_id": None, "counterpart_id": None, "reverses_id": None,
        "reversed_by_id": None, "replaces_id": None,
    }  # fmt: skip


def test_remove_stock_as_in_the_seed(till):
    product = a_product(100)
    answer = till.post(ADJUST, json={"product_id": product, "quantity": -10, "reason": "Sold to customer"})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["quantity"], told["previous_stock"], told["new_stock"]) == (-10, 100, 90)
    assert (told["movement_type"], told["reason_code"]) == ("out", "issue")
    with reading() as session:
        demand_day = session.scalar(sa.select(Movement.demand_day).order_by(Movement.id.desc()).limit(1))
    assert demand_day is not None


def test_view_stock_movement_history_as_in_the_seed(till):
    product, other = a_product(100), a_product(7)
    till.post(ADJUST, json={"product_id": product, "quantity": -10, "reason": "Sold to customer"})
    everything = till.get(MOVEMENTS)
    assert [row["quantity"] for row in everything.json()] == [-10, 7, 100]
    assert everything.headers["X-Total-Count"] == "3"
    of_one = till.get(f"{MOVEMENTS}?product_id={product}")
    assert [row["quantity"] for row in of_one.json()] == [-10, 100]
    history = till.get(f"/api/v1/inventory/products/{product}/history")
    assert history.json() == of_one.json()
    assert history.headers["X-Total-Count"] == "2"
    assert len(till.get(f"/api/v1/inventory/products/{other}/history").json()) == 1


# -- Beyond the seed -----------------------------------------------------------------------------------------


def test_more_than_there_is_is_refused_with_the_figures(till):
    product = a_product(5, sku="WDG-001")
    answer = till.post(ADJUST, json={"product_id": product, "quantity": -9, "reason": "Sold"})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Bad Request",
        "detail": "WDG-001: 9 asked for, 5 on hand in MAIN.",
        "type": "InsufficientStock",
    }
    assert count(Movement) == 1


def test_another_warehouse_and_a_reason_code(till):
    with transaction() as session:
        there = str(makers.a_warehouse(session, "NORTH").uid)
    product = a_product(5)
    body = {"product_id": product, "quantity": 2.5, "reason": "found", "warehouse_id": there}
    told = till.post(ADJUST, json=body | {"reason_code": "count"}).json()
    assert (told["warehouse_id"], told["warehouse_code"]) == (there, "NORTH")
    assert (told["previous_stock"], told["new_stock"]) == (0, 2.5)
    assert (told["movement_type"], told["reason_code"]) == ("adjust", "count")
    assert [row["quantity"] for row in till.get(f"{MOVEMENTS}?warehouse_id={there}").json()] == [2.5]
    wrong = till.post(ADJUST, json=body | {"quantity": -1, "reason_code": "receipt"})
    assert (wrong.status_code, wrong.json()["detail"]) == (422, "'receipt' cannot take away stock.")


def test_the_reason_codes_are_those_of_the_shop(client):  # noqa: ARG001
    with reading() as session:
        known = set(stock.reasons(session, by_hand=False))
    assert set(get_args(ReasonCode)) == known - {"transfer", "reconstructed"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"quantity": 0}, 422),
        ({"quantity": "5"}, 422),
        ({"quantity": True}, 422),
        ({"quantity": None}, 422),
        ({"quantity": 0.00001}, 422),
        ({"quantity": 1e30}, 422),
        ({"quantity": 100000000000}, 422),
        ({"quantity": 1234567890123456}, 422),
        ({"reason": ""}, 422),
        ({"reason": "x" * 2_001}, 422),
        ({"reason": None}, 422),
        ({"reason_code": "theft"}, 422),
        ({"reason_code": "reconstructed"}, 422),
        ({"product_id": "1"}, 422),
        ({"product_id": str(uuid.uuid4())}, 404),
        ({"warehouse_id": str(uuid.uuid4())}, 404),
        ({"note": "unknown field"}, 422),
    ],
)
def test_what_cannot_be_meant_is_refused(till, change, status):
    body = {"product_id": a_product(5), "quantity": 1, "reason": "because"}
    answer = till.post(ADJUST, json=body | change)
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "detail", "type"}
    assert count(Movement) == 1
    assert till.post(ADJUST, json={k: v for k, v in body.items() if k not in change}).status_code in (
        201,
        422,
    )


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "0x10", "01"])
def test_numbers_that_are_none_are_refused(till, number):
    body = '{"product_id": "%s", "quantity": %s, "reason": "r"}' % (a_product(5), number)  # noqa: UP031
    assert till.post(ADJUST, content=body, headers={"Content-Type": "application/json"}).status_code == 422
    assert count(Movement) == 1


def test_fifteen_digits_stay_exact(till):
    product = a_product()
    body = '{"product_id": "%s", "quantity": 12345678901.2345, "reason": "r"}' % product  # noqa: UP031
    answer = till.post(ADJUST, content=body, headers={"Content-Type": "application/json"})
    assert '"quantity":12345678901.2345,' in answer.text
    assert '"new_stock":12345678901.2345,' in answer.text


def test_filters_by_day_pages_and_cursor(till):
    product = a_product()
    now = datetime.now(UTC)
    with transaction() as session:
        actor, place = makers.an_actor(session), makers.the_warehouse(session)
        inner = session.scalar(sa.text("SELECT id FROM product"))
        for days in (9, 5, 1):
            stock.add(session, actor, inner, place.id, days, occurred_at=now - timedelta(days=days))
    day = (now - timedelta(days=5)).date()
    path = f"/api/v1/inventory/products/{product}/history"
    for address in (MOVEMENTS, path):
        for query, quantities in (
            ("", [1, 5, 9]),
            (f"?from={day}", [1, 5]),
            (f"?to={day}", [5, 9]),
            (f"?from={day}&to={day}", [5]),
            ("?skip=1&limit=1", [5]),
            ("?skip=9", []),
            ("?after=0", [9, 5, 1]),
            ("?after=0&limit=2", [9, 5]),
        ):
            assert [row["quantity"] for row in till.get(address + query).json()] == quantities, query
        wrong = "limit=1001 limit=0 skip=-1 after=-1 after=9223372036854775808 from=yesterday"
        for query in f"{wrong} since=2026-01-01 product_id=7 from=2026-01-01T10:00:00".split():
            assert till.get(f"{address}?{query}").status_code == 422, query
    seen, after = [], 0
    while rows := till.get(f"{MOVEMENTS}?after={after}&limit=1").json():
        seen += [row["quantity"] for row in rows]
        after = rows[-1]["id"]
    assert seen == [9, 5, 1]
    assert till.get(f"{MOVEMENTS}?product_id={uuid.uuid4()}").status_code == 404
    assert till.get(f"/api/v1/inventory/products/{uuid.uuid4()}/history").status_code == 404


def test_who_may_do_what(client, as_role):
    body = {"product_id": a_product(5), "quantity": 1, "reason": "because"}
    for role, status in (("viewer", 403), ("user", 201), ("manager", 201), ("admin", 201)):
        assert client.post(ADJUST, json=body, headers=as_role(role)).status_code == status
        assert client.get(MOVEMENTS, headers=as_role(role)).status_code == 200
    for call in (client.post(ADJUST, json=body), client.get(MOVEMENTS)):
        assert call.status_code == 401


# -- Retries -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_sixteen_copies_of_one_request_are_booked_once_and_answered_alike(till):
    body = {"product_id": a_product(100), "quantity": -10, "reason": "Sold"}
    key = {"Idempotency-Key": "till-1 4711"}
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: till.post(ADJUST, json=body, headers=key), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert count(Posting) == 2


def test_a_key_belongs_to_one_person_and_one_request(till, as_role):
    product = a_product(100)
    body, key = {"product_id": product, "quantity": -10, "reason": "Sold"}, {"Idempotency-Key": "k"}
    first = till.post(ADJUST, json=body, headers=key)
    movement = first.json()["id"]
    admin = as_role("admin")
    till.delete(f"/api/v1/inventory-transactions/{movement}", headers=admin)
    assert till.post(ADJUST, json=body, headers=key).content == first.content, "as it was then"
    for other in ({"quantity": -11}, {"reason": "Other"}, {"reason_code": "sale"}):
        refused = till.post(ADJUST, json=body | other, headers=key)
        assert (refused.status_code, refused.json()["type"]) == (409, "KeyReused")
    other_address = till.post(
        "/api/v1/inventory-transactions",
        json={"item_id": product, "transaction_type": "out", "quantity": 10}, headers=key,
    )  # fmt: skip
    assert other_address.status_code == 409
    assert till.post(ADJUST, json=body, headers=key | admin).json()["id"] != movement


def test_a_refused_request_may_be_tried_again_with_its_key(till):
    body = {"product_id": a_product(5), "quantity": -9, "reason": "Sold"}
    key = {"Idempotency-Key": "k"}
    assert till.post(ADJUST, json=body, headers=key).status_code == 400
    till.post(ADJUST, json=body | {"quantity": 4})
    assert till.post(ADJUST, json=body, headers=key).status_code == 201


@pytest.mark.parametrize("reason", ["", "   ", "\n", None])
def test_stock_does_not_move_without_a_reason(till, reason):
    product = a_product(5)
    refused = till.post(ADJUST, json={"product_id": product, "quantity": 1, "reason": reason})
    assert refused.status_code == 422
    assert refused.json()["fields"][0]["field"] == "body.reason"
