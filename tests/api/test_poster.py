"""Adjustments that arrive together share a transaction, and nobody can tell from the answer."""

import asyncio
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from api import poster
from api.poster import Poster, Unavailable
from api.routers import inventory
from api.schemas_stock import Movement as Told
from core import adjustments, api_keys, auth, entries, ledger_check, stock, uids
from core.adjustments import Wanted
from db import session as doors
from db.models import KeyPosting, Movement, Posting
from db.session import OwnConnection, reading, transaction
from tests import loops, makers

ADJUST = "/api/v1/inventory/adjust"


@pytest.fixture
def till(client, as_role):
    """The API with the token of somebody in the warehouse; the ledger is sound afterwards."""
    client.headers.update(as_role("user"))
    yield client
    with reading() as session:
        assert ledger_check.faults(session) == {}


@pytest.fixture
def one_at_a_time(monkeypatch):
    """A switch: from now on every adjustment is booked alone."""
    return lambda: monkeypatch.setattr(inventory.adjustments, "is_for_itself", lambda _: True)


def a_product(pieces=0, **about):
    with transaction() as session:
        return str(makers.a_product(session, pieces, **about).uid)


def selling(product, pieces=1, **more):
    return {"product_id": product, "quantity": -pieces, "reason": "Sold"} | more


def postings():
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).where(Posting.kind == "adjust"))


# -- The answer is the same ----------------------------------------------------------------------------------


def test_the_answer_is_the_same_to_the_byte_whichever_way_it_was_booked(till, one_at_a_time):
    product = a_product(Decimal("20.5"), name="Schraube ½″ «grün»")
    body, first, second = selling(product, 0.5), {"Idempotency-Key": "1"}, {"Idempotency-Key": "2"}
    together = till.post(ADJUST, json=body, headers=first)
    assert till.app.state.poster.together == 1
    one_at_a_time()
    assert till.post(ADJUST, json=body, headers=first).content == together.content
    alone = till.post(ADJUST, json=body, headers=second)
    assert till.app.state.poster.together == 1
    assert alone.json() == together.json() | {
        "id": alone.json()["id"], "previous_stock": 20, "new_stock": 19.5,
        "created_at": alone.json()["created_at"], "recorded_at": alone.json()["recorded_at"],
    }  # fmt: skip
    with reading() as session:
        row = entries.one(session, together.json()["id"], as_written=True)
    said = Told.model_validate(row).model_dump(mode="json", by_alias=False)
    rendered = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    assert together.content == rendered, "as the framework writes an answer"
    assert postings() == 2


