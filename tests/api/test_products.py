"""Products over HTTP: the shop's words for what it sells."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from core import barcodes, ledger_check, stock_list
from db.models import Barcode, Movement, Product, Warehouse
from db.session import reading, transaction
from tests import makers

PRODUCTS = "/api/v1/products"
WIDGET = {
    "sku": "WDG-001",
    "name": "Widget A",
    "category": "Electronics",
    "current_stock": 100,
    "reorder_threshold": 20,
    "unit_cost": 12.99,
}
CODE = "4006381333931"


@pytest.fixture
def manager(client, as_role):
    """The API with a manager's token in every request; the ledger is sound afterwards."""
    client.headers.update(as_role("manager"))
    yield client
    with reading() as session:
        assert ledger_check.faults(session) == {}


@pytest.fixture
def widget(manager):
    """The widget of the seed, in stock."""
    return manager.post(PRODUCTS, json=WIDGET).json()


def address(product):
    return f"{PRODUCTS}/{product['id']}"


def count(table):
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))


# -- The seed ------------------------------------------------------------------------------------------------


def test_create_product_as_in_the_seed(manager):
    answer = manager.post(PRODUCTS, json=WIDGET)
    assert answer.status_code == 201
    told = answer.json()
    assert uuid.UUID(told.pop("id"))
    assert told.pop("created_at").endswith("Z")
    assert told.pop("updated_at").endswith("Z")
    assert told == WIDGET | {
        "description": None, "unit_of_measure": "each", "unit_price": None, "lead_time_days": None,
        "barcode": None, "stock_status": "in_stock", "predicted_depletion_date": None, "is_active": True,
    }  # fmt: skip
    assert '"unit_cost":12.99' in answer.text
    assert '"current_stock":100,' in answer.text
    with reading() as session:
        assert session.execute(sa.select(Movement.reason_code, Movement.change)).all() == [("opening", 100)]


def test_list_products_with_filtering_as_in_the_seed(manager, widget):
    other = manager.post(PRODUCTS, json={"sku": "B-1", "name": "Bolt", "category": "Hardware"}).json()
    everything = manager.get(PRODUCTS)
    assert [row["sku"] for row in everything.json()] == ["B-1", "WDG-001"]
    assert everything.headers["X-Total-Count"] == "2"
    assert manager.get(f"{PRODUCTS}?category=Electronics").json() == [widget]
    assert manager.get(f"{PRODUCTS}?search=widget").json() == [widget]
    assert manager.get(f"{PRODUCTS}?search=b-1").json() == [other]
    assert manager.get(f"{PRODUCTS}?search=nothing").json() == []


def test_update_product_as_in_the_seed(manager, widget):
    answer = manager.put(address(widget), json={"current_stock": 150, "reorder_threshold": 25})
    assert answer.status_code == 200
    changed = {"current_stock": 150, "reorder_threshold": 25, "updated_at": answer.json()["updated_at"]}
    assert answer.json() == widget | changed
    with reading() as session:
        changes = session.scalars(sa.select(Movement.change).order_by(Movement.id)).all()
    assert changes == [100, 50]


def test_pages_as_in_the_seed(manager):
    for number in range(12):
        manager.post(PRODUCTS, json={"sku": f"P-{number:02}", "name": "Part"})
    first = manager.get(f"{PRODUCTS}?skip=0&limit=10")
    then = manager.get(f"{PRODUCTS}?skip=10&limit=10")
    assert [row["sku"] for row in first.json() + then.json()] == [f"P-{n:02}" for n in range(12)]
    assert first.headers["X-Total-Count"] == then.headers["X-Total-Count"] == "12"


# -- Beyond the seed -----------------------------------------------------------------------------------------


def test_what_is_low_and_what_is_out(manager, widget):
    def statuses():
        found = {
            status: [row["sku"] for row in manager.get(f"{PRODUCTS}?status={status}").json()]
            for status in stock_list.STOCK_STATUSES
        }
        (name,) = [status for status, skus in found.items() if skus]
        assert manager.get(address(widget)).json()["stock_status"] == name
        return name

    assert statuses() == "in_stock"
    manager.put(address(widget), json={"current_stock": 20})
    assert statuses() == "low_stock"
    manager.put(address(widget), json={"reorder_threshold": None})
    assert statuses() == "in_stock"
    manager.put(address(widget), json={"current_stock": 0})
    assert statuses() == "out_of_stock"


def test_a_stock_that_only_other_warehouses_hold_is_refused_with_the_figures(manager, widget):
    with transaction() as session:
        there = makers.a_warehouse(session, "NORTH").uid
    manager.post(
        "/api/v1/inventory-transactions",
        json={"item_id": widget["id"], "warehouse_id": str(there), "transaction_type": "in", "quantity": 70},
    )
    refused = manager.put(address(widget), json={"name": "Other", "current_stock": 60})
    assert refused.status_code == 400
    assert refused.json()["type"] == "InsufficientStock"
    assert "60 in all asked for, but on hand are 100 in MAIN, 70 in NORTH" in refused.json()["detail"]
    assert manager.get(address(widget)).json()["name"] == "Widget A"
    assert manager.put(address(widget), json={"current_stock": 70}).json()["current_stock"] == 70


