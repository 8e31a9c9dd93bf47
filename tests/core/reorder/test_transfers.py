"""Stock of another warehouse: what it can spare, and when moving it beats ordering."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reorder import transfers
from core.reorder.comparison import compare
from core.reorder.transfers import Giver
from tests.core.reorder.worlds import TODAY, a_need, a_vendor

D = Decimal
quantities_of = st.integers(0, 10**7).map(lambda n: D(n) / 100)


def a_giver(spare, name="North", number=2):
    return Giver(number, name, D(spare))


def moved(givers, need, *vendors, cost="4", days=1):
    rows = compare(list(vendors), need)
    return transfers.best_move(
        givers, need, rows[0] if rows else None, transfer_cost=D(cost), transfer_days=days
    )


@pytest.mark.parametrize(
    ("on_hand", "level", "decimals", "expected"),
    [(50, 20, 0, "30"), (20, 50, 0, "0"), ("50.7", "20.2", 0, "30"), ("50.75", "20.2", 1, "30.5")],
)
def test_a_warehouse_spares_what_is_beyond_its_own_level(on_hand, level, decimals, expected):
    assert transfers.spare(D(on_hand), D(level), decimals) == D(expected)


@settings(deadline=None)
@given(quantities_of, st.dictionaries(st.integers(1, 9), quantities_of, max_size=5), st.integers(0, 2))
def test_sharing_gives_nobody_more_than_it_needs_and_never_more_than_is_there(there, needs, decimals):
    given_ = transfers.shared(there, needs, decimals)
    grain = D(1).scaleb(-decimals)
    assert given_.keys() == needs.keys()
    assert sum(given_.values()) <= there
    for place, part in given_.items():
        assert 0 <= part < needs[place] + grain
        assert part % grain == 0
    left = there - sum(given_.values())
    assert left < grain or all(given_[place] >= needs[place] for place in needs)


def test_sharing_is_by_need():
    assert transfers.shared(D(10), {1: D(10), 2: D(10), 3: D(0)}) == {1: 5, 2: 5, 3: 0}
    assert transfers.shared(D(10), {1: D(30), 2: D(10)}) == {1: 8, 2: 2}
    assert transfers.shared(D(0), {1: D(30)}) == {1: 0}


def test_the_transfer_wins_where_the_vendor_comes_too_late():
    move = moved([a_giver(60)], a_need(40, stock=8), a_vendor("Ada", "3.00", 12))
    assert (move.warehouse_id, move.quantity, move.rest) == (2, 40, 0)
    assert move.arrives_on == TODAY + timedelta(days=1)
    assert move.cost == 4
    # Ten days without stock until Ada delivers, four pieces a day of 5.00 each.
    assert move.saves == D("196.00")
    assert move.why == (
        "North has 60 more than it needs: moving them spares 196.00 and arrives 11 days sooner than from Ada."
    )


def test_the_transfer_wins_where_it_is_cheaper_though_not_sooner():
    far = a_vendor("Ada", "3.00", 1, freight_cost="25")
    move = moved([a_giver(60)], a_need(40, stock=30), far, days=3)
    assert move.saves == 21
    assert move.why == "North has 60 more than it needs: moving them spares 21.00."


def test_ordering_wins_where_moving_costs_more():
    assert moved([a_giver(60)], a_need(40, stock=30), a_vendor("Ada", "3.00", 1)) is None


def test_a_part_is_moved_only_for_the_sales_it_saves():
    far = a_vendor("Ada", "3.00", 6, freight_cost="25")
    short = moved([a_giver(20)], a_need(60, stock=8), far)
    assert (short.quantity, short.rest) == (20, 40)
    assert short.saves == D("76.00")  # 16 of the 16 pieces that would be lost, less 4.00 of moving
    assert moved([a_giver(20)], a_need(60, stock=30), far) is None


def test_whoever_has_enough_gives():
    givers = [a_giver(20, "North", 2), a_giver(90, "South", 3), a_giver(0, "West", 4)]
    assert moved(givers, a_need(40, stock=0), a_vendor("Ada", "3.00", 12)).name == "South"
    assert moved([a_giver(0)], a_need(40), a_vendor("Ada", "3.00", 12)) is None
    assert moved([], a_need(40), a_vendor("Ada", "3.00", 12)) is None
    assert moved(givers, a_need(0), a_vendor("Ada", "3.00", 12)) is None


def test_without_any_vendor_the_transfer_is_what_there_is():
    move = moved([a_giver(60)], a_need(40, stock=30))
    assert (move.saves, move.why) == (None, "North has 60 more than it needs, and no vendor has a price.")
    assert moved([a_giver(60)], a_need(40, stock=30), a_vendor("Ada", None, 3)).saves is None


def test_where_a_missing_piece_has_no_price_fewer_of_them_decide():
    late = a_vendor("Ada", "3.00", 12)
    move = moved([a_giver(60)], a_need(40, stock=8, shortage=None), late)
    assert move.saves is None
    assert move.why.endswith("arrives 11 days sooner than from Ada, which would be too late.")
    assert moved([a_giver(60)], a_need(40, stock=400, shortage=None), late) is None
    assert moved([a_giver(60)], a_need(40, with_forecast=False), late) is None
