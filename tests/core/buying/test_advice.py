"""Advice: levels from the goal, receipts that add up, nothing that is silently missing."""

import functools
import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import auth, stock
from core.buying import advice, advice_lines, buying_settings, service_rules
from core.errors import NotAllowed
from core.reorder import levels
from db.models import Advice, AdviceRun, ExpectedReceipt, Forecast, Vendor
from tests.core.advice_world import NOW, TODAY, a_forecast, advised, line_of, sold
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse


@pytest.fixture(autouse=True)
def _paths_are_believed(monkeypatch):
    """No doubt on top of the paths, so that levels of sure demand can be reckoned in the head."""
    monkeypatch.setattr(levels, "curves", functools.partial(levels.curves, doubt=0))


def on_its_way(session, product, quantity, day, warehouse=None):
    place = warehouse or the_warehouse(session)
    session.add(
        ExpectedReceipt(
            product_id=product.id, warehouse_id=place.id, quantity=quantity, expected_on=day,
            created_by=auth.system_actor(session).id,
        )
    )  # fmt: skip
    session.flush()


def test_orders_up_to_a_level_that_lasts_until_the_order_after_this_one_arrives(session):
    product = sold(session, 10, 2.0, sure=True)
    advised(session)
    line = line_of(session, product)
    assert line.action == "order"
    assert line.level == 28, "7 days until it arrives and 7 until the next, 2 a day, all of them sure"
    assert line.quantity == 18
    assert (line.vendor is not None, line.unit_cost, line.value) == (True, 2, 36)
    assert line.arrives_on == TODAY + timedelta(days=7)
    assert line.needed_on == TODAY
    assert line.is_due
    assert line.chance == 1.0
    assert line.lost_money == 20, "4 of 14 pieces until then, at 5"


def test_every_receipt_adds_up_to_its_quantity(session):
    place = the_warehouse(session)
    other = a_warehouse(session, supplied_by_id=place.id)
    for there, a_day, about in ((0, 3, {"order_multiple": 12}), (10, 1.5, {"minimum_order_quantity": 40}),
                                (900, 2, {}), (3, 0.2, {"prices": {1: 3, 50: "1.20"}})):  # fmt: skip
        product = sold(session, there, a_day, **about)
        a_forecast(session, product, a_day / 2, warehouse=other)
        a_forecast(session, product, a_day / 2, warehouse=place)
    on_its_way(session, product, 7, TODAY + timedelta(days=3))
    a_product(session, 4, reorder_threshold=9)
    advised(session)
    rows = session.scalars(sa.select(Advice)).all()
    assert len(rows) == 9
    for row in rows:
        assert sum(Decimal(amount) for _, amount, _ in row.terms) == row.quantity
        assert row.reason
    for product_id in {row.product_id for row in rows}:
        for detail in advice_lines.of_product(session, product_id, TODAY):
            if detail.line.action != "none":
                assert sum(term.amount for term in detail.terms) == detail.line.quantity


def test_the_vendors_terms_are_kept(session):
    packed = sold(session, 10, 2.0, sure=True, order_multiple=12)
    least = sold(session, 10, 2.0, sure=True, minimum_order_quantity=50)
    advised(session)
    assert line_of(session, packed).quantity == 24
    assert line_of(session, least).quantity == 50


def test_what_is_on_its_way_counts_only_where_it_comes_in_time(session):
    soon, late, overdue = (sold(session, 10, 2.0, sure=True) for _ in range(3))
    on_its_way(session, soon, 18, TODAY + timedelta(days=5))
    on_its_way(session, late, 18, TODAY + timedelta(days=15))
    on_its_way(session, overdue, 18, TODAY - timedelta(days=2))
    advised(session)
    assert not line_of(session, soon).is_due
    assert line_of(session, soon).computed_quantity == 0
    assert line_of(session, late).computed_quantity == 18
    assert line_of(session, overdue).computed_quantity == 0


def test_too_much_is_enough_and_says_when_something_is_needed(session):
    product = sold(session, 40, 2.0, sure=True)
    advised(session)
    line = line_of(session, product)
    assert line.computed_quantity == 0
    assert not line.is_due
    assert line.needed_on == TODAY + timedelta(days=7), "12 more than the level are used up in 6 days"
    assert line.next_quantity == 2
    assert line.order_by_on == TODAY + timedelta(days=13), "used up on the 20th day, a week to arrive"
    assert "in 7 days" in line.reason
    forever = sold(session, 4000, 0.01)
    advised(session)
    assert line_of(session, forever).needed_on is None
    assert "Enough for the next 120 days" in line_of(session, forever).reason


