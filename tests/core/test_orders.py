"""Purchase orders: drafted, priced, sent, given up, cancelled, and counted by every forecast."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import expected, order_facts, order_lines, order_lists, order_looks, order_receipts, orders
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, ExpectedReceipt, OrderYear, PurchaseOrder, RunOut, VendorShutdown
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)  # a Wednesday
TODAY = NOW.date()


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


def line(session, product, quantity=10, **about):
    place = about.pop("warehouse", None) or the_warehouse(session)
    return {"product_id": product.id, "warehouse_id": place.id, "quantity": quantity, **about}


def a_draft(session, actor, *lines, vendor=None, today=TODAY, **about):
    vendor = vendor or a_vendor(session)
    return orders.draft(session, actor, vendor.id, lines, today, **about)


def open_rows(session, order):
    ids = [line.id for line in order_lines.of(session, order.id)]
    question = sa.select(ExpectedReceipt).where(
        ExpectedReceipt.order_line_id.in_(ids), ExpectedReceipt.closed_at.is_(None)
    )
    return list(session.scalars(question.order_by(ExpectedReceipt.id)))


def test_smoke(session, manager):
    vendor, product = a_vendor(session), a_product(session, 5)
    an_offer(session, product, vendor, prices={1: "2.10", 50: "1.90"})
    order = a_draft(session, manager, line(session, product), vendor=vendor)
    assert order.number == "PO-2026-0001"
    orders.send(session, manager, order.uid, NOW)
    (row,) = open_rows(session, order)
    assert (row.quantity, row.expected_on) == (10, TODAY + timedelta(days=7))
    detail = order_looks.by_uid(session, order.uid, TODAY)
    (the,) = detail.lines
    booked = order_receipts.receive(session, manager, order.uid, {the.uid: 4}, key="k", now=NOW)
    assert order.state == "partly_received"
    order_receipts.receive(session, manager, order.uid, None, key="k2", now=NOW)
    assert order.state == "received"
    order_receipts.undo(session, manager, booked.lines[0].movement_id, now=NOW)
    assert order.state == "partly_received"
    rows, totals = order_lists.listing(session, TODAY, text="PO-2026", state=["sent", "partly_received"])
    assert (len(rows), totals.orders) == (1, 1)
    later = TODAY + timedelta(days=12)
    assert order_lists.trouble(session, product.id, later)[0].sentence == "PO-2026-0001 of 4 is 5 days late."
