"""A picture that somebody brings is opened within bounds, whatever it is, or refused with a sentence."""

import dataclasses
import io
import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.scanning import picture_reader, pictures
from core.scanning.pictures import LIMITS

SMALL = dataclasses.replace(LIMITS, memory_bytes=192 * 2**20)


def a_file(picture, kind="PNG", **how):
    written = io.BytesIO()
    picture.save(written, kind, **how)
    return written.getvalue()


def a_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def a_png(wide, high, *chunks, colour=0, pixels=b""):
    header = struct.pack(">IIBBBBB", wide, high, 8, colour, 0, 0, 0)
    parts = [
        a_chunk(b"IHDR", header),
        *chunks,
        a_chunk(b"IDAT", zlib.compress(pixels)),
        a_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def here(data, **limits):
    """The child's own work, without a child."""
    asked = dataclasses.asdict(LIMITS) | {"format": pictures.kind(data[:32])} | limits
    return np.asarray(picture_reader.gray(io.BytesIO(data), asked))


def an_arrow(mode="L", size=(40, 20)):
    """Dark in its upper left quarter, so that turns show."""
    picture = Image.new("L", size, 250)
    picture.paste(5, (0, 0, size[0] // 2, size[1] // 2))
    return picture.convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_five_formats_are_read_by_a_child(kind):
    gray = pictures.opened(a_file(an_arrow(), kind))
    assert gray.dtype == np.uint8
    assert gray.shape == (20, 40)
    assert gray[3, 3] < 30 < 220 < gray[3, 36]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("1", "PNG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("P", "GIF"),
    ],
)
def test_every_way_to_keep_colours_becomes_the_same_gray(mode, kind):
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(an_arrow()).astype(np.uint16) * 257)
    elif mode == "P":
        picture = an_arrow("RGB").quantize(4)
    else:
        picture = an_arrow(mode)
    gray = here(a_file(picture, kind))
    assert gray.dtype == np.uint8
    assert gray[3, 3] < 30 < 220 < gray[3, 36]


def test_what_is_transparent_is_white_like_paper():
    picture = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 10, 30))
    gray = here(a_file(picture))
    assert gray[5, 5] == 0
    assert gray[5, 20] == 255
    palette = picture.quantize(3)
    assert here(a_file(palette, "GIF", transparency=palette.getpixel((20, 5))))[5, 20] == 255


def test_the_exif_says_how_the_camera_was_held():
    upright = np.asarray(an_arrow())
    for said, turn in picture_reader.UPRIGHT.items():
        back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}.get(said, turn)
        exif = Image.Exif()
        exif[picture_reader.EXIF_ORIENTATION] = said
        gray = here(a_file(an_arrow().transpose(back), "JPEG", quality=95, exif=exif))
        assert gray.shape == upright.shape
        assert np.abs(gray.astype(int) - upright).mean() < 5, said


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_an_exif_of_nonsense_does_not_cost_the_picture():
    assert here(a_file(an_arrow(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40)).shape == (
        20,
        40,
    )


def test_a_large_photo_comes_back_as_large_as_codes_need():
    gray = pictures.opened(a_file(Image.new("L", (4032, 3024)), "JPEG"))
    assert gray.shape == (1800, 2400)
    assert here(a_png(1, 40_000, pixels=b"\0\0" * 40_000)).shape == (2400, 1)


def test_of_a_film_only_the_first_frame_is_read():
    frames = [Image.new("L", (30, 30), light) for light in (10, 100, 200)]
    for kind in ("GIF", "PNG", "WEBP"):
        film = a_file(frames[0], kind, save_all=True, append_images=frames[1:])
        assert here(film).max() < 20, kind


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"", "empty"),
        (b"hello, world", "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
        (b"\xc5\xd0\xd3\xc6\0\0", "EPS"),
        (b'<?xml version="1.0"?><svg/>', "drawing"),
        (b"  <html><script>alert(1)</script>", "drawing"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"icns\0\0\0\0", "icon"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "Most Compatible"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "film"),
        (b"\0\0\0\0\x11\xaf" + b"\0" * 40, "no picture"),
        (b"PK\3\4", "packed"),
        (b"%PDF-1.7", "PDF"),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else value,
)
def test_other_files_are_refused_by_their_first_bytes_whatever_they_are_called(head, says, monkeypatch):
    monkeypatch.setattr(pictures, "_ask_child", lambda *_: pytest.fail("a child was asked"))
    with pytest.raises(BadInput, match=says):
        pictures.opened(head)


