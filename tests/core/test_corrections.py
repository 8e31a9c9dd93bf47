"""A mistake in the ledger is answered, never overwritten."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import corrections, entries, ledger_check, movement_notes, rebooking, stock
from core.errors import (
    AlreadyReturned,
    AlreadyReversed,
    BadInput,
    InsufficientStock,
    KeyReused,
    NotAllowed,
    NotFound,
    RuleBroken,
)
from db import session as doors
from db.models import AuditLine, Movement, StockDay
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse
from tests.test_races import Shop, all_at_once, assert_sound

LAST_WEEK = datetime.now(UTC) - timedelta(days=7)


@pytest.fixture
def session(session):
    """Whatever a test did, the ledger is sound afterwards."""
    yield session
    assert ledger_check.faults(session) == {}


def booked_id(booked):
    return booked.lines[0].movement_id


def count(session, *where):
    return session.scalar(sa.select(sa.func.count()).select_from(Movement).where(*where))


def test_a_correction_is_a_reversal_and_a_new_entry_of_the_same_moment(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 50)
    about = {"reason": "till 2", "reference_type": "receipt", "reference_id": "R-7", "customer": "Ann",
             "unit_price": "4.50", "occurred_at": LAST_WEEK}  # fmt: skip
    sale = stock.remove(session, actor, product.id, place.id, 12, reason_code="sale", **about)
    booked = corrections.correct(session, actor, booked_id(sale), quantity=2)
    new = entries.one(session, rebooking.replacement_of(session, booked_id(sale)))
    old = entries.one(session, booked_id(sale))
    assert on_hand(session, product) == 48
    assert (new["change"], new["replaces_id"], new["occurred_at"]) == (-2, old["id"], LAST_WEEK)
    same = ("reason", "reference_type", "reference_id", "customer", "unit_price", "reason_code", "type")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    reversal = entries.one(session, old["reversed_by_id"])
    assert (reversal["change"], reversal["reverses_id"]) == (12, old["id"])
    assert old["replaced_by_id"] == new["id"]
    assert {line.movement_id for line in booked.lines} == {new["id"], reversal["id"]}


def test_the_demand_of_the_day_is_corrected_on_that_day(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 500)
    sale = stock.remove(session, actor, product.id, place.id, 120, reason_code="sale", occurred_at=LAST_WEEK)
    corrections.correct(session, actor, booked_id(sale), quantity=12)
    demand = dict(
        session.execute(
            sa.select(StockDay.day, StockDay.demand).where(StockDay.product_id == product.id)
        ).all()
    )
    assert demand[LAST_WEEK.date()] == 12
    assert sum(demand.values()) == 12


@pytest.mark.parametrize(("sold", "is_allowed"), [(0, True), (80, True), (90, True), (95, False)])
def test_a_receipt_is_corrected_while_the_difference_is_on_the_shelf(session, sold, is_allowed):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, sku=f"WDG-{sold}")
    receipt = stock.add(session, actor, product.id, place.id, 100)
    if sold:
        stock.remove(session, actor, product.id, place.id, sold)
    if is_allowed:
        corrections.correct(session, actor, booked_id(receipt), quantity=90)
        assert on_hand(session, product) == 90 - sold
    else:
        with pytest.raises(InsufficientStock, match=rf"WDG-95: 10 less asked for, 5 on hand in {place.code}"):
            corrections.correct(session, actor, booked_id(receipt), quantity=90)
        assert on_hand(session, product) == 5
        assert count(session, Movement.product_id == product.id) == 2


@pytest.mark.parametrize(("first", "then"), [(10, -4), (-4, 10), (-4, -9), (10, 3)])
def test_an_adjustment_may_change_its_sign(session, first, then):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 9)
    entry = stock.adjust(session, actor, product.id, place.id, first, reason_code="correction")
    corrections.correct(session, actor, booked_id(entry), quantity=then)
    assert on_hand(session, product) == 9 + then


def test_both_legs_of_a_transfer_are_corrected_whichever_is_named(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 20, warehouse=here)
    moved = stock.transfer(session, actor, product.id, here.id, there.id, 5)
    out_leg, in_leg = (line.movement_id for line in moved.lines)
    corrections.correct(session, actor, in_leg, quantity=18)
    assert (on_hand(session, product, here), on_hand(session, product, there)) == (2, 18)
    new_out, new_in = (entries.one(session, rebooking.replacement_of(session, i)) for i in (out_leg, in_leg))
    assert (new_out["change"], new_in["change"]) == (-18, 18)
    assert (new_out["counterpart_id"], new_in["counterpart_id"]) == (new_in["id"], new_out["id"])


def test_a_transfer_is_corrected_though_most_of_it_left_the_other_shelf(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 20, warehouse=here, sku="TRF")
    out_leg = booked_id(stock.transfer(session, actor, product.id, here.id, there.id, 20))
    stock.remove(session, actor, product.id, there.id, 15)
    corrections.correct(session, actor, out_leg, quantity=16)
    assert (on_hand(session, product, here), on_hand(session, product, there)) == (4, 1)
    again = rebooking.replacement_of(session, out_leg)
    with pytest.raises(InsufficientStock, match=rf"TRF: 2 less asked for, 1 on hand in {there.code}"):
        corrections.correct(session, actor, again, quantity=14)


def test_a_retry_with_the_key_finds_the_same_answer_and_another_request_does_not(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    receipt = booked_id(stock.add(session, actor, product.id, place.id, 100))
    first = corrections.correct(session, actor, receipt, quantity=90, notes="miscounted", key="k")
    movement_notes.annotate(session, actor, receipt, notes="later words do not matter")
    again = corrections.correct(session, actor, receipt, quantity="90.0", notes="miscounted", key="k")
    assert again.replayed
    assert again.lines == first.lines
    for other in ({"quantity": 91}, {"quantity": 90, "notes": "other"}, {"quantity": 90, "unit_price": 1}):
        with pytest.raises(KeyReused):
            corrections.correct(session, actor, receipt, **{"notes": "miscounted"} | other, key="k")
    audited = sa.select(sa.func.count()).where(AuditLine.action == "corrected")
    assert session.scalar(audited) == 1


def test_what_was_corrected_or_reversed_is_not_corrected_again(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    receipt = booked_id(stock.add(session, actor, product.id, place.id, 100))
    corrections.correct(session, actor, receipt, quantity=90)
    with pytest.raises(AlreadyReversed, match=f"Movement {receipt} was reversed before"):
        corrections.correct(session, actor, receipt, quantity=80)
    reversal = entries.one(session, receipt)["reversed_by_id"]
    with pytest.raises(RuleBroken, match="itself a reversal"):
        corrections.correct(session, actor, reversal, quantity=80)
    new = rebooking.replacement_of(session, receipt)
    corrections.correct(session, actor, new, quantity=80)
    assert on_hand(session, product) == 80


def test_a_return_stays_the_return_of_its_sale(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 10)
    sale = stock.remove(session, actor, product.id, place.id, 5, reason_code="sale")
    back = booked_id(stock.add(session, actor, product.id, place.id, 5, reason_code="return"))
    assert session.get(Movement, back).returns_id == booked_id(sale)
    with pytest.raises(AlreadyReturned, match="took out 5"):
        corrections.correct(session, actor, back, quantity=6)
    corrections.correct(session, actor, back, quantity=3)
    new = session.get(Movement, rebooking.replacement_of(session, back))
    assert (new.returns_id, new.change) == (booked_id(sale), 3)
    with pytest.raises(AlreadyReturned):
        corrections.correct(session, actor, booked_id(sale), quantity=4)


def test_a_return_that_left_again_is_refused_with_what_is_on_hand(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 5, sku="RET")
    stock.remove(session, actor, product.id, place.id, 5, reason_code="sale")
    back = booked_id(stock.add(session, actor, product.id, place.id, 5, reason_code="return"))
    stock.remove(session, actor, product.id, place.id, 4)
    with pytest.raises(InsufficientStock, match=rf"RET: .* asked for, 1 on hand in {place.code}"):
        corrections.correct(session, actor, back, quantity=3)


def test_amending_to_what_it_is_already_books_nothing(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    receipt = booked_id(stock.add(session, actor, product.id, place.id, 100, unit_price="2.5"))
    assert corrections.amend(session, actor, receipt, quantity=100, unit_price="2.50") == receipt
    assert corrections.amend(session, actor, receipt, notes="seen") == receipt
    new = corrections.amend(session, actor, receipt, unit_price=3)
    assert new != receipt
    assert entries.one(session, new)["unit_price"] == 3
    assert count(session, Movement.product_id == product.id) == 3


def test_figures_of_a_movement_that_counts_no_more_are_refused_even_when_it_had_them(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    receipt = booked_id(stock.add(session, actor, product.id, place.id, 30))
    new = corrections.amend(session, actor, receipt, quantity=40)
    for figures in ({"quantity": 30}, {"quantity": 40}, {"quantity": 30, "notes": "x"}):
        with pytest.raises(AlreadyReversed, match=f"Movement {receipt} was reversed before"):
            corrections.amend(session, actor, receipt, **figures)
    assert corrections.amend(session, actor, receipt, notes="counted twice") == receipt
    assert corrections.amend(session, actor, new, quantity=40) == new
    assert on_hand(session, product) == 40


def test_the_second_deletion_says_so_though_the_stock_is_gone_as_well(session):
    admin, here, there = an_actor(session, "admin"), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 10)
    leg = booked_id(stock.transfer(session, admin, product.id, here.id, there.id, 10))
    corrections.take_back(session, admin, leg)
    with pytest.raises(AlreadyReversed, match="was reversed before"):
        corrections.take_back(session, admin, leg)
    with pytest.raises(AlreadyReversed, match="was reversed before"):
        corrections.correct(session, admin, leg, quantity=4)


@pytest.mark.parametrize("quantity", [0, -3, "NaN", "1e12", "0.00001", "many"])
def test_an_impossible_quantity_is_refused(session, quantity):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    receipt = booked_id(stock.add(session, actor, product.id, place.id, 1))
    with pytest.raises(BadInput):
        corrections.correct(session, actor, receipt, quantity=quantity)
    with pytest.raises(BadInput):
        corrections.correct(session, actor, receipt, quantity=1, unit_price=-1)


def test_only_managers_correct_and_only_admins_delete(session):
    worker, manager, place = an_actor(session, "user"), an_actor(session), the_warehouse(session)
    receipt = booked_id(stock.add(session, worker, a_product(session).id, place.id, 1))
    with pytest.raises(NotAllowed):
        corrections.correct(session, worker, receipt, quantity=2)
    with pytest.raises(NotAllowed):
        movement_notes.annotate(session, worker, receipt, notes="mine")
    with pytest.raises(NotAllowed):
        corrections.take_back(session, manager, receipt)
    for unknown in (10**9, -1, 2**70):
        with pytest.raises(NotFound):
            corrections.correct(session, manager, unknown, quantity=2)


def test_deleting_reverses_once_and_the_entry_stays_readable(session):
    admin, place, product = an_actor(session, "admin"), the_warehouse(session), a_product(session)
    receipt = booked_id(stock.add(session, admin, product.id, place.id, 7))
    booked = corrections.take_back(session, admin, receipt, key="once")
    assert on_hand(session, product) == 0
    assert entries.one(session, receipt)["reversed_by_id"] == booked_id(booked)
    assert corrections.take_back(session, admin, receipt, key="once").replayed
    with pytest.raises(AlreadyReversed):
        corrections.take_back(session, admin, receipt)
    assert session.scalar(sa.select(sa.func.count()).where(AuditLine.action == "reversed")) == 1


def test_the_newest_words_are_shown_and_the_movement_stays_as_it_was_written(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 9, warehouse=here)
    moved = stock.transfer(session, actor, product.id, here.id, there.id, 2, reason="first")
    out_leg, in_leg = (line.movement_id for line in moved.lines)
    movement_notes.annotate(session, actor, out_leg, notes="second", reference_id="T-1")
    movement_notes.annotate(session, actor, out_leg, notes="third")
    for leg in (out_leg, in_leg):
        told = entries.one(session, leg)
        assert (told["notes"], told["reference_id"], told["reason"]) == ("third", "T-1", "first")
    listed = stock.history(session, product_id=product.id, text_like="third")
    assert set(listed.movement_id) == {out_leg, in_leg}
    assert set(listed.reason) == {"third"}
    assert stock.history(session, product_id=product.id, text_like="first").empty
    movement_notes.annotate(session, actor, out_leg, notes="")
    assert entries.one(session, out_leg)["notes"] is None
    assert entries.one(session, out_leg, as_written=True)["notes"] == "first"
    corrections.correct(session, actor, out_leg, quantity=3)
    new = entries.one(session, rebooking.replacement_of(session, out_leg))
    assert (new["notes"], new["reference_id"]) == (None, "T-1")


def test_words_that_are_shown_already_leave_no_trace_and_broken_ones_are_refused(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    receipt = booked_id(stock.add(session, actor, product.id, place.id, 7, reason="as it was"))
    movement_notes.annotate(session, actor, receipt, notes="as it was")
    assert session.scalar(sa.select(sa.func.count()).where(AuditLine.action == "annotated")) == 0
    for notes in ("a\0b", "\ud800", "x" * 2_001):
        with pytest.raises(BadInput):
            movement_notes.annotate(session, actor, receipt, notes=notes)


# -- At once -------------------------------------------------------------------------------------------------


def test_of_many_corrections_of_one_movement_one_is_booked(clone):  # noqa: ARG001
    shop = Shop()
    product = shop.product(100)
    with doors.transaction() as session:
        receipt = booked_id(stock.add(session, shop.actor, product, shop.here, 50))
    answers = all_at_once(
        8, lambda session, n: corrections.correct(session, shop.actor, receipt, quantity=40 + n)
    )
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 7
    with doors.transaction() as session:
        new = rebooking.replacement_of(session, receipt)
    copies = all_at_once(
        8, lambda session, _: corrections.correct(session, shop.actor, new, quantity=7, key="one click")
    )
    assert len({copy.lines for copy in copies}) == 1
    assert sorted(copy.replayed for copy in copies) == [False] + [True] * 7
    assert_sound()
