"""Lines of the ledger: the same for a movement whoever asks, and nothing of what came after it."""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from core import corrections, stock
from core.anomaly.contexts import Index
from core.anomaly.lines import FLOWS, NEVER, NOBODY
from core.doctor import ledger_lines
from core.doctor.ledger_lines import Sheet, Typed
from core.errors import BadInput
from tests.core.doctor.doctor_world import NOW, TODAY
from tests.makers import a_product, a_warehouse, an_actor, an_offer, the_warehouse


def neighbourhood(sheet: Sheet, movement_id: int) -> dict[str, list[list[tuple]]]:
    """What is looked at for a movement, as plain values."""
    (target,) = np.flatnonzero(sheet.lines.id == movement_id)
    contexts = Index(sheet.lines).before(np.array([target]))
    told = {}
    for window in ("of_product", "of_document", "of_customer", "of_pair"):
        places = getattr(contexts, window)[0]
        told[window] = [
            [np.nan_to_num(getattr(sheet.lines, name)[place]).item() for name in
             ("id", "product", "place", "flow", "change", "price", "at", "person", "before")]
            for place in places[places >= 0]
        ]  # fmt: skip
    return told


def test_a_movement_is_looked_at_alike_alone_in_a_batch_and_in_the_whole_ledger(shop, session, detector):
    ids = shop.lines()
    stock.reverse(session, shop.actor, ids[-40])
    corrections.correct(session, an_actor(session), ids[-30], quantity=48)
    shop.sell(2, 12, customer="Customer 1")
    ids = shop.lines()
    whole = ledger_lines.training(session, TODAY)
    asked = ids[20::17]
    batch = ledger_lines.after(session, asked[0] - 1, ids[-1], 500, TODAY)
    together = ledger_lines.of_ids(session, asked, TODAY)
    in_whole = {number: place for place, number in enumerate(whole.lines.id.tolist())}
    expected = detector.score(whole.lines, np.array([in_whole[number] for number in asked]), whole.shelf)
    for n, number in enumerate(asked):
        alone = ledger_lines.of_ids(session, [number], TODAY)
        hood = neighbourhood(whole, number)
        assert hood == neighbourhood(alone, number) == neighbourhood(batch, number)
        assert hood == neighbourhood(together, number)
        scores = detector.score(alone.lines, alone.targets, alone.shelf)
        for name in ("chance", "kind", "field", "value", "usual_quantity", "usual_price", "seen"):
            np.testing.assert_allclose(getattr(scores, name)[0], getattr(expected, name)[n], rtol=1e-5)


def test_what_was_reversed_is_known_to_be_void_only_from_then_on(shop, session):
    first = shop.sell(0, 12)
    second = shop.sell(0, 24)
    stock.reverse(session, shop.actor, first.id)
    third = shop.sell(0, 36)
    sheet = ledger_lines.of_ids(session, [second.id, third.id], TODAY)
    hood = {
        number: [line[0] for line in neighbourhood(sheet, number)["of_product"]]
        for number in (second.id, third.id)
    }
    assert hood[second.id][0] == first.id
    assert first.id not in hood[third.id]
    (void,) = sheet.lines.void_from[sheet.lines.id == first.id]
    assert sheet.lines.id[void] == third.id


def test_stock_that_was_there_invented_rows_and_reversals_are_no_lines(shop, session):
    sold = shop.sell(0, 12)
    reversal = stock.reverse(session, shop.actor, sold.id).lines[0].movement_id
    opening = min(shop.lines()) - 1
    sheet = ledger_lines.of_ids(session, [10**12, reversal, sold.id, opening, -3], TODAY)
    assert sheet.missing == (10**12, reversal, opening, -3)
    assert sheet.lines.id[sheet.targets].tolist() == [sold.id]
    assert len(ledger_lines.training(session, TODAY).lines) == len(shop.lines())


def test_new_movements_are_taken_in_order_also_past_those_that_are_no_lines(shop, session):
    ids = shop.lines()
    sold = shop.sell(0, 12)
    reversal = stock.reverse(session, shop.actor, sold.id).lines[0].movement_id
    step = ledger_lines.after(session, ids[-1], reversal, 1, TODAY)
    assert (step.lines.id[step.targets].tolist(), step.until_id) == ([sold.id], sold.id)
    step = ledger_lines.after(session, sold.id, reversal, 5, TODAY)
    assert (len(step.targets), step.until_id) == (0, reversal)
    step = ledger_lines.after(session, reversal, reversal, 5, TODAY)
    assert (len(step.targets), step.until_id) == (0, reversal)


def test_only_the_newest_lines_or_those_of_some_days_are_learned_from(shop, session):
    ids = shop.lines()
    assert ledger_lines.training(session, TODAY, most=10).lines.id.tolist() == ids[-10:]
    week = ledger_lines.training(session, TODAY, since=TODAY - timedelta(days=7), until=TODAY)
    assert 0 < len(week.lines) < len(ids)
    assert ledger_lines.are_enough(session, len(ids))
    assert not ledger_lines.are_enough(session, len(ids) + 1)


