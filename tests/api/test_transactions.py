"""Inventory transactions over HTTP: booked, corrected, annotated, taken back, and never overwritten."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core import ledger_check
from db.models import Movement, Posting
from db.session import reading, transaction
from tests import makers

TRANSACTIONS = "/api/v1/inventory-transactions"


@pytest.fixture
def shop(client, as_role):
    """The API with a manager's token; the ledger is sound afterwards."""
    client.headers.update(as_role("manager"))
    yield client
    with reading() as session:
        assert ledger_check.faults(session) == {}


@pytest.fixture
def north(client):  # noqa: ARG001
    """A second warehouse."""
    with transaction() as session:
        return str(makers.a_warehouse(session, "NORTH").uid)


def an_item(pieces=0, **about):
    with transaction() as session:
        return str(makers.a_product(session, pieces, **about).uid)


def book(shop, item, kind, quantity, **about):
    body = {"item_id": item, "transaction_type": kind, "quantity": quantity} | about
    return shop.post(TRANSACTIONS, json=body)


def at(told):
    return f"{TRANSACTIONS}/{told['id']}"


def count(table):
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))


# -- Booking -------------------------------------------------------------------------------------------------


def test_a_receipt_tells_all_its_fields(shop):
    item = an_item(sku="ITM-1")
    about = {"unit_price": 12.99, "reference_type": "delivery", "reference_id": "D-7", "notes": "two boxes"}
    answer = book(shop, item, "in", 50, **about)
    assert answer.status_code == 201
    told = answer.json()
    assert shop.get(at(told)).json() == told
    assert datetime.fromisoformat(told.pop("created_at")) <= datetime.now(UTC)
    assert told.pop("recorded_at").endswith("Z")
    assert isinstance(told.pop("id"), int)
    assert uuid.UUID(told.pop("warehouse_id"))
    assert told.pop("created_by").startswith("Manager")
    assert told == about | {
        "item_id": item, "item_sku": "ITM-1", "warehouse_code": "MAIN", "transaction_type": "in",
        "quantity": 50, "change": 50, "total_amount": 649.5, "counterpart_id": None, "reverses_id": None,
        "reversed_by_id": None, "replaces_id": None, "replaced_by_id": None,
    }  # fmt: skip
    assert '"total_amount":649.5,' in answer.text


@pytest.mark.parametrize(
    ("kind", "quantity", "change", "is_demand"),
    [("in", 5, 5, False), ("out", 5, -5, True), ("adjust", -5, -5, False), ("adjust", 2.5, 2.5, False)],
)
def test_what_each_type_does(shop, kind, quantity, change, is_demand):
    told = book(shop, an_item(10), kind, quantity, unit_price=2).json()
    assert (told["transaction_type"], told["quantity"], told["change"]) == (kind, quantity, change)
    assert told["total_amount"] == quantity * 2
    with reading() as session:
        assert (session.get(Movement, told["id"]).demand_day is not None) == is_demand


def test_a_transfer_answers_its_out_leg_which_names_the_other(shop, north):
    item = an_item(10)
    told = book(shop, item, "transfer", 4, to_warehouse_id=north, notes="for the fair").json()
    assert (told["quantity"], told["change"], told["warehouse_code"]) == (4, -4, "MAIN")
    other = shop.get(f"{TRANSACTIONS}/{told['counterpart_id']}").json()
    assert (other["quantity"], other["change"], other["warehouse_code"]) == (4, 4, "NORTH")
    assert (other["counterpart_id"], other["notes"]) == (told["id"], "for the fair")


def test_going_below_zero_is_refused_with_the_figures(shop, north):
    item = an_item(5, sku="WDG-001")
    for kind, quantity, about in (
        ("out", 9, {}), ("adjust", -9, {}), ("transfer", 9, {"to_warehouse_id": north}),
    ):  # fmt: skip
        refused = book(shop, item, kind, quantity, **about)
        assert (refused.status_code, refused.json()["type"]) == (400, "InsufficientStock")
        assert refused.json()["detail"] == "WDG-001: 9 asked for, 5 on hand in MAIN."
    assert count(Movement) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"quantity": -5}, 422),
        ({"quantity": 0}, 422),
        ({"quantity": "5"}, 422),
        ({"quantity": 1.00001}, 422),
        ({"quantity": 123456789012.3456}, 422),
        ({"transaction_type": "sale"}, 422),
        ({"transaction_type": "transfer"}, 422),
        ({"to_warehouse_id": str(uuid.uuid4())}, 422),
        ({"transaction_type": "transfer", "to_warehouse_id": str(uuid.uuid4())}, 404),
        ({"item_id": str(uuid.uuid4())}, 404),
        ({"item_id": 3}, 422),
        ({"warehouse_id": str(uuid.uuid4())}, 404),
        ({"unit_price": -1}, 422),
        ({"unit_price": 10_000_000_000}, 422),
        ({"notes": "x" * 2_001}, 422),
        ({"reference_type": "x" * 101}, 422),
        ({"reference_id": "a\nb"}, 422),
        ({"total_amount": 12}, 422),
        ({"reverses_id": 1}, 422),
    ],
)
def test_what_cannot_be_meant_is_refused(shop, change, status):
    body = {"item_id": an_item(5), "transaction_type": "in", "quantity": 1}
    answer = shop.post(TRANSACTIONS, json=body | change)
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "detail", "type"}
    assert count(Movement) == 1


