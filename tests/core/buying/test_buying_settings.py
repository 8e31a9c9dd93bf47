"""How the shop buys: settings and service goals, refused by name where they cannot be meant."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import buying_settings, service_rules
from core.errors import BadInput, NotAllowed, NotFound
from db.models import AuditLine, JobRun
from tests.makers import a_product, an_actor

NOW = datetime(2026, 11, 18, 10, tzinfo=UTC)


@pytest.fixture
def buyer(session):
    return an_actor(session, "manager")


def asked_for_advice(session):
    return session.scalar(sa.select(sa.func.count()).where(JobRun.job == "advice"))


def test_a_shop_begins_with_a_service_goal_and_no_name(session):
    found = buying_settings.get(session)
    assert (found.goal, found.budget, found.changed_by) == ("service", None, None)


def test_a_change_is_kept_with_who_made_it_and_asks_for_new_advice(session, buyer):
    changed = buying_settings.change(session, buyer, NOW, service_percent="97.5", review_days=3)
    assert (changed.service_percent, changed.review_days) == (Decimal("97.5"), 3)
    assert changed.changed_by == buyer.name
    assert buying_settings.get(session) == changed
    told = session.scalar(sa.select(AuditLine).where(AuditLine.subject_type == "buying settings"))
    assert told.after == {"service_percent": "97.5", "review_days": 3}
    assert asked_for_advice(session) == 1


def test_the_same_settings_again_ask_for_nothing(session, buyer):
    buying_settings.change(session, buyer, NOW, service_percent=95)
    assert asked_for_advice(session) == 0
    assert buying_settings.get(session).changed_by is None


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("service_percent", 100, "Service goal: 100 is not between 50 and 99.9"),
        ("service_percent", "much", "Service goal: 'much' is not a number"),
        ("service_percent", "95.123", "is not a multiple of 0.01"),
        ("service_percent", None, "Service goal: 'None' is not a number"),
        ("budget", 0, "Stock budget: 0 is not between"),
        ("budget", "inf", "Stock budget: inf is not between"),
        ("review_days", "2.5", "Days between orders: 2.5 is not a whole number"),
        ("holding_percent", -1, "Holding cost: -1 is not between 0 and 200"),
        ("most_cover_days", 731, "Most days of cover: 731 is not between 1 and 730"),
        ("goal", "luck", "Goal: 'luck' is none of service, budget, cost"),
        ("goal", "budget", "say how much money may be bound"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(session, buyer, field, value, sentence):
    with pytest.raises(BadInput, match=sentence):
        buying_settings.change(session, buyer, NOW, **{field: value})
    assert asked_for_advice(session) == 0


def test_a_budget_can_be_taken_away_but_not_while_it_is_the_goal(session, buyer):
    buying_settings.change(session, buyer, NOW, goal="budget", budget="10000.50")
    with pytest.raises(BadInput, match="Stock budget"):
        buying_settings.change(session, buyer, NOW, budget=None)
    changed = buying_settings.change(session, buyer, NOW, goal="service", budget=None)
    assert changed.budget is None


def test_only_buyers_change_them(session):
    user = an_actor(session, "user")
    with pytest.raises(NotAllowed):
        buying_settings.change(session, user, NOW, review_days=2)
    with pytest.raises(NotAllowed):
        service_rules.put(session, user, NOW, 99, category="Any")
    with pytest.raises(TypeError, match="unknown"):
        buying_settings.change(session, an_actor(session), NOW, colour="red")


def test_a_products_own_goal_wins_over_that_of_its_category(session, buyer):
    one, two, three = (a_product(session, category=name) for name in ("Lamps", "Lamps", "Mugs"))
    of_category = service_rules.put(session, buyer, NOW, 98, category="Lamps")
    of_product = service_rules.put(session, buyer, NOW, "90", product_id=one.id)
    assert service_rules.floors(session) == {one.id: 90, two.id: 98}
    assert service_rules.floors(session, [three.id, two.id]) == {two.id: 98}
    assert [rule.category or rule.sku for rule in service_rules.listing(session)] == ["Lamps", one.sku]
    assert service_rules.of_product(session, one.id).service_percent == 90
    assert service_rules.of_product(session, two.id) is None
    assert service_rules.put(session, buyer, NOW, "99.5", category="Lamps") == of_category
    assert service_rules.floors(session, [two.id])[two.id] == Decimal("99.5")
    service_rules.remove(session, buyer, of_product, NOW)
    assert service_rules.floors(session)[one.id] == Decimal("99.5")
    with pytest.raises(NotFound, match="any more"):
        service_rules.remove(session, buyer, of_product, NOW)


def test_goals_of_what_does_not_exist_are_refused(session, buyer):
    with pytest.raises(NotFound, match="no product of the category"):
        service_rules.put(session, buyer, NOW, 98, category="Ghosts")
    with pytest.raises(BadInput, match="Category"):
        service_rules.put(session, buyer, NOW, 98, category=" ")
    with pytest.raises(NotFound):
        service_rules.put(session, buyer, NOW, 98, product_id=10**6)
    with pytest.raises(BadInput, match="Service goal"):
        service_rules.put(session, buyer, NOW, 120, product_id=a_product(session).id)
    with pytest.raises(TypeError):
        service_rules.put(session, buyer, NOW, 98)
