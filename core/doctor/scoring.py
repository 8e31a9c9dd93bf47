"""What the model says of movements: of those that somebody asks about, and of every new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import cursors
from core.anomaly.detector import Judged, Scores
from core.anomaly.lines import FIELDS, KINDS
from core.doctor import endpoint, finding_raising, ledger_lines, model_archive
from core.doctor.endpoint_settings import EndpointSettings
from core.doctor.ledger_lines import Sheet
from core.doctor.model_store import Loaded
from db.models import AnomalySettings, Movement, MovementScore

LOCAL, SAGEMAKER = "local", "sagemaker"
BATCH = 2_000  # movements that are judged and written in one transaction: about a second
LOOK_BACK_DAYS = 30
"""The first model looks back so far, so that there is something to see."""
MAPPED = 20_000
"""So many of the newest movements are placed anew by each new model, so that the map is one map."""
MOST_LOOKED_BACK = 100_000
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
    """Scores in the order of a sheet's targets; `why_local`: why the endpoint, asked, did not judge."""

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


def answer(loaded: Loaded, sheet: Sheet, endpoint_settings: EndpointSettings | None = None) -> Answer:
    """Judge the targets of a sheet.

    No session may be open where an endpoint is asked: that waits for a network.
    The endpoint says how likely an error is; what is wrong, the repair and the place on the map are told by
    the evidence and the model here, so that they mean the same whoever judges.
    """
    looked = loaded.detector.look(sheet.lines, sheet.targets, sheet.shelf)
    judged = loaded.detector.judge(looked.features)
    judged_by, why_local = LOCAL, None
    if endpoint_settings is not None and len(sheet.targets):
        told = endpoint.judge(endpoint_settings, looked.features, loaded.manifest["feature_version"])
        if told.judged is None:
            why_local = told.reason
        else:
            judged_by = SAGEMAKER
            is_same_map = told.model == model_archive.fingerprint(loaded.detector.manifest)
            judged = told.judged if is_same_map else _on_our_map(told.judged, judged)
    scores = loaded.detector.tell(looked, judged)
    ids = sheet.lines.id[sheet.targets].tolist()
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


def begin_anew(session: Session, today: date, *, is_first: bool) -> None:
    """Go back to where a new model begins: the newest movements stand on its map, and no others.

    The first model also looks for errors in the last 30 days; a later one raises nothing that the one before
    has passed.
    """
    settings = session.get_one(AnomalySettings, 1, with_for_update=True, populate_existing=True)
    start = _behind_newest(session, MAPPED)
    if is_first:
        recent = select(func.min(Movement.id)).where(
            Movement.id > _behind_newest(session, MOST_LOOKED_BACK),
            Movement.day >= today - timedelta(days=LOOK_BACK_DAYS),
        )
        first_recent = session.scalar(recent)
        start = min(start, first_recent - 1) if first_recent is not None else start
    settings.scored_to = min(start, settings.scored_to) if not is_first else start
    session.flush()


def _behind_newest(session: Session, most: int) -> int:
    """The movement before the newest `most`; 0 when there are no more."""
    question = select(Movement.id).order_by(Movement.id.desc()).offset(most).limit(1)
    return session.scalar(question) or 0


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
