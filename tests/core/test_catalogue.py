"""Products are made, changed and retired, and every step is written down."""

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import catalogue, demand_events, expected, predictions, products, stock, thresholds
from core.errors import BadInput, KeyReused, NotAllowed, NotFound, RuleBroken, RunoutError
from core.scanning import resolver
from db.models import Alert, AuditLine, Barcode, DemandPattern, Movement, Product, RunOut
from tests.makers import a_product, a_warehouse, an_actor, on_hand, the_warehouse

TODAY = date(2026, 6, 1)
BROKEN = ["a\x00b", "a\ud800b", "x" * 10_000_000]


@pytest.fixture
def manager(session):
    the_warehouse(session)
    return an_actor(session, "manager")


def make(session, actor, **about):
    values = {"sku": "LAMP-1", "name": "Desk lamp", "today": TODAY} | about
    return catalogue.create(session, actor, **values)


def said(session, product):
    """What the audit says about a product, oldest first: (action, before, after)."""
    lines = session.scalars(
        sa.select(AuditLine).where(AuditLine.subject_id == str(product.uid)).order_by(AuditLine.id)
    )
    return [(line.action, line.before, line.after) for line in lines]


def test_a_product_is_made_with_its_codes_and_what_lies_on_the_shelf(session, manager):
    product = make(
        session, manager, category=" Lamps ", unit_cost="4.5", unit_price=Decimal(9), reorder_threshold=3,
        lead_time_days=7, barcodes=["036000291452", "96385074"], opening_stock="12.5",
    )  # fmt: skip
    found = products.by_uid(session, product.uid)
    assert (found.product.category, found.product.unit_cost, found.product.lead_time_days) == (
        "Lamps",
        4.5,
        7,
    )
    assert found.barcodes == (("0036000291452", 1), ("96385074", 1))
    assert found.on_hand == Decimal("12.5")
    booked = session.scalars(sa.select(Movement).where(Movement.product_id == product.id)).one()
    assert (booked.reason_code, booked.warehouse_id) == ("opening", the_warehouse(session).id)
    assert session.scalar(sa.select(RunOut.on_hand).where(RunOut.product_id == product.id)) == Decimal("12.5")
    assert said(session, product)[0][0] == "created"
    assert said(session, product)[0][2]["unit_cost"] == "4.5"


def test_a_sku_is_one_whatever_its_case(session, manager):
    make(session, manager)
    with pytest.raises(RuleBroken, match="'lamp-1' belongs to Desk lamp already"):
        make(session, manager, sku="lamp-1")
    other = make(session, manager, sku="LAMP-2")
    with pytest.raises(RuleBroken, match="belongs to Desk lamp"):
        catalogue.change(session, manager, other.id, TODAY, sku="Lamp-1")
    assert catalogue.change(session, manager, other.id, TODAY, sku="lamp-2").sku == "lamp-2"


def test_nothing_of_a_refused_product_stays(session, manager):
    make(session, manager, barcodes=["96385074"])
    with pytest.raises(RuleBroken, match="Barcode 96385074 belongs to LAMP-1"), session.begin_nested():
        make(session, manager, sku="NEW", barcodes=["96385074"])
    assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == 1


def test_the_same_key_finds_the_product_made_before(session, manager):
    first = make(session, manager, opening_stock=5, key="k")
    again = make(session, manager, opening_stock=5, key="k")
    assert again.id == first.id
    assert on_hand(session, first) == 5
    for about in ({"opening_stock": 6}, {"opening_stock": 5, "sku": "OTHER"}):
        with pytest.raises(KeyReused):
            make(session, manager, key="k", **about)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("sku", " ", "SKU"), ("sku", "a\nb", "SKU"), ("name", "", "Name"), ("name", None, "Name"),
        ("unit_of_measure", None, "Unit"), ("unit_cost", "abc", "Unit cost: 'abc' is not a number"),
        ("unit_cost", -1, "Unit cost"), ("unit_price", "1e12", "Unit price"),
        ("unit_price", "NaN", "Unit price"),
        ("unit_price", "1.23456", "more than 4 decimals"), ("reorder_threshold", -2, "Threshold"),
        ("lead_time_days", 366, "Lead time"), ("lead_time_days", "1.5", "Lead time"),
        *((name, value, "") for name in ("sku", "name", "category", "description", "unit_of_measure")
          for value in BROKEN),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_its_name_and_changes_nothing(session, manager, field, value, sentence):
    product = make(session, manager)
    for attempt in (
        lambda: make(session, manager, **({"sku": "NEW"} | {field: value})),
        lambda: catalogue.change(session, manager, product.id, TODAY, **{field: value}),
    ):
        with pytest.raises(BadInput) as refusal:
            attempt()
        assert sentence in refusal.value.sentence
        assert len(refusal.value.sentence.encode()) < 250
    assert [action for action, _, _ in said(session, product)] == ["created"]


