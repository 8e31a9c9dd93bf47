"""What is true when everybody presses the button at once, and when the machine dies under them."""

import itertools
import json
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import adjustments, api_keys, catalogue, corrections, demand_events, model_runs, predictions, stock
from core.adjustments import Outcome, Wanted
from core.buying import order_lines, order_receipts, orders
from core.errors import (
    AlreadyReturned,
    AlreadyReversed,
    InsufficientStock,
    NotFound,
    RuleBroken,
    RunoutError,
)
from core.forecast.training import Draft
from core.scanning import scans
from db import queries, server
from db import session as doors
from db.models import Forecast, Movement, Posting, Product, RunOut, Scan, StockDay, Warehouse
from tests.chaos.ground import Ground, NotOurs
from tests.makers import a_key, a_product, a_vendor, a_warehouse, an_actor

ROOT = Path(__file__).resolve().parents[1]
THREADS = 16


@pytest.fixture
def shop(clone: str) -> "Shop":  # noqa: ARG001
    return Shop()


class Shop:
    """An actor, two warehouses and as many products as a test asks for, committed."""

    def __init__(self) -> None:
        with doors.transaction() as session:
            self.actor = an_actor(session)
            self.here, self.there = (a_warehouse(session).id for _ in range(2))

    def product(self, pieces: int = 0) -> int:
        with doors.transaction() as session:
            product = a_product(session)
            if pieces:
                stock.add(session, self.actor, product.id, self.here, pieces, reason_code="opening")
            return product.id

    def remove(self, session: Session, product_id: int, quantity: int = 1, **about):
        return stock.remove(session, self.actor, product_id, self.here, quantity, **about)

    def transfer(self, session: Session, product_id: int, quantity: int = 1, *, back: bool = False, **about):
        places = (self.there, self.here) if back else (self.here, self.there)
        return stock.transfer(session, self.actor, product_id, *places, quantity, **about)


def all_at_once(number: int, work: Callable[[Session, int], Any]) -> list[Any]:
    """`work(session, n)` in that many transactions that begin together; refusals are results too."""
    gate = threading.Barrier(number)

    def one(place: int) -> Any:
        gate.wait()
        try:
            with doors.transaction() as session:
                return work(session, place)
        except RunoutError as refusal:
            return refusal

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))


def assert_sound() -> None:
    """Every rule of the ledger that `db/queries/ledger_faults.sql` knows."""
    with doors.reading() as session:
        (found,) = queries.rows(session, "ledger_faults")
    assert not any(found.values()), found


def test_of_the_last_pieces_exactly_as_many_are_sold_as_there_are(shop):
    product = shop.product(5)
    answers = all_at_once(THREADS, lambda session, _: shop.remove(session, product))
    refused = [answer for answer in answers if isinstance(answer, InsufficientStock)]
    assert len(refused) == THREADS - 5
    assert all("1 asked for, 0 on hand" in refusal.sentence for refusal in refused)
    with doors.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Posting)) == 1 + 5
    assert_sound()


def test_the_first_pieces_of_a_product_arrive_in_many_hands_and_none_is_lost(shop):
    product = shop.product()
    all_at_once(THREADS, lambda session, _: stock.add(session, shop.actor, product, shop.here, 1))
    with doors.reading() as session:
        changes = session.execute(sa.select(Movement.stock_after).order_by(Movement.id)).scalars().all()
    assert changes == list(range(1, THREADS + 1))
    assert_sound()


@pytest.mark.parametrize("verb", ["remove", "transfer"])
def test_eight_copies_of_one_request_are_booked_once_and_answered_alike(shop, verb):
    product = shop.product(20)
    answers = all_at_once(8, lambda session, _: getattr(shop, verb)(session, product, 2, key="one click"))
    assert len({(answer.posting_id, answer.lines) for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
    with doors.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Posting.key == "one click")) == 1
    assert_sound()


