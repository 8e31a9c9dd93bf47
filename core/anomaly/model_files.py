"""A model as files: arrays without pickle, a manifest, and a SHA-256 of each file that is held against it.

Arithmetic: no session, no clock.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import BadInput

MANIFEST = "manifest.json"


def pack(manifest: Mapping[str, Any], parts: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, bytes]:
    """The files of a model, by name; the same model gives the same bytes."""
    files = {f"{name}.npz": _packed(arrays) for name, arrays in parts.items()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    told = dict(manifest) | {"sha256": hashes}
    return files | {MANIFEST: json.dumps(told, indent=1, sort_keys=True).encode()}


def unpack(
    files: Mapping[str, bytes], versions: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """Manifest and arrays, by the names given to `pack`.

    Raises:
        BadInput: a file is missing, changed or unreadable, or the manifest tells other `versions`.
    """
    try:
        manifest = dict(json.loads(files[MANIFEST]))
        hashes = dict(manifest["sha256"])
    except (KeyError, ValueError, TypeError) as error:
        raise BadInput("The model has no manifest that can be read. Train a new model.") from error
    if any(manifest.get(name) != version for name, version in versions.items()):
        raise BadInput("The model was trained by another version of the software. Train a new model.")
    for name, told in hashes.items():
        if hashlib.sha256(files.get(name, b"")).hexdigest() != told:
            raise BadInput(f"The model's file {name} is not the one that was trained. Train a new model.")
    return manifest, {name.removesuffix(".npz"): _unpacked(name, files[name]) for name in hashes}


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _unpacked(name: str, content: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(f"The model's file {name} cannot be read. Train a new model.") from error
