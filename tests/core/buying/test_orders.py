"""Purchase orders: drafted, priced, sent, given up, cancelled, and counted by every forecast."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import expected
from core.buying import order_facts, order_lines, order_lists, order_looks, order_receipts, orders
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, ExpectedReceipt, OrderYear, RunOut, VendorShutdown
from tests.core.buying.test_vendor_records import Orders
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


def counted(session, product):
    """What the kept run-out of the shop counted as due."""
    return session.scalar(
        sa.select(RunOut.due).where(RunOut.product_id == product.id, RunOut.warehouse_id.is_(None))
    )


def told(session, order):
    question = sa.select(AuditLine.action).where(AuditLine.subject_id == str(order.uid))
    return list(session.scalars(question.order_by(AuditLine.id)))


# -- Numbers -------------------------------------------------------------------------------------------------


def test_numbers_follow_each_other_within_a_year(session, manager):
    numbers = [a_draft(session, manager).number for _ in range(2)]
    numbers.append(a_draft(session, manager, today=date(2027, 1, 1)).number)
    numbers.append(a_draft(session, manager).number)
    assert numbers == ["PO-2026-0001", "PO-2026-0002", "PO-2027-0001", "PO-2026-0003"]


def test_a_draft_that_is_refused_takes_no_number(session, manager):
    product = a_product(session)
    for _ in range(2):
        with pytest.raises(RuleBroken, match="does not offer"), session.begin_nested():
            a_draft(session, manager, line(session, product))
    assert session.scalar(sa.select(OrderYear.last_number)) is None
    session.add(OrderYear(year=2026, last_number=9_999))
    assert a_draft(session, manager).number == "PO-2026-10000"


# -- Drafts --------------------------------------------------------------------------------------------------


def test_the_price_is_that_of_the_offer_at_that_quantity(session, manager):
    vendor, products = a_vendor(session, currency="USD", exchange_rate=Decimal("0.9")), []
    for _ in range(3):
        products.append(a_product(session))
        an_offer(session, products[-1], vendor, prices={10: "2.10", 50: "1.90"}, vendor_sku="V-7")
    an_offer(session, products[0], a_vendor(session), prices={1: 1})
    order = a_draft(session, manager, vendor=vendor)
    lines = [
        order_lines.add(session, manager, order.uid, today=TODAY, **line(session, product, quantity))
        for product, quantity in zip(products, (9, 50, 60), strict=True)
    ]
    assert [str(kept.unit_price) for kept in lines] == ["2.1000", "1.9000", "1.9000"]
    assert {kept.vendor_sku for kept in lines} == {"V-7"}
    facts = order_facts.of(session, order, TODAY)
    assert (facts.goods, facts.in_shop_currency) == (Decimal("227.9"), Decimal("205.11"))


def test_a_price_follows_the_quantity_until_somebody_enters_one(session, manager):
    vendor, product = a_vendor(session), a_product(session)
    an_offer(session, product, vendor, prices={1: "2.10", 50: "1.90"})
    order = a_draft(session, manager, line(session, product), vendor=vendor)
    (kept,) = order_lines.of(session, order.id)

    def change(**fields):
        return order_lines.change(session, manager, kept.uid, NOW, TODAY, **fields).unit_price

    assert change(quantity=50) == Decimal("1.90")
    assert change(quantity=49, unit_price="1.5") == Decimal("1.5")
    assert change(quantity=60) == Decimal("1.5")
    assert change(unit_price=None) == Decimal("1.90")
    assert change(note="blue", vendor_sku="V-1") == Decimal("1.90")
    with pytest.raises(TypeError, match="colour"):
        change(colour="red")
    assert told(session, order) == ["created", *["changed a line"] * 5]


def test_an_offer_of_nobody_needs_a_price(session, manager):
    product = a_product(session)
    order = a_draft(session, manager, line(session, product, unit_price="3.25"))
    (hint,) = order_facts.of(session, order, TODAY).hints
    assert "no offer of this vendor" in hint.sentence
    (kept,) = order_lines.of(session, order.id)
    with pytest.raises(RuleBroken, match="does not offer"):
        order_lines.change(session, manager, kept.uid, NOW, TODAY, unit_price=None)
    assert kept.unit_price == Decimal("3.25")


def test_prices_in_another_currency_than_the_order_are_not_mixed(session, manager):
    vendor, product = a_vendor(session), a_product(session)
    an_offer(session, product, vendor)
    order = a_draft(session, manager, vendor=vendor)
    vendor.currency = "USD"
    with pytest.raises(RuleBroken, match="asks in USD now"):
        order_lines.add(session, manager, order.uid, today=TODAY, **line(session, product))


def test_a_price_that_could_not_be_booked_in_the_shops_money_is_refused(session, manager):
    vendor = a_vendor(session, currency="USD", exchange_rate=Decimal(1_000_000))
    dear = line(session, a_product(session), unit_price=9_000_000)
    with pytest.raises(BadInput, match="in the shop's money"):
        a_draft(session, manager, dear, vendor=vendor)
    order = a_draft(session, manager, dear | {"unit_price": 9_000}, vendor=vendor)
    (kept,) = order_lines.of(session, order.id)
    with pytest.raises(BadInput, match="in the shop's money"):
        order_lines.change(session, manager, kept.uid, NOW, TODAY, unit_price=10_000)
    assert kept.unit_price == 9_000


def test_a_product_is_once_on_an_order_for_each_warehouse(session, manager):
    product, there = a_product(session), a_warehouse(session)
    order = a_draft(
        session, manager, line(session, product, unit_price=1),
        line(session, product, unit_price=1, warehouse=there),
    )  # fmt: skip
    with pytest.raises(RuleBroken, match="is on PO-2026-0001 already"):
        order_lines.add(session, manager, order.uid, today=TODAY, **line(session, product, unit_price=1))
    first, second = order_lines.of(session, order.id)
    with pytest.raises(RuleBroken, match="already: change that line"):
        order_lines.change(session, manager, first.uid, NOW, TODAY, warehouse_id=there.id)
    order_lines.remove(session, manager, second.uid)
    order_lines.change(session, manager, first.uid, NOW, TODAY, warehouse_id=there.id)
    assert [kept.warehouse_id for kept in order_lines.of(session, order.id)] == [there.id]
    with pytest.raises(NotFound, match="no such line"):
        order_lines.remove(session, manager, second.uid)


def test_the_lines_of_a_draft_are_replaced_as_a_whole(session, manager):
    product, other = a_product(session), a_product(session)
    order = a_draft(session, manager, line(session, product, unit_price=1))
    wanted = [line(session, product, 3, unit_price=1), line(session, other, 4, unit_price=2)]
    order_lines.replace(session, manager, order.uid, wanted, TODAY)
    assert [kept.quantity for kept in order_lines.of(session, order.id)] == [3, 4]
    order_lines.replace(session, manager, order.uid, wanted, TODAY)
    assert told(session, order) == ["created", "replaced the lines"]


def test_an_order_has_so_many_lines_at_most(session, manager, monkeypatch):
    monkeypatch.setattr(order_lines, "MOST_LINES", 1)
    order = a_draft(session, manager, line(session, a_product(session), unit_price=1))
    with pytest.raises(RuleBroken, match="at most 1 lines"):
        order_lines.add(
            session, manager, order.uid, today=TODAY, **line(session, a_product(session), unit_price=1)
        )


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"quantity": 0}, "not above zero"), ({"quantity": "x"}, "not a number"),
        ({"quantity": 10**15}, "at most 15 digits"), ({"unit_price": "-1"}, "not between 0"),
        ({"unit_price": "1e12"}, "not between 0|at most 15"), ({"unit_price": "0.00001"}, "decimals"),
        ({"expected_on": TODAY - timedelta(days=1)}, "in the past"), ({"expected_on": date.max}, "two years"),
        ({"note": "x" * 301}, "too many"), ({"note": "a\x00"}, "NUL"),
    ],
)  # fmt: skip
def test_lines_that_cannot_be_meant_are_refused(session, manager, about, sentence):
    with pytest.raises(BadInput, match=sentence):
        a_draft(session, manager, line(session, a_product(session), **({"unit_price": 1} | about)))


def test_what_is_not_in_use_is_not_ordered(session, manager):
    closed = a_warehouse(session, is_active=False)
    for attempt in (
        lambda: a_draft(session, manager, vendor=a_vendor(session, is_active=False)),
        lambda: a_draft(session, manager, line(session, a_product(session, is_active=False), unit_price=1)),
        lambda: a_draft(session, manager, line(session, a_product(session), unit_price=1, warehouse=closed)),
    ):
        with pytest.raises(RuleBroken, match=r"deactivated|not in use"):
            attempt()
    with pytest.raises(NotFound):
        orders.draft(session, manager, 99_999, [], TODAY)
    for missing in ("product_id", "warehouse_id"):
        with pytest.raises(NotFound):
            a_draft(session, manager, line(session, a_product(session), unit_price=1) | {missing: 99_999})


# -- Facts ---------------------------------------------------------------------------------------------------


def test_the_facts_say_how_far_the_order_is_from_the_limits_and_when_it_arrives(session, manager):
    vendor = a_vendor(
        session, order_minimum=100, free_freight_from=200, freight_cost="7.5", order_weekdays=[1, 5]
    )
    product = a_product(session)
    an_offer(session, product, vendor, lead_time_days=4)
    monday = TODAY + timedelta(days=5)
    session.add(VendorShutdown(vendor_id=vendor.id, starts_on=TODAY, ends_on=TODAY + timedelta(days=3)))
    order = a_draft(session, manager, line(session, product, 40), vendor=vendor)
    facts = order_facts.of(session, order, TODAY)
    assert (facts.goods, facts.freight, facts.total) == (80, Decimal("7.5"), Decimal("87.5"))
    assert (facts.missing_to_minimum, facts.missing_to_free_freight) == (20, 120)
    assert (facts.sends_on, facts.arrives_on) == (monday, monday + timedelta(days=4))
    said = [hint.sentence for hint in facts.hints]
    assert said == [
        "20 EUR short of the order minimum of 100 EUR.", f"{vendor.name} takes orders on {monday} next."
    ]  # fmt: skip
    (kept,) = order_lines.of(session, order.id)
    order_lines.change(session, manager, kept.uid, NOW, TODAY, quantity=100)
    facts = order_facts.of(session, order, TODAY)
    assert (facts.missing_to_minimum, facts.missing_to_free_freight, facts.freight) == (0, 0, 0)
    orders.change(session, manager, order.uid, NOW, freight="3")
    assert order_facts.of(session, order, TODAY).total == 203
    nothing = order_facts.of(session, a_draft(session, manager), TODAY)
    assert (nothing.freight, nothing.missing_to_minimum, nothing.arrives_on) == (None, None, None)


def test_odd_quantities_and_prices_are_warned_about_and_not_refused(session, manager):
    vendor, product = a_vendor(session), a_product(session)
    an_offer(
        session, product, vendor, prices={10: 2}, minimum_order_quantity=24, order_multiple=12,
        valid_until=TODAY - timedelta(days=1),
    )  # fmt: skip
    order = a_draft(session, manager, line(session, product, 20, unit_price="1.99"), vendor=vendor)
    (kept,) = order_lines.of(session, order.id)
    hints = order_facts.of(session, order, TODAY).hints
    assert {hint.line_uid for hint in hints} == {kept.uid}
    assert [hint.sentence.removeprefix(f"{product.sku}: ") for hint in hints] == [
        "20 is below the least quantity of 24.", "sold in multiples of 12: 12 or 24.",
        "1.99 EUR a piece on the order, 2 in the offer.",
        f"the offer expired on {TODAY - timedelta(days=1)}.",
    ]  # fmt: skip
    orders.send(session, manager, order.uid, NOW)
    assert order_facts.of(session, order, TODAY).hints == ()


@pytest.mark.parametrize(
    ("vendor_days", "product_days", "expected"), [(3, 5, 3), (None, 5, 5), (None, None, 14)]
)
def test_without_an_offer_the_lead_time_is_the_vendors_the_products_or_the_shops(
    session, manager, vendor_days, product_days, expected
):
    vendor = a_vendor(session, lead_time_days=vendor_days)
    product = a_product(session, lead_time_days=product_days)
    order = a_draft(session, manager, line(session, product, unit_price=1), vendor=vendor)
    assert order_facts.of(session, order, TODAY).arrives_on == TODAY + timedelta(days=expected)


# -- Sending -------------------------------------------------------------------------------------------------


def an_order(session, actor, *products, quantity=10, send=True, **vendor):
    """An order of these products from a vendor that offers them at 2, sent unless told otherwise."""
    vendor = a_vendor(session, **vendor)
    for product in products:
        an_offer(session, product, vendor)
    order = a_draft(session, actor, *(line(session, p, quantity) for p in products), vendor=vendor)
    return orders.send(session, actor, order.uid, NOW) if send else order


def test_a_vendor_that_is_always_late_is_expected_when_it_used_to_come(session, manager):
    product, past = a_product(session, 5), Orders(session)
    vendor = a_vendor(session)
    an_offer(session, product, vendor)
    for days_ago in (60, 70, 80, 90, 100):
        (ordered,) = past.sent(vendor, [product], days_ago)
        past.received(ordered, days_ago - 20)
    quoted, measured = TODAY + timedelta(days=7), TODAY + timedelta(days=20)
    order = a_draft(session, manager, line(session, product, 10), vendor=vendor)
    orders.send(session, manager, order.uid, NOW)
    (kept,) = order_lines.of(session, order.id)
    assert (kept.promised_on, kept.expected_on) == (quoted, measured)
    assert counted(session, product)[-1] == [measured.isoformat(), "10"]
    orders.unsend(session, manager, order.uid, NOW)
    (kept,) = order_lines.of(session, order.id)
    assert (kept.promised_on, kept.expected_on) == (None, None)
    entered = TODAY + timedelta(days=9)
    order_lines.change(session, manager, kept.uid, NOW, TODAY, expected_on=entered)
    orders.send(session, manager, order.uid, NOW)
    (kept,) = order_lines.of(session, order.id)
    assert (kept.promised_on, kept.expected_on) == (entered, entered)


def test_what_is_sent_is_on_its_way_at_once_and_what_is_drafted_is_not(session, manager):
    product = a_product(session, 5)
    order = an_order(session, manager, product, send=False, freight_cost=4)
    assert counted(session, product) is None
    orders.send(session, manager, order.uid, NOW, mailed_to="orders@vendor.example")
    due = TODAY + timedelta(days=7)
    assert counted(session, product) == [[due.isoformat(), "10"]]
    assert (order.state, order.sent_on, order.expected_on, order.freight) == ("sent", TODAY, due, 4)
    assert order.mailed_to == "orders@vendor.example"
    (kept,) = order_lines.of(session, order.id)
    assert (kept.expected_on, kept.promised_on) == (due, due)
    (row,) = expected.open_of(session, product.id)
    assert (row.order_line_id, row.note) == (kept.id, order.number)
    with pytest.raises(RuleBroken, match="was sent: it is sent once"):
        orders.send(session, manager, order.uid, NOW)


def test_the_days_of_the_shop_decide_when_it_was_sent(session, manager):
    from core import shop

    shop.get(session).time_zone = "Pacific/Auckland"
    order = an_order(session, manager, a_product(session), send=False)
    orders.send(session, manager, order.uid, datetime(2026, 12, 31, 12, tzinfo=UTC))
    assert order.sent_on == date(2027, 1, 1)


def test_a_day_that_was_entered_stands_unless_it_is_over(session, manager):
    one, two, three = (a_product(session) for _ in range(3))
    order = an_order(session, manager, one, two, three, send=False)
    lines = order_lines.of(session, order.id)
    early, late = TODAY + timedelta(days=1), TODAY + timedelta(days=30)
    order_lines.change(session, manager, lines[0].uid, NOW, TODAY, expected_on=late)
    order_lines.change(session, manager, lines[1].uid, NOW, TODAY, expected_on=early)
    orders.send(session, manager, order.uid, NOW + timedelta(days=2))
    assert [kept.expected_on for kept in order_lines.of(session, order.id)] == [
        late, *[TODAY + timedelta(days=9)] * 2
    ]  # fmt: skip
    other = an_order(session, manager, a_product(session), send=False)
    orders.change(session, manager, other.uid, NOW, expected_on=late)
    orders.send(session, manager, other.uid, NOW)
    assert order_lines.of(session, other.id)[0].expected_on == late


def test_what_was_closed_meanwhile_refuses_the_sending_by_name(session, manager):
    product, there = a_product(session), a_warehouse(session)
    vendor = a_vendor(session)
    order = a_draft(
        session, manager, line(session, product, unit_price=1, warehouse=there), vendor=vendor
    )  # fmt: skip
    for row, name in ((product, product.sku), (there, there.code), (vendor, vendor.name)):
        row.is_active = False
        session.flush()
        with pytest.raises(RuleBroken, match=name):
            orders.send(session, manager, order.uid, NOW)
        row.is_active = True
        session.flush()
    empty = a_draft(session, manager)
    with pytest.raises(RuleBroken, match="has no lines"):
        orders.send(session, manager, empty.uid, NOW)
    assert (order.state, empty.state) == ("draft", "draft")


def test_taking_back_the_click_leaves_what_was_entered_and_nothing_else(session, manager):
    one, two = a_product(session), a_product(session)
    order = an_order(session, manager, one, two, send=False, freight_cost=4)
    first, second = order_lines.of(session, order.id)
    entered = TODAY + timedelta(days=30)
    order_lines.change(session, manager, second.uid, NOW, TODAY, expected_on=entered)
    for freight in (None, Decimal(3)):
        orders.change(session, manager, order.uid, NOW, freight=freight)
        orders.send(session, manager, order.uid, NOW)
        orders.unsend(session, manager, order.uid, NOW)
        assert (order.freight, order.expected_on) == (freight, None)
        assert (first.expected_on, first.promised_on, second.expected_on) == (None, None, entered)


def test_a_click_on_send_can_be_taken_back_while_nothing_came_of_it(session, manager):
    product = a_product(session, 5)
    order = an_order(session, manager, product)
    orders.unsend(session, manager, order.uid, NOW)
    assert (order.state, order.sent_on, counted(session, product)) == ("draft", None, None)
    orders.send(session, manager, order.uid, NOW)
    assert len(open_rows(session, order)) == 1
    order.mailed_at = NOW
    with pytest.raises(RuleBroken, match="was mailed to the vendor: cancel it"):
        orders.unsend(session, manager, order.uid, NOW)
    order.mailed_at = None
    order_receipts.receive(session, manager, order.uid, key="k", now=NOW)
    with pytest.raises(RuleBroken, match="was received"):
        orders.unsend(session, manager, order.uid, NOW)


# -- After sending -------------------------------------------------------------------------------------------


def test_a_delay_that_is_announced_moves_what_is_open_and_not_the_promise(session, manager):
    one, two = a_product(session, 5), a_product(session, 5)
    order = an_order(session, manager, one, two)
    first, second = order_lines.of(session, order.id)
    order_receipts.receive(session, manager, order.uid, {first.uid: None}, key="k", now=NOW)
    later = TODAY + timedelta(days=40)
    orders.change(session, manager, order.uid, NOW, expected_on=later, vendor_reference="AB 1", note="sorry")
    assert [kept.expected_on for kept in order_lines.of(session, order.id)] == [
        TODAY + timedelta(days=7),
        later,
    ]
    assert second.promised_on == TODAY + timedelta(days=7)
    assert counted(session, two) == [[later.isoformat(), "10"]]
    order_lines.change(session, manager, second.uid, NOW, TODAY, expected_on=TODAY, note="by lorry")
    assert counted(session, two) == [[TODAY.isoformat(), "10"]]
    for attempt in (
        lambda: order_lines.change(session, manager, second.uid, NOW, TODAY, quantity=3),
        lambda: order_lines.change(session, manager, second.uid, NOW, TODAY, unit_price=3),
        lambda: order_lines.remove(session, manager, second.uid),
        lambda: order_lines.replace(session, manager, order.uid, [], TODAY),
        lambda: order_lines.add(
            session, manager, order.uid, today=TODAY, **line(session, a_product(session))
        ),
        lambda: orders.change(session, manager, order.uid, NOW, freight=3),
        lambda: orders.change(session, manager, order.uid, NOW, expected_on=None),
        lambda: order_lines.change(session, manager, second.uid, NOW, TODAY, expected_on=None),
    ):
        with pytest.raises((RuleBroken, BadInput)):
            attempt()


def test_what_will_not_come_is_given_up_and_may_come_after_all(session, manager):
    one, two = a_product(session, 5), a_product(session, 5)
    order = an_order(session, manager, one, two)
    first, second = order_lines.of(session, order.id)
    order_receipts.receive(session, manager, order.uid, {first.uid: 4}, key="k", now=NOW)
    orders.give_up(session, manager, order.uid, NOW, lines=[first.uid], because="sold out")
    assert (order.state, first.given_up, counted(session, one)) == ("partly_received", 6, None)
    assert len(open_rows(session, order)) == 1
    with pytest.raises(RuleBroken, match="Nothing of that is on its way"):
        orders.give_up(session, manager, order.uid, NOW, lines=[first.uid])
    orders.give_up(session, manager, order.uid, NOW)
    assert (order.state, order.received_on, open_rows(session, order)) == ("received", TODAY, [])
    with pytest.raises(RuleBroken, match="nothing of it is on its way"):
        orders.give_up(session, manager, order.uid, NOW)
    orders.reopen(session, manager, order.uid, NOW, lines=[second.uid])
    assert (order.state, order.received_on) == ("partly_received", None)
    assert [row.quantity for row in open_rows(session, order)] == [10]
    orders.reopen(session, manager, order.uid, NOW)
    assert [row.quantity for row in open_rows(session, order)] == [6, 10]
    with pytest.raises(RuleBroken, match="Nothing of PO-2026-0001 was cancelled or given up"):
        orders.reopen(session, manager, order.uid, NOW)
    assert session.scalar(sa.select(sa.func.count()).select_from(ExpectedReceipt)) == 2


def test_an_order_of_which_all_is_given_up_is_cancelled(session, manager):
    product = a_product(session)
    order = an_order(session, manager, product)
    orders.give_up(session, manager, order.uid, NOW, because="bankrupt")
    assert (order.state, order.cancelled_because, order.cancelled_by) == ("cancelled", "bankrupt", manager.id)
    orders.reopen(session, manager, order.uid, NOW)
    assert (order.state, order.cancelled_at, len(open_rows(session, order))) == ("sent", None, 1)


def test_drafts_and_what_was_sent_can_be_cancelled_and_taken_back(session, manager):
    product = a_product(session, 5)
    draft, sent = an_order(session, manager, product, send=False), an_order(session, manager, product)
    for order, state in ((draft, "draft"), (sent, "sent")):
        orders.cancel(session, manager, order.uid, NOW, because="too dear")
        assert (order.state, order.cancelled_because) == ("cancelled", "too dear")
        with pytest.raises(RuleBroken, match="was cancelled: there is nothing to cancel"):
            orders.cancel(session, manager, order.uid, NOW)
        with pytest.raises(RuleBroken):
            orders.send(session, manager, order.uid, NOW)
        orders.reopen(session, manager, order.uid, NOW)
        assert order.state == state
        orders.cancel(session, manager, order.uid, NOW)
    assert counted(session, product) is None
    (kept,) = order_lines.of(session, sent.id)
    orders.reopen(session, manager, sent.uid, NOW)
    order_receipts.receive(session, manager, sent.uid, {kept.uid: 3}, key="k", now=NOW)
    orders.cancel(session, manager, sent.uid, NOW)
    assert (sent.state, kept.given_up) == ("received", 7)


def test_what_was_closed_is_not_on_its_way_again(session, manager):
    product = a_product(session)
    order = an_order(session, manager, product)
    orders.cancel(session, manager, order.uid, NOW)
    product.is_active = False
    session.flush()
    with pytest.raises(RuleBroken, match="is deactivated"), session.begin_nested():
        orders.reopen(session, manager, order.uid, NOW)
    assert open_rows(session, order) == []


def test_what_an_order_expects_is_changed_on_the_order_alone(session, manager):
    product = a_product(session)
    order = an_order(session, manager, product)
    (row,) = open_rows(session, order)
    for attempt in (
        lambda: expected.change(session, manager, row.uid, TODAY, quantity=1),
        lambda: expected.cancel(session, manager, row.uid, TODAY),
        lambda: expected.reopen(session, manager, row.uid, TODAY),
    ):
        with pytest.raises(RuleBroken, match="belongs to PO-2026-0001: change it there"):
            attempt()
    assert row.quantity == 10


def test_only_those_who_buy_order(session, manager):
    product, staff = a_product(session), an_actor(session, "user")
    order = an_order(session, manager, product, send=False)
    (kept,) = order_lines.of(session, order.id)
    for attempt in (
        lambda: orders.draft(session, staff, order.vendor_id, [], TODAY),
        lambda: orders.change(session, staff, order.uid, NOW, note="x"),
        lambda: orders.send(session, staff, order.uid, NOW),
        lambda: orders.unsend(session, staff, order.uid, NOW),
        lambda: orders.cancel(session, staff, order.uid, NOW),
        lambda: orders.give_up(session, staff, order.uid, NOW),
        lambda: orders.reopen(session, staff, order.uid, NOW),
        lambda: order_lines.add(session, staff, order.uid, today=TODAY, **line(session, product)),
        lambda: order_lines.change(session, staff, kept.uid, NOW, TODAY, quantity=1),
        lambda: order_lines.remove(session, staff, kept.uid),
        lambda: order_lines.replace(session, staff, order.uid, [], TODAY),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_an_order_that_nobody_has_is_not_found(session, manager):
    for unknown in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        for verb in (orders.send, orders.unsend, orders.cancel, orders.give_up, orders.reopen, orders.change):
            with pytest.raises(NotFound):
                verb(session, manager, unknown, NOW)
        with pytest.raises(NotFound):
            order_looks.by_uid(session, unknown, TODAY)
        with pytest.raises(NotFound):
            order_lines.remove(session, manager, unknown)
    order, other = (an_order(session, manager, a_product(session)) for _ in range(2))
    (foreign,) = order_lines.of(session, other.id)
    with pytest.raises(NotFound, match="has no such line"):
        orders.give_up(session, manager, order.uid, NOW, lines=[foreign.uid])


# -- Looks ---------------------------------------------------------------------------------------------------


def test_an_order_shows_its_lines_receipts_and_history(session, manager):
    product = a_product(session, 5)
    order = an_order(session, manager, product)
    (kept,) = order_lines.of(session, order.id)
    order_receipts.receive(session, manager, order.uid, {kept.uid: 4}, key="k", now=NOW)
    detail = order_looks.by_uid(session, order.uid, TODAY + timedelta(days=9))
    (shown,) = detail.lines
    assert (shown.sku, shown.received, shown.open, shown.over, shown.late_days) == (product.sku, 4, 6, 0, 2)
    assert (detail.late_days, detail.created_by, detail.sent_by) == (2, manager.name, manager.name)
    assert [(part.quantity, part.received_by, part.undone_at) for part in detail.receipts] == [
        (4, manager.name, None)
    ]
    assert [(done.action, done.person) for done in detail.history] == [
        ("received", manager.name), ("sent", manager.name), ("created", manager.name)
    ]  # fmt: skip
    assert detail.facts.quotes == {}
    assert [place.code for place in detail.warehouses] == [the_warehouse(session).code]


def test_the_list_filters_sorts_pages_and_adds_up(session, manager):
    one, two = a_product(session, name="Blue lamp"), a_product(session)
    first = an_order(session, manager, one, quantity=5, exchange_rate=2, name="Zeta")
    second = an_order(session, manager, two, quantity=50, name="alpha")
    third = an_order(session, manager, one, two, quantity=1, name="Midi", send=False)
    later = TODAY + timedelta(days=8)

    def numbers(**about):
        rows, totals = order_lists.listing(session, later, **about)
        assert totals.orders == (rows[0]["total_count"] if rows else 0)
        return [row["number"] for row in rows]

    assert numbers() == [third.number, second.number, first.number]
    for sort, expected_order in (
        ("number", [first, second, third]), ("vendor", [second, third, first]),
        ("value", [third, first, second]), ("lines", [second, first, third]),
        ("state", [third, second, first]), ("late", [second, first, third]),
    ):  # fmt: skip
        assert numbers(sort=sort, descending=False) == [order.number for order in expected_order], sort
    assert numbers(state="draft") == [third.number]
    assert numbers(state=["sent", "received"]) == [second.number, first.number]
    assert numbers(only_late=True) == [second.number, first.number]
    assert numbers(product_id=one.id) == [third.number, first.number]
    assert numbers(text="blue la") == [third.number, first.number]
    assert numbers(text="zeta") == [first.number]
    assert numbers(text="%") == []
    assert numbers(limit=1, offset=1) == [second.number]
    rows, totals = order_lists.listing(session, later, offset=9)
    assert (rows, totals.orders, totals.late, totals.open_value) == ([], 3, 2, 120)
    (row,), _ = order_lists.listing(session, later, text=first.number)
    assert (row["goods"], row["value"], row["open_lines"], row["late_days"]) == (10, 20, 1, 1)
    for wrong in ({"state": "lost"}, {"sort": "colour"}, {"limit": 0}, {"offset": -1}, {"text": "x" * 201}):
        with pytest.raises(BadInput):
            order_lists.listing(session, later, **wrong)
    with pytest.raises(NotFound):
        order_lists.listing(session, later, vendor_uid="00000000-0000-0000-0000-000000000000")


def test_what_is_late_or_fell_through_is_told_where_it_hurts(session, manager):
    product, other = a_product(session, 5), a_product(session)
    late = an_order(session, manager, product, other)
    gone, short, draft = (an_order(session, manager, product) for _ in range(3))
    orders.unsend(session, manager, draft.uid, NOW)
    orders.cancel(session, manager, draft.uid, NOW)
    orders.cancel(session, manager, gone.uid, NOW)
    (kept,) = order_lines.of(session, short.id)
    order_receipts.receive(session, manager, short.uid, {kept.uid: 4}, key="k", now=NOW)
    orders.give_up(session, manager, short.uid, NOW)

    def sentences(days):
        found = order_lists.trouble(session, product.id, TODAY + timedelta(days=days))
        return [trouble.sentence for trouble in found]

    assert sentences(1) == [
        f"6 of the 10 of {short.number} were given up yesterday.",
        f"{gone.number} of 10 was cancelled yesterday.",
    ]
    assert sentences(8)[0] == f"{late.number} of 10 is 1 day late."
    assert sentences(20) == [f"{late.number} of 10 is 13 days late."]
    assert order_lists.trouble(session, other.id, TODAY) == []
    rows = order_lists.late(session, TODAY + timedelta(days=9))
    assert [(row["number"], row["sku"], row["days_late"], row["open"]) for row in rows] == [
        (late.number, sku, 2, 10) for sku in (product.sku, other.sku)
    ]
    assert order_lists.late(session, TODAY + timedelta(days=7)) == []
    listed = order_lists.of_product(session, product.id, TODAY + timedelta(days=1))
    assert [(row["number"], row["state"], row["open"]) for row in listed] == [
        (gone.number, "cancelled", 0), (late.number, "sent", 10)
    ]  # fmt: skip