def test_a_transfer_to_where_it_lies_is_refused(shop):
    item = an_item(5)
    here = shop.get("/api/v1/warehouses").json()[0]["id"]
    refused = book(shop, item, "transfer", 1, to_warehouse_id=here)
    assert (refused.status_code, refused.json()["type"]) == (422, "BadInput")


# -- Correcting ----------------------------------------------------------------------------------------------


def test_another_quantity_books_a_reversal_and_a_replacement(shop):
    item = an_item()
    first = book(shop, item, "in", 100, unit_price=3, notes="miscounted", reference_id="D-1").json()
    book(shop, item, "out", 80)
    answer = shop.patch(at(first), json={"quantity": 90})
    assert answer.status_code == 200
    new = answer.json()
    assert new["id"] != first["id"]
    assert new["replaces_id"] == first["id"]
    assert (new["quantity"], new["total_amount"], new["created_at"]) == (90, 270, first["created_at"])
    assert (new["notes"], new["reference_id"]) == ("miscounted", "D-1")
    old = shop.get(at(first)).json()
    assert old["quantity"] == 100
    assert old["replaced_by_id"] == new["id"]
    reversal = shop.get(f"{TRANSACTIONS}/{old['reversed_by_id']}").json()
    assert (reversal["reverses_id"], reversal["quantity"], reversal["change"]) == (first["id"], -100, -100)
    assert shop.get(f"/api/v1/products/{item}").json()["current_stock"] == 10
    book(shop, item, "out", 5)
    refused = shop.patch(at(new), json={"quantity": 80})
    assert refused.status_code == 400
    assert "10 less asked for, 5 on hand in MAIN" in refused.json()["detail"]
    again = shop.patch(at(first), json={"quantity": 95})
    assert (again.status_code, again.json()["type"]) == (400, "AlreadyReversed")


def test_correcting_a_transfer_corrects_both_legs(shop, north):
    item = an_item(10)
    out_leg = book(shop, item, "transfer", 4, to_warehouse_id=north).json()
    new = shop.patch(f"{TRANSACTIONS}/{out_leg['counterpart_id']}", json={"quantity": 7}).json()
    assert (new["replaces_id"], new["change"]) == (out_leg["counterpart_id"], 7)
    other = shop.get(f"{TRANSACTIONS}/{new['counterpart_id']}").json()
    assert (other["replaces_id"], other["change"], other["warehouse_code"]) == (out_leg["id"], -7, "MAIN")


def test_words_are_added_beside_the_movement(shop):
    told = book(shop, an_item(), "in", 5, notes="first").json()
    answer = shop.patch(at(told), json={"notes": "second", "reference_type": "order"})
    assert answer.json() == told | {"notes": "second", "reference_type": "order"}
    for cleared in ("", None):
        shop.patch(at(told), json={"notes": "second"})
        assert shop.patch(at(told), json={"notes": cleared}).json()["notes"] is None
    assert shop.patch(at(told), json={}).json()["reference_type"] == "order"
    assert count(Movement) == 1
    with reading() as session:
        assert session.get(Movement, told["id"]).reason == "first"
    both = shop.patch(at(told), json={"quantity": 6, "notes": "third"}).json()
    assert (both["quantity"], both["notes"], both["reference_type"]) == (6, "third", "order")


@pytest.mark.parametrize(
    "change",
    [{"quantity": 0}, {"quantity": -1}, {"quantity": "6"}, {"unit_price": -1}, {"transaction_type": "out"},
     {"quantity": None}, {"unit_price": None},
     {"item_id": str(uuid.UUID(int=7))}, {"notes": "x" * 2_001}],
)  # fmt: skip
def test_a_correction_that_makes_no_sense_is_refused(shop, change):
    told = book(shop, an_item(), "in", 5).json()
    assert shop.patch(at(told), json=change).status_code == 422
    assert shop.get(at(told)).json() == told


def test_deleting_reverses_once_and_the_original_stays_readable(shop, as_role):
    item, admin = an_item(), as_role("admin")
    told = book(shop, item, "in", 5).json()
    assert shop.delete(at(told)).status_code == 403
    answer = shop.delete(at(told), headers=admin)
    assert (answer.status_code, answer.content) == (204, b"")
    old = shop.get(at(told)).json()
    assert old == told | {"reversed_by_id": old["reversed_by_id"]}
    second = shop.delete(at(told), headers=admin)
    assert (second.status_code, second.json()["type"]) == (400, "AlreadyReversed")
    reversal = shop.delete(f"{TRANSACTIONS}/{old['reversed_by_id']}", headers=admin)
    assert (reversal.status_code, reversal.json()["type"]) == (400, "RuleBroken")
    assert shop.get(f"/api/v1/products/{item}").json()["current_stock"] == 0