def test_patch_changes_only_what_is_given_and_null_clears(manager, widget):
    changed = manager.patch(address(widget), json={"category": None, "description": "two\nlines"}).json()
    assert (changed["category"], changed["description"]) == (None, "two\nlines")
    assert changed["name"] == "Widget A"
    for needed in ("sku", "name", "unit_of_measure", "current_stock", "barcode", "is_active"):
        assert manager.patch(address(widget), json={needed: None}).status_code == 422, needed
    same = manager.patch(address(widget), json={})
    assert same.json() == changed


def test_the_newest_barcode_is_shown_and_the_others_still_find_the_product(manager):
    made = manager.post(PRODUCTS, json={"sku": "S", "name": "Soap", "barcode": CODE}).json()
    assert made["barcode"] == CODE
    changed = manager.patch(address(made), json={"barcode": "012345678905"}).json()
    assert changed["barcode"] == barcodes.normal("012345678905")
    for code in (CODE, "012345678905", "0012345678905"):
        assert [row["id"] for row in manager.get(f"{PRODUCTS}?search={code}").json()] == [made["id"]]
    assert manager.patch(address(made), json={"barcode": CODE}).json()["barcode"] == CODE
    assert manager.patch(address(made), json={"barcode": CODE}).json()["barcode"] == CODE
    assert count(Barcode) == 2
    wrong = manager.patch(address(made), json={"barcode": "4006381333932"})
    assert wrong.status_code == 422
    assert "last digit should be 1" in wrong.json()["detail"]
    taken = manager.post(PRODUCTS, json={"sku": "T", "name": "Towel", "barcode": CODE})
    assert (taken.status_code, taken.json()["type"]) == (400, "RuleBroken")
    assert count(Product) == 1


def test_a_product_with_history_is_deactivated_and_one_without_is_erased(manager, as_role, widget):
    fresh = manager.post(PRODUCTS, json={"sku": "N", "name": "New"}).json()
    admin = as_role("admin")
    assert manager.delete(address(fresh)).status_code == 403
    for product in (fresh, widget):
        answer = manager.delete(address(product), headers=admin)
        assert (answer.status_code, answer.content) == (204, b"")
    assert manager.get(address(fresh)).status_code == 404
    assert manager.get(address(widget)).json()["is_active"] is False
    assert manager.get(PRODUCTS).json() == []
    assert len(manager.get(f"{PRODUCTS}?include_inactive=true").json()) == 1
    assert manager.patch(address(widget), json={"is_active": True}).json()["is_active"] is True
    assert len(manager.get(PRODUCTS).json()) == 1


