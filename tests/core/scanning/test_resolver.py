"""What a code means in the shop: one product for each spelling of it, and a reason where there is none."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import catalogue
from core.errors import BadInput, NotSignedIn, RuleBroken
from core.scanning import linking, resolver
from db import server
from db.models import Barcode
from db.session import new_engine
from tests.core.scanning.test_reading import FORMS, GTINS
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse

EAN, CASE = "4006381333931", "14006381333938"

# As many products, codes and offers as make reading a whole table dear.
MANY = (
    "INSERT INTO product (sku, name) SELECT 'P-' || n, 'Product ' || n FROM generate_series(1, 5000) AS n",
    "INSERT INTO barcode (product_id, code) SELECT id, 'C-' || id FROM product",
    "INSERT INTO vendor (name, currency) VALUES ('Vendor', 'EUR')",
    "INSERT INTO vendor_offer (vendor_id, product_id, vendor_sku, lead_time_days, valid_from)"
    " SELECT vendor.id, product.id, 'V-' || product.id, 1, '2026-01-01' FROM product, vendor",
    "ANALYZE product, barcode, vendor_offer",
)


@pytest.fixture
def user(session):
    the_warehouse(session)
    return an_actor(session, "user")


@pytest.fixture
def pen(session, user):
    product = a_product(session, 5, sku="PEN-1", name="Blue pen")
    linking.link(session, user, EAN, product.id)
    return product


@pytest.fixture
def a_world(session, user):
    """Somebody who scans, and a product: for many examples."""
    return user, a_product(session)


def found(session, actor, code, **about):
    return resolver.resolve(session, actor, code, **about)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=GTINS, form=st.sampled_from(list(FORMS)), linked=st.sampled_from(list(FORMS)))
def test_a_number_linked_in_any_form_is_found_in_every_other(session, a_world, number, form, linked):
    actor, product = a_world
    session.execute(sa.delete(Barcode))  # what the example before linked
    linking.link(session, actor, FORMS[linked](number), product.id, 3)
    meant = found(session, actor, FORMS[form](number))
    assert (meant.kind, meant.product.product.id, meant.pack_factor) == ("product", product.id, 3)
    assert meant.pieces == 3 * (meant.reading.quantity or 1)


def test_a_product_comes_with_its_stock_its_pack_and_what_the_code_says(session, user, pen):
    linking.link(session, user, CASE, pen.id, 12)
    meant = found(session, user, f"]C102{CASE}3705\x1d10L7")
    assert (meant.kind, meant.product.on_hand) == ("product", 5)
    assert (meant.pack_factor, meant.pieces, meant.reading.lot) == (12, 60, "L7")
    assert found(session, user, EAN).pieces == 1


@pytest.mark.usefixtures("pen")
def test_what_is_counted_by_weight_is_what_the_label_weighs(session, user):
    cheese = a_product(session, unit_of_measure="kg")
    linking.link(session, user, "2112345006789", cheese.id)
    assert found(session, user, "(01)2112345006789(3103)001250").pieces == Decimal("1.25")
    assert found(session, user, "2112345006789").pieces == 1
    assert found(session, user, "(01)2112345006789(3103)000000").pieces == 0  # not a kilogram
    assert found(session, user, f"(01){EAN}(3103)001250").pieces == 1


def test_a_sku_is_known_in_any_case_and_by_its_label(session, user, pen):
    for code in ("PEN-1", " pen-1\n", "sku:PEN-1", "SKU: pen-1"):
        assert found(session, user, code).product.product.id == pen.id
    missing = found(session, user, "sku:PEN-2")
    assert (missing.kind, missing.reason) == ("unknown", "No product has the SKU 'PEN-2'.")


def test_skus_that_differ_by_case_only_are_told_apart_or_asked_about(session, user, pen):
    other = a_product(session, sku="pen-1")
    assert found(session, user, "pen-1").product.product.id == other.id
    assert found(session, user, "PEN-1").product.product.id == pen.id
    assert {one.id for one in found(session, user, "Pen-1").candidates} == {pen.id, other.id}


def test_a_number_of_the_shops_own_needs_no_check_digit(session, user):
    mine = a_product(session, sku="12345678")
    assert found(session, user, "12345678").product.product.id == mine.id
    with pytest.raises(BadInput, match="the last digit should be 0"):
        found(session, user, "12345679")
    with pytest.raises(BadInput, match="ITF"):  # a part of longer bars reads like any digits
        found(session, user, "12345678", symbology="ITF-14")


def test_a_vendors_number_is_known_where_it_is_one_products(session, user, pen):
    vendor = a_vendor(session)
    an_offer(session, pen, vendor, vendor_sku="v-77")
    an_offer(session, pen, a_vendor(session), vendor_sku="V-77")
    assert found(session, user, "V-77").product.product.id == pen.id
    other = a_product(session)
    an_offer(session, other, vendor, vendor_sku="V-77")
    both = found(session, user, "V-77")
    assert (both.kind, {one.id for one in both.candidates}) == ("ambiguous", {pen.id, other.id})
    assert "may be 2 products" in both.reason
    # The shop's own SKU comes first.
    own = a_product(session, sku="V-77")
    assert found(session, user, "v-77").product.product.id == own.id


def test_a_code_that_is_one_products_barcode_and_anothers_sku_is_asked_about(session, user, pen):
    linking.link(session, user, "B-52", pen.id, 6)
    other = a_product(session, sku="b-52")
    both = found(session, user, "B-52")
    assert both.kind == "ambiguous"
    assert {(one.id, one.pieces) for one in both.candidates} == {(pen.id, 6), (other.id, 1)}
    assert "PEN-1 (barcode)" in both.reason
    chosen = resolver.choose(session, both, pen.id)
    assert (chosen.kind, chosen.pieces, chosen.product.on_hand, chosen.reason) == ("product", 6, 5, None)
    with pytest.raises(RuleBroken, match="does not stand for that product"):
        resolver.choose(session, both, a_product(session).id)


def test_a_products_own_sku_may_be_its_barcode_too(session, user):
    product = a_product(session, sku=EAN)
    catalogue.add_barcode(session, user, product.id, EAN, 4)
    assert found(session, user, EAN).pieces == 4


def test_what_is_not_sold_any_more_is_said_and_may_be_chosen(session, user, pen):
    pen.is_active = False
    session.flush()
    gone = found(session, user, EAN)
    assert (gone.kind, gone.reason) == ("ambiguous", "PEN-1 Blue pen is not sold any more.")
    assert [(one.id, one.is_active) for one in gone.candidates] == [(pen.id, False)]
    assert resolver.choose(session, gone, pen.id).product.product.id == pen.id


def test_a_case_of_a_known_piece_is_named_and_so_is_the_piece_of_a_known_case(session, user, pen):
    case = found(session, user, f"(01){CASE}")
    assert case.kind == "unknown"
    assert "looks like a case of PEN-1 Blue pen" in case.reason
    assert "link it with the number of pieces in it" in case.reason
    assert [one.id for one in case.candidates] == [pen.id]
    with pytest.raises(RuleBroken, match="link it first"):
        resolver.choose(session, case, pen.id)
    box = a_product(session, sku="BOX-9")
    linking.link(session, user, "19501234567898", box.id, 24)
    piece = found(session, user, "9501234567891")
    assert (piece.kind, [one.id for one in piece.candidates]) == ("unknown", [box.id])
    assert "looks like one piece of BOX-9" in piece.reason


def test_a_place_is_known_by_its_label_and_by_its_code(session, user):
    shelf = a_warehouse(session, "WH-B")
    for code in ("loc:WH-B", "LOC: wh-b", "wh-b"):
        meant = found(session, user, code)
        assert (meant.kind, meant.warehouse.id) == ("place", shelf.id)
    product = a_product(session, sku="WH-B")
    assert found(session, user, "wh-b").product.product.id == product.id
    assert found(session, user, "loc:wh-b").kind == "place"
    shelf.is_active = False
    session.flush()
    assert found(session, user, "loc:WH-B").reason == "WH-B is not in use: reactivate it first."
    assert found(session, user, "loc:WH-Z").reason == "There is no warehouse 'WH-Z'."


def test_a_command_is_a_command(session, user):
    meant = found(session, user, "cmd:count")
    assert (meant.kind, meant.command) == ("command", "count")


@pytest.mark.usefixtures("pen")
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("036000291452", "No product has the code '036000291452'."),
        ("(01)00036000291452(10)L7", "No product has the code '0036000291452'."),
        ("javascript:alert(1)", "No product has the code 'javascript:alert(1)'."),
        ("'; DROP TABLE product;--", "No product has the code"),
        ("%", "No product has the code '%'."),
        ("(00)340123450000000000", "is the number of a pallet"),
        ("]C110LOT7", "'(10)LOT7' holds no product's number"),
        ("(555) 1234", "No product has the code"),
    ],
)
def test_what_nobody_knows_is_unknown_with_a_reason(session, user, code, reason):
    meant = found(session, user, code)
    assert meant.kind == "unknown"
    assert reason in meant.reason


@pytest.mark.usefixtures("pen")
def test_whoever_is_signed_in_may_ask_and_nobody_else(session):
    assert found(session, an_actor(session, "viewer"), EAN).kind == "product"
    with pytest.raises(NotSignedIn):
        found(session, None, EAN)


def test_a_code_is_found_by_indexes_among_many(make_database):
    with make_database() as url:
        admin = sa.create_engine(server.admin_url(sa.make_url(url).database), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for statement in MANY:
                connection.execute(sa.text(statement))
        admin.dispose()
        engine = new_engine(url)
        with Session(engine) as session:
            actor = an_actor(session)
            plans = []

            def explain(_connection, cursor, statement, parameters, *_more):
                if statement.startswith("SELECT"):
                    cursor.execute(f"EXPLAIN {statement}", parameters)
                    plans.extend(line for (line,) in cursor.fetchall())

            connection = session.connection()
            sa.event.listen(connection, "before_cursor_execute", explain)
            found(session, actor, "V-7")
            found(session, actor, EAN)
            session.rollback()
        engine.dispose()
    read = "\n".join(plans)
    for index in ("uq_barcode_code", "ix_product_sku_lower", "ix_vendor_offer_vendor_sku"):
        assert index in read
    for table in ("barcode", "product", "vendor_offer"):
        assert f"Seq Scan on {table}" not in read


@pytest.mark.usefixtures("pen")
def test_a_known_code_costs_three_statements(session, user):
    session.flush()
    asked = []
    listen = sa.event.listens_for(session.get_bind(), "before_cursor_execute")
    listen(lambda *said: asked.append(said[2]))
    found(session, user, EAN)
    assert len(asked) == 3
