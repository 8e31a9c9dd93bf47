"""Arithmetic: what zxing-cpp and zbar each read in a gray picture, in one form. Nothing is judged here.

Neither reads all that the other does. Both make what they need anew in every call and hold no lock of Python
while they look, so threads may read at the same time. Either may be missing: zbar is a library of the system
(libzbar0), which pyzbar only finds.
"""

import functools
from ctypes import c_void_p, cast, string_at
from dataclasses import dataclass
from types import ModuleType

import numpy as np

# What is not here is never looked for: DataBar, Codabar, Code 93, PDF417 and the other kinds of 2 of 5 are
# read too easily from noise or from parts of other codes. Code 39 is the standard kind: "A/B" stays as it is.
FORMATS = ("EAN13", "UPCA", "UPCE", "EAN8", "ITF14", "Code128", "Code39Std", "QRCode", "DataMatrix")
# As the libraries name what they read -> as we do.
OF_ZXING = {"ITF": "ITF-14", "QR Code": "QR", "Data Matrix": "DataMatrix"}  # the others have our names
OF_ZBAR = {
    "EAN13": "EAN-13", "EAN8": "EAN-8", "I25": "ITF-14", "CODE128": "Code 128", "CODE39": "Code 39",
    "QRCODE": "QR",
}  # fmt: skip
TEXT_CHARACTERS = 3_000  # the largest QR code holds 2,953 bytes
# Of one look. A sheet of labels holds 65; thousands of codes are drawn to keep whoever compares them busy.
MOST_CODES = 100
GRAY_FORMAT = int.from_bytes(b"Y800", "little")  # zbar's word for a byte a pixel
BOX_ANGLES = 18  # five degrees apart
# zbar says in how many places it read the bars; the others do not.
MANY_LINES = 100

Point = tuple[float, float]


@dataclass(frozen=True)
class Read:
    """One code as one library read it: four corners in pixels, and on how many lines where that is known."""

    text: str
    symbology: str
    corners: tuple[Point, ...]
    lines: int
    reader: str


@functools.cache
def zxing_library() -> ModuleType | None:
    """zxing-cpp, or None where it is not installed."""
    try:
        import zxingcpp
    except (ImportError, OSError):
        return None
    return zxingcpp


@functools.cache
def zbar_library() -> ModuleType | None:
    """zbar as pyzbar found it, or None where either is not installed."""
    try:
        from pyzbar import wrapper
    except (ImportError, OSError):
        return None
    return wrapper


def with_zxing(gray: np.ndarray) -> list[Read]:
    """What zxing-cpp reads, in any direction; nothing where it is missing."""
    library = zxing_library()
    if library is None:
        return []
    found = library.read_barcodes(
        gray, formats=_formats(library), text_mode=library.TextMode.Plain, try_invert=False
    )
    reads = []
    for code in found[:MOST_CODES]:
        place = code.position
        corners = tuple(
            (float(corner.x), float(corner.y))
            for corner in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        )
        symbology = OF_ZXING.get(str(code.format), str(code.format))
        reads.append(Read(code.text[:TEXT_CHARACTERS], symbology, corners, MANY_LINES, "zxing"))
    return reads


def with_zbar(gray: np.ndarray, every: int = 1) -> list[Read]:
    """What zbar reads, along and across, on every so many lines; nothing where it is missing.

    QR codes only where zxing-cpp is missing or every line is read: zbar needs long for them.
    """
    library = zbar_library()
    if library is None:
        return []
    # pyzbar's own `decode` cannot be told to leave lines out.
    scanner, image = library.zbar_image_scanner_create(), library.zbar_image_create()
    try:
        _prepare(library, scanner, every, has_squares=every == 1 or zxing_library() is None)
        high, wide = gray.shape
        pixels = gray.tobytes()
        library.zbar_image_set_format(image, GRAY_FORMAT)
        library.zbar_image_set_size(image, wide, high)
        library.zbar_image_set_data(image, cast(pixels, c_void_p), len(pixels), None)
        library.zbar_scan_image(scanner, image)
        return _symbols(library, image)
    finally:
        library.zbar_image_destroy(image)
        library.zbar_image_scanner_destroy(scanner)


def _prepare(library: ModuleType, scanner: object, every: int, *, has_squares: bool) -> None:
    """Tell zbar what to look for, and how closely."""
    configure = functools.partial(library.zbar_image_scanner_set_config, scanner)
    names = [name for name in OF_ZBAR if name != "QRCODE" or has_squares]
    configure(library.ZBarSymbol.NONE, library.ZBarConfig.CFG_ENABLE, 0)  # "none" stands for all
    for name in names:
        configure(library.ZBarSymbol[name], library.ZBarConfig.CFG_ENABLE, 1)
    for density in (library.ZBarConfig.CFG_X_DENSITY, library.ZBarConfig.CFG_Y_DENSITY):
        configure(library.ZBarSymbol.NONE, density, 1 if has_squares else every)


def _symbols(library: ModuleType, image: object) -> list[Read]:
    reads = []
    symbol = library.zbar_image_first_symbol(image)
    while symbol and len(reads) < MOST_CODES:
        data = string_at(library.zbar_symbol_get_data(symbol), library.zbar_symbol_get_data_length(symbol))
        text = data.decode("utf-8", "replace")[:TEXT_CHARACTERS]
        points = [
            (library.zbar_symbol_get_loc_x(symbol, place), library.zbar_symbol_get_loc_y(symbol, place))
            for place in range(library.zbar_symbol_get_loc_size(symbol))
        ]
        symbology = OF_ZBAR.get(library.ZBarSymbol(symbol.contents.type).name)
        if symbology and points:
            lines = MANY_LINES if symbology == "QR" else library.zbar_symbol_get_quality(symbol)
            reads.append(Read(text, symbology, _around(points), lines, "zbar"))
        symbol = library.zbar_symbol_next(symbol)
    return reads


def _around(points: list[tuple[int, int]]) -> tuple[Point, ...]:
    """The corners of the smallest box, however turned, that holds all the points."""
    held = np.array(points, float)
    boxes = []
    for angle in np.arange(0, np.pi / 2, np.pi / 2 / BOX_ANGLES):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        low, high = (held @ turn).min(0), (held @ turn).max(0)
        corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])]) @ turn.T
        boxes.append((float(np.prod(high - low + 1)), corners))
    best = min(boxes, key=lambda box: box[0])[1]
    return tuple((float(x), float(y)) for x, y in best)


@functools.cache
def _formats(library: ModuleType) -> tuple[object, ...]:
    return tuple(getattr(library.BarcodeFormat, name) for name in FORMATS)
