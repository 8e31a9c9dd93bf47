"""The HTTP contract, row by row: what is there, who may, what comes back, and what a refusal looks like.

What a row promises in depth (races, arithmetic, throttles) is held by the tests of its router.
"""

import re
import uuid

import pytest
import sqlalchemy as sa

from core.rights import RIGHTS
from db.models import Movement, Posting
from db.session import reading, transaction
from tests import makers

V1 = "/api/v1"
UNKNOWN = "8c67f7dd-e119-4321-a67c-15069b1ed2ee"  # the same in every process: it is in the names of tests

# Every endpoint of the contract with the weakest role that may use it; None needs no token.
CONTRACT = {
    **dict.fromkeys(
        ["POST /auth/register", "POST /auth/login", "POST /auth/refresh"], None),
    **dict.fromkeys(
        ["POST /auth/logout", "GET /auth/me", "GET /products", "GET /products/{}", "GET /products/{}/vendors",
         "GET /items", "GET /items/{}", "GET /warehouses", "GET /warehouses/{}", "GET /inventory/movements",
         "GET /inventory/products/{}/history", "GET /inventory-transactions",
         "GET /inventory-transactions/{}",
         "GET /barcode/lookup/{}", "GET /predictions/batch", "GET /predictions/{}",
         "GET /predictions/{}/data-summary", "GET /vendors", "GET /vendors/{}", "GET /alerts",
         "GET /alerts/settings", "GET /ml/export", "GET /anomalies", "GET /metrics", "GET /orders",
         "GET /orders/{}", "GET /reorder"], "viewer"),
    **dict.fromkeys(
        ["POST /inventory/adjust", "POST /inventory-transactions", "POST /barcode/scan", "POST /barcode/link",
         "POST /barcode/decode", "POST /orders/{}/receive", "POST /alerts/{}/acknowledge"], "user"),
    **dict.fromkeys(
        ["POST /products", "PUT /products/{}", "PATCH /products/{}", "POST /items", "PATCH /items/{}",
         "POST /warehouses", "PATCH /warehouses/{}", "PATCH /inventory-transactions/{}", "POST /vendors",
         "PUT /vendors/{}", "POST /vendors/{}/prices", "PUT /vendors/{}/prices/{}",
         "DELETE /vendors/{}/prices/{}", "POST /predictions/train", "DELETE /predictions/{}/cache",
         "PUT /alerts/settings", "POST /alerts/{}/resolve", "POST /ml/score", "POST /anomalies/{}/accept",
         "POST /anomalies/{}/dismiss", "POST /orders", "PATCH /orders/{}", "POST /orders/{}/send",
         "POST /orders/{}/cancel"], "manager"),
    **dict.fromkeys(
        ["DELETE /products/{}", "DELETE /items/{}", "DELETE /warehouses/{}", "DELETE /vendors/{}",
         "DELETE /inventory-transactions/{}"], "admin"),
}  # fmt: skip
OUTSIDE = {"GET /health", "GET /health/live", "GET /health/ready", "GET /metrics"}
# Beyond the contract; each has its own test.
MORE = {
    "GET /auth/browser", "GET /predictions/report", "GET /vendors/{}/prices", "GET /reorder/summary",
    "POST /orders/{}/mail", "POST /orders/{}/give-up", "POST /anomalies/{}/undo", "GET /downloads/{}",
}  # fmt: skip
CREATES = {
    "POST /auth/register", "POST /products", "POST /items", "POST /warehouses", "POST /inventory/adjust",
    "POST /inventory-transactions", "POST /vendors", "POST /vendors/{}/prices", "POST /orders",
}  # fmt: skip
LISTS = [
    "/products", "/items", "/warehouses", "/inventory/movements", "/inventory-transactions", "/vendors",
    "/predictions/batch", "/alerts", "/anomalies", "/orders", "/reorder",
    "/inventory/products/{product}/history",
    "/products/{product}/vendors", "/vendors/{vendor}/prices",
]  # fmt: skip
FIELDS = {
    "Product": "id sku name description category unit_of_measure unit_cost reorder_threshold barcode "
    "current_stock stock_status predicted_depletion_date is_active created_at updated_at",
    "Warehouse": "id code name location is_active",
    "Tokens": "access_token refresh_token token_type expires_in user",
    "User": "id email full_name role is_active created_at",
    "Movement": "id product_id quantity reason previous_stock new_stock warehouse_id",
    "Transaction": "id item_id warehouse_id transaction_type quantity unit_price total_amount reference_type "
                   "reference_id notes counterpart_id replaces_id reversed_by_id",
    "Meaning": "found product_id product_name current_stock external_info",
    "Price": "unit_price lead_time_days minimum_order_quantity price_steps",
    "VendorRow": "unit_price lead_time_days minimum_order_quantity price_steps is_recommended reason",
    "AlertSettings": "alert_threshold_days low_stock_enabled predicted_depletion_enabled "
    "notify_emails notify_webhook notify_severity",
    "ExportPage": "rows total_count offset limit has_more",
    "ExportRow": "transaction_id item_id item_sku item_category warehouse_id warehouse_code transaction_type "
    "quantity unit_price total_amount created_at recorded_at created_at_ts",
    "Scores": "results model_loaded",
    "Score": "transaction_id anomaly_score cluster_id is_anomaly",
    "Problem": "error detail type",
    "InputProblem": "error detail type fields",
}  # fmt: skip