def test_batches_of_several_processes_and_transfers_wait_for_one_another_but_never_in_a_circle(shop):
    """All want the same levels, and batches the same keys, each in an order of its own."""
    products = [shop.product(200) for _ in range(4)]
    with doors.transaction() as session:
        shelves = [session.get_one(Product, product).uid for product in products]
        places = [session.get_one(Warehouse, place).uid for place in (shop.here, shop.there)]
        caller = api_keys.read(a_key(session, rights=["move stock"])[1])
        for product in products:
            shop.transfer(session, product, 50)
    wanted = [
        Wanted(caller, shelf, place, Decimal(1 + n), "Found", None, f"{shelf} {place} {n}")
        for shelf, place, n in itertools.product(shelves, places, (0, 1))
    ]

    def work(session: Session, number: int) -> list[Outcome]:
        if number % 2:
            shop.transfer(session, products[number // 2 % 4], back=number > THREADS / 2)
            return []
        try:
            some = random.Random(number).sample(wanted, 12)
            return adjustments.book_each(session, some, datetime.now(UTC))
        except DBAPIError as trouble:
            if trouble.orig.pgcode != "55P03":
                raise
            raise RuleBroken("It gave up waiting: they would be booked alone.") from trouble

    answers = all_at_once(THREADS, work)
    outcomes = [outcome for answer in answers if isinstance(answer, list) for outcome in answer]
    assert outcomes
    assert all(outcome.refusal is None for outcome in outcomes)
    with doors.reading() as session:
        booked = session.scalar(sa.select(sa.func.count()).where(Posting.kind == "adjust"))
    assert booked == len({outcome.movement["id"] for outcome in outcomes}), "each key once"
    assert_sound()


def test_one_sale_comes_back_once_however_many_returns_and_reversals_want_it(shop):
    product = shop.product(20)
    with doors.transaction() as session:
        sales = [shop.remove(session, product, 2, reason_code="sale").lines[0].movement_id for _ in range(2)]

    def answer(session: Session, place: int) -> None:
        if place % 4:
            stock.add(session, shop.actor, product, shop.here, 2, reason_code="return")
        else:
            stock.reverse(session, shop.actor, sales[place // 4 % 2])

    answers = all_at_once(THREADS, answer)
    kinds = AlreadyReturned | AlreadyReversed
    assert all(answer is None or isinstance(answer, kinds) for answer in answers)
    with doors.reading() as session:
        (day,) = session.execute(sa.select(StockDay.demand)).scalars()
    assert day == 0
    assert_sound()


def _run(session: Session, shop: Shop, product: int, today: date) -> tuple[int, list[dict]]:
    """A training of one product, up to the moment of publishing: its run and its run-outs."""
    run = model_runs.start(session, shop.actor, today - timedelta(days=1), {}, None)
    draft = Draft(str(product), "too_short", "3 of 30 days of history", 3, 3)
    for _ in range(2):  # a retry after an unheard COMMIT
        model_runs.keep(session, run, today - timedelta(days=1), [draft])
    return run, list(predictions.run_out_rows(session, [product], today, run))


def kept_run_out(session: Session) -> tuple:
    """On hand and forecast of the one product's run-out in the whole shop."""
    question = sa.select(RunOut.on_hand, RunOut.forecast_id).where(RunOut.warehouse_id.is_(None))
    return tuple(session.execute(question).one())


def test_a_booking_neither_waits_for_a_training_that_publishes_nor_trips_over_it(shop):
    product, today = shop.product(5), datetime.now(UTC).date()
    with doors.transaction() as session:
        model_runs.publish(session, *_run(session, shop, product, today), {})
    with doors.transaction() as publishing:
        run, rows = _run(publishing, shop, product, today)
        model_runs.publish(publishing, run, rows, {})
        with doors.transaction() as session:
            shop.remove(session, product, 2)
            assert not predictions.refresh(session, [product], today)
    with doors.transaction() as session:
        model_runs.publish(session, run, rows, {})  # again, its COMMIT was not heard: no effect
        assert kept_run_out(session)[0] == 5
        assert predictions.refresh_stale(session, today) == 1
        of_run = session.scalar(sa.select(Forecast.id).where(Forecast.model_run_id == run))
        assert kept_run_out(session) == (3, of_run)


def test_a_training_waits_for_the_bookings_that_compute_a_run_out(shop):
    product, today = shop.product(5), datetime.now(UTC).date()
    with doors.transaction() as session:
        model_runs.publish(session, *_run(session, shop, product, today), {})
    with ThreadPoolExecutor(1) as thread:
        with doors.transaction() as session:
            shop.remove(session, product, 2)
            assert predictions.refresh(session, [product], today)
            published = thread.submit(_train_one, shop, product, today)
        published.result()
    with doors.reading() as session:
        assert kept_run_out(session)[1] == session.scalar(sa.select(Forecast.id))


def _train_one(shop: Shop, product: int, today: date) -> None:
    with doors.transaction() as session:
        model_runs.publish(session, *_run(session, shop, product, today), {})


def test_opposite_transfers_wait_for_each_other_but_never_in_a_circle(shop):
    product = shop.product(50)
    with doors.transaction() as session:
        shop.transfer(session, product, 25)

    def to_and_fro(session: Session, place: int) -> None:
        # A deadlock would surface here: `transaction` does not try again.
        shop.transfer(session, product, back=bool(place % 2))

    for _ in range(10):
        all_at_once(THREADS, to_and_fro)
    assert_sound()


def test_batches_that_name_the_same_levels_in_opposite_order_do_not_deadlock(shop):
    products = [shop.product(100) for _ in range(20)]
    lines = pd.DataFrame(
        {
            "product_id": products,
            "warehouse_id": shop.here,
            "type": "out",
            "reason_code": "sale",
            "change": -1,
        }
    )

    def batch(session: Session, place: int) -> dict:
        mine = lines if place % 2 else lines[::-1].reset_index(drop=True)
        return stock.post_lines(session, shop.actor, "import", mine, f"batch {place}", b"x")

    answers = all_at_once(THREADS, batch)
    assert all(answer["lines_booked"] == len(products) for answer in answers)
    assert_sound()


@pytest.mark.parametrize("verb", ["remove", "transfer"])
def test_two_reversals_of_one_movement_at_once_are_one_reversal(shop, verb):
    product = shop.product(5)
    with doors.transaction() as session:
        movement_id = getattr(shop, verb)(session, product, 2).lines[0].movement_id
    answers = all_at_once(2, lambda session, _: stock.reverse(session, shop.actor, movement_id))
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 1
    with doors.reading() as session:
        where = Movement.reverses_id == movement_id
        assert session.scalar(sa.select(sa.func.count()).where(where)) == 1
    assert_sound()


def test_a_count_while_others_sell_counts_no_sale_away(shop):
    product = shop.product(100)

    def sell_or_count(session: Session, place: int):
        if place % 4:
            return shop.remove(session, product)
        return stock.set_to(session, shop.actor, product, shop.here, 60)

    for _ in range(3):
        all_at_once(THREADS, sell_or_count)
    with doors.reading() as session:
        counts = session.scalars(sa.select(Movement.stock_after).where(Movement.reason_code == "count")).all()
        sold = session.scalar(sa.select(sa.func.count()).where(Movement.reason_code == "issue"))
    assert counts
    assert set(counts) == {60}
    assert sold == 3 * THREADS * 3 / 4
    assert_sound()


def test_stock_that_arrives_while_a_transfer_waits_is_locked_before_it_is_judged(shop):
    """The other warehouse has no level yet when the transfer takes its locks, and one when it looks."""
    product = shop.product(10)
    first, second, third = (doors.new_engine(str(_url())) for _ in range(3))
    with Session(first) as holder, Session(third) as seller:
        # A count without a difference holds the lock and books nothing.
        stock.set_to(holder, shop.actor, product, shop.here, 10)
        with ThreadPoolExecutor(2) as threads:
            transfer = threads.submit(
                all_at_once, 1, lambda session, _: shop.transfer(session, product, 3, back=True)
            )
            _wait_until_waiting(first)
            arrival = threads.submit(_add_to, second, shop, product)
            time.sleep(0.3)
            if arrival.done():  # the transfer did not lock the level: a sale may now slip in between
                stock.remove(seller, shop.actor, product, shop.there, 1)
            holder.commit()
            time.sleep(0.3)
            seller.commit()
            transfer.result(), arrival.result()
    for engine in (first, second, third):
        engine.dispose()
    assert_sound()


def _url() -> sa.URL:
    with doors.reading() as session:
        url = session.get_bind().engine.url
    return url.render_as_string(hide_password=False)


def _add_to(engine: sa.Engine, shop: Shop, product: int) -> None:
    with Session(engine) as session, session.begin():
        stock.add(session, shop.actor, product, shop.there, 5)


def _wait_until_waiting(engine: sa.Engine) -> None:
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(100):
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.05)
    raise AssertionError("The transfer does not wait.")


def test_a_return_whose_answer_was_lost_finds_it_under_the_same_key(shop):
    product = shop.product(5)
    with doors.transaction() as session:
        shop.remove(session, product, 2, reason_code="sale")
    answers = []
    for _ in range(2):
        with doors.transaction() as session:
            answers.append(
                stock.add(session, shop.actor, product, shop.here, 2, reason_code="return", key="back")
            )
    assert [answer.replayed for answer in answers] == [False, True]
    assert answers[0].lines == answers[1].lines
    assert_sound()


# -- Purchase orders -----------------------------------------------------------------------------------------


def an_order(
    shop: Shop, quantity: int = 10, products: int = 1, *, send: bool = True
) -> tuple[Any, list[Any]]:
    """A purchase order that was sent and its lines: public ids."""
    now = datetime.now(UTC)
    ids = [shop.product() for _ in range(products)]
    with doors.transaction() as session:
        lines = [
            {"product_id": i, "warehouse_id": shop.here, "quantity": quantity, "unit_price": 1} for i in ids
        ]
        order = orders.draft(session, shop.actor, a_vendor(session).id, lines, now.date())
        if send:
            orders.send(session, shop.actor, order.uid, now)
        return order.uid, [line.uid for line in order_lines.of(session, order.id)]


def assert_order_sound() -> None:
    """Every line has received what its receipts and the movements with its order's number say, and what is
    open of it is on its way."""
    with doors.reading() as session:
        wrong = session.execute(
            sa.text(
                """
                SELECT o.number, o.state, l.quantity, l.received, l.given_up
                FROM purchase_order_line AS l JOIN purchase_order AS o ON o.id = l.order_id
                WHERE l.received <> (SELECT coalesce(sum(m.change), 0) FROM movement AS m
                                     WHERE m.reference_type = 'purchase order' AND m.reference_id = o.number
                                       AND m.product_id = l.product_id)
                   OR l.received <> (SELECT coalesce(sum(r.quantity), 0) FROM order_receipt AS r
                                     WHERE r.line_id = l.id AND r.undone_at IS NULL)
                   OR (SELECT coalesce(sum(e.quantity), 0) FROM expected_receipt AS e
                       WHERE e.order_line_id = l.id AND e.closed_at IS NULL)
                      <> CASE WHEN o.state IN ('sent', 'partly_received')
                              THEN greatest(l.quantity - l.received - l.given_up, 0) ELSE 0 END
                """
            )
        ).all()
    assert wrong == []
    assert_sound()


def test_numbers_of_orders_have_neither_gap_nor_double_also_when_some_are_rolled_back(shop):
    today = datetime.now(UTC).date()
    with doors.transaction() as session:
        vendor = a_vendor(session).id

    def draft(session: Session, place: int) -> str:
        order = orders.draft(session, shop.actor, vendor, [], today)
        if place % 3 == 0:
            raise RuleBroken("given up")
        return order.number

    answers = [all_at_once(THREADS, draft) for _ in range(3)]
    made = sorted(number for answer in answers for number in answer if isinstance(number, str))
    assert made == [f"PO-{today.year}-{n:04}" for n in range(1, len(made) + 1)]
    assert len(made) == 3 * sum(place % 3 > 0 for place in range(THREADS))


def test_two_people_who_receive_the_last_pieces_at_once_book_them_once(shop):
    order, (line,) = an_order(shop)
    answers = all_at_once(
        8,
        lambda session, place: order_receipts.receive(
            session, shop.actor, order, {line: 10}, key=f"{place}", now=datetime.now(UTC)
        ),
    )
    refused = [answer for answer in answers if isinstance(answer, RuleBroken)]
    assert len(refused) == 7
    assert all("was received" in refusal.sentence for refusal in refused)
    assert_order_sound()


def test_copies_of_one_delivery_are_booked_once_and_answered_alike(shop):
    order, lines = an_order(shop, products=3)
    answers = all_at_once(
        8,
        lambda session, _: order_receipts.receive(
            session, shop.actor, order, dict.fromkeys(lines, 4), key="one click", now=datetime.now(UTC)
        ),
    )
    assert len({(answer.posting_id, answer.lines) for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
    assert_order_sound()


def test_what_is_received_while_somebody_cancels_is_one_or_the_other(shop):
    for _ in range(6):
        order, (line,) = an_order(shop)

        def work(session: Session, place: int, order: Any = order, line: Any = line) -> Any:
            now = datetime.now(UTC)
            if place % 2:
                return orders.cancel(session, shop.actor, order, now)
            lines = {line: 3}
            return order_receipts.receive(session, shop.actor, order, lines, key=f"{order}{place}", now=now)

        all_at_once(4, work)
        assert_order_sound()


def test_orders_that_name_the_same_products_in_opposite_order_do_not_deadlock(shop):
    """Receiving, taking back, selling and sending at once: refusals are fine, circles not."""
    now = datetime.now(UTC)
    products = [shop.product(50) for _ in range(6)]
    with doors.transaction() as session:
        vendor = a_vendor(session).id
        made = []
        for turn in (1, -1, 1, -1):
            lines = [
                {"product_id": i, "warehouse_id": shop.here, "quantity": 9, "unit_price": 1}
                for i in products[::turn]
            ]
            made.append(orders.draft(session, shop.actor, vendor, lines, now.date()))
        uids = [order.uid for order in made]
    all_at_once(4, lambda session, place: orders.send(session, shop.actor, uids[place], now))

    def work(session: Session, place: int) -> None:
        order = uids[place % 4]
        if place < 8:
            order_receipts.receive(session, shop.actor, order, key=f"{place}", now=now)
        elif place < 12:
            shop.remove(session, products[place % 6], 2)
        else:
            newest = session.scalars(
                sa.select(Movement.id)
                .where(Movement.reference_type == "purchase order", Movement.reverses_id.is_(None))
                .order_by(Movement.id.desc())
                .limit(4)
            ).all()
            for movement_id in newest[place % 4 : place % 4 + 1]:
                if place % 2:
                    corrections.undo(session, shop.actor, movement_id, now=now)
                else:
                    posting = session.get_one(Movement, movement_id).posting_id
                    order_receipts.undo_booking(session, shop.actor, posting, now=now)

    for _ in range(3):
        all_at_once(THREADS, work)
        assert_order_sound()


def test_two_people_who_take_back_one_receipt_at_once_take_it_back_once(shop):
    order, (line,) = an_order(shop)
    now = datetime.now(UTC)
    with doors.transaction() as session:
        booked = order_receipts.receive(session, shop.actor, order, {line: 4}, key="k", now=now)
        other = an_actor(session)
    movement_id = booked.lines[0].movement_id
    answers = all_at_once(
        2,
        lambda session, place: order_receipts.undo(session, (shop.actor, other)[place], movement_id, now=now),
    )
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 1
    assert_order_sound()


def test_a_receipt_whose_connection_dies_leaves_nothing_and_is_booked_by_its_retry(shop):
    order, lines = an_order(shop, products=2)
    now = datetime.now(UTC)

    def receive(session: Session) -> Any:
        return order_receipts.receive(session, shop.actor, order, dict.fromkeys(lines, 4), key="k", now=now)

    def die() -> None:
        with doors.transaction() as session:
            receive(session)
            me = session.scalar(sa.text("SELECT pg_backend_pid()"))
            with doors.reading() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:me)"), {"me": me})

    with pytest.raises(sa.exc.DBAPIError):
        die()
    assert_order_sound()
    with doors.transaction() as session:
        assert not receive(session).replayed
    with doors.transaction() as session:
        assert receive(session).replayed
    with doors.reading() as session:
        assert session.scalars(sa.text("SELECT DISTINCT received FROM purchase_order_line")).all() == [4]
    assert_order_sound()


def test_two_clicks_on_send_send_once(shop):
    order, _ = an_order(shop, send=False)
    answers = all_at_once(4, lambda session, _: orders.send(session, shop.actor, order, datetime.now(UTC)))
    assert sum(isinstance(answer, RuleBroken) for answer in answers) == 3
    assert_order_sound()


def test_an_order_that_is_sent_while_its_product_is_closed_goes_first_or_says_so(shop):
    for _ in range(5):
        order, _ = an_order(shop, send=False)
        with doors.reading() as session:
            product = session.scalar(sa.text("SELECT max(product_id) FROM purchase_order_line"))

        def work(session: Session, place: int, order: Any = order, product: int = product) -> Any:
            if place:
                return catalogue.deactivate(session, shop.actor, product)
            return orders.send(session, shop.actor, order, datetime.now(UTC))

        sent, _ = all_at_once(2, work)
        with doors.reading() as session:
            since = session.scalar(sa.text("SELECT state FROM purchase_order ORDER BY id DESC LIMIT 1"))
        assert (since == "draft") == isinstance(sent, RuleBroken)
        assert_order_sound()


# -- Scans ---------------------------------------------------------------------------------------------------


def a_scan(shop: Shop, product: int, mode: str = "out", **about: Any) -> scans.Request:
    """A scan of one product's code, with a key of its own."""
    code = f"P-{product}"
    with doors.transaction() as session:
        catalogue.add_barcode(session, shop.actor, product, code)
    about = {"key": uuid.uuid4(), "source": "wedge", "warehouse_id": shop.here} | about
    return scans.Request(mode=mode, code=code, **about)


def take(session: Session, shop: Shop, request: scans.Request) -> scans.Taken:
    return scans.take(session, shop.actor, request, now=datetime.now(UTC))


def test_one_scan_that_arrives_eight_times_at_once_is_booked_once(shop):
    for mode in ("in", "out", "transfer", "count"):
        request = a_scan(shop, shop.product(20), mode, quantity=2, to_warehouse_id=shop.there)
        answers = all_at_once(8, lambda session, _, request=request: take(session, shop, request))
        assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
        assert len({(answer.scan.uid, answer.before, answer.after, answer.said) for answer in answers}) == 1
    with doors.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Scan)) == 4
        assert session.scalar(sa.select(sa.func.count()).select_from(Posting)) == 4 + 4
    assert_sound()


def test_a_scan_that_is_received_eight_times_at_once_counts_once_on_the_order(shop):
    _, (line,) = an_order(shop)
    with doors.reading() as session:
        product = session.scalar(sa.text("SELECT max(product_id) FROM purchase_order_line"))
    request = a_scan(shop, product, "in", quantity=4, order_line_uid=line)
    answers = all_at_once(8, lambda session, _: take(session, shop, request))
    assert {(answer.replayed, answer.order_left) for answer in answers} == {(False, 6), (True, 6)}
    scan = answers[0].scan
    all_at_once(2, lambda session, _: scans.undo(session, shop.actor, scan.uid, now=datetime.now(UTC)))
    assert_order_sound()


def test_the_last_piece_is_scanned_out_by_one_of_two(shop):
    product = shop.product(1)
    requests = [a_scan(shop, product) for _ in range(2)]
    answers = all_at_once(2, lambda session, place: take(session, shop, requests[place]))
    assert sum(isinstance(answer, InsufficientStock) for answer in answers) == 1
    with doors.reading() as session:
        assert session.scalars(sa.select(Scan.outcome)).all() == ["booked"]
    assert_sound()


def test_a_scan_taken_back_four_times_at_once_is_taken_back_once(shop):
    request = a_scan(shop, shop.product(20), "transfer", quantity=2, to_warehouse_id=shop.there)
    with doors.transaction() as session:
        scan, other = take(session, shop, request).scan, an_actor(session)
    answers = all_at_once(
        4,
        lambda session, place: scans.undo(
            session, (shop.actor, other)[place % 2], scan.uid, now=datetime.now(UTC)
        ),
    )
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 3
    assert {(answer.before, answer.after) for answer in answers} == {(18, 20)}
    with doors.reading() as session:
        reversals = sa.select(sa.func.count()).where(Movement.reverses_id.is_not(None))
        assert session.scalar(reversals) == 2
    assert_sound()


def test_a_scan_whose_connection_dies_leaves_nothing_and_is_booked_by_its_retry(shop):
    request = a_scan(shop, shop.product(20))

    def die() -> None:
        with doors.transaction() as session:
            take(session, shop, request)
            me = session.scalar(sa.text("SELECT pg_backend_pid()"))
            with doors.reading() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:me)"), {"me": me})

    with pytest.raises(sa.exc.DBAPIError):
        die()
    with doors.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Scan)) == 0
    answers = []
    for _ in range(2):
        with doors.transaction() as session:
            answers.append(take(session, shop, request))
    assert [answer.replayed for answer in answers] == [False, True]
    assert {answer.after for answer in answers} == {19}
    assert_sound()


