"""Whom to order from, from ledger to advice: where the cheapest price loses, two orders beat one, a transfer
wins. Each with real rows, and the same in the comparison and in the advice of the whole shop."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from core import stock
from core.buying import advice, advice_choices, basket, comparison, service_rules
from core.reorder import receipts
from db.models import Advice, AdviceRun, BuyingSettings, VendorShutdown
from jobs.train import train
from tests.core import advice_world
from tests.core.test_predictions import NOW, TODAY, sold_daily
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse

D = Decimal


def advised(session, product, place=None):
    """The row of advice on a product, after one run over the shop."""
    run = advice.make(session, None, NOW)
    question = select(Advice).where(Advice.run_id == run.id, Advice.product_id == product.id)
    if place is not None:
        question = question.where(Advice.warehouse_id == place.id)
    return session.scalars(question).one()


def adds_up(row):
    return receipts.total(receipts.read(row.terms)) == row.quantity


def named(row):
    return {vendor["vendor_id"]: vendor for vendor in row.vendors}


def sold_at(session, product, place, *, days=60, quantity=2, left=0):
    """Sells the same every day in a warehouse until yesterday, and `left` are left there."""
    actor, start = an_actor(session), NOW - timedelta(days=days)
    much = days * quantity + left
    stock.add(session, actor, product.id, place.id, much, reason_code="opening", occurred_at=start)
    for n in range(days):
        stock.remove(
            session, actor, product.id, place.id, quantity,
            reason_code="sale", occurred_at=start + timedelta(days=n, hours=1),
        )  # fmt: skip


def test_the_cheapest_unit_price_loses_because_waiting_loses_sales(session):
    product = sold_daily(session, left=8, quantity=4, unit_cost=3, unit_price=8)
    slow, fast = a_vendor(session, name="Slow"), a_vendor(session, name="Fast")
    an_offer(session, product, slow, prices={1: "3.00"}, lead_time_days=24)
    an_offer(session, product, fast, prices={1: "3.12"}, lead_time_days=3)
    train(NOW)
    row = advised(session, product)
    assert (row.action, row.vendor_id) == ("order", fast.id)
    assert adds_up(row)
    assert named(row)[fast.id]["is_recommended"]
    assert named(row)[fast.id]["why"].startswith("0.12 a piece dearer than Slow, but arrives 21 days sooner")
    assert named(row)[slow.id]["why"].startswith("Cheapest a piece, 0.12 less than Fast, but arrives 21 days")
    compared = comparison.of_product(session, product.id, TODAY)
    assert compared.basis == comparison.ADVISED
    assert compared.recommended.offer.vendor_id == fast.id
    assert compared.recommended.costed.why == named(row)[fast.id]["why"]


def test_the_cheapest_unit_price_loses_because_of_its_minimum(session):
    product = sold_daily(session, left=4, quantity=2, unit_cost=3, unit_price=8)
    bulk, small = a_vendor(session, name="Bulk"), a_vendor(session, name="Small")
    an_offer(session, product, bulk, prices={1: "3.00"}, lead_time_days=3, minimum_order_quantity=2000)
    an_offer(session, product, small, prices={1: "3.20"}, lead_time_days=3)
    train(NOW)
    row = advised(session, product)
    assert (row.action, row.vendor_id) == ("order", small.id)
    assert row.quantity < 100
    assert "2000 have to be ordered, and keeping the rest would cost" in named(row)[bulk.id]["why"]


def test_two_orders_beat_one(session):
    product = sold_daily(session, left=4, quantity=4, unit_cost=3, unit_price=9)
    slow, fast = a_vendor(session, name="Slow"), a_vendor(session, name="Fast")
    an_offer(session, product, slow, prices={1: "3.00"}, lead_time_days=20)
    an_offer(session, product, fast, prices={1: "5.50"}, lead_time_days=2)
    session.execute(update(BuyingSettings).values(review_days=30))
    train(NOW)
    compared = comparison.of_product(session, product.id, TODAY, quantity=200)
    split = compared.split
    assert (split.first.vendor_id, split.second.vendor_id) == (fast.id, slow.id)
    assert split.first.quantity + split.second.quantity >= 200
    assert 40 <= split.first.quantity <= 90  # about the 18 days until the slow one delivers
    assert split.total + split.saves == compared.rows[0].costed.total
    assert split.saves > 0


def test_the_transfer_wins_where_a_supplied_warehouse_runs_low(session):
    product = a_product(session, unit_cost=3, unit_price=8, lead_time_days=7)
    main = the_warehouse(session)
    branch = a_warehouse(session, "BRANCH", supplied_by_id=main.id)
    sold_at(session, product, main, left=300)
    sold_at(session, product, branch, left=2)
    an_offer(session, product, a_vendor(session), prices={1: "3.00"}, lead_time_days=14)
    train(NOW)
    row = advised(session, product, branch)
    assert (row.action, row.from_warehouse_id, row.vendor_id) == ("transfer", main.id, None)
    assert row.quantity > 0
    assert adds_up(row)


@pytest.mark.parametrize("freight", [None, 40])
def test_the_transfer_wins_where_another_warehouse_has_too_much_and_the_vendor_comes_too_late(
    session, freight
):
    product = a_product(session, unit_cost=3, unit_price=8, lead_time_days=7)
    north, south = the_warehouse(session), a_warehouse(session, "SOUTH")
    sold_at(session, product, north, left=900)
    sold_at(session, product, south, left=4)
    an_offer(session, product, a_vendor(session, freight_cost=freight), prices={1: "3.00"}, lead_time_days=14)
    train(NOW)
    row = advised(session, product, south)
    assert (row.action, row.from_warehouse_id, row.vendor_id) == ("transfer", north.id, None)
    assert adds_up(row)
    assert row.arrives_on == TODAY + timedelta(days=1)
    assert "more than it needs: moving them spares" in row.reason
    assert "arrives 13 days sooner than from Vendor" in row.reason
    current = select(AdviceRun.id).where(AdviceRun.is_current).scalar_subquery()
    there = select(Advice).where(Advice.run_id == current, Advice.warehouse_id == north.id)
    assert session.scalars(there).one().action == "none"


def test_what_one_warehouse_spares_goes_to_one_place_only(session):
    product = a_product(session, unit_cost=3, unit_price=8, lead_time_days=7)
    north = the_warehouse(session)
    others = [a_warehouse(session, code) for code in ("SOUTH", "WEST")]
    sold_at(session, product, north, quantity=1, left=90)
    for place in others:
        sold_at(session, product, place, left=4)
    an_offer(session, product, a_vendor(session), prices={1: "3.00"}, lead_time_days=14)
    train(NOW)
    run = advice.make(session, None, NOW)
    rows = {row.warehouse_id: row for row in session.scalars(select(Advice).where(Advice.run_id == run.id))}
    level = rows[north.id].level
    moved = [rows[place.id] for place in others if rows[place.id].action == "transfer"]
    assert len(moved) <= 1 or sum(row.quantity for row in moved) <= 90 - level
    assert all(adds_up(row) for row in rows.values())


def test_the_order_wins_where_moving_costs_more_than_it_spares(session):
    product = a_product(session, unit_cost=3, unit_price=8, lead_time_days=7)
    north, south = the_warehouse(session), a_warehouse(session, "SOUTH")
    sold_at(session, product, north, left=900)
    sold_at(session, product, south, left=8)
    an_offer(session, product, a_vendor(session), prices={1: "3.00"}, lead_time_days=1)
    session.execute(update(BuyingSettings).values(transfer_cost=500))
    train(NOW)
    assert advised(session, product, south).action == "order"


def test_a_line_that_a_buyer_cut_is_offered_the_price_step_again(session):
    vendor = a_vendor(session)
    product = advice_world.sold(session, 0, 4.0, sure=True, vendor=vendor, prices={1: "3.00", 60: "2.50"})
    advice_world.advised(session)
    line = advice_world.line_of(session, product)
    assert line.quantity >= 60
    actor, now, today = an_actor(session), advice_world.NOW, advice_world.TODAY
    advice_choices.edit(session, actor, line.uid, now, quantity=50)
    filling = basket.suggest(session, vendor.uid, today)
    (extra,) = filling.extras
    assert (filling.target, extra.added, extra.quantity) == ("price step", 10, 60)
    assert filling.gain == filling.saves - filling.holding > 0
    assert filling.sentence.startswith(f"10 more of {product.sku} reach the step from 60 at 2.50: costs ")
    basket.take(session, actor, vendor.uid, now, today)
    assert advice_world.line_of(session, product).quantity == 60
    assert basket.suggest(session, vendor.uid, today).extras == ()


def test_an_order_leaves_ahead_of_the_vendors_shutdown(session):
    vendor = a_vendor(session, name="Closing")
    # 40 pieces at two a day: used up on the twentieth day, so it must arrive by then.
    product = advice_world.sold(session, 40, 2.0, sure=True, vendor=vendor, lead_time_days=7)
    today = advice_world.TODAY
    advice_world.advised(session)
    usual = advice_world.line_of(session, product).order_by_on
    closed = {"starts_on": today + timedelta(days=10), "ends_on": today + timedelta(days=17)}
    session.add(VendorShutdown(vendor_id=vendor.id, **closed))
    session.flush()
    advice_world.advised(session)
    line = advice_world.line_of(session, product)
    assert (usual - line.order_by_on).days == 8
    assert line.reason.endswith(
        f"Closing is closed from {closed['starts_on']} to {closed['ends_on']}: order 8 days ahead."
    )


# -- More risk aversion never orders less --------------------------------------------------------------------

CAUTION = {
    "service": ("service_percent", ("80", "90", "95", "99", "99.9"), {"goal": "service"}),
    "budget": ("budget", ("50", "200", "1000", "50000"), {"goal": "budget"}),
    "shortage": ("shortage_percent", ("5", "20", "80", "300"), {"goal": "cost"}),
    "holding": ("holding_percent", ("200", "80", "20", "1"), {"goal": "cost"}),
}


@pytest.mark.parametrize("what", CAUTION)
def test_more_risk_aversion_never_orders_less(session, what):
    field, values, goal = CAUTION[what]
    made = [
        advice_world.sold(session, 3, rate, prices=prices, order_multiple=multiple, unit_price=price)
        for rate, prices, multiple, price in (
            (0.3, {1: 9}, None, 15), (1.0, {1: 2}, 5, 3), (3.0, {1: 2, 60: "1.90"}, None, 5),
            (6.0, {1: "0.5"}, 12, 2), (0.05, {1: 40}, None, 90),
        )
    ]  # fmt: skip
    before = {product.id: (D(0), D(0)) for product in made}
    for value in values:
        session.execute(update(BuyingSettings).values({field: D(value)} | goal))
        advice_world.advised(session)
        for product in made:
            line = advice_world.line_of(session, product)
            level, quantity = before[product.id]
            assert line.level >= level
            if what != "holding":  # cheaper keeping also makes price steps pay; dearer keeping need not
                assert line.computed_quantity >= quantity
            before[product.id] = line.level, line.computed_quantity
    assert sum(level for level, _ in before.values()) > 0


def test_never_out_never_orders_less_of_that_product(session):
    products = [advice_world.sold(session, 3, rate) for rate in (0.3, 2.0, 5.0)]
    session.execute(update(BuyingSettings).values(service_percent=80))
    levels = []
    for percent in (None, "90", "97", "99.5"):
        if percent is not None:
            service_rules.put(session, an_actor(session), NOW, percent, product_id=products[0].id)
        advice_world.advised(session)
        levels.append(advice_world.line_of(session, products[0]).level)
    assert levels == sorted(levels)
    assert levels[-1] > levels[0]
