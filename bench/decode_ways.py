"""Sixteen ways in which a picture of a code comes out badly; half of them are kept for the final figure."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

Chance = np.random.Generator
# Picture, level (0 is mild), pixels of the code's module, chance.
Spoil = Callable[[Image.Image, int, float, Chance], Image.Image]
LEVELS = 4


def array_of(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, float)


def image_of(array: np.ndarray) -> Image.Image:
    return Image.fromarray(array.clip(0, 255).astype(np.uint8))


def softened(picture: Image.Image, chance: Chance) -> Image.Image:
    """As a lens would give it: a little blur and noise."""
    soft = picture.filter(ImageFilter.GaussianBlur(float(chance.uniform(0.3, 1.0))))
    return image_of(array_of(soft) + chance.normal(0, 3, (picture.height, picture.width)))


def clean(picture: Image.Image, _level: int, _module: float, _chance: Chance) -> Image.Image:
    return picture


def blurred(picture: Image.Image, level: int, module: float, _chance: Chance) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(module * (0.45, 0.6, 0.75, 0.9)[level]))


def noisy(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    spread = (15, 25, 40, 55)[level]
    return image_of(array_of(picture) + chance.normal(0, spread, (picture.height, picture.width)))


def faint(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    """Low contrast: a gray print on gray paper."""
    share = (0.3, 0.2, 0.12, 0.08)[level]
    light = chance.uniform(90, 160)
    gray = light + (array_of(picture) - 128) * share
    return image_of(gray + chance.normal(0, 1.0, (picture.height, picture.width)))


def dim(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    """Too little light: dark, and with the noise of a camera that turns its gain up."""
    share = (0.4, 0.25, 0.16, 0.11)[level]
    return image_of(array_of(picture) * share + chance.normal(0, 2.0, (picture.height, picture.width)))


def _rotated(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=110)


def turned(picture: Image.Image, level: int, _module: float, _chance: Chance) -> Image.Image:
    return _rotated(picture, (15, -30, 45, 90)[level])


def small(picture: Image.Image, _level: int, _module: float, chance: Chance) -> Image.Image:
    return softened(picture, chance)


def several(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    return softened(_rotated(picture, (0, 6, -10, 14)[level]), chance)


def shaken(picture: Image.Image, level: int, module: float, chance: Chance) -> Image.Image:
    """The hand moves while the shutter is open."""
    length = max(2, round(module * (1.5, 2.2, 3.0, 3.8)[level]))
    slant = chance.uniform(0.2, 1.2)
    array = array_of(picture)
    shifts = [(round(step * np.sin(slant)), round(step * np.cos(slant))) for step in range(length)]
    return image_of(sum(np.roll(array, shift, (0, 1)) for shift in shifts) / length)


def slanted(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    """Perspective: one side of the desk is further away."""
    wide, high = picture.size
    far = (0.08, 0.14, 0.2, 0.26)[level]
    lean = chance.uniform(-0.08, 0.08)
    corners = [(0, 0), (wide, 0), (wide, high), (0, high)]
    seen = [
        (wide * far * 0.5, high * (far + lean) * 0.6), (wide, 0),
        (wide, high), (wide * far * 0.5, high * (1 - far * 0.6)),
    ]  # fmt: skip
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, _coefficients(seen, corners),
        Image.Resampling.BICUBIC, fillcolor=110,
    )  # fmt: skip


def _coefficients(seen: list, corners: list) -> list[float]:
    """The eight numbers by which Pillow finds where a point of the answer comes from."""
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.linalg.solve(np.array(rows, float), np.array(values, float)).tolist()


def glaring(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    """A lamp mirrored in shiny foil, on a part of the label."""
    wide, high = picture.size
    x, y = np.meshgrid(np.arange(wide), np.arange(high))
    left = wide * chance.uniform(0.4, 0.6)
    top = high * chance.uniform(0.36, 0.46)
    size = high * (0.06, 0.08, 0.1, 0.12)[level]
    spot = np.exp(-(((x - left) / (size * 2.2)) ** 2 + ((y - top) / size) ** 2))
    return image_of(array_of(picture) * 0.85 + 260 * spot)


def pressed(picture: Image.Image, level: int, _module: float, _chance: Chance) -> Image.Image:
    """Compressed by a messenger: JPEG blocks."""
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=(35, 22, 14, 9)[level])
    return Image.open(written).convert("L")


def mixed(picture: Image.Image, level: int, module: float, chance: Chance) -> Image.Image:
    """A bit of everything, as in an aisle."""
    picture = _rotated(picture, chance.uniform(-1, 1) * (8, 15, 25, 35)[level])
    picture = picture.filter(ImageFilter.GaussianBlur(module * (0.25, 0.35, 0.45, 0.55)[level]))
    gray = 60 + array_of(picture) * (0.6, 0.5, 0.4, 0.3)[level]
    gray += chance.normal(0, (3, 4, 6, 8)[level], gray.shape)
    return pressed(image_of(gray), 0, module, chance)


def bent(picture: Image.Image, level: int, _module: float, _chance: Chance) -> Image.Image:
    """A label around a bottle: its sides are seen at a slant, its lines as bows."""
    wide, high = picture.size
    radius = wide * (0.95, 0.75, 0.62, 0.54)[level]
    x, y = np.meshgrid(np.arange(wide, dtype=float), np.arange(high, dtype=float))
    angle = np.arcsin(((x - wide / 2) / radius).clip(-0.999, 0.999))
    column = (wide / 2 + radius * angle).clip(0, wide - 1.001)
    row = (y + (0.02, 0.05, 0.08, 0.11)[level] * radius * (1 - np.cos(angle))).clip(0, high - 1.001)
    array, left, top = array_of(picture), column.astype(int), row.astype(int)
    right, below = column - left, row - top
    upper = array[top, left] * (1 - right) + array[top, left + 1] * right
    lower = array[top + 1, left] * (1 - right) + array[top + 1, left + 1] * right
    return image_of(upper * (1 - below) + lower * below)


def crooked(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    """Turned by other angles than the tuned half, with a soft lens."""
    return softened(_rotated(picture, (8, -22, 62, 118)[level]), chance)


def speckled(picture: Image.Image, level: int, _module: float, chance: Chance) -> Image.Image:
    """Dust and scratches, and light from one side."""
    array = array_of(picture)
    share = (0.01, 0.02, 0.04, 0.07)[level]
    dice = chance.uniform(size=array.shape)
    array = np.where(dice < share / 2, 20, np.where(dice > 1 - share / 2, 240, array))
    return image_of(array * np.linspace(1.0, (0.7, 0.55, 0.4, 0.3)[level], array.shape[1]))


# Kind -> (kept for the final figure, how).
WAYS: dict[str, tuple[bool, Spoil]] = {
    "clean": (False, clean),
    "blurred": (False, blurred),
    "noisy": (False, noisy),
    "faint": (False, faint),
    "dim": (False, dim),
    "turned": (False, turned),
    "small": (False, small),
    "several": (False, several),
    "shaken": (True, shaken),
    "slanted": (True, slanted),
    "glaring": (True, glaring),
    "pressed": (True, pressed),
    "mixed": (True, mixed),
    "bent": (True, bent),
    "crooked": (True, crooked),
    "speckled": (True, speckled),
}