def test_a_product_that_is_erased_while_it_is_scanned_is_refused_with_a_sentence(shop):
    product = shop.product()
    request = a_scan(shop, product, "look_up")
    other = doors.new_engine(_url())
    with doors.transaction() as session:
        admin = an_actor(session, "admin")
    with Session(other) as eraser, ThreadPoolExecutor(1) as thread:
        assert catalogue.delete(eraser, admin, product) == "erased"
        waiting = thread.submit(all_at_once, 1, lambda session, _: take(session, shop, request))
        _wait_until_waiting(other)
        eraser.commit()
        (answer,) = waiting.result()
    other.dispose()
    assert isinstance(answer, NotFound)
    assert "deleted at this moment" in answer.sentence


def test_scans_and_undoing_of_the_same_products_at_once_never_end_in_a_circle(shop):
    products = [shop.product(30) for _ in range(2)]
    requests = [
        a_scan(shop, products[place % 2], mode, quantity=2, to_warehouse_id=shop.there)
        for place, mode in enumerate(["out", "transfer", "in", "count"] * 2)
    ]
    for _ in range(2):
        keys = [replace(request, key=uuid.uuid4()) for request in requests]
        answers = all_at_once(len(keys), lambda session, place, keys=keys: take(session, shop, keys[place]))
        booked = [answer.scan.uid for answer in answers if getattr(answer, "can_undo", False)]
        all_at_once(
            len(booked),
            lambda session, place, booked=booked: scans.undo(
                session, shop.actor, booked[place], now=datetime.now(UTC)
            ),
        )
        assert_sound()


