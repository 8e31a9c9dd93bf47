"""Where trained models for odd movements are kept, and which one judges: the newest whose files are whole."""

import hashlib
import json
import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from core.anomaly.detector import Detector
from core.errors import BadInput, RuleBroken
from db.models import AnomalyFile, AnomalyModel, AnomalySettings, Movement

KEPT = 3  # models whose files stay: the one that judges, and those it would fall back to
LOOK_BACK_DAYS = 30
"""The first model looks back so far, so that there is something to see."""
MAPPED = 20_000
"""So many of the newest movements are placed anew by each new model, so that the map is one map."""
MOST_LOOKED_BACK = 100_000
log = logging.getLogger("runout.anomalies")


@dataclass(frozen=True)
class Loaded:
    """A model in memory, ready to judge."""

    id: int
    uid: uuid.UUID
    manifest: dict[str, Any]
    detector: Detector
    trained_at: datetime


@dataclass(frozen=True)
class About:
    """What people may know of the model that judges; `problem`: why the training after it failed."""

    id: int
    manifest: dict[str, Any]
    trained_at: datetime
    learned_to: int | None
    problem: str | None


_held: dict[uuid.UUID, Loaded | None] = {}
# By uid, not by number: tests see many databases. Refused ones are None, so that nobody reads them again.
_one_at_a_time = threading.Lock()


def current(session: Session) -> Loaded | None:
    """The model that judges; None when there is none.

    It is read once a process. One whose files are not what was published, or that another version of the
    software wrote, is refused with a line in the log, and the one before it judges.
    """
    question = (
        select(AnomalyModel.id)
        .where(AnomalyModel.state == "published")
        .order_by(AnomalyModel.id.desc())
        .limit(KEPT)
    )
    for model_id in session.scalars(question):
        loaded = _loaded(session, model_id)
        if loaded is not None:
            return loaded
    return None


def newest(session: Session) -> tuple[int, dict[str, Any]] | None:
    """Number and manifest of the newest published model, whether it can be loaded or not."""
    found = session.execute(
        select(AnomalyModel.id, AnomalyModel.manifest)
        .where(AnomalyModel.state == "published")
        .order_by(AnomalyModel.id.desc())
        .limit(1)
    ).first()
    return None if found is None else (found.id, found.manifest)


def load(session: Session, model_id: int) -> Detector:
    """The detector of a model. Refuses files that are missing, changed or of another version."""
    question = select(AnomalyFile).where(AnomalyFile.model_id == model_id).order_by(AnomalyFile.name)
    kept = session.scalars(question).all()
    if not kept:
        raise BadInput(f"The files of model {model_id} are not kept any more.")
    for file in kept:
        if _sha256(file.content) != file.sha256:
            raise BadInput(f"{file.name} of model {model_id} is not what was published.")
    return Detector.from_files({file.name: file.content for file in kept})


def about(session: Session) -> About | None:
    """The model that judges and, when a later training failed, why; None before the first model."""
    loaded = current(session)
    if loaded is None:
        return None
    failed = select(AnomalyModel.problem).where(AnomalyModel.state == "failed", AnomalyModel.id > loaded.id)
    return About(
        loaded.id, loaded.manifest, loaded.trained_at,
        session.scalar(select(AnomalyModel.learned_to).where(AnomalyModel.id == loaded.id)),
        session.scalar(failed.order_by(AnomalyModel.id.desc()).limit(1)),
    )  # fmt: skip


# -- Training ------------------------------------------------------------------------------------------------


def begin(session: Session, actor_id: int | None, now: datetime) -> int:
    """Open a training and answer its number.

    One that is still open was killed, or is slower than this one: it is given up.
    """
    open_ones = select(AnomalyModel).where(AnomalyModel.state == "running").with_for_update()
    for earlier in session.scalars(open_ones):
        earlier.state, earlier.finished_at = "abandoned", now
    model = AnomalyModel(state="running", started_by=actor_id, started_at=now)
    session.add(model)
    session.flush()
    return model.id


def publish(
    session: Session,
    model_id: int,
    files: Mapping[str, bytes],
    learned_to: int | None,
    now: datetime,
    today: date,
) -> None:
    """Keep a model's files and let it judge from now on, also the newest of what was judged; old files go.

    Refuses a training that another one has overtaken; one that is published already stays as it is.
    """
    model = session.get_one(AnomalyModel, model_id, with_for_update=True, populate_existing=True)
    if model.state == "published":
        return
    if model.state != "running":
        raise RuleBroken("Another training began after this one, so this one is not published.")
    is_first = newest(session) is None
    rows = [
        {"model_id": model_id, "name": name, "sha256": _sha256(content), "content": content}
        for name, content in files.items()
    ]
    session.execute(insert(AnomalyFile), rows)
    model.state, model.learned_to = "published", learned_to
    model.manifest = json.loads(files["manifest.json"])
    model.finished_at = now
    session.flush()
    kept = select(AnomalyModel.id).where(AnomalyModel.state == "published").order_by(AnomalyModel.id.desc())
    session.execute(delete(AnomalyFile).where(AnomalyFile.model_id.not_in(kept.limit(KEPT))))
    _begin_anew(session, today, is_first=is_first)


def tried_in_vain_since(session: Session, moment: datetime) -> bool:
    """Whether the last training that began after this moment failed, was killed, or has not ended yet."""
    last = select(AnomalyModel.state).where(AnomalyModel.started_at > moment).order_by(AnomalyModel.id.desc())
    return session.scalar(last.limit(1)) not in (None, "published")


def fail(session: Session, model_id: int, problem: str, now: datetime) -> None:
    """Give up a training: the model before it goes on judging."""
    model = session.get_one(AnomalyModel, model_id, with_for_update=True, populate_existing=True)
    if model.state == "running":
        model.state, model.problem, model.finished_at = "failed", problem, now
        session.flush()


def _begin_anew(session: Session, today: date, *, is_first: bool) -> None:
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


def _loaded(session: Session, model_id: int) -> Loaded | None:
    """The model from memory, or read now; None when it was refused, which is not tried again and again."""
    row = session.get_one(AnomalyModel, model_id)
    with _one_at_a_time:
        if row.uid not in _held:
            _held[row.uid] = _read(session, row)
            while len(_held) > KEPT:
                _held.pop(next(iter(_held)))
        return _held[row.uid]


def _read(session: Session, row: AnomalyModel) -> Loaded | None:
    try:
        return Loaded(row.id, row.uid, row.manifest, load(session, row.id), row.finished_at)
    except BadInput as refusal:
        log.error("Model %s is refused: %s", row.id, refusal.sentence)
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
