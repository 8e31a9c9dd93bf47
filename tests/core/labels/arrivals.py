"""Orders of which something arrived, for the labels of it."""

from datetime import UTC, datetime

from core.buying import order_lines, order_receipts, orders
from tests.makers import a_vendor, the_warehouse

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def arrived(session, manager, *lines):
    """A purchase order of which (product, ordered, came) arrived."""
    place = the_warehouse(session)
    asked = [
        {"product_id": product.id, "warehouse_id": place.id, "quantity": much, "unit_price": 1}
        for product, much, _ in lines
    ]
    order = orders.draft(session, manager, a_vendor(session).id, asked, NOW.date())
    orders.send(session, manager, order.uid, NOW)
    kept = {line.product_id: line.uid for line in order_lines.of(session, order.id)}
    came = {kept[product.id]: much for product, _, much in lines if much}
    if came:
        order_receipts.receive(session, manager, order.uid, came, key="k", now=NOW)
    return order
