"""A feature export as the training finds it: checked, and read into what a detector learns from.

Needs no database: this is the part of the house that runs where the training runs.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.anomaly import features
from core.anomaly.detector import CODE_VERSION
from core.anomaly.habits import Habits
from core.anomaly.lines import KINDS
from core.anomaly.training import Table
from core.errors import BadInput

MANIFEST, HABITS, TRAIN = "manifest.json", "habits.npz", "train"


@dataclass(frozen=True)
class Channel:
    """What is learned from: the rows, the habits they were made with, and where they come from."""

    table: Table
    habits: Habits
    manifest: dict[str, Any]


def find(data: Path) -> Path:
    """The folder below `data` (one a channel) that holds the export. Refuses none and several."""
    found = sorted({path.parent for pattern in ("*", "*/*") for path in data.glob(f"{pattern}/{MANIFEST}")})
    if len(found) != 1:
        told = "no channel" if not found else "several channels"
        raise BadInput(f"'{data}' has {told} with an export of features (a {MANIFEST}): name exactly one.")
    return found[0]


def read(folder: Path) -> Channel:
    """The channel in `folder`. Refuses other versions, changed or missing files, and rows that do not fit."""
    manifest = _manifest(folder)
    parts = [place for place in manifest["sha256"] if place.startswith(f"{TRAIN}/")]
    for place in (HABITS, *parts):
        _must_fit(folder, place, manifest["sha256"].get(place))
    try:
        with np.load(io.BytesIO((folder / HABITS).read_bytes()), allow_pickle=False) as arrays:
            habits = Habits.from_arrays({name: arrays[name] for name in arrays.files})
    except (KeyError, ValueError) as error:
        raise BadInput(f"{HABITS} cannot be read: export the features again.") from error
    return Channel(_table([folder / place for place in parts]), habits, manifest)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        versions = manifest["feature_version"], manifest["code_version"]
        if not isinstance(manifest["sha256"], dict):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"{MANIFEST} cannot be read: export the features again.") from None
    if versions != (features.VERSION, CODE_VERSION):
        raise BadInput(
            f"The features were exported by another version ({versions[0]}, this one is {features.VERSION}): "
            "train with the image of that version, or export them again."
        )
    return manifest


def _must_fit(folder: Path, place: str, said: str | None) -> None:
    path = folder / place
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise BadInput(f"{place} is missing: copy the whole export.")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != said:
            raise BadInput(f"{place} is not as it was exported: copy it again.")


def _table(paths: list[Path]) -> Table:
    """The rows of all files, in the order in which they were made."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not paths:
        raise BadInput("There are no rows to learn from: export months in which something moved.")
    try:
        rows = pa.concat_tables([pq.ParquetFile(path).read() for path in paths]).sort_by("row")
        columns = {name: rows[name].to_numpy() for name in ("kind", "weight", "at", "transaction_id")}
        found = np.column_stack([rows[name].to_numpy() for name in features.NAMES])
    except (pa.ArrowException, KeyError) as error:
        raise BadInput("The rows cannot be read: export the features again.") from error
    places = {kind: place for place, kind in enumerate(KINDS)} | {"none": -1}
    return Table(
        features=found.astype(np.float32, copy=False),
        kind=np.array([places[kind] for kind in columns["kind"]], np.int8),
        weight=columns["weight"].astype(np.float32),
        at=columns["at"].astype(np.float64),
        id=columns["transaction_id"].astype(np.int64),
    )
