"""Demand is what customers took; days without stock are marked."""

from datetime import UTC, date, datetime, timedelta

from core import demand, stock
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def day(n):
    return MONDAY + timedelta(days=n)


def a_week(session):
    """5 on Monday, 3 sold on Tuesday, the last 2 on Wednesday, nothing Thursday, 4 arrive on Friday."""
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 5, stock_at=day(0))
    stock.remove(session, actor, product.id, place.id, 3, occurred_at=day(1), reason_code="sale")
    stock.remove(session, actor, product.id, place.id, 2, occurred_at=day(2), reason_code="sale")
    stock.add(session, actor, product.id, place.id, 4, occurred_at=day(4))
    return product


def test_the_frame_is_dense_and_marks_days_without_stock(session):
    product = a_week(session)
    found = demand.frame(session, date(2026, 3, 8), product_ids=[product.id])
    assert found.y.tolist() == [0, 3, 2, 0, 0, 0, 0]
    assert found.in_stock.tolist() == [True, True, True, False, True, True, True]
    assert found.unique_id.unique().tolist() == [str(product.id)]


def test_the_frame_ends_where_asked_and_begins_with_the_first_movement(session):
    product = a_week(session)
    found = demand.frame(session, date(2026, 3, 3), product_ids=[product.id])
    assert found.ds.dt.date.tolist() == [date(2026, 3, 2), date(2026, 3, 3)]
    assert demand.frame(session, date(2026, 3, 1), product_ids=[product.id]).empty


def test_transfers_counts_and_losses_are_not_demand_and_warehouses_can_be_told_apart(session):
    product, actor = a_week(session), an_actor(session)
    here, there = the_warehouse(session), a_warehouse(session)
    stock.transfer(session, actor, product.id, here.id, there.id, 3, occurred_at=day(4))
    stock.adjust(session, actor, product.id, here.id, -1, reason_code="loss", occurred_at=day(5))
    stock.remove(session, actor, product.id, there.id, 2, occurred_at=day(5))
    whole = demand.frame(session, date(2026, 3, 8), product_ids=[product.id])
    assert whole.y.sum() == 7
    apart = demand.frame(session, date(2026, 3, 8), product_ids=[product.id], by_warehouse=True)
    sums = apart.groupby("unique_id", observed=True).y.sum().to_dict()
    assert sums == {f"{product.id}:{here.id}": 5, f"{product.id}:{there.id}": 2}


def test_sparklines_cover_every_day_of_the_window(session):
    product = a_week(session)
    other = a_product(session)
    lines = demand.sparklines(session, [product.id, other.id], date(2026, 3, 8), days=7)
    assert lines == {product.id: [0, 3, 2, 0, 0, 0, 0], other.id: [0] * 7}


def test_the_stock_path_holds_between_movements(session):
    product = a_week(session)
    path = demand.stock_path(session, product.id, date(2026, 3, 3), date(2026, 3, 8))
    assert path.closing.tolist() == [2, 0, 0, 4, 4, 4]
    assert path.in_stock.tolist() == [True, True, False, True, True, True]
    assert demand.stock_path(session, a_product(session).id, date(2026, 3, 3), date(2026, 3, 8)).empty


def test_the_stock_path_says_what_an_empty_shelf_lost(session):
    actor, place = an_actor(session), the_warehouse(session)
    product = a_product(session, 20, stock_at=day(0))
    for n in range(10):
        stock.remove(session, actor, product.id, place.id, 2, occurred_at=day(n), reason_code="sale")
    stock.add(session, actor, product.id, place.id, 4, occurred_at=day(13))
    path = demand.stock_path(session, product.id, day(8).date(), day(13).date())
    assert path.in_stock.tolist() == [True, True, False, False, False, True]
    assert path.lost.tolist()[:2] == [0, 0]
    assert all(1 < units <= 2 for units in path.lost.tolist()[2:5])
    assert path.lost.tolist()[5] == 0
