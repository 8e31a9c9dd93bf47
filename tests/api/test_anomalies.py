"""Odd movements over HTTP: listed, repaired, dismissed, and all of it taken back."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest

from core import auth, corrections
from db.models import Finding
from db.session import reading, transaction
from tests import makers

ANOMALIES = "/api/v1/anomalies"


class Shop:
    """Three findings in a shop with two places; `ids` by product."""

    def __init__(self) -> None:
        with transaction() as session:
            makers.a_warehouse(session, "NORTH")
            self.products = [makers.a_product(session, 5_000, sku=f"ODD-{n}") for n in range(3)]
            rest = (
                {"money_at_risk": 90, "listed": "money"},
                {"kind": "unknown", "field": "none", "repair": {}, "money_at_risk": 70},
            )
            found = [
                makers.a_finding(session, product, **about)
                for product, about in zip(self.products, ({}, *rest), strict=True)
            ]
            self.ids = [str(finding.uid) for finding in found]
            self.movements = [finding.movement_id for finding in found]
            self.found_on = found[0].found_on

    def another(self, **about) -> str:
        """One more finding, of the first product; answers its id."""
        with transaction() as session:
            product = makers.a_product(session, 5_000, **about.pop("product", {}))
            return str(makers.a_finding(session, product, **about).uid)


@pytest.fixture
def shop(client):  # noqa: ARG001
    return Shop()


@pytest.fixture
def manager(client, as_role, shop):  # noqa: ARG001
    """The API with a manager's token."""
    client.headers.update(as_role("manager"))
    return client


def on_hand(client, product) -> float:
    return client.get(f"/api/v1/products/{product.uid}").json()["current_stock"]


def test_a_finding_says_what_is_odd_and_what_would_put_it_right(manager, shop):
    (first, *_) = manager.get(ANOMALIES).json()
    dated = ("created_at", "raised_at", "found_on", "warehouse_id", "created_by", "message")
    assert all(first.pop(name) for name in dated)
    assert first == {
        "id": shop.ids[0], "transaction_id": shop.movements[0], "state": "open", "listed": "likely",
        "kind": "times_pack", "anomaly_score": 0.92, "cluster_id": None, "money_at_risk": 5500,
        "product_id": str(shop.products[0].uid), "product_sku": "ODD-0",
        "product_name": shop.products[0].name, "warehouse_code": "MAIN", "quantity": -1200,
        "unit_price": None, "repair": {"field": "quantity", "from": -1200, "to": -100}, "can_accept": True,
        "decided_by": None, "decided_at": None, "dismissed_as": None, "note": None, "replaced_by_id": None,
    }  # fmt: skip


def test_the_list_is_narrowed_and_pages(manager, shop):
    def ids(query: str) -> list[int]:
        answer = manager.get(f"{ANOMALIES}?{query}")
        assert answer.status_code == 200, answer.text
        return [shop.ids.index(found["id"]) for found in answer.json()]

    manager.post(f"{ANOMALIES}/{shop.ids[2]}/dismiss", json={"reason": "real"})
    assert ids("") == [0, 1, 2]  # the most money at risk first
    assert sorted(ids("state=open")) == [0, 1]
    assert ids("state=dismissed") == [2]
    assert ids("state=accepted") == []
    assert ids("listed=money") == [1]
    assert ids("kind=unknown") == [2]
    assert ids(f"product_id={shop.products[1].uid}") == [1]
    places = {place["code"]: place["id"] for place in manager.get("/api/v1/warehouses").json()}
    assert len(ids(f"warehouse_id={places['MAIN']}")) == 3
    assert ids(f"warehouse_id={places['NORTH']}") == []
    day, next_day = shop.found_on, shop.found_on + timedelta(days=1)
    assert len(ids(f"from={day}&to={day}")) == 3
    assert ids(f"from={next_day}") == []
    assert ids(f"from={next_day}&to={day}") == []
    assert ids("skip=2&limit=1") == [2]
    assert manager.get(f"{ANOMALIES}?skip=2&limit=1").headers["X-Total-Count"] == "3"
    assert ids("skip=3") == ids("skip=2147483648") == []
    assert len(ids("from=0001-01-01&to=9999-12-31")) == 3