def test_products_without_a_forecast_fall_back_on_their_threshold(session):
    low = a_product(session, 5, reorder_threshold=20)
    high = a_product(session, 50, reorder_threshold=20)
    unknown = a_product(session, 5)
    short = a_product(session, 20, reorder_threshold=20)
    an_offer(session, low, order_multiple=10)
    sold(session)
    run = session.scalar(sa.select(Forecast.model_run_id).limit(1))
    session.add(
        Forecast(model_run_id=run, product_id=short.id, is_current=True, as_of=TODAY, state="too_short",
                 reason="12 days of history are too few.", history_days=12, demand_days=1)
    )  # fmt: skip
    session.flush()
    advised(session)
    assert line_of(session, low).quantity == 20, "16 to be one above its threshold, in tens"
    assert "Below its threshold of 20" in line_of(session, low).reason
    assert line_of(session, high).computed_quantity == 0
    assert "no threshold" in line_of(session, unknown).reason
    assert line_of(session, short).quantity == 1
    assert "12 days of history" in line_of(session, short).reason


def test_what_nobody_offers_is_advised_without_a_vendor(session):
    product = sold(session, 0, 2.0, vendor=None)
    advised(session)
    line = line_of(session, product)
    assert line.action == "order"
    assert line.quantity > 0
    assert line.vendor is None
    assert "add an offer" in line.reason
    (nobody,) = advice_lines.vendors_summary(session, TODAY)
    assert (nobody.uid, nobody.lines) == (None, 1)
    assert advice_lines.lines(session, TODAY, vendor_uid=advice_lines.NO_VENDOR).total == 1


def test_the_cheapest_unit_price_loses_where_it_comes_too_late(session):
    product = sold(session, 10, 2.0, sure=True, unit_price=50)
    cheap = a_vendor(session, name="Slow and cheap")
    an_offer(session, product, cheap, prices={1: "1.90"}, lead_time_days=40)
    advised(session)
    detail = next(iter(advice_lines.of_product(session, product.id, TODAY)))
    assert detail.line.vendor != "Slow and cheap"
    assert [row["is_recommended"] for row in detail.vendors] == [True, False]
    assert "lost sales" in detail.vendors[0]["why"]


def test_the_preferred_vendor_delivers_whatever_others_ask(session):
    mine = a_vendor(session, name="Mine")
    product = sold(session, 0, 2.0, preferred_vendor_id=mine.id)
    an_offer(session, product, mine, prices={1: 9})
    advised(session)
    assert line_of(session, product).vendor == "Mine"


def test_a_supplied_warehouse_gets_transfers_and_its_demand_is_ordered_together(session):
    main = the_warehouse(session)
    branch = a_warehouse(session, supplied_by_id=main.id)
    product = sold(session, 100, 4.0, sure=True)
    a_forecast(session, product, 3.0, warehouse=main, sure=True)
    a_forecast(session, product, 1.0, warehouse=branch, sure=True)
    advised(session)
    ordered, moved = line_of(session, product, main), line_of(session, product, branch)
    assert ordered.on_hand == 100
    assert ordered.level == 60, "4 a day for 7 + 1 + 7 days"
    assert ordered.computed_quantity == 0
    assert (moved.action, moved.from_warehouse) == ("transfer", main.code)
    assert moved.quantity == 8, "1 a day for 1 + 7 days"


def test_a_warehouse_that_has_little_gives_what_it_does_not_need_itself(session):
    main = the_warehouse(session)
    branches = [a_warehouse(session, supplied_by_id=main.id) for _ in range(2)]
    product = sold(session, 30, 5.0, sure=True)
    a_forecast(session, product, 3.0, warehouse=main, sure=True)
    for branch in branches:
        a_forecast(session, product, 1.0, warehouse=branch, sure=True)
    advised(session)
    moved = [line_of(session, product, branch) for branch in branches]
    assert sum(line.quantity for line in moved) == 6, "30 less 8 days of its own 3"
    assert line_of(session, product, main).action == "order"
    assert "can spare" in moved[0].reason


