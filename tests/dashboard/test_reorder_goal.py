"""The goal of buying: its handle on the curve, what things cost, and who is never out."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import advice, buying_settings, service_rules
from core.buying.advice_lines import Point
from dashboard import reorder_settings
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import an_actor, an_offer


@pytest.fixture
def product(session, sold_daily, train):
    made = sold_daily(left=4, name="Desk lamp", category="Lamps", sku="LAMP-1")
    an_offer(session, made)
    train()
    advice.make(session, None, datetime.now(UTC))
    session.execute(sa.text("DELETE FROM job_run"))
    return made


@pytest.fixture
def goal(browser, product):
    assert product
    return lambda role="manager": browser(role, "reorder", goal="1")


def kept(session):
    session.expire_all()
    return buying_settings.get(session)


def asked_for(session):
    return session.scalar(sa.text("SELECT count(*) FROM job_run WHERE job = 'advice' AND state = 'queued'"))


def slide(app, percent):
    return next(one for one in app.slider if one.label == "Order lines served").set_value(percent).run()


def test_the_goal_is_one_line_until_it_is_opened(browser, product):
    app = browser("manager", "reorder")
    assert product
    assert "Goal: serve 95 % of order lines" in plain(words(app))
    assert not app.get("plotly_chart")
    press(app, "Goal and costs")
    assert app.get("plotly_chart")
    press(app, "Close")
    assert "goal" not in app.query_params


def test_the_handle_shows_what_is_left_uncovered_before_anything_is_saved(goal, session):
    app = slide(goal(), 98.0)
    told = plain(words(app))
    assert "Left uncovered: about" in told
    assert "in stock than now" in told
    assert kept(session).service_percent == 95


def test_a_saved_goal_asks_for_new_advice_and_can_be_taken_back(goal, session):
    app = slide(goal(), 98.0)
    press(app, "Save and compute anew")
    assert not app.exception
    assert kept(session).service_percent == 98
    assert asked_for(session) == 1
    told = plain(words(app))
    assert "Service goal **95 → 98**" in told
    assert "New advice is asked for" in told
    press(app, "Undo")
    assert kept(session).service_percent == 95


def test_it_is_said_that_new_advice_is_under_way(goal, session):
    app = slide(goal(), 98.0)
    press(app, "Save and compute anew")
    assert "No scheduler runs, so this waits" in words(app) or app.get("progress")
    assert "Compute anew" not in [button.label for button in app.button]
    assert asked_for(session) == 1


def test_a_budget_is_a_goal(goal, session):
    app = goal()
    kind = next(one for one in app.segmented_control if one.label == "Aim at")
    kind.set_value("budget").run()
    field(app, "At most in stock", "number_input").set_value(1234.5)
    press(app, "Save and compute anew")
    after = kept(session)
    assert (after.goal, after.budget) == ("budget", Decimal("1234.5"))
    assert "at most €1,234" in plain(words(app)) or "at most €1,235" in plain(words(app))


def test_a_budget_that_is_none_is_refused(goal, session):
    app = goal()
    next(one for one in app.segmented_control if one.label == "Aim at").set_value("budget").run()
    field(app, "At most in stock", "number_input").set_value(None)
    press(app, "Save and compute anew")
    assert "Stock budget" in plain(app.error[0].value)
    assert kept(session).goal == "service"


def test_cost_is_a_goal_without_a_place_on_the_curve(goal, session):
    app = goal()
    next(one for one in app.segmented_control if one.label == "Aim at").set_value("cost").run()
    field(app, "A missing piece costs", "number_input").set_value(30.0)
    press(app, "Save and compute anew")
    after = kept(session)
    assert (after.goal, after.shortage_percent) == ("cost", 30)
    assert "the least cost" in words(app)


@pytest.mark.parametrize(
    ("label", "typed", "told"),
    [
        ("Days between orders", 0.0, "Days between orders"),
        ("Days between orders", 1.5, "Days between orders"),
        ("Days between orders", None, "Days between orders"),
        ("Holding cost", -1.0, "Holding cost"),
        ("Transfer days", 1e9, "Transfer days"),
    ],
    ids=["none", "half", "empty", "below zero", "too much"],
)
def test_numbers_out_of_range_are_refused_by_name_and_stay_as_typed(goal, session, label, typed, told):
    app = goal()
    field(app, label, "number_input").set_value(typed)
    press(app, "Save and compute anew")
    assert not app.exception
    assert told in plain(app.error[0].value)
    assert field(app, label, "number_input").value == typed
    assert asked_for(session) == 0


def test_costs_are_saved_and_what_was_not_changed_is_left_alone(goal, session):
    app = goal()
    field(app, "Days between orders", "number_input").set_value(14.0)
    press(app, "Save and compute anew")
    after = kept(session)
    assert (after.review_days, after.holding_percent) == (14, 20)
    assert "Days between orders **7 → 14**" in plain(words(app))
    press(app, "Save and compute anew")
    assert asked_for(session) == 1


def test_a_product_and_a_category_are_never_out(goal, session, product):
    app = goal()
    press(app, "Add a product or category")
    field(app, "SKU").input("LAMP-1")
    press(app, "Save")
    assert not app.exception
    (rule,) = service_rules.listing(session)
    assert (rule.sku, rule.service_percent) == ("LAMP-1", Decimal("99.5"))
    assert "**Desk lamp (LAMP-1)** at least **99.5 %**" in plain(words(app))
    press(app, "Add a product or category")
    field(app, "About", "selectbox").set_value("One category").run()
    field(app, "Category", "selectbox").set_value("Lamps")
    field(app, "At least", "number_input").set_value(98.0)
    press(app, "Save")
    assert {rule.category for rule in service_rules.listing(session)} == {"Lamps", None}
    assert asked_for(session) >= 1
    assert product


def test_a_rule_is_removed_and_taken_back(goal, session, product):
    service_rules.put(session, an_actor(session), datetime.now(UTC), 99, product_id=product.id)
    app = goal()
    press(app, "Remove")
    assert service_rules.listing(session) == []
    press(app, "Undo")
    assert [rule.service_percent for rule in service_rules.listing(session)] == [99]


@pytest.mark.parametrize(
    ("sku", "percent", "told"),
    [("", 99.0, "SKU"), ("NO-SUCH", 99.0, "NO-SUCH"), ("LAMP-1", 100.0, "Service goal"),
     ("LAMP-1", None, "Service goal")],
    ids=["no sku", "unknown", "all", "empty"],
)  # fmt: skip
def test_a_rule_about_nothing_is_refused(goal, session, sku, percent, told):
    app = goal()
    press(app, "Add a product or category")
    field(app, "SKU").input(sku)
    field(app, "At least", "number_input").set_value(percent)
    press(app, "Save")
    assert told in plain(app.error[0].value)
    assert service_rules.listing(session) == []


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_buy_sees_the_goal_and_changes_nothing(goal, role):
    app = goal(role)
    assert app.get("plotly_chart")
    assert not {"Save and compute anew", "Add a product or category"} & {one.label for one in app.button}
    assert all(one.disabled for one in app.number_input)


@pytest.mark.usefixtures("session")
def test_what_is_left_uncovered_is_told_a_week_and_against_now():
    now = Point(95.0, 1000.0, 520.0, 5200.0, 3)
    words_of_now = plain(reorder_settings.uncovered(now, None))
    assert "about **10** order lines a week" in words_of_now
    more = plain(reorder_settings.uncovered(Point(98.0, 1500.0, 104.0, 1040.0, 1), now))
    assert "about **2** order lines a week" in more
    assert "€500.00 more in stock than now" in more
    assert "fewer sales lost a week" in more
