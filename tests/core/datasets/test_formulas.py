"""No file that leaves the house holds a formula, and what comes back is what left."""

import csv
import io
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import as_csv, as_parquet, as_xlsx
from core.datasets.formulas import marked, unmarked
from core.datasets.table_types import Column, plain, rows, value

PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "  =1+1", "=cmd|' /C calc'!A0", "|calc", "%0a=1",
    '=HYPERLINK("http://evil.example")', "'=1+1", "''@x", "＝1+1", "http://evil.example", "\n=1+1",
)  # fmt: skip
HARMLESS = ("Lamp", "", "5 - 3", "a=b", "'tis", "''", "-", "3 % off")
COLUMNS = (
    Column("name", "Name"),
    Column("number", "Number", "quantity"),
    Column("price", "Price", "money"),
    Column("count", "Count", "whole"),
    Column("chance", "Chance", "share"),
    Column("ok", "Fine", "yes"),
    Column("on", "On", "day"),
    Column("at", "At (UTC)", "moment"),
)
AT = datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC)
FIGURES = (Decimal("-12.5000"), Decimal("3.25"), -7, 0.123456, True, date(2026, 11, 22), AT)


def table(texts):
    return [(text, *FIGURES) for text in texts] + [(None,) * len(COLUMNS)]


def test_sixteen_payloads_become_no_formula_in_csv_and_numbers_are_untouched():
    whole = b"".join(as_csv.write(COLUMNS, table(PAYLOADS))).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(whole, newline="")))
    assert found[0] == [column.header for column in COLUMNS]
    for payload, cells in zip(PAYLOADS, found[1:], strict=False):
        assert not re.match(r"\s*[=+\-@\t\r|%＝]", cells[0])
        assert unmarked(cells[0]) == payload
        assert cells[1:] == [
            "-12.5", "3.25", "-7", "0.123456", "yes", "2026-11-22", "2026-11-22 04:05:06",
        ]  # fmt: skip
    assert found[-1] == [""] * len(COLUMNS)


def test_a_workbook_has_no_formula_no_link_and_real_numbers_and_dates():
    made = b"".join(as_xlsx.write(COLUMNS, table(PAYLOADS)))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        for name in archive.namelist():
            said = archive.read(name)
            assert b"<f>" not in said, name
            assert b"<hyperlink" not in said, name
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active
    assert sheet.freeze_panes == "A2"
    for number, payload in enumerate(PAYLOADS, 2):
        told = [cell.value for cell in sheet[number]]
        # Excel's own format knows a carriage return as a line end.
        assert told[0].replace("_x000D_", "\r").replace("\n", "\r") == payload.replace("\n", "\r")
        assert sheet.cell(number, 1).data_type == "s"
        assert told[1:5] == [-12.5, 3.25, -7, 0.123456]
        assert told[5] == "yes"
        assert [at.replace(tzinfo=UTC) for at in told[6:]] == [datetime(2026, 11, 22, tzinfo=UTC), AT]


def test_parquet_keeps_every_text_and_every_type():
    made = b"".join(as_parquet.write(COLUMNS, table(PAYLOADS)))
    found = parquet.read_table(io.BytesIO(made))
    assert [str(kind) for kind in found.schema.types] == [
        "string", "decimal128(22, 4)", "decimal128(22, 4)", "int64", "double", "bool", "date32[day]",
        "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    assert found.column("name").to_pylist() == [*PAYLOADS, None]
    assert tuple(found.slice(0, 1).to_pylist()[0].values())[1:] == FIGURES


@pytest.mark.parametrize("form", [as_csv, as_xlsx, as_parquet], ids=lambda form: form.__name__.split(".")[-1])
def test_a_table_without_rows_is_a_file_with_its_header(form):
    assert len(b"".join(form.write(COLUMNS, ()))) > 40


def test_millions_of_rows_come_as_batches_and_read_the_same():
    texts = [*PAYLOADS, *HARMLESS]
    batch = parquet.read_table(io.BytesIO(b"".join(as_parquet.write(COLUMNS, table(texts))))).to_batches()[0]
    keyed = batch.set_column(0, "name", batch.column(0).dictionary_encode())

    def cells(pieces):
        return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))

    one_by_one = cells(as_csv.write(COLUMNS, table(texts)))
    for found in (batch, keyed):
        assert [row[:5] + row[6:] for row in cells(as_csv.write_batches(COLUMNS, [found]))] == [
            row[:5] + row[6:] for row in one_by_one
        ]


@pytest.mark.parametrize("text", HARMLESS[:2] + HARMLESS[3:6])
def test_ordinary_text_stays_as_it_is(text):
    assert marked(text) == text == unmarked(text)


@given(st.text())
def test_every_text_comes_back_as_it_left(text):
    assert unmarked(marked(text)) == text


@given(st.decimals(-(10**14), 10**14, places=4))
def test_numbers_are_written_as_short_as_they_are(number):
    said = plain(number)
    assert Decimal(said) == number
    assert "E" not in said
    assert not ("." in said and said.endswith("0"))


def test_what_a_frame_has_in_place_of_nothing_is_nothing():
    nan = float("nan")
    for kind in ("text", "whole", "quantity", "money", "number", "share", "yes", "day", "moment"):
        assert value(kind, nan) is None
        assert value(kind, None) is None
    assert value("quantity", 0.1) == Decimal("0.1000")
    assert value("share", float("inf")) is None
    assert list(rows((Column("a", "A"), Column("b", "B", "whole", lambda item: item["a"])), [{"a": 3}])) == [
        ["3", 3]
    ]