def test_the_goal_of_the_shop_decides_how_much_is_kept(session):
    actor = an_actor(session, "manager")
    products = [sold(session, 0, 2.0) for _ in range(4)]

    def kept():
        advised(session)
        return sum(line_of(session, product).level for product in products)

    buying_settings.change(session, actor, NOW, service_percent=80)
    low = kept()
    buying_settings.change(session, actor, NOW, service_percent=99)
    high = kept()
    assert low < high
    buying_settings.change(session, actor, NOW, goal="budget", budget=20)
    assert kept() < high
    buying_settings.change(session, actor, NOW, goal="cost", holding_percent=20)
    assert kept() > 0
    run = session.scalar(sa.select(AdviceRun).where(AdviceRun.is_current))
    assert run.goal["goal"] == "cost"


def test_without_a_price_for_missing_pieces_the_service_goal_is_asked_instead_of_nothing(session):
    actor = an_actor(session, "manager")
    priced = sold(session, 3, 2.0)
    unpriced = sold(session, 3, 2.0, unit_cost=None, unit_price=None)
    buying_settings.change(session, actor, NOW, goal="cost", service_percent=95)
    advised(session)
    assert line_of(session, priced).quantity > 0
    line = line_of(session, unpriced)
    assert line.quantity > 0
    assert line.service_percent >= 95


def test_what_the_goal_keeps_none_of_is_not_called_enough(session):
    actor = an_actor(session, "manager")
    there, empty = sold(session, 3, 2.0), sold(session, 0, 2.0)
    quiet, plenty = sold(session, 0, 0.0, sure=True), sold(session, 5_000, 2.0)
    buying_settings.change(session, actor, NOW, budget="0.0001", goal="budget")
    advised(session)
    line = line_of(session, there)
    assert (line.action, line.level) == ("none", 0)
    assert line.reason.startswith("May be out by 2026-11-")
    assert "under the shop's goal the money helps more elsewhere" in line.reason
    assert line_of(session, empty).reason.startswith("Out of stock, and not to be ordered")
    assert (
        line_of(session, quiet).reason == line_of(session, plenty).reason == "Enough for the next 120 days."
    )


def test_never_out_products_get_at_least_what_is_asked_of_them(session):
    actor = an_actor(session, "manager")
    dear = sold(session, 0, 2.0, prices={1: 400}, unit_cost=400)
    sold(session, 0, 2.0)
    buying_settings.change(session, actor, NOW, service_percent=60)
    advised(session)
    before = line_of(session, dear)
    service_rules.put(session, actor, NOW, "99.5", product_id=dear.id)
    advised(session)
    after = line_of(session, dear)
    assert before.service_percent < Decimal("99.5") <= after.service_percent
    assert after.level > before.level


def test_the_order_leaves_on_the_vendors_day_and_says_until_when(session):
    vendor = a_vendor(session, order_weekdays=[1])  # today is a Wednesday
    product = sold(session, 100, 2.0, sure=True, vendor=vendor)
    advised(session)
    line = line_of(session, product)
    assert line.arrives_on == date(2026, 11, 30), "sent on Monday the 23rd"
    assert line.order_by_on.isoweekday() == 1
    assert line.order_by_on + timedelta(days=7) <= TODAY + timedelta(days=50)


def test_only_the_run_before_is_kept_and_says_what_changed(session):
    product = sold(session, 10, 2.0, sure=True)
    for left in (10, 10, 4):
        if left == 4:
            stock.remove(session, auth.system_actor(session), product.id, the_warehouse(session).id, 6)
        advised(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(AdviceRun)) == 2
    (detail,) = advice_lines.of_product(session, product.id, TODAY)
    assert detail.before_quantity == 18
    assert detail.line.quantity == 24
    assert sum(change.amount for change in detail.changed) == 6
    assert "on hand" in detail.changed[0].name


def test_what_changed_is_told_since_an_earlier_day_however_often_advice_is_made(session):
    product = sold(session, 10, 2.0, sure=True)
    advised(session)
    stock.remove(session, auth.system_actor(session), product.id, the_warehouse(session).id, 6)
    for hours in (24, 25, 26):
        advised(session, NOW + timedelta(hours=hours))
    assert session.scalar(sa.select(sa.func.count()).select_from(AdviceRun)) == 3
    (detail,) = advice_lines.of_product(session, product.id, TODAY)
    assert detail.before_at == NOW
    assert sum(change.amount for change in detail.changed) == detail.line.quantity - 18


def test_products_and_warehouses_that_are_used_no_more_are_left_out(session):
    product = sold(session, 0, 2.0)
    product.is_active = False
    session.flush()
    advised(session)
    assert advice_lines.of_product(session, product.id, TODAY) == []


