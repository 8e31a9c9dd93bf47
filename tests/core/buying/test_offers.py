"""Offers: added and never overwritten, withdrawn and restored, read fast, and how prices went."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import offers, price_history, vendors
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, RunOut, VendorOffer
from db.session import transaction
from tests.core.advice_world import a_forecast
from tests.makers import a_product, a_vendor, an_actor, an_offer, the_warehouse

TODAY = date(2026, 11, 21)
TOMORROW = TODAY + timedelta(days=1)
LAST_MONTH = TODAY - timedelta(days=30)


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


def asked(session, actor, product, vendor, price="2.10", **about):
    values = {"steps": {1: price}, "lead_time_days": 7} | about
    return offers.add(session, actor, vendor.id, product.id, today=TODAY, **values)


def current(session, product, day=TODAY):
    return offers.current(session, [product.id], day)


def price(session, product, day=TODAY):
    return [offer.steps[0][1] for offer in current(session, product, day)]


def lead_time(session, product):
    return session.scalar(
        sa.select(RunOut.lead_time_days).where(RunOut.product_id == product.id, RunOut.warehouse_id.is_(None))
    )


# -- Added ---------------------------------------------------------------------------------------------------


def test_an_offer_is_read_back_with_its_vendors_terms(session, manager):
    product, vendor = a_product(session), a_vendor(session, order_minimum=100, order_weekdays=[1])
    asked(
        session, manager, product, vendor, steps={"50": "1.90", 1: "2.10"}, minimum_order_quantity=10,
        order_multiple="5", vendor_sku=" V-1 ", valid_until=TOMORROW,
    )  # fmt: skip
    (offer,) = current(session, product)
    assert offer.steps == ((1, Decimal("2.1")), (50, Decimal("1.9")))
    assert (offer.minimum_order_quantity, offer.order_multiple, offer.vendor_sku) == (10, 5, "V-1")
    assert (offer.vendor.order_minimum, offer.vendor.order_weekdays) == (100, (1,))
    assert (offer.age_days, offer.is_expired, offer.is_preferred) == (0, False, False)
    (later,) = current(session, product, TOMORROW + timedelta(days=1))
    assert (later.age_days, later.is_expired) == (2, True)


def test_steps_may_start_above_one_and_cost_nothing(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, steps=[("100", 0), ("12.5", "0.5")])
    assert current(session, product)[0].steps == ((Decimal("12.5"), Decimal("0.5")), (100, 0))


def test_a_minimum_of_nothing_is_none(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, minimum_order_quantity=0, order_multiple="0.0")
    (offer,) = current(session, product)
    assert (offer.minimum_order_quantity, offer.order_multiple) == (None, None)


def test_without_a_lead_time_the_vendors_usual_one_counts(session, manager):
    product = a_product(session)
    asked(session, manager, product, a_vendor(session, lead_time_days=11), lead_time_days=None)
    assert current(session, product)[0].lead_time_days == 11
    with pytest.raises(BadInput, match="no usual lead time"):
        asked(session, manager, product, a_vendor(session), lead_time_days=None)


def test_a_correction_is_a_newer_row_and_the_old_one_stays(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, "2.10", valid_from=LAST_MONTH)
    asked(session, manager, product, vendor, "1.20", valid_from=LAST_MONTH)
    assert price(session, product) == [Decimal("1.2")]
    assert price(session, product, LAST_MONTH) == [Decimal("1.2")]
    history = price_history.of(session, TODAY, product_id=product.id)
    assert list(history["state"]) == ["current", "corrected"]
    assert list(history["unit_price"]) == [Decimal("1.2"), Decimal("2.1")]


def test_the_same_again_is_the_same_offer_and_leaves_no_trace(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    first = asked(session, manager, product, vendor, valid_from=LAST_MONTH)
    assert asked(session, manager, product, vendor, valid_from=LAST_MONTH, steps={"1.0": "2.1000"}) is first
    assert asked(session, manager, product, vendor) is first
    assert asked(session, manager, product, vendor, valid_until=TOMORROW) is not first
    assert session.scalar(sa.select(sa.func.count()).where(AuditLine.action == "added price")) == 2


def test_a_price_of_tomorrow_counts_tomorrow(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, "2")
    asked(session, manager, product, vendor, "3", valid_from=TOMORROW)
    assert (price(session, product), price(session, product, TOMORROW)) == ([2], [3])
    (offer,) = offers.upcoming(session, [product.id], TODAY)
    assert (offer.valid_from, offer.age_days) == (TOMORROW, -1)
    assert offers.upcoming(session, None, TODAY, vendor_id=a_vendor(session).id) == []
    assert [o.uid for o in offers.of_vendor(session, vendor.id, TODAY)] == [current(session, product)[0].uid]


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"steps": {}}, "enter at least one"),
        ({"steps": {0: 1}}, "From quantity: 0 is not above zero"),
        ({"steps": {"-5": 1}}, "not above zero"),
        ({"steps": {1: "-0.01"}}, "not between 0"),
        ({"steps": {1: None}}, "from 1 pieces on is missing"),
        ({"steps": {1: "abc"}}, "'abc' is not a number"),
        ({"steps": [(1, 2), ("1.0", 3)]}, "1 has two prices"),
        ({"steps": dict.fromkeys(range(1, 52), 1)}, "51 are too many"),
        ({"minimum_order_quantity": -1}, "Minimum order quantity: -1 is below zero"),
        ({"order_multiple": "0.00001"}, "4 decimals"),
        ({"lead_time_days": 366}, "0 to 365"),
        ({"lead_time_days": "NaN"}, "Lead time"),
        ({"vendor_sku": "x" * 101}, "too many"),
        ({"vendor_sku": "a\tb"}, "control character"),
        ({"valid_from": date(1969, 1, 1)}, "before 1970"),
        ({"valid_from": TODAY + timedelta(days=800)}, "two years ahead"),
        ({"valid_until": LAST_MONTH}, "before the first day"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_leaves_no_trace(session, manager, about, says):
    product, vendor = a_product(session), a_vendor(session)
    with pytest.raises(BadInput) as refused:
        asked(session, manager, product, vendor, **about)
    assert says in refused.value.sentence
    assert session.scalar(sa.select(sa.func.count()).select_from(VendorOffer)) == 0


def test_a_rate_at_which_a_price_could_not_be_kept_is_refused(session, manager):
    vendor, product = a_vendor(session, currency="USD", exchange_rate=Decimal(2)), a_product(session)
    with pytest.raises(BadInput, match="is not below 10,000,000,000 in the shop's money"):
        asked(session, manager, product, vendor, "5000000000")
    asked(session, manager, product, vendor, "4000000000")
    with pytest.raises(BadInput, match="is not below"):
        vendors.change(session, manager, vendor.id, exchange_rate="2.5")
    assert vendors.change(session, manager, vendor.id, exchange_rate="2.4").exchange_rate == Decimal("2.4")


def test_who_or_what_is_not_in_use_gets_no_price(session, manager):
    with pytest.raises(RuleBroken, match="deactivated"):
        asked(session, manager, a_product(session), a_vendor(session, is_active=False))
    with pytest.raises(RuleBroken, match="deactivated"):
        asked(session, manager, a_product(session, is_active=False), a_vendor(session))
    with pytest.raises(NotFound):
        offers.add(session, manager, 10**6, a_product(session).id, steps={1: 1}, today=TODAY)
    with pytest.raises(NotAllowed):
        asked(session, an_actor(session, "user"), a_product(session), a_vendor(session))


@pytest.mark.usefixtures("clone")
def test_two_who_enter_the_same_price_enter_it_once():
    with transaction() as session:
        actor, product, vendor = an_actor(session), a_product(session), a_vendor(session)

    def enter(_n):
        with transaction() as session:
            return asked(session, actor, product, vendor).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(enter, range(8)))) == 1


# -- Withdrawn -----------------------------------------------------------------------------------------------


def test_a_vendor_that_offers_no_more_can_be_taken_back(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, "2", valid_from=LAST_MONTH)
    asked(session, manager, product, vendor, "3")
    asked(session, manager, product, vendor, "4", valid_from=TOMORROW)
    gone = offers.withdraw(session, manager, vendor.id, product.id, TODAY)
    assert len(gone) == 3
    assert current(session, product) == offers.upcoming(session, [product.id], TODAY) == []
    with pytest.raises(NotFound, match="does not offer"):
        offers.withdraw(session, manager, vendor.id, product.id, TODAY)
    assert set(price_history.of(session, TODAY, vendor_id=vendor.id)["state"]) == {"withdrawn"}
    offers.restore(session, manager, gone, TODAY)
    offers.restore(session, manager, gone, TODAY)
    assert price(session, product) == [3]
    actions = session.scalars(sa.select(AuditLine.action).where(AuditLine.subject_id == str(vendor.uid)))
    assert [a for a in actions if a != "added price"] == ["withdrew price", "restored price"]


def test_after_a_mistake_the_price_before_it_counts(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, "2", valid_from=LAST_MONTH)
    wrong = asked(session, manager, product, vendor, "200")
    offers.take_back(session, manager, wrong.uid, TODAY)
    offers.take_back(session, manager, wrong.uid, TODAY)
    assert price(session, product) == [2]
    with pytest.raises(NotFound):
        offers.take_back(session, manager, "x", TODAY)


def test_offers_of_two_vendors_are_not_restored_at_once(session, manager):
    product, one, two = a_product(session), a_vendor(session), a_vendor(session)
    rows = [asked(session, manager, product, vendor).uid for vendor in (one, two)]
    for uid in rows:
        offers.take_back(session, manager, uid, TODAY)
    with pytest.raises(BadInput):
        offers.restore(session, manager, rows, TODAY)


def test_the_run_out_follows_where_another_lead_time_counts(session, manager):
    product, vendor = a_product(session, 5), a_vendor(session)
    asked(session, manager, product, vendor, lead_time_days=20)
    assert lead_time(session, product) == 20
    quick = asked(session, manager, product, a_vendor(session), lead_time_days=2)
    assert lead_time(session, product) == 2
    offers.take_back(session, manager, quick.uid, TODAY)
    assert lead_time(session, product) == 20


def test_a_products_own_lead_time_comes_first(session, manager):
    product = a_product(session, 5, lead_time_days=4)
    asked(session, manager, product, a_vendor(session), lead_time_days=20)
    assert lead_time(session, product) is None, "nothing that counts changed, so nothing was worked out"


# -- How prices went -----------------------------------------------------------------------------------------


def test_the_history_says_until_when_each_price_held_and_who_said_so(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, steps={1: 3, 10: 2}, valid_from=LAST_MONTH)
    asked(session, manager, product, vendor, "4", valid_from=TODAY, valid_until=TODAY)
    asked(session, manager, product, vendor, "5", valid_from=TOMORROW + timedelta(days=1))
    an_offer(session, a_product(session))
    history = price_history.of(session, TOMORROW, vendor_id=vendor.id)
    assert list(history["state"]) == ["upcoming", "current", "past", "past"]
    assert list(history["until"]) == [None, None, TODAY - timedelta(days=1), TODAY - timedelta(days=1)]
    assert list(history["minimum_quantity"]) == [1, 1, 1, 10]
    assert list(history["is_expired"]) == [False, True, False, False]
    assert set(history["entered_by"]) == {manager.name}
    assert history["file"].isna().all()
    assert len(price_history.of(session, TODAY, product_id=product.id, limit=1)) == 1


def test_rises_compare_at_the_smallest_quantity_that_both_sell(session, manager):
    product, vendor = a_product(session), a_vendor(session, exchange_rate=2, currency="USD")
    asked(session, manager, product, vendor, steps={1: 3, 10: 2}, valid_from=LAST_MONTH)
    asked(session, manager, product, vendor, steps={20: "2.50"})
    (rise,) = price_history.rises(session, TODAY)
    assert (rise.quantity, rise.price_before, rise.price, rise.percent) == (20, 2, Decimal("2.5"), 25)
    assert (rise.is_upcoming, rise.demand, rise.costs) == (False, None, None)


def test_what_fell_is_corrected_is_old_or_withdrawn_is_no_rise(session, manager):
    vendor = a_vendor(session)
    fell, corrected, old, mistaken = (a_product(session) for _ in range(4))
    for product in (fell, corrected, mistaken):
        asked(session, manager, product, vendor, "2", valid_from=LAST_MONTH)
    asked(session, manager, fell, vendor, "1")
    asked(session, manager, corrected, vendor, "3", valid_from=LAST_MONTH)
    offers.take_back(session, manager, asked(session, manager, mistaken, vendor, "9").uid, TODAY)
    asked(session, manager, old, vendor, "1", valid_from=date(2025, 1, 1))
    asked(session, manager, old, vendor, "2", valid_from=date(2025, 2, 1))
    assert price_history.rises(session, TODAY) == []


def test_a_rise_to_come_is_seen_before_it_counts(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    asked(session, manager, product, vendor, "0", valid_from=LAST_MONTH)
    asked(session, manager, product, vendor, "2", valid_from=TOMORROW)
    (rise,) = price_history.rises(session, TODAY, vendor_id=vendor.id)
    assert (rise.is_upcoming, rise.percent) == (True, None)
    vendors.deactivate(session, manager, vendor.id)
    assert price_history.rises(session, TODAY) == []


def test_a_rise_costs_what_is_expected_to_sell_in_ninety_days(session, manager):
    small, large = a_product(session, sku="A"), a_product(session, sku="B")
    vendor = a_vendor(session, currency="USD", exchange_rate=2)
    for product, a_day in ((small, 1.0), (large, 3.0)):
        a_forecast(session, product, a_day, sure=True, as_of=TODAY - timedelta(days=1))
        asked(session, manager, product, vendor, "2", valid_from=LAST_MONTH)
        asked(session, manager, product, vendor, "2.50")
    first, second = price_history.rises(session, TODAY)
    assert (first.sku, first.demand, first.costs) == ("B", 270, 270)
    assert (second.sku, second.demand, second.costs) == ("A", 90, 90)
