"""The ledger's rule book."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import posting, stock
from core.errors import (
    AlreadyReturned,
    AlreadyReversed,
    BadInput,
    BulkRefused,
    InsufficientStock,
    KeyReused,
    NotAllowed,
    NotFound,
    RuleBroken,
)
from db import server
from db.models import Movement, StockDay, StockLevel
from db.session import transaction
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse

CHECK = sa.text(
    """
    SELECT
      (SELECT count(*) FROM stock_level l WHERE l.quantity <> coalesce(
          (SELECT sum(m.change) FROM movement m
           WHERE m.product_id = l.product_id AND m.warehouse_id = l.warehouse_id), 0)) AS level_off,
      (SELECT count(*) FROM stock_level l WHERE l.quantity <> coalesce(
          (SELECT d.closing FROM stock_day d
           WHERE d.product_id = l.product_id AND d.warehouse_id = l.warehouse_id
           ORDER BY d.day DESC LIMIT 1), 0)) AS roll_up_off,
      (SELECT count(*) FROM (
          SELECT stock_before, lag(stock_after, 1, 0) OVER (
              PARTITION BY product_id, warehouse_id ORDER BY id) AS expected FROM movement) chain
       WHERE stock_before <> expected) AS chain_off
    """
)


def assert_consistent(session):
    """Level = sum of movements = last closing of the roll-up, and the chain of before/after has no gap."""
    assert tuple(session.execute(CHECK).one()) == (0, 0, 0)


def days(session, product):
    rows = session.scalars(
        sa.select(StockDay).where(StockDay.product_id == product.id).order_by(StockDay.day)
    ).all()
    return [(r.day, r.demand, r.receipts, r.other, r.closing) for r in rows]


def test_add_then_remove_tells_before_and_after(session):
    actor, place = an_actor(session, "user"), the_warehouse(session)
    product = a_product(session)
    assert stock.add(session, actor, product.id, place.id, 5).lines[0].after == 5
    booked = stock.remove(session, actor, product.id, place.id, "1.5", reason="broken")
    assert (booked.lines[0].before, booked.lines[0].after) == (5, Decimal("3.5"))
    assert_consistent(session)


def test_refuses_to_go_below_zero_with_the_figures_and_leaves_no_trace(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 5, sku="WDG-001")
    with pytest.raises(InsufficientStock, match=rf"WDG-001: 9 asked for, 5 on hand in {place.code}"):
        stock.remove(session, actor, product.id, place.id, 9)
    assert on_hand(session, product) == 5
    assert session.scalar(sa.select(sa.func.count()).where(Movement.product_id == product.id)) == 1


def test_a_product_without_a_level_has_zero_on_hand(session):
    actor, place = an_actor(session), the_warehouse(session)
    with pytest.raises(InsufficientStock, match="1 asked for, 0 on hand"):
        stock.remove(session, actor, a_product(session).id, place.id, 1)


def test_a_viewer_may_not_move_stock(session):
    product = a_product(session, 5)
    with pytest.raises(NotAllowed, match="viewer"):
        stock.remove(session, an_actor(session, "viewer"), product.id, the_warehouse(session).id, 1)


@pytest.mark.parametrize(
    "quantity", [0, -1, "abc", "1e400", "NaN", "Infinity", "1.00001", "123456789012", None, ""]
)
def test_refuses_quantities_that_cannot_be_meant(session, quantity):
    with pytest.raises(BadInput, match="Quantity"):
        stock.add(session, an_actor(session), a_product(session).id, the_warehouse(session).id, quantity)


def test_refuses_the_future_a_nul_and_unknown_ids_and_reasons(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(BadInput, match="future"):
        stock.add(session, actor, product.id, place.id, 1, occurred_at=tomorrow)
    with pytest.raises(BadInput, match="NUL"):
        stock.add(session, actor, product.id, place.id, 1, reason="a\x00b")
    with pytest.raises(NotFound, match="no product"):
        stock.add(session, actor, 10**6, place.id, 1)
    with pytest.raises(NotFound, match="no warehouse"):
        stock.add(session, actor, product.id, 10**6, 1)
    with pytest.raises(BadInput, match="'gift' is not a reason"):
        stock.add(session, actor, product.id, place.id, 1, reason_code="gift")


BROKEN = ["a\x00b", "a\ud800b", "x" * 10_000_000]
ODD_MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    datetime(1969, 12, 31, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-14))),
    datetime(2026, 1, 1),  # noqa: DTZ001 (that is the point)
]
ODD_NUMBERS = [
    "",
    "NaN",
    "sNaN",
    "-Infinity",
    "1e400",
    "1E+999999",
    "1e-999999",
    10**5000,
    float("nan"),
    "1,5",
]


def test_what_is_no_quantity_is_refused_in_one_short_sentence(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    for value in [*BROKEN, *ODD_NUMBERS]:
        for verb in (stock.add, stock.remove, stock.adjust, stock.set_to):
            with pytest.raises(BadInput) as refusal:
                verb(session, actor, product.id, place.id, value)
            assert len(refusal.value.sentence.encode()) < 250


def test_a_text_that_cannot_be_kept_is_refused(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    for name in ("reason", "reference_type", "reference_id", "customer", "reason_code", "key"):
        for value in BROKEN:
            with pytest.raises(BadInput) as refusal:
                stock.add(session, actor, product.id, place.id, 1, **{name: value})
            assert len(refusal.value.sentence.encode()) < 250


@pytest.mark.parametrize("moment", ODD_MOMENTS, ids=str)
def test_a_moment_that_cannot_be_meant_is_refused(session, moment):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    for reason_code in ("receipt", "return"):
        with pytest.raises(BadInput):
            stock.add(session, actor, product.id, place.id, 1, reason_code=reason_code, occurred_at=moment)


def test_an_id_that_no_row_has_is_not_found(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    for number in (-1, 0, 2**31, 2**63, 2**70, 10**5000):
        for book in (
            lambda: stock.add(session, actor, number, place.id, 1, reason_code="return"),  # noqa: B023
            lambda: stock.set_to(session, actor, product.id, number, 1),  # noqa: B023
            lambda: stock.transfer(session, actor, product.id, place.id, number, 1),  # noqa: B023
            lambda: stock.reverse(session, actor, number),  # noqa: B023
        ):
            with pytest.raises(NotFound):
                book()


def test_more_stock_than_there_are_digits_for_is_refused(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session)
    lines = pd.DataFrame(
        {"product_id": product.id, "warehouse_id": place.id, "type": "in", "reason_code": "receipt"}
        | {"change": [99_999_999_999] * 1000}
    )
    stock.post_lines(session, actor, "receipt", lines, "k", b"h")
    with pytest.raises(BadInput, match="larger than Runout can keep"):
        stock.add(session, actor, product.id, place.id, 99_999_999_999)


def test_looking_for_what_nothing_can_be_called_is_refused(session):
    for value in BROKEN:
        with pytest.raises(BadInput, match="Search"):
            stock.history(session, text_like=value)
        with pytest.raises(BadInput, match="Type"):
            stock.history(session, kind=value)
    for limit in (-1, 0, 10**12):
        with pytest.raises(BadInput, match="A page"):
            stock.history(session, limit=limit)
    for name in ("product_id", "warehouse_id", "person_id", "api_key_id", "before_id", "after_id"):
        with pytest.raises(NotFound):
            stock.history(session, **{name: 2**70})


def test_the_same_key_finds_the_first_answer_and_books_once(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 5)
    first = stock.remove(session, actor, product.id, place.id, 2, key="k1")
    again = stock.remove(session, actor, product.id, place.id, 2, key="k1")
    assert again.replayed
    assert again.lines == first.lines
    assert on_hand(session, product) == 3


def test_the_same_key_with_another_request_is_refused_and_another_person_may_use_it(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 5)
    stock.remove(session, actor, product.id, place.id, 2, key="k1")
    with pytest.raises(KeyReused):
        stock.remove(session, actor, product.id, place.id, 1, key="k1")
    stock.remove(session, an_actor(session), product.id, place.id, 1, key="k1")
    assert on_hand(session, product) == 2


def test_a_count_books_the_difference_and_nothing_when_there_is_none(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 5)
    booked = stock.set_to(session, actor, product.id, place.id, 3)
    assert (booked.lines[0].change, booked.lines[0].after) == (-2, 3)
    assert stock.set_to(session, actor, product.id, place.id, 3) is None
    assert days(session, product)[0][1] == 0  # a count is not demand


def test_a_count_that_found_no_difference_finds_none_on_a_retry_either(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 5)
    assert stock.set_to(session, actor, product.id, place.id, 5, key="k1") is None
    stock.remove(session, actor, product.id, place.id, 1)
    assert stock.set_to(session, actor, product.id, place.id, 5, key="k1") is None
    assert on_hand(session, product) == 4


def test_a_transfer_books_both_legs_or_neither_and_is_not_demand(session):
    actor = an_actor(session)
    here, there = the_warehouse(session), a_warehouse(session)
    product = a_product(session, 5)
    booked = stock.transfer(session, actor, product.id, here.id, there.id, 2)
    legs = {line.movement_id: line for line in booked.lines}
    rows = session.scalars(sa.select(Movement).where(Movement.id.in_(legs))).all()
    assert {row.counterpart_id for row in rows} == set(legs)
    with pytest.raises(InsufficientStock, match="4 asked for, 3 on hand"):
        stock.transfer(session, actor, product.id, here.id, there.id, 4)
    assert on_hand(session, product) == 5
    assert all(row[1] == 0 for row in days(session, product))
    with pytest.raises(BadInput, match="two different"):
        stock.transfer(session, actor, product.id, here.id, here.id, 1)


def test_a_reversal_corrects_the_day_it_names_and_happens_once(session):
    actor, place = an_actor(session), the_warehouse(session)
    long_ago = datetime.now(UTC) - timedelta(days=10)
    product = a_product(session, 20, stock_at=long_ago - timedelta(days=1))
    sale = stock.remove(session, actor, product.id, place.id, 4, occurred_at=long_ago, reason_code="sale")
    assert days(session, product)[1][1] == 4
    stock.reverse(session, actor, sale.lines[0].movement_id)
    assert days(session, product)[1][1:] == (0, 0, 0, 20)
    with pytest.raises(AlreadyReversed):
        stock.reverse(session, actor, sale.lines[0].movement_id)
    assert_consistent(session)


def test_reversing_one_leg_of_a_transfer_reverses_both(session):
    actor = an_actor(session)
    here, there = the_warehouse(session), a_warehouse(session)
    product = a_product(session, 5)
    booked = stock.transfer(session, actor, product.id, here.id, there.id, 2)
    stock.reverse(session, actor, booked.lines[1].movement_id)
    assert on_hand(session, product, here) == 5
    assert on_hand(session, product, there) == 0


def test_a_reversal_that_would_go_below_zero_is_refused(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session)
    receipt = stock.add(session, actor, product.id, place.id, 5)
    stock.remove(session, actor, product.id, place.id, 3)
    with pytest.raises(InsufficientStock, match="5 asked for, 2 on hand"):
        stock.reverse(session, actor, receipt.lines[0].movement_id)


def test_a_reversal_of_a_reversal_is_refused(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session)
    receipt = stock.add(session, actor, product.id, place.id, 5)
    undo = stock.reverse(session, actor, receipt.lines[0].movement_id)
    with pytest.raises(Exception, match="itself a reversal"):
        stock.reverse(session, actor, undo.lines[0].movement_id)


def test_a_return_equal_to_a_sale_within_14_days_lowers_the_demand_of_the_sales_day(session):
    actor, place = an_actor(session), the_warehouse(session)
    now = datetime.now(UTC)
    product = a_product(session, 20, stock_at=now - timedelta(days=30))
    for back, quantity in ((20, 3), (5, 3)):
        stock.remove(
            session, actor, product.id, place.id, quantity,
            reason_code="sale", customer="C1", occurred_at=now - timedelta(days=back),
        )  # fmt: skip
    stock.add(session, actor, product.id, place.id, 3, reason_code="return", customer="C1")
    by_day = {day: demand for day, demand, *_ in days(session, product)}
    assert by_day[(now - timedelta(days=5)).date()] == 0
    assert by_day[(now - timedelta(days=20)).date()] == 3
    # The sale is answered now: a second return only changes stock.
    stock.add(session, actor, product.id, place.id, 3, reason_code="return", customer="C1")
    assert sum(d[1] for d in days(session, product)) == 3
    assert_consistent(session)


def a_sale(session, quantity=3, **about):
    """Ten pieces, of which some were sold: (actor, place id, product, id of the sale)."""
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 10)
    sale = stock.remove(session, actor, product.id, place.id, quantity, reason_code="sale", **about)
    return actor, place.id, product, sale.lines[0].movement_id


def a_return(session, actor, place_id, product, sale_id, quantity):
    raw = posting.line(product.id, place_id, "in", "return", Decimal(quantity), {})
    return posting.post(session, actor, "add", [raw | {"returns_id": sale_id}], None)


def test_not_more_of_a_sale_comes_back_than_was_sold(session):
    actor, place, product, sale = a_sale(session)
    a_return(session, actor, place, product, sale, 2)
    with pytest.raises(AlreadyReturned, match="took out 3, of which 2 came back before"):
        a_return(session, actor, place, product, sale, 2)
    a_return(session, actor, place, product, sale, 1)
    assert days(session, product)[0][1] == 0


def test_a_returned_sale_is_not_reversed_unless_the_return_was_reversed_first(session):
    actor, place, product, sale = a_sale(session)
    back = stock.add(session, actor, product.id, place, 3, reason_code="return")
    with pytest.raises(AlreadyReturned, match="took out 3, of which 3 came back"):
        stock.reverse(session, actor, sale)
    stock.reverse(session, actor, back.lines[0].movement_id)
    stock.reverse(session, actor, sale)
    assert days(session, product)[0][1] == 0
    assert on_hand(session, product) == 10


def test_a_reversed_sale_does_not_come_back(session):
    actor, place, product, sale = a_sale(session)
    stock.reverse(session, actor, sale)
    with pytest.raises(AlreadyReversed, match=f"Movement {sale} was reversed before"):
        a_return(session, actor, place, product, sale, 3)


def test_a_return_that_was_reversed_leaves_the_sale_open_for_the_right_one(session):
    actor, place, product, sale = a_sale(session)
    wrong = stock.add(session, actor, product.id, place, 3, reason_code="return")
    stock.reverse(session, actor, wrong.lines[0].movement_id)
    right = stock.add(session, actor, product.id, place, 3, reason_code="return")
    assert session.get_one(Movement, right.lines[0].movement_id).returns_id == sale
    assert days(session, product)[0][1] == 0


def test_a_return_to_another_warehouse_changes_stock_only(session):
    actor, _, product, _ = a_sale(session)
    elsewhere = a_warehouse(session)
    stock.add(session, actor, product.id, elsewhere.id, 3, reason_code="return")
    assert sorted(day[1] for day in days(session, product)) == [0, 3]  # nowhere below zero


def test_only_a_sale_can_come_back(session):
    actor, place, product, sale = a_sale(session)
    back = a_return(session, actor, place, product, sale, 3).lines[0].movement_id
    undone = stock.reverse(session, actor, back).lines[0].movement_id
    for named in (back, undone):
        with pytest.raises(RuleBroken, match="not the opposite"):
            a_return(session, actor, place, product, named, 1)


def test_bulk_refuses_what_comes_back_twice(session):
    actor, place, product, sale = a_sale(session)
    back = {
        "product_id": product.id, "warehouse_id": place, "type": "in", "reason_code": "return", "change": 2,
    }  # fmt: skip
    lines = pd.DataFrame([back | {"returns_id": sale}] * 2)
    with pytest.raises(BulkRefused, match=f"Line 1: Movement {sale} took out 3, of which 2 came back"):
        stock.post_lines(session, actor, "import", lines, "k", b"h")
    stock.reverse(session, actor, sale)
    with pytest.raises(BulkRefused, match=f"Line 0: Movement {sale} was reversed before"):
        stock.post_lines(session, actor, "import", lines[:1], "k", b"h")


def test_a_back_dated_entry_moves_every_later_closing(session):
    actor, place = an_actor(session), the_warehouse(session)
    now = datetime.now(UTC)
    product = a_product(session, 10, stock_at=now - timedelta(days=9))
    stock.remove(session, actor, product.id, place.id, 2, occurred_at=now - timedelta(days=1))
    stock.remove(session, actor, product.id, place.id, 3, occurred_at=now - timedelta(days=5))
    assert [d[4] for d in days(session, product)] == [10, 7, 5]
    assert_consistent(session)


def test_the_business_day_is_the_warehouses(session):
    tokyo = a_warehouse(session, time_zone="Asia/Tokyo")
    late = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # 5 o'clock on 2 March in Tokyo
    product = a_product(session, 1, warehouse=tokyo, stock_at=late)
    assert str(days(session, product)[0][0]) == "2026-03-02"


def test_the_application_cannot_touch_the_ledger_except_through_the_functions(session):
    a_product(session, 5)
    user = session.execute(
        sa.text(
            "SELECT current_user, rolsuper, pg_has_role(current_user, 'runout_owner', 'MEMBER')"
            " FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    assert tuple(user) == ("runout_app", False, False)
    for statement in (
        "UPDATE movement SET change = 1",
        "DELETE FROM movement",
        "TRUNCATE movement",
        "DROP TABLE movement",
        "ALTER TABLE movement DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "UPDATE stock_level SET quantity = 1",
        "INSERT INTO stock_level (product_id, warehouse_id, quantity) VALUES (1, 1, 1)"
        " ON CONFLICT (product_id, warehouse_id) DO UPDATE SET quantity = 1",
        "UPDATE stock_day SET demand = 0",
        "DELETE FROM posting",
        "UPDATE audit_line SET action = ''",
        "SELECT * FROM posting_line",
        "SELECT roll_up(1, 1, current_date, 1, 1, 1)",
        "CREATE TABLE public.x (y int)",
        "CREATE TEMPORARY TABLE x (y int)",
    ):
        with pytest.raises(sa.exc.DBAPIError), session.begin_nested():
            session.execute(sa.text(statement))


def test_bulk_names_the_lines_it_refuses_and_books_nothing(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 5)
    lines = pd.DataFrame(
        {
            "product_id": product.id,
            "warehouse_id": place.id,
            "type": "out",
            "reason_code": "sale",
            "change": [-3, -3],
        }
    )
    with pytest.raises(BulkRefused, match=r"Line 1: .*3 asked for, 2 on hand") as refusal:
        stock.post_lines(session, actor, "sale", lines, "k", b"h")
    assert [line["line"] for line in refusal.value.refused] == [1]
    assert on_hand(session, product) == 5


STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),  # product
        st.integers(0, 1),  # warehouse
        st.sampled_from(["in", "out", "adjust+", "adjust-", "transfer", "reverse", "return"]),
        st.integers(1, 6),
        st.integers(0, 4),  # days back
        st.integers(0, 8),  # which earlier line a reversal or return names
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_line_by_line_and_in_bulk_give_the_same_ledger(session, steps):
    """Both ways accept and refuse the same lines and end with the same levels, chains and roll-ups."""
    actor = an_actor(session)
    places = [a_warehouse(session).id, a_warehouse(session).id]
    singly = [a_product(session).id, a_product(session).id]
    in_bulk = [a_product(session).id, a_product(session).id]
    now = datetime.now(UTC)

    accepted, booked = [], []  # bulk lines; (movement id, line number) per accepted step
    for product, warehouse, kind, quantity, back, earlier in steps:
        line = {
            "product_id": in_bulk[product],
            "warehouse_id": places[warehouse],
            "type": kind.rstrip("+-"),
            "reason_code": "receipt",
            "occurred_at": now - timedelta(days=back),
        }
        when = {"occurred_at": line["occurred_at"]}
        here = (session, actor, singly[product], places[warehouse])
        place = len(accepted)
        if kind in ("reverse", "return"):
            if not booked:
                continue
            movement_id, numbers = booked[earlier % len(booked)]
            named = [accepted[n] for n in numbers]
            if kind == "return" and len(named) != 1:
                continue
        if kind == "in":
            book, lines = partial(stock.add, *here, quantity, **when), [line | {"change": quantity}]
        elif kind == "out":
            book = partial(stock.remove, *here, quantity, reason_code="sale", **when)
            lines = [line | {"change": -quantity, "reason_code": "sale"}]
        elif kind.startswith("adjust"):
            change = quantity if kind.endswith("+") else -quantity
            book = partial(stock.adjust, *here, change, reason_code="correction", **when)
            lines = [line | {"change": change, "reason_code": "correction"}]
        elif kind == "transfer":
            book = partial(stock.transfer, *here, places[1 - warehouse], quantity, **when)
            leg = line | {"reason_code": "transfer", "change": -quantity}
            other = leg | {"warehouse_id": places[1 - warehouse], "change": quantity}
            lines = [leg | {"counterpart_line": place + 1}, other | {"counterpart_line": place}]
        elif kind == "return":
            back = {"type": "in", "reason_code": "return", "change": quantity}
            about = {name: named[0][name] for name in ("product_id", "warehouse_id")}
            single = posting.line(
                singly[in_bulk.index(about["product_id"])], about["warehouse_id"], "in", "return",
                Decimal(quantity), when,
            )  # fmt: skip
            single["returns_id"] = movement_id
            book = partial(posting.post, session, actor, "add", [single], None)
            lines = [about | back | when | {"returns_line": numbers[0]}]
        else:
            book, lines = partial(stock.reverse, session, actor, movement_id), []
            for i, (number, original) in enumerate(zip(numbers, named, strict=True)):
                undo = original | {"change": -original["change"], "reverses_line": number}
                undo.pop("returns_line", None)
                if len(named) == 2:
                    undo["counterpart_line"] = place + 1 - i
                lines.append(undo)
        try:
            with session.begin_nested():
                new = book()
        except RuleBroken as refusal:
            if "refused" in refusal.facts:  # by the database; a reversal of a reversal does not get that far
                with pytest.raises(BulkRefused), session.begin_nested():
                    _post_bulk(session, actor, accepted + lines, "refused")
            continue
        booked.append((new.lines[0].movement_id, range(place, place + len(lines))))
        accepted += lines
    if accepted:
        _post_bulk(session, actor, accepted, f"bulk-{in_bulk[0]}")

    for one, other in zip(singly, in_bulk, strict=True):
        assert _levels(session, one) == _levels(session, other)
        assert _days(session, one) == _days(session, other)
        assert _chain(session, one) == _chain(session, other)
    assert_consistent(session)


def test_ids_of_a_bulk_booking_follow_its_lines_wherever_they_lie_on_the_disk(clone):
    """After a vacuum the statistics say that no line waits: a plan of that time asked once for each line."""
    with transaction() as session:
        actor, place, product = an_actor(session), a_warehouse(session).id, a_product(session).id
    line = {"product_id": product, "warehouse_id": place, "type": "in", "reason_code": "receipt"}
    upside_down = pd.DataFrame([line | {"change": n + 1, "line_no": n} for n in reversed(range(8))])
    admin = sa.create_engine(server.admin_url(sa.make_url(clone).database), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text("VACUUM posting_line"))
    admin.dispose()
    with transaction() as session:
        stock.post_lines(session, actor, "test", upside_down, "upside down", b"h")
        assert [row[3] for row in _chain(session, product)] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert_consistent(session)


def _post_bulk(session, actor, lines, key):
    frame = pd.DataFrame(lines).astype({"change": int})
    for column in ("counterpart_line", "reverses_line", "returns_line"):
        if column in frame:
            frame[column] = frame[column].astype("Int64")
    stock.post_lines(session, actor, "test", frame, key, b"h")


def _levels(session, product_id):
    rows = session.execute(
        sa.select(StockLevel.warehouse_id, StockLevel.quantity).where(
            StockLevel.product_id == product_id, StockLevel.quantity > 0
        )
    )
    return dict(rows.all())


def _days(session, product_id):
    d = StockDay
    rows = session.execute(
        sa.select(d.warehouse_id, d.day, d.demand, d.receipts, d.other, d.closing)
        .where(d.product_id == product_id)
        .order_by(d.warehouse_id, d.day)
    )
    return rows.all()


def _chain(session, product_id):
    m = Movement
    rows = session.execute(
        sa.select(
            m.warehouse_id,
            m.type,
            m.reason_code,
            m.change,
            m.stock_before,
            m.stock_after,
            m.day,
            m.demand_day,
        )
        .where(m.product_id == product_id)
        .order_by(m.id)
    )
    return rows.all()


def test_nothing_comes_into_what_was_closed_but_it_can_be_emptied_and_set_right(session):
    actor, open_place, closed = an_actor(session), a_warehouse(session), a_warehouse(session)
    product = a_product(session, 5, warehouse=open_place)
    sold = stock.remove(session, actor, product.id, open_place.id, 2)
    closed.is_active = False
    session.flush()
    with pytest.raises(RuleBroken, match="warehouse is deactivated"):
        stock.add(session, actor, product.id, closed.id, 1)
    with pytest.raises(RuleBroken, match="warehouse is deactivated"):
        stock.transfer(session, actor, product.id, open_place.id, closed.id, 1)
    product.is_active = False
    session.flush()
    with pytest.raises(RuleBroken, match="product is deactivated"):
        stock.add(session, actor, product.id, open_place.id, 1)
    stock.reverse(session, actor, sold.lines[0].movement_id)
    stock.remove(session, actor, product.id, open_place.id, 5)
    assert on_hand(session, product) == 0
