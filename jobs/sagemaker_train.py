"""`train`, as SageMaker runs it: learn from an exported channel, and leave a model that `serve` can load.

    input/config/hyperparameters.json   all values are strings: seed, workers
    input/data/CHANNEL/                 the folder that `python -m jobs export-features` wrote
    model/                              the files of the model; SageMaker makes model.tar.gz of them
    output/failure                      why it failed, in one sentence

The database is not asked. What is measured is printed as `name=value;`, for SageMaker's metric definitions.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from core.anomaly.detector import Detector
from core.doctor import model_archive, training_channel
from core.errors import BadInput

ROOT = "/opt/ml"
MOST_CHARACTERS = 1024  # SageMaker shows no more of a failure
MOST_SEED = 2**31 - 1
NUMBERS = {"seed": (0, MOST_SEED), "workers": (1, 256)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the folders are; SM_ROOT names it too."""
    parser.add_argument("--root", type=Path, help=f"in place of {ROOT}, to try it on a machine of one's own")


def main(args: argparse.Namespace) -> int:
    """Learn; 0 when the model is written, 1 with `output/failure` when it is not."""
    root = args.root or Path(os.environ.get("SM_ROOT") or ROOT)
    began = time.monotonic()
    try:
        detector = train(root)
    except Exception as trouble:
        _tell_failure(root, trouble)
        if isinstance(trouble, BadInput):
            return 1
        raise  # a bug: the traceback goes to the log
    for name, value in detector.manifest["metrics"].items():
        print(f"{name}={value:.6g};", flush=True)
    print(f"The model was learned in {time.monotonic() - began:.0f} s.", flush=True)
    return 0


def train(root: Path) -> Detector:
    """Read the channel, learn, write the model. Refuses with BadInput before anything is written."""
    chosen = _hyperparameters(root)
    channel = training_channel.read(training_channel.find(root / "input" / "data"))
    seed = chosen.get("seed", channel.manifest.get("seed", 0))
    workers = chosen.get("workers", os.cpu_count() or 1)
    print(f"Learning from {len(channel.table):,} rows with {workers} threads, seed {seed}.", flush=True)
    detector = Detector.fit(channel.table, channel.habits, seed, workers)
    model_archive.into_folder(root / "model", detector.files())
    return detector


def _hyperparameters(root: Path) -> dict[str, int]:
    path = root / "input" / "config" / "hyperparameters.json"
    try:
        given = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError):
        raise BadInput("hyperparameters.json cannot be read.") from None
    if not isinstance(given, dict):
        raise BadInput("hyperparameters.json is no list of names and values.")
    # SageMaker's own SDK adds names of its own, which begin like this.
    unknown = [name for name in given if name not in NUMBERS and not name.startswith("sagemaker_")]
    if unknown:
        raise BadInput(f"There is no hyperparameter '{unknown[0]}': {' and '.join(NUMBERS)} are known.")
    return {name: _number(name, given[name]) for name in NUMBERS if name in given}


def _number(name: str, given: object) -> int:
    least, most = NUMBERS[name]
    said = f"{given}".strip().strip('"')
    if not (said.isascii() and said.isdigit() and least <= int(said) <= most):
        raise BadInput(f"The hyperparameter {name} is no whole number from {least:,} to {most:,}.")
    return int(said)


def _tell_failure(root: Path, trouble: Exception) -> None:
    sentence = trouble.sentence if isinstance(trouble, BadInput) else f"{type(trouble).__name__}: {trouble}"
    print(sentence, file=sys.stderr, flush=True)
    output = root / "output"
    output.mkdir(parents=True, exist_ok=True)
    (output / "failure").write_text(sentence[:MOST_CHARACTERS], encoding="utf-8")
