"""A model as files: a folder, or the `model.tar.gz` that SageMaker makes of one; read within bounds.

Nothing is unpacked to disk. What the files mean, and whether their hashes fit, is the detector's business.
"""

import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import BadInput

FINGERPRINT_CHARACTERS = 32
MOST_FILES = 32
MOST_BYTES = 200_000_000  # of all files together; a model of a large shop has some megabytes


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """One short word for a model, from the hashes of its files: the same wherever they are."""
    told = json.dumps(manifest["sha256"], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:FINGERPRINT_CHARACTERS]


def of_folder(folder: Path) -> dict[str, bytes]:
    """The files of a model in a folder, by name. Refuses a missing, empty or far too large one."""
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        sizes = [path.stat().st_size for path in found]
        if not found:
            raise BadInput(f"There is no model in '{folder}'.")
        if len(found) > MOST_FILES or sum(sizes) > MOST_BYTES:
            raise BadInput(f"'{folder}' holds more than a model: {len(found)} files, {sum(sizes):,} bytes.")
        return {path.name: path.read_bytes() for path in found}
    except OSError as error:
        raise BadInput(f"The model in '{folder}' cannot be read: {error.strerror}.") from None


def into_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a model; the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def of_archive(path: Path) -> dict[str, bytes]:
    """The files in a `model.tar.gz`, by name. Refuses folders, links, other places and bombs."""
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=_Capped(stream), mode="r|") as archive:
            files: dict[str, bytes] = {}
            for member in archive:
                if member.isdir() and member.name in (".", "./"):
                    continue
                name = member.name.removeprefix("./")
                if (
                    not member.isreg()
                    or "/" in name
                    or "\\" in name
                    or name in ("", ".", "..")
                    or name in files
                ):
                    raise BadInput(f"'{path.name}' holds something else than the plain files of a model.")
                if len(files) == MOST_FILES:
                    raise BadInput(f"'{path.name}' holds more than {MOST_FILES} files.")
                files[name] = archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise BadInput(f"'{path.name}' is not a whole tar.gz file.") from None
    except OSError as error:
        raise BadInput(f"'{path}' cannot be read: {error.strerror}.") from None
    if not files:
        raise BadInput(f"'{path.name}' is empty.")
    return files


class _Capped:
    """A stream that refuses to be longer than a model: a small file may unpack to any size."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = MOST_BYTES

    def read(self, size: int) -> bytes:
        found = self._stream.read(min(size, self._left + 1))
        self._left -= len(found)
        if self._left < 0:
            raise BadInput(f"The archive unpacks to more than {MOST_BYTES:,} bytes.")
        return found
