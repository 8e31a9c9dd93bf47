"""Demand that says nothing about the future can be left out, with a reason, and counts again after undo."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import demand, exclusions, stock
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
SUNDAY = date(2026, 3, 8)


def day(n):
    return MONDAY + timedelta(days=n)


@pytest.fixture
def sold(session):
    """`sold(3, 4)`: a product with 100 on hand that sold 3 on Tuesday, 4 on Wednesday ...; and its sales."""

    def make(*quantities, place=None):
        actor, place = an_actor(session), place or the_warehouse(session)
        product = a_product(session, 200, stock_at=day(0), warehouse=place)
        booked = [
            stock.remove(session, actor, product.id, place.id, quantity,
                         occurred_at=day(n + 1), reason_code="sale")
            for n, quantity in enumerate(quantities)
        ]  # fmt: skip
        return product, [one.lines[0].movement_id for one in booked]

    return make


def learned(session, product, **about):
    found = demand.frame(session, SUNDAY, product_ids=[product.id], **about)
    return found.y.tolist(), found.in_stock.tolist()


def test_a_day_left_out_was_as_if_nobody_had_looked_until_it_is_undone(session, sold):
    product, _ = sold(3, 50, 4)
    before = learned(session, product)
    out = exclusions.leave_out_days(
        session, an_actor(session), product.id, day(2).date(), reason="fire sale next door", today=SUNDAY
    )
    assert learned(session, product) == ([0, 3, 0, 4, 0, 0, 0], [True, True, False, True, True, True, True])
    assert demand.frame(session, SUNDAY, product_ids=[product.id], as_booked=True).y.sum() == 57
    actor = an_actor(session)
    exclusions.undo(session, actor, out.uid)
    exclusions.undo(session, actor, out.uid)
    assert learned(session, product) == before
    actions = session.scalars(sa.select(AuditLine.action).where(AuditLine.subject_id == str(product.uid)))
    assert list(actions) == ["left demand out", "counted demand again"]


def test_a_sale_left_out_is_out_of_its_day_and_its_warehouse_while_other_sales_stay(session, sold):
    product, (sale, _) = sold(50, 4)
    here, there = the_warehouse(session), a_warehouse(session)
    stock.transfer(session, an_actor(session), product.id, here.id, there.id, 5, occurred_at=day(0))
    stock.remove(session, an_actor(session), product.id, there.id, 2, occurred_at=day(1), reason_code="sale")
    exclusions.leave_out_sale(session, an_actor(session), product.id, sale, reason="one building site")
    assert learned(session, product) == ([0, 2, 4, 0, 0, 0, 0], [True] * 7)
    apart = demand.frame(session, SUNDAY, product_ids=[product.id], by_warehouse=True)
    sums = apart.groupby("unique_id", observed=True).y.sum().to_dict()
    assert sums == {f"{product.id}:{here.id}": 4, f"{product.id}:{there.id}": 2}


def test_what_came_back_of_a_sale_left_out_is_not_taken_out_twice(session, sold):
    product, (sale, other, _) = sold(50, 6, 4)
    actor = an_actor(session)
    place = the_warehouse(session)
    stock.add(session, actor, product.id, place.id, 50, reason_code="return", occurred_at=day(3))
    exclusions.leave_out_sale(session, actor, product.id, sale, reason="one building site")
    assert learned(session, product)[0] == [0, 0, 6, 4, 0, 0, 0]
    exclusions.leave_out_sale(session, actor, product.id, other, reason="the same site")
    stock.reverse(session, actor, other, key="undo")
    assert learned(session, product)[0] == [0, 0, 0, 4, 0, 0, 0]


def test_lists_what_is_out_with_reason_and_who_and_offers_the_largest_sales_first(session, sold):
    product, (small, large, gone) = sold(3, 50, 60)
    actor = an_actor(session)
    stock.reverse(session, actor, gone, key="undo")
    offered = exclusions.sales(session, product.id, MONDAY.date())
    assert [(sale.movement_id, sale.quantity) for sale in offered] == [(large, 50), (small, 3)]
    out = exclusions.leave_out_sale(session, actor, product.id, large, reason="  typing error ")
    exclusions.leave_out_days(session, actor, product.id, day(4).date(), SUNDAY, reason="fair", today=SUNDAY)
    days, sale = exclusions.of_product(session, product.id)
    assert (days.starts_on, days.ends_on, days.movement_id) == (day(4).date(), SUNDAY, None)
    assert (sale.starts_on, sale.quantity, sale.reason, sale.who) == (
        day(2).date(), 50, "typing error", actor.name,
    )  # fmt: skip
    assert [one.movement_id for one in exclusions.sales(session, product.id, MONDAY.date())] == [small]
    exclusions.undo(session, actor, out.uid)
    assert len(exclusions.of_product(session, product.id)) == 1
    undone = exclusions.of_product(session, product.id, with_undone=True)[-1]
    assert undone.undone_by == actor.name


@pytest.mark.parametrize(
    ("first", "last", "reason", "sentence"),
    [
        (3, 2, "why", "lies before"),
        (5, 7, "why", "has not come yet"),
        (-400, 1, "why", "more than 366 days"),
        (1, 1, "   ", "say why"),
        (1, 1, "x" * 301, "too many"),
        (1, 1, "a\0b", "cannot be kept"),
    ],
)
def test_refuses_days_that_cannot_be_meant(session, sold, first, last, reason, sentence):
    product, _ = sold(3)
    with pytest.raises(BadInput, match=sentence):
        exclusions.leave_out_days(
            session, an_actor(session), product.id, day(first).date(), day(last).date(),
            reason=reason, today=SUNDAY,
        )  # fmt: skip


def test_refuses_what_is_out_already_what_is_no_sale_and_who_may_not(session, sold):
    product, (sale, other) = sold(3, 4)
    actor, place = an_actor(session), the_warehouse(session)
    exclusions.leave_out_days(
        session, actor, product.id, day(1).date(), day(3).date(), reason="fair", today=SUNDAY
    )
    with pytest.raises(RuleBroken, match="is left out already"):
        exclusions.leave_out_days(
            session, actor, product.id, day(3).date(), day(4).date(), reason="again", today=SUNDAY
        )
    exclusions.leave_out_sale(session, actor, product.id, sale, reason="typing error")
    with pytest.raises(RuleBroken, match="is left out already"):
        exclusions.leave_out_sale(session, actor, product.id, sale, reason="again")
    loss = stock.adjust(session, actor, product.id, place.id, -1, reason_code="loss", occurred_at=day(3))
    with pytest.raises(RuleBroken, match="is no sale"):
        exclusions.leave_out_sale(session, actor, product.id, loss.lines[0].movement_id, reason="no")
    stock.reverse(session, actor, other, key="undo")
    with pytest.raises(RuleBroken, match="was reversed"):
        exclusions.leave_out_sale(session, actor, product.id, other, reason="no")
    stranger = a_product(session)
    with pytest.raises(NotFound, match="no movement"):
        exclusions.leave_out_sale(session, actor, stranger.id, sale, reason="no")
    with pytest.raises(NotFound, match="no movement"):
        exclusions.leave_out_sale(session, actor, product.id, 2**70, reason="no")
    with pytest.raises(NotFound):
        exclusions.undo(session, actor, "nonsense")
    with pytest.raises(NotFound):
        exclusions.undo(session, actor, uuid.uuid4())
    with pytest.raises(NotAllowed):
        exclusions.leave_out_sale(session, an_actor(session, "user"), product.id, sale, reason="no")
