"""What arrives of an order: in parts, too much, twice, by scan, taken back; and the ledger says the same."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import corrections, expected, stock
from core.buying import order_lines, order_lists, order_receipts, order_scans, order_state, orders
from core.errors import (
    AlreadyReversed,
    BadInput,
    InsufficientStock,
    KeyReused,
    NotAllowed,
    NotFound,
    RuleBroken,
    RunoutError,
)
from db.models import Barcode, ExpectedReceipt, Movement, OrderReceipt, PurchaseOrder, RunOut, StockLevel
from db.session import transaction
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, on_hand, the_warehouse

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


def sent(session, actor, *products, quantity=10, price=2, warehouse=None, **vendor):
    """An order that was sent, its lines in the order of the products."""
    place = warehouse or the_warehouse(session)
    lines = [
        {"product_id": product.id, "warehouse_id": place.id, "quantity": quantity, "unit_price": price}
        for product in products
    ]
    order = orders.draft(session, actor, a_vendor(session, **vendor).id, lines, TODAY)
    return orders.send(session, actor, order.uid, NOW), order_lines.of(session, order.id)


def receive(session, actor, order, lines=None, key="k", **about):
    return order_receipts.receive(session, actor, order.uid, lines, key=key, now=NOW, **about)


def open_row(session, line):
    question = sa.select(ExpectedReceipt).where(
        ExpectedReceipt.order_line_id == line.id, ExpectedReceipt.closed_at.is_(None)
    )
    return session.scalars(question).one_or_none()


# -- Receiving -----------------------------------------------------------------------------------------------


def test_a_delivery_is_one_posting_at_the_price_in_the_shops_currency(session, manager):
    one, two = a_product(session, 5), a_product(session)
    order, (first, second) = sent(session, manager, one, two, price="1.2345", exchange_rate="1.1")
    booked = receive(session, an_actor(session, "user"), order, {first.uid: 4, second.uid: "10.0"})
    assert [(line.product_id, line.before, line.after) for line in booked.lines] == [
        (one.id, 5, 9), (two.id, 0, 10)
    ]  # fmt: skip
    movements = session.scalars(sa.select(Movement).where(Movement.posting_id == booked.posting_id)).all()
    assert {
        (m.type, m.reason_code, m.reference_type, m.reference_id, str(m.unit_price)) for m in movements
    } == {("in", "receipt", "purchase order", order.number, "1.3580")}
    assert (order.state, first.received, second.received) == ("partly_received", 4, 10)
    assert open_row(session, first).quantity == 6
    assert open_row(session, second) is None
    assert session.scalar(sa.select(RunOut.on_hand).where(RunOut.product_id == two.id)) == 10
    receive(session, manager, order, key="rest")
    assert (order.state, order.received_on, on_hand(session, one)) == ("received", TODAY, 15)


def test_more_than_was_ordered_is_booked_as_it_came(session, manager):
    product = a_product(session)
    order, (line,) = sent(session, manager, product)
    receive(session, manager, order, {line.uid: 12})
    assert (order.state, line.received, on_hand(session, product)) == ("received", 12, 12)
    for about in ({}, {"although_complete": False}):
        with pytest.raises(RuleBroken, match="was received: nothing of it is awaited"):
            receive(session, manager, order, {line.uid: 1}, key="again", **about)
    receive(session, manager, order, {line.uid: 1}, key="a last box", although_complete=True)
    assert (order.state, line.received) == ("received", 13)


def test_a_line_that_is_complete_is_not_counted_twice(session, manager):
    one, two = a_product(session), a_product(session)
    order, (first, second) = sent(session, manager, one, two)
    receive(session, manager, order, {first.uid: None})
    for lines in ({first.uid: 10}, {first.uid: None}, {second.uid: 1, first.uid: 1}):
        with pytest.raises(
            RuleBroken, match=f"{one.sku}: 10 of 10 were received before; nothing of it is open"
        ):
            receive(session, manager, order, lines, key="b")
    assert (on_hand(session, one), on_hand(session, two)) == (10, 0)


def test_what_comes_after_it_was_given_up_was_not_given_up(session, manager):
    one, two = a_product(session), a_product(session)
    order, (first, _) = sent(session, manager, one, two)
    receive(session, manager, order, {first.uid: 6})
    orders.give_up(session, manager, order.uid, NOW, lines=[first.uid])
    booked = receive(session, manager, order, {first.uid: 3}, key="late", although_complete=True)
    assert (first.received, first.given_up) == (9, 1)
    order_receipts.undo(session, manager, booked.lines[0].movement_id, now=NOW)
    assert (first.received, first.given_up, open_row(session, first).quantity) == (6, 1, 3)


def test_the_same_key_books_once_whatever_became_of_the_order(session, manager):
    product = a_product(session)
    order, (line,) = sent(session, manager, product)
    first = receive(session, manager, order, {line.uid: 4})
    assert receive(session, manager, order, {str(line.uid): "4.0"}).lines == first.lines
    everything = receive(session, manager, order, key="all")
    again = receive(session, manager, order, key="all")
    assert (again.replayed, again.lines) == (True, everything.lines)
    for lines in ({line.uid: 5}, None):
        with pytest.raises(KeyReused):
            receive(session, manager, order, lines)
    assert (line.received, on_hand(session, product)) == (10, 10)
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderReceipt)) == 2


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [(-1, "below zero"), (0, "Nothing arrived"), ("x", "not a number"), ("0.00001", "decimals"),
     (10**12, "at most 15 digits")],
)  # fmt: skip
def test_what_cannot_have_arrived_is_refused(session, manager, quantity, sentence):
    order, (line,) = sent(session, manager, a_product(session))
    with pytest.raises(BadInput, match=sentence):
        receive(session, manager, order, {line.uid: quantity})
    with pytest.raises(BadInput, match="Nothing arrived"):
        receive(session, manager, order, {})
    assert line.received == 0


def test_lines_with_nothing_are_left_alone(session, manager):
    one, two = a_product(session), a_product(session)
    order, (first, second) = sent(session, manager, one, two)
    assert len(receive(session, manager, order, {first.uid: 0, second.uid: 2}).lines) == 1
    assert (first.received, second.received) == (0, 2)


def test_only_what_is_awaited_arrives(session, manager):
    order, (line,) = sent(session, manager, a_product(session))
    other, (foreign,) = sent(session, manager, a_product(session))
    with pytest.raises(NotFound, match="has no such line"):
        receive(session, manager, order, {foreign.uid: 1})
    orders.cancel(session, manager, order.uid, NOW)
    orders.unsend(session, manager, other.uid, NOW)
    for this, state, about in ((order, "cancelled", {}), (other, "a draft", {"although_complete": True})):
        with pytest.raises(RuleBroken, match=state):
            receive(session, manager, this, **about)
    with pytest.raises(NotAllowed):
        receive(session, an_actor(session, "viewer"), order)
    assert line.received == 0


def test_what_was_closed_meanwhile_refuses_by_name(session, manager):
    product, there = a_product(session), a_warehouse(session)
    order, (line,) = sent(session, manager, product, warehouse=there)
    for row, name in ((product, product.sku), (there, there.code)):
        row.is_active = False
        session.flush()
        with pytest.raises(RuleBroken, match=name):
            receive(session, manager, order)
        row.is_active = True
    receive(session, manager, order)
    assert (line.received, on_hand(session, product, there)) == (10, 10)


def test_a_vendor_that_was_closed_may_still_deliver(session, manager):
    order, _ = sent(session, manager, a_product(session), name="Gone")
    from db.models import Vendor

    session.get_one(Vendor, order.vendor_id).is_active = False
    session.flush()
    receive(session, manager, order)
    assert order.state == "received"


def test_stock_on_its_way_is_received_on_its_order(session, manager):
    product = a_product(session)
    order, (line,) = sent(session, manager, product)
    row = open_row(session, line)
    part = expected.receive(session, manager, row.uid, key="a", quantity=4, now=NOW)
    rest = expected.receive(session, manager, row.uid, key="b", now=NOW)
    assert expected.receive(session, manager, row.uid, key="b", now=NOW).replayed
    assert (order.state, [b.lines[0].change for b in (part, rest)]) == ("received", [4, 6])
    expected.undo_receive(session, manager, rest.lines[0].movement_id, now=NOW)
    assert (order.state, open_row(session, line).quantity) == ("partly_received", 6)


# -- Taking back ---------------------------------------------------------------------------------------------


def test_a_receipt_that_is_taken_back_is_on_its_way_again(session, manager):
    product = a_product(session)
    order, (line,) = sent(session, manager, product)
    part = receive(session, manager, order, {line.uid: 6}, key="a")
    rest = receive(session, manager, order, {line.uid: 9}, key="b")
    order_receipts.undo(session, manager, part.lines[0].movement_id, now=NOW)
    assert (order.state, line.received, open_row(session, line).quantity) == ("partly_received", 9, 1)
    for _ in range(2):
        order_receipts.undo(session, manager, rest.lines[0].movement_id, now=NOW)
    assert (order.state, line.received, open_row(session, line).quantity) == ("sent", 0, 10)
    assert (on_hand(session, product), order.received_on) == (0, None)
    with pytest.raises(AlreadyReversed):
        order_receipts.undo(session, an_actor(session), rest.lines[0].movement_id, now=NOW)
    with pytest.raises(NotFound):
        order_receipts.undo(session, manager, 10**15, now=NOW)


def test_a_whole_delivery_is_taken_back_at_once(session, manager):
    one, two = a_product(session), a_product(session)
    order, (first, second) = sent(session, manager, one, two)
    booked = receive(session, manager, order)
    order_receipts.undo(session, manager, booked.lines[0].movement_id, now=NOW)
    assert len(order_receipts.undo_booking(session, manager, booked.posting_id, now=NOW)) == 1
    assert order_receipts.undo_booking(session, manager, booked.posting_id, now=NOW) == []
    assert (order.state, first.received, second.received) == ("sent", 0, 0)
    with pytest.raises(NotFound):
        order_receipts.undo_booking(session, manager, 10**12, now=NOW)


def test_what_was_sold_meanwhile_cannot_be_taken_back(session, manager):
    product = a_product(session)
    order, (line,) = sent(session, manager, product)
    booked = receive(session, manager, order)
    stock.remove(session, manager, product.id, the_warehouse(session).id, 8)
    with pytest.raises(InsufficientStock, match=f"{product.sku}: 10 asked for, 2 on hand"):
        order_receipts.undo(session, manager, booked.lines[0].movement_id, now=NOW)
    assert (order.state, line.received) == ("received", 10)
    assert session.scalar(sa.select(OrderReceipt.undone_at)) is None


def test_the_ledger_does_not_take_back_what_the_order_goes_on_counting(session, manager):
    product, admin = a_product(session), an_actor(session, "admin")
    order, (line,) = sent(session, manager, product)
    (booked,) = receive(session, manager, order).lines
    for attempt in (
        lambda: stock.reverse(session, manager, booked.movement_id),
        lambda: corrections.correct(session, manager, booked.movement_id, quantity=3),
        lambda: corrections.amend(session, manager, booked.movement_id, unit_price=9),
    ):
        with pytest.raises(RuleBroken, match=f"received {order.number}: undo it there"):
            attempt()
    corrections.amend(session, manager, booked.movement_id, notes="dented")
    corrections.take_back(session, admin, booked.movement_id, key="d")
    assert corrections.take_back(session, admin, booked.movement_id, key="d").replayed
    assert (order.state, line.received, on_hand(session, product)) == ("sent", 0, 0)
    (booked,) = receive(session, manager, order, key="again").lines
    for _ in range(2):
        corrections.undo(session, manager, booked.movement_id, now=NOW)
    assert (order.state, on_hand(session, product)) == ("sent", 0)
    with pytest.raises(AlreadyReversed):
        corrections.take_back(session, admin, booked.movement_id)


def test_undo_in_the_ledger_knows_deliveries_noted_by_hand_too(session, manager):
    product, place = a_product(session), the_warehouse(session)
    noted = expected.add(session, manager, product.id, place.id, 7, TODAY, today=TODAY)
    (booked,) = expected.receive(session, manager, noted.uid, key="k", now=NOW).lines
    for _ in range(2):
        corrections.undo(session, manager, booked.movement_id, now=NOW)
    assert (noted.quantity, noted.closed_at, on_hand(session, product)) == (7, None, 0)
    (plain_one,) = stock.add(session, manager, product.id, place.id, 1).lines
    corrections.undo(session, manager, plain_one.movement_id, now=NOW)
    assert on_hand(session, product) == 0


# -- By scan -------------------------------------------------------------------------------------------------


def test_a_scan_finds_its_line_and_how_many_pieces_it_means(session, manager):
    product, other = a_product(session, name="Lamp"), a_product(session)
    session.add_all([
        Barcode(product_id=product.id, code="4006381333931"),
        Barcode(product_id=product.id, code="BOX", pack_factor=6),
        Barcode(product_id=other.id, code="OTHER"),
    ])  # fmt: skip
    session.flush()
    order, (line,) = sent(session, manager, product)
    found = order_scans.match(session, manager, order.uid, " 4006381333931 ")
    assert (found.line_uid, found.sku, found.pieces, found.open) == (line.uid, product.sku, 1, 10)
    assert order_scans.match(session, manager, order.uid, "BOX").pieces == 6
    there = a_warehouse(session)
    for code, about, sentence in (
        ("OTHER", {}, f"is not on {order.number}"), ("4711", {}, "No product has the code"),
        ("BOX", {"warehouse_id": there.id}, f"is not on {order.number}"),
    ):  # fmt: skip
        with pytest.raises(RunoutError, match=sentence):
            order_scans.match(session, manager, order.uid, code, **about)
    receive(session, manager, order, {line.uid: 4})
    orders.give_up(session, manager, order.uid, NOW, lines=[line.uid])
    with pytest.raises(RuleBroken, match="nothing of it is awaited"):
        order_scans.match(session, manager, order.uid, "BOX")


def test_what_a_code_may_mean_elsewhere_does_not_matter_on_an_order(session, manager):
    product = a_product(session, name="Lamp")
    a_product(session, sku="B-52")
    session.add(Barcode(product_id=product.id, code="B-52", pack_factor=6))
    session.flush()
    order, (line,) = sent(session, manager, product)
    found = order_scans.match(session, manager, order.uid, "B-52")
    assert (found.line_uid, found.pieces) == (line.uid, 6)


def test_the_vendors_number_on_a_line_is_known_too(session, manager):
    product, other = a_product(session), a_product(session)
    order, (line, _) = sent(session, manager, product, other)
    line.vendor_sku = "V-77"
    session.flush()
    assert order_scans.match(session, manager, order.uid, " v-77").line_uid == line.uid
    for code, sentence in (("cmd:in", "is nothing that is on"), ("loc:X", "There is no warehouse 'X'")):
        with pytest.raises(RunoutError, match=sentence):
            order_scans.match(session, manager, order.uid, code)


def test_a_scan_fills_the_line_that_is_open(session, manager):
    product, other, there = a_product(session), a_product(session), a_warehouse(session)
    session.add(Barcode(product_id=product.id, code="BOX"))
    lines = [
        {"product_id": p.id, "warehouse_id": w.id, "quantity": 2, "unit_price": 1}
        for p, w in ((product, the_warehouse(session)), (product, there), (other, there))
    ]
    order = orders.draft(session, manager, a_vendor(session).id, lines, TODAY)
    orders.send(session, manager, order.uid, NOW)
    first, second, _ = order_lines.of(session, order.id)
    receive(session, manager, order, {first.uid: 2}, key="a")
    found = order_scans.match(session, manager, order.uid, "BOX")
    assert (found.line_uid, found.warehouse_code) == (second.uid, there.code)
    receive(session, manager, order, {second.uid: 2}, key="b")
    with pytest.raises(RuleBroken, match="4 of 4 on PO-2026-0001 were received before"):
        order_scans.match(session, manager, order.uid, "BOX")


# -- Whatever happens ----------------------------------------------------------------------------------------

# Receiving and taking back more often than the rest, and most orders sent to begin with: else little happens.
VERBS = ["receive"] * 2 + ["undo"] * 2 + [
    "receive anyway", "give up", "reopen", "send", "unsend", "cancel", "sell",
]  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(VERBS), st.integers(0, 2), st.integers(0, 8)), min_size=3, max_size=14
)


@pytest.fixture(scope="module")
def world(make_database):
    from db import session as doors

    with make_database() as url:
        engine = doors.new_engine(url)
        doors.bind(engine)
        with transaction() as session:
            the_warehouse(session)
            about = an_actor(session, "manager"), [a_product(session) for _ in range(2)], a_vendor(session)
        doors.bind(None)
        yield engine, *about
        engine.dispose()


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, is_sent=st.integers(0, 4))
def test_whatever_is_done_to_an_order_it_agrees_with_the_ledger_and_the_forecast(world, steps, is_sent):
    engine, actor, products, vendor = world
    with sa.orm.Session(engine, expire_on_commit=False) as session:
        place = the_warehouse(session)
        lines = [
            {"product_id": p.id, "warehouse_id": place.id, "quantity": 5, "unit_price": 1} for p in products
        ]
        order = orders.draft(session, actor, vendor.id, lines, TODAY)
        kept = order_lines.of(session, order.id)
        if is_sent:
            orders.send(session, actor, order.uid, NOW)
        booked = []
        for number, (verb, which, quantity) in enumerate(steps):
            try:
                with session.begin_nested():
                    _do(session, actor, order, kept, products, booked, verb, which, quantity, number)
            except RunoutError:
                pass
            _agree(session, order, products)
        session.rollback()


def _do(session, actor, order, kept, products, booked, verb, which, quantity, number):
    chosen = None if which == 2 else [kept[which % 2].uid]
    if verb.startswith("receive"):
        answer = order_receipts.receive(
            session, actor, order.uid, {kept[which % 2].uid: quantity}, key=f"{order.uid} {number}", now=NOW,
            although_complete=verb == "receive anyway",
        )  # fmt: skip
        booked.append(answer.lines[0].movement_id)
    elif verb == "undo" and booked:
        order_receipts.undo(session, actor, booked[which % len(booked)], now=NOW)
    elif verb == "sell":
        stock.remove(session, actor, products[0].id, kept[0].warehouse_id, 1)
    elif verb == "give up":
        orders.give_up(session, actor, order.uid, NOW, lines=chosen)
    elif verb == "reopen":
        orders.reopen(session, actor, order.uid, NOW, lines=chosen)
    elif verb != "undo":
        getattr(orders, verb)(session, actor, order.uid, NOW)


def _agree(session, order, products):
    session.flush()
    session.expire_all()
    row = session.get_one(PurchaseOrder, order.id)
    lines = order_state.lines(session, row)
    is_awaited = row.state in ("sent", "partly_received")
    for line in lines:
        due = session.scalars(
            sa.select(ExpectedReceipt.quantity).where(
                ExpectedReceipt.order_line_id == line.id, ExpectedReceipt.closed_at.is_(None)
            )
        ).all()
        coming = order_state.open_of(line) if is_awaited else 0
        assert due == ([coming] if coming else []), (row.state, line.quantity, line.received, line.given_up)
        came = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(OrderReceipt.quantity), 0)).where(
                OrderReceipt.line_id == line.id, OrderReceipt.undone_at.is_(None)
            )
        )
        moved = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(Movement.change), 0)).where(
                Movement.reference_id == row.number, Movement.product_id == line.product_id
            )
        )
        assert line.received == came == moved
        assert line.given_up == 0 or line.received + line.given_up <= line.quantity
    some, left = any(line.received for line in lines), any(order_state.open_of(line) for line in lines)
    fits = {
        "draft": not some, "sent": not some and left, "partly_received": some and left,
        "received": some and not left, "cancelled": not some,
    }  # fmt: skip
    assert fits[row.state], row.state
    assert (row.received_on is not None) == (row.state == "received")
    levels = sa.select(sa.func.coalesce(sa.func.sum(StockLevel.quantity), 0))
    ledger = sa.select(sa.func.coalesce(sa.func.sum(Movement.change), 0))
    ids = [product.id for product in products]
    assert session.scalar(levels.where(StockLevel.product_id.in_(ids))) == session.scalar(
        ledger.where(Movement.product_id.in_(ids))
    )
    rows, totals = order_lists.listing(session, TODAY + timedelta(days=365), text=row.number)
    assert (totals.orders, rows[0]["open_lines"]) == (
        1, sum(bool(order_state.open_of(line)) for line in lines) if is_awaited else 0
    )  # fmt: skip
    assert totals.open_value == (Decimal(sum(map(order_state.open_of, lines))) if is_awaited else 0)