# -- Faults: the short form of `make chaos` ------------------------------------------------------------------


def chaos(*arguments: str) -> dict:
    """One run of the harness in a process and on a server of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert result.stdout, result.stderr
    return json.loads(result.stdout) | {"exit": result.returncode}


def test_what_was_acknowledged_survives_kills_of_clients_and_of_postgresql():
    report = chaos("bank", "--acked", "1000", "--faster", "3", "--seconds", "100")
    assert report["verdict"] == "pass", report
    assert report["acked"] >= 1000
    assert all(report[kind] for kind in ("terminated", "client_kills", "backend_kills", "postmaster_kills"))


def test_the_harness_finds_a_ledger_that_reads_and_then_writes():
    report = chaos("mutants", "--only", "read, then write")
    assert report["verdict"] == "pass", report


def test_a_run_below_its_target_is_not_a_pass():
    report = chaos("bank", "--acked", "1000000", "--seconds", "1", "--no-faults")
    assert (report["verdict"], report["exit"]) == ("fail", 1)
    assert not any(report["violations"].values())


def test_the_harness_touches_no_server_but_its_own(make_database, tmp_path):
    """A decoy: our own folder's socket leads to somebody else's server."""
    home = server.home()
    (tmp_path / "socket").symlink_to(server.socket_folder(home))
    with make_database() as url:
        name = sa.make_url(url).database
        for ground in (Ground(tmp_path, name), Ground(home, name)):
            for blow in (ground.kill_postmaster, lambda g=ground: g.kill_backend(0),
                         lambda g=ground: g.terminate_backend(0)):  # fmt: skip
                with pytest.raises(NotOurs, match="nothing was touched"):
                    blow()
    assert server.is_running(home)


def test_the_same_event_told_twice_at_once_is_told_once(shop):
    today = datetime.now(UTC).date()
    answers = all_at_once(
        4, lambda session, _: demand_events.add(session, shop.actor, today, name="Fair", starts_on=today)
    )
    assert sum(isinstance(answer, RuleBroken) for answer in answers) == 3
