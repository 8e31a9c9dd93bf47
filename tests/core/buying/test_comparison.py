"""A product's vendors compared on the facts of now: stock, forecast, offers, records, settings, advice."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from core import expected, stock
from core.buying import comparison
from core.errors import BadInput, NotFound
from core.reorder import receipts
from core.reorder.receipts import Sums
from db.models import Advice, AdviceRun, BuyingSettings
from jobs.train import train
from tests.core.test_predictions import NOW, TODAY, sold_daily
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse

D = Decimal


def two_vendors(session, product, **about):
    """A cheap slow one and a dear fast one."""
    slow, fast = a_vendor(session, name="Slow", **about), a_vendor(session, name="Fast")
    an_offer(session, product, slow, prices={1: "2.00"}, lead_time_days=21)
    an_offer(session, product, fast, prices={1: "2.20"}, lead_time_days=2)
    return slow, fast


def advised(session, product, quantity, *, vendor=None, unit_cost=2, terms=None):
    """A row of current advice, as a run writes it."""
    run = session.scalars(select(AdviceRun).where(AdviceRun.is_current)).first()
    if run is None:
        run = AdviceRun(is_current=True, as_of=TODAY, made_at=NOW, goal={})
        session.add(run)
        session.flush()
    kept = receipts.stored(terms or receipts.receipt(Sums(D(0), D(0), D(quantity), D(0))))
    session.add(
        Advice(
            run_id=run.id, product_id=product.id, warehouse_id=the_warehouse(session).id, action="order",
            vendor_id=vendor and vendor.id, quantity=quantity, unit_cost=unit_cost,
            value=D(quantity) * unit_cost, level=quantity, on_hand=0, due=0, next_quantity=quantity,
            reason="", terms=kept,
        )
    )  # fmt: skip
    session.flush()


def by_name(compared):
    return {row.costed.name: row.costed for row in compared.rows}


def test_compares_for_what_sells_until_the_next_review(session):
    product = sold_daily(session, left=20)
    two_vendors(session, product)
    train(NOW)
    compared = comparison.of_product(session, product.id, TODAY)
    assert compared.basis == comparison.UNTIL_REVIEW
    assert compared.quantity == pytest.approx(D(14), abs=2)
    assert compared.daily_rate == pytest.approx(D(2), abs=D("0.3"))
    rows = by_name(compared)
    assert rows["Slow"].chance == 1
    assert rows["Fast"].chance == 0
    assert compared.recommended.costed.name == "Fast"


def test_the_advised_quantity_counts_before_any_vendors_terms(session):
    product = sold_daily(session, left=20)
    two_vendors(session, product)
    train(NOW)
    terms = receipts.receipt(Sums(D(10), D(10), D(50), D(20), rounded=D(36), stepped=D(100)))
    advised(session, product, 100, terms=terms)
    compared = comparison.of_product(session, product.id, TODAY)
    assert (compared.basis, compared.quantity) == (comparison.ADVISED, 30)


def test_an_asked_quantity_comes_first_and_must_be_above_zero(session):
    product = sold_daily(session, left=20)
    two_vendors(session, product)
    advised(session, product, 100)
    compared = comparison.of_product(session, product.id, TODAY, quantity="7")
    assert (compared.basis, compared.quantity) == (comparison.ASKED, 7)
    for wrong in (0, -1, "many", "1.00001"):
        with pytest.raises(BadInput):
            comparison.of_product(session, product.id, TODAY, quantity=wrong)


def test_without_a_forecast_prices_decide_and_it_is_said(session):
    product = a_product(session, 5)
    two_vendors(session, product)
    compared = comparison.of_product(session, product.id, TODAY)
    assert (compared.basis, compared.quantity, compared.daily_rate) == (comparison.ONE, 1, None)
    assert compared.recommended.costed.name == "Slow"
    assert "No forecast: the chance to run out is not known." in compared.rows[0].costed.missing
    assert compared.split is None


def test_stock_on_its_way_counts(session):
    product = sold_daily(session, left=20)
    two_vendors(session, product)
    train(NOW)
    before = by_name(comparison.of_product(session, product.id, TODAY, quantity=14))["Slow"]
    expected.add(session, an_actor(session), product.id, the_warehouse(session).id, 200, TODAY, today=TODAY)
    after = by_name(comparison.of_product(session, product.id, TODAY, quantity=14))["Slow"]
    assert before.lost > 0
    assert (after.lost, after.chance) == (0, 0)
    compared = comparison.of_product(session, product.id, TODAY, quantity=14)
    assert compared.recommended.costed.name == "Slow"


def test_prices_come_in_the_shops_currency(session):
    product = a_product(session)
    abroad = a_vendor(session, name="Abroad", currency="USD", exchange_rate="0.5", freight_cost=20)
    an_offer(session, product, abroad, prices={1: "3.00"})
    (row,) = comparison.of_product(session, product.id, TODAY, quantity=10).rows
    assert (row.costed.unit_price, row.costed.outlay, row.costed.freight) == (D("1.5"), 15, 10)
    assert row.offer.steps == ((1, 3),)


def test_what_is_advised_beside_it_shares_freight(session):
    product, other = a_product(session), a_product(session)
    vendor = a_vendor(session, freight_cost=30, free_freight_from=500)
    for one in (product, other):
        an_offer(session, one, vendor, prices={1: 2})
    advised(session, product, 50, vendor=vendor)
    assert comparison.of_product(session, product.id, TODAY).rows[0].costed.freight == 30
    advised(session, other, 100, vendor=vendor)
    assert comparison.of_product(session, product.id, TODAY).rows[0].costed.freight == 10
    session.execute(update(Advice).where(Advice.product_id == other.id).values(value=400))
    assert comparison.of_product(session, product.id, TODAY).rows[0].costed.freight == 0


def test_no_cost_is_a_constant(session):
    product = sold_daily(session, left=20, unit_cost=2, unit_price=5)
    slow, _ = two_vendors(session, product)
    train(NOW)

    def row():
        return by_name(comparison.of_product(session, product.id, TODAY, quantity=20))["Slow"]

    lost = row().lost
    assert row().shortage == pytest.approx(D(lost) * 3, abs=D("0.01"))
    session.execute(update(BuyingSettings).values(shortage_percent=200))
    assert row().shortage == pytest.approx(D(lost) * 10, abs=D("0.01"))
    slow.order_cost = D(7)
    session.flush()
    assert row().order_cost == 7
    an_offer(session, product, slow, prices={1: "2.00"}, lead_time_days=21, minimum_order_quantity=100)
    once = row().holding
    session.execute(update(BuyingSettings).values(holding_percent=40))
    assert row().holding == pytest.approx(2 * once, abs=D("0.01"))
    assert once > 0


def test_a_warehouse_is_bought_for_with_all_it_supplies(session):
    product = sold_daily(session, left=20)
    two_vendors(session, product)
    main = the_warehouse(session)
    branch = a_warehouse(session, "BRANCH", supplied_by_id=main.id)
    alone = a_warehouse(session, "ALONE")
    stock.add(session, an_actor(session), product.id, branch.id, 400, occurred_at=NOW)
    train(NOW)
    for place in (main, branch):
        compared = comparison.of_product(session, product.id, TODAY, place.id, quantity=14)
        assert by_name(compared)["Slow"].chance == 0
    elsewhere = comparison.of_product(session, product.id, TODAY, alone.id, quantity=14)
    assert elsewhere.daily_rate is None
    assert by_name(elsewhere)["Slow"].chance is None
    whole = comparison.of_product(session, product.id, TODAY, quantity=14)
    assert by_name(whole)["Slow"].chance == 0


def test_a_preferred_vendor_is_recommended(session):
    product = a_product(session)
    _, fast = two_vendors(session, product)
    product.preferred_vendor_id = fast.id
    session.flush()
    compared = comparison.of_product(session, product.id, TODAY, quantity=10)
    assert compared.recommended.offer.vendor_id == fast.id
    assert compared.recommended.costed.why.startswith("Chosen by hand; 2.00 dearer than Slow.")


def test_an_expired_price_and_a_deactivated_vendor(session):
    product = a_product(session)
    slow, fast = two_vendors(session, product)
    fast.is_active = False
    session.flush()
    an_offer(
        session, product, slow, prices={1: 9}, valid_from=TODAY - timedelta(days=60),
        valid_until=TODAY - timedelta(days=1),
    )  # fmt: skip
    (row,) = comparison.of_product(session, product.id, TODAY, quantity=10).rows
    assert (row.costed.unit_price, row.costed.is_expired, row.costed.age_days) == (9, True, 60)


def test_nobody_offers_it(session):
    compared = comparison.of_product(session, a_product(session).id, TODAY)
    assert (compared.rows, compared.recommended, compared.split) == ((), None, None)


def test_unknown_products_and_warehouses_are_refused(session):
    product = a_product(session)
    place = a_warehouse(session, "OLD")
    place.is_active = False
    session.flush()
    with pytest.raises(NotFound):
        comparison.of_product(session, 987_654, TODAY)
    with pytest.raises(NotFound):
        comparison.of_product(session, product.id, TODAY, 987_654)
    with pytest.raises(NotFound):
        comparison.of_product(session, product.id, TODAY, place.id)