def short(method: str, path: str) -> str:
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"


@pytest.fixture(scope="session")
def document(app):
    return app.openapi()


@pytest.fixture
def operations(document):
    """Operation by its name in the contract."""
    return {
        short(method, path.removeprefix(V1) if path.startswith(V1) else f"!{path}"): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@pytest.fixture
def world(client, as_role):
    """A product with ten pieces, two warehouses, a vendor who offers it, and one call for all."""

    class World:
        def __init__(self):
            with transaction() as session:
                self.product = str(makers.a_product(session, 10, sku="W-1", name="Widget").uid)
                self.main = str(makers.the_warehouse(session).uid)
                self.north = str(makers.a_warehouse(session, "NORTH").uid)
                vendor = makers.a_vendor(session)
                makers.an_offer(session, makers.a_product(session, 0, sku="W-2"), vendor)
                self.vendor = str(vendor.uid)

        def __call__(self, method, path, body=None, role="admin", **headers):
            path = path.format(product=self.product, vendor=self.vendor)
            return client.request(method, V1 + path, json=body, headers=as_role(role) | headers)

        def stock(self) -> float:
            return self("GET", "/products/{product}").json()["current_stock"]

    return World()


def count(table) -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))


# -- Endpoints, roles, fields --------------------------------------------------------------------------------


def test_every_endpoint_of_the_contract_is_there_and_no_other_one_unknown_to_it(operations):
    ours = {name for name in operations if "!" not in name}
    assert ours - MORE == set(CONTRACT)
    assert {name.replace("!", "") for name in operations if "!" in name} == OUTSIDE


def test_each_endpoint_is_for_the_roles_of_the_contract(operations):
    found = {name: operations[name]["x-right"] for name in CONTRACT}
    assert {name: None if right == "public" else RIGHTS[right] for name, right in found.items()} == CONTRACT


def test_creates_answer_201_deletes_204_and_everything_else_200_or_202_with_a_job(operations):
    for name, operation in operations.items():
        good = {status for status in operation["responses"] if status.startswith("2")}
        expected = {"201"} if name in CREATES else {"204"} if name.startswith("DELETE") else {"200"}
        if name == "POST /predictions/train":
            expected = {"200", "202"}
        if name == "GET /auth/browser":  # the proxy reads its status alone
            expected = {"204"}
        assert good == expected, name


def test_the_fields_of_the_contract_are_answered(document):
    schemas = document["components"]["schemas"]
    for model, fields in FIELDS.items():
        assert set(fields.split()) <= set(schemas[model]["properties"]), model


def test_every_write_that_moves_stock_takes_an_idempotency_key(operations):
    taking = {
        name for name, operation in operations.items()
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
    }  # fmt: skip
    assert taking == {
        "POST /inventory/adjust", "POST /inventory-transactions", "PATCH /inventory-transactions/{}",
        "DELETE /inventory-transactions/{}", "POST /products", "PUT /products/{}", "PATCH /products/{}",
        "POST /items", "PATCH /items/{}", "POST /orders/{}/receive", "POST /anomalies/{}/accept",
        "POST /anomalies/{}/undo",
    }  # fmt: skip


