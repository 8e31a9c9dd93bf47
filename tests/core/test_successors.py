"""A product that replaces another one goes on from its demand."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import catalogue, demand, exclusions, stock, successors
from core.errors import NotAllowed, NotFound, RuleBroken
from db.models import AuditLine
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
SUNDAY = date(2026, 3, 8)


def day(n):
    return MONDAY + timedelta(days=n)


def sells(session, product, n, quantity, place=None):
    place = place or the_warehouse(session)
    stock.remove(
        session, an_actor(session), product.id, place.id, quantity, occurred_at=day(n), reason_code="sale"
    )


@pytest.fixture
def old_and_new(session):
    """The old one sells its 5 by Tuesday; the new one comes on Thursday and sells 2 on Friday."""
    old = a_product(session, 5, stock_at=day(0))
    sells(session, old, 0, 2)
    sells(session, old, 1, 3)
    new = a_product(session, 10, stock_at=day(3))
    sells(session, new, 4, 2)
    successors.take_over(session, an_actor(session), new.id, old.uid)
    return old, new


def learned(session, product, **about):
    found = demand.frame(session, SUNDAY, product_ids=[product.id], **about)
    return found.y.tolist(), found.in_stock.tolist()


def test_the_successor_has_the_days_of_both_and_the_gap_between_them_counts_as_without_stock(
    session, old_and_new
):
    old, new = old_and_new
    assert learned(session, new) == ([2, 3, 0, 0, 2, 0, 0], [True, True, False, True, True, True, True])
    assert learned(session, old)[0] == [2, 3, 0, 0, 0, 0, 0]
    alone = demand.frame(session, SUNDAY, product_ids=[new.id], as_booked=True)
    assert alone.y.tolist() == [0, 2, 0, 0]


def test_what_they_are_counted_in_stays_while_they_share_a_history(session, old_and_new):
    actor = an_actor(session)
    for product in old_and_new:
        with pytest.raises(RuleBroken, match="shares its demand"):
            catalogue.change(session, actor, product.id, SUNDAY, unit_of_measure="kg")
    catalogue.change(session, actor, old_and_new[0].id, SUNDAY, name="Other name")
    successors.take_over(session, actor, old_and_new[1].id, None)
    catalogue.change(session, actor, old_and_new[0].id, SUNDAY, unit_of_measure="kg")


def test_one_product_comes_out_as_among_all(session, old_and_new):
    _, new = old_and_new
    for by_warehouse in (False, True):
        alone = demand.frame(session, SUNDAY, product_ids=[new.id], by_warehouse=by_warehouse)
        every = demand.frame(session, SUNDAY, by_warehouse=by_warehouse)
        mine = every[every.unique_id.astype(str).str.split(":").str[0] == str(new.id)]
        assert alone.y.tolist() == mine.y.tolist()
        assert alone.in_stock.tolist() == mine.in_stock.tolist()


def test_by_warehouse_each_place_goes_on_from_its_own(session, old_and_new):
    old, new = old_and_new
    here, there = the_warehouse(session), a_warehouse(session)
    stock.add(session, an_actor(session), old.id, there.id, 4, occurred_at=day(0))
    sells(session, old, 2, 4, there)
    found = demand.frame(session, SUNDAY, product_ids=[new.id], by_warehouse=True)
    sums = found.groupby("unique_id", observed=True).y.sum().to_dict()
    assert sums == {f"{new.id}:{here.id}": 7, f"{new.id}:{there.id}": 4}


def test_a_line_of_three_and_what_is_left_out_of_the_first_go_all_the_way(session, old_and_new):
    old, new = old_and_new
    newest = a_product(session, 3, stock_at=day(6))
    actor = an_actor(session)
    successors.take_over(session, actor, newest.id, new.uid)
    assert successors.lines(session, [newest.id]) == {newest.id: [new.id, old.id]}
    assert successors.followers(session, old.id) == [new.id, newest.id]
    assert learned(session, newest)[0] == [2, 3, 0, 0, 2, 0, 0]
    exclusions.leave_out_days(session, actor, old.id, day(1).date(), reason="fair", today=SUNDAY)
    y, in_stock = learned(session, newest)
    assert (y, in_stock[1]) == ([2, 0, 0, 0, 2, 0, 0], False)


def test_it_can_be_taken_back_and_the_audit_says_both(session, old_and_new):
    old, new = old_and_new
    actor = an_actor(session)
    assert successors.predecessor(session, new.id).id == old.id
    successors.take_over(session, actor, new.id, old.uid)  # nothing new
    successors.take_over(session, actor, new.id, None)
    assert successors.predecessor(session, new.id) is None
    assert learned(session, new)[0] == [0, 2, 0, 0]
    lines = session.scalars(
        sa.select(AuditLine).where(AuditLine.subject_id == str(new.uid)).order_by(AuditLine.id)
    ).all()
    assert [line.after for line in lines] == [{"replaces": old.sku}, {"replaces": None}]


def test_refuses_itself_circles_long_lines_other_units_strangers_and_who_may_not(session, old_and_new):
    old, new = old_and_new
    actor = an_actor(session)
    with pytest.raises(RuleBroken, match="cannot replace itself"):
        successors.take_over(session, actor, old.id, old.uid)
    with pytest.raises(RuleBroken, match="would be a circle"):
        successors.take_over(session, actor, old.id, new.uid)
    with pytest.raises(RuleBroken, match="counted in kg"):
        successors.take_over(session, actor, new.id, a_product(session, unit_of_measure="kg").uid)
    for wanted in ("nonsense", uuid.uuid4()):
        with pytest.raises(NotFound):
            successors.take_over(session, actor, new.id, wanted)
    with pytest.raises(NotFound):
        successors.take_over(session, actor, 2**40, old.uid)
    with pytest.raises(NotAllowed):
        successors.take_over(session, an_actor(session, "user"), new.id, None)
    last = new
    for _ in range(successors.MOST_PREDECESSORS - 1):
        last, before = a_product(session), last
        successors.take_over(session, actor, last.id, before.uid)
    with pytest.raises(RuleBroken, match="in a line of 12"):
        successors.take_over(session, actor, a_product(session).id, last.uid)
    with pytest.raises(RuleBroken, match="in a line of 12"):
        successors.take_over(session, actor, old.id, a_product(session).uid)
