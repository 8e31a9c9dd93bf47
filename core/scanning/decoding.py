"""Arithmetic: gray pixels -> the codes in them, read by zxing-cpp and zbar together.

Neither reads all that the other does. Either may be missing: zbar is a library of the system (libzbar0).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Effort = Literal["live", "photo"]


@dataclass(frozen=True)
class Seen:
    """One code of a picture: its text (GS1's FNC1 is \\x1d), its symbology and four corners in pixels."""

    text: str
    symbology: str
    corners: tuple[tuple[int, int], ...]


def decode(gray: np.ndarray, *, effort: Effort = "live", turn: int = 0) -> list[Seen]:
    """The codes in a gray picture (height, width, uint8), each once, from top to bottom.

    "live" is for frames of a camera: quick, and `turn` (the number of the frame) chooses which one of the
    slower looks this frame gets. "photo" tries everything.

    Raises:
        RuleBroken: neither library is there; the sentence of `trouble()`.
    """
    raise NotImplementedError


def trouble() -> str | None:
    """What is missing for reading pictures, and what to do, or None."""
    raise NotImplementedError
