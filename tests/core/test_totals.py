"""The total of a product is set; the difference is booked."""

from decimal import Decimal

import pytest

from core import stock, totals
from core.errors import BadInput, InsufficientStock, KeyReused
from db import session as doors
from db.models import StockLevel
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse
from tests.test_races import Shop, all_at_once, assert_sound


def test_a_total_is_reached_in_the_default_warehouse(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 100, warehouse=here)
    stock.add(session, actor, product.id, there.id, 20)
    booked = totals.set_total(session, actor, product.id, 150, key="k")
    assert booked.lines[0].change == 30
    assert (on_hand(session, product, here), on_hand(session, product, there)) == (130, 20)
    assert totals.set_total(session, actor, product.id, 150).lines == ()
    stock.add(session, actor, product.id, there.id, 400)
    again = totals.set_total(session, actor, product.id, 150, key="k")
    assert again.replayed
    assert again.lines == booked.lines
    with pytest.raises(KeyReused):
        totals.set_total(session, actor, product.id, 151, key="k")


def test_a_total_that_only_other_warehouses_could_reach_is_refused_with_the_figures(session):
    actor, here, there = an_actor(session), the_warehouse(session), a_warehouse(session)
    product = a_product(session, 5, warehouse=here, sku="TOT")
    stock.add(session, actor, product.id, there.id, "20.5")
    with pytest.raises(
        InsufficientStock,
        match=rf"TOT: 12 in all asked for, but on hand are 5 in {here.code}, 20.5 in {there.code}",
    ):
        totals.set_total(session, actor, product.id, 12)
    assert totals.set_total(session, actor, product.id, "20.5").lines[0].after == 0
    for wrong in (-1, "NaN", "1e15"):
        with pytest.raises(BadInput):
            totals.set_total(session, actor, product.id, wrong)


def test_totals_set_at_once_while_stock_moves_between_warehouses_add_up(clone):  # noqa: ARG001
    shop = Shop()
    product = shop.product(1000)

    def work(session, n):
        if n % 2:
            shop.transfer(session, product, 10)
            return None
        return totals.set_total(session, shop.actor, product, 500 + n)

    answers = all_at_once(12, work)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    with doors.reading() as session:
        levels = {place: on_hand_at(session, product, place) for place in (shop.here, shop.there)}
    # Transfers do not change the total: the last one set is what is there.
    assert sum(levels.values()) in {500 + n for n in range(0, 12, 2)}
    assert_sound()


def on_hand_at(session, product_id, warehouse_id):
    level = session.get(StockLevel, (product_id, warehouse_id))
    return level.quantity if level else Decimal(0)
