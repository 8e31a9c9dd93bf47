"""What each job does with a run it has claimed: its effect and its end are one transaction."""

import argparse
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from core import job_runs, ledger_check, logs, predictions, production, shop
from core.errors import RunoutError
from core.job_runs import Claim
from db.session import reading, transact
from jobs import alerts, decisions, housekeeping, notify, ranges, run_log

log = logging.getLogger("runout.jobs")
LONG = 600
FORGETTING_STEPS = 20
SIGN_SECONDS = 60  # how often long work says how far it is


def train(claimed: Claim) -> None:
    """Train all products."""
    _train(claimed, only_moved=False)


def refresh(claimed: Claim) -> None:
    """Train what moved since its forecast was made."""
    _train(claimed, only_moved=True)


def check_ledger(claimed: Claim) -> None:
    """Hold every level, chain and roll-up against the movements; a ledger with a fault fails the run.

    What is broken is kept with the run's failure, and the alerts about it. The night's quiet is also when old
    runs are forgotten.
    """
    forgotten = _forget_old_runs()
    with reading(LONG, snapshot=True) as session:
        found = ledger_check.look(session)
    sentence = "The ledger is broken: " + ", ".join(f"{n} x {rule}" for rule, n in found.totals.items())

    def end(session: Session) -> None:
        now = _now()
        ledger_check.keep(session, found, now, shop.today(shop.get(session), now))
        if not found.totals:
            job_runs.finish(session, claimed, now, {})
        elif not job_runs.fail(session, claimed, now, sentence, found.totals):
            raise job_runs.Superseded(f"Run {claimed.run_id} of {claimed.job} was given to another worker.")

    transact(end)
    if found.totals:
        log.error(sentence)
    else:
        log.info("The ledger is sound; %s old runs are forgotten", f"{forgotten:,}")


def _forget_old_runs() -> int:
    forgotten = 0
    for _ in range(FORGETTING_STEPS):
        step = transact(lambda session: job_runs.forget_old(session, _now()))
        forgotten += step
        if not step:
            break
    return forgotten


def run_outs(claimed: Claim) -> None:
    """Bring stale run-outs up to date, some products at a time."""

    def some(session: Session) -> int:
        return predictions.refresh_stale(session, shop.today(shop.get(session), _now()))

    brought = 0
    while found := transact(some):
        brought += found
        _beat(claimed, brought, None)
    if brought:
        log.info("%s run-outs brought up to date", f"{brought:,}")
    transact(lambda session: job_runs.finish(session, claimed, _now(), {"products": brought}))


def advise(claimed: Claim) -> None:
    """Work out what to order, when the shop moved on."""
    from jobs.advice import refresh as work  # numpy and pandas, which other short work does without

    work(claimed)


def train_anomalies(claimed: Claim) -> None:
    """Learn what movements are usual."""
    from jobs.anomalies import train_for as work  # numpy and pandas, LightGBM while it learns

    work(claimed)


def anomalies(claimed: Claim) -> None:
    """Look for odd movements among the new ones."""
    from jobs.anomalies import look_for as work  # numpy and pandas

    work(claimed)


def bring_in(claimed: Claim) -> None:
    """Do the next step of an uploaded file."""
    from jobs.imports import bring_in as work  # pandas

    work(claimed)


def pattern(claimed: Claim) -> None:
    """Draw trend, weekdays and season of one product."""
    from jobs.patterns import draw as work  # Prophet

    work(claimed)


JOBS: dict[str, Callable[[Claim], None]] = {
    "train": train,
    "refresh": refresh,
    "anomaly_train": train_anomalies,
    "anomalies": anomalies,
    "check_ledger": check_ledger,
    "alerts": alerts.raise_all,
    "auto_resolve": alerts.auto_resolve,
    "notify": notify.tell,
    "run_outs": run_outs,
    "advice": advise,
    "ranges": ranges.score_and_issue,
    "decisions": decisions.keep,
    "tidy": housekeeping.tidy,
    "import": bring_in,
    "pattern": pattern,
}


def do(claimed: Claim) -> None:
    """Do a claimed run and keep its log; trouble ends the run, never the worker."""
    with run_log.kept(claimed.run_id):
        try:
            JOBS[claimed.job](claimed)
        except job_runs.Superseded as overtaken:
            log.warning("%s", overtaken)
            _fail(claimed, overtaken.sentence)
        except RunoutError as refusal:  # said as what to do, with nothing to look for in a traceback
            log.error("%s", refusal.sentence)
            _fail(claimed, refusal.sentence)
        except Exception as trouble:
            log.exception("Run %s of %s failed", claimed.run_id, claimed.job)
            _fail(claimed, f"{type(trouble).__name__}: {trouble}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", type=int)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("slot", type=datetime.fromisoformat)
    parser.add_argument("fence", type=int)
    parser.add_argument("subject", nargs="?")


def main(arguments: argparse.Namespace) -> int:
    """The child process of a long run, started by the scheduler."""
    logs.configure("worker", as_json=production.is_production(os.environ))
    if arguments.job == "import":
        from jobs.imports import limit_this_process

        limit_this_process()
    do(Claim(arguments.run_id, arguments.job, arguments.slot, arguments.fence, arguments.subject))
    return 0


def _train(claimed: Claim, *, only_moved: bool) -> None:
    from jobs.train import train as work  # numpy and pandas, which short work does without

    stage, since, said_at = "", _now(), time.monotonic()

    def say(now_doing: str, done: int, total: int | None) -> None:
        nonlocal stage, since, said_at
        if now_doing != stage:
            stage, since = now_doing, _now()
        far = {"stage": stage, "since": since.isoformat()}
        transact(lambda session: job_runs.beat(session, claimed, _now(), done, total, far))
        if total and time.monotonic() - said_at > SIGN_SECONDS:
            said_at = time.monotonic()
            log.info("%s: %s of %s", stage, f"{done:,}", f"{total:,}")

    def ended(session: Session, counts: dict[str, int]) -> None:
        job_runs.finish(session, claimed, _now(), counts)
        job_runs.enqueue(session, "alerts", _now())  # new dates may need somebody before the next hour
        job_runs.enqueue(session, "advice", _now())

    work(_now(), say, only_moved=only_moved, on_publish=ended)


def _beat(claimed: Claim, done: int, total: int | None) -> None:
    transact(lambda session: job_runs.beat(session, claimed, _now(), done, total))


def _fail(claimed: Claim, sentence: str) -> None:
    transact(lambda session: job_runs.fail(session, claimed, _now(), sentence))


def _now() -> datetime:
    return datetime.now(UTC)
