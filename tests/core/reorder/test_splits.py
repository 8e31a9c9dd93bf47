"""Two orders instead of one: a small fast one now, the rest from the cheap slow vendor."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings

from core.reorder.comparison import compare
from core.reorder.splits import best_split
from tests.core.reorder.test_comparison import candidates_of, needs
from tests.core.reorder.worlds import a_need, a_vendor

D = Decimal


def split_of(candidates, need):
    return best_split(compare(candidates, need), need)


def test_two_orders_beat_one():
    need = a_need(200, stock=8, review=30)
    vendors = [a_vendor("Ada", "3.00", 20), a_vendor("Bee", "4.50", 2)]
    best = compare(vendors, need)[0]
    split = split_of(vendors, need)
    # Bee bridges the 18 days until Ada delivers, 72 pieces at 1.50 more; all of it from Bee costs 300 more.
    assert (split.first.name, split.first.quantity) == ("Bee", 72)
    assert (split.second.name, split.second.quantity) == ("Ada", 128)
    assert split.lost == 0
    assert split.total == 72 * D("4.50") + 128 * D(3)
    assert split.saves == best.total - split.total > 0
    assert split.why == (
        f"72 from Bee until the 128 from Ada arrive: {split.saves} less in all than {best.name} alone."
    )


def test_one_order_is_best_where_a_second_costs_more_than_it_spares():
    need = a_need(200, stock=8, review=30)
    work = [
        a_vendor("Ada", "3.00", 20, order_cost="200"),
        a_vendor("Bee", "4.50", 2, order_cost="10"),
    ]
    assert split_of(work, need) is None


def test_neither_order_is_below_its_minimum():
    need = a_need(200, stock=8, review=30)
    slow = a_vendor("Ada", "3.00", 20, order_minimum="500")
    vendors = [slow, a_vendor("Bee", "4.50", 2)]
    assert split_of(vendors, need) is None
    assert split_of([replace(slow, other_value=D(200)), vendors[1]], need) is not None


def test_nothing_to_bridge_is_no_split():
    vendors = [a_vendor("Ada", "3.00", 20), a_vendor("Bee", "4.50", 2)]
    assert split_of(vendors, a_need(200, stock=400)) is None
    assert split_of(vendors, a_need(200, stock=8, with_forecast=False)) is None
    assert split_of(vendors, a_need(200, stock=8, shortage=None)) is None
    assert split_of(vendors[:1], a_need(200, stock=8)) is None


@settings(deadline=None, max_examples=80)
@given(candidates_of, needs)
def test_a_split_is_always_cheaper_enough_and_as_the_vendors_sell(candidates, need):
    rows = compare(candidates, need)
    split = best_split(rows, need)
    if split is None:
        return
    terms = {one.vendor_id: one.terms for one in candidates}
    assert split.saves > 0
    assert split.total == rows[0].total - split.saves
    assert split.first.quantity + split.second.quantity >= need.quantity
    assert split.first.arrives_on < split.second.arrives_on
    for part in (split.first, split.second):
        assert part.quantity % terms[part.vendor_id].grain == 0
        assert part.quantity >= terms[part.vendor_id].least