def test_a_question_that_makes_no_sense_is_refused(manager):
    for query in (
        "state=closed", "state=open&state=lapsed", "kind=typo", "listed=all", "product_id=1", "from=today",
        "to=2024-02-30", "limit=1001", "sort=score", "warehouse_id=%00", "state=",
    ):  # fmt: skip
        assert manager.get(f"{ANOMALIES}?{query}").status_code == 422, query
    assert manager.get(f"{ANOMALIES}?product_id={uuid.uuid4()}").status_code == 404
    assert manager.get(f"{ANOMALIES}?warehouse_id={uuid.uuid4()}").status_code == 404


def test_accepting_books_the_repair_and_undoing_books_the_figures_as_they_were(manager, shop):
    address, product = f"{ANOMALIES}/{shop.ids[0]}", shop.products[0]
    assert on_hand(manager, product) == 3_800
    accepted = manager.post(f"{address}/accept")
    assert accepted.status_code == 200, accepted.text
    told = accepted.json()
    reversal, entry = told["transaction_ids"]
    assert (told["state"], told["replaced_by_id"], told["can_accept"]) == ("accepted", entry, False)
    assert told["decided_by"]
    assert on_hand(manager, product) == 4_900
    transactions = "/api/v1/inventory-transactions"
    assert manager.get(f"{transactions}/{reversal}").json()["reverses_id"] == shop.movements[0]
    assert manager.get(f"{transactions}/{entry}").json()["change"] == -100
    again = manager.post(f"{address}/accept")
    assert (again.status_code, again.json()["type"]) == (400, "RuleBroken")

    undone = manager.post(f"{address}/undo")
    assert undone.status_code == 200, undone.text
    told = undone.json()
    assert (told["state"], told["decided_by"], told["quantity"]) == ("open", None, -1200)
    assert told["transaction_id"] == told["transaction_ids"][-1] > entry
    assert on_hand(manager, product) == 3_800
    assert manager.post(f"{address}/undo").status_code == 400
    assert manager.post(f"{address}/accept").status_code == 200
    assert on_hand(manager, product) == 4_900


def test_the_same_key_finds_the_first_answer_and_another_finding_does_not_take_it(manager, shop):
    address, other = f"{ANOMALIES}/{shop.ids[0]}", f"{ANOMALIES}/{shop.ids[1]}"
    key, later = {"Idempotency-Key": "press-1"}, {"Idempotency-Key": "press-2"}
    first = manager.post(f"{address}/accept", headers=key).json()
    assert manager.post(f"{address}/accept", headers=key).json() == first
    assert on_hand(manager, shop.products[0]) == 4_900
    reused = manager.post(f"{other}/accept", headers=key)
    assert reused.status_code == 409
    assert manager.post(f"{address}/undo", headers=key).status_code == 409
    undone = manager.post(f"{address}/undo", headers=later).json()
    assert manager.post(f"{address}/undo", headers=later).json() == undone
    assert on_hand(manager, shop.products[0]) == 3_800
    assert manager.get(f"{ANOMALIES}?state=open").headers["X-Total-Count"] == "3"
    for wrong in ("", "x" * 256):
        assert manager.post(f"{address}/accept", headers={"Idempotency-Key": wrong}).status_code == 422


def test_a_dismissal_has_a_reason_and_can_be_taken_back(manager, shop):
    address = f"{ANOMALIES}/{shop.ids[0]}"
    body = {"reason": "real", "note": "The spring promotion"}
    told = manager.post(f"{address}/dismiss", json=body).json()
    assert (told["state"], told["dismissed_as"], told["note"]) == ("dismissed", "real", body["note"])
    assert told["decided_by"]
    assert manager.post(f"{address}/dismiss", json=body).json() == told
    assert manager.post(f"{address}/dismiss", json={"reason": "other"}).status_code == 400
    assert manager.post(f"{address}/accept").status_code == 400
    back = manager.post(f"{address}/undo").json()
    assert (back["state"], back["dismissed_as"], back["note"], back["transaction_ids"]) == (
        "open", None, None, [],
    )  # fmt: skip
    for wrong in (
        {}, {"reason": None}, {"reason": "because"}, {"reason": "real", "note": "x" * 501},
        {"reason": "real", "note": "\a"}, {"reason": ["real"]}, {"reason": "real", "by": "me"},
    ):  # fmt: skip
        assert manager.post(f"{address}/dismiss", json=wrong).status_code == 422, wrong


