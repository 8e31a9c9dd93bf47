"""Promotions, closed days and the like: told once, never taken for usual demand, learned from as events."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
import sqlalchemy as sa

from core import demand, demand_events, event_effects, exclusions, stock
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, DemandEvent
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

TODAY = date(2026, 6, 1)  # a Monday
YESTERDAY = TODAY - timedelta(days=1)
SALE = "Spring sale"


def on(n):
    """The n-th day before today, or after it."""
    return TODAY + timedelta(days=n)


def an_event(session, first=3, last=5, **about):
    about = {"name": SALE, "starts_on": on(first), "ends_on": on(last)} | about
    return demand_events.add(session, an_actor(session), TODAY, **about)


def sold_daily(session, days=70, per_day=2, promoted=(), times=3, place=None, **about):
    """A product that sold the same every day until yesterday, and `times` as much on the promoted days."""
    actor, place = an_actor(session), place or the_warehouse(session)
    product = a_product(session, 10_000, stock_at=_noon(-days), warehouse=place, **about)
    for n in range(-days, 0):
        quantity = per_day * (times if n in promoted else 1)
        stock.remove(session, actor, product.id, place.id, quantity, occurred_at=_noon(n), reason_code="sale")
    return product


def _noon(n):
    return datetime.combine(on(n), datetime.min.time(), UTC) + timedelta(hours=12)


# -- Told ----------------------------------------------------------------------------------------------------


def test_an_event_is_told_changed_removed_and_restored_and_the_audit_says_each(session):
    actor = an_actor(session)
    event = demand_events.add(
        session, actor, TODAY, name="  Spring   sale ", starts_on=on(3), ends_on=None, effect_percent="38.5"
    )
    assert (event.name, event.kind, event.ends_on, event.effect_percent) == (
        "Spring sale", "promotion", on(3), Decimal("38.50"),
    )  # fmt: skip
    demand_events.change(session, actor, event.uid, TODAY, ends_on=on(9))
    demand_events.change(session, actor, event.uid, TODAY, ends_on=on(9))  # nothing new
    demand_events.remove(session, actor, event.uid)
    demand_events.remove(session, actor, event.uid)
    assert demand_events.listing(session, TODAY) == ([], 0)
    with pytest.raises(RuleBroken, match="restore it first"):
        demand_events.change(session, actor, event.uid, TODAY, name="Other")
    with pytest.raises(NotFound):
        demand_events.by_uid(session, event.uid)
    demand_events.restore(session, actor, event.uid)
    assert demand_events.by_uid(session, str(event.uid)).ends_on == on(9)
    lines = session.scalars(
        sa.select(AuditLine.action).where(AuditLine.subject_type == "event").order_by(AuditLine.id)
    )
    assert list(lines) == ["added an event", "changed an event", "removed an event", "restored an event"]


def test_the_list_has_what_is_coming_first_then_the_past_and_finds_by_name_sku_and_category(session):
    product = a_product(session, category="Lamps")
    for first, last, about in (
        (-40, -35, {}),
        (20, 22, {"category": "Lamps"}),
        (-2, 2, {"product_id": product.id, "name": "Fair"}),
        (-400, -399, {"name": "Stocktaking", "kind": "closed"}),
    ):
        an_event(session, first, last, **about)
    found, total = demand_events.listing(session, TODAY)
    assert [(one.starts_on - TODAY).days for one in found] == [-2, 20, -40, -400]
    assert total == 4

    def names(**filters):
        return [one.name for one in demand_events.listing(session, TODAY, **filters)[0]]

    assert names(text="fai") == ["Fair"]
    assert names(text=product.sku) == ["Fair"]
    assert names(text="lamps") == [SALE]
    assert names(kind="closed") == ["Stocktaking"]
    assert names(when="coming") == ["Fair", SALE]
    assert names(when="past", limit=1, offset=1) == ["Stocktaking"]
    mine = demand_events.of_product(session, product, on(-50), on(50))
    assert [one.name for one in mine] == [SALE, "Fair", SALE]
    assert demand_events.of_product(session, a_product(session), on(0), on(50)) == []
    for bad in ({"kind": "x"}, {"when": "x"}, {"limit": 0}, {"offset": -1}):
        with pytest.raises(BadInput):
            demand_events.listing(session, TODAY, **bad)


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"name": "  "}, "say what happens"),
        ({"name": "x" * 101}, "too many"),
        ({"name": "a\0"}, "cannot be kept"),
        ({"kind": "party"}, "not a kind of event"),
        ({"starts_on": None, "ends_on": None}, "enter the first and the last day"),
        ({"starts_on": date(2026, 6, 9), "ends_on": date(2026, 6, 8)}, "lies before"),
        ({"starts_on": date(2026, 6, 9), "ends_on": date(2027, 6, 10)}, "more than a year"),
        ({"starts_on": date(2010, 1, 1), "ends_on": date(2010, 1, 2)}, "10 years back"),
        ({"starts_on": date(2029, 1, 1), "ends_on": date(2029, 1, 2)}, "2 years ahead"),
        ({"effect_percent": "many"}, "is not a number"),
        ({"effect_percent": "NaN"}, "is not between"),
        ({"effect_percent": -101}, "is not between"),
        ({"effect_percent": 10_001}, "is not between"),
        ({"kind": "closed", "effect_percent": 5}, "closed days have no demand"),
        ({"category": "Nothing has it"}, "No product has the category"),
        ({"category": "\ud800"}, "No product has the category"),
        ({"product_id": 2**40}, "no product"),
        ({"product_id": 0}, "no product"),
        ({"warehouse_id": 0}, "no warehouse"),
    ],
)
def test_refuses_what_cannot_be_meant(session, about, sentence):
    with pytest.raises((BadInput, NotFound), match=sentence):
        an_event(session, **about)


def test_refuses_the_same_twice_both_scopes_at_once_strangers_and_who_may_not(session):
    product = a_product(session, category="Lamps")
    event = an_event(session)
    with pytest.raises(RuleBroken, match="is there already"):
        an_event(session, 5, 8, name="spring SALE")
    an_event(session, 5, 8, category="Lamps")  # another scope, another kind, other days
    an_event(session, 5, 8, kind="other")
    an_event(session, 6, 8)
    with pytest.raises(RuleBroken, match="is there already"):
        demand_events.change(session, an_actor(session), event.uid, TODAY, ends_on=on(6))
    with pytest.raises(RuleBroken, match="remove it and add another"):
        demand_events.change(session, an_actor(session), event.uid, TODAY, category="Lamps")
    demand_events.remove(session, an_actor(session), event.uid)
    an_event(session, 4, 4)
    with pytest.raises(RuleBroken, match="is there already"):
        demand_events.restore(session, an_actor(session), event.uid)
    with pytest.raises(BadInput, match="one product or one category"):
        an_event(session, product_id=product.id, category="Lamps")
    for verb in (demand_events.remove, demand_events.restore):
        for wanted in ("nonsense", uuid.uuid4()):
            with pytest.raises(NotFound):
                verb(session, an_actor(session), wanted)
        with pytest.raises(NotAllowed):
            verb(session, an_actor(session, "user"), event.uid)
    with pytest.raises(NotAllowed):
        demand_events.add(session, an_actor(session, "viewer"), TODAY, name="x", starts_on=on(1))
    with pytest.raises(TypeError, match="colour"):
        an_event(session, colour="red")


def test_says_which_products_an_event_is_about(session):
    lamp = a_product(session, category="Lamps")
    a_product(session, category="Lamps", is_active=False)
    chair = a_product(session)
    assert demand_events.concerned(session, an_event(session, category="Lamps").uid) == [lamp.id]
    assert demand_events.concerned(session, an_event(session, product_id=chair.id).uid) == [chair.id]
    assert {lamp.id, chair.id} <= {*demand_events.concerned(session, an_event(session).uid)}
    with pytest.raises(NotFound):
        demand_events.concerned(session, uuid.uuid4())


# -- Not learned from as usual demand ------------------------------------------------------------------------


def unseen(session, product, **about):
    """Days before today that are not learned from, by unique_id."""
    found = demand.frame(session, YESTERDAY, product_ids=[product.id], **about)
    hidden = found[~found.in_stock]
    assert not hidden.y.any()
    days = (hidden.ds - np.datetime64(TODAY)).dt.days
    return {name: days[hidden.unique_id == name].tolist() for name in found.unique_id.unique()}


def test_past_days_of_an_event_are_unseen_for_those_it_is_about(session):
    lamp, chair = (sold_daily(session, 10, category=name) for name in ("Lamps", "Chairs"))
    an_event(session, -8, -7, category="Lamps")
    an_event(session, -5, -5, kind="closed")
    an_event(session, -3, -3, product_id=chair.id, kind="other")
    an_event(session, -20, -15, name="Long ago")
    gone = an_event(session, -2, -2)
    demand_events.remove(session, an_actor(session), gone.uid)
    assert unseen(session, lamp) == {str(lamp.id): [-8, -7, -5]}
    assert unseen(session, chair) == {str(chair.id): [-5, -3]}


def test_what_happened_is_shown_for_a_comparison_but_for_days_left_out(session):
    product = sold_daily(session, 30, promoted=(-10,))
    an_event(session, -10, -10)
    an_event(session, -8, -8, kind="closed")
    exclusions.leave_out_days(session, an_actor(session), product.id, on(-6), reason="fire", today=TODAY)
    learned, happened = (
        demand.frame(session, YESTERDAY, product_ids=[product.id], as_happened=was).set_index("ds")
        for was in (False, True)
    )
    days = [str(on(n)) for n in (-10, -8, -6, -5)]
    assert learned.loc[days, "y"].tolist() == [0, 0, 0, 2]
    assert learned.loc[days, "in_stock"].tolist() == [False, False, False, True]
    assert happened.loc[days, "y"].tolist() == [6, 2, 0, 2]
    assert happened.loc[days, "in_stock"].tolist() == [True, True, False, True]


def test_an_event_in_one_warehouse_hides_the_days_there_and_of_all_where_that_place_weighs(session):
    product = sold_daily(session, 10)
    here, there = the_warehouse(session), a_warehouse(session)
    actor = an_actor(session)
    stock.transfer(session, actor, product.id, here.id, there.id, 50, occurred_at=_noon(-10))
    an_event(session, -5, -4, warehouse_id=there.id)
    stock.remove(session, actor, product.id, there.id, 1, occurred_at=_noon(-8), reason_code="sale")
    assert unseen(session, product) == {str(product.id): []}  # a twentieth of its demand
    apart = {f"{product.id}:{here.id}": [], f"{product.id}:{there.id}": [-5, -4]}
    assert unseen(session, product, by_warehouse=True) == apart
    stock.remove(session, actor, product.id, there.id, 9, occurred_at=_noon(-8), reason_code="sale")
    assert unseen(session, product) == {str(product.id): [-5, -4]}


# -- What they do to the demand to come ----------------------------------------------------------------------


def coming(session, *products, days=10, **about):
    return event_effects.coming(
        session, YESTERDAY, days, product_ids=[product.id for product in products] or None, **about
    )


def test_stated_effects_closed_days_and_what_meets_are_multiplied(session):
    lamp = a_product(session, category="Lamps")
    chair = a_product(session)
    assert coming(session) == {}
    an_event(session, 2, 4, effect_percent=50)
    an_event(session, 4, 20, category="Lamps", effect_percent=-50)
    an_event(session, -3, 0, kind="closed", product_id=lamp.id)
    an_event(session, 40, 41, kind="closed")
    found = coming(session, lamp, chair)
    assert found[str(lamp.id)].tolist() == [0, 1, 1.5, 1.5, 0.75, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert found[str(chair.id)].tolist() == [1, 1, 1.5, 1.5, 1.5, 1, 1, 1, 1, 1]
    here = the_warehouse(session)
    apart = coming(session, lamp, by_warehouse=True)
    assert apart[f"{lamp.id}:{here.id}"].tolist() == found[str(lamp.id)].tolist()


def test_an_effect_is_learned_from_earlier_ones_of_its_name_and_one_product_gets_what_all_get(session):
    strong = sold_daily(session, 60, promoted=(-30, -29, -28, -10, -9, -8), times=4)
    weak = sold_daily(session, 60, promoted=(-30, -29, -28, -10, -9, -8), times=1)
    an_event(session, -30, -28)
    an_event(session, -10, -8, name="spring sale")
    an_event(session, 1, 2)
    an_event(session, 4, 4, kind="other")  # of its name, but no promotion: nothing to learn from
    lesson = event_effects.lesson(session, SALE, "promotion", YESTERDAY)
    assert (lesson.days, lesson.events, lesson.products) == (6, 2, 2)
    # Each product: 6 usual orders, of which the strong one had 24: (30 + 10) / (12 + 10).
    assert lesson.factor == pytest.approx(40 / 22, rel=0.01)
    both = coming(session, strong, weak)
    common = lesson.factor
    assert both[str(strong.id)][1] == pytest.approx((24 + 20 * common) / 26, rel=0.01)
    assert both[str(weak.id)][1] == pytest.approx((6 + 20 * common) / 26, rel=0.01)
    assert both[str(weak.id)][4] == 1
    for product in (strong, weak):
        alone = coming(session, product)
        assert alone[str(product.id)].tolist() == both[str(product.id)].tolist()
        assert alone.keys() == {str(product.id)}
    assert {*both} <= {*coming(session)}


def test_without_an_earlier_one_nothing_is_learned_and_nothing_changes(session):
    product = sold_daily(session, 30)
    an_event(session, 1, 2)
    lesson = event_effects.lesson(session, SALE, "promotion", YESTERDAY)
    assert lesson == event_effects.Lesson(1.0, 0, 0, 0)
    assert coming(session, product) == {}


def test_days_without_stock_and_days_left_out_teach_nothing(session):
    product = sold_daily(session, 40, promoted=(-10, -9), times=3)
    an_event(session, -10, -9)
    an_event(session, -9, -9, kind="closed")
    lesson = event_effects.lesson(session, SALE, "promotion", YESTERDAY)
    assert (lesson.days, lesson.products) == (1, 1)
    assert product.id


def test_an_event_in_one_warehouse_acts_there_and_on_all_by_its_share(session):
    product = sold_daily(session, 20)
    here, there = the_warehouse(session), a_warehouse(session)
    actor = an_actor(session)
    stock.transfer(session, actor, product.id, here.id, there.id, 50, occurred_at=_noon(-10))
    stock.remove(session, actor, product.id, there.id, 10, occurred_at=_noon(-8), reason_code="sale")
    an_event(session, 0, 0, warehouse_id=there.id, effect_percent=100)
    an_event(session, 1, 1, warehouse_id=there.id, kind="closed")
    whole = coming(session, product)
    assert whole[str(product.id)][:3].tolist() == [pytest.approx(1.2), pytest.approx(0.8), 1]
    apart = coming(session, product, by_warehouse=True)
    assert {name: factors[:3].tolist() for name, factors in apart.items()} == {
        f"{product.id}:{there.id}": [2, 0, 1]
    }


def test_what_was_changed_is_marked_so_that_forecasts_follow(session):
    event = an_event(session)
    first = session.get_one(DemandEvent, event.id).changed_at
    demand_events.change(session, an_actor(session), event.uid, TODAY, effect_percent=5)
    session.refresh(event)
    assert event.changed_at > first
