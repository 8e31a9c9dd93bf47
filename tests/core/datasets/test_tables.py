"""Tables to take along: each says what its page says, as filtered; Import takes products back."""

import csv
import io
import tempfile
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet as parquet
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import file_names, stock
from core.datasets import as_xlsx, listing, writing
from core.datasets.table_types import Filters
from core.errors import BadInput
from core.imports import product_list, table_files
from core.imports.import_fields import guess, options
from core.imports.table_text import clean
from db.models import Product
from db.session import reading
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, the_warehouse

NOW = datetime.now(UTC)
TODAY = NOW.date()
CODE_PAGE_FREE = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Cn", "Co"))
NAMES = st.tuples(
    st.sampled_from(["", "=", "+", "-", "@", "'", "'=", "''+", "|", "%", "＝"]), st.text(CODE_PAGE_FREE)
)


def made(name, format="csv", **filters):
    table, form = listing.named(name), writing.named(format)
    return b"".join(listing.written(reading, table, form, Filters(**filters), TODAY, 60))


def lines(name, **filters):
    whole = made(name, **filters).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(whole, newline="")))


@pytest.fixture
def shop(session):
    """Two places, three products in two categories, and an offer."""
    near, far = the_warehouse(session), a_warehouse(session, "FAR")
    lamp = a_product(
        session, 5, sku="LAMP", name="=1+1", category="Light", unit_cost=2, stock_at=NOW - timedelta(40)
    )
    rope = a_product(session, 7, sku="ROPE", name="Rope", category="Deck")
    a_product(session, 0, sku="GONE", name="Gone", category="Deck", is_active=False)
    stock.add(session, an_actor(session), rope.id, far.id, Decimal("2.5"))
    an_offer(session, lamp, a_vendor(session, name="Near"), prices={1: "5.25", 10: "4.5"})
    session.commit()
    return {"near": near, "far": far, "lamp": lamp, "rope": rope}


def test_every_table_counts_what_its_file_holds_in_every_format(shop, session):  # noqa: ARG001
    for name, table in listing.TABLES.items():
        with reading() as look:
            expected = listing.count(look, table, Filters(), TODAY)
        assert len(lines(name)) == expected, name
        sheet = openpyxl.load_workbook(io.BytesIO(made(name, "xlsx")), read_only=True).active
        assert sum(1 for _ in sheet.iter_rows()) == expected + 1, name
        found = parquet.read_table(io.BytesIO(made(name, "parquet")))
        assert (found.num_rows, found.column_names) == (expected, [c.name for c in table.columns]), name


def test_a_table_says_what_there_is_and_only_what_was_asked_for(shop):
    on_hand = {(row["SKU"], row["Warehouse"]): row["On hand"] for row in lines("stock")}
    near = shop["near"].code
    assert on_hand[("LAMP", near)] == "5"
    assert on_hand[("ROPE", "FAR")] == "2.5"
    assert {row["SKU"] for row in lines("stock", warehouse_id=shop["far"].id)} == {"ROPE"}
    assert {row["SKU"] for row in lines("stock", category="Light")} == {"LAMP"}
    assert [(row["SKU"], row["Name"], row["Active"]) for row in lines("products")] == [
        ("GONE", "Gone", "no"), ("LAMP", "'=1+1", "yes"), ("ROPE", "Rope", "yes"),
    ]  # fmt: skip
    assert [(row["Vendor"], row["From quantity"], row["Unit price"]) for row in lines("prices")] == [
        ("Near", "1", "5.25"), ("Near", "10", "4.5"),
    ]  # fmt: skip
    assert lines("prices", category="Deck") == []
    moved = lines("ledger", since=TODAY - timedelta(days=2), until=TODAY, category="Deck")
    assert [(row["item_sku"], row["quantity"]) for row in moved] == [("ROPE", "7"), ("ROPE", "2.5")]
    assert [row["quantity"] for row in lines("ledger", warehouse_id=shop["far"].id)] == ["2.5"]
    assert [row["item_sku"] for row in lines("ledger", until=TODAY - timedelta(days=30))] == ["LAMP"]


@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(NAMES.map("".join), min_size=200, max_size=200))
def test_products_come_back_through_import_as_they_left(session, texts):
    session.execute(sa.delete(Product))
    for number, text in enumerate(texts):
        name = clean(text) or "x"
        session.add(
            Product(sku=f"{'=+-@'[number % 4]}{number}", name=name, description=clean(text[::-1]) or None)
        )
    session.commit()
    with tempfile.TemporaryDirectory() as folder:
        for format in ("csv", "xlsx"):
            path = Path(folder) / f"products.{format}"
            path.write_bytes(made("products", format))
            file = table_files.read(path)
            mapping = guess("products", file.headers)
            assert set(mapping) >= {
                "sku",
                "name",
                "description",
                "category",
                "unit_cost",
                "barcode",
                "is_active",
            }
            found = product_list.plan(session, file, mapping, options("products", {}), lock=False)
            assert (found.new, found.changed) == ([], []), found.found.issues.to_dict("records")[:3]


def test_more_rows_than_excel_holds_are_refused_with_a_way_out():
    writing.must_hold(writing.named("xlsx"), as_xlsx.MOST_ROWS)
    for format in ("csv", "parquet"):
        writing.must_hold(writing.named(format), 10**9)
    with pytest.raises(
        BadInput, match="at most 1,048,575 rows and these are 1,048,576: choose a shorter period"
    ):
        writing.must_hold(writing.named("xlsx"), as_xlsx.MOST_ROWS + 1)


def test_an_export_that_is_given_up_ends_its_look_at_the_database(clone):  # noqa: ARG001
    from db.session import transaction

    with transaction() as session:
        the_warehouse(session)
        a_product(session, 3)
    for name in ("products", "ledger"):
        for format in writing.FORMS:
            pieces = listing.written(
                reading, listing.named(name), writing.named(format), Filters(), TODAY, 60
            )
            next(pieces)
            pieces.close()
            with reading() as look:
                assert look.get_bind().pool.checkedout() == 1, (name, format)


HOSTILE = (
    "../../etc/passwd", "a\r\nSet-Cookie: x=1", 'a"; filename="b', "CON", "nul.txt", "", ".", "..",
    "a/b\\c.csv", "\u202egnp.exe", "x" * 300 + ".csv", "名前.csv", "Müller & Söhne.csv", "a\x00b", "\ud800",
    " .hidden", "%2e%2e%2f", "a;b,c.csv", "tab\tname.csv", "emoji 🎉.xlsx",
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_name_is_a_header_and_a_file_name_all_the_same(number):
    said = file_names.content_disposition(HOSTILE[number])
    assert said.isascii()
    assert not any(unicodedata.category(sign)[0] == "C" for sign in said)
    plain = said.partition('filename="')[2].partition('"')[0]
    assert said.count('"') == 2
    assert plain
    assert not set(plain) & set("/\\:;%\r\n")
    assert not plain.startswith(".")
    kept = file_names.safe(HOSTILE[number])
    assert 0 < len(kept) <= file_names.MOST_CHARACTERS + 1
    assert file_names.safe(kept) == kept


def test_a_name_keeps_its_letters_and_its_ending():
    assert (
        file_names.safe("Müller & Söhne products 2026-11-22.csv") == "Müller-&-Söhne-products-2026-11-22.csv"
    )
    assert file_names.safe("x" * 300 + ".csv").endswith("x.csv")
