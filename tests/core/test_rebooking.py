"""Booked the wrong way round, of the wrong product, in the wrong place: what it becomes, and the way back."""

import pytest
import sqlalchemy as sa

from core import entries, rebooking, stock
from core.errors import (
    AlreadyReversed,
    BadInput,
    InsufficientStock,
    KeyReused,
    NotAllowed,
    NotFound,
    RuleBroken,
)
from db.models import AuditLine, Movement
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse


def first(booked) -> int:
    return booked.lines[0].movement_id


def now_of(session, movement_id: int) -> Movement:
    return session.get(Movement, rebooking.replacement_of(session, movement_id))


@pytest.mark.parametrize(
    ("reason", "change", "type_", "becomes"),
    [("sale", -3, "in", "return"), ("issue", -3, "in", "receipt"), ("receipt", 3, "out", "issue"),
     ("return", 3, "out", "sale"), ("count", -3, "adjust", "count"), ("loss", 3, "adjust", "loss")],
)  # fmt: skip
def test_what_was_booked_the_wrong_way_round_becomes_its_opposite(session, reason, change, type_, becomes):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 20)
    wrong = first(
        stock.adjust(session, actor, product.id, place.id, change, reason_code=reason, customer="B")
    )
    rebooking.rebook(session, actor, wrong, change=-change)
    assert on_hand(session, product) == 20 - change
    new = now_of(session, wrong)
    assert (new.type, new.reason_code, new.change, new.customer) == (type_, becomes, -change, "B")
    rebooking.put_back(session, actor, new.id)
    back = now_of(session, new.id)
    old = session.get(Movement, wrong)
    assert (back.type, back.reason_code, back.change) == (old.type, old.reason_code, old.change)
    assert on_hand(session, product) == 20 + change


def test_a_sale_that_was_a_return_is_not_the_return_of_itself(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 20)
    sale = first(stock.remove(session, actor, product.id, place.id, 5, reason_code="sale"))
    wrong = first(stock.remove(session, actor, product.id, place.id, 5, reason_code="sale"))
    rebooking.rebook(session, actor, wrong, change=5)
    assert now_of(session, wrong).returns_id == sale
    assert on_hand(session, product) == 20


def test_the_wrong_product_gets_its_stock_back_and_the_right_one_is_taken(session):
    actor, place = an_actor(session), the_warehouse(session)
    wrong, right = a_product(session, 10), a_product(session, 10)
    sold = first(stock.remove(session, actor, wrong.id, place.id, 4, reason_code="sale", unit_price="2.5",
                              reference_type="order", reference_id="S-1"))  # fmt: skip
    rebooking.rebook(session, actor, sold, product_id=right.id)
    assert (on_hand(session, wrong), on_hand(session, right)) == (10, 6)
    new = now_of(session, sold)
    old = session.get(Movement, sold)
    assert (new.unit_price, new.reference_id, new.occurred_at) == (old.unit_price, "S-1", old.occurred_at)
    line = session.scalar(sa.select(AuditLine).where(AuditLine.action == "corrected"))
    assert (line.before["product"], line.after["product"]) == (wrong.sku, right.sku)


