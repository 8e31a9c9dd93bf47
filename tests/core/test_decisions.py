"""The decision journal: what buyers make of the advice, and what came of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import decisions
from core.errors import NotAllowed
from core.forecast import packing
from db.models import (
    Advice,
    AdviceChoice,
    AdviceRun,
    Decision,
    Forecast,
    ModelRun,
    PurchaseOrder,
    PurchaseOrderLine,
)
from tests.makers import a_product, a_vendor, an_actor, the_warehouse

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


def test_an_order_that_people_wrote_themselves_is_noted_once_it_is_sent(session):
    product, vendor = a_product(session, 20), a_vendor(session)
    a_line(session, product, vendor)
    a_line(session, product, vendor, 30, state="sent", sent=1)
    a_line(session, product, vendor, 30, state="sent", sent=-20)
    assert decisions.note_own(session, TODAY) == 1
    assert decisions.note_own(session, TODAY) == 0
    (kept,) = journal(session)
    assert (kept.kind, kept.advised, kept.chosen, kept.decided_on) == ("own", 0, 30, TODAY)


# -- Ignored -------------------------------------------------------------------------------------------------


def test_advice_whose_last_day_passed_a_review_ago_was_ignored(session):
    vendor = a_vendor(session)
    late = a_product(session, 20)
    advice_on(session, late, vendor, order_by=-8)
    advice_on(session, a_product(session, 20), vendor, order_by=-3)
    advice_on(session, a_product(session, 20), vendor, order_by=-8, quantity=0)
    assert decisions.note_ignored(session, TODAY) == 1
    assert decisions.note_ignored(session, TODAY) == 0
    assert decisions.note_ignored(session, TODAY + timedelta(days=3)) == 0
    (kept,) = journal(session)
    assert (kept.kind, kept.product_id, kept.advised, kept.chosen) == ("ignored", late.id, 60, 0)
    assert (kept.covers_from, kept.covers_until, kept.decided_by) == (day(8), day(14), None)


@pytest.mark.parametrize("about", [{"snoozed_until": day(3)}, {"snoozed_chance": 0.2}], ids=["day", "risk"])
def test_what_was_put_off_is_not_ignored(session, about):
    product = a_product(session, 20)
    advice_on(session, product, a_vendor(session), order_by=-8)
    place = the_warehouse(session).id
    session.add(AdviceChoice(
        product_id=product.id, warehouse_id=place, chosen_by=an_actor(session).id, **about
    ))  # fmt: skip
    session.flush()
    assert decisions.note_ignored(session, TODAY) == 0


@pytest.mark.parametrize(
    ("state", "sent", "ignored"),
    [("draft", None, 0), ("sent", -2, 0), ("sent", -20, 1), ("cancelled", None, 1)],
    ids=["in a draft", "sent since", "sent before", "cancelled"],
)
def test_what_is_being_ordered_is_not_ignored(session, state, sent, ignored):
    product, vendor = a_product(session, 20), a_vendor(session)
    advice_on(session, product, vendor, order_by=-8)
    a_line(session, product, vendor, state=state, sent=sent)
    assert decisions.note_ignored(session, TODAY) == ignored


def test_a_period_that_was_ignored_ends_before_the_order_that_comes_after_all(session):
    product, vendor = a_product(session, 20), a_vendor(session)
    advice = advice_on(session, product, vendor, order_by=-8)
    decisions.note_ignored(session, TODAY)
    line = a_line(session, product, vendor, arrives=11)
    decisions.note(session, an_actor(session), advice, line, Decimal(60), vendor.id, day(4))
    ignored, taken = journal(session)
    assert (ignored.kind, ignored.covers_until) == ("ignored", day(10))
    assert (taken.kind, taken.covers_from) == ("taken", day(11))


def test_a_period_that_had_not_begun_when_it_was_ordered_was_not_ignored(session):
    product, vendor = a_product(session, 20), a_vendor(session)
    advice = advice_on(session, product, vendor, order_by=-8)
    decisions.note_ignored(session, TODAY)
    line = a_line(session, product, vendor, arrives=8)
    decisions.note(session, an_actor(session), advice, line, Decimal(60), vendor.id, TODAY)
    assert [one.kind for one in journal(session)] == ["taken"]
