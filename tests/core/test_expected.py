"""Stock on its way: noted down, changed, received in parts, and counted by the run-out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import expected, stock
from core.errors import BadInput, KeyReused, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, Movement, RunOut
from db.session import transaction
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()
SOON = TODAY + timedelta(days=3)


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


def coming(session, actor, product, quantity=10, on=SOON, **about):
    place = about.pop("warehouse", None) or the_warehouse(session)
    return expected.add(session, actor, product.id, place.id, quantity, on, today=TODAY, **about)


def counted(session, product, warehouse=None):
    """What the kept run-out counted of it."""
    place = warehouse.id if warehouse else None
    return session.scalar(
        sa.select(RunOut.due).where(
            RunOut.product_id == product.id, RunOut.warehouse_id.is_not_distinct_from(place)
        )
    )


def test_what_is_on_its_way_is_in_the_run_out_at_once(session, manager):
    here, there = the_warehouse(session), a_warehouse(session)
    product = a_product(session, 5)
    stock.add(session, manager, product.id, there.id, 1)
    coming(session, manager, product, "2.50", note=" by lorry ")
    coming(session, manager, product, 7, on=TODAY, warehouse=there)
    assert [r.expected_on for r in expected.open_of(session, product.id)] == [TODAY, SOON]
    assert expected.open_of(session, product.id)[1].note == "by lorry"
    assert counted(session, product) == [[TODAY.isoformat(), "7"], [SOON.isoformat(), "2.5"]]
    assert counted(session, product, here) == [[SOON.isoformat(), "2.5"]]
    assert counted(session, product, there) == [[TODAY.isoformat(), "7"]]


def test_it_can_be_changed_cancelled_and_taken_back(session, manager):
    product, there = a_product(session, 5), a_warehouse(session)
    receipt = coming(session, manager, product)
    expected.change(session, manager, receipt.uid, TODAY, quantity=4, note="half of it")
    expected.change(session, manager, receipt.uid, TODAY, warehouse_id=there.id, expected_on=TODAY)
    assert counted(session, product) == [[TODAY.isoformat(), "4"]]
    expected.change(session, manager, receipt.uid, TODAY, quantity="4.0")
    with pytest.raises(TypeError, match="colour"):
        expected.change(session, manager, receipt.uid, TODAY, colour="red")
    expected.cancel(session, manager, receipt.uid, TODAY)
    assert counted(session, product) is None
    assert expected.open_of(session, product.id) == []
    for attempt in (
        lambda: expected.cancel(session, manager, receipt.uid, TODAY),
        lambda: expected.change(session, manager, receipt.uid, TODAY, quantity=1),
        lambda: expected.receive(session, manager, receipt.uid, key="k", now=NOW),
    ):
        with pytest.raises(RuleBroken, match="was cancelled before"):
            attempt()
    for _ in range(2):
        expected.reopen(session, manager, receipt.uid, TODAY)
    assert counted(session, product) == [[TODAY.isoformat(), "4"]]
    told = session.scalars(
        sa.select(AuditLine.action).where(AuditLine.subject_id == str(product.uid)).order_by(AuditLine.id)
    ).all()
    assert told == [
        "added stock on its way", "changed stock on its way", "changed stock on its way",
        "cancelled stock on its way", "reopened stock on its way",
    ]  # fmt: skip


def test_receiving_books_it_and_closes_it(session, manager):
    product = a_product(session, 5)
    receipt = coming(session, manager, product)
    booked = expected.receive(session, an_actor(session, "user"), receipt.uid, key="k", now=NOW)
    assert (booked.lines[0].before, booked.lines[0].after) == (5, 15)
    assert receipt.closed_because == "received"
    movement = session.get(Movement, booked.lines[0].movement_id)
    assert (movement.reason_code, movement.reference_id) == ("receipt", str(receipt.uid))
    assert counted(session, product) is None
    assert session.scalar(sa.select(RunOut.on_hand).where(RunOut.product_id == product.id)) == 15


def test_a_part_of_it_leaves_the_rest_on_its_way_and_more_is_booked_as_it_came(session, manager):
    product = a_product(session)
    receipt = coming(session, manager, product)
    expected.receive(session, manager, receipt.uid, key="a", quantity="4", now=NOW)
    assert (on_hand(session, product), receipt.quantity, receipt.closed_at) == (4, 6, None)
    assert counted(session, product) == [[SOON.isoformat(), "6"]]
    expected.receive(session, manager, receipt.uid, key="b", quantity=9, now=NOW)
    assert (on_hand(session, product), receipt.closed_because) == (13, "received")
    with pytest.raises(RuleBroken, match="was received before"):
        expected.receive(session, manager, receipt.uid, key="c", now=NOW)
    assert on_hand(session, product) == 13


def test_the_same_key_books_once(session, manager):
    product = a_product(session)
    receipt = coming(session, manager, product)
    first = expected.receive(session, manager, receipt.uid, key="k", quantity=4, now=NOW)
    again = expected.receive(session, manager, receipt.uid, key="k", quantity=4, now=NOW)
    assert (again.replayed, again.lines) == (True, first.lines)
    assert receipt.quantity == 6
    expected.receive(session, manager, receipt.uid, key="all", now=NOW)
    assert expected.receive(session, manager, receipt.uid, key="all", now=NOW).replayed
    assert on_hand(session, product) == 10
    with pytest.raises(KeyReused):
        expected.receive(session, manager, receipt.uid, key="k", quantity=5, now=NOW)


def test_undoing_a_receipt_puts_it_back_on_its_way(session, manager):
    product = a_product(session)
    receipt = coming(session, manager, product)
    part = expected.receive(session, manager, receipt.uid, key="a", quantity=4, now=NOW)
    rest = expected.receive(session, manager, receipt.uid, key="b", quantity=9, now=NOW)
    expected.undo_receive(session, manager, rest.lines[0].movement_id, now=NOW)
    assert (on_hand(session, product), receipt.quantity, receipt.closed_at) == (4, 6, None)
    for _ in range(2):
        expected.undo_receive(session, manager, part.lines[0].movement_id, now=NOW)
    assert (on_hand(session, product), receipt.quantity) == (0, 10)
    assert counted(session, product) == [[SOON.isoformat(), "10"]]
    other = stock.add(session, manager, product.id, the_warehouse(session).id, 1)
    with pytest.raises(NotFound):
        expected.undo_receive(session, manager, other.lines[0].movement_id, now=NOW)


@pytest.mark.parametrize("ended", ["received", "cancelled"])
def test_undoing_an_earlier_part_puts_all_of_that_part_back_on_its_way(session, manager, ended):
    product = a_product(session)
    receipt = coming(session, manager, product)
    part = expected.receive(session, manager, receipt.uid, key="a", quantity=6, now=NOW)
    if ended == "received":
        rest = expected.receive(session, manager, receipt.uid, key="b", now=NOW)
    else:
        expected.cancel(session, manager, receipt.uid, TODAY)
    expected.undo_receive(session, manager, part.lines[0].movement_id, now=NOW)
    assert (receipt.quantity, receipt.closed_at) == (6, None)
    if ended == "received":
        expected.undo_receive(session, manager, rest.lines[0].movement_id, now=NOW)
        assert (on_hand(session, product), receipt.quantity) == (0, 10)


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"quantity": 0}, "not above zero"), ({"quantity": "x"}, "not a number"),
        ({"on": TODAY - timedelta(days=1)}, "in the past"),
        ({"on": TODAY + timedelta(days=731)}, "two years"), ({"on": date.max}, "two years"),
        ({"note": "x" * 301}, "too many"), ({"note": "a\x00"}, "NUL"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(session, manager, about, sentence):
    product = a_product(session)
    with pytest.raises(BadInput, match=sentence):
        coming(session, manager, product, **about)
    assert expected.open_of(session, product.id) == []


def test_what_is_overdue_may_change_without_a_new_day(session, manager):
    product = a_product(session)
    receipt = coming(session, manager, product, on=TODAY)
    later = TODAY + timedelta(days=5)
    assert expected.change(session, manager, receipt.uid, later, quantity=3).expected_on == TODAY
    with pytest.raises(BadInput, match="in the past"):
        expected.change(session, manager, receipt.uid, later, expected_on=TODAY)


def test_it_comes_to_a_warehouse_that_is_in_use(session, manager):
    product, closed = a_product(session), a_warehouse(session, is_active=False)
    with pytest.raises(RuleBroken, match="not in use"):
        coming(session, manager, product, warehouse=closed)
    receipt = coming(session, manager, product)
    with pytest.raises(RuleBroken, match="not in use"):
        expected.change(session, manager, receipt.uid, TODAY, warehouse_id=closed.id)
    for unknown in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            expected.cancel(session, manager, unknown, TODAY)
    with pytest.raises(NotFound):
        expected.add(session, manager, 99_999, the_warehouse(session).id, 1, TODAY, today=TODAY)
    with pytest.raises(RuleBroken, match="is deactivated"):
        coming(session, manager, a_product(session, is_active=False))


def test_staff_receives_and_managers_plan(session, manager):
    product, staff = a_product(session), an_actor(session, "user")
    receipt = coming(session, manager, product, Decimal(2))
    for attempt in (
        lambda: coming(session, staff, product),
        lambda: expected.change(session, staff, receipt.uid, TODAY, quantity=1),
        lambda: expected.cancel(session, staff, receipt.uid, TODAY),
        lambda: expected.reopen(session, staff, receipt.uid, TODAY),
        lambda: expected.receive(session, an_actor(session, "viewer"), receipt.uid, key="k", now=NOW),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    expected.receive(session, staff, receipt.uid, key="k", now=NOW)


@pytest.mark.usefixtures("clone")
def test_two_people_who_receive_the_same_delivery_at_once_book_it_once():
    with transaction() as session:
        product, first, second = a_product(session), an_actor(session, "user"), an_actor(session, "user")
        uid = coming(session, an_actor(session), product).uid

    def receive(actor):
        try:
            with transaction() as session:
                return expected.receive(session, actor, uid, key="k", now=NOW).lines[0].change
        except RuleBroken as refusal:
            return refusal.sentence

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(receive, (first, second)), key=str)
    assert answers == [10, "This delivery was received before."]
    with transaction() as session:
        assert on_hand(session, product) == 10