def test_an_empty_shop_has_advice_with_nothing_in_it(session):
    advised(session)
    head = advice_lines.head(session, NOW)
    assert head.totals["lines"] == 0
    assert advice_lines.lines(session, TODAY).rows == []
    assert advice_lines.curve(session) == []
    assert advice_lines.what_if_goal(session, service_percent=Decimal(95)) is None


def test_a_forecast_that_ends_before_today_is_none(session):
    product = a_product(session, 5, reorder_threshold=2)
    a_forecast(session, product, 2.0, as_of=TODAY - timedelta(days=400))
    advised(session)
    assert "There is no forecast" in line_of(session, product).reason


def test_who_may_not_buy_may_not_ask_for_advice(session):
    with pytest.raises(NotAllowed):
        advice.make(session, an_actor(session, "user"), NOW)


def test_money_of_a_foreign_vendor_is_in_the_shops_currency(session):
    vendor = a_vendor(session, currency="SEK", exchange_rate="0.1")
    product = sold(session, 10, 2.0, sure=True, vendor=vendor, prices={1: 25})
    advised(session)
    line = line_of(session, product)
    assert line.unit_cost == Decimal("2.5")
    assert line.value == 45
    assert session.get(Vendor, vendor.id).currency == "SEK"


def test_the_curve_rises_and_answers_for_goals_between_its_points(session):
    for _ in range(3):
        sold(session, 0, 2.0)
    advised(session)
    points = advice_lines.curve(session)
    assert 10 < len(points) <= 25
    assert all(a.stock <= b.stock and a.service_percent < b.service_percent
               for a, b in itertools.pairwise(points))  # fmt: skip
    middle = advice_lines.what_if_goal(session, service_percent=Decimal("97"))
    assert points[0].stock < middle.stock < points[-1].stock
    assert middle.service_percent == pytest.approx(97)
    assert advice_lines.what_if_goal(session, budget=Decimal(10**9)) == points[-1]
    with pytest.raises(TypeError):
        advice_lines.what_if_goal(session)


# -- The promise ---------------------------------------------------------------------------------------------


def calibration(session):
    return session.scalar(sa.select(AdviceRun.calibration).where(AdviceRun.is_current))


def test_without_a_record_the_promise_is_asked_for_as_it_is(session):
    sold(session, 40, 2.0)
    advised(session)
    found = advice_lines.head(session, NOW).calibration
    assert found["ask"] == found["target"] == 0.95
    assert found["lines"] == 0
    assert "waiting" not in found
    (period,) = calibration(session)["waiting"]
    assert period["first_on"] == (TODAY + timedelta(days=7)).isoformat()
    assert period["last_on"] == (TODAY + timedelta(days=13)).isoformat()
    assert 0.9 < period["promised"] <= 1


def test_a_period_is_promised_once_a_review_and_only_of_what_has_enough(session):
    sold(session, 40, 2.0)
    sold(session, 0, 2.0)
    advised(session)
    advised(session, NOW + timedelta(days=1))
    assert [len(one["products"]) for one in calibration(session)["waiting"]] == [1]
    advised(session, NOW + timedelta(days=7))
    assert len(calibration(session)["waiting"]) == 2


THEN = NOW - timedelta(days=40)


def lived_through(session, days, a_day):
    """A product that had 30 pieces and 2 sure ones a day ahead, advised then, and then sold so."""
    product = a_product(session, 30, stock_at=THEN - timedelta(days=1))
    a_forecast(session, product, 2.0, sure=True, as_of=THEN.date() - timedelta(days=1))
    an_offer(session, product)
    advised(session, THEN)
    actor, place = auth.system_actor(session), the_warehouse(session)
    for day in range(days):
        moment = THEN + timedelta(days=day)
        stock.remove(session, actor, product.id, place.id, a_day, reason_code="sale", occurred_at=moment)
    advised(session, THEN + timedelta(days=14))
    return calibration(session)


def test_what_was_served_is_held_against_what_was_promised(session):
    found = lived_through(session, 14, 2)
    (came,) = found["record"]
    assert (came["served"], came["lines"]) == (7, 7)
    assert found["happened"] == 1


def test_days_without_stock_count_as_lost_lines_and_more_is_asked_for(session):
    found = lived_through(session, 10, 3)
    (came,) = found["record"]
    assert came["served"] == 3, "of the seven days from the eighth on the shelf was empty on four"
    assert came["served"] < came["lines"] <= 7
    assert found["happened"] < found["promised"]
    assert found["ask"] > found["target"]
