"""Linking a code to a product: what is kept, and what is refused by name."""

import pytest
import sqlalchemy as sa

from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from core.scanning import linking
from db.models import AuditLine, Barcode
from tests.makers import a_product, an_actor, the_warehouse

EAN = "4006381333931"


@pytest.fixture
def user(session):
    the_warehouse(session)
    return an_actor(session, "user")


@pytest.mark.parametrize(
    "code", [EAN, f"]C101{EAN.zfill(14)}10L7", f"(01){EAN}(17)261231", f"https://shop.example/01/{EAN}?10=L7"]
)
def test_the_number_is_linked_and_not_the_lot_around_it(session, user, code):
    product = a_product(session)
    assert linking.link(session, user, code, product.id).code == EAN
    assert session.scalars(sa.select(Barcode.code)).all() == [EAN]


def test_a_upc_e_is_linked_as_what_it_stands_for(session, user):
    product = a_product(session)
    assert linking.link(session, user, "04252614", product.id, symbology="UPC-E").code == "0042100005264"


def test_a_code_linked_again_means_the_new_number_and_is_written_down(session, user):
    product = a_product(session)
    for factor in (1, 12, 12):
        assert linking.link(session, user, "BOX", product.id, factor).pack_factor == factor
    lines = session.scalars(sa.select(AuditLine).where(AuditLine.action == "added barcode")).all()
    assert [line.after["pack_factor"] for line in lines] == ["1", "12"]


def test_a_code_of_another_product_is_refused_by_that_products_name(session, user):
    lamp, other = a_product(session, sku="LAMP", name="Desk lamp"), a_product(session)
    linking.link(session, user, EAN, lamp.id)
    with pytest.raises(RuleBroken, match=f"Barcode {EAN} belongs to LAMP Desk lamp"):
        linking.link(session, user, f"(01){EAN}", other.id)


def test_another_products_sku_is_refused_and_ones_own_is_not(session, user):
    lamp, other = a_product(session, sku="LAMP", name="Desk lamp"), a_product(session)
    with pytest.raises(RuleBroken, match="'LAMP' is the SKU of Desk lamp already"):
        linking.link(session, user, "lamp", other.id)
    assert linking.link(session, user, "lamp", lamp.id, 6).pack_factor == 6


@pytest.mark.parametrize("code", ["loc:WH-1", "sku:LAMP", "cmd:in", "LOC:x"])
def test_a_label_of_the_shop_is_nothing_to_link(session, user, code):
    with pytest.raises(BadInput, match="label of the shop itself"):
        linking.link(session, user, code, a_product(session).id)
    assert session.scalars(sa.select(Barcode)).all() == []


@pytest.mark.parametrize(
    ("code", "factor"), [("4006381333932", 1), ("", 1), ("a\nb", 1), (EAN, 0), (EAN, -1), (EAN, "x")]
)
def test_what_cannot_be_is_refused(session, user, code, factor):
    with pytest.raises(BadInput):
        linking.link(session, user, code, a_product(session).id, factor)


def test_who_may_not_and_what_is_not_there(session, user):
    with pytest.raises(NotAllowed):
        linking.link(session, an_actor(session, "viewer"), EAN, a_product(session).id)
    with pytest.raises(NotFound):
        linking.link(session, user, EAN, 10**6)
