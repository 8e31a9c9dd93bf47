"""Cumulative demand paths as a few kilobytes: scaled to integers, differences by day, compressed."""

import struct
import zlib

import numpy as np

from core.forecast.history import MAX_DECIMALS, decimals_of

MAGIC = b"RO"
VERSION = 1
HEADER = struct.Struct("<2sBBBHH")  # magic, version, decimals, bytes per number, paths, days
LARGEST = 1e14  # as the database keeps quantities: what follows from the paths must fit there too
EXACT = 2.0**53  # beyond this a float no longer holds every whole number
MOST_DAYS_COMPACT = 2**22  # of at most 255 pieces: their sum fits 32 bits
WIDTHS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def encode(cumulative: np.ndarray) -> bytes:
    """Cumulative demand (paths, days), non-negative and never falling, to bytes.

    Quantities keep the decimals they need, up to 4 (fewer when the sum would not fit otherwise).
    Raises ValueError when the paths are not cumulative demand or are too large to be held exactly.
    """
    cumulative = np.asarray(cumulative, float)
    if cumulative.ndim != 2 or not np.isfinite(cumulative).all():
        raise ValueError("Paths to store must be a table of numbers, one row a path and one column a day.")
    if cumulative.size and (cumulative[:, 0].min() < 0 or np.diff(cumulative, axis=1).min(initial=0.0) < 0):
        raise ValueError("Paths to store must be cumulative demand: at least 0 and never falling.")
    largest = cumulative.max(initial=0.0)
    if largest >= LARGEST:
        raise ValueError(f"A path of {largest:.3g} units is too large to store.")
    decimals = decimals_of(cumulative)
    while decimals and largest * 10.0**decimals >= EXACT:
        decimals -= 1
    whole = np.rint(cumulative * 10.0**decimals).astype(np.uint64)
    steps = np.diff(whole, axis=1, prepend=np.uint64(0))
    width = next(size for size in WIDTHS if steps.max(initial=0) < 2 ** (8 * size))
    header = HEADER.pack(MAGIC, VERSION, decimals, width, *cumulative.shape)
    # Draws hardly repeat: looking for repetitions took ten times as long and saved nothing on most products.
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return header + packer.compress(steps.astype(f"<u{width}").tobytes()) + packer.flush()


def decode(data: bytes, *, compact: bool = False) -> np.ndarray:
    """Cumulative demand (paths, days) from bytes; ValueError when they were not written by `encode`.

    `compact`: as small integers where the product is counted in whole pieces, for who reads many at once.
    """
    if len(data) < HEADER.size or data[:2] != MAGIC:
        raise ValueError("These bytes are not stored demand paths.")
    _, version, decimals, width, paths, days = HEADER.unpack_from(data)
    if version != VERSION or width not in WIDTHS or decimals > MAX_DECIMALS:
        raise ValueError(f"Stored demand paths of version {version} cannot be read; train again.")
    try:
        raw = zlib.decompress(data[HEADER.size :])
        steps = np.frombuffer(raw, f"<u{width}").reshape(paths, days)
    except (zlib.error, ValueError) as broken:
        raise ValueError("Stored demand paths are damaged; train again.") from broken
    if compact and not decimals and width == 1 and days <= MOST_DAYS_COMPACT:
        return np.cumsum(steps, axis=1, dtype=np.int32)
    cumulative = np.cumsum(steps, axis=1, dtype=np.float64)  # whole numbers, which floats hold: see EXACT
    return np.divide(cumulative, 10.0**decimals, out=cumulative) if decimals else cumulative
