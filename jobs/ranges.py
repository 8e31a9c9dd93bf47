"""Run-out ranges: each morning the open ones are held against what happened, and today's are issued."""

import logging
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core import issued_ranges, job_runs, predictions, shop
from core.job_runs import Claim
from db.session import reading, transact

# Before people sell, after the night's bookings: the stock of the morning is what a range speaks of.
FROM_HOUR = 4
PRODUCTS_AT_ONCE = 1000
FORGETTING_STEPS = 40
SECONDS = 600
log = logging.getLogger("runout.ranges")


def score_and_issue(claimed: Claim) -> None:
    """Once a business day, from four in the morning of the shop; at any other time nothing is due."""
    with reading() as session:
        now = _now()
        today, due = _due(session, now)
        last_day = issued_ranges.last_known_day(session, now)
        waiting = issued_ranges.open_products(session) if due else []
    if not due:
        transact(lambda session: job_runs.finish(session, claimed, _now(), {"issued": 0}))
        return
    while transact(lambda session: predictions.refresh_stale(session, today)):
        _beat(claimed, 0, len(waiting))
    counts = dict.fromkeys(("inside", "early", "late", "void"), 0)
    for start in range(0, len(waiting), PRODUCTS_AT_ONCE):
        ids = waiting[start : start + PRODUCTS_AT_ONCE]
        closed = transact(
            lambda session, ids=ids: issued_ranges.score(session, today, last_day, ids), seconds=SECONDS
        )
        counts = {state: counts[state] + closed[state] for state in counts}
        _beat(claimed, start + len(ids), len(waiting))
    for _ in range(FORGETTING_STEPS):
        if not transact(lambda session: issued_ranges.forget_old(session, today)):
            break

    def issue(session: Session) -> int:
        issued = issued_ranges.issue(session, today)
        job_runs.finish(session, claimed, _now(), counts | {"issued": issued})
        return issued

    issued = transact(issue, seconds=SECONDS)
    log.info(
        "Ranges decided: %s right, %s too early, %s too late, %s that say nothing; %s issued",
        *(f"{counts[state]:,}" for state in counts), f"{issued:,}",
    )  # fmt: skip


def _due(session: Session, now: datetime) -> tuple[date, bool]:
    """Today in the shop, and whether its ranges are to be issued now."""
    settings = shop.get(session)
    today = shop.today(settings, now)
    is_morning = now.astimezone(ZoneInfo(settings.time_zone)).hour >= FROM_HOUR
    return today, is_morning and not issued_ranges.is_issued(session, today)


def _beat(claimed: Claim, done: int, total: int) -> None:
    transact(lambda session: job_runs.beat(session, claimed, _now(), done, total))


def _now() -> datetime:
    return datetime.now(UTC)