def test_a_known_sku_and_an_unknown_id_are_refused(manager, widget):  # noqa: ARG001
    again = manager.post(PRODUCTS, json=WIDGET | {"sku": "wdg-001"})
    assert (again.status_code, again.json()["error"], again.json()["type"]) == (
        400, "Bad Request", "RuleBroken",
    )  # fmt: skip
    assert "Widget A" in again.json()["detail"]
    unknown = f"{PRODUCTS}/{uuid.uuid4()}"
    assert manager.get(unknown).status_code == 404
    assert manager.put(unknown, json={"name": "x"}).status_code == 404
    assert manager.get(f"{PRODUCTS}/7").status_code == 422
    assert count(Product) == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("unit_cost", "12.99", "must be a number"),
        ("unit_cost", True, "must be a number"),
        ("unit_cost", -1, "greater than or equal to 0"),
        ("unit_cost", 0.00001, "4 decimals"),
        ("current_stock", -5, "greater than or equal to 0"),
        ("current_stock", 1234567890.12345, "decimals"),
        ("current_stock", 123456789012.3456, "15 significant digits"),
        ("current_stock", 999999999999999, "at most 15 digits"),
        ("reorder_threshold", [], "must be a number"),
        ("lead_time_days", 366, "less than or equal to 365"),
        ("lead_time_days", 1.5, "integer"),
        ("name", "", "at least 1 character"),
        ("name", "   ", "1 to 200 characters"),
        ("name", "x" * 201, "at most 200 characters"),
        ("name", "a\tb", "control characters"),
        ("sku", 7, "valid string"),
        ("barcode", "", "at least 1 character"),
        ("colour", "red", "is not known here"),
        ("warehouse_id", None, "is not known here"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(manager, field, value, said):
    answer = manager.post(PRODUCTS, json=WIDGET | {field: value})
    assert answer.status_code == 422
    problem = answer.json()
    assert set(problem) == {"error", "detail", "type", "fields"}
    assert said in problem["detail"]
    assert count(Product) == 0


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1e-400", "9" * 5000])
def test_numbers_that_are_none_are_refused(manager, number):
    body = '{"sku": "A", "name": "B", "unit_cost": %s}' % number  # noqa: UP031
    answer = manager.post(PRODUCTS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert count(Product) == 0


@pytest.mark.parametrize("text", [r"a\u0000b", r"\ud800"])
def test_texts_that_cannot_be_kept_are_refused(manager, text):
    body = '{"sku": "A", "name": "%s"}' % text  # noqa: UP031
    answer = manager.post(PRODUCTS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert manager.get(f"{PRODUCTS}?search=a%00b").status_code == 422
    assert count(Product) == 0


@pytest.mark.parametrize(
    "number", ["12345678901.2345", "0.0001", "99999999999.9999", "549755813887.9999"[1:]]
)
def test_fifteen_digits_come_back_as_they_were_sent(manager, number):
    body = '{"sku": "A", "name": "B", "current_stock": %s}' % number  # noqa: UP031
    answer = manager.post(PRODUCTS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    assert f'"current_stock":{number},' in answer.text


@pytest.mark.parametrize(
    "query",
    ["limit=1001", "limit=0", "skip=-1", "limit=x", "skip=99999999999999999999", "status=fine", "colour=red",
     "limit=1&limit=2", "search=" + "x" * 201],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(manager, query):
    assert manager.get(f"{PRODUCTS}?{query}").status_code == 422


def test_who_may_do_what(client, as_role):
    made = client.post(PRODUCTS, json=WIDGET, headers=as_role("admin")).json()
    for role, change, delete in (("viewer", 403, 403), ("user", 403, 403), ("manager", 200, 403)):
        headers = as_role(role)
        assert client.get(PRODUCTS, headers=headers).status_code == 200
        assert client.get(address(made), headers=headers).status_code == 200
        for method in (client.put, client.patch):
            assert method(address(made), json={"current_stock": 5}, headers=headers).status_code == change
        assert client.delete(address(made), headers=headers).status_code == delete
        expected = 403 if change == 403 else 400
        assert client.post(PRODUCTS, json=WIDGET, headers=headers).status_code == expected
    for call in (client.get(PRODUCTS), client.post(PRODUCTS, json=WIDGET), client.delete(address(made))):
        assert (call.status_code, call.json()["type"]) == (401, "NotSignedIn")


def test_a_shop_without_a_warehouse_says_what_to_do(manager):
    with transaction() as session:
        session.execute(sa.update(Warehouse).values(is_default=False))
    for answer in (manager.post(PRODUCTS, json=WIDGET), manager.post("/api/v1/items", json=WIDGET)):
        assert (answer.status_code, answer.json()["type"]) == (404, "NotFound")
        assert "create one first" in answer.json()["detail"]
    assert manager.post(PRODUCTS, json=WIDGET | {"current_stock": 0}).status_code == 201


# -- Retries -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_sixteen_copies_of_one_create_make_one_product(manager):
    key = {"Idempotency-Key": "till-7"}
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: manager.post(PRODUCTS, json=WIDGET, headers=key), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (count(Product), count(Movement)) == (1, 1)
    for other in ({"name": "Other"}, {"current_stock": 101}, {"sku": "OTHER"}, {"barcode": CODE}):
        assert manager.post(PRODUCTS, json=WIDGET | other, headers=key).status_code == 409, other


def test_a_retried_update_changes_nothing_a_second_time(manager, widget):
    key = {"Idempotency-Key": "u-1"}
    body = {"current_stock": 150, "name": "Widget B"}
    first = manager.put(address(widget), json=body, headers=key)
    assert manager.put(address(widget), json=body, headers=key).content == first.content
    manager.put(address(widget), json={"current_stock": 30, "name": "Widget C"})
    later = manager.put(address(widget), json=body, headers=key)
    assert (later.json()["current_stock"], later.json()["name"]) == (30, "Widget C")
    assert manager.put(address(widget), json=body | {"name": "X"}, headers=key).status_code == 409
    for wrong in ("", "x" * 256):
        assert manager.put(address(widget), json=body, headers={"Idempotency-Key": wrong}).status_code == 422


def test_a_product_comes_back_together_with_its_stock_and_a_retry_does_not_bring_it_back_again(
    manager, as_role, widget
):
    manager.delete(address(widget), headers=as_role("admin"))
    key = {"Idempotency-Key": "back"}
    body = {"is_active": True, "current_stock": 130}
    answer = manager.put(address(widget), json=body, headers=key)
    assert (answer.status_code, answer.json()["is_active"], answer.json()["current_stock"]) == (
        200,
        True,
        130,
    )
    manager.delete(address(widget), headers=as_role("admin"))
    assert manager.put(address(widget), json=body, headers=key).json()["is_active"] is False


@pytest.mark.usefixtures("clone")  # requests at the same time
def test_totals_set_by_many_at_once_end_at_one_of_them(manager, widget):
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: manager.put(address(widget), json={"current_stock": 200 + n}), range(8))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert manager.get(address(widget)).json()["current_stock"] in range(200, 208)
