"""What a camera would see: short films of codes in somebody's hand, for Chromium's fake camera.

The codes are drawn by zxing-cpp's writer, so that nothing of ours (labels: python-barcode and segno) reads
its own writing. A film is a file of JPEG pictures; Chromium plays 30 a second and begins anew at its end.
"""

import io
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 640, 480
PLAYED_PER_SECOND = 30  # what Chromium plays of a .mjpeg, whatever the file says
REPEATS = 2  # each picture is written twice: 15 different ones a second are enough of a hand's tremble
SECOND = PLAYED_PER_SECOND // REPEATS
DESK, PAPER = 120, 235  # shades of grey
QUALITY = 75
NOISE = 2.0  # shades that a sensor is off by
WRITERS = {
    "EAN-13": "EAN13",
    "EAN-8": "EAN8",
    "UPC-A": "UPCA",
    "ITF-14": "ITF14",
    "Code 128": "Code128",
    "Code 39": "Code39",
    "QR": "QRCode",
    "DataMatrix": "DataMatrix",
}


@dataclass(frozen=True)
class Hand:
    """How the label is held: `tremble` and `wide` in pixels, `turned` in degrees.

    `tilted` is how much narrower the far side is (0 to 1), `blur` a radius in pixels, `light` what reaches
    the camera of it (1 is a bright room) and `flicker` by how much that goes up and down.
    """

    wide: int = 380
    tremble: float = 2
    turned: float = 2
    tilted: float = 0.06
    blur: float = 0.6
    light: float = 1
    flicker: float = 0.08


CLEAN = Hand(tremble=1, turned=0, tilted=0, blur=0, flicker=0)
STEADY = Hand()
SHAKY = Hand(tremble=7, turned=5, tilted=0.1, blur=1)
DIM = Hand(light=0.3, flicker=0.2, blur=0.8)


@dataclass(frozen=True)
class Shot:
    """`seconds` of a code in a hand; without a `text` the desk alone. GS1 texts are "(01)...(10)...".

    `printed` is held instead of the code: grey pixels of a label that somebody else drew.
    """

    text: str | None
    symbology: str = "EAN-13"
    seconds: float = 2
    hand: Hand = STEADY
    printed: np.ndarray | None = None


def empty(seconds: float) -> Shot:
    return Shot(None, seconds=seconds)


def film(path: Path, *shots: Shot) -> Path:
    """Write the shots to `path` in one step: a camera that plays the old film there plays it to its end."""
    half = path.with_suffix(".part")
    with half.open("wb") as out:
        for shot in shots:
            if shot.text is None and shot.printed is None:
                out.write(_jpeg(next(pictures(shot))) * round(shot.seconds * PLAYED_PER_SECOND))
            else:
                out.writelines(_jpeg(picture) * REPEATS for picture in pictures(shot))
    os.replace(half, path)
    return path


def _jpeg(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def pictures(shot: Shot) -> Iterator[np.ndarray]:
    """The grey pictures (480, 640) of a shot, 15 a second."""
    label = None
    if shot.printed is not None:
        label = Image.fromarray(shot.printed)
    elif shot.text is not None:
        label = _label(shot.text, shot.symbology)
    for n in range(round(shot.seconds * SECOND)):
        yield _picture(label, shot.hand, n)


def bars(text: str, symbology: str, scale: int = 4) -> np.ndarray:
    """The code alone with its quiet zones, dark on white."""
    import zxingcpp

    gs1 = text.startswith("(")
    form = getattr(zxingcpp.BarcodeFormat, WRITERS[symbology])
    code = zxingcpp.create_barcode(text, form, gs1=True) if gs1 else zxingcpp.create_barcode(text, form)
    return np.array(code.to_image(scale=scale, add_quiet_zones=True))


@cache
def _label(text: str, symbology: str) -> Image.Image:
    """A paper label with the code on it."""
    code = Image.fromarray(bars(text, symbology))
    edge = max(code.size) // 12
    paper = Image.new("L", (code.width + 2 * edge, code.height + 2 * edge), PAPER)
    paper.paste(code.point(lambda shade: 25 + shade * (PAPER - 25) // 255), (edge, edge))
    return paper


@cache
def _desk() -> np.ndarray:
    """The background: a shade that falls off, so that nothing on the picture is even."""
    across, down = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
    return (DESK + 25 * across - 15 * down).astype(np.float32)


@cache
def _noise() -> np.ndarray:
    return np.random.default_rng(7).normal(0, NOISE, (HEIGHT, WIDTH)).astype(np.float32)


def _picture(label: Image.Image | None, hand: Hand, n: int) -> np.ndarray:
    at = n / SECOND
    light = hand.light * (1 + hand.flicker * math.sin(9 * at))
    shown = _desk() * np.float32(light)
    if label is not None:
        grey, there = (np.asarray(part, dtype=np.float32) for part in _held(label, hand, at).split())
        shown += (grey * np.float32(light) - shown) * (there / 255)
    if hand.blur:
        sharp = Image.fromarray(np.clip(shown, 0, 255).astype(np.uint8))
        shown = np.asarray(sharp.filter(ImageFilter.GaussianBlur(hand.blur)), dtype=np.float32)
    return np.clip(shown + np.roll(_noise(), 37 * n), 0, 255).astype(np.uint8)


def _held(label: Image.Image, hand: Hand, at: float) -> Image.Image:
    """The label where the hand holds it at that moment, grey and how much of it is there (LA)."""
    wide = min(hand.wide, round(0.75 * HEIGHT * label.width / label.height))
    tall = wide * label.height / label.width
    shake = hand.tremble * np.array([math.sin(11 * at) + math.sin(23 * at), math.cos(13 * at)])
    angle = math.radians(hand.turned * math.sin(3 * at + 1))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    far = 1 - hand.tilted
    corners = np.array([[-wide, -tall * far], [wide, -tall], [wide, tall], [-wide, tall * far]]) / 2
    corners = corners @ turn.T + np.array([WIDTH, HEIGHT]) / 2 + shake
    paper = Image.merge("LA", (label, Image.new("L", label.size, 255)))
    return paper.transform(
        (WIDTH, HEIGHT), Image.Transform.PERSPECTIVE, _back(corners, label.size), Image.Resampling.BILINEAR
    )


def _back(corners: np.ndarray, size: tuple[int, int]) -> list[float]:
    """The eight numbers with which Pillow finds, for a point of the picture, its point on the label."""
    w, h = size
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (w, 0), (w, h), (0, h)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return list(np.linalg.solve(np.array(rows), np.array(wanted)))