def test_a_file_that_is_too_large_is_not_even_looked_at(monkeypatch):
    monkeypatch.setattr(pictures, "_ask_child", lambda *_: pytest.fail("a child was asked"))
    with pytest.raises(BadInput, match="25 MB"):
        pictures.opened(b"\x89PNG\r\n\x1a\n" + b"\0" * LIMITS.file_bytes)


def test_a_picture_that_unfolds_is_refused_before_it_does():
    with pytest.raises(BadInput, match="20,000 × 20,000 pixels"):
        pictures.opened(a_png(20_000, 20_000))


def test_a_picture_that_needs_more_memory_than_a_child_has_ends_there():
    huge = a_png(7_000, 7_000, colour=6)
    with pytest.raises(BadInput, match="192 MB of memory"):
        pictures.opened(huge, limits=SMALL)


def test_a_child_that_ends_without_an_answer_is_a_refusal(monkeypatch):
    ended = subprocess.CompletedProcess([], -9, stdout=b"", stderr=b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(BadInput, match="512 MB of memory and 8 seconds"):
        pictures.opened(a_file(an_arrow()))


def test_a_picture_that_takes_too_long_is_stopped():
    with pytest.raises(BadInput, match="more than 0 seconds"):
        pictures.opened(a_file(an_arrow()), limits=dataclasses.replace(LIMITS, seconds=0))


def test_only_so_many_are_opened_at_once(monkeypatch):
    monkeypatch.setattr(pictures, "_children", pictures.threading.BoundedSemaphore(1))
    at_once = dataclasses.replace(LIMITS, seconds=0)
    with pictures._children, pytest.raises(BadInput, match="in a moment"):
        pictures.opened(a_file(an_arrow()), limits=at_once)


def hostile():
    bomb = zlib.compress(bytes(8_000_000), 9)
    photo = a_file(Image.effect_noise((300, 300), 80), "JPEG")
    return {
        "truncated JPEG": photo[:4000],
        "truncated PNG": a_file(Image.effect_noise((300, 300), 80))[:4000],
        "PNG of noise": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "JPEG of noise": b"\xff\xd8\xff" + bytes(range(256)),
        "GIF of noise": b"GIF89a" + bytes(range(256)),
        "BMP of noise": b"BM" + bytes(range(256)),
        "WebP of noise": b"RIFF\0\0\0\0WEBPVP8 " + bytes(range(256)),
        "colour profile bomb": a_png(20, 20, a_chunk(b"iCCP", b"x\0\0" + bomb), pixels=bytes(420)),
        "text bomb": a_png(20, 20, a_chunk(b"zTXt", b"x\0\0" + bomb), pixels=bytes(420)),
        "unicode text bomb": a_png(20, 20, a_chunk(b"iTXt", b"x\0\1\0\0\0" + bomb), pixels=bytes(420)),
    }


def test_what_is_broken_or_hostile_is_refused_with_one_sentence():
    """In one child for all of them, which has less memory than any of the bombs would take."""
    asked = dataclasses.asdict(SMALL)
    work = (
        "import io, json, resource, sys\n"
        "from core.imports.table_reader import Refusal, restrict\n"
        "from core.scanning import picture_reader\n"
        "restrict(json.loads(sys.argv[1]))\n"
        "for line in sys.stdin:\n"
        "    name, kind, data = json.loads(line)\n"
        "    asked = json.loads(sys.argv[1]) | {'format': kind}\n"
        "    print(json.dumps([name, picture_reader.answer(bytes.fromhex(data), asked)[0]]))\n"
        "print(json.dumps(['held', resource.getrlimit(resource.RLIMIT_AS)[0]]))\n"
    )
    lines = [json.dumps([name, pictures.kind(data[:32]), data.hex()]) for name, data in hostile().items()]
    ended = subprocess.run(
        [sys.executable, "-c", work, json.dumps(asked)], input="\n".join(lines), capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    *answers, held = [json.loads(line) for line in ended.stdout.splitlines()]
    assert held == ["held", SMALL.memory_bytes]
    assert [name for name, _ in answers] == list(hostile())
    for name, answer in answers:
        assert answer.get("refused", "").endswith("Take it again."), name


def test_a_bomb_in_the_pixels_gives_no_more_pixels_than_it_said():
    bomb = a_png(50, 50, pixels=bytes(8_000_000))
    assert pictures.opened(bomb, limits=SMALL).shape == (50, 50)


def test_a_picture_with_something_behind_it_is_the_picture():
    assert pictures.opened(a_file(an_arrow()) + b"<script>alert(1)</script>").shape == (20, 40)
