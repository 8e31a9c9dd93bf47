"""A list of what lies on the shelves: opening stock where nothing moved yet, else a count."""

import uuid
from decimal import Decimal

import pytest
from sqlalchemy import select

from core import stock
from core.errors import BadInput, NotFound
from core.imports import opening_stock
from core.imports.import_fields import guess, options
from core.imports.import_found import Found
from db.models import Barcode, Movement, Product, Warehouse
from tests.core.imports.test_product_list import a_file, product, said
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse

HEADER = "sku,warehouse,quantity,cost,name,category"


def planned(session, file, **chosen) -> opening_stock.Plan:
    mapping = guess("stock", file.headers)
    return opening_stock.plan(session, file, mapping, options("stock", chosen), lock=True)


def bring(session, *lines: str, header: str = HEADER, **chosen) -> Found:
    plan = planned(session, a_file(header, *lines), **chosen)
    opening_stock.book(session, an_actor(session), plan, uuid.uuid4())
    session.expire_all()
    return plan.found


def moved(session, sku: str) -> list[tuple]:
    rows = session.execute(
        select(Movement.reason_code, Movement.change)
        .join(Product, Product.id == Movement.product_id)
        .where(Product.sku == sku)
        .order_by(Movement.id)
    )
    return [(reason, float(change)) for reason, change in rows]


def test_a_shelf_without_movements_gets_its_opening_stock(session):
    a_warehouse(session, "MAIN")
    known = a_product(session, sku="A1", unit_cost=2)
    found = bring(session, "a1,main,12.5,2.50,,", "B2,MAIN,4,1.25,Rope,Deck")
    assert moved(session, "A1") == [("opening", 12.5)]
    assert moved(session, "B2") == [("opening", 4.0)]
    assert on_hand(session, known) == Decimal("12.5")
    made = product(session, "B2")
    assert (made.name, made.category, made.unit_cost) == ("Rope", "Deck", Decimal("1.25"))
    assert product(session, "A1").unit_cost == Decimal("2.5")
    assert said(found, "change") == [(2, "unit_cost", "was 2")]
    assert found.counts["shelves to open"] == 2
    assert found.counts["products to create"] == 1
    assert found.preview[0] == {
        "line": 2, "sku": "A1", "name": None, "warehouse": "MAIN", "before": None, "after": "12.5",
        "change": "12.5", "why": "opening stock",
    }  # fmt: skip


def test_a_shelf_with_movements_is_counted_and_the_second_time_nothing_happens(session):
    the_warehouse(session)
    a_product(session, 10, sku="A1")
    found = bring(session, "A1,7", header="sku,quantity")
    assert moved(session, "A1") == [("opening", 10.0), ("count", -3.0)]
    assert said(found, "change") == [(2, "quantity", "was 10")]
    assert (found.preview[0]["before"], found.preview[0]["after"]) == ("10", "7")
    again = bring(session, "A1,7", header="sku,quantity")
    assert said(again, "skipped") == [(2, None, "7 on hand already")]
    assert len(moved(session, "A1")) == 2


def test_a_shelf_counted_down_to_nothing_is_counted(session):
    the_warehouse(session)
    a_product(session, 10, sku="A1")
    bring(session, "A1,0", header="sku,quantity")
    assert moved(session, "A1")[-1] == ("count", -10.0)


def test_a_product_is_found_by_its_barcode(session):
    the_warehouse(session)
    lamp = a_product(session, sku="A1")
    session.add(Barcode(product_id=lamp.id, code="0036000291452"))
    session.flush()
    bring(session, "036000291452,3", header="barcode,quantity")  # as a UPC-A prints it
    assert on_hand(session, lamp) == 3


def test_a_shop_without_warehouses_gets_those_of_the_list(session):
    found = bring(session, "A1,Main street,3,,,", "A1,Cellar,4,,,", "A2,,5,,,")
    assert found.counts["warehouses to create"] == 3
    codes = session.scalars(select(Warehouse.code).order_by(Warehouse.id)).all()
    assert sorted(codes) == ["Cellar", "MAIN", "Main street"]
    assert on_hand(session, product(session, "A1")) == 7


def test_a_warehouse_is_found_by_code_or_name_and_an_unknown_one_names_the_known(session):
    a_warehouse(session, "N1", name="North")
    a_warehouse(session, "S1", name="South")
    bring(session, "A1,north,1,,,", "A1,s1,2,,,")
    found = planned(session, a_file(HEADER, "A1,East,1,,,")).found
    assert said(found, "error") == [(2, "warehouse", "there is no such warehouse; there are N1, S1")]
    bring(session, "A9,5", header="sku,quantity", warehouse="s1")
    assert (
        on_hand(session, product(session, "A9"), session.scalar(select(Warehouse).filter_by(code="S1"))) == 5
    )
    with pytest.raises(NotFound, match="no warehouse 'X9'"):
        planned(session, a_file(HEADER, "A1,,1,,,"), warehouse="X9")


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ("A1,,-1,,,", "quantity", "-1 is below zero: a shelf holds 0 or more."),
        ("A1,,many,,,", "quantity", "'many' is not a number with at most 4 decimals."),
        ("A1,,,,,", "quantity", "there is no quantity"),
        (",,1,,,", "product", "there is no product"),
        ("X1,,1,free,,", "unit_cost", "'free' is not a number."),
        ("z0,,2,,,", "product", "row 2 is about this product and warehouse too"),
        ("OLD,,2,,,", "product", "is not active: activate it first"),
        ("Z0,B,2,9,,", "unit_cost", "row 2 says 1 for the same product: give one cost"),
        ("A1,,9999999999999999,,,", "quantity", "'9999999999999999' is not a number"),
    ],
)
def test_a_wrong_line_says_what_to_do(session, line, field, message):
    the_warehouse(session)
    a_warehouse(session, "B")
    a_product(session, sku="OLD", is_active=False)
    found = planned(session, a_file(HEADER, "Z0,,1,1,,", line)).found
    errors = said(found, "error")
    assert [(number, name) for number, name, _ in errors] == [(3, field)]
    assert errors[0][2].startswith(message)


def test_unknown_products_are_errors_where_they_shall_not_be_added(session):
    the_warehouse(session)
    found = planned(session, a_file(HEADER, "A1,,1,,,"), create_products=False).found
    assert said(found, "error")[0][2].startswith("the shop does not have this product")


def test_a_sale_between_look_and_booking_stops_the_whole_list(session):
    place = the_warehouse(session)
    actor = an_actor(session)
    lamp = a_product(session, 10, sku="A1")
    plan = planned(session, a_file("sku,quantity", "A1,7", "B2,5"))
    stock.remove(session, actor, lamp.id, place.id, 1)
    with pytest.raises(BadInput, match="stock moved while"), session.begin_nested():
        opening_stock.book(session, actor, plan, uuid.uuid4())
    assert on_hand(session, lamp) == 9


def test_the_same_import_booked_twice_has_one_effect(session):
    the_warehouse(session)
    actor, uid = an_actor(session), uuid.uuid4()
    lamp = a_product(session, sku="A1")
    plan = planned(session, a_file("sku,quantity", "A1,7"))
    opening_stock.book(session, actor, plan, uid)
    opening_stock.book(session, actor, plan, uid)
    assert on_hand(session, lamp) == 7
