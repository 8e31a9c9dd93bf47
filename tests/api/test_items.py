"""Items: the ERP's words for the same products."""

import uuid

ITEMS, PRODUCTS = "/api/v1/items", "/api/v1/products"
ITEM = {"sku": "ITM-1", "name": "Bearing", "category": "Parts", "unit_cost": 3.25}


def test_an_item_lives_from_post_to_delete(client, as_role):
    manager, admin = as_role("manager"), as_role("admin")
    made = client.post(ITEMS, json=ITEM, headers=manager)
    assert made.status_code == 201
    told = made.json()
    assert {name: told[name] for name in ITEM} == ITEM
    address = f"{ITEMS}/{told['id']}"
    assert client.get(address, headers=manager).json() == told
    listed = client.get(f"{ITEMS}?search=bear&skip=0&limit=10", headers=manager)
    assert (listed.json(), listed.headers["X-Total-Count"]) == ([told], "1")
    changed = client.patch(address, json={"unit_cost": 3.5}, headers=manager)
    assert changed.json()["unit_cost"] == 3.5
    assert client.delete(address, headers=manager).status_code == 403
    assert client.delete(address, headers=admin).status_code == 204
    assert client.get(address, headers=admin).status_code == 404


def test_an_item_is_the_product_of_the_same_id(client, as_role):
    manager = as_role("manager")
    made = client.post(ITEMS, json=ITEM | {"current_stock": 7}, headers=manager).json()
    assert client.get(f"{PRODUCTS}/{made['id']}", headers=manager).json() == made
    client.put(f"{PRODUCTS}/{made['id']}", json={"current_stock": 9}, headers=manager)
    assert client.get(f"{ITEMS}/{made['id']}", headers=manager).json()["current_stock"] == 9
    assert client.post(PRODUCTS, json=ITEM, headers=manager).json()["type"] == "RuleBroken"


def test_roles_bounds_and_unknown_things(client, as_role):
    viewer = as_role("viewer")
    assert client.get(ITEMS, headers=viewer).json() == []
    assert client.get(ITEMS).status_code == 401
    assert client.post(ITEMS, json=ITEM, headers=viewer).status_code == 403
    assert client.get(f"{ITEMS}?limit=1001", headers=viewer).status_code == 422
    assert client.get(f"{ITEMS}/{uuid.uuid4()}", headers=viewer).status_code == 404
    assert client.put(f"{ITEMS}/{uuid.uuid4()}", json={}, headers=viewer).status_code == 405
    assert client.post(ITEMS, json=ITEM | {"x": 1}, headers=as_role("manager")).status_code == 422
