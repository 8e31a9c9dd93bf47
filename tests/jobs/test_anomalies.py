"""The jobs that learn what is usual and look for what is odd."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from core import auth, job_runs, stock, timetable
from core.anomaly import learner, training
from core.anomaly.detector import Detector
from core.doctor import model_store
from core.errors import TooLittleHistory
from core.job_runs import Claim
from db.models import AnomalyModel, AnomalySettings, Finding, JobRun, Movement, MovementScore
from db.session import reading, transaction
from jobs import __main__ as commands
from jobs import anomalies, work
from tests.core.doctor.doctor_world import a_small_detector, published
from tests.makers import a_product, the_warehouse

pytestmark = pytest.mark.usefixtures("clone")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def _small_learning(monkeypatch):
    monkeypatch.setattr(learner, "TREES", 5)
    monkeypatch.setattr(training, "ROUNDS", 1)


def sales(count: int) -> None:
    """So many sales of two products, three times 12 pieces, until an hour ago."""
    with transaction() as session:
        place = the_warehouse(session).id
        began = NOW - timedelta(days=20)
        products = [a_product(session, 100_000, stock_at=began).id for _ in range(2)]
        rows = [
            {
                "product_id": products[n % 2], "warehouse_id": place, "type": "out", "reason_code": "sale",
                "change": -12 * (1 + n % 3), "unit_price": "2.5",
                "occurred_at": began + timedelta(days=19) * n / count,
                "customer": f"C{n % 4}", "reference_type": "invoice", "reference_id": f"I{n // 3}",
            }
            for n in range(count)
        ]  # fmt: skip
        stock.post_lines(session, auth.system_actor(session), "import", pd.DataFrame(rows), "k", b"k")


def ran(job: str, *, minutes: int = 0) -> JobRun:
    """A run of the job, done."""
    with transaction() as session:
        job_runs.enqueue(session, job, NOW + timedelta(minutes=minutes))
    return claimed(job)


def claimed(job: str) -> JobRun:
    with transaction() as session:
        claim = job_runs.claim(session, "test", [job], datetime.now(UTC))
    work.do(claim)
    with reading() as session:
        return session.get(JobRun, claim.run_id)


def waits(job: str) -> bool:
    with reading() as session:
        return (
            session.scalar(sa.select(JobRun.id).where(JobRun.job == job, JobRun.state == "queued"))
            is not None
        )


def count(model) -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_shop_without_a_model_gets_one_at_once_and_its_movements_are_judged():
    sales(310)
    first = ran("anomalies")
    assert (first.state, first.result) == ("done", {"scored": 0, "raised": 0, "lapsed": 0})
    trained = claimed("anomaly_train")
    assert (trained.state, trained.result) == ("done", {"trained": 1})
    assert waits("anomalies")
    looked = claimed("anomalies")
    assert (looked.state, looked.result["scored"]) == ("done", 310)
    assert count(MovementScore) == 310
    assert looked.result["raised"] == count(Finding)
    assert not waits("anomaly_train")
    again = ran("anomalies", minutes=20)
    assert again.result["scored"] == 0


def test_a_shop_that_is_too_young_waits_and_a_training_of_it_is_no_failure():
    sales(30)
    ran("anomalies")
    assert not waits("anomaly_train")
    run = ran("anomaly_train")
    assert (run.state, run.result, count(AnomalyModel)) == ("done", {"trained": 0}, 0)
    with pytest.raises(
        TooLittleHistory, match="30 movements are too few to learn what is usual: it takes 300"
    ):
        anomalies.train(NOW, print, lambda _: None)


def test_the_newest_days_are_not_learned_from_where_there_is_enough_before_them(monkeypatch):
    sales(400)
    monkeypatch.setattr(anomalies, "UNSEEN", timedelta(days=4))
    monkeypatch.setattr(anomalies, "ENOUGH_LINES", 300)
    assert 300 <= anomalies.train(NOW, lambda _: None, lambda _: None) < 380
    monkeypatch.setattr(anomalies, "ENOUGH_LINES", 390)
    assert anomalies.train(NOW, lambda _: None, lambda _: None) == 400


def test_while_a_training_waits_or_works_no_second_one_is_asked_for():
    sales(310)
    with transaction() as session:
        job_runs.enqueue(session, "anomaly_train", NOW)
    ran("anomalies")
    assert count(JobRun) == 2


def test_a_training_that_fails_says_why_and_is_not_tried_again_at_once(monkeypatch):
    sales(310)

    def broken(*_, **__):
        raise ValueError("no trees in winter")

    monkeypatch.setattr(Detector, "learn", broken)
    run = ran("anomaly_train")
    assert (run.state, run.message) == ("failed", "ValueError: no trees in winter")
    with reading() as session:
        (model,) = session.scalars(sa.select(AnomalyModel)).all()
    assert (model.state, model.problem) == ("failed", "ValueError: no trees in winter")
    ran("anomalies")
    assert not waits("anomaly_train")
    with transaction() as session:
        session.execute(sa.update(AnomalyModel).values(started_at=NOW - timedelta(days=2)))
    ran("anomalies", minutes=20)
    assert waits("anomaly_train")


@pytest.mark.parametrize(
    ("broken", "ends", "scored"), [(1, "done", 29), (anomalies.MOST_PASSED_OVER + 1, "failed", 0)]
)
def test_a_movement_that_cannot_be_judged_stops_none_behind_it(monkeypatch, broken, ends, scored):
    sales(30)
    with transaction() as session:
        published(session, a_small_detector())
        bad = session.scalars(
            sa.select(Movement.id).where(Movement.type == "out").order_by(Movement.id).limit(broken)
        ).all()
    judge = Detector.score

    def score(detector, lines, targets, shelf):
        if np.isin(lines.id[targets], bad).any():
            raise FloatingPointError("no such number")
        return judge(detector, lines, targets, shelf)

    monkeypatch.setattr(Detector, "score", score)
    run = ran("anomalies")
    assert (run.state, count(MovementScore)) == (ends, scored)
    assert ran("anomalies", minutes=20).state == "done"
    assert count(MovementScore) == 30 - broken


def test_a_model_of_another_version_is_trained_anew_and_judges_nothing(monkeypatch):
    sales(310)
    ran("anomaly_train")
    with transaction() as session:
        session.execute(sa.text("UPDATE anomaly_file SET content = 'x', sha256 = md5('x')"))
    monkeypatch.setattr(model_store, "_held", {})
    run = claimed("anomalies")
    assert (run.state, run.result["scored"]) == ("done", 0)
    assert waits("anomaly_train")


def test_a_training_whose_run_was_given_to_somebody_else_is_not_published():
    sales(310)
    with transaction() as session:
        job_runs.enqueue(session, "anomaly_train", NOW)
        claim = job_runs.claim(session, "test", ["anomaly_train"], datetime.now(UTC))
    stale = Claim(claim.run_id, claim.job, claim.slot, claim.fence - 1)
    work.do(stale)
    with reading() as session:
        assert model_store.newest(session) is None
        assert session.scalar(sa.select(AnomalyModel.state)) == "failed"


def test_the_command_trains_looks_and_spares_the_scheduler_the_same(capsys):
    sales(310)
    assert commands.main(["train-anomalies"]) == 0
    assert "Learned from 310 movements; looked at 310" in capsys.readouterr().out
    slot = timetable.BY_NAME["anomaly_train"].last_slot(datetime.now(UTC))
    with transaction() as session:
        assert not job_runs.enqueue(session, "anomaly_train", slot)
        assert session.get(AnomalySettings, 1).scored_to > 0


def test_the_command_of_a_young_shop_refuses_with_a_sentence(capsys):
    sales(3)
    assert commands.main(["train-anomalies"]) == 1
    assert "too few to learn" in capsys.readouterr().err
