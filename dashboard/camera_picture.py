"""A camera's frame as it is read and as it is sent back: the middle of it, with a band to aim with.

What is shown is what is read, in the same shape for a phone held upright and a camera that lies: nobody books
a label that was not on the screen. Only codes whose middle is in the band count.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

WIDTH, HEIGHT = 480, 360  # enough to aim with; encoding grows with the pixels (bench/camera.py)
# The band in shares of what is shown: left, top, right, bottom. Wide for bars, high enough for a square.
BAND = (0.06, 0.22, 0.94, 0.78)
# What is read: the band, with room around it for a code that begins outside. Time goes with its pixels.
READ = (0.01, 0.14, 0.99, 0.86)
LINE = 4
TICK = 10
BRACKET = 36  # length of the lines at a corner of the band

Point = tuple[float, float]
Lines = tuple[tuple[Point, Point], ...]
# A colour as video has it: brightness, and two of colour, which have half the width and height.
Colour = tuple[int, int, int]
PARTS = (1, 2, 2)
WHITE: Colour = (235, 128, 128)
GREEN: Colour = (150, 100, 60)
DARK: Colour = (40, 128, 128)


def window(width: int, height: int) -> tuple[int, int, int, int]:
    """The part of a frame that is shown and read: left, top, width, height in pixels, all even."""
    shape = WIDTH / HEIGHT
    shown_width = min(width, int(height * shape)) // 2 * 2
    shown_height = min(height, int(width / shape)) // 2 * 2
    return (width - shown_width) // 4 * 2, (height - shown_height) // 4 * 2, shown_width, shown_height


def to_read(frame: Any) -> np.ndarray:
    """What is read of a frame (`av.VideoFrame`), in gray, one byte a pixel."""
    left, top, width, height = window(frame.width, frame.height)
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    rows = _rows(frame.planes[0])[top : top + height, left : left + width]
    from_x, from_y, to_x, to_y = READ
    part = rows[int(from_y * height) : int(to_y * height), int(from_x * width) : int(to_x * width)]
    return np.ascontiguousarray(part)


def placed(corners: Sequence[tuple[int, int]], width: int, height: int) -> list[Point]:
    """Corners in what was read (of this size) as shares of the window."""
    from_x, from_y, to_x, to_y = READ
    return [(from_x + x / width * (to_x - from_x), from_y + y / height * (to_y - from_y)) for x, y in corners]


def is_aimed_at(corners: Sequence[Point]) -> bool:
    """Whether the middle of a code is in the band; corners in shares of the window."""
    x = sum(corner[0] for corner in corners) / len(corners)
    y = sum(corner[1] for corner in corners) / len(corners)
    left, top, right, bottom = BAND
    return left <= x <= right and top <= y <= bottom


def draw(frame: Any | None, codes: Sequence[Sequence[Point]], *, has_read: bool) -> np.ndarray:
    """What is sent back, for `as_frame`: the window, small, with the band and the outline of each code
    (corners in shares of the window), and in green with a tick when a code has just counted.

    Without a frame it is dark.
    """
    planes = _dark() if frame is None else _small(frame)
    _paint(planes, _band(), GREEN if has_read else WHITE)
    for corners in codes:
        points = [(x * WIDTH, y * HEIGHT) for x, y in corners]
        outline = tuple(zip(points, points[1:] + points[:1], strict=True))
        _paint(planes, _masks(outline, LINE), GREEN)
    if has_read:
        _paint(planes, _tick(), GREEN)
    return np.concatenate([plane.reshape(-1) for plane in planes]).reshape(HEIGHT * 3 // 2, WIDTH)


def as_frame(picture: np.ndarray) -> Any:
    """A new `av.VideoFrame` of a picture: each has its own time, and an encoder takes none a second time."""
    import av

    return av.VideoFrame.from_ndarray(picture, format="yuv420p")


def _rows(plane: Any) -> np.ndarray:
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)


def _dark() -> list[np.ndarray]:
    return [
        np.full((HEIGHT // part, WIDTH // part), value, np.uint8)
        for part, value in zip(PARTS, DARK, strict=True)
    ]


def _small(frame: Any) -> list[np.ndarray]:
    """The planes of the window at the size that is sent: the whole frame made small, and cut then."""
    _, _, width, height = window(frame.width, frame.height)
    small = frame.reformat(
        width=max(round(frame.width * WIDTH / width / 2) * 2, WIDTH),
        height=max(round(frame.height * HEIGHT / height / 2) * 2, HEIGHT),
        format="yuv420p",
        interpolation="FAST_BILINEAR",
    )
    left, top = (small.width - WIDTH) // 4 * 2, (small.height - HEIGHT) // 4 * 2
    return [
        _rows(plane)[
            top // part : (top + HEIGHT) // part, left // part : (left + WIDTH) // part
        ].copy()
        for plane, part in zip(small.planes, PARTS, strict=True)
    ]  # fmt: skip


def _paint(planes: list[np.ndarray], masks: list[np.ndarray], colour: Colour) -> None:
    for plane, mask, value in zip(planes, masks, colour, strict=True):
        plane[mask] = value


def _masks(lines: Lines, thickness: int) -> list[np.ndarray]:
    """Where the lines lie in each plane; what is outside of the picture is left out."""
    masks = [np.zeros((HEIGHT // part, WIDTH // part), bool) for part in PARTS]
    for (x0, y0), (x1, y1) in lines:
        steps = int(max(abs(x1 - x0), abs(y1 - y0))) // thickness + 2
        xs, ys = np.linspace(x0, x1, steps), np.linspace(y0, y1, steps)
        inside = (xs >= 0) & (xs < WIDTH) & (ys >= 0) & (ys < HEIGHT)
        for mask, part in zip(masks, PARTS, strict=True):
            half = -(-thickness // part // 2)
            at = zip((xs[inside] / part).astype(int), (ys[inside] / part).astype(int), strict=True)
            for x, y in at:
                mask[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1] = True
    return masks


@functools.cache
def _band() -> list[np.ndarray]:
    left, top, right, bottom = BAND[0] * WIDTH, BAND[1] * HEIGHT, BAND[2] * WIDTH, BAND[3] * HEIGHT
    corners = ((left, top, 1, 1), (right, top, -1, 1), (left, bottom, 1, -1), (right, bottom, -1, -1))
    across = tuple(((x, y), (x + way * BRACKET, y)) for x, y, way, _ in corners)
    along = tuple(((x, y), (x, y + way * BRACKET)) for x, y, _, way in corners)
    return _masks(across + along, LINE)


@functools.cache
def _tick() -> list[np.ndarray]:
    x, y = WIDTH / 2, HEIGHT * (BAND[1] + BAND[3]) / 2
    knee = (x - 12, y + 34)
    return _masks((((x - 44, y), knee), (knee, (x + 52, y - 44))), TICK)
