"""What the monitoring asks, in one look."""

from datetime import UTC, datetime, timedelta

from core import figures, stock
from core.ledger_words import RULES
from db.models import AnomalyModel, JobRun, LedgerFault, LedgerMark, ModelRun, Worker
from tests import makers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_run(session, job, state, *, hours=1, seconds=5):
    began = NOW - timedelta(hours=hours)
    ended = None if state in ("queued", "running") else began + timedelta(seconds=seconds)
    session.add(
        JobRun(job=job, slot=began, state=state, queued_at=began, started_at=began, finished_at=ended)
    )
    session.flush()


def test_an_empty_shop_has_all_figures(session):
    found = figures.look(session, NOW)
    assert found.scheduler_seen_at is None
    assert found.queue == figures.Queue(0, 0.0)
    assert {job.job for job in found.jobs} == set(figures.JOBS)
    assert all(job.done_at is None and job.seconds is None and not job.runs_by_state for job in found.jobs)
    assert (found.forecasts_trained_at, found.training, found.odd_model_trained_at) == (None, None, None)
    assert found.ranges.coverage is None
    assert found.products_by_status == dict.fromkeys(
        ("out", "late", "order_now", "fine", "excess", "unknown"), 0
    )
    assert found.open_alerts_by_severity == {"info": 0, "warning": 0, "critical": 0}
    assert found.ledger_faults_by_rule == dict.fromkeys(RULES, 0)
    assert found.ledger_rows == 0


def test_what_waits_what_worked_and_what_failed(session):
    a_run(session, "alerts", "done", hours=30, seconds=7)
    a_run(session, "alerts", "done", hours=2, seconds=3)
    a_run(session, "alerts", "failed", hours=1)
    a_run(session, "train", "done", hours=50, seconds=600)
    a_run(session, "refresh", "queued", hours=3)
    a_run(session, "refresh", "queued", hours=2)
    a_run(session, "run_outs", "running", hours=1)
    session.add(Worker(name="w", seen_at=NOW))
    session.flush()

    found = figures.look(session, NOW)

    assert found.scheduler_seen_at == NOW
    assert found.queue == figures.Queue(2, 3 * 3600)
    jobs = {job.job: job for job in found.jobs}
    assert jobs["alerts"].done_at == NOW - timedelta(hours=2) + timedelta(seconds=3)
    assert jobs["alerts"].seconds == 3
    assert jobs["alerts"].runs_by_state == {"done": 1, "failed": 1}
    assert (jobs["train"].seconds, jobs["train"].runs_by_state) == (600, {})
    assert jobs["refresh"].done_at is None


def test_trainings_and_what_is_wrong_in_the_ledger(session):
    began = NOW - timedelta(days=3)
    for report, minutes in (({"leaderboard": []}, 4), (None, 1)):
        session.add(
            ModelRun(state="published", as_of=NOW.date(), engine={}, report=report, started_at=began,
                     finished_at=began + timedelta(minutes=minutes), trained=9, too_short=2, failed=1)
        )  # fmt: skip
        session.flush()
        began += timedelta(days=1)
    session.add(AnomalyModel(state="published", started_at=NOW, finished_at=NOW))
    session.add(LedgerFault(rule="negative", message="x", figures={}))
    session.add(LedgerFault(rule="broken_chain", message="x", figures={}, gone_at=NOW))
    session.flush()

    found = figures.look(session, NOW)

    assert found.forecasts_trained_at == NOW - timedelta(days=2) + timedelta(minutes=1)
    assert found.training == figures.Training(
        NOW - timedelta(days=3) + timedelta(minutes=4), 240, trained=9, too_short=2, failed=1
    )
    assert found.odd_model_trained_at == NOW
    assert {rule for rule, number in found.ledger_faults_by_rule.items() if number} == {"negative"}


def test_movements_are_counted_from_the_last_mark_on(session, monkeypatch):
    actor, place = makers.an_actor(session), makers.a_warehouse(session, "MAIN")
    product = makers.a_product(session)
    ids = [
        stock.add(session, actor, product.id, place.id, 1, reason_code="receipt").lines[0].movement_id
        for _ in range(3)
    ]
    assert figures.ledger_rows(session) == 3
    session.add(LedgerMark(place=1000, movement_id=ids[1], last_recorded_at=NOW))
    session.flush()
    assert figures.ledger_rows(session) == 1001
    monkeypatch.setattr(figures, "MOST_COUNTED", 1)
    assert figures.ledger_rows(session) == 1001
