"""What a scan does: looked up, booked, counted, received, linked, refused, and taken back; each once."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import catalogue, corrections, people, stock, thresholds, warehouses
from core.buying import order_lines, order_looks, orders
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
from core.scanning import scans
from db import queries
from db.models import Barcode, Movement, Posting, Scan, StockLevel, Warehouse
from db.session import transaction
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, on_hand, the_warehouse

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
BOLT = "4006381333931"
BOX = "14006381333938"
UNKNOWN = "96385074"
GS1 = f"01{BOLT:0>14}17270331\x1d10L7\x1d21S1"


@pytest.fixture
def user(session):
    the_warehouse(session)
    return an_actor(session, "user")


@pytest.fixture(autouse=True)
def bolt(session, user):
    """Forty in the default warehouse; one code means a piece, another a box of 12."""
    product = a_product(session, 40, sku="BOLT", name="M6 bolt")
    catalogue.add_barcode(session, user, product.id, BOLT)
    catalogue.add_barcode(session, user, product.id, BOX, 12)
    return product


def scan(session, actor, code=BOLT, mode="out", *, key=None, now=NOW, **about):
    about = {"source": "camera"} | about
    request = scans.Request(key=key or uuid.uuid4(), mode=mode, code=code, **about)
    return scans.take(session, actor, request, now=now)


def refused(actor, refusal, match, **about):
    """The scan is refused, and leaves no trace."""
    with pytest.raises(refusal, match=match), transaction() as door:
        scan(door, actor, **about)


def rows(session):
    return session.scalars(sa.select(Scan).order_by(Scan.id).execution_options(populate_existing=True)).all()


def movements_of(session, taken):
    question = sa.select(Movement).where(Movement.posting_id == taken.scan.posting_id)
    return session.scalars(question.order_by(Movement.change)).all()


def an_order(session, product, quantity=10, place=None, expected_on=None):
    """A sent order and its line."""
    manager = an_actor(session)
    line = {
        "product_id": product.id, "warehouse_id": (place or the_warehouse(session)).id,
        "quantity": quantity, "unit_price": 2, "expected_on": expected_on,
    }  # fmt: skip
    order = orders.draft(session, manager, a_vendor(session).id, [line], NOW.date())
    orders.send(session, manager, order.uid, NOW)
    return order, order_lines.of(session, order.id)[0]


# -- What each mode does -------------------------------------------------------------------------------------


def test_looking_up_says_what_lies_there_and_books_nothing(session, user):
    taken = scan(session, user, mode="look_up", warehouse_id=the_warehouse(session).id)
    assert (taken.sku, taken.name, taken.unit) == ("BOLT", "M6 bolt", "each")
    assert (taken.change, taken.after, taken.booked, taken.can_undo) == (None, 40, False, False)
    assert taken.scan.outcome == "found"
    assert taken.said == f"BOLT M6 bolt: 40 in {taken.warehouse_code}."
    assert rows(session) == [taken.scan]


def test_looking_up_without_a_place_is_about_the_whole_shop(session, user, bolt):
    stock.add(session, user, bolt.id, a_warehouse(session).id, 5)
    taken = scan(session, user, mode="look_up")
    assert (taken.after, taken.on_hand, taken.warehouse_code) == (45, 45, None)
    assert taken.said == "BOLT M6 bolt: 45 in all warehouses."


def test_out_takes_away_what_the_code_stands_for(session, user, bolt):
    taken = scan(session, user, BOX)
    assert (taken.change, taken.before, taken.after) == (-12, 40, 28)
    assert (taken.scan.quantity, taken.scan.pack_factor, taken.reason_code) == (12, 12, "issue")
    assert taken.said == f"BOLT M6 bolt: 40 → 28 in {taken.warehouse_code}."
    assert on_hand(session, bolt) == 28


def test_the_quantity_of_the_keypad_counts_instead(session, user):
    assert scan(session, user, BOX, quantity="3.5").after == Decimal("36.5")


@pytest.mark.parametrize(
    ("mode", "reason", "change", "is_demand"),
    [
        ("out", "sale", -1, True),
        ("out", "damage", -1, False),
        ("in", None, 1, False),
        ("in", "return", 1, False),
    ],
)
def test_the_reason_decides_whether_it_is_demand(session, user, mode, reason, change, is_demand):
    taken = scan(session, user, mode=mode, reason_code=reason)
    (movement,) = movements_of(session, taken)
    assert (movement.change, movement.reason_code) == (change, reason or "receipt")
    assert (movement.demand_day is not None) == is_demand


@pytest.mark.parametrize(
    ("mode", "reason"), [("in", "sale"), ("out", "receipt"), ("out", "opening"), ("in", "x")]
)
def test_a_reason_that_does_not_go_with_the_mode_is_refused(session, user, mode, reason):
    refused(user, BadInput, f"'{reason}' does not go with a scan {mode}", mode=mode, reason_code=reason)
    assert rows(session) == []


def test_a_transfer_moves_both_legs_and_says_both(session, user, bolt):
    there = a_warehouse(session)
    taken = scan(session, user, mode="transfer", to_warehouse_id=there.id, quantity=15)
    assert (taken.change, taken.before, taken.after) == (-15, 40, 25)
    assert (taken.to_before, taken.to_after, taken.to_warehouse_code) == (0, 15, there.code)
    assert on_hand(session, bolt, there) == 15
    assert taken.said == f"BOLT M6 bolt: 40 → 25 in {taken.warehouse_code}, 0 → 15 in {there.code}."


def test_a_transfer_asks_how_many_and_where_to(session, user, bolt):
    there = a_warehouse(session)
    refused(user, BadInput, "BOLT: enter how many are moved", mode="transfer", to_warehouse_id=there.id)
    refused(user, BadInput, "BOLT: choose the warehouse it goes to", mode="transfer", quantity=1)
    here = the_warehouse(session).id
    refused(
        user, BadInput, "two different", mode="transfer", quantity=1, warehouse_id=here, to_warehouse_id=here
    )
    assert on_hand(session, bolt) == 40


def test_a_count_says_before_and_after(session, user):
    taken = scan(session, user, mode="count", quantity=38)
    assert (taken.change, taken.before, taken.after, taken.reason_code) == (-2, 40, 38, "count")


def test_a_count_that_equals_what_is_there_is_a_result_too(session, user, bolt):
    key = uuid.uuid4()
    taken = scan(session, user, mode="count", quantity=40, key=key)
    assert (taken.scan.outcome, taken.before, taken.after, taken.scan.quantity) == ("found", 40, 40, 40)
    assert taken.said == f"BOLT M6 bolt: 40 counted in {taken.warehouse_code}, as in the books."
    assert not taken.can_undo
    scan(session, user, quantity=5)
    again = scan(session, user, mode="count", quantity=40, key=key)
    assert (again.replayed, again.before, again.after, again.said) == (True, 40, 40, taken.said)
    assert on_hand(session, bolt) == 35
    refused(user, KeyReused, "another scan", mode="count", quantity=41, key=key)


def test_a_count_without_a_number_would_empty_the_shelf_and_is_refused(session, user):
    refused(user, BadInput, "BOLT: enter how many were counted", mode="count")
    refused(user, BadInput, "below zero", mode="count", quantity=-1)
    assert scan(session, user, mode="count", quantity=0).after == 0


def test_places_and_commands_are_answered_and_book_nothing(session, user):
    place = the_warehouse(session)
    answers = [scan(session, user, code, quantity=3) for code in (f"loc:{place.code}", "cmd:in")]
    assert [answer.scan.outcome for answer in answers] == ["found", "found"]
    assert answers[0].resolved.warehouse == place
    assert answers[0].scan.warehouse_id == place.id
    assert answers[1].resolved.command == "in"
    assert session.scalar(sa.select(sa.func.count()).where(Posting.kind != "add")) == 0
    again = scan(
        session, user, f"loc:{place.code}", key=answers[0].scan.key, warehouse_id=a_warehouse(session).id
    )
    assert again.replayed


def test_without_a_place_it_is_the_default_warehouse(session, user):
    taken = scan(session, user)
    assert taken.scan.warehouse_id == the_warehouse(session).id
    assert taken.warehouse_code == the_warehouse(session).code


def test_lot_serial_and_expiry_stand_in_the_row_and_in_the_ledger(session, user):
    taken = scan(session, user, GS1, mode="in", symbology="DataMatrix")
    kept = taken.scan
    assert (kept.lot, kept.serial, str(kept.expires_on), kept.symbology) == (
        "L7",
        "S1",
        "2027-03-31",
        "DataMatrix",
    )
    (movement,) = movements_of(session, taken)
    assert movement.reason == "Lot L7, serial S1, expires 2027-03-31"
    assert (movement.reference_type, movement.reference_id) == ("scan", BOLT)


def test_the_run_out_follows_at_once(session, user, bolt):
    scan(session, user, quantity=39)
    levels = session.execute(sa.text("SELECT on_hand FROM run_out WHERE product_id = :p"), {"p": bolt.id})
    assert {row.on_hand for row in levels} <= {Decimal(1)}


# -- Whether it is low ---------------------------------------------------------------------------------------


def test_the_threshold_of_the_warehouse_comes_before_that_of_the_shop(session, user, bolt):
    manager, place = an_actor(session), the_warehouse(session)
    catalogue.change(session, manager, bolt.id, NOW.date(), reorder_threshold=100)
    taken = scan(session, user)
    assert (taken.reorder_threshold, taken.threshold_of, taken.is_low) == (100, "shop", True)
    thresholds.change(session, manager, bolt.id, place.id, 30)
    taken = scan(session, user)
    assert (taken.reorder_threshold, taken.threshold_of, taken.is_low) == (30, "warehouse", False)
    assert scan(session, user, quantity=8).is_low


def test_the_shops_threshold_is_held_against_the_whole_shop(session, user, bolt):
    stock.add(session, user, bolt.id, a_warehouse(session).id, 50)
    catalogue.change(session, an_actor(session), bolt.id, NOW.date(), reorder_threshold=30)
    taken = scan(session, user, quantity=30)
    assert (taken.after, taken.on_hand, taken.is_low) == (10, 60, False)


# -- Unknown, ambiguous, linked ------------------------------------------------------------------------------


def test_an_unknown_code_is_an_answer_and_stays_open_until_it_is_linked(session, user, bolt):
    key = uuid.uuid4()
    taken = scan(session, user, UNKNOWN, key=key)
    assert (taken.scan.outcome, taken.sku, taken.booked) == ("unknown", None, False)
    assert UNKNOWN in taken.said
    assert scan(session, user, UNKNOWN, key=key).scan.outcome == "unknown"
    catalogue.add_barcode(session, user, bolt.id, UNKNOWN, 6)
    again = scan(session, user, UNKNOWN, key=key, quantity=2)
    assert (again.change, again.replayed) == (-2, False)
    (row,) = rows(session)
    assert (row.outcome, row.product_id, row.pack_factor, row.posting_id is None) == (
        "booked",
        bolt.id,
        6,
        False,
    )
    assert scan(session, user, UNKNOWN, key=key, quantity=2).replayed
    assert on_hand(session, bolt) == 38


def test_an_open_scan_is_still_of_its_code(session, user):
    taken = scan(session, user, UNKNOWN)
    refused(user, KeyReused, "another code", code=BOLT, key=taken.scan.key)


def test_what_an_ambiguous_code_means_can_be_chosen(session, user, bolt):
    other = a_product(session, 5, sku=BOLT, name="A number as SKU")
    key = uuid.uuid4()
    taken = scan(session, user, key=key)
    assert taken.scan.outcome == "ambiguous"
    assert {candidate.id for candidate in taken.resolved.candidates} == {bolt.id, other.id}
    refused(user, RuleBroken, "does not stand for", key=key, product_id=a_product(session).id)
    again = scan(session, user, key=key, product_id=other.id)
    assert (again.sku, again.after, again.scan.outcome) == (BOLT, 4, "booked")
    refused(user, KeyReused, "another scan", key=key, product_id=bolt.id)


def test_a_code_that_means_something_else_by_now_is_not_booked_for_what_was_seen(session, user, bolt):
    other = a_product(session, 5, sku="LAMP")
    catalogue.remove_barcode(session, an_actor(session), bolt.id, BOLT)
    catalogue.add_barcode(session, user, other.id, BOLT)
    refused(user, RuleBroken, f"{BOLT} means LAMP by now", product_id=bolt.id)
    assert scan(session, user, product_id=other.id).sku == "LAMP"


def test_a_code_is_linked_by_its_own_mode(session, user, bolt):
    assert scan(session, user, UNKNOWN, "link").scan.outcome == "unknown"
    taken = scan(session, user, UNKNOWN, "link", product_id=bolt.id, quantity=24)
    assert (taken.scan.outcome, taken.scan.pack_factor, taken.sku) == ("linked", 24, "BOLT")
    assert taken.said == f"BOLT M6 bolt: {UNKNOWN} means 24 of it now."
    assert session.scalar(sa.select(Barcode.pack_factor).where(Barcode.code == UNKNOWN)) == 24
    assert scan(session, user, UNKNOWN, "link", key=taken.scan.key, product_id=bolt.id, quantity=24).replayed
    refused(user, RuleBroken, "belongs to BOLT", code=UNKNOWN, mode="link", product_id=a_product(session).id)


def test_an_open_scan_can_be_ignored_and_a_booked_one_cannot(session, user):
    unknown, booked = scan(session, user, UNKNOWN), scan(session, user)
    for taken in (unknown, booked):
        scans.ignore(session, user, str(taken.scan.key))
    assert [row.outcome for row in rows(session)] == ["ignored", "booked"]
    assert scan(session, user, UNKNOWN, key=unknown.scan.key).scan.outcome == "ignored"


# -- Once ----------------------------------------------------------------------------------------------------


def test_the_same_key_answers_again_and_books_once(session, user, bolt):
    key = uuid.uuid4()
    first = scan(session, user, key=key, quantity=5)
    scan(session, user, quantity=1)
    again = scan(session, user, key=str(key).upper(), quantity="5.0")
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.change, again.before, again.after, again.said) == (-5, 40, 35, first.said)
    assert again.scan.uid == first.scan.uid
    assert on_hand(session, bolt) == 34


@pytest.mark.parametrize(
    "other",
    [
        {"mode": "in"},
        {"quantity": 6},
        {"code": BOX, "quantity": 5},
        {"reason_code": "sale"},
        {"elsewhere": True},
    ],
    ids=["mode", "quantity", "code", "reason", "place"],
)
def test_the_same_key_with_another_request_is_refused(session, user, bolt, other):
    key, there = uuid.uuid4(), a_warehouse(session)
    scan(session, user, key=key, quantity=5)
    if other.pop("elsewhere", False):
        other = {"warehouse_id": there.id}
    refused(user, KeyReused, "another scan", **({"key": key, "quantity": 5} | other))
    assert on_hand(session, bolt) == 35


def test_the_same_key_of_somebody_else_is_another_scan(session, user, bolt):
    key = uuid.uuid4()
    for actor in (user, an_actor(session, "user")):
        assert not scan(session, actor, key=key).replayed
    assert on_hand(session, bolt) == 38


def test_more_than_there_is_is_refused_with_the_figures_and_leaves_no_trace(session, user, bolt):
    refused(user, InsufficientStock, "BOLT: 41 asked for, 40 on hand", quantity=41)
    assert rows(session) == []
    assert on_hand(session, bolt) == 40


def test_what_was_refused_is_written_down_afterwards_and_answered_again(session, user, bolt):
    key = uuid.uuid4()
    request = scans.Request(key=key, mode="out", code=BOLT, source="wedge", quantity=41)
    for _ in range(2):
        scans.note_refused(session, user, request, "BOLT: 41 asked for, 40 on hand.")
    (row,) = rows(session)
    assert (row.outcome, row.product_id, row.quantity, row.said[:8]) == ("refused", bolt.id, 41, "BOLT: 41")
    assert row.scanned_at is not None
    taken = scan(session, user, key=key, quantity=41)
    assert (taken.scan.outcome, taken.replayed, taken.said) == ("refused", True, row.said)
    refused(user, KeyReused, "another scan", key=key, quantity=4)


def test_a_refusal_that_comes_late_changes_nothing_that_was_booked(session, user):
    taken = scan(session, user)
    request = scans.Request(key=taken.scan.key, mode="out", code=BOLT, source="wedge")
    scans.note_refused(session, user, request, "no")
    assert [row.outcome for row in rows(session)] == ["booked"]


@pytest.mark.parametrize(
    "code",
    ["4006381333930", "a\x00b", "x" * 9_000, "\ud800", "=cmd|' /C calc'!A0", "' OR 1=1--"],
    ids=["check digit", "NUL", "too long", "half a pair", "formula", "SQL"],
)
def test_what_cannot_be_read_books_nothing_and_can_be_written_down(session, user, bolt, code):
    request = scans.Request(
        key=uuid.uuid4(), mode="out", code=code, source="photo", quantity="1e400", warehouse_id=10**12
    )
    with pytest.raises(RunoutError), transaction() as door:
        scans.take(door, user, request, now=NOW)
    scans.note_refused(session, user, request, "It cannot be read.")
    (row,) = rows(session)
    assert (row.outcome, row.quantity, row.warehouse_id) == ("refused", None, None)
    assert len(row.code) <= 4_000
    assert on_hand(session, bolt) == 40


@pytest.mark.parametrize(
    "wrong", [{"mode": "eat"}, {"source": "dream"}, {"symbology": "x" * 50}, {"key": "k"}]
)
def test_words_that_are_none_of_ours_are_refused(user, wrong):
    refused(user, RunoutError, "is not|too many", **wrong)


def test_a_place_that_is_not_there_is_refused(user):
    refused(user, NotFound, "There is no warehouse 999", warehouse_id=999)
    refused(user, NotFound, "There is no warehouse 999", mode="transfer", quantity=1, to_warehouse_id=999)


# -- Who may -------------------------------------------------------------------------------------------------


def test_a_viewer_looks_up_and_moves_nothing(session, user, bolt):
    viewer = an_actor(session, "viewer")
    taken = scan(session, viewer, mode="look_up")
    assert taken.scan.person_id == viewer.id
    for mode in ("in", "out", "transfer", "count", "link"):
        refused(viewer, NotAllowed, "may not move stock", mode=mode, quantity=1, product_id=bolt.id)
    booked = scan(session, user)
    with pytest.raises(NotAllowed):
        scans.undo(session, viewer, booked.scan.uid, now=NOW)


def test_nobody_takes_back_anothers_scan_but_a_manager(session, user, bolt):
    taken = scan(session, user)
    with pytest.raises(NotAllowed, match="This was scanned by User"):
        scans.undo(session, an_actor(session, "user"), taken.scan.uid, now=NOW)
    scans.undo(session, an_actor(session, "manager"), taken.scan.uid, now=NOW)
    assert on_hand(session, bolt) == 40


# -- Purchase orders -----------------------------------------------------------------------------------------


def test_a_scan_receives_a_part_of_an_order_and_says_what_is_left(session, user, bolt):
    order, line = an_order(session, bolt)
    key = uuid.uuid4()
    taken = scan(session, user, GS1, mode="in", quantity=4, order_line_uid=line.uid, key=key)
    assert (taken.order_number, taken.order_left, taken.order_uid) == (order.number, 6, order.uid)
    assert taken.said.endswith(f"; 6 of {order.number} still to come.")
    (movement,) = movements_of(session, taken)
    assert (movement.reference_type, movement.reference_id) == ("purchase order", order.number)
    assert movement.reason == "Lot L7, serial S1, expires 2027-03-31"
    again = scan(session, user, GS1, mode="in", quantity=4, order_line_uid=line.uid, key=key)
    assert (again.replayed, again.order_left) == (True, 6)
    (left,) = order_looks.open_lines(session, bolt.id, the_warehouse(session).id)
    assert (left.number, left.open, left.received, left.line_uid) == (order.number, 6, 4, line.uid)


def test_taking_back_a_received_scan_opens_the_order_again(session, user, bolt):
    _, line = an_order(session, bolt)
    taken = scan(session, user, mode="in", quantity=10, order_line_uid=line.uid)
    assert order_looks.open_lines(session, bolt.id) == ()
    back = scans.undo(session, user, taken.scan.uid, now=NOW)
    assert (back.change, back.after, back.order_left) == (-10, 40, 10)
    (open_line,) = order_looks.open_lines(session, bolt.id)
    assert open_line.open == 10


def test_a_line_of_another_product_or_place_is_refused_by_name(session, user, bolt):
    there = a_warehouse(session)
    order, line = an_order(session, a_product(session))
    _, elsewhere = an_order(session, bolt, place=there)
    refused(user, RuleBroken, f"not on that line of {order.number}", mode="in", order_line_uid=line.uid)
    refused(user, RuleBroken, f"ordered for {there.code}", mode="in", order_line_uid=elsewhere.uid)
    refused(user, NotFound, "no such line", mode="in", order_line_uid=uuid.uuid4())
    scan(session, user, mode="in", order_line_uid=elsewhere.uid, warehouse_id=there.id, quantity=10)
    refused(user, RuleBroken, "was received", mode="in", order_line_uid=elsewhere.uid, warehouse_id=there.id)


def test_open_lines_are_told_oldest_promise_first(session, bolt):
    later, _ = an_order(session, bolt, expected_on=date(2026, 12, 24))
    sooner, _ = an_order(session, bolt, expected_on=date(2026, 12, 1))
    elsewhere, _ = an_order(session, bolt, place=a_warehouse(session), expected_on=date(2026, 12, 2))
    orders.draft(session, an_actor(session), a_vendor(session).id, [], NOW.date())
    here = order_looks.open_lines(session, bolt.id, the_warehouse(session).id)
    assert [line.number for line in here] == [sooner.number, later.number]
    everywhere = order_looks.open_lines(session, bolt.id)
    assert [line.number for line in everywhere] == [sooner.number, elsewhere.number, later.number]


# -- Taking back ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["in", "out", "transfer", "count"])
def test_what_was_booked_is_taken_back_once(session, user, bolt, mode):
    there = a_warehouse(session)
    taken = scan(session, user, mode=mode, quantity=7, to_warehouse_id=there.id)
    answers = [scans.undo(session, user, taken.scan.uid, now=NOW) for _ in range(2)]
    assert [answer.replayed for answer in answers] == [False, True]
    assert all((answer.change, answer.after) == (-taken.change, 40) for answer in answers)
    assert answers[1].said == answers[0].said
    assert answers[0].said.startswith("Taken back. BOLT M6 bolt: ")
    assert taken.scan.undone_at == NOW
    assert on_hand(session, bolt) == on_hand(session, bolt, the_warehouse(session)) == 40
    again = scan(session, user, mode=mode, quantity=7, to_warehouse_id=there.id, key=taken.scan.key)
    assert (again.replayed, again.can_undo, again.after) == (True, False, taken.after)
    assert on_hand(session, bolt) == 40


def test_what_left_the_shelf_meanwhile_cannot_be_taken_back(session, user):
    taken = scan(session, user, mode="in", quantity=10)
    scan(session, user, quantity=45)
    with pytest.raises(InsufficientStock, match="BOLT: 10 asked for, 5 on hand"), transaction() as door:
        scans.undo(door, user, taken.scan.uid, now=NOW)
    assert [row.undone_at for row in rows(session)] == [None, None]


def test_what_was_reversed_in_the_ledger_is_not_taken_back_by_the_scan_too(session, user, bolt):
    taken = scan(session, user)
    corrections.undo(session, an_actor(session), movements_of(session, taken)[0].id, now=NOW)
    assert not scan(session, user, key=taken.scan.key).can_undo
    with pytest.raises(AlreadyReversed, match="reversed before"), transaction() as door:
        scans.undo(door, user, taken.scan.uid, now=NOW)
    assert on_hand(session, bolt) == 40


def test_a_scan_that_booked_nothing_cannot_be_taken_back(session, user):
    for taken in (scan(session, user, mode="look_up"), scan(session, user, mode="count", quantity=40)):
        with pytest.raises(RuleBroken, match="booked nothing"):
            scans.undo(session, user, taken.scan.uid, now=NOW)
    for uid in (uuid.uuid4(), "x"):
        with pytest.raises(NotFound):
            scans.undo(session, user, uid, now=NOW)


def test_taken_back_and_booked_anew_with_another_number_is_one_step(session, user, bolt):
    """Make it 7: both halves find their first answer when the step comes again."""
    taken, key = scan(session, user), uuid.uuid4()
    for _ in range(2):
        with transaction() as door:
            scans.undo(door, user, taken.scan.uid, now=NOW)
            assert scan(door, user, quantity=7, key=key).after == 33
    assert on_hand(session, bolt) == 33


# -- What is deleted -----------------------------------------------------------------------------------------


def test_a_product_that_was_only_looked_up_can_be_erased_and_its_scans_stay_readable(session, user):
    product = a_product(session, sku="SLIP", name="Typing error")
    catalogue.add_barcode(session, user, product.id, UNKNOWN)
    scan(session, user, UNKNOWN, mode="look_up")
    assert catalogue.delete(session, an_actor(session, "admin"), product.id) == "erased"
    (row,) = rows(session)
    assert (row.product_id, row.code, row.said) == (None, UNKNOWN, "SLIP Typing error: 0 in all warehouses.")
    assert scan(session, user, UNKNOWN, mode="look_up", key=row.key).said == row.said


def test_a_product_that_was_booked_by_scan_is_deactivated(session, user, bolt):
    scan(session, user, quantity=40)
    assert catalogue.delete(session, an_actor(session, "admin"), bolt.id) == "deactivated"
    assert [row.product_id for row in rows(session)] == [bolt.id]


def test_a_warehouse_that_was_only_scanned_at_can_be_erased(session, user):
    there = a_warehouse(session)
    scan(session, user, mode="look_up", warehouse_id=there.id)
    scan(session, user, UNKNOWN, mode="transfer", to_warehouse_id=there.id)
    assert warehouses.delete(session, an_actor(session, "admin"), there.id) == "erased"
    assert [(row.warehouse_id, row.to_warehouse_id) for row in rows(session)] == [(None, None), (None, None)]


def test_a_person_who_scanned_is_deactivated_and_the_scans_stay(session, user):
    scan(session, user)
    people.deactivate(session, an_actor(session, "admin"), user.uid, NOW)
    assert [row.person_id for row in rows(session)] == [user.id]


def test_what_is_not_sold_any_more_does_not_come_in(session, user, bolt):
    catalogue.deactivate(session, an_actor(session), bolt.id)
    assert scan(session, user, mode="in").scan.outcome == "ambiguous"
    refused(user, RuleBroken, "deactivated", mode="in", product_id=bolt.id)
    assert scan(session, user, product_id=bolt.id).after == 39  # the shelf can be emptied


# -- Whatever happens ----------------------------------------------------------------------------------------

STEP = st.tuples(
    st.sampled_from(["in", "out", "transfer", "count", "look_up", "undo", "again"]),
    st.integers(0, 1),
    st.integers(1, 30),
    st.integers(0, 9),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=8))
def test_after_any_scans_the_levels_are_what_the_scans_tell(session, user, steps):
    with session.begin_nested() as world:
        product = a_product(session)
        catalogue.add_barcode(session, user, product.id, f"P{product.id}")
        places = [a_warehouse(session).id for _ in range(2)]
        done = []
        for what, place, quantity, earlier in steps:
            past = done[earlier % len(done)] if done else None
            with transaction_or_refusal(session):
                if what == "undo" and past:
                    scans.undo(session, user, past.uid, now=NOW)
                elif what == "again" and past:
                    repeat = {"code": past.code, "mode": past.mode, "key": past.key}
                    assert scan(session, user, **repeat).replayed
                elif what not in ("undo", "again"):
                    about = {"warehouse_id": places[place], "to_warehouse_id": places[1 - place]}
                    about |= {"code": f"P{product.id}", "mode": what, "quantity": quantity}
                    done.append(scan(session, user, **about).scan)
        assert told(session, product) == {place: on_hand_at(session, product, place) for place in places}
        assert not any(queries.rows(session, "ledger_faults")[0].values())
        world.rollback()


def transaction_or_refusal(session):
    """What is refused is undone alone, as a transaction of its own would be."""

    class Step:
        def __enter__(self):
            self.point = session.begin_nested()

        def __exit__(self, kind, error, trace):
            if error is None:
                self.point.commit()
                return False
            self.point.rollback()
            return isinstance(error, RunoutError)

    return Step()


def told(session, product):
    """What lies where by the scans that were booked and not taken back."""
    question = (
        sa.select(Scan, Movement)
        .join(Movement, Movement.posting_id == Scan.posting_id)
        .where(Scan.product_id == product.id, Scan.undone_at.is_(None))
    )
    sums = dict.fromkeys(
        session.scalars(sa.select(Warehouse.id).order_by(Warehouse.id.desc()).limit(2)), Decimal(0)
    )
    for row, movement in session.execute(question):
        assert row.outcome == "booked"
        assert row.mode == "count" or abs(movement.change) == row.quantity
        sums[movement.warehouse_id] += movement.change
    return sums


def on_hand_at(session, product, place_id):
    level = session.scalar(
        sa.select(StockLevel.quantity).where(
            StockLevel.product_id == product.id, StockLevel.warehouse_id == place_id
        )
    )
    return level or Decimal(0)
