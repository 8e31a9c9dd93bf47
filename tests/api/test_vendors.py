"""Vendors and their prices over HTTP."""

import uuid

import pytest

from db.models import Product
from db.session import transaction
from tests import makers

VENDORS = "/api/v1/vendors"
SEED = {"name": "Acme Supplies", "contact_email": "sales@acme.com", "contact_phone": "+1-555-0100",
        "address": "123 Main St, City, State 12345"}  # fmt: skip
NOBODY = str(uuid.UUID(int=0))


@pytest.fixture
def manager(client, as_role):
    """The API as a manager sees it."""
    client.headers.update(as_role("manager"))
    return client


@pytest.fixture
def product(client) -> Product:  # noqa: ARG001  (its database)
    with transaction() as session:
        makers.the_warehouse(session)
        return makers.a_product(session, 5, sku="W-1")


def make(client, **about) -> dict:
    answer = client.post(VENDORS, json=SEED | about)
    assert answer.status_code == 201, answer.text
    return answer.json()


def priced(client, vendor, product, **about) -> dict:
    body = {"product_id": str(product.uid), "unit_price": 12.99, "lead_time_days": 7} | about
    answer = client.post(f"{VENDORS}/{vendor['id']}/prices", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


# -- Vendors -------------------------------------------------------------------------------------------------


def test_a_vendor_lives_from_post_to_delete(manager, as_role):
    made = make(manager)
    assert {name: made[name] for name in SEED} == SEED
    assert (made["currency"], made["exchange_rate"], made["is_active"]) == ("EUR", 1, True)
    assert (made["deliveries"], made["on_time_share"], made["shutdowns"]) == (0, None, [])
    address = f"{VENDORS}/{made['id']}"
    assert manager.get(address).json() == made
    changed = manager.put(
        address, json={"contact_phone": None, "order_minimum": 250.5, "order_weekdays": [5, 1]}
    )
    assert (changed.json()["contact_phone"], changed.json()["order_minimum"]) == (None, 250.5)
    assert changed.json()["order_weekdays"] == [1, 5]
    assert changed.json()["address"] == SEED["address"]
    assert manager.delete(address).status_code == 403
    assert manager.delete(address, headers=as_role("admin")).status_code == 204
    assert manager.get(address).json()["type"] == "NotFound"


def test_money_of_another_country_keeps_all_digits_of_its_rate(manager):
    made = make(manager, currency="usd", exchange_rate=0.91827364)
    assert (made["currency"], made["exchange_rate"]) == ("USD", 0.91827364)
    assert manager.post(VENDORS, json={"name": "B", "currency": "USD"}).status_code == 422


def test_vendors_are_listed_by_name_in_pages(manager):
    for name in ("Zeta", "alpha", "Beta"):
        make(manager, name=name)
    beta = manager.get(f"{VENDORS}?search=bet").json()[0]
    assert manager.put(f"{VENDORS}/{beta['id']}", json={"is_active": False}).json()["is_active"] is False
    assert [vendor["name"] for vendor in manager.get(VENDORS).json()] == ["alpha", "Zeta"]
    page = manager.get(f"{VENDORS}?include_inactive=true&skip=1&limit=1")
    assert [vendor["name"] for vendor in page.json()] == ["Beta"]
    assert page.headers["x-total-count"] == "3"
    assert manager.put(f"{VENDORS}/{beta['id']}", json={"is_active": True}).json()["is_active"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": None},
        {"name": 7},
        {"contact_email": "nobody"},
        {"contact_email": "a@b.example,c@d.example"},
        {"currency": "EURO"},
        {"currency": "QQQ"},
        {"exchange_rate": 0},
        {"exchange_rate": "1"},
        {"exchange_rate": True},
        {"exchange_rate": 0.5},
        {"lead_time_days": 366},
        {"lead_time_days": 7.5},
        {"order_minimum": -1},
        {"order_minimum": 0.00001},
        {"order_weekdays": [8]},
        {"order_weekdays": [1] * 8},
        {"is_active": False},
        {"id": NOBODY},
        {"email": "a@b.example"},
    ],
)
def test_what_cannot_be_meant_makes_no_vendor(manager, wrong):
    assert manager.post(VENDORS, json=SEED | wrong).status_code == 422
    assert manager.get(VENDORS).json() == []


