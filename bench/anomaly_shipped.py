"""The shipped detector, as the measures and the stable entry point use it."""

import hashlib
import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np

import core.anomaly
from bench.anomaly_lines import Stream
from bench.anomaly_score import Ranking
from core.anomaly.detector import Detector
from core.anomaly.lines import FIELDS, KINDS, Lines, Shelf

LEARNS_FROM = 1_000
"""Lines; with fewer before the cut a detector is learned as soon as so many have been booked."""
LEARNS_AGAIN = 10
"""In that case it is learned anew whenever there are so many times as many."""
PIECES = 4  # a process works off so many pieces of the lines
DECIMALS = 4
SMALL = 1e-9  # less than any chance that a detector gives

CODE = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(core.anomaly.__path__[0]).glob("*.py")))
).hexdigest()

_learned: dict[str, Detector] = {}

Say = Callable[[str], None]


def silent(_: str) -> None:
    """Says nothing."""


def rank(
    stream: Stream,
    *,
    kinds: Sequence[str] = KINDS,
    workers: int = 1,
    keep: Path | None = None,
    say: Say = silent,
) -> Ranking:
    """Learn before the cut, score every line from the cut on.

    Where next to nothing is before the cut the detector is learned as soon as lines enough have been booked,
    and again later; the first lines are then ranked by what they are worth, below all others.
    """
    parts = []
    for known, targets in stages(stream):
        if known:
            detector = learned(stream, known, kinds=kinds, workers=workers, keep=keep, say=say)
            parts.append(scored(detector, stream, targets, workers))
        else:
            parts.append(_by_value(stream, targets))
    columns = [field.name for field in fields(Ranking)]
    return Ranking(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns})


def stages(stream: Stream) -> list[tuple[int, np.ndarray]]:
    """How many lines are known to a detector, and what it scores; 0 known: nothing has been learned yet."""
    if stream.start >= LEARNS_FROM:
        return [(stream.start, stream.later)]
    known = [0]
    while (following := LEARNS_FROM if not known[-1] else known[-1] * LEARNS_AGAIN) < len(stream.lines):
        known.append(following)
    ends = [*known[1:], len(stream.lines)]
    stages = [
        (first, stream.later[(stream.later >= first) & (stream.later < end)])
        for first, end in zip(known, ends, strict=True)
    ]
    return [(first, targets) for first, targets in stages if len(targets)] or [(0, stream.later)]


def learned(
    stream: Stream,
    known: int,
    *,
    kinds: Sequence[str] = KINDS,
    workers: int = 1,
    keep: Path | None = None,
    say: Say = silent,
) -> Detector:
    """The detector that learned from the first `known` lines; learned once in a process and in `keep`."""
    lines = stream.lines.take(np.arange(known))
    name = _fingerprint(lines, kinds)
    if name not in _learned:
        folder = keep / name if keep else None
        if folder is not None and folder.is_dir():
            files = {path.name: path.read_bytes() for path in folder.iterdir()}
            _learned[name] = Detector.from_files(files)
        else:
            _learned[name] = Detector.learn(lines, stream.shelf, workers=workers, kinds=kinds, progress=say)
            if folder is not None:
                _write(_learned[name], folder)
    return _learned[name]


def _write(detector: Detector, folder: Path) -> None:
    """All files at once under their name; another run may have been faster, with the same ones."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        whole = Path(made) / folder.name
        whole.mkdir()
        for name, content in detector.files().items():
            (whole / name).write_bytes(content)
        if not folder.exists():
            whole.rename(folder)


def _fingerprint(lines: Lines, kinds: Sequence[str]) -> str:
    """Tells lines, kinds and the code that this process runs from any others."""
    told = hashlib.sha256(" ".join((CODE, *kinds)).encode())
    for field in fields(Lines):
        told.update(np.ascontiguousarray(getattr(lines, field.name)).tobytes())
    return told.hexdigest()[:16]


def scored(detector: Detector, stream: Stream, targets: np.ndarray, workers: int = 1) -> Ranking:
    """The detector's word on these places in the lines."""
    if workers == 1:
        return _read(detector, stream, targets)
    # Spawned: a fork would take the threads of the learner's library with it in an unknown state.
    pool = ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=receive,
        initargs=(detector.files(), stream),
    )
    with pool:
        parts = list(pool.map(piece, np.array_split(targets, workers * PIECES)))
    columns = [field.name for field in fields(Ranking)]
    return Ranking(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns})


_at_hand: dict[str, object] = {}  # of a process that scores


def receive(files: dict[str, bytes], stream: Stream) -> None:
    _at_hand.update(detector=Detector.from_files(files), stream=stream)


def piece(targets: np.ndarray) -> Ranking:
    return _read(_at_hand["detector"], _at_hand["stream"], targets)


def _read(detector: Detector, stream: Stream, targets: np.ndarray) -> Ranking:
    """Scores in the terms of the file."""
    scores = detector.score(stream.lines, targets, stream.shelf)
    repairs = [
        repair(FIELDS[field], value, stream.shelf)
        for field, value in zip(scores.field.tolist(), scores.value.tolist(), strict=True)
    ]
    return Ranking(
        stream.rows[targets],
        np.asarray(scores.chance, float),
        np.array(KINDS, object)[scores.kind],
        np.array([column for column, _ in repairs] or [""], object)[: len(repairs)],
        np.array([value for _, value in repairs] or [""], object)[: len(repairs)],
    )


def repair(field: str, value: float, shelf: Shelf) -> tuple[str, str]:
    """The column that a repair changes and what it would hold; a sale is a negative change there."""
    if field == "whole":
        return "Quantity", "0"
    if field in ("quantity", "sign"):
        return "Quantity", _number(-value)
    if field == "price":
        return "UnitPrice", _number(value)
    if field == "product":
        return "StockCode", shelf.codes[int(value)]
    return "", ""


def _number(value: float) -> str:
    return f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _by_value(stream: Stream, targets: np.ndarray) -> Ranking:
    """Lines of a shop that nobody knows yet: the dearest first, all below any chance worth a look."""
    lines = stream.lines.take(targets)
    worth = np.abs(lines.change) * np.nan_to_num(lines.price)
    nothing = np.full(len(targets), "", object)
    score = worth / (1 + worth) * SMALL
    return Ranking(stream.rows[targets], score, np.full(len(targets), "unknown", object), nothing, nothing)