def test_a_route_with_slow_work_holds_no_session_while_it_works(app):
    """FastAPI keeps one dependant for equal calls: `NeedsAlone` must not be taken for `Needs`."""
    from api import deps
    from api.routes import _all

    alone = {"/predictions/{product_id}", "/predictions/train", "/predictions/{product_id}/cache",
             "/barcode/decode", "/barcode/scan", "/barcode/lookup/{barcode:path}",
             "/ml/score", "/orders/{order_id}/mail"}  # fmt: skip
    found = {route.path.removeprefix(V1): route for route in app.state.routes}
    for path in alone:
        assert deps.door not in [one.call for one in _all(found[path].dependant)], path


# -- Lists ---------------------------------------------------------------------------------------------------


def test_lists_are_arrays_that_page_and_say_how_many_there_are_in_all(world):
    """A thousand at most, never clamped; the count is exact whatever the page."""
    world("POST", "/orders", {"vendor_id": world.vendor})
    for path in LISTS:
        whole = world("GET", path, role="viewer")
        assert (whole.status_code, type(whole.json())) == (200, list), path
        total = len(whole.json())
        assert whole.headers["x-total-count"] == str(total), path
        for page in ("skip=0&limit=1", "skip=1&limit=1000", f"skip={total}", "skip=2147483648"):
            answer = world("GET", f"{path}?{page}")
            assert answer.headers["x-total-count"] == str(total), (path, page)
            asked = dict(one.split("=") for one in page.split("&"))
            skip, limit = int(asked["skip"]), int(asked.get("limit", 100))
            assert answer.json() == whole.json()[skip : skip + limit], (path, page)
        for page in ("limit=1001", "limit=0", "limit=-1", "skip=-1", "skip=9223372036854775808", "limit=1_0",
                     "limit=%EF%BC%91", "limit=+1", "limit=1&limit=1", "page=2"):  # fmt: skip
            assert world("GET", f"{path}?{page}").status_code == 422, (path, page)


def test_movements_come_newest_first_and_ascend_behind_a_cursor(world):
    for quantity in (1, 2, 3):
        world("POST", "/inventory/adjust", {"product_id": world.product, "quantity": quantity, "reason": "r"})
    for path in ("/inventory/movements", "/inventory-transactions", "/inventory/products/{product}/history"):
        ids = [row["id"] for row in world("GET", path).json()]
        assert all(type(one) is int for one in ids)
        assert ids == sorted(ids, reverse=True)
        assert [row["id"] for row in world("GET", f"{path}?after={ids[-1]}").json()] == ids[-2::-1]
        assert [row["id"] for row in world("GET", f"{path}?after=0&limit=2").json()] == ids[:-3:-1]


# -- Ids, numbers, times -------------------------------------------------------------------------------------


def test_ids_are_uuids_times_end_with_z_and_numbers_are_plain(world):
    told = world("GET", "/products/{product}")
    assert str(uuid.UUID(told.json()["id"])) == world.product
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", told.json()["created_at"])
    world("PATCH", "/products/{product}", {"unit_cost": 12.99, "reorder_threshold": 100})
    text = world("GET", "/products/{product}").text
    assert '"unit_cost":12.99,' in text
    assert '"reorder_threshold":100,' in text
    for wrong in (1234567890123456, 0.00001, "12"):
        refused = world("PATCH", "/products/{product}", {"unit_cost": wrong})
        assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "body.unit_cost")


