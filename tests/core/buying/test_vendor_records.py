"""How vendors kept their word, measured from sending the order."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core import stock
from core.buying import offers, vendor_records
from db.models import OrderReceipt, PurchaseOrder, PurchaseOrderLine
from tests.makers import a_product, a_vendor, an_actor, an_offer, the_warehouse

TODAY = date(2026, 11, 21)


@pytest.fixture
def shop(session):
    the_warehouse(session)
    return Orders(session)


class Orders:
    """Orders of one buyer, sent and received on days counted back from today."""

    def __init__(self, session):
        self.session, self.actor = session, an_actor(session)
        self.numbers = iter(range(1, 1000))

    def sent(self, vendor, products, days_ago, promised=7, **about):
        """The lines of an order sent so many days ago, promised so many days later (None: for no day)."""
        on = TODAY - timedelta(days=days_ago)
        order = PurchaseOrder(
            number=f"PO-2025-{next(self.numbers):04}", vendor_id=vendor.id, currency="EUR", state="sent",
            created_by=self.actor.id, sent_on=on,
            expected_on=None if promised is None else on + timedelta(days=promised),
        )  # fmt: skip
        self.session.add(order)
        self.session.flush()
        place = the_warehouse(self.session)
        lines = [
            PurchaseOrderLine(
                order_id=order.id, product_id=product.id, warehouse_id=place.id, quantity=10, unit_price=1,
                **about,
            )
            for product in products
        ]  # fmt: skip
        self.session.add_all(lines)
        self.session.flush()
        return lines

    def received(self, line, days_ago, quantity=10, *, undone=False):
        booked = stock.add(self.session, self.actor, line.product_id, line.warehouse_id, quantity)
        self.session.add(
            OrderReceipt(
                line_id=line.id, movement_id=booked.lines[0].movement_id, quantity=quantity,
                received_on=TODAY - timedelta(days=days_ago), received_by=self.actor.id,
                undone_at=datetime.now(UTC) if undone else None,
            )
        )  # fmt: skip
        line.received = 0 if undone else line.received + quantity
        self.session.flush()


def record(session, vendor):
    return vendor_records.of(session, [vendor.id], TODAY)[vendor.id]


def test_days_count_from_sending_and_nine_of_ten_came_within(session, shop):
    vendor, product = a_vendor(session), a_product(session)
    for n, took in enumerate((5, 9, 6, 7, 6, 6, 7, 5, 6, 20)):
        (line,) = shop.sent(vendor, [product], 300 - 20 * n)
        shop.received(line, 300 - 20 * n - took)
    found = record(session, vendor)
    assert found.lead_days == (5, 9, 6, 7, 6, 6, 7, 5, 6, 20)
    assert (found.deliveries, found.median_days, found.p90_days) == (10, 6, 9)
    assert found.on_time_share == pytest.approx(0.8)
    assert not found.is_of_product


def test_nothing_is_measured_of_a_vendor_that_delivered_nothing(session, shop):
    vendor = a_vendor(session)
    shop.sent(vendor, [a_product(session)], 3)
    assert record(session, vendor) == vendor_records.NOTHING
    assert vendor_records.recent(session, vendor.id, TODAY) == []


def test_what_arrives_of_an_order_on_one_day_is_one_delivery(session, shop):
    vendor, one, two = a_vendor(session), a_product(session), a_product(session)
    first, second = shop.sent(vendor, [one, two], 20)
    shop.received(first, 14, 4)
    shop.received(second, 14)
    shop.received(first, 10, 6)
    assert record(session, vendor).lead_days == (6, 10)
    later, sooner = vendor_records.recent(session, vendor.id, TODAY)
    assert (sooner.lines, sooner.late_days, later.lines, later.late_days) == (2, -1, 1, 3)
    assert sooner.number == later.number == "PO-2025-0001"


def test_an_undone_receipt_never_was(session, shop):
    vendor, product = a_vendor(session), a_product(session)
    (line,) = shop.sent(vendor, [product], 5)
    shop.received(line, 3, undone=True)
    assert record(session, vendor) == vendor_records.NOTHING


def test_on_time_is_what_was_promised_when_the_order_was_sent(session, shop):
    vendor, product = a_vendor(session), a_product(session)
    (line,) = shop.sent(
        vendor, [product], 20, promised_on=TODAY - timedelta(days=15), expected_on=TODAY - timedelta(days=1)
    )
    shop.received(line, 10)
    (delivery,) = vendor_records.recent(session, vendor.id, TODAY)
    assert (delivery.promised_on, delivery.late_days) == (TODAY - timedelta(days=15), 5)
    assert record(session, vendor).on_time_share == 0


def test_an_order_that_should_be_here_counts_as_late_but_not_for_the_days(session, shop):
    vendor, product = a_vendor(session), a_product(session)
    (line,) = shop.sent(vendor, [product], 40)
    shop.received(line, 34)
    shop.sent(vendor, [product], 20)
    found = record(session, vendor)
    assert (found.deliveries, found.overdue, found.on_time_share, found.lead_days) == (1, 1, 0.5, (6,))
    missing, _ = vendor_records.recent(session, vendor.id, TODAY)
    assert (missing.received_on, missing.days, missing.late_days) == (None, 20, 13)


def test_what_was_promised_for_no_day_is_neither_late_nor_in_time(session, shop):
    vendor, product = a_vendor(session), a_product(session)
    (line,) = shop.sent(vendor, [product], 40, promised=None)
    shop.received(line, 34)
    assert (record(session, vendor).on_time_share, record(session, vendor).deliveries) == (None, 1)


def test_only_the_newest_deliveries_of_the_last_years_count(session, shop):
    vendor, product = a_vendor(session), a_product(session)
    (line,) = shop.sent(vendor, [product], 800)
    shop.received(line, 790)
    lines = [shop.sent(vendor, [product], 200 - n)[0] for n in range(vendor_records.NEWEST + 2)]
    for n, line in enumerate(lines):
        shop.received(line, 200 - n - (3 if n < 2 else 4))
    assert record(session, vendor).lead_days == (4,) * vendor_records.NEWEST


def test_a_product_delivered_often_enough_has_a_record_of_its_own(session, shop):
    vendor, often, seldom = a_vendor(session), a_product(session), a_product(session)
    for product in (often, seldom):
        an_offer(session, product, vendor)
    for n in range(vendor_records.LEAST_OF_PRODUCT):
        (line,) = shop.sent(vendor, [often], 100 - n)
        shop.received(line, 90 - n)
    (line,) = shop.sent(vendor, [seldom], 100)
    shop.received(line, 98)
    records = vendor_records.of_products(session, [vendor.id], TODAY)
    assert list(records) == [(vendor.id, often.id)]
    own, of_all = (offer.record for offer in offers.current(session, [often.id, seldom.id], TODAY))
    assert (own.is_of_product, own.median_days) == (True, 10)
    assert (of_all.is_of_product, of_all.deliveries) == (False, vendor_records.LEAST_OF_PRODUCT + 1)
    assert [d.days for d in vendor_records.recent(session, vendor.id, TODAY, seldom.id)] == [2]


def test_a_vendor_without_a_record_is_answered_too(session):
    assert vendor_records.of(session, [10**6], TODAY) == {10**6: vendor_records.NOTHING}
    assert vendor_records.of(session, [], TODAY) == {}
