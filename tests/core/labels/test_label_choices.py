"""What labels are printed for, and how many of each."""

import uuid
from decimal import Decimal

import pytest

from core import catalogue
from core.errors import NotFound
from core.labels import label_choices
from core.scanning import reading, resolver
from tests.core.labels.arrivals import arrived
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


@pytest.fixture
def viewer(session):
    return an_actor(session, "viewer")


def found(session, viewer, **asked):
    return label_choices.of_products(session, viewer, **asked)[0]


def codes(choices):
    return [(choice.name, choice.code) for choice in choices]


def test_a_product_is_listed_with_each_of_its_codes_pieces_first(session, manager, viewer):
    bolt = a_product(session, 7, name="Bolt", unit_price=Decimal("1.5"))
    catalogue.add_barcode(session, manager, bolt.id, "10036000291459", 12)
    catalogue.add_barcode(session, manager, bolt.id, "4006381333931")
    piece, pack = found(session, viewer)
    assert (piece.code, piece.is_piece, piece.is_own, piece.on_hand) == ("4006381333931", True, False, 7)
    assert (pack.code, pack.is_piece) == ("10036000291459", False)
    assert label_choices.of_product(piece, "1.50 €").right == "1.50 €"
    assert label_choices.of_product(pack).right == "12 pieces"
    bolt.unit_of_measure = "box"
    session.flush()
    assert label_choices.of_product(found(session, viewer)[1]).right == "12 × box"


def test_a_product_without_a_code_for_a_piece_is_printed_with_its_sku(session, manager, viewer):
    bolt, nut = a_product(session, sku="BOLT", name="Bolt"), a_product(session, sku="NUT", name="Nut")
    catalogue.add_barcode(session, manager, nut.id, "10036000291459", 12)
    choices = found(session, viewer)
    assert codes(choices) == [("Bolt", "sku:BOLT"), ("Nut", "sku:NUT"), ("Nut", "10036000291459")]
    assert [choice.product_id for choice in choices if choice.is_own] == [bolt.id, nut.id]
    for choice in choices:
        assert resolver.resolve(session, viewer, choice.code).product.product.id == choice.product_id


def test_products_are_found_by_name_sku_code_category_and_by_having_no_code(session, manager, viewer):
    bolt = a_product(session, sku="B-1", name="Bolt 50%", category="Fasteners")
    a_product(session, sku="G-1", name="Glue")
    a_product(session, sku="OLD", name="Bolt, old", is_active=False)
    catalogue.add_barcode(session, manager, bolt.id, "0036000291452")
    for text in ("bolt", "b-1", "50%", "036000291452", "00036000291452"):
        assert [choice.name for choice in found(session, viewer, text=text)] == ["Bolt 50%"], text
    assert found(session, viewer, text="036000291453") == []
    assert [choice.name for choice in found(session, viewer, category="Fasteners")] == ["Bolt 50%"]
    assert [choice.name for choice in found(session, viewer, without_code=True)] == ["Glue"]
    assert [choice.name for choice in found(session, viewer, product_uids=[str(bolt.uid)])] == ["Bolt 50%"]


def test_a_long_list_is_cut_and_says_how_many_there_are(session, viewer, monkeypatch):
    monkeypatch.setattr(label_choices, "MOST_PRODUCTS", 2)
    for _ in range(3):
        a_product(session)
    choices, total = label_choices.of_products(session, viewer)
    assert (len(choices), total) == (2, 3)


def test_an_order_gives_what_arrived_with_as_many_copies_as_pieces(session, manager, viewer):
    bolt, glue, late = (a_product(session, name=name) for name in ("Bolt", "Glue", "Late"))
    order = arrived(session, manager, (bolt, 10, 4), (glue, 3, 5), (late, 2, 0))
    choices = found(session, viewer, order_uid=order.uid)
    assert [(choice.name, label_choices.copies(choice, "arrived")) for choice in choices] == [
        ("Bolt", 4),
        ("Glue", 5),
    ]
    assert label_choices.order_number(session, viewer, order.uid) == order.number
    assert found(session, viewer, order_uid=arrived(session, manager, (late, 2, 0)).uid) == []


def test_copies_follow_the_shelf_in_whole_pieces_and_packs_get_none(session, manager, viewer):
    many = a_product(session, 5000, name="Many")
    some = a_product(session, Decimal("2.5"), name="Some")
    rope = a_product(session, 80, name="Rope", unit_of_measure="m")
    boxes = a_product(session, 4, name="Boxes", unit_of_measure="box")
    catalogue.add_barcode(session, manager, many.id, "10036000291459", 12)
    by_name = {(choice.name, choice.is_piece): choice for choice in found(session, viewer)}
    assert label_choices.copies(by_name["Many", True], "stock") == label_choices.MOST_COPIES
    assert label_choices.copies(by_name["Many", False], "stock") == 0
    assert label_choices.copies(by_name[some.name, True], "stock") == 3
    assert label_choices.copies(by_name[rope.name, True], "stock") == 1
    assert label_choices.copies(by_name[boxes.name, True], "stock") == 4
    assert label_choices.copies(by_name[some.name, True], "one") == 1


def test_places_are_labelled_with_what_our_reading_takes_for_a_place(session, viewer):
    place = the_warehouse(session)
    a_warehouse(session, "WH-OLD", is_active=False)
    second = a_warehouse(session, "Łódź 2", name="Magazyn")
    labels = label_choices.of_places(session, viewer)
    assert [label.heading for label in labels] == [place.code, "Łódź 2"]
    assert [reading.read(label.code).place for label in labels] == [place.code, "Łódź 2"]
    assert resolver.resolve(session, viewer, labels[1].code).warehouse.id == second.id
    assert [label.left for label in label_choices.of_places(session, viewer, [str(second.uid)])] == [
        "Magazyn"
    ]


@pytest.mark.parametrize("uid", ["nonsense", str(uuid.UUID(int=7))])
def test_an_unknown_product_order_or_place_is_refused(session, viewer, uid):
    with pytest.raises(NotFound):
        label_choices.of_products(session, viewer, product_uids=[uid])
    with pytest.raises(NotFound):
        label_choices.of_products(session, viewer, order_uid=uid)
    with pytest.raises(NotFound):
        label_choices.of_places(session, viewer, [uid])
