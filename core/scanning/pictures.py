"""Arithmetic: an uploaded picture -> gray pixels of bounded size, decoded by a child process with limits.

Pictures come from outside. The child may not use more memory or time than `Limits` says, so a bomb ends there
and not in the dashboard. Frames of the live camera come from our own decoder and need none of this.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Limits:
    """What one picture may cost. Bytes, pixels, seconds."""

    file_bytes: int = 25 * 2**20
    side_pixels: int = 2_400  # of the answer's longer side


LIMITS = Limits()


def opened(data: bytes, *, limits: Limits = LIMITS) -> np.ndarray:
    """The gray pixels (height, width, uint8) of a PNG, JPEG, WebP, GIF or BMP; of several frames the first.

    Turned upright by its EXIF, transparent parts white, and never longer than `limits.side_pixels`.

    Raises:
        BadInput: empty, too large, another kind of file, broken or hostile; the sentence says which.
    """
    raise NotImplementedError
