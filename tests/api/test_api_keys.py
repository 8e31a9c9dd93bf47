"""Machines with API keys: how far they get, what ends them, and what they leave behind."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from core import api_key_list, api_keys, audit_trail, auth, logs, people, shop, stock
from core.errors import NotAllowed, NotFound, NotSignedIn, RuleBroken, RunoutError
from db.models import ApiKey, AuditLine, KeyPosting, Movement, Person, Posting
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
        told = stock.history(session, limit=2).api_key
        assert told.fillna("").tolist() == ["", key.name]
        admin = makers.an_actor(session, "admin")
        lines = audit_trail.listing(session, admin, text=key.name)
    assert [(line.action, line.subject_type, line.api_key) for line in lines] == [
        ("created", "warehouse", key.name), ("created", "API key", None),
    ]  # fmt: skip


def test_a_key_is_noted_as_used_after_the_answer_and_once_a_minute(client):
    with transaction() as session:
        key, secret = makers.a_key(session)
    assert kept(key).last_used_at is None
    client.get(ME, headers=bearer(secret))
    first = kept(key)
    assert datetime.now(UTC) - first.last_used_at < timedelta(minutes=1)
    assert first.last_address == "testclient"
    client.get(ME, headers=bearer(secret))
    assert kept(key).last_used_at == first.last_used_at
    with transaction() as session:  # this process wrote it once already; another one did long ago
        session.get_one(ApiKey, key.id).last_used_at -= timedelta(hours=1)
        api_keys.seen(session, key.id, "192.0.2.7", datetime.now(UTC))
        api_keys.seen(session, key.id, "192.0.2.8", datetime.now(UTC))
    assert kept(key).last_address == "192.0.2.7"


def test_a_use_that_cannot_be_noted_hinders_nobody(client, monkeypatch):
    with transaction() as session:
        _, secret = makers.a_key(session)

    def broken(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(api_keys, "seen", broken)
    assert client.get(ME, headers=bearer(secret)).status_code == 200


def test_a_key_ends_at_the_end_of_its_last_day_in_the_shop(session):
    shop.get(session).time_zone = "Pacific/Auckland"
    now = datetime(2026, 7, 1, 11, 0, tzinfo=UTC)  # 23:00 there
    person, admin = makers.a_person(session, "user"), makers.an_actor(session, "admin")
    session.flush()
    session.refresh(person)
    _, secret = api_keys.create(
        session, admin, person.uid, "Till", ["read"], now, expires_on=date(2026, 7, 1)
    )
    given = api_keys.read(secret)
    assert api_keys.who(session, given, now + timedelta(minutes=59)).actor.name == person.name
    with pytest.raises(NotSignedIn, match="expired"):
        api_keys.who(session, given, now + timedelta(minutes=60))


def test_a_key_is_told_from_anything_else_without_the_database():
    secret = api_keys.new_secret()
    assert api_keys.read(secret) == api_keys.read(secret)
    assert len(secret) == 56
    for n in range(len(api_keys.PREFIX), len(secret)):
        other = "A" if secret[n] != "A" else "B"
        with pytest.raises(NotSignedIn):
            api_keys.read(secret[:n] + other + secret[n + 1 :])
    for wrong in (
        "",
        "runout_",
        secret[:-1],
        secret + "A",
        secret + "\n",
        f" {secret}",
        secret.lower(),
        "é" * 56,
    ):
        with pytest.raises(NotSignedIn):
            api_keys.read(wrong)


def test_a_key_never_stays_in_a_line_of_the_log():
    secret = api_keys.new_secret()
    line = logs.without_secrets(f"GET /x?k={secret} curl -H 'Authorization: Bearer {secret}' as runout_app")
    assert secret[:20] not in line
    assert "runout_app" in line


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"rights": ["manage people"]}, "nothing that a key can be given"),
        ({"rights": ["read", "fly\x00"]}, "nothing that a key can be given"),
        ({"rights": []}, "at least one"),
        ({"rights": ["buy"]}, "may not buy"),
        ({"name": " "}, "which machine"),
        ({"name": "x" * 101}, "too many"),
        ({"per_minute": 0}, "not between 1"),
        ({"per_minute": 10**30}, "not between 1"),
        ({"expires_on": date(2020, 1, 1)}, "not between today"),
        ({"expires_on": date.max}, "not between today"),
    ],
)
def test_a_key_that_cannot_be_meant_is_refused(session, wrong, why):
    person, admin = makers.a_person(session, "user"), makers.an_actor(session, "admin")
    session.refresh(person)
    about = {"name": "Till", "rights": ["read"]} | wrong
    with pytest.raises(RunoutError, match=why):
        api_keys.create(session, admin, person.uid, now=datetime.now(UTC), **about)
    assert session.scalars(select(ApiKey)).all() == []


def test_only_admins_look_after_keys_and_not_for_who_is_no_longer_there(session):
    now, admin = datetime.now(UTC), makers.an_actor(session, "admin")
    key, _ = makers.a_key(session)
    gone = makers.a_person(session)
    session.refresh(gone)
    people.deactivate(session, admin, gone.uid, now)
    for who in (makers.an_actor(session, "manager"), replace(admin, rights=frozenset(api_keys.KEY_RIGHTS))):
        for verb in (
            lambda actor: api_keys.create(session, actor, gone.uid, "Till", ["read"], now),
            lambda actor: api_keys.revoke(session, actor, key.uid, now),
            lambda actor: api_key_list.listing(session, actor, now),
        ):
            with pytest.raises(NotAllowed):
                verb(who)
    with pytest.raises(RuleBroken, match="deactivated"):
        api_keys.create(session, admin, gone.uid, "Till", ["read"], now)
    for nobody in (uuid.uuid4(), "nonsense", auth.system_actor(session).uid):
        with pytest.raises(NotFound):
            api_keys.create(session, admin, nobody, "Till", ["read"], now)
        with pytest.raises(NotFound):
            api_keys.revoke(session, admin, nobody, now)


def test_deactivating_somebody_revokes_their_keys_for_good_and_says_so(session):
    now, admin = datetime.now(UTC), makers.an_actor(session, "admin")
    key, secret = makers.a_key(session, name="Till 9")
    person = session.get_one(Person, key.person_id)
    people.deactivate(session, admin, person.uid, now)
    people.reactivate(session, admin, person.uid)
    with pytest.raises(NotSignedIn, match="revoked"):
        api_keys.who(session, api_keys.read(secret), now)
    (line,), total = api_key_list.listing(session, admin, now, text="till 9")
    assert (total, line.state, line.revoked_by) == (1, "revoked", admin.name)
    said = select(AuditLine.action).where(AuditLine.subject_id == str(key.uid)).order_by(AuditLine.id)
    assert session.scalars(said).all() == ["created", "revoked"]


def test_the_list_pages_and_finds(session):
    now, admin = datetime.now(UTC), makers.an_actor(session, "admin")
    person = makers.a_person(session, "user", name="Ada")
    made = [makers.a_key(session, person)[0] for _ in range(3)]
    api_keys.revoke(session, admin, made[2].uid, now)
    found, total = api_key_list.listing(session, admin, now, limit=2)
    assert ([line.uid for line in found], total) == ([made[1].uid, made[0].uid], 3)
    found, _ = api_key_list.listing(session, admin, now, skip=2, limit=2)
    assert [line.uid for line in found] == [made[2].uid]
    for text, state, count in (
        ("ada", None, 3),
        ("100%", None, 0),
        (made[0].shown, None, 1),
        (None, "revoked", 1),
    ):
        assert api_key_list.listing(session, admin, now, text=text, state=state)[1] == count
