"""Purchase orders over HTTP: drafted, sent, received in parts, given up, cancelled."""

import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.buying.order_mail import Smtp
from db.models import Movement
from db.session import reading, transaction
from tests import makers

ORDERS = "/api/v1/orders"


@pytest.fixture
def world(client, as_role):
    """Callers of the roles, and a vendor that offers a product at two prices."""

    class World:
        def __init__(self):
            with transaction() as session:
                self.product = makers.a_product(session, 5)
                self.vendor = makers.a_vendor(session, email="orders@vendor.example", order_minimum=100)
                makers.an_offer(session, self.product, self.vendor, prices={1: "2.1", 50: "1.9"})
                self.place = makers.the_warehouse(session)

        def call(self, method, path="", body=None, role="manager", **headers):
            return client.request(method, f"{ORDERS}{path}", json=body, headers=as_role(role) | headers)

        def line(self, quantity=10, **about):
            return {"product_id": str(self.product.uid), "quantity": quantity} | about

        def draft(self, *lines, **about):
            body = {"vendor_id": str(self.vendor.uid), "lines": list(lines) or [self.line()]} | about
            answer = self.call("POST", body=body)
            assert answer.status_code == 201, answer.text
            return answer.json()

        def sent(self, *lines):
            made = self.draft(*lines)
            answer = self.call("POST", f"/{made['id']}/send")
            assert answer.status_code == 200, answer.text
            return answer.json()

    return World()


def test_a_draft_has_the_prices_of_the_offer_and_says_what_looks_odd(world):
    made = world.draft(note="Ramp 2")
    assert (made["state"], made["total"], made["note"]) == ("draft", 21, "Ramp 2")
    assert made["number"].startswith("PO-")
    assert made["missing_to_minimum"] == 79
    assert any("short of the order minimum" in said for said in made["warnings"])
    (line,) = made["lines"]
    assert (line["unit_price"], line["product_id"]) == (2.1, str(world.product.uid))
    assert line["warehouse_id"] == str(world.place.uid)
    assert world.call("GET", f"/{made['id']}", role="viewer").json() == made


def test_the_fields_and_lines_of_a_draft_change_and_those_of_a_sent_order_stand(world):
    made = world.draft()
    body = {"lines": [world.line(60, note="blue")], "freight": 4.5, "vendor_reference": "X-1"}
    changed = world.call("PATCH", f"/{made['id']}", body).json()
    assert (changed["goods"], changed["freight"], changed["total"]) == (114, 4.5, 118.5)
    assert world.call("PATCH", f"/{made['id']}", {}).json() == changed
    world.call("POST", f"/{made['id']}/send")
    for body in ({"lines": []}, {"freight": 1}, {"expected_on": None}):
        assert world.call("PATCH", f"/{made['id']}", body).status_code in (400, 422), body
    later = world.call("PATCH", f"/{made['id']}", {"expected_on": "2027-01-04", "note": None}).json()
    assert later["lines"][0]["expected_on"] == "2027-01-04"
    assert later["lines"][0]["promised_on"] != "2027-01-04"


def test_sending_counts_and_receiving_in_parts_books(world):
    order = world.sent()
    (line,) = order["lines"]
    body = {"lines": [{"line_id": line["id"], "quantity": 4}]}
    first = world.call("POST", f"/{order['id']}/receive", body, role="user", **{"Idempotency-Key": "k"})
    assert (first.status_code, first.json()["state"]) == (200, "partly_received")
    again = world.call("POST", f"/{order['id']}/receive", body, role="user", **{"Idempotency-Key": "k"})
    assert again.json()["lines"][0]["received"] == 4
    other = {"lines": [{"line_id": line["id"], "quantity": 5}]}
    reused = world.call("POST", f"/{order['id']}/receive", other, role="user", **{"Idempotency-Key": "k"})
    assert (reused.status_code, reused.json()["type"]) == (409, "KeyReused")
    rest = world.call("POST", f"/{order['id']}/receive", {}, role="user").json()
    assert (rest["state"], rest["lines"][0]["open"], len(rest["receipts"])) == ("received", 0, 2)
    with reading() as session:
        booked = session.execute(
            sa.select(Movement.change, Movement.unit_price).where(Movement.reference_id == order["number"])
        ).all()
    assert sorted(row.change for row in booked) == [4, 6]
    assert float(booked[0].unit_price) == 2.1
    assert world.call("POST", f"/{order['id']}/receive", {}, role="user").status_code == 400


def test_deleting_the_movement_of_a_receipt_opens_the_order_again(client, as_role, world):
    order = world.sent()
    done = world.call("POST", f"/{order['id']}/receive", {}).json()
    movement = done["receipts"][0]["movement_id"]
    path = f"/api/v1/inventory-transactions/{movement}"
    refused = client.patch(path, json={"quantity": 3}, headers=as_role("manager"))
    assert (refused.status_code, refused.json()["type"]) == (400, "RuleBroken")
    assert order["number"] in refused.json()["detail"]
    assert client.delete(path, headers=as_role("admin")).status_code == 204
    assert client.delete(path, headers=as_role("admin")).status_code == 400
    now = world.call("GET", f"/{order['id']}").json()
    assert (now["state"], now["lines"][0]["open"]) == ("sent", 10)
    assert now["receipts"][0]["undone_at"] is not None


