"""Odd movements: a model is trained once a week, and every new movement is judged within the half hour."""

import argparse
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from core import auth, job_runs, shop, timetable
from core.anomaly.detector import Detector
from core.doctor import findings, ledger_lines, model_store, scoring
from core.doctor.model_store import Loaded
from core.errors import RunoutError, TooLittleHistory
from core.job_runs import Claim
from db.session import reading, transact

LONG = 600  # seconds one statement may take
LEAST_LINES = 300
"""Of fewer movements nothing is usual yet."""
UNSEEN = timedelta(days=30)
"""The newest days are judged, not learned from: what went wrong in them would be learned as right."""
ENOUGH_LINES = 5_000
"""... where so many movements are older; else all of them are needed."""
TRY_AGAIN = timedelta(days=1)
"""A training that failed is not tried again every half hour: it takes minutes, and would fail again."""
MOST_PASSED_OVER = 10
"""So many movements of which nothing can be said are left out in one look; more are the model's fault."""
CANNOT_BE_JUDGED = (
    RunoutError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    DataError,
    IntegrityError,
)
"""What a movement does to arithmetic that nobody foresaw; trouble of the database or of memory passes."""
log = logging.getLogger("runout.anomalies")

Say = Callable[[str], None]


# -- Training ------------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`python -m jobs train-anomalies` has nothing to choose."""


def main(_arguments: argparse.Namespace) -> int:
    """Train, look at the movements that the model begins with, and say what came of it."""
    now = datetime.now(UTC)
    slot = timetable.BY_NAME["anomaly_train"].last_slot(now)
    # A scheduler that starts after this training would otherwise catch up with the same work at once.
    lines = train(now, print, lambda session: job_runs.note_done(session, "anomaly_train", slot, now))
    scored, raised = look_at_new(now)
    print(f"Learned from {lines:,} movements; looked at {scored:,} and raised {raised:,} findings.")
    return 0


def train(now: datetime, say: Say, on_publish: Callable[[Session], object]) -> int:
    """Learn from the movements before the last weeks and let the new model judge; answers from how many.

    What was published before goes on judging until then, and when anything goes wrong. `on_publish` is called
    inside the publishing transaction.

    Raises:
        TooLittleHistory: there are fewer than 300 movements.
    """
    with reading(LONG, snapshot=True) as session:
        today = shop.today(shop.get(session), now)
        sheet = ledger_lines.training(session, today, until=today - UNSEEN)
        if len(sheet.lines) < ENOUGH_LINES:
            sheet = ledger_lines.training(session, today)
    count = len(sheet.lines)
    if count < LEAST_LINES:
        raise TooLittleHistory(
            f"{count:,} movements are too few to learn what is usual: it takes {LEAST_LINES}."
        )
    model_id = transact(lambda session: model_store.begin(session, auth.system_actor(session).id, now))
    try:
        detector = Detector.learn(sheet.lines, sheet.shelf, progress=say)
        files = detector.files()

        def publish(session: Session) -> None:
            today = shop.today(shop.get(session), now)
            model_store.publish(session, model_id, files, sheet.until_id, _now(), today)
            on_publish(session)

        transact(publish)
    except Exception as trouble:
        sentence = f"{type(trouble).__name__}: {trouble}"
        transact(lambda session: model_store.fail(session, model_id, sentence, _now()))
        raise
    log.info("Model %s learned from %s movements", model_id, f"{count:,}")
    return count


def train_for(claimed: Claim) -> None:
    """The weekly training. A shop that is too young for it is no failure."""

    def say(stage: str) -> None:
        log.info("%s", stage)
        far = {"stage": stage, "since": _now().isoformat()}
        transact(lambda session: job_runs.beat(session, claimed, _now(), stage=far))

    def ended(session: Session) -> None:
        job_runs.finish(session, claimed, _now(), {"trained": 1})
        job_runs.enqueue(session, "anomalies", _now())  # the map and the first findings are waited for

    try:
        train(_now(), say, ended)
    except TooLittleHistory as young:
        log.info("%s", young.sentence)
        transact(lambda session: job_runs.finish(session, claimed, _now(), {"trained": 0}))


# -- Looking at what is new ----------------------------------------------------------------------------------


def look_for(claimed: Claim) -> None:
    """Judge the new movements; ask for a training where there is no model that can."""
    done = 0

    def beat(step: scoring.Step) -> None:
        nonlocal done
        done += step.scored
        transact(lambda session: job_runs.beat(session, claimed, _now(), done))

    lapsed = transact(lambda session: findings.lapse(session, _now()))
    if transact(_ask_for_training):
        log.info("A training is asked for: no model can judge, or the newest cannot be read")
    scored, raised = look_at_new(_now(), beat)
    counts = {"scored": scored, "raised": raised, "lapsed": lapsed}
    if scored:
        log.info("%s movements judged, %s findings raised, %s lapsed", scored, raised, lapsed)
    transact(lambda session: job_runs.finish(session, claimed, _now(), counts))


def look_at_new(
    now: datetime, after_each: Callable[[scoring.Step], None] = lambda _: None
) -> tuple[int, int]:
    """Judge what nobody looked at yet, a batch a transaction; answers how many were judged and raised.

    A movement that cannot be judged is left out with a line in the log, so that it stops none behind it.
    """
    with reading() as session:
        loaded = model_store.current(session)
        today = shop.today(shop.get(session), now)
    if loaded is None:
        return 0, 0
    scored = raised = passed_over = 0
    most, is_done = scoring.BATCH, False
    while not is_done:
        try:
            step = _step(loaded, now, today, most)
        except CANNOT_BE_JUDGED:
            if most > 1:
                most = max(1, most // 10)  # which of them is it?
                continue
            passed_over += 1
            if passed_over > MOST_PASSED_OVER:
                raise
            log.exception("Movement %s cannot be judged and is left out", transact(scoring.pass_over))
            most = scoring.BATCH
            continue
        scored, raised, is_done = scored + step.scored, raised + step.raised, step.is_done
        after_each(step)
    return scored, raised


def _step(loaded: Loaded, now: datetime, today: date, most: int) -> scoring.Step:
    return transact(lambda session: scoring.score_new(session, loaded, now, today, most), LONG)


def _ask_for_training(session: Session) -> bool:
    """Ask for one at once where the newest model cannot judge, or there is none though there could be."""
    loaded, newest, now = model_store.current(session), model_store.newest(session), _now()
    if loaded is not None and newest is not None and newest[0] == loaded.id:
        return False
    if model_store.tried_in_vain_since(session, now - TRY_AGAIN):
        return False
    # A second training beside one that waits or works would learn the same again.
    if job_runs.is_open(session, "anomaly_train") or not ledger_lines.are_enough(session, LEAST_LINES):
        return False
    return job_runs.enqueue(session, "anomaly_train", now)


def _now() -> datetime:
    return datetime.now(UTC)
