"""Repairs: one press books them, another takes them back, and two people at once do it once."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import corrections, expected, posting, rebooking, stock
from core.doctor import finding_lists, findings, repairs
from core.errors import (
    AlreadyReversed,
    BadInput,
    InsufficientStock,
    KeyReused,
    NotAllowed,
    NotFound,
    RuleBroken,
)
from db import session as doors
from db.models import AuditLine, Finding, Movement, RunOut
from tests.core.advice_world import a_forecast
from tests.makers import a_finding, a_product, a_warehouse, an_actor, on_hand, the_warehouse
from tests.test_races import Shop, all_at_once, assert_sound

NOW = datetime.now(UTC)


def accept(session, actor, finding, key="k"):
    return repairs.accept(session, actor, finding.uid, key=key, now=NOW)


def undo(session, actor, finding, key="u"):
    return repairs.undo(session, actor, finding.uid, key=key, now=NOW)


def standing(session, finding) -> Movement:
    return session.get(Movement, rebooking.replacement_of(session, finding.movement_id))


def audited(session, action: str) -> int:
    return session.scalar(sa.select(sa.func.count()).where(AuditLine.action == action))


def test_twelve_times_too_much_is_booked_right_and_put_back(session):
    actor, product = an_actor(session), a_product(session, 5_000, sku="A-1042")
    finding = a_finding(session, product, -1200)
    first = finding.movement_id
    done = accept(session, actor, finding)
    assert on_hand(session, product) == 4_900
    assert (finding.state, finding.posting_id, finding.decided_by) == ("accepted", done.posting_id, actor.id)
    assert (done.movement_id, done.replaced_by_id) == (first, standing(session, finding).id)
    code = the_warehouse(session).code
    assert done.sentence == f"A-1042 in {code}: 3,800 → 4,900 on hand."
    assert not done.replayed
    again = accept(session, actor, finding)
    assert (again.replayed, again.lines, again.sentence) == (True, done.lines, done.sentence)
    back = undo(session, actor, finding)
    assert on_hand(session, product) == 3_800
    assert (finding.state, finding.posting_id, finding.decided_at) == ("open", None, None)
    assert session.get(Movement, finding.movement_id).change == -1200
    assert finding.movement_id == back.replaced_by_id != first
    assert undo(session, actor, finding).lines == back.lines
    accept(session, actor, finding, key="k2")
    assert on_hand(session, product) == 4_900
    assert (audited(session, "repaired"), audited(session, "undid the repair")) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "field", "told", "change", "after"),
    [("price_typo", "price", {"unit_price": "2.5"}, -10, 90),
     ("wrong_sign", "sign", {"quantity": "10"}, -10, 110),
     ("booked_twice", "whole", {}, -10, 100),
     ("digits_swapped", "quantity", {"quantity": "-1"}, -10, 99)],
)  # fmt: skip
def test_each_field_has_its_repair_and_its_way_back(session, kind, field, told, change, after):
    actor, product = an_actor(session), a_product(session, 100)
    finding = a_finding(session, product, change, kind=kind, field=field, repair=told, unit_price="25")
    accept(session, actor, finding)
    assert on_hand(session, product) == after
    if field == "price":
        assert standing(session, finding).unit_price == Decimal("2.5")
    undo(session, actor, finding)
    assert on_hand(session, product) == 100 + change
    now = session.get(Movement, finding.movement_id)
    assert (now.change, now.unit_price, now.type) == (change, 25, "out")
    accept(session, actor, finding, key="again")
    assert on_hand(session, product) == after


def test_the_right_product_and_the_right_place(session):
    actor, _, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product, other = a_product(session, 100), a_product(session, 100)
    wrong = a_finding(session, product, -10, kind="wrong_product", field="product",
                      repair={"product_id": str(other.id)})  # fmt: skip
    accept(session, actor, wrong)
    assert (on_hand(session, product), on_hand(session, other)) == (100, 90)
    undo(session, actor, wrong)
    assert (on_hand(session, product), on_hand(session, other)) == (90, 100)
    place = a_finding(session, product, 10, reason_code="receipt", kind="wrong_warehouse", field="warehouse",
                      repair={"warehouse_id": str(there.id)})  # fmt: skip
    accept(session, actor, place, key="p")
    assert on_hand(session, product, there) == 10
    undo(session, actor, place, key="pu")
    assert on_hand(session, product, there) == 0


def test_a_count_is_repaired_with_its_sign(session):
    actor, product = an_actor(session), a_product(session, 100)
    finding = a_finding(session, product, -60, reason_code="count", repair={"quantity": "-5"})
    accept(session, actor, finding)
    assert on_hand(session, product) == 95


def test_too_little_on_hand_is_refused_with_the_figures_and_leaves_no_trace(session):
    actor, product = an_actor(session), a_product(session, 0, sku="LOW")
    finding = a_finding(session, product, 1200, reason_code="receipt", repair={"quantity": "100"})
    stock.remove(session, actor, product.id, the_warehouse(session).id, 1_150)
    with (
        pytest.raises(InsufficientStock, match="LOW: 1100 less asked for, 50 on hand"),
        session.begin_nested(),
    ):
        accept(session, actor, finding)
    assert (finding.state, on_hand(session, product)) == ("open", 50)


def test_what_was_put_right_elsewhere_is_refused_and_shown_as_lapsed(session):
    actor, product = an_actor(session), a_product(session, 5_000)
    finding = a_finding(session, product)
    corrections.correct(session, actor, finding.movement_id, quantity=100)
    with pytest.raises(AlreadyReversed, match="reversed or corrected meanwhile: nothing is left to decide"):
        accept(session, actor, finding)
    with pytest.raises(AlreadyReversed, match="nothing is left"):
        findings.dismiss(session, actor, finding.uid, reason="real", now=NOW)
    assert finding_lists.one(session, finding.uid).state == "lapsed"
    assert finding_lists.listing(session)[1] == 0
    assert finding_lists.listing(session, states=("lapsed",))[1] == 1


def test_a_repair_that_was_corrected_since_is_not_undone(session):
    actor, product = an_actor(session), a_product(session, 5_000)
    finding = a_finding(session, product)
    accept(session, actor, finding)
    corrections.correct(session, actor, standing(session, finding).id, quantity=90)
    with pytest.raises(AlreadyReversed, match="was corrected since: correct it there"):
        undo(session, actor, finding)


def test_what_a_purchase_order_counts_is_repaired_there(session, monkeypatch):
    actor, product = an_actor(session), a_product(session)
    finding = a_finding(session, product, 1200, reason_code="receipt", repair={"quantity": "100"})

    def counted(*_):
        raise RuleBroken("Movement 1 received PO-1: undo it there.")

    monkeypatch.setattr(stock, "refuse_of_order", counted)
    with pytest.raises(RuleBroken, match="received PO-1"):
        accept(session, actor, finding)


def test_a_delivery_that_came_twice_is_on_its_way_again_and_received_there(session):
    actor, product = an_actor(session), a_product(session)
    receipt = expected.add(
        session, actor, product.id, the_warehouse(session).id, 40, NOW.date(), today=NOW.date()
    )
    booked = expected.receive(session, actor, receipt.uid, key="r", now=NOW)
    finding = a_finding(
        session, product, 1, reason_code="receipt", kind="booked_twice", field="whole", repair={}
    )
    finding.movement_id = booked.lines[0].movement_id
    session.flush()
    accept(session, actor, finding)
    assert (on_hand(session, product), receipt.closed_at) == (1, None)
    with pytest.raises(RuleBroken, match="awaited again: receive it there"):
        undo(session, actor, finding)


def test_without_a_known_repair_nothing_is_booked(session):
    actor, product = an_actor(session), a_product(session, 5_000)
    finding = a_finding(session, product, kind="unknown", field="none", repair={})
    with pytest.raises(RuleBroken, match="is known: correct it in the ledger, or dismiss it"):
        accept(session, actor, finding)
    with pytest.raises(RuleBroken, match="no repair of this to undo"):
        undo(session, actor, finding)


def test_what_was_decided_before_says_by_whom(session):
    first, second = an_actor(session), an_actor(session)
    product = a_product(session, 5_000)
    finding = a_finding(session, product)
    accept(session, first, finding)
    with pytest.raises(RuleBroken, match=f"repaired before by {first.name}"):
        accept(session, second, finding)
    with pytest.raises(RuleBroken, match=f"repaired before by {first.name}: undo the repair first"):
        findings.dismiss(session, second, finding.uid, reason="real", now=NOW)
    undo(session, second, finding)
    with pytest.raises(KeyReused):
        accept(session, first, finding)
    findings.dismiss(session, first, finding.uid, reason="real", now=NOW)
    with pytest.raises(RuleBroken, match=f"dismissed before by {first.name}: open it again"):
        accept(session, second, finding, key="other")


def test_only_managers_decide(session):
    worker, finding = an_actor(session, "user"), a_finding(session, a_product(session, 5_000))
    for verb in (accept, undo):
        with pytest.raises(NotAllowed):
            verb(session, worker, finding)
    with pytest.raises(NotAllowed):
        findings.dismiss(session, worker, finding.uid, reason="real", now=NOW)
    with pytest.raises(NotAllowed):
        findings.reopen(session, worker, finding.uid, now=NOW)
    actor = an_actor(session)
    for unknown in ("nobody", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFound):
            repairs.accept(session, actor, unknown, key="k", now=NOW)


def test_the_run_out_follows_a_repair(session):
    actor, product = an_actor(session), a_product(session, 5_000)
    a_forecast(session, product, as_of=NOW.date())
    accept(session, actor, a_finding(session, product))
    run_out = session.scalar(
        sa.select(RunOut.on_hand).where(RunOut.product_id == product.id, RunOut.warehouse_id.is_(None))
    )
    assert run_out == on_hand(session, product)


def test_of_many_who_repair_the_same_at_once_one_books_it(clone):  # noqa: ARG001
    shop = Shop()
    product = shop.product(5_000)
    with doors.transaction() as session:
        from db.models import Product

        finding = a_finding(session, session.get(Product, product))
        uid = finding.uid
    answers = all_at_once(
        6, lambda session, n: repairs.accept(session, shop.actor, uid, key=f"press {n}", now=NOW)
    )
    assert sum(isinstance(answer, RuleBroken) for answer in answers) == 5
    copies = all_at_once(4, lambda session, _: repairs.undo(session, shop.actor, uid, key="one", now=NOW))
    assert sorted(copy.replayed for copy in copies) == [False, True, True, True]
    assert_sound()
    with doors.reading() as session:
        assert session.scalar(sa.select(Finding.state)) == "open"


# -- Dismissing ----------------------------------------------------------------------------------------------


def test_a_dismissal_has_a_reason_and_can_be_taken_back(session):
    actor, finding = an_actor(session), a_finding(session, a_product(session, 5_000))
    for _ in range(2):
        findings.dismiss(session, actor, finding.uid, reason="real", note=" a hotel ", now=NOW)
    assert (finding.state, finding.dismissed_as, finding.note) == ("dismissed", "real", "a hotel")
    assert audited(session, "dismissed") == 1
    with pytest.raises(RuleBroken, match="dismissed before"):
        findings.dismiss(session, actor, finding.uid, reason="other", now=NOW)
    for _ in range(2):
        findings.reopen(session, actor, finding.uid, now=NOW)
    assert (finding.state, finding.dismissed_as, finding.decided_at) == ("open", None, None)
    assert audited(session, "reopened") == 1
    accept(session, actor, finding)
    with pytest.raises(RuleBroken, match="repaired before"):
        findings.reopen(session, actor, finding.uid, now=NOW)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"reason": "boring"}, "not a reason"), ({"reason": "real", "note": "x" * 501}, "too many"),
     ({"reason": "real", "note": "a\0"}, "cannot be kept")],
)  # fmt: skip
def test_a_broken_dismissal_is_refused(session, given, words):
    actor, finding = an_actor(session), a_finding(session, a_product(session, 5_000))
    with pytest.raises(BadInput, match=words):
        findings.dismiss(session, actor, finding.uid, now=NOW, **given)
    assert finding.state == "open"


def test_a_key_of_another_booking_is_no_repair(session):
    actor, product = an_actor(session), a_product(session, 5_000)
    finding = a_finding(session, product)
    stock.remove(session, actor, product.id, the_warehouse(session).id, 1, key="k")
    with pytest.raises(KeyReused):
        accept(session, actor, finding)
    assert posting.is_known(session, actor, "k")
