"""The decision journal: what buyers make of the advice, and what came of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import stock
from core.buying import decision_outcomes, decision_tally, decision_watch, decisions, order_lines
from core.errors import BadInput, NotAllowed
from core.forecast import packing
from db.models import (
    Advice,
    AdviceChoice,
    AdviceRun,
    BuyingSettings,
    Decision,
    Forecast,
    JobRun,
    ModelRun,
    OrderReceipt,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    Vendor,
)
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse

TODAY = date(2026, 6, 10)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


def day(number: int) -> date:
    """Day 1 is the day of the decision."""
    return TODAY + timedelta(days=number - 1)


def at(number: int) -> datetime:
    return NOON + timedelta(days=number - 1)


def a_run(session) -> AdviceRun:
    kept = session.scalar(sa.select(AdviceRun).where(AdviceRun.is_current))
    if kept is None:
        kept = AdviceRun(is_current=True, as_of=TODAY, goal={})
        session.add(kept)
        session.flush()
    return kept


def advised_before(session, number=-20):
    """Advice has been worked out since that day."""
    session.add(JobRun(job="advice", slot=at(number), state="done", finished_at=at(number)))
    session.flush()


def advice_on(session, product, vendor=None, *, quantity=60, arrives=8, order_by=1, **about) -> Advice:
    """Advice to order `quantity` today, which arrives on day `arrives`."""
    values = {
        "action": "order" if quantity else "none", "vendor_id": vendor and vendor.id, "quantity": quantity,
        "unit_cost": 2, "level": 80, "on_hand": 20, "due": 0, "next_quantity": 0, "arrives_on": day(arrives),
        "order_by_on": day(order_by), "chance": 0.25, "daily_rate": 5, "reason": "for a test", "terms": [],
        "warehouse_id": the_warehouse(session).id, "run_id": a_run(session).id,
    } | about  # fmt: skip
    kept = Advice(product_id=product.id, **values)
    session.add(kept)
    session.flush()
    return kept


def a_line(
    session, product, vendor, quantity=60, *, arrives=8, state="draft", sent=None, **about
) -> PurchaseOrderLine:
    """A line of an order that is expected on day `arrives`."""
    number = session.scalar(sa.select(sa.func.count()).select_from(PurchaseOrder))
    order = PurchaseOrder(
        number=f"PO-2026-{number + 1:04d}", vendor_id=vendor.id, state=state, currency="EUR",
        expected_on=day(arrives), created_by=an_actor(session).id, sent_on=sent and day(sent),
        cancelled_at=NOON if state == "cancelled" else None, **about,
    )  # fmt: skip
    session.add(order)
    session.flush()
    line = PurchaseOrderLine(
        order_id=order.id, product_id=product.id, warehouse_id=the_warehouse(session).id, quantity=quantity,
        unit_price=2, received=0, given_up=0,
    )  # fmt: skip
    session.add(line)
    session.flush()
    return line


def forecast_of(session, product, rate=5.0):
    """A forecast of yesterday that sells the same each day."""
    run = ModelRun(state="published", as_of=day(0), engine={})
    session.add(run)
    session.flush()
    rising = [[rate * n for n in range(1, 121)]] * 20
    session.add(Forecast(
        model_run_id=run.id, product_id=product.id, is_current=True, as_of=day(0), state="ok",
        reason="for a test", method="pool", demand_class="smooth", history_days=90, demand_days=80,
        paths=packing.encode(rising),
    ))  # fmt: skip
    session.flush()


def noted(session, quantity=60, *, advised=60, other_vendor=False, product=None, **about):
    """A decision about a product of which `advised` was advised."""
    product = product or a_product(session, 20)
    vendor = a_vendor(session)
    advice = advice_on(session, product, vendor, quantity=advised, **about)
    chosen = a_vendor(session) if other_vendor else vendor
    line = a_line(session, product, chosen, quantity)
    return decisions.note(session, an_actor(session), advice, line, Decimal(quantity), chosen.id, TODAY)


def journal(session):
    return session.scalars(
        sa.select(Decision).order_by(Decision.id).execution_options(populate_existing=True)
    ).all()


# -- Written down --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "advised", "other_vendor", "kind"),
    [(60, 60, False, "taken"), (40, 60, False, "edited"), (60, 60, True, "edited"), (10, 0, False, "own")],
    ids=["taken", "another quantity", "another vendor", "no advice to order"],
)
def test_what_is_ordered_is_told_from_what_was_advised(session, quantity, advised, other_vendor, kind):
    kept = noted(session, quantity, advised=advised, other_vendor=other_vendor)
    assert (kept.kind, kept.advised, kept.chosen) == (kind, advised, quantity)
    assert (kept.covers_from, kept.covers_until) == (day(8), day(14))
    assert kept.outcome is None


def test_the_forecast_of_the_moment_is_kept(session):
    product = a_product(session, 20)
    forecast_of(session, product)
    kept = noted(session, product=product)
    assert {name: kept.forecast[name] for name in ("rate", "chance", "on_hand", "due", "p10", "p50")} == {
        "rate": "5", "chance": 0.25, "on_hand": "20", "due": "0", "p10": "35", "p50": "35",
    }  # fmt: skip


def test_an_order_covers_the_days_until_the_vendor_takes_the_next_one(session):
    session.execute(sa.update(BuyingSettings).values(review_days=1))
    kept = noted(session)
    assert kept.covers_until == kept.covers_from
    vendor, product = a_vendor(session, order_weekdays=[3]), a_product(session, 20)
    line = a_line(session, product, vendor)
    kept = decisions.note(session, an_actor(session), None, line, Decimal(60), vendor.id, TODAY)
    assert (kept.covers_until - kept.covers_from).days == 6, "it takes orders on Wednesdays, today is one"


def test_a_viewer_decides_nothing(session):
    product, vendor = a_product(session, 20), a_vendor(session)
    line = a_line(session, product, vendor)
    with pytest.raises(NotAllowed):
        decisions.note(session, an_actor(session, "user"), None, line, Decimal(60), vendor.id, TODAY)


def test_an_order_without_a_day_arrives_after_the_usual_lead_time(session):
    product, vendor = a_product(session, 20, lead_time_days=4), a_vendor(session)
    line = a_line(session, product, vendor)
    session.get(PurchaseOrder, line.order_id).expected_on = None
    kept = decisions.note(session, an_actor(session), None, line, Decimal(60), vendor.id, TODAY)
    assert (kept.kind, kept.covers_from) == ("own", day(5))


def test_a_draft_that_is_cancelled_or_a_line_taken_out_never_was_a_decision(session):
    first, second = noted(session), noted(session)
    assert decisions.withdraw(session, [first.order_line_id]) == 1
    assert [one.id for one in journal(session)] == [second.id]
    order = session.get(PurchaseOrderLine, second.order_line_id).order_id
    session.execute(
        sa.update(PurchaseOrder)
        .where(PurchaseOrder.id == order)
        .values(state="cancelled", cancelled_at=NOON)
    )  # fmt: skip
    assert decisions.follow(session) == 1
    assert journal(session) == []


def test_a_draft_that_is_changed_before_it_is_sent_changes_the_decision(session):
    kept = noted(session)
    line = session.get(PurchaseOrderLine, kept.order_line_id)
    line.quantity = Decimal(40)
    session.flush()
    assert decisions.follow(session, [line.id]) == 1
    (after,) = journal(session)
    assert (after.kind, after.chosen) == ("edited", 40)
    line.quantity = Decimal(60)
    session.flush()
    decisions.follow(session)
    (again,) = journal(session)
    assert (again.kind, again.chosen) == ("taken", 60)
    assert decisions.follow(session) == 0


def test_a_line_can_be_taken_off_a_draft_or_be_replaced_with_its_decision(session):
    first, second = noted(session), noted(session)
    manager = an_actor(session)
    line = session.get(PurchaseOrderLine, first.order_line_id)
    order_lines.remove(session, manager, line.uid)
    assert [one.id for one in journal(session)] == [second.id]
    line = session.get(PurchaseOrderLine, second.order_line_id)
    order = session.get(PurchaseOrder, line.order_id)
    an_offer(session, session.get(Product, line.product_id), session.get(Vendor, order.vendor_id))
    wanted = {"product_id": line.product_id, "warehouse_id": line.warehouse_id, "unit_price": 2}
    (new,) = order_lines.replace(session, manager, order.uid, [wanted | {"quantity": 40}], TODAY)
    (kept,) = journal(session)
    assert (kept.order_line_id, kept.kind, kept.chosen) == (new.id, "edited", 40)
    order_lines.change(session, manager, new.uid, NOON, TODAY, quantity=60)
    assert [one.kind for one in journal(session)] == ["taken"]
    order_lines.replace(session, manager, order.uid, [], TODAY)
    assert journal(session) == []


def test_what_is_ordered_ahead_of_its_day_is_taken_too(session):
    vendor, product = a_vendor(session), a_product(session, 20)
    advice = advice_on(session, product, vendor, quantity=0, next_quantity=24)
    line = a_line(session, product, vendor, 24)
    kept = decisions.note(session, an_actor(session), advice, line, Decimal(24), vendor.id, TODAY)
    assert (kept.kind, kept.advised) == ("taken", 24)


def test_an_order_that_people_wrote_themselves_is_noted_once_it_is_sent(session):
    product, vendor = a_product(session, 20), a_vendor(session)
    a_line(session, product, vendor)
    a_line(session, product, vendor, 30, state="sent", sent=1)
    a_line(session, product, vendor, 30, state="sent", sent=-20)
    assert decision_watch.note_own(session, TODAY) == 1
    assert decision_watch.note_own(session, TODAY) == 0
    (kept,) = journal(session)
    assert (kept.kind, kept.advised, kept.chosen, kept.decided_on) == ("own", 0, 30, TODAY)


# -- Ignored -------------------------------------------------------------------------------------------------


def test_advice_whose_last_day_passed_a_review_ago_was_ignored(session):
    advised_before(session)
    vendor = a_vendor(session)
    late = a_product(session, 20)
    advice_on(session, late, vendor, order_by=-8)
    advice_on(session, a_product(session, 20), vendor, order_by=-3)
    advice_on(session, a_product(session, 20), vendor, order_by=-8, quantity=0)
    assert decision_watch.note_ignored(session, TODAY) == 1
    assert decision_watch.note_ignored(session, TODAY) == 0
    assert decision_watch.note_ignored(session, TODAY + timedelta(days=3)) == 0
    (kept,) = journal(session)
    assert (kept.kind, kept.product_id, kept.advised, kept.chosen) == ("ignored", late.id, 60, 0)
    assert (kept.covers_from, kept.covers_until, kept.decided_by) == (day(8), day(14), None)


def test_advice_that_is_new_was_not_ignored(session):
    advice_on(session, a_product(session, 20), a_vendor(session), order_by=-8)
    assert decision_watch.note_ignored(session, TODAY) == 0
    advised_before(session, -3)
    assert decision_watch.note_ignored(session, TODAY) == 0
    advised_before(session, -9)
    assert decision_watch.note_ignored(session, TODAY) == 1


@pytest.mark.parametrize("about", [{"snoozed_until": day(3)}, {"snoozed_chance": 0.2}], ids=["day", "risk"])
def test_what_was_put_off_is_not_ignored(session, about):
    advised_before(session)
    product = a_product(session, 20)
    advice_on(session, product, a_vendor(session), order_by=-8)
    place = the_warehouse(session).id
    session.add(AdviceChoice(
        product_id=product.id, warehouse_id=place, chosen_by=an_actor(session).id, **about
    ))  # fmt: skip
    session.flush()
    assert decision_watch.note_ignored(session, TODAY) == 0


@pytest.mark.parametrize(
    "about",
    [{"snoozed_until": day(0), "snoozed_chance": 0.9}, {"snoozed_chance": 0.05}, {"quantity": 7}],
    ids=["until today", "the risk rose", "only another quantity"],
)
def test_what_came_back_from_a_snooze_and_was_let_pass_is_ignored(session, about):
    advised_before(session)
    product = a_product(session, 20)
    advice_on(session, product, a_vendor(session), order_by=-8)
    session.execute(sa.update(Advice).values(chance=0.5))
    place = the_warehouse(session).id
    session.add(AdviceChoice(
        product_id=product.id, warehouse_id=place, chosen_by=an_actor(session).id, **about
    ))  # fmt: skip
    session.flush()
    assert decision_watch.note_ignored(session, TODAY) == 1


@pytest.mark.parametrize(
    ("state", "sent", "ignored"),
    [("draft", None, 0), ("sent", -2, 0), ("sent", -20, 1), ("cancelled", None, 1)],
    ids=["in a draft", "sent since", "sent before", "cancelled"],
)
def test_what_is_being_ordered_is_not_ignored(session, state, sent, ignored):
    advised_before(session)
    product, vendor = a_product(session, 20), a_vendor(session)
    advice_on(session, product, vendor, order_by=-8)
    a_line(session, product, vendor, state=state, sent=sent)
    assert decision_watch.note_ignored(session, TODAY) == ignored


def test_a_period_that_was_ignored_ends_before_the_order_that_comes_after_all(session):
    advised_before(session)
    product, vendor = a_product(session, 20), a_vendor(session)
    advice = advice_on(session, product, vendor, order_by=-8)
    decision_watch.note_ignored(session, TODAY)
    line = a_line(session, product, vendor, arrives=11)
    decisions.note(session, an_actor(session), advice, line, Decimal(60), vendor.id, day(4))
    ignored, taken = journal(session)
    assert (ignored.kind, ignored.covers_until) == ("ignored", day(10))
    assert (taken.kind, taken.covers_from) == ("taken", day(11))


def test_a_period_that_had_not_begun_when_it_was_ordered_was_not_ignored(session):
    advised_before(session)
    product, vendor = a_product(session, 20), a_vendor(session)
    advice = advice_on(session, product, vendor, order_by=-8)
    decision_watch.note_ignored(session, TODAY)
    line = a_line(session, product, vendor, arrives=8)
    decisions.note(session, an_actor(session), advice, line, Decimal(60), vendor.id, TODAY)
    assert [one.kind for one in journal(session)] == ["taken"]


def test_a_draft_that_waits_counts_from_the_day_it_is_sent(session):
    kept = noted(session)
    line = session.get(PurchaseOrderLine, kept.order_line_id)
    order = session.get(PurchaseOrder, line.order_id)
    order.state, order.sent_on = "sent", day(4)
    session.flush()
    for _ in range(2):
        decisions.follow(session)
        (after,) = journal(session)
        assert (after.decided_on, after.covers_from, after.covers_until) == (day(4), day(11), day(17))


# -- What came of it -----------------------------------------------------------------------------------------


def sold(session, product, number, quantity):
    stock.remove(
        session, an_actor(session), product.id, the_warehouse(session).id, quantity, reason_code="sale",
        occurred_at=at(number),
    )  # fmt: skip


def arrived(session, kept, number, quantity):
    """A part of the line comes on day `number`, as the verbs of orders book it."""
    line = session.get(PurchaseOrderLine, kept.order_line_id)
    actor = an_actor(session)
    booked = stock.add(session, actor, line.product_id, line.warehouse_id, quantity, occurred_at=at(number))
    session.add(OrderReceipt(
        line_id=line.id, movement_id=booked.lines[0].movement_id, quantity=quantity, received_on=day(number),
        received_by=actor.id,
    ))  # fmt: skip
    order = session.get(PurchaseOrder, line.order_id)
    order.state, order.sent_on = "received", day(1)
    session.flush()


def a_selling_product(session, *, stock_=80, a_day=5, until=7):
    """Sold 5 a day for four weeks, then until day `until`; `stock_` is what lies there in the morning of
    day 1."""
    product = a_product(session, stock_ + 28 * a_day, stock_at=at(-28), unit_cost=2, unit_price=5)
    for number in range(-27, until + 1):
        sold(session, product, number, a_day)
    return product


def sent(session, kept):
    order = session.get(PurchaseOrder, session.get(PurchaseOrderLine, kept.order_line_id).order_id)
    order.state, order.sent_on = "sent", day(1)
    session.flush()


def outcome_of(session, kept):
    session.refresh(kept)
    return kept.outcome


def test_an_order_that_was_enough_leaves_the_shelf_full(session):
    product = a_selling_product(session, stock_=35)
    kept = noted(session, product=product)
    arrived(session, kept, 8, 60)
    for number in range(8, 15):
        sold(session, product, number, 5)
    assert decision_outcomes.settle(session, day(14)) == 0, "the period is not over"
    assert decision_outcomes.settle(session, day(15)) == 1
    assert decision_outcomes.settle(session, day(15)) == 0
    outcome = outcome_of(session, kept)
    assert (outcome["demand"], outcome["days"], outcome["days_without"], outcome["lost"]) == ("35", 7, 0, "0")
    assert (outcome["left"], outcome["left_money"], outcome["delivered"]) == ("25", "50", "60")
    assert outcome["saved"] == "0", "taken is what was advised"
    assert kept.closed_on == day(15)


def test_fewer_than_advised_ran_out_and_the_advice_would_not_have(session):
    product = a_selling_product(session, stock_=35)
    kept = noted(session, 20, product=product)
    arrived(session, kept, 8, 20)
    for number in range(8, 12):
        sold(session, product, number, 5)
    decision_outcomes.settle(session, day(15))
    outcome = outcome_of(session, kept)
    assert (outcome["days_without"], outcome["out_on"], outcome["left"]) == (3, day(12).isoformat(), "0")
    assert Decimal(outcome["lost"]) == pytest.approx(15, abs=0.6)
    advice = outcome["advice"]
    assert (advice["days_without"], advice["lost"], advice["out_on"]) == (0, "0", None)
    assert Decimal(advice["left"]) == pytest.approx(25, abs=0.6)
    # 15 pieces at a margin of 3, less what holding 60 pieces would have cost.
    assert Decimal(outcome["saved"]) == pytest.approx(-45, abs=2)


def test_more_than_advised_was_the_better_choice_where_more_was_wanted(session):
    product = a_selling_product(session, stock_=35)
    kept = noted(session, 40, product=product, advised=20)
    arrived(session, kept, 8, 40)
    for number in range(8, 15):
        sold(session, product, number, 5)
    decision_outcomes.settle(session, day(15))
    outcome = outcome_of(session, kept)
    assert (outcome["days_without"], outcome["advice"]["days_without"]) == (0, 3)
    assert Decimal(outcome["saved"]) == pytest.approx(45, abs=2)


def test_a_mountain_is_not_better_than_enough(session):
    product = a_selling_product(session, stock_=35)
    kept = noted(session, 2000, product=product, advised=60)
    arrived(session, kept, 8, 2000)
    for number in range(8, 15):
        sold(session, product, number, 5)
    decision_outcomes.settle(session, day(15))
    assert Decimal(outcome_of(session, kept)["saved"]) < -50


def test_what_nobody_ordered_is_held_against_what_was_advised(session):
    advised_before(session)
    product = a_selling_product(session, stock_=35)
    advice_on(session, product, a_vendor(session), order_by=-8)
    decision_watch.note_ignored(session, TODAY)
    (kept,) = journal(session)
    decision_outcomes.settle(session, day(15))
    outcome = outcome_of(session, kept)
    assert (outcome["days_without"], outcome["demand"], outcome["advice"]["days_without"]) == (7, "0", 0)
    assert Decimal(outcome["saved"]) < -90


def test_a_vendor_who_is_late_is_late_for_the_advice_too(session):
    product = a_selling_product(session, stock_=35)
    kept = noted(session, 20, product=product)
    arrived(session, kept, 13, 20)
    decision_outcomes.settle(session, day(15))
    outcome = outcome_of(session, kept)
    assert (outcome["days_without"], outcome["advice"]["days_without"]) == (5, 5)
    assert outcome["delivered_on"] == day(13).isoformat()


def test_another_vendor_is_held_against_the_one_who_was_advised_and_his_price(session):
    product = a_selling_product(session, stock_=35)
    kept = noted(session, product=product, other_vendor=True, unit_cost="2.5")
    sent(session, kept)
    decision_outcomes.settle(session, day(15))
    late = outcome_of(session, kept)
    assert (late["days_without"], late["advice"]["days_without"]) == (7, 0)

    punctual = noted(
        session, product=a_selling_product(session, stock_=35), other_vendor=True, unit_cost="2.5"
    )
    arrived(session, punctual, 8, 60)
    decision_outcomes.settle(session, day(15))
    assert outcome_of(session, punctual)["saved"] == "30", "60 pieces, half a euro each"


def test_an_order_that_was_cancelled_after_it_was_sent_says_nothing_about_the_advice(session):
    kept = noted(session, 20, product=a_selling_product(session, stock_=35))
    sent(session, kept)
    order = session.get(PurchaseOrder, session.get(PurchaseOrderLine, kept.order_line_id).order_id)
    order.state, order.cancelled_at = "cancelled", NOON
    session.flush()
    decision_outcomes.settle(session, day(15))
    outcome = outcome_of(session, kept)
    assert (outcome["is_cancelled"], outcome["advice"], outcome["saved"]) == (True, None, None)
    assert outcome["days_without"] == 7


def test_an_own_order_without_a_word_of_advice_is_compared_with_nothing(session):
    product, vendor = a_selling_product(session), a_vendor(session)
    a_line(session, product, vendor, 30, state="sent", sent=1)
    decision_watch.note_own(session, TODAY)
    decision_outcomes.settle(session, day(15))
    (kept,) = journal(session)
    assert (kept.outcome["advice"], kept.outcome["saved"]) == (None, None)


def test_a_draft_that_was_never_sent_waits(session):
    noted(session)
    assert decision_outcomes.settle(session, day(40)) == 0


def test_the_period_is_over_when_its_sales_are_in_the_books(session):
    kept = noted(session, product=a_selling_product(session))
    sent(session, kept)
    assert decision_outcomes.settle(session, day(40), last_day=day(13)) == 0
    assert decision_outcomes.settle(session, day(40), last_day=day(14)) == 1


def test_a_product_that_never_moved_has_an_outcome_too(session):
    kept = noted(session, product=a_product(session, unit_cost=None, unit_price=None))
    sent(session, kept)
    decision_outcomes.settle(session, day(15))
    assert outcome_of(session, kept)["days_without"] == 7


def test_the_warehouses_that_are_supplied_count_with_the_one_that_supplies_them(session):
    product = a_selling_product(session, stock_=35)
    kept = noted(session, product=product)
    shop = a_warehouse(session)
    a_warehouse(session)
    shop.supplied_by_id = the_warehouse(session).id
    arrived(session, kept, 8, 60)
    stock.transfer(session, an_actor(session), product.id, the_warehouse(session).id, shop.id, 60,
                   occurred_at=at(8))  # fmt: skip
    stock.remove(session, an_actor(session), product.id, shop.id, 10, reason_code="sale", occurred_at=at(9))
    decision_outcomes.settle(session, day(15))
    outcome = outcome_of(session, kept)
    assert (outcome["demand"], outcome["left"], outcome["days_without"]) == ("10", "50", 0)


# -- Added up ------------------------------------------------------------------------------------------------


def settled(session, kind, saved, *, quantity=40, person=None, number=1, **outcome):
    """A decision of which is known what came of it."""
    facts = {
        "days": 7, "demand": "20", "ordered": str(quantity), "delivered": str(quantity), "delivered_on": None,
        "is_cancelled": False, "days_without": 0, "out_on": None, "lost": "0", "left": "12",
        "left_money": "24", "saved": saved, "advice": None,
    } | outcome  # fmt: skip
    kept = Decision(
        product_id=a_product(session).id, warehouse_id=the_warehouse(session).id, kind=kind,
        decided_on=day(number), decided_by=person and person.id, advised=60, chosen=quantity,
        covers_from=day(8), covers_until=day(14), forecast={}, outcome=facts, closed_on=day(15),
    )  # fmt: skip
    session.add(kept)
    session.flush()
    return kept


def test_the_tally_says_how_often_buyers_knew_better(session):
    anna, bert = an_actor(session), an_actor(session)
    settled(session, "edited", "12.50", person=anna)
    settled(session, "edited", "-45", person=anna, days_without=3, lost="20")
    settled(session, "taken", "0", quantity=60, person=anna)
    settled(session, "edited", None, person=bert)
    settled(session, "ignored", "-3")
    noted(session)
    tally = decision_tally.tally(session)
    edited = tally.kinds["edited"]
    assert (edited.decisions, edited.better, edited.worse, edited.compared) == (3, 1, 1, 2)
    assert (edited.saved, edited.days_without, edited.left_money) == (Decimal("-32.5"), 3, 72)
    assert edited.served == Decimal("0.75")
    assert (tally.kinds["taken"].decisions, tally.kinds["taken"].settled) == (2, 1)
    assert (tally.total.decisions, tally.total.settled) == (6, 5)
    assert decision_tally.headline(edited) == "Edited decisions were better than the advice 1 of 2 times"
    first = tally.people[0]
    assert (first.name, first.sums.decisions, first.edited.compared) == (anna.name, 3, 2)


def test_the_tally_of_an_empty_shop_is_nothing(session):
    tally = decision_tally.tally(session)
    assert (tally.total.decisions, tally.total.served, tally.people) == (0, None, ())
    assert decision_tally.headline(tally.total) is None


def test_the_tally_of_a_time(session):
    settled(session, "taken", "0", number=-40)
    settled(session, "taken", "0", number=1)
    assert decision_tally.tally(session, since=day(-30)).total.decisions == 1


def test_the_list_is_filtered_and_comes_in_pages(session):
    anna = an_actor(session)
    better, worse = settled(session, "edited", "5", person=anna), settled(session, "ignored", "-5", number=2)
    waiting = noted(session)
    found = lambda **wanted: [one.uid for one in decision_tally.listing(session, **wanted)[0]]  # noqa: E731
    assert found() == [worse.uid, waiting.uid, better.uid]
    assert found(limit=1, offset=1) == [waiting.uid]
    assert decision_tally.listing(session, limit=1)[1] == 3
    assert found(kind="ignored") == found(verdict="worse") == [worse.uid]
    assert found(verdict="better") == found(person_uid=anna.uid) == [better.uid]
    assert found(verdict="open") == [waiting.uid]
    assert found(since=day(2)) == [worse.uid]
    number = decision_tally.listing(session, verdict="open")[0][0].order_number
    assert found(search=number) == [waiting.uid]
    assert found(search="%") == []


@pytest.mark.parametrize("wanted", [{"kind": "x"}, {"verdict": "x"}], ids=["kind", "verdict"])
def test_a_filter_that_is_none_is_refused(session, wanted):
    with pytest.raises(BadInput):
        decision_tally.listing(session, **wanted)


GOOD = {"days_without": 0, "out_on": None, "lost": "0", "left": "25"}


@pytest.mark.parametrize(
    ("kind", "quantity", "outcome", "said"),
    [
        ("taken", 60, {}, "You ordered 60 as advised: in stock on all 7 days, 12 left."),
        ("edited", 40, {"days_without": 3, "lost": "14.5", "advice": GOOD, "saved": "-40"},
         "You ordered 40 instead of 60: out on 3 of 7 days, about 14 not sold."
         " With the advice it would have been there every day, 25 left."),
        ("edited", 80, {"advice": GOOD | {"days_without": 1}, "saved": "9"},
         "You ordered 80 instead of 60: in stock on all 7 days, 12 left."
         " With the advice it would have been out on 1 day."),
        ("edited", 80, {"advice": GOOD, "saved": "-2"},
         "You ordered 80 instead of 60: in stock on all 7 days, 12 left. The advice would have left 25."),
        ("ignored", 0, {"days_without": 2, "lost": "8", "advice": GOOD, "saved": "-9", "ordered": "0"},
         "Nobody ordered the 60 that were advised: out on 2 of 7 days, about 8 not sold."
         " With the advice it would have been there every day, 25 left."),
        ("own", 30, {"delivered": "0", "days_without": 7},
         "You ordered 30 that no advice asked for: out on 7 of 7 days, nothing delivered by then."),
        ("taken", 60, {"is_cancelled": True}, "You ordered 60 as advised. The order was cancelled."),
    ],
    ids=["taken", "fewer", "more", "more than needed", "ignored", "own", "cancelled"],
)  # fmt: skip
def test_what_came_of_it_is_said_in_a_sentence(session, kind, quantity, outcome, said):
    anna = an_actor(session) if kind != "ignored" else None
    settled(session, kind, quantity=quantity, person=anna, **{"saved": None} | outcome)
    ((entry,), _) = decision_tally.listing(session)
    assert decision_tally.sentence(entry, anna and anna.id) == said


def test_somebody_else_is_named(session):
    noted(session, 40)
    noted(session, other_vendor=True)
    (vendor, fewer), _ = decision_tally.listing(session)
    assert decision_tally.sentence(fewer, 0) == f"{fewer.decided_by} ordered 40 instead of 60."
    assert decision_tally.sentence(vendor) == (
        f"{vendor.decided_by} ordered 60 from {vendor.chosen_vendor} instead of from {vendor.advised_vendor}."
    )
