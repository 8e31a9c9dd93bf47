"""The training channel: features of movements as Parquet files by month, and all that is needed to learn.

    train/month=2026-10/part-0000.parquet       rows to learn from: real lines, and made-up mistakes
    movements/month=2026-10/part-0000.parquet   every movement as it is, in booking order
    aggregates/month=2026-10/part-0000.parquet  product, warehouse and week, with the weeks before it
    habits.npz  data_dictionary.csv  data_dictionary.json  manifest.json

Only numbers leave, and the codes of products and warehouses: no person, no customer, no document, no free
text. Everything is written beside its place, and moved there in one step when it is whole.
"""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from core.anomaly import features
from core.anomaly.detector import CODE_VERSION
from core.anomaly.habits import Habits
from core.anomaly.lines import KINDS
from core.anomaly.training import Table
from core.doctor import data_dictionary
from core.errors import RuleBroken
from db import queries

FORMAT = 1
TRAIN, MOVEMENTS, AGGREGATES = "train", "movements", "aggregates"
MANIFEST = "manifest.json"
HABITS = "habits.npz"
ROWS_AT_ONCE = 20_000
COMPRESSION = "zstd"


def train_columns(table: Table) -> dict[str, np.ndarray]:
    """The columns of rows to learn from; `row` keeps their order, so that learning is the same anywhere."""
    kinds = np.array([*KINDS, "none"])
    return {
        "row": np.arange(len(table), dtype=np.int64),
        "transaction_id": table.id,
        "at": table.at,
        "label": table.kind >= 0,
        "kind": kinds[table.kind],
        "weight": table.weight,
    } | _by_name(table.features)


def movement_columns(ids: np.ndarray, at: np.ndarray, found: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of movements as they are."""
    return {"transaction_id": ids, "at": at} | _by_name(found)


def weeks(session: Session, last_id: int, since: date, until: date) -> Iterator[pd.DataFrame]:
    """The aggregates of weeks that begin at `since` or later, without what happened at `until` or later.

    Some rows at a time, the oldest week first.
    """
    asked = {"last_id": last_id, "since": since, "until": until}
    answer = session.execute(
        queries.sql("product_weeks"),
        asked,
        execution_options={"stream_results": True, "yield_per": ROWS_AT_ONCE},
    )
    names = list(answer.keys())
    for rows in answer.partitions():
        yield pd.DataFrame(rows, columns=names)


def _by_name(found: np.ndarray) -> dict[str, np.ndarray]:
    return {name: found[:, place] for place, name in enumerate(features.NAMES)}


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


class Export:
    """An export that is being written; it is in its place after `finish`, else nothing of it is left.

    A folder that holds an older export is replaced; one that holds anything else is refused.
    """

    def __init__(self, out: Path) -> None:
        self.out = out.absolute()
        self._new = self.out.with_name(f".{self.out.name}.new")
        self._old = self.out.with_name(f".{self.out.name}.old")
        self._rows = {TRAIN: 0, MOVEMENTS: 0, AGGREGATES: 0}
        self._parts = dict.fromkeys(self._rows, 0)
        self._hashes: dict[str, str] = {}

    def __enter__(self) -> "Export":
        if self.out.exists() and not self._is_ours():
            raise RuleBroken(f"'{self.out}' holds something else than an export: name another folder.")
        if not self.out.parent.is_dir():
            raise RuleBroken(f"There is no folder '{self.out.parent}' to write to.")
        for left_over in (self._new, self._old):  # of one that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        self._new.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._new, ignore_errors=True)

    def add(self, name: str, at: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
        """Write rows of one of the three tables, each to the month of its `at` (seconds since 1970)."""
        months = at.astype("datetime64[s]").astype("datetime64[M]")
        for month in np.unique(months):
            chosen = np.flatnonzero(months == month)
            self._write(name, str(month), {key: column[chosen] for key, column in columns.items()})
        self._rows[name] += len(at)
        self._parts[name] += 1

    def add_weeks(self, found: pd.DataFrame) -> None:
        """Write aggregates, each to the month in which its week begins."""
        at = found["week"].to_numpy("datetime64[s]").astype(np.int64)
        self.add(AGGREGATES, at, {name: found[name].to_numpy() for name in found.columns})

    def finish(self, habits: Habits, about: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Add the habits, the dictionary and the manifest, and move all to its place; gives the manifest."""
        self._keep(HABITS, _packed(habits.to_arrays()))
        rows = data_dictionary.rows()
        self._keep("data_dictionary.json", json.dumps(rows, indent=1).encode())
        with (self._new / "data_dictionary.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, data_dictionary.COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        self._keep("data_dictionary.csv", None)
        manifest = {
            "format": FORMAT,
            "feature_version": features.VERSION,
            "code_version": CODE_VERSION,
            "features": list(features.NAMES),
            "kinds": list(KINDS),
            "rows": self._rows,
            "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            **about,
            "sha256": dict(sorted(self._hashes.items())),
        }
        (self._new / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        self._move()
        return manifest

    def _write(self, name: str, month: str, columns: Mapping[str, np.ndarray]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        place = f"{name}/month={month}/part-{self._parts[name]:04d}.parquet"
        path = self._new / place
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(dict(columns)), path, compression=COMPRESSION)
        self._keep(place, None)

    def _keep(self, place: str, content: bytes | None) -> None:
        """Remember the hash of a file; `content` is written first where it is not there yet."""
        path = self._new / place
        if content is not None:
            path.write_bytes(content)
        with path.open("rb") as file:
            self._hashes[place] = hashlib.file_digest(file, "sha256").hexdigest()

    def _is_ours(self) -> bool:
        if not self.out.is_dir():
            return False
        names = {path.name for path in self.out.iterdir()}
        return not names or {MANIFEST, HABITS, TRAIN} <= names

    def _move(self) -> None:
        if self.out.exists():
            self.out.rename(self._old)
        self._new.rename(self.out)
        shutil.rmtree(self._old, ignore_errors=True)
