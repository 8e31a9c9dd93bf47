"""Warehouses over HTTP."""


def test_a_warehouse_lives_from_post_to_delete(client, as_role):
    manager, admin = as_role("manager"), as_role("admin")
    made = client.post("/api/v1/warehouses", json={"code": "BER", "name": "Berlin"}, headers=manager)
    assert made.status_code == 201
    address = f"/api/v1/warehouses/{made.json()['id']}"
    assert client.get(address, headers=manager).json() == made.json()
    changed = client.patch(address, json={"location": "Halle 4"}, headers=manager)
    assert changed.json() == made.json() | {"location": "Halle 4"}
    assert client.delete(address, headers=manager).status_code == 403
    assert client.delete(address, headers=admin).status_code == 204
    assert client.get(address, headers=admin).json()["type"] == "NotFound"
