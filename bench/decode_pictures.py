"""The pictures of the decode study: labels with codes, spoilt in sixteen ways, and pictures without a code.

Half of the ways are for tuning the decoders, the other half is kept for the final figure: no threshold and no
look was ever chosen by it. Everything follows from one seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from stdnum import ean

from bench.decode_empty import EMPTY, INK, PAPER, WORDS, background, font
from bench.decode_ways import LEVELS, WAYS, Chance, Spoil, softened

SEED = 20261121
PLAIN_EACH = 14  # pictures of each kind without a code
DESKS = ((640, 480), (1280, 720))  # what cameras send
CRISP = 8  # pixels a module is first drawn with
SYMBOLOGIES = ("EAN-13", "UPC-A", "EAN-8", "Code 128", "Code 39", "ITF-14", "QR", "DataMatrix")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"


@dataclass(frozen=True)
class Picture:
    """A gray picture and what is in it."""

    kind: str
    kept: bool  # for the final figure only
    gray: np.ndarray
    codes: frozenset[str]


def pictures(seed: int = SEED) -> Iterator[Picture]:
    """All pictures, one after the other; each kind has its own chance, so that kinds may come and go."""
    for place, (kind, (kept, spoil)) in enumerate(WAYS.items()):
        chance = np.random.default_rng((seed, place))
        for symbology in SYMBOLOGIES:
            for level in range(LEVELS):
                yield _with_codes(kind, kept, spoil, symbology, level, chance)
    for place, (kind, (kept, draw)) in enumerate(EMPTY.items(), start=len(WAYS)):
        chance = np.random.default_rng((seed, place))
        for turn in range(PLAIN_EACH):
            desk = draw(DESKS[turn % 2], chance)
            yield Picture(f"no code: {kind}", kept, np.asarray(softened(desk, chance)), frozenset())


def a_text(symbology: str, chance: Chance) -> str:
    """Something such a code may say, with a right check digit where it has one."""
    digits = {"EAN-13": 13, "UPC-A": 12, "EAN-8": 8, "ITF-14": 14}.get(symbology)
    if digits:
        body = "".join(map(str, chance.integers(0, 10, digits - 1)))
        body = str(chance.integers(1, 10)) + body[1:]  # an EAN-13 with a 0 in front would be a UPC-A
        return body + ean.calc_check_digit(body)
    length = int(chance.integers(6, 13 if symbology == "Code 39" else 21))
    return "".join(chance.choice(list(LETTERS), length))


def drawn(text: str, symbology: str, module: float) -> Image.Image:
    """The code on white with its quiet zone, a module `module` pixels wide."""
    import zxingcpp

    formats = {
        "EAN-13": "EAN13", "UPC-A": "UPCA", "EAN-8": "EAN8", "Code 128": "Code128",
        "Code 39": "Code39", "ITF-14": "ITF14", "QR": "QRCode", "DataMatrix": "DataMatrix",
    }  # fmt: skip
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, formats[symbology]))
    crisp = Image.fromarray(np.array(code.to_image(scale=CRISP)))
    size = [max(8, round(side * module / CRISP)) for side in crisp.size]
    grown = crisp.resize(size, Image.Resampling.BOX)
    return grown.point(lambda light: INK + (PAPER - INK) * light // 255)


def _with_codes(kind: str, kept: bool, spoil: Spoil, symbology: str, level: int, chance: Chance) -> Picture:
    size = DESKS[level % 2]
    module = float(chance.uniform(1.7, 2.3) if size[0] < 1000 else chance.uniform(2.1, 3.2))
    if symbology in ("QR", "DataMatrix"):
        module *= 1.7
    if kind == "small":
        module *= (0.75, 0.65, 0.58, 0.52)[level]
    count = 3 if kind == "several" else 1
    texts = [a_text(symbology, chance) for _ in range(count)]
    labels = [_label(drawn(text, symbology, module), chance) for text in texts]
    desk = spoil(_desk(size, labels, chance), level, module, chance)
    return Picture(kind, kept, np.asarray(desk.convert("L")), frozenset(texts))


def _label(code: Image.Image, chance: Chance) -> Image.Image:
    """A label: the code, with a line of print above and below."""
    wide, high = code.size
    label = Image.new("L", (wide + 30, high + 60), PAPER)
    label.paste(code, (15, 30))
    pen = ImageDraw.Draw(label)
    for top in (6, high + 34):
        pen.text((18, top), str(chance.choice(WORDS)), fill=INK + 30, font=font(16))
    return label


def _desk(size: tuple[int, int], labels: list[Image.Image], chance: Chance) -> Image.Image:
    """The labels on a desk, beneath each other around its middle."""
    desk = background(size, chance)
    shrink = min(1.0, (size[1] - 8) / sum(label.height for label in labels))
    slot = size[1] / len(labels)
    for place, label in enumerate(labels):
        if shrink < 1:  # as many as asked must fit, so each loses print above and below first
            cut = int(label.height * (1 - shrink) / 2) + 1
            label = label.crop((0, cut, label.width, label.height - cut))
        left = int((size[0] - label.width) / 2 + chance.integers(-15, 16))
        desk.paste(label, (left, int(slot * (place + 0.5) - label.height / 2)))
    return desk
