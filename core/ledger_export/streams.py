"""The ledger as a stream of bytes, whatever its size: one snapshot, bounded memory."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from time import monotonic

import numpy as np
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import cursors
from core.errors import BadInput
from core.ledger_export import names, packing, rows, writers
from core.ledger_export.copying import Copier
from core.ledger_export.rows import Part
from core.ledger_export.selection import Selection
from db.session import reading

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
"""What can be written, and its media type."""
ENCODINGS = packing.ENCODINGS
"""Content encodings of all formats but Parquet, which is compressed inside."""
WRITERS: dict[str, writers.Writer] = {
    "csv": writers.csv,
    "ndjson": writers.ndjson,
    "parquet": writers.parquet,
    "arrow": writers.arrow,
}
PART_SECONDS = 60
"""How long one COPY may take, and how long a reader may take nothing before its snapshot is given up."""
MOST_SECONDS = 3600
"""A snapshot keeps PostgreSQL from tidying up: who reads slower than this is cut off."""
PIECE_BYTES = 2**20

_MARKED = text("SELECT set_config('application_name', :name, true)")


def stream(selection: Selection, fmt: str, *, encoding: str | None = None) -> Generator[bytes, None, None]:
    """The movements of `selection` in order of ids, as pieces of a file of about a megabyte.

    A snapshot of its own begins with the first piece, which always comes, and ends with the last one or when
    the stream is closed: then its query is cancelled, its thread has ended and its connection is free. One
    thread at a time may use it. Nothing behind the horizon (core/cursors.py) is told.

    Raises:
        BadInput: at once, for a format or an encoding that is not known here.
        DBAPIError: while it runs, also when the reader stalls for PART_SECONDS.
        TimeoutError: when it takes longer than MOST_SECONDS in all.
    """
    if fmt not in FORMATS:
        raise BadInput(f"'{fmt}' is not a format; they are {', '.join(FORMATS)}.")
    if encoding is not None and (encoding not in ENCODINGS or fmt == "parquet"):
        raise BadInput(f"'{encoding}' is not an encoding of {fmt}.")
    return _pieces(selection, fmt, encoding)


def _pieces(selection: Selection, fmt: str, encoding: str | None) -> Generator[bytes, None, None]:
    with reading() as session:
        horizon = cursors.horizon(session)
    last_id = horizon if selection.last_id is None else min(selection.last_id, horizon)
    ends_at = monotonic() + MOST_SECONDS
    is_closed = False
    try:
        with (
            reading(seconds=PART_SECONDS, snapshot=True) as session,
            closing(_of_snapshot(session, selection, last_id, fmt, encoding)) as pieces,
        ):
            for piece in pieces:
                if monotonic() > ends_at:
                    raise TimeoutError(f"The export took longer than {MOST_SECONDS} seconds.")
                try:
                    yield piece
                except GeneratorExit:
                    is_closed = True
                    raise
    except DBAPIError:
        if not is_closed:  # nobody waits for the rest any more: a lost connection is no trouble then
            raise


def _of_snapshot(
    session: Session, selection: Selection, last_id: int, fmt: str, encoding: str | None
) -> Generator[bytes, None, None]:
    session.execute(_MARKED, {"name": cursors.READS_ONLY})
    copier = Copier(session)
    first = rows.read(copier, selection, last_id, after_id=selection.after_id, limit=rows.AT_ONCE)
    found = names.read(copier, selection.category, _few(first))
    with closing(rows.parts(copier, selection, last_id, first)) as parts:
        yield from packing.packed(_bounded(WRITERS[fmt](found, parts)), encoding)


def _few(first: Part) -> np.ndarray | None:
    """The products of few movements: when there are no others, only those are named."""
    return np.unique(first.rows.product_id) if first.go_on is None else None


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, max(len(piece), 1), PIECE_BYTES):  # an empty one is a piece, too
            yield piece[start : start + PIECE_BYTES]
