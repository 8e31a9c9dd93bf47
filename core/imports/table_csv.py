"""Reading CSV in the child process: unpacking, encoding, delimiter, lines of bounded length."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from core.datasets.formulas import unmarked
from core.imports.table_reader import Refusal, Table, blank, counted, header_names, not_a_table

BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
DELIMITERS = (",", ";", "\t", "|")
# Where a file is neither UTF-8 nor marked: the code pages that Windows programs in Europe still write.
CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254"]
SAMPLE_LINES = 50
CHUNK = 2**20


def read_csv(source: Path, request: dict, target: Path) -> dict:
    """Read one CSV file into `target`; its headers and how it was read."""
    limits = request["limits"]
    with source.open("rb") as stream:
        head = stream.read(4)
    packed = head.startswith(b"\x1f\x8b")
    encoding = request["encoding"] or _encoding(source, packed, limits)
    try:
        "".encode(encoding)  # the codecs that are no encodings of text, such as hex, refuse that
    except (LookupError, UnicodeError):
        raise Refusal(f"'{encoding}' is not the name of an encoding.") from None
    delimiter = request["delimiter"] or _delimiter(_lines(source, packed, encoding, limits), limits)
    rows = _rows(_lines(source, packed, encoding, limits), delimiter, limits)
    _, cells = next(((number, cells) for number, cells in rows if not blank(cells)), (1, []))
    headers = header_names(cells, limits["columns"])
    counted(rows, Table(headers, target, limits["rows"]))
    names = {"\t": "tab"}
    facts = {
        "format": "csv.gz" if packed else "csv",
        "encoding": encoding,
        "delimiter": names.get(delimiter, delimiter),
    }
    return {"headers": headers, "facts": facts}


class _Capped(io.RawIOBase):
    """The unpacked bytes, and never more of them than allowed."""

    def __init__(self, stream: BinaryIO, bytes_at_most: int):
        self._stream = stream
        self._left = bytes_at_most
        self._most = bytes_at_most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            piece = self._stream.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as broken:
            raise Refusal(f"the packed file is broken or cut off ({broken}).") from broken
        self._left -= len(piece)
        if self._left < 0:
            raise Refusal(f"unpacked it has more than {self._most // 2**20} MB. Split it.")
        buffer[: len(piece)] = piece
        return len(piece)


def _bytes(source: Path, packed: bool, limits: dict) -> io.BufferedReader:
    stream: BinaryIO = gzip.open(source, "rb") if packed else source.open("rb")  # noqa: SIM115 (closed by the reader)
    return io.BufferedReader(_Capped(stream, limits["unpacked_bytes"]), CHUNK)


def _encoding(source: Path, packed: bool, limits: dict) -> str:
    """UTF-8 when every byte says so, else the byte order mark, else the likeliest code page."""
    with _bytes(source, packed, limits) as stream:
        head = stream.peek(64)[:64]
        what = "another packed file" if head.startswith((b"\x1f\x8b", b"PK\3\4")) else not_a_table(head)
        if what:
            raise Refusal(f"inside is {what}, not a table.")
        for mark, encoding in BOMS.items():
            if head.startswith(mark):
                return encoding
        decoder, ends = codecs.getincrementaldecoder("utf-8")(), 0
        try:
            while piece := stream.read(CHUNK):
                decoder.decode(piece)
                ends += piece.count(b"\n")
                if ends > limits["rows"] + 1:  # known long before the lines are cut into cells
                    raise Refusal(f"it has more than {limits['rows']:,} lines. Split it.")
            decoder.decode(b"", final=True)
            return "utf-8"
        except UnicodeDecodeError:
            pass
    return _code_page(source, packed, limits)


def _code_page(source: Path, packed: bool, limits: dict) -> str:
    from charset_normalizer import from_bytes

    telling = []
    with _bytes(source, packed, limits) as stream:
        while len(telling) < 500 and (line := stream.readline(CHUNK)):
            if b"\0" in line:
                raise Refusal("it holds NUL bytes and no byte order mark: this is not a text file.", line=1)
            if not line.isascii():
                telling.append(line)
    best = from_bytes(b"".join(telling)[:200_000], cp_isolation=CODE_PAGES).best()
    return best.encoding if best is not None else "cp1252"


def _lines(source: Path, packed: bool, encoding: str, limits: dict) -> Iterator[str]:
    """Decoded lines with their line ends (LF, CRLF or CR), none longer than a full line may be."""
    longest = limits["field_characters"] * limits["columns"]
    number = 0
    with io.TextIOWrapper(_bytes(source, packed, limits), encoding, newline="") as text:
        while True:
            try:
                line = text.readline(longest + 1)
            except UnicodeError as broken:
                raise Refusal(
                    f"after line {number:,} come bytes that are not {encoding}: choose another encoding "
                    "(--encoding).",
                    line=number + 1,
                ) from broken
            if not line:
                return
            number += 1
            if len(line) > longest:
                raise Refusal(f"line {number:,} is longer than {longest:,} characters.", line=number)
            if "\0" in line:
                raise Refusal(f"line {number:,} holds a NUL character.", line=number)
            yield line


def _delimiter(lines: Iterator[str], limits: dict) -> str:
    """The character that cuts the first lines into the most columns, the same number each time."""
    sample = [line for line, _ in zip(lines, range(SAMPLE_LINES), strict=False) if line.strip()]
    if not sample:
        raise Refusal("it has no line with text in it.")
    told = re.fullmatch(r"sep=(.)", sample[0].strip("\r\n"), re.IGNORECASE)
    if told:
        return told[1]
    best, most = None, (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(cells) for _, cells in _rows(iter(sample), delimiter, limits)]
        except Refusal:
            # The sample may end inside a quoted field; the header still counts.
            widths = [sample[0].count(delimiter) + 1]
        if not widths or widths[0] < 2:
            continue
        agreement = sum(width == widths[0] for width in widths) / len(widths)
        if (round(agreement, 1), widths[0]) > most:
            best, most = delimiter, (round(agreement, 1), widths[0])
    if best is None:
        raise Refusal(
            "its first line has only one column: separate columns by comma, semicolon, tab or |, "
            "or name what stands between them (--delimiter).",
            line=1,
        )
    return best


def _rows(lines: Iterator[str], delimiter: str, limits: dict) -> Iterator[tuple[int, list[str]]]:
    """Line number (where the record begins) and cells of each record, as they were before an export."""
    previous = csv.field_size_limit(limits["field_characters"])
    try:
        records = csv.reader(lines, delimiter=delimiter, strict=True)
        begins = 1
        while True:
            try:
                cells = next(records)
            except StopIteration:
                return
            except csv.Error as broken:
                raise Refusal(
                    f"the record that begins on line {begins:,} cannot be read: {_why(broken, limits)}.",
                    line=begins,
                ) from broken
            if len(cells) > limits["columns"] and not blank(cells[limits["columns"] :]):
                raise Refusal(
                    f"line {begins:,} has {len(cells):,} columns; at most {limits['columns']} are read.",
                    line=begins,
                )
            if not (begins == 1 and len(cells) <= 2 and cells and cells[0].lower().startswith("sep=")):
                yield begins, [unmarked(cell) for cell in cells]
            begins = records.line_num + 1
    finally:
        csv.field_size_limit(previous)


def _why(broken: csv.Error, limits: dict) -> str:
    told = str(broken)
    if "field larger" in told:
        return (
            f"a field has more than {limits['field_characters']:,} characters, or its quote is never closed"
        )
    if "unexpected end" in told:
        return "its quote is never closed, or the file was cut off"
    return told
