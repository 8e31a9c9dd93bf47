"""Machines with API keys: how far they get, what ends them, and what they leave behind."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core import api_keys, people, stock
from db.models import ApiKey, AuditLine, KeyPosting, Movement, Posting
from db.session import reading, transaction
from tests import makers

ME = "/api/v1/auth/me"
ADJUST = "/api/v1/inventory/adjust"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def kept(key: ApiKey) -> ApiKey:
    with reading() as session:
        return session.get_one(ApiKey, key.id)


def test_a_till_looks_and_books_and_both_can_be_told_from_its_persons_own_doing(client):
    with transaction() as session:
        person = makers.a_person(session, "manager")
        key, secret = makers.a_key(session, person, ["read", "move stock", "edit catalogue"])
        uid = str(makers.a_product(session, 5).uid)
    assert client.get(ME, headers=bearer(secret)).json()["id"] == str(person.uid)
    body = {"product_id": uid, "quantity": -1, "reason": "sold"}
    once = bearer(secret) | {"Idempotency-Key": "receipt-1"}
    answers = [client.post(ADJUST, json=body, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert client.post("/api/v1/warehouses", json={"code": "B"}, headers=bearer(secret)).status_code == 201
    with transaction() as session:
        actor = makers.an_actor(session)
        product = session.scalar(select(Movement.product_id).limit(1))
        place = session.scalar(select(Movement.warehouse_id).limit(1))
        stock.adjust(session, actor, product, place, -1, reason_code="sale")
    with reading() as session:
        marked = session.execute(select(KeyPosting.posting_id, KeyPosting.api_key_id)).all()
        booked = session.scalars(select(Posting.id).where(Posting.actor_id == person.id)).all()
        assert [tuple(row) for row in marked] == [(booked[0], key.id)]
        lines = session.execute(select(AuditLine.action, AuditLine.subject_type, AuditLine.api_key_id)).all()
    assert ("created", "warehouse", key.id) in [tuple(line) for line in lines]
    assert ("created", "API key", None) in [tuple(line) for line in lines]