def test_deleting_what_is_sold_already_is_refused_with_the_figures(shop, as_role):
    item = an_item(sku="WDG-001")
    told = book(shop, item, "in", 5).json()
    book(shop, item, "out", 3)
    refused = shop.delete(at(told), headers=as_role("admin"))
    assert refused.json()["detail"] == "WDG-001: 5 asked for, 2 on hand in MAIN."


# -- Looking -------------------------------------------------------------------------------------------------


def test_lists_filter_page_and_follow_a_cursor(shop, north):
    one, two = an_item(10), an_item(20)
    book(shop, one, "out", 1)
    book(shop, two, "transfer", 2, to_warehouse_id=north)

    def quantities(query):
        return [row["change"] for row in shop.get(f"{TRANSACTIONS}?{query}").json()]

    assert quantities("") == [2, -2, -1, 20, 10]
    assert quantities(f"item_id={one}") == [-1, 10]
    assert quantities(f"warehouse_id={north}") == [2]
    assert quantities("transaction_type=transfer") == [2, -2]
    assert quantities("skip=1&limit=2") == [-2, -1]
    assert quantities("after=0&limit=3") == [10, 20, -1]
    assert quantities("to=2020-01-01") == []
    assert shop.get(f"{TRANSACTIONS}?limit=1").headers["X-Total-Count"] == "5"
    for query in ("limit=1001", "limit=0", "skip=-1", "after=x", "transaction_type=sale", "product_id=1"):
        assert shop.get(f"{TRANSACTIONS}?{query}").status_code == 422, query


def test_ids_that_nothing_has(shop, as_role):
    admin = as_role("admin")
    for unknown, status in (("999999", 404), ("0", 422), ("-1", 422), ("9" * 30, 422), ("x", 422)):
        address = f"{TRANSACTIONS}/{unknown}"
        assert shop.get(address).status_code == status
        assert shop.patch(address, json={"quantity": 1}).status_code == status
        assert shop.patch(address, json={"notes": "x"}).status_code == status
        assert shop.delete(address, headers=admin).status_code == status


def test_who_may_do_what(client, as_role):
    item = an_item(50)
    allowed = {"viewer": (403, 403, 403), "user": (201, 403, 403), "manager": (201, 200, 403)}
    for role, (write, change, delete) in (allowed | {"admin": (201, 200, 204)}).items():
        client.headers.update(as_role(role))
        made = book(client, item, "out", 1)
        assert made.status_code == write
        told = made.json() if write == 201 else client.get(TRANSACTIONS).json()[0]
        assert client.get(at(told)).status_code == 200
        assert client.patch(at(told), json={"notes": role}).status_code == change
        assert client.delete(at(told)).status_code == delete
    client.headers.pop("Authorization")
    for call in (client.get(TRANSACTIONS), book(client, item, "out", 1), client.delete(at(told))):
        assert call.status_code == 401


# -- Retries -------------------------------------------------------------------------------------------------


def at_once(number, work):
    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(work, range(number)))


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_sixteen_copies_are_booked_once_and_answered_alike(shop, north):
    item, key = an_item(100), {"Idempotency-Key": "k"}
    body = {"item_id": item, "transaction_type": "transfer", "quantity": 7, "to_warehouse_id": north}
    answers = at_once(16, lambda _: shop.post(TRANSACTIONS, json=body, headers=key))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert count(Posting) == 2
    assert shop.post(TRANSACTIONS, json=body | {"quantity": 8}, headers=key).status_code == 409
    shop.patch(at(answers[0].json()), json={"notes": "later"})
    assert shop.post(TRANSACTIONS, json=body, headers=key).content == answers[0].content, "as it was then"


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_sixteen_copies_of_a_correction_correct_once(shop):
    told, key = book(shop, an_item(), "in", 5).json(), {"Idempotency-Key": "k"}
    answers = at_once(16, lambda _: shop.patch(at(told), json={"quantity": 6}, headers=key))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert count(Movement) == 3
    other = shop.patch(at(told), json={"quantity": 6, "notes": "other"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "KeyReused")


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_of_sixteen_corrections_without_a_key_one_is_booked(shop):
    told = book(shop, an_item(), "in", 5).json()
    answers = at_once(16, lambda n: shop.patch(at(told), json={"quantity": 6 + n}))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 15
    assert count(Movement) == 3


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_a_retried_delete_is_answered_as_the_first_was(shop, as_role):
    told = book(shop, an_item(), "in", 5).json()
    headers = as_role("admin") | {"Idempotency-Key": "k"}
    answers = at_once(8, lambda _: shop.delete(at(told), headers=headers))
    assert {answer.status_code for answer in answers} == {204}
    assert count(Movement) == 2
