"""A purchase order on paper and as a table: complete, in any language, and harmless."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.buying import order_looks, order_papers, orders
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def order(session):
    """A draft of two products for two warehouses, with everything that could be odd about it."""
    actor = an_actor(session, "manager")
    vendor = a_vendor(
        session,
        name="Łódź & Söhne",
        contact_name="Ms Ελένη",
        address="Street 1\n12345 Town",
        freight_cost="4.5",
    )
    here, there = a_warehouse(session, "WH-A", location="Dock 7"), a_warehouse(session, "WH-B")
    one = a_product(session, sku="=1+1", name="Kerze, groß", unit_of_measure="kg")
    two = a_product(session, sku="SKU-2", name="+cmd|' /C calc'!A0")
    an_offer(session, one, vendor, prices={1: "2.1234"}, vendor_sku="V-77")
    lines = [
        {"product_id": one.id, "warehouse_id": here.id, "quantity": "2.5"},
        {"product_id": two.id, "warehouse_id": there.id, "quantity": 1000, "unit_price": "12.5",
         "note": "one by one"},
    ]  # fmt: skip
    return orders.draft(session, actor, vendor.id, lines, TODAY, note="Ramp 2\nplease")


def detail(session, order):
    return order_looks.detail(session, order, TODAY)


def test_the_paper_is_a_pdf_with_as_many_pages_as_it_needs(session, order):
    paper = order_papers.pdf(detail(session, order))
    assert paper.startswith(b"%PDF-")
    assert paper.rstrip().endswith(b"%%EOF")
    assert paper.count(b"/Type /Page\n") == 1
    vendor_id, place = order.vendor_id, detail(session, order).lines[0].warehouse_id
    products = [a_product(session, name="A long name of a thing " * 8) for _ in range(40)]
    lines = [{"product_id": p.id, "warehouse_id": place, "quantity": 1, "unit_price": 1} for p in products]
    long = orders.draft(session, an_actor(session), vendor_id, lines, TODAY)
    assert order_papers.pdf(detail(session, long)).count(b"/Type /Page\n") > 2


def said_on(monkeypatch, session, order):
    """Every text that is put on the paper."""
    from fpdf import FPDF

    told = []
    for name in ("cell", "multi_cell"):
        drawn = getattr(FPDF, name)

        def listen(self, w=None, h=None, text="", *args, drawn=drawn, **more):
            told.append(text)
            return drawn(self, w, h, text, *args, **more)

        monkeypatch.setattr(FPDF, name, listen)
    order_papers.pdf(detail(session, order))
    monkeypatch.undo()
    return "\n".join(told)


def test_it_says_who_is_asked_for_what_at_which_price_and_where_to_deliver(monkeypatch, session, order):
    said = said_on(monkeypatch, session, order)
    for part in (
        order.number, "Łódź & Söhne", "Ms Ελένη", "12345 Town", "V-77", "Kerze, groß", "2.5 kg", "2.1234",
        "1000", "12.50", "12,500.00", "one by one", "Freight   4.50 EUR", "Total   12,509.8085 EUR",
        "WH-A: WH-A, Dock 7", "WH-B", "Ramp 2",
    ):  # fmt: skip
        assert part in said, part


def test_only_what_was_sent_looks_like_an_order(monkeypatch, session, order):
    assert "DRAFT" in said_on(monkeypatch, session, order)
    actor = an_actor(session)
    orders.send(session, actor, order.uid, NOW)
    said = said_on(monkeypatch, session, order)
    assert "DRAFT" not in said
    assert f"Ordered on: {TODAY}" in said
    orders.cancel(session, actor, order.uid, NOW)
    assert "CANCELLED" in said_on(monkeypatch, session, order)


def test_signs_that_no_font_has_and_an_empty_draft_are_printed_all_the_same(session, order):
    product = a_product(session, name="蝋燭 🕯 \u202e x", sku="W" * 90)
    place = detail(session, order).lines[0].warehouse_id
    line = {"product_id": product.id, "warehouse_id": place, "quantity": "99999999999.9999",
            "unit_price": "9999999999.9999"}  # fmt: skip
    vendor = a_vendor(session, name="蝋" * 60, address="\t\x07tab")
    odd = orders.draft(session, an_actor(session), vendor.id, [line], TODAY, note="\u202eabc " * 200)
    assert order_papers.pdf(detail(session, odd)).startswith(b"%PDF-")
    empty = orders.draft(session, an_actor(session), vendor.id, [], TODAY)
    assert order_papers.pdf(detail(session, empty)).startswith(b"%PDF-")


def test_the_table_is_csv_in_which_nothing_is_a_formula(session, order):
    written = order_papers.table(detail(session, order))
    assert written.startswith(b"\xef\xbb\xbf")
    first, second = csv.DictReader(io.StringIO(written.decode("utf-8-sig")))
    assert tuple(first) == order_papers.COLUMNS
    assert (first["sku"], second["product"]) == ("'=1+1", "'+cmd|' /C calc'!A0")
    assert (first["quantity"], first["unit_price"], first["value"]) == ("2.5", "2.1234", "5.3085")
    assert (second["warehouse"], second["currency"], second["vendor"]) == ("WH-B", "EUR", "Łódź & Söhne")


@pytest.mark.parametrize(
    ("amount", "said"),
    [("12.5", "12.50"), ("1234.5678", "1,234.5678"), ("0", "0.00"), ("1.0500", "1.05"), ("0.001", "0.0010")],
)
def test_money_has_two_decimals_unless_more_say_something(amount, said):
    assert order_papers.money(Decimal(amount)) == said
