"""What buyers chose is let go when newer advice has overtaken it, and stays as long as it means something."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import stock
from core.buying import advice_choices, advice_lapse, advice_lines, drafts, order_state, orders, vendors
from core.errors import RuleBroken
from db.models import AdviceChoice, AuditLine
from tests.core.advice_world import NOW, TODAY, a_forecast, advised, line_of, sold
from tests.makers import a_vendor, a_warehouse, an_actor, an_offer, on_hand, the_warehouse

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def buyer(session):
    return an_actor(session, "manager")


def choices(session):
    return session.scalars(sa.select(AdviceChoice).execution_options(populate_existing=True)).all()


def traces(session):
    asked = sa.select(sa.func.count()).where(AuditLine.action == advice_lapse.ACTION)
    return session.scalar(asked)


def test_a_transfer_does_not_move_what_was_chosen_to_be_ordered(session, buyer):
    main, branch = the_warehouse(session), a_warehouse(session)
    product = sold(session, 4, 4.0)
    a_forecast(session, product, 3.0, warehouse=main)
    a_forecast(session, product, 1.0, warehouse=branch)
    advised(session)
    ordered = line_of(session, product, branch)
    assert ordered.action == "order"
    advice_choices.edit(session, buyer, ordered.uid, NOW, quantity=500)
    branch.supplied_by_id = main.id
    stock.add(session, buyer, product.id, main.id, 600)
    advised(session)
    moved = line_of(session, product, branch)
    assert (moved.action, moved.is_edited) == ("transfer", False)
    assert moved.quantity == moved.computed_quantity < 100
    drafts.move(session, buyer, NOW, key="m", advice_uids=[moved.uid])
    assert on_hand(session, product, main) == 604 - moved.quantity
    assert traces(session) == 1


def test_what_arrived_another_way_is_not_ordered_again(session, buyer):
    product = sold(session, 4, 4.0)
    advised(session)
    advice_choices.edit(session, buyer, line_of(session, product).uid, NOW, quantity=150)
    stock.add(session, buyer, product.id, the_warehouse(session).id, 200)
    advised(session)
    line = line_of(session, product)
    assert (line.is_edited, line.is_due) == (False, False)
    assert [row.sku for row in advice_lines.lines(session, TODAY).rows] == []
    with pytest.raises(RuleBroken, match="Nothing is left to draft"):
        drafts.create(session, buyer, NOW, key="k", vendor_uids=[line.vendor_uid])


def test_what_is_asked_for_ahead_of_its_day_stays_asked_for(session, buyer):
    product = sold(session, 200, 4.0)
    advised(session)
    line = line_of(session, product)
    assert line.computed_quantity == 0
    advice_choices.edit(session, buyer, line.uid, NOW, quantity=50)
    advised(session)
    assert line_of(session, product).quantity == 50
    assert traces(session) == 0


def test_a_vendor_that_is_used_no_more_is_not_chosen_any_more_and_a_snooze_stays(session, buyer):
    product = sold(session, 4, 4.0)
    other = a_vendor(session)
    an_offer(session, product, other, prices={1: 5})
    advised(session)
    line = line_of(session, product)
    advice_choices.edit(session, buyer, line.uid, NOW, vendor_uid=other.uid)
    advice_choices.snooze(session, buyer, line.uid, NOW, until=TODAY + timedelta(days=3))
    vendors.deactivate(session, buyer, other.id)
    advised(session)
    now = line_of(session, product)
    assert (now.vendor, now.is_edited, now.state) == (line.vendor, False, "snoozed")
    assert now.unit_cost == 2
    (kept,) = choices(session)
    assert (kept.quantity, kept.vendor_id, kept.computed) == (None, None, None)


def test_an_order_that_was_written_by_hand_answers_what_was_chosen(session, buyer):
    product = sold(session, 4, 4.0)
    vendor = a_vendor(session)
    an_offer(session, product, vendor)
    advised(session)
    advice_choices.edit(session, buyer, line_of(session, product).uid, NOW, quantity=150)
    place = the_warehouse(session).id
    wanted = [{"product_id": product.id, "warehouse_id": place, "quantity": 20}]
    made = orders.draft(session, buyer, vendor.id, wanted, TODAY)
    assert len(choices(session)) == 1, "a draft is no order yet"
    orders.send(session, buyer, made.uid, LATER)
    assert choices(session) == []
    assert made.state in order_state.AWAITED