def test_only_the_given_fields_change_and_none_clears(session, manager):
    product = make(session, manager, category="Lamps", unit_cost=4, lead_time_days=7)
    before = product.updated_at
    catalogue.change(session, manager, product.id, TODAY, category=None, unit_cost="5.00")
    session.refresh(product)
    assert (product.category, product.unit_cost, product.lead_time_days) == (None, 5, 7)
    assert product.updated_at > before
    assert said(session, product)[-1] == (
        "changed", {"category": "Lamps", "unit_cost": "4"}, {"category": None, "unit_cost": "5"},
    )  # fmt: skip
    catalogue.change(session, manager, product.id, TODAY, unit_cost=5)
    assert len(said(session, product)) == 2
    with pytest.raises(TypeError, match="colour"):
        catalogue.change(session, manager, product.id, TODAY, colour="red")
    with pytest.raises(NotFound):
        catalogue.change(session, manager, 2**31 - 1, TODAY, name="x")


def test_a_longer_lead_time_is_in_the_run_out_at_once(session, manager):
    product = make(session, manager, opening_stock=5, lead_time_days=7)
    catalogue.change(session, manager, product.id, TODAY, lead_time_days=30, unit_cost=3)
    kept = session.execute(
        sa.select(RunOut.lead_time_days, RunOut.stock_value).where(
            RunOut.product_id == product.id, RunOut.warehouse_id.is_(None)
        )
    ).one()
    assert tuple(kept) == (30, 15)


def test_a_retired_product_leaves_the_lists_and_keeps_its_page(session, manager):
    product = make(session, manager, opening_stock=5)
    for _ in range(2):
        catalogue.deactivate(session, manager, product.id)
    assert products.search(session)[1] == 0
    assert predictions.tiles(session).empty
    assert products.by_uid(session, product.uid).on_hand == 5
    assert len(stock.history(session, product_id=product.id)) == 1
    stock.remove(session, manager, product.id, the_warehouse(session).id, 1)
    assert predictions.refresh(session, [product.id], TODAY)
    assert session.scalar(sa.select(RunOut.id).where(RunOut.product_id == product.id)) is None
    assert predictions.refresh_stale(session, TODAY) == 0
    assert predictions.outlook(session, product.id, TODAY).reason == "Not sold any more."
    catalogue.reactivate(session, manager, product.id, TODAY)
    assert products.search(session)[0].on_hand.tolist() == [4]
    assert [action for action, _, _ in said(session, product)] == ["created", "deactivated", "reactivated"]


def test_a_product_that_nothing_refers_to_is_erased_with_its_codes(session, manager):
    admin = an_actor(session, "admin")
    product = make(session, manager, barcodes=["96385074"], reorder_threshold=4)
    thresholds.change(session, manager, product.id, the_warehouse(session).id, 2)
    session.add(DemandPattern(product_id=product.id, as_of=TODAY, reason="nothing has moved yet"))
    assert catalogue.delete(session, admin, product.id) == "erased"
    assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(Barcode)) == 0
    action, before, _ = said(session, product)[-1]
    assert (action, before["sku"], before["reorder_threshold"]) == ("deleted", "LAMP-1", "4")


@pytest.mark.parametrize("history", ["movement", "delivery", "event"])
def test_a_product_with_a_history_is_only_deactivated(session, manager, history):
    product = make(session, manager, barcodes=["96385074"])
    place = the_warehouse(session)
    if history == "movement":
        stock.add(session, manager, product.id, place.id, 1)
    elif history == "event":
        demand_events.add(session, manager, TODAY, name="Fair", starts_on=TODAY, product_id=product.id)
    else:
        coming = expected.add(session, manager, product.id, place.id, 1, TODAY, today=TODAY)
        expected.cancel(session, manager, coming.uid, TODAY)
    assert catalogue.delete(session, an_actor(session, "admin"), product.id) == "deactivated"
    found = products.by_uid(session, product.uid)
    assert not found.product.is_active
    assert found.barcodes == (("96385074", 1),)