def test_a_machine_is_written_down_with_its_key_and_counted_by_it(client):
    with transaction() as session:
        key, secret = makers.a_key(session, rights=["move stock"])
        _, weak = makers.a_key(session, rights=["read"])
    product = a_product(9)
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
    first, again = (client.post(ADJUST, json=selling(product), headers=headers) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    with reading() as session:
        assert session.scalars(sa.select(KeyPosting.api_key_id)).all() == [key.id]
    refused = client.post(ADJUST, json=selling(product), headers={"Authorization": f"Bearer {weak}"})
    assert (refused.status_code, refused.json()["type"]) == (403, "NotAllowed")
    assert client.app.state.poster.alone == 0


def test_who_may_not_move_stock_is_told_that_and_not_what_is_wrong_with_the_body(client, as_role):
    signed_out = as_role("manager")
    client.post("/api/v1/auth/logout", headers=signed_out)
    for headers, status in ((as_role("user"), 422), (as_role("viewer"), 403), (signed_out, 401)):
        assert client.post(ADJUST, json={"quantity": "much"}, headers=headers).status_code == status


def test_a_customer_return_finds_its_sale(till):
    product = a_product(9)
    sale = till.post(ADJUST, json=selling(product, 2, reason_code="sale")).json()["id"]
    back = till.post(
        ADJUST, json={"product_id": product, "quantity": 2, "reason": "Back", "reason_code": "return"}
    )
    with reading() as session:
        assert session.get_one(Movement, back.json()["id"]).returns_id == sale


# -- Many at once --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clone")
def test_many_at_once_share_transactions_and_each_gets_its_own_answer(till, monkeypatch):
    hot, others = a_product(20), [a_product(5) for _ in range(4)]
    bodies = [selling(hot) for _ in range(24)] + [selling(product, n) for product in others for n in (2, 4)]
    gate, book_each = threading.Event(), adjustments.book_each

    def slow(*args):
        gate.wait(2)
        return book_each(*args)

    monkeypatch.setattr(poster.adjustments, "book_each", slow)
    with ThreadPoolExecutor(len(bodies)) as threads:
        threads.submit(lambda: [gate.wait(0.3), gate.set()])
        answers = list(threads.map(lambda body: till.post(ADJUST, json=body), bodies))
    assert Counter(answer.status_code for answer in answers[:24]) == {201: 20, 400: 4}
    assert sorted(a.json()["new_stock"] for a in answers[:24] if a.status_code == 201) == list(range(20))
    for pair in zip(answers[24::2], answers[25::2], strict=True):
        assert Counter(answer.status_code for answer in pair) == {201: 1, 400: 1}
    counted = till.app.state.poster
    assert (counted.together, counted.alone) == (32, 0)
    assert counted.transactions < 16
    assert postings() == 24


@pytest.mark.usefixtures("clone")
def test_what_goes_wrong_in_a_shared_transaction_happens_to_nobody(till, monkeypatch):
    """A lost connection before the commit and after it, a mistake of ours, and a thread that dies."""
    own, book_each = OwnConnection.transaction, adjustments.book_each
    lost = OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly"))

    @contextmanager
    def unheard(mine) -> Iterator[sa.orm.Session]:
        with own(mine) as session:
            yield session
        raise lost

    def broken(trouble):
        def work(*_args):
            raise trouble

        return work

    ways = {
        "before the commit": (adjustments, "book_each", broken(lost)),
        "after the commit": (OwnConnection, "transaction", unheard),
        "a mistake of ours": (adjustments, "book_each", broken(KeyError("place"))),
        "the thread dies": (adjustments, "book_each", broken(SystemExit())),
    }
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    product = a_product(100)
    for number, (way, change) in enumerate(ways.items()):
        monkeypatch.setattr(*change)
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: till.post(ADJUST, json=selling(product)), range(4)))
        assert {answer.status_code for answer in answers} == {201}, way
        assert postings() == 4 * (number + 1), f"{way}: booked once each"
        monkeypatch.setattr(adjustments, "book_each", book_each)
        monkeypatch.setattr(OwnConnection, "transaction", own)
    before = till.app.state.poster.together
    assert till.post(ADJUST, json=selling(product)).json()["new_stock"] == 83
    assert till.app.state.poster.together == before + 1, "the thread began anew"


@pytest.mark.usefixtures("clone")
def test_a_level_that_somebody_holds_keeps_nobody_else_waiting(till):
    """It waits alone, and is booked when its turn comes."""
    held, free = a_product(9), a_product(9)
    with transaction() as session:
        actor, here = auth.system_actor(session), uids.warehouse(session, None)
        stock.remove(session, actor, uids.product(session, uuid.UUID(held)), here, 1)
        with ThreadPoolExecutor(2) as threads:
            waiting = threads.submit(till.post, ADJUST, json=selling(held))
            assert threads.submit(till.post, ADJUST, json=selling(free)).result(4).status_code == 201
            ends = time.monotonic() + 4
            while not till.app.state.poster.alone and time.monotonic() < ends:
                time.sleep(0.01)
            assert till.app.state.poster.alone >= 1
            assert not waiting.done()
            session.commit()
            assert waiting.result(4).status_code == 201


# -- The queue -----------------------------------------------------------------------------------------------


def test_a_full_queue_and_a_server_that_stops_say_when_to_come_back(till, monkeypatch):
    product = a_product(9)
    monkeypatch.setattr(poster, "MOST_WAITING", 0)
    full = till.post(ADJUST, json=selling(product))
    monkeypatch.undo()
    till.app.state.poster.stop()
    stopped = till.post(ADJUST, json=selling(product))
    for answer in (full, stopped):
        assert (answer.status_code, answer.json()["type"]) == (503, "ServiceUnavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert postings() == 0


def test_who_goes_away_while_it_waits_has_asked_for_nothing_and_who_waits_is_answered_before_the_end(session):
    product = makers.a_product(session, 9)
    caller = api_keys.read(makers.a_key(session, rights=["move stock"])[1])
    session.commit()
    several = [
        Wanted(caller, product.uid, None, Decimal(-1), "Sold", None, uuid.uuid4().hex) for _ in range(3)
    ]
    line = Poster()

    async def go():
        waiting = [asyncio.ensure_future(line.book(wanted)) for wanted in several]
        await asyncio.sleep(0)
        assert line.waiting == 3
        waiting[1].cancel()
        await asyncio.to_thread(line.stop)
        with pytest.raises(Unavailable):
            await line.book(several[1])
        return [await waiting[0], await waiting[2]]

    outcomes = loops.run(go())
    assert [outcome.movement["stock_after"] for outcome in outcomes] == [8, 7]
    assert postings() == 2
    assert isinstance(doors._target(), sa.Connection), "also over the one connection of a test"
