"""Finding products, and the warehouses they lie in."""

import pytest

from core import products, warehouses
from core.errors import BadInput, NotFound, RunoutError
from tests.makers import a_product, a_warehouse, an_actor

BROKEN = ["a\x00b", "a\ud800b", "x" * 10_000_000]


def test_a_page_behind_the_last_one_is_empty_and_still_knows_how_many_there_are(session):
    for _ in range(3):
        a_product(session)
    page, total = products.search(session, limit=2, offset=4)
    assert (len(page), total) == (0, 3)


def test_what_lies_in_a_warehouse_is_listed_there_before_a_run_out_was_computed(session):
    place, elsewhere = a_warehouse(session), a_warehouse(session)
    product = a_product(session, 5, warehouse=place)
    page, total = products.search(session, warehouse_id=place.id)
    assert (total, page.sku[0], page.on_hand[0], page.status[0]) == (1, product.sku, 5, "unknown")
    assert products.search(session, warehouse_id=elsewhere.id)[1] == 0


def test_looking_for_what_nothing_can_be_called_is_refused(session):
    for value in BROKEN:
        for name in ("text", "category", "status", "sort"):
            with pytest.raises(BadInput) as refusal:
                products.search(session, **{name: value})
            assert len(refusal.value.sentence.encode()) < 250
        with pytest.raises(NotFound) as refusal:
            products.by_uid(session, value)
        assert len(refusal.value.sentence.encode()) < 250
    for about in ({"limit": 0}, {"limit": 2**70}, {"offset": -1}, {"offset": 2**63}, {"warehouse_id": 2**40}):
        with pytest.raises(RunoutError):
            products.search(session, **about)


def test_a_warehouse_is_made_once_whatever_the_case_of_its_code(session):
    actor = an_actor(session)
    about = {"name": "North", "time_zone": "Europe/Berlin"}
    warehouses.create(session, actor, code="North", **about)
    with pytest.raises(RunoutError, match="'NORTH' already"):
        warehouses.create(session, actor, code="NORTH", **about)
    for value in BROKEN:
        for name in ("code", "name", "location", "time_zone"):
            with pytest.raises(BadInput):
                warehouses.create(session, actor, **({"code": "South"} | about | {name: value}))
        with pytest.raises(NotFound):
            warehouses.by_code(session, value)