def test_each_repair_tells_from_and_to_and_can_be_booked_and_undone(manager, shop):
    with transaction() as session:
        other = makers.a_product(session, 50, sku="ODD-9")
        north = makers.a_warehouse(session, "SOUTH")
    wanted = {
        "price": ({"unit_price": 100}, "price_typo", {"unit_price": "1.00"}, 100, 1),
        "product": ({}, "wrong_product", {"product_id": str(other.id)}, "ODD-P", "ODD-9"),
        "warehouse": ({"change": 6}, "wrong_warehouse", {"warehouse_id": str(north.id)}, "MAIN", "SOUTH"),
        "sign": ({"change": -7}, "wrong_sign", {"quantity": "7"}, -7, 7),
        "whole": ({"change": -8}, "booked_twice", {}, -8, None),
    }
    for field, (about, kind, repair, old, new) in wanted.items():
        found = {"change": -5, "kind": kind, "field": field, "repair": repair} | about
        if field == "warehouse":
            found["reason_code"] = "receipt"
        if field == "product":
            found["product"] = {"sku": "ODD-P"}
        address = f"{ANOMALIES}/{shop.another(**found)}"
        accepted = manager.post(f"{address}/accept")
        assert accepted.status_code == 200, (field, accepted.text)
        assert accepted.json()["repair"] == {"field": field, "from": old, "to": new}
        assert len(accepted.json()["transaction_ids"]) == (1 if field == "whole" else 2)
        undone = manager.post(f"{address}/undo")
        assert (undone.status_code, undone.json()["state"]) == (200, "open"), undone.text
        assert undone.json()["repair"] == {"field": field, "from": old, "to": new}


def test_a_repair_that_cannot_be_booked_is_refused_and_leaves_the_finding_open(manager, shop):
    unknown = manager.post(f"{ANOMALIES}/{shop.ids[2]}/accept")
    assert (unknown.status_code, unknown.json()["type"]) == (400, "RuleBroken")
    assert manager.get(ANOMALIES, params={"kind": "unknown"}).json()[0]["repair"] is None
    late = shop.another(change=-10, repair={"quantity": "-9000"})
    short = manager.post(f"{ANOMALIES}/{late}/accept")
    assert (short.status_code, short.json()["type"]) == (400, "InsufficientStock")
    assert "8990 less asked for, 4990 on hand" in short.json()["detail"]
    assert manager.get(f"{ANOMALIES}?state=open").headers["X-Total-Count"] == "4"


def test_what_was_reversed_elsewhere_has_lapsed_and_cannot_be_decided(manager, shop):
    with transaction() as session:
        actor = auth.system_actor(session)
        corrections.take_back(session, actor, shop.movements[0])
    (lapsed,) = manager.get(f"{ANOMALIES}?state=lapsed").json()
    assert (lapsed["id"], lapsed["can_accept"]) == (shop.ids[0], False)
    for verb, body in (("accept", None), ("dismiss", {"reason": "real"}), ("undo", None)):
        answer = manager.post(f"{ANOMALIES}/{shop.ids[0]}/{verb}", json=body)
        assert answer.status_code == 400, verb
        assert answer.json()["detail"]


def test_viewers_look_and_managers_decide(client, as_role, shop):
    for role in ("viewer", "user"):
        assert client.get(ANOMALIES, headers=as_role(role)).status_code == 200
        for verb, body in (("accept", None), ("dismiss", {"reason": "real"}), ("undo", None)):
            answer = client.post(f"{ANOMALIES}/{shop.ids[0]}/{verb}", json=body, headers=as_role(role))
            assert answer.status_code == 403
    with reading() as session:
        assert {finding.state for finding in session.query(Finding)} == {"open"}


def test_an_id_that_no_finding_has_is_404_and_what_is_none_422(manager):
    for verb, body in (("accept", None), ("dismiss", {"reason": "real"}), ("undo", None)):
        assert manager.post(f"{ANOMALIES}/{uuid.uuid4()}/{verb}", json=body).status_code == 404
        for wrong in ("1", "x", "%00", "9" * 400):
            assert manager.post(f"{ANOMALIES}/{wrong}/{verb}", json=body).status_code == 422


def test_money_that_fills_its_column_is_told(manager, shop):
    shop.another(money_at_risk=Decimal("9" * 24 + ".9999"))
    assert manager.get(f"{ANOMALIES}?limit=1").json()[0]["money_at_risk"] > 9e23
