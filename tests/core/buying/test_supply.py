"""Which warehouse supplies which."""

import pytest

from core import warehouses
from core.buying import supply
from core.errors import NotAllowed, NotFound, RuleBroken
from tests.makers import a_warehouse, an_actor


def test_one_buys_for_a_warehouse_and_all_it_supplies(session):
    main, counter, alone = (a_warehouse(session) for _ in range(3))
    supply.change(session, an_actor(session), counter.id, main.id)
    assert supply.groups(session) == {main.id: (main.id, counter.id), alone.id: (alone.id,)}


def test_a_warehouse_whose_supplier_is_gone_buys_for_itself(session):
    main, counter = a_warehouse(session), a_warehouse(session)
    manager = an_actor(session)
    supply.change(session, manager, counter.id, main.id)
    main.is_active = False
    session.flush()
    assert supply.groups(session) == {counter.id: (counter.id,)}


def test_a_supplier_can_be_taken_away(session):
    main, counter = a_warehouse(session), a_warehouse(session)
    manager = an_actor(session)
    supply.change(session, manager, counter.id, main.id)
    assert supply.change(session, manager, counter.id, None).supplied_by_id is None


def test_there_are_no_chains_and_nobody_supplies_itself(session):
    main, counter, stall = (a_warehouse(session) for _ in range(3))
    manager = an_actor(session)
    supply.change(session, manager, counter.id, main.id)
    for place, supplier, why in (
        (main, main, "cannot supply itself"),
        (stall, counter, "is supplied by another"),
        (main, stall, "supplies other warehouses"),
    ):
        with pytest.raises(RuleBroken, match=why):
            supply.change(session, manager, place.id, supplier.id)


def test_only_who_may_edit_the_catalogue_and_only_warehouses_in_use(session):
    main, counter = a_warehouse(session), a_warehouse(session)
    with pytest.raises(NotAllowed):
        supply.change(session, an_actor(session, "user"), counter.id, main.id)
    with pytest.raises(NotFound):
        supply.change(session, an_actor(session), counter.id, 999_999)
    counter.is_active = False
    session.flush()
    with pytest.raises(RuleBroken, match="not in use"):
        supply.change(session, an_actor(session), main.id, counter.id)


def test_a_warehouse_that_supplies_others_stays_in_use(session):
    a_warehouse(session)
    main, counter = a_warehouse(session), a_warehouse(session)
    manager = an_actor(session)
    supply.change(session, manager, counter.id, main.id)
    with pytest.raises(RuleBroken, match=f"supplies {counter.code}"):
        warehouses.deactivate(session, manager, main.id)
