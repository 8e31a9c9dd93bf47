"""Every request of the seed documents works as written there, but for host, token and ids."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import bcrypt
import pytest

from core import alerts, auth, shop, stock
from db.demo.loading import PASSWORDS, PEOPLE
from db.models import Person
from db.session import transaction
from tests import makers

FOLDER = Path(__file__).parent / "seed_curls"
CREATES = re.compile(
    r"/(register|products|items|warehouses|vendors|prices|inventory/adjust|inventory-transactions)$"
)


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: str | None


def curls(document: str) -> list[Asked]:
    """The requests of a file, in order."""
    text = (FOLDER / document).read_text().replace("\\\n", " ")
    found = []
    for command in re.findall(r"^curl .*?(?=^curl |^#|\Z)", text, re.MULTILINE | re.DOTALL):
        words = iter(shlex.split(command)[1:])
        method, address, headers, body = "GET", "", {}, None
        for word in words:
            if word == "-X":
                method = next(words)
            elif word == "-H":
                name, _, said = next(words).partition(": ")
                headers[name] = said
            elif word == "-d":
                body = next(words)
            else:
                address = word.removeprefix("http://localhost:8000")
        found.append(Asked(method, address, headers, body))
    return found


@pytest.fixture
def demo(client):
    """A small demo shop: its accounts, a product with history, a free warehouse, an alert."""
    now = datetime.now(UTC)
    with transaction() as session:
        shop.get(session).is_demo = True
        for email, name, role in PEOPLE:
            hashed = bcrypt.hashpw(PASSWORDS[email].encode(), bcrypt.gensalt(4)).decode()
            session.add(Person(email=email, name=name, role=role, password_hash=hashed, is_demo=True))
        system, place = auth.system_actor(session), makers.the_warehouse(session)
        product = makers.a_product(session, 100, stock_at=now - timedelta(days=40), sku="W-1", name="Widget")
        makers.a_product(session, 3, reorder_threshold=5)
        for ago in range(40, 0, -4):
            stock.remove(
                session, system, product.id, place.id, 2,
                reason_code="sale", occurred_at=now - timedelta(days=ago),
            )  # fmt: skip
        alerts.raise_all(session, now, shop.today(shop.get(session), now))
        ids = {"PRODUCT_ID": str(product.uid), "WAREHOUSE_ID": str(makers.a_warehouse(session, "FREE").uid)}
    client.ids = ids
    return client


def pair_of(demo, email: str) -> dict:
    body = {"email": email, "password": PASSWORDS[email]}
    return demo.post("/api/v1/auth/login", json=body).json()


@pytest.mark.parametrize("document", ["smart_inventory.sh", "erp.sh"])
def test_every_request_of_the_document_works_as_written(demo, document):
    requests = curls(document)
    assert len(requests) > 20
    pair = pair_of(demo, "admin@erp.example.com")
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    (alert,) = demo.get("/api/v1/alerts", headers=headers).json()
    ids, wrong = demo.ids | {"ALERT_ID": alert["id"]}, []
    for asked in requests:
        path, body = asked.path, asked.body
        for name, value in ids.items():
            path, body = path.replace(name, value), body and body.replace(name, value)
        if body and '"refresh_token"' in body:
            body = body.replace("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...", pair["refresh_token"])
        sent = asked.headers | (headers if "Authorization" in asked.headers else {})
        answer = demo.request(asked.method, path, content=body, headers=sent)
        expected = 200
        if asked.method == "POST" and CREATES.search(path):
            expected = 201
        if asked.method == "DELETE":
            expected = 204
        if answer.status_code != expected:
            wrong.append((asked.method, asked.path, answer.status_code, answer.text))
        if asked.path == "/api/v1/vendors" and expected == 201:
            ids["VENDOR_ID"] = answer.json()["id"]
        if asked.path == "/api/v1/inventory-transactions" and expected == 201:
            ids["TRANSACTION_ID"] = str(answer.json()["id"])
        if asked.method == "PATCH" and "inventory-transactions" in asked.path:
            ids["TRANSACTION_ID"] = str(answer.json()["id"])
    assert wrong == []


@pytest.mark.parametrize(("role", "may"), [("manager", True), ("user", False), ("viewer", False)])
def test_the_seeds_accounts_may_what_their_role_may(demo, role, may):
    token = pair_of(demo, f"{role}@erp.example.com")["access_token"]
    wanted = {"sku": "WDG-001", "name": "Widget A", "category": "Electronics", "current_stock": 100,
              "reorder_threshold": 20, "unit_cost": 12.99}  # fmt: skip
    answer = demo.post("/api/v1/products", json=wanted, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == (201 if may else 403)
    if may:
        assert '"unit_cost":12.99' in answer.text
        assert '"current_stock":100' in answer.text
