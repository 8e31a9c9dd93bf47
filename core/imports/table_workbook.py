"""Reading XLSX in the child process: the zip is judged before anything is unpacked."""

import math
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from core.imports.table_reader import Refusal, Table, blank, counted, header_names


def read_workbook(source: Path, request: dict, target: Path) -> dict:
    """Read one sheet of a workbook into `target`; its headers and which sheet it was.

    The first visible sheet unless the request names one. Cached values are read, formulas are not computed;
    macros and links are not looked at. Hidden rows count like others.
    """
    limits = request["limits"]
    judge_zip(source, limits)
    import openpyxl

    try:
        # A stream, since openpyxl judges paths by how they end. This process ends before it need be closed.
        stream = source.open("rb")
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        sheet = _sheet(book, request["sheet"])
        sheet.reset_dimensions()  # the file's own word on its size is not trusted
        rows = _rows(sheet, limits)
        _, cells = next(rows, (1, []))
        headers = header_names(cells, limits["columns"])
        counted(rows, Table(headers, target, min(limits["rows"], limits["sheet_rows"])))
    except (Refusal, MemoryError):
        raise
    except Exception as broken:
        # openpyxl and its XML parser raise a dozen kinds; all of them mean that the file is at fault.
        told = (str(broken).replace(str(source), source.name).splitlines() or [""])[0][:120].rstrip(".")
        raise Refusal(f"the workbook is broken ({type(broken).__name__}: {told}).") from broken
    return {"headers": headers, "facts": {"format": "xlsx", "sheet": sheet.title}}


def judge_zip(source: Path, limits: dict) -> None:
    """Refuse zip bombs, strange paths and zips that are no workbook by their table of contents."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as broken:
        raise Refusal(f"it begins like a workbook but is broken ({str(broken)[:120]}).") from broken
    if len(entries) > limits["zip_entries"]:
        raise Refusal(
            f"the workbook holds {len(entries):,} parts; at most {limits['zip_entries']:,} are read."
        )
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/"):
            raise Refusal(f"the workbook holds a part outside of itself ('{name[:80]}').")
        if entry.flag_bits & 1:
            raise Refusal("the workbook is encrypted: save it without a password.")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > limits["unpacked_bytes"] or unpacked > limits["zip_ratio"] * max(packed, 2**14):
        raise Refusal(
            f"unpacked the workbook has {unpacked / 2**20:,.0f} MB from {packed / 2**20:,.1f} MB; at most "
            f"{limits['unpacked_bytes'] // 2**20} MB and {limits['zip_ratio']} times its size are read."
        )
    names = {entry.filename for entry in entries}
    if len(names) < len(entries):
        raise Refusal("the workbook holds two parts of one name.")
    if "[Content_Types].xml" not in names:
        raise Refusal("this is a zip file, not a workbook: unpack it first.")


def _sheet(book, wanted: str | None):
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if wanted is not None:
        for sheet in book.worksheets:
            if sheet.title.strip().lower() == wanted.strip().lower():
                return sheet
        known = ", ".join(f"'{sheet.title}'" for sheet in visible[:10])
        raise Refusal(f"there is no sheet '{wanted}'; there are {known}.")
    if not visible:
        raise Refusal("the workbook has no visible sheet: name one (--sheet).")
    return visible[0]


def _rows(sheet, limits: dict) -> Iterator[tuple[int, list[str]]]:
    """Row number and cells as text of each row that is not blank."""
    most = limits["columns"]
    last = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if not values or (values[0] is None and not any(value is not None for value in values)):
            continue
        cells = [_text(value) for value in values[:most]]
        if any(value is not None for value in values[most:]):
            raise Refusal(f"row {number:,} has more than {most} columns.", line=number)
        if blank(cells):
            continue
        if number - last > limits["empty_rows"]:
            raise Refusal(
                f"rows {last + 1:,} to {number - 1:,} are empty and row {number:,} is not.", line=number
            )
        for column, cell in enumerate(cells, start=1):
            if len(cell) > limits["field_characters"]:
                raise Refusal(
                    f"row {number:,}, column {column}: more than {limits['field_characters']:,} characters.",
                    line=number,
                    column=column,
                )
            if "\0" in cell:
                raise Refusal(
                    f"row {number:,}, column {column}: a NUL character.", line=number, column=column
                )
        last = number
        yield number, cells


def _text(value: object) -> str:
    """A cell as text that reads back to the same value.

    Excel keeps 15 digits. A number with a fraction is written with at least four decimals, so that it can
    never be taken for a number with a thousands separator.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        # Excel counts in fractions of a day; a second is what it means.
        return (value + timedelta(milliseconds=500)).replace(microsecond=0).isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    whole, _, fraction = f"{Decimal(f'{value:.15g}'):f}".partition(".")
    return f"{whole}.{fraction:0<4}" if fraction else whole