def test_a_barcode_belongs_to_one_product_in_every_spelling(session, manager):
    lamp, bulb = make(session, manager), make(session, manager, sku="BULB", name="Bulb")
    catalogue.add_barcode(session, manager, lamp.id, "036000291452", 12)
    with pytest.raises(RuleBroken, match="belongs to LAMP-1 Desk lamp"):
        catalogue.add_barcode(session, manager, bulb.id, "0036000291452")
    for code in ("036000291452", "0036000291452"):
        assert products.search(session, text=code)[0].sku.tolist() == ["LAMP-1"]
        found = resolver.resolve(session, manager, code)
        assert (found.product.product.id, found.pieces) == (lamp.id, 12)
    catalogue.add_barcode(session, manager, lamp.id, "036000291452", 12)
    catalogue.add_barcode(session, manager, lamp.id, "036000291452", 6)
    assert said(session, lamp)[1:] == [
        ("added barcode", None, {"barcode": "0036000291452", "pack_factor": "12"}),
        ("added barcode", {"barcode": "0036000291452", "pack_factor": "12"},
         {"barcode": "0036000291452", "pack_factor": "6"}),
    ]  # fmt: skip
    catalogue.remove_barcode(session, manager, lamp.id, "036000291452")
    assert resolver.resolve(session, manager, "036000291452").kind == "unknown"
    with pytest.raises(NotFound, match="LAMP-1 has no barcode"):
        catalogue.remove_barcode(session, manager, lamp.id, "036000291452")
    for factor in (0, -1, "x"):
        with pytest.raises(BadInput, match="Pieces in a pack"):
            catalogue.add_barcode(session, manager, lamp.id, "1", factor)


def test_each_warehouse_can_have_a_threshold_of_its_own(session, manager):
    product, here, there = make(session, manager), the_warehouse(session), a_warehouse(session)
    thresholds.change(session, manager, product.id, here.id, 5)
    thresholds.change(session, manager, product.id, there.id, "2.5")
    thresholds.change(session, manager, product.id, here.id, 5)
    assert thresholds.of_product(session, product.id) == {here.id: 5, there.id: Decimal("2.5")}
    thresholds.change(session, manager, product.id, here.id, 6)
    thresholds.change(session, manager, product.id, there.id, None)
    assert thresholds.of_product(session, product.id) == {here.id: 6}
    assert len(said(session, product)) == 5
    with pytest.raises(BadInput, match="below zero"):
        thresholds.change(session, manager, product.id, here.id, -1)
    with pytest.raises(NotFound):
        thresholds.change(session, manager, product.id, 99_999, 1)


def test_alerts_follow_a_threshold_and_the_end_of_a_product_at_once(session, manager):
    product, place = make(session, manager, opening_stock=5), the_warehouse(session)

    def open_alerts():
        return session.scalars(
            sa.select(Alert.type).where(Alert.product_id == product.id, Alert.state != "resolved")
        ).all()

    catalogue.change(session, manager, product.id, TODAY, reorder_threshold=5)
    assert open_alerts() == ["low_stock"]
    catalogue.change(session, manager, product.id, TODAY, reorder_threshold=None)
    assert open_alerts() == []
    thresholds.change(session, manager, product.id, place.id, 9)
    assert open_alerts() == ["low_stock"]
    catalogue.deactivate(session, manager, product.id)
    assert open_alerts() == []


def test_who_may_not_edit_the_catalogue_does_not(session, manager):
    product, place = a_product(session), the_warehouse(session)
    staff, viewer = an_actor(session, "user"), an_actor(session, "viewer")
    refused = [
        lambda: make(session, staff),
        lambda: catalogue.change(session, staff, product.id, TODAY, name="x"),
        lambda: catalogue.deactivate(session, staff, product.id),
        lambda: catalogue.reactivate(session, staff, product.id, TODAY),
        lambda: catalogue.delete(session, manager, product.id),
        lambda: catalogue.remove_barcode(session, staff, product.id, "1"),
        lambda: thresholds.change(session, staff, product.id, place.id, 1),
        lambda: catalogue.add_barcode(session, viewer, product.id, "1"),
    ]
    for attempt in refused:
        with pytest.raises(NotAllowed):
            attempt()
    # Whoever scans may say what a code means.
    assert catalogue.add_barcode(session, staff, product.id, "1").code == "1"


def test_refusals_of_the_looks_stay_short(session, manager):
    for value in BROKEN:
        with pytest.raises(RunoutError) as refusal:
            resolver.resolve(session, manager, value)
        assert len(refusal.value.sentence.encode()) < 250
