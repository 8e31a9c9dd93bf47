"""A table as an Excel workbook: numbers are numbers, dates are dates, and nothing is ever a formula."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, islice
from typing import Any

from core.datasets.table_types import Column, Row

MOST_ROWS = 1_048_575  # a sheet has 1,048,576, of which one is the header
CELL_CHARACTERS = 32_767
FIRST_DAY = date(1900, 3, 1)  # before it, calendars of spreadsheets disagree
WIDTH = {
    "day": 12,
    "moment": 20,
    "quantity": 12,
    "money": 12,
    "share": 10,
    "whole": 10,
    "number": 14,
    "yes": 8,
}
WIDTHS = range(10, 46)  # of text, in characters
LOOKED_AT = 200  # rows that say how wide a column of text is
STEP_ROWS = 2_000
PIECE_BYTES = 2**18
OPTIONS = {
    "constant_memory": True,  # a row is on the disk before the next one comes
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
NUMBERS = {"quantity": "#,##0.####", "money": "#,##0.00##", "share": "0.0%", "whole": "0"}


def write(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """The workbook in pieces; empty ones come while it is made, so that whoever waits can go away."""
    import xlsxwriter

    rows = iter(rows)
    first = list(islice(rows, LOOKED_AT))
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, OPTIONS)
        sheet = book.add_worksheet("Runout")
        cells = _heading(book, sheet, columns, first)
        for number, row in enumerate(islice(chain(first, rows), MOST_ROWS), 1):
            for place, (cell, value) in enumerate(zip(cells, row, strict=True)):
                if value is not None:
                    cell(number, place, value)
            if number % STEP_ROWS == 0:
                yield b""
        book.close()
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


def _heading(
    book: Any, sheet: Any, columns: Sequence[Column], first: list[Row]
) -> list[Callable[[int, int, Any], Any]]:
    """Header, widths and the writer of each column's cells."""
    bold = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
    sheet.freeze_panes(1, 0)
    cells = []
    for place, column in enumerate(columns):
        form = book.add_format({"num_format": NUMBERS[column.kind]}) if column.kind in NUMBERS else None
        if column.kind in ("day", "moment"):
            form = book.add_format({"num_format": "yyyy-mm-dd" + " hh:mm:ss" * (column.kind == "moment")})
        sheet.set_column(place, place, _width(column, [row[place] for row in first]))
        sheet.write_string(0, place, column.header, bold)
        cells.append(_writer(sheet, column.kind, form))
    return cells


def _width(column: Column, values: Sequence[Any]) -> int:
    least = max(len(column.header) + 2, WIDTH.get(column.kind, WIDTHS.start))
    if column.kind != "text":
        return least
    longest = max((len(value) for value in values if value is not None), default=0)
    return max(least, min(longest + 1, WIDTHS.stop - 1))


def _writer(sheet: Any, kind: str, form: Any) -> Callable[[int, int, Any], Any]:
    match kind:
        case "text":
            return lambda row, place, value: sheet.write_string(row, place, value[:CELL_CHARACTERS])
        case "yes":
            return lambda row, place, value: sheet.write_string(row, place, "yes" if value else "no")
        case "day":
            return lambda row, place, value: (
                sheet.write_datetime(row, place, value, form)
                if value >= FIRST_DAY
                else sheet.write_string(row, place, value.isoformat())
            )
        case "moment":
            return lambda row, place, value: (
                sheet.write_datetime(row, place, value.replace(tzinfo=None), form)
                if value.date() >= FIRST_DAY
                else sheet.write_string(row, place, value.isoformat())
            )
        case _:
            return lambda row, place, value: sheet.write_number(row, place, value, form)
