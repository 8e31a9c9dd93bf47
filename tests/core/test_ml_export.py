"""Every movement once, in booking order, and none is passed by."""

import json
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import cursors, entries, ledger_marks, ml_export, stock
from core.errors import BadInput, NotFound
from db import session as doors
from db.models import Movement
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse
from tests.test_races import Shop, assert_sound


def page_of(session, *, offset=0, limit=10_000, **asked):
    return ml_export.page(session, ml_export.choose(session, **asked), offset=offset, limit=limit)


def rows(page):
    """Numbers stay as they were written."""
    return [json.loads(row, parse_float=str, parse_int=str) for row in page.rows.splitlines()]


def ids(page):
    return [int(row["transaction_id"]) for row in rows(page)]


def pull(after):
    with doors.reading() as session:
        return ids(page_of(session, after_id=after))


def test_a_row_tells_what_happened_with_sign_and_names(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 9, sku="EXP-1", category="Tools")
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    stock.remove(session, actor, product.id, place.id, "2.5", unit_price="4.2", occurred_at=moment)
    told = rows(page_of(session))[-1]
    assert int(told.pop("transaction_id")) == session.scalar(sa.select(sa.func.max(Movement.id)))
    assert datetime.fromisoformat(told.pop("recorded_at")) > moment
    assert told == {
        "item_id": str(product.uid), "item_sku": "EXP-1", "item_category": "Tools",
        "warehouse_id": str(place.uid), "warehouse_code": place.code, "transaction_type": "out",
        "quantity": "-2.5", "unit_price": "4.2", "total_amount": "-10.5",
        "created_at": "2026-03-01T12:00:00.000000Z", "created_at_ts": "1772366400",
    }  # fmt: skip


def test_pages_by_offset_and_by_cursor_tell_every_row_once(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 50, warehouse=here)
    for _ in range(4):
        stock.transfer(session, actor, product.id, here.id, there.id, 1)
    whole = ids(page_of(session))
    assert whole == list(session.scalars(sa.select(Movement.id).order_by(Movement.id)))
    pages, more = [], True
    while more:
        page = page_of(session, offset=len(pages), limit=4)
        assert page.total_count == len(whole)
        pages, more = pages + ids(page), page.has_more
    assert pages == whole
    cursor, more = 0, True
    seen = []
    while more:
        page = page_of(session, after_id=cursor, limit=4)
        seen, more = seen + ids(page), page.has_more
        cursor = seen[-1]
    assert seen == whole
    behind = page_of(session, offset=10**9)
    assert (behind.rows, behind.has_more, behind.total_count) == (b"", False, len(whole))


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 100_001}, {"offset": -1}, {"offset": 2**63}])
def test_a_page_has_bounds(session, asked):
    with pytest.raises(BadInput):
        page_of(session, **asked)
    with pytest.raises(NotFound):
        page_of(session, after_id=2**63)


def test_an_empty_ledger_is_an_empty_page(session):
    assert cursors.horizon(session) == 0
    assert page_of(session) == ml_export.Page(b"", 0, False)


@pytest.mark.parametrize("is_bulk", [False, True])
def test_nothing_is_lost_while_a_transaction_stays_open_across_pulls(clone, is_bulk):  # noqa: ARG001
    """The open one draws its id first and commits last; whoever pulled in between must still see it."""
    shop = Shop()
    slow, fast = shop.product(), shop.product()
    seen = pull(0)
    with doors.transaction() as open_one:
        if is_bulk:
            stock.add(open_one, shop.actor, slow, shop.here, 5)
            shop.transfer(open_one, slow, 2)
        else:
            stock.add(open_one, shop.actor, slow, shop.here, 1)
        with doors.transaction() as other:
            later = stock.add(other, shop.actor, fast, shop.here, 1).lines[0].movement_id
        for _ in range(3):
            seen += pull(max(seen, default=0))
        assert later not in seen
        with doors.reading() as session:
            page = page_of(session)
            assert page.total_count == len(rows(page)) == len(seen)
            # Somebody who looks at the newest sees it at once: only cursors wait.
            assert [row["id"] for row in entries.listing(session)[0]] == [later]
            assert entries.listing(session, after_id=0)[0] == []
    seen += pull(max(seen, default=0))
    assert later in seen
    assert seen == sorted(all_ids())


