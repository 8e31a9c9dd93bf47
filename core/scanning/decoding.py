"""Arithmetic: gray pixels -> the codes in them, read by zxing-cpp and zbar together.

Neither reads all that the other does, and each now and then reads what is not there (`witnesses`). Threads
may decode at the same time: the libraries share nothing between calls and let go of Python's lock meanwhile.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import RuleBroken
from core.scanning import looks, readers, witnesses
from core.scanning.looks import Look
from core.scanning.witnesses import Witness

Effort = Literal["live", "photo"]

AS_IT_IS, PLAIN = Look(is_stretched=False), Look()
# What else is tried, chosen on the tuned half of `bench/decode.py`: against noise, against a slant (both read
# along and across, so a quarter of a turn is enough), for small and blurred codes, for white on black.
TURNED = (Look(degrees=22.5), Look(degrees=67.5))
SLOWER = (
    Look(soft=1.0),
    Look(scale=2, sharp=3.0),
    *TURNED,
    Look(degrees=45),
    Look(scale=2, sharp=4.0),
    Look(is_inverted=True),
)
# Pixels of the longer side that are looked at, for a camera and in the slower looks at a photo.
LIVE_SIDE, LIVE_SLOW_SIDE, LIVE_GROWN_SIDE = 1_280, 960, 800
SLOW_SIDE = 1_600
GROWN_SIDE = 2_600
EVERY_LINE = 1
# zbar reads so many lines of a camera's picture, and not more than every fourth: bars are higher than that.
LIVE_LINES = 120
LEAST_STEP = 4
# No further look at a photo begins after so long of a processor: pictures made to be slow end here, others
# need less than one.
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Seen:
    """One code of a picture: its text (GS1's FNC1 is \\x1d), its symbology and four corners in pixels."""

    text: str
    symbology: str
    corners: tuple[tuple[int, int], ...]


def decode(gray: np.ndarray, *, effort: Effort = "live", turn: int = 0) -> list[Seen]:
    """The codes in a gray picture (height, width, uint8), each once, from top to bottom.

    "live" is for frames of a camera: about 11 ms of a processor at 640 pixels and 25 at 1,280; `turn` (the
    number of the frame) chooses which one of the slower looks this frame gets. "photo" tries everything:
    0.2 to 1 second. Bars read in only one frame may be wrong: ask for two (`sightings`).

    Raises:
        RuleBroken: neither library is there; the sentence of `trouble()`.
    """
    if not can_read():
        raise RuleBroken(str(trouble()))
    if gray.size == 0:
        return []
    heard: list[Witness] = []
    looked = _live(gray, turn, heard) if effort == "live" else _photo(gray, heard)
    for found in looked:
        heard.extend(found)
    counted = witnesses.agreed(heard)
    return [Seen(code.text, code.symbology, code.corners) for code in sorted(counted, key=_top)]


def can_read() -> bool:
    """Whether at least one of the libraries is there."""
    return readers.zxing_library() is not None or readers.zbar_library() is not None


def trouble() -> str | None:
    """What is missing for reading pictures, and what to do, or None. `can_read` where only one is missing."""
    has_zbar, has_zxing = readers.zbar_library() is not None, readers.zxing_library() is not None
    if has_zbar and has_zxing:
        return None
    if has_zxing:
        return "zbar is not installed here, so worn and faint codes are read less often: install libzbar0."
    if has_zbar:
        return "zxing-cpp is not installed here, so DataMatrix codes are not read: install zxing-cpp."
    return "Pictures cannot be read here: install zxing-cpp, or libzbar0 and pyzbar. Type or scan the code."


def _live(gray: np.ndarray, turn: int, heard: list[Witness]) -> Iterator[list[Witness]]:
    """zxing-cpp on every frame; where it reads nothing, zbar and one of the slower looks by turns.

    Blur and slants are left to zbar, which leaves lines out; growing and inverting to zxing-cpp.
    """
    gray = looks.stretched(gray)
    view = looks.view(gray, PLAIN, LIVE_SIDE)
    yield _zxing(view, PLAIN)
    if witnesses.agreed(heard):
        return
    slower, is_slower = divmod(turn, 2)
    if not is_slower:
        yield _zbar(view, PLAIN, _step(view))
        return
    look = SLOWER[slower % len(SLOWER)]
    view = looks.view(gray, look, LIVE_GROWN_SIDE if look.scale > 1 else LIVE_SLOW_SIDE)
    is_for_zxing = look.scale > 1 or look.is_inverted or readers.zbar_library() is None
    if is_for_zxing and readers.zxing_library() is not None:
        yield _zxing(view, look)
    else:
        yield _zbar(view, look, _step(view))


def _photo(gray: np.ndarray, heard: list[Witness]) -> Iterator[list[Witness]]:
    """Both on the picture as it is and stretched; then all that is left to try, or, where something was read,
    what finds codes beside it that are slanted.
    """
    started = time.thread_time()  # a busy machine is no reason to look less
    light = looks.stretched(gray)
    for picture, look in ((gray, AS_IT_IS), (light, PLAIN)):
        view = looks.view(picture, look, max(gray.shape))
        yield _zxing(view, look)
        yield _zbar(view, look, EVERY_LINE)
    for look in TURNED if witnesses.agreed(heard) else SLOWER:
        if time.thread_time() - started > PATIENCE_SECONDS or len(heard) >= readers.MOST_CODES:
            return
        view = looks.view(light, look, GROWN_SIDE if look.scale > 1 else SLOW_SIDE)
        yield _zxing(view, look)
        yield _zbar(view, look, EVERY_LINE)


def _step(view: looks.View) -> int:
    """Of every how many lines zbar reads one in a camera's picture."""
    return max(LEAST_STEP, min(view.seen.shape) // LIVE_LINES)


def _zxing(view: looks.View, look: Look) -> list[Witness]:
    return [Witness(read, view.back(read.corners), look) for read in readers.with_zxing(view.seen)]


def _zbar(view: looks.View, look: Look, every: int) -> list[Witness]:
    return [Witness(read, view.back(read.corners), look) for read in readers.with_zbar(view.seen, every)]


def _top(code: witnesses.Agreed) -> tuple[int, int]:
    return min((y, x) for x, y in code.corners)