def test_a_rate_of_many_digits_is_refused_and_breaks_nothing(manager):
    body = '{"name": "B", "currency": "USD", "exchange_rate": %s}'
    for rate in ("1e999999", "1e-999999", "0.123456789", "99999999999"):
        headers = {"Content-Type": "application/json"}
        assert manager.post(VENDORS, content=body % rate, headers=headers).status_code == 422, rate


def test_a_name_that_is_taken_is_a_broken_rule(manager):
    make(manager)
    refused = manager.post(VENDORS, json={"name": "ACME supplies"})
    assert (refused.status_code, refused.json()["type"]) == (400, "RuleBroken")


def test_null_is_no_value_where_one_is_needed(manager):
    address = f"{VENDORS}/{make(manager)['id']}"
    for name in ("name", "currency", "exchange_rate", "is_active"):
        assert manager.put(address, json={name: None}).status_code == 422, name
    assert manager.put(address, json={}).status_code == 200


# -- Prices --------------------------------------------------------------------------------------------------


def test_a_price_is_added_changed_and_withdrawn(manager, product):
    vendor = make(manager)
    made = priced(manager, vendor, product, minimum_order_quantity=10)
    assert (made["unit_price"], made["lead_time_days"], made["minimum_order_quantity"]) == (12.99, 7, 10)
    assert (made["product_id"], made["sku"], made["vendor_id"]) == (str(product.uid), "W-1", vendor["id"])
    prices = f"{VENDORS}/{vendor['id']}/prices"
    assert manager.get(prices).json() == [made]
    changed = manager.put(f"{prices}/{product.uid}", json={"unit_price": 13.5}).json()
    assert (changed["unit_price"], changed["minimum_order_quantity"]) == (13.5, 10)
    assert changed["id"] != made["id"]
    assert manager.get(prices).json() == [changed]
    assert manager.delete(f"{prices}/{product.uid}").status_code == 204
    assert manager.get(prices).json() == []
    assert manager.delete(f"{prices}/{product.uid}").status_code == 404
    assert manager.put(f"{prices}/{product.uid}", json={"unit_price": 1}).status_code == 404


def test_steps_and_terms_of_our_own(manager, product):
    vendor = make(manager, lead_time_days=3)
    made = priced(
        manager, vendor, product, lead_time_days=None, order_multiple=5, vendor_sku="N-1",
        price_steps=[{"minimum_quantity": 50, "unit_price": 11}], valid_until="2099-12-31",
    )  # fmt: skip
    assert made["lead_time_days"] == 3
    assert made["price_steps"] == [
        {"minimum_quantity": 1, "unit_price": 12.99}, {"minimum_quantity": 50, "unit_price": 11},
    ]  # fmt: skip
    address = f"{VENDORS}/{vendor['id']}/prices/{product.uid}"
    changed = manager.put(address, json={"order_multiple": None, "lead_time_days": 4}).json()
    assert (changed["order_multiple"], changed["vendor_sku"], changed["lead_time_days"]) == (None, "N-1", 4)
    assert changed["price_steps"] == made["price_steps"]
    assert changed["valid_until"] is None
    only_many = {"price_steps": [{"minimum_quantity": 100, "unit_price": 9}]}
    assert manager.put(address, json=only_many).json()["price_steps"] == only_many["price_steps"]


def test_a_price_to_come_is_listed_apart(manager, product):
    vendor = make(manager)
    made = priced(manager, vendor, product)
    later = priced(manager, vendor, product, unit_price=14, valid_from="2027-01-01")
    prices = f"{VENDORS}/{vendor['id']}/prices"
    assert [price["id"] for price in manager.get(prices).json()] == [made["id"]]
    assert [price["id"] for price in manager.get(f"{prices}?upcoming=true").json()] == [later["id"]]