def all_ids():
    with doors.reading() as session:
        return list(session.scalars(sa.select(Movement.id)))


def test_a_refused_or_abandoned_booking_holds_nobody_back(clone):  # noqa: ARG001
    shop = Shop()
    product = shop.product(1)
    with doors.transaction() as session:
        stock.add(session, shop.actor, product, shop.here, 1)
        session.rollback()
    with doors.transaction() as session:
        last = stock.add(session, shop.actor, product, shop.here, 1).lines[0].movement_id
    with doors.reading() as session:
        assert cursors.horizon(session) == last


def test_whoever_follows_while_many_book_sees_every_movement_once_and_in_order(clone, monkeypatch):  # noqa: ARG001
    """By cursor, and by offset, while marks are set along the ledger as it grows."""
    monkeypatch.setattr(ledger_marks, "STEP", 7)
    monkeypatch.setattr(ledger_marks, "AT_ONCE", 14)
    shop = Shop()
    products = [shop.product(100) for _ in range(4)]
    stop = threading.Event()

    def book(place: int) -> None:
        for _ in range(25):
            with doors.transaction() as session:
                stock.add(session, shop.actor, products[place], shop.here, 1)
                session.execute(sa.text("SELECT pg_sleep(0.003)"))
                if place % 2:
                    shop.transfer(session, products[place], 1)

    writers = [threading.Thread(target=book, args=(place,)) for place in range(4)]
    seen: list[int] = []

    def follow() -> None:
        while not stop.is_set():
            seen.extend(pull(max(seen, default=0)))

    placed: list[int] = []
    totals: list[int] = []

    def next_page() -> None:
        with doors.reading() as session:
            page = page_of(session, offset=len(placed), limit=9)
        placed.extend(ids(page))
        totals.append(page.total_count)
        doors.transact(ledger_marks.extend)

    def turn_pages() -> None:
        while not stop.is_set():
            next_page()

    readers = [threading.Thread(target=follow), threading.Thread(target=turn_pages)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    seen.extend(pull(max(seen, default=0)))
    whole = sorted(all_ids())
    while len(placed) < len(whole):
        next_page()
    assert seen == placed == whole
    assert totals == sorted(totals)
    assert_sound()


def test_the_page_of_an_entry_tells_its_names_and_filters(session: Session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    one, two = a_product(session, 5, warehouse=here), a_product(session, 5, warehouse=there)
    stock.remove(session, actor, one.id, here.id, 1)
    rows, total = entries.listing(session, product_uid=one.uid)
    assert (total, [row["type"] for row in rows]) == (2, ["out", "in"])
    assert entries.listing(session, product_uid=one.uid, limit=1, skip=1)[0] == rows[1:]
    assert entries.listing(session, product_uid=one.uid, after_id=0)[0] == rows[::-1]
    assert [row["sku"] for row in entries.listing(session, warehouse_uid=there.uid)[0]] == [two.sku]
    assert {row["type"] for row in entries.listing(session, kind="out")[0]} == {"out"}
    today = datetime.now(UTC).date()
    assert entries.listing(session, since=today, until=today)[1] == 3
    assert entries.listing(session, since=today + timedelta(days=1)) == ([], 0)
    assert entries.listing(session, until=today - timedelta(days=1)) == ([], 0)
    for asked in ({"limit": 1_001}, {"limit": 0}, {"skip": -1}, {"kind": "sale"}):
        with pytest.raises(BadInput):
            entries.listing(session, **asked)
    for asked in ({"product_uid": uuid.uuid4()}, {"warehouse_uid": uuid.uuid4()}, {"after_id": -1}):
        with pytest.raises(NotFound):
            entries.listing(session, **asked)
