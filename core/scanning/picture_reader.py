"""The child process that opens one picture: limits first, then a file on stdin -> gray pixels on stdout.

Started by `pictures` as `python -m core.scanning.picture_reader LIMITS` (JSON). It answers with one line of
JSON (`width` and `height`, or `refused`) and then the pixels, a byte each.
"""

import io
import json
import sys
import warnings

from PIL import Image, UnidentifiedImageError

from core.imports.table_reader import Refusal, restrict

EXIF_ORIENTATION = 0x0112
# EXIF's way of saying how the camera was held -> what puts the picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WHITE = 255
DEEP = 257  # a gray of 16 bits is that many times one of 8


def gray(stream: io.BytesIO, limits: dict) -> Image.Image:
    """The first frame, upright, on white, in gray, no side longer than `limits["side_pixels"]`."""
    picture = Image.open(stream, formats=(limits["format"],))
    wide, high = picture.size
    if wide * high > limits["pixels"]:
        raise Refusal(
            f"it has {wide:,} × {high:,} pixels; at most {limits['pixels'] // 10**6} megapixels are read. "
            "Take it at a lower resolution."
        )
    side = (limits["side_pixels"], limits["side_pixels"])
    turn = UPRIGHT.get(_orientation(picture))
    picture.draft("L", picture.size)  # a JPEG's colours are never decoded
    if picture.mode in ("1", "P"):  # neither can be made smaller as it is
        picture = picture.convert("L" if picture.mode == "1" else "RGBA")
    elif picture.mode.startswith("I"):
        picture = picture.convert("I")
    picture.thumbnail(side, Image.Resampling.BICUBIC)
    picture = _flat(picture)
    return picture if turn is None else picture.transpose(turn)


def _orientation(picture: Image.Image) -> object:
    """How the camera was held, by the EXIF; nothing where that is missing or broken."""
    try:
        return picture.getexif().get(EXIF_ORIENTATION)
    except Exception:  # a broken EXIF fails in many ways, and the picture itself may be fine
        return None


def _flat(picture: Image.Image) -> Image.Image:
    """In 8 bits of gray; what is transparent becomes white, like paper."""
    if picture.mode == "L":
        return picture
    if picture.mode == "I":
        return picture.point(lambda light: light * (1 / DEEP)).convert("L")
    if picture.mode in ("RGBA", "LA"):
        paper = Image.new("L", picture.size, WHITE)
        paper.paste(picture.convert("L"), mask=picture.getchannel("A"))
        return paper
    return picture.convert("RGB").convert("L")


def answer(data: bytes, limits: dict) -> tuple[dict, bytes]:
    """Size and pixels of a picture, or why there are none."""
    try:
        picture = gray(io.BytesIO(data), limits)
        return {"width": picture.width, "height": picture.height}, picture.tobytes()
    except Refusal as refusal:
        sentence = str(refusal)
    except MemoryError:
        memory = limits["memory_bytes"] // 2**20
        sentence = f"opening it needs more than {memory} MB of memory. Make it smaller."
    except UnidentifiedImageError:
        sentence = "only its first bytes look like a picture. Take it again."
    except Exception:  # the libraries raise nearly everything at a broken file
        sentence = "it is broken or was cut off. Take it again."
    return {"refused": sentence}, b""


def main(limits: dict) -> None:
    """Open what stdin brings and answer on stdout."""
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # `gray` checks our own limit, and that is no mere warning
    restrict(limits)
    said, pixels = answer(sys.stdin.buffer.read(), limits)
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + pixels)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
