"""Arithmetic: an uploaded picture -> gray pixels of bounded size, opened by a child process with limits.

Pictures come from outside. The child may not use more memory or time than `Limits` says, so a bomb ends there
and not in the dashboard. Frames of the live camera come from our own decoder and need none of this.
"""

import dataclasses
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import BadInput

HEAD = 32  # bytes by which a kind of file is known
AT_ONCE = 2  # children; each may take the whole memory of its limit
READ = "PNG, JPEG, WebP, GIF and BMP are read."
# What other files begin with that people take for pictures; first those that Pillow would open.
OTHERS = {
    b"%!PS": "an EPS drawing",
    b"\xc5\xd0\xd3\xc6": "an EPS drawing",
    b"II*\0": "a TIFF scan",
    b"MM\0*": "a TIFF scan",
    b"8BPS": "a Photoshop file",
    b"icns": "an icon",
    b"\0\0\1\0": "an icon",
    b"\0\0\0\x0cjP": "a JPEG 2000 picture",
    b"%PDF": "a PDF document",
    b"PK": "a packed file",
    b"<": "a drawing or a page of text, not pixels",
    b"\x1a\x45\xdf\xa3": "a film",
}
# Phones' newer formats name themselves after the first four bytes.
BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avif": "AVIF"}

_children = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Limits:
    """What one picture may cost. Bytes, pixels, seconds."""

    file_bytes: int = 25 * 2**20
    pixels: int = 64_000_000  # phones take 12 to 50 million
    side_pixels: int = 2_400  # of the answer; a code whose modules are 2.6 pixels in 12 million is still read
    memory_bytes: int = 512 * 2**20
    seconds: int = 8  # of a processor, and also of the clock


LIMITS = Limits()


def opened(data: bytes, *, limits: Limits = LIMITS) -> np.ndarray:
    """The gray pixels (height, width, uint8) of a PNG, JPEG, WebP, GIF or BMP; of several frames the first.

    Turned upright by its EXIF, transparent parts white, and never longer than `limits.side_pixels`.

    Raises:
        BadInput: empty, too large, another kind of file, broken or hostile; the sentence says which.
    """
    if not data:
        raise BadInput("The picture is empty.")
    if len(data) > limits.file_bytes:
        raise BadInput(
            f"The picture has {len(data) / 2**20:,.0f} MB; at most {limits.file_bytes // 2**20} MB are read. "
            "Take it at a lower resolution."
        )
    request = dataclasses.asdict(limits) | {"format": kind(data[:HEAD])}
    if not _children.acquire(timeout=limits.seconds):
        raise BadInput("Other pictures are being opened just now. Try again in a moment.")
    try:
        answer, pixels = _ask_child(data, request, limits)
    finally:
        _children.release()
    if "refused" in answer:
        raise BadInput(f"The picture cannot be read: {answer['refused']}")
    return np.frombuffer(pixels, np.uint8).reshape(answer["height"], answer["width"])


def kind(head: bytes) -> str:
    """The format, as Pillow calls it, by a file's first bytes alone: its name and declared type may lie.

    Raises:
        BadInput: none of the five that are read.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"BM"):
        return "BMP"
    if head[4:8] == b"ftyp":
        brand = BRANDS.get(head[8:12])
        if brand:
            raise BadInput(
                f"This is {brand}, which is not read: {READ} "
                "On an iPhone choose Settings, Camera, Formats, Most Compatible; or upload a screenshot."
            )
        raise BadInput(f"This is a film, not a picture: {READ}")
    what = next((what for magic, what in OTHERS.items() if head.lstrip().startswith(magic)), None)
    raise BadInput(f"This is {what or 'no picture'}: {READ}")


def _ask_child(data: bytes, request: dict, limits: Limits) -> tuple[dict, bytes]:
    """Open the picture in a fresh interpreter; what it answered, and the pixels."""
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        # Spare arenas reserve address space, which counts against the memory limit.
        "MALLOC_ARENA_MAX": "2",
    }
    command = [sys.executable, "-m", "core.scanning.picture_reader", json.dumps(request)]
    try:
        ended = subprocess.run(
            command, input=data, env=environment, timeout=limits.seconds, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"Opening the picture took more than {limits.seconds} seconds: stopped.") from None
    line, _, pixels = ended.stdout.partition(b"\n")
    if not line:
        # Killed by the kernel at a limit, before it could say so itself.
        raise BadInput(
            f"The picture cannot be opened within {limits.memory_bytes // 2**20} MB of memory and "
            f"{limits.seconds} seconds. Take it at a lower resolution."
        )
    return json.loads(line), pixels
