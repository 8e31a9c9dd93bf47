"""What the model says of movements: of those that somebody asks about, and of every new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import cursors
from core.anomaly.detector import Judged, Scores
from core.anomaly.lines import FIELDS, KINDS
from core.anomaly.looking import Looked
from core.doctor import endpoint, finding_raising, ledger_lines, model_archive
from core.doctor.endpoint_settings import EndpointSettings
from core.doctor.model_store import Loaded
from db.models import AnomalySettings, Movement, MovementScore

LOCAL, SAGEMAKER = "local", "sagemaker"
BATCH = 2_000  # movements that are judged and written in one transaction: about a second
_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True)
class Scored:
    """What is said of one movement. `value`: what `field` should be, None when that is no number."""

    transaction_id: int
    chance: float
    is_anomaly: bool
    kind: str
    field: str
    value: float | None
    cluster: int
    x: float
    y: float


@dataclass(frozen=True)
class Answer:
    """Scores in the order asked; `why_local`: why the endpoint, asked, did not judge."""

    results: list[Scored]
    model_id: int
    judged_by: str
    why_local: str | None


@dataclass(frozen=True)
class Step:
    """What one step of the look at new movements did; `is_done`: nothing was left."""

    scored: int
    raised: int
    is_done: bool


# -- For whoever asks ----------------------------------------------------------------------------------------


def answer(
    loaded: Loaded, looked: Looked, ids: Sequence[int], endpoint_settings: EndpointSettings | None = None
) -> Answer:
    """Judge what was looked at; `ids` are those of the lines, in the same order.

    No session may be open where an endpoint is asked: that waits for a network.
    The endpoint says how likely an error is; what is wrong, the repair and the place on the map are told by
    the evidence and the model here, so that they mean the same whoever judges.
    """
    judged = loaded.detector.judge(looked.features)
    judged_by, why_local = LOCAL, None
    if endpoint_settings is not None and len(ids):
        told = endpoint.judge(endpoint_settings, looked.features, loaded.manifest["feature_version"])
        if told.judged is None:
            why_local = told.reason
        else:
            judged_by = SAGEMAKER
            is_same_map = told.model == model_archive.fingerprint(loaded.detector.manifest)
            judged = told.judged if is_same_map else _on_our_map(told.judged, judged)
    scores = loaded.detector.answer(looked, judged)
    results = [_scored(number, scores, n) for n, number in enumerate(ids)]
    return Answer(results, loaded.id, judged_by, why_local)


def _on_our_map(theirs: Judged, ours: Judged) -> Judged:
    return Judged(theirs.chance, theirs.is_anomaly, ours.cluster, ours.x, ours.y)


def _scored(number: int, scores: Scores, n: int) -> Scored:
    value = float(scores.value[n])
    return Scored(
        number, float(scores.chance[n]), bool(scores.is_anomaly[n]), KINDS[scores.kind[n]],
        FIELDS[scores.field[n]], value if np.isfinite(value) else None, int(scores.cluster[n]),
        float(scores.x[n]), float(scores.y[n]),
    )  # fmt: skip


# -- Of every new movement -----------------------------------------------------------------------------------


def score_new(session: Session, loaded: Loaded, now: datetime, today: date, most: int = BATCH) -> Step:
    """Judge the movements behind the last one looked at, keep their scores, and raise findings.

    No movement is passed that an earlier one could still overtake. Nothing is done when somebody else was
    faster; the next call goes on behind them.
    """
    settings = session.get_one(AnomalySettings, 1, populate_existing=True)
    last_id, start = cursors.horizon(session), settings.scored_to
    if last_id <= start:
        return Step(0, 0, is_done=True)
    sheet = ledger_lines.after(session, start, last_id, most, today)
    scores = loaded.detector.score(sheet.lines, sheet.targets, sheet.shelf)
    settings = session.get_one(AnomalySettings, 1, with_for_update=True, populate_existing=True)
    if settings.scored_to != start:
        return Step(0, 0, is_done=False)
    ids = sheet.lines.id[sheet.targets].tolist()
    known = set(session.scalars(select(MovementScore.movement_id).where(MovementScore.movement_id.in_(ids))))
    _keep(session, loaded.id, ids, scores)
    is_new = np.array([number not in known for number in ids], bool)
    raised = finding_raising.raise_of(session, loaded.id, sheet, scores, is_new, settings, now, today)
    settings.scored_to = sheet.until_id
    session.flush()
    return Step(len(ids), raised, is_done=sheet.until_id >= last_id)


def pass_over(session: Session) -> int | None:
    """Leave out the next movement, of which nothing can be said; answers its id."""
    settings = session.get_one(AnomalySettings, 1, with_for_update=True, populate_existing=True)
    following = session.scalar(select(func.min(Movement.id)).where(Movement.id > settings.scored_to))
    if following is not None:
        settings.scored_to = following
        session.flush()
    return following


def _keep(session: Session, model_id: int, ids: Sequence[int], scores: Scores) -> None:
    rows = [
        {
            "movement_id": number, "model_id": model_id, "score": float(np.clip(scores.chance[n], 0, 1)),
            "kind": KINDS[scores.kind[n]], "is_anomaly": bool(scores.is_anomaly[n]),
            "cluster_id": int(scores.cluster[n]), "x": float(scores.x[n]), "y": float(scores.y[n]),
        }
        for n, number in enumerate(ids)
    ]  # fmt: skip
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        statement = insert(MovementScore).values(rows[start : start + _ROWS_AT_ONCE])
        told = {name: statement.excluded[name] for name in rows[0] if name != "movement_id"}
        session.execute(statement.on_conflict_do_update(index_elements=["movement_id"], set_=told))
