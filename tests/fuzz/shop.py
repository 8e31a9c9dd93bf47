"""The shop that is fuzzed: a little of everything, so that ids lead somewhere, and one for each caller."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import api_keys, auth, stock, tokens
from core.buying import orders
from db.models import Alert, Movement, Person, PurchaseOrderLine, SignIn
from db.session import transaction
from tests import makers

ROLES = ("viewer", "manager", "admin")
CALLERS = ("anonymous", *ROLES, "key")
PRODUCTS = 12
ORDERS = 6
DAYS_SOLD = 40  # a prediction needs 30
LASTS = timedelta(hours=2)  # longer than any run


@dataclass(frozen=True)
class Known:
    """What there is: ids by the name of the parameter or field that takes them, people by role, a key."""

    ids: dict[str, list[Any]]
    people: dict[str, str]
    key: str

    def tokens(self, caller: str, token_key: bytes) -> Callable[[], str | None]:
        """What hands out the token, or key, with which this caller comes."""
        if caller in self.people:
            return lambda: a_token(self.people[caller], token_key, datetime.now(UTC))
        return lambda: self.key if caller == "key" else None


def fill(now: datetime) -> Known:
    """Fill an empty shop."""
    with transaction(seconds=60) as session:
        people = {role: makers.a_person(session, role) for role in ROLES}
        session.flush()
        for person in people.values():
            session.refresh(person)
        _, key = makers.a_key(session, people["manager"], api_keys.grantable("manager"))
        ids = _things(session, auth.actor_of(people["admin"]), now)
        return Known(ids, {role: str(person.uid) for role, person in people.items()}, key)


def a_token(person: str, key: bytes, now: datetime) -> str:
    """An access token of a sign-in of its own: logging out ends no other."""
    with transaction() as session:
        whose = session.scalars(select(Person).where(Person.uid == uuid.UUID(person))).one()
        opened = SignIn(
            kind="api", person_id=whose.id, created_at=now, last_seen_at=now, expires_at=now + LASTS
        )
        session.add(opened)
        session.flush()
        session.refresh(opened)
        return tokens.issue(key, whose.uid, opened.uid, now, LASTS)


def _things(session: Session, admin: auth.Actor, now: datetime) -> dict[str, list[Any]]:
    places = [makers.a_warehouse(session, code) for code in ("MAIN", "SHOP")]
    before = now - timedelta(days=DAYS_SOLD + 1)
    products = [
        makers.a_product(session, 500, stock_at=before, warehouse=places[0], category="tools")
        for _ in range(PRODUCTS)
    ]
    vendors = [makers.a_vendor(session) for _ in range(ORDERS)]
    for product, vendor in zip(products, vendors, strict=False):
        makers.an_offer(session, product, vendor)
    for day in range(DAYS_SOLD, 0, -1):
        for product in products[:3]:
            at = now - timedelta(days=day)
            stock.remove(session, admin, product.id, places[0].id, 3, reason_code="sale", occurred_at=at)
    drafts = [
        orders.draft(
            session,
            admin,
            vendor.id,
            [{"product_id": product.id, "warehouse_id": places[0].id, "quantity": 5}],
            now.date(),
        )
        for product, vendor in zip(products, vendors, strict=False)
    ]
    findings = [makers.a_finding(session, product, -120) for product in products[3:6]]
    alerts = [
        Alert(product_id=product.id, type="low_stock", severity="critical", message=product.sku, figures={})
        for product in products[:6]
    ]
    session.add_all(alerts)
    session.flush()
    for row in (*drafts, *alerts):
        session.refresh(row)
    return {
        "product_id": _uids(products),
        "warehouse_id": _uids(places),
        "vendor_id": _uids(vendors),
        "order_id": _uids(drafts),
        "line_id": [str(found) for found in session.scalars(select(PurchaseOrderLine.uid))],
        "anomaly_id": _uids(findings),
        "alert_id": _uids(alerts),
        "transaction_id": list(session.scalars(select(Movement.id).limit(40))),
    }


def _uids(rows: Iterable[Any]) -> list[str]:
    return [str(row.uid) for row in rows]
