"""Eight kinds of pictures without any code, some of which look like one from far away."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.decode_ways import Chance, image_of

INK, PAPER = 25, 235
WORDS = [
    "M6 bolt, zinc plated", "Lot 22841", "250 pcs", "Keep dry", "WH-A 03-14", "Made in Portugal", "12/2027",
]  # fmt: skip


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def background(size: tuple[int, int], chance: Chance) -> Image.Image:
    """A desk: uneven light over a coarse grain."""
    wide, high = size
    coarse = chance.uniform(70, 150, (6, 8)).astype(np.uint8)
    light = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), float)
    grain = chance.normal(0, 3, (high, wide))
    return Image.fromarray((light + grain).clip(0, 255).astype(np.uint8))


def blank(size: tuple[int, int], chance: Chance) -> Image.Image:
    return background(size, chance)


def print_only(size: tuple[int, int], chance: Chance) -> Image.Image:
    """A page of print in several sizes."""
    page = Image.new("L", size, PAPER)
    pen = ImageDraw.Draw(page)
    top = 5.0
    while top < size[1]:
        height = float(chance.uniform(9, 34))
        line = "  ".join(chance.choice(WORDS) for _ in range(9))
        pen.text((float(chance.uniform(0, 40)), top), line, fill=INK, font=font(height))
        top += height * 1.25
    return page


def bars(size: tuple[int, int], chance: Chance) -> Image.Image:
    """Bars of one to four modules as in a code, but without meaning."""
    page = Image.new("L", size, PAPER)
    pen = ImageDraw.Draw(page)
    module = float(chance.uniform(1.5, 4))
    left, dark = size[0] * 0.1, True
    while left < size[0] * 0.9:
        width = module * int(chance.integers(1, 5))
        if dark:
            pen.rectangle((left, size[1] * 0.2, left + width - 1, size[1] * 0.8), fill=INK)
        left, dark = left + width, not dark
    return page


def static(size: tuple[int, int], chance: Chance) -> Image.Image:
    """Noise, black and white or gray, in grains of one to four pixels."""
    grain = int(chance.integers(1, 5))
    noise = chance.integers(0, 256, (size[1] // grain + 1, size[0] // grain + 1))
    if chance.uniform() < 0.5:
        noise = (noise > 127) * 255
    return image_of(np.kron(noise, np.ones((grain, grain)))[: size[1], : size[0]])


def fence(size: tuple[int, int], chance: Chance) -> Image.Image:
    """Stripes of varying width and slant: shelves, corrugated iron, a shirt."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    slant = chance.uniform(-0.5, 0.5)
    period = chance.uniform(4, 30)
    phase = (x + slant * y) / period + chance.uniform(0, 3) * np.sin(x / chance.uniform(60, 200))
    return image_of(128 + 110 * np.sign(np.sin(2 * np.pi * phase) + chance.uniform(-0.6, 0.6)))


def grid(size: tuple[int, int], chance: Chance) -> Image.Image:
    """Squared paper, tiles, a keyboard: cells of which some are dark."""
    cell = int(chance.integers(4, 24))
    cells = chance.uniform(size=(size[1] // cell + 1, size[0] // cell + 1)) < chance.uniform(0.1, 0.6)
    page = np.kron(np.where(cells, INK, PAPER), np.ones((cell, cell)))[: size[1], : size[0]]
    page[::cell], page[:, ::cell] = 150, 150
    return image_of(page)


def cloth(size: tuple[int, int], chance: Chance) -> Image.Image:
    """Grain at every scale at once: wood, cloth, cardboard."""
    page = np.zeros((size[1], size[0]))
    for step in (2, 4, 8, 16, 32, 64):
        coarse = image_of(chance.uniform(0, 255, (size[1] // step + 2, size[0] // (step * 4) + 2)))
        page += np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), float) / 6
    return image_of((page - page.mean()) * 2 + 128)


def things(size: tuple[int, int], chance: Chance) -> Image.Image:
    """A shelf: boxes, tins and cables in front of each other, some with print."""
    page = background(size, chance)
    pen = ImageDraw.Draw(page)
    for _ in range(60):
        left, top = float(chance.uniform(0, size[0])), float(chance.uniform(0, size[1]))
        wide, high = chance.uniform(10, size[0] / 4), chance.uniform(10, size[1] / 3)
        light = int(chance.integers(10, 245))
        shape = chance.integers(0, 4)
        if shape == 0:
            pen.ellipse((left, top, left + wide, top + high), fill=light)
        elif shape == 1:
            pen.rectangle((left, top, left + wide, top + high), fill=light, outline=255 - light)
        elif shape == 2:
            pen.line((left, top, left + wide, top + high), fill=light, width=int(chance.integers(1, 9)))
        else:
            pen.text((left, top), str(chance.choice(WORDS)), fill=light, font=font(float(high / 3 + 8)))
    return page


# Kind -> (kept for the final figure, how).
EMPTY: dict[str, tuple[bool, Callable[[tuple[int, int], Chance], Image.Image]]] = {
    "print": (False, print_only),
    "bars": (False, bars),
    "static": (False, static),
    "fence": (False, fence),
    "blank": (True, blank),
    "grid": (True, grid),
    "cloth": (True, cloth),
    "things": (True, things),
}
