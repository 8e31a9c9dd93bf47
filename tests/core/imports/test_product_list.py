"""A product list makes and changes products in one go, and says about each cell what is wrong with it."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from sqlalchemy import event, select

from core import predictions
from core.errors import BadInput
from core.imports import product_list
from core.imports.import_fields import guess, options
from core.imports.import_found import Found
from core.imports.table_files import CELLS, LINE, TableFile
from db.models import Alert, Barcode, Product, RunOut
from tests.makers import a_product


def a_file(header: str, *lines: str, form: str = "csv") -> TableFile:
    headers = tuple(header.split(","))
    rows = [line.split(",") for line in lines]
    frame = pd.DataFrame([row[: len(headers)] for row in rows], columns=list(headers), dtype=object)
    frame[LINE], frame[CELLS] = range(2, len(rows) + 2), [len(row) for row in rows]
    return TableFile("products.csv", "00" * 32, headers, frame, {"format": form})


def bring(session, file: TableFile, **chosen) -> Found:
    mapping = guess("products", file.headers)
    plan = product_list.plan(session, file, mapping, options("products", chosen), lock=True)
    product_list.book(session, plan)
    session.expire_all()
    return plan.found


def said(found: Found, kind: str) -> list[tuple]:
    chosen = found.issues[found.issues["kind"] == kind]
    return [tuple(row) for row in chosen[["line_number", "field", "message"]].itertuples(index=False)]


def product(session, sku: str) -> Product:
    return session.scalars(select(Product).where(Product.sku == sku)).one()


HEADER = "sku,name,category,unit cost,unit price,threshold,lead time,barcode,active"


def test_new_products_are_made_and_known_ones_changed_cell_by_cell(session):
    a_product(session, sku="B2", name="Rope", unit_cost=2, unit_price=5, category="Deck")
    found = bring(
        session,
        a_file(HEADER, "A1,Lamp,Light,1.5,3.25,4,7,4006381333931,", "b2,,,2.00,6,,,,no"),
    )
    lamp, rope = product(session, "A1"), product(session, "B2")
    assert (lamp.unit_cost, lamp.unit_price, lamp.lead_time_days) == (Decimal("1.5"), Decimal("3.25"), 7)
    assert (lamp.unit_of_measure, lamp.is_active, lamp.reorder_threshold) == ("each", True, 4)
    assert session.scalars(select(Barcode.code)).all() == ["4006381333931"]
    assert (rope.name, rope.category, rope.unit_price, rope.is_active) == ("Rope", "Deck", 6, False)
    assert said(found, "change") == [(3, "unit_price", "was 5"), (3, "is_active", "was yes")]
    assert {name: number for name, number in found.counts.items() if number} == {
        "lines read": 2,
        "products to create": 1,
        "products to change": 1,
        "cells to change": 2,
        "barcodes to add": 1,
    }
    assert {"line": 3, "sku": "B2", "field": "unit_price", "before": "5", "after": "6"} in found.preview


def test_the_same_list_again_changes_nothing(session):
    file = a_file(HEADER, "A1,Lamp,Light,1.5,3.25,4,7,4006381333931,yes")
    bring(session, file)
    found = bring(session, file)
    assert said(found, "skipped") == [(2, None, "the shop knows all of this already")]
    assert not found.counts["products to change"]


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ("X,N,,abc,,,,,", "unit_cost", "'abc' is not a number."),
        ("X,N,,,-1,,,,", "unit_price", "-1 is not between 0 and 10,000,000,000."),
        ("X,N,,,,1.23456,,,", "reorder_threshold", "'1.23456' is not a number with at most 4 decimals."),
        ("X,N,,,,,400,,", "lead_time_days", "400 is not a whole number of days from 0 to 365."),
        ("X,N,,,,,1.5,,", "lead_time_days", "1.5 is not a whole number of days from 0 to 365."),
        ("X,N,,,,,,4006381333932,", "barcode", "Barcode 4006381333932: the last digit should be 1."),
        ("X,N,,,,,,,maybe", "is_active", "'maybe' is neither yes nor no."),
        (",N,,,,,,,", "sku", "there is no SKU"),
        ("X,,,,,,,,", "name", "'X' is new and needs a name"),
        (f"{'x' * 101},N,,,,,,,", "sku", "101 characters are too many; at most 100 are kept."),
        ("a1,N,,,,,,,", "sku", "row 2 has this SKU too: keep one of the two rows"),
        ("X,N,,,,,,K-1,", "barcode", "row 2 has this barcode too: a barcode belongs to one product"),
        ("X,N,,,,,,T-1,", "barcode", "belongs to TAKEN: remove it there first, or leave the cell empty"),
        ("X,N,,,,,,,,more", None, "more cells than the 9 columns of the header"),
        ("X,N,,1e400,,,,,", "unit_cost", "'1e400' is not a number."),
        ("X,N,,NaN,,,,,", "unit_cost", "'NaN' is not a number."),
    ],
)
def test_a_wrong_line_says_which_cell_and_what_to_do(session, line, field, message):
    session.add(Barcode(product_id=a_product(session, sku="TAKEN").id, code="T-1"))
    session.flush()
    file = a_file(HEADER, "A1,Lamp,,,,,,K-1,", line)
    mapping = guess("products", file.headers)
    found = product_list.plan(session, file, mapping, options("products", {}), lock=False).found
    errors = said(found, "error")
    assert found.error_lines == 1
    assert (errors[0][0], errors[0][1]) == (3, field)
    assert errors[0][2].startswith(message)


def test_several_wrong_cells_of_a_line_are_all_named(session):
    file = a_file(HEADER, "A1,Lamp,,abc,def,,999,,")
    found = product_list.plan(
        session, file, guess("products", file.headers), options("products", {}), lock=False
    ).found
    assert found.error_lines == 1
    assert {field for _, field, _ in said(found, "error")} == {"unit_cost", "unit_price", "lead_time_days"}


def test_a_decimal_comma_is_found_out_or_asked_for(session):
    bring(session, a_file("sku,name,unit cost", "A1,Lamp,2.50"))
    comma = a_file("sku,name,unit cost", "A2,Lamp,x")
    comma.frame["unit cost"] = ["1.234,50"]
    bring(session, comma)
    assert product(session, "A2").unit_cost == Decimal("1234.5")
    open_question = a_file("sku,name,unit cost", "A3,Lamp,1.234")
    with pytest.raises(BadInput, match="can be read in two ways"):
        bring(session, open_question)
    bring(session, open_question, decimal=",")
    assert product(session, "A3").unit_cost == 1234


def test_adding_or_changing_can_be_switched_off(session):
    a_product(session, sku="B2", name="Rope")
    file = a_file("sku,name", "A1,Lamp", "B2,Rope 2")
    found = bring(session, file, update_existing=False, create_new=False)
    assert [line for line, _, _ in said(found, "skipped")] == [2, 3]
    assert product(session, "B2").name == "Rope"
    bring(session, file, create_new=False)
    assert product(session, "B2").name == "Rope 2"
    assert session.scalar(select(Product).where(Product.sku == "A1")) is None


def test_a_product_switched_off_runs_out_of_nothing(session):
    made = a_product(session, 5, sku="A1")
    predictions.refresh(session, [made.id], date(2026, 3, 2))
    assert session.scalars(select(RunOut)).all()
    bring(session, a_file("sku,active", "A1,no"))
    assert not session.scalars(select(RunOut)).all()


def test_texts_are_tidied_and_stay_texts(session):
    bring(session, a_file("sku,name,description", " A1 ,=1+1  x,<b>&\u200b"))
    kept = product(session, "A1")
    assert (kept.name, kept.description) == ("=1+1 x", "<b>&")


def test_ten_thousand_products_are_made_and_changed_in_a_few_statements(session):
    file = a_file("sku,name,unit cost", *(f"S{n},Thing {n},{n % 50}" for n in range(10_000)))
    asked: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *about: asked.append(about[2]))
    assert bring(session, file).counts["products to create"] == 10_000
    file.frame["unit cost"] = "77"
    assert bring(session, file).counts["products to change"] == 10_000
    assert len(asked) < 20


def test_a_threshold_from_a_list_raises_its_alert_at_once_and_a_retired_product_ends_it(session):
    a_product(session, 3, sku="A1")
    bring(session, a_file("sku,threshold", "A1,5"))
    assert session.scalars(select(Alert.state)).all() == ["active"]
    bring(session, a_file("sku,active", "A1,no"))
    assert session.scalars(select(Alert.state)).all() == ["resolved"]
