"""Marks along the ledger change how fast a place is found, never which."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import cursors, ledger_marks, stock
from db import server
from db import session as doors
from db.models import LedgerMark, Movement, Posting
from tests.makers import a_product, an_actor, the_warehouse
from tests.test_races import Shop


@pytest.fixture(autouse=True)
def _close_together(monkeypatch):
    monkeypatch.setattr(ledger_marks, "STEP", 3)
    monkeypatch.setattr(ledger_marks, "AT_ONCE", 6)


def all_ids(session):
    return list(session.scalars(sa.select(Movement.id).order_by(Movement.id)))


def marks(session):
    return dict(session.execute(sa.select(LedgerMark.place, LedgerMark.movement_id)).all())


def book(session, times):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 1)
    for _ in range(times):
        stock.add(session, actor, product.id, place.id, 1)


def test_every_third_movement_is_marked_piece_by_piece_and_again_when_there_are_more(session):
    assert not ledger_marks.extend(session)
    book(session, 13)
    ids = all_ids(session)
    assert ledger_marks.place(session, ids[-1]).unmarked == 14
    assert ledger_marks.extend(session)
    assert sorted(marks(session)) == [3, 6]
    ledger_marks.catch_up(lambda work: work(session))
    assert marks(session) == {place: ids[place - 1] for place in (3, 6, 9, 12)}
    book(session, 0)  # opening stock: the fifteenth
    assert ledger_marks.place(session, all_ids(session)[-1]).unmarked == 3
    assert ledger_marks.place(session, ids[-1]).unmarked == 2
    ledger_marks.catch_up(lambda work: work(session))
    assert marks(session)[15] == all_ids(session)[14]


@pytest.mark.parametrize("marked", [0, 1, 2, 9], ids="{} pieces".format)
def test_a_place_is_found_with_or_without_marks(session, marked):
    book(session, 13)
    for _ in range(marked):
        ledger_marks.extend(session)
    ids = all_ids(session)
    for last in (ids[-1], ids[10], ids[4]):
        told = [number for number in ids if number <= last]
        for after in (0, ids[0], ids[5], ids[9], ids[-1], ids[-1] + 10):
            for offset in (0, 1, 2, 3, 8, 40):
                found = ledger_marks.place(session, last, after_id=after, offset=offset, limit=4)
                before = len([number for number in told if number <= after]) + offset
                behind_it = told[before - 1 : before] if before else [0]
                assert (found.total, found.before) == (len(told), before)
                assert found.after_id == (behind_it[0] if behind_it else None)
                if told[before:]:
                    assert found.last_id == told[before : before + 4][-1]


def test_an_empty_ledger_has_the_place_zero(session):
    assert ledger_marks.place(session, 0) == ledger_marks.Place(0, 0, 0, 0, 0)
    assert ledger_marks.place(session, 0, offset=5) == ledger_marks.Place(0, 0, 5, None, 0)
    assert ledger_marks.before_moment(session, datetime.now(UTC)) == 0


def test_nothing_behind_the_horizon_is_marked_and_two_do_not_mark_at_once(clone):  # noqa: ARG001
    shop = Shop()
    one, two = shop.product(), shop.product()
    with doors.transaction() as open_one:
        stock.add(open_one, shop.actor, one, shop.here, 1)
        for _ in range(4):
            with doors.transaction() as other:
                stock.add(other, shop.actor, two, shop.here, 1)
        doors.transact(ledger_marks.extend)
        assert marks(open_one) == {}
    with doors.transaction() as marking:
        ledger_marks.extend(marking)
        with doors.transaction() as other:
            assert not ledger_marks.extend(other)
            assert marks(other) == {}
        assert sorted(marks(marking)) == [3]


def test_a_mark_knows_until_when_all_before_it_were_booked(clone):
    with doors.transaction() as session:
        book(session, 13)
        ids, noon = all_ids(session), datetime(2026, 11, 1, 12, tzinfo=UTC)
    # The fifth began early and ended late: it was booked an hour before those around it.
    hours = [0, 1, 2, 3, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    moments = {number: noon + timedelta(hours=hour) for number, hour in zip(ids, hours, strict=True)}
    owner = sa.create_engine(server.admin_url(sa.make_url(clone).database))
    with owner.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))  # no trigger keeps it
        posted = dict(connection.execute(sa.select(Movement.id, Movement.posting_id)).all())
        for number, moment in moments.items():
            changed = sa.update(Posting).where(Posting.id == posted[number]).values(recorded_at=moment)
            connection.execute(changed)
    owner.dispose()
    ledger_marks.catch_up(doors.transact)
    with doors.reading() as session:
        for hour in range(15):
            wanted = noon + timedelta(hours=hour)
            found = ledger_marks.before_moment(session, wanted)
            assert all(moments[number] < wanted for number in ids if number <= found)
            first = min((number for number in ids if moments[number] >= wanted), default=ids[-1] + 1)
            assert len([number for number in ids if found < number < first]) < ledger_marks.STEP


def test_nothing_is_booked_later_with_an_earlier_moment_than_was_told(clone, monkeypatch):  # noqa: ARG001
    monkeypatch.setattr(cursors, "UNSEEN_SECONDS", 0)
    shop = Shop()
    one, two = shop.product(), shop.product()

    def told():
        with doors.reading() as session:
            last = cursors.horizon(session)
            return last, cursors.known_until(session, last)

    with doors.transaction() as early:
        began = early.scalar(sa.select(sa.func.now()))  # it has no id yet and nothing to be seen
        assert told()[1] == began
        with doors.transaction() as other:
            last = stock.add(other, shop.actor, two, shop.here, 1).lines[0].movement_id
        assert told() == (last, began)
        stock.add(early, shop.actor, one, shop.here, 1)
        with doors.transaction() as other:
            stock.add(other, shop.actor, two, shop.here, 1)
        assert told() == (last, began)
    with doors.reading() as session:
        first_behind = sa.select(sa.func.min(Posting.recorded_at)).join(
            Movement, Movement.posting_id == Posting.id
        )
        assert session.scalar(first_behind.where(Movement.id > last)) == began
        assert cursors.known_until(session, last) == began  # it has ended, and is behind what was seen
    with doors.reading() as long_one:
        long_one.execute(sa.text(f"SET LOCAL application_name = '{cursors.READS_ONLY}'"))
        began = long_one.scalar(sa.select(sa.func.now()))
        assert told()[1] > began  # whoever only reads for long holds nobody back