def test_the_wrong_warehouse_of_an_entry_and_of_a_transfers_leg(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    elsewhere, product = a_warehouse(session), a_product(session, 20, warehouse=here)
    received = first(stock.add(session, actor, product.id, there.id, 5))
    rebooking.rebook(session, actor, received, warehouse_id=here.id)
    assert (on_hand(session, product, here), on_hand(session, product, there)) == (25, 0)
    moved = stock.transfer(session, actor, product.id, here.id, there.id, 6)
    out_leg, in_leg = (line.movement_id for line in moved.lines)
    rebooking.rebook(session, actor, in_leg, warehouse_id=elsewhere.id)
    levels = [on_hand(session, product, place) for place in (here, there, elsewhere)]
    assert levels == [19, 0, 6]
    new_out, new_in = now_of(session, out_leg), now_of(session, in_leg)
    assert (new_out.counterpart_id, new_in.counterpart_id) == (new_in.id, new_out.id)
    rebooking.put_back(session, actor, new_in.id)
    assert [on_hand(session, product, place) for place in (here, there, elsewhere)] == [19, 6, 0]
    with pytest.raises(RuleBroken, match="two legs in two warehouses"):
        rebooking.rebook(session, actor, now_of(session, new_in.id).id, warehouse_id=here.id)


def test_a_transfer_that_went_the_other_way_and_of_another_product(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product, other = a_product(session, 20, warehouse=here), a_product(session, 9, warehouse=there)
    stock.add(session, actor, product.id, there.id, 10)
    moved = stock.transfer(session, actor, product.id, here.id, there.id, 4)
    out_leg = first(moved)
    rebooking.rebook(session, actor, out_leg, change=4)
    assert (on_hand(session, product, here), on_hand(session, product, there)) == (24, 6)
    rebooking.rebook(session, actor, now_of(session, out_leg).id, product_id=other.id)
    assert (on_hand(session, other, here), on_hand(session, other, there)) == (4, 5)
    assert (on_hand(session, product, here), on_hand(session, product, there)) == (20, 10)


def test_too_little_of_the_right_product_is_refused_with_its_figures(session):
    actor, place = an_actor(session), the_warehouse(session)
    wrong, right = a_product(session, 10), a_product(session, 3, sku="RIGHT")
    sold = first(stock.remove(session, actor, wrong.id, place.id, 4))
    with pytest.raises(InsufficientStock, match=f"RIGHT: 4 less asked for, 3 on hand in {place.code}"):
        rebooking.rebook(session, actor, sold, product_id=right.id)
    assert (on_hand(session, wrong), on_hand(session, right)) == (6, 3)


def test_what_was_taken_back_is_booked_again_once(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 20, warehouse=here)
    leg = first(stock.transfer(session, actor, product.id, here.id, there.id, 4))
    with pytest.raises(RuleBroken, match=f"Movement {leg} stands"):
        rebooking.book_again(session, actor, leg)
    stock.reverse(session, actor, leg)
    booked = rebooking.book_again(session, actor, leg, key="k")
    assert rebooking.book_again(session, actor, leg, key="k").lines == booked.lines
    assert (on_hand(session, product, here), on_hand(session, product, there)) == (16, 4)
    with pytest.raises(AlreadyReversed, match="booked anew before"):
        rebooking.book_again(session, actor, leg, key="other")
    with pytest.raises(RuleBroken, match="itself a reversal"):
        rebooking.book_again(session, actor, entries.one(session, leg)["reversed_by_id"])


def test_a_retry_finds_the_same_answer_and_what_changes_nothing_is_refused(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 20)
    sold = first(stock.remove(session, actor, product.id, place.id, 4, unit_price=3))
    booked = rebooking.rebook(session, actor, sold, change="4.0", key="k")
    assert rebooking.rebook(session, actor, sold, change=4, key="k").lines == booked.lines
    with pytest.raises(KeyReused):
        rebooking.rebook(session, actor, sold, change=5, key="k")
    with pytest.raises(AlreadyReversed):
        rebooking.rebook(session, actor, sold, change=4)
    new = now_of(session, sold).id
    for nothing in ({}, {"change": 4}, {"unit_price": 3, "product_id": product.id}):
        with pytest.raises(BadInput, match="nothing would change"):
            rebooking.rebook(session, actor, new, **nothing)
    for wrong in ({"change": 0}, {"change": "NaN"}, {"unit_price": -1}):
        with pytest.raises(BadInput):
            rebooking.rebook(session, actor, new, **wrong)
    for unknown in ({"product_id": 10**9}, {"warehouse_id": -1}, {"product_id": 2**40}):
        with pytest.raises(NotFound):
            rebooking.rebook(session, actor, new, **unknown)
    with pytest.raises(RuleBroken, match="stands in the place of no other"):
        rebooking.put_back(session, actor, first(stock.remove(session, actor, product.id, place.id, 1)))


def test_only_managers_rebook(session):
    worker, place, product = an_actor(session, "user"), the_warehouse(session), a_product(session, 9)
    sold = first(stock.remove(session, worker, product.id, place.id, 4))
    for verb in (rebooking.put_back, rebooking.book_again):
        with pytest.raises(NotAllowed):
            verb(session, worker, sold)
    with pytest.raises(NotAllowed):
        rebooking.rebook(session, worker, sold, change=4)
