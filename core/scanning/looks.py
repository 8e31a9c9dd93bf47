"""Arithmetic: ways to look at a picture, so that a code which one way hides another shows."""

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

# The light of these shares of the pixels becomes black and white; what is beyond is glare and dirt.
DARKEST, LIGHTEST = 1, 99
SAMPLE = 4  # every so many pixels, along and across, tell the light of all
LEAST_SPREAD = 6  # of light; less is an empty wall, and stretching would only show the camera's noise
SHARPENING = 300  # percent
GRAY = 128

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Look:
    """One way: stretch the light, change the size, turn, soften, sharpen, invert, in this order.

    `scale` of the sides, `degrees` against the clock; `soft` and `sharp` are radii in pixels of what is seen.
    """

    is_stretched: bool = True

    scale: float = 1.0
    degrees: float = 0.0
    soft: float = 0.0
    sharp: float = 0.0
    is_inverted: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the light is changed."""
        return replace(self, is_stretched=True) == Look()


@dataclass(frozen=True)
class View:
    """What a look shows, and how it lies in the picture: its scale, turn, middle, and the picture's size."""

    seen: np.ndarray
    scale: float
    degrees: float
    middle: tuple[float, float]
    size: tuple[int, int]

    def back(self, corners: Points) -> tuple[tuple[int, int], ...]:
        """Where points of the view lie in the picture."""
        turn = math.radians(self.degrees)
        cosine, sine = math.cos(turn), math.sin(turn)
        high, wide = self.seen.shape
        places = []
        for x, y in corners:
            right, down = x - wide / 2, y - high / 2
            right, down = right * cosine - down * sine, right * sine + down * cosine
            x, y = right / self.scale + self.middle[0], down / self.scale + self.middle[1]
            places.append((_within(x, self.size[0]), _within(y, self.size[1])))
        return tuple(places)


def view(gray: np.ndarray, look: Look, side: int) -> View:
    """The picture, stretched already where it should be, through a look: no more than `side` pixels
    long before it is turned.

    A look that grows sees only the middle of a large picture, where people aim; any other sees all of it,
    from further away.
    """
    size = (gray.shape[1], gray.shape[0])
    picture, scale = Image.fromarray(gray), look.scale
    if scale > 1:
        share = min(1.0, side / scale / max(size))
        left, top = (int(length * (1 - share) / 2) for length in size)
        picture = picture.crop((left, top, size[0] - left, size[1] - top))
    else:
        scale = min(scale, side / max(size))
    if scale != 1:
        changed = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        how = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
        picture = picture.resize(changed, how)
    if look.degrees:
        picture = picture.rotate(look.degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=GRAY)
    if look.soft:
        picture = picture.filter(ImageFilter.GaussianBlur(look.soft))
    if look.sharp:
        picture = picture.filter(ImageFilter.UnsharpMask(look.sharp, SHARPENING, 0))
    seen = np.asarray(picture)
    if look.is_inverted:
        seen = ~seen
    return View(seen, scale, look.degrees, (size[0] / 2, size[1] / 2), size)


def stretched(gray: np.ndarray) -> np.ndarray:
    """The picture from black to white, however dim or pale it is."""
    dark, light = np.percentile(gray[::SAMPLE, ::SAMPLE], (DARKEST, LIGHTEST))
    if light - dark < LEAST_SPREAD:
        return gray
    table = ((np.arange(256) - dark) * (255 / (light - dark))).clip(0, 255).astype(np.uint8)
    return table[gray]


def _within(place: float, length: int) -> int:
    return min(max(round(place), 0), length - 1)