def test_what_does_not_come_is_given_up_or_cancelled(world):
    order = world.sent()
    (line,) = order["lines"]
    body = {"lines": [{"line_id": line["id"], "quantity": 4}]}
    world.call("POST", f"/{order['id']}/receive", body)
    done = world.call("POST", f"/{order['id']}/give-up", {"because": "sold out"}).json()
    assert (done["state"], done["lines"][0]["given_up"]) == ("received", 6)
    other = world.sent()
    gone = world.call("POST", f"/{other['id']}/cancel?because=too%20late").json()
    assert (gone["state"], gone["cancelled_because"]) == ("cancelled", "too late")
    assert world.call("POST", f"/{other['id']}/cancel").status_code == 400
    assert world.call("POST", f"/{other['id']}/send").status_code == 400


def test_lists_page_and_filter(world):
    numbers = [world.draft()["number"] for _ in range(3)]
    sent = world.sent()
    found = world.call("GET", "?limit=2", role="viewer")
    assert [row["number"] for row in found.json()] == [sent["number"], numbers[2]]
    assert found.headers["X-Total-Count"] == "4"
    assert world.call("GET", "?limit=2&skip=7").headers["X-Total-Count"] == "4"
    for query, count in (("state=sent", 1), (f"vendor_id={world.vendor.uid}", 4), ("late=true", 0),
                         (f"product_id={world.product.uid}", 4), (f"search={numbers[0]}", 1)):  # fmt: skip
        assert len(world.call("GET", f"?{query}").json()) == count, query
    for query, status in (("state=lost", 422), (f"vendor_id={uuid.uuid4()}", 404),
                          (f"product_id={uuid.uuid4()}", 404)):  # fmt: skip
        assert world.call("GET", f"?{query}").status_code == status, query


def test_nothing_is_mailed_without_a_mail_server(world):
    order = world.sent()
    refused = world.call("POST", f"/{order['id']}/mail", {})
    assert (refused.status_code, refused.json()["type"]) == (400, "RuleBroken")
    assert "No mail server" in refused.json()["detail"]


def test_a_mail_server_that_is_away_is_said_and_the_order_stays_sent(client, world):
    smtp = Smtp("127.0.0.1", 1, None, None, "orders@shop.example", starttls=False)
    client.app.state.settings = replace(client.app.state.settings, smtp=smtp)
    order = world.sent()
    failed = world.call("POST", f"/{order['id']}/mail", {})
    assert (failed.status_code, failed.json()["type"]) == (503, "MailFailed")
    assert "Retry-After" in failed.headers
    assert world.call("POST", f"/{order['id']}/mail", {"to": "a@b.de\nBcc: c@d.de"}).status_code == 422
    assert world.call("POST", f"/{order['id']}/mail", {"to": "a@b.de, c@d.de"}).status_code == 422
    now = world.call("GET", f"/{order['id']}").json()
    assert (now["state"], now["mailed_at"], now["mailed_to"]) == ("sent", None, None)
    assert world.call("POST", f"/{uuid.uuid4()}/mail", {}).status_code == 404
    assert world.call("POST", f"/{order['id']}/mail", {}, role="user").status_code == 403


def test_staff_receives_and_managers_order(world):
    order = world.sent()
    body = {"vendor_id": str(world.vendor.uid)}
    assert world.call("POST", "", body, role="user").status_code == 403
    for path in ("send", "cancel"):
        assert world.call("POST", f"/{order['id']}/{path}", role="user").status_code == 403
    assert world.call("POST", f"/{order['id']}/receive", {}, role="viewer").status_code == 403
    assert world.call("POST", f"/{order['id']}/receive", {}, role="user").status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"quantity": 0}, {"quantity": -1}, {"quantity": "3"}, {"quantity": 1e14}, {"quantity": 0.00001},
     {"unit_price": -1}, {"unit_price": 99999999999}, {"expected_on": 7}, {"expected_on": "2020-01-01"},
     {"expected_on": "9999-12-31"}, {"note": "x" * 301}, {"note": "a\x00"}, {"colour": "red"}],
    ids=str,
)  # fmt: skip
def test_lines_that_cannot_be_meant_are_refused(world, change):
    body = {"vendor_id": str(world.vendor.uid), "lines": [world.line() | change]}
    assert world.call("POST", body=body).status_code == 422
    assert world.call("GET").json() == []


def test_a_line_of_another_order_does_not_arrive(world):
    order, other = world.sent(), world.sent()
    wrong = {"lines": [{"line_id": other["lines"][0]["id"], "quantity": 1}]}
    assert world.call("POST", f"/{order['id']}/receive", wrong).status_code == 404
    twice = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": n} for n in (1, 2)]}
    assert world.call("POST", f"/{order['id']}/receive", twice).status_code == 422
    nothing = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": 0}]}
    assert world.call("POST", f"/{order['id']}/receive", nothing).status_code == 422


def test_ids_that_nobody_has_are_404(world):
    asked = [("GET", "", None), ("PATCH", "", {}), ("POST", "/send", None), ("POST", "/receive", {}),
             ("POST", "/give-up", {}), ("POST", "/cancel", None)]  # fmt: skip
    for method, path, body in asked:
        assert world.call(method, f"/{uuid.uuid4()}{path}", body).status_code == 404, path
        assert world.call(method, f"/7{path}", body).status_code == 422, path