# -- Refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "role", "status", "kind"),
    [
        ("GET", "/products", None, None, 401, "NotSignedIn"),
        ("POST", "/products", {}, "viewer", 403, "NotAllowed"),
        ("POST", "/barcode/scan", {"barcode": "1"}, "viewer", 403, "NotAllowed"),
        ("POST", "/alerts/" + UNKNOWN + "/resolve", None, "user", 403, "NotAllowed"),
        ("DELETE", "/products/" + UNKNOWN, None, "manager", 403, "NotAllowed"),
        ("GET", "/products/" + UNKNOWN, None, "viewer", 404, "NotFound"),
        ("GET", "/no-such-address", None, "viewer", 404, "NotFound"),
        ("PUT", "/products", {}, "admin", 405, "MethodNotAllowed"),
        ("POST", "/products", {"sku": "w-1", "name": "x"}, "manager", 400, "RuleBroken"),
        ("POST", "/products", {"sku": "N", "name": "x", "colour": 1}, "manager", 422, "ValidationError"),
        ("GET", "/products?colour=1", None, "viewer", 422, "ValidationError"),
        ("GET", "/predictions/{product}", None, "viewer", 400, "TooLittleHistory"),
        ("GET", "/products/7", None, "viewer", 422, "ValidationError"),
    ],
)
def test_a_refusal_has_the_status_and_the_body_of_the_contract(
    client, world, method, path, body, role, status, kind
):
    if role is None:
        answer = client.request(method, V1 + path)
    else:
        answer = world(method, path, body, role)
    said = answer.json()
    assert (answer.status_code, said["type"]) == (status, kind)
    assert set(said) == {"error", "detail", "type"} | ({"fields"} if status == 422 else set())
    assert all(isinstance(said[name], str) for name in ("error", "detail", "type"))
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_stock_below_zero_is_refused_with_the_figures_and_nothing_is_booked(world):
    before = count(Movement)
    body = {"product_id": world.product, "quantity": -11, "reason": "sold"}
    refused = world("POST", "/inventory/adjust", body, "user")
    assert (refused.status_code, refused.json()["type"]) == (400, "InsufficientStock")
    assert "11" in refused.json()["detail"]
    assert "10" in refused.json()["detail"]
    assert world("POST", "/inventory/adjust", body | {"quantity": 0}, "user").status_code == 422
    assert (count(Movement), world.stock()) == (before, 10)


# -- Stock and warehouses ------------------------------------------------------------------------------------


def test_without_a_warehouse_the_default_one_is_meant_and_put_books_the_difference_there(world):
    made = world("POST", "/products", {"sku": "NEW", "name": "New", "current_stock": 5}).json()
    (opening,) = world("GET", f"/inventory/movements?product_id={made['id']}").json()
    assert (opening["warehouse_id"], opening["reason_code"], opening["quantity"]) == (
        world.main,
        "opening",
        5,
    )
    there = {"product_id": made["id"], "quantity": 3, "reason": "r", "warehouse_id": world.north}
    world("POST", "/inventory/adjust", there)
    assert world("PUT", f"/products/{made['id']}", {"current_stock": 10}).json()["current_stock"] == 10
    newest = world("GET", f"/inventory/movements?product_id={made['id']}").json()[0]
    assert (newest["warehouse_id"], newest["quantity"]) == (world.main, 2)
    refused = world("PUT", f"/products/{made['id']}", {"current_stock": 1})
    assert refused.status_code == 400
    assert all(word in refused.json()["detail"] for word in ("MAIN", "NORTH", "7", "3"))


def test_a_negative_adjustment_is_an_issue_and_a_positive_one_a_receipt(world):
    for quantity, code in ((-1, "issue"), (1, "receipt")):
        body = {"product_id": world.product, "quantity": quantity, "reason": "r"}
        told = world("POST", "/inventory/adjust", body, "user")
        assert (told.status_code, told.json()["reason_code"]) == (201, code)
        assert told.json()["new_stock"] - told.json()["previous_stock"] == quantity


def test_transactions_are_corrected_by_new_ones_and_stay_readable(world):
    book = {
        "item_id": world.product,
        "transaction_type": "transfer",
        "quantity": 4,
        "to_warehouse_id": world.north,
    }
    sent = world("POST", "/inventory-transactions", book, "user").json()
    leg = world("GET", f"/inventory-transactions/{sent['counterpart_id']}").json()
    assert (sent["change"], leg["change"], leg["counterpart_id"]) == (-4, 4, sent["id"])
    for wrong in ({"quantity": -4}, {"quantity": 0}, {"to_warehouse_id": None}):
        assert world("POST", "/inventory-transactions", book | wrong).status_code == 422, wrong
    new = world("PATCH", f"/inventory-transactions/{sent['id']}", {"quantity": 3}, "manager")
    assert (new.status_code, new.json()["replaces_id"]) == (200, sent["id"])
    assert new.json()["id"] != sent["id"]
    words = world("PATCH", f"/inventory-transactions/{new.json()['id']}", {"notes": "late"}, "manager").json()
    assert (words["id"], words["notes"]) == (new.json()["id"], "late")
    assert world("DELETE", f"/inventory-transactions/{words['id']}").status_code == 204
    assert world("GET", f"/inventory-transactions/{words['id']}").json()["reversed_by_id"]
    assert world("DELETE", f"/inventory-transactions/{words['id']}").status_code == 400
    assert world.stock() == 10


