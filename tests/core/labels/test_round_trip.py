"""From the books to a label, from its picture to a code, and back to the same product, place or command."""

import numpy as np
import pytest

from core import catalogue, warehouses
from core.labels import internal_codes, label_choices, proofs
from core.labels.sheets import FORMATS
from core.scanning import decoding, resolver
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

TILT = 6  # degrees, as a phone is held


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


def scanned(session, actor, label, form):
    """What the shop makes of a printed label before the camera."""
    picture = proofs.label(label, FORMATS[form], dots_per_inch=203).rotate(TILT, expand=True, fillcolor=255)
    (seen,) = decoding.decode(np.asarray(picture), effort="live")
    return resolver.resolve(session, actor, seen.text, symbology=seen.symbology)


def test_a_product_s_labels_lead_back_to_it_with_its_pieces(session, manager):
    bought, own, bare = a_product(session), a_product(session), a_product(session, sku="BARE-1")
    catalogue.add_barcode(session, manager, bought.id, "4006381333931")
    catalogue.add_barcode(session, manager, bought.id, "14006381333938", 24)
    internal_codes.give(session, manager, [own.id])
    choices, _ = label_choices.of_products(session, manager)
    assert len(choices) == 4
    for choice in choices:
        form = "57x32" if choice.is_piece else "l7163"
        found = scanned(session, manager, label_choices.of_product(choice), form)
        assert (found.kind, found.product.product.id) == ("product", choice.product_id), choice
        assert found.pieces == choice.pack_factor
    assert {choice.product_id for choice in choices} == {bought.id, own.id, bare.id}


def test_a_place_s_label_leads_to_the_place_and_a_command_s_to_the_command(session, manager):
    a_warehouse(session, "Łódź 2")
    for label in label_choices.of_places(session, manager):
        found = scanned(session, manager, label, "l7160")
        assert found.kind == "place"
        assert found.warehouse.id == warehouses.by_code(session, label.heading).id
    label = label_choices.of_commands()[3]
    found = scanned(session, manager, label, "plain")
    assert (found.kind, found.command) == ("command", label.code.removeprefix("cmd:"))
