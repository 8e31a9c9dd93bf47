"""Warehouses are made, changed and given up, with one default, and never over somebody's stock."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import expected, stock, warehouses
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, Warehouse
from db.session import transaction
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

TODAY = date(2026, 6, 1)


@pytest.fixture
def manager(session):
    return an_actor(session, "manager")


def make(session, actor, code, **about):
    values = {"name": code, "time_zone": "Europe/Berlin"} | about
    return warehouses.create(session, actor, code=code, **values)


def said(session, warehouse):
    lines = session.scalars(
        sa.select(AuditLine).where(AuditLine.subject_id == str(warehouse.uid)).order_by(AuditLine.id)
    )
    return [line.action for line in lines]


def test_the_first_warehouse_is_the_default_and_another_can_become_it(session, manager):
    first, second = make(session, manager, "A"), make(session, manager, "B")
    assert warehouses.default(session).id == first.id
    for _ in range(2):
        warehouses.make_default(session, manager, second.id)
    assert warehouses.default(session).id == second.id
    assert [place.code for place in warehouses.listing(session)] == ["B", "A"]
    assert said(session, second) == ["created", "made default"]


def test_only_the_given_fields_change(session, manager):
    place = make(session, manager, "A", location="Street 1")
    make(session, manager, "B")
    warehouses.change(session, manager, place.id, name="Main", location=None)
    session.refresh(place)
    assert (place.code, place.name, place.location) == ("A", "Main", None)
    assert warehouses.change(session, manager, place.id, code="a").code == "a"
    with pytest.raises(RuleBroken, match="'b' already"):
        warehouses.change(session, manager, place.id, code="b")
    for field, value in (("code", " "), ("name", None), ("time_zone", "Mars/Olympus"), ("name", "x" * 201)):
        with pytest.raises(BadInput):
            warehouses.change(session, manager, place.id, **{field: value})
    with pytest.raises(TypeError, match="colour"):
        warehouses.change(session, manager, place.id, colour="red")
    assert said(session, place) == ["created", "changed", "changed"]


def test_the_days_of_what_was_booked_keep_their_time_zone(session, manager):
    place = make(session, manager, "A")
    assert warehouses.change(session, manager, place.id, time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"
    a_product(session, 5, warehouse=place)
    with pytest.raises(RuleBroken, match="booked on the days of Asia/Tokyo"):
        warehouses.change(session, manager, place.id, time_zone="Europe/Berlin")
    warehouses.change(session, manager, place.id, time_zone="Asia/Tokyo", name="Still allowed")


def test_what_lies_where_is_counted_and_valued(session, manager):
    here, there, empty = (make(session, manager, code) for code in "ABC")
    a_product(session, 5, warehouse=here, unit_cost=2)
    a_product(session, 3, warehouse=here, unit_cost=None, unit_price=10)
    a_product(session, Decimal("1.5"), warehouse=there, unit_cost=None, unit_price=None)
    figures = warehouses.figures(session)
    assert (figures[here.id].products, figures[here.id].units, figures[here.id].value) == (2, 8, 40)
    assert (figures[there.id].units, figures[there.id].value) == (Decimal("1.5"), 0)
    assert empty.id not in figures


def test_a_warehouse_in_use_is_not_given_up(session, manager):
    first, second = make(session, manager, "A"), make(session, manager, "B")
    with pytest.raises(RuleBroken, match="A is the default"):
        warehouses.deactivate(session, manager, first.id)
    product = a_product(session, 5, warehouse=second)
    with pytest.raises(RuleBroken, match="5 units of 1 product lie in B"):
        warehouses.deactivate(session, manager, second.id)
    stock.transfer(session, manager, product.id, second.id, first.id, 5)
    coming = expected.add(session, manager, product.id, second.id, 5, TODAY, today=TODAY)
    with pytest.raises(RuleBroken, match="1 delivery is on the way to B"):
        warehouses.deactivate(session, manager, second.id)
    expected.cancel(session, manager, coming.uid, TODAY)
    for _ in range(2):
        warehouses.deactivate(session, manager, second.id)
    assert [place.code for place in warehouses.listing(session)] == ["A"]
    with pytest.raises(RuleBroken, match="not in use"):
        warehouses.make_default(session, manager, second.id)
    warehouses.reactivate(session, manager, second.id)
    assert said(session, second) == ["created", "deactivated", "reactivated"]


def test_only_a_warehouse_without_a_past_is_erased(session, manager):
    admin = an_actor(session, "admin")
    first, used, unused = (make(session, manager, code) for code in "ABC")
    product = a_product(session, 5, warehouse=used)
    stock.transfer(session, manager, product.id, used.id, first.id, 5)
    assert warehouses.delete(session, admin, used.id) == "deactivated"
    assert warehouses.delete(session, admin, used.id) == "deactivated"
    assert not session.get(Warehouse, used.id, populate_existing=True).is_active
    assert warehouses.delete(session, admin, unused.id) == "erased"
    with pytest.raises(NotFound):
        warehouses.by_uid(session, unused.uid)
    with pytest.raises(RuleBroken, match="default"):
        warehouses.delete(session, admin, first.id)


def test_a_warehouse_is_found_by_its_public_id(session):
    place = a_warehouse(session)
    assert warehouses.by_uid(session, str(place.uid)).id == place.id
    for value in ("nonsense", "a\x00b", "x" * 10_000_000):
        with pytest.raises(NotFound) as refusal:
            warehouses.by_uid(session, value)
        assert len(refusal.value.sentence.encode()) < 250
    with pytest.raises(NotFound):
        warehouses.change(session, an_actor(session), 99_999, name="x")


def test_who_may_not_edit_the_catalogue_does_not(session, manager):
    place, staff = the_warehouse(session), an_actor(session, "user")
    for attempt in (
        lambda: make(session, staff, "A"),
        lambda: warehouses.change(session, staff, place.id, name="x"),
        lambda: warehouses.make_default(session, staff, place.id),
        lambda: warehouses.deactivate(session, staff, place.id),
        lambda: warehouses.reactivate(session, staff, place.id),
        lambda: warehouses.delete(session, manager, place.id),
    ):
        with pytest.raises(NotAllowed):
            attempt()


@pytest.mark.usefixtures("clone")
def test_a_warehouse_is_not_given_up_under_a_booking_that_is_not_committed_yet():
    with transaction() as session:
        the_warehouse(session)
        actor, product, place = an_actor(session), a_product(session), a_warehouse(session)

    def give_up():
        with transaction() as session:
            warehouses.deactivate(session, actor, place.id)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            stock.add(session, actor, product.id, place.id, 3)
            waiting = pool.submit(give_up)
            with pytest.raises(StillWaiting):
                waiting.result(0.5)
        with pytest.raises(RuleBroken, match="3 units of 1 product lie in"):
            waiting.result(10)
