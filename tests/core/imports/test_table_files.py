"""A file of sales is read in any usual dialect, and refused with a sentence when it is broken or hostile."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from core.errors import NotFound
from core.imports import table_files
from core.imports.table_files import LIMITS, UnreadableFile

HEADER = "order id,sku,qty,date,price\n"
LINE = "1,A1,2,2025-03-04,2.50\n"

SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOOK_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)
ROOT_RELATIONS = BOOK_RELATIONS.replace("/worksheet", "/officeDocument", 1).replace(
    "worksheets/sheet1.xml", "xl/workbook.xml"
)


def a_workbook(sheet: str, *, extra: dict[str, bytes] | None = None, whole_sheet: bool = False) -> bytes:
    """A workbook made by hand, so that its sheet can be what no program writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", ROOT_RELATIONS)
        archive.writestr("xl/workbook.xml", BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", BOOK_RELATIONS)
        archive.writestr("xl/worksheets/sheet1.xml", sheet if whole_sheet else SHEET.format(sheet))
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def text_cell(place: str, said: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{said}</t></is></c>'


def saved(rows: list[list], **about) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, value in about.items():
        setattr(book.active, name, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(entries: int = 0, *names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(entries):
            archive.writestr(f"part{number}.xml", "")
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def lying(book: bytes) -> bytes:
    """The table of contents says that the sheet is much smaller than it is."""
    at = book.rindex(b"xl/worksheets/sheet1.xml") - 46
    return book[: at + 24] + struct.pack("<I", 40) + book[at + 28 :]


def twice() -> bytes:
    """Two parts say that they are the workbook."""
    return a_workbook("", extra={"xl/workbook.xmx": b""}).replace(b"xl/workbook.xmx", b"xl/workbook.xml")


def encrypted(book: bytes) -> bytes:
    at = book.rindex(b"xl/workbook.xml") - 46
    return book[: at + 8] + struct.pack("<H", 1) + book[at + 10 :]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>' + SHEET.format(
    f"<row>{text_cell('A1', '&l9;')}</row>"
)
STEAL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + SHEET.format(
    f"<row>{text_cell('A1', '&f;')}</row>"
)
WIDE = f'<row r="1">{text_cell("A1", "sku")}</row><row r="1048576">{text_cell("XFD1048576", "x")}</row>'
DEEP = f'<row r="1">{text_cell("A1", "sku")}</row><row r="1048576">{text_cell("A1048576", "x")}</row>'

HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    # --- A. workbooks
    "cells A1 and XFD1048576": ("a.xlsx", lambda: a_workbook(WIDE), "row 1,048,576 has more than 100"),
    "one cell at the very end": ("a.xlsx", lambda: a_workbook(DEEP), "rows 2 to 1,048,575 are empty"),
    "300 MB of spaces": ("a.xlsx", lambda: a_workbook(" " * 300_000_000), "unpacked the workbook has 286 MB"),
    "billion laughs": ("a.xlsx", lambda: a_workbook(BOMB, whole_sheet=True), "the workbook is broken"),
    "external entity": ("a.xlsx", lambda: a_workbook(STEAL, whole_sheet=True), "the workbook is broken"),
    "65,000 entries": ("a.xlsx", lambda: zipped(65_000), "65,000 parts; at most 2,000"),
    "path out of the zip": ("a.xlsx", lambda: zipped(0, "../../evil.txt"), "a part outside of itself"),
    "zip signature and rubbish": ("a.xlsx", lambda: b"PK\3\4" + b"rubbish" * 99, "but is broken"),
    "old .xls": ("a.xlsx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9, "old .xls or an encrypted"),
    "encrypted entries": ("a.xlsx", lambda: encrypted(a_workbook("")), "is encrypted"),
    "sizes that lie": ("a.xlsx", lambda: lying(a_workbook(DEEP)), "the workbook is broken"),
    "a zip of something else": ("a.xlsx", lambda: zipped(0, "sales.csv"), "a zip file, not a workbook"),
    "two parts of one name": ("a.xlsx", twice, "two parts of one name"),
    "string index out of range": (
        "a.xlsx", lambda: a_workbook('<row r="1"><c r="A1" t="s"><v>99</v></c></row>'), "broken",
    ),
    "a text of 40,000 characters": (
        "a.xlsx", lambda: a_workbook(f'<row r="1">{text_cell("A1", "x" * 40_000)}</row>'), "row 1, column 1",
    ),
    "no row at all": ("a.xlsx", lambda: a_workbook(""), "first line is empty"),
    # --- B. text
    "NUL in a field": ("a.csv", lambda: (HEADER + "1,A\x001,2,2025-03-04,1\n").encode(), "line 2 holds"),
    "unclosed quote": (
        "a.csv", lambda: (HEADER + LINE + '2,"A1,2,2025-03-04,1\n' + LINE * 500_000).encode(),
        "the record that begins on line 3 cannot be read",
    ),
    "200,000 columns": ("a.csv", lambda: ",".join("c" * 9 for _ in range(200_000)).encode(), "line 1"),
    "101 columns": ("a.csv", lambda: (",".join(f"c{n}" for n in range(101)) + "\n").encode(), "101 columns"),
    "one field of 40 MB": ("a.csv", lambda: (HEADER + "x" * 40_000_000).encode(), "line 2 is longer than"),
    "a field of 20,000": ("a.csv", lambda: (HEADER + f"1,{'x' * 20_000},1,1,1").encode(), "10,000"),
    "two equal headers": ("a.csv", lambda: b"sku,qty,SKU\nA,1,A\n", "names column 1 and column 3"),
    "nothing but commas": ("a.csv", lambda: b",,,\n,,,\n", "first line is empty"),
    "header only": ("a.csv", lambda: HEADER.encode(), "no line below the header"),
    "empty": ("a.csv", lambda: b"", "is empty"),
    "one newline": ("a.csv", lambda: b"\n", "no line with text"),
    "one column": ("a.csv", lambda: b"sku\nA\n", "only one column"),
    "gzip in gzip": ("a.csv.gz", lambda: gzip.compress(gzip.compress(b"a,b\n1,2\n")), "another packed file"),
    "gzip cut off": ("a.csv.gz", lambda: gzip.compress((HEADER + LINE * 9).encode())[:-20], "broken or cut"),
    "gzip of 600 MB": ("a.csv.gz", lambda: gzip.compress((b"x" * 999 + b"\n") * 600_000, 1), "500 MB"),
    "ten million lines": ("a.csv", lambda: b"a,b\n" * 10_000_000, "more than 5,000,000 lines"),
    "picture renamed": ("a.csv", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "a picture"),
    "UTF-16 without mark": ("a.csv", lambda: (HEADER + LINE).encode("utf-16-le"), "NUL"),
    "UTF-16 cut in the middle of a character": (
        "a.csv", lambda: (HEADER + LINE).encode("utf-16")[:-1], "not utf-16",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_with_a_sentence(case: str, tmp_path: Path):
    name, make, said = HOSTILE[case]
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(UnreadableFile, match=said) as refusal:
        table_files.read(path)
    assert refusal.value.sentence.endswith(".")
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_the_reader_ends_at_its_memory_limit_and_says_so(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + LINE)
    with pytest.raises(UnreadableFile, match="memory"):
        table_files.read(path, limits=replace(LIMITS, memory_bytes=20 * 2**20))


def test_the_reader_is_stopped_when_it_takes_too_long(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + LINE)
    with pytest.raises(UnreadableFile, match="seconds"):
        table_files.read(path, limits=replace(LIMITS, seconds=0))


def test_more_lines_or_bytes_than_allowed_are_refused_with_the_figures(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + LINE * 11)
    with pytest.raises(UnreadableFile, match="more than 10 lines"):
        table_files.read(path, limits=replace(LIMITS, rows=10))
    with pytest.raises(UnreadableFile, match="at most 0 MB"):
        table_files.read(path, limits=replace(LIMITS, file_bytes=100))


def test_a_missing_file_is_named():
    with pytest.raises(NotFound, match=r"There is no file 'gone\.csv'"):
        table_files.read("gone.csv")


@pytest.mark.parametrize(
    ("encoding", "delimiter", "line_end"),
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("utf-16", ";", "\r\n"),
        ("utf-16-be", "\t", "\n"),
        ("cp1252", ";", "\r"),
        ("utf-8", "|", "\n"),
    ],
)
def test_the_dialect_of_a_text_file_is_found(encoding: str, delimiter: str, line_end: str, tmp_path: Path):
    rows = [["Beleg", "Artikel", "Bezeichnung", "Menge"]]
    rows += [[str(n), f"A{n}", f"Größe für Köln, {n}", "1,5"] for n in range(1, 30)]
    quoted = [delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows]
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path = tmp_path / "a.csv"
    path.write_bytes(mark + line_end.join(quoted).encode(encoding))
    file = table_files.read(path)
    assert file.headers == ("Beleg", "Artikel", "Bezeichnung", "Menge")
    assert file.frame.iloc[-1].tolist() == ["29", "A29", "Größe für Köln, 29", "1,5", 30, 4]


def test_line_numbers_are_those_of_an_editor(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text('sku,note\nA,"two\nlines"\n\nB,x\n')
    assert table_files.read(path).frame["line_number"].tolist() == [2, 5]


def test_a_gzipped_file_and_an_excel_hint_line_are_read(tmp_path: Path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"sep=;\nsku;qty\nA;1\n"))
    file = table_files.read(path)
    assert file.headers == ("sku", "qty")
    assert file.frame["line_number"].tolist() == [3]


def test_a_workbook_gives_exact_numbers_and_dates(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    moment = datetime(2025, 3, 4, 8, 26, 59)  # noqa: DTZ001 (a workbook knows no zones)
    path.write_bytes(
        saved([["sku", "qty", "price", "date"], ["007", 3, 0.1 + 0.2, moment], [12.0, 2.5, 1e-5, None]])
    )
    file = table_files.read(path)
    assert file.frame.iloc[0].tolist()[:4] == ["007", "3", "0.3000", "2025-03-04 08:26:59"]
    assert file.frame.iloc[1].tolist()[:4] == ["12", "2.5000", "0.00001", ""]


def test_error_cells_and_dates_out_of_range_stay_visible_as_text(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(saved([["sku", "qty"], ["A", "#REF!"]]))
    assert table_files.read(path).frame["qty"].tolist() == ["#REF!"]


def test_the_first_visible_sheet_is_read_unless_one_is_named(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.title, book.active.sheet_state = "Secret", "hidden"
    book.active.append(["a", "b"])
    for name in ("Sales", "More"):
        sheet = book.create_sheet(name)
        sheet.append(["sku", "sheet"])
        sheet.append(["A", name])
    path = tmp_path / "a.xlsx"
    book.save(path)
    assert table_files.read(path).frame["sheet"].tolist() == ["Sales"]
    assert table_files.read(path, sheet="more").frame["sheet"].tolist() == ["More"]
    with pytest.raises(UnreadableFile, match="there is no sheet 'Other'; there are 'Sales', 'More'"):
        table_files.read(path, sheet="Other")
