"""What an endpoint may answer, and nothing else: strictly read, because it comes from another machine."""

import json
from typing import Any, NoReturn

import numpy as np

from core.anomaly.detector import Judged

MOST_CLUSTER = 32_767  # what the column of a score holds
FARTHEST = 1e6  # from the middle of the map; a place beyond it is no place
FINGERPRINT_CHARACTERS = 128


class Trouble(Exception):
    """Why the endpoint's answer is of no use; the end of a sentence that begins with its name."""


def judged_of(said: bytes, count: int, feature_version: str) -> tuple[Judged, str | None]:
    """The judgement in an answer to `count` rows, and the fingerprint of the model. Raises Trouble."""
    try:
        answer = json.loads(said, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Trouble("sent an answer that is not JSON.") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("predictions"), list):
        raise Trouble("sent an answer without a list of predictions.")
    if answer.get("feature_version") != feature_version:
        raise Trouble("has a model for other features: train it again, or deploy this version.")
    rows = answer["predictions"]
    if len(rows) != count:
        raise Trouble(f"sent {len(rows):,} predictions for {count:,} rows.")
    model = answer.get("model")
    if model is not None and not (isinstance(model, str) and len(model) <= FINGERPRINT_CHARACTERS):
        raise Trouble("sent an answer whose model has no fingerprint.")
    judged = Judged(
        chance=np.array([_number(row, "anomaly_score", 0, 1) for row in rows], np.float64),
        is_anomaly=np.array([_yes_or_no(row, "is_anomaly") for row in rows], bool),
        cluster=np.array([_whole(row, "cluster_id", MOST_CLUSTER) for row in rows], np.int16),
        x=np.array([_number(row, "x", -FARTHEST, FARTHEST) for row in rows], np.float32),
        y=np.array([_number(row, "y", -FARTHEST, FARTHEST) for row in rows], np.float32),
    )
    return judged, model


def joined(parts: list[Judged]) -> Judged:
    """The judgements of several answers as one."""
    if not parts:
        nothing = np.empty(0)
        return Judged(nothing, nothing.astype(bool), nothing.astype(np.int16), nothing, nothing)
    return Judged(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _value(row: Any, name: str) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise Trouble(f"sent a prediction without {name}.")
    return row[name]


def _number(row: Any, name: str, least: float, most: float) -> float:
    value = _value(row, name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:  # nan is in no range
        raise Trouble(f"sent a prediction whose {name} is no number from {least:g} to {most:g}.")
    return float(value)


def _whole(row: Any, name: str, most: int) -> int:
    value = _value(row, name)
    if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value <= most:
        raise Trouble(f"sent a prediction whose {name} is no whole number.")
    return value


def _yes_or_no(row: Any, name: str) -> bool:
    value = _value(row, name)
    if not isinstance(value, bool):
        raise Trouble(f"sent a prediction whose {name} is neither true nor false.")
    return value
