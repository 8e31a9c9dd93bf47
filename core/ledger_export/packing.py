"""Compression of a stream as HTTP's content encodings know it, piece by piece."""

import zlib
from collections.abc import Iterable, Iterator

from core.ledger_export.outlet import Outlet

ENCODINGS = ("gzip", "zstd")
GZIP_LEVEL = 1
"""Such text shrinks to an eighth at the lowest level; level 6 takes three times as long for a tenth."""


def packed(pieces: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """The pieces in a content encoding, or as they are. A small piece may come out with a later one."""
    if encoding is None:
        yield from pieces
    elif encoding == "gzip":
        yield from _gzip(pieces)
    else:
        yield from _zstd(pieces)


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(GZIP_LEVEL, wbits=16 + zlib.MAX_WBITS)
    for piece in pieces:
        if small := packer.compress(piece):
            yield small
    yield packer.flush()


def _zstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    import pyarrow as pa

    outlet = Outlet()
    with pa.CompressedOutputStream(pa.PythonFile(outlet, "w"), "zstd") as packer:
        for piece in pieces:
            packer.write(piece)
            if small := outlet.taken():
                yield small
    yield outlet.taken()
