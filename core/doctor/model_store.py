"""Where trained models for odd movements are kept, and which one judges: the newest whose files are whole."""

import hashlib
import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.anomaly.detector import Detector
from core.errors import BadInput, RuleBroken
from db.models import AnomalyFile, AnomalyModel

KEPT = 3  # models whose files stay: the one that judges, and those it would fall back to
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
    manifest: Mapping[str, Any],
    learned_to: int | None,
    now: datetime,
) -> None:
    """Keep a model's files and let it judge from now on; files of older ones go.

    Refuses a training that another one has overtaken; one that is published already stays as it is.
    """
    model = session.get_one(AnomalyModel, model_id, with_for_update=True, populate_existing=True)
    if model.state == "published":
        return
    if model.state != "running":
        raise RuleBroken("Another training began after this one, so this one is not published.")
    rows = [
        {"model_id": model_id, "name": name, "sha256": _sha256(content), "content": content}
        for name, content in files.items()
    ]
    session.execute(insert(AnomalyFile), rows)
    model.state, model.manifest, model.learned_to = "published", dict(manifest), learned_to
    model.finished_at = now
    session.flush()
    kept = select(AnomalyModel.id).where(AnomalyModel.state == "published").order_by(AnomalyModel.id.desc())
    session.execute(delete(AnomalyFile).where(AnomalyFile.model_id.not_in(kept.limit(KEPT))))


def fail(session: Session, model_id: int, problem: str, now: datetime) -> None:
    """Give up a training: the model before it goes on judging."""
    model = session.get_one(AnomalyModel, model_id, with_for_update=True, populate_existing=True)
    if model.state == "running":
        model.state, model.problem, model.finished_at = "failed", problem, now
        session.flush()


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
