"""The ledger's movements as columns of numbers, read a bounded part at a time and one part ahead."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from core.ledger_export.copying import Copier, record
from core.ledger_export.selection import Selection

AT_ONCE = 32_768
"""Movements of one COPY: 2.5 MB, a fortieth of a second of PostgreSQL's time."""
AHEAD = 2
"""Parts that are on their way while one is worked on: PostgreSQL never waits for Python to ask."""
FAR_APART = 4 * AT_ONCE
"""Where the bookings of a part spread further than this over their ids, only they are asked for."""
PLACES = 10_000
"""Quantities and prices are counted in ten-thousandths."""
NO_PRICE = -1
CANCEL_SECONDS = 0.1
# PostgreSQL counts microseconds from 2000 on, everybody else from 1970.
MICROSECONDS_TO_2000 = 946_684_800 * 1_000_000

PLACE = np.dtype([("product_id", ">i4"), ("warehouse_and_letter", ">u4")])
MOVEMENT = record(id=">i8", posting_id=">i8", place=PLACE, change=">i8", unit_price=">i8", occurred_at=">i8")
POSTING = record(id=">i8", recorded_at=">i8")


@dataclass(frozen=True)
class Rows:
    """Movements in order of ids, one entry in each array.

    `letter` is the first one of the type; `change` and `unit_price` are in ten-thousandths (NO_PRICE where
    there is none); moments are microseconds since 1970.
    """

    id: np.ndarray
    product_id: np.ndarray
    warehouse_id: np.ndarray
    letter: np.ndarray
    change: np.ndarray
    unit_price: np.ndarray
    occurred_at: np.ndarray
    recorded_at: np.ndarray

    def __len__(self) -> int:
        return len(self.id)

    def only(self, wanted: np.ndarray | slice) -> "Rows":
        """Those rows alone."""
        return Rows(*(getattr(self, field.name)[wanted] for field in fields(self)))


class Part(NamedTuple):
    """Movements that follow one another, and the id to go on from; None where there are no more."""

    rows: Rows
    go_on: int | None


def read(copier: Copier, selection: Selection, last_id: int, *, after_id: int, limit: int) -> Part:
    """The next movements behind `after_id`; some of the `limit`, or all, may have been booked too early."""
    found = copier.records(
        "export_movements",
        MOVEMENT,
        after_id=after_id,
        last_id=last_id,
        since=selection.since,
        until=selection.until,
        warehouse_id=selection.warehouse_id,
        category=selection.category,
        limit=limit,
    )
    go_on = int(found["id"][-1]) if len(found) == limit else None
    rows = _rows(found, _recorded(copier, found["posting_id"].astype(np.int64)))
    if selection.updated_since is None:
        return Part(rows, go_on)
    return Part(rows.only(rows.recorded_at >= _microseconds(selection.updated_since)), go_on)


def parts(copier: Copier, selection: Selection, last_id: int, first: Part) -> Iterator[Rows]:
    """The rows of `first` and all that follow; the next parts are read while this one is worked on.

    Closing it ends the running COPY and the thread that reads.
    """
    after_id = first.go_on

    def read_on() -> Rows | None:
        nonlocal after_id
        if after_id is None:
            return None
        part = read(copier, selection, last_id, after_id=after_id, limit=AT_ONCE)
        after_id = part.go_on
        return part.rows

    if after_id is None:
        yield first.rows
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger export") as reader:
        coming = deque(reader.submit(read_on) for _ in range(AHEAD))
        try:
            yield first.rows
            while (rows := coming.popleft().result()) is not None:
                coming.append(reader.submit(read_on))
                yield rows
        finally:
            _end(copier, coming)


def _end(copier: Copier, coming: Iterable[Future[Rows | None]]) -> None:
    """No part of these is read any more when this returns."""
    running = [future for future in coming if not future.cancel()]
    # Again and again: the first time its statement may not have reached the server yet.
    while wait(running, timeout=0).not_done:
        copier.cancel()
        wait(running, timeout=CANCEL_SECONDS)


def _rows(found: np.ndarray, recorded_at: np.ndarray) -> Rows:
    rest = found["place"]["warehouse_and_letter"].astype(np.uint32)
    return Rows(
        id=found["id"].astype(np.int64),
        product_id=found["place"]["product_id"].astype(np.int32),
        warehouse_id=(rest >> 8).astype(np.int32),
        letter=rest.astype(np.uint8),
        change=found["change"].astype(np.int64),
        unit_price=found["unit_price"].astype(np.int64),
        occurred_at=found["occurred_at"].astype(np.int64) + MICROSECONDS_TO_2000,
        recorded_at=recorded_at,
    )


def _recorded(copier: Copier, posting_ids: np.ndarray) -> np.ndarray:
    """The moment of each posting, in microseconds since 1970."""
    if not len(posting_ids):
        return posting_ids
    first, last = int(posting_ids.min()), int(posting_ids.max())
    if last - first < FAR_APART:
        found = copier.records("export_recorded", POSTING, first_id=first, last_id=last)
    else:
        few = np.unique(posting_ids).tolist()
        found = copier.records("export_recorded_few", POSTING, posting_ids=few)
    at = np.searchsorted(found["id"].astype(np.int64), posting_ids)
    return found["recorded_at"].astype(np.int64)[at] + MICROSECONDS_TO_2000


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
