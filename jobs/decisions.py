"""The decision journal: what was ordered or let pass is noted, and what is over is settled, once a day."""

import logging
from datetime import UTC, datetime

from core import issued_ranges, job_runs, shop
from core.buying import decision_outcomes, decision_watch, decisions
from core.job_runs import Claim
from db.session import reading, transact

SECONDS = 300
log = logging.getLogger("runout.decisions")


def keep(claimed: Claim) -> None:
    """Bring the journal up to date; twice a day changes nothing."""
    with reading() as session:
        now = _now()
        today = shop.today(shop.get(session), now)
        last_day = issued_ranges.last_known_day(session, now)
    transact(decisions.follow)
    own = transact(lambda session: decision_watch.note_own(session, today), seconds=SECONDS)
    ignored = transact(lambda session: decision_watch.note_ignored(session, today), seconds=SECONDS)
    settled = 0
    while step := transact(lambda session: decision_outcomes.settle(session, today, last_day)):
        settled += step
        _beat(claimed, settled)
    counts = {"own": own, "ignored": ignored, "settled": settled}
    log.info("Decisions: %s settled, %s ignored and %s own ones noted", settled, ignored, own)
    transact(lambda session: job_runs.finish(session, claimed, _now(), counts))


def _beat(claimed: Claim, done: int) -> None:
    transact(lambda session: job_runs.beat(session, claimed, _now(), done, None))


def _now() -> datetime:
    return datetime.now(UTC)