def test_an_empty_ledger_has_no_lines(session):
    the_warehouse(session)
    sheet = ledger_lines.training(session, TODAY)
    assert len(sheet.lines) == len(sheet.targets) == 0
    assert ledger_lines.of_ids(session, [1, 2], TODAY).missing == (1, 2)


def test_a_line_has_the_wall_clock_of_its_warehouse_and_who_booked_it(session):
    there = a_warehouse(session, time_zone="America/New_York")
    product, actor = a_product(session), an_actor(session)
    booked = stock.add(session, actor, product.id, there.id, 5, occurred_at=NOW, unit_price="2.5")
    lines = ledger_lines.of_ids(session, [booked.lines[0].movement_id], TODAY).lines
    assert lines.at[0] == (NOW - timedelta(hours=4)).timestamp()
    assert (lines.person[0], lines.price[0], lines.before[0]) == (actor.id, 2.5, 0)
    assert (FLOWS[lines.flow[0]], lines.customer[0], lines.document[0]) == ("in", NOBODY, NOBODY)
    typed = ledger_lines.typed(session, [Typed(product.id, there.id, Decimal(-1), "sale")], NOW).lines
    assert typed.at[-1] == lines.at[0]


def test_typed_lines_stand_behind_everything_and_see_each_other(shop, session):
    here, product = shop.here.id, shop.products[0].id
    ids = shop.lines()
    like = {"customer": "Customer 1", "reference_type": "invoice", "reference_id": "I-59"}
    entries = [
        Typed(product, here, Decimal(-12), "sale", Decimal("1.25"), **like),
        Typed(None, here, Decimal(-5), "sale", product_key="NEW", **like),
        Typed(None, None, Decimal(-6), "sale", product_key="NEW", place_key="NOWHERE", person_id=7),
    ]
    sheet = ledger_lines.typed(session, entries, NOW)
    lines = sheet.lines
    assert lines.id[sheet.targets].tolist() == [-1, -2, -3]
    contexts = Index(lines).before(sheet.targets)
    assert lines.id[contexts.of_product[0][0]] in ids
    assert lines.id[contexts.of_document[1][0]] == -1
    assert lines.id[contexts.of_customer[1][1]] in ids
    assert lines.id[contexts.of_product[2][0]] == -2
    assert lines.before[sheet.targets[0]] == float(
        stock.history(session, product_id=product, limit=1).stock_after.iloc[0]
    )
    assert np.isnan(lines.before[sheet.targets[1:]]).all()
    assert (lines.void_from[sheet.targets] == NEVER).all()
    piece = ledger_lines.typed(session, entries, NOW, piece=slice(1, 2))
    assert piece.lines.id[piece.targets].tolist() == [-2]


def test_a_line_without_any_past_is_looked_at_too(session, detector):
    the_warehouse(session)
    sheet = ledger_lines.typed(session, [Typed(None, None, Decimal("-2.5"), "damage")], NOW)
    assert np.isfinite(detector.score(sheet.lines, sheet.targets, sheet.shelf).chance).all()


@pytest.mark.parametrize(
    ("entry", "words"),
    [(Typed(1, 1, Decimal(5), "opening"), "not a reason"), (Typed(1, 1, Decimal(0), "sale"), "change of 0")],
)
def test_what_nobody_has_a_habit_of_is_refused(session, entry, words):
    with pytest.raises(BadInput, match=words):
        ledger_lines.typed(session, [entry], NOW)
    with pytest.raises(BadInput, match="too many"):
        ledger_lines.of_ids(session, range(1, 10_002), TODAY)


def test_the_shelf_knows_packs_list_prices_and_codes_one_slip_away(session):
    place = a_warehouse(session)
    product = a_product(session, sku="B-1042", unit_cost=2)
    near = [a_product(session, sku=sku) for sku in ("B-1043", "B-1402")]
    for sku in ("B-10422", "C1042", "B-2052"):
        a_product(session, sku=sku)
    an_offer(session, product, prices={1: 3, 10: 2}, order_multiple=12)
    an_offer(session, product, prices={1: "2.9"})
    shelf = ledger_lines.shelf_of(session, [product.id, near[0].id], TODAY)
    assert shelf.packs == {product.id: (12.0,)}
    assert shelf.list_price[product.id] == 2.9
    assert shelf.near[product.id] == tuple(sorted(other.id for other in near))
    assert shelf.codes[near[1].id] == "B-1402"
    assert shelf.place_codes == {place.id: place.code}
    many = ledger_lines.shelf_of(session, [product.id] + [a_product(session).id for _ in range(25)], TODAY)
    assert many.near[product.id] == shelf.near[product.id]


def test_the_columns_are_of_the_kinds_that_arithmetic_expects(shop, session):
    lines = ledger_lines.training(session, TODAY).lines
    assert {len(getattr(lines, f.name)) for f in fields(lines)} == {len(shop.lines())}
    kinds = {f.name: getattr(lines, f.name).dtype.str[1:] for f in fields(lines)}
    assert kinds == {
        "id": "i8", "product": "i4", "place": "i4", "flow": "i1", "change": "f8", "price": "f8", "at": "f8",
        "customer": "i4", "document": "i4", "person": "i4", "before": "f8", "void_from": "i8",
    }  # fmt: skip
