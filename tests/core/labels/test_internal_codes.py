"""Codes that the shop makes itself: each once, none that is taken, for those that have none."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from stdnum import ean

from core import catalogue, products
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from core.labels import internal_codes
from core.scanning import resolver
from db.models import AuditLine, Barcode
from db.session import reading, transaction
from tests.makers import a_product, an_actor


@pytest.fixture
def manager(session):
    return an_actor(session, "manager")


def codes_of(session, product):
    return [code for code, _ in products.detail(session, product).barcodes]


def test_a_product_without_a_code_gets_one_of_the_range_for_use_within_a_company(session, manager):
    product = a_product(session)
    given = internal_codes.give(session, manager, [product.id])
    code = given[product.id]
    assert codes_of(session, product) == [code]
    assert len(code) == 13
    assert code.startswith("04")
    assert ean.is_valid(code)
    found = resolver.resolve(session, manager, code)
    assert (found.kind, found.product.product.id) == ("product", product.id)
    said = session.scalars(sa.select(AuditLine.action).where(AuditLine.subject_id == str(product.uid))).all()
    assert said == ["added barcode"]


def test_each_code_is_given_once(session, manager):
    many = [a_product(session) for _ in range(20)]
    first = internal_codes.give(session, manager, [one.id for one in many[:10]])
    second = internal_codes.give(session, manager, [one.id for one in many[10:]])
    assert len({*first.values(), *second.values()}) == 20


def test_who_has_a_code_for_a_piece_keeps_it_and_who_has_one_for_a_pack_only_gets_one(session, manager):
    piece, pack = a_product(session), a_product(session)
    catalogue.add_barcode(session, manager, piece.id, "4006381333931")
    catalogue.add_barcode(session, manager, pack.id, "10036000291459", 12)
    given = internal_codes.give(session, manager, [piece.id, pack.id, pack.id])
    assert list(given) == [pack.id]
    assert internal_codes.give(session, manager, [piece.id, pack.id]) == {}
    assert len(codes_of(session, pack)) == 2


def test_numbers_that_another_system_used_before_are_passed_over(session, manager):
    other, product = a_product(session), a_product(session)
    last = session.scalar(sa.text("SELECT nextval('internal_code')"))
    taken = [internal_codes.code(last + n) for n in range(1, 40)]
    session.add_all(Barcode(product_id=other.id, code=code) for code in taken)
    session.flush()
    (code,) = internal_codes.give(session, manager, [product.id]).values()
    assert code not in taken
    assert codes_of(session, product) == [code]


def test_codes_are_taken_back_and_their_numbers_not_given_again(session, manager):
    product = a_product(session)
    given = internal_codes.give(session, manager, [product.id])
    internal_codes.take_back(session, manager, given)
    assert codes_of(session, product) == []
    assert internal_codes.give(session, manager, [product.id]) != given


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_only_who_may_edit_the_catalogue_uses_up_numbers(session, role):
    product = a_product(session)
    with pytest.raises(NotAllowed):
        internal_codes.give(session, an_actor(session, role), [product.id])
    assert codes_of(session, product) == []


def test_none_too_many_unknown_and_retired_products_are_refused(session, manager):
    retired = a_product(session, is_active=False)
    with pytest.raises(BadInput, match="Choose 1 to 500 products; 0 are chosen"):
        internal_codes.give(session, manager, [])
    with pytest.raises(BadInput, match="501 are chosen"):
        internal_codes.give(session, manager, range(501))
    with pytest.raises(NotFound, match="There is no product 2147483000"):
        internal_codes.give(session, manager, [2147483000])
    with pytest.raises(RuleBroken, match="is deactivated"):
        internal_codes.give(session, manager, [retired.id])


def test_numbers_that_have_no_room_are_refused():
    assert internal_codes.code(1) == "0400000000015"
    assert internal_codes.code(10**10 - 1).startswith("049999999999")
    for number in (0, 10**10):
        with pytest.raises(RuleBroken, match="used up"):
            internal_codes.code(number)


@pytest.mark.usefixtures("clone")
def test_two_who_press_at_once_give_each_product_one_code():
    with transaction() as session:
        actor = an_actor(session, "manager")
        ids = [a_product(session).id for _ in range(5)]
    together = Barrier(2)

    def press(order):
        together.wait()
        with transaction() as session:
            return internal_codes.give(session, actor, order)

    with ThreadPoolExecutor(2) as hands:
        first, second = hands.map(press, [ids, ids[::-1]])
    assert sorted([*first, *second]) == ids
    with reading() as session:
        kept = session.scalars(sa.select(Barcode.code)).all()
    assert sorted(kept) == sorted([*first.values(), *second.values()])
