"""The child process that reads an imported file: limits first, then CSV or XLSX -> Parquet.

Started by `table_files` as `python -m core.imports.table_reader FOLDER`; the folder holds `request.json` and
gets `table.parquet` and `answer.json` (headers and facts, or the refusal).
"""

import json
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

BATCH = 20_000

# Files that are no table, by their first bytes.
MAGIC = {
    b"\xd0\xcf\x11\xe0": "an old .xls or an encrypted workbook: save it as .xlsx without a password",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF document",
    b"BZh": "packed with bzip2: unpack it, or use gzip",
    b"\xfd7zXZ": "packed with xz: unpack it, or use gzip",
    b"7z\xbc\xaf": "packed with 7-Zip: unpack it, or use gzip",
    b"Rar!": "packed with RAR: unpack it, or use gzip",
    b"PAR1": "a Parquet file: export CSV or XLSX",
    b"\x7fELF": "a program",
    b"SQLite format 3": "a database",
}


class Refusal(Exception):
    """What is wrong with the file, and where."""

    def __init__(self, sentence: str, **place: object):
        super().__init__(sentence)
        self.place = place


class Table:
    """Takes rows of text and writes them to Parquet in batches, so that memory stays small."""

    def __init__(self, headers: list[str], path: Path, rows_at_most: int):
        import pyarrow
        import pyarrow.parquet

        self._arrow = pyarrow
        columns = [(f"c{place}", pyarrow.string()) for place in range(len(headers))]
        numbers = [("line_number", pyarrow.int32()), ("cells", pyarrow.int32())]
        self._schema = pyarrow.schema(columns + numbers)
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema)
        self._width = len(headers)
        self._rows: list[list[str]] = []
        self._numbers: list[tuple[int, int]] = []
        self._most = rows_at_most
        self.rows = 0

    def add(self, line_number: int, cells: list[str]) -> None:
        """One line; cells beyond the header are counted, not kept."""
        self.rows += 1
        if self.rows > self._most:
            raise Refusal(f"it has more than {self._most:,} lines. Split it.", line=line_number)
        while len(cells) > self._width and not cells[-1]:
            cells.pop()
        found = len(cells)
        if found < self._width:
            cells = cells + [""] * (self._width - found)
        self._rows.append(cells[: self._width])
        self._numbers.append((line_number, found))
        if len(self._rows) >= BATCH:
            self._flush()

    def close(self) -> None:
        """Write what is left; refuses a table without lines."""
        if self.rows == 0:
            raise Refusal("there is no line below the header.")
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = [
            self._arrow.array(column, self._arrow.string()) for column in zip(*self._rows, strict=True)
        ]
        numbers = [
            self._arrow.array(column, self._arrow.int32()) for column in zip(*self._numbers, strict=True)
        ]
        self._writer.write_batch(self._arrow.record_batch(columns + numbers, schema=self._schema))
        self._rows, self._numbers = [], []


def header_names(cells: Iterable[str], columns_at_most: int) -> list[str]:
    """Clean names of the header line; unnamed columns are called by their number."""
    names = [" ".join(cell.replace("\ufeff", "").split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Refusal("its first line is empty: it should name the columns.", line=1)
    if len(names) > columns_at_most:
        raise Refusal(f"it has {len(names):,} columns; at most {columns_at_most} are read.", line=1)
    names = [name or f"column {place}" for place, name in enumerate(names, start=1)]
    seen: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        if name.lower() in seen:
            raise Refusal(
                f"the header '{name}' names column {seen[name.lower()]} and column {place}: rename one.",
                line=1,
                column=place,
            )
        seen[name.lower()] = place
    return names


def not_a_table(head: bytes) -> str | None:
    """What else the file is, by its first bytes."""
    return next((what for magic, what in MAGIC.items() if head.startswith(magic)), None)


def restrict(limits: dict) -> None:
    """Give this process its limits; the kernel holds them from here on."""
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits["memory_bytes"], limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["seconds"], limits["seconds"] + 5),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, most = resource.getrlimit(kind)  # whoever started us may have less, and nobody raises that
        within = [value for value in (hard, most) if value != resource.RLIM_INFINITY]
        resource.setrlimit(kind, (min(soft, *within), min(within)))


def read(request: dict, target: Path) -> dict:
    """Headers and facts of the file; its lines are in `target` afterwards."""
    source = Path(request["path"])
    with source.open("rb") as stream:
        head = stream.read(16)
    what = not_a_table(head)
    if what:
        raise Refusal(f"this is {what}, not a table.")
    reader: Callable[[Path, dict, Path], dict]
    if head.startswith(b"PK"):
        from core.imports.table_workbook import read_workbook as reader
    else:
        from core.imports.table_csv import read_csv as reader
    return reader(source, request, target)


def blank(cells: Iterable[str]) -> bool:
    """Whether a line has nothing in it."""
    return not any(cell and not cell.isspace() for cell in cells)


def counted(rows: Iterator[tuple[int, list[str]]], table: Table) -> None:
    """All lines that are not blank into the table."""
    for line_number, cells in rows:
        if not blank(cells):
            table.add(line_number, cells)
    table.close()


def main(folder: Path) -> None:
    """Read as `request.json` asks and leave `answer.json`."""
    request = json.loads((folder / "request.json").read_text())
    restrict(request["limits"])
    try:
        answer = read(request, folder / "table.parquet")
    except Refusal as refusal:
        answer = {"refused": str(refusal), "place": refusal.place}
    except MemoryError:
        memory = request["limits"]["memory_bytes"] / 2**30
        answer = {"refused": f"reading it needs more than {memory:.0f} GB of memory."}
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    # The name under which the readers import `Refusal` must be this very module.
    sys.modules["core.imports.table_reader"] = sys.modules["__main__"]
    main(Path(sys.argv[1]))