def test_a_retry_finds_the_first_answer(manager, product):
    vendor = make(manager)
    assert priced(manager, vendor, product) == priced(manager, vendor, product)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit_price": None},
        {"unit_price": -1},
        {"unit_price": "12.99"},
        {"unit_price": 0.00001},
        {"lead_time_days": -1},
        {"lead_time_days": None},
        {"minimum_order_quantity": -1},
        {"valid_from": "soon"},
        {"valid_from": "2027-01-02", "valid_until": "2027-01-01"},
        {"valid_from": "1900-01-01"},
        {"price_steps": [{"minimum_quantity": 1, "unit_price": 3}]},
        {"price_steps": [{"minimum_quantity": 0, "unit_price": 3}]},
        {"price_steps": [{"minimum_quantity": 2}]},
        {"price_steps": [{"minimum_quantity": n, "unit_price": 1} for n in range(2, 60)]},
        {"currency": "EUR"},
        {"product_id": "W-1"},
    ],
)
def test_what_cannot_be_meant_is_no_price(manager, product, wrong):
    vendor = make(manager)
    body = {"product_id": str(product.uid), "unit_price": 12.99, "lead_time_days": 7} | wrong
    assert manager.post(f"{VENDORS}/{vendor['id']}/prices", json=body).status_code == 422
    assert manager.get(f"{VENDORS}/{vendor['id']}/prices").json() == []


def test_a_vendor_with_prices_is_used_no_more_instead_of_erased(manager, as_role, product):
    vendor = make(manager)
    priced(manager, vendor, product)
    address = f"{VENDORS}/{vendor['id']}"
    assert manager.put(address, json={"currency": "USD", "exchange_rate": 1}).status_code == 400
    assert manager.delete(address, headers=as_role("admin")).status_code == 204
    assert manager.get(address).json()["is_active"] is False
    body = {"product_id": str(product.uid), "unit_price": 1, "lead_time_days": 1}
    refused = manager.post(f"{address}/prices", json=body)
    assert (refused.status_code, "deactivated" in refused.json()["detail"]) == (400, True)


def test_ids_that_nobody_has_are_404_and_what_is_no_id_is_422(manager, as_role, product):
    vendor = make(manager)
    price = {"unit_price": 1, "lead_time_days": 1}
    asked = [
        ("get", VENDORS + "/{}", None),
        ("put", VENDORS + "/{}", {}),
        ("delete", VENDORS + "/{}", None),
        ("get", VENDORS + "/{}/prices", None),
        ("post", VENDORS + "/{}/prices", price | {"product_id": str(product.uid)}),
        ("put", VENDORS + "/{}/prices/" + str(product.uid), price),
        ("put", f"{VENDORS}/{vendor['id']}/prices/" + "{}", price),
        ("delete", f"{VENDORS}/{vendor['id']}/prices/" + "{}", None),
    ]
    for method, address, body in asked:
        for given, status in ((NOBODY, 404), ("7", 422), ("%00", 422)):
            answer = manager.request(method, address.format(given), json=body, headers=as_role("admin"))
            assert answer.status_code == status, (method, address, given)


@pytest.mark.parametrize("day", ["0001-01-01", "1900-01-01", "9999-12-31"])
def test_a_change_from_a_day_that_cannot_be_meant_is_refused_with_a_sentence(manager, product, day):
    vendor = make(manager)
    priced(manager, vendor, product)
    answer = manager.put(f"{VENDORS}/{vendor['id']}/prices/{product.uid}", json={"valid_from": day})
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"].startswith(f"Valid from: {day} lies ")


def test_a_price_that_cannot_be_kept_in_the_shops_money_is_refused(manager, product):
    vendor = make(manager, currency="USD", exchange_rate=1_000_000)
    body = {"product_id": str(product.uid), "unit_price": 9_000_000, "lead_time_days": 7}
    answer = manager.post(f"{VENDORS}/{vendor['id']}/prices", json=body)
    assert answer.status_code == 422, answer.text
    assert "10,000,000,000 in the shop's money" in answer.json()["detail"]