def test_a_product_with_history_is_deactivated_and_one_without_is_erased(world):
    made = world("POST", "/items", {"sku": "GONE", "name": "Gone"}).json()
    for product, left in ((world.product, 200), (made["id"], 404)):
        assert world("DELETE", f"/items/{product}").status_code == 204
        assert world("GET", f"/products/{product}").status_code == left
    assert world("GET", "/products/{product}").json()["is_active"] is False


# -- Retries -------------------------------------------------------------------------------------------------


def writes(world) -> list[tuple[str, str, dict | None, dict | None]]:
    """Every write that moves stock: method, path, body, and another body (None: there is none)."""
    moved = {"product_id": world.product, "quantity": -1, "reason": "r"}
    booked = {"item_id": world.product, "transaction_type": "out", "quantity": 1}
    numbers = iter(world("POST", "/inventory-transactions", booked).json()["id"] for _ in range(2))
    lines = [{"product_id": world.product, "quantity": 5, "unit_price": 1}]
    order = world("POST", "/orders", {"vendor_id": world.vendor, "lines": lines})
    world("POST", f"/orders/{order.json()['id']}/send")
    line = order.json()["lines"][0]["id"]
    arrived = [{"lines": [{"line_id": line, "quantity": quantity}]} for quantity in (1, 2)]
    new = {"name": "New", "current_stock": 2}
    return [
        ("POST", "/inventory/adjust", moved, moved | {"quantity": -2}),
        ("POST", "/inventory-transactions", booked, booked | {"quantity": 2}),
        ("PATCH", f"/inventory-transactions/{next(numbers)}", {"quantity": 2}, {"quantity": 3}),
        ("DELETE", f"/inventory-transactions/{next(numbers)}", None, None),
        ("POST", "/products", new | {"sku": "N-1"}, new | {"sku": "N-2"}),
        ("PUT", "/products/{product}", {"current_stock": 30}, {"current_stock": 31}),
        ("PATCH", "/products/{product}", {"current_stock": 40}, {"current_stock": 41}),
        ("POST", "/items", new | {"sku": "N-3"}, new | {"sku": "N-4"}),
        ("PATCH", "/items/{product}", {"current_stock": 50}, {"current_stock": 51}),
        ("POST", f"/orders/{order.json()['id']}/receive", *arrived),
    ]


def test_a_key_makes_each_stock_write_happen_once_and_belongs_to_one_person_and_one_body(world):
    for number, (method, path, body, other) in enumerate(writes(world)):
        key = {"Idempotency-Key": f"till-{number}"}
        first = world(method, path, body, **key)
        assert first.status_code in (200, 201, 204), (method, path, first.text)
        booked, stock = count(Posting), world.stock()
        again = world(method, path, body, **key)
        assert (again.status_code, again.content) == (first.status_code, first.content), (method, path)
        assert (count(Posting), world.stock()) == (booked, stock), (method, path)
        if other is not None:
            refused = world(method, path, other, **key)
            assert (refused.status_code, refused.json()["type"]) == (409, "KeyReused"), (method, path)
        assert (count(Posting), world.stock()) == (booked, stock), (method, path)


def test_a_header_that_is_given_twice_is_refused(client, world, as_role):
    token = as_role("admin")["Authorization"]
    body = {"product_id": world.product, "quantity": 1, "reason": "r"}
    before = count(Posting)
    for headers, status in (
        ([("Authorization", token), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")], 422),
        ([("Authorization", token), ("Idempotency-Key", "a"), ("idempotency-key", "a")], 422),
        ([("Authorization", token), ("Idempotency-Key", "")], 422),
        ([("Authorization", token), ("Idempotency-Key", "x" * 256)], 422),
        ([("Authorization", token), ("Authorization", token)], 401),
        ([("Authorization", token), ("authorization", "Bearer x")], 401),
    ):
        answer = client.post(f"{V1}/inventory/adjust", json=body, headers=headers)
        assert (answer.status_code, set(answer.json()) >= {"error", "detail", "type"}) == (status, True)
    assert count(Posting) == before
