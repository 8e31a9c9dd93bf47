"""Warehouses over HTTP."""

import uuid

import pytest

from core import warehouses
from db.session import transaction
from tests import makers

PLACES = "/api/v1/warehouses"


@pytest.fixture
def manager(client, as_role):
    """The API as a manager sees it."""
    client.headers.update(as_role("manager"))
    return client


def make(client, code: str, **more) -> dict:
    answer = client.post(PLACES, json={"code": code} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_warehouse_lives_from_post_to_delete(manager, as_role):
    made = make(manager, "BER", name="Berlin", location="Halle 1")
    assert set(made) == {
        "id", "code", "name", "location", "time_zone", "is_default", "is_active", "created_at",
    }  # fmt: skip
    address = f"{PLACES}/{made['id']}"
    assert manager.get(address).json() == made
    changed = manager.patch(address, json={"location": "Halle 4"})
    assert changed.json() == made | {"location": "Halle 4"}
    assert manager.patch(address, json={"location": None}).json()["location"] is None
    assert manager.delete(address).status_code == 403
    assert manager.delete(address, headers=as_role("admin")).status_code == 204
    assert manager.get(address).json()["type"] == "NotFound"


def test_what_is_left_out_is_the_code_and_the_shops_time_zone(manager):
    made = make(manager, "BER")
    assert (made["name"], made["time_zone"], made["is_default"]) == ("BER", "UTC", False)


def test_the_default_is_passed_on_not_taken_away(manager):
    (first,) = manager.get(PLACES).json()
    second = make(manager, "BER")
    refused = manager.patch(f"{PLACES}/{first['id']}", json={"is_default": False, "name": "Else"})
    assert refused.status_code == 400
    assert manager.get(f"{PLACES}/{first['id']}").json() == first  # nothing of it, the name neither
    passed = manager.patch(f"{PLACES}/{second['id']}", json={"is_default": True})
    assert passed.json()["is_default"] is True
    assert [place["is_default"] for place in manager.get(PLACES).json()] == [True, False]


def test_a_warehouse_that_holds_stock_stays_in_use(manager):
    made = make(manager, "BER")
    with transaction() as session:
        makers.a_product(session, 5, warehouse=warehouses.by_uid(session, made["id"]))
    refused = manager.patch(f"{PLACES}/{made['id']}", json={"is_active": False})
    assert refused.status_code == 400
    assert "5 units of 1 product lie in BER" in refused.json()["detail"]


def test_one_that_is_used_no_more_is_listed_on_request_and_comes_back(manager):
    made = make(manager, "BER")
    address = f"{PLACES}/{made['id']}"
    assert manager.patch(address, json={"is_active": False}).json()["is_active"] is False
    assert [place["code"] for place in manager.get(PLACES).json()] == ["MAIN"]
    everything = manager.get(f"{PLACES}?include_inactive=true")
    assert [place["code"] for place in everything.json()] == ["MAIN", "BER"]
    assert everything.headers["x-total-count"] == "2"
    assert manager.get(address).json()["is_active"] is False
    assert manager.patch(address, json={"is_active": True}).json() == made


def test_lists_come_in_pages(manager):
    for code in ("A", "B", "C"):
        make(manager, code)
    page = manager.get(f"{PLACES}?skip=1&limit=2")
    assert [place["code"] for place in page.json()] == ["A", "B"]
    assert page.headers["x-total-count"] == "4"


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": ""},
        {"code": " "},
        {"code": "x" * 41},
        {"code": 7},
        {"code": None},
        {"name": "B"},
        {"code": "B", "time_zone": "Mars/Olympus"},
        {"code": "B", "is_active": False},
        {"code": "B", "id": str(uuid.uuid4())},
        {"code": "a\nb"},
    ],
)
def test_what_cannot_be_meant_makes_no_warehouse(manager, wrong):
    assert manager.post(PLACES, json=wrong).status_code == 422
    assert len(manager.get(f"{PLACES}?include_inactive=true").json()) == 1


def test_a_change_to_nothing_changes_nothing_and_null_is_no_value(manager):
    made = make(manager, "BER")
    address = f"{PLACES}/{made['id']}"
    assert manager.patch(address, json={}).json() == made
    for name in ("code", "name", "time_zone", "is_default", "is_active"):
        assert manager.patch(address, json={name: None}).status_code == 422, name
    assert manager.get(address).json() == made


def test_a_time_zone_stays_once_something_moved(manager):
    with transaction() as session:
        makers.a_product(session, 5)
    (place,) = manager.get(PLACES).json()
    refused = manager.patch(f"{PLACES}/{place['id']}", json={"time_zone": "Europe/Berlin"})
    assert (refused.status_code, refused.json()["type"]) == (400, "RuleBroken")


def test_ids_that_nobody_has_are_404_and_what_is_no_id_is_422(manager, as_role):
    for method, body in (("get", None), ("patch", {"name": "x"}), ("delete", None)):
        for given, status in ((str(uuid.uuid4()), 404), ("7", 422), ("%00", 422), ("x" * 3000, 422)):
            answer = manager.request(method, f"{PLACES}/{given}", json=body, headers=as_role("admin"))
            assert answer.status_code == status, (method, given)
