"""How many codes of bad pictures are read, and how many that are not there. `python -m bench.decode`

pyzbar and zxing-cpp as they come, and the cascade of `core.scanning.decoding` as a camera (one frame; eight
frames of one picture) and as a photo gets it, on `bench.decode_pictures`: the half it was tuned on and the
half kept for the final figure. Milliseconds are of the processor, of one run: look at the ratios.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from bench.decode_pictures import SEED, Picture, pictures
from core.scanning import decoding

FRAMES = 8
UPC_A_AS_EAN_13 = 13

Decoder = Callable[[np.ndarray], list[str]]


@dataclass
class Score:
    """What one decoder did on the pictures of one half."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    wrong_pictures: int = 0
    milliseconds: list[float] = field(default_factory=list)
    found: list[frozenset[str]] = field(default_factory=list)  # right ones, picture by picture

    def add(self, picture: Picture, texts: Iterable[str], milliseconds: float) -> None:
        """Judge the reads of one picture."""
        read = set(texts)
        self.right[picture.kind] += len(read & picture.codes)
        self.wrong += [(picture.kind, text) for text in sorted(read - picture.codes)]
        self.wrong_pictures += bool(read - picture.codes)
        self.milliseconds.append(milliseconds)
        self.found.append(frozenset(read & picture.codes))


def decoders() -> dict[str, Decoder]:
    """Those that are compared; each gives the texts it read."""
    import zxingcpp
    from pyzbar import pyzbar

    def with_pyzbar(gray: np.ndarray) -> list[str]:
        return [_as_printed(code.data.decode("utf-8", "replace")) for code in pyzbar.decode(gray)]

    def with_zxing(gray: np.ndarray) -> list[str]:
        read = zxingcpp.read_barcodes(gray, text_mode=zxingcpp.TextMode.Plain)
        return [_as_printed(code.text) for code in read]

    def live(gray: np.ndarray) -> list[str]:
        return [code.text for code in decoding.decode(gray, effort="live")]

    def frames(gray: np.ndarray) -> list[str]:
        return [code.text for turn in range(FRAMES) for code in decoding.decode(gray, turn=turn)]

    def photo(gray: np.ndarray) -> list[str]:
        return [code.text for code in decoding.decode(gray, effort="photo")]

    return {
        "pyzbar": with_pyzbar,
        "zxing-cpp": with_zxing,
        "live, 1 frame": live,
        f"live, {FRAMES} frames": frames,
        "photo": photo,
    }


def judged(shown: Iterable[Picture], compared: dict[str, Decoder]) -> tuple[dict[str, Score], Counter[str]]:
    """Each picture to each decoder in turn; the scores, and how many codes there are of each kind."""
    scores = {name: Score() for name in compared}
    codes: Counter[str] = Counter()
    for picture in shown:
        codes[picture.kind] += len(picture.codes)
        for name, read in compared.items():
            started = time.thread_time()
            texts = read(picture.gray)
            scores[name].add(picture, texts, (time.thread_time() - started) * 1000)
    return scores, codes


def missed_by_cascade(scores: dict[str, Score], cascade: str) -> int:
    """How many codes pyzbar or zxing-cpp alone reads and the cascade does not, picture by picture."""
    rows = zip(scores["pyzbar"].found, scores["zxing-cpp"].found, scores[cascade].found, strict=True)
    return sum(len((one | other) - ours) for one, other, ours in rows)


def show(title: str, scores: dict[str, Score], codes: Counter[str]) -> None:
    """A line a decoder, then a line a kind of picture."""
    total, shown = sum(codes.values()), len(scores["pyzbar"].found)
    empty = sum(1 for kind in codes if not codes[kind])
    print(f"\n{title}: {total} codes on {shown} pictures, {empty} kinds of them without a code")
    print(f"  {'':14} {'right':>6} {'share':>6} {'missed':>7} {'wrong':>6} {'of pictures':>12}"
          f" {'mean ms':>8} {'p50':>6} {'p95':>7} {'ratio':>6}")  # fmt: skip
    first = np.mean(scores["zxing-cpp"].milliseconds)
    for name, score in scores.items():
        right, times = sum(score.right.values()), score.milliseconds
        print(
            f"  {name:14} {right:6} {right / total:6.1%} {missed_by_cascade(scores, name):7}"
            f" {len(score.wrong):6} {score.wrong_pictures / shown:12.2%} {np.mean(times):8.1f}"
            f" {np.median(times):6.1f} {np.percentile(times, 95):7.1f} {np.mean(times) / first:6.2f}",
            flush=True,
        )
    print(f"  {'kind':14} " + " ".join(f"{name:>14}" for name in scores))
    for kind in (kind for kind in codes if codes[kind]):
        cells = " ".join(f"{score.right[kind] / codes[kind]:14.0%}" for score in scores.values())
        print(f"  {kind:14} {cells}")
    for name, score in scores.items():
        if score.wrong:
            print(f"  wrong by {name}: " + "; ".join(f"{text} ({kind})" for kind, text in score.wrong))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--half", choices=("tuned", "kept", "both"), default="both")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--every", type=int, default=1, help="only every so many pictures")
    asked = parser.parse_args()
    compared = decoders()
    print(
        "missed: codes that pyzbar or zxing-cpp reads and this one does not; ratio: of mean ms to zxing-cpp"
    )
    for half in ("tuned", "kept"):
        if asked.half not in (half, "both"):
            continue
        shown = (picture for picture in pictures(asked.seed) if picture.kept == (half == "kept"))
        thinned = (picture for place, picture in enumerate(shown) if place % asked.every == 0)
        show(f"The {half} half", *judged(thinned, compared))


def _as_printed(text: str) -> str:
    """A UPC-A, which comes as EAN-13 with a 0 in front, as it is printed under its bars."""
    is_upc = len(text) == UPC_A_AS_EAN_13 and text.isdigit() and text[0] == "0"
    return text[1:] if is_upc else text


if __name__ == "__main__":
    main()
