"""Arithmetic: an imported file -> a table of text, read by a child process with limits.

Files come from outside. The child may not use more memory or time than `Limits` says, so a bomb ends there
and not in the dashboard; what it hands back is a Parquet file in a folder of its own.
"""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.errors import BadInput, NotFound
from core.imports.table_reader import not_a_table
from core.inputs import shown

HEAD = 16  # bytes by which a kind of file is known
LINE = "line_number"
CELLS = "cells"


class UnreadableFile(BadInput):
    """The file as a whole cannot be read; the sentence says what is wrong and where."""


@dataclass(frozen=True)
class Limits:
    """What one file may cost. Bytes, seconds, counts."""

    file_bytes: int = 50 * 2**20
    unpacked_bytes: int = 500 * 2**20
    rows: int = 5_000_000
    sheet_rows: int = 1_048_576
    columns: int = 100
    field_characters: int = 10_000
    zip_entries: int = 2_000
    zip_ratio: int = 200
    empty_rows: int = 10_000
    memory_bytes: int = 2**30
    seconds: int = 180


LIMITS = Limits()


@dataclass(frozen=True)
class TableFile:
    """A file as a table of text.

    `frame` has one row per line below the header: a text column for each header, and two numbers:
    `line_number` (as an editor or a spreadsheet counts) and `cells` (how many cells the line really has).
    `facts` says how it was read: format, encoding, delimiter, sheet.
    """

    name: str
    sha256: str
    headers: tuple[str, ...]
    frame: pd.DataFrame
    facts: dict[str, str] = field(default_factory=dict)


def read(
    path: str | Path,
    *,
    name: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> TableFile:
    """Read CSV (also packed with gzip) or XLSX; encoding, delimiter and sheet are found unless given.

    `name` is what refusals call the file; its own name otherwise.

    Raises:
        NotFound: there is no such file.
        UnreadableFile: too large, not a table, broken or hostile; names the place where it can.
    """
    path = Path(path)
    name = shown(name or path.name, 255)
    if not path.is_file():
        raise NotFound(f"There is no file '{name}'.")
    if delimiter is not None and len(delimiter) != 1:
        raise BadInput(f"A delimiter is one character, not '{shown(delimiter)}'.")
    with path.open("rb") as stream:
        refuse_at_the_door(name, path.stat().st_size, stream.read(HEAD), limits)
    request = {
        "path": str(path.resolve()),
        "encoding": encoding,
        "delimiter": delimiter,
        "sheet": sheet,
        "limits": dataclasses.asdict(limits),
    }
    with tempfile.TemporaryDirectory(prefix="runout-import-") as folder:
        answer = _ask_child(name, request, Path(folder), limits)
        frame = pd.read_parquet(Path(folder) / "table.parquet")
    frame.columns = [*answer["headers"], LINE, CELLS]
    return TableFile(name, _sha256(path), tuple(answer["headers"]), frame, answer["facts"])


def refuse_at_the_door(name: str, size: int, head: bytes, limits: Limits = LIMITS) -> None:
    """Refuse by size and first bytes alone what cannot be a table: cheap, before anything is kept or read.

    Raises:
        UnreadableFile: empty, too large, or neither text nor gzip nor a workbook.
    """
    if size == 0:
        raise UnreadableFile(f"'{name}' is empty.")
    if size > limits.file_bytes:
        raise UnreadableFile(
            f"'{name}' has {size / 2**20:,.0f} MB; at most {limits.file_bytes // 2**20} MB are read. "
            "Split it or pack it with gzip."
        )
    what = not_a_table(head)
    if what:
        raise UnreadableFile(f"'{name}': this is {what}, not a table. Bring CSV (also .gz) or XLSX.")


def _ask_child(name: str, request: dict, folder: Path, limits: Limits) -> dict:
    """Run the reader in a fresh interpreter; its answer, or its refusal as an error."""
    (folder / "request.json").write_text(json.dumps(request))
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {
        "PYTHONPATH": str(root),
        # Thread pools reserve address space, which counts against the memory limit.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
    }
    command = [sys.executable, "-m", "core.imports.table_reader", str(folder)]
    try:
        ended = subprocess.run(
            command, cwd=folder, env=environment, timeout=limits.seconds, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnreadableFile(
            f"Reading '{name}' took more than {limits.seconds} seconds and was stopped."
        ) from None
    answered = folder / "answer.json"
    if not answered.exists():
        # Killed by the kernel at a limit, before it could say so itself.
        raise UnreadableFile(
            f"'{name}' cannot be read within {limits.memory_bytes / 2**30:.0f} GB of memory and "
            f"{limits.seconds} seconds (reader ended with {ended.returncode})."
        )
    answer = json.loads(answered.read_text())
    if "refused" in answer:
        raise UnreadableFile(f"'{name}': {answer['refused']}", **answer.get("place", {}))
    return answer


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
